//! What a configuration aims at: the name of the estate and, for each database, the cluster that is meant.
//!
//! Two files of one name may describe two clusters. A command compares its file with the running controller's before it
//! sends anything, and every order carries the digest, so that no order reaches a cluster that its sender did not mean.

use super::{Digest, Estate};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The target of a configuration, in its canonical form: names instead of ids, everything sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The estate's name.
    pub estate: String,
    /// By the name of the protection group; only groups with a database.
    pub groups: BTreeMap<String, TargetGroup>,
    /// A digest of the whole configuration, the target included. It does not belong to the target.
    pub policy: Digest,
}

/// The cluster that a protection group means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroup {
    pub kind: TargetKind,
    pub scope: String,
    /// Without slashes around it.
    pub namespace: String,
    /// The addresses of the members, by region.
    pub members: BTreeMap<String, BTreeSet<String>>,
    /// The endpoints of the consensus store.
    pub store: BTreeSet<String>,
}

/// What replicates the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetKind {
    Patroni,
}

impl TargetKind {
    pub const fn name(self) -> &'static str {
        match self {
            TargetKind::Patroni => "patroni",
        }
    }
}

/// How two configurations compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They are the same in everything.
    Equal,
    /// They mean the same clusters and differ in something else.
    PolicyDiffers,
    /// They mean other clusters: in what they differ.
    Differs(Vec<Difference>),
}

/// One field in which two targets differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `None`: the estate itself.
    pub group: Option<String>,
    pub field: TargetField,
    /// What this side says; `None`: it says nothing.
    pub ours: Option<String>,
    /// What the other side says.
    pub theirs: Option<String>,
}

/// A field of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetField {
    EstateName,
    /// The group itself: only one side has it.
    Group,
    Kind,
    Scope,
    Namespace,
    Members {
        region: String,
    },
    Store,
}

impl Target {
    pub fn of(estate: &Estate) -> Target {
        let group = |g: &super::Group| {
            let database = g.database.as_ref()?;
            let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for member in &database.members {
                members
                    .entry(estate.region(member.region).name.clone())
                    .or_default()
                    .insert(member.rest.clone());
            }
            let meant = TargetGroup {
                kind: TargetKind::Patroni,
                scope: database.scope.clone(),
                namespace: database.namespace.trim_matches('/').to_string(),
                members,
                store: database.store.iter().map(|e| e.url.clone()).collect(),
            };
            Some((g.name.clone(), meant))
        };
        Target {
            estate: estate.name.clone(),
            groups: estate.groups.iter().filter_map(group).collect(),
            policy: Digest::of_value(estate),
        }
    }

    /// The digest of the target alone: what else the configuration says does not change it.
    pub fn digest(&self) -> Digest {
        Digest::of_value(&(&self.estate, &self.groups))
    }

    /// Compares this configuration with another one.
    pub fn compare(&self, other: &Target) -> Comparison {
        let mut found = Vec::new();
        note(
            &mut found,
            None,
            TargetField::EstateName,
            Some(self.estate.clone()),
            Some(other.estate.clone()),
        );
        let names: BTreeSet<&String> = self.groups.keys().chain(other.groups.keys()).collect();
        for name in names {
            match (self.groups.get(name), other.groups.get(name)) {
                (Some(ours), Some(theirs)) => ours.compare(name, theirs, &mut found),
                (ours, theirs) => {
                    let cluster =
                        |g: Option<&TargetGroup>| g.map(|g| format!("/{}/{}", g.namespace, g.scope));
                    note(&mut found, Some(name), TargetField::Group, cluster(ours), cluster(theirs));
                }
            }
        }
        match found.is_empty() {
            false => Comparison::Differs(found),
            true if self.policy == other.policy => Comparison::Equal,
            true => Comparison::PolicyDiffers,
        }
    }
}

impl TargetGroup {
    fn compare(&self, name: &str, other: &TargetGroup, found: &mut Vec<Difference>) {
        let group = Some(name);
        note(
            found,
            group,
            TargetField::Kind,
            Some(self.kind.name().to_string()),
            Some(other.kind.name().to_string()),
        );
        note(found, group, TargetField::Scope, Some(self.scope.clone()), Some(other.scope.clone()));
        note(
            found,
            group,
            TargetField::Namespace,
            Some(self.namespace.clone()),
            Some(other.namespace.clone()),
        );
        let regions: BTreeSet<&String> = self.members.keys().chain(other.members.keys()).collect();
        for region in regions {
            let field = TargetField::Members { region: region.clone() };
            note(
                found,
                group,
                field,
                self.members.get(region).map(listed),
                other.members.get(region).map(listed),
            );
        }
        note(found, group, TargetField::Store, Some(listed(&self.store)), Some(listed(&other.store)));
    }
}

fn note(
    found: &mut Vec<Difference>,
    group: Option<&str>,
    field: TargetField,
    ours: Option<String>,
    theirs: Option<String>,
) {
    if ours != theirs {
        found.push(Difference { group: group.map(str::to_string), field, ours, theirs });
    }
}

fn listed(list: &BTreeSet<String>) -> String {
    list.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    const FILE: &str = "name: shop
business_continuity:
  regions:
    one: { region_id: here, capacity_percentage: 60, failover_priority: 1 }
    two: { region_id: there, capacity_percentage: 60, failover_priority: 2 }
services:
  orders-db:
    patroni:
      scope: orders
      members: { here: http://10.0.0.1:8008, there: http://10.0.1.1:8008 }
      etcd: [http://10.0.0.9:2379]
    fence: { exec: [fence, \"{member}\"] }
  payments-db:
    patroni:
      scope: payments
      members: { here: http://10.0.0.2:8008, there: http://10.0.1.2:8008 }
      etcd: [http://10.0.0.9:2379]
";

    fn target(text: &str) -> Target {
        Target::of(&config::parse("shop.yaml", text).unwrap_or_else(|e| panic!("{e}")).estate)
    }

    /// What is expected of a pair of files that differ in one field.
    enum Expected {
        Accept,
        Warn,
        Refuse(Option<&'static str>, TargetField),
    }

    /// Each pair differs in one field only.
    #[test]
    fn files_that_differ_in_one_field() {
        use Expected::{Accept, Refuse, Warn};
        let orders = Some("orders-db");
        let members = |region: &str| TargetField::Members { region: region.to_string() };
        let table: Vec<(&str, &str, Expected)> = vec![
            ("name: shop", "name: shop", Accept),
            ("name: shop", "name:   shop # the same", Accept),
            ("scope: orders", "scope: orders\n      namespace: /service", Warn),
            ("failover_priority: 1 }", "failover_priority: 1, provider: cloud }", Warn),
            (
                "capacity_percentage: 60, failover_priority: 2",
                "capacity_percentage: 70, failover_priority: 2",
                Warn,
            ),
            ("exec: [fence,", "exec: [fence, --hard,", Warn),
            ("name: shop\n", "name: shop\ntest_estate: true\n", Warn),
            ("name: shop\n", "name: shop\nautomation: { cooldown: 1s }\n", Warn),
            ("services:\n", "services:\n  api: {}\n", Warn),
            ("name: shop", "name: shop-2", Refuse(None, TargetField::EstateName)),
            ("  orders-db:", "  orders-2:", Refuse(Some("orders-2"), TargetField::Group)),
            ("scope: orders", "scope: orders-2", Refuse(orders, TargetField::Scope)),
            (
                "scope: orders",
                "scope: orders\n      namespace: /other/",
                Refuse(orders, TargetField::Namespace),
            ),
            ("here: http://10.0.0.1:8008", "here: http://10.0.0.7:8008", Refuse(orders, members("here"))),
            ("there: http://10.0.1.1:8008", "there: https://10.0.1.1:8008", Refuse(orders, members("there"))),
            (", there: http://10.0.1.1:8008", "", Refuse(orders, members("there"))),
            (
                "[http://10.0.0.9:2379]\n    fence",
                "[http://10.0.0.8:2379]\n    fence",
                Refuse(orders, TargetField::Store),
            ),
            (
                "[http://10.0.0.9:2379]\n    fence",
                "[http://10.0.0.9:2379, http://10.0.0.8:2379]\n    fence",
                Refuse(orders, TargetField::Store),
            ),
        ];
        let ours = target(FILE);
        for (from, to, expected) in table {
            assert!(FILE.contains(from), "{from}");
            let theirs = target(&FILE.replacen(from, to, 1));
            let same = ours.digest() == theirs.digest();
            match (ours.compare(&theirs), expected) {
                (Comparison::Equal, Accept) | (Comparison::PolicyDiffers, Warn) => {
                    assert!(same, "{from} → {to}")
                }
                (Comparison::Differs(list), Refuse(group, field)) => {
                    assert!(!same, "{from} → {to}");
                    let first = &list[0];
                    assert_eq!(
                        (first.group.as_deref(), &first.field),
                        (group, &field),
                        "{from} → {to}: {list:?}"
                    );
                }
                (other, _) => panic!("{from} → {to}: {other:?}"),
            }
        }
    }

    /// The kind of the database is a part of the target, and the order in which groups and endpoints stand is none.
    #[test]
    fn the_canonical_form() {
        let swapped = "      etcd: [http://10.0.0.8:2379, http://10.0.0.9:2379]\n";
        let one = target(&FILE.replace(
            "      etcd: [http://10.0.0.9:2379]\n",
            "      etcd: [http://10.0.0.9:2379, http://10.0.0.8:2379]\n",
        ));
        let other = target(&FILE.replace("      etcd: [http://10.0.0.9:2379]\n", swapped));
        assert_eq!(one.digest(), other.digest());
        let kinds = serde_json::to_string(&one).unwrap_or_default();
        assert_eq!(kinds.matches("Patroni").count(), 2);
    }
}

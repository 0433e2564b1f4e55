//! The estate: all that is protected under one name, as the configuration describes it.

use super::disaster::vocabulary;
use super::{
    Automation, BalancerId, DatabaseSpec, DatabaseTls, DisasterType, GroupId, May, MemberId, Need, Percent,
    Plan, RegionId, RouteSpec, ServiceId, Severity, Span, Steering, Strategy, SwitchSpec, Waiver, Watchdog,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// All that is protected, under one name. Ids are positions in its lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estate {
    pub name: String,
    /// It is there to be rehearsed on: nobody's business hangs on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test_estate: bool,
    pub regions: Vec<Region>,
    pub services: Vec<Service>,
    pub groups: Vec<Group>,
    pub policy: Policy,
    pub plans: Vec<Plan>,
    /// What a recovery needs besides; empty: nobody has declared it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
    /// Who may order what. `None`: root and the controller's own account alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may: Option<May>,
    #[serde(default, skip_serializing_if = "super::Renamed::is_empty")]
    pub renamed: super::Renamed,
    #[serde(default, skip_serializing_if = "super::Departed::is_empty")]
    pub departed: super::Departed,
}

/// A place that can fail as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    pub name: String,
    pub role: Role,
    /// The share of the normal total load that the region can carry.
    pub capacity: Percent,
    /// 1 is chosen first.
    pub priority: u16,
    pub provider: Option<String>,
    pub data_center: Option<String>,
}

vocabulary!(
    /// What a region is for.
    Role, "region role" {
        Active = "active",
        Hot = "hot",
        Warm = "warm",
        Cold = "cold",
    }
);

/// Something with users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub name: String,
    pub tier: u8,
    pub rto: Span,
    pub rpo: Span,
    pub regions: Vec<RegionId>,
    pub depends_on: Vec<ServiceId>,
    pub group: GroupId,
    pub health: Option<Health>,
}

/// How a service is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    Http {
        url: String,
        /// `None`: any answer below 500 is one.
        expect: Option<u16>,
        /// An answer that takes longer is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Span>,
    },
    Tcp {
        address: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<Span>,
    },
}

/// What is recovered together. At most one operation runs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub name: String,
    pub services: Vec<ServiceId>,
    pub database: Option<Database>,
}

/// A replicated database whose members elect their leader through a consensus store, with all that a failover of it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    #[serde(default, skip_serializing_if = "super::kinds::is_default")]
    pub spec: DatabaseSpec,
    pub service: ServiceId,
    pub scope: String,
    pub namespace: String,
    pub members: Vec<Member>,
    /// Endpoints of the consensus store.
    pub store: Vec<StoreEndpoint>,
    /// The login of the members' REST API. Nothing else gets it.
    pub login: Option<Login>,
    /// The login of the consensus store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_login: Option<Login>,
    #[serde(default, skip_serializing_if = "DatabaseTls::is_empty")]
    pub tls: DatabaseTls,
    /// What is declared of the members' watchdog; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watchdog: Option<Watchdog>,
    pub sql: Option<Sql>,
    pub fence: Option<Fence>,
    pub balancers: Vec<Balancer>,
    /// The part of each route that leads to this database; HAProxy calls it a backend.
    pub backend: String,
    /// Where clients write, `host:port`.
    pub entry: Option<String>,
}

impl Database {
    pub fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.get(id.at())
    }

    pub fn member_ids(&self) -> impl Iterator<Item = MemberId> + use<> {
        (0..self.members.len()).map(MemberId::of)
    }

    /// The members in a region.
    pub fn members_in(&self, region: RegionId) -> impl Iterator<Item = MemberId> + '_ {
        self.member_ids().filter(move |m| self.region_of(*m) == Some(region))
    }

    /// The routes that a member can be drained from.
    pub fn draining(&self) -> impl Iterator<Item = (BalancerId, &Balancer)> {
        self.balancers.iter().enumerate().filter(|(_, b)| b.drains()).map(|(i, b)| (BalancerId::of(i), b))
    }

    pub fn region_of(&self, id: MemberId) -> Option<RegionId> {
        self.member(id).map(|m| m.region)
    }

    /// True if its region has no other member of this database: then the region's name is enough to name it.
    pub fn is_alone(&self, id: MemberId) -> bool {
        self.region_of(id).is_some_and(|region| self.members_in(region).count() == 1)
    }

    /// The key prefix of the cluster in the consensus store, with a slash at its end.
    pub fn prefix(&self) -> String {
        format!("/{}/{}/", self.namespace.trim_matches('/'), self.scope)
    }

    /// The prefix of the controllers' own keys, with a slash at its end. The namespace is part of it unless it is Patroni's
    /// usual one.
    pub fn own_prefix(&self) -> String {
        match self.namespace.trim_matches('/') {
            "service" => self.legacy_prefix(),
            namespace => format!("/bpci/{namespace}/{}/", self.scope),
        }
    }

    /// The prefix that older programs use, whatever the namespace is.
    pub fn legacy_prefix(&self) -> String {
        format!("/bpci/{}/", self.scope)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub region: RegionId,
    /// The name in the cluster, where the configuration gives it; else the cluster tells it, found by the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The REST address, without a path.
    pub rest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreEndpoint {
    pub url: String,
    /// Where it runs, if that is declared.
    pub region: Option<RegionId>,
    /// It is declared to run in none of the regions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
}

/// What leads clients to the primary: an asset of a kind of the family *Route*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balancer {
    /// Where it is asked and set: `host:port`, or an absolute path.
    pub address: String,
    /// Where it runs, if that is declared.
    pub region: Option<RegionId>,
    #[serde(default, skip_serializing_if = "super::kinds::is_default")]
    pub spec: RouteSpec,
}

impl Balancer {
    /// A member can be taken out of it, and has to be put back.
    pub fn drains(&self) -> bool {
        self.spec.steering() == Steering::ByChecks
    }
}

/// A name, and the file its password stands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    pub user: String,
    pub password_file: String,
    /// The name to look for in `$CREDENTIALS_DIRECTORY` first: the file was given by its bare name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Files of certificates and keys in PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    pub ca: Option<String>,
    pub cert: Option<String>,
    pub key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sql {
    pub user: String,
    pub password_file: Option<String>,
    /// As in [`Login`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    pub dbname: String,
}

/// How the old primary is proven off: exit status 0 of `exec`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    #[serde(default, skip_serializing_if = "super::kinds::is_default")]
    pub spec: SwitchSpec,
    pub exec: Vec<String>,
    pub check: Option<Vec<String>>,
    pub undo: Option<Vec<String>>,
    pub timeout: Span,
    /// Regions that the fence itself needs.
    pub depends_on: Vec<RegionId>,
}

/// What the configuration asks for: detection, response, targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub detection: Detection,
    pub responses: Vec<Response>,
    pub strategies: BTreeMap<Strategy, StrategyTarget>,
    pub limits: AutomationLimits,
    pub rto: Span,
    pub rpo: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    pub interval: Span,
    pub threshold: u16,
    pub classification_timeout: Span,
    pub response_delay: Span,
}

/// What is done about a kind of disaster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    pub disaster: DisasterType,
    pub severity: Severity,
    pub automated: bool,
    pub strategy: Strategy,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyTarget {
    pub rto: Span,
    pub rpo: Span,
    pub automation: Automation,
    pub validation_required: bool,
}

/// What automation may not do (FACTS part 1); each is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutomationLimits {
    /// Not so soon after its own start or a change of configuration.
    pub settle: Span,
    /// Not again on the same group within this time.
    pub cooldown: Span,
    /// Not with a fence whose last proof is older; `None`: waived.
    pub fence_proof: Option<Span>,
    /// Not with a plan that has changed since its last drill, or was never drilled; `false`: waived.
    pub drilled: bool,
    /// Waivers need a reason and an expiry date. The records of older programs are from before that rule.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waivers_expire: bool,
    /// Why the proof of the fence is waived, and until when; without it a live estate's automation is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence_proof_waiver: Option<Waiver>,
    /// The same for the drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drilled_waiver: Option<Waiver>,
}

impl Policy {
    /// Some disaster is to be answered without a person.
    pub fn automates(&self) -> bool {
        let full = |r: &&Response| {
            r.automated && self.strategies.get(&r.strategy).is_some_and(|s| s.automation == Automation::Full)
        };
        self.responses.iter().any(|r| full(&r))
    }
}

impl Estate {
    pub fn region(&self, id: RegionId) -> &Region {
        &self.regions[id.at()]
    }

    pub fn service(&self, id: ServiceId) -> &Service {
        &self.services[id.at()]
    }

    pub fn group(&self, id: GroupId) -> &Group {
        &self.groups[id.at()]
    }

    pub fn region_ids(&self) -> impl Iterator<Item = RegionId> + use<> {
        (0..self.regions.len()).map(RegionId::of)
    }

    pub fn group_ids(&self) -> impl Iterator<Item = GroupId> + use<> {
        (0..self.groups.len()).map(GroupId::of)
    }

    pub fn service_ids(&self) -> impl Iterator<Item = ServiceId> + use<> {
        (0..self.services.len()).map(ServiceId::of)
    }

    pub fn region_named(&self, name: &str) -> Option<RegionId> {
        self.regions.iter().position(|r| r.name == name).map(RegionId::of)
    }

    pub fn service_named(&self, name: &str) -> Option<ServiceId> {
        self.services.iter().position(|s| s.name == name).map(ServiceId::of)
    }

    pub fn plan_named(&self, name: &str) -> Option<&Plan> {
        self.plans.iter().find(|p| p.name == name)
    }

    /// The response to a kind of disaster, if the configuration names one.
    pub fn response(&self, kind: DisasterType) -> Option<&Response> {
        self.policy.responses.iter().find(|r| r.disaster == kind)
    }

    /// The tightest targets of a group's services.
    pub fn targets(&self, group: GroupId) -> (Span, Span) {
        let of = |f: fn(&Service) -> Span, other| {
            self.group(group).services.iter().map(|s| f(self.service(*s))).min().unwrap_or(other)
        };
        (of(|s| s.rto, self.policy.rto), of(|s| s.rpo, self.policy.rpo))
    }

    /// What a region carries: its load, a share of its own capacity, in hundredths of a percent of all load.
    pub fn carried(&self, region: RegionId, load: Percent) -> u32 {
        u32::from(load.0) * u32::from(self.region(region).capacity.0)
    }

    /// How full a region is, and would be if so much more came, as [`Estate::carried`] counts it: in percent of its own
    /// capacity.
    pub fn filled(&self, to: (RegionId, Percent), coming: u32) -> (u32, u32) {
        let capacity = u32::from(self.region(to.0).capacity.0).max(1);
        let there = self.carried(to.0, to.1);
        (there / capacity, (there + coming) / capacity)
    }

    /// What people call a member: its region's name where that is enough, else its own name first, which a narrow column keeps.
    pub fn member_label(&self, group: GroupId, member: MemberId, name: Option<&str>) -> Cow<'_, str> {
        let Some(database) = self.groups.get(group.at()).and_then(|g| g.database.as_ref()) else {
            return Cow::Borrowed("?");
        };
        let Some(spec) = database.member(member) else { return Cow::Borrowed("?") };
        let region = self.regions.get(spec.region.at()).map_or("?", |r| r.name.as_str());
        if database.is_alone(member) {
            return Cow::Borrowed(region);
        }
        match spec.name.as_deref().or(name) {
            Some(name) => Cow::Owned(format!("{name}@{region}")),
            None => {
                let place = database.members_in(spec.region).position(|m| m == member).unwrap_or_default();
                Cow::Owned(format!("#{}@{region}", place + 1))
            }
        }
    }

    /// Every service that stops when one of these does, they first, then by how far away it is.
    pub fn dependents(&self, of: &[ServiceId]) -> Vec<ServiceId> {
        let mut needed_by = vec![Vec::new(); self.services.len()];
        for service in self.service_ids() {
            for needed in &self.service(service).depends_on {
                needed_by[needed.at()].push(service);
            }
        }
        let (mut found, mut known) = (Vec::new(), vec![false; self.services.len()]);
        let mut add = |list: &[ServiceId], found: &mut Vec<ServiceId>| {
            for service in list {
                if !std::mem::replace(&mut known[service.at()], true) {
                    found.push(*service);
                }
            }
        };
        add(of, &mut found);
        let mut next = 0;
        while let Some(service) = found.get(next) {
            add(&needed_by[service.at()], &mut found);
            next += 1;
        }
        found
    }
}

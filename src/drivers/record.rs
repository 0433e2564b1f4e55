//! The cluster's record from its keys in etcd, each read as Patroni reads it (`patroni/dcs/__init__.py`, `global_config.py`).

use super::address::{ToldNames, member_of};
use super::brief;
use super::endpoint::of_conn_url;
use super::etcd::{Key, Keys, legacy_key, operation_key, owner_key};
use super::patroni_value::{count, is_on, is_truthy, parse_int, python_int, text};
use crate::model::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The cluster's record. `known` keeps the configured members that have vanished from the store.
pub fn record(database: &Database, keys: &Keys, known: &mut Vec<MemberKey>) -> StoreRecord {
    record_with(database, &ToldNames::new(), keys, known)
}

/// The same, with the names that the members told of themselves.
pub(super) fn record_with(
    database: &Database,
    told: &ToldNames,
    keys: &Keys,
    known: &mut Vec<MemberKey>,
) -> StoreRecord {
    let mut reader = Reader { keys, prefix: database.prefix(), unreadable: Vec::new() };
    reader.members(database, told, known);
    let members = Arc::new(known.clone());
    let history = reader.history();
    let leader = reader.key("leader").filter(|k| !k.value.is_empty()).map(|k| LeaderKey {
        name: k.value.as_str().into(),
        member: members.iter().find(|m| *m.name == *k.value).and_then(|m| m.member),
        create_revision: k.create,
        lease_left: None,
        lease_ttl: None,
        lease_id: k.lease,
    });
    let own = |key: &str| {
        keys.get(key).map(|k| OperationKey { value: k.value.as_str().into(), revision: k.modified })
    };
    if let Some(Err(e)) = keys.get(&operation_key(database)).map(|k| serde_json::from_str::<Claim>(&k.value))
    {
        reader.note(ClusterKey::Operation, &e.to_string());
    }
    StoreRecord {
        revision: keys.revision,
        leader,
        sync: reader.object(ClusterKey::Sync).map(|(v, revision)| sync(&v, &members, revision)),
        failover: reader
            .key("failover")
            .map(|k| FailoverKey { content: request(&k.value), revision: k.modified }),
        config: reader.object(ClusterKey::Config).map(|(v, revision)| config(&v, revision)),
        status: reader.status(),
        initialize: reader.key("initialize").map(|k| Name::from(k.value.as_str())).filter(|v| !v.is_empty()),
        last_switch: history.last().copied(),
        history,
        store_id: keys.cluster_id.map(|id| Name::from(format!("{id:x}"))),
        operation: own(&operation_key(database)),
        owner: own(&owner_key(database)),
        legacy: if legacy_key(database) == operation_key(database) {
            None
        } else {
            own(&legacy_key(database))
        },
        unrenewed: false,
        citus: reader.has_citus_groups(),
        unreadable: reader.unreadable,
        members,
        failsafe: false,
        voters: 0,
        voters_up: 0,
    }
}

/// Members whose keys cannot be read and are told.
const MAX_UNREADABLE: usize = 16;

/// Reads the keys of one cluster, and notes which of them cannot be read.
struct Reader<'a> {
    keys: &'a Keys,
    /// The prefix of the cluster, with a slash at its end.
    prefix: String,
    unreadable: Vec<UnreadableKey>,
}

impl<'a> Reader<'a> {
    fn key(&self, name: &str) -> Option<&'a Key> {
        self.keys.get(&format!("{}{name}", self.prefix))
    }

    /// The words of a reason may repeat what was read.
    fn note(&mut self, key: ClusterKey, reason: &str) {
        if self.unreadable.len() < MAX_UNREADABLE || !matches!(key, ClusterKey::Member(_)) {
            self.unreadable.push(UnreadableKey { key, reason: brief(reason).into_owned() });
        }
    }

    fn parsed(&mut self, key: ClusterKey, text: &str) -> Option<Value> {
        let value = serde_json::from_str(text);
        if let Err(e) = &value {
            self.note(key, &e.to_string());
        }
        value.ok()
    }

    /// A JSON object, with the revision at which it was changed last.
    fn object(&mut self, name: ClusterKey) -> Option<(Value, u64)> {
        let key = self.key(&name.to_string())?;
        let value = self.parsed(name.clone(), &key.value)?;
        if !value.is_object() {
            self.note(name, "it is no JSON object");
            return None;
        }
        Some((value, key.modified))
    }

    /// Before 2.1 the leader's position stood in a key of its own.
    fn status(&mut self) -> Option<StatusKey> {
        let name = if self.key("status").is_some() { "status" } else { "optime/leader" };
        let key = self.key(name)?;
        let value = self.parsed(ClusterKey::Status, &key.value)?;
        let position = if value.is_object() { count(&value["optime"]) } else { count(&value) };
        Some(StatusKey { revision: key.modified, position: Lsn(position?) })
    }

    fn history(&mut self) -> Vec<(Timeline, Lsn)> {
        let switch = |entry: &Value| {
            Some((Timeline(u32::try_from(count(entry.get(0)?)?).ok()?), Lsn(count(entry.get(1)?)?)))
        };
        let value = self.key("history").and_then(|key| self.parsed(ClusterKey::History, &key.value));
        value.iter().flat_map(|v| v.as_array().into_iter().flatten()).filter_map(switch).collect()
    }

    /// Citus groups lie one level deeper, under a number each.
    fn has_citus_groups(&self) -> bool {
        let group = |k: &Key| {
            k.name
                .strip_prefix(&self.prefix)
                .and_then(|rest| rest.split_once('/'))
                .map(|(group, _)| group.to_string())
        };
        self.keys
            .list
            .iter()
            .filter_map(group)
            .any(|group| !group.is_empty() && group.chars().all(|c| c.is_ascii_digit()))
    }

    /// Brings `known` up to what the store says of the members.
    fn members(&mut self, database: &Database, told: &ToldNames, known: &mut Vec<MemberKey>) {
        let prefix = format!("{}members/", self.prefix);
        let mut present = Vec::new();
        let keys = self.keys;
        for key in &keys.list {
            let Some(name) =
                key.name.strip_prefix(&prefix).filter(|name| !name.is_empty() && !name.contains('/'))
            else {
                continue;
            };
            if let Some(value) = self.parsed(ClusterKey::Member(name.into()), &key.value) {
                present.push(member_key(database, told, name, &value));
            }
        }
        // Two that claim to be one member: which of them it is, is not known.
        let mut claims: BTreeMap<MemberId, usize> = BTreeMap::new();
        present.iter().filter_map(|m| m.member).for_each(|m| *claims.entry(m).or_default() += 1);
        for key in &mut present {
            key.member = key.member.filter(|m| claims.get(m) == Some(&1));
        }
        let names: BTreeSet<&str> = present.iter().map(|m| &*m.name).collect();
        let leader = self.key("leader").map(|k| k.value.as_str());
        // A node that was made anew under another name has the address of the one before. Only the configured are kept for long.
        known.retain(|old| {
            let is_replaced =
                names.contains(&*old.name) || old.member.is_some_and(|m| claims.contains_key(&m));
            !is_replaced && (old.member.is_some() || leader == Some(&*old.name))
        });
        drop(names);
        known.extend(present);
    }
}

fn member_key(database: &Database, told: &ToldNames, name: &str, value: &Value) -> MemberKey {
    let address = value["api_url"]
        .as_str()
        .unwrap_or_default()
        .trim_end_matches('/')
        .trim_end_matches("/patroni")
        .trim_end_matches('/');
    let parts = || {
        let (host, port) =
            (value["conn_kwargs"]["host"].as_str()?, count(&value["conn_kwargs"]["port"]).unwrap_or(5432));
        of_conn_url(&if host.contains(':') {
            format!("postgres://[{host}]:{port}")
        } else {
            format!("postgres://{host}:{port}")
        })
    };
    let sql = value["conn_url"].as_str().filter(|u| !u.is_empty()).map_or_else(parts, of_conn_url);
    MemberKey {
        name: name.into(),
        member: member_of(database, told, name, address),
        address: address.to_string(),
        sql,
    }
}

/// Names are compared as PostgreSQL compares them there: in any case. They are kept as the members' own keys write them.
fn sync(value: &Value, members: &[MemberKey], revision: u64) -> SyncKey {
    let mut like: BTreeMap<String, Vec<&Name>> = BTreeMap::new();
    members.iter().for_each(|m| like.entry(m.name.to_lowercase()).or_default().push(&m.name));
    let own = |name: &str| match like.get(&name.to_lowercase()).map(Vec::as_slice) {
        Some([only]) => (*only).clone(),
        _ => Name::from(name),
    };
    let leader = value["leader"].as_str().filter(|l| !l.is_empty());
    let standbys = value["sync_standby"].as_str().filter(|_| leader.is_some()).unwrap_or_default();
    SyncKey {
        leader: leader.map(own),
        standbys: standbys.split(',').map(str::trim).filter(|n| !n.is_empty()).map(own).collect(),
        quorum: python_int(&value["quorum"]).filter(|q| *q > 0).map(|q| u16::try_from(q).unwrap_or(u16::MAX)),
        revision,
    }
}

/// A request that names nobody is none.
fn request(request: &str) -> Option<FailoverRequest> {
    let Ok(value) = serde_json::from_str::<Value>(request) else {
        // Not understood is not nothing: it steers somebody (Patroni reads `leader:candidate`).
        let words = request.trim();
        return (!words.is_empty()).then(|| FailoverRequest {
            from: None,
            to: Some(words.chars().take(60).collect()),
            scheduled_at: None,
        });
    };
    let part = |name: &str| {
        Some(&value[name]).filter(|v| is_truthy(v)).map(|v| text(v).unwrap_or_else(|| v.to_string()))
    };
    let (from, to) = (part("leader"), part("member"));
    (from.is_some() || to.is_some()).then(|| FailoverRequest { from, to, scheduled_at: part("scheduled_at") })
}

fn config(v: &Value, revision: u64) -> ConfigKey {
    let secs = |name: &str, default: u64| {
        Span::secs(
            python_int(&v[name]).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(default),
        )
    };
    let quorum = text(&v["synchronous_mode"]).is_some_and(|mode| mode.to_lowercase() == "quorum");
    let standby_cluster =
        ["host", "port", "restore_command"].iter().any(|name| is_truthy(&v["standby_cluster"][*name]));
    ConfigKey {
        revision,
        paused: is_on(&v["pause"]),
        ttl: secs("ttl", 30),
        loop_wait: secs("loop_wait", 10),
        maximum_lag: Bytes(
            parse_int(&v["maximum_lag_on_failover"]).map_or(1_048_576, |n| u64::try_from(n).unwrap_or(0)),
        ),
        synchronous: is_on(&v["synchronous_mode"]) || quorum,
        strict: is_on(&v["synchronous_mode_strict"]),
        quorum,
        standby_cluster,
        failsafe: is_on(&v["failsafe_mode"]),
    }
}

/// How long Patroni tries to reach the store, where its configuration says that.
pub(super) fn retry_timeout(database: &Database, keys: &Keys) -> Option<Span> {
    let key = keys.get(&format!("{}config", database.prefix()))?;
    let config: Value = serde_json::from_str(&key.value).ok()?;
    python_int(&config["retry_timeout"]).and_then(|n| u64::try_from(n).ok()).map(Span::secs)
}

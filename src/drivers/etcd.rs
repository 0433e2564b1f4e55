//! etcd through its JSON gateway: the cluster's keys at one revision, claims, and the one transaction.
//!
//! There 64-bit integers are strings, keys and values base64, and false and 0 are left out.

use super::http::{Http, PostError};
use crate::model::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The largest answer of a cluster that is read.
const MAX_KEYS: usize = 10_000;
const TIMEOUT: Duration = Duration::from_millis(700);

pub struct Etcd {
    http: Http,
    endpoints: Vec<String>,
    /// The endpoint that answered last.
    current: AtomicUsize,
}

fn b64(text: &str) -> String {
    STANDARD.encode(text)
}

fn text_of(value: &Value) -> Option<String> {
    String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok()
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The first key behind all that begin with this prefix.
fn range_end(prefix: &str) -> String {
    let mut bytes = prefix.as_bytes().to_vec();
    while let Some(last) = bytes.pop() {
        if last < 0xff {
            bytes.push(last + 1);
            break;
        }
    }
    STANDARD.encode(bytes)
}

/// One key: name, value, revisions, lease.
#[derive(Clone, Debug)]
pub struct Key {
    pub name: String,
    pub value: String,
    pub create: u64,
    pub modified: u64,
    pub lease: Option<i64>,
}

/// Keys read at one revision.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub revision: u64,
    pub list: Vec<Key>,
}

impl Keys {
    fn get(&self, name: &str) -> Option<&Key> {
        self.list.iter().find(|k| k.name == name)
    }
}

/// The keys in an answer of etcd's JSON gateway.
///
/// # Errors
/// It tells no revision.
pub fn keys(answer: &Value) -> Result<Keys, String> {
    let revision = number(&answer["header"]["revision"]).ok_or("an answer without a revision")?;
    let responses = answer["responses"].as_array().into_iter().flatten();
    let found = responses.flat_map(|r| r["response_range"]["kvs"].as_array().into_iter().flatten());
    let key = |kv: &Value| {
        Some(Key {
            name: text_of(&kv["key"])?,
            value: text_of(&kv["value"]).unwrap_or_default(),
            create: number(&kv["create_revision"]).unwrap_or(0),
            modified: number(&kv["mod_revision"]).unwrap_or(0),
            lease: kv["lease"].as_str().and_then(|l| l.parse().ok()),
        })
    };
    Ok(Keys { revision, list: found.filter_map(key).collect() })
}

impl Etcd {
    pub fn new(http: Http, database: &Database) -> Etcd {
        Etcd { http, endpoints: database.store.iter().map(|e| e.url.clone()).collect(), current: AtomicUsize::new(0) }
    }

    /// Asks one endpoint after the other. What may have been heard is not sent again if it changes something.
    async fn ask(&self, path: &str, body: &Value, changes: bool) -> Result<Value, PostError> {
        let first = self.current.load(Ordering::Relaxed);
        let mut last = PostError::NotSent("no endpoint is named".to_string());
        for i in 0..self.endpoints.len() {
            let at = (first + i) % self.endpoints.len();
            match self.http.post(&format!("{}{path}", self.endpoints[at]), body, TIMEOUT).await {
                Ok(text) => {
                    self.current.store(at, Ordering::Relaxed);
                    return serde_json::from_str(&text).map_err(|e| PostError::Lost(format!("not an answer of etcd's: {e}")));
                }
                Err(e @ PostError::Lost(_)) if changes => return Err(e),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    /// Every key of the cluster, and ours, at one revision.
    pub async fn read(&self, database: &Database) -> Result<Keys, String> {
        let prefix = database.prefix();
        let ours = format!("/bpci/{}/", database.scope);
        let range = |prefix: &str| json!({"request_range": {"key": b64(prefix), "range_end": range_end(prefix), "limit": MAX_KEYS}});
        let body = json!({"success": [range(&prefix), range(&ours)]});
        let answer = self.ask("/v3/kv/txn", &body, false).await.map_err(|e| e.to_string())?;
        keys(&answer)
    }

    /// What is left of a lease, and its full length.
    pub async fn lease(&self, id: i64) -> Option<(Span, Span)> {
        let answer = self.ask("/v3/lease/timetolive", &json!({"ID": id.to_string()}), false).await.ok()?;
        let left = number(&answer["TTL"]).unwrap_or(0);
        Some((Span::secs(left), Span::secs(number(&answer["grantedTTL"])?)))
    }

    /// How many members the store has, and how many answer that they are healthy.
    pub async fn voters(&self) -> Option<(u16, u16)> {
        let answer = self.ask("/v3/cluster/member/list", &json!({}), false).await.ok()?;
        let members = answer["members"].as_array()?;
        let mut up = 0;
        for member in members {
            let Some(url) = member["clientURLs"].as_array().and_then(|u| u.first()).and_then(Value::as_str) else { continue };
            let (result, _) = self.http.get(&format!("{url}/health"), Duration::from_millis(300)).await;
            up += u16::from(result.is_well());
        }
        Some((u16::try_from(members.len()).ok()?, up))
    }

    /// All comparisons hold, or nothing happens.
    async fn transact(&self, compare: Vec<Value>, success: Vec<Value>, otherwise: &str) -> Outcome {
        match self.ask("/v3/kv/txn", &json!({"compare": compare, "success": success}), true).await {
            Ok(answer) if answer["succeeded"].as_bool() == Some(true) => Outcome::Done { detail: String::new() },
            Ok(_) => Outcome::NotDone { reason: otherwise.to_string() },
            Err(PostError::Lost(reason)) => Outcome::Unknown { reason },
            Err(e) => Outcome::NotDone { reason: e.to_string() },
        }
    }

    pub async fn claim(&self, database: &Database, value: &str, revision: Option<u64>) -> Outcome {
        let key = database.generation_key();
        let put = json!({"request_put": {"key": b64(&key), "value": b64(value)}});
        self.transact(vec![at_revision(&key, revision)], vec![put], "another controller wrote the operation key meanwhile").await
    }

    pub async fn release(&self, database: &Database, value: &str, over: &str) -> Outcome {
        let key = database.generation_key();
        let compare = json!({"key": b64(&key), "target": "VALUE", "result": "EQUAL", "value": b64(value)});
        let put = json!({"request_put": {"key": b64(&key), "value": b64(over)}});
        self.transact(vec![compare], vec![put], "the claim is another's by now").await
    }

    pub async fn hand_over(&self, database: &Database, id: EffectId, h: &HandOver) -> Outcome {
        let key = |name: &str| format!("{}{name}", database.prefix());
        let leader = key("leader");
        let mut compare = vec![
            at_revision(&key("sync"), h.sync_revision),
            at_revision(&key("failover"), h.failover_revision),
            at_revision(&key("config"), h.config_revision),
            at_revision(&database.generation_key(), h.operation_revision),
        ];
        match h.leader_create_revision {
            Some(revision) => {
                compare.push(json!({"key": b64(&leader), "target": "VALUE", "result": "EQUAL", "value": b64(&h.old)}));
                compare.push(json!({"key": b64(&leader), "target": "CREATE", "result": "EQUAL", "create_revision": revision.to_string()}));
            }
            None => compare.push(at_revision(&leader, None)),
        }
        let request = if h.bind_to_old { json!({"leader": h.old, "member": h.candidate}) } else { json!({"member": h.candidate}) };
        let success = vec![
            json!({"request_delete_range": {"key": b64(&leader)}}),
            json!({"request_put": {"key": b64(&key("failover")), "value": b64(&request.to_string())}}),
            // So that it can be asked afterwards whether it happened.
            json!({"request_put": {"key": b64(&handed_over_key(database)), "value": b64(&id.to_string())}}),
        ];
        match self.transact(compare, success, "the store has changed since it was read; nothing was done").await {
            Outcome::Done { .. } => Outcome::Done { detail: format!("the lock of {} is released to {}", h.old, h.candidate) },
            other => other,
        }
    }

    /// Whether the transaction of this id happened.
    pub async fn handed_over(&self, database: &Database, id: EffectId) -> Result<bool, String> {
        let keys = self.read(database).await?;
        Ok(keys.get(&handed_over_key(database)).is_some_and(|k| k.value == id.to_string()))
    }

    /// The value of the operation key.
    pub async fn operation(&self, database: &Database) -> Result<Option<String>, String> {
        let keys = self.read(database).await?;
        Ok(keys.get(&database.generation_key()).map(|k| k.value.clone()))
    }
}

fn handed_over_key(database: &Database) -> String {
    format!("/bpci/{}/handed_over", database.scope)
}

/// The key was last changed at this revision; `None`: it is not there.
fn at_revision(key: &str, revision: Option<u64>) -> Value {
    match revision {
        Some(revision) => json!({"key": b64(key), "target": "MOD", "result": "EQUAL", "mod_revision": revision.to_string()}),
        None => json!({"key": b64(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}),
    }
}

/// The cluster's record from its keys. `known` keeps members that have vanished from the store.
pub fn record(database: &Database, keys: &Keys, known: &mut Vec<MemberKey>) -> StoreRecord {
    let prefix = database.prefix();
    let key = |name: &str| keys.get(&format!("{prefix}{name}"));
    let parsed = |name: &str| key(name).and_then(|k| serde_json::from_str::<Value>(&k.value).ok().map(|v| (v, k.modified)));
    let members_prefix = format!("{prefix}members/");
    for member in keys.list.iter().filter_map(|k| Some((k.name.strip_prefix(&members_prefix)?, &k.value))) {
        let Some(read) = member_key(database, member.0, member.1) else { continue };
        match known.iter_mut().find(|m| m.name == read.name) {
            Some(old) => *old = read,
            None => {
                // A node that was made anew under another name has the address of the one before.
                known.retain(|m| m.member.is_none() || m.member != read.member);
                known.push(read);
            }
        }
    }
    let members = std::sync::Arc::new(known.clone());
    let member_of = |name: &str| members.iter().find(|m| *m.name == *name).and_then(|m| m.member);
    StoreRecord {
        revision: keys.revision,
        leader: key("leader").filter(|k| !k.value.is_empty()).map(|k| LeaderKey {
            name: k.value.as_str().into(),
            member: member_of(&k.value),
            create_revision: k.create,
            lease_left: None,
            lease_ttl: None,
            lease_id: k.lease,
        }),
        sync: parsed("sync").map(|(v, revision)| SyncKey {
            leader: v["leader"].as_str().map(Name::from),
            standbys: names(&v["sync_standby"]),
            quorum: v["quorum"].as_u64().filter(|q| *q > 0).and_then(|q| u16::try_from(q).ok()),
            revision,
        }),
        failover: key("failover").map(|k| FailoverKey { content: request(&k.value), revision: k.modified }),
        config: parsed("config").map(|(v, revision)| config(&v, revision)),
        status: parsed("status").and_then(|(v, revision)| Some(StatusKey { revision, position: Lsn(v["optime"].as_u64()?) })),
        initialize: key("initialize").map(|k| Name::from(k.value.as_str())).filter(|v| !v.is_empty()),
        last_switch: parsed("history").and_then(|(v, _)| {
            let last = v.as_array()?.last()?.as_array()?.clone();
            Some((Timeline(u32::try_from(last.first()?.as_u64()?).ok()?), Lsn(last.get(1)?.as_u64()?)))
        }),
        operation: keys.get(&database.generation_key()).map(|k| OperationKey { value: k.value.as_str().into(), revision: k.modified }),
        members,
        failsafe: false,
        voters: 0,
        voters_up: 0,
    }
}

fn names(value: &Value) -> Vec<Name> {
    value.as_str().map(|s| s.split(',').map(|n| Name::from(n.trim())).filter(|n| !n.is_empty()).collect()).unwrap_or_default()
}

/// A request that says nothing is none.
fn request(text: &str) -> Option<FailoverRequest> {
    if text.trim().is_empty() {
        return None;
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        // Not understood is not nothing: it steers somebody.
        return Some(FailoverRequest { from: None, to: Some(text.chars().take(60).collect()), scheduled_at: None });
    };
    if value.as_object().is_some_and(serde_json::Map::is_empty) || value.is_null() {
        return None;
    }
    let text = |name: &str| value[name].as_str().map(str::to_string);
    Some(FailoverRequest { from: text("leader"), to: text("member"), scheduled_at: text("scheduled_at") })
}

fn config(v: &Value, revision: u64) -> ConfigKey {
    let secs = |name: &str, default: u64| Span::secs(v[name].as_u64().unwrap_or(default));
    let mode = v["synchronous_mode"].as_str().unwrap_or_default();
    ConfigKey {
        revision,
        paused: v["pause"].as_bool().unwrap_or(false),
        ttl: secs("ttl", 30),
        loop_wait: secs("loop_wait", 10),
        maximum_lag: Bytes(v["maximum_lag_on_failover"].as_u64().unwrap_or(1_048_576)),
        synchronous: v["synchronous_mode"].as_bool().unwrap_or(false) || matches!(mode, "quorum" | "on" | "true"),
        strict: v["synchronous_mode_strict"].as_bool().unwrap_or(false),
        quorum: mode == "quorum",
        standby_cluster: v["standby_cluster"].as_object().is_some_and(|o| !o.is_empty()),
        failsafe: v["failsafe_mode"].as_bool().unwrap_or(false),
    }
}

fn member_key(database: &Database, name: &str, text: &str) -> Option<MemberKey> {
    let value: Value = serde_json::from_str(text).ok()?;
    let address = value["api_url"].as_str().unwrap_or_default().trim_end_matches("/patroni").trim_end_matches('/').to_string();
    let sql = value["conn_url"].as_str().and_then(|u| u.split("://").nth(1)).map(|r| r.split('/').next().unwrap_or(r));
    let member = database.members.iter().position(|m| m.rest == address).map(MemberId::of);
    Some(MemberKey { name: name.into(), member, address, sql: sql.map(|s| s.rsplit('@').next().unwrap_or(s).to_string()) })
}

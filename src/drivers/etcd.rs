//! etcd through its JSON gateway: the cluster's keys at one revision, and transactions.
//!
//! There 64-bit integers are strings, keys and values base64, and false and 0 are left out.

use super::brief;
use super::etcd_login::{Session, TokenFault, advice, token_fault};
use super::http::{Http, PostError};
use crate::model::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The largest answer of a cluster that is read.
const MAX_KEYS: usize = 10_000;
/// The addresses of one etcd member that are tried.
const MAX_URLS: usize = 4;
const TIMEOUT: Duration = Duration::from_millis(700);

pub struct Etcd {
    http: Http,
    /// etcd's own login, where it has one.
    session: Option<Session>,
    endpoints: Vec<String>,
    /// The endpoint that answered last.
    current: AtomicUsize,
    /// How long the last answer took, in milliseconds.
    round_trip: AtomicU64,
}

fn b64(text: &str) -> String {
    STANDARD.encode(text)
}

fn text_of(value: &Value) -> Option<String> {
    String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok()
}

pub(super) fn number(value: &Value) -> Option<u64> {
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
    /// The id of the cluster that answered, from the header of its reply.
    pub cluster_id: Option<u64>,
    pub list: Vec<Key>,
}

impl Keys {
    pub(super) fn get(&self, name: &str) -> Option<&Key> {
        self.list.iter().find(|k| k.name == name)
    }
}

/// The keys in an answer of etcd's JSON gateway.
///
/// # Errors
/// It tells no revision, holds more keys than are read, or a key cannot be read.
pub fn keys(answer: &Value) -> Result<Keys, String> {
    let revision = number(&answer["header"]["revision"]).ok_or("etcd's answer has no revision")?;
    let cluster_id = number(&answer["header"]["cluster_id"]);
    let responses = || answer["responses"].as_array().into_iter().flatten();
    if responses().any(|r| r["response_range"]["more"].as_bool() == Some(true)) {
        return Err(format!("more than {MAX_KEYS} keys under one prefix; remove what is not Patroni's"));
    }
    let found = responses().flat_map(|r| r["response_range"]["kvs"].as_array().into_iter().flatten());
    Ok(Keys {
        revision,
        cluster_id,
        list: found.filter_map(|kv| key(kv).transpose()).collect::<Result<_, _>>()?,
    })
}

/// One key; `None` for one whose name is no text: it is none that anybody looks for.
///
/// # Errors
/// Its value or a revision of it cannot be read. A revision that is missing must not pass for 0, which means «absent».
fn key(kv: &Value) -> Result<Option<Key>, String> {
    let Some(name) = text_of(&kv["key"]) else { return Ok(None) };
    let revision = |of: &str| {
        number(&kv[of]).filter(|r| *r > 0).ok_or_else(|| format!("key {} has no {of}", brief(&name)))
    };
    let value = match &kv["value"] {
        Value::Null => String::new(),
        value => text_of(value).ok_or_else(|| format!("the value of key {} is no text", brief(&name)))?,
    };
    let (create, modified) = (revision("create_revision")?, revision("mod_revision")?);
    let lease = kv["lease"].as_i64().or_else(|| kv["lease"].as_str()?.parse().ok()).filter(|id| *id != 0);
    Ok(Some(Key { name, value, create, modified, lease }))
}

impl Etcd {
    /// # Errors
    /// A file of certificates, keys or passwords cannot be read or is none.
    pub fn new(database: &Database) -> Result<Etcd, String> {
        let endpoints = database.store.iter().map(|e| e.url.clone()).collect();
        let session = database.store_login.clone().map(Session::new).transpose()?;
        let http = Http::store(database)?;
        Ok(Etcd { http, session, endpoints, current: AtomicUsize::new(0), round_trip: AtomicU64::new(0) })
    }

    /// Sends a request to one endpoint, with a token where there is a login. A look is repeated with a new token if etcd refuses
    /// the one that was sent; a change only if etcd does not know the token at all: then it has looked at nothing else.
    async fn send(
        &self,
        at: usize,
        path: &str,
        body: &Value,
        timeout: Duration,
        changes: bool,
    ) -> Result<String, PostError> {
        let endpoint = &self.endpoints[at];
        let url = format!("{endpoint}{path}");
        let Some(session) = &self.session else { return self.http.post(&url, body, timeout).await };
        // Without a token the request itself was not sent.
        let unsent = |e: PostError| PostError::NotSent(reason(&e));
        let token = session.token(&self.http, endpoint).await.map_err(unsent)?;
        let sent = self.http.post_with_token(&url, body, timeout, token.as_deref()).await;
        let Some(fault) = sent.as_ref().err().and_then(token_fault) else { return sent };
        let renewed = session.renewed(&self.http, endpoint, token.as_deref()).await;
        if changes && fault != TokenFault::Unknown {
            return sent;
        }
        let token = renewed.map_err(unsent)?;
        self.http.post_with_token(&url, body, timeout, token.as_deref()).await
    }

    /// Asks one endpoint after the other for something that changes nothing. One whose answer is not etcd's is passed over.
    pub(super) async fn look(&self, path: &str, body: &Value) -> Result<Value, String> {
        let mut last = "no endpoint is named".to_string();
        for at in self.order() {
            let began = Instant::now();
            match self.send(at, path, body, TIMEOUT, false).await {
                Ok(text) => match answer_of(&text) {
                    Ok(answer) => {
                        self.current.store(at, Ordering::Relaxed);
                        self.round_trip.store(
                            u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                            Ordering::Relaxed,
                        );
                        return Ok(answer);
                    }
                    Err(e) => last = format!("{}: {e}", self.endpoints[at]),
                },
                Err(e) => last = reason(&e),
            }
        }
        Err(last)
    }

    /// Asks the endpoint at this position, and no other, for something that changes nothing.
    pub(super) async fn look_at(
        &self,
        at: usize,
        path: &str,
        body: &Value,
        timeout: Duration,
    ) -> Result<Value, String> {
        if at >= self.endpoints.len() {
            return Err("no such endpoint".to_string());
        }
        let text = self.send(at, path, body, timeout, false).await.map_err(|e| reason(&e))?;
        answer_of(&text)
    }

    /// Asks an address of the store for a page that needs no login.
    pub(super) async fn page(&self, url: &str, timeout: Duration) -> (ProbeResult, Option<String>) {
        self.http.get(url, timeout).await
    }

    /// Tries a transaction that cannot happen, to learn whether it would be let through.
    ///
    /// # Errors
    /// It is refused: etcd's code, where it gave one, and its reason.
    pub(super) async fn try_change(&self, body: &Value) -> Result<(), (Option<u64>, String)> {
        let mut last = "no endpoint is named".to_string();
        for at in self.order() {
            match self.send(at, "/v3/kv/txn", body, TIMEOUT, false).await {
                Ok(text) => match answer_of(&text) {
                    Ok(_) => return Ok(()),
                    Err(e) => last = format!("{}: {e}", self.endpoints[at]),
                },
                Err(PostError::Answered(status, text)) => {
                    let told = serde_json::from_str::<Value>(&text).ok();
                    let Some(code) = told.as_ref().and_then(|v| v["code"].as_u64()) else {
                        last = PostError::Answered(status, text).to_string();
                        continue;
                    };
                    let reason = told
                        .as_ref()
                        .and_then(|v| v["message"].as_str().or(v["error"].as_str()))
                        .unwrap_or_default();
                    return Err((Some(code), reason.to_string()));
                }
                Err(e) => last = e.to_string(),
            }
        }
        Err((None, last))
    }

    /// Sends a change to the first endpoint that can be reached. It is sent once: what may have been heard is not sent again.
    pub(super) async fn change(&self, path: &str, body: &Value) -> Result<Value, Unchanged> {
        let mut last = "no endpoint is named".to_string();
        for at in self.order() {
            let sent = self.send(at, path, body, TIMEOUT, true).await;
            match changed(sent) {
                Ok(answer) => {
                    self.current.store(at, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(Unchanged::NotSent(e)) => last = e,
                Err(e) => return Err(e),
            }
        }
        Err(Unchanged::NotSent(last))
    }

    /// The positions of the endpoints, the one that answered last first.
    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let (first, count) = (self.current.load(Ordering::Relaxed), self.endpoints.len());
        (0..count).map(move |i| (first + i) % count)
    }

    /// How long the last answer took.
    pub(super) fn round_trip(&self) -> Duration {
        Duration::from_millis(self.round_trip.load(Ordering::Relaxed))
    }

    /// Every key of the cluster, and ours, at one revision.
    pub async fn read(&self, database: &Database) -> Result<Keys, String> {
        let (prefix, ours) = (database.prefix(), database.own_prefix());
        let body = json!({"success": [range(&prefix), range(&ours), get(&legacy_key(database))]});
        keys(&self.look("/v3/kv/txn", &body).await?)
    }

    /// The keys of our own, at one revision.
    pub async fn read_own(&self, database: &Database) -> Result<Keys, String> {
        keys(&self.look("/v3/kv/txn", &json!({"success": own_keys(database)})).await?)
    }

    /// What is left of a lease, and its full length.
    pub async fn lease(&self, id: i64) -> Option<(Span, Span)> {
        let answer = self.look("/v3/lease/timetolive", &json!({"ID": id.to_string()})).await.ok()?;
        let left = number(&answer["TTL"]).unwrap_or(0);
        Some((Span::secs(left), Span::secs(number(&answer["grantedTTL"])?)))
    }

    /// How many voting members the store has, and how many of them answer that they are healthy.
    pub async fn voters(&self) -> Option<(u16, u16)> {
        let answer = self.look("/v3/cluster/member/list", &json!({})).await.ok()?;
        let voters = voters_in(&answer)?;
        let mut up = 0;
        for urls in &voters {
            up += u16::from(self.is_healthy(urls).await);
        }
        Some((u16::try_from(voters.len()).ok()?, up))
    }

    /// A member is healthy if it says so at any of its addresses: some of them may be of a network that we do not reach.
    async fn is_healthy(&self, urls: &[String]) -> bool {
        for url in urls {
            let (_, text) = self
                .http
                .get(&format!("{}/health", url.trim_end_matches('/')), Duration::from_millis(300))
                .await;
            if text.is_some_and(|text| says_healthy(&text)) {
                return true;
            }
        }
        false
    }

    /// All comparisons hold and the changes happen, or nothing happens. Either way the keys of our own and the compared ones are
    /// read in the same transaction.
    pub(super) async fn transact(
        &self,
        database: &Database,
        compare: &[Compare],
        changes: Vec<Value>,
    ) -> Transacted {
        let reads = || own_keys(database).into_iter().chain(compare.iter().map(|c| get(c.key())));
        let success: Vec<Value> = changes.into_iter().chain(reads()).collect();
        let failure: Vec<Value> = reads().collect();
        let body = json!({"compare": compare.iter().map(Compare::json).collect::<Vec<_>>(), "success": success, "failure": failure});
        match self.change("/v3/kv/txn", &body).await {
            Ok(answer) => match (keys(&answer), answer["succeeded"].as_bool() == Some(true)) {
                (Ok(keys), true) => Transacted::Happened(keys),
                (Ok(keys), false) => Transacted::Held(keys),
                (Err(_), true) => Transacted::Happened(Keys::default()),
                (Err(e), false) => Transacted::Unknown(e),
            },
            Err(Unchanged::Unknown(reason)) => Transacted::Unknown(reason),
            Err(Unchanged::NotSent(reason)) => Transacted::NotSent(reason),
            Err(Unchanged::Refused(reason)) => Transacted::Refused(reason),
        }
    }
}

/// What came of a transaction.
pub(super) enum Transacted {
    /// It happened; the keys as they stand since.
    Happened(Keys),
    /// Its comparisons did not hold, and nothing happened; the keys as they stood.
    Held(Keys),
    /// It may have happened, or may happen still.
    Unknown(String),
    /// It never left.
    NotSent(String),
    /// etcd refused it before looking at it.
    Refused(String),
}

/// Why a change brought no answer that says that it happened.
#[derive(Debug)]
pub(super) enum Unchanged {
    NotSent(String),
    Unknown(String),
    Refused(String),
}

/// The error in words, with what to do about it where that is known.
fn reason(error: &PostError) -> String {
    advice(error).map_or_else(|| error.to_string(), |advice| format!("{error}; {advice}"))
}

/// What an answer to a change says of it. An error is no «no»: etcd answers 5xx, 429 and time-outs although the change was made,
/// and a proxy answers what it likes. Only etcd's own refusals of the request itself say that nothing will come of it.
fn changed(sent: Result<String, PostError>) -> Result<Value, Unchanged> {
    match sent {
        Ok(text) => answer_of(&text).map_err(Unchanged::Unknown),
        Err(PostError::NotSent(reason)) => Err(Unchanged::NotSent(reason)),
        Err(PostError::Lost(reason)) => Err(Unchanged::Unknown(reason)),
        Err(PostError::Answered(status, text)) => {
            // InvalidArgument, NotFound (a lease), PermissionDenied, Unauthenticated.
            let code = serde_json::from_str::<Value>(&text).ok().and_then(|v| v["code"].as_u64());
            let refused = matches!((status, code), (400 | 401 | 403 | 404, Some(3 | 5 | 7 | 16)));
            let reason = reason(&PostError::Answered(status, text));
            Err(if refused { Unchanged::Refused(reason) } else { Unchanged::Unknown(reason) })
        }
    }
}

/// The client addresses of each voting member, from the list of members. Learners have no vote.
pub fn voters_in(answer: &Value) -> Option<Vec<Vec<String>>> {
    let members = answer["members"].as_array()?;
    let urls = |m: &Value| {
        m["clientURLs"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|u| u.as_str().map(str::to_string))
            .take(MAX_URLS)
            .collect()
    };
    Some(members.iter().filter(|m| m["isLearner"].as_bool() != Some(true)).map(urls).collect())
}

/// The answer of `/health`: etcd says it with status 503 as well, so only the words count.
pub fn says_healthy(text: &str) -> bool {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    answer["health"].as_bool() == Some(true) || answer["health"].as_str() == Some("true")
}

/// An answer with etcd's header. A proxy's page with status 200 is none.
///
/// # Errors
/// What it is instead.
pub fn answer_of(text: &str) -> Result<Value, String> {
    let is_page = text.trim_start().starts_with('<');
    let what = |e: serde_json::Error| {
        if is_page { "it is HTML".to_string() } else { brief(&e.to_string()).into_owned() }
    };
    let value: Value =
        serde_json::from_str(text).map_err(|e| format!("its answer is not etcd's: {}", what(e)))?;
    let is_etcd = value["header"].is_object() || value["result"]["header"].is_object();
    if is_etcd { Ok(value) } else { Err("its answer has no header of etcd's".to_string()) }
}

fn range(prefix: &str) -> Value {
    json!({"request_range": {"key": b64(prefix), "range_end": range_end(prefix), "limit": MAX_KEYS}})
}

fn get(key: &str) -> Value {
    json!({"request_range": {"key": b64(key)}})
}

pub(super) fn put(key: &str, value: &str) -> Value {
    json!({"request_put": {"key": b64(key), "value": b64(value)}})
}

pub(super) fn put_leased(key: &str, value: &str, lease: i64) -> Value {
    json!({"request_put": {"key": b64(key), "value": b64(value), "lease": lease.to_string()}})
}

pub(super) fn delete(key: &str) -> Value {
    json!({"request_delete_range": {"key": b64(key)}})
}

fn own_keys(database: &Database) -> Vec<Value> {
    vec![get(&operation_key(database)), get(&owner_key(database)), get(&handed_over_key(database))]
}

pub(super) fn operation_key(database: &Database) -> String {
    format!("{}operation", database.own_prefix())
}

pub(super) fn owner_key(database: &Database) -> String {
    format!("{}owner", database.own_prefix())
}

pub(super) fn handed_over_key(database: &Database) -> String {
    format!("{}handed_over", database.own_prefix())
}

/// The operation key of older programs.
pub(super) fn legacy_key(database: &Database) -> String {
    format!("{}operation", database.legacy_prefix())
}

/// What must hold of a key for a transaction to happen.
pub(super) enum Compare {
    /// It was last changed at this revision; `None`: it is absent.
    At(String, Option<u64>),
    Value(String, String),
    Created(String, u64),
}

impl Compare {
    fn key(&self) -> &str {
        match self {
            Compare::At(key, _) | Compare::Value(key, _) | Compare::Created(key, _) => key,
        }
    }

    fn json(&self) -> Value {
        match self {
            Compare::At(key, Some(revision)) => {
                json!({"key": b64(key), "target": "MOD", "result": "EQUAL", "mod_revision": revision.to_string()})
            }
            Compare::At(key, None) => {
                json!({"key": b64(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0"})
            }
            Compare::Value(key, value) => {
                json!({"key": b64(key), "target": "VALUE", "result": "EQUAL", "value": b64(value)})
            }
            Compare::Created(key, revision) => {
                json!({"key": b64(key), "target": "CREATE", "result": "EQUAL", "create_revision": revision.to_string()})
            }
        }
    }

    fn holds(&self, keys: &Keys) -> bool {
        let stands = keys.get(self.key());
        match self {
            Compare::At(_, revision) => stands.map(|k| k.modified) == *revision,
            Compare::Value(_, value) => stands.is_some_and(|k| k.value == *value),
            Compare::Created(_, revision) => stands.is_some_and(|k| k.create == *revision),
        }
    }
}

/// Why the comparisons did not hold, from what was read in the same transaction.
pub(super) fn differs(compare: &[Compare], keys: &Keys) -> String {
    let mut names: Vec<&str> = compare
        .iter()
        .filter(|c| !c.holds(keys))
        .map(|c| c.key().rsplit('/').next().unwrap_or_default())
        .collect();
    names.dedup();
    format!("{} changed since it was read; nothing was done", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(namespace: &str) -> Database {
        let text = format!(
            "services:\n  db:\n    patroni:\n      scope: orders\n      namespace: {namespace}\n      members: {{ us-east-1: \"http://127.0.0.1:1\", eu-west-1: \"http://127.0.0.1:2\" }}\n      etcd: [\"http://127.0.0.1:3\"]\n"
        );
        let estate = crate::config::parse("keys.yaml", &text).unwrap_or_else(|e| panic!("{e}")).estate;
        estate.groups[0].database.clone().unwrap_or_else(|| panic!("no database"))
    }

    #[test]
    fn the_namespace_is_part_of_our_own_keys() {
        for (namespace, operation) in [
            ("/service/", "/bpci/orders/operation"),
            ("service", "/bpci/orders/operation"),
            ("/prod/eu/", "/bpci/prod/eu/orders/operation"),
        ] {
            let database = database(namespace);
            assert_eq!(
                (operation_key(&database).as_str(), legacy_key(&database).as_str()),
                (operation, "/bpci/orders/operation")
            );
        }
    }

    /// An error reply is not a «no»: only what etcd refused before it looked at it is.
    #[test]
    fn what_may_have_been_changed_is_unknown() {
        let answered = |status: u16, body: &str| Err(PostError::Answered(status, body.to_string()));
        let cases = [
            (Ok(r#"{"header":{"revision":"5"},"succeeded":true}"#.to_string()), "done"),
            (Ok("<html>sign in</html>".to_string()), "unknown"),
            (Ok(r#"{"status":"ok"}"#.to_string()), "unknown"),
            (Err(PostError::Lost("no answer in time".to_string())), "unknown"),
            (answered(500, r#"{"error":"etcdserver: request timed out","code":2}"#), "unknown"),
            (answered(503, r#"{"error":"etcdserver: leader changed","code":14}"#), "unknown"),
            (answered(429, r#"{"error":"etcdserver: too many requests","code":8}"#), "unknown"),
            (answered(307, ""), "unknown"),
            (answered(404, "<html>no such page</html>"), "unknown"),
            (
                answered(400, r#"{"error":"etcdserver: duplicate key given in txn request","code":3}"#),
                "refused",
            ),
            (answered(404, r#"{"error":"etcdserver: requested lease not found","code":5}"#), "refused"),
            (answered(403, r#"{"error":"etcdserver: permission denied","code":7}"#), "refused"),
            (Err(PostError::NotSent("connection refused".to_string())), "not sent"),
        ];
        for (answer, expected) in cases {
            let told = format!("{answer:?}");
            let word = match changed(answer) {
                Ok(_) => "done",
                Err(Unchanged::Unknown(_)) => "unknown",
                Err(Unchanged::Refused(_)) => "refused",
                Err(Unchanged::NotSent(_)) => "not sent",
            };
            assert_eq!(word, expected, "{told}");
        }
    }
}

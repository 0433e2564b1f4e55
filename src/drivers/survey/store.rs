//! etcd: each endpoint's own status, alarms, voters, and whether it would take an operation's writes.

use super::super::etcd::{self, Etcd};
use super::super::eyes::Eyes;
use super::super::patroni::version;
use crate::model::*;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(1);
/// A version that no key ever has: a transaction that compares with it never happens. etcd checks permissions and space all the same
/// (measured on 3.4.23).
const NEVER: &str = "9000000000000000000";

pub async fn ask(eyes: &Eyes) -> StoreAnswers {
    let (etcd, database) = (&eyes.etcd, &eyes.database);
    let mut answers = StoreAnswers::default();
    for at in 0..database.store.len() {
        answers.endpoints.push(endpoint(etcd, at).await);
    }
    let alarms = etcd.look("/v3/maintenance/alarm", &json!({"action": "GET"})).await;
    answers.alarms = alarms.map(|a| alarms_in(&a)).unwrap_or_default();
    if let Ok(list) = etcd.look("/v3/cluster/member/list", &json!({})).await {
        for member in list["members"].as_array().into_iter().flatten() {
            answers.voters.push(voter(eyes, member).await);
        }
    }
    for (prefix, changes) in changes(database) {
        answers.writes.push((prefix, write(etcd, &changes).await));
    }
    for endpoint in &database.store {
        let (_, text) = etcd.page(&format!("{}/metrics", endpoint.url), TIMEOUT).await;
        let text = text.unwrap_or_default();
        answers.peer_round_trip = answers.peer_round_trip.max(peer_round_trip(&text));
        let fuller = |q: &(Bytes, Bytes)| q.0.0.saturating_mul(1_000) / q.1.0.max(1);
        answers.quota = [answers.quota, quota(&text)].into_iter().flatten().max_by_key(fuller);
    }
    answers
}

async fn endpoint(etcd: &Etcd, at: usize) -> Result<EndpointAnswers, String> {
    let began = Instant::now();
    let status = etcd.look_at(at, "/v3/maintenance/status", &json!({}), TIMEOUT).await?;
    let round_trip = Span(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
    let errors = status["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(EndpointAnswers {
        version: version(status["version"].as_str().unwrap_or_default()),
        led: etcd::number(&status["leader"]).is_some_and(|id| id != 0),
        learner: status["isLearner"].as_bool().unwrap_or(false),
        size: Bytes(etcd::number(&status["dbSize"]).unwrap_or(0)),
        round_trip,
        // Alarms are asked for by themselves.
        errors: errors.filter(|e| !e.contains("alarm:")).map(str::to_string).collect(),
    })
}

fn alarms_in(answer: &Value) -> Vec<StoreAlarm> {
    let name = |a: &Value| {
        Some(match a["alarm"].as_str()? {
            "NOSPACE" => StoreAlarm::NoSpace,
            "CORRUPT" => StoreAlarm::Corrupt,
            "NONE" => return None,
            other => StoreAlarm::Other(other.to_string()),
        })
    };
    let mut list: Vec<StoreAlarm> =
        answer["alarms"].as_array().into_iter().flatten().filter_map(name).collect();
    list.dedup();
    list
}

/// A member of the store's cluster, as the list has it; each of its addresses is tried.
async fn voter(eyes: &Eyes, member: &Value) -> VoterAnswers {
    let same =
        |one: &str, other: &str| one.trim_end_matches('/').eq_ignore_ascii_case(other.trim_end_matches('/'));
    let urls: Vec<&str> =
        member["clientURLs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut answers = false;
    for url in &urls {
        let (result, _) = eyes.etcd.page(&format!("{}/version", url.trim_end_matches('/')), TIMEOUT).await;
        answers |= result.is_well();
    }
    VoterAnswers {
        name: member["name"].as_str().unwrap_or_default().to_string(),
        endpoint: eyes.database.store.iter().position(|e| urls.iter().any(|url| same(url, &e.url))),
        learner: member["isLearner"].as_bool().unwrap_or(false),
        started: !urls.is_empty(),
        answers,
    }
}

/// What the database holds and what it may, by etcd's own metrics.
fn quota(metrics: &str) -> Option<(Bytes, Bytes)> {
    let number = |name: &str| {
        let value = metrics.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '))?;
        value.trim().parse::<f64>().ok().filter(|v| *v > 0.0).map(|v| Bytes(v as u64))
    };
    Some((number("etcd_mvcc_db_total_size_in_bytes")?, number("etcd_server_quota_backend_bytes")?))
}

/// The changes that an operation makes, by the prefix that they are made under.
fn changes(database: &Database) -> [(String, Vec<Value>); 2] {
    let prefix = database.prefix();
    let patroni =
        vec![etcd::delete(&format!("{prefix}leader")), etcd::put(&format!("{prefix}failover"), "{}")];
    let own = vec![
        etcd::put(&etcd::operation_key(database), ""),
        etcd::put(&etcd::owner_key(database), ""),
        etcd::put(&etcd::handed_over_key(database), ""),
    ];
    [(prefix, patroni), (database.own_prefix(), own)]
}

async fn write(etcd: &Etcd, changes: &[Value]) -> WriteTry {
    let key = changes.iter().find_map(|c| c["request_put"]["key"].as_str()).unwrap_or_default();
    let compare = json!({"key": key, "target": "VERSION", "result": "GREATER", "version": NEVER});
    match etcd.try_change(&json!({"compare": [compare], "success": changes})).await {
        Ok(()) => WriteTry::Allowed,
        // etcd's codes are gRPC's: PermissionDenied, ResourceExhausted, Unauthenticated; a request without a user is an InvalidArgument.
        Err((Some(7), _)) => WriteTry::Denied,
        Err((Some(8), reason)) if !reason.contains("too many requests") => WriteTry::NoSpace,
        Err((Some(16), reason)) => WriteTry::LoginNeeded(reason),
        Err((Some(3), reason)) if reason.contains("user name") => WriteTry::LoginNeeded(reason),
        Err((_, reason)) => WriteTry::Failed(reason),
    }
}

/// The round trip that 99 of 100 messages between etcd's members stay below, by its own histogram; the worst peer counts.
fn peer_round_trip(metrics: &str) -> Option<Span> {
    const BUCKET: &str = "etcd_network_peer_round_trip_time_seconds_bucket{";
    let mut peers: std::collections::BTreeMap<&str, Vec<(f64, f64)>> = std::collections::BTreeMap::new();
    for line in metrics.lines().filter_map(|l| l.strip_prefix(BUCKET)) {
        let Some((labels, count)) = line.rsplit_once("} ") else { continue };
        let label = |name: &str| {
            labels.split(',').find_map(|l| l.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"'))
        };
        let (Some(to), Some(le), Ok(count)) = (label("To"), label("le"), count.trim().parse::<f64>()) else {
            continue;
        };
        // The last bucket is without a bound: `+Inf`, which a number may be.
        if let Ok(le) = le.parse::<f64>() {
            peers.entry(to).or_default().push((le, count));
        }
    }
    let slowest = |buckets: &Vec<(f64, f64)>| {
        let all = buckets.iter().map(|(_, n)| *n).fold(0.0, f64::max);
        // A few messages say nothing.
        let enough = buckets.iter().filter(|(le, n)| all >= 100.0 && le.is_finite() && *n >= all * 0.99);
        enough.map(|(le, _)| *le).fold(None, |least: Option<f64>, le| Some(least.map_or(le, |l| l.min(le))))
    };
    let worst = peers
        .values()
        .filter_map(slowest)
        .fold(None, |most: Option<f64>, s| Some(most.map_or(s, |m| m.max(s))))?;
    Some(Span((worst * 1_000.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_peer_counts() {
        let line = |to: &str, le: &str, n: u32| {
            format!("etcd_network_peer_round_trip_time_seconds_bucket{{To=\"{to}\",le=\"{le}\"}} {n}\n")
        };
        let text = [
            line("a", "0.0008", 990),
            line("a", "0.0016", 1000),
            line("a", "+Inf", 1000),
            line("b", "0.1024", 10),
            line("b", "0.2048", 200),
            line("b", "+Inf", 200),
        ]
        .concat();
        assert_eq!(peer_round_trip(&text), Some(Span(204)));
        assert_eq!(peer_round_trip(&line("a", "0.0008", 5)), None);
        assert_eq!(peer_round_trip("nothing of etcd's"), None);
    }

    #[test]
    fn alarms_are_told_apart() {
        let answer = json!({"alarms": [{"memberID": "1", "alarm": "NOSPACE"}, {"memberID": "2", "alarm": "NOSPACE"}, {"alarm": "CORRUPT"}]});
        assert_eq!(alarms_in(&answer), [StoreAlarm::NoSpace, StoreAlarm::Corrupt]);
        assert_eq!(alarms_in(&json!({"header": {}})), []);
    }
}

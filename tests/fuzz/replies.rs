//! What the servers of others say, damaged: each reader reads it or says why not, and what it reads makes sense.

use super::document::{damaged, pick};
use super::{fuzz, inputs, mutate, root, texts, tried};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bpci::config;
use bpci::drivers::readers::{
    answer_of, answered, keys, parse_member, parse_servers, record, says_healthy, server_views, voters_in,
};
use bpci::journal::Upcaster;
use bpci::model::{Claim, Database, MemberId, Owner, ProbeResult, Span};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A refusal has a reason that fits on a screen.
fn reason(refused: Result<(), String>) {
    if let Err(reason) = refused {
        assert!(
            !reason.trim().is_empty() && reason.len() < 1_000,
            "a reason of {} bytes: {:.200}",
            reason.len(),
            reason
        );
    }
}

static DATABASE: LazyLock<Database> = LazyLock::new(database);

fn database() -> Database {
    let text = "services: { dr: { patroni: { scope: dr, members: { us-east-1: \"http://127.140.0.11:27010\", eu-west-1: \"http://127.140.0.12:27011\", ap-southeast-1: \"http://127.140.0.13:27012\" }, etcd: [\"http://127.0.0.1:2\"] } } }\n";
    let estate = config::parse("e.yaml", text).unwrap_or_else(|e| panic!("{e}")).estate;
    estate.groups[0].database.clone().unwrap_or_else(|| panic!("no database"))
}

fn member(text: &str) {
    reason(parse_member(text).map(|report| assert!(report.received >= report.replayed, "{report:?}")));
}

fn table(text: &str) {
    let read = parse_servers(text, "pg_write").map(|servers| {
        for view in server_views(servers, &[], |name| (name == "us-east-1").then_some(MemberId(0))) {
            assert!(
                !(view.up && (view.maintenance || view.unresolved)) && !(view.maintenance && view.unresolved),
                "{view:?}"
            );
        }
    });
    reason(read);
}

/// The answer of etcd's gateway to a transaction that reads, and the record that is in it.
fn gateway(text: &str) {
    let read = answer_of(text).and_then(|answer| keys(&answer)).map(|keys| {
        let mut known = Vec::new();
        for _ in 0..2 {
            let record = record(&DATABASE, &keys, &mut known);
            let mut found = BTreeSet::new();
            assert!(
                record.members.iter().filter_map(|m| m.member).all(|m| found.insert(m)),
                "two keys are one member: {:?}",
                record.members
            );
            assert!(
                record.unreadable.iter().all(|u| !u.reason.is_empty() && u.reason.len() < 1_000),
                "{:?}",
                record.unreadable
            );
            assert!(record.sync.is_none_or(|s| s.leader.is_some() || s.standbys.is_empty()));
        }
    });
    reason(read);
}

fn claims(text: &str) {
    let _ = Claim::read(text).map(|claim| assert_eq!(Claim::read(&claim.write()), Some(claim)));
    let _ = Owner::read(text).map(|owner| assert_eq!(Owner::read(&owner.write()), Some(owner)));
}

fn record_of_journal(text: &str) {
    reason(Upcaster::default().record(text.as_bytes()).map(drop).map_err(|e| e.chars().take(900).collect()));
}

/// The keys of a sample (a line of name, a line of value), as the gateway answers them.
fn answer(sample: &str) -> Value {
    let lines: Vec<&str> = sample.lines().collect();
    let kv = |pair: &[&str]| json!({"key": STANDARD.encode(pair[0]), "value": STANDARD.encode(pair[1]), "create_revision": "5", "mod_revision": "7", "lease": "77"});
    let found: Vec<Value> = lines.chunks_exact(2).map(kv).collect();
    json!({"header": {"cluster_id": "1", "revision": "42"}, "succeeded": true, "responses": [{"response_range": {"kvs": found}}, {"response_range": {}}]})
}

/// One value in an answer of the gateway is damaged, and encoded again.
fn damaged_inside(answer: &Value, random: &mut ChaCha8Rng) -> String {
    let mut answer = answer.clone();
    let Some(found) = answer["responses"][0]["response_range"]["kvs"].as_array_mut() else {
        return String::new();
    };
    for _ in 0..=pick(random, 2) {
        let at = pick(random, found.len());
        let text = found[at]["value"].as_str().and_then(|v| STANDARD.decode(v).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let new = match serde_json::from_str::<Value>(&text) {
            Ok(value) if pick(random, 4) > 0 => damaged(&value, random),
            _ => mutate(&[text], random),
        };
        found[at]["value"] = STANDARD.encode(new).into();
    }
    answer.to_string()
}

/// Feeds a reader with documents that are damaged as documents.
fn fuzz_documents(
    name: &str,
    seeds: &[Value],
    damage: impl Fn(&Value, &mut ChaCha8Rng) -> String,
    read: impl Fn(&str),
) {
    for n in 0..inputs() {
        let mut random = ChaCha8Rng::seed_from_u64(n);
        let text = damage(&seeds[pick(&mut random, seeds.len())], &mut random);
        if let Some(what) = tried(&read, &text) {
            panic!("{name}, document {n}: {what}\n{text:.2000}");
        }
    }
}

fn parsed(list: &[String]) -> Vec<Value> {
    list.iter().filter_map(|t| serde_json::from_str(t).ok()).collect()
}

#[test]
fn members() {
    let seeds = texts("tests/data/samples", ".patroni.txt");
    fuzz("patroni", &seeds, member);
    fuzz_documents("patroni", &parsed(&seeds), damaged, member);
}

#[test]
fn tables_of_servers() {
    fuzz("haproxy", &texts("tests/data/samples", ".csv"), table);
}

#[test]
fn answers_of_the_store() {
    let seeds: Vec<Value> = texts("tests/data/samples", "etcd.keys.txt").iter().map(|t| answer(t)).collect();
    let texts: Vec<String> = seeds.iter().map(Value::to_string).collect();
    fuzz("gateway", &texts, gateway);
    fuzz_documents("gateway", &seeds, damaged, gateway);
    fuzz_documents("gateway", &seeds, damaged_inside, gateway);
    let members = json!({"header": {}, "members": [{"ID": "1", "name": "a", "clientURLs": ["http://127.0.0.1:2379"]}, {"ID": "2", "isLearner": true, "clientURLs": []}]});
    fuzz_documents("members", &[members], damaged, |t| drop(answer_of(t).map(|a| voters_in(&a))));
    fuzz_documents("health", &[json!({"health": "true", "reason": ""})], damaged, |t| {
        assert!(!says_healthy(t) || t.contains("true"))
    });
}

#[test]
fn claims_and_owners() {
    let owner = Owner { journal: "ab12".to_string(), boot: "b".to_string(), nonce: "n".to_string() };
    let older = json!({"operation": "recovery-9", "generation": 9, "by": "jump-b:4242", "since": 4_102_444_800_000u64, "running": true});
    let mut newer = older.clone();
    newer["owner"] = json!(owner);
    newer["obligations"] =
        json!({"fenced": ["us-east-1"], "drained": [{"member": "us-east-1", "balancer": "10.0.0.9:9999"}]});
    let seeds = [older, newer, json!(owner)];
    fuzz("claim", &seeds.iter().map(Value::to_string).collect::<Vec<_>>(), claims);
    fuzz_documents("claim", &seeds, damaged, claims);
}

/// A server answers one byte: each of them is understood, and no other than yes and no is well.
#[test]
fn probe_of_postgresql() {
    for byte in 0..=u8::MAX {
        let result = answered(byte, Span::ms(1));
        assert_eq!(result.is_well(), matches!(byte, b'S' | b'N'), "{byte}");
        assert!(result.is_life());
        if let ProbeResult::Unwell(reason) = result {
            assert!(!reason.is_empty());
        }
    }
}

/// Bodies of records, of journals that older programs wrote.
#[test]
fn records_of_journals() {
    let mut bodies: Vec<String> = Vec::new();
    for journal in ["01-automatic-failover", "05-fence-fails-rolled-back"] {
        let path = root().join("tests/data/journals").join(journal).join("journal.db");
        let open = rusqlite::Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
            .unwrap_or_else(|e| panic!("{e}"));
        let mut query =
            open.prepare("SELECT body FROM records ORDER BY seq").unwrap_or_else(|e| panic!("{e}"));
        let rows = query.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap_or_else(|e| panic!("{e}"));
        bodies.extend(
            rows.filter_map(Result::ok)
                .filter_map(|body| String::from_utf8(body).ok())
                .filter(|body| body.len() < 20_000),
        );
    }
    assert!(bodies.len() > 20, "{}", bodies.len());
    fuzz("record", &bodies, record_of_journal);
    fuzz_documents("record", &parsed(&bodies), damaged, record_of_journal);
}

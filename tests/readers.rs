//! Readers of what real servers say, fed with recorded answers, and with damaged ones.

use bpci::config;
use bpci::drivers::readers::{Keys, parse_member, parse_servers, record, server_views};
use bpci::model::*;
use proptest::prelude::{any, prop, proptest};
use proptest::strategy::Strategy as _;

fn sample(name: &str) -> String {
    let path = format!("{}/tests/data/samples/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The cluster that the samples were recorded on.
fn estate() -> Estate {
    let text = "services:\n  dr:\n    patroni:\n      scope: dr\n      members: { us-east-1: \"http://127.140.0.11:27010\", eu-west-1: \"http://127.140.0.12:27011\", ap-southeast-1: \"http://127.140.0.13:27012\" }\n      etcd: [\"http://127.0.0.1:2379\"]\n";
    config::parse("samples.yaml", text).unwrap_or_else(|e| panic!("{e}")).estate
}

/// The keys as `etcdctl get --prefix` prints them: a line of name, a line of value.
fn keys(text: &str) -> Keys {
    use bpci::drivers::readers::Key;
    let lines: Vec<&str> = text.lines().collect();
    let list = lines
        .chunks_exact(2)
        .map(|l| Key { name: l[0].into(), value: l[1].into(), create: 5, modified: 7, lease: None })
        .collect();
    Keys { revision: 9, cluster_id: None, list }
}

fn store(name: &str) -> StoreRecord {
    let estate = estate();
    let database = estate.groups[0].database.clone().unwrap_or_else(|| panic!("no database"));
    record(&database, &keys(&sample(name)), &mut Vec::new())
}

#[test]
fn members_of_three_and_four_are_understood() {
    let leader = parse_member(&sample("healthy/us-east-1.patroni.txt")).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        (leader.role, leader.running, leader.version, leader.timeline),
        (MemberRole::Leader, true, Version(3, 0, 2), Some(Timeline(1)))
    );
    assert_eq!(
        leader.streams.iter().filter(|s| s.streaming && s.synchronous).map(|s| &*s.name).collect::<Vec<_>>(),
        ["eu-west-1"]
    );
    let standby = parse_member(&sample("healthy/eu-west-1.patroni.txt")).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((standby.role, standby.received), (MemberRole::Replica, Some(Lsn(67_109_000))));
    let newer =
        parse_member(&sample("patroni4_healthy/us-east-1.patroni.txt")).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((newer.role, newer.version.0), (MemberRole::Leader, 4));
    let newer =
        parse_member(&sample("patroni4_healthy/eu-west-1.patroni.txt")).unwrap_or_else(|e| panic!("{e}"));
    assert!(newer.running && newer.role == MemberRole::Replica);
}

#[test]
fn the_store_is_understood() {
    let healthy = store("healthy/etcd.keys.txt");
    assert_eq!(healthy.leader.as_ref().map(|l| &*l.name), Some("us-east-1"));
    let leads = healthy.leading_member().and_then(|m| estate().groups[0].database.as_ref()?.region_of(m));
    assert_eq!(leads, estate().region_named("us-east-1"));
    assert_eq!(healthy.sync.as_ref().map(|s| s.standbys.clone()), Some(vec!["eu-west-1".into()]));
    assert!(healthy.config.as_ref().is_some_and(|c| c.synchronous && !c.paused && c.ttl == Span::secs(20)));
    assert_eq!(healthy.members.iter().filter(|m| m.member.is_some() && m.sql.is_some()).count(), 3);
    let scheduled = store("scheduled_switchover/etcd.keys.txt");
    assert!(
        scheduled
            .failover
            .and_then(|f| f.content)
            .is_some_and(|r| r.scheduled_at.is_some() && r.to.as_deref() == Some("eu-west-1"))
    );
    assert_eq!(scheduled.last_switch.map(|s| s.0), Some(Timeline(22)));
    assert!(store("paused/etcd.keys.txt").config.is_some_and(|c| c.paused));
}

#[test]
fn a_dead_server_and_a_standby_that_says_no_are_told_apart() {
    let servers = parse_servers(&sample("after_failover_old_leader_down/haproxy.show_stat.csv"), "pg_write")
        .unwrap_or_else(|e| panic!("{e}"));
    let estate = estate();
    let views = server_views(servers, &[], |n| estate.region_named(n).map(|r| MemberId(r.0)));
    let told: Vec<_> = views.iter().map(|v| (&*v.name, v.up, v.unreachable)).collect();
    assert_eq!(
        told,
        [("us-east-1", false, true), ("eu-west-1", false, false), ("ap-southeast-1", true, false)]
    );
    assert!(parse_servers(&sample("healthy/haproxy.show_stat.csv"), "nothing").is_err());
}

/// A recorded answer with some bytes changed, or cut short.
fn damaged(text: String) -> impl proptest::strategy::Strategy<Value = String> {
    let length = text.len();
    (prop::collection::vec((0..length, any::<u8>()), 0..8), 0..=length).prop_map(move |(changes, cut)| {
        let mut bytes = text.clone().into_bytes();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(cut);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

proptest! {
    #[test]
    fn damaged_answers_are_refused_or_read_and_never_panic(
        member in damaged(sample("healthy/us-east-1.patroni.txt")),
        table in damaged(sample("healthy/haproxy.show_stat.csv")),
        store in damaged(sample("scheduled_switchover/etcd.keys.txt")),
        file in damaged(include_str!("../fixtures/estates/three-regions.yaml").to_string()),
        scenario in damaged(include_str!("../fixtures/scenarios/second_fault.yaml").to_string()),
    ) {
        let _ = parse_member(&member);
        let _ = parse_servers(&table, "pg_write").map(|s| server_views(s, &[], |_| None));
        let estate = estate();
        if let Some(database) = &estate.groups[0].database {
            let _ = record(database, &keys(&store), &mut Vec::new());
        }
        let _ = config::parse("damaged.yaml", &file);
        let _ = config::parse_scenario("damaged.yaml", &scenario);
    }
}

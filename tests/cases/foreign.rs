//! Replies of clusters that this program did not make: what each means for the operator.

use crate::stub::Stub;
use bpci::config;
use bpci::controller::Core;
use bpci::drivers::LiveDoor;
use bpci::engine::{Engine, Input};
use bpci::journal::Journal;
use bpci::model::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ESTATE: &str = r#"
name: stub
business_continuity:
  sla_targets: { uptime_percentage: 99.9, rto_minutes: 15, rpo_minutes: 5 }
  regions:
    a: { region_id: us-east-1, capacity_percentage: 100, failover_priority: 1 }
    b: { region_id: eu-west-1, capacity_percentage: 100, failover_priority: 2 }
    c: { region_id: ap-southeast-1, capacity_percentage: 100, failover_priority: 3 }
disaster_recovery:
  detection: { health_check_interval: 200ms, failure_threshold: 3, disaster_classification_timeout: 60s, automated_response_delay: 60s }
services:
  orders-db:
    tier: 1
    rto: 15min
    rpo: 30s
    patroni:
      scope: orders
      members: { us-east-1: "http://127.0.0.1:32210", eu-west-1: "http://127.0.0.1:32211", ap-southeast-1: "http://127.0.0.1:32212" }
      etcd: ["http://127.0.0.1:32200"]
    fence: { exec: ["true"], undo: ["true"], check: ["true"] }
    traffic: { haproxy: { runtime_api: ["127.0.0.1:32231"], backend: primary } }
"#;

const GROUP: GroupId = GroupId(0);
const OLD: MemberId = MemberId(0);
const STANDBY: MemberId = MemberId(1);
const REMOTE: MemberId = MemberId(2);

fn patch(name: &str) -> String {
    let path = format!("{}/tests/cases/foreign/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A controller, read-only, on an estate that listens or does not.
struct Watch {
    core: Core<LiveDoor>,
    began: Instant,
    runtime: tokio::runtime::Runtime,
    /// Removed when this is dropped.
    _home: tempfile::TempDir,
}

impl Watch {
    fn of(patch: &str) -> Watch {
        Watch::on(&Stub::start(patch).translated(ESTATE))
    }

    fn on(estate: &str) -> Watch {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let estate = Arc::new(config::parse("stub.yaml", estate).unwrap_or_else(|e| panic!("{e}")).estate);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap_or_else(|e| panic!("{e}"));
        let home = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let began = Instant::now();
        let entered = runtime.enter();
        let door = LiveDoor::open(&estate, home.path(), began, Owner::from("test"))
            .unwrap_or_else(|e| panic!("{e}"));
        drop(entered);
        let mut core = Core::new(Engine::new(Arc::clone(&estate), "test"), Journal::in_memory(), door);
        core.keep = Some(Vec::new());
        let mut watch = Watch { core, began, runtime, _home: home };
        let start = Input::Start {
            mode: Mode::Live,
            program: "bpci".to_string(),
            armed: false,
            drilled: Vec::new(),
            estate,
        };
        watch.core.input(watch.now(), start).unwrap_or_else(|e| panic!("{e}"));
        watch
    }

    fn now(&self) -> Now {
        let passed = Span(self.began.elapsed().as_millis() as u64);
        Now { utc: Utc(1_796_000_000_000).plus(passed), mono: Mono(passed.0) }
    }

    fn snapshot(&mut self) -> Snapshot {
        let now = self.now();
        let _entered = self.runtime.enter();
        self.core.turn(now).unwrap_or_else(|e| panic!("{e}"));
        self.core.snapshot(now, None)
    }

    /// Looks until something holds; the last snapshot when it does not within 10 s.
    fn until(&mut self, what: &str, holds: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let snapshot = self.snapshot();
            if holds(&snapshot) {
                return snapshot;
            }
            assert!(
                Instant::now() < end,
                "{what}: not within 10 s\n{:#?}\n{:#?}",
                snapshot.groups,
                snapshot.conditions
            );
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    /// The cluster was read, and each member has answered.
    fn known(&mut self) -> Snapshot {
        self.until("every member answers", |s| {
            let group = &s.groups[0];
            s.stale.is_empty()
                && group.synchronous.is_some()
                && group.members.iter().all(|m| m.measured.is_some())
        })
    }

    /// The checks of a failover, as a person is shown them.
    fn checks(&mut self) -> Vec<Check> {
        let action = Action::Propose {
            group: GROUP,
            intent: Intent::Failover,
            from: None,
            to: None,
            reason: "what if".to_string(),
        };
        let order = Input::Order(Order { by: Actor::scripted("ada"), action });
        let now = self.now();
        let _entered = self.runtime.enter();
        let answer = self.core.input(now, order).unwrap_or_else(|e| panic!("{e}"));
        assert!(matches!(answer, Some(Ok(_))), "{answer:?}");
        self.core.snapshot(self.now(), None).proposals[0].assessment.checks.clone()
    }
}

fn unfit(s: &Snapshot, member: MemberId) -> Option<&Finding> {
    s.groups[0].members.iter().find(|m| m.member == member).and_then(|m| m.unfit.as_ref())
}

fn blocks(checks: &[Check], id: CheckId) -> Option<&Finding> {
    checks.iter().find(|c| c.id == id && matches!(c.verdict, Verdict::Block { .. })).map(|c| &c.finding)
}

fn has(s: &Snapshot, is: impl Fn(&ConditionKind) -> bool) -> bool {
    s.conditions.iter().any(|c| is(&c.kind))
}

/// Case 3, and the modes and numbers beside it.
#[test]
fn a_pause_that_is_a_text_is_a_pause() {
    let mut watch = Watch::of(&patch("03"));
    let snapshot = watch.known();
    assert!(snapshot.groups[0].paused && has(&snapshot, |c| *c == ConditionKind::Paused));
    assert_eq!(unfit(&snapshot, STANDBY), Some(&StoreFinding::Paused.into()));
    assert_eq!(blocks(&watch.checks(), CheckId::Paused), Some(&StoreFinding::Paused.into()));
}

/// Case 6: servers of other names and addresses; no servers at all; servers of which one is missing.
#[test]
fn a_balancer_without_our_servers_is_told_before_the_disaster() {
    let without = |names: &[&str]| {
        let rows: String = names.iter().map(|n| format!("primary,{n},0,UP,L7OK,200,,\n")).collect();
        serde_json::json!({"haproxy": {"32231": format!("# pxname,svname,scur,status,check_status,check_code,addr,\nprimary,FRONTEND,0,OPEN,,,,\n{rows}")}}).to_string()
    };
    for (name, patch, servers) in [
        ("other names", patch("06"), Some(3)),
        ("no servers", patch("06-empty"), Some(0)),
        ("the old primary is missing", without(&["eu-west-1", "ap-southeast-1"]), None),
    ] {
        let mut watch = Watch::of(&patch);
        let told = |s: &Snapshot| {
            has(s, |c| matches!(c, ConditionKind::NotRouted { .. })) && s.groups[0].leader == Some(OLD)
        };
        let snapshot = watch.until(name, told);
        assert!(snapshot.gaps.iter().any(|g| matches!(g, Gap::Blocked { .. })), "{name}");
        let checks = watch.checks();
        match (blocks(&checks, CheckId::Entry), servers) {
            (Some(Finding::Entry(EntryFinding::NoneIsOurs { servers: found, .. })), Some(count)) => {
                assert_eq!(found.len(), count, "{name}")
            }
            (Some(Finding::Entry(EntryFinding::NotInBackend { member, .. })), None) => {
                assert_eq!(&**member, "us-east-1")
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// Cases 8 and 9: who leads is not among the members that the estate names.
#[test]
fn a_leader_that_is_not_configured_is_named() {
    let stub = Stub::start(&patch("08"));
    let port = stub.translated("32210");
    for (name, mut watch, leader) in [
        ("08", Watch::on(&stub.translated(ESTATE)), ("us-east-1", format!("http://localhost:{port}"))),
        ("09", Watch::of(&patch("09")), ("us-east-1b", "http://127.0.0.1:32215".to_string())),
    ] {
        let leader = UnconfiguredLeader { name: leader.0.into(), address: Some(leader.1) };
        let snapshot = watch.until(name, |s| s.groups[0].led_by.is_some());
        let group = &snapshot.groups[0];
        assert_eq!(
            (group.led_by.as_ref(), group.leader, group.primary),
            (Some(&leader), None, None),
            "{name}"
        );
        let expected: Finding = PrimaryFinding::NotConfigured { leader: leader.clone() }.into();
        for member in [OLD, STANDBY, REMOTE] {
            assert_eq!(unfit(&snapshot, member), Some(&expected), "{name}");
        }
        assert!(
            has(&snapshot, |c| *c == ConditionKind::LedByUnconfigured { leader: leader.clone() }),
            "{name}"
        );
        assert_eq!(bpci::cli::check_status(&snapshot), 1, "{name}");
    }
    // With its name in the file it is found, whatever address it announces.
    let named = ESTATE.replace(
        "us-east-1: \"http://127.0.0.1:32210\"",
        "us-east-1: [{ name: us-east-1, url: \"http://127.0.0.1:32210\" }]",
    );
    let snapshot = Watch::on(&stub.translated(&named)).known();
    assert_eq!((snapshot.groups[0].leader, &snapshot.groups[0].led_by), (Some(OLD), &None));
    // Patroni from 3.2 on tells its name itself.
    let mut told: serde_json::Value = serde_json::from_str(&patch("08")).unwrap_or_default();
    told["rest"] = serde_json::json!({"32210": {"/patroni": {"json": {"patroni": {"name": "us-east-1"}}}}});
    let mut watch = Watch::of(&told.to_string());
    watch.until("a leader that told its name", |s| {
        s.groups[0].leader == Some(OLD) && s.groups[0].led_by.is_none()
    });
}

/// Case 10.
#[test]
fn an_endpoint_that_is_no_etcd_is_passed_over() {
    let two = ESTATE
        .replace("[\"http://127.0.0.1:32200\"]", "[\"http://127.0.0.1:32201\", \"http://127.0.0.1:32200\"]");
    let stub = Stub::start(&patch("10"));
    let snapshot = Watch::on(&stub.translated(&two)).known();
    assert_eq!((snapshot.groups[0].leader, snapshot.stale.is_empty()), (Some(OLD), true));
    // Where no other is left, the reason is told.
    let alone = ESTATE.replace("32200", "32201");
    let is_silent = |s: &Snapshot| {
        has(s, |c| matches!(c, ConditionKind::StoreSilent { reason } if reason.contains("it is HTML")))
    };
    Watch::on(&stub.translated(&alone)).until("why etcd is silent", is_silent);
}

/// Case 11, as far as it is read; that a drain needs all of them is a test of the endings.
#[test]
fn two_servers_of_one_member_are_one_member() {
    for (first, second, is_drained) in [
        ("UP", "UP", false),
        ("MAINT", "UP", false),
        ("MAINT", "MAINT", true),
        ("MAINT", "MAINT (resolution)", false),
    ] {
        let row = |name: &str, status: &str, i: usize| {
            format!("primary,{name},0,{status},L7OK,200,127.0.0.1:3222{i},\\n")
        };
        let table = "# pxname,svname,scur,status,check_status,check_code,addr,\\n".to_string()
            + &row("us-a", first, 0)
            + &row("us-b", second, 0);
        let table = table + &row("eu-west-1", "DOWN", 1) + &row("ap-southeast-1", "DOWN", 2);
        let mut watch = Watch::of(&format!("{{\"haproxy\": {{\"32231\": \"{table}\"}}}}"));
        let snapshot = watch.until("balancer", |s| {
            s.groups[0].leader == Some(OLD)
                && s.groups[0].members.iter().all(|m| m.measured.is_some())
                && s.stale.is_empty()
        });
        assert!(!has(&snapshot, |c| matches!(c, ConditionKind::NotRouted { .. })), "{first} {second}");
        if is_drained {
            watch.until("all of them are out", |s| !s.groups[0].drained.is_empty());
        } else {
            std::thread::sleep(Duration::from_millis(500));
            assert_eq!(watch.snapshot().groups[0].drained, Vec::new(), "{first} {second}");
        }
    }
    let mut watch = Watch::of(&patch("11"));
    assert!(!has(&watch.known(), |c| matches!(c, ConditionKind::NotRouted { .. })));
}

/// Case 13.
#[test]
fn nobody_that_was_not_heard_may_take_over() {
    let closed = |n: usize| format!("127.0.0.1:{n}");
    let estate = (0..3).fold(ESTATE.to_string(), |text, i| text.replace(&closed(32_210 + i), &closed(1 + i)));
    let estate = estate.replace(&closed(32_200), &closed(4)).replace(&closed(32_231), &closed(5));
    let mut watch = Watch::on(&estate);
    let snapshot = watch.until("silence", |s| s.stale.len() == 2);
    for (i, region) in ["us-east-1", "eu-west-1", "ap-southeast-1"].iter().enumerate() {
        let expected: Finding = CandidateFinding::NotHeard { member: (*region).into() }.into();
        assert_eq!(unfit(&snapshot, MemberId::of(i)), Some(&expected));
    }
}

/// Case 14, and a standby cluster.
#[test]
fn what_is_not_supported_is_said() {
    let prefix = "/service/orders/".to_string();
    let standby = r#"{"kv": {"/service/orders/config": "{\"ttl\": 20, \"standby_cluster\": {\"host\": \"10.0.0.1\", \"port\": \"5432\"}}"}}"#;
    for (name, patch, expected) in [
        ("citus", patch("14"), Finding::from(ClusterFinding::CitusGroups { prefix })),
        ("standby cluster", standby.to_string(), Finding::from(StoreFinding::StandbyCluster)),
    ] {
        let mut watch = Watch::of(&patch);
        let finding = expected.clone();
        let snapshot =
            watch.until(name, |s| has(s, |c| *c == ConditionKind::NotUsable { finding: finding.clone() }));
        assert_eq!(unfit(&snapshot, STANDBY), Some(&expected), "{name}");
        assert_eq!(bpci::cli::check_status(&snapshot), 1, "{name}");
    }
}

/// Case 15: two wall clocks are not compared; what is ahead is said.
#[test]
fn a_claim_of_an_older_program_from_the_future() {
    let mut watch = Watch::of(&patch("15"));
    watch.known();
    let checks = watch.checks();
    match blocks(&checks, CheckId::OtherController) {
        Some(Finding::Claim(ClaimFinding::OlderRuns { left, ahead: true, .. })) => {
            assert!(*left > Span::mins(9) && *left <= Span::mins(10), "{left}");
        }
        other => panic!("{other:?}"),
    }
    // What cannot be read is not free: a newer program may have written it.
    let newer =
        r#"{"kv": {"/bpci/orders/operation": "{\"operation\": \"recovery-9\", \"phase\": \"a new one\"}"}}"#;
    let mut watch = Watch::of(newer);
    watch.known();
    let checks = watch.checks();
    assert!(
        matches!(blocks(&checks, CheckId::OtherController), Some(Finding::Claim(ClaimFinding::Runs(_)))),
        "{checks:?}"
    );
    assert!(
        matches!(blocks(&checks, CheckId::Store), Some(Finding::Store(StoreFinding::Unreadable { key })) if key.key == ClusterKey::Operation)
    );
}

/// Case 16.
#[test]
fn a_priority_forbids_and_an_explicit_tag_wins() {
    let snapshot = Watch::of(&patch("16-negative")).known();
    let expected: Finding = CandidateFinding::NoFailover { member: "eu-west-1".into() }.into();
    assert_eq!(unfit(&snapshot, STANDBY), Some(&expected));
    let snapshot = Watch::of(&patch("16-both")).known();
    assert_eq!(unfit(&snapshot, STANDBY), None);
}

/// Case 17.
#[test]
fn a_reply_without_end_is_given_up() {
    let is_told = |s: &Snapshot| {
        let too_long = |c: &ConditionKind| matches!(c, ConditionKind::MemberUnwell { member, port: Port::Rest, reason } if *member == REMOTE && reason.contains("longer than 4 MB"));
        has(s, too_long)
    };
    Watch::of(&patch("17")).until("why", is_told);
}

/// Case 21, and a voter that says it is not healthy: etcd says that with a body, whatever the status is.
#[test]
fn learners_have_no_vote_and_the_ill_are_not_up() {
    let ill =
        r#"{"etcd": {"32200": {"health": [503, "{\"health\":\"false\",\"reason\":\"ALARM NOSPACE\"}"]}}}"#;
    for (name, patch, expected) in [("21", patch("21"), (1, 1)), ("ill", ill.to_string(), (0, 1))] {
        let mut watch = Watch::of(&patch);
        watch.known();
        let end = Instant::now() + Duration::from_secs(8);
        let told = loop {
            watch.snapshot();
            let found = watch.checks().into_iter().find_map(|c| match c.finding {
                Finding::Store(StoreFinding::Quorum { up, of } | StoreFinding::NoQuorum { up, of })
                    if of > 0 =>
                {
                    Some((up, of))
                }
                _ => None,
            });
            if let Some(found) = found {
                break found;
            }
            assert!(Instant::now() < end, "{name}");
            std::thread::sleep(Duration::from_millis(100));
        };
        assert_eq!(told, expected, "{name}");
    }
}

/// Case 22.
#[test]
fn every_word_of_the_mode_is_understood() {
    for name in ["22-yes", "22-quorum"] {
        let snapshot = Watch::of(&patch(name)).known();
        assert_eq!((snapshot.groups[0].synchronous, unfit(&snapshot, STANDBY)), (Some(true), None), "{name}");
    }
    let off = r#"{"kv": {"/service/orders/config": "{\"ttl\": \"20\", \"synchronous_mode\": \"Off\"}"}}"#;
    assert_eq!(Watch::of(off).known().groups[0].synchronous, Some(false));
}

/// Case 23: also of what answers at the port of PostgreSQL.
#[test]
fn an_unreadable_reply_tells_its_reason() {
    let told = |port: Port, words: &'static str| {
        move |s: &Snapshot| {
            has(
                s,
                |c| matches!(c, ConditionKind::MemberUnwell { member: OLD, port: p, reason } if *p == port && reason.contains(words)),
            )
        }
    };
    Watch::of(&patch("23")).until("why", told(Port::Rest, "not an answer of Patroni's: it is HTML"));
    // The address of PostgreSQL leads to a web server.
    let web = r#"{"kv": {"/service/orders/members/us-east-1": "{\"conn_url\": \"postgres://127.0.0.1:32231/postgres\", \"api_url\": \"http://127.0.0.1:32210/patroni\"}"}}"#;
    Watch::of(web).until("why", told(Port::Sql, "no PostgreSQL"));
}

//! One list of what is wrong: the header, the words and the JSON of the status, and the exit status show the same worst one.

use super::*;
use bpci::cli::{check_status, status_json, status_words};
use bpci::tui::{App, Theme, UNICODE, draw};
use bpci::wording::headline;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const BEGAN: Utc = Utc(1_767_225_600_000);

/// The built-in estate, or a changed one, a few seconds after it began; nothing is wrong with it.
fn calm(change: impl Fn(&str) -> String) -> Simulation {
    let estate = change(include_str!("../../fixtures/estates/three-regions.yaml"));
    let estate = config::parse("estate.yaml", &estate).unwrap_or_else(|e| panic!("{e}")).estate;
    let scenario = Scenario { estate, ..config::embedded("calm").unwrap_or_else(|e| panic!("{e}")) };
    Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, BEGAN)
        .unwrap_or_else(|e| panic!("{e}"))
}

/// What happens in a world: each in turn.
enum Act {
    /// Seconds pass.
    Wait(u64),
    Strike(&'static str),
    Mend,
    Tell(Fact),
    Order(Action),
    /// Confirms the choice about a database with all that it asks for.
    Confirm(GroupId),
    FillDisk,
    /// The wall clock jumps by this many milliseconds.
    Jump(i64),
}
use Act::{Confirm, FillDisk, Jump, Mend, Order as Give, Strike, Tell, Wait};

fn act(simulation: &mut Simulation, act: Act) {
    let now = simulation.now();
    let told = |fact| Input::Observed(Observation { at: now.mono, fact });
    let input = match act {
        Wait(seconds) => {
            let until = now.mono.plus(Span::secs(seconds));
            simulation.run_to(until).unwrap_or_else(|e| panic!("{e}"));
            return;
        }
        Strike(fault) => return simulation.inject(fault).unwrap_or_else(|e| panic!("{e:?}")),
        Mend => return simulation.core.door.mend(),
        FillDisk => {
            simulation.core.journal.fill(true);
            let noted = Input::Order(Order {
                by: Actor::Scripted("ada".to_string()),
                action: Action::Note { text: "full".to_string(), by_hand: true },
            });
            assert!(simulation.core.input(now, noted).is_err());
            return;
        }
        Jump(by) => {
            simulation
                .core
                .input(Now { utc: Utc(now.utc.0 + by), ..now }, Input::Tick)
                .map_or_else(|e| panic!("{e}"), |_| ());
            return;
        }
        Tell(fact) => {
            simulation.core.input(now, told(fact)).map_or_else(|e| panic!("{e}"), |_| ());
            Input::Tick
        }
        Give(action) => Input::Order(Order { by: Actor::Scripted("ada".to_string()), action }),
        Confirm(group) => {
            let snapshot = simulation.snapshot(1, false);
            let view = snapshot
                .proposals
                .iter()
                .find(|v| v.proposal.group == group)
                .unwrap_or_else(|| panic!("no choice"));
            let said = view.confirmed(now.utc, &snapshot.estate.region(view.proposal.from).name);
            let accepts = view.assessment.risks.clone();
            let said = Confirmation { accept_risk: risk_words(&accepts), accepts, ..said };
            Input::Order(Order { by: Actor::Scripted("ada".to_string()), action: Action::Confirm(said) })
        }
    };
    let answer = simulation.core.input(now, input).unwrap_or_else(|e| panic!("{e}"));
    assert!(!matches!(answer, Some(Err(_))), "{answer:?}");
}

const ORDERS: GroupId = GroupId(1);
const US: RegionId = RegionId(0);
const EU: RegionId = RegionId(1);

/// The members of the built-in estate stand one in a region.
const AT_US: MemberId = MemberId(0);
const AT_EU: MemberId = MemberId(1);

fn server(name: &str, member: MemberId, maintenance: bool) -> ServerView {
    let up = member == AT_US && !maintenance;
    ServerView {
        name: name.into(),
        member: Some(member),
        up,
        maintenance,
        unresolved: false,
        unreachable: false,
        check: "L7OK".into(),
    }
}

fn silent(service: ServiceId, region: RegionId) -> Act {
    Tell(Fact::Service { service, region: Some(region), result: ProbeResult::Silent })
}

/// How a world comes to a state, and what is worst in it.
fn worlds() -> Vec<(&'static str, Vec<Act>, Option<&'static str>)> {
    let propose = |to| {
        Give(Action::Propose {
            group: ORDERS,
            intent: Intent::Switchover,
            from: None,
            to,
            reason: "maintenance".to_string(),
        })
    };
    let stop = |s: u32| Give(Action::StopAutomatic { proposal: ProposalId(s) });
    let balancer = BalancerId::of(0);
    let group = ORDERS;
    vec![
        ("nothing is wrong", vec![Wait(5)], None),
        ("nothing was measured", vec![], Some("nothing_measured")),
        ("a region is lost", vec![Wait(5), Strike("region_outage us-east-1"), Wait(10)], Some("disaster")),
        (
            "a data centre is lost",
            vec![Wait(5), Strike("data_center_outage us-east-1"), Wait(10)],
            Some("disaster"),
        ),
        (
            "a provider is lost",
            vec![Wait(5), Strike("provider_outage us-east-1"), Wait(12)],
            Some("disaster"),
        ),
        (
            "a primary's node fails",
            vec![Wait(5), Strike("node_failure us-east-1 orders-db"), Wait(10)],
            Some("disaster"),
        ),
        (
            "data is corrupt",
            vec![Wait(5), Strike("data_corruption us-east-1 orders-db"), Wait(5)],
            Some("disaster"),
        ),
        ("an intruder is seen", vec![Wait(5), Strike("cyber_incident us-east-1"), Wait(5)], Some("disaster")),
        (
            "a region is lost and an operation runs",
            vec![Wait(5), Strike("region_outage us-east-1"), Wait(26)],
            Some("disaster"),
        ),
        (
            "a region is lost and nothing gives orders",
            vec![Wait(5), Strike("region_outage us-east-1"), Wait(10), Give(Action::Disarm)],
            Some("disaster"),
        ),
        ("an agent dies", vec![Wait(5), Strike("agent_failure us-east-1"), Wait(14)], Some("agent_silent")),
        (
            "a second primary may write",
            vec![Wait(5), Strike("agent_failure us-east-1"), Wait(54)],
            Some("two_may_write"),
        ),
        (
            "only our probes fail",
            vec![Wait(5), Strike("false_alarm us-east-1"), Wait(14)],
            Some("only_our_probes_fail"),
        ),
        ("etcd falls silent", vec![Wait(5), Strike("store_away us-east-1"), Wait(3)], Some("store_silent")),
        (
            "the primary steps down",
            vec![Wait(5), Strike("store_away us-east-1"), Wait(30)],
            Some("no_primary"),
        ),
        (
            "both standbys die",
            vec![
                Wait(5),
                Strike("standby_lost eu-west-1 orders-db"),
                Strike("standby_lost ap-southeast-1 orders-db"),
                Wait(30),
            ],
            Some("writes_alone"),
        ),
        (
            "a standby falls behind",
            vec![Wait(5), Strike("replication_stall ap-southeast-1"), Wait(25)],
            Some("falls_behind"),
        ),
        (
            "a standby lags beyond its RPO",
            vec![Wait(5), Strike("replication_stall ap-southeast-1"), Wait(50)],
            Some("region_degraded"),
        ),
        ("Patroni is paused", vec![Wait(5), Strike("paused us-east-1"), Wait(3)], Some("paused")),
        (
            "a region is overloaded",
            vec![Wait(5), Tell(Fact::Load { region: EU, load: Percent(120) })],
            Some("overloaded"),
        ),
        (
            "the one balancer is silent",
            vec![Wait(5), Tell(Fact::BalancerAway { group, balancer, reason: "timed out".to_string() })],
            Some("no_entry_answers"),
        ),
        (
            "the primary is drained",
            vec![
                Wait(5),
                Tell(Fact::Balancer {
                    group,
                    balancer,
                    servers: vec![server("us-east-1", AT_US, true), server("eu-west-1", AT_EU, false)],
                }),
            ],
            Some("drained"),
        ),
        (
            "one of two servers of the primary is drained",
            vec![
                Wait(5),
                Tell(Fact::Balancer {
                    group,
                    balancer,
                    servers: vec![server("one", MemberId(0), true), server("two", MemberId(0), false)],
                }),
            ],
            None,
        ),
        ("one health check fails", vec![Wait(5), silent(ServiceId(4), EU)], Some("checks_fail")),
        (
            "a service answers nowhere",
            std::iter::once(Wait(5)).chain([US, EU, RegionId(2)].map(|r| silent(ServiceId(4), r))).collect(),
            Some("service_down"),
        ),
        (
            "a fence could not be fired",
            vec![
                Wait(5),
                Tell(Fact::FenceCheck { group, member: AT_US, result: Err("exit status 1".to_string()) }),
            ],
            Some("fence_check_fails"),
        ),
        ("the clock jumps", vec![Wait(5), Jump(90_000)], Some("clock_jumped")),
        ("the journal cannot be written", vec![Wait(5), FillDisk], Some("journal_failed")),
        (
            "the journal cannot be written in a disaster",
            vec![Wait(5), Strike("region_outage us-east-1"), Wait(10), FillDisk],
            Some("journal_failed"),
        ),
        (
            "the cluster took over by itself",
            vec![
                Wait(5),
                Strike("node_failure us-east-1 orders-db"),
                Wait(10),
                stop(1),
                Wait(60),
                Mend,
                Wait(60),
            ],
            Some("unproven"),
        ),
        (
            "it was moved as planned",
            vec![Wait(5), propose(Some(AT_EU)), Confirm(ORDERS), Wait(40)],
            Some("led_elsewhere"),
        ),
        (
            "it was failed over, and everything is back",
            vec![Wait(5), Strike("node_failure us-east-1 orders-db"), Wait(60), Mend, Wait(60)],
            Some("led_elsewhere"),
        ),
    ]
}

/// The first row of a screen that has room for all of it.
fn header(snapshot: &Snapshot) -> String {
    let theme = Theme::load("terminal").unwrap_or_else(|e| panic!("{e}"));
    let area = Rect::new(0, 0, 250, 60);
    let mut buffer = Buffer::empty(area);
    draw(&App::new(), snapshot, &theme, &UNICODE, area, &mut buffer);
    (0..area.width).map(|x| buffer[(x, 0)].symbol()).collect()
}

/// What is wrong with what the surfaces show of a moment, if anything is.
fn disagreement(snapshot: &Snapshot, wanted: Option<&str>) -> Option<String> {
    let worst = snapshot.conditions.first();
    let name = worst.map(|w| w.kind.name());
    let (header, words, json) =
        (header(snapshot), status_words(snapshot, false).join("\n"), status_json(snapshot, false, false));
    let title = headline(snapshot).map_or_else(|| "ALL WELL".to_string(), |head| head.title);
    // A header has words of its own for a disaster: its severity, and what it is.
    let in_header = title.split(' ').all(|word| header.contains(word));
    let in_words = worst.is_none() || words.contains(&title);
    let json_name = json["worst_condition"]["condition"].as_str();
    let high = worst.is_some_and(|w| w.severity >= Severity::High);
    let status = check_status(snapshot);
    let operational = json["overall_status"] == "operational";
    let agree = name == wanted
        && in_header
        && in_words
        && json_name == name
        && status == u8::from(high)
        && !(high && operational);
    let first = json["conditions"][0]["condition"].as_str();
    (!agree || first != name).then(|| {
        let kinds: Vec<_> = snapshot.conditions.iter().map(|c| (c.kind.name(), c.severity)).collect();
        format!("{name:?} instead of {wanted:?}; «{title}»; header: {}; exit {status}; JSON {json_name:?}; {kinds:?}\n{words}", header.trim())
    })
}

#[test]
fn every_surface_shows_the_same_worst_condition() {
    let worlds = worlds();
    assert!(worlds.len() >= 30, "{}", worlds.len());
    let mut wrong = Vec::new();
    for (name, acts, worst) in worlds {
        let mut simulation = calm(str::to_string);
        for one in acts {
            act(&mut simulation, one);
        }
        wrong.extend(disagreement(&simulation.snapshot(1, false), worst).map(|why| format!("{name}: {why}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What a configuration leaves out is told where nothing worse is.
#[test]
fn what_is_not_configured_is_told() {
    let cases =
        [("    fence:", "no_fence"), ("    traffic:", "no_entry"), ("      etcd:", "nobody_can_take_over")];
    for (without, worst) in cases {
        let change = |text: &str| {
            let kept = text.lines().filter(|line| !line.starts_with(without));
            kept.collect::<Vec<_>>().join("\n")
        };
        let mut simulation = calm(change);
        act(&mut simulation, Wait(5));
        let why = disagreement(&simulation.snapshot(1, false), Some(worst));
        assert!(why.is_none(), "without {without}: {}", why.unwrap_or_default());
    }
}

/// The list is ordered by severity and kind, whatever order its parts are found in.
#[test]
fn the_worst_comes_first() {
    let group = |n| About::Group(GroupId(n));
    let mut list = vec![
        Condition::new(ConditionKind::Cooldown { until: BEGAN }, group(0)),
        Condition::new(ConditionKind::Paused, group(1)),
        Condition::new(ConditionKind::NoPrimary, group(1)),
        Condition::new(ConditionKind::NoPrimary, group(0)),
        Condition::new(ConditionKind::TwoMayWrite { old: AT_US, new: AT_EU }, group(1)),
    ];
    rank(&mut list);
    let mut backwards: Vec<Condition> = list.iter().rev().cloned().collect();
    rank(&mut backwards);
    assert_eq!(list, backwards);
    let names: Vec<_> = list.iter().map(|c| (c.kind.name(), c.about)).collect();
    assert_eq!(names[..2], [("two_may_write", group(1)), ("no_primary", group(0))]);
    assert_eq!(names[4].0, "cooldown");
}

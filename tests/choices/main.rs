//! A choice on the table: looked at, put elsewhere, tried in a fork, confirmed and overtaken; and what is left of that.

mod silent;

use bpci::config;
use bpci::controller::{Playing, Simulation, start_simulation};
use bpci::engine::Input;
use bpci::journal::Journal;
use bpci::model::*;
use bpci::wording::{check_words, finding_words};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A scenario, played until then.
fn played(name: &str, until: Span) -> Simulation {
    played_as(Mode::Simulation, name, until)
}

fn played_as(mode: Mode, name: &str, until: Span) -> Simulation {
    let scenario = config::embedded(name).unwrap_or_else(|e| panic!("{e}"));
    let mut simulation = Simulation::new(scenario, 1, Journal::in_memory(), mode, Utc(1_767_225_600_000))
        .unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(Mono(until.0)).unwrap_or_else(|e| panic!("{e}"));
    simulation
}

/// The region outage, a while after it was declared.
fn outage() -> Simulation {
    played("region_outage", Span::secs(30))
}

fn try_order(simulation: &mut Simulation, action: Action) -> Result<Receipt, Refusal> {
    let now = simulation.now();
    let answer = simulation.core.input(now, Input::Order(Order { by: Actor::scripted("ada"), action }));
    answer.unwrap_or_else(|e| panic!("{e}")).unwrap_or_else(|| panic!("no answer"))
}

fn order(simulation: &mut Simulation, action: Action) -> Receipt {
    try_order(simulation, action).unwrap_or_else(|e| panic!("{e:?}"))
}

/// The first database of the built-in estate.
const ORDERS: GroupId = GroupId(1);

fn choice(snapshot: &Snapshot, group: GroupId) -> ProposalView {
    snapshot
        .proposals
        .iter()
        .find(|v| v.proposal.group == group)
        .cloned()
        .unwrap_or_else(|| panic!("no choice"))
}

fn elsewhere(snapshot: &Snapshot, group: GroupId) -> Action {
    let now = choice(snapshot, group);
    let to = snapshot.groups[now.proposal.group.at()]
        .members
        .iter()
        .map(|m| m.member)
        .find(|m| *m != now.proposal.old && Some(*m) != now.assessment.to);
    Action::Propose { group, intent: Intent::Failover, from: None, to, reason: "what if".to_string() }
}

#[test]
fn who_only_looks_elsewhere_leaves_the_countdown() {
    let mut simulation = outage();
    let first = choice(&simulation.snapshot(1, false), ORDERS);
    assert!(first.automatic_in.is_some());
    let other = elsewhere(&simulation.snapshot(1, false), ORDERS);
    let Receipt::Proposed(id) = order(&mut simulation, other) else { panic!("nothing was proposed") };
    let looked_at = choice(&simulation.snapshot(1, false), ORDERS);
    assert_eq!((looked_at.proposal.id, looked_at.automatic_in), (id, None));
    order(&mut simulation, Action::Withdraw { proposal: id });
    let back = choice(&simulation.snapshot(1, false), ORDERS);
    // It runs on: the old primary's lease has not waited either.
    assert_eq!((back.assessment.to, back.automatic_in), (first.assessment.to, first.automatic_in));
    assert_ne!(back.proposal.id, first.proposal.id);
    // Nobody is surprised by what was due meanwhile.
    let other = elsewhere(&simulation.snapshot(1, false), ORDERS);
    let Receipt::Proposed(id) = order(&mut simulation, other) else { panic!("nothing was proposed") };
    wait(&mut simulation, Span::secs(14));
    order(&mut simulation, Action::Withdraw { proposal: id });
    assert_eq!(choice(&simulation.snapshot(1, false), ORDERS).automatic_in, Some(Span::secs(5)));
}

/// A choice of one's own was there before the disaster was declared: whoever turns to another target and leaves both has
/// not said that automation is to stay away.
#[test]
fn who_looked_before_it_was_declared_leaves_the_countdown() {
    for turns in [false, true] {
        let mut simulation = played("calm", Span::secs(5));
        simulation.inject("region_outage us-east-1").unwrap_or_else(|e| panic!("{e:?}"));
        wait(&mut simulation, Span::secs(2));
        order(
            &mut simulation,
            Action::Propose {
                group: ORDERS,
                intent: Intent::Failover,
                from: None,
                to: None,
                reason: "mine".to_string(),
            },
        );
        wait(&mut simulation, Span::secs(5));
        assert!(!simulation.snapshot(1, false).disasters.is_empty());
        if turns {
            let elsewhere = elsewhere(&simulation.snapshot(1, false), ORDERS);
            order(&mut simulation, elsewhere);
        }
        let mine = choice(&simulation.snapshot(1, false), ORDERS).proposal.id;
        order(&mut simulation, Action::Withdraw { proposal: mine });
        wait(&mut simulation, Span::secs(1));
        let left = choice(&simulation.snapshot(1, false), ORDERS);
        assert!(left.automatic_in.is_some(), "turned to another: {turns}");
    }
}

#[test]
fn a_countdown_that_was_stopped_stays_stopped() {
    let mut simulation = outage();
    let first = choice(&simulation.snapshot(1, false), ORDERS);
    order(&mut simulation, Action::StopAutomatic { proposal: first.proposal.id });
    for _ in 0..2 {
        let other = elsewhere(&simulation.snapshot(1, false), ORDERS);
        let Receipt::Proposed(id) = order(&mut simulation, other) else { panic!("nothing was proposed") };
        order(&mut simulation, Action::Withdraw { proposal: id });
        assert_eq!(choice(&simulation.snapshot(1, false), ORDERS).automatic_in, None);
    }
}

/// What counts on behind a choice that is looked at is stopped with it, and stays stopped.
#[test]
fn a_countdown_is_stopped_behind_what_is_looked_at() {
    let mut simulation = outage();
    let other = elsewhere(&simulation.snapshot(1, false), ORDERS);
    let Receipt::Proposed(id) = order(&mut simulation, other) else { panic!("nothing was proposed") };
    assert!(choice(&simulation.snapshot(1, false), ORDERS).counts());
    order(&mut simulation, Action::StopAutomatic { proposal: id });
    assert!(!choice(&simulation.snapshot(1, false), ORDERS).counts());
    order(&mut simulation, Action::Withdraw { proposal: id });
    assert_eq!(choice(&simulation.snapshot(1, false), ORDERS).automatic_in, None);
    assert!(try_order(&mut simulation, Action::StopAutomatic { proposal: id }).is_err());
    wait(&mut simulation, Span::secs(16));
    assert!(simulation.snapshot(1, false).operations.iter().all(|o| o.group != ORDERS));
}

#[test]
fn what_nobody_confirms_gives_its_place_back() {
    let mut simulation = outage();
    let first = choice(&simulation.snapshot(1, false), ORDERS);
    order(&mut simulation, Action::StopAutomatic { proposal: first.proposal.id });
    let other = elsewhere(&simulation.snapshot(1, false), ORDERS);
    let Receipt::Proposed(id) = order(&mut simulation, other) else { panic!("nothing was proposed") };
    let later = simulation.now().mono.plus(Span::mins(6));
    simulation.run_to(later).unwrap_or_else(|e| panic!("{e}"));
    let left: Vec<_> =
        simulation.snapshot(1, false).proposals.into_iter().filter(|v| v.proposal.id == id).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// That nothing protects it can be accepted of what leads, and of nothing else (law 6).
#[test]
fn what_leads_no_more_is_not_accepted_as_unprotected() {
    let waiting = || {
        let simulation = played("provider_outage", Span::secs(145));
        let operation = simulation
            .snapshot(1, false)
            .operations
            .back()
            .cloned()
            .unwrap_or_else(|| panic!("nothing runs"));
        assert!(
            operation.lacks_only_protection() && matches!(operation.status, Status::Waiting { .. }),
            "{:?}",
            operation.status
        );
        (simulation, operation.id)
    };
    let (mut well, operation) = waiting();
    order(&mut well, Action::AcceptUnprotected { operation });
    let (mut struck, operation) = waiting();
    struck.inject("region_outage eu-west-1").unwrap_or_else(|e| panic!("{e:?}"));
    struck.run_to(Mono(149_500)).unwrap_or_else(|e| panic!("{e}"));
    let refused = try_order(&mut struck, Action::AcceptUnprotected { operation });
    assert!(refused.as_ref().is_err_and(|e| e.law == Some(6)), "{refused:?}");
}

/// What a person stopped stays stopped, also for the controller that comes after this one.
#[test]
fn what_was_declined_is_not_begun_after_a_restart() {
    let begun = |declined: bool| {
        // Its records are kept.
        let mut simulation = played_as(Mode::Drill, "region_outage", Span::secs(30));
        for view in simulation.snapshot(1, false).proposals.iter().filter(|_| declined) {
            order(&mut simulation, Action::StopAutomatic { proposal: view.proposal.id });
        }
        simulation.take_over().unwrap_or_else(|e| panic!("{e}"));
        // No cluster acts by itself meanwhile.
        let snapshot = simulation.snapshot(1, false);
        assert!(snapshot.operations.is_empty());
        simulation.run_to(Mono(36_000)).unwrap_or_else(|e| panic!("{e}"));
        simulation.snapshot(1, false).proposals.iter().filter(|v| v.automatic_in.is_some()).count()
    };
    assert_eq!(begun(true), 0);
    assert_eq!(begun(false), 2, "what nobody declined counts anew");
}

/// A person dismissed the choice: the next controller does not put it back while that disaster lasts.
#[test]
fn a_dismissed_choice_stays_away_after_a_restart() {
    let mut simulation = played_as(Mode::Drill, "region_outage", Span::secs(30));
    let dismissed = choice(&simulation.snapshot(1, false), ORDERS).proposal.id;
    order(&mut simulation, Action::Withdraw { proposal: dismissed });
    simulation.take_over().unwrap_or_else(|e| panic!("{e}"));
    wait(&mut simulation, Span::secs(6));
    let snapshot = simulation.snapshot(1, false);
    assert!(!snapshot.disasters.is_empty(), "it is still on");
    assert!(!snapshot.is_on_table(ORDERS), "{:?}", snapshot.proposals);
    assert_eq!(snapshot.proposals.len(), 1, "the other choice is proposed anew");
}

/// Confirms the failover of the first database, and goes on until something holds.
fn confirmed(until: impl Fn(&Operation) -> bool) -> Simulation {
    let mut simulation = outage();
    let view = choice(&simulation.snapshot(1, false), ORDERS);
    order(&mut simulation, Action::StopAutomatic { proposal: view.proposal.id });
    let view = choice(&simulation.snapshot(1, false), ORDERS);
    let confirmation = view.confirmed(simulation.now().utc, "us-east-1");
    order(&mut simulation, Action::Confirm(confirmation));
    for _ in 0..600 {
        if until(&running(&simulation)) {
            return simulation;
        }
        let soon = simulation.now().mono.plus(Span::ms(20));
        simulation.run_to(soon).unwrap_or_else(|e| panic!("{e}"));
    }
    panic!("it never came to that: {:?}", running(&simulation).steps)
}

fn running(simulation: &Simulation) -> Arc<Operation> {
    simulation
        .snapshot(1, false)
        .operations
        .iter()
        .find(|o| o.group == ORDERS)
        .cloned()
        .unwrap_or_else(|| panic!("nothing runs"))
}

fn wait(simulation: &mut Simulation, span: Span) {
    let until = simulation.now().mono.plus(span);
    simulation.run_to(until).unwrap_or_else(|e| panic!("{e}"));
}

/// The cluster elects somebody while we stand still behind the fence: nothing brings the old primary back beside it (law 11),
/// and the operation ends all the same.
#[test]
fn the_fence_stays_when_another_leads() {
    let mut simulation =
        confirmed(|o| o.effects().any(|e| e.is_done() && matches!(e.effect, Effect::Fence { .. })));
    order(&mut simulation, Action::Disarm);
    wait(&mut simulation, Span::secs(40));
    let operation = running(&simulation);
    let led = simulation.snapshot(1, false).group(ORDERS).and_then(|v| v.leader);
    assert!(operation.moved_on(led) && !operation.is_over(), "{led:?} {:?}", operation.status);
    let refused = try_order(&mut simulation, Action::Rollback { operation: operation.id });
    assert!(refused.as_ref().is_err_and(|e| e.law == Some(11)), "{refused:?}");
    let typed = simulation.snapshot(1, false).estate.name.clone();
    order(&mut simulation, Action::Arm { typed });
    wait(&mut simulation, Span::secs(60));
    let operation = running(&simulation);
    assert_eq!(operation.status, Status::Recovered, "{:?}", operation.steps);
    assert!(operation.handed_over(), "by the cluster, before we came to it");
    assert!(!operation.effects().any(|e| matches!(e.effect, Effect::UndoFence { .. })));
}

/// The candidate dies in the moment that the fence has answered: what it said before counts for nothing, and nothing is handed
/// over (law 11).
#[test]
fn who_died_with_the_old_primary_is_handed_nothing() {
    let mut simulation =
        confirmed(|o| o.effects().any(|e| e.is_done() && matches!(e.effect, Effect::Fence { .. })));
    simulation.inject("node_failure eu-west-1 orders-db").unwrap_or_else(|e| panic!("{e:?}"));
    wait(&mut simulation, Span::secs(20));
    let operation = running(&simulation);
    assert!(!operation.effects().any(|e| matches!(e.effect, Effect::HandOver(_))), "{:?}", operation.steps);
    assert!(matches!(operation.status, Status::Waiting { .. }), "{:?}", operation.status);
    order(&mut simulation, Action::Rollback { operation: operation.id });
    wait(&mut simulation, Span::secs(20));
    assert!(running(&simulation).is_over(), "{:?}", running(&simulation).status);
}

/// A young cluster: its primary answers, and nobody is synchronous yet. Who could not take over is not told to wait for one that
/// is there.
#[test]
fn nobody_waits_for_a_primary_that_answers() {
    let mut simulation = confirmed(|o| o.results.promoted.is_some());
    for _ in 0..200 {
        let snapshot = simulation.snapshot(1, false);
        let view = snapshot.group(ORDERS).unwrap_or_else(|| panic!("no database"));
        let leads = view.members.iter().any(|m| m.leads && m.answers == Some(true));
        let others = view.members.iter().filter(|m| !m.leads && m.answers == Some(true));
        let young: Vec<String> = others
            .filter_map(|m| m.unfit.as_ref())
            .map(finding_words)
            .filter(|why| why.contains("/sync names no"))
            .collect();
        if leads && !young.is_empty() {
            assert!(
                young.iter().all(|why| why.contains("which answers") && !why.contains("come back")),
                "{young:?}"
            );
            return;
        }
        wait(&mut simulation, Span::ms(20));
    }
    panic!("it was never seen without a synchronous standby");
}

/// Who is faster than the declaration answers the same disaster: what is asked of it afterwards finds both.
#[test]
fn what_was_asked_for_before_it_was_declared_answers_it() {
    let mut simulation = played("region_outage", Span::secs(21));
    let why = Action::Propose {
        group: ORDERS,
        intent: Intent::Failover,
        from: None,
        to: None,
        reason: "it is silent".to_string(),
    };
    order(&mut simulation, why);
    for _ in 0..600 {
        let snapshot = simulation.snapshot(1, false);
        let view = choice(&snapshot, ORDERS);
        if view.proposal.disaster.is_none()
            && view.assessment.can_be_confirmed()
            && !snapshot.disasters.is_empty()
        {
            let confirmation = view.confirmed(simulation.now().utc, "us-east-1");
            order(&mut simulation, Action::Confirm(confirmation));
            let operation = running(&simulation);
            assert_eq!(
                operation.disaster,
                snapshot.disasters.first().map(|d| d.id),
                "{:?}",
                operation.reason
            );
            wait(&mut simulation, Span::secs(40));
            let snapshot = simulation.snapshot(1, false);
            assert!(
                snapshot
                    .operations
                    .iter()
                    .all(|o| o.disaster == operation.disaster && o.status == Status::Recovered)
            );
            return;
        }
        wait(&mut simulation, Span::ms(20));
    }
    panic!("it could never be confirmed");
}

/// Protection that was seen and is lost before the rest is done is no protection (law 6).
#[test]
fn protection_that_is_lost_again_is_waited_for_again() {
    let protects = |o: &Operation| o.results.protected.is_some();
    // Before the entry is written to: what writes waits for somebody to arm it, what only watches goes on.
    let mut simulation = confirmed(|o| o.results.promoted.is_some());
    order(&mut simulation, Action::Disarm);
    wait(&mut simulation, Span::secs(15));
    assert!(
        protects(&running(&simulation)) && !running(&simulation).is_over(),
        "{:?}",
        running(&simulation).steps
    );
    simulation.inject("standby_lost ap-southeast-1").unwrap_or_else(|e| panic!("{e:?}"));
    wait(&mut simulation, Span::secs(10));
    let typed = simulation.snapshot(1, false).estate.name.clone();
    order(&mut simulation, Action::Arm { typed });
    wait(&mut simulation, Span::secs(20));
    let operation = running(&simulation);
    assert!(
        !operation.is_over() && operation.results.served.is_some() && operation.lacks_only_protection(),
        "{:?}",
        operation.steps
    );
}

fn note(text: &str, by_hand: bool) -> Action {
    Action::Note { text: text.to_string(), by_hand }
}

async fn ordered(handle: &Arc<dyn Handle>, action: Action) -> Receipt {
    handle.order(action).await.unwrap_or_else(|e| panic!("{e:?}"))
}

#[tokio::test]
async fn a_fork_recovers_and_nothing_real_moves() {
    let playing = Playing { speed: 1, judged: false, walk: false, waits: false, ended: None };
    let base = start_simulation(outage(), playing);
    base.control(Control::Pause(true)).await.unwrap_or_else(|e| panic!("{e:?}"));
    let group = ORDERS;
    let fork = base.fork().await.unwrap_or_else(|e| panic!("{e}"));
    let first = fork.snapshot();
    assert_eq!((first.mode, first.estate.groups.len()), (Mode::Fork, base.snapshot().estate.groups.len()));

    // What is on the real table is on this one, and counts for nobody here.
    let real = choice(&base.snapshot(), group);
    let view = choice(&first, group);
    assert_eq!(view.assessment.to, real.assessment.to);
    assert_eq!(first.proposals.len(), base.snapshot().proposals.len());
    assert!(first.proposals.iter().all(|p| p.automatic_in.is_none()));
    let began = Instant::now();
    // It stands still until something is begun in it.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(fork.snapshot().now, first.now);
    let confirmation = Confirmation {
        proposal: view.proposal.id,
        nonce: view.assessment.nonce,
        seen: first.now.utc,
        plan: view.assessment.plan,
        evidence: view.assessment.evidence,
        typed: first.estate.region(view.proposal.from).name.clone(),
        accepts: view.assessment.risks.clone(),
        accept_risk: risk_words(&view.assessment.risks),
        manual_override: false,
        second_person: None,
        supersedes: None,
    };
    ordered(&fork, Action::Confirm(confirmation)).await;
    while !fork.snapshot().operations.iter().any(|o| o.is_over()) {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", fork.snapshot().operations);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(fork.snapshot().operations.back().map(|o| o.status.clone()), Some(Status::Recovered));
    // The other database still waits for its choice: in the fork as beside it.
    assert_eq!(
        (fork.snapshot().proposals.len(), fork.snapshot().operations.len()),
        (base.snapshot().proposals.len() - 1, 1)
    );
    let real = base.snapshot();
    assert!(
        real.operations.is_empty()
            && real.groups[group.at()].primary == first.estate.region_named("us-east-1")
    );
}

/// Of two databases one is served again: what needs both waits for the other.
#[test]
fn what_needs_two_databases_waits_for_both() {
    let simulation = confirmed(|o| o.results.served.is_some());
    let snapshot = simulation.snapshot(1, false);
    let hit = |name: &str| {
        let id = snapshot.estate.service_ids().find(|s| snapshot.estate.service(*s).name == name);
        snapshot.services[id.unwrap_or_else(|| panic!("no {name}")).at()].hit_by.is_some()
    };
    let waiting: Vec<&str> =
        ["orders-db", "orders-api", "reports", "payments-db", "payments-api", "web-shop"]
            .into_iter()
            .filter(|s| hit(s))
            .collect();
    assert_eq!(waiting, ["payments-db", "payments-api", "web-shop"]);
}

/// What the cluster moved by itself is told until somebody vouches for it by name, also when the disaster is over.
#[test]
fn what_the_cluster_moved_is_unproven_until_it_is_noted() {
    let mut simulation = outage();
    for view in simulation.snapshot(1, false).proposals {
        order(&mut simulation, Action::StopAutomatic { proposal: view.proposal.id });
    }
    wait(&mut simulation, Span::secs(60));
    simulation.core.door.mend();
    wait(&mut simulation, Span::secs(60));
    let names = |simulation: &Simulation| -> Vec<String> {
        let s = simulation.snapshot(1, false);
        assert!(s.disasters.is_empty());
        let told: Vec<String> =
            s.groups.iter().filter(|v| v.unproven).map(|v| s.estate.group(v.group).name.clone()).collect();
        assert!(
            s.groups
                .iter()
                .filter(|v| v.unproven)
                .all(|v| s.gaps.contains(&Gap::Unproven { group: v.group })),
            "{:?}",
            s.gaps
        );
        told
    };
    assert_eq!(names(&simulation), ["orders-db", "payments-db"]);
    order(&mut simulation, note("wrote to orders-db-2 by hand", true));
    order(&mut simulation, note("strikes: node_failure us-east-1 orders-db", false));
    assert_eq!(names(&simulation), ["orders-db", "payments-db"]);
    // A note changes nothing, whatever it says.
    order(&mut simulation, note("nobody has checked yet whether orders-db takes writes", true));
    order(&mut simulation, note("wrote by hand and read it back: orders-db takes writes.", true));
    assert_eq!(names(&simulation), ["orders-db", "payments-db"]);
    order(
        &mut simulation,
        Action::Vouch { group: ORDERS, note: "wrote by hand and read it back".to_string() },
    );
    assert_eq!(names(&simulation), ["payments-db"]);
    let again = try_order(&mut simulation, Action::Vouch { group: ORDERS, note: String::new() });
    assert!(again.is_err(), "nothing is left to vouch for");
}

/// A note of version 1 that vouched for a database does so still; the same words in a record of today do not.
#[test]
fn a_note_of_version_1_vouches_still() {
    let mut simulation = played_as(Mode::Drill, "region_outage", Span::secs(30));
    for view in simulation.snapshot(1, false).proposals {
        order(&mut simulation, Action::StopAutomatic { proposal: view.proposal.id });
    }
    wait(&mut simulation, Span::secs(60));
    order(&mut simulation, note("nobody has checked yet whether orders-db takes writes", true));
    let records = simulation.core.keep.clone().unwrap_or_default();
    let vouched = |version: u64| {
        let mut engine = bpci::engine::Engine::new(Arc::new(simulation.scenario.estate.clone()), "again");
        for record in &records {
            let mut value = serde_json::to_value(record).unwrap_or_else(|e| panic!("{e}"));
            // Only notes are the same in both versions, but for the room, which version 1 has not.
            if version == 1 && matches!(record.event, Event::Note { .. }) {
                (value["v"], value["event"]) = (version.into(), value["event"]["kernel"].take());
            }
            let read = bpci::journal::Upcaster::default()
                .record(value.to_string().as_bytes())
                .unwrap_or_else(|e| panic!("{e}"));
            engine.restore(&read);
        }
        engine.state().elected.get(&ORDERS).is_some_and(|e| e.vouched.is_some())
    };
    assert_eq!((vouched(1), vouched(2)), (true, false));
}

/// Failing back brings what came with the database, not all that the region carries.
#[test]
fn room_to_fail_back_is_what_came_with_the_database() {
    let mut simulation = played("region_outage", Span::secs(70));
    simulation.core.door.mend();
    wait(&mut simulation, Span::secs(60));
    let snapshot = simulation.snapshot(1, false);
    let planned: Vec<_> =
        snapshot.led_elsewhere().into_iter().map(|(v, planned)| (v.group, planned)).collect();
    let [(first, home), (_, also)] = planned.as_slice() else { panic!("{planned:?}") };
    assert_eq!(home, also);
    let back = Action::Propose {
        group: *first,
        intent: Intent::Switchover,
        from: None,
        to: Some(MemberId(home.0)),
        reason: "home".to_string(),
    };
    order(&mut simulation, back);
    let view = choice(&simulation.snapshot(1, false), *first);
    let room = view
        .assessment
        .checks
        .iter()
        .find(|c| c.id == CheckId::Capacity)
        .map(|c| (c.verdict, check_words(c)));
    let words = "us-east-1 0→30% with this database, 60% with all 2 databases of eu-west-1, as they came";
    assert_eq!(room, Some((Verdict::Pass, words.to_string())));
    assert_eq!(view.proposal.plan, "failback");
    // It is refused, and whoever turns away from it leaves the reason in the record.
    let other = Action::Propose {
        group: *first,
        intent: Intent::Switchover,
        from: None,
        to: None,
        reason: "elsewhere".to_string(),
    };
    order(&mut simulation, other);
    let told = simulation
        .snapshot(1, false)
        .log
        .iter()
        .any(|l| l.text.contains("turns to another choice") && l.text.contains("refused as it stood"));
    assert!(told);
}

/// An operation that was ended before it had handed over is none: where the cluster takes over after it, users are served by
/// that, and nobody has proven it.
#[test]
fn what_was_ended_in_time_leaves_it_to_the_cluster() {
    let mut simulation = confirmed(|_| true);
    let operation = running(&simulation).id;
    order(&mut simulation, Action::Abort { operation });
    for view in simulation.snapshot(1, false).proposals.iter().filter(|v| v.counts()) {
        order(&mut simulation, Action::StopAutomatic { proposal: view.proposal.id });
    }
    wait(&mut simulation, Span::secs(60));
    let s = simulation.snapshot(1, false);
    assert!(running(&simulation).is_over() && !running(&simulation).counts());
    assert!(s.services.iter().all(|v| v.hit_by.is_none()), "{:?}", s.services);
    assert!(s.groups.iter().filter(|v| !v.members.is_empty()).all(|v| v.unproven));
}

/// Two databases of one region fail at once, and the region lives: each has its disaster and its choice, and is recovered.
#[test]
fn two_databases_that_fail_at_once_are_two_disasters() {
    let mut simulation = played("calm", Span::secs(5));
    simulation.inject("node_failure us-east-1").unwrap_or_else(|e| panic!("{e:?}"));
    wait(&mut simulation, Span::secs(10));
    let snapshot = simulation.snapshot(1, false);
    assert_eq!((snapshot.disasters.len(), snapshot.proposals.len()), (2, 2), "{:?}", snapshot.disasters);
    let left: Vec<_> = snapshot.proposals.iter().map(|p| p.automatic_in).collect();
    assert!(left.iter().all(|l| l.is_some_and(|l| l < Span::secs(14))), "{left:?}");
    assert!(snapshot.log_total < 50, "{} records", snapshot.log_total);
    wait(&mut simulation, Span::secs(30));
    let ended: Vec<_> =
        simulation.snapshot(1, false).operations.iter().map(|o| (o.group, o.status.clone())).collect();
    assert_eq!(ended.len(), 2, "{ended:?}");
    assert!(ended.iter().all(|(_, s)| *s == Status::Recovered), "{ended:?}");
}

/// Without its store a primary steps down, and answers all the same: that nobody takes writes is told, since when, and stands
/// in the record; so does what the cluster does as the store comes back.
#[test]
fn a_primary_that_stepped_down_is_no_primary() {
    let mut simulation = played("calm", Span::secs(5));
    simulation.inject("store_away us-east-1").unwrap_or_else(|e| panic!("{e:?}"));
    wait(&mut simulation, Span::secs(20));
    let snapshot = simulation.snapshot(1, false);
    let view = snapshot.group(ORDERS).unwrap_or_else(|| panic!("no view"));
    let idle = view.stepped_down.map(|at| snapshot.now.mono.since(at));
    assert!(idle.is_some_and(|idle| idle > Span::secs(8) && idle < Span::secs(20)), "{idle:?}");
    assert!(snapshot.disasters.is_empty() && snapshot.proposals.is_empty());
    let down = |s: &Snapshot| {
        s.estate.service_ids().filter(|id| s.services[id.at()].health == ServiceHealth::Down).count()
    };
    assert_eq!(down(&snapshot), 2, "both databases");
    simulation.core.door.mend();
    wait(&mut simulation, Span::secs(20));
    let snapshot = simulation.snapshot(1, false);
    assert_eq!(
        (down(&snapshot), snapshot.groups.iter().filter(|v| v.stepped_down.is_some()).count()),
        (0, 0)
    );
    for words in [
        "etcd has not answered",
        "leads no more: nobody takes writes",
        "etcd answers again",
        "writes may go on",
    ] {
        assert_eq!(
            snapshot.log.iter().filter(|l| l.text.contains(words)).count(),
            2,
            "{words}: {:#?}",
            snapshot.log
        );
    }
    let moved: Vec<_> = snapshot
        .groups
        .iter()
        .filter(|v| v.primary != Some(RegionId(0)) && !v.members.is_empty())
        .map(|v| v.unproven)
        .collect();
    assert!(moved.iter().all(|unproven| *unproven), "{moved:?}");
}

/// The region that it was led to is lost before a standby protects it: the operation closes with that reason, and the database
/// is free for another choice.
#[test]
fn who_took_over_and_died_is_not_waited_for() {
    let mut simulation = confirmed(|o| o.results.served.is_some());
    let to = simulation.snapshot(1, false).label(ORDERS, running(&simulation).to).into_owned();
    simulation.inject(&format!("region_outage {to}")).unwrap_or_else(|e| panic!("{e:?}"));
    wait(&mut simulation, Span::secs(17));
    assert_eq!(running(&simulation).status, Status::TargetLost);
    let s = simulation.snapshot(1, false);
    assert!(
        s.is_on_table(ORDERS) || s.is_undecided(ORDERS),
        "{:?}",
        s.proposals.iter().map(|p| &p.proposal).collect::<Vec<_>>()
    );
}

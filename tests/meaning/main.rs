//! What is meant is told by type: whom a signal is about, what somebody accepted, what is worst now.

mod typed;
mod worst;

use bpci::config;
use bpci::controller::Simulation;
use bpci::engine::Input;
use bpci::journal::Journal;
use bpci::model::*;

fn played(name: &str, until: Span) -> Simulation {
    let path = format!("{}/tests/data/meaning/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let scenario = config::load_scenario(&path).unwrap_or_else(|e| panic!("{e}"));
    let mut simulation =
        Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, Utc(1_767_225_600_000))
            .unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(Mono(until.0)).unwrap_or_else(|e| panic!("{e}"));
    simulation
}

fn group(snapshot: &Snapshot, name: &str) -> GroupId {
    GroupId::of(
        snapshot
            .estate
            .groups
            .iter()
            .position(|g| g.name == name)
            .unwrap_or_else(|| panic!("no group {name}")),
    )
}

/// A signal names the databases that it is about: `orders` is a part of the name `orders-db`, and not of its trouble.
#[test]
fn a_corrupt_database_condemns_no_other() {
    let simulation = played("corrupt", Span::secs(40));
    let snapshot = simulation.snapshot(1, false);
    let (corrupt, well) = (group(&snapshot, "orders-db"), group(&snapshot, "orders"));
    assert!(snapshot.is_corrupt(corrupt) && !snapshot.is_corrupt(well), "{:?}", snapshot.disasters);
    let unfit = |g: GroupId| {
        snapshot.group(g).into_iter().flat_map(|v| &v.members).filter(|m| !m.leads).all(|m| m.unfit.is_some())
    };
    assert!(unfit(corrupt) && !unfit(well), "orders may fail over, orders-db may not");
}

/// A planned move into a region that is too small begins only if that is accepted, and the record says what was.
#[test]
fn an_accepted_overload_is_in_the_record() {
    let simulation = played("small", Span::secs(60));
    let state = simulation.core.engine.state();
    let operation = state.operations.back().unwrap_or_else(|| panic!("{:?}", simulation.refusals));
    let [accepted] = operation.accepted.risks.as_slice() else { panic!("{:?}", operation.accepted) };
    let Risk::Overload { percent } = accepted.risk else { panic!("{accepted:?}") };
    assert!(percent > 100, "{percent}");
    assert_eq!(
        (accepted.words.as_str(), accepted.by.to_string()),
        ("overload the target", "probe".to_string())
    );
    let snapshot = simulation.snapshot(1, false);
    let told = format!("an overload of the target to {percent}%");
    assert!(snapshot.log.iter().any(|l| l.text.contains(&told)), "{:#?}", snapshot.log);
}

/// Words that are not the ones asked for accept nothing, and what was typed is in the record.
#[test]
fn other_words_accept_nothing() {
    let mut simulation = played("small", Span::secs(15));
    let now = simulation.now();
    let snapshot = simulation.snapshot(1, false);
    let orders = group(&snapshot, "orders-db");
    let to = snapshot.estate.region_named("eu-west-1").and_then(|region| snapshot.member_in(orders, region));
    let order = |action| Input::Order(Order { by: Actor::scripted("ada"), action });
    let propose = Action::Propose {
        group: orders,
        intent: Intent::Switchover,
        from: None,
        to,
        reason: "what if".to_string(),
    };
    let Ok(Some(Ok(Receipt::Proposed(id)))) = simulation.core.input(now, order(propose)) else {
        panic!("nothing was proposed")
    };
    let snapshot = simulation.snapshot(1, false);
    let view = snapshot.proposals.iter().find(|v| v.proposal.id == id).unwrap_or_else(|| panic!("no choice"));
    assert!(
        matches!(view.assessment.risks.as_slice(), [Risk::Overload { percent }] if *percent > 100),
        "{:?}",
        view.assessment
    );
    for (typed, begins) in [("two primaries may write", false), ("", false), ("overload the target", true)] {
        let accepts = read_risks(typed, &view.assessment.risks);
        let said = Confirmation {
            accepts,
            accept_risk: Some(typed.to_string()),
            ..view.confirmed(now.utc, "us-east-1")
        };
        let answer = simulation.core.input(now, order(Action::Confirm(said)));
        assert_eq!(matches!(answer, Ok(Some(Ok(Receipt::Started(_))))), begins, "«{typed}»: {answer:?}");
    }
}

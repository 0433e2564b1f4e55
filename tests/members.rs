//! Clusters with several members in one region: all of a lost region are fenced, drained and counted, and no other.

use bpci::config;
use bpci::controller::{Simulation, laws_broken};
use bpci::journal::Journal;
use bpci::model::*;
use std::collections::BTreeSet;

fn played(name: &str, until: Span) -> Simulation {
    let path = format!("{}/tests/data/members/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let scenario = config::load_scenario(&path).unwrap_or_else(|e| panic!("{e}"));
    let mut simulation =
        Simulation::new(scenario, 1, Journal::in_memory(), Mode::Drill, Utc(1_767_225_600_000))
            .unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(Mono(until.0)).unwrap_or_else(|e| panic!("{e}"));
    simulation
}

fn operation(simulation: &Simulation) -> Operation {
    let state = simulation.core.engine.state();
    let told: Vec<String> = simulation.snapshot(1, false).log.iter().map(ToString::to_string).collect();
    Operation::clone(state.operations.back().unwrap_or_else(|| panic!("no operation began: {told:#?}")))
}

/// The members on which effects of a kind were done, by what people call them.
fn done_on(simulation: &Simulation, of: impl Fn(&Effect) -> Option<MemberId>) -> BTreeSet<String> {
    let operation = operation(simulation);
    let snapshot = simulation.snapshot(1, false);
    let done = operation.effects().filter(|e| e.is_done()).filter_map(|e| of(&e.effect));
    done.map(|m| snapshot.label(operation.group, m).into_owned()).collect()
}

fn fenced(effect: &Effect) -> Option<MemberId> {
    if let Effect::Fence { member, .. } = effect { Some(*member) } else { None }
}

fn drained(effect: &Effect) -> Option<MemberId> {
    if let Effect::Drain { member, .. } = effect { Some(*member) } else { None }
}

fn restored(effect: &Effect) -> Option<MemberId> {
    if let Effect::Restore { member, .. } = effect { Some(*member) } else { None }
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(ToString::to_string).collect()
}

fn keeps_the_laws(simulation: &Simulation) {
    let core = &simulation.core;
    let broken =
        laws_broken(&core.engine, &core.broken, &core.door.truth, core.keep.as_deref().unwrap_or_default());
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn a_lost_region_is_fenced_and_drained_whole() {
    let mut simulation = played("region_outage", Span::mins(2));
    let both = names(&["pg-a@us-east-1", "pg-b@us-east-1"]);
    let first = operation(&simulation);
    assert_eq!(first.status, Status::Recovered, "{first:#?}");
    assert_eq!((done_on(&simulation, fenced), done_on(&simulation, drained)), (both.clone(), both.clone()));
    let snapshot = simulation.snapshot(1, false);
    assert_eq!(
        snapshot.group(first.group).and_then(|v| v.primary),
        snapshot.estate.region_named("eu-west-1")
    );
    // Names that the configuration does not give are the cluster's own.
    assert_eq!(snapshot.label(first.group, first.to), "eu-west-1-1@eu-west-1");
    assert_eq!(simulation.core.door.truth.lost, 0);
    keeps_the_laws(&simulation);
    // Back to where it was: both come back, and both get their traffic again.
    simulation.core.door.mend();
    let until = simulation.now().mono.plus(Span::mins(2));
    simulation.run_to(until).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(operation(&simulation).remains, Vec::new(), "nothing is left to do");
    assert_eq!(done_on(&simulation, restored), both);
    keeps_the_laws(&simulation);
}

/// A neighbour in the region lives: only the node that failed is fenced, and its region is not called lost.
#[test]
fn a_neighbour_of_a_dead_node_is_left_alone() {
    let simulation = played("node_failure", Span::mins(2));
    let operation = operation(&simulation);
    assert_eq!(operation.status, Status::Recovered, "{operation:#?}");
    let only = names(&["pg-a@us-east-1"]);
    assert_eq!((done_on(&simulation, fenced), done_on(&simulation, drained)), (only.clone(), only));
    let state = simulation.core.engine.state();
    assert!(state.disasters.iter().all(|d| d.kind == DisasterType::NodeFailure), "{:?}", state.disasters);
    keeps_the_laws(&simulation);
}

#[test]
fn no_law_is_broken_over_seeds() {
    for name in ["region_outage", "node_failure"] {
        let path = format!("{}/tests/data/members/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let scenario = config::load_scenario(&path).unwrap_or_else(|e| panic!("{e}"));
        for seed in 0..20 {
            let played = bpci::controller::play(scenario.clone(), seed, Journal::in_memory(), &mut |_| {})
                .unwrap_or_else(|e| panic!("{e}"));
            assert!(
                played.laws_broken.is_empty() && played.unmet.is_empty(),
                "{name}, seed {seed}: {:?} {:?}",
                played.laws_broken,
                played.unmet
            );
        }
    }
}

//! The shipped scenarios: each ends as it says it must, and no law is broken in it.

use bpci::config;
use bpci::controller::{drill_report, play, play_with_a_death};
use bpci::journal::Journal;

#[test]
fn every_scenario_ends_as_it_must() {
    let mut wrong = Vec::new();
    for name in config::embedded_names() {
        for seed in 1..=3 {
            let scenario = config::embedded(name).unwrap_or_else(|e| panic!("{e}"));
            let played = play(scenario, seed, Journal::in_memory(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
            for what in played.unmet.iter().chain(&played.laws_broken) {
                wrong.push(format!("{name}, seed {seed}: {what}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_record() {
    let report = || {
        let scenario = config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
        let played = play(scenario, 7, Journal::in_memory(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
        serde_json::to_string(&drill_report(&played, 7)).unwrap_or_else(|e| panic!("{e}"))
    };
    assert_eq!(report(), report());
}

#[test]
fn a_candidate_that_dies_under_the_operation_gets_nothing() {
    for seed in 1..=20 {
        let scenario = config::parse_scenario("candidate_dies.yaml", include_str!("data/candidate_dies.yaml")).unwrap_or_else(|e| panic!("{e}"));
        let played = play(scenario, seed, Journal::in_memory(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((played.unmet, played.laws_broken), (Vec::<String>::new(), Vec::<String>::new()), "seed {seed}");
    }
}

/// The controller dies at every point at which something is made durable or sent; another one takes over and ends it.
#[test]
fn a_death_at_any_point_changes_no_ending() {
    let mut wrong = Vec::new();
    let mut deaths = 0;
    for name in config::embedded_names() {
        for point in 0..400 {
            let scenario = config::embedded(name).unwrap_or_else(|e| panic!("{e}"));
            let (played, died) = play_with_a_death(scenario, 1, point).unwrap_or_else(|e| panic!("{e}"));
            // Before anything was durable there is nothing to take over: an order that was not answered was not heard.
            let unmet = if point == 0 { [].iter() } else { played.unmet.iter() };
            for what in unmet.chain(&played.laws_broken) {
                wrong.push(format!("{name}, death at point {point}: {what}"));
            }
            if !died {
                break;
            }
            deaths += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(deaths > 100, "only {deaths} deaths");
}

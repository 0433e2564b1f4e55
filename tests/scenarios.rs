//! The shipped scenarios: each ends as it says it must, and no law is broken in it.

use bpci::config;
use bpci::controller::{drill_report, play, play_with_a_death};
use bpci::journal::Journal;
use bpci::model::*;

#[test]
fn every_scenario_ends_as_it_must() {
    let mut wrong = Vec::new();
    for name in config::embedded_names() {
        for seed in 1..=3 {
            let scenario = config::embedded(name).unwrap_or_else(|e| panic!("{e}"));
            let played =
                play(scenario, seed, Journal::in_memory(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
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
        let scenario =
            config::parse_scenario("candidate_dies.yaml", include_str!("data/candidate_dies.yaml"))
                .unwrap_or_else(|e| panic!("{e}"));
        let played =
            play(scenario, seed, Journal::in_memory(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            (played.unmet, played.laws_broken),
            (Vec::<String>::new(), Vec::<String>::new()),
            "seed {seed}"
        );
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

/// Operations that share regions, balancers and the loop: none waits for another for good.
#[test]
fn a_hundred_and_twenty_eight_databases_recover_together() {
    const MANY: usize = 128;
    let mut scenario = config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
    let estate = &mut scenario.estate;
    let (service, database) = {
        let database =
            estate.groups.iter().find_map(|g| g.database.clone()).unwrap_or_else(|| panic!("no database"));
        (estate.service(database.service).clone(), database)
    };
    let name = |i: usize| format!("db-{i}");
    estate.services = (0..MANY)
        .map(|i| Service { name: name(i), group: GroupId::of(i), depends_on: Vec::new(), ..service.clone() })
        .collect();
    estate.groups = (0..MANY)
        .map(|i| Group {
            name: name(i),
            services: vec![ServiceId::of(i)],
            database: Some(Database { scope: name(i), service: ServiceId::of(i), ..database.clone() }),
        })
        .collect();
    (scenario.orders, scenario.until) = (Vec::new(), Span::secs(70));
    scenario.expect =
        Expectation { recovered: Some(MANY as u16), lost_at_most: Some(0), ..Expectation::default() };
    let played = play(scenario, 1, Journal::in_memory(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((played.unmet, played.laws_broken), (Vec::<String>::new(), Vec::<String>::new()));
    let longest =
        played.simulation.core.engine.state().operations.iter().filter_map(|o| o.recovery_time()).max();
    assert!(longest.is_some_and(|t| t <= Span::mins(1)), "{longest:?}");
}

//! Deliberate breaks of the laws: each must be found by the scenarios. Built only with the feature `planted`.
#![cfg(feature = "planted")]

use bpci::config;
use bpci::controller::play;
use bpci::engine::planted::plant;
use bpci::journal::Journal;

/// Every law that was broken in any shipped scenario, over a few seeds.
fn broken() -> String {
    let mut found = Vec::new();
    let own = config::parse_scenario("candidate_dies.yaml", include_str!("data/candidate_dies.yaml")).unwrap_or_else(|e| panic!("{e}"));
    let shipped = config::embedded_names().map(|n| config::embedded(n).unwrap_or_else(|e| panic!("{e}")));
    for scenario in shipped.chain([own]) {
        for seed in 1..=5 {
            let scenario = scenario.clone();
            let played = play(scenario, seed, Journal::in_memory(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
            found.extend(played.laws_broken);
        }
    }
    found.join("\n")
}

/// One test, for the plant is one for the whole process.
#[test]
fn each_planted_break_is_found() {
    assert_eq!(broken(), "");
    for law in [1, 2, 3, 7, 11] {
        plant(law);
        let found = broken();
        assert!(found.contains(&format!("law {law}:")), "the break of law {law} was not found; found: {found}");
    }
    plant(0);
    assert_eq!(broken(), "");
}

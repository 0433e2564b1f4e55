//! Configurations: what is accepted, what is refused and in which words, what is contradictory.

use bpci::config;
use bpci::model::*;

/// Both blocks of reference 000, as it prints them.
const REFERENCE: &str = include_str!("data/reference_000.yaml");

#[test]
fn both_blocks_of_the_reference_are_accepted_as_printed() {
    let loaded = config::parse("reference.yaml", REFERENCE).unwrap_or_else(|e| panic!("{e}"));
    let estate = loaded.estate;
    assert_eq!(estate.name, "reference");
    let names: Vec<_> = estate.regions.iter().map(|r| (r.name.as_str(), r.capacity.0, r.role)).collect();
    assert_eq!(names, [("us-east-1", 60, Role::Active), ("eu-west-1", 30, Role::Hot), ("ap-southeast-1", 10, Role::Warm)]);
    assert_eq!(estate.policy.detection.interval, Span::secs(30));
    assert_eq!(estate.policy.strategies[&Strategy::ColdStandbyRestoration].rto, Span::mins(240));
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(warnings.join("\n"));
}

#[test]
fn every_shipped_scenario_is_read() {
    for name in config::embedded_names() {
        config::embedded(name).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

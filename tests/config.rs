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
    assert_eq!(
        names,
        [("us-east-1", 60, Role::Active), ("eu-west-1", 30, Role::Hot), ("ap-southeast-1", 10, Role::Warm)]
    );
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

#[test]
fn each_wrong_file_is_answered_with_place_and_remedy() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/invalid_configs");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap_or_else(|e| panic!("{e}")).flatten().map(|e| e.path()).collect();
    files.sort();
    assert!(files.len() >= 40);
    let mut told = Vec::new();
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{e}"));
        match config::parse(&name, &text) {
            Ok(_) => panic!("{name} was accepted"),
            Err(mistake) => told.push(mistake.to_string()),
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_plan_that_hands_over_before_it_fences_is_refused() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let write = |name: &str, text: &str| {
        std::fs::write(directory.path().join(name), text).unwrap_or_else(|e| panic!("{e}"))
    };
    write("estate.yaml", "plans: [p.yaml]\n");
    let refused = |text: &str| {
        write("p.yaml", text);
        config::load(&directory.path().join("estate.yaml")).err().map(|e| e.to_string()).unwrap_or_default()
    };
    let plan = "plan: p\ntitle: t\nintent: failover\nsteps:\n  - { id: h, phase: execution, do: hand_over }\n  - { id: f, phase: execution, do: fence }\n";
    assert!(refused(plan).contains("law 1"), "{}", refused(plan));
    assert!(
        refused(&plan.replace("do: fence", "do: dance")).contains(":6:"),
        "{}",
        refused(&plan.replace("do: fence", "do: dance"))
    );
}

//! The hunt for our own faults. That it finds what is wrong is proven in `planted.rs`.

use bpci::hunt::{Case, Quarry, Tally, hunt, run};
use std::path::Path;
use std::time::Duration;

/// A fixed number of seeds, and as many more as fit in the budget (`BPCI_HUNT`, seconds).
#[test]
fn nothing_is_found() {
    let bag = hunt(Quarry { runs: 150, seed: 1, budget: None });
    assert_eq!(bag.found.map(|(case, finding)| (case.seed, finding)), None);
    let seconds = std::env::var("BPCI_HUNT").ok().and_then(|s| s.parse().ok()).unwrap_or(5);
    let bag = hunt(Quarry { runs: 99_850, seed: 151, budget: Some(Duration::from_secs(seconds)) });
    assert_eq!(bag.found.map(|(case, finding)| (case.seed, finding)), None);
    assert!(bag.tally.operations.get("recovered").is_some_and(|n| *n > 0), "{:?}", bag.tally.operations);
}

/// What was found once is kept, made small, and is found no more.
#[test]
fn what_was_found_once_is_not_found_again() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hunt");
    let mut played = 0;
    for file in std::fs::read_dir(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display())) {
        let path = file.unwrap_or_else(|e| panic!("{e}")).path();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let case: Case = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(run(&case, &mut Tally::default()), None, "{}", path.display());
        played += 1;
    }
    assert!(played > 0);
}

/// A case comes from a file: whatever stands there, it is played, or found wanting, and nothing panics.
#[test]
fn a_case_that_makes_no_sense_is_played_all_the_same() {
    for (seed, regions) in [(7, 0), (8, 200), (9, 1)] {
        let mut case = Case::random(seed);
        (case.shape.regions, case.shape.databases) = (regions, regions);
        let found = run(&case, &mut Tally::default());
        assert!(found.as_ref().is_none_or(|f| !f.what.starts_with("panic")), "{found:?}");
    }
}

/// A case is its run: whoever plays it again sees the same.
#[test]
fn a_case_gives_the_same_run_again() {
    for seed in 1..20 {
        let case = Case::random(seed);
        let text = serde_json::to_string(&case).unwrap_or_else(|e| panic!("{e}"));
        let again: Case = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}"));
        let (mut first, mut second) = (Tally::default(), Tally::default());
        assert_eq!(run(&case, &mut first), run(&again, &mut second));
        assert_eq!(
            (first.records, first.checks, first.states),
            (second.records, second.checks, second.states),
            "seed {seed}"
        );
    }
}

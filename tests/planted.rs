//! Deliberate mistakes: each must be found. Built only with the feature `planted`.
#![cfg(feature = "planted")]

use bpci::engine::planted::{Break, plant};
use bpci::hunt::{Quarry, hunt};
use std::time::Duration;

/// The time that each mistake is hunted for at most.
const BUDGET: Duration = Duration::from_secs(60);

/// What is found with this mistake in place, and how.
fn found(mistake: Break, blind: bool) -> Option<String> {
    plant(mistake, blind);
    let bag = hunt(Quarry { runs: 100_000, seed: 1, budget: Some(BUDGET) });
    plant(Break::None, false);
    let (case, finding) = bag.found?;
    println!("{mistake:?}: found after {} runs, by seed {}: {}", bag.tally.runs, case.seed, finding.what);
    Some(finding.what)
}

/// One test, for what is planted is planted in the whole process. The engine's own second look is blind: the hunt finds
/// each by itself.
#[test]
fn each_planted_mistake_is_found() {
    // By name, to look at a few alone.
    let only = std::env::var("BPCI_PLANTED").ok();
    let asked = |m: &Break| only.as_ref().is_none_or(|names| names.split(',').any(|n| n == format!("{m:?}")));
    let missed: Vec<Break> = Break::ALL.into_iter().filter(asked).filter(|m| found(*m, true).is_none()).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
    if only.is_some() {
        return;
    }
    // And the second look, where it sees, names its law.
    for (mistake, law) in [
        (Break::FenceLeftOut, 1),
        (Break::LossUnasked, 2),
        (Break::SentTwice, 3),
        (Break::RecoveredEarly, 6),
        (Break::TwoAtOnce, 7),
        (Break::GenerationStands, 7),
    ] {
        let what = found(mistake, false).unwrap_or_default();
        assert!(what.starts_with(&format!("law {law}: ")), "{mistake:?}: {what}");
    }
    let bag = hunt(Quarry { runs: 300, seed: 1, budget: None });
    assert_eq!(bag.found.map(|(case, finding)| (case.seed, finding)), None);
}

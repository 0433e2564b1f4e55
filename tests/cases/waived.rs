//! Rules of automation that a configuration waives.

use bpci::config;
use bpci::controller::Simulation;
use bpci::journal::Journal;
use bpci::model::*;

const BEGAN: Utc = Utc(1_767_225_600_000);

/// The built-in outage of a region with these lines for automation, as an estate of this mode sees it after 40 s.
fn outage(automation: &str, test_estate: bool, mode: Mode) -> Snapshot {
    let estate = include_str!("../../fixtures/estates/three-regions.yaml");
    let before =
        "automation: { settle: 10s, cooldown: 1hour, fence_proof_not_required: true, drilled: false }";
    assert!(estate.contains(before));
    let mut text =
        estate.replace(before, &format!("automation: {{ settle: 10s, cooldown: 1hour, {automation} }}"));
    if test_estate {
        text.push_str("test_estate: true\n");
    }
    let mut scenario = config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
    scenario.estate = config::parse("three-regions.yaml", &text).unwrap_or_else(|e| panic!("{e}")).estate;
    let mut simulation =
        Simulation::new(scenario, 1, Journal::in_memory(), mode, BEGAN).unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(Mono(60_000)).unwrap_or_else(|e| panic!("{e}"));
    simulation.snapshot(1, false)
}

fn acted(s: &Snapshot) -> bool {
    !s.operations.is_empty()
}

fn off(s: &Snapshot) -> Option<(WaivedRule, WaiverFault)> {
    s.conditions.iter().find_map(|c| {
        if let ConditionKind::AutomationOff { rule, fault } = c.kind { Some((rule, fault)) } else { None }
    })
}

/// Without a reason and an expiry date, and from the expiry on, automation of a live estate is off, with a condition.
#[test]
fn a_rule_is_waived_with_a_reason_and_for_a_time() {
    const BARE: &str = "fence_proof_not_required: true, drilled: false";
    let waived = |until: &str| {
        let waiver = format!("{{ not_required: true, reason: 'first week', until: {until} }}");
        format!("fence_proof: {waiver}, drilled: {waiver}")
    };
    let bare = outage(BARE, false, Mode::Live);
    assert!(
        !acted(&bare) && off(&bare) == Some((WaivedRule::Drilled, WaiverFault::Incomplete)),
        "{:?}",
        bare.conditions
    );
    let half = outage(
        "fence_proof_not_required: true, drilled: { not_required: true, reason: 'first week' }",
        false,
        Mode::Live,
    );
    assert!(
        !acted(&half) && off(&half) == Some((WaivedRule::Drilled, WaiverFault::Incomplete)),
        "{:?}",
        half.conditions
    );
    // The estate began on 1 January 2026.
    let expired = outage(&waived("2025-12-31"), false, Mode::Live);
    assert!(
        !acted(&expired) && off(&expired) == Some((WaivedRule::Drilled, WaiverFault::Expired { at: BEGAN })),
        "{:?}",
        expired.conditions
    );
    let waived = outage(&waived("2026-01-01"), false, Mode::Live);
    assert!(acted(&waived) && off(&waived).is_none(), "{:?}", waived.conditions);
}

/// A simulation and a test estate are there to be rehearsed on.
#[test]
fn what_is_there_to_be_rehearsed_on_needs_no_reason() {
    const BARE: &str = "fence_proof_not_required: true, drilled: false";
    for (test_estate, mode) in [(false, Mode::Simulation), (false, Mode::Drill), (true, Mode::Live)] {
        let s = outage(BARE, test_estate, mode);
        assert!(acted(&s) && off(&s).is_none(), "{test_estate} {mode:?}");
    }
}

/// The file is loaded, and the check of it warns: at once of what is incomplete, from the day on of what has expired.
#[test]
fn the_check_of_a_file_warns() {
    let text = include_str!("../../fixtures/estates/three-regions.yaml");
    let bare = config::parse("e.yaml", text).unwrap_or_else(|e| panic!("{e}"));
    let told =
        |l: &config::Loaded, at: Utc| l.warnings_at(at).iter().filter(|w| w.text.contains("waived")).count();
    assert_eq!(told(&bare, BEGAN), 2);
    let waiver = "fence_proof: { not_required: true, reason: x, until: 2026-01-31 }, drilled: true";
    let dated = text.replace("fence_proof_not_required: true, drilled: false", waiver);
    let dated = config::parse("e.yaml", &dated).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(told(&dated, BEGAN), 0);
    assert_eq!(told(&dated, BEGAN.plus(Span::days(30))), 0);
    assert_eq!(told(&dated, BEGAN.plus(Span::days(31))), 1);
}

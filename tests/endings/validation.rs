//! A validating write that fails after the promotion: users are led to the new primary and it is protected all the same, and
//! nothing advises to fail over once more.

use crate::harness::*;
use bpci::model::*;

struct Case {
    name: &'static str,
    /// What is answered «not done».
    refuses: fn(&Effect) -> bool,
    /// A standby is left that can protect the new primary.
    is_protected: bool,
    /// The plan also leads users by a command, after the promotion and before the protection.
    has_command: bool,
}

const fn is_write(effect: &Effect) -> bool {
    matches!(effect, Effect::ValidateWrite { .. })
}

const CASES: [Case; 6] = [
    Case { name: "no write succeeds", refuses: is_write, is_protected: true, has_command: false },
    Case {
        name: "only the write at the primary fails",
        refuses: |e| matches!(e, Effect::ValidateWrite { via: Via::Primary, .. }),
        is_protected: true,
        has_command: false,
    },
    Case {
        name: "only the write through the entry fails",
        refuses: |e| matches!(e, Effect::ValidateWrite { via: Via::Entry, .. }),
        is_protected: true,
        has_command: false,
    },
    Case { name: "no standby comes back", refuses: is_write, is_protected: false, has_command: false },
    Case { name: "users are led by a command", refuses: is_write, is_protected: true, has_command: true },
    Case {
        name: "redirection fails as well",
        refuses: |e| is_write(e) || matches!(e, Effect::Command { .. }),
        is_protected: true,
        has_command: true,
    },
];

/// Users are led by a command as well; protection is watched after it.
fn add_command(estate: &mut Estate) {
    let Some(plan) = estate.plans.iter_mut().find(|p| p.name == "failover") else { panic!("no plan") };
    let promotion = plan
        .steps
        .iter()
        .position(|s| s.kind == StepKind::WatchPromotion)
        .unwrap_or_else(|| panic!("no promotion")) as u16;
    let Some(at) = plan.steps.iter().position(|s| s.kind == StepKind::WatchProtection) else {
        panic!("no protection")
    };
    let kind = StepKind::RunCommand { argv: vec!["lead-users".to_string()] };
    let step = Step {
        id: "dns".to_string(),
        phase: Phase::Redirection,
        kind,
        after: vec![promotion],
        timeout: Span::secs(20),
    };
    plan.steps.insert(at, step);
    plan.steps[at + 1].after.push(at as u16);
}

/// The state of the steps of a kind.
fn states(operation: &Operation, is: impl Fn(&StepKind) -> bool) -> Vec<StepState> {
    let steps = operation.plan.steps.iter().zip(&operation.steps);
    steps.filter(|(s, _)| is(&s.kind)).map(|(_, r)| r.state.clone()).collect()
}

#[test]
fn a_validation_that_fails_stops_nothing_and_advises_no_failover() {
    for case in CASES {
        for seed in 1..=4 {
            let name = format!("{}, seed {seed}", case.name);
            let mut run = Run::new(seed, |estate| {
                if case.has_command {
                    add_command(estate)
                }
            });
            run.core.door.refuses = case.refuses;
            if !case.is_protected {
                run.strike(FaultKind::StandbyLost, "eu-west-1");
                run.wait(Span::secs(5));
            }
            run.strike(FaultKind::NodeFailure, "us-east-1");
            if !case.is_protected {
                // Half of the members are silent: automation leaves that to people.
                run.until(Span::secs(60), &format!("{name}: a disaster"), |s| !s.disasters.is_empty());
                run.fail_over();
            }
            let over = |s: &Snapshot| s.operations.back().is_some_and(|o| o.is_over());
            let snapshot = run.until(Span::mins(9), &format!("{name}: an operation that is over"), over);
            let operation = run.last();
            let Status::NotValidated { reason } = &operation.status else {
                panic!("{name}: {:?}", operation.status)
            };
            assert!(
                matches!(reason, StepFailure::Effect { outcome: Outcome::NotDone { .. } }),
                "{name}: {reason:?}"
            );
            let protection = states(&operation, |k| *k == StepKind::WatchProtection);
            let as_meant = |s: &StepState| {
                if case.is_protected { s.opens() } else { matches!(s, StepState::Failed { .. }) }
            };
            assert!(!protection.is_empty() && protection.iter().all(as_meant), "{name}: {protection:?}");
            assert!(operation.steps.iter().all(|s| s.state != StepState::Running), "{name}");
            let commands = operation.effects().filter(|e| matches!(e.effect, Effect::Command { .. })).count();
            assert_eq!(commands, usize::from(case.has_command), "{name}");
            // Both writes were tried, whichever failed first.
            let writes = operation.effects().filter(|e| is_write(&e.effect)).count();
            assert_eq!(writes, 2, "{name}");
            assert_eq!(snapshot.groups[DB.at()].leader, Some(operation.to), "{name}");
            never_advises_another(&run, &name);
            // Neither does anything later.
            run.wait(Span::mins(2));
            assert_eq!(run.core.engine.state().operations.len(), 1, "{name}");
            assert!(run.snapshot().proposals.is_empty(), "{name}: {:?}", run.snapshot().proposals);
            never_advises_another(&run, &name);
            run.replays();
        }
    }
}

fn never_advises_another(run: &Run, name: &str) {
    for record in run.core.keep.iter().flatten() {
        if let Event::StatusChanged { status: Status::Waiting { question }, .. } = &record.event {
            let advises = matches!(
                question,
                Question::StepFailed { way_out: WayOut::FailOverAnew, .. } | Question::AnswersNoMore { .. }
            );
            assert!(!advises, "{name}: {question:?}");
        }
    }
}

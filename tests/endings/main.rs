//! Operations that cannot go on close themselves with a reason, and the next disaster of the same database is answered.

mod harness;
mod validation;

use bpci::model::*;
use bpci::sim::Rival;
use harness::*;

/// The ways in which an operation was left unfinished for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    ValidationFailed,
    FenceFailed,
    OneShotKilled,
    StoppedBeforeProtection,
    Overtaken,
}

const WAYS: [Way; 5] = [
    Way::ValidationFailed,
    Way::FenceFailed,
    Way::OneShotKilled,
    Way::StoppedBeforeProtection,
    Way::Overtaken,
];

fn has_sent(o: &Operation, is: impl Fn(&Effect) -> bool) -> bool {
    o.effects().any(|e| is(&e.effect))
}

/// Up to the moment at which the first operation is over, with the cluster whole again.
fn first_disaster(way: Way, seed: u64, cooldown: Span) -> Run {
    let mut run = Run::new(seed, |estate| estate.policy.limits.cooldown = cooldown);
    match way {
        Way::ValidationFailed => run.core.door.validation_fails = true,
        Way::FenceFailed => run.core.door.fencing = Fencing::Fails,
        _ => {}
    }
    run.strike(FaultKind::NodeFailure, "us-east-1");
    let operation = |s: &Snapshot| s.operations.back().cloned();
    match way {
        Way::ValidationFailed | Way::FenceFailed => {}
        Way::OneShotKilled => {
            let fences = |s: &Snapshot| {
                operation(s).is_some_and(|o| has_sent(&o, |e| matches!(e, Effect::Fence { .. })))
            };
            run.until(Span::secs(60), "a fence that is sent", fences);
            run.restart(Span::secs(50), false);
            run.wait(Span::secs(5));
            let typed = run.estate.name.clone();
            run.order(Action::Arm { typed }).unwrap_or_else(|e| panic!("{e:?}"));
        }
        Way::StoppedBeforeProtection | Way::Overtaken => {
            run.until(Span::secs(60), "a promotion", |s| {
                operation(s).is_some_and(|o| o.results.promoted.is_some())
            });
            assert!(!run.last().is_over());
            if way == Way::StoppedBeforeProtection {
                run.restart(Span::secs(20), true);
            } else {
                // Nobody watches while a second election overtakes the target.
                run.restart(Span::secs(20), false);
                run.core.door.world.switch_on(None);
                run.strike(FaultKind::NodeFailure, "us-west-2");
                run.restart(Span::secs(60), true);
            }
        }
    }
    run.until(Span::mins(3), "the end of the first operation", |s| operation(s).is_some_and(|o| o.is_over()));
    let ended = run.last().status.clone();
    let as_meant = match way {
        Way::ValidationFailed => matches!(ended, Status::NotValidated { .. }),
        Way::FenceFailed | Way::Overtaken => {
            matches!(ended, Status::ElectedElsewhere { .. } | Status::TargetLost)
        }
        Way::OneShotKilled | Way::StoppedBeforeProtection => {
            matches!(ended, Status::Recovered | Status::ElectedElsewhere { .. })
        }
    };
    assert!(as_meant, "{way:?}, seed {seed}: {ended:?}");
    run.mend();
    run
}

#[test]
fn a_second_disaster_is_answered_by_order_whatever_became_of_the_first() {
    for way in WAYS {
        for seed in 1..=8 {
            let mut run = first_disaster(way, seed, Span::mins(60));
            let leads = run.primary();
            run.strike(FaultKind::NodeFailure, &leads);
            // Automation rests, and the screens say for how long.
            let rests = |s: &Snapshot| s.proposals.first().is_some_and(|v| v.automatic_in.is_none());
            let snapshot = run.until(Span::secs(60), "a choice without a countdown", rests);
            let view = &snapshot.groups[DB.at()];
            assert!(view.blocked_until.is_some() || !run.first().automatic, "{way:?}, seed {seed}");
            assert!(
                matches!(view.held, Some(Veto::Cooldown { .. })) || !run.first().automatic,
                "{way:?}, seed {seed}: {:?}",
                view.held
            );
            let id = run.fail_over();
            run.until(Span::mins(2), "a recovery by order", |s| {
                s.operations.back().is_some_and(|o| o.id == id && o.status == Status::Recovered)
            });
            run.replays();
        }
    }
}

#[test]
fn a_second_disaster_is_answered_by_automation_without_a_cooldown() {
    for way in WAYS {
        for seed in 1..=8 {
            let mut run = first_disaster(way, seed, Span::ZERO);
            let (leads, first) = (run.primary(), run.last().id);
            run.strike(FaultKind::NodeFailure, &leads);
            let recovered = |s: &Snapshot| {
                s.operations
                    .back()
                    .is_some_and(|o| o.id != first && o.automatic && o.status == Status::Recovered)
            };
            run.until(Span::mins(3), &format!("{way:?}, seed {seed}: an automatic recovery"), recovered);
            run.replays();
        }
    }
}

/// A primary that lives and cannot be seen by us: somebody overrules the observers, and the fence does not do its work.
fn overruled(fencing: Fencing, seed: u64) -> Run {
    let mut run = Run::new(seed, |_| {});
    run.core.door.fencing = fencing;
    overrule(&mut run);
    run
}

/// Confirms a failover of the primary although it answers.
fn overrule(run: &mut Run) {
    let propose = Action::Propose {
        group: DB,
        intent: Intent::Failover,
        from: None,
        to: None,
        reason: "overruled".to_string(),
    };
    run.order(propose).unwrap_or_else(|e| panic!("{e:?}"));
    let snapshot = run.until(Span::secs(30), "a choice that can be overruled", |s| {
        s.proposals.first().is_some_and(|v| v.assessment.overrule.is_some())
    });
    let view = &snapshot.proposals[0];
    let confirmation = Confirmation {
        manual_override: true,
        accepts: view.assessment.risks.clone(),
        ..view.confirmed(snapshot.now.utc, "us-east-1")
    };
    run.order(Action::Confirm(confirmation)).unwrap_or_else(|e| panic!("{e:?}"));
}

/// Whether a balancer leads writes to the primary.
fn serves(s: &Snapshot) -> bool {
    s.groups[DB.at()].drained.is_empty()
}

/// The fence fails, or answers 0 while the member lives: users are back on the healthy primary, without anybody's order, and the
/// next operation may begin.
#[test]
fn users_are_back_on_a_healthy_primary_after_a_fence_that_failed() {
    for lies in [false, true] {
        for seed in 1..=8 {
            let mut run = overruled(if lies { Fencing::Lies } else { Fencing::Fails }, seed);
            let drained = |s: &Snapshot| s.operations.back().is_some_and(|o| !o.obligations().is_empty());
            run.until(Span::secs(30), "a drain", drained);
            let over = |s: &Snapshot| s.operations.back().is_some_and(|o| o.status == Status::RolledBack);
            run.until(Span::secs(60), "the operation to undo its drain", over);
            run.until(Span::secs(3), &format!("users to be served; lies: {lies}, seed {seed}"), serves);
            let operation = run.last();
            assert!(
                !has_sent(&operation, |e| matches!(e, Effect::HandOver(_) | Effect::UndoFence { .. })),
                "{:?}",
                operation.steps
            );
            assert!(
                run.core.engine.state().obligations(DB).next().is_none(),
                "{:?}",
                operation.obligations()
            );
            assert_eq!(run.primary(), "us-east-1");
            run.replays();
        }
    }
}

/// The fence command never ends: nothing is undone by itself, the condition is told, and a person restores traffic.
#[test]
fn a_fence_that_hangs_is_told_and_a_person_restores_traffic() {
    for seed in 1..=4 {
        let mut run = overruled(Fencing::Hangs, seed);
        let told = |s: &Snapshot| {
            !serves(s) && s.gaps.iter().any(|gap| matches!(gap, Gap::PrimaryInMaintenance { .. }))
        };
        run.until(Span::mins(4), "the condition", told);
        let operation = run.last();
        assert!(!operation.is_over(), "{:?}", operation.status);
        assert!(operation.obligations().iter().any(|o| matches!(o, Obligation::Drained { .. })));
        assert!(matches!(operation.status, Status::Waiting { .. }), "{:?}", operation.status);
        run.order(Action::Rollback { operation: operation.id }).unwrap_or_else(|e| panic!("{e:?}"));
        run.until(Span::secs(10), "users to be served", serves);
        run.replays();
    }
}

/// A person puts another operation in the place of one that waits: its confirmation names that one, and what is to be undone
/// passes on.
#[test]
fn a_waiting_operation_is_superseded_by_a_confirmation_that_names_it() {
    let mut run = Run::new(3, |_| {});
    run.core.door.fencing = Fencing::Fails;
    run.strike(FaultKind::NodeFailure, "us-east-1");
    let waits = |s: &Snapshot| s.operations.back().is_some_and(|o| o.may_be_superseded());
    run.until(Span::secs(60), "an operation that waits", waits);
    let old = run.last();
    assert!(!old.obligations().is_empty());
    run.core.door.fencing = Fencing::Works;
    let propose = Action::Propose {
        group: DB,
        intent: Intent::Failover,
        from: None,
        to: None,
        reason: "once more".to_string(),
    };
    run.order(propose).unwrap_or_else(|e| panic!("{e:?}"));
    let snapshot = run.until(Span::secs(5), "a choice", |s| {
        s.proposals.first().is_some_and(|v| v.assessment.can_be_confirmed())
    });
    let view = &snapshot.proposals[0];
    assert_eq!(view.assessment.supersedes, Some(old.id));
    let unnamed = Confirmation { supersedes: None, ..view.confirmed(snapshot.now.utc, "us-east-1") };
    let refused = run.order(Action::Confirm(unnamed));
    assert!(refused.as_ref().is_err_and(|e| e.law == Some(7)), "{refused:?}");
    let named = view.confirmed(snapshot.now.utc, "us-east-1");
    run.order(Action::Confirm(named)).unwrap_or_else(|e| panic!("{e:?}"));
    let (first, new) = (run.first(), run.last());
    assert_eq!(first.status, Status::Superseded { by: new.id });
    assert_eq!((first.obligations(), new.inherited.clone()), (Vec::new(), old.obligations()));
    let recovered = |s: &Snapshot| s.operations.back().is_some_and(|o| o.status == Status::Recovered);
    run.until(Span::mins(1), "the new one to recover", recovered);
    // What it inherited proved nothing: it fenced by itself.
    assert!(run.last().effects().any(|e| e.is_done() && matches!(e.effect, Effect::Fence { .. })));
    run.replays();
}

/// Automation that does not act says why, once, in the record and on the screens.
#[test]
fn automation_that_does_not_act_says_why_once() {
    type Prepare = fn(&mut Run);
    type Expected = fn(&Veto) -> bool;
    let cases: [(&str, Prepare, Expected); 4] = [
        (
            "paused",
            |run| run.strike(FaultKind::Paused, "us-east-1"),
            |v| matches!(v, Veto::Blocked { check } if check.id == CheckId::Paused),
        ),
        (
            "no candidate without loss",
            |run| {
                for region in ["us-west-2", "eu-west-1"] {
                    run.strike(FaultKind::StandbyLost, region);
                }
                run.wait(Span::secs(5));
            },
            |v| matches!(v, Veto::Blocked { .. } | Veto::Risky { .. }),
        ),
        (
            "capacity",
            |run| run.core.door.world.inject(overload(run)),
            |v| matches!(v, Veto::TargetShort { .. }),
        ),
        ("an operation that waits", waiting, |v| matches!(v, Veto::Unfinished { .. })),
    ];
    for (name, prepare, expected) in cases {
        let mut run = Run::new(11, |_| {});
        prepare(&mut run);
        run.strike(FaultKind::NodeFailure, "us-east-1");
        let told = |s: &Snapshot| s.groups[DB.at()].held.is_some();
        let snapshot = run.until(Span::secs(60), &format!("{name}: why automation does not act"), told);
        let veto = snapshot.groups[DB.at()].held.clone();
        assert!(veto.as_ref().is_some_and(expected), "{name}: {veto:?}");
        run.wait(Span::secs(20));
        let records = run.core.keep.clone().unwrap_or_default();
        let held: Vec<&Veto> = records
            .iter()
            .filter_map(|r| if let Event::AutomationHeld { veto, .. } = &r.event { Some(veto) } else { None })
            .collect();
        assert!(held.iter().any(|v| expected(v)), "{name}: {held:?}");
        for (i, one) in held.iter().enumerate() {
            assert!(!held[..i].iter().any(|before| before.is_like(one)), "{name}: told twice: {one:?}");
        }
        run.replays();
    }
}

/// The targets are full.
fn overload(run: &Run) -> Fault {
    let region = run.estate.region_named("us-west-2").unwrap_or_else(|| panic!("no region"));
    Fault { kind: FaultKind::CapacityExhaustion, region, group: None }
}

/// A failover of a primary that lives, whose fence hangs: it waits for a person.
fn waiting(run: &mut Run) {
    run.core.door.fencing = Fencing::Hangs;
    overrule(run);
    run.until(Span::mins(4), "an operation that waits", |s| {
        s.operations.back().is_some_and(|o| matches!(o.status, Status::Waiting { .. }))
    });
}

/// Another controller took the standby out of the balancers and died. Our failover leads to that standby: users get their way to it,
/// and what the other had left to be undone is undone with ours.
#[test]
fn what_a_dead_controller_left_is_undone_by_who_takes_over() {
    for seed in 1..=8 {
        let mut run = Run::new(seed, |_| {});
        run.core.door.world.rival(Rival::Claims { at: Span::secs(16), holds: Span::secs(2), dies: true });
        run.wait(Span::secs(60));
        run.strike(FaultKind::NodeFailure, "us-east-1");
        let over = |s: &Snapshot| s.operations.back().is_some_and(|o| o.is_over());
        let snapshot = run.until(Span::mins(3), "an operation that is over", over);
        let operation = snapshot.operations.back().cloned().unwrap_or_else(|| panic!("seed {seed}"));
        assert_eq!(operation.status, Status::Recovered, "seed {seed}");
        let target =
            |o: &Obligation| matches!(o, Obligation::Drained { member, .. } if *member == operation.to);
        assert!(operation.inherited.iter().any(target), "seed {seed}: {:?}", operation.inherited);
        assert!(!operation.obligations().iter().any(target), "seed {seed}: {:?}", operation.obligations());
        run.mend();
        run.until(Span::mins(2), "nothing to be left", |s| {
            s.operations.back().is_some_and(|o| o.remains.is_empty() && o.obligations().is_empty())
        });
        let told =
            |r: &Record| matches!(&r.event, Event::TookOver { obligations, .. } if !obligations.is_empty());
        assert_eq!(run.core.keep.iter().flatten().filter(|r| told(r)).count(), 1, "seed {seed}");
        run.replays();
    }
}

/// The cluster was rebuilt under an old journal: nothing new begins on it until a person adopts it by its name.
#[test]
fn a_rebuilt_cluster_allows_no_new_operation_until_it_is_adopted() {
    let mut run = Run::new(21, |_| {});
    assert!(run.core.engine.state().identities.contains_key(&DB));
    run.rebuild(22);
    let changed = |s: &Snapshot| s.gaps.iter().any(|gap| matches!(gap, Gap::IdentityChanged { .. }));
    run.until(Span::secs(30), "the change to be told", changed);
    let propose = || Action::Propose {
        group: DB,
        intent: Intent::Failover,
        from: None,
        to: None,
        reason: "ordered".to_string(),
    };
    run.order(propose()).unwrap_or_else(|e| panic!("{e:?}"));
    run.wait(Span::secs(2));
    let blocked =
        |s: &Snapshot| s.proposals[0].assessment.checks.iter().any(|c| c.id == CheckId::SameCluster);
    assert!(blocked(&run.snapshot()) && !run.snapshot().proposals[0].assessment.can_be_confirmed());
    // Neither does automation, nor a controller that comes after this one.
    run.strike(FaultKind::NodeFailure, "us-east-1");
    run.restart(Span::secs(1), true);
    run.wait(Span::secs(25));
    assert!(run.core.engine.state().operations.is_empty());
    assert!(run.order(Action::Adopt { group: DB, typed: "core".to_string() }).is_err());
    run.order(Action::Adopt { group: DB, typed: "core-db".to_string() }).unwrap_or_else(|e| panic!("{e:?}"));
    run.wait(Span::secs(2));
    assert!(!changed(&run.snapshot()));
    run.replays();
}

/// A member has two servers on each balancer. It is out only when both are, and what names cannot be resolved counts as out.
#[test]
fn a_member_is_out_of_a_balancer_when_all_its_servers_are() {
    type Second = fn(&ServerView) -> ServerView;
    let cases: [(&str, Second, bool); 3] = [
        ("follows the first", |s| ServerView { name: format!("{}-tls", s.name).into(), ..s.clone() }, true),
        (
            "stays in rotation",
            |s| ServerView { name: format!("{}-tls", s.name).into(), maintenance: false, ..s.clone() },
            false,
        ),
        (
            "cannot be resolved",
            |s| ServerView {
                name: format!("{}-tls", s.name).into(),
                unresolved: s.maintenance,
                maintenance: false,
                ..s.clone()
            },
            true,
        ),
    ];
    for (name, second, is_out) in cases {
        let mut run = Run::new(5, |_| {});
        run.core.door.second_server = Some(second);
        run.strike(FaultKind::NodeFailure, "us-east-1");
        let drain = |s: &Snapshot| {
            let operation = s.operations.back()?;
            operation.position(|k| *k == StepKind::DrainTraffic).map(|i| operation.steps[i].state.clone())
        };
        let settled =
            |s: &Snapshot| matches!(drain(s), Some(StepState::Done { .. } | StepState::Failed { .. }));
        let snapshot =
            run.until(Span::secs(90), &format!("{name}: a drain that is done or has failed"), settled);
        assert_eq!(
            matches!(drain(&snapshot), Some(StepState::Done { .. })),
            is_out,
            "{name}: {:?}",
            drain(&snapshot)
        );
    }
}

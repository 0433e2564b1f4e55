//! How an operation stands, after its steps have moved.

use super::ending;
use super::sent::moved_to;
use super::step::{self, Progress};
use super::undo::can_undo;
use crate::engine::kernel::engine::Engine;
use crate::engine::kernel::limits;
use crate::engine::kernel::planted::{self, Break};
use crate::model::*;

pub fn status(engine: &Engine, now: Now, operation: &Operation) -> Status {
    let steps = || operation.plan.steps.iter().zip(&operation.steps);
    if let Some((step, failure)) = operation.failed_step() {
        if !operation.has_acted() && !operation.effects().any(EffectRecord::is_open) {
            return Status::Failed { reason: OperationFailure::Step(failure.clone()) };
        }
        // The new primary takes writes by its own answer: no way out leads to yet another one.
        if operation.failed_validation().is_some() {
            return not_validated_yet(engine, now, operation);
        }
        let moved = moved_to(engine, now, operation).is_some();
        let way_out = match (operation.handed_over() || moved, operation.fenced()) {
            (true, _) => WayOut::FailOverAnew,
            (false, true) if can_undo(engine, operation.group) => WayOut::RollBack,
            (false, true) => WayOut::RollBackFenceByHand,
            (false, false) if operation.has_acted() => WayOut::RollBackTraffic,
            (false, false) => WayOut::Abort,
        };
        return Status::Waiting {
            question: Question::StepFailed { step: step.id.clone(), failure: failure.clone(), way_out },
        };
    }
    let early = planted::is(Break::RecoveredEarly) && operation.handed_over();
    if early || operation.steps.iter().all(|s| s.state.opens()) {
        return if early { Status::Recovered } else { done(engine, now, operation) };
    }
    let cx = engine.facts(now);
    // What any other step waits for is no question.
    let asks = |s: &Step| matches!(s.kind, StepKind::AskPerson { .. } | StepKind::WatchProtection);
    for (index, (step, record)) in
        steps().enumerate().filter(|(_, (s, r))| r.state == StepState::Running && asks(s))
    {
        let waited = record.started_mono.map_or(Span::ZERO, |t| now.mono.since(t));
        match (&step.kind, step::look(&cx, operation, index)) {
            (_, Progress::Ask(what)) => return Status::Waiting { question: Question::Asked { what } },
            // It was handed over to one that is silent by now: to wait for its protection is to wait in vain.
            (StepKind::WatchProtection, Progress::Wait(_))
                if ending::is_silent(&cx, operation) && nothing_else_runs(operation) =>
            {
                return Status::Waiting {
                    question: Question::TargetSilent {
                        member: cx.label(operation.group, operation.to).into_owned(),
                    },
                };
            }
            (StepKind::WatchProtection, Progress::Wait(wait))
                if waited > Span::secs(30) && nothing_else_runs(operation) =>
            {
                // What comes after it in the plan would be left out if somebody accepted.
                let question = match operation.lacks_only_protection() {
                    true => Question::Unprotected { wait },
                    false => Question::PlanWaits { wait },
                };
                return Status::Waiting { question };
            }
            _ => {}
        }
    }
    Status::Running
}

/// A validating write has failed after the promotion, and redirection and protection go on; or all is over, and the new primary does
/// not say that it leads.
pub fn not_validated_yet(engine: &Engine, now: Now, operation: &Operation) -> Status {
    let cx = engine.facts(now);
    let asked = operation.plan.steps.iter().zip(&operation.steps).find_map(|(s, r)| match &s.kind {
        StepKind::AskPerson { what } if r.state == StepState::Running => Some(what.clone()),
        _ => None,
    });
    let member = || cx.label(operation.group, operation.to).into_owned();
    let left = !ending::has_no_step_left(operation);
    let says = cx
        .report_within(operation.group, operation.to, limits::FRESH)
        .map(|r| r.role == MemberRole::Leader && r.running);
    match (asked, says) {
        (Some(what), _) => Status::Waiting { question: Question::Asked { what } },
        (None, _) if ending::is_silent(&cx, operation) => {
            Status::Waiting { question: Question::TargetSilent { member: member() } }
        }
        (None, Some(false)) if !left => {
            Status::Waiting { question: Question::LeadsNoMore { member: member() } }
        }
        // Between two looks nothing is new: what was asked stays asked.
        (None, None) if !left && matches!(operation.status, Status::Waiting { .. }) => {
            operation.status.clone()
        }
        (None, _) => Status::Running,
    }
}

/// Every step was seen done, and since then the new primary has lost its standby: that is waited for once more.
pub fn protection_lost(engine: &Engine, now: Now, operation: &Operation) -> Option<(u16, ResetReason)> {
    let index = operation
        .position(|k| *k == StepKind::WatchProtection)
        .filter(|_| operation.steps.iter().all(|s| s.state.opens()))?;
    let cx = engine.facts(now);
    let leads = cx
        .report_within(operation.group, operation.to, limits::FRESH)
        .is_some_and(|r| r.role == MemberRole::Leader && r.running);
    let known = leads && cx.record_within(operation.group, limits::FRESH).is_some();
    match step::look(&cx, operation, index) {
        Progress::Wait(wait) if known && matches!(operation.steps[index].state, StepState::Done { .. }) => {
            Some((index as u16, ResetReason::ProtectionLost { wait }))
        }
        _ => None,
    }
}

/// The promotion was given up waiting for, and the target leads by now.
pub fn promoted_late(engine: &Engine, now: Now, operation: &Operation) -> Option<(u16, ResetReason)> {
    let index = operation.position(|k| *k == StepKind::WatchPromotion)?;
    let failed = matches!(operation.steps[index].state, StepState::Failed { .. }) && operation.handed_over();
    let cx = engine.facts(now);
    // By its own answer as well: the store alone may name one that leads no more.
    ending::leads(&cx, operation.group, operation.to).filter(|_| failed)?;
    let timeline = cx.report_within(operation.group, operation.to, limits::FRESH)?.timeline?;
    if operation.before.timeline.is_some_and(|before| timeline <= before) {
        return None;
    }
    Some((
        index as u16,
        ResetReason::LeadsNow { member: cx.label(operation.group, operation.to).into_owned() },
    ))
}

/// Every step was seen done. What was seen a while ago is not what is: a new primary that died since then is no recovery.
pub fn done(engine: &Engine, now: Now, operation: &Operation) -> Status {
    let cx = engine.facts(now);
    let promotes = operation.plan.steps.iter().any(|s| s.kind == StepKind::WatchPromotion);
    let Some(member) = cx.member(operation.group, operation.to).filter(|_| promotes) else {
        return Status::Recovered;
    };
    let name = || cx.label(operation.group, operation.to).into_owned();
    match cx
        .report_within(operation.group, operation.to, limits::FRESH)
        .map(|r| r.role == MemberRole::Leader && r.running)
    {
        Some(true) => Status::Recovered,
        Some(false) => Status::Waiting { question: Question::LeadsNoMore { member: name() } },
        None if member.failing_since().is_some() => {
            Status::Waiting { question: Question::AnswersNoMore { member: name() } }
        }
        // Between two looks nothing is new: what was asked stays asked.
        None if matches!(operation.status, Status::Waiting { .. }) => operation.status.clone(),
        None => Status::Running,
    }
}

/// But for protection and questions to a person, what is not done has not begun, or has failed: a plan may go on after it.
pub fn nothing_else_runs(operation: &Operation) -> bool {
    let waits = |s: &Step| matches!(s.kind, StepKind::WatchProtection | StepKind::AskPerson { .. });
    let runs = |s: &Step, r: &StepRecord| r.state == StepState::Running && !waits(s);
    !operation.plan.steps.iter().zip(&operation.steps).any(|(s, r)| runs(s, r))
}

//! The runner: turns what steps want into events and effects.

use super::begins::may_begin;
use super::keep::{keep_claim, release, releases, unreleased};
use super::sent::{given_up, intended, numbered, patience, pauses};
use super::status::{promoted_late, protection_lost, status};
use super::step::{self, Progress};
use super::undo::{roll_back, undo_by_itself};
use super::{ending, remains};
use crate::engine::kernel::engine::Engine;
use crate::engine::kernel::facts::Facts;
use crate::engine::kernel::planted::{self, Break};
use crate::engine::kernel::takeover;
use crate::model::*;
use std::sync::Arc;

/// One round over every operation that is not over, and over what remains of those that are. True if anything changed.
pub fn round(engine: &mut Engine, now: Now) -> bool {
    let before = engine.emitted();
    // Nothing in here begins an operation, or forgets one.
    for index in 0..engine.state.operations.len() {
        let Some(operation) =
            engine.state.operations.get(index).filter(|o| is_left(&engine.facts(now), o)).cloned()
        else {
            continue;
        };
        let id = operation.id;
        lost_reports(engine, now, &operation);
        takeover::adopt(engine, now, &operation);
        keep_claim(engine, now, &operation);
        match &operation.status {
            // Read-only means that nothing acts, not even what remains.
            Status::RollingBack { .. } if engine.state.armed => roll_back(engine, now, &operation),
            Status::RollingBack { .. } => {}
            status if status.is_over() => {
                if engine.state.armed
                    && unreleased(&engine.facts(now), &operation)
                    && !releases(&operation).any(EffectRecord::is_open)
                {
                    release(engine, now, &operation);
                }
                remains::settle(engine, now, &operation);
            }
            _ => {
                // Whoever holds it while it changes makes a copy of it necessary.
                drop(operation);
                steps(engine, now, id);
                settle(engine, now, id);
            }
        }
    }
    engine.emitted() > before
}

fn is_left(cx: &Facts, operation: &Operation) -> bool {
    !operation.is_over() || !operation.remains.is_empty() || unreleased(cx, operation)
}

/// Effects whose report is overdue, or whose controller is gone, are looked for.
fn lost_reports(engine: &mut Engine, now: Now, operation: &Operation) {
    for effect in operation.effects().filter(|e| e.is_open()) {
        if planted::is(Break::SentTwice)
            && !effect.orphaned
            && operation.effects().filter(|e| e.id == effect.id).count() == 1
        {
            return engine.emit(now, Event::Intended { id: effect.id, effect: effect.effect.clone() });
        }
        if effect.orphaned && planted::is(Break::UnknownIsMissed) {
            engine.emit(
                now,
                Event::Reported { id: effect.id, outcome: Outcome::Missed { reason: "planted".to_string() } },
            );
        } else if effect.orphaned {
            let issued = Issued { id: effect.id, effect: effect.effect.clone() };
            engine.look_for(now, issued);
        } else if now.mono.since(effect.intended) > patience(engine, &effect.effect)
            && !planted::is(Break::WaitsForEver)
        {
            engine.emit(now, Event::OutcomeLost { id: effect.id, reason: LostReason::Overdue });
        }
    }
}

fn steps(engine: &mut Engine, now: Now, id: OperationId) {
    for index in 0..engine.state.operation(id).map_or(0, |o| o.plan.steps.len()) {
        // Each step sees what the ones before it have just changed.
        let Some(current) = engine.state.operation(id) else { return };
        let record = &current.steps[index];
        let number = index as u16;
        if record.state == StepState::Pending {
            if !may_begin(current, index) {
                continue;
            }
            engine.emit(now, Event::StepStarted { operation: id, step: number });
        } else if record.state != StepState::Running {
            continue;
        }
        advance(engine, now, id, index);
    }
}

fn advance(engine: &mut Engine, now: Now, id: OperationId, index: usize) {
    let Some(operation) = engine.state.operation(id) else { return };
    let (step, number) = (&operation.plan.steps[index], index as u16);
    let progress = match step::look(&engine.facts(now), operation, index) {
        Progress::Send(part, _) | Progress::Promote(part, _) if pauses(operation, number, part, now.mono) => {
            Progress::Wait(WaitReason::Claim(ClaimWait::FreshAnswer))
        }
        other => other,
    };
    match progress {
        Progress::Done(evidence) => {
            let proofs =
                if step.kind == StepKind::Fence { fence_proofs(operation, index) } else { Vec::new() };
            for proof in proofs {
                engine.emit(now, proof);
            }
            engine.emit(now, Event::StepDone { operation: id, step: number, evidence });
        }
        Progress::Skip(reason) => {
            engine.emit(now, Event::StepSkipped { operation: id, step: number, reason })
        }
        Progress::Fail(reason) => engine.emit(now, Event::StepFailed { operation: id, step: number, reason }),
        Progress::Promoted(timeline, loss) => {
            engine.emit(now, Event::Promoted { operation: id, timeline, loss })
        }
        Progress::Send(part, effect) => {
            let intent = intended(operation, number, part, effect);
            engine.emit(now, intent);
        }
        Progress::Promote(part, proven) => {
            let id = numbered(operation, number, part);
            engine.promote(now, proven.under(id));
        }
        Progress::Ask(_) => {}
        Progress::Wait(wait) => {
            // Protection is waited for as long as it takes; the status says so, and a person may accept.
            let waited = operation.steps[index].started_mono.map_or(Span::ZERO, |t| now.mono.since(t));
            // Not where the operation is to close all the same: who is asked to accept what was not validated?
            let patient = (matches!(step.kind, StepKind::WatchProtection)
                && operation.failed_validation().is_none())
                || (step.kind.acts() && !engine.state.armed)
                || operation.steps[index]
                    .effects
                    .iter()
                    .any(|e| e.outcome.is_none() && !given_up(engine, now, e));
            if waited > step.timeout && !patient {
                engine.emit(
                    now,
                    Event::StepFailed {
                        operation: id,
                        step: number,
                        reason: StepFailure::Waited { waited, wait },
                    },
                );
            }
        }
    }
}

fn fence_proofs(operation: &Operation, index: usize) -> Vec<Event> {
    let effects = &operation.steps[index].effects;
    let proof = |member: &MemberId| {
        let effect = Effect::Fence { group: operation.group, member: *member };
        let fence = effects.iter().rev().find(|e| e.effect == effect)?;
        let took_ms = fence.reported?.since(fence.intended).0;
        Some(Event::FenceProven { group: operation.group, member: *member, took_ms })
    };
    operation.left.iter().filter_map(proof).collect()
}

/// Says how the operation stands, after its steps have moved.
fn settle(engine: &mut Engine, now: Now, id: OperationId) {
    let Some(operation) = engine.state.operation(id) else { return };
    if let Some((step, reason)) = protection_lost(engine, now, operation) {
        return engine.emit(now, Event::StepReset { operation: id, step, reason });
    }
    if let Some((step, reason)) = promoted_late(engine, now, operation) {
        return engine.emit(now, Event::StepReset { operation: id, step, reason });
    }
    if engine.state.armed
        && !engine.state.changed.contains_key(&operation.group)
        && ending::old_primary_leads_on(&engine.facts(now), operation)
    {
        let operation = Arc::clone(operation);
        return undo_by_itself(engine, now, &operation);
    }
    let status = ending::of(engine, now, operation).unwrap_or_else(|| status(engine, now, operation));
    if status != operation.status {
        if status.is_over() {
            let operation = Arc::clone(operation);
            release(engine, now, &operation);
        }
        engine.emit(now, Event::StatusChanged { operation: id, status });
    }
}

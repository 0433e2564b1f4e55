//! What a failed operation has left behind is undone.

use super::keep::{claimed, release};
use super::sent::{REMAIN, UNDO, given_up, moved_to, send, step_of};
use super::step;
use crate::engine::kernel::claim::{self, Standing};
use crate::engine::kernel::engine::Engine;
use crate::model::*;

pub fn can_undo(engine: &Engine, group: GroupId) -> bool {
    engine
        .state
        .estate
        .group(group)
        .database
        .as_ref()
        .and_then(|d| d.fence.as_ref())
        .is_some_and(|f| f.undo.is_some())
}

/// The old primary leads on, healthy: users get their way to it back.
pub fn undo_by_itself(engine: &mut Engine, now: Now, operation: &Operation) {
    for member in operation.left.iter().copied().take(1) {
        let remainder = Remainder::Rejoin { member };
        if operation.remains.contains(&remainder) {
            let evidence =
                Evidence::LeadsOn { member: engine.facts(now).label(operation.group, member).into_owned() };
            engine.emit(now, Event::RemainderDone { operation: operation.id, remainder, evidence });
        }
    }
    let status = Status::RollingBack { by: Actor::Part(Part::Bpci) };
    engine.emit(now, Event::StatusChanged { operation: operation.id, status });
}

/// Undoes the fence and the drain; what was never done needs no undoing. A drain is undone without waiting for the fence: it
/// needs nothing of it.
pub fn roll_back(engine: &mut Engine, now: Now, operation: &Operation) {
    let is_awaited = |e: &EffectRecord| e.is_open() && !given_up(engine, now, e);
    let mut waits = operation.effects().any(|e| e.id.part < UNDO && is_awaited(e));
    let standing = claimed(operation).map(|_| claim::standing(&engine.facts(now), operation));
    match standing {
        None | Some(Standing::Holds) => {}
        // What was sent before the claim was lost is heard to its end.
        Some(Standing::Lost(_)) if operation.effects().any(is_awaited) => return,
        Some(Standing::Lost(lost)) => {
            let status =
                Status::Failed { reason: OperationFailure::NotUndone(NotUndone::ClaimLost(Box::new(lost))) };
            return engine.emit(now, Event::StatusChanged { operation: operation.id, status });
        }
        Some(Standing::Wait(_) | Standing::Send(_)) => return,
    }
    let mut undo: Vec<(u16, u16, Effect)> = Vec::new();
    // Beside a new leader the old primary is not brought back; and what has no undo is not called undone.
    let moved = moved_to(engine, now, operation);
    let can_undo = can_undo(engine, operation.group) && moved.is_none();
    let mut left = None;
    let group = operation.group;
    for obligation in operation.obligations().into_iter().filter(|o| operation.left.contains(&o.member())) {
        let under_way = |is: &dyn Fn(&Effect) -> bool| {
            operation.effects().any(|e| is(&e.effect) && e.is_open() && !given_up(engine, now, e))
        };
        match obligation {
            Obligation::Drained { member, balancer } => {
                let drain = Effect::Drain { group, member, balancer };
                if under_way(&|e| *e == drain) {
                    continue;
                }
                let step = step_of(operation, |k| *k == StepKind::DrainTraffic);
                undo.push((
                    step,
                    UNDO + step::part_of(balancer.at() + 1, member.at()),
                    Effect::Restore { group, member, balancer },
                ));
            }
            Obligation::Fenced { .. } if waits => {}
            Obligation::Fenced { member } if can_undo => {
                undo.push((
                    step_of(operation, |k| *k == StepKind::Fence),
                    UNDO + member.0,
                    Effect::UndoFence { group, member },
                ));
            }
            Obligation::Fenced { member } => {
                let cx = engine.facts(now);
                let name = |m: MemberId| cx.label(group, m).into_owned();
                left = Some(match moved {
                    Some(leader) => NotUndone::FenceStands { leader: name(leader), member: name(member) },
                    None => NotUndone::NoUndo { member: name(member) },
                });
            }
        }
    }
    undo.dedup_by(|a, b| a.2 == b.2);
    // What was sent is heard to its end, also where it would not be sent any more.
    let mut open = operation
        .effects()
        .any(|e| (UNDO..REMAIN).contains(&e.id.part) && e.is_open() && !given_up(engine, now, e));
    for (step, part, effect) in undo {
        if !operation.effects().any(|e| e.effect == effect && e.id.part == part && !e.is_missed()) {
            open = true;
            send(engine, now, operation, step, part, effect);
        }
    }
    waits |= open;
    if !waits {
        let failed = operation.effects().find_map(|e| match (&e.outcome, e.id.part >= UNDO) {
            (
                Some(outcome @ (Outcome::NotDone { .. } | Outcome::Assumed { .. } | Outcome::Ended { .. })),
                true,
            ) => Some(NotUndone::Effect { effect: e.effect.kind(), outcome: outcome.clone() }),
            _ if e.id.part >= UNDO && e.is_open() => Some(NotUndone::Unknown { effect: e.effect.kind() }),
            _ => None,
        });
        release(engine, now, operation);
        let status = failed
            .or(left)
            .map_or(Status::RolledBack, |why| Status::Failed { reason: OperationFailure::NotUndone(why) });
        engine.emit(now, Event::StatusChanged { operation: operation.id, status });
    }
}

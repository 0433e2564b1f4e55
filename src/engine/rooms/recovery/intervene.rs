//! Orders about an operation that runs, or has ended: abort it, undo it, answer what it asks.

use super::{keep, sent};
use crate::engine::kernel::engine::Engine;
use crate::engine::kernel::limits;
use crate::engine::kernel::planted::{self, Break};
use crate::model::*;
use std::sync::Arc;

pub fn running(engine: &Engine, id: OperationId) -> Result<Arc<Operation>, Refusal> {
    match engine.state.operation(id) {
        None => Err(Refusal::new(Listed::Operation)),
        Some(o) if o.is_over() => {
            Err(Refusal::new(OperationRefused::IsOver { operation: id, status: Box::new(o.status.clone()) }))
        }
        Some(o) => Ok(Arc::clone(o)),
    }
}

pub fn abort(engine: &mut Engine, now: Now, by: &Actor, id: OperationId) -> Result<Receipt, Refusal> {
    let operation = running(engine, id)?;
    if operation.handed_over() {
        // Nothing can be taken back, but one that cannot finish must not keep the next failover away.
        let leads = engine
            .facts(now)
            .report_within(operation.group, operation.to, limits::FRESH)
            .is_some_and(|r| r.role == MemberRole::Leader);
        if leads && !matches!(operation.status, Status::Waiting { .. }) {
            return Err(Refusal::by_law(11, OperationRefused::HandedOver { operation: id }));
        }
    } else if operation.has_acted() && sent::moved_to(engine, now, &operation).is_none() {
        return Err(Refusal::by_law(11, OperationRefused::HasActed { operation: id }));
    }
    // A validating write changes nothing for others, nor does a claim: it is released as soon as it is known to stand.
    let harmless = |e: &EffectRecord| {
        matches!(e.effect, Effect::ValidateWrite { .. })
            || (matches!(e.effect, Effect::Claim { .. }) && e.orphaned)
    };
    let unheard = operation.effects().any(|e| e.is_open() && !harmless(e) && !sent::given_up(engine, now, e));
    if unheard && !planted::is(Break::AbortedUnheard) {
        return Err(Refusal::by_law(3, OperationRefused::AwaitsEffect { operation: id }));
    }
    keep::release(engine, now, &operation);
    engine.emit(now, Event::StatusChanged { operation: id, status: Status::Aborted { by: by.clone() } });
    Ok(Receipt::Done)
}

pub fn rollback(engine: &mut Engine, now: Now, by: &Actor, id: OperationId) -> Result<Receipt, Refusal> {
    let operation = running(engine, id)?;
    if operation.handed_over() && !planted::is(Break::UndoneTooLate) {
        return Err(Refusal::by_law(11, OperationRefused::HandedOver { operation: id }));
    }
    if let Some(leader) = sent::moved_to(engine, now, &operation) {
        let member = engine.facts(now).label(operation.group, leader).into_owned();
        return Err(Refusal::by_law(11, OperationRefused::LedBy { member }));
    }
    engine.emit(now, Event::StatusChanged { operation: id, status: Status::RollingBack { by: by.clone() } });
    Ok(Receipt::Done)
}

pub fn answer_step(
    engine: &mut Engine,
    now: Now,
    by: &Actor,
    id: OperationId,
    number: u16,
    done: bool,
    note: &str,
) -> Result<Receipt, Refusal> {
    let operation = running(engine, id)?;
    let (Some(step), Some(record)) =
        (operation.plan.steps.get(usize::from(number)), operation.steps.get(usize::from(number)))
    else {
        return Err(Refusal::new(Listed::Step));
    };
    let said = || Said { by: by.clone(), note: note.to_string() };
    match (&step.kind, &record.state) {
        (StepKind::AskPerson { .. }, StepState::Running) => {
            let event = match done {
                true => Event::StepDone { operation: id, step: number, evidence: Evidence::Said(said()) },
                false => Event::StepFailed { operation: id, step: number, reason: StepFailure::Said(said()) },
            };
            engine.emit(now, event);
        }
        (_, StepState::Failed { .. }) if !done => {
            let open = || record.effects.iter().filter(|e| e.is_open());
            if let Some(sent) = open().find(|e| !e.orphaned) {
                return Err(Refusal::by_law(
                    3,
                    OperationRefused::UnderWay { effect: sent.effect.kind(), step: step.id.clone() },
                ));
            }
            // What could not be observed is a person's to say. Each effect bears being sent again: it compares, or is the
            // same when it was done before.
            for unknown in open() {
                let outcome = Outcome::Assumed { reason: AssumedReason::Said(said()) };
                engine.emit(now, Event::Reported { id: unknown.id, outcome });
            }
            engine.emit(
                now,
                Event::StepReset { operation: id, step: number, reason: ResetReason::OnceMore(said()) },
            );
            engine.look_closely(now, operation.group);
        }
        // What safety rests on cannot be answered away.
        (
            StepKind::DrainTraffic
            | StepKind::RestoreTraffic
            | StepKind::RunCommand { .. }
            | StepKind::AskPerson { .. },
            StepState::Failed { .. },
        ) => {
            engine.emit(
                now,
                Event::StepSkipped { operation: id, step: number, reason: SkipReason::LeftOut(said()) },
            );
        }
        (_, StepState::Failed { .. }) => {
            return Err(Refusal::by_law(6, OperationRefused::StepNeeded { step: step.id.clone() }));
        }
        _ => return Err(Refusal::new(OperationRefused::StepAsksNothing { step: step.id.clone() })),
    }
    Ok(Receipt::Done)
}

pub fn accept_unprotected(
    engine: &mut Engine,
    now: Now,
    by: &Actor,
    id: OperationId,
) -> Result<Receipt, Refusal> {
    let operation = running(engine, id)?;
    if !operation.lacks_only_protection() {
        return Err(Refusal::by_law(6, OperationRefused::LacksMoreThanProtection { operation: id }));
    }
    let cx = engine.facts(now);
    if !cx
        .report_within(operation.group, operation.to, limits::FRESH)
        .is_some_and(|r| r.role == MemberRole::Leader)
    {
        let member = cx.label(operation.group, operation.to).into_owned();
        return Err(Refusal::by_law(6, OperationRefused::NotSeenToLead { member }));
    }
    let status = Status::RecoveredUnprotected { by: by.clone() };
    engine.emit(now, Event::StatusChanged { operation: id, status });
    Ok(Receipt::Done)
}

//! An operation keeps its claim while it goes on, and gives it back when it is over.

use super::sent::{REMAIN, send};
use super::step;
use crate::engine::kernel::claim::{self, Standing};
use crate::engine::kernel::engine::Engine;
use crate::engine::kernel::facts::Facts;
use crate::engine::kernel::takeover;
use crate::model::*;

/// An operation that goes on keeps its claim, also while it waits for a person: what lapsed is taken up again.
pub fn keep_claim(engine: &mut Engine, now: Now, operation: &Operation) {
    if operation.is_over() || !engine.state.armed {
        return;
    }
    let Some(step) = claimed(operation).map(|e| e.id.step) else { return };
    if let Standing::Send(effect) = claim::standing(&engine.facts(now), operation) {
        send(engine, now, operation, step, step::CLAIM, *effect);
    }
}

/// The first claim of an operation that is known to have happened.
pub fn claimed(operation: &Operation) -> Option<&EffectRecord> {
    operation.effects().find(|e| matches!(e.effect, Effect::Claim { .. }) && e.is_done())
}

/// It is over, and the store may not know it yet, or not what is left of it.
pub fn unreleased(cx: &Facts, operation: &Operation) -> bool {
    // The claim of the operation that superseded it stands in its place.
    if matches!(operation.status, Status::Superseded { .. }) {
        return false;
    }
    if operation.effects().any(|e| matches!(e.effect, Effect::Claim { .. }) && e.is_open()) {
        return true;
    }
    if claimed(operation).is_none() {
        return false;
    }
    // Once when it is over, and once more when nothing is left of it.
    let mut told = releases(operation).filter(|e| !e.is_missed());
    match (told.next(), told.next()) {
        (None, _) => true,
        (Some(first), None) => {
            first.is_open() || (operation.remains.is_empty() && !tells(cx, operation, &first.effect))
        }
        (Some(_), Some(second)) => second.is_open(),
    }
}

/// The release says what is left of the operation now.
pub fn tells(cx: &Facts, operation: &Operation, release: &Effect) -> bool {
    let Effect::Release { over, .. } = release else { return false };
    Claim::read(over).is_none_or(|c| {
        c.owner.is_none() || c.obligations.is_empty() || Some(c.obligations) == takeover::left(cx, operation)
    })
}

pub fn releases(operation: &Operation) -> impl Iterator<Item = &EffectRecord> {
    operation.effects().filter(|e| matches!(e.effect, Effect::Release { .. }))
}

/// Tells other controllers that it is over, and what is left of it.
pub fn release(engine: &mut Engine, now: Now, operation: &Operation) {
    let Some(step) = claimed(operation).map(|e| e.id.step) else { return };
    let Some(claim) = Claim::read(&operation.before.claim) else { return };
    let obligations = takeover::left(&engine.facts(now), operation).unwrap_or_default();
    let over = Claim { running: false, phase: ClaimPhase::Over, obligations, ..claim };
    let effect =
        Effect::Release { group: operation.group, value: operation.before.claim.clone(), over: over.write() };
    send(engine, now, operation, step, REMAIN, effect);
}

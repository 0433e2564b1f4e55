//! The laws as assertions: each event is held against the state before it. The decisions above are built so that none
//! of these can fail; this is the second, independent look.

use super::state::State;
use crate::model::*;

/// The law that an event would break, with how.
pub fn broken_by(state: &State, at: Now, event: &Event) -> Option<(u8, Breach)> {
    if super::planted::blind() {
        return None;
    }
    match event {
        Event::OperationStarted(start) => {
            if let Some(running) = state.running(start.group) {
                return Some((7, Breach::TwoRun { begins: start.id, runs: running.id }));
            }
            (start.generation <= state.generation)
                .then_some((7, Breach::GenerationStands { generation: start.generation }))
        }
        Event::Superseded { old, .. } => {
            let waits = state.operation(*old).is_some_and(|o| o.may_be_superseded());
            (!waits).then_some((3, Breach::SupersededTooEarly { operation: *old }))
        }
        Event::Intended { id, effect } => intended(state, at, *id, effect),
        Event::StepReset { operation, step, .. } => {
            let open = state
                .operation(*operation)
                .and_then(|o| o.steps.get(usize::from(*step)))
                .is_some_and(|s| s.effects.iter().any(EffectRecord::is_open));
            open.then_some((3, Breach::ResetUnknown))
        }
        Event::StatusChanged { operation, status: Status::Recovered } => {
            let operation = state.operation(*operation)?;
            let proven = operation.intent() == Intent::Guided
                || (operation.results.promoted.is_some()
                    && operation.results.writable.is_some()
                    && operation.steps.iter().all(|s| s.state.opens()));
            (!proven).then_some((6, Breach::RecoveredUnseen { operation: operation.id }))
        }
        _ => None,
    }
}

fn intended(state: &State, at: Now, id: EffectId, effect: &Effect) -> Option<(u8, Breach)> {
    let operation = state.operation(id.operation)?;
    if id.generation != operation.generation {
        return Some((7, Breach::OtherGeneration));
    }
    if operation.effects().any(|e| e.id == id) {
        return Some((3, Breach::IntendedTwice { effect: id }));
    }
    // A command, or a write that proves something, is each step's own.
    let own = matches!(effect, Effect::Command { .. } | Effect::ValidateWrite { .. });
    if operation.effects().any(|e| e.effect == *effect && e.is_open() && (!own || e.id.step == id.step)) {
        return Some((3, Breach::SentAgain { effect: effect.kind() }));
    }
    if state.mode == Mode::Replay {
        return Some((8, Breach::ReplayActs));
    }
    let Effect::HandOver(hand_over) = effect else { return None };
    let fenced = operation.effects().any(|e| matches!(e.effect, Effect::Fence { .. }) && e.is_done());
    let honest = match &hand_over.proof {
        FencingBasis::Off => fenced,
        FencingBasis::Accepted { .. } => operation.accepted.accepts_two_writers(),
        // Nothing proves these yet.
        FencingBasis::Demoted | FencingBasis::LeaseEnded | FencingBasis::Powerless => false,
    };
    if !honest {
        return Some((1, Breach::NoFencingProof));
    }
    if !hand_over.bind_to_old && !operation.accepted.accepts_loss() {
        return Some((2, Breach::LossNotAccepted));
    }
    let _ = at;
    None
}

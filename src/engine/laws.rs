//! The laws as assertions: each event is held against the state before it. The decisions above are built so that none
//! of these can fail; this is the second, independent look.

use super::state::State;
use crate::model::*;

/// The law that an event would break, with what is wrong.
pub fn broken_by(state: &State, at: Now, event: &Event) -> Option<(u8, String)> {
    if super::planted::blind() {
        return None;
    }
    match event {
        Event::OperationStarted(start) => {
            if let Some(running) = state.running(start.group) {
                return Some((7, format!("{} begins while {} runs on the same group", start.id, running.id)));
            }
            (start.generation <= state.generation).then(|| (7, format!("generation {} does not grow", start.generation.0)))
        }
        Event::Superseded { old, .. } => {
            let waits = state.operation(*old).is_some_and(|o| o.may_be_superseded());
            (!waits).then(|| (3, format!("{old} is superseded while it acts, or while an effect of it is open or unknown")))
        }
        Event::Intended { id, effect } => intended(state, at, *id, effect),
        Event::StepReset { operation, step, .. } => {
            let open = state
                .operation(*operation)
                .and_then(|o| o.steps.get(usize::from(*step)))
                .is_some_and(|s| s.effects.iter().any(EffectRecord::is_open));
            open.then(|| (3, "a step is tried again while its effect is unknown".to_string()))
        }
        Event::StatusChanged { operation, status: Status::Recovered } => {
            let operation = state.operation(*operation)?;
            let proven = operation.intent() == Intent::Guided
                || (operation.results.promoted.is_some() && operation.results.writable.is_some() && operation.steps.iter().all(|s| s.state.opens()));
            (!proven).then(|| (6, format!("{} is called recovered before it was seen", operation.id)))
        }
        _ => None,
    }
}

fn intended(state: &State, at: Now, id: EffectId, effect: &Effect) -> Option<(u8, String)> {
    let operation = state.operation(id.operation)?;
    if id.generation != operation.generation {
        return Some((7, "an effect carries another generation than its operation".to_string()));
    }
    if operation.effects().any(|e| e.id == id) {
        return Some((3, format!("effect {id} is intended twice")));
    }
    // A command, or a write that proves something, is each step's own.
    let own = matches!(effect, Effect::Command { .. } | Effect::ValidateWrite { .. });
    if operation.effects().any(|e| e.effect == *effect && e.is_open() && (!own || e.id.step == id.step)) {
        return Some((3, format!("«{}» is sent again while the last one's outcome is unknown", effect.name())));
    }
    if state.mode == Mode::Replay {
        return Some((8, "a replay acts".to_string()));
    }
    let Effect::HandOver(hand_over) = effect else { return None };
    let fenced = operation.effects().any(|e| matches!(e.effect, Effect::Fence { .. }) && e.is_done());
    let honest = match &hand_over.proof {
        FencingBasis::Fenced => fenced,
        FencingBasis::RiskAccepted { .. } => operation.accepted.accepts_two_writers(),
        FencingBasis::Demoted | FencingBasis::LeaseEnded => true,
    };
    if !honest {
        return Some((1, "a hand-over without fencing proof".to_string()));
    }
    if !hand_over.bind_to_old && !operation.accepted.accepts_loss() {
        return Some((2, "a hand-over that may lose writes nobody accepted".to_string()));
    }
    let _ = at;
    None
}

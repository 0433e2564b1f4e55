//! The course of an operation for the record: how it begins, what it does, and where it stands.

use super::names::Names;
use super::{
    accepted_words, check_told_words, closed_words, operation_failure_words, outcome_words, question_words,
    served_after,
};
use crate::engine::{State, is_own};
use crate::model::*;

/// The rule that automation acted by.
fn by_rule(state: &State, s: &OperationStart) -> String {
    let kind = state.disasters.iter().find(|d| Some(d.id) == s.disaster).map(|d| d.kind);
    let response = kind.and_then(|kind| Some((kind, state.estate.response(kind)?)));
    let delay = state.estate.policy.detection.response_delay;
    response.map_or(String::new(), |(kind, r)| {
        format!(", as configured for {}: {}, {delay} after it", kind.words(), r.strategy)
    })
}

/// What begins, on whose word, what speaks against it and what it rests on.
pub fn started(names: &Names, s: &OperationStart) -> (Weight, Subject, String) {
    let state = names.state;
    let accepts = accepted_words(&s.accepted);
    let accepts =
        if accepts.is_empty() { String::new() } else { format!(", who accepts {}", accepts.join(" and ")) };
    let list = |checks: &[CheckTold]| checks.iter().map(check_told_words).collect::<Vec<_>>().join("; ");
    let warned =
        if s.warned.is_empty() { String::new() } else { format!("; told against it: {}", list(&s.warned)) };
    let typed = if s.automatic { by_rule(state, s) } else { format!(", who typed {}", names.region(s.from)) };
    let held = if s.held.is_empty() { String::new() } else { format!("; it rests on: {}", list(&s.held)) };
    let loses = s
        .loses
        .as_ref()
        .filter(|_| s.plan.intent != Intent::Guided)
        .map_or(String::new(), |loss| format!("; it was to lose: {loss}"));
    // It may have been asked for before that was declared.
    let kind = state.disasters.iter().find(|d| Some(d.id) == s.disaster).map(|d| d.kind);
    let of = kind.filter(|_| !s.automatic).map_or(String::new(), |kind| format!(", in the {}", kind.words()));
    let text = format!(
        "{} {} → {} on {} begins{of}, by {}{typed}{accepts}{loses}{warned}{held}",
        s.plan.name,
        names.region(s.from),
        if s.plan.intent == Intent::Guided { names.region(s.from) } else { names.member(s.group, s.to) },
        names.group(s.group),
        s.by
    );
    (Weight::Alarm, Subject::Operation(s.id), text)
}

/// An effect that is about to be fired.
pub fn intended(names: &Names, id: EffectId, effect: &Effect) -> (Weight, Subject, String) {
    let (state, estate) = (names.state, names.estate);
    if is_own(id) {
        return (Weight::Routine, Subject::Operation(id.operation), format!("will {}", effect.name()));
    }
    let with = match effect {
        Effect::Fence { .. } => state
            .operation(id.operation)
            .and_then(|o| o.fence_command(estate))
            .map(|c| format!(" with `{c}`")),
        _ => None,
    };
    (
        Weight::Routine,
        Subject::Operation(id.operation),
        format!("{}: will {}{}", names.step(id.operation, id.step), effect.name(), with.unwrap_or_default()),
    )
}

/// What came of an effect.
pub fn reported(names: &Names, id: EffectId, outcome: &Outcome) -> (Weight, Subject, String) {
    let state = names.state;
    let (weight, text) = match outcome {
        Outcome::Done { .. } => (Weight::Routine, format!("done: {}", outcome_words(outcome))),
        Outcome::NotDone { .. } | Outcome::Missed { .. } => {
            (Weight::Warning, format!("not done: {}", outcome_words(outcome)))
        }
        Outcome::Ended { .. } => (Weight::Warning, outcome_words(outcome)),
        Outcome::Assumed { .. } | Outcome::Unknown { .. } => {
            (Weight::Warning, format!("unknown: {}", outcome_words(outcome)))
        }
    };
    let of_step = if is_own(id) { String::new() } else { format!("{}: ", names.step(id.operation, id.step)) };
    // What was done has a name of its own: a step may do more than one thing.
    let effect = state
        .operation(id.operation)
        .and_then(|o| o.effects().find(|e| e.id == id))
        .map_or("", |e| e.effect.name());
    let effect = if of_step.trim_end_matches(": ").replace('-', " ") == effect {
        String::new()
    } else {
        format!("{effect} ")
    };
    (weight, Subject::Operation(id.operation), format!("{of_step}{effect}{text}"))
}

/// Where it stands from now on.
pub fn status_changed(names: &Names, operation: OperationId, status: &Status) -> (Weight, Subject, String) {
    let (state, estate) = (names.state, names.estate);
    let text = match status {
        Status::Waiting { question } => format!("waits for a person: {}", question_words(question)),
        Status::Failed { reason } if state.operation(operation).is_some_and(|o| o.has_acted()) => {
            format!("failed: {}", operation_failure_words(reason))
        }
        Status::Failed { reason } => {
            format!("failed, nothing was changed: {}", operation_failure_words(reason))
        }
        Status::RecoveredUnprotected { by } => format!("recovered, unprotected, as {by} accepts"),
        Status::Aborted { by } => format!("aborted by {by}"),
        status @ (Status::NotValidated { .. } | Status::ElectedElsewhere { .. } | Status::TargetLost) => {
            let why = state.operation(operation).and_then(|o| closed_words(o, status, estate));
            format!("closed: {}", why.unwrap_or_else(|| status.word().to_string()))
        }
        Status::Recovered => {
            let served = state.operation(operation).and_then(|o| served_after(o));
            format!(
                "{}{}",
                status.word(),
                served.map_or(String::new(), |took| format!(", users served after {took}"))
            )
        }
        other => other.word().to_string(),
    };
    let weight = match status {
        Status::Waiting { .. } | Status::Failed { .. } | Status::NotValidated { .. } | Status::TargetLost => {
            Weight::Alarm
        }
        _ => Weight::Notice,
    };
    (weight, Subject::Operation(operation), text)
}

/// What it is to undo of the controller before.
pub fn took_over(
    names: &Names,
    operation: OperationId,
    group: GroupId,
    obligations: &[Obligation],
) -> (Weight, Subject, String) {
    let state = names.state;
    let owes = |o: &Obligation| match o {
        Obligation::Fenced { member: of } => format!("{} may be fenced", names.member(group, *of)),
        Obligation::Drained { member: of, balancer } => {
            let at = state.estate.group(group).database.as_ref().and_then(|d| d.balancers.get(balancer.at()));
            format!(
                "{} may be taken out of {}",
                names.member(group, *of),
                at.map_or("a balancer", |b| b.address.as_str())
            )
        }
    };
    let list = obligations.iter().map(owes).collect::<Vec<_>>().join(", ");
    (
        Weight::Notice,
        Subject::Operation(operation),
        format!("takes over what the controller before left to be undone: {list}"),
    )
}

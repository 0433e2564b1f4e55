//! What the futures of a choice said.

use super::{failure_words, operation_failure_words, otherwise_words, question_words, refusal_words};
use crate::model::*;

/// Why users are not served in a future.
pub fn why_not_words(why: &WhyNot) -> String {
    match why {
        WhyNot::Refused(refusal) => refusal_words(refusal),
        WhyNot::Waits(question) => question_words(question),
        WhyNot::StepFailed { step, failure } => format!("{step}: {}", failure_words(failure)),
        WhyNot::Failed(failure) => operation_failure_words(failure),
        WhyNot::Stands(status) => status.word().to_string(),
        WhyNot::Otherwise(otherwise) => otherwise_words(otherwise),
        WhyNot::Words(words) => words.clone(),
    }
}

/// What was told of a choice, and of leaving it.
pub fn foretold_words(foretold: &Foretold) -> String {
    let act = foretold.act.as_ref().map_or_else(
        || "no figures".to_string(),
        |act| format!("{}, of {} simulations", told(act), act.futures),
    );
    foretold.leave.as_ref().map_or_else(|| act.clone(), |leave| format!("{act}; if left: {}", told(leave)))
}

/// The times of one branch, and what it loses.
fn told(t: &Told) -> String {
    let times = match t.served_ms.times(2) {
        times if times.is_empty() => "users not served".to_string(),
        times if t.without.is_empty() => format!("served {times}"),
        times => format!("served {times} without the {}", t.without.join(", ")),
    };
    match t.loses_p95 {
        Some(lost) if t.unbounded => {
            format!("{times}, what it loses is not known: a model guesses p95 {lost}, no bound")
        }
        None if t.unbounded => format!("{times}, what it loses is not known"),
        None => times,
        Some(Bytes(0)) => format!("{times}, loses nothing acknowledged"),
        Some(lost) => format!("{times}, loses p95 {lost}"),
    }
}

/// Why there are no figures for a branch.
pub fn no_figures_words(why: &NoFigures) -> String {
    match why {
        NoFigures::NoCandidate => "there is no candidate".to_string(),
        NoFigures::Otherwise(otherwise) => otherwise_words(otherwise),
        NoFigures::Words(words) => words.clone(),
    }
}

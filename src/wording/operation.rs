//! What an operation did, and what is left to do.

use super::failure_words;
use crate::model::*;

/// What is left to do, and who does it.
pub fn remains_words(operation: &Operation, estate: &Estate) -> Vec<String> {
    let streams = if operation.fenced() {
        "streams again once it is well and unfenced by you"
    } else {
        "is still to stream again"
    };
    let label = |member: &MemberId| estate.member_label(operation.group, *member, None);
    let words = |remainder: &Remainder| match remainder {
        Remainder::Rejoin { member } => format!("{} {streams}", label(member)),
        Remainder::Restore { member } => {
            format!("bpci puts {} back into the balancers once it streams", label(member))
        }
    };
    operation.remains.iter().map(words).collect()
}

/// The recovery time, with what it counts from.
pub fn served_after(operation: &Operation) -> Option<String> {
    // A planned one begins in peace.
    let of = if operation.before.impact.is_some() { "of impact" } else { "from its beginning" };
    operation.recovery_time().map(|took| format!("{} {of}", took.exact()))
}

/// Why it closed by itself.
pub fn closed_words(operation: &Operation, status: &Status, estate: &Estate) -> Option<String> {
    let label = |member| estate.member_label(operation.group, member, None);
    match status {
        Status::NotValidated { reason } => Some(format!(
            "promoted and not validated: {}; {} accepts writes by its own answer",
            failure_words(reason),
            label(operation.to)
        )),
        Status::ElectedElsewhere { leader } => {
            Some(format!("the cluster elected {} by itself", label(*leader)))
        }
        Status::TargetLost => Some(format!("{} was lost after the hand-over", label(operation.to))),
        Status::Superseded { by } => {
            Some(format!("superseded by {by}, which took over what is to be undone"))
        }
        _ => None,
    }
}

/// What was accepted before it began, each in words.
pub fn accepted_words(accepted: &Accepted) -> Vec<String> {
    let risk = |a: &AcceptedRisk| match a.risk {
        Risk::Loses(amount) => format!("the loss of {amount}"),
        Risk::TwoMayWrite => "that two primaries may write".to_string(),
        Risk::Overload { percent } => format!("an overload of the target to {percent}%"),
    };
    let alive = accepted.alive.then(|| "that the old primary may have lived".to_string());
    accepted.risks.iter().map(risk).chain(alive).collect()
}

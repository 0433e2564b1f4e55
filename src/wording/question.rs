//! What an operation asks of a person, and how one failed.

use super::{claim_lost_words, failure_words, outcome_words, wait_words};
use crate::model::*;

/// What is asked.
pub fn question_words(question: &Question) -> String {
    match question {
        Question::StepFailed { step, failure, way_out } => {
            format!("{step}: {}; {}", failure_words(failure), way_out_words(*way_out))
        }
        Question::Asked { what } => what.clone(),
        Question::TargetSilent { member } => {
            format!(
                "{member}, which leads it now, does not answer: give it up (abort), and fail over anew; or wait"
            )
        }
        Question::Unprotected { wait } => {
            format!("recovered, unprotected: waits for {}; accept it, or wait", wait_words(wait))
        }
        Question::PlanWaits { wait } => {
            format!(
                "waits for {}, and the rest of the plan for that; wait, or give it up (abort)",
                wait_words(wait)
            )
        }
        Question::LeadsNoMore { member } => {
            format!("every step was done, and {member} leads no more; give it up (abort)")
        }
        Question::AnswersNoMore { member } => {
            format!(
                "every step was done, and {member} does not answer any more; give it up (abort) and fail over anew"
            )
        }
        Question::OutcomeUnknown { effect } => {
            format!(
                "the outcome of «{effect}» is unknown; {} settles it, and this operation closes then",
                settles(*effect)
            )
        }
        Question::Written(words) => words.clone(),
    }
}

const fn way_out_words(way_out: WayOut) -> &'static str {
    match way_out {
        WayOut::FailOverAnew => "try again, or give it up (abort) and fail over anew",
        WayOut::RollBack => "try again, or roll back: that restores traffic and undoes the fence",
        WayOut::RollBackFenceByHand => {
            "try again, or roll back: that restores traffic; the fence has no undo, and is undone by hand"
        }
        WayOut::RollBackTraffic => "try again, or roll back: that restores traffic",
        WayOut::Abort => "try again, or abort",
    }
}

/// The observation that tells the outcome of an effect.
const fn settles(effect: EffectKind) -> &'static str {
    match effect {
        EffectKind::Claim | EffectKind::Release | EffectKind::HandOver => "an answer of etcd",
        EffectKind::SwitchOver => "an answer of Patroni",
        EffectKind::Fence | EffectKind::UndoFence | EffectKind::Command => "the receipt of the command",
        EffectKind::Drain | EffectKind::Restore => "an answer of the balancer",
        EffectKind::ValidateWrite => "an answer of the database",
    }
}

/// Why an operation failed.
pub fn operation_failure_words(failure: &OperationFailure) -> String {
    match failure {
        OperationFailure::Step(failure) => failure_words(failure),
        OperationFailure::NotUndone(why) => format!("NOT all was undone: {}", not_undone_words(why)),
        OperationFailure::Written(words) => words.clone(),
    }
}

fn not_undone_words(why: &NotUndone) -> String {
    match why {
        NotUndone::ClaimLost(lost) => claim_lost_words(lost),
        NotUndone::Effect { effect, outcome } => format!("{effect} failed: {}", outcome_words(outcome)),
        NotUndone::Unknown { effect } => format!("what became of «{effect}» is not known"),
        NotUndone::FenceStands { leader, member } => {
            format!("{leader} leads now, so the fence of {member} stands")
        }
        NotUndone::NoUndo { member } => format!("the fence has no undo; bring {member} back by hand"),
    }
}

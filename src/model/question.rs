//! What an operation asks of a person, and how one fails.

use super::{ClaimLost, EffectKind, Outcome, StepFailure, WaitReason};
use serde::{Deserialize, Serialize};

/// Why an operation cannot go on without a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// A step failed after something was changed.
    StepFailed {
        step: String,
        failure: StepFailure,
        way_out: WayOut,
    },
    /// What the plan asks, in its own words.
    Asked {
        what: String,
    },
    /// The member that it was handed over to does not answer.
    TargetSilent {
        member: String,
    },
    /// Only protection is missing.
    Unprotected {
        wait: WaitReason,
    },
    /// Protection is missing, and the rest of the plan waits for it.
    PlanWaits {
        wait: WaitReason,
    },
    /// Every step was done, and the new primary leads no more.
    LeadsNoMore {
        member: String,
    },
    AnswersNoMore {
        member: String,
    },
    /// The operation would close, and the outcome of an effect is unknown.
    OutcomeUnknown {
        effect: EffectKind,
    },
    /// In the words of an older program.
    Written(String),
}

/// What a person may do about a step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WayOut {
    /// Try it again, or give the operation up and fail over anew.
    FailOverAnew,
    /// Try it again, or roll back: traffic and the fence.
    RollBack,
    /// The fence has no undo.
    RollBackFenceByHand,
    /// Nothing was fenced.
    RollBackTraffic,
    /// Nothing was changed.
    Abort,
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationFailure {
    /// A step failed before anything was changed.
    Step(StepFailure),
    /// Not everything could be undone.
    NotUndone(NotUndone),
    /// In the words of an older program.
    Written(String),
}

/// What keeps a rollback from being whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotUndone {
    ClaimLost(Box<ClaimLost>),
    /// What was sent to undo something was not done.
    Effect {
        effect: EffectKind,
        outcome: Outcome,
    },
    /// What became of it is not known.
    Unknown {
        effect: EffectKind,
    },
    /// Another member leads: the fence of the old primary stands.
    FenceStands {
        leader: String,
        member: String,
    },
    NoUndo {
        member: String,
    },
}

//! What a decision would have done against a law. It is not taken.

use super::{EffectId, EffectKind, Generation, OperationId};
use serde::{Deserialize, Serialize};

/// How an event would break a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Breach {
    /// Two operations on one group.
    TwoRun {
        begins: OperationId,
        runs: OperationId,
    },
    GenerationStands {
        generation: Generation,
    },
    /// It acts, or an effect of it is open or unknown.
    SupersededTooEarly {
        operation: OperationId,
    },
    /// A step is tried again while its effect is unknown.
    ResetUnknown,
    RecoveredUnseen {
        operation: OperationId,
    },
    /// An effect carries another generation than its operation.
    OtherGeneration,
    IntendedTwice {
        effect: EffectId,
    },
    /// The last outcome of the same effect is unknown.
    SentAgain {
        effect: EffectKind,
    },
    ReplayActs,
    NoFencingProof,
    LossNotAccepted,
}

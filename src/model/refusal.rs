//! Why an order is refused. Names stand in a reason as they were at that moment: a later configuration does not change what was
//! said, and a client needs no estate to read it.

use super::{Check, ControllerId, EffectKind, Intent, OperationId, Right, Risk, Span, Status};
use serde::{Deserialize, Serialize};

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The law it would have broken, if one.
    pub law: Option<u8>,
    /// The right that the account lacks, if that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Right>,
    pub why: RefusalReason,
}

impl Refusal {
    pub fn new(why: impl Into<RefusalReason>) -> Refusal {
        Refusal { law: None, lacks: None, why: why.into() }
    }

    pub fn by_law(law: u8, why: impl Into<RefusalReason>) -> Refusal {
        Refusal { law: Some(law), lacks: None, why: why.into() }
    }
}

/// Every reason for a refusal, by what was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalReason {
    /// The order names something that is not there.
    NoSuch(Listed),
    /// The account lacks the right to order it.
    LacksRight {
        account: String,
        right: Right,
        estate: String,
        /// The only account beside root that gives orders, where the configuration gives no rights.
        only: Option<String>,
    },
    Choice(ChoiceRefused),
    Confirmation(ConfirmationRefused),
    Operation(OperationRefused),
    /// Arming, adopting, vouching.
    Estate(EstateRefused),
    Controller(ControllerRefused),
    Simulation(SimulationRefused),
    /// In the words of an older program.
    Written {
        reason: String,
        remedy: String,
    },
}

/// What an order can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Listed {
    ProtectionGroup,
    Region,
    Member,
    Choice,
    Operation,
    Step,
    Plan,
}

/// Why a choice is not put on the table, or not begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChoiceRefused {
    /// The group is not configured as it was, and something of it is still to be undone.
    Departed {
        group: String,
    },
    /// The group has departed since the choice was made.
    DepartedSince,
    /// An operation runs on the group, which is named where the order named it.
    AlreadyRuns {
        operation: OperationId,
        group: Option<String>,
    },
    NoDatabase {
        group: String,
    },
    PrimaryUnknown {
        group: String,
    },
    /// The region that was named does not lead the group.
    NotThePrimary {
        region: String,
        group: String,
        primary: String,
    },
    /// The target that was named leads the group.
    LeadsAlready {
        member: String,
        group: String,
    },
    NoPlan {
        intent: Intent,
    },
    NoCandidate,
    /// There is no countdown to stop.
    NoCountdown,
}

/// Why a confirmation does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfirmationRefused {
    /// The choice is not on the table any more.
    ChoiceGone,
    ReadOnly,
    /// What was typed is not the region that is left.
    OtherName {
        typed: String,
        region: String,
    },
    /// What was shown is not what is.
    Changed(Shown),
    ShownTooLongAgo {
        ago: Span,
    },
    /// A check stands in the way.
    Blocked {
        check: Box<Check>,
    },
    /// These risks were not accepted; the checks tell of them.
    RisksNotAccepted {
        checks: Vec<Check>,
        risks: Vec<Risk>,
    },
    NoSecondPerson,
    /// An operation waits on the group, and the confirmation does not name it.
    Waits {
        operation: OperationId,
    },
}

/// What a confirmation is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    Choice,
    Plan,
    Facts,
}

/// Why an operation is not ended, undone, or answered in this way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationRefused {
    IsOver {
        operation: OperationId,
        status: Box<Status>,
    },
    HandedOver {
        operation: OperationId,
    },
    /// It has changed something, which only a rollback undoes.
    HasActed {
        operation: OperationId,
    },
    /// An effect of it is under way.
    AwaitsEffect {
        operation: OperationId,
    },
    /// This member leads now: the old primary may not come back beside it.
    LedBy {
        member: String,
    },
    /// The step's effect is under way.
    UnderWay {
        effect: EffectKind,
        step: String,
    },
    /// The recovery rests on the step.
    StepNeeded {
        step: String,
    },
    StepAsksNothing {
        step: String,
    },
    /// More than protection is missing.
    LacksMoreThanProtection {
        operation: OperationId,
    },
    /// The new primary is not seen to lead.
    NotSeenToLead {
        member: String,
    },
}

/// Why the estate's mode or a group's standing is not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EstateRefused {
    /// What was typed to arm is not the estate's name.
    OtherEstate {
        typed: String,
        estate: String,
    },
    /// What was typed to adopt is not the group's name.
    OtherGroup {
        typed: String,
        group: String,
    },
    IdentityUnchanged {
        group: String,
    },
    NotUnproven {
        group: String,
    },
}

/// Why a controller does not take an order, or its client does not know whether it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControllerRefused {
    /// The order is meant for another cluster.
    OtherTarget {
        controller: ControllerId,
        estate: String,
    },
    /// The request could not be read.
    NotUnderstood {
        error: String,
    },
    OtherAnswer,
    NoAnswer {
        error: String,
    },
    Ended,
    /// The journal cannot be written: nothing was done.
    JournalFailed {
        error: String,
    },
    /// The order is for simulations.
    IsLive,
    IsReplay,
    /// A forecast was asked for, and nothing of the choice can be simulated.
    NothingToSimulate,
    /// A forecast was asked for, and no choice came of it.
    NothingProposed,
    /// A forecast was asked for, and nothing that was measured is known.
    NothingMeasured,
}

/// Why a simulation does not do what it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SimulationRefused {
    NoWayBack,
    /// Its record cannot be written.
    NotRecorded {
        error: String,
    },
    /// The words name no fault.
    NoFault {
        error: String,
    },
    NoRegion,
    /// The fault strikes a standby, and the region leads.
    NoStandby {
        region: String,
    },
    /// A scenario's order finds nothing to act on.
    NothingFor(Scripted),
}

/// What a scenario's order is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scripted {
    Countdown,
    Operation,
    Question,
    Choice,
}

macro_rules! reasons {
    ($($kind:ident => $variant:ident),* $(,)?) => {
        $(impl From<$kind> for RefusalReason {
            fn from(why: $kind) -> RefusalReason {
                RefusalReason::$variant(why)
            }
        })*
    };
}

reasons!(
    Listed => NoSuch,
    ChoiceRefused => Choice,
    ConfirmationRefused => Confirmation,
    OperationRefused => Operation,
    EstateRefused => Estate,
    ControllerRefused => Controller,
    SimulationRefused => Simulation,
);

//! Why automation does not begin an operation.

use super::{
    Automation, Check, DisasterType, OperationId, RegionId, Risk, Span, Strategy, Tally, Utc, WaivedRule,
    WaiverFault,
};
use serde::{Deserialize, Serialize};

/// Why automation would not begin a choice by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Veto {
    ReadOnly,
    /// The configuration names no response to this disaster.
    NoResponse {
        disaster: DisasterType,
    },
    ResponseOff {
        disaster: DisasterType,
    },
    StrategyUndefined {
        strategy: Strategy,
    },
    /// The strategy's level of automation leaves it to people.
    LeftToPeople {
        strategy: Strategy,
        automation: Automation,
    },
    SecondPerson,
    /// It is not a failover.
    NotAFailover,
    NoFence,
    Cooldown {
        /// How long ago automation acted on the group.
        acted: Span,
        cooldown: Span,
        until: Utc,
    },
    FenceNotProven {
        within: Span,
    },
    NotDrilled,
    /// A rule is waived without a reason and an expiry date, or the waiver has expired.
    WaiverInvalid {
        rule: WaivedRule,
        fault: WaiverFault,
    },
    /// A claim of an older program stands in the store: only a person may take it over.
    OlderClaim,
    /// The target cannot carry what would come.
    TargetShort {
        check: Box<Check>,
        to: Option<RegionId>,
    },
    /// A person must accept these first.
    Risky {
        risks: Vec<Risk>,
        /// The target is too small as well: that does not pass.
        short: bool,
    },
    /// The controller began a moment ago.
    Settling {
        up: Span,
        settle: Span,
    },
    Blocked {
        check: Box<Check>,
    },
    ObserversDisagree {
        votes: Tally,
    },
    /// It has not failed for long enough.
    FailsTooShortly {
        failing: Span,
        patience: Span,
    },
    /// The recorded synchronous standby still has its stream.
    SynchronousStreams,
    /// Silence is weaker than a refusal, and has not lasted.
    SilenceTooShort,
    /// So few members answer that this controller may be the one that is cut off.
    FewMembersAnswer,
    EvidenceTooOld {
        limit: Span,
    },
    /// Another operation of the group waits for a person. Automation supersedes nothing.
    Unfinished {
        operation: OperationId,
    },
    /// This disaster was answered on this group already. Automation tries once.
    AlreadyAnswered {
        operation: OperationId,
    },
}

impl Veto {
    /// It lasts until a person changes something, or longer than anybody waits.
    pub const fn stands(&self) -> bool {
        match self {
            Veto::NoResponse { .. }
            | Veto::ResponseOff { .. }
            | Veto::StrategyUndefined { .. }
            | Veto::LeftToPeople { .. }
            | Veto::SecondPerson
            | Veto::NotAFailover
            | Veto::NoFence
            | Veto::Cooldown { .. }
            | Veto::FenceNotProven { .. }
            | Veto::NotDrilled
            | Veto::WaiverInvalid { .. }
            | Veto::OlderClaim
            | Veto::Unfinished { .. }
            | Veto::AlreadyAnswered { .. }
            | Veto::TargetShort { .. }
            | Veto::Risky { short: true, .. } => true,
            Veto::ReadOnly
            | Veto::Risky { short: false, .. }
            | Veto::Settling { .. }
            | Veto::Blocked { .. }
            | Veto::ObserversDisagree { .. }
            | Veto::FailsTooShortly { .. }
            | Veto::SynchronousStreams
            | Veto::SilenceTooShort
            | Veto::FewMembersAnswer
            | Veto::EvidenceTooOld { .. } => false,
        }
    }

    /// The same reason, whatever its figures are.
    pub fn is_like(&self, other: &Veto) -> bool {
        match (self, other) {
            (Veto::Blocked { check: a }, Veto::Blocked { check: b }) => a.id == b.id,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

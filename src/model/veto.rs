//! Why automation does not begin an operation.

use super::{Automation, Check, DisasterType, Estate, OperationId, RegionId, Risk, Span, Strategy, Utc, risk_words};
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
    /// In the words of the votes.
    ObserversDisagree {
        votes: String,
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
}

impl Veto {
    /// In words, for the record and for screens.
    pub fn words(&self, estate: &Estate) -> String {
        match self {
            Veto::ReadOnly => "read-only: not armed".to_string(),
            Veto::NoResponse { disaster } => format!("no response to {} is configured", disaster.words()),
            Veto::ResponseOff { disaster } => format!("automated_response is off for {disaster}"),
            Veto::StrategyUndefined { strategy } => format!("strategy {strategy} is not defined"),
            Veto::LeftToPeople { strategy, automation } => format!("{strategy} has automation_level {automation}"),
            Veto::SecondPerson => "the plan asks for a second person".to_string(),
            Veto::NotAFailover => "people do this one".to_string(),
            Veto::NoFence => "no fence is configured".to_string(),
            Veto::Cooldown { acted, cooldown, .. } => format!("acted {acted} ago; not again within {cooldown}"),
            Veto::FenceNotProven { within } => format!("the fence was not proven within {within}"),
            Veto::NotDrilled => "the plan was not drilled as it stands before this controller began; drill it, and start again".to_string(),
            Veto::OlderClaim => "an older program holds the claim; only a person may take that over".to_string(),
            Veto::TargetShort { check, to } => {
                let to = to.map_or("?", |to| estate.region(to).name.as_str());
                let figure = check.figure.map_or_else(|| "?".to_string(), |f| f.to_string());
                format!("{}: {to} {figure}", check.name())
            }
            Veto::Risky { risks, .. } => format!("it would {}: never by itself", risk_words(risks).unwrap_or_default()),
            Veto::Settling { up, settle } => format!("this controller began {up} ago; automation waits for {settle}"),
            Veto::Blocked { check } => check.text.clone(),
            Veto::ObserversDisagree { votes } => format!("observers do not agree: {votes}"),
            Veto::FailsTooShortly { failing, patience } => format!("it has failed for {failing}; automation acts from {patience} on"),
            Veto::SynchronousStreams => "the synchronous standby has not lost its stream".to_string(),
            Veto::SilenceTooShort => "silent, not refused: not yet for long enough".to_string(),
            Veto::FewMembersAnswer => "less than half of the members answer: it may be we who are cut off".to_string(),
            Veto::EvidenceTooOld { limit } => format!("the evidence is older than {limit}"),
            Veto::Unfinished { operation } => format!("{operation} waits for a person on this database; supersede it or end it"),
            Veto::AlreadyAnswered { operation } => format!("{operation} answered this disaster already; automation tries once"),
        }
    }

    /// The same reason, whatever its figures are.
    pub fn is_like(&self, other: &Veto) -> bool {
        match (self, other) {
            (Veto::Blocked { check: a }, Veto::Blocked { check: b }) => a.id == b.id,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }

    /// The reason in a few letters, for a header.
    pub const fn word(&self) -> &'static str {
        match self {
            Veto::ReadOnly => "read-only",
            Veto::NoResponse { .. } | Veto::ResponseOff { .. } | Veto::StrategyUndefined { .. } | Veto::LeftToPeople { .. } => "not configured",
            Veto::SecondPerson => "second person",
            Veto::NotAFailover => "left to people",
            Veto::NoFence => "no fence",
            Veto::Cooldown { .. } => "cooldown",
            Veto::FenceNotProven { .. } => "fence not proven",
            Veto::NotDrilled => "not drilled",
            Veto::OlderClaim => "older claim",
            Veto::TargetShort { .. } => "target too small",
            Veto::Risky { .. } => "risk",
            Veto::Settling { .. } => "settling",
            Veto::Blocked { check } => check.id.name(),
            Veto::ObserversDisagree { .. } => "observers",
            Veto::FailsTooShortly { .. } | Veto::SilenceTooShort => "not yet for long enough",
            Veto::SynchronousStreams => "standby streams",
            Veto::FewMembersAnswer => "few members answer",
            Veto::EvidenceTooOld { .. } => "stale evidence",
            Veto::Unfinished { .. } => "operation waits",
            Veto::AlreadyAnswered { .. } => "answered once",
        }
    }
}

//! Something to be done in the world: data, never executed by the engine.

use super::disaster::vocabulary;
use super::{AssumedReason, BalancerId, EffectId, GroupId, MemberId, Mono, Obligations, Span, Via};
use serde::{Deserialize, Serialize};

/// An effect with the id its intent was recorded under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    pub id: EffectId,
    pub effect: Effect,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Write this operation into the store's operation key, and its owner into the owner key, if both are as they were read
    /// (law 7).
    Claim {
        group: GroupId,
        value: String,
        /// Of the operation key; `None`: it must be absent.
        revision: Option<u64>,
        /// Of the owner key; `None`: it must be absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner_revision: Option<u64>,
        /// Of the key of an older program at its own path, where that is taken over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        legacy_revision: Option<u64>,
        /// What the owner before may have left. It is observed before anything else is sent.
        #[serde(default, skip_serializing_if = "Obligations::is_empty")]
        inherited: Obligations,
    },
    /// Say there that the operation is over.
    Release {
        group: GroupId,
        value: String,
        over: String,
    },
    /// Run the fence on a member. Exit status 0 means that it is proven off.
    Fence {
        group: GroupId,
        member: MemberId,
    },
    /// Let a fenced member come back.
    UndoFence {
        group: GroupId,
        member: MemberId,
    },
    HandOver(HandOver),
    /// Ask the living leader to step down in favour of the candidate.
    SwitchOver {
        group: GroupId,
        from: String,
        to: String,
    },
    /// Take a member out of a balancer and end its sessions there.
    Drain {
        group: GroupId,
        member: MemberId,
        balancer: BalancerId,
    },
    /// Put a member back into a balancer.
    Restore {
        group: GroupId,
        member: MemberId,
        balancer: BalancerId,
    },
    /// Write a row and read it back, on a server that must not be the old primary.
    ValidateWrite {
        group: GroupId,
        via: Via,
        primary: MemberId,
        /// The members that were left: an answer of one of them proves nothing.
        not: Vec<MemberId>,
        system_id: Option<String>,
        deadline: Span,
    },
    /// A command of the user's.
    Command {
        argv: Vec<String>,
        timeout: Span,
        /// The group of its operation, whose claim must stand; `None` in records from before this was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<GroupId>,
    },
}

vocabulary!(
    /// What an effect does, in words for the record.
    EffectKind, "effect" {
        Claim = "claim",
        Release = "release the claim",
        Fence = "fence",
        UndoFence = "undo the fence",
        HandOver = "hand over",
        SwitchOver = "switch over",
        Drain = "drain",
        Restore = "restore traffic",
        ValidateWrite = "validate a write",
        Command = "command",
    }
);

impl Effect {
    pub const fn kind(&self) -> EffectKind {
        match self {
            Effect::Claim { .. } => EffectKind::Claim,
            Effect::Release { .. } => EffectKind::Release,
            Effect::Fence { .. } => EffectKind::Fence,
            Effect::UndoFence { .. } => EffectKind::UndoFence,
            Effect::HandOver(_) => EffectKind::HandOver,
            Effect::SwitchOver { .. } => EffectKind::SwitchOver,
            Effect::Drain { .. } => EffectKind::Drain,
            Effect::Restore { .. } => EffectKind::Restore,
            Effect::ValidateWrite { .. } => EffectKind::ValidateWrite,
            Effect::Command { .. } => EffectKind::Command,
        }
    }

    /// What it does, in words for the record.
    pub const fn name(&self) -> &'static str {
        self.kind().name()
    }
}

/// The one transaction: all of its comparisons hold, or nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    pub group: GroupId,
    pub old: String,
    pub candidate: String,
    /// Of the old leader's key; `None` if no leader holds the lock.
    pub leader_create_revision: Option<u64>,
    /// `None`: the key must be absent.
    pub sync_revision: Option<u64>,
    pub failover_revision: Option<u64>,
    pub config_revision: Option<u64>,
    /// Of this operation's own claim.
    pub operation_revision: Option<u64>,
    /// What stands in the owner key; empty in records from before there was one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// What stands in the operation key once it has happened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub claim: String,
    /// Name the old leader in the request: only recorded standbys may then take over. Left out when loss was accepted.
    pub bind_to_old: bool,
    pub proof: FencingBasis,
}

/// On what the belief rests that the old primary takes no more writes (law 1). `engine::proof` alone makes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FencingBasis {
    /// The fence command answered 0, and the member was seen gone afterwards.
    #[serde(rename = "Fenced")]
    Off,
    /// The old leader was seen to have stepped down.
    Demoted,
    /// Its lease ran out, and a watchdog is declared that stops it then.
    LeaseEnded,
    /// What it runs on cannot run anything.
    Powerless,
    /// A named person typed that they accept the risk of two primaries.
    #[serde(rename = "RiskAccepted")]
    Accepted { by: super::Actor },
}

vocabulary!(
    /// Why a proof was not good for the promotion it was to be spent on.
    Unproven, "fault of a proof" {
        OtherDatabase = "it is of another database",
        OtherOperation = "it is of another operation",
        OtherMembers = "it is of other members",
        TooOld = "it is too old",
    }
);

/// Something to look at. It changes nothing and may be repeated at will.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Look {
    /// Look at a group this often until then: the burst that precedes a decision.
    Closely { group: GroupId, every: Span, until: Mono },
    /// Find out whether an effect happened whose report was lost.
    Outcome { issued: Box<Issued> },
}

/// What came back of an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It happened.
    Done { detail: String },
    /// It was tried and did not happen, and never will under this id.
    NotDone { reason: String },
    /// Nobody could tell, and a person takes it for not done, so that it can be tried anew. It may have happened all the same.
    Assumed { reason: AssumedReason },
    /// It did not reach anybody, as was seen afterwards, and it cannot any more: it may be made anew.
    Missed { reason: String },
    /// Of a command: it has ended, and did not answer 0. It may have done all of its work, a part of it, or nothing.
    Ended { reason: String },
    /// Nobody can tell yet.
    Unknown { reason: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub id: EffectId,
    /// When the world was asked, so that evidence gathered before is not taken for evidence after.
    pub at: Mono,
    pub took: Span,
    pub outcome: Outcome,
}

//! What a person or a program asks for. It carries who, what, and what they saw.

use super::{Actor, Digest, GroupId, Intent, MemberId, OperationId, ProposalId, RegionId, Risk, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Made by the controller; no client sends it.
    pub by: Actor,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Put a choice on the table. Nothing is done yet.
    Propose {
        group: GroupId,
        intent: Intent,
        from: Option<RegionId>,
        to: Option<MemberId>,
        reason: String,
    },
    Confirm(Confirmation),
    /// Take a choice off the table; an automatic response with it.
    Withdraw {
        proposal: ProposalId,
    },
    /// Stop the countdown and leave the choice to a person.
    StopAutomatic {
        proposal: ProposalId,
    },
    Abort {
        operation: OperationId,
    },
    /// Undo what can be undone and leave the cluster to itself.
    Rollback {
        operation: OperationId,
    },
    /// A person answers what a step asked.
    Answer {
        operation: OperationId,
        step: u16,
        done: bool,
        note: String,
    },
    AcceptUnprotected {
        operation: OperationId,
    },
    /// Allow this controller to act. The estate's name is typed.
    Arm {
        typed: String,
    },
    Disarm,
    /// Take the cluster that answers now for the one that is meant. The group's name is typed.
    Adopt {
        group: GroupId,
        typed: String,
    },
    /// A person has seen by a write of their own that a database takes writes, which the cluster moved by itself.
    Vouch {
        group: GroupId,
        /// How they have seen it.
        #[serde(default)]
        note: String,
    },
    /// It changes nothing.
    Note {
        text: String,
        /// A person writes it, and no program for them.
        #[serde(default = "yes")]
        by_hand: bool,
    },
}

impl Action {
    /// It ends something, or keeps something from beginning: it may be given to a controller of another target.
    pub const fn is_emergency(&self) -> bool {
        match self {
            Action::StopAutomatic { .. } | Action::Abort { .. } | Action::Disarm => true,
            Action::Propose { .. }
            | Action::Confirm(_)
            | Action::Withdraw { .. }
            | Action::Rollback { .. }
            | Action::Answer { .. }
            | Action::AcceptUnprotected { .. }
            | Action::Arm { .. }
            | Action::Adopt { .. }
            | Action::Vouch { .. }
            | Action::Note { .. } => false,
        }
    }
}

/// Bound to what was on the screen: a change of any of it voids it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub proposal: ProposalId,
    pub nonce: u32,
    /// When it was on the screen.
    pub seen: Utc,
    pub plan: Digest,
    pub evidence: Digest,
    /// The failed region's name.
    pub typed: String,
    /// The risks that are accepted, as they were shown.
    #[serde(default)]
    pub accepts: Vec<Risk>,
    /// What was typed to accept them, for the record.
    pub accept_risk: Option<String>,
    /// Go on although the old primary still answers.
    pub manual_override: bool,
    /// Who else says yes, where the plan asks for a second person.
    #[serde(default)]
    pub second_person: Option<String>,
    /// The operation that waits and is to be superseded by this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<OperationId>,
}

/// What an accepted order led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Receipt {
    Proposed(ProposalId),
    Started(OperationId),
    Done,
}

/// A note that does not say whose it is is a person's.
pub(super) const fn yes() -> bool {
    true
}

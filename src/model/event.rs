//! A fact of meaning, with the evidence it rests on. Nothing else changes the engine's state.

use super::vocabulary;
use super::{
    Accepted, Actor, Before, CheckTold, ChoiceCost, Digest, Disaster, DisasterId, Effect, EffectId, Estate,
    Evidence, Foretold, Generation, GroupId, Identity, IdentityChange, Intent, Loss, LostReason, MemberId,
    Mode, Name, Now, Obligation, OperationId, Order, Outcome, Owner, ProposalId, ProposalReason, Refusal,
    RegionId, RegionReason, RegionStatus, Remainder, ResetReason, SkipReason, Status, StepFailure, Timeline,
    Veto,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An event with the moment it was decided and the epoch of its monotonic clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this form.
    pub v: u8,
    pub epoch: u32,
    pub at: Now,
    #[serde(with = "in_its_room")]
    pub event: Event,
}

impl Record {
    pub const VERSION: u8 = 2;
}

vocabulary!(
    /// The part of the engine whose state an event changes.
    Room, "room" {
        /// What is seen of the estate, and the record itself.
        Kernel = "kernel",
        /// Disasters, choices and operations.
        Recovery = "recovery",
        /// Who may order what, and what was refused.
        Access = "access",
    }
);

/// In the journal an event stands inside its room: `{"recovery": {"DisasterEnded": …}}`.
mod in_its_room {
    use super::{Event, Room};
    use serde::de::{Deserializer, Error};
    use serde::ser::{SerializeMap, Serializer};
    use std::fmt;

    pub fn serialize<S: Serializer>(event: &Event, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry(event.room().name(), event)?;
        map.end()
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Event, D::Error> {
        struct One;
        impl<'de> serde::de::Visitor<'de> for One {
            type Value = Event;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a room with one event in it")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
                let (room, event) = map
                    .next_entry::<Room, Event>()?
                    .ok_or_else(|| A::Error::custom("there is no event in the record"))?;
                if event.room() != room {
                    return Err(A::Error::custom(format!(
                        "an event of the room {} stands in the room {room}",
                        event.room()
                    )));
                }
                match map.next_key::<Room>()? {
                    None => Ok(event),
                    Some(_) => Err(A::Error::custom("there is more than one event in the record")),
                }
            }
        }
        from.deserialize_map(One)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A controller began with this estate. A new epoch of the monotonic clock.
    Started {
        mode: Mode,
        program: String,
        armed: bool,
        drilled: Vec<Digest>,
        estate: Arc<Estate>,
        /// This controller's process, as it signs its claims.
        #[serde(default)]
        owner: Owner,
    },
    ClockJumped {
        by_ms: i64,
    },
    RegionChanged {
        region: RegionId,
        status: RegionStatus,
        reason: RegionReason,
    },
    /// The member that leads, as the store and the member agree.
    PrimaryChanged {
        group: GroupId,
        member: Option<MemberId>,
        timeline: Option<Timeline>,
    },
    /// The cluster calls the member at this address by this name.
    MemberNamed {
        group: GroupId,
        member: MemberId,
        name: Name,
    },
    /// Which cluster a group's is: seen for the first time, or more of it, or again after it was another one.
    IdentitySeen {
        group: GroupId,
        identity: Identity,
    },
    /// The cluster that answers does not continue the one that was seen. Nothing new begins on it until a person adopts it.
    IdentityChanged {
        group: GroupId,
        now: Identity,
        change: IdentityChange,
    },
    /// A person took the cluster that answers for the group's from now on.
    Adopted {
        group: GroupId,
        by: Actor,
        identity: Identity,
    },
    /// What is seen of a database has turned.
    Turned {
        group: GroupId,
        turn: Turn,
    },
    DisasterDeclared(Disaster),
    DisasterEnded {
        disaster: DisasterId,
    },
    Proposed(Proposal),
    /// The choice is off the table.
    ProposalClosed {
        proposal: ProposalId,
        by: Actor,
        end: ProposalEnd,
        /// What it would have cost to confirm it, or why it was refused as it stood. For display; nothing is decided by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<ChoiceCost>,
    },
    AutomaticStopped {
        proposal: ProposalId,
        by: Actor,
        reason: StopReason,
    },
    /// Automation is configured for the disaster and does not act on the group. Told once for each reason.
    AutomationHeld {
        group: GroupId,
        disaster: DisasterId,
        veto: Veto,
    },
    /// An order was heard and not carried out.
    Refused {
        order: Box<Order>,
        refusal: Refusal,
    },
    Armed {
        by: Actor,
    },
    Disarmed {
        by: Actor,
    },
    OperationStarted(Box<OperationStart>),
    StepStarted {
        operation: OperationId,
        step: u16,
    },
    /// What is about to be sent. Durable before it is.
    Intended {
        id: EffectId,
        effect: Effect,
    },
    Reported {
        id: EffectId,
        outcome: Outcome,
    },
    /// The controller that sent it is gone, or its report is overdue: whether it happened must be observed.
    OutcomeLost {
        id: EffectId,
        reason: LostReason,
    },
    StepDone {
        operation: OperationId,
        step: u16,
        evidence: Evidence,
    },
    StepFailed {
        operation: OperationId,
        step: u16,
        reason: StepFailure,
    },
    StepSkipped {
        operation: OperationId,
        step: u16,
        reason: SkipReason,
    },
    /// A failed step is tried again by a person's word or because nothing had happened.
    StepReset {
        operation: OperationId,
        step: u16,
        reason: ResetReason,
    },
    Promoted {
        operation: OperationId,
        timeline: Timeline,
        loss: Loss,
    },
    StatusChanged {
        operation: OperationId,
        status: Status,
    },
    /// A person confirmed another operation in the place of one that waited. Its obligations pass to the new one; its fence
    /// proves nothing to that.
    Superseded {
        old: OperationId,
        new: OperationId,
        obligations: Vec<Obligation>,
    },
    /// The claim of another controller was taken over, and what it had left to be undone with it.
    TookOver {
        operation: OperationId,
        obligations: Vec<Obligation>,
    },
    RemainderDone {
        operation: OperationId,
        remainder: Remainder,
        evidence: Evidence,
    },
    FenceProven {
        group: GroupId,
        member: MemberId,
        took_ms: u64,
    },
    Note {
        by: Actor,
        text: String,
        /// A person wrote it, and no program for them. (Records from before this was told are a person's.)
        #[serde(default = "super::order::yes", skip_serializing_if = "Clone::clone")]
        by_hand: bool,
        /// Only in a note of version 1, which vouched for each database of which it says «NAME takes writes». The journal's reader
        /// sets it; no new note has it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        vouches: bool,
    },
    /// A person vouches for a database that the cluster moved by itself.
    Vouched {
        group: GroupId,
        by: Actor,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// What was told of a choice before anybody decided on it: the first that was, and the last.
    Foretold {
        proposal: ProposalId,
        foretold: Foretold,
    },
}

impl Event {
    pub const fn room(&self) -> Room {
        match self {
            Event::Started { .. }
            | Event::ClockJumped { .. }
            | Event::RegionChanged { .. }
            | Event::PrimaryChanged { .. }
            | Event::MemberNamed { .. }
            | Event::IdentitySeen { .. }
            | Event::IdentityChanged { .. }
            | Event::Adopted { .. }
            | Event::Turned { .. }
            | Event::Note { .. } => Room::Kernel,
            Event::Refused { .. } | Event::Armed { .. } | Event::Disarmed { .. } => Room::Access,
            Event::DisasterDeclared(_)
            | Event::DisasterEnded { .. }
            | Event::Proposed(_)
            | Event::ProposalClosed { .. }
            | Event::AutomaticStopped { .. }
            | Event::AutomationHeld { .. }
            | Event::OperationStarted(_)
            | Event::StepStarted { .. }
            | Event::Intended { .. }
            | Event::Reported { .. }
            | Event::OutcomeLost { .. }
            | Event::StepDone { .. }
            | Event::StepFailed { .. }
            | Event::StepSkipped { .. }
            | Event::StepReset { .. }
            | Event::Promoted { .. }
            | Event::StatusChanged { .. }
            | Event::Superseded { .. }
            | Event::TookOver { .. }
            | Event::RemainderDone { .. }
            | Event::FenceProven { .. }
            | Event::Vouched { .. }
            | Event::Foretold { .. } => Room::Recovery,
        }
    }
}

/// All that an operation's beginning rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationStart {
    pub id: OperationId,
    pub proposal: ProposalId,
    pub plan: Arc<super::Plan>,
    pub plan_hash: Digest,
    pub evidence: Digest,
    pub group: GroupId,
    pub from: RegionId,
    /// The members that are left: the old primary first, then the others that are lost with it. Each is fenced and drained.
    pub left: Vec<MemberId>,
    /// The candidate. In a guided plan nobody takes over: there it is the primary itself.
    pub to: MemberId,
    pub generation: Generation,
    pub by: Actor,
    pub automatic: bool,
    pub reason: ProposalReason,
    pub disaster: Option<DisasterId>,
    pub accepted: Accepted,
    /// What it was said to lose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loses: Option<super::Loss>,
    /// The checks that held, with what each rested on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<CheckTold>,
    /// What was told against it, and asked for nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warned: Vec<CheckTold>,
    pub before: Before,
}

vocabulary!(
    /// How much a plan leaves.
    Leaves, "extent" {
        /// The primary alone: other members of its region may take over.
        Member = "member",
        /// Every member in the primary's region.
        Region = "region",
    }
);

vocabulary!(
    /// What is worth a line though it is no disaster.
    Turn, "turn" {
        StoreSilent = "store_silent",
        StoreAnswers = "store_answers",
        /// The primary answers and leads no more, and nobody else is seen to.
        SteppedDown = "stepped_down",
        LeadsAgain = "leads_again",
        /// Nothing of the primary answers us, and nobody says that it lives; no disaster is declared for it.
        PrimarySilent = "primary_silent",
        /// Its agent does not answer us, its database does: its lease runs out beside it.
        AgentSilent = "agent_silent",
        /// It does not answer us, and somebody else says that it lives.
        OnlyOursFail = "only_ours_fail",
        PrimaryHeard = "primary_heard",
        /// The database of a former primary answers, its agent does not: it may take writes beside the present one.
        TwoMayWrite = "two_may_write",
        OneWrites = "one_writes",
        /// The store names no synchronous standby of a synchronous cluster: what the primary acknowledges is on it alone.
        WritesAlone = "writes_alone",
        /// The same in strict mode: nothing is acknowledged until there is one.
        WritesWait = "writes_wait",
        /// A synchronous standby that answers is named again.
        Protected = "protected",
    }
);

/// Why a choice is off the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProposalEnd {
    /// A person dismissed it. Detection does not propose the same again while that disaster lasts.
    Dismissed,
    /// Another choice for the same database took its place. If it was detection's, it comes back when the other one ends.
    Displaced,
    /// The facts that it rested on have changed.
    FactsChanged { reason: FactsChanged },
}

/// The fact whose change took a choice off the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FactsChanged {
    DisasterOver,
    PrimaryMoved,
    /// A person proposed it, and nobody confirmed it in time.
    NobodyConfirmed,
    /// A record of version 1 names the reason only in its words.
    Unnamed,
}

/// Why a countdown was stopped, or never began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopReason {
    /// A person stopped it.
    ByHand,
    /// Automation may not begin it.
    Veto(Veto),
    /// It was due, and could not be begun.
    Refused(Box<Refusal>),
    /// In the words of an older program.
    Written(String),
}

/// A choice that is put to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub id: ProposalId,
    pub group: GroupId,
    pub plan: String,
    pub intent: Intent,
    pub from: RegionId,
    /// The primary that is left; of a group without a database the first, which nothing looks at.
    pub old: MemberId,
    pub leaves: Leaves,
    /// The best candidate is chosen afresh while this is `None`.
    pub to: Option<MemberId>,
    pub reason: ProposalReason,
    pub by: Actor,
    pub disaster: Option<DisasterId>,
    /// When it is begun without a person, on the monotonic clock of the epoch it was made in.
    pub automatic_at: Option<super::Mono>,
}

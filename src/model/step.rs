//! What is said of a step: what it waits for, what was seen when it was done, why it failed, was left out or is tried again. Names
//! stand in it as they were at that moment.

use super::{Actor, Check, ClaimLost, ClaimWait, EffectKind, NoProof, Outcome, Span, Timeline};
use serde::{Deserialize, Serialize};

/// What a person said, and who.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub by: Actor,
    /// In the person's own words; it may be empty.
    pub note: String,
}

/// What was seen when a step, or what remains of an operation, was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// The step looks at nothing that has words.
    Nothing,
    /// The check that holds.
    Check(Box<Check>),
    /// The check stands in the way, and the person who confirmed has overridden it.
    Overridden {
        by: Actor,
        check: Box<Check>,
    },
    /// What the report of its effect says.
    Reported {
        detail: String,
    },
    /// Each fence reported this, and what it fenced was seen gone.
    SeenGone {
        details: Vec<String>,
    },
    /// The member leads.
    Leads {
        member: String,
        timeline: Timeline,
    },
    /// The members are out of so many balancers, which are all that answer.
    OutOfBalancers {
        members: Vec<String>,
        balancers: usize,
    },
    BackInBalancers {
        members: Vec<String>,
        balancers: usize,
    },
    /// A write was validated through the traffic entry.
    WrittenThrough {
        entry: String,
        detail: String,
    },
    /// A standby streams from the new primary.
    Streams {
        standby: String,
        synchronous: bool,
        timeline: Timeline,
    },
    Said(Said),
    /// The old primary leads and has renewed its lease after everything that was sent had ended.
    LeadsOn {
        member: String,
    },
    /// The old primary streams from the new one.
    Rejoined {
        member: String,
        timeline: Timeline,
        unfenced: bool,
    },
    /// In the words of an older program.
    Written(String),
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepFailure {
    /// The check that stands in the way.
    Check(Box<Check>),
    /// The cluster that answers is not the one on which the operation began.
    OtherCluster,
    /// The operation's claim is lost.
    ClaimLost(Box<ClaimLost>),
    StoreUnread,
    /// No fence is configured, and nobody accepted that two primaries may write.
    NoFence,
    /// A fence did not answer 0.
    FenceFailed {
        outcome: Outcome,
    },
    /// What the hand-over needs is not proven.
    Unproven(Box<NoProof>),
    /// The step's effect was not done.
    Effect {
        outcome: Outcome,
    },
    /// The cluster elected another member by itself.
    Elected {
        member: String,
    },
    /// A balancer did not do it.
    Balancer {
        address: String,
        outcome: Outcome,
    },
    /// It was waited for in vain.
    Waited {
        waited: Span,
        wait: WaitReason,
    },
    Said(Said),
    /// In the words of an older program.
    Written(String),
}

/// Why a step was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SkipReason {
    /// Only in a test that plants a mistake.
    Planted,
    /// No fence is configured, and this person accepted that two primaries may write.
    UnfencedAccepted {
        by: Actor,
    },
    /// The target leads; our hand-over may have done it, though it was taken for not done.
    LeadsAlready {
        member: String,
    },
    /// The cluster elected the target by itself.
    Elected {
        member: String,
    },
    /// The group has no database.
    NoTraffic,
    NoEntry,
    /// Every balancer is in a region that is lost.
    NoBalancerLeft,
    /// A person left it out.
    LeftOut(Said),
    /// In the words of an older program.
    Written(String),
}

/// Why a step is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetReason {
    /// A person wants it.
    OnceMore(Said),
    /// The protection was seen, and has been lost since.
    ProtectionLost { wait: WaitReason },
    /// The target leads by now.
    LeadsNow { member: String },
    /// In the words of an older program.
    Written(String),
}

/// Why the outcome of an effect must be observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LostReason {
    Overdue,
    /// The controller that sent it is gone.
    SenderGone,
    /// In the words of an older program.
    Written(String),
}

/// Why an effect of unknown outcome is taken for not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AssumedReason {
    /// Nobody could tell, and a person decided so.
    Said(Said),
    /// In the words of an older program.
    Written(String),
}

/// What a step waits for. A step is looked at twenty times a second, in each of ten thousand futures: no words are made of it until
/// somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitReason {
    /// This controller is read-only.
    Armed,
    /// The operation's claim, or what the claim needs.
    Claim(ClaimWait),
    /// The check may hold in a moment.
    Check(Box<Check>),
    StoreAnswer,
    StoreAnswerAfterFence,
    /// A fresh probe of the old primary.
    Probe,
    /// Fresh answers of the member and of the store.
    FreshAnswers {
        member: String,
    },
    Answers {
        member: String,
    },
    MemberAnswer {
        member: String,
    },
    MemberAnswerAfterFence {
        member: String,
    },
    FenceCommand,
    /// Whether the fence ran.
    FenceOutcome {
        reason: String,
    },
    /// What the hand-over needs is not proven yet.
    Proof(Box<NoProof>),
    Transaction,
    /// Whether the transaction happened.
    TransactionOutcome {
        reason: String,
    },
    Report {
        effect: EffectKind,
    },
    /// Whether the effect happened.
    Outcome {
        reason: String,
    },
    NewTimeline {
        member: String,
    },
    /// That this standby leaves recovery, and the timeline it is on.
    Promotion {
        member: String,
        timeline: Option<Timeline>,
    },
    Balancers(Vec<BalancerWait>),
    Standby {
        member: String,
        synchronous: bool,
    },
    /// A person's answer to what the plan asks, in its own words.
    Person {
        what: String,
    },
}

/// What is waited for at one balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BalancerWait {
    /// Whether its region is up.
    Up {
        address: String,
    },
    /// It refused, and its region may be found lost in a moment.
    Refused {
        address: String,
        outcome: Outcome,
    },
    /// It reported, and does not show it yet.
    Shows {
        address: String,
    },
    Report {
        address: String,
    },
}

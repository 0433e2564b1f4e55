//! What befalls a controller, and what people do to it: each is data, so that a case can be made smaller.

use crate::model::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedAct {
    pub at: Span,
    pub act: Act,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    Propose {
        group: u16,
        intent: Intent,
        from: Option<u16>,
        to: Option<u16>,
    },
    /// Somebody looks at the screen, and will confirm what stood there.
    Remember,
    Confirm(Word),
    Withdraw,
    Stop,
    Abort,
    Rollback,
    Answer {
        /// The n-th step that asks or failed; none does: any step.
        step: u16,
        done: bool,
    },
    AcceptUnprotected,
    Arm {
        rightly: bool,
    },
    Disarm,
    Note,
    Vouch {
        group: u16,
    },
    /// The controller's process is killed; another takes over after a while.
    Die {
        gone: Span,
    },
    /// It is killed at the n-th point from here at which something is made durable or sent.
    DieAt {
        point: u32,
        gone: Span,
    },
    /// The wall clock is set.
    Jump {
        by_ms: i64,
    },
    DiskFull {
        lasts: Span,
    },
    /// Somebody changes the file; the next controller reads it.
    Edit(Edit),
    /// Somebody switches on what was fenced.
    SwitchOn,
    /// The controller's process is frozen at the n-th effect that it sends from here: the effect leaves when it thaws.
    FreezeAt {
        point: u32,
        lasts: Span,
    },
    /// The store is restored from a snapshot that is so old.
    RestoreStore {
        age: Span,
    },
}

/// What the file says otherwise than at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edit {
    /// All is as it was.
    Nothing,
    /// A database more, which stands before the others.
    ServiceAdded,
    /// The first database has another name, behind the others.
    ServiceRenamed,
    /// The first database is left out.
    ServiceRemoved,
    /// A region more, which stands before the others.
    RegionAdded,
}

/// How somebody confirms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// What was remembered, not what stands there now.
    pub from_memory: bool,
    pub rightly: bool,
    pub accepts_risk: bool,
    pub overrides: bool,
    pub second_person: bool,
    pub twice: bool,
}

/// Something that the door does to what goes through it, for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trick {
    pub at: Span,
    pub lasts: Span,
    pub kind: TrickKind,
}

/// `percent` is how often it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrickKind {
    LosesReports {
        percent: u8,
    },
    DoublesReports {
        percent: u8,
    },
    DelaysReports {
        percent: u8,
        by: Span,
    },
    LosesObservations {
        percent: u8,
    },
    DelaysObservations {
        percent: u8,
        by: Span,
    },
    /// What this region's member tells of itself comes later than what the others tell.
    SlowAnswers {
        region: u16,
        by: Span,
    },
    /// It happened, and its driver failed afterwards: nobody knows.
    ActsAndFails {
        percent: u8,
    },
    /// Its driver gave up, and it happens all the same.
    GivesUpAndActs {
        percent: u8,
    },
    /// A request is lost on its way, and its driver knows of no answer.
    LosesRequests {
        percent: u8,
    },
    /// A request to the store is on its way for so long that its driver gave up.
    DelaysRequests {
        percent: u8,
        by: Span,
    },
    /// Our own probes of this region are told that its ports are closed.
    ProbeLies {
        region: u16,
    },
    /// The receiver of this region's standby says that it lost its stream.
    ReceiverLies {
        region: u16,
    },
    /// The balancers say that this region's member cannot be reached.
    BalancerLies {
        region: u16,
    },
}

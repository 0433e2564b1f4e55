//! What observers say of a member that may be gone.

use super::{Name, Span};
use serde::{Deserialize, Serialize};

/// Somebody who is asked about a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Observer {
    /// Our own probes of both ports, together.
    OurProbes,
    /// Another member of the cluster, as people call it.
    Member(Name),
    Balancer {
        address: String,
    },
}

/// What an observer says of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Says {
    // Our own probes.
    NotProbed,
    PortsRefused,
    PortsSilent,
    Answers,
    FailsTooShortly,
    // A standby, of its leader.
    ReceiverNotAsked,
    ReceiverNotRecent,
    ReceiverLostStream,
    ReceiverHearsNothing,
    ReceiverHears,
    ReceiverHasNotNoticed,
    // The leader, of a standby.
    NotAsked,
    /// A sender takes up to its timeout to notice.
    ListsStream,
    LostStream,
    // A balancer.
    /// The result of its check, in its own words.
    Check(Name),
    /// It checks nothing that is in maintenance.
    InMaintenance,
    NoNewCheck,
    NoAnswer,
    /// What it said is too old. The leader may say so of a standby as well.
    NothingRecent,
}

/// What says that a member lives although our probes fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignOfLife {
    /// It renewed its lock.
    LockRenewed {
        ago: Span,
    },
    Told {
        observer: Observer,
        says: Says,
    },
}

/// How the votes on a member are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tally {
    Counted {
        /// Those who say that it is gone.
        gone: Vec<Observer>,
        /// Observers in all.
        of: u16,
        /// Observers that are silent themselves.
        absent: u16,
    },
    /// As an earlier record tells it.
    #[serde(untagged)]
    Words(String),
}

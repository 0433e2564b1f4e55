//! What happens if nothing is done.

use super::{Name, SignOfLife, Span};
use serde::{Deserialize, Serialize};

/// What happens if nothing is done, and why the cluster has not acted by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Otherwise {
    /// There is no database.
    NoDatabase,
    /// The store does not answer us.
    Unknown,
    /// It leads and keeps its lock.
    Leads {
        member: Name,
        sign: Option<SignOfLife>,
    },
    /// Another leads.
    LeadsAlready {
        member: Name,
    },
    /// The cluster is paused.
    Paused,
    NoQuorum,
    /// No living standby may take the lock.
    NobodyMay {
        lock: LockHolder,
    },
    /// The cluster takes over by itself, unfenced.
    Takeover {
        old: Name,
        /// The one that may take over, where only one may.
        by: Option<Name>,
        /// What is left of the lease, where that is known.
        left: Option<Span>,
        /// The old primary's database answers and may take writes beside the new one.
        beside: bool,
    },
    Elects,
}

/// Who holds the lock that nobody may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockHolder {
    /// The old primary, which is gone.
    Old,
    /// The old primary, whose database answers and whose agent does not.
    Agentless,
    Nobody,
}

//! What could not be done now if it had to be.

use super::{Elected, Finding, GroupId, MemberId};
use serde::{Deserialize, Serialize};

/// Something that is missing, or stands in the way of what may be needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gap {
    /// A replay has the journal and no tape: nothing that was measured is known.
    NotMeasured,
    /// So many lines of what was measured cannot be read: it is missing from the replay.
    PartlyMeasured {
        unread: u32,
    },
    /// The cluster elected the primary by itself, and no write of ours has proven that it takes writes.
    Unproven {
        group: GroupId,
    },
    /// The same, and a person vouches for it.
    Vouched {
        group: GroupId,
        elected: Elected,
    },
    /// It is not configured as it was any more, and so many of its changes are still to be undone.
    Departed {
        group: GroupId,
        left: u16,
    },
    /// The cluster that answers is not the one that was seen before.
    IdentityChanged {
        group: GroupId,
        change: super::IdentityChange,
    },
    /// Nothing can be done for it as it stands, whoever would take over.
    Blocked {
        group: GroupId,
        finding: Finding,
    },
    NoFence {
        group: GroupId,
    },
    NoStore {
        group: GroupId,
    },
    /// The consensus store does not answer.
    StoreSilent {
        group: GroupId,
        leader: Option<MemberId>,
        /// The leader leads no more, and nobody can be elected without the store.
        stepped_down: bool,
        /// In the driver's words.
        reason: String,
    },
    /// The database of a former primary answers and its agent does not.
    TwoMayWrite {
        group: GroupId,
        old: MemberId,
        new: MemberId,
    },
    /// No standby is synchronous.
    NotSynchronous {
        group: GroupId,
        leader: Option<MemberId>,
        /// Nothing is acknowledged until one is.
        waits: bool,
    },
    NoEntry {
        group: GroupId,
    },
    /// The primary is in maintenance on a balancer.
    PrimaryInMaintenance {
        group: GroupId,
        leader: MemberId,
        balancer: String,
    },
    /// The check of a member's fence fails.
    FenceCheckFails {
        group: GroupId,
        member: MemberId,
        reason: String,
    },
    /// A member's database refuses our login.
    LoginRefused {
        group: GroupId,
        member: MemberId,
        reason: String,
    },
    /// What a standby receives cannot be read: our role lacks `pg_monitor`.
    ReceiverUnreadable {
        group: GroupId,
        member: MemberId,
        user: String,
    },
}

impl Gap {
    /// It tells that this database's consensus store does not answer.
    pub fn is_store_of(&self, of: GroupId) -> bool {
        matches!(self, Gap::StoreSilent { group, .. } if *group == of)
    }
}

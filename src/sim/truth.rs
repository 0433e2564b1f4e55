//! What really happened in the simulated world: what no controller can know, and every law is held against.

use crate::model::{OperationId, Span};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Writes that clients were told are safe.
    pub acknowledged: u64,
    /// Of those, writes that did not survive.
    pub lost: u64,
    /// The log of these, and of parts of them.
    pub lost_bytes: u64,
    /// Of the lost ones, those that an accepted loss covers.
    pub lost_accepted: u64,
    /// How long two primaries took writes at once.
    pub two_primaries: Span,
    /// An effect came in whose id had come in before.
    pub repeated: u32,
    /// Effects that came in, by id.
    pub effects: u32,
    /// What was done to a cluster that was another controller's, in words.
    pub trespasses: Vec<String>,
    /// What followed of each hand-over that came in, by the operation that asked for it.
    pub deeds: BTreeMap<OperationId, Deed>,
}

/// What followed of one hand-over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deed {
    /// A person accepted that the old primary may go on.
    pub unfenced: bool,
    /// A person accepted a loss.
    pub loss_accepted: bool,
    /// Its fence answered 0 and did nothing, on a member that none of us could see.
    pub deceived: bool,
    /// How long the old primary took writes beside the new one.
    pub two_primaries: Span,
    /// Acknowledged writes that the promotion left behind, and all of the log that it left behind.
    pub lost: u64,
    pub left_behind: u64,
    /// The release of the lock was decided though its taker had been gone for so long.
    pub orphaned: Option<Span>,
}

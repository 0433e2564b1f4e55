//! What really happened in the simulated world: what no controller can know, and every law is held against.

use crate::model::Span;

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
    /// A lock was released by us while nobody could take it.
    pub orphaned_lock: bool,
    /// An effect came in whose id had come in before.
    pub repeated: u32,
    /// Effects that came in, by id.
    pub effects: u32,
}

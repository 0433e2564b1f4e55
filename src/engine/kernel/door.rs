//! The one narrow door between decisions and the world. Behind it stands a simulation or real systems; the same code
//! decides before it.

use super::sending::Sending;
use crate::model::{Incoming, Look, Mono, Now};

/// A pair of queues. Nothing waits in here: what takes time comes back as something incoming.
pub trait Door {
    /// Carries out what was decided, once its intent is durable. Its outcome comes in as a report.
    fn submit(&mut self, now: Now, sending: Sending);

    /// Looks at something, once or more often for a while.
    fn look(&mut self, now: Now, look: Look);

    /// What has come in by now.
    fn poll(&mut self, now: Mono) -> Vec<Incoming>;

    /// When something is next due to come in, where that is known beforehand.
    fn next_deadline(&self) -> Option<Mono>;
}

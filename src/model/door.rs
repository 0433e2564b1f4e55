//! The one narrow door between decisions and the world. Behind it stands a simulation or real systems; the same code
//! decides before it.

use super::{Issued, Look, Mono, Now, Observation, Report};

/// What comes in through the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Observed(Observation),
    Report(Report),
}

/// A pair of queues. Nothing waits in here: what takes time comes back as something incoming.
pub trait Door {
    /// Carries out an effect whose intent is durable. Its outcome comes in as a report.
    fn submit(&mut self, now: Now, issued: Issued);

    /// Looks at something, once or more often for a while.
    fn look(&mut self, now: Now, look: Look);

    /// What has come in by now.
    fn poll(&mut self, now: Mono) -> Vec<Incoming>;

    /// When something is next due to come in, where that is known beforehand.
    fn next_deadline(&self) -> Option<Mono>;
}

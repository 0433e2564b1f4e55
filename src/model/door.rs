//! What comes in from the world.

use super::{Observation, Report};

/// What comes in through the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Observed(Observation),
    Report(Report),
}

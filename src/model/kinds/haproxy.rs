//! HAProxy: its runtime API shows the servers of a backend, and takes them out of rotation.

use super::{Route, Steering};
use serde::{Deserialize, Serialize};

/// It has no settings beside its address and the backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Haproxy {}

impl Route for Haproxy {
    const NAME: &'static str = "haproxy";
    const STEERING: Steering = Steering::ByChecks;
}

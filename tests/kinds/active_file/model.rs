//! A file that names the active region: clients read it to find the primary.

use super::{Route, Steering};
use serde::{Deserialize, Serialize};

/// It has no settings beside the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveFile {}

impl Route for ActiveFile {
    const NAME: &'static str = "active_file";
    const STEERING: Steering = Steering::AsSet;
}

//! A command of the user's: it ends with 0, and what it did is seen afterwards.

use super::Switch;
use serde::{Deserialize, Serialize};

/// Its settings are those of the fence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {}

impl Switch for Command {
    const NAME: &'static str = "command";
}

//! The key in the consensus store by which controllers on different machines keep out of each other's way.

use crate::model::{Generation, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub operation: String,
    pub generation: Generation,
    pub by: String,
    pub since: Utc,
    pub running: bool,
}

impl Claim {
    pub fn read(value: &str) -> Option<Claim> {
        serde_json::from_str(value).ok()
    }

    pub fn write(&self) -> String {
        // A claim has no part that JSON cannot hold.
        serde_json::to_string(self).unwrap_or_default()
    }
}

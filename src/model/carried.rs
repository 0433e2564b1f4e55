//! What a restart with another configuration must know: other names, what departed, and why it is refused.

use super::{GroupId, OperationId, RegionId, ServiceId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Names that the file says were others (`was: OLD`), by the new name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub regions: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, String>,
}

impl Renamed {
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty() && self.services.is_empty()
    }
}

/// What is configured no more, or otherwise, and still has something to be undone: it stays as it was until that is settled, and
/// no new operation begins on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departed {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<RegionId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<GroupId>,
}

impl Departed {
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty() && self.services.is_empty() && self.groups.is_empty()
    }
}

/// Why a controller does not start with this configuration and this journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CarryRefused {
    /// No database of the journal is in the file: it is another estate's journal.
    NothingInCommon { journal: Vec<String>, configured: Vec<String> },
    /// The group of a running operation has lost its database, or got one.
    KindChanged { group: String, operation: OperationId },
    /// A member that a running operation names is in another region now.
    RegionChanged { group: String, member: String, operation: OperationId },
}

//! Patroni: PostgreSQL whose members elect their leader through etcd.

use super::Replicated;
use serde::{Deserialize, Serialize};

/// Its settings are those of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patroni {}

impl Replicated for Patroni {
    const NAME: &'static str = "patroni";
}

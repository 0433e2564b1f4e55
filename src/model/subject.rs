//! Who or what a line of the log is about, and which sources values come from.

use super::{GroupId, Mode, OperationId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whom or what a line of the log tells of. Names are those of the moment: a later configuration may have others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    Operation(OperationId),
    /// A protection group, by name.
    Group(String),
    /// A region, by name.
    Region(String),
    /// Who gave an order, wrote a note or decided; the program itself is one of them.
    Person(String),
    Disaster,
    Forecast,
    Clock,
    /// A controller that begins.
    Controller(Mode),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Operation(id) => f.pad(&id.to_string()),
            Subject::Group(name) | Subject::Region(name) | Subject::Person(name) => f.pad(name),
            Subject::Disaster => f.pad("disaster"),
            Subject::Forecast => f.pad("forecast"),
            Subject::Clock => f.pad("clock"),
            Subject::Controller(mode) => f.pad(mode.word()),
        }
    }
}

/// Where measured values come from, beside the members and services themselves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Source {
    /// The consensus store of a database.
    Store { group: GroupId },
    /// A balancer, by the address of its runtime API: several databases may share one.
    Balancer { address: String },
}

//! Why a region stands as it does, what a disaster was declared on, and why a choice is on the table. Names stand in it as they
//! were at that moment.

use super::{Check, DisasterType, Risk, SignOfLife, Span, Tally};
use serde::{Deserialize, Serialize};

/// Why a region stands as it does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegionReason {
    /// Nothing was found yet.
    #[default]
    NotFound,
    NotMeasured,
    /// Nothing in it answers, and others say so as well, where anybody else is asked.
    Silent {
        votes: Option<Tally>,
    },
    /// Only our probes fail: this one says that it lives, or nobody else says that it is gone.
    OnlyOurs {
        alive: Option<SignOfLife>,
    },
    /// A detector says so, in its own words.
    Signal {
        text: String,
    },
    SomeGone {
        gone: usize,
        watched: usize,
    },
    /// The primary of the group answers and leads no more.
    NoPrimary {
        group: String,
    },
    LagsOverRpo {
        group: String,
        lag: Span,
        rpo: Span,
        /// It has not found the new primary yet.
        older: bool,
    },
    /// Something in it fails, not yet for long enough.
    Failing,
    Well,
    /// In the words of an older program.
    Written(String),
}

/// What a disaster was declared on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisasterEvidence {
    /// How each of its regions stood.
    Regions(Vec<RegionEvidence>),
    /// Who says that a node is gone.
    Votes { votes: Tally },
    /// A detector says so, in its own words.
    Signal { text: String },
    /// In the words of an older program.
    Written(String),
}

/// How a region stood when a disaster was declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionEvidence {
    pub region: String,
    pub reason: RegionReason,
}

/// Why a choice is on the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProposalReason {
    /// Detection found a disaster.
    Disaster { kind: DisasterType, region: String, evidence: DisasterEvidence },
    /// In the words of the person or the program that proposed it, or of an older program.
    Told(String),
}

/// What it would have cost to confirm a choice that left the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChoiceCost {
    /// It could not be confirmed: this check stood in the way.
    Refused { check: Box<Check> },
    /// These risks would have had to be accepted; the checks tell of them.
    Risks { risks: Vec<Risk>, checks: Vec<Check> },
    /// In the words of an older program.
    Written(String),
}

/// A check that an operation's beginning rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckTold {
    Check(Check),
    /// In the words of an older program.
    Written(String),
}

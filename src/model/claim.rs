//! What stands in the consensus store about the operation that runs on a cluster. Two keys: the operation (never deleted) and
//! its owner (on a lease). Controllers on different machines keep out of each other's way by them.

use super::{Generation, Span, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A controller's process. It holds no host name and no process number: both are given to others later.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The public key of its journal.
    pub journal: String,
    /// Which start of its machine it belongs to.
    pub boot: String,
    /// Differs from process to process.
    pub nonce: String,
}

impl Owner {
    /// The other process wrote the same journal on the same machine, and the machine was not started anew in between.
    pub fn is_same_place(&self, other: &Owner) -> bool {
        self.journal == other.journal && self.boot == other.boot
    }

    pub fn read(value: &str) -> Option<Owner> {
        serde_json::from_str(value).ok()
    }

    /// As it stands in the owner key.
    pub fn write(&self) -> String {
        // An owner has no part that JSON cannot hold.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// One of a simulation, where a name is enough.
impl From<&str> for Owner {
    fn from(name: &str) -> Owner {
        Owner { journal: name.to_string(), ..Owner::default() }
    }
}

/// The beginning of its journal's key tells controllers apart.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "controller {}", self.journal.chars().take(8).collect::<String>())
    }
}

/// How far an operation has come, as far as others must know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimPhase {
    /// It may fence, drain and hand over.
    #[default]
    Acting,
    /// The lock was handed over: it watches, validates and restores.
    HandedOver,
    Over,
}

/// What an operation may have done and must undo or restore.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligations {
    /// Members that may be fenced, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fenced: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drained: Vec<Drained>,
    /// Settings of the cluster that may be changed, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<String>,
}

impl Obligations {
    pub fn is_empty(&self) -> bool {
        self.fenced.is_empty() && self.drained.is_empty() && self.settings.is_empty()
    }

    /// Both together, each once.
    pub fn with(mut self, other: &Obligations) -> Obligations {
        fn join<T: Clone + PartialEq>(into: &mut Vec<T>, from: &[T]) {
            for item in from {
                if !into.contains(item) {
                    into.push(item.clone());
                }
            }
        }
        join(&mut self.fenced, &other.fenced);
        join(&mut self.drained, &other.drained);
        join(&mut self.settings, &other.settings);
        self
    }
}

/// A member's server that may be in maintenance on a balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drained {
    pub member: String,
    /// The address of the balancer's runtime API.
    pub balancer: String,
}

/// The value of the operation key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub operation: String,
    pub generation: Generation,
    /// Together with `since` for programs that know no owner key; nothing here decides by them.
    pub by: String,
    pub since: Utc,
    pub running: bool,
    /// `None`: a program wrote it that knows no owner key.
    #[serde(default)]
    pub owner: Option<Owner>,
    #[serde(default)]
    pub phase: ClaimPhase,
    /// How long an effect of this phase may still be under way after its owner is gone, in milliseconds.
    #[serde(default)]
    pub patience_ms: u64,
    #[serde(default)]
    pub obligations: Obligations,
    /// Grows when the key is changed for no other reason than that a lost request must not succeed any more.
    #[serde(default)]
    pub attempt: u32,
}

impl Claim {
    pub fn read(value: &str) -> Option<Claim> {
        serde_json::from_str(value).ok()
    }

    /// An empty document: it was written so that a late claim cannot come any more, and claims nothing itself.
    pub fn is_blank(value: &str) -> bool {
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(value)
            .is_ok_and(|fields| fields.is_empty())
    }

    pub fn write(&self) -> String {
        // A claim has no part that JSON cannot hold.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Both are about the same run of an operation.
    pub fn is_same_run(&self, other: &Claim) -> bool {
        let journal = |c: &Claim| c.owner.as_ref().map(|o| o.journal.clone());
        self.operation == other.operation
            && self.generation == other.generation
            && journal(self) == journal(other)
    }
}

/// Whose a claim is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// Another controller, and it is not known which.
    Unknown,
    Controller(Owner),
    /// An older program, as it calls itself.
    Older(String),
}

/// An operation that claims a cluster, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimant {
    /// `None`: it is not known which.
    pub operation: Option<String>,
    pub holder: Holder,
}

/// What another controller's claim means for an operation that would begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimFinding {
    /// Its operation runs.
    Runs(Claimant),
    /// Its operation ran, and it is gone; after `left` that can be taken over.
    NotRenewed { by: Claimant, left: Span },
    /// An older program's operation; after `left` it can be taken over if it is not changed.
    OlderRuns {
        by: Claimant,
        left: Span,
        /// Its clock is ahead of ours.
        ahead: bool,
    },
    /// It would be taken over.
    TakesOver(Claimant),
}

/// What an operation waits for before its claim lets it act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimWait {
    /// The answer to our claim.
    Answer,
    /// A read of the store that is fresh.
    FreshAnswer,
    Renewal,
    /// Commands of the process before may still run.
    CommandsBefore,
    /// The owner before is gone, and what it sent may still be under way.
    Patience,
    /// The claim is an older program's.
    OlderUnchanged,
    /// The member that the controller before may have fenced was not looked at yet.
    MemberBefore,
    /// The balancer that the controller before may have drained was not looked at yet.
    BalancerBefore,
    /// The settings that the controller before may have changed were not looked at yet.
    SettingsBefore,
}

/// Why an operation may not act any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimLost {
    TakenOver {
        by: Option<Claimant>,
    },
    /// Another controller claimed the cluster before it.
    First {
        by: Option<Claimant>,
    },
    /// Another operation was claimed since, with a generation that is not older.
    ClaimedSince {
        by: Claimant,
        generation: Generation,
    },
    NotWritten {
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What older programs wrote is read, and what is written holds what they read.
    #[test]
    fn older_programs_and_this_one_read_each_other() {
        let old = r#"{"operation": "recovery-9", "generation": 9, "by": "jump-b:4242", "since": 1796039977173, "running": true}"#;
        let claim = Claim::read(old).unwrap_or_else(|| panic!("not read"));
        assert_eq!((claim.owner.as_ref(), claim.generation, claim.running), (None, Generation(9), true));
        let new = Claim { owner: Some(Owner::from("ours")), attempt: 3, ..claim.clone() };
        let value: serde_json::Value = serde_json::from_str(&new.write()).unwrap_or_else(|e| panic!("{e}"));
        for field in ["operation", "generation", "by", "since", "running"] {
            assert!(!value[field].is_null(), "{field}");
        }
        assert_eq!(Claim::read(&new.write()), Some(new.clone()));
        assert!(
            !new.is_same_run(&claim) && new.is_same_run(&Claim { running: false, attempt: 0, ..new.clone() })
        );
    }
}

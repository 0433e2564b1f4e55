//! Dense indices into the estate. Names stand at the edges; inside, a number is compared and copied.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u16);

        impl $name {
            pub const fn at(self) -> usize {
                self.0 as usize
            }

            /// The id of a position. Configurations are bounded far below the type's range (`config::yaml::MAX_ITEMS`).
            pub fn of(position: usize) -> Self {
                Self(u16::try_from(position).unwrap_or(u16::MAX))
            }
        }
    };
}

index!(
    /// A region of the estate.
    RegionId
);
index!(
    /// A service of the estate.
    ServiceId
);
index!(
    /// A protection group: what is recovered together.
    GroupId
);
index!(
    /// A member of a group's database: its position in the list of the group's members.
    MemberId
);
index!(
    /// A load balancer of a group's traffic entry.
    BalancerId
);

/// One run of a plan. Never reused within an estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub u32);

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recovery-{}", self.0)
    }
}

impl std::str::FromStr for OperationId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_prefix("recovery-")
            .unwrap_or(text)
            .parse()
            .map(OperationId)
            .map_err(|_| format!("`{text}` is no operation id; they look like recovery-12"))
    }
}

/// A choice that is put to a person. Never reused within an estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProposalId(pub u32);

/// A disaster that was declared. Never reused within an estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DisasterId(pub u32);

/// Grows with every operation on an estate and is carried by every write, so that an older plan cannot overwrite a newer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

/// One effect: which step of which operation, the how-manieth attempt, and the generation it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectId {
    pub operation: OperationId,
    pub step: u16,
    /// Which of the step's effects: a drain has one for each balancer.
    pub part: u16,
    pub attempt: u16,
    pub generation: Generation,
}

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}-g{}", self.operation.0, self.step, self.part, self.attempt, self.generation.0)
    }
}

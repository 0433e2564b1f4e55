//! What can befall an estate, and how it may be answered.

use super::{DisasterEvidence, DisasterId, Estate, Group, GroupId, RegionId, ServiceId, Span, Utc};
use serde::{Deserialize, Serialize};

/// Closed vocabularies that people write: one list gives the names, the parser and the error text.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|v| v.name() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|v| v.name()).collect();
                    format!("`{text}` is no {}; known: {}", $what, known.join(", "))
                })
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary!(
    /// The kinds of disaster (requirement A4).
    DisasterType, "disaster type" {
        RegionOutage = "region_outage",
        DataCenterOutage = "data_center_outage",
        ProviderOutage = "provider_outage",
        NodeFailure = "node_failure",
        NetworkPartition = "network_partition",
        HardwareFailure = "hardware_failure",
        SoftwareFailure = "software_failure",
        DataCorruption = "data_corruption",
        CyberIncident = "cyber_incident",
        HumanError = "human_error",
    }
);

impl DisasterType {
    /// A detector outside tells of it, and no probe: its data is what is hurt, and no failover mends that.
    pub const fn is_of_data(self) -> bool {
        matches!(self, DisasterType::DataCorruption | DisasterType::CyberIncident | DisasterType::HumanError)
    }

    /// It takes a whole region, with everything in it.
    pub const fn is_of_region(self) -> bool {
        use DisasterType::{DataCenterOutage, NetworkPartition, ProviderOutage, RegionOutage};
        matches!(self, RegionOutage | DataCenterOutage | ProviderOutage | NetworkPartition)
    }

    /// Three words at most, for a header.
    pub fn words(self) -> String {
        self.name().replace('_', " ").replace("center", "centre")
    }
}

vocabulary!(
    /// How bad a disaster is.
    Severity, "severity" {
        Low = "low",
        Medium = "medium",
        High = "high",
        Critical = "critical",
    }
);

vocabulary!(
    /// The recovery strategies (requirement B1).
    Strategy, "recovery strategy" {
        ImmediateFailover = "immediate_failover",
        PointInTimeRestore = "point_in_time_restore",
        WarmStandbyActivation = "warm_standby_activation",
        ColdStandbyRestoration = "cold_standby_restoration",
    }
);

vocabulary!(
    /// How much is done without a person.
    Automation, "automation level" {
        /// A person starts it and does its steps.
        Manual = "manual",
        /// A person confirms it; the program does it.
        Semi = "semi",
        /// The program may start it by itself, within the limits of `automation`.
        Full = "full",
    }
);

/// A classified event that affects part of the estate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disaster {
    pub id: DisasterId,
    pub kind: DisasterType,
    pub severity: Severity,
    pub regions: Vec<RegionId>,
    pub services: Vec<ServiceId>,
    /// The first failed observation.
    pub since: Utc,
    /// When it was classified.
    pub declared: Utc,
    /// Detection: from the first failed observation to the declaration.
    pub detection: Span,
    /// Who or what says so.
    pub evidence: DisasterEvidence,
    /// When nothing of it was seen any more.
    pub ended: Option<Utc>,
}

impl Disaster {
    /// It is one of data, and reaches this database: its replicas carry that as well.
    pub fn corrupts(&self, estate: &Estate, group: GroupId) -> bool {
        self.kind.is_of_data() && self.services.iter().any(|s| estate.service(*s).group == group)
    }

    /// The databases that lost a node, where it is of single nodes: several may have lost one in the same region.
    pub fn of_nodes<'a>(&'a self, estate: &'a Estate) -> Vec<&'a str> {
        let of = |g: &&Group| {
            self.kind == DisasterType::NodeFailure
                && g.database.as_ref().is_some_and(|d| self.services.contains(&d.service))
        };
        estate.groups.iter().filter(of).map(|g| g.name.as_str()).collect()
    }
}

//! Whether a region's loss could be answered now: point by point, with reasons.

use super::disaster::vocabulary;
use super::{DisasterType, GroupId, RegionId};
use serde::{Deserialize, Serialize};

/// One database that is led from a region, and one kind of disaster there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    pub region: RegionId,
    pub scenario: DisasterType,
    /// `None`: no database is led from there.
    pub group: Option<GroupId>,
    pub points: Vec<Point>,
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub name: String,
    pub state: PointState,
    pub text: String,
}

vocabulary!(
    /// How a point of readiness stands.
    PointState, "state of a point" {
        Holds = "holds",
        /// It was not measured, or cannot be without firing it.
        Unknown = "unknown",
        Lacks = "lacks",
    }
);

impl Readiness {
    /// Of a hundred: the share of the points that hold. What is unknown does not.
    pub fn score(&self) -> u32 {
        let holds = self.points.iter().filter(|p| p.state == PointState::Holds).count();
        if self.points.is_empty() { 0 } else { (holds * 100 / self.points.len()) as u32 }
    }

    pub fn is_ready(&self) -> bool {
        self.points.iter().all(|p| p.state == PointState::Holds)
    }
}

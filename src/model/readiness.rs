//! Whether a region's loss could be answered now: point by point, with reasons.

use super::disaster::vocabulary;
use super::{
    DisasterType, Estate, Finding, GroupId, Intent, Name, NoFigures, Percent, Refusal, RegionId, Span, Utc,
    WhyNot,
};
use serde::{Deserialize, Serialize};

/// One database that is led from a region, and one kind of disaster there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    pub region: RegionId,
    pub scenario: DisasterType,
    /// `None`: no database is led from there.
    pub group: Option<GroupId>,
    /// Something of it has answered; without that there is no score.
    pub measured: bool,
    pub points: Vec<Point>,
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub name: PointName,
    pub state: PointState,
    /// An earlier tape has words there.
    #[serde(alias = "text")]
    pub finding: PointFinding,
    /// The region that would take over, where the point is about what it can carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<RegionId>,
}

/// What was found of a point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PointFinding {
    /// As the check of a failover has it.
    Check(Finding),

    // Of the plan.
    Plan {
        name: String,
        steps: usize,
    },
    NoPlan {
        intent: Intent,
        kind: DisasterType,
    },

    // Of a region that leads nothing.
    /// Everything in it runs elsewhere too.
    RunsElsewhere,
    RunsNowhereElse {
        services: usize,
    },
    /// No database has its only balancers in it.
    EntriesElsewhere {
        region: Name,
    },
    /// Databases have every balancer in it.
    OnlyEntries {
        groups: Vec<String>,
        region: Name,
    },

    // Of what is needed.
    FenceNeeds {
        region: Name,
    },
    NoStore,
    /// So many of the store's voters stand in the region: no quorum is left without it.
    StoreStands {
        there: usize,
        of: usize,
        region: Name,
    },
    EveryBalancerStands {
        region: Name,
    },
    NothingNeeded {
        region: Name,
    },

    /// Nobody has told which member leads.
    LeaderUnknown,
    /// The running systems were not asked yet for what a failover needs.
    NotSurveyed,
    /// They were asked: so many things would stop a failover, and so many are not known.
    Survey {
        stops: u16,
        unknown: u16,
        first: Option<super::SurveyCheck>,
    },

    // Of the candidate, and of what its region can carry.
    Nobody,
    /// By what is declared, the target can carry less than the other region may.
    DeclaredLess {
        to: Name,
        carries: Percent,
        from: Name,
        up_to: Percent,
    },
    /// It is a cold standby: its servers are to be created first.
    ToBeCreated {
        to: Name,
    },
    /// Its live load is not known.
    DeclaredOnly {
        to: Name,
        carries: Percent,
    },

    // Of the fence.
    NoFence,
    FenceProven {
        ago: Span,
        took: Span,
    },
    /// Its check says that it could.
    FenceNeverFired,
    FenceHasNoCheck,
    FenceCheckOpen,

    // Of the login.
    NoLogin,
    LoginRefused {
        member: Name,
        user: String,
        reason: String,
    },
    LoginUntried,
    LoginWorks {
        user: String,
        on: usize,
        of: usize,
    },

    // Of the traffic.
    NoTraffic,
    Balancers {
        count: usize,
    },

    // Of the drill.
    NoPlanAnswers {
        kind: DisasterType,
    },
    Drilled {
        plan: String,
        ago: Span,
    },
    DrillOverdue {
        plan: String,
        ago: Span,
    },
    NeverDrilled {
        plan: String,
        /// Automation acts all the same.
        acts: bool,
    },

    // Of the forecast.
    NotForecast(Refusal),
    NoFigures(NoFigures),
    NotServed {
        why: Option<WhyNot>,
    },
    Served {
        /// In 95 of 100 runs, detection included.
        within: Span,
        /// How long detection takes.
        found: Span,
        /// What takes time and is left out.
        without: Vec<String>,
        rto: Span,
        /// What 95 of 100 lose at most; `None`: it is not known.
        loses: Option<Span>,
        rpo: Span,
    },

    /// As an earlier tape tells it.
    #[serde(untagged)]
    Words(String),
}

impl<T: Into<Finding>> From<T> for PointFinding {
    fn from(finding: T) -> PointFinding {
        PointFinding::Check(finding.into())
    }
}

vocabulary!(
    /// What it is that must hold.
    PointName, "point of readiness" {
        Plan = "plan",
        /// Nothing that is needed stands in the region that fails (law 10).
        Independence = "independence",
        /// Which member leads.
        Leader = "leader",
        /// What the running systems answered to everything that a failover needs.
        Survey = "survey",
        Candidate = "candidate",
        Capacity = "capacity",
        Fence = "fence",
        Credentials = "credentials",
        Traffic = "traffic",
        Drill = "drill",
        /// What runs nowhere else.
        Services = "services",
        /// What the futures of it come to.
        Forecast = "forecast",
    }
);

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
    /// Of a hundred: the share of the points that hold. What is unknown does not. `None`: nothing of it was measured.
    pub fn score(&self) -> Option<u32> {
        let holds = self.points.iter().filter(|p| p.state == PointState::Holds).count();
        let score = if self.points.is_empty() { 0 } else { (holds * 100 / self.points.len()) as u32 };
        self.measured.then_some(score)
    }

    pub fn is_ready(&self) -> bool {
        self.measured && self.points.iter().all(|p| p.state == PointState::Holds)
    }
}

/// How ready each region is, as it was asked last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadinessView {
    pub at: Utc,
    /// In the estate's order.
    pub regions: Vec<RegionReadiness>,
    /// Who led each database then, in the estate's order; `None` where that was not asked.
    #[serde(default)]
    pub led: Vec<Option<RegionId>>,
}

/// What would be missing if a region was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionReadiness {
    /// Of a hundred: that of the weakest of its databases and kinds of disaster. `None`: one of them was not measured.
    pub score: Option<u32>,
    /// Which that is, and what of it holds.
    #[serde(default)]
    pub weakest: Option<Weakest>,
    /// What does not hold or is not known, each once, the worst first; bounded.
    pub lacks: Vec<Point>,
}

/// What a region's figure is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weakest {
    pub scenario: DisasterType,
    pub group: Option<GroupId>,
    pub holds: Vec<PointName>,
    /// Points in all.
    pub of: usize,
}

impl Weakest {
    fn of(readiness: &Readiness) -> Weakest {
        let holds =
            readiness.points.iter().filter(|p| p.state == PointState::Holds).map(|p| p.name).collect();
        Weakest { scenario: readiness.scenario, group: readiness.group, holds, of: readiness.points.len() }
    }
}

impl RegionReadiness {
    /// Something is missing without which it would not go well, and not only a rehearsal.
    pub fn needs_more(&self) -> bool {
        self.lacks.iter().any(|p| p.state == PointState::Lacks && p.name != PointName::Drill)
    }
}

/// Points of a region that are told one by one.
const TOLD: usize = 8;

impl ReadinessView {
    pub fn of(estate: &Estate, at: Utc, list: &[Readiness]) -> ReadinessView {
        let region = |region: RegionId| {
            let of = || list.iter().filter(|r| r.region == region);
            let mut lacks: Vec<Point> = Vec::new();
            for state in [PointState::Lacks, PointState::Unknown] {
                for point in of().flat_map(|r| &r.points).filter(|p| p.state == state) {
                    if lacks.len() < TOLD && !lacks.contains(point) {
                        lacks.push(point.clone());
                    }
                }
            }
            let weakest = of().min_by_key(|r| r.score());
            RegionReadiness {
                score: weakest.and_then(Readiness::score),
                weakest: weakest.map(Weakest::of),
                lacks,
            }
        };
        let led = |g: GroupId| list.iter().find(|r| r.group == Some(g)).map(|r| r.region);
        ReadinessView {
            at,
            regions: estate.region_ids().map(region).collect(),
            led: estate.group_ids().map(led).collect(),
        }
    }
}

//! A recovery procedure as data: steps in a dependency graph, grouped in phases.
//!
//! The safety of a step lives in its kind, which is closed; a plan can only leave steps out or put them in another
//! order, and the laws hold all the same.

use super::disaster::vocabulary;
use super::{DisasterType, Span};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub name: String,
    pub title: String,
    pub intent: Intent,
    pub disasters: Vec<DisasterType>,
    /// Left out where nothing is asked: the plans of older records keep their hash.
    #[serde(default, skip_serializing_if = "Approval::asks_nothing")]
    pub approval: Approval,
    pub steps: Vec<Step>,
}

impl Plan {
    /// It puts the target back into the balancers: a switchover back to a region that was drained needs it.
    pub fn restores_traffic(&self) -> bool {
        self.steps.iter().any(|s| s.kind == StepKind::RestoreTraffic)
    }
}

/// What a confirmation of a plan asks for beside the typed name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Approval {
    /// Somebody else, by name.
    pub second_person: bool,
    /// A code of the person's own. Nothing in this program checks one yet, so that such a plan is refused.
    pub second_factor: bool,
}

impl Approval {
    pub fn asks_nothing(&self) -> bool {
        *self == Approval::default()
    }
}

vocabulary!(
    /// What a plan does to a group, which decides the evidence it needs before it may begin.
    Intent, "plan intent" {
        /// The old primary is lost: fence it, hand over, prove it.
        Failover = "failover",
        /// The old primary lives and steps down by itself.
        Switchover = "switchover",
        /// People do it; the program leads them through and records it.
        Guided = "guided",
    }
);

vocabulary!(
    /// The five phases; reference 000 prints four of them under its own names.
    Phase, "phase" {
        Assessment = "assessment",
        Execution = "execution",
        Validation = "validation",
        Redirection = "redirection",
        Reprotection = "reprotection",
    }
);

impl Phase {
    /// The name in reference 000's JSON, where it has one.
    pub const fn published(self) -> &'static str {
        match self {
            Phase::Assessment => "disaster_assessment",
            Phase::Execution => "failover_execution",
            Phase::Validation => "service_validation",
            Phase::Redirection => "traffic_redirection",
            Phase::Reprotection => "reprotection",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub id: String,
    pub phase: Phase,
    pub kind: StepKind,
    /// Positions of the steps that must be done before.
    pub after: Vec<u16>,
    pub timeout: Span,
}

/// What a step may be. Each kind is carried out, and observed, in one place: `engine::step`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepKind {
    /// The cluster that answers is the one that is meant.
    CheckIdentity,
    /// Enough observers of different kinds agree that the old primary is gone.
    CheckVotes,
    /// The candidate can take over and holds every acknowledged write.
    CheckCandidate,
    /// Prove that the old primary can take no write.
    Fence,
    /// The one transaction that releases the old leader's lock and names the candidate.
    HandOver,
    /// Ask the living leader to step down in favour of the candidate.
    SwitchOver,
    /// The candidate leads, on a new timeline.
    WatchPromotion,
    /// Take the old primary out of every balancer.
    DrainTraffic,
    /// Put a member back into every balancer.
    RestoreTraffic,
    /// A write that is read back: on the new primary, or through the traffic entry.
    ValidateWrite { via: Via },
    /// A synchronous standby streams on the new timeline.
    WatchProtection,
    /// Run a command of the user's.
    RunCommand { argv: Vec<String> },
    /// A person does or decides something, and says so.
    AskPerson { what: String },
}

impl StepKind {
    pub const fn name(&self) -> &'static str {
        match self {
            StepKind::CheckIdentity => "check_identity",
            StepKind::CheckVotes => "check_votes",
            StepKind::CheckCandidate => "check_candidate",
            StepKind::Fence => "fence",
            StepKind::HandOver => "hand_over",
            StepKind::SwitchOver => "switch_over",
            StepKind::WatchPromotion => "watch_promotion",
            StepKind::DrainTraffic => "drain_traffic",
            StepKind::RestoreTraffic => "restore_traffic",
            StepKind::ValidateWrite { .. } => "validate_write",
            StepKind::WatchProtection => "watch_protection",
            StepKind::RunCommand { .. } => "run_command",
            StepKind::AskPerson { .. } => "ask_person",
        }
    }

    /// True if the step changes the world, so that its outcome can be unknown.
    pub const fn acts(&self) -> bool {
        matches!(
            self,
            StepKind::Fence
                | StepKind::HandOver
                | StepKind::SwitchOver
                | StepKind::DrainTraffic
                | StepKind::RestoreTraffic
                | StepKind::ValidateWrite { .. }
                | StepKind::RunCommand { .. }
        )
    }
}

vocabulary!(
    /// Which way a validating write goes.
    Via, "way" {
        Primary = "primary",
        Entry = "entry",
    }
);

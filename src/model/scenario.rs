//! A scenario as data: what befalls a simulated estate, what people order meanwhile, and what is expected of it.

use super::disaster::vocabulary;
use super::{Estate, GroupId, MemberId, RegionId, Severity, Span, Strategy};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    pub name: String,
    pub title: String,
    pub estate: Estate,
    pub world: WorldSetup,
    pub armed: bool,
    pub seed: u64,
    pub faults: Vec<TimedFault>,
    pub orders: Vec<TimedOrder>,
    pub until: Span,
    pub expect: Expectation,
    /// What a walkthrough tells, and when.
    pub narration: Vec<Narration>,
}

/// One turn of a walkthrough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narration {
    pub at: Span,
    pub text: String,
}

/// The properties of a simulated world that an estate does not declare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldSetup {
    /// Log written on each primary, bytes a second.
    pub wal_rate: u64,
    /// Acknowledged writes of the clients, a second, for each database.
    pub write_rate: u32,
    /// One way between regions.
    pub latency: Span,
    /// The share of its capacity that each region uses at the start, in the estate's order.
    pub load: Vec<u16>,
    pub agent: AgentSetup,
    pub fence: FenceSetup,
}

/// The simulated cluster agent's own settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSetup {
    pub ttl: Span,
    pub loop_wait: Span,
    pub maximum_lag: u64,
    pub synchronous: bool,
    /// 3.0.2 lets a thawed leader overwrite the leader key.
    pub steals_lock: bool,
}

/// How the simulated fence behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceSetup {
    pub takes: Span,
    /// It answers 0 and does nothing.
    pub lies: bool,
}

impl Default for WorldSetup {
    fn default() -> Self {
        WorldSetup {
            wal_rate: 400_000,
            write_rate: 100,
            latency: Span::ms(20),
            load: Vec::new(),
            agent: AgentSetup {
                ttl: Span::secs(30),
                loop_wait: Span::secs(10),
                maximum_lag: 1_048_576,
                synchronous: true,
                steals_lock: true,
            },
            fence: FenceSetup { takes: Span::ms(120), lies: false },
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedFault {
    pub at: Span,
    /// How long it lasts; `None`: to the end.
    pub lasts: Option<Span>,
    pub fault: Fault,
}

vocabulary!(
    /// What can be done to a simulated world.
    FaultKind, "fault" {
        RegionOutage = "region_outage",
        ProviderOutage = "provider_outage",
        DataCenterOutage = "data_center_outage",
        NodeFailure = "node_failure",
        Partition = "partition",
        SlowLink = "slow_link",
        ReplicationStall = "replication_stall",
        DataCorruption = "data_corruption",
        CyberIncident = "cyber_incident",
        CapacityExhaustion = "capacity_exhaustion",
        FalseAlarm = "false_alarm",
        StoreAway = "store_away",
        FrozenPrimary = "frozen_primary",
        LyingFence = "lying_fence",
        Paused = "paused",
        TwoSynchronous = "two_synchronous",
        SwitchedOn = "switched_on",
        StandbyLost = "standby_lost",
        AgentFailure = "agent_failure",
    }
);

impl FaultKind {
    /// Nothing is broken by it: it is what people do after a loss, and mending does not take it back.
    pub const fn is_by_hand(self) -> bool {
        matches!(self, FaultKind::TwoSynchronous | FaultKind::SwitchedOn)
    }

    /// It strikes standbys, and nothing where there are none.
    pub const fn is_of_standbys(self) -> bool {
        matches!(self, FaultKind::ReplicationStall | FaultKind::StandbyLost)
    }

    /// It changes a cluster's configuration, wherever its members stand.
    pub const fn is_of_clusters(self) -> bool {
        matches!(self, FaultKind::Paused | FaultKind::TwoSynchronous)
    }
}

impl Fault {
    /// There is something there for it to strike, where that is led as told.
    pub fn finds(&self, estate: &Estate, leads: impl Fn(GroupId) -> Option<MemberId>) -> bool {
        let standby = |g: GroupId| {
            let mut members = estate.group(g).database.iter().flat_map(|d| d.members_in(self.region));
            members.any(|m| leads(g) != Some(m))
        };
        !self.kind.is_of_standbys()
            || estate.group_ids().filter(|g| self.group.is_none_or(|only| only == *g)).any(standby)
    }
}

/// One fault: its kind and where it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    pub region: RegionId,
    /// Only this group, where the fault is about a database.
    pub group: Option<GroupId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimedOrder {
    pub at: Span,
    pub by: String,
    pub order: ScriptedOrder,
}

/// An order of a script. Confirmations take what the screen shows at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScriptedOrder {
    Failover {
        group: GroupId,
        from: RegionId,
        to: Option<RegionId>,
        accept_risk: bool,
        manual_override: bool,
    },
    Switchover {
        group: GroupId,
        to: RegionId,
        #[serde(default)]
        accept_risk: bool,
    },
    StopAutomatic,
    Abort,
    /// Answer what the operation asks, as done.
    Answer,
    AcceptUnprotected,
}

/// What a scenario must have led to when it ends; what is `None` is not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    pub disaster: Option<super::DisasterType>,
    pub severity: Option<Severity>,
    pub strategy: Option<Strategy>,
    /// No operation was begun.
    pub no_operation: bool,
    /// How many operations ended in each way.
    pub recovered: Option<u16>,
    pub waiting: Option<u16>,
    /// Where the primary of every database must be.
    pub primary: Option<RegionId>,
    /// A refusal with these words in it.
    pub refused: Option<String>,
    /// Acknowledged writes that were lost, at most.
    pub lost_at_most: Option<u64>,
    /// From the first failed observation to the first write that users see, at most.
    pub served_within: Option<Span>,
}

/// A scenario as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub name: String,
    pub title: String,
    /// It has a narration to walk through.
    pub narrated: bool,
    /// How it ended when it was played, the newest last.
    pub results: Vec<PlayedOnce>,
}

/// One run of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayedOnce {
    pub at: super::Utc,
    pub scenario: String,
    pub passed: bool,
    /// The slowest of its operations; null where there was none.
    pub recovery_time_ms: Option<u64>,
    /// The plans that were run in it and recovered: what was changed since is another plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<super::Digest>,
    /// The exercise of the calendar that it was, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exercise: Option<super::Exercised>,
}

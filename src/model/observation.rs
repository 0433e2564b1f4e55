//! One measured value with its source and the moment it was measured. The simulation and the live drivers speak the
//! same words.

use super::{
    BalancerId, Bytes, DisasterType, GroupId, Lsn, MemberId, Mono, Percent, RegionId, ServiceId, Span,
    Timeline,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// A name that is told many times a second and seldom changes: it is shared, not copied.
pub type Name = Arc<str>;

/// A fact as it was measured at `at`, which may be some time ago.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    pub at: Mono,
    pub fact: Fact,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// Our own probe of a member's port.
    Probe {
        group: GroupId,
        member: MemberId,
        port: Port,
        result: ProbeResult,
        /// Of silence: how long an answer was waited for. It was silent from `at` until then.
        #[serde(default, skip_serializing_if = "Span::is_zero")]
        waited: Span,
    },
    /// What a member says of itself.
    Member {
        group: GroupId,
        member: MemberId,
        report: MemberReport,
    },
    /// What a standby says of the stream it receives.
    Receiver {
        group: GroupId,
        member: MemberId,
        stream: Receiver,
    },
    /// The consensus store's record of the cluster, read at one revision.
    Store {
        group: GroupId,
        record: Box<StoreRecord>,
    },
    /// The consensus store was asked and gave no usable answer.
    StoreAway {
        group: GroupId,
        reason: String,
    },
    /// A balancer's view of the servers in the write backend.
    Balancer {
        group: GroupId,
        balancer: BalancerId,
        servers: Vec<ServerView>,
    },
    BalancerAway {
        group: GroupId,
        balancer: BalancerId,
        reason: String,
    },
    /// A service's health as seen in a region, or through its one address.
    Service {
        service: ServiceId,
        region: Option<RegionId>,
        result: ProbeResult,
    },
    /// What something that a recovery needs answered; `need` is its place in the estate.
    Need {
        need: u16,
        result: ProbeResult,
    },
    /// The share of the normal total load that a region carries now.
    Load {
        region: RegionId,
        load: Percent,
    },
    /// A signal from outside, such as an intrusion detector's or a corruption check's.
    Signal {
        kind: DisasterType,
        region: RegionId,
        /// The databases that it names; where it names none it is about all that are led from the region.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<GroupId>,
        text: String,
        active: bool,
    },
    /// Whether a member's database lets our own login in.
    Login {
        group: GroupId,
        member: MemberId,
        result: Result<(), String>,
    },
    /// What the systems of a database answered to a survey.
    Survey {
        group: GroupId,
        answers: Box<super::SurveyAnswers>,
    },
    /// Whether the fence could be fired: its `check` command's answer.
    FenceCheck {
        group: GroupId,
        member: MemberId,
        result: Result<(), String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Port {
    /// The database's own port.
    Sql,
    /// The REST port of its agent.
    Rest,
}

/// The answer to a probe is waited for at most this long, by whatever looks.
pub const ANSWER: Span = Span::secs(1);

/// What came of a probe that ran. A probe that did not run gives no observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProbeResult {
    Answered {
        round_trip: Span,
    },
    /// The address answered that nobody listens.
    Refused,
    /// No answer within the time allowed.
    Silent,
    /// An answer that is no success: something lives there, and it is not well.
    Unwell(String),
    /// It could not be asked: its name is not known, or this machine does not trust its certificate. That says nothing of it.
    NotAsked(String),
}

impl ProbeResult {
    pub const fn is_well(&self) -> bool {
        matches!(self, ProbeResult::Answered { .. })
    }

    /// True if something at the address is alive.
    pub const fn is_life(&self) -> bool {
        matches!(self, ProbeResult::Answered { .. } | ProbeResult::Unwell(_))
    }
}

/// What a member says of itself; what it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberReport {
    pub role: MemberRole,
    pub running: bool,
    /// The state in the member's own words.
    pub state: Cow<'static, str>,
    pub timeline: Option<Timeline>,
    /// Of a leader: the current position.
    pub position: Option<Lsn>,
    /// Of a standby: what it has, in memory or replayed, whichever is more.
    pub received: Option<Lsn>,
    pub replayed: Option<Lsn>,
    /// Of a leader: who streams from it.
    pub streams: Vec<Stream>,
    pub system_id: Option<Name>,
    pub scope: Option<Name>,
    /// Its name in the cluster; Patroni tells it from 3.2 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    pub version: Version,
    pub paused: bool,
    pub nofailover: bool,
    pub nosync: bool,
    pub failsafe: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberRole {
    Leader,
    #[default]
    Replica,
}

/// The version of the cluster's agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(pub u16, pub u16, pub u16);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// The name the standby gives itself.
    pub name: Name,
    pub streaming: bool,
    pub synchronous: bool,
}

/// A standby's receiving end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receiver {
    /// A receiver runs and says that it streams. It says so for up to a minute after its sender fell silent.
    pub streaming: bool,
    /// How long ago its sender last said anything.
    pub silent_for: Option<Span>,
}

/// The cluster's keys in the consensus store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreRecord {
    pub revision: u64,
    pub leader: Option<LeaderKey>,
    pub sync: Option<SyncKey>,
    pub failover: Option<FailoverKey>,
    pub config: Option<ConfigKey>,
    pub status: Option<StatusKey>,
    pub initialize: Option<Name>,
    pub members: Arc<Vec<MemberKey>>,
    /// The last switch of timelines: the timeline that ended, and where.
    pub last_switch: Option<(Timeline, Lsn)>,
    /// Every switch that the store still tells, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<(Timeline, Lsn)>,
    /// The store's own cluster id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<Name>,
    /// The controllers' own key: which operation acted last.
    pub operation: Option<OperationKey>,
    /// Whose it is; the key is gone when its owner has not renewed it in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OperationKey>,
    /// The operation key of an older program, where that has a path of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legacy: Option<OperationKey>,
    /// This controller holds the owner key and could not renew it in time: it sends nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unrenewed: bool,
    /// Keys that are there and could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableKey>,
    pub failsafe: bool,
    /// Citus groups stand where the cluster's keys are looked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub citus: bool,
    /// How many members the store has, and how many of them answered.
    pub voters: u16,
    pub voters_up: u16,
}

impl StoreRecord {
    pub fn name_of(&self, member: MemberId) -> Option<&str> {
        self.members.iter().find(|m| m.member == Some(member)).map(|m| &*m.name)
    }

    pub fn member_named(&self, name: &str) -> Option<MemberId> {
        self.members.iter().find(|m| &*m.name == name).and_then(|m| m.member)
    }

    /// The member that holds the lock, if it is one of ours.
    pub fn leading_member(&self) -> Option<MemberId> {
        self.leader.as_ref().and_then(|l| l.member)
    }

    /// Who holds the lock, where that is no configured member.
    pub fn unconfigured_leader(&self) -> Option<UnconfiguredLeader> {
        let leader = self.leader.as_ref().filter(|l| l.member.is_none())?;
        let address = self.members.iter().find(|m| m.name == leader.name).map(|m| m.address.clone());
        Some(UnconfiguredLeader { name: leader.name.clone(), address: address.filter(|a| !a.is_empty()) })
    }

    /// A key that decides what may be done, and could not be read.
    pub fn undecided(&self) -> Option<&UnreadableKey> {
        self.unreadable
            .iter()
            .find(|u| matches!(u.key, ClusterKey::Config | ClusterKey::Sync | ClusterKey::Operation))
    }
}

/// A key that is there and could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableKey {
    pub key: ClusterKey,
    pub reason: String,
}

/// A key of a cluster in the store whose value is a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClusterKey {
    Config,
    Sync,
    Status,
    History,
    Member(Name),
    /// Our own: which operation acted last.
    Operation,
}

/// As it stands in the store, without the prefix.
impl std::fmt::Display for ClusterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ClusterKey::Config => f.write_str("config"),
            ClusterKey::Sync => f.write_str("sync"),
            ClusterKey::Status => f.write_str("status"),
            ClusterKey::History => f.write_str("history"),
            ClusterKey::Member(name) => write!(f, "members/{name}"),
            ClusterKey::Operation => f.write_str("operation"),
        }
    }
}

/// A leader that the estate does not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnconfiguredLeader {
    /// Its name in the cluster.
    pub name: Name,
    /// Its REST address, as it announces it in the store.
    pub address: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderKey {
    pub name: Name,
    /// The member it is, kept by the reader: a dead member's own key vanishes before the leader's does.
    pub member: Option<MemberId>,
    pub create_revision: u64,
    /// What is left of the lease, and its full length.
    pub lease_left: Option<Span>,
    pub lease_ttl: Option<Span>,
    pub lease_id: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncKey {
    pub leader: Option<Name>,
    pub standbys: Vec<Name>,
    /// In quorum mode: how many of the standbys beside a candidate must be seen not to be ahead of it, so that together they
    /// know every acknowledged write.
    pub quorum: Option<u16>,
    pub revision: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverKey {
    /// `None` when it is there and says nothing.
    pub content: Option<FailoverRequest>,
    pub revision: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverRequest {
    pub from: Option<String>,
    pub to: Option<String>,
    pub scheduled_at: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigKey {
    pub revision: u64,
    pub paused: bool,
    pub ttl: Span,
    pub loop_wait: Span,
    pub maximum_lag: Bytes,
    pub synchronous: bool,
    pub strict: bool,
    pub quorum: bool,
    pub standby_cluster: bool,
    pub failsafe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusKey {
    pub revision: u64,
    pub position: Lsn,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberKey {
    pub name: Name,
    /// The configured member with this address.
    #[serde(default)]
    pub member: Option<MemberId>,
    pub address: String,
    /// Where its database listens, `host:port`.
    pub sql: Option<String>,
}

/// A key of the controllers' own, with the revision at which it was last changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationKey {
    pub value: Name,
    pub revision: u64,
}

/// One server of the write backend as a balancer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerView {
    pub name: Name,
    /// The member behind it. A member may have several servers.
    pub member: Option<MemberId>,
    pub up: bool,
    /// Somebody took it out of rotation; that its name cannot be resolved is no maintenance.
    pub maintenance: bool,
    /// Its name cannot be resolved: it takes no traffic until it can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unresolved: bool,
    /// The check failed to connect, or to get an answer: the node is gone. (A standby that says «not me» is alive.)
    pub unreachable: bool,
    /// The check in the balancer's own words, such as `L4CON`.
    pub check: Cow<'static, str>,
}

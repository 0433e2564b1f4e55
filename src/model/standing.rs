//! An estate as it stands, as far as is known: where the world of a forecast or of a fork begins.

use super::{
    GroupId, Lsn, MemberId, MemberReport, Mono, Percent, RegionId, ServerView, ServiceId, Span, StoreRecord,
};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
pub struct Standing {
    pub now: Mono,
    pub databases: Vec<StandingDatabase>,
    /// By region; `None`: not known.
    pub loads: Vec<Option<Percent>>,
    /// Services that do not answer well at a place.
    pub failing: BTreeSet<(ServiceId, RegionId)>,
    /// Regions that are down.
    pub lost: Vec<RegionId>,
    /// The regions where everything is silent that is watched there.
    pub cut: Vec<RegionId>,
}

#[derive(Clone, Debug)]
pub struct StandingDatabase {
    pub group: GroupId,
    /// In the order of the database's members.
    pub members: Vec<StandingMember>,
    pub record: Option<(StoreRecord, Mono)>,
    /// The latest moment the lease can end at, from every read of it.
    pub lease_ends_by: Option<Mono>,
    /// Of each balancer; `None`: nothing was heard of it.
    pub balancers: Vec<Option<Vec<ServerView>>>,
    /// Bytes a second that the primary wrote lately, where two of its positions are known.
    pub wal_rate: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct StandingMember {
    pub member: MemberId,
    pub region: RegionId,
    pub life: Life,
    pub failing_since: Option<Mono>,
    pub report: Option<(MemberReport, Mono)>,
    /// When its receiver last heard the primary.
    pub heard: Option<Mono>,
    /// The last position it said it had as a leader.
    pub led_at: Option<(Lsn, Mono)>,
    pub round_trip: Option<Span>,
    /// It receives nothing any more: its lag grows as fast as the primary writes.
    pub stalled: bool,
}

impl Standing {
    /// A machine there answers that nobody listens.
    pub fn refuses(&self, region: RegionId) -> bool {
        self.databases.iter().flat_map(|d| &d.members).any(|m| m.region == region && m.life == Life::Refuses)
    }
}

/// How our own last probes of it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Answers,
    Refuses,
    Silent,
    /// It was not probed.
    Unknown,
}

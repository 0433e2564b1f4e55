//! What a check found, with its figures. Members and regions are named as people call them.

use super::{
    Bytes, ClaimFinding, DisasterType, Lsn, Name, OperationId, Percent, Port, Says, SignOfLife, Span, Tally,
    Timeline, UnconfiguredLeader, UnreadableKey, Version,
};
use serde::{Deserialize, Serialize};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finding {
    Cluster(ClusterFinding),
    Store(StoreFinding),
    Claim(ClaimFinding),
    Primary(PrimaryFinding),
    Candidate(CandidateFinding),
    Writes(WritesFinding),
    Fence(FenceFinding),
    Entry(EntryFinding),
    Load(LoadFinding),
    /// The plan asks for a second factor, which nothing here can check.
    SecondFactor,
    /// An operation of ours, which waits, would be superseded.
    Supersedes {
        operation: OperationId,
    },
    /// An operation of ours runs on the group.
    Runs {
        operation: OperationId,
    },
    /// As an earlier record tells it.
    #[serde(untagged)]
    Words(String),
}

/// Of the data, and of which cluster it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClusterFinding {
    /// Replicas carry it too.
    Corrupt {
        kind: DisasterType,
        region: Name,
    },
    /// The data of a standby may be corrupt as well.
    MayBeCorrupt,
    /// The cluster that answers is not the one that was seen before.
    IdentityChanged,
    /// The store has no cluster under this prefix.
    NotInStore {
        prefix: String,
    },
    /// The store is another cluster's than the members are of.
    OtherSystem {
        scope: String,
        stored: Name,
        told: Name,
    },
    SameSystem {
        scope: String,
        system: Name,
    },
    /// No member has told its system identifier.
    SystemNotTold {
        scope: String,
    },
    /// No member in the store has an address of this cluster's.
    NoAddressInStore {
        scope: String,
    },
    /// Its keys lie in Citus groups under this prefix.
    CitusGroups {
        prefix: String,
    },
}

/// Of the store, and of what it says of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreFinding {
    /// None is configured.
    None,
    NotRead {
        within: Span,
        /// `None`: that is told elsewhere.
        why: Option<StoreSilence>,
    },
    NoQuorum {
        up: u16,
        of: u16,
    },
    /// No quorum is left without a region.
    NoQuorumWithout {
        region: Name,
        left: u16,
        of: usize,
    },
    Quorum {
        up: u16,
        of: u16,
    },
    Paused,
    StandbyCluster,
    /// A key that decides is there and could not be read.
    Unreadable {
        key: UnreadableKey,
    },
    /// Somebody asked the cluster for a failover or, where it is scheduled, for a switchover.
    RequestPending {
        /// `None`: to any member.
        to: Option<String>,
        scheduled: Option<String>,
    },
}

/// Of the primary that is to be left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrimaryFinding {
    None,
    /// Somebody leads whom the estate does not name.
    NotConfigured {
        leader: UnconfiguredLeader,
    },
    /// It does not hold the lock.
    DoesNotLead {
        member: Name,
    },
    Leads {
        member: Name,
    },
    /// Only we do not hear it.
    Unheard {
        member: Name,
        alive: SignOfLife,
    },
    /// It does not answer as a leader.
    NoAnswer {
        member: Name,
    },
    Alive {
        member: Name,
        sign: SignOfLife,
        instead: Instead,
    },
    Gone {
        tally: Tally,
    },
    /// Fewer than the majority say so, and nothing says that it lives.
    GoneForSome {
        tally: Tally,
    },
    NotKnownGone {
        member: Name,
        /// What our own probes say; `None`: nobody observes it.
        ours: Option<Says>,
    },
    /// Another member of the region that is to be left answers.
    RegionAnswers {
        member: Name,
    },
}

/// Of the candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CandidateFinding {
    /// There is no other member.
    None,
    /// Nothing has been heard of it since this controller began.
    NotHeard {
        member: Name,
    },
    MayTakeOver {
        member: Name,
    },
    DidNotAnswer {
        member: Name,
        within: Span,
    },
    /// The same, and the store names no living standby beside the old primary.
    NobodySynchronous {
        member: Name,
        within: Span,
        old: Name,
        /// The store says that it holds every write.
        holds_all: bool,
    },
    /// It is no running standby.
    NoStandby {
        member: Name,
        state: Name,
    },
    NotRunning {
        member: Name,
        state: Name,
    },
    /// It is tagged nofailover.
    NoFailover {
        member: Name,
    },
    /// Patroni switches over to a synchronous standby only.
    NotSynchronous {
        member: Name,
        /// The cluster is simulated: nobody can change its settings.
        simulated: bool,
    },
    /// It is the member that is to be left.
    IsLeft {
        member: Name,
    },
    /// No member in the store has its address.
    NotInStore {
        member: Name,
    },
    AlreadyLeads {
        member: Name,
    },
    /// The standbys honour a failsafe ping.
    Failsafe,
    BehindTimeline {
        member: Name,
        timeline: Timeline,
        cluster: Timeline,
    },
}

/// Of what the candidate holds of what was acknowledged. An amount that is not known is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WritesFinding {
    Asynchronous {
        member: Name,
        behind: Option<Bytes>,
    },
    OtherIsSynchronous {
        member: Name,
        synchronous: Name,
        seen: SeenBehind,
    },
    /// The store names no living standby, and the old primary answers.
    OldAnswers {
        member: Name,
        old: Name,
        seen: SeenBehind,
    },
    /// The store names no living standby. Nothing is lost should one of the holders come back.
    MayLack {
        member: Name,
        holders: Vec<Name>,
        seen: SeenBehind,
    },
    /// Another voter has more than the candidate.
    VoterAhead {
        voter: Name,
    },
    VotersMissing {
        needed: usize,
        answered: usize,
    },
    /// It is further behind than the cluster allows.
    TooFarBehind {
        member: Name,
        behind: Option<Bytes>,
    },
    HoldsAll {
        member: Name,
        received: Option<Lsn>,
        heard: Option<LastHeard>,
    },
}

/// Of the fence of the old primary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FenceFinding {
    /// There is no primary to fence.
    NoPrimary,
    /// None is configured.
    None {
        member: Name,
        /// A Patroni that lets a returning primary overwrite the lock.
        overwrites: Option<Version>,
    },
    /// The member's name in the cluster is not known: nobody knows what to fence.
    NameUnknown {
        member: Name,
    },
    /// It needs a region that is failing.
    Needs {
        region: Name,
    },
    CheckFails {
        reason: String,
    },
    Proven {
        ago: Span,
        took: Span,
    },
    NeverFired {
        group: Name,
        member: Name,
    },
}

/// Of the way of users to the candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryFinding {
    Answers,
    /// It is in maintenance on every balancer that answers.
    TakenOut {
        member: Name,
    },
    NoneAnswers {
        balancers: Vec<EntryPlace>,
    },
    /// A balancer's backend has no server of this cluster, or no server at all.
    NoneIsOurs {
        balancer: String,
        backend: String,
        /// The names of its servers; the first few.
        servers: Vec<Name>,
    },
    /// A balancer's backend has no server of this member.
    NotInBackend {
        balancer: String,
        backend: String,
        member: Name,
    },
    /// It is in maintenance on a balancer; the plan may open that first.
    InMaintenance {
        server: Name,
        opens: bool,
    },
}

/// Of what the target can carry. How full it is now and would be: in percent of its capacity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoadFinding {
    /// Only one database's users come.
    OfDatabase { region: Name, before: u32, after: u32, all: Option<LoadOfAll>, strain: Strain },
    /// All that a region carries comes.
    OfRegion { region: Name, before: u32, after: u32, from: Name, strain: Strain },
    /// The same, of a region of another size.
    OfLargerRegion {
        region: Name,
        size: Percent,
        before: u32,
        /// With one database alone.
        alone: Option<u32>,
        after: u32,
        from: Name,
        from_size: Percent,
        strain: Strain,
    },
    /// The live capacity is not known.
    Unknown { region: Name },
}

/// A finding is one of its subject.
macro_rules! of_subject {
    ($($subject:ident($kind:ident)),*) => {
        $(impl From<$kind> for Finding {
            fn from(finding: $kind) -> Finding {
                Finding::$subject(finding)
            }
        })*
    };
}

of_subject!(
    Cluster(ClusterFinding),
    Store(StoreFinding),
    Claim(ClaimFinding),
    Primary(PrimaryFinding),
    Candidate(CandidateFinding),
    Writes(WritesFinding),
    Fence(FenceFinding),
    Entry(EntryFinding),
    Load(LoadFinding)
);

/// Why the store was not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreSilence {
    NoAnswerYet,
    Failed(String),
}

/// What can be done with a primary that lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Instead {
    /// Only our way to it is broken.
    LeaveIt,
    SwitchOver,
    /// Without the store nothing can be handed over.
    AwaitStore,
}

/// How far a standby was behind when that was last seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeenBehind {
    /// Before the primary fell silent.
    BeforeSilence { of: Name, bytes: Bytes },
    /// `None`: it is not known by how much.
    Last(Option<Bytes>),
}

/// When a leader was last heard, and where it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastHeard {
    pub member: Name,
    pub ago: Span,
    pub position: Lsn,
}

/// A balancer, and where it stands if that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPlace {
    pub address: String,
    pub region: Option<Name>,
}

/// How full the target would be if all databases of a region moved there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadOfAll {
    /// Of the target's capacity.
    pub percent: u32,
    pub databases: u32,
    pub from: Name,
    /// The part of each was seen when it came; else each counts for an equal part.
    pub as_they_came: bool,
}

/// How much is asked of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strain {
    Fits,
    /// It would be slow.
    Slow,
    /// It is too small.
    Short,
}

/// Why a promotion is not proven to be safe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoProof {
    NeitherFencedNorAccepted,
    NoMember {
        member: Name,
    },
    /// It answered after the fence.
    Answered {
        member: Name,
        ago: Span,
    },
    NotTried {
        member: Name,
        port: Port,
    },
    /// A port of it does not answer, not yet for long enough.
    NotYetGone {
        member: Name,
        port: Port,
    },
    StillHeard {
        member: Name,
        by: Name,
    },
    NotKnownWhetherHeard {
        member: Name,
        by: Name,
    },
    RenewedLock {
        member: Name,
    },
    /// A check of the candidate stands against it.
    Check(Finding),
    StoreNotRead {
        within: Span,
    },
    NotRegistered {
        member: Name,
    },
    ClaimGone,
    /// Another member holds the lock.
    LockHeld {
        by: Name,
    },
}

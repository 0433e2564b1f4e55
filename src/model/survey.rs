//! The survey: everything that an operation would need, asked of the running systems without changing anything.
//!
//! Drivers report answers; the engine judges them together with the telemetry; `wording` makes the text and the remedy.

use super::disaster::vocabulary;
use super::{
    Bytes, CheckId, CheckLayer, CommandRole, Finding, MemberId, Name, RegionId, ServerState, Span,
    StoreAlarm, Version,
};
use serde::{Deserialize, Serialize};

/// One thing that was looked at, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surveyed {
    pub check: SurveyCheck,
    pub state: SurveyState,
    pub about: SurveyAbout,
    pub finding: SurveyFinding,
}

vocabulary!(
    /// How a finding of the survey weighs.
    SurveyState, "state of a survey" {
        Missing = "missing",
        Wrong = "wrong",
        Unknown = "unknown",
        Warning = "warning",
        Holds = "holds",
    }
);

impl SurveyState {
    /// An operation would stop at it.
    pub const fn stops(self) -> bool {
        matches!(self, SurveyState::Missing | SurveyState::Wrong)
    }
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SurveyAbout {
    Cluster,
    Member(MemberId),
    /// A member of the cluster that the file does not have.
    Stranger(Name),
    Endpoint(String),
    Balancer(String),
    Server {
        balancer: String,
        server: String,
    },
    Entry(String),
    Fence,
    Region(RegionId),
}

vocabulary!(
    /// What the survey looks at; published names.
    SurveyCheck, "survey check" {
        Cluster = "cluster",
        LeaderKey = "leader_key",
        StoreAnswers = "store_answers",
        StoreHealth = "store_health",
        StoreWritable = "store_writable",
        StoreLogin = "store_login",
        StoreQuorum = "store_quorum",
        StoreTiming = "store_timing",
        StoreSpace = "store_space",
        MemberAnswers = "member_answers",
        MemberIdentity = "member_identity",
        UnlistedMember = "unlisted_member",
        SystemIdentifier = "system_identifier",
        ScopeUnique = "scope_unique",
        Paused = "paused",
        PendingRequest = "pending_request",
        Supported = "supported",
        Failsafe = "failsafe",
        SynchronousMode = "synchronous_mode",
        LeaseTiming = "lease_timing",
        LeaseWithinRto = "lease_within_rto",
        PrimaryStartTimeout = "primary_start_timeout",
        MaximumLag = "maximum_lag_on_failover",
        PrePromote = "pre_promote",
        ReplicationSlots = "replication_slots",
        Watchdog = "watchdog",
        StoreSeen = "standby_reaches_store",
        SettingOverrides = "setting_overrides",
        SynchronousCommit = "synchronous_commit",
        Candidate = "candidate",
        Standby = "standby",
        RestLogin = "rest_login",
        SqlLogin = "sql_login",
        MonitorRole = "monitor_role",
        ValidationTable = "validation_table",
        ValidationInsert = "validation_insert",
        Writable = "writable",
        Connections = "connections",
        WalSenders = "wal_senders",
        Archive = "archive",
        Versions = "versions",
        Rewind = "rewind",
        Clock = "clock",
        Entry = "entry",
        BalancerAnswers = "balancer_answers",
        BalancerServers = "balancer_servers",
        BalancerChecks = "balancer_checks",
        ServerState = "server_state",
        BalancerTiming = "balancer_timing",
        BalancerRights = "balancer_rights",
        BalancerLimit = "balancer_limit",
        Fence = "fence",
        FenceCommand = "fence_command",
        FenceCheck = "fence_check",
        FenceNeeds = "fence_needs",
    }
);

/// What was found, without the words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SurveyFinding {
    /// It is as it should be.
    Good,
    /// As the check of a failover has it.
    Check {
        id: CheckId,
        finding: Finding,
    },
    NotAskedYet,
    NotConfigured,
    NoAnswer {
        reason: String,
    },
    Refused,
    Silent,

    // Of the store.
    NoLeader,
    NotInStore {
        prefix: String,
    },
    Unhealthy {
        reason: String,
    },
    Alarm(StoreAlarm),
    NoStoreLeader,
    EndpointIsLearner,
    WriteDenied {
        prefix: String,
    },
    LoginNeeded {
        reason: String,
    },
    NoSpace,
    OneVoter,
    EvenVoters {
        count: u16,
    },
    QuorumLost {
        without: RegionId,
        left: u16,
        of: u16,
    },
    /// So many voters stand where nobody said.
    PlacesUnknown {
        without: RegionId,
        unplaced: u16,
        of: u16,
    },
    PeersFarApart {
        round_trip: Span,
    },
    VoterNeverStarted,
    /// The address that it tells its clients does not answer us.
    VoterUnreachable {
        name: Name,
    },
    NearQuota {
        used: Bytes,
        of: Bytes,
    },

    // Of the cluster.
    Citus,
    StandbyCluster,
    OtherName {
        configured: Name,
        found: Name,
    },
    OtherScope {
        configured: Name,
        found: Name,
    },
    AddressNotListed {
        listed: Vec<Name>,
    },
    Unlisted {
        address: String,
        leads: bool,
    },
    OtherSystem {
        found: Name,
        expected: Name,
    },
    SameScope {
        group: Name,
    },
    Asynchronous,
    /// Synchronous mode is on, and the store names no synchronous standby.
    NoSynchronousStandby,
    FailsafeOn,
    LeaseTooShort {
        ttl: Span,
        loop_wait: Span,
        retry_timeout: Span,
    },
    LeaseOverRto {
        ttl: Span,
        rto: Span,
    },
    StartsForLong {
        timeout: Span,
        rto: Span,
    },
    LagLimitTiny {
        limit: Bytes,
    },
    PromotionScript,
    NoSlots,
    WatchdogFailed,
    StoreNotSeen {
        ago: Span,
    },
    ReplicatesFrom {
        member: Name,
    },
    PendingRestart,
    Overrides {
        settings: Vec<Name>,
    },
    CommitsAlone,
    /// Another server answers at its address than the member itself.
    OtherServer {
        leads: bool,
    },
    SameServer {
        server: Name,
    },
    Tagged,
    TaggedNosync,
    NotRunning {
        state: Name,
    },
    NotStreaming,
    BehindTimeline {
        timeline: u32,
        cluster: u32,
    },
    ReplayPaused,
    ApplyDelay {
        delay: Span,
    },

    // Of logins and of PostgreSQL.
    RestRefused {
        status: u16,
    },
    RestUnexpected {
        status: u16,
    },
    NoMonitor,
    TableMissing,
    TablePrivileges {
        select: bool,
        insert: bool,
        update: bool,
    },
    TableUnlogged,
    TableShape,
    InsertFailed {
        reason: String,
    },
    ReadOnly,
    Full {
        used: i32,
        of: i32,
    },
    ArchiveFails,
    VersionsDiffer {
        versions: Vec<Name>,
    },
    OldPatroni {
        version: Version,
    },
    RemovesData,
    CannotRewind,
    ClockOff {
        ahead_ms: i64,
    },

    // Of the way to the primary.
    LeadsToReplica {
        server: Option<Name>,
    },
    NoServers {
        backend: Name,
    },
    NoMember {
        address: String,
    },
    MemberNotListed {
        member: MemberId,
    },
    ChecksTellNothing {
        layer: CheckLayer,
    },
    ReplicaIsUp,
    PrimaryNotUp {
        status: Name,
    },
    OutOfService {
        state: ServerState,
    },
    NoWeight,
    Backup,
    ChecksSlow {
        took: Span,
    },
    CheckUnreachable,
    Unchecked,
    LimitTiny {
        limit: u32,
    },
    NoAdminRights,

    // Of the fence.
    FileUnusable {
        role: CommandRole,
        program: String,
        reason: String,
    },
    NotExecutable {
        role: CommandRole,
        program: String,
    },
    NotOwned {
        role: CommandRole,
        program: String,
    },
    WritableByOthers {
        role: CommandRole,
        program: String,
    },
    NamesInShell {
        role: CommandRole,
    },
    NoCheckCommand,
    FenceCheckFailed {
        reason: String,
    },
    NeedsItsRegion {
        region: RegionId,
    },
}

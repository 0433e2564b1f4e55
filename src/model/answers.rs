//! What the systems of one database answered to the survey, which changes nothing. The engine judges it together with the telemetry.

use super::{Bytes, MemberId, Name, Span, Version};
use serde::{Deserialize, Serialize};

/// What the systems of one database answered. A part that was not asked is empty or `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurveyAnswers {
    pub store: StoreAnswers,
    /// In the order of the database's members.
    pub members: Vec<MemberAnswers>,
    /// What answers where clients write.
    pub entry: Option<Result<SqlAnswers, String>>,
    /// In the order of the database's balancers.
    pub balancers: Vec<Result<BalancerAnswers, String>>,
    pub fence: Vec<CommandAnswers>,
}

/// What the consensus store answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreAnswers {
    /// In the order of the configured endpoints.
    pub endpoints: Vec<Result<EndpointAnswers, String>>,
    pub alarms: Vec<StoreAlarm>,
    pub voters: Vec<VoterAnswers>,
    /// A transaction that cannot happen, with changes under each prefix that an operation writes to.
    pub writes: Vec<(String, WriteTry)>,
    /// The round trip between the store's own members that 99 of 100 stay below.
    pub peer_round_trip: Option<Span>,
    /// How much of its quota the fullest endpoint uses.
    pub quota: Option<(Bytes, Bytes)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointAnswers {
    pub version: Version,
    /// It knows a leader of its cluster.
    pub led: bool,
    pub learner: bool,
    pub size: Bytes,
    pub round_trip: Span,
    /// What it says is wrong with itself, alarms apart.
    pub errors: Vec<String>,
}

/// An alarm that the store has raised, and somebody must disarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreAlarm {
    /// Its space is used up: it takes no writes.
    NoSpace,
    Corrupt,
    Other(String),
}

/// A member of the store's own cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoterAnswers {
    pub name: String,
    /// The configured endpoint that is its own, by position.
    pub endpoint: Option<usize>,
    /// It receives everything and has no vote.
    pub learner: bool,
    /// It has told its cluster where it can be reached.
    pub started: bool,
    /// One of the addresses that it has for clients answers us.
    pub answers: bool,
}

/// What came of a write that was tried without changing anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteTry {
    Allowed,
    /// The store wants a login, and none is configured or it is wrong.
    LoginNeeded(String),
    Denied,
    /// The store takes no writes: its space is used up.
    NoSpace,
    Failed(String),
}

/// What a member answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberAnswers {
    /// It said that it leads when the rest was asked.
    pub led: Option<bool>,
    pub rest: Option<RestTry>,
    /// The cluster's settings as this member tells them.
    pub settings: Option<SettingAnswers>,
    /// What it says of itself beside its report.
    pub notes: Option<MemberNotes>,
    /// How far its clock is ahead of ours, by the date of its reply; whole seconds.
    pub clock_ahead_ms: Option<i64>,
    /// `None`: no login is configured, or its address is not known yet.
    pub sql: Option<Result<SqlAnswers, String>>,
}

/// What a member says of itself that only the survey needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberNotes {
    /// It replicates from this member where it can, not from the primary.
    pub replicates_from: Option<Name>,
    /// Its watchdog is required and cannot be used.
    pub watchdog_failed: bool,
    /// How long ago it last reached the store, by its own clock.
    pub store_seen_ago: Option<Span>,
    /// Settings wait for a restart.
    pub pending_restart: bool,
}

/// What came of a change request that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestTry {
    /// The login was let through, or none is asked for.
    Accepted,
    /// HTTP 401 or 403.
    Refused(u16),
    Other(u16),
}

/// Settings of Patroni that decide how a failover and the return of the old primary go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingAnswers {
    pub ttl: Span,
    pub loop_wait: Span,
    pub retry_timeout: Span,
    /// How long a primary that fails may try to start again before another takes over.
    pub primary_start_timeout: Span,
    pub maximum_lag: Bytes,
    /// A script decides whether a member may be promoted.
    pub pre_promote: bool,
    pub use_slots: bool,
    pub use_pg_rewind: bool,
    /// `remove_data_directory_on_rewind_failure` or `..._on_diverged_timelines`.
    pub removes_data: bool,
}

/// What PostgreSQL said after our login.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlAnswers {
    /// Its own address, `host:port`, where it tells one.
    pub server: Option<String>,
    pub in_recovery: bool,
    pub system_id: Option<Name>,
    /// As PostgreSQL counts: 150018 is 15.18.
    pub version: i32,
    /// How far its clock is ahead of ours, give or take half of the round trip.
    pub clock_ahead_ms: i64,
    pub round_trip: Span,
    /// New transactions are read-only by its settings.
    pub read_only: bool,
    /// Our role has `pg_monitor`.
    pub monitor: bool,
    /// `None`: the table is missing.
    pub table: Option<TableAnswers>,
    /// On a primary: the insert in a transaction that was rolled back.
    pub insert: Option<Result<(), String>>,
    pub senders: (i32, i32),
    pub connections: (i32, i32),
    /// A standby applies what it receives so much later.
    pub apply_delay: Span,
    /// A person paused the replay.
    pub replay_paused: bool,
    /// `wal_log_hints` or data checksums are on.
    pub can_rewind: bool,
    /// The archiver's newest attempt failed.
    pub archive_fails: bool,
    /// `synchronous_commit` is `local` or `off`: commits do not wait for a standby.
    pub commits_alone: bool,
    /// Settings in `postgresql.auto.conf`, which win over Patroni's.
    pub overrides: Vec<Name>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableAnswers {
    pub may_select: bool,
    pub may_insert: bool,
    pub may_update: bool,
    /// It is not replicated: unlogged or temporary.
    pub unlogged: bool,
    /// It has the columns id, effect and at, and a unique index on id.
    pub fits: bool,
}

/// A version of PostgreSQL as it counts: 150018 is 15.18.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresVersion(pub i32);

impl std::fmt::Display for PostgresVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0 / 10_000, self.0 % 10_000)
    }
}

/// What a balancer answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalancerAnswers {
    pub servers: Vec<ServerAnswers>,
    /// Its runtime API lets us change servers. `None`: it does not tell.
    pub admin: Option<bool>,
    /// Sessions and their limit where clients come in.
    pub sessions: Option<(u32, u32)>,
}

/// One server line of the write backend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerAnswers {
    pub name: String,
    pub member: Option<MemberId>,
    pub address: String,
    pub status: String,
    pub up: bool,
    pub state: ServerState,
    pub weight: u32,
    pub backup: bool,
    /// Which layer the check speaks to.
    pub check: CheckLayer,
    pub check_took: Option<Span>,
    /// The check cannot reach what it asks.
    pub unreachable: bool,
    /// Its checks were switched off.
    pub unchecked: bool,
    /// The sessions that it may have; `None`: as many as come.
    pub limit: Option<u32>,
}

/// What people or the balancer itself made of a server, apart from its checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServerState {
    #[default]
    Ready,
    Drain,
    Maintenance,
    /// Its name could not be resolved.
    Unresolved,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckLayer {
    /// There is no check: it counts as up for ever.
    None,
    /// A connection alone: a replica looks like a primary.
    Connection,
    #[default]
    Application,
}

/// A command of the fence, as its file stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandAnswers {
    pub role: CommandRole,
    pub program: String,
    pub file: Result<FileAnswers, String>,
    /// A shell gets names as part of its text.
    pub names_in_shell: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CommandRole {
    Exec,
    Check,
    Undo,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAnswers {
    pub executable: bool,
    /// Root or the account of this program owns it.
    pub owned: bool,
    /// Group or others may write to it or to its directory.
    pub writable: bool,
}

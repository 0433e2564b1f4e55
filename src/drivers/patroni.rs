//! What Patroni's REST API says of a member, in 3.x and 4.x words.

use crate::model::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Status {
    state: Option<String>,
    role: Option<String>,
    timeline: Option<u32>,
    #[serde(default)]
    xlog: Xlog,
    #[serde(default)]
    replication: Vec<Replication>,
    database_system_identifier: Option<String>,
    patroni: Option<Agent>,
    #[serde(default)]
    pause: bool,
    #[serde(default)]
    tags: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    failsafe_mode_is_active: bool,
}

#[derive(Default, Deserialize)]
struct Xlog {
    location: Option<u64>,
    received_location: Option<u64>,
    replayed_location: Option<u64>,
}

#[derive(Deserialize)]
struct Replication {
    application_name: Option<String>,
    state: Option<String>,
    sync_state: Option<String>,
}

#[derive(Deserialize)]
struct Agent {
    version: Option<String>,
    scope: Option<String>,
}

/// Reads the answer of `GET /patroni`.
///
/// # Errors
/// It is not what a Patroni says.
pub fn parse_member(text: &str) -> Result<MemberReport, String> {
    let status: Status = serde_json::from_str(text).map_err(|e| format!("not an answer of Patroni's: {e}"))?;
    let state = status.state.ok_or("an answer without a state")?;
    let leads = matches!(status.role.as_deref(), Some("master" | "primary" | "leader" | "standby_leader"));
    let tag = |name: &str| status.tags.get(name).is_some_and(|v| v.as_bool() == Some(true));
    let no_priority = status.tags.get("failover_priority").is_some_and(|v| v.as_i64() == Some(0));
    let streams = status.replication.into_iter().filter_map(|r| {
        Some(Stream {
            name: r.application_name?.into(),
            streaming: r.state.as_deref() == Some("streaming"),
            synchronous: matches!(r.sync_state.as_deref(), Some("sync" | "quorum")),
        })
    });
    Ok(MemberReport {
        role: if leads { MemberRole::Leader } else { MemberRole::Replica },
        running: matches!(state.as_str(), "running" | "streaming"),
        timeline: status.timeline.map(Timeline),
        position: status.xlog.location.map(Lsn),
        // After a rejoin the received position may stand below the replayed one.
        received: status.xlog.received_location.max(status.xlog.replayed_location).map(Lsn),
        replayed: status.xlog.replayed_location.map(Lsn),
        streams: streams.collect(),
        system_id: status.database_system_identifier.map(Name::from),
        scope: status.patroni.as_ref().and_then(|p| p.scope.as_deref()).map(Name::from),
        version: status.patroni.and_then(|p| p.version).map(|v| version(&v)).unwrap_or_default(),
        paused: status.pause,
        nofailover: tag("nofailover") || no_priority,
        nosync: tag("nosync"),
        failsafe: status.failsafe_mode_is_active,
        state: state.into(),
    })
}

pub(super) fn version(text: &str) -> Version {
    let mut parts = text.split('.').map(|p| p.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    Version(next(), next(), next())
}

/// The settings in the answer of `GET /config`; what is not set has Patroni's default.
pub(super) fn settings(text: &str) -> Option<SettingAnswers> {
    let value: serde_json::Value = serde_json::from_str(text).ok().filter(serde_json::Value::is_object)?;
    let number = |name: &str, default: u64| value[name].as_u64().unwrap_or(default);
    let (secs, postgresql) = (|name: &str, default: u64| Span::secs(number(name, default)), &value["postgresql"]);
    let flag = |name: &str, default: bool| postgresql[name].as_bool().unwrap_or(default);
    let start_timeout = number("primary_start_timeout", number("master_start_timeout", 300));
    Some(SettingAnswers {
        ttl: secs("ttl", 30),
        loop_wait: secs("loop_wait", 10),
        retry_timeout: secs("retry_timeout", 10),
        primary_start_timeout: Span::secs(start_timeout),
        maximum_lag: Bytes(number("maximum_lag_on_failover", 1_048_576)),
        pre_promote: postgresql["pre_promote"].is_string(),
        use_slots: flag("use_slots", true),
        use_pg_rewind: flag("use_pg_rewind", false),
        removes_data: flag("remove_data_directory_on_rewind_failure", false) || flag("remove_data_directory_on_diverged_timelines", false),
    })
}

/// What a member says of itself in the answer of `GET /patroni` that only the survey needs. `now` is our clock, in seconds since 1970.
pub(super) fn notes(text: &str, now: i64) -> Option<MemberNotes> {
    let value: serde_json::Value = serde_json::from_str(text).ok().filter(serde_json::Value::is_object)?;
    let seen = value["dcs_last_seen"].as_i64().filter(|seen| *seen > 0);
    Some(MemberNotes {
        replicates_from: value["tags"]["replicatefrom"].as_str().filter(|name| !name.is_empty()).map(Name::from),
        watchdog_failed: value["watchdog_failed"].as_bool().unwrap_or(false),
        store_seen_ago: seen.map(|seen| Span::secs(u64::try_from(now - seen).unwrap_or(0))),
        pending_restart: value["pending_restart"].as_bool().unwrap_or(false),
    })
}

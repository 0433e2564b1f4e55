//! What Patroni's REST API says of a member, in the words of Patroni 2.x to 4.x.

use super::brief;
use super::patroni_value::{count, forbids, is_on, parse_bool, parse_int, text};
use crate::model::*;
use serde_json::Value;

/// Reads the answer of `GET /patroni`.
///
/// # Errors
/// It is not an answer of Patroni's; the text says why.
pub fn parse_member(reply: &str) -> Result<MemberReport, String> {
    let status: Value = serde_json::from_str(reply)
        .map_err(|e| format!("not an answer of Patroni's: {}", json_fault(&e, reply)))?;
    if !status.is_object() {
        return Err("not an answer of Patroni's: it is no JSON object".to_string());
    }
    let state = status["state"].as_str().ok_or("not an answer of Patroni's: it has no `state`")?;
    let role = status["role"].as_str();
    let (xlog, agent) = (&status["xlog"], &status["patroni"]);
    let replayed = count(&xlog["replayed_location"]).map(Lsn);
    let name = |value: &Value| text(value).filter(|t| !t.is_empty()).map(Name::from);
    Ok(MemberReport {
        role: if role.is_some_and(is_leader) { MemberRole::Leader } else { MemberRole::Replica },
        // In `/cluster` and in its key a standby of 4.x is `streaming` or `in archive recovery`.
        running: matches!(state, "running" | "streaming" | "in archive recovery"),
        timeline: count(&status["timeline"]).and_then(|t| u32::try_from(t).ok()).map(Timeline),
        position: count(&xlog["location"]).map(Lsn),
        // After a rejoin the received position may stand below the replayed one.
        received: count(&xlog["received_location"]).map(Lsn).max(replayed),
        replayed,
        streams: status["replication"].as_array().into_iter().flatten().filter_map(stream).collect(),
        system_id: name(&status["database_system_identifier"]),
        scope: name(&agent["scope"]),
        name: name(&agent["name"]),
        version: agent["version"].as_str().map(version).unwrap_or_default(),
        paused: is_on(&status["pause"]),
        nofailover: forbids(&status["tags"], "nofailover", "failover_priority"),
        nosync: forbids(&status["tags"], "nosync", "sync_priority"),
        failsafe: is_on(&status["failsafe_mode_is_active"]),
        state: state.to_string().into(),
    })
}

/// `master` until 3.x, `primary` from 4.0, `leader` in `/cluster`; `promoted` while a promotion is under way.
fn is_leader(role: &str) -> bool {
    matches!(role, "master" | "primary" | "leader" | "standby_leader" | "promoted")
}

fn stream(entry: &Value) -> Option<Stream> {
    Some(Stream {
        name: entry["application_name"].as_str()?.into(),
        streaming: entry["state"].as_str() == Some("streaming"),
        synchronous: matches!(entry["sync_state"].as_str(), Some("sync" | "quorum")),
    })
}

/// Says what is wrong with a document; a page of HTML is called one.
fn json_fault(error: &serde_json::Error, reply: &str) -> String {
    let begins = reply.trim_start();
    match () {
        () if begins.is_empty() => "it is empty".to_string(),
        () if begins.starts_with('<') => "it is HTML".to_string(),
        () => brief(&error.to_string()).into_owned(),
    }
}

pub(super) fn version(text: &str) -> Version {
    let mut parts = text
        .split('.')
        .map(|p| p.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    Version(next(), next(), next())
}

/// The settings in the answer of `GET /config`; what is not set has Patroni's default.
pub(super) fn settings(text: &str) -> Option<SettingAnswers> {
    let value: serde_json::Value = serde_json::from_str(text).ok().filter(serde_json::Value::is_object)?;
    let number = |name: &str, default: u64| count(&value[name]).unwrap_or(default);
    let (secs, postgresql) =
        (|name: &str, default: u64| Span::secs(number(name, default)), &value["postgresql"]);
    let flag = |name: &str, default: bool| parse_bool(&postgresql[name]).unwrap_or(default);
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
        removes_data: flag("remove_data_directory_on_rewind_failure", false)
            || flag("remove_data_directory_on_diverged_timelines", false),
    })
}

/// What a member says of itself in the answer of `GET /patroni` that only the survey needs. `now` is our clock, in seconds since 1970.
pub(super) fn notes(text: &str, now: i64) -> Option<MemberNotes> {
    let value: serde_json::Value = serde_json::from_str(text).ok().filter(serde_json::Value::is_object)?;
    let seen = parse_int(&value["dcs_last_seen"]).filter(|seen| *seen > 0);
    Some(MemberNotes {
        replicates_from: value["tags"]["replicatefrom"]
            .as_str()
            .filter(|name| !name.is_empty())
            .map(Name::from),
        watchdog_failed: is_on(&value["watchdog_failed"]),
        store_seen_ago: seen.map(|seen| Span::secs(u64::try_from(now.saturating_sub(seen)).unwrap_or(0))),
        pending_restart: is_on(&value["pending_restart"]),
    })
}

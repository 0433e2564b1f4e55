//! How things stand, in 000's words and for people.

use super::fail::Fail;
use super::open::{self, Target};
use super::operations::{operation_json, operation_words};
use super::output::Lines;
use super::wait::settled;
use crate::controller::{Home, rehearsals};
use crate::exercise::{Calendar, due};
use crate::model::*;
use crate::wording::{
    about_named, condition_words, finding_words, gap_words, headline, region_reason_words, source_words,
    unconfigured_words, veto_words,
};
use serde_json::{Value, json};

/// How ready the regions are is told by then, where nothing is to be decided.
const READY_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

pub async fn print(target: &Target, detailed: bool, metrics: bool, check: bool) -> Result<(), Fail> {
    let opened = open::controller(target).await?;
    settled(&opened).await;
    let ready = || opened.handle.snapshot().readiness.is_some();
    let began = std::time::Instant::now();
    while !ready() && began.elapsed() < READY_WITHIN {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let snapshot = opened.handle.snapshot();
    let home = Home::of(&snapshot.estate.name);
    let elsewhere = home.socket_elsewhere().filter(|_| !opened.simulated);
    let mut value = status_json(&snapshot, detailed, metrics);
    value["socket"] = json!((!opened.simulated).then(|| home.socket().display().to_string()));
    let socket = elsewhere
        .map(|path| format!("socket {}: the path of the data directory is too long for one", path.display()));
    target.output.print(&value, || status_words(&snapshot, detailed).into_iter().chain(socket).collect())?;
    opened.close().await;
    match check_status(&snapshot) {
        0 => Ok(()),
        _ if !check => Ok(()),
        status => Err(Fail::silent(status)),
    }
}

/// The exit status of `--check`: 1 from severity high.
pub fn check_status(snapshot: &Snapshot) -> u8 {
    u8::from(snapshot.conditions.first().is_some_and(|worst| worst.severity >= Severity::High))
}

/// Nothing that is asked has ever answered: no state is known, and no score.
fn nothing_answered(snapshot: &Snapshot) -> bool {
    snapshot.mode != Mode::Replay
        && snapshot.disasters.is_empty()
        && snapshot.regions.iter().all(|r| r.last_answer.is_none())
}

fn overall(snapshot: &Snapshot) -> &'static str {
    let running = snapshot.open().next().is_some();
    let is_ill =
        snapshot.regions.iter().any(|r| r.status != RegionStatus::Ok) || !snapshot.disasters.is_empty();
    let worst = snapshot.conditions.first().map(|worst| worst.severity);
    if nothing_answered(snapshot) {
        "unknown"
    } else if snapshot.disasters.iter().any(|d| d.severity >= Severity::High) {
        if running { "recovering" } else { "disaster" }
    } else if is_ill || worst.is_some_and(|worst| worst >= Severity::Medium) {
        "degraded"
    } else {
        "operational"
    }
}

/// 000's word for a region.
fn region_word(snapshot: &Snapshot, id: RegionId) -> &'static str {
    match snapshot.regions[id.at()].status {
        RegionStatus::Unknown => "unknown",
        RegionStatus::Degraded => "degraded",
        RegionStatus::Down => "down",
        RegionStatus::Ok if snapshot.estate.region(id).role == Role::Active => "operational",
        RegionStatus::Ok => "standby",
    }
}

/// A condition in JSON.
fn condition_json(snapshot: &Snapshot, condition: &Condition) -> Value {
    let (sort, name) = about_named(condition.about, &snapshot.estate);
    json!({
        "condition": condition.kind.name(),
        "severity_level": condition.severity,
        "subject": { "kind": sort, "name": name },
        "since_at": condition.since.map(|at| at.to_string()),
        "age_ms": condition.at.map(|at| snapshot.now.mono.since(at).0),
        "text": condition_words(condition, &snapshot.estate),
    })
}

/// How ready a region is for its loss, from 0 to 1; none where nothing was measured.
fn readiness_score(snapshot: &Snapshot, id: RegionId) -> Option<f64> {
    let ready = snapshot.readiness.as_ref().filter(|_| !nothing_answered(snapshot))?;
    ready.regions.get(id.at())?.score.map(|score| f64::from(score) / 100.0)
}

/// How things stand, as one value.
pub fn status_json(snapshot: &Snapshot, detailed: bool, metrics: bool) -> Value {
    let estate = &snapshot.estate;
    let calendar = Calendar::load(None).map(|c| due(&c, &rehearsals(), snapshot.now.utc)).unwrap_or_default();
    let mut regions = serde_json::Map::new();
    for id in estate.region_ids() {
        let (region, view) = (estate.region(id), &snapshot.regions[id.at()]);
        let mut value = json!({
            "status": region_word(snapshot, id),
            "capacity_utilization": view.load.map(|(load, _)| f64::from(load.0) / 100.0),
            "disaster_readiness_score": readiness_score(snapshot, id),
            "role": region.role,
            "services_up": view.services_up,
            "services": view.services,
        });
        if detailed {
            value["reason"] = json!(region_reason_words(&view.reason));
            value["last_answer_age_ms"] = json!(view.last_answer.map(|t| snapshot.now.mono.since(t).0));
            value["capacity_percentage"] = json!(region.capacity);
        }
        regions.insert(region.name.clone(), value);
    }
    let mut value = json!({
        "overall_status": overall(snapshot),
        "uptime_percentage": Value::Null,
        "regions": regions,
        "active_disasters": snapshot.disasters.len(),
        "last_disaster_drill": rehearsals().last().map(|p| p.at.to_string()),
        "next_scheduled_drill": calendar.iter().map(|d| d.next).min().map(|at| at.to_string()),
        "mode": snapshot.mode.word().to_lowercase(),
        "estate": estate.name,
        "controller_id": snapshot.controller.map(|id| id.to_string()),
        "armed": snapshot.armed,
        "worst_condition": snapshot.conditions.first().map(|worst| condition_json(snapshot, worst)),
        "conditions": snapshot.conditions.iter().map(|c| condition_json(snapshot, c)).collect::<Vec<_>>(),
        "disasters": snapshot.disasters.iter().map(|d| json!({
            "disaster_type": d.kind, "severity_level": d.severity, "since_at": d.since.to_string(),
            "affected_regions": d.regions.iter().map(|r| &estate.region(*r).name).collect::<Vec<_>>(),
            "affected_systems": d.services.iter().map(|s| &estate.service(*s).name).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "operations": snapshot.operations.iter().rev().take(20).map(|o| operation_json(estate, o)).collect::<Vec<_>>(),
    });
    if detailed {
        value["could_not_do"] = json!(snapshot.gaps.iter().map(|g| gap_words(g, estate)).collect::<Vec<_>>());
        value["stale_sources"] = json!(
            snapshot
                .stale
                .iter()
                .map(|s| json!({"name": source_words(&s.source, estate), "reason": s.reason}))
                .collect::<Vec<_>>()
        );
    }
    if detailed || metrics {
        value["protection_groups"] = json!(
            snapshot
                .groups
                .iter()
                .filter(|g| !g.members.is_empty())
                .map(|g| group_json(snapshot, g))
                .collect::<Vec<_>>()
        );
    }
    value
}

fn group_json(snapshot: &Snapshot, g: &GroupView) -> Value {
    let estate = &snapshot.estate;
    json!({
        "name": estate.group(g.group).name,
        "primary": g.primary.map(|r| &estate.region(r).name),
        "led_by_unconfigured": g.led_by.as_ref().map(|l| json!({"name": l.name, "rest_address": l.address})),
        "timeline": g.timeline,
        "synchronous": g.synchronous,
        "automation_does_not_act": g.held.as_ref().map(|veto| veto_words(veto, estate)),
        "drained_no_writes": !g.drained.is_empty(),
        "paused": g.paused,
        "lease_left_ms": g.lease_left.map(|(left, at)| left.0.saturating_sub(snapshot.now.mono.since(at).0)),
        "observers": {"gone": g.observers_for, "alive": g.observers_against, "all": g.observers},
        "members": g.members.iter().map(|m| json!({
            "member": m.label, "region": estate.region(m.region).name, "leads": m.leads, "synchronous": m.synchronous, "answers": m.answers,
            "timeline": m.timeline, "lag_bytes": m.lag_bytes, "lag_ms": m.lag, "may_not_take_over": m.unfit.as_ref().map(finding_words),
            "age_ms": m.measured.map(|t| snapshot.now.mono.since(t).0),
        })).collect::<Vec<_>>(),
    })
}

/// How things stand, for people.
pub fn status_words(snapshot: &Snapshot, detailed: bool) -> Lines {
    let estate = &snapshot.estate;
    let armed = if snapshot.armed { "armed" } else { "read-only" };
    let mut lines =
        vec![format!("{} · {} · {} · {armed}", snapshot.mode.word(), estate.name, overall(snapshot))];
    lines.extend(headline(snapshot).map(|head| format!("worst: {} ({})", head.line(), head.severity)));
    lines.extend(snapshot.controller.filter(|_| detailed).map(|id| format!("controller {id}")));
    for d in &snapshot.disasters {
        let names: Vec<_> = d.regions.iter().map(|r| estate.region(*r).name.as_str()).collect();
        lines.push(format!(
            "DISASTER  {} {} {}, for {}",
            d.severity,
            d.kind.words(),
            names.join(", "),
            snapshot.now.utc.since(d.since)
        ));
    }
    for id in estate.region_ids() {
        let (region, view) = (estate.region(id), &snapshot.regions[id.at()]);
        // What a region that is down carried before is not what it carries.
        let load = view
            .load
            .filter(|_| view.status != RegionStatus::Down)
            .map_or_else(|| "?".to_string(), |(l, _)| l.to_string());
        lines.push(format!(
            "{:<18} {:<9} {:<7} load {load:>4}  {}/{} answer",
            region.name,
            view.status.word(),
            region.role,
            view.services_up,
            view.services
        ));
        if detailed && view.status != RegionStatus::Ok {
            lines.push(format!("    {}", region_reason_words(&view.reason)));
        }
    }
    for g in snapshot.groups.iter().filter(|g| !g.members.is_empty()) {
        let silent = g.is_silent();
        let primary = g.primary.map_or("nobody", |r| estate.region(r).name.as_str());
        let primary = format!("led by {primary}{}", if silent { ", silent" } else { "" });
        let primary = g.led_by.as_ref().map_or(primary, unconfigured_words);
        lines.push(format!(
            "{}  {primary}, timeline {}",
            estate.group(g.group).name,
            g.timeline.map_or_else(|| "–".to_string(), |t| t.to_string())
        ));
        for m in g.members.iter().filter(|m| !m.leads) {
            let least = if g.may_lack(m, snapshot.now.mono) { "≥" } else { "" };
            let lag = m.lag_bytes.map_or_else(|| "–".to_string(), |b| format!("{least}{b}"));
            let may = m.unfit.as_ref().map_or_else(|| "may take over".to_string(), finding_words);
            lines.push(format!(
                "    {:<16} {:<5} {lag:>9}  {may}",
                m.label,
                if m.synchronous { "sync" } else { "async" }
            ));
        }
    }
    for o in snapshot.operations.iter().rev().take(5) {
        lines.push(operation_words(estate, o));
    }
    if detailed {
        let told = |c: &Condition| format!("condition: {} ({})", condition_words(c, estate), c.severity);
        lines.extend(snapshot.conditions.iter().map(told));
        lines.extend(snapshot.gaps.iter().map(|g| format!("could not: {}", gap_words(g, estate))));
        lines.extend(
            snapshot
                .stale
                .iter()
                .map(|s| format!("silent: {}: {}", source_words(&s.source, estate), s.reason)),
        );
    }
    lines
}

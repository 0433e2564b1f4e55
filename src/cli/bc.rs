//! `bpci business-continuity …`, in the words of reference 000.

use super::args::{Continuity, Drill, Move, Operations, Recovery, Target, Trigger};
use super::fail::Fail;
use super::open::{self, Opened};
use super::order::{confirmation, describe, group_named, region_named, step_named, who};
use super::output::say;
use super::{drill, plain};
use crate::model::*;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub async fn run(command: Continuity) -> Result<(), Fail> {
    match command {
        Continuity::Status { target, detailed, include_metrics } => status(&target, detailed, include_metrics).await,
        Continuity::DisasterRecovery(Recovery::Trigger(ask)) => trigger(ask).await,
        Continuity::Drill(Drill::Execute { scenario, seed, seeds, duration, validate_recovery, generate_report, output }) => {
            drill::execute(drill::Ask { scenario, seed, seeds, duration, validate_recovery, generate_report, output })
        }
        Continuity::Recovery(command) => operations(command).await,
        Continuity::Switchover(ask) => hand_over(ask).await,
        Continuity::Failback(ask) => hand_over(ask).await,
    }
}

async fn status(target: &Target, detailed: bool, metrics: bool) -> Result<(), Fail> {
    let opened = open::controller(target).await?;
    settled(&opened).await;
    let snapshot = opened.handle.snapshot();
    target.output.print(&status_json(&snapshot, detailed, metrics), || status_words(&snapshot, detailed))?;
    opened.close().await;
    Ok(())
}

/// Waits until the first look at everything has come back, or a while has passed.
async fn settled(opened: &Opened) {
    let looked = |s: &Snapshot| {
        let members = || s.groups.iter().flat_map(|g| &g.members);
        s.regions.iter().all(|r| r.last_check.is_some() || r.services == 0)
            && members().all(|m| m.answers.is_some())
            && s.groups.iter().all(|g| g.members.is_empty() || g.synchronous.is_some() || s.stale.iter().any(|x| x.name.contains("etcd")))
    };
    let _ = wait_for(opened, Duration::from_secs(4), looked).await;
}

/// Waits for a snapshot that satisfies the test.
async fn wait_for(opened: &Opened, at_most: Duration, test: impl Fn(&Snapshot) -> bool) -> Option<Arc<Snapshot>> {
    let deadline = tokio::time::Instant::now() + at_most;
    loop {
        let snapshot = opened.handle.snapshot();
        if test(&snapshot) {
            return Some(snapshot);
        }
        match tokio::time::timeout_at(deadline, opened.handle.changed()).await {
            Ok(true) => {}
            Ok(false) | Err(_) => return None,
        }
    }
}

fn overall(snapshot: &Snapshot) -> &'static str {
    let running = snapshot.operations.iter().any(|o| !o.is_over());
    if snapshot.disasters.iter().any(|d| d.severity >= Severity::High) {
        if running { "recovering" } else { "disaster" }
    } else if snapshot.regions.iter().any(|r| r.status != RegionStatus::Ok) || !snapshot.disasters.is_empty() {
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

fn status_json(snapshot: &Snapshot, detailed: bool, metrics: bool) -> Value {
    let estate = &snapshot.estate;
    let mut regions = serde_json::Map::new();
    for id in estate.region_ids() {
        let (region, view) = (estate.region(id), &snapshot.regions[id.at()]);
        let mut value = json!({
            "status": region_word(snapshot, id),
            "capacity_utilization": view.load.map(|(load, _)| f64::from(load.0) / 100.0),
            "disaster_readiness_score": Value::Null,
            "role": region.role,
            "services_up": view.services_up,
            "services": view.services,
        });
        if detailed {
            value["reason"] = json!(view.reason);
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
        "last_disaster_drill": Value::Null,
        "next_scheduled_drill": Value::Null,
        "mode": snapshot.mode.word().to_lowercase(),
        "estate": estate.name,
        "armed": snapshot.armed,
        "disasters": snapshot.disasters.iter().map(|d| json!({
            "disaster_type": d.kind, "severity_level": d.severity, "since": d.since.to_string(),
            "affected_regions": d.regions.iter().map(|r| &estate.region(*r).name).collect::<Vec<_>>(),
            "affected_systems": d.services.iter().map(|s| &estate.service(*s).name).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "operations": snapshot.operations.iter().rev().take(20).map(|o| operation_json(estate, o)).collect::<Vec<_>>(),
    });
    if detailed {
        value["could_not_do"] = json!(snapshot.gaps);
        value["stale_sources"] = json!(snapshot.stale.iter().map(|s| json!({"name": s.name, "reason": s.reason})).collect::<Vec<_>>());
    }
    if detailed || metrics {
        value["protection_groups"] =
            json!(snapshot.groups.iter().filter(|g| !g.members.is_empty()).map(|g| group_json(snapshot, g)).collect::<Vec<_>>());
    }
    value
}

fn group_json(snapshot: &Snapshot, g: &GroupView) -> Value {
    let estate = &snapshot.estate;
    json!({
        "name": estate.group(g.group).name,
        "primary": g.primary.map(|r| &estate.region(r).name),
        "timeline": g.timeline,
        "synchronous": g.synchronous,
        "paused": g.paused,
        "lease_left_ms": g.lease_left.map(|(left, at)| left.0.saturating_sub(snapshot.now.mono.since(at).0)),
        "observers": {"gone": g.observers_for, "alive": g.observers_against, "all": g.observers},
        "members": g.members.iter().map(|m| json!({
            "region": estate.region(m.region).name, "leads": m.leads, "synchronous": m.synchronous, "answers": m.answers,
            "timeline": m.timeline, "lag_bytes": m.lag_bytes, "lag_ms": m.lag, "may_not_take_over": m.unfit,
            "age_ms": m.measured.map(|t| snapshot.now.mono.since(t).0),
        })).collect::<Vec<_>>(),
    })
}

/// How things stand, for people.
pub fn status_words(snapshot: &Snapshot, detailed: bool) -> String {
    let estate = &snapshot.estate;
    let armed = if snapshot.armed { "armed" } else { "read-only" };
    let mut lines = vec![format!("{} · {} · {} · {armed}", snapshot.mode.word(), estate.name, overall(snapshot))];
    for d in &snapshot.disasters {
        let names: Vec<_> = d.regions.iter().map(|r| estate.region(*r).name.as_str()).collect();
        lines.push(format!("DISASTER  {} {} {}, for {}", d.severity, d.kind.words(), names.join(", "), snapshot.now.utc.since(d.since)));
    }
    for id in estate.region_ids() {
        let (region, view) = (estate.region(id), &snapshot.regions[id.at()]);
        let load = view.load.map_or_else(|| "–".to_string(), |(l, _)| l.to_string());
        lines.push(format!(
            "{:<18} {:<9} {:<7} load {load:>4}  {}/{} answer",
            region.name,
            view.status.word(),
            region.role,
            view.services_up,
            view.services
        ));
        if detailed && view.status != RegionStatus::Ok {
            lines.push(format!("    {}", view.reason));
        }
    }
    for g in snapshot.groups.iter().filter(|g| !g.members.is_empty()) {
        let primary = g.primary.map_or("nobody", |r| estate.region(r).name.as_str());
        lines.push(format!(
            "{}  led by {primary}, timeline {}",
            estate.group(g.group).name,
            g.timeline.map_or_else(|| "–".to_string(), |t| t.to_string())
        ));
        for m in g.members.iter().filter(|m| !m.leads) {
            let lag = m.lag_bytes.map_or_else(|| "–".to_string(), |b| b.to_string());
            let may = m.unfit.as_deref().unwrap_or("may take over");
            lines.push(format!("    {:<16} {:<5} {lag:>9}  {may}", estate.region(m.region).name, if m.synchronous { "sync" } else { "async" }));
        }
    }
    for o in snapshot.operations.iter().rev().take(5) {
        lines.push(operation_words(estate, o));
    }
    if detailed {
        lines.extend(snapshot.gaps.iter().map(|g| format!("could not: {g}")));
        lines.extend(snapshot.stale.iter().map(|s| format!("silent: {}: {}", s.name, s.reason)));
    }
    lines.join("\n")
}

fn current_phase(o: &Operation) -> Option<Phase> {
    o.plan.steps.iter().zip(&o.steps).find(|(_, r)| !r.state.opens()).map(|(s, _)| s.phase)
}

fn operation_json(estate: &Estate, o: &Operation) -> Value {
    json!({
        "recovery_operation_id": o.id.to_string(),
        "status": match &o.status { Status::Running => "initiated", s => s.word() },
        "protection_group": estate.group(o.group).name,
        "plan": o.plan.name,
        "from": estate.region(o.from).name,
        "to": estate.region(o.to).name,
        "by": o.by,
        "recovery_phases": phases_of(&o.plan),
        "current_phase": current_phase(o).map(Phase::published),
        "steps": o.plan.steps.iter().zip(&o.steps).map(|(s, r)| json!({
            "id": s.id, "phase": s.phase, "state": step_word(&r.state), "took_ms": r.took(),
        })).collect::<Vec<_>>(),
        "question": if let Status::Waiting { question } = &o.status { Some(question) } else { None },
        "recovery_time_actual_ms": o.recovery_time(),
        "writable_ms": o.results.writable.map(|t| t.since(o.started)),
        "served_ms": o.results.served.map(|t| t.since(o.started)),
        "protected_ms": o.results.protected.map(|t| t.since(o.started)),
        "data_loss_actual": o.results.loss.as_ref().map(ToString::to_string),
        "data_loss_at_least_bytes": match &o.results.loss { Some(Loss::Nothing) => Some(0), Some(Loss::AtLeast(b)) => Some(b.0), _ => None },
        "remains": o.remains.len(),
    })
}

fn phases_of(plan: &Plan) -> Vec<&'static str> {
    Phase::ALL.iter().filter(|p| plan.steps.iter().any(|s| s.phase == **p)).map(|p| p.published()).collect()
}

pub fn step_word(state: &StepState) -> &'static str {
    match state {
        StepState::Pending => "pending",
        StepState::Running => "running",
        StepState::Done { .. } => "done",
        StepState::Failed { .. } => "failed",
        StepState::Skipped { .. } => "skipped",
    }
}

fn operation_words(estate: &Estate, o: &Operation) -> String {
    let place = format!("{} → {}", estate.region(o.from).name, estate.region(o.to).name);
    let served = o.recovery_time().map_or(String::new(), |t| format!(" · users served after {t}"));
    let lost = o.results.loss.as_ref().map_or(String::new(), |l| format!(" · lost {l}"));
    let asks = if let Status::Waiting { question } = &o.status { format!(": {question}") } else { String::new() };
    format!("{}  {} {place} on {}: {}{asks}{served}{lost}", o.id, o.plan.name, estate.group(o.group).name, o.status.word())
}

/// How a choice is confirmed on the command line.
struct Consent {
    confirm: Option<String>,
    accept_risk: Option<String>,
    manual_override: bool,
    evidence: Option<Digest>,
    dry_run: bool,
    wait: bool,
}

async fn trigger(ask: Trigger) -> Result<(), Fail> {
    let opened = open::controller(&ask.target).await?;
    let result = trigger_with(&opened, &ask).await;
    opened.close().await;
    result
}

async fn trigger_with(opened: &Opened, ask: &Trigger) -> Result<(), Fail> {
    settled(opened).await;
    let estate = Arc::clone(&opened.handle.snapshot().estate);
    let regions: Vec<RegionId> = ask.affected_regions.iter().map(|n| region_named(&estate, n)).collect::<Result<_, _>>().map_err(Fail::usage)?;
    if opened.simulated {
        strike(opened, ask, &regions).await?;
    }
    let snapshot = opened.handle.snapshot();
    let groups: Vec<GroupId> = match &ask.service {
        Some(name) => vec![group_named(&estate, name).map_err(Fail::usage)?],
        None => snapshot.groups.iter().filter(|g| g.primary.is_some_and(|p| regions.contains(&p))).map(|g| g.group).collect(),
    };
    if groups.is_empty() {
        let led: Vec<_> =
            snapshot.groups.iter().filter_map(|g| Some(format!("{} leads {}", estate.region(g.primary?).name, estate.group(g.group).name))).collect();
        return Err(Fail::failed(format!("no database is led from {}; {}", ask.affected_regions.join(", "), led.join(", "))));
    }
    let intent = match ask.strategy {
        Strategy::ImmediateFailover | Strategy::WarmStandbyActivation => Intent::Failover,
        Strategy::PointInTimeRestore | Strategy::ColdStandbyRestoration => Intent::Guided,
    };
    let to = ask.to.as_ref().map(|n| region_named(&estate, n)).transpose().map_err(Fail::usage)?;
    let consent = Consent {
        confirm: ask.confirm.clone(),
        accept_risk: ask.accept_risk.clone(),
        manual_override: ask.manual_override,
        evidence: ask.evidence,
        dry_run: ask.dry_run,
        wait: ask.wait,
    };
    let reason = format!("{} {}, {}", ask.severity, ask.disaster_type.words(), ask.affected_regions.join(", "));
    for group in groups {
        let action = Action::Propose { group, intent, from: Some(regions[0]), to, reason: reason.clone() };
        carry(opened, &ask.target, action, &consent, Some(ask.strategy)).await?;
    }
    Ok(())
}

/// On the simulation the disaster has to happen first.
async fn strike(opened: &Opened, ask: &Trigger, regions: &[RegionId]) -> Result<(), Fail> {
    let kind = match ask.disaster_type {
        DisasterType::RegionOutage => FaultKind::RegionOutage,
        DisasterType::DataCenterOutage => FaultKind::DataCenterOutage,
        DisasterType::ProviderOutage => FaultKind::ProviderOutage,
        DisasterType::NetworkPartition => FaultKind::Partition,
        DisasterType::DataCorruption | DisasterType::HumanError => FaultKind::DataCorruption,
        DisasterType::CyberIncident => FaultKind::CyberIncident,
        DisasterType::NodeFailure | DisasterType::HardwareFailure | DisasterType::SoftwareFailure => FaultKind::NodeFailure,
    };
    for region in regions {
        let fault = format!("{kind} {}", opened.handle.snapshot().estate.region(*region).name);
        opened.handle.control(Control::Inject { fault }).await.map_err(|r| Fail::refused(&r))?;
    }
    let _ = wait_for(opened, Duration::from_secs(5), |s| !s.disasters.is_empty()).await;
    Ok(())
}

async fn hand_over(ask: Move) -> Result<(), Fail> {
    let opened = open::controller(&ask.target).await?;
    settled(&opened).await;
    let snapshot = opened.handle.snapshot();
    let result = async {
        let group = match &ask.service {
            Some(name) => group_named(&snapshot.estate, name).map_err(Fail::usage)?,
            None => {
                let mut databases = snapshot.groups.iter().filter(|g| !g.members.is_empty()).map(|g| g.group);
                match (databases.next(), databases.next()) {
                    (Some(only), None) => only,
                    _ => return Err(Fail::usage("there are several databases; name one with --service")),
                }
            }
        };
        let to = ask.to.as_ref().map(|n| region_named(&snapshot.estate, n)).transpose().map_err(Fail::usage)?;
        let action = Action::Propose { group, intent: Intent::Switchover, from: None, to, reason: format!("ordered by {}", who()) };
        let consent =
            Consent { confirm: ask.confirm.clone(), accept_risk: None, manual_override: false, evidence: None, dry_run: ask.dry_run, wait: ask.wait };
        carry(&opened, &ask.target, action, &consent, None).await
    }
    .await;
    opened.close().await;
    result
}

/// Puts a choice on the table, shows it, and confirms it if that was asked for.
async fn carry(opened: &Opened, target: &Target, action: Action, consent: &Consent, strategy: Option<Strategy>) -> Result<(), Fail> {
    let by = who();
    let receipt = opened.handle.order(Order { by: by.clone(), action }).await.map_err(|r| Fail::refused(&r))?;
    let Receipt::Proposed(id) = receipt else { return Err(Fail::failed("the controller answered something else")) };
    let there = |s: &Snapshot| s.proposals.iter().any(|v| v.proposal.id == id);
    let began = wait_for(opened, Duration::from_secs(2), there).await.unwrap_or_else(|| opened.handle.snapshot()).now.mono;
    // The evidence is gathered in this call: look closely for a moment before it is shown.
    let enough = Span::ms(if opened.simulated { 400 } else { 350 });
    let decided = |s: &Snapshot| {
        let view = s.proposals.iter().find(|v| v.proposal.id == id);
        let undecided =
            view.is_some_and(|v| v.assessment.blocked().is_some_and(|c| c.text.contains("not known whether") || c.text.contains("was not read")));
        view.is_none() || (s.now.mono.since(began) > enough && (!undecided || s.now.mono.since(began) > Span::secs(4)))
    };
    let snapshot = wait_for(opened, Duration::from_secs(6), decided).await.unwrap_or_else(|| opened.handle.snapshot());
    let Some(view) = snapshot.proposals.iter().find(|v| v.proposal.id == id) else {
        return Err(Fail::failed("the choice was withdrawn: the facts changed"));
    };
    let estate = &snapshot.estate;
    let value = choice_json(&snapshot, view, strategy);
    if consent.dry_run {
        let _ = opened.handle.order(Order { by, action: Action::Withdraw { proposal: id } }).await;
        return target.output.print(&value, || describe(&snapshot, view));
    }
    let Some(typed) = consent.confirm.clone().or_else(|| ask_name(&snapshot, view)) else {
        let _ = opened.handle.order(Order { by, action: Action::Withdraw { proposal: id } }).await;
        let name = &estate.region(view.proposal.from).name;
        return Err(Fail { status: 3, text: format!("{}\nnothing was done: confirm with --confirm {name}", describe(&snapshot, view)) });
    };
    if consent.evidence.is_some_and(|e| e != view.assessment.evidence) {
        let _ = opened.handle.order(Order { by, action: Action::Withdraw { proposal: id } }).await;
        let text = format!("the facts have changed since that dry run (law 4); now:\n{}", describe(&snapshot, view));
        return Err(Fail { status: 3, text });
    }
    let confirmed = confirmation(&snapshot, view, &typed, consent.accept_risk.clone(), consent.manual_override);
    match opened.handle.order(Order { by: by.clone(), action: Action::Confirm(confirmed) }).await {
        Ok(Receipt::Started(operation)) => begun(opened, target, operation, consent.wait, strategy).await,
        Ok(_) => Err(Fail::failed("the controller answered something else")),
        Err(refusal) => {
            let _ = opened.handle.order(Order { by, action: Action::Withdraw { proposal: id } }).await;
            Err(Fail::refused(&refusal))
        }
    }
}

fn choice_json(snapshot: &Snapshot, view: &ProposalView, strategy: Option<Strategy>) -> Value {
    let (estate, a) = (&snapshot.estate, &view.assessment);
    let target = strategy.and_then(|s| estate.policy.strategies.get(&s));
    json!({
        "recovery_operation_id": Value::Null,
        "status": "dry_run",
        "estimated_rto": target.map(|t| t.rto.to_string()),
        "estimated_rpo": target.map(|t| t.rpo.to_string()),
        "recovery_phases": estate.plan_named(&view.proposal.plan).map(phases_of),
        "current_phase": Value::Null,
        "protection_group": estate.group(view.proposal.group).name,
        "from": estate.region(view.proposal.from).name,
        "to": a.to.map(|r| &estate.region(r).name),
        "would_begin": a.blocked().is_none() && a.risk.is_none(),
        "loses": a.loss.to_string(),
        "otherwise": a.otherwise,
        "accept_risk": a.risk,
        "evidence": a.evidence,
        "checks": a.checks.iter().map(|c| json!({
            "name": c.name, "verdict": verdict_word(c.verdict), "text": c.text, "age_ms": c.at.map(|t| snapshot.now.mono.since(t).0),
        })).collect::<Vec<_>>(),
        "forecast": Value::Null,
    })
}

const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Advice => "advice",
        Verdict::Risk => "risk",
        Verdict::Block { .. } => "block",
    }
}

/// Asks for the name where somebody can answer.
fn ask_name(snapshot: &Snapshot, view: &ProposalView) -> Option<String> {
    use std::io::{BufRead, IsTerminal};
    if !std::io::stdin().is_terminal() {
        return None;
    }
    say(&describe(snapshot, view)).ok()?;
    say(&format!("type {} to confirm:", snapshot.estate.region(view.proposal.from).name)).ok()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    Some(line.trim().to_string()).filter(|l| !l.is_empty())
}

async fn begun(opened: &Opened, target: &Target, id: OperationId, wait: bool, strategy: Option<Strategy>) -> Result<(), Fail> {
    // Through a socket the snapshots come a moment later than the answer.
    let _ = wait_for(opened, Duration::from_secs(2), |s| s.operations.iter().any(|o| o.id == id)).await;
    // A controller of our own must live until the operation is over: it is what carries it out.
    if wait || opened.own {
        follow(opened, id, matches!(target.output, super::output::Output::Text), false).await;
    }
    let snapshot = opened.handle.snapshot();
    let estate = &snapshot.estate;
    let Some(operation) = snapshot.operations.iter().find(|o| o.id == id) else { return Err(Fail::failed(format!("{id} is not known any more"))) };
    let mut value = operation_json(estate, operation);
    let planned = strategy.and_then(|s| estate.policy.strategies.get(&s));
    value["estimated_rto"] = json!(planned.map(|t| t.rto.to_string()));
    value["estimated_rpo"] = json!(planned.map(|t| t.rpo.to_string()));
    target.output.print(&value, || operation_words(estate, operation))?;
    match &operation.status {
        Status::Recovered | Status::RecoveredUnprotected { .. } => Ok(()),
        Status::Running if !wait => Ok(()),
        Status::Failed { .. } => Err(Fail { status: 3, text: operation_words(estate, operation) }),
        _ => Err(Fail::failed(operation_words(estate, operation))),
    }
}

/// Prints what happens until the operation is over, or waits for a person.
async fn follow(opened: &Opened, id: OperationId, print: bool, stop_at_questions: bool) {
    let mut told = opened.handle.snapshot().log_total;
    let mut end = std::pin::pin!(open::told_to_end());
    loop {
        let snapshot = opened.handle.snapshot();
        if print && plain::new_lines(&snapshot.log, snapshot.log_total, &mut told).is_err() {
            return;
        }
        let Some(operation) = snapshot.operations.iter().find(|o| o.id == id) else { return };
        let waits = matches!(operation.status, Status::Waiting { .. });
        if operation.is_over() || (waits && (stop_at_questions || opened.own)) {
            return;
        }
        tokio::select! {
            alive = opened.handle.changed() => if !alive { return },
            () = &mut end => return,
        }
    }
}

async fn operations(command: Operations) -> Result<(), Fail> {
    let (target, action): (Target, Option<Action>) = match &command {
        Operations::List { target } | Operations::Monitor { target, .. } => (target.clone(), None),
        Operations::Abort { target, operation_id } => (target.clone(), Some(Action::Abort { operation: *operation_id })),
        Operations::Rollback { target, operation_id } => (target.clone(), Some(Action::Rollback { operation: *operation_id })),
        Operations::AcceptUnprotected { target, operation_id } => (target.clone(), Some(Action::AcceptUnprotected { operation: *operation_id })),
        Operations::Answer { target, .. } => (target.clone(), None),
    };
    let opened = open::controller(&target).await?;
    settled(&opened).await;
    let result = async {
        let snapshot = opened.handle.snapshot();
        let newest = snapshot.operations.back().map(|o| o.id);
        match command {
            Operations::List { .. } => {
                let list: Vec<Value> = snapshot.operations.iter().map(|o| operation_json(&snapshot.estate, o)).collect();
                let words = || match list.is_empty() {
                    true => "no operation so far".to_string(),
                    false => snapshot.operations.iter().map(|o| operation_words(&snapshot.estate, o)).collect::<Vec<_>>().join("\n"),
                };
                target.output.print(&list, words)
            }
            Operations::Monitor { operation_id, real_time, alert_on_issues, .. } => {
                let id = operation_id.or(newest).ok_or_else(|| Fail::failed("there is no operation to follow"))?;
                follow(&opened, id, real_time, alert_on_issues).await;
                let snapshot = opened.handle.snapshot();
                let Some(o) = snapshot.operations.iter().find(|o| o.id == id) else { return Err(Fail::failed(format!("there is no {id}"))) };
                target.output.print(&operation_json(&snapshot.estate, o), || operation_words(&snapshot.estate, o))?;
                if matches!(o.status, Status::Waiting { .. } | Status::Failed { .. }) { Err(Fail::failed("it needs a person")) } else { Ok(()) }
            }
            Operations::Answer { operation_id, step, answer, note, .. } => {
                let done = match answer.as_str() {
                    "done" => true,
                    "again" => false,
                    other => return Err(Fail::usage(format!("`{other}` is no answer; write done or again"))),
                };
                let step = step_named(&snapshot, operation_id, &step).map_err(Fail::usage)?;
                tell(&opened, Action::Answer { operation: operation_id, step, done, note }).await
            }
            Operations::Abort { operation_id, .. }
            | Operations::Rollback { operation_id, .. }
            | Operations::AcceptUnprotected { operation_id, .. } => {
                let Some(action) = action else { return Ok(()) };
                tell(&opened, action).await?;
                // A controller of our own must live until what it was told is done.
                if opened.own {
                    follow(&opened, operation_id, matches!(target.output, super::output::Output::Text), false).await;
                }
                Ok(())
            }
        }
    }
    .await;
    opened.close().await;
    result
}

async fn tell(opened: &Opened, action: Action) -> Result<(), Fail> {
    opened.handle.order(Order { by: who(), action }).await.map_err(|r| Fail::refused(&r))?;
    say("done")
}

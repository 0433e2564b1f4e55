//! Orders in words, for people at a prompt: the same orders as everywhere.

use crate::model::*;
use std::sync::Arc;

/// Who gives the orders of this process.
pub fn who() -> String {
    let name = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).or_else(|_| std::env::var("LOGNAME"));
    name.ok().filter(|n| !n.is_empty()).unwrap_or_else(account)
}

/// The account's own name, where no variable tells it.
fn account() -> String {
    // SAFETY: it only asks.
    let id = unsafe { libc::getuid() }.to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |line: &str| line.split(':').nth(2) == Some(id.as_str());
    accounts.lines().find(|l| of(l)).and_then(|l| l.split(':').next()).map_or_else(|| format!("user {id}"), str::to_string)
}

/// A choice on the table, in lines.
pub fn describe(snapshot: &Snapshot, view: &ProposalView) -> String {
    let estate = &snapshot.estate;
    let (p, a) = (&view.proposal, &view.assessment);
    let to = a.to.map_or("?", |r| estate.region(r).name.as_str());
    let mut lines = vec![format!("DECISION  {} {} {} → {to}?", p.plan, estate.group(p.group).name, estate.region(p.from).name)];
    if let Some(left) = view.automatic_in {
        lines.push(format!("  automatic in {left}; `stop` leaves it to you"));
    }
    lines.push(format!("  why       {}", p.reason));
    if p.intent != Intent::Guided {
        lines.push(format!("  loses     {}", a.loss));
        lines.push(format!("  leave it  {}", a.otherwise));
    }
    for check in &a.checks {
        let mark = match check.verdict {
            Verdict::Pass => "✓".to_string(),
            Verdict::Advice => "!".to_string(),
            Verdict::Risk => "✗ typed risk".to_string(),
            Verdict::Block { law, .. } => format!("✗ law {law}"),
        };
        let age = check.at.map_or(String::new(), |at| format!(" ({} ago)", snapshot.now.mono.since(at)));
        lines.push(format!("  {mark} {}: {}{age}", check.name, check.text));
    }
    if let Some(risk) = &a.risk {
        lines.push(format!("  to accept the risk, type: {risk}"));
    }
    if a.second_person {
        lines.push("  the plan asks for a second person: --second-person NAME".to_string());
    }
    if let Some(known) = snapshot.forecasts.iter().find(|f| f.proposal == p.id) {
        lines.push(super::forecast::words(estate, view, &known.forecast));
    }
    lines.push(format!("  evidence {}", a.evidence));
    lines.join("\n")
}

/// The confirmation of what this snapshot shows.
pub fn confirmation(snapshot: &Snapshot, view: &ProposalView, typed: &str, accept_risk: Option<String>) -> Confirmation {
    Confirmation {
        proposal: view.proposal.id,
        nonce: view.assessment.nonce,
        seen: snapshot.now.utc,
        plan: view.assessment.plan,
        evidence: view.assessment.evidence,
        typed: typed.to_string(),
        accept_risk,
        manual_override: false,
        second_person: None,
    }
}

/// Carries out one line.
pub async fn speak(handle: &Arc<dyn Handle>, line: &str) -> Result<String, String> {
    let snapshot = handle.snapshot();
    let words: Vec<&str> = line.split_whitespace().collect();
    let rest = |n: usize| words.get(n..).unwrap_or_default().join(" ");
    let action = match words.as_slice() {
        [] => return Ok(String::new()),
        ["help" | "?"] => return Ok(super::plain::help().to_string()),
        ["status"] => return Ok(super::status::status_words(&snapshot, true)),
        ["failover", group, to @ ..] => propose(&snapshot, group, Intent::Failover, to.first().copied())?,
        ["switchover" | "failback", group, to @ ..] => propose(&snapshot, group, Intent::Switchover, to.first().copied())?,
        ["confirm", name, ..] => {
            let named = |v: &&ProposalView| snapshot.estate.region(v.proposal.from).name == *name;
            let view = snapshot.proposals.iter().find(named).or(snapshot.proposals.first()).ok_or("no choice is on the table")?;
            let risk = Some(rest(2)).filter(|r| !r.is_empty());
            Action::Confirm(confirmation(&snapshot, view, name, risk))
        }
        ["stop"] => Action::StopAutomatic { proposal: first(&snapshot)? },
        ["withdraw"] => Action::Withdraw { proposal: first(&snapshot)? },
        ["abort", id] => Action::Abort { operation: id.parse()? },
        ["rollback", id] => Action::Rollback { operation: id.parse()? },
        ["accept", id] => Action::AcceptUnprotected { operation: id.parse()? },
        ["answer", id, step, answer, ..] => {
            let operation = id.parse()?;
            let step = step_named(&snapshot, operation, step)?;
            Action::Answer { operation, step, done: *answer == "done", note: rest(4) }
        }
        ["arm", name] => Action::Arm { typed: name.to_string() },
        ["disarm"] => Action::Disarm,
        ["note", ..] => Action::Note { text: rest(1) },
        ["inject", ..] => return control(handle, Control::Inject { fault: rest(1) }).await,
        ["mend"] => return control(handle, Control::Mend).await,
        ["pause"] => return control(handle, Control::Pause(true)).await,
        ["go"] => return control(handle, Control::Pause(false)).await,
        ["speed", times] => return control(handle, Control::Speed(times.parse().map_err(|_| "write a number from 1 to 1000")?)).await,
        [other, ..] => return Err(format!("`{other}` is no order; `help` lists them")),
    };
    match handle.order(Order { by: who(), action }).await {
        Ok(Receipt::Proposed(_)) => Ok("it is on the table; read it, then: confirm NAME-OF-THE-REGION".to_string()),
        Ok(Receipt::Started(id)) => Ok(format!("{id} begins")),
        Ok(Receipt::Done) => Ok("done".to_string()),
        Err(refusal) => Err(format!("refused: {refusal}")),
    }
}

async fn control(handle: &Arc<dyn Handle>, control: Control) -> Result<String, String> {
    handle.control(control).await.map(|_| "done".to_string()).map_err(|r| format!("refused: {r}"))
}

fn first(snapshot: &Snapshot) -> Result<ProposalId, String> {
    snapshot.proposals.first().map(|v| v.proposal.id).ok_or_else(|| "no choice is on the table".to_string())
}

/// A step of an operation, by its id in the plan or by its number from 1.
pub fn step_named(snapshot: &Snapshot, operation: OperationId, step: &str) -> Result<u16, String> {
    let operation = snapshot.operations.iter().find(|o| o.id == operation).ok_or_else(|| format!("there is no {operation}"))?;
    let by_number = step.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < operation.plan.steps.len());
    let found = operation.plan.steps.iter().position(|s| s.id == step).or(by_number);
    found.map(|n| n as u16).ok_or_else(|| {
        let known: Vec<_> = operation.plan.steps.iter().map(|s| s.id.as_str()).collect();
        format!("`{step}` is no step; known: {}", known.join(", "))
    })
}

/// The group with this name, or of the service with this name.
pub fn group_named(estate: &Estate, name: &str) -> Result<GroupId, String> {
    let group = estate.groups.iter().position(|g| g.name == name).map(GroupId::of);
    group.or_else(|| estate.service_named(name).map(|s| estate.service(s).group)).ok_or_else(|| {
        let known: Vec<_> = estate.groups.iter().filter(|g| g.database.is_some()).map(|g| g.name.as_str()).collect();
        format!("`{name}` is no service; those with a database: {}", known.join(", "))
    })
}

pub fn region_named(estate: &Estate, name: &str) -> Result<RegionId, String> {
    estate.region_named(name).ok_or_else(|| {
        let known: Vec<_> = estate.regions.iter().map(|r| r.name.as_str()).collect();
        format!("`{name}` is no region; known: {}", known.join(", "))
    })
}

fn propose(snapshot: &Snapshot, group: &str, intent: Intent, to: Option<&str>) -> Result<Action, String> {
    let group = group_named(&snapshot.estate, group)?;
    let to = to.map(|name| region_named(&snapshot.estate, name)).transpose()?;
    Ok(Action::Propose { group, intent, from: None, to, reason: format!("ordered by {}", who()) })
}

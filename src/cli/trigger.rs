//! Choices on the command line: put on the table, shown, confirmed, carried out.

use super::fail::Fail;
use super::named::{group_named, member_named, region_named};
use super::open::{self, Opened, Target};
use super::operations::{follow, operation_json, operation_words, phases_of};
use super::order::{ORDERED, confirmation, describe};
use super::output::{Lines, Output, say, say_all};
use super::wait::{settled, wait_for};
use crate::model::*;
use crate::wording::{check_words, otherwise_words};
use clap::Args;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Args)]
pub struct Trigger {
    #[command(flatten)]
    pub target: Target,
    #[arg(long)]
    pub disaster_type: DisasterType,
    /// The regions that failed, separated by commas
    #[arg(long, value_delimiter = ',', required = true)]
    pub affected_regions: Vec<String>,
    #[arg(long)]
    pub severity: Severity,
    #[arg(long)]
    pub strategy: Strategy,
    /// The region to recover in [default: the best candidate]
    #[arg(long = "target", value_name = "REGION")]
    pub to: Option<String>,
    /// Only this service's protection group
    #[arg(long)]
    pub service: Option<String>,
    /// Go on although the old primary still answers; it is fenced first
    #[arg(long)]
    pub manual_override: bool,
    /// Show what it would do, and end with 0
    #[arg(long)]
    pub dry_run: bool,
    /// Confirm by naming the failed region
    #[arg(long, value_name = "REGION")]
    pub confirm: Option<String>,
    /// Who else says yes, where the plan asks for a second person
    #[arg(long, value_name = "NAME")]
    pub second_person: Option<String>,
    /// Accept a risk in the words that the refusal asks for
    #[arg(long, value_name = "TEXT")]
    pub accept_risk: Option<String>,
    /// The operation that waits and that this one supersedes, such as recovery-12
    #[arg(long, value_name = "ID")]
    pub supersede: Option<OperationId>,
    /// Void the confirmation unless the evidence is still that of a dry run
    #[arg(long, value_name = "DIGEST")]
    pub evidence: Option<Digest>,
    /// Wait until it is over
    #[arg(long)]
    pub wait: bool,
}

#[derive(Debug, Args)]
pub struct Move {
    #[command(flatten)]
    pub target: Target,
    #[arg(long)]
    pub service: Option<String>,
    /// The region that takes over [default: the best candidate]
    #[arg(long = "target", value_name = "REGION")]
    pub to: Option<String>,
    /// Confirm by naming the region that is left
    #[arg(long, value_name = "REGION")]
    pub confirm: Option<String>,
    /// Who else says yes, where the plan asks for a second person
    #[arg(long, value_name = "NAME")]
    pub second_person: Option<String>,
    /// Accept a risk in the words that the refusal asks for
    #[arg(long, value_name = "TEXT")]
    pub accept_risk: Option<String>,
    /// The operation that waits and that this one supersedes, such as recovery-12
    #[arg(long, value_name = "ID")]
    pub supersede: Option<OperationId>,
    #[arg(long)]
    pub dry_run: bool,
    #[arg(long)]
    pub wait: bool,
}

/// How a choice is confirmed on the command line.
#[derive(Default)]
struct Consent {
    confirm: Option<String>,
    accept_risk: Option<String>,
    manual_override: bool,
    second_person: Option<String>,
    supersede: Option<OperationId>,
    evidence: Option<Digest>,
    dry_run: bool,
    wait: bool,
}

/// `disaster-recovery trigger`.
pub async fn recover(ask: Trigger) -> Result<(), Fail> {
    let opened = open::controller(&ask.target).await?;
    let result = trigger_with(&opened, &ask).await;
    opened.close().await;
    result
}

async fn trigger_with(opened: &Opened, ask: &Trigger) -> Result<(), Fail> {
    settled(opened).await;
    let estate = Arc::clone(&opened.handle.snapshot().estate);
    let regions: Vec<RegionId> = ask
        .affected_regions
        .iter()
        .map(|n| region_named(&estate, n))
        .collect::<Result<_, _>>()
        .map_err(Fail::usage)?;
    if opened.simulated {
        strike(opened, ask, &regions).await?;
    }
    let snapshot = opened.handle.snapshot();
    let groups: Vec<GroupId> = match &ask.service {
        Some(name) => vec![group_named(&estate, name).map_err(Fail::usage)?],
        None => snapshot.groups.iter().filter(|g| led_from(g, &regions)).map(|g| g.group).collect(),
    };
    if groups.is_empty() {
        let led: Vec<_> = snapshot
            .groups
            .iter()
            .filter_map(|g| {
                Some(format!("{} leads {}", estate.region(g.primary?).name, estate.group(g.group).name))
            })
            .collect();
        return Err(Fail::failed(format!(
            "no database is led from {}; {}",
            ask.affected_regions.join(", "),
            led.join(", ")
        )));
    }
    let intent = match ask.strategy {
        Strategy::ImmediateFailover | Strategy::WarmStandbyActivation => Intent::Failover,
        Strategy::PointInTimeRestore | Strategy::ColdStandbyRestoration => Intent::Guided,
    };
    let consent = Consent {
        confirm: ask.confirm.clone(),
        accept_risk: ask.accept_risk.clone(),
        manual_override: ask.manual_override,
        second_person: ask.second_person.clone(),
        supersede: ask.supersede,
        evidence: ask.evidence,
        dry_run: ask.dry_run,
        wait: ask.wait,
    };
    let reason =
        format!("{} {}, {}", ask.severity, ask.disaster_type.words(), ask.affected_regions.join(", "));
    let mut told = Told::new(&ask.target.output);
    let result = async {
        for group in groups {
            let to = ask
                .to
                .as_ref()
                .map(|n| member_named(&snapshot, group, n))
                .transpose()
                .map_err(Fail::usage)?;
            // The region that it is led from, of those that are named.
            let led = snapshot.group(group).and_then(|v| v.primary).filter(|p| regions.contains(p));
            let action = Action::Propose {
                group,
                intent,
                from: Some(led.unwrap_or(regions[0])),
                to,
                reason: reason.clone(),
            };
            carry(opened, &mut told, action, &consent, Some(ask.strategy)).await?;
        }
        Ok(())
    }
    .await;
    told.print().and(result)
}

/// What is told of the choices of one command: lines at once, or one document at the end.
struct Told<'a> {
    output: &'a Output,
    documents: Vec<Value>,
    lines: Lines,
}

impl Told<'_> {
    fn new(output: &Output) -> Told<'_> {
        Told { output, documents: Vec::new(), lines: Vec::new() }
    }

    fn add(&mut self, document: Value, lines: Lines) -> Result<(), Fail> {
        if self.output.is_text() {
            return say_all(&lines);
        }
        self.documents.push(document);
        self.lines.extend(lines);
        Ok(())
    }

    /// The document: every operation in a list; beside it the fields of reference 000, which are those of the first one.
    fn print(self) -> Result<(), Fail> {
        let Some(first) = self.documents.first() else { return Ok(()) };
        let published = [
            "recovery_operation_id",
            "status",
            "estimated_rto",
            "estimated_rpo",
            "recovery_phases",
            "current_phase",
        ];
        let mut document: Value = published
            .iter()
            .map(|name| ((*name).to_string(), first[*name].clone()))
            .collect::<serde_json::Map<_, _>>()
            .into();
        document["operations"] = json!(self.documents);
        self.output.print(&document, || self.lines)
    }
}

/// True if the group is led from one of these regions, or may be: where nobody knows, the gate says why.
fn led_from(group: &GroupView, regions: &[RegionId]) -> bool {
    group
        .primary
        .map_or_else(|| group.members.iter().any(|m| regions.contains(&m.region)), |p| regions.contains(&p))
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
        DisasterType::NodeFailure | DisasterType::HardwareFailure | DisasterType::SoftwareFailure => {
            FaultKind::NodeFailure
        }
    };
    for region in regions {
        let fault = format!("{kind} {}", opened.handle.snapshot().estate.region(*region).name);
        opened.handle.control(Control::Inject { fault }).await.map_err(|r| Fail::refused(&r))?;
    }
    let _ = wait_for(opened, Duration::from_secs(5), |s| !s.disasters.is_empty()).await;
    Ok(())
}

/// `switchover` and `failback`.
pub async fn hand_over(ask: Move) -> Result<(), Fail> {
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
        let to =
            ask.to.as_ref().map(|n| member_named(&snapshot, group, n)).transpose().map_err(Fail::usage)?;
        let action = Action::Propose {
            group,
            intent: Intent::Switchover,
            from: None,
            to,
            reason: ORDERED.to_string(),
        };
        let consent = Consent {
            confirm: ask.confirm.clone(),
            accept_risk: ask.accept_risk.clone(),
            manual_override: false,
            second_person: ask.second_person.clone(),
            supersede: ask.supersede,
            evidence: None,
            dry_run: ask.dry_run,
            wait: ask.wait,
        };
        let mut told = Told::new(&ask.target.output);
        let result = carry(&opened, &mut told, action, &consent, None).await;
        told.print().and(result)
    }
    .await;
    opened.close().await;
    result
}

/// Puts a choice on the table, shows it, and confirms it if that was asked for.
async fn carry(
    opened: &Opened,
    told: &mut Told<'_>,
    action: Action,
    consent: &Consent,
    strategy: Option<Strategy>,
) -> Result<(), Fail> {
    let receipt = opened.handle.order(action).await.map_err(|r| Fail::refused(&r))?;
    let Receipt::Proposed(id) = receipt else {
        return Err(Fail::failed("the controller answered something else"));
    };
    let there = |s: &Snapshot| s.proposals.iter().any(|v| v.proposal.id == id);
    let began = wait_for(opened, Duration::from_secs(2), there)
        .await
        .unwrap_or_else(|| opened.handle.snapshot())
        .now
        .mono;
    // The evidence is gathered in this call: look closely for a moment before it is shown.
    let enough = Span::ms(if opened.simulated { 400 } else { 350 });
    let decided = |s: &Snapshot| {
        let view = s.proposals.iter().find(|v| v.proposal.id == id);
        let undecided = view.is_some_and(|v| v.assessment.undecided());
        view.is_none()
            || (s.now.mono.since(began) > enough && (!undecided || s.now.mono.since(began) > Span::secs(5)))
    };
    let snapshot =
        wait_for(opened, Duration::from_secs(6), decided).await.unwrap_or_else(|| opened.handle.snapshot());
    let Some(view) = snapshot.proposals.iter().find(|v| v.proposal.id == id) else {
        return Err(Fail::failed("the choice was withdrawn: the facts changed"));
    };
    let estate = &snapshot.estate;
    if consent.dry_run {
        // The figures are worth a moment; a choice that people carry out has none.
        let figures = |s: &Snapshot| {
            view.proposal.intent == Intent::Guided || s.forecasts.iter().any(|f| f.proposal == id)
        };
        let snapshot = wait_for(opened, Duration::from_secs(3), figures).await.unwrap_or(snapshot);
        let Some(view) = snapshot.proposals.iter().find(|v| v.proposal.id == id) else {
            return Err(Fail::failed("the choice was withdrawn: the facts changed"));
        };
        let value = choice_json(&snapshot, view, strategy);
        let _ = opened.handle.order(Action::Withdraw { proposal: id }).await;
        return told.add(value, describe(&snapshot, view));
    }
    let Some(typed) = consent.confirm.clone().or_else(|| ask_name(&snapshot, view)) else {
        let _ = opened.handle.order(Action::Withdraw { proposal: id }).await;
        let name = &estate.region(view.proposal.from).name;
        if !told.output.is_text() {
            told.documents.push(choice_json(&snapshot, view, strategy));
        }
        let mut lines = describe(&snapshot, view);
        lines.push(format!("nothing was done: confirm with --confirm {name}"));
        return Err(Fail::of(3, lines));
    };
    if consent.evidence.is_some_and(|e| e != view.assessment.evidence) {
        let _ = opened.handle.order(Action::Withdraw { proposal: id }).await;
        let mut lines = vec!["the facts have changed since that dry run (law 4); now:".to_string()];
        lines.extend(describe(&snapshot, view));
        return Err(Fail::of(3, lines));
    }
    let confirmed = Confirmation {
        manual_override: consent.manual_override,
        second_person: consent.second_person.clone(),
        supersedes: consent.supersede,
        ..confirmation(&snapshot, view, &typed, consent.accept_risk.clone())
    };
    match opened.handle.order(Action::Confirm(confirmed)).await {
        Ok(Receipt::Started(operation)) => begun(opened, told, operation, consent.wait, strategy).await,
        Ok(_) => Err(Fail::failed("the controller answered something else")),
        Err(refusal) => {
            let _ = opened.handle.order(Action::Withdraw { proposal: id }).await;
            Err(Fail::refused(&refusal))
        }
    }
}

fn choice_json(snapshot: &Snapshot, view: &ProposalView, strategy: Option<Strategy>) -> Value {
    let (estate, a) = (&snapshot.estate, &view.assessment);
    let known = snapshot.forecasts.iter().find(|f| f.proposal == view.proposal.id);
    let target = strategy.and_then(|s| estate.policy.strategies.get(&s));
    json!({
        "recovery_operation_id": Value::Null,
        "status": "dry_run",
        "estimated_rto": target.map(|t| t.rto.written()),
        "estimated_rpo": target.map(|t| t.rpo.written()),
        "recovery_phases": estate.plan_named(&view.proposal.plan).map(phases_of),
        "current_phase": Value::Null,
        "protection_group": estate.group(view.proposal.group).name,
        "from": estate.region(view.proposal.from).name,
        "to": a.to.map(|m| estate.member_label(view.proposal.group, m, None)),
        "would_begin": a.blocked().is_none() && a.risks.is_empty(),
        "loses": a.loss.to_string(),
        "otherwise": otherwise_words(&a.otherwise),
        "accept_risk": risk_words(&a.risks),
        "risks": a.risks.iter().map(|risk| risk_json(*risk)).collect::<Vec<_>>(),
        "evidence": a.evidence,
        "checks": a.checks.iter().map(|c| json!({
            "name": c.name(), "verdict": verdict_word(c.verdict), "text": check_words(c), "age_ms": c.at.map(|t| snapshot.now.mono.since(t).0),
        })).collect::<Vec<_>>(),
        "forecast": known.map(|f| super::forecast::branches(estate, view.proposal.group, &f.forecast)),
    })
}

/// A risk with its figure; what it does not measure is null.
fn risk_json(risk: Risk) -> Value {
    let (name, bytes, percent) = match risk {
        Risk::Loses(Amount::Unknown) => ("loses", None, None),
        Risk::Loses(Amount::AtLeast(bytes)) => ("loses", Some(bytes.0), None),
        Risk::TwoMayWrite => ("two_may_write", None, None),
        Risk::Overload { percent } => ("overload", None, Some(percent)),
    };
    json!({ "risk": name, "loses_at_least_bytes": bytes, "load_percent": percent })
}

const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Advice => "advice",
        Verdict::Risk(_) => "risk",
        Verdict::Block { .. } => "block",
    }
}

/// Asks for the name where somebody can answer.
fn ask_name(snapshot: &Snapshot, view: &ProposalView) -> Option<String> {
    use std::io::{BufRead, IsTerminal};
    if !std::io::stdin().is_terminal() {
        return None;
    }
    say_all(&describe(snapshot, view)).ok()?;
    say(&format!("type {} to confirm:", snapshot.estate.region(view.proposal.from).name)).ok()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    Some(line.trim().to_string()).filter(|l| !l.is_empty())
}

async fn begun(
    opened: &Opened,
    told: &mut Told<'_>,
    id: OperationId,
    wait: bool,
    strategy: Option<Strategy>,
) -> Result<(), Fail> {
    // Through a socket the snapshots come a moment later than the answer.
    let _ = wait_for(opened, Duration::from_secs(2), |s| s.operations.iter().any(|o| o.id == id)).await;
    // A controller of our own must live until the operation is over: it is what carries it out.
    if wait || opened.own {
        follow(opened, id, told.output.is_text(), false).await;
    }
    let snapshot = opened.handle.snapshot();
    let estate = &snapshot.estate;
    let Some(operation) = snapshot.operations.iter().find(|o| o.id == id) else {
        return Err(Fail::failed(format!("{id} is not known any more")));
    };
    let mut value = operation_json(estate, operation);
    let planned = strategy.and_then(|s| estate.policy.strategies.get(&s));
    value["estimated_rto"] = json!(planned.map(|t| t.rto.written()));
    value["estimated_rpo"] = json!(planned.map(|t| t.rpo.written()));
    told.add(value, vec![operation_words(estate, operation)])?;
    match &operation.status {
        Status::Recovered | Status::RecoveredUnprotected { .. } => Ok(()),
        Status::Running if !wait => Ok(()),
        Status::Failed { .. } => Err(Fail::denied(operation_words(estate, operation))),
        _ => Err(Fail::failed(operation_words(estate, operation))),
    }
}

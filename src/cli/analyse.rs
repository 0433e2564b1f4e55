//! `bpci analyse plan`: where the time of a recovery goes, and what its plan promises in vain.

use super::fail::Fail;
use super::forecast::{Base, base};
use super::named::group_named;
use super::open::Target;
use super::output::{Lines, Output, spaced};
use crate::controller::{Choice, question};
use crate::forecast::{Analysis, analyse};
use crate::model::*;
use crate::wording::refusal_words;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum AnalyseCommand {
    /// Critical path, slack, what to shorten, what needs the failing region, what contradicts the targets
    Plan(AnalysePlan),
}

#[derive(Debug, Args)]
pub struct AnalysePlan {
    /// A live estate [default: the embedded simulation]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A scenario of the simulation
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "config")]
    fixture: Option<String>,
    /// failover, or switchover
    #[arg(long, value_name = "INTENT", default_value = "failover")]
    plan: Intent,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Futures that the durations are taken from
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    futures: u32,
    #[arg(long, value_name = "text|json|FILE", default_value = "text")]
    output: Output,
}

pub async fn run(command: AnalyseCommand) -> Result<(), Fail> {
    let AnalyseCommand::Plan(ask) = command;
    if ask.plan == Intent::Guided {
        return Err(Fail::usage(
            "a guided plan is done by people: how long they take is not known; write failover or switchover",
        ));
    }
    let target = Target { config: ask.config.clone(), arm: false, output: ask.output.clone() };
    let (engine, now) = base(Base { target, fixture: ask.fixture.as_deref(), after: None, at: None }).await?;
    tokio::task::spawn_blocking(move || {
        let estate = &engine.state().estate;
        let groups: Vec<GroupId> = match &ask.service {
            Some(name) => vec![group_named(estate, name).map_err(Fail::usage)?],
            None => estate.group_ids().filter(|g| estate.group(*g).database.is_some()).collect(),
        };
        let (mut values, mut text) = (Vec::new(), Vec::new());
        for group in groups {
            let (view, question) = question(&engine, now, &Choice { group, intent: ask.plan, to: None })
                .map_err(|r| Fail::failed(refusal_words(&r)))?;
            let name = &estate.group(group).name;
            let plan = estate
                .plan_named(&view.proposal.plan)
                .ok_or_else(|| Fail::failed(format!("{name} has no such plan")))?;
            let Some(found) = analyse(&question, plan, ask.futures, 2) else {
                return Err(Fail::failed(format!(
                    "{name}: nobody could take over, so that nothing can be played"
                )));
            };
            let from = &estate.region(view.proposal.from).name;
            values.push(value(name, from, &found));
            text.push(words(name, from, &found));
        }
        ask.output.print(&json!({ "plans": values }), || spaced(text))
    })
    .await
    .map_err(Fail::failed)?
}

fn value(group: &str, from: &str, found: &Analysis) -> Value {
    let steps: Vec<Value> = found
        .steps
        .iter()
        .map(|s| {
            json!({
                "id": s.id, "phase": s.phase.name(), "after": s.after, "takes_ms": s.takes, "begins_ms": s.begins_ms, "slack_ms": s.slack_ms,
                "critical": s.is_critical(), "saves_ms": s.saves_ms, "needs_the_region": s.needs_the_region,
            })
        })
        .collect();
    json!({
        "protection_group": group, "plan": found.plan, "from": from, "futures": found.futures, "served_ms": found.served_ms,
        "steps": steps, "parallel": found.parallel, "without": found.without, "against": found.against,
    })
}

fn words(group: &str, from: &str, found: &Analysis) -> Lines {
    let served = found.served_ms.map_or("not known".to_string(), |ms| Span(ms).to_string());
    let mut lines = vec![format!(
        "PLAN  {} of {group} from {from}: users served after {served} at the median of {} simulated runs",
        found.plan, found.futures
    )];
    lines.push(format!("  {:<12} {:>8} {:>8} {:>8} {:>8}", "step", "begins", "p50", "p95", "slack"));
    let ms = |ms: Option<u64>| ms.map_or("–".to_string(), |ms| Span(ms).to_string());
    for s in &found.steps {
        let mark = if s.is_critical() { "critical" } else { "" };
        lines.push(
            format!(
                "  {:<12} {:>8} {:>8} {:>8} {:>8}  {mark}",
                s.id,
                ms(s.begins_ms),
                ms(s.takes.p50),
                ms(s.takes.p95),
                ms(s.slack_ms)
            )
            .trim_end()
            .to_string(),
        );
    }
    let mut worth: Vec<_> = found.steps.iter().filter(|s| s.saves_ms > 0).collect();
    worth.sort_by_key(|s| std::cmp::Reverse(s.saves_ms));
    let worth: Vec<String> =
        worth.iter().take(3).map(|s| format!("{} (up to {})", s.id, Span(s.saves_ms))).collect();
    if !worth.is_empty() {
        lines.push(format!("  to shorten   {}", worth.join(", ")));
    }
    lines.extend(found.without.iter().map(|w| format!("  left out     {w}")));
    lines.extend(found.parallel.iter().map(|g| format!("  at once      {}", g.join(", "))));
    lines.extend(found.against.iter().map(|a| format!("  against      {a}")));
    lines
}

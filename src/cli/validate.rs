//! `bc validate`: could each region's loss be answered now? A report with its reasons.

use super::fail::Fail;
use super::named::region_named;
use super::open::{self, Target};
use super::output::{Lines, Output};
use super::wait::settled;
use crate::config;
use crate::controller::{Simulation, readiness};
use crate::journal::Journal;
use crate::model::*;
use crate::wording::point_words;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Clone, Debug, Args)]
pub struct ValidateAsk {
    /// A live estate [default: the embedded simulation]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Every region (the default)
    #[arg(long, conflicts_with = "region")]
    pub all_regions: bool,
    /// Only this region
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Every kind of disaster that the configuration answers (the default)
    #[arg(long, conflicts_with = "scenario")]
    pub all_scenarios: bool,
    /// Only this kind
    #[arg(long, value_name = "KIND")]
    pub scenario: Option<DisasterType>,
    /// Write the report
    #[arg(long, requires = "output")]
    pub generate_report: bool,
    /// text, json, or a file to write the report to
    #[arg(long, value_name = "text|json|FILE", default_value = "text")]
    pub output: Output,
}

/// Futures of each database.
const FUTURES: u32 = 500;

pub async fn run(ask: ValidateAsk) -> Result<(), Fail> {
    let (engine, now) = match &ask.config {
        Some(file) => {
            let target = Target { config: Some(file.clone()), arm: false, output: ask.output.clone() };
            let opened = open::controller(&target).await?;
            settled(&opened).await;
            // The fence's check and the login take a moment more than the first look.
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            let engine = opened.engine().await;
            opened.close().await;
            engine?
        }
        None => {
            let scenario = config::embedded("calm").map_err(Fail::usage)?;
            let seed = scenario.seed;
            let mut simulation = Simulation::new(
                scenario,
                seed,
                Journal::in_memory(),
                Mode::Simulation,
                open::virtual_beginning(),
            )
            .map_err(Fail::failed)?;
            simulation.run_to(Mono(5_000)).map_err(Fail::failed)?;
            (simulation.core.engine.clone(), simulation.now())
        }
    };
    let estate = std::sync::Arc::clone(&engine.state().estate);
    let answers = engine.need_answers(now);
    let only = ask.region.as_ref().map(|n| region_named(&estate, n)).transpose().map_err(Fail::usage)?;
    let mut list =
        tokio::task::spawn_blocking(move || readiness(&engine, now, FUTURES)).await.map_err(Fail::failed)?;
    list.retain(|r| only.is_none_or(|o| o == r.region) && ask.scenario.is_none_or(|s| s == r.scenario));
    let mut value = report(&estate, now, &list);
    value["needs"] = super::needs::report(&estate, &answers);
    ask.output.print(&value, || [super::needs::words(&estate, &answers), words(&estate, &list)].concat())?;
    // The document says it; without a score nobody can tell how ready the estate is.
    if list.is_empty() || list.iter().any(|r| r.score().is_none()) { Err(Fail::silent(1)) } else { Ok(()) }
}

/// Every point of every entry holds, and there is something to hold.
fn is_ready(list: &[Readiness]) -> bool {
    !list.is_empty() && list.iter().all(Readiness::is_ready)
}

fn report(estate: &Estate, now: Now, list: &[Readiness]) -> Value {
    let entry = |r: &Readiness| {
        json!({
            "region": estate.region(r.region).name,
            "scenario": r.scenario,
            "protection_group": r.group.map(|g| &estate.group(g).name),
            "ready": r.is_ready(),
            "score_percent": r.score(),
            "points": r.points.iter().map(|p| point_json(estate, p)).collect::<Vec<_>>(),
        })
    };
    // What was not measured sorts before all that was.
    let score = list.iter().map(Readiness::score).min().flatten();
    json!({
        "estate": estate.name,
        "validated_at": now.utc.to_string(),
        "ready": is_ready(list),
        // A chain is as ready as its weakest link.
        "score_percent": score,
        "readiness": list.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn point_json(estate: &Estate, p: &Point) -> Value {
    let mut value = json!({ "name": p.name, "state": p.state, "text": point_words(p) });
    if let Some(to) = p.to {
        value["to"] = json!(estate.region(to).name);
    }
    value
}

fn words(estate: &Estate, list: &[Readiness]) -> Lines {
    let mut lines = Vec::new();
    for r in list {
        let group = r.group.map_or(String::new(), |g| format!("  {}", estate.group(g).name));
        lines.push(format!(
            "{:<16} {:<20}{group:<16} {}",
            estate.region(r.region).name,
            r.scenario.words(),
            score_words(r.score())
        ));
        for p in &r.points {
            let mark = match p.state {
                PointState::Holds => "✓",
                PointState::Unknown => "?",
                PointState::Lacks => "✗",
            };
            lines.push(format!("  {mark} {}: {}", p.name, point_words(p)));
        }
    }
    let score = list.iter().map(Readiness::score).min().flatten();
    let ready = if is_ready(list) { "ready" } else { "not ready" };
    lines.push(match list.is_empty() {
        true => format!("{ready}: no region with a response to a disaster is configured"),
        false => format!("{ready}: the weakest has {}", score_words(score).trim_start()),
    });
    lines
}

/// A score as it is told; what was not measured has none.
fn score_words(score: Option<u32>) -> String {
    score.map_or_else(|| "no score: nothing was measured".to_string(), |score| format!("{score:>3} %"))
}

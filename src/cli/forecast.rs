//! `bpci forecast`: what a choice would do, and what leaving it would.

use super::calibration::{self, CalibrationAsk};
use super::fail::Fail;
use super::named::{group_named, region_named};
use super::open::{self, Target};
use super::output::{Lines, Output, spaced};
use super::wait::settled;
use crate::config;
use crate::controller::{Choice, Replay, Simulation, forecast};
use crate::engine::Engine;
use crate::forecast::HORIZON;
use crate::journal::Journal;
use crate::model::*;
use crate::wording::{no_figures_words, refusal_words, why_not_words};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ForecastWords {
    #[command(flatten)]
    ask: ForecastAsk,
    #[command(subcommand)]
    of: Option<ForecastOf>,
}

#[derive(Debug, Subcommand)]
enum ForecastOf {
    /// How often what was foretold came true: from the record
    Calibration(CalibrationAsk),
}

#[derive(Clone, Debug, Args)]
pub struct ForecastAsk {
    /// A live estate [default: the embedded simulation]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A scenario of the simulation
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "config")]
    pub fixture: Option<String>,
    /// At this moment of the scenario
    #[arg(long, value_name = "TIME", requires = "fixture")]
    pub after: Option<crate::config::Duration>,
    /// From a moment of a record
    #[arg(long, value_name = "JOURNAL:SEQ", conflicts_with_all = ["config", "fixture"])]
    pub at: Option<Moment>,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Towards this region instead of the best candidate
    #[arg(long = "target", value_name = "REGION")]
    pub to: Option<String>,
    /// A switchover from the living primary instead of a failover
    #[arg(long)]
    pub planned: bool,
    /// Futures of each branch
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=1_000_000))]
    pub futures: u32,
    /// text, json, or a file to write the report to
    #[arg(long, value_name = "text|json|FILE", default_value = "text")]
    pub output: Output,
}

/// A moment of a record.
#[derive(Clone, Debug)]
pub struct Moment {
    pub journal: PathBuf,
    pub seq: u64,
}

/// `JOURNAL:SEQ`
impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        let parts =
            text.rsplit_once(':').and_then(|(path, seq)| Some((PathBuf::from(path), seq.parse().ok()?)));
        let (journal, seq) = parts.ok_or_else(|| {
            format!("`{text}` names no moment of a record; write JOURNAL:SEQ, as `bpci journal show` counts")
        })?;
        Ok(Moment { journal, seq })
    }
}

pub async fn run(words: ForecastWords) -> Result<(), Fail> {
    let ask = match words.of {
        Some(ForecastOf::Calibration(ask)) => return calibration::run(&ask),
        None => words.ask,
    };
    let target = Target { config: ask.config.clone(), arm: false, output: ask.output.clone() };
    let (engine, now) =
        base(Base { target, fixture: ask.fixture.as_deref(), after: ask.after, at: ask.at.as_ref() }).await?;
    tokio::task::spawn_blocking(move || answer(&engine, now, &ask)).await.map_err(Fail::failed)?
}

/// What futures begin from: a live estate, a moment of a record, or a simulation.
pub struct Base<'a> {
    pub target: Target,
    pub fixture: Option<&'a str>,
    pub after: Option<config::Duration>,
    pub at: Option<&'a Moment>,
}

pub async fn base(from: Base<'_>) -> Result<(Engine, Now), Fail> {
    match (&from.target.config, from.at) {
        (Some(_), _) => live(&from.target).await,
        (None, Some(moment)) => {
            let path = if moment.journal.is_dir() {
                moment.journal.join("journal.db")
            } else {
                moment.journal.clone()
            };
            let mut replay = Replay::open(&path)?;
            replay.to_seq(moment.seq)?;
            Ok(replay.engine())
        }
        (None, None) => {
            let scenario =
                config::load_scenario(from.fixture.unwrap_or("calm")).map_err(|m| Fail::mistakes(2, &m))?;
            let seed = scenario.seed;
            let mut simulation = Simulation::new(
                scenario,
                seed,
                Journal::in_memory(),
                Mode::Simulation,
                open::virtual_beginning(),
            )
            .map_err(Fail::failed)?;
            simulation.run_to(Mono(from.after.map_or(Span::secs(5), |d| d.0).0)).map_err(Fail::failed)?;
            Ok((simulation.core.engine.clone(), simulation.now()))
        }
    }
}

/// What is known of a live estate. Nothing is put on its table: a choice there would take the place of another one.
async fn live(target: &Target) -> Result<(Engine, Now), Fail> {
    let opened = open::controller(target).await?;
    settled(&opened).await;
    let engine = opened.engine().await;
    opened.close().await;
    engine
}

fn answer(engine: &Engine, now: Now, ask: &ForecastAsk) -> Result<(), Fail> {
    let estate = &engine.state().estate;
    let groups: Vec<GroupId> = match &ask.service {
        Some(name) => vec![group_named(estate, name).map_err(Fail::usage)?],
        None => estate.group_ids().filter(|g| estate.group(*g).database.is_some()).collect(),
    };
    let to = ask.to.as_ref().map(|n| region_named(estate, n)).transpose().map_err(Fail::usage)?;
    let intent = if ask.planned { Intent::Switchover } else { Intent::Failover };
    let mut values = Vec::new();
    let mut text = Vec::new();
    for group in groups {
        let to = to.and_then(|region| engine.candidate_in(now, group, region));
        let choice = Choice { group, intent, to };
        let name = &estate.group(group).name;
        match forecast(engine, now, &choice, ask.futures) {
            Ok((view, forecast)) => {
                values.push(value(estate, now, &view, &forecast));
                text.push(words(estate, &view, &forecast));
            }
            Err(refusal) => {
                values.push(json!({ "protection_group": name, "forecast": Value::Null, "reason": refusal_words(&refusal) }));
                text.push(vec![format!("FORECAST  {name}: refused: {}", refusal_words(&refusal))]);
            }
        }
    }
    ask.output.print(&json!({ "forecasts": values }), || spaced(text))
}

/// A choice with its forecast, as JSON.
pub fn value(estate: &Estate, now: Now, view: &ProposalView, forecast: &Forecast) -> Value {
    json!({
        "observed_at": now.utc.to_string(),
        "protection_group": estate.group(view.proposal.group).name,
        "plan": view.proposal.plan,
        "from": estate.region(view.proposal.from).name,
        "to": forecast.to.map(|m| estate.member_label(view.proposal.group, m, None)),
        "forecast": branches(estate, view.proposal.group, forecast),
    })
}

/// `act`, `leave`, `next_best`; where there is no figure there is `null`, and the reason.
pub fn branches(estate: &Estate, group: GroupId, forecast: &Forecast) -> Value {
    let mut next = forecast.next_best.as_ref().map(|(_, outlook)| branch(outlook));
    if let (Some(next), Some((member, _))) = (&mut next, &forecast.next_best) {
        next["to"] = json!(estate.member_label(group, *member, None));
    }
    json!({
        "act": branch(&forecast.act),
        "leave": branch(&forecast.leave),
        "next_best": next,
        "sources": forecast.sources,
    })
}

fn branch(outlook: &Outlook) -> Value {
    let unknown = json!({ "p50": Value::Null, "p95": Value::Null, "p99": Value::Null });
    match outlook {
        Outlook::None(reason) => {
            json!({ "writable_ms": unknown, "served_ms": unknown, "data_loss_writes": unknown, "reason": no_figures_words(reason) })
        }
        Outlook::Figures(f) => {
            let mut value = json!(f);
            value["why_not"] = json!(f.why_not.as_ref().map(why_not_words));
            if f.data_loss_writes.is_none() {
                value["data_loss_writes"] = unknown;
            }
            for (name, share) in [("meets_rto", f.meets_rto), ("meets_rpo", f.meets_rpo)] {
                if let Some(share) = share {
                    value[name]["at_least_percent"] = json!(share.at_least_percent());
                }
            }
            value["drivers"] =
                f.drivers.iter().map(|(step, ms)| json!({ "step": step, "p50_ms": ms })).collect();
            value
        }
    }
}

/// The same in words.
pub fn words(estate: &Estate, view: &ProposalView, forecast: &Forecast) -> Lines {
    let p = &view.proposal;
    let name = |m: MemberId| estate.member_label(p.group, m, None);
    let to = forecast.to.map_or(std::borrow::Cow::Borrowed("nobody"), name);
    let mut lines = vec![format!(
        "FORECAST  {} {} {} → {to}",
        p.plan,
        estate.group(p.group).name,
        estate.region(p.from).name
    )];
    lines.push(format!("  act        {}", sentence(&forecast.act)));
    lines.push(format!("  leave it   {}", sentence(&forecast.leave)));
    if let Some((member, outlook)) = &forecast.next_best {
        lines.push(format!("  next best  {}: {}", name(*member), sentence(outlook)));
    }
    for source in &forecast.sources {
        let from = match (source.measured, source.defaults) {
            (0, false) => "never fired here: it has no figure, and is left out".to_string(),
            (0, true) => "never measured here: as on other clusters".to_string(),
            (n, true) => format!("measured {n} times here; with so few, as on other clusters as well"),
            (n, false) => format!("measured {n} times here"),
        };
        lines.push(format!("  {:<10} {from}", source.step));
    }
    lines
}

fn sentence(outlook: &Outlook) -> String {
    let f = match outlook {
        Outlook::None(reason) => return no_figures_words(reason),
        Outlook::Figures(f) if f.not_served.met == f.futures => {
            let why = f.why_not.as_ref().map_or("no reason is known".to_string(), why_not_words);
            return format!(
                "users are not served within {HORIZON} in any of {} simulated runs: {why}",
                f.futures
            );
        }
        Outlook::Figures(f) => f,
    };
    let times =
        |s: Spread| Some(s.times(3)).filter(|t| !t.is_empty()).unwrap_or_else(|| "not known".to_string());
    let loss = match (f.data_loss_writes, f.data_loss_bytes) {
        (Some(_), _) => "loses nothing acknowledged".to_string(),
        (None, Spread { p50: Some(half), p95: Some(most), .. }) => {
            format!("loses p50 {} p95 {}", Bytes(half), Bytes(most))
        }
        (None, Spread { p50: Some(half), .. }) => format!("loses p50 {}", Bytes(half)),
        (None, _) => "what is lost is not known".to_string(),
    };
    let mut text = format!(
        "writable {}; users served {}; {loss}; {} simulations",
        times(f.writable_ms),
        times(f.served_ms),
        f.futures
    );
    if f.not_served.met > 0 {
        let why = f.why_not.as_ref().map_or(String::new(), |w| format!(": {}", why_not_words(w)));
        text.push_str(&format!("; users not served in {} of them{why}", f.not_served.met));
    }
    match f.meets_rto {
        Some(rto) => {
            format!("{text}; RTO kept in {} of {} (at least {} %)", rto.met, rto.of, rto.at_least_percent())
        }
        None => text,
    }
}

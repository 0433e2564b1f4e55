//! `bpci bc drill execute`: a scenario on the simulation, and its report.

use super::fail::Fail;
use super::output::{Lines, Output, say, say_all};
use crate::config;
use crate::controller::{DrillReport, Played, data_directory, drill_report, keep_rehearsal, play};
use crate::journal::Journal;
use crate::model::{PlayedOnce, Scenario, Span, Utc, recovered_plans};
use clap::Subcommand;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Subcommand)]
pub enum Drill {
    /// Play a scenario on the simulation and report
    Execute {
        /// A scenario of ours by name, one in a file, or `all`
        #[arg(long)]
        scenario: String,
        #[arg(long)]
        seed: Option<u64>,
        /// Play it with so many seeds, counted from --seed, and report what broke
        #[arg(long, value_name = "N")]
        seeds: Option<u64>,
        /// How long it lasts on the virtual clock
        #[arg(long, value_name = "30min")]
        duration: Option<String>,
        /// Fail unless recovery was validated
        #[arg(long)]
        validate_recovery: bool,
        /// Print the report
        #[arg(long)]
        generate_report: bool,
        #[arg(long, value_name = "text|json|FILE", default_value = "text")]
        output: Output,
    },
}

pub struct Ask {
    pub scenario: String,
    pub seed: Option<u64>,
    pub seeds: Option<u64>,
    pub duration: Option<String>,
    pub validate_recovery: bool,
    pub generate_report: bool,
    pub output: Output,
}

pub fn execute(ask: Ask) -> Result<(), Fail> {
    if let Some(seeds) = ask.seeds {
        return many(&ask, seeds);
    }
    if ask.scenario == "all" {
        return Err(Fail::usage("`all` goes with --seeds N"));
    }
    let mut scenario = load(&ask.scenario)?;
    if let Some(text) = &ask.duration {
        let lasts = humantime::parse_duration(text)
            .map_err(|e| Fail::usage(format!("--duration `{text}`: {e}; write 30min")))?;
        scenario.until = Span(u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX)).min(Span::days(7));
    }
    let seed = ask.seed.unwrap_or(scenario.seed);
    let home = data_directory().join("drills").join(format!("{}-{seed}", scenario.name));
    // A drill's record is its own: the same seed writes the same one again.
    if home.join("journal.db").is_file() {
        std::fs::remove_dir_all(&home).map_err(|e| Fail::failed(format!("{}: {e}", home.display())))?;
    }
    let journal = Journal::open(&home).map_err(Fail::failed)?;
    let played = play(scenario, seed, journal, &mut |_| {}).map_err(Fail::failed)?;
    let report = drill_report(&played, seed);
    if ask.generate_report || !matches!(ask.output, Output::Text) {
        ask.output.print(&report, || words(&report))?;
    } else {
        say_all(&words(&report))?;
    }
    let verdict = judge(&played, &report, ask.validate_recovery);
    // What was rehearsed counts, for the drills' screen and for readiness.
    keep_rehearsal(&PlayedOnce {
        at: Utc(chrono::Utc::now().timestamp_millis()),
        scenario: played.simulation.scenario.name.clone(),
        passed: verdict.is_ok(),
        recovery_time_ms: report.recovery_time_actual_ms,
        plans: recovered_plans(&played.simulation.core.engine.state().operations),
        exercise: None,
    });
    verdict
}

fn load(name: &str) -> Result<Scenario, Fail> {
    config::load_scenario(name).map_err(|m| Fail::mistakes(2, &m))
}

fn judge(played: &Played, report: &DrillReport, validate: bool) -> Result<(), Fail> {
    if let Some(what) = played.laws_broken.first() {
        return Err(Fail::denied(format!("a law was broken: {what}")));
    }
    if let Some(what) = played.unmet.first() {
        return Err(Fail::failed(format!("the scenario expects otherwise: {what}")));
    }
    if validate && !report.validated {
        return Err(Fail::failed("no recovery was validated"));
    }
    Ok(())
}

fn words(r: &DrillReport) -> Lines {
    let known = |t: &Option<String>| t.clone().unwrap_or_else(|| "–".to_string());
    let mut lines = vec![
        format!("DRILL  {}  seed {}", r.title, r.seed),
        format!(
            "found in {} · users served again after {} · lost {}",
            known(&r.detection_time),
            known(&r.recovery_time_actual),
            r.data_loss_actual
        ),
    ];
    for o in &r.operations {
        lines.push(format!(
            "{}  {} {} → {} on {}: {}, by {}",
            o.operation_id, o.plan, o.from, o.to, o.protection_group, o.status_word, o.by
        ));
    }
    for p in &r.phases {
        let took = p.took_ms.map_or_else(|| "–".to_string(), |ms| Span(ms).to_string());
        lines.push(format!("  {:<13} {} of {} steps  {took}", p.phase, p.done, p.steps));
    }
    for refusal in &r.refusals {
        lines.push(format!("refused: {refusal}"));
    }
    lines.push(format!("{} records, head {}", r.records, r.journal_head));
    lines
}

/// Many seeds of one scenario, or of each: what broke, and with which seed it breaks again.
fn many(ask: &Ask, seeds: u64) -> Result<(), Fail> {
    let names: Vec<String> = match ask.scenario.as_str() {
        "all" => config::embedded_names().map(str::to_string).collect(),
        one => vec![one.to_string()],
    };
    let first = ask.seed.unwrap_or(1);
    let mut broken = 0u64;
    let mut played = Vec::new();
    for name in &names {
        let scenario = load(name)?;
        let next = AtomicU64::new(first);
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let found: Vec<String> = std::thread::scope(|scope| {
            let work = || {
                let mut found = Vec::new();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first.saturating_add(seeds) {
                        return found;
                    }
                    match play(scenario.clone(), seed, Journal::in_memory(), &mut |_| {}) {
                        Ok(played) => found.extend(
                            played
                                .laws_broken
                                .iter()
                                .chain(&played.unmet)
                                .map(|w| format!("{name}, seed {seed}: {w}")),
                        ),
                        Err(e) => found.push(format!("{name}, seed {seed}: {e}")),
                    }
                }
            };
            let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            handles
                .into_iter()
                .flat_map(|h| h.join().unwrap_or_else(|_| vec![format!("{name}: a run panicked")]))
                .collect()
        });
        if ask.output.is_text() {
            for line in found.iter().take(10) {
                say(line)?;
            }
            say(&format!("{name}: {seeds} seeds, {} broken", found.len()))?;
        }
        broken += found.len() as u64;
        played.push(json!({ "scenario": name, "seeds": seeds, "findings": found }));
    }
    if !ask.output.is_text() {
        ask.output.print(&json!({ "scenarios": played }), || vec![format!("{broken} findings")])?;
    }
    if broken > 0 { Err(Fail::denied(format!("{broken} findings"))) } else { Ok(()) }
}

//! One exercise, played: on the simulation, by the hunt, by a hook, or for real on a test estate.

use super::calendar::{Exercise, Means};
use super::outcome::Outcome;
use super::terms::Terms;
use crate::controller::{self, drill_report};
use crate::hunt::{self, Quarry};
use crate::journal::Journal;
use crate::model::*;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::sync::watch;

/// Plays an exercise that needs nobody: a hook to its end, within a time; a live drill until it is told to stop.
pub fn play(exercise: &Exercise, terms: &Terms, seed: Option<u64>, stop: &watch::Receiver<bool>) -> Outcome {
    match &exercise.means {
        Means::Scenario(scenario) => on_simulation(scenario, terms, seed),
        Means::Hunt(runs) => hunted(*runs, seed.unwrap_or(1)),
        Means::Hook(argv) => hooked(argv, terms),
        Means::Live(drill) => drill.play(&exercise.id, terms, stop.clone()),
        Means::TableTop(_) => {
            Outcome::NotPlayed(format!("people hold it: bpci test test --test-id {}", exercise.id))
        }
    }
}

fn on_simulation(scenario: &Scenario, terms: &Terms, seed: Option<u64>) -> Outcome {
    let seed = seed.unwrap_or(scenario.seed);
    let played = match controller::play(scenario.clone(), seed, Journal::in_memory(), &mut |_| {}) {
        Ok(played) => played,
        Err(e) => return Outcome::NotPlayed(e.to_string()),
    };
    let report = drill_report(&played, seed);
    let recovery = report.recovery_time_actual_ms.map(Span);
    // Writes come evenly in it: so many are so much time.
    let lost = Span(report.data_loss_actual_writes * 1000 / u64::from(scenario.world.write_rate.max(1)));
    let mut wrong: Vec<String> = played.laws_broken.iter().chain(&played.unmet).cloned().collect();
    if let (Some(took), Some(within)) = (recovery, terms.within())
        && took > within
    {
        wrong.push(format!("users were served after {took}, not within {}", within.written()));
    }
    if let Some(most) = terms.loses()
        && lost > most
    {
        wrong.push(format!("{lost} of writes were lost, not at most {}", most.written()));
    }
    let served =
        recovery.map_or("nothing had to be recovered".to_string(), |t| format!("users served after {t}"));
    let lost_text = if lost == Span::ZERO {
        "nothing acknowledged lost".to_string()
    } else {
        format!("{lost} of writes lost")
    };
    let told = if wrong.is_empty() { format!("{served}, {lost_text}") } else { wrong.join("; ") };
    let plans = recovered_plans(&played.simulation.core.engine.state().operations);
    Outcome::Played { passed: wrong.is_empty(), told, recovery, lost: Some(lost), plans }
}

fn hunted(runs: u64, seed: u64) -> Outcome {
    let bag = hunt::hunt(Quarry { runs, seed, budget: None });
    let (passed, told) = match bag.found {
        Some((case, finding)) => (false, format!("seed {}: {}", case.seed, finding.what)),
        None => (
            true,
            format!("{} cases, {} checks of the laws: nothing found", bag.tally.runs, bag.tally.checks),
        ),
    };
    Outcome::Played { passed, told, recovery: None, lost: None, plans: Vec::new() }
}

/// A hook may take as long as its kind allows, and an hour where that says nothing.
fn hooked(argv: &[String], terms: &Terms) -> Outcome {
    let Some((program, rest)) = argv.split_first() else {
        return Outcome::NotPlayed(
            "it has no `hook` yet: name a command in a calendar of yours (--calendar)".to_string(),
        );
    };
    let within = terms.within().unwrap_or(Span::mins(60));
    let began = std::time::Instant::now();
    let mut child = match Command::new(program).args(rest).stdin(Stdio::null()).stdout(Stdio::null()).spawn()
    {
        Ok(child) => child,
        Err(e) => return Outcome::NotPlayed(format!("{program}: {e}")),
    };
    loop {
        let took = Span(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
        match child.try_wait() {
            Ok(Some(status)) => {
                let told = format!("{program}: {status} after {took}");
                return Outcome::Played {
                    passed: status.success() && took <= within,
                    told,
                    recovery: Some(took),
                    lost: None,
                    plans: Vec::new(),
                };
            }
            Ok(None) if took <= within => std::thread::sleep(Duration::from_millis(20)),
            other => {
                let _ = child.kill();
                let _ = child.wait();
                let told = match other {
                    Err(e) => format!("{program}: {e}"),
                    _ => format!("{program}: not done within {}; it was ended", within.written()),
                };
                return Outcome::Played {
                    passed: false,
                    told,
                    recovery: None,
                    lost: None,
                    plans: Vec::new(),
                };
            }
        }
    }
}

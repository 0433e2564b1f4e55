//! A scenario played to its end on the virtual clock, and the report of it.

use super::expect::unmet;
use super::held::laws_broken;
use super::simulated::Simulation;
use crate::journal::{Journal, JournalError};
use crate::model::*;
use crate::wording::refusal_words;
use serde::Serialize;
use std::sync::Arc;

/// How a scenario ended.
pub struct Played {
    /// What the scenario expects and did not get.
    pub unmet: Vec<String>,
    /// Laws that were broken, in deed or in the attempt.
    pub laws_broken: Vec<String>,
    pub simulation: Simulation,
}

/// A drill's virtual clock begins here, so that the same seed gives the same record on any day.
pub const EPOCH: Utc = Utc(1_767_225_600_000);

/// Plays a scenario to its end, as fast as it goes. `watch` sees the simulation after each turn.
///
/// # Errors
/// The journal could not be written.
pub fn play(
    scenario: Scenario,
    seed: u64,
    journal: Journal,
    watch: &mut dyn FnMut(&Simulation),
) -> Result<Played, JournalError> {
    let until = Mono(scenario.until.0);
    let mut simulation = Simulation::new(scenario, seed, journal, Mode::Drill, EPOCH)?;
    while simulation.next() <= until {
        simulation.turn_at(simulation.next())?;
        watch(&simulation);
    }
    Ok(judged(simulation))
}

/// The same, with a controller that dies at the n-th point at which something is made durable or sent, and another one
/// that takes over a second later. The second value: whether the record had so many points.
///
/// # Errors
/// As [`play`].
pub fn play_with_a_death(scenario: Scenario, seed: u64, point: u32) -> Result<(Played, bool), JournalError> {
    let until = Mono(scenario.until.0);
    let mut simulation = Simulation::new(scenario, seed, Journal::in_memory(), Mode::Drill, EPOCH)?;
    simulation.core.dies_at = Some(point);
    let mut died = false;
    while simulation.next() <= until {
        simulation.turn_at(simulation.next())?;
        if simulation.core.dead {
            died = true;
            let gone = simulation.now().mono.plus(Span::secs(1));
            simulation.run_to(gone)?;
            simulation.take_over()?;
        }
    }
    Ok((judged(simulation), died))
}

/// Holds what happened against what the scenario expects, and against the laws.
fn judged(simulation: Simulation) -> Played {
    let state = simulation.core.engine.state();
    let truth = &simulation.core.door.truth;
    let unmet = unmet(&simulation.scenario.expect, state, &simulation.refusals, truth);
    let core = &simulation.core;
    let laws_broken =
        laws_broken(&core.engine, &core.broken, truth, core.keep.as_deref().unwrap_or_default());
    Played { unmet, laws_broken, simulation }
}

/// What a drill reports. Times are integers of milliseconds; what is not known is null.
#[derive(Debug, Serialize)]
pub struct DrillReport {
    pub operation_id: Option<String>,
    pub scenario: String,
    pub title: String,
    pub seed: u64,
    pub mode: &'static str,
    pub operations: Vec<OperationReport>,
    pub phases: Vec<PhaseReport>,
    /// From the first failed observation to the declaration.
    pub detection_time_ms: Option<u64>,
    pub detection_time: Option<String>,
    pub recovery_time_actual_ms: Option<u64>,
    pub recovery_time_actual: Option<String>,
    /// Acknowledged writes that did not survive: a simulation knows.
    pub data_loss_actual_writes: u64,
    pub data_loss_actual: String,
    pub targets_met: Option<bool>,
    pub validated: bool,
    pub expectations_unmet: Vec<String>,
    pub laws_broken: Vec<String>,
    pub refusals: Vec<String>,
    pub records: u64,
    pub journal_head: String,
}

#[derive(Debug, Serialize)]
pub struct OperationReport {
    pub operation_id: String,
    pub protection_group: String,
    pub plan: String,
    pub from: String,
    pub to: String,
    pub status: &'static str,
    /// The same for people.
    #[serde(skip)]
    pub status_word: &'static str,
    pub by: String,
    pub recovery_time_actual_ms: Option<u64>,
    pub data_loss_actual: Option<String>,
    pub remains: usize,
}

#[derive(Debug, Serialize)]
pub struct PhaseReport {
    pub phase: Phase,
    pub name: &'static str,
    pub steps: usize,
    pub done: usize,
    pub took_ms: Option<u64>,
}

/// The report of a scenario that was played.
pub fn drill_report(played: &Played, seed: u64) -> DrillReport {
    let simulation = &played.simulation;
    let state = simulation.core.engine.state();
    let operation = state.operations.front();
    let slowest = state.operations.iter().filter_map(|o| o.recovery_time()).max();
    let detection = state.disasters.iter().map(|d| d.detection).max();
    let truth = &simulation.core.door.truth;
    let within = |o: &Arc<Operation>| {
        o.recovery_time().map(|t| t <= state.estate.targets(o.group).0 && truth.lost <= truth.lost_accepted)
    };
    DrillReport {
        operation_id: operation.map(|o| o.id.to_string()),
        scenario: simulation.scenario.name.clone(),
        title: simulation.scenario.title.clone(),
        seed,
        mode: "drill",
        operations: state.operations.iter().map(|o| operation_report(&state.estate, o)).collect(),
        phases: operation.map(|o| phases(o)).unwrap_or_default(),
        detection_time_ms: detection.map(|d| d.0),
        detection_time: detection.map(|d| d.to_string()),
        recovery_time_actual_ms: slowest.map(|t| t.0),
        recovery_time_actual: slowest.map(|t| t.to_string()),
        data_loss_actual_writes: truth.lost,
        data_loss_actual: format!("{} of {} acknowledged writes", truth.lost, truth.acknowledged),
        targets_met: state.operations.iter().map(within).reduce(|a, b| Some(a? && b?)).flatten(),
        validated: !state.operations.is_empty()
            && state.operations.iter().all(|o| o.results.served.is_some()),
        expectations_unmet: played.unmet.clone(),
        laws_broken: played.laws_broken.clone(),
        refusals: simulation.refusals.iter().map(refusal_words).collect(),
        records: state.records,
        journal_head: simulation.core.journal.head().hash.to_string(),
    }
}

fn operation_report(estate: &Estate, o: &Operation) -> OperationReport {
    OperationReport {
        operation_id: o.id.to_string(),
        protection_group: estate.group(o.group).name.clone(),
        plan: o.plan.name.clone(),
        from: estate.region(o.from).name.clone(),
        to: estate.member_label(o.group, o.to, None).into_owned(),
        status: o.status.name(),
        status_word: o.status.word(),
        by: o.by.to_string(),
        recovery_time_actual_ms: o.recovery_time().map(|t| t.0),
        data_loss_actual: o.results.loss.as_ref().map(ToString::to_string),
        remains: o.remains.len(),
    }
}

fn phases(operation: &Operation) -> Vec<PhaseReport> {
    Phase::ALL
        .iter()
        .filter_map(|phase| {
            let steps: Vec<&StepRecord> = operation
                .plan
                .steps
                .iter()
                .zip(&operation.steps)
                .filter(|(s, _)| s.phase == *phase)
                .map(|(_, r)| r)
                .collect();
            let first = steps.iter().filter_map(|s| s.started).min();
            let last = steps.iter().filter_map(|s| s.finished).max();
            (!steps.is_empty()).then(|| PhaseReport {
                phase: *phase,
                name: phase.published(),
                steps: steps.len(),
                done: steps.iter().filter(|s| s.state.opens()).count(),
                took_ms: first.zip(last).map(|(a, b)| b.since(a).0),
            })
        })
        .collect()
}

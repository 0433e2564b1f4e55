//! What a dashboard can show in place of its controller: the scenarios, and how they ended when they were played.

use crate::config;
use crate::controller::{Playing, Simulation, data_directory, search, start_simulation};
use crate::journal::Journal;
use crate::model::*;
use crate::tui::Stage;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// Our scenarios, beside an estate with a record or without.
#[derive(Default)]
pub struct Scenarios {
    pub record: Option<PathBuf>,
}

/// Lines that a search answers with: the newest.
const FOUND: usize = 5_000;

/// Results that are kept in sight.
const RESULTS: usize = 20;

fn results_file() -> PathBuf {
    data_directory().join("drills.jsonl")
}

/// What was played before; a line that is none is left out.
fn results() -> Vec<PlayedOnce> {
    let text = std::fs::read_to_string(results_file()).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// When each scenario was last played with success, here.
pub fn rehearsed() -> std::collections::BTreeMap<String, Utc> {
    results().into_iter().filter(|r| r.passed).map(|r| (r.scenario, r.at)).collect()
}

/// Keeps a result. That it cannot be kept must not end what is played.
pub fn keep(result: &PlayedOnce) {
    let path = results_file();
    let written = std::fs::create_dir_all(data_directory())
        .and_then(|()| std::fs::OpenOptions::new().create(true).append(true).open(&path))
        .and_then(|mut file| writeln!(file, "{}", serde_json::to_string(result).unwrap_or_default()));
    if let Err(e) = written {
        tracing::warn!("{}: the result of the drill was not kept: {e}", path.display());
    }
}

impl Stage for Scenarios {
    fn cards(&self) -> Vec<Card> {
        let all = results();
        config::embedded_names()
            .filter_map(|name| config::embedded(name).ok())
            .map(|scenario| {
                let of: Vec<PlayedOnce> = all.iter().filter(|r| r.scenario == scenario.name).cloned().collect();
                let results = of[of.len().saturating_sub(RESULTS)..].to_vec();
                Card { narrated: !scenario.narration.is_empty(), name: scenario.name, title: scenario.title, results }
            })
            .collect()
    }

    fn play(&self, name: &str, walk: bool) -> Result<Arc<dyn Handle>, String> {
        let scenario = config::embedded(name).map_err(|e| e.to_string())?;
        let (seed, began) = (scenario.seed, Utc(chrono::Utc::now().timestamp_millis()));
        let simulation = Simulation::new(scenario, seed, Journal::in_memory(), Mode::Drill, began).map_err(|e| e.to_string())?;
        let ended: Box<dyn FnOnce(PlayedOnce) + Send> = Box::new(|result| keep(&result));
        Ok(start_simulation(simulation, Playing { speed: 1, judged: true, walk, ended: Some(ended) }))
    }

    fn search(&self, words: &str) -> Option<Result<Vec<LogLine>, String>> {
        let passes = |line: &LogLine| crate::tui::passes(words, &format!("{} {} {}", line.at, line.subject, line.text));
        Some(search(self.record.as_ref()?, FOUND, &passes).map_err(|e| e.to_string()))
    }
}

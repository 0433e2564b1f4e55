//! What a dashboard can show in place of its controller: the scenarios, and how they ended when they were played.

use crate::config;
use crate::controller::{Playing, Simulation, keep_rehearsal, rehearsals, search, start_simulation};
use crate::journal::Journal;
use crate::model::*;
use crate::tui::Stage;
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

impl Stage for Scenarios {
    fn cards(&self) -> Vec<Card> {
        let all = rehearsals();
        config::embedded_names()
            .filter_map(|name| config::embedded(name).ok())
            .map(|scenario| {
                let of: Vec<PlayedOnce> =
                    all.iter().filter(|r| r.scenario == scenario.name).cloned().collect();
                let results = of[of.len().saturating_sub(RESULTS)..].to_vec();
                Card {
                    narrated: !scenario.narration.is_empty(),
                    name: scenario.name,
                    title: scenario.title,
                    results,
                }
            })
            .collect()
    }

    fn calendar(&self) -> Vec<Due> {
        // One that cannot be read is ours, and tested; then there is none.
        let calendar = crate::exercise::Calendar::load(None);
        calendar
            .map(|c| crate::exercise::due(&c, &rehearsals(), Utc(chrono::Utc::now().timestamp_millis())))
            .unwrap_or_default()
    }

    fn play(&self, name: &str, walk: bool) -> Result<Arc<dyn Handle>, String> {
        let scenario = config::embedded(name).map_err(|e| e.to_string())?;
        let (seed, began) = (scenario.seed, Utc(chrono::Utc::now().timestamp_millis()));
        let simulation = Simulation::new(scenario, seed, Journal::in_memory(), Mode::Drill, began)
            .map_err(|e| e.to_string())?;
        let ended: Box<dyn FnOnce(PlayedOnce) + Send> = Box::new(|result| keep_rehearsal(&result));
        Ok(start_simulation(
            simulation,
            Playing { speed: 1, judged: true, walk, waits: false, ended: Some(ended) },
        ))
    }

    fn search(&self, words: &str) -> Option<Result<Vec<LogLine>, String>> {
        let passes = |line: &LogLine| crate::tui::passes(words, &line.searchable());
        Some(search(self.record.as_ref()?, FOUND, &passes).map_err(|e| e.to_string()))
    }
}

//! The log of an incident: a line for each record that a person would want to read, folded from the records alone.

use super::record::line;
use crate::engine::State;
use crate::model::*;
use std::collections::VecDeque;
use std::sync::Arc;

/// Lines that a screen can show.
const KEPT: usize = 500;

/// The newest lines of the log, and the state that the next record is told against.
#[derive(Clone)]
pub struct Story {
    state: State,
    lines: Arc<VecDeque<LogLine>>,
    total: u64,
}

impl Story {
    /// Before the first record of an estate.
    pub fn new(estate: Arc<Estate>) -> Story {
        Story::from(State::new(estate))
    }

    /// Takes in a record; the line that tells it, where one does.
    pub fn tell(&mut self, record: &Record) -> Option<&LogLine> {
        let line = line(&self.state, record);
        self.state.apply(record);
        let line = line?;
        let lines = Arc::make_mut(&mut self.lines);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
        self.total += 1;
        self.lines.back()
    }

    /// The newest lines, the oldest of them first, and how many there have been in all.
    pub fn lines(&self) -> (&Arc<VecDeque<LogLine>>, u64) {
        (&self.lines, self.total)
    }

    /// Puts its lines into a snapshot.
    pub fn fill(&self, snapshot: &mut Snapshot) {
        snapshot.log = Arc::clone(&self.lines);
        snapshot.log_total = self.total;
    }
}

/// A log that begins in the middle: what came before is known and not told.
impl From<State> for Story {
    fn from(state: State) -> Story {
        Story { state, lines: Arc::new(VecDeque::new()), total: 0 }
    }
}

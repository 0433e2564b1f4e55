//! Engine, journal and door, joined in the one order that is safe: decide, make durable, send.

use super::tape::{Line, Tape};
use crate::engine::planted::{self, Break};
use crate::engine::{Door, Engine, Input, Output};
use crate::journal::{Journal, JournalError};
use crate::model::*;
use crate::wording::Story;

pub struct Core<D> {
    pub engine: Engine,
    pub journal: Journal,
    pub door: D,
    /// The log, where somebody reads it.
    pub story: Option<Story>,
    /// Every record of this run, if somebody wants to look at them.
    pub keep: Option<Vec<Record>>,
    /// Laws that a decision would have broken. The decisions were not taken; that they were tried is our own fault.
    pub broken: Vec<(u8, Breach)>,
    /// The journal cannot be written: nothing acts any more.
    pub failed: Option<String>,
    /// It dies at the n-th of the points at which something is made durable or sent.
    pub dies_at: Option<u32>,
    pub dead: bool,
    /// What is measured is kept for a replay.
    pub tape: Option<Tape>,
}

impl<D: Door> Core<D> {
    pub fn new(engine: Engine, journal: Journal, door: D) -> Core<D> {
        Core {
            engine,
            journal,
            door,
            story: None,
            keep: None,
            broken: Vec::new(),
            failed: None,
            dies_at: None,
            dead: false,
            tape: None,
        }
    }

    /// All that a screen may show now.
    pub fn snapshot(&self, now: Now, world: Option<WorldView>) -> Snapshot {
        let mut snapshot = self.engine.snapshot(now, world);
        if let Some(story) = &self.story {
            story.fill(&mut snapshot);
        }
        if let Some(reason) = &self.failed {
            snapshot.failed = Some(reason.clone());
            snapshot.conditions.insert(
                0,
                Condition::new(ConditionKind::JournalFailed { reason: reason.clone() }, About::Estate),
            );
        }
        snapshot
    }

    /// Takes in one input, makes what follows durable, and sends it.
    ///
    /// # Errors
    /// What was decided could not be made durable; nothing was sent.
    pub fn input(
        &mut self,
        now: Now,
        input: Input,
    ) -> Result<Option<Result<Receipt, Refusal>>, JournalError> {
        if self.dead {
            return Ok(None);
        }
        let output = self.engine.step(now, input);
        self.carry(now, output)
    }

    fn carry(&mut self, now: Now, output: Output) -> Result<Option<Result<Receipt, Refusal>>, JournalError> {
        self.broken.extend(output.broken);
        if let Some(reason) = &self.failed {
            return Err(JournalError { path: Default::default(), reason: reason.clone() });
        }
        let acts = !output.effects.is_empty();
        let mut effects = output.effects;
        if planted::is(Break::SentBeforeRecorded) {
            effects.drain(..).for_each(|sending| self.door.submit(now, sending));
        }
        if acts && self.dies() {
            return Ok(None);
        }
        if let Err(e) = self.journal.append(&output.records) {
            self.failed = Some(e.to_string());
            return Err(e);
        }
        if let Some(story) = &mut self.story {
            for record in &output.records {
                story.tell(record);
            }
        }
        if let Some(kept) = &mut self.keep {
            kept.extend(output.records);
        }
        if acts && self.dies() {
            return Ok(None);
        }
        for sending in effects {
            self.door.submit(now, sending);
        }
        if acts && self.dies() {
            return Ok(None);
        }
        for look in output.looks {
            self.door.look(now, look);
        }
        Ok(output.reply)
    }

    /// Is this the point at which it is to die? The test of the whole program dies in earnest.
    fn dies(&mut self) -> bool {
        planted::die_here();
        match &mut self.dies_at {
            Some(0) => self.dead = true,
            Some(left) => *left -= 1,
            None => {}
        }
        self.dead
    }

    /// Takes in all that has come through the door, then decides.
    ///
    /// # Errors
    /// As [`Core::input`].
    pub fn turn(&mut self, now: Now) -> Result<(), JournalError> {
        for incoming in self.door.poll(now.mono) {
            let input = match incoming {
                Incoming::Observed(observation) => {
                    if let Some(tape) = &mut self.tape {
                        tape.write(&Line {
                            v: Line::VERSION,
                            seq: self.journal.head().seq,
                            now,
                            observation: Some(observation.clone()),
                            digest: None,
                            forecasts: None,
                            ready: None,
                        });
                    }
                    Input::Observed(observation)
                }
                Incoming::Report(report) => Input::Report(report),
            };
            self.input(now, input)?;
        }
        self.input(now, Input::Tick)?;
        Ok(())
    }

    /// When the next turn is due at the latest, where that is known.
    pub fn next_wake(&self, now: Now) -> Option<Mono> {
        [self.door.next_deadline(), self.engine.next_deadline(now)].into_iter().flatten().min()
    }
}

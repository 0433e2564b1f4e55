//! Engine, journal and door, joined in the one order that is safe: decide, make durable, send.

use crate::engine::{Engine, Input, Output, planted};
use crate::journal::{Journal, JournalError};
use crate::model::*;

pub struct Core<D> {
    pub engine: Engine,
    pub journal: Journal,
    pub door: D,
    /// Every record of this run, if somebody wants to look at them.
    pub keep: Option<Vec<Record>>,
    /// Laws that a decision would have broken. The decisions were not taken; that they were tried is our own fault.
    pub broken: Vec<(u8, String)>,
    /// The journal cannot be written: nothing acts any more.
    pub failed: Option<String>,
}

impl<D: Door> Core<D> {
    pub fn new(engine: Engine, journal: Journal, door: D) -> Core<D> {
        Core { engine, journal, door, keep: None, broken: Vec::new(), failed: None }
    }

    /// Takes in one input, makes what follows durable, and sends it.
    ///
    /// # Errors
    /// What was decided could not be made durable; nothing was sent.
    pub fn input(&mut self, now: Now, input: Input) -> Result<Option<Result<Receipt, Refusal>>, JournalError> {
        let output = self.engine.step(now, input);
        self.carry(now, output)
    }

    fn carry(&mut self, now: Now, output: Output) -> Result<Option<Result<Receipt, Refusal>>, JournalError> {
        self.broken.extend(output.broken);
        if let Some(reason) = &self.failed {
            return Err(JournalError { path: Default::default(), reason: reason.clone() });
        }
        let acts = !output.effects.is_empty();
        if acts {
            planted::die_here();
        }
        if let Err(e) = self.journal.append(&output.records) {
            self.failed = Some(e.to_string());
            return Err(e);
        }
        if let Some(kept) = &mut self.keep {
            kept.extend(output.records);
        }
        if acts {
            planted::die_here();
        }
        for issued in output.effects {
            self.door.submit(now, issued);
        }
        if acts {
            planted::die_here();
        }
        for look in output.looks {
            self.door.look(now, look);
        }
        Ok(output.reply)
    }

    /// Takes in all that has come through the door, then decides.
    ///
    /// # Errors
    /// As [`Core::input`].
    pub fn turn(&mut self, now: Now) -> Result<(), JournalError> {
        for incoming in self.door.poll(now.mono) {
            let input = match incoming {
                Incoming::Observed(observation) => Input::Observed(observation),
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

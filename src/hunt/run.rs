//! One case from its beginning to the calm after it, with every law after every step.

use super::act::{Act, Edit, TimedAct, Word};
use super::case::Case;
use super::door::TrickDoor;
use super::laws::Watch;
use super::person::{self, Memory};
use super::tally::Tally;
use crate::controller::{Core, laws_broken};
use crate::engine::{Engine, Input};
use crate::journal::{Journal, JournalError};
use crate::model::*;
use crate::sim::{Translated, World};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// What was found, in words, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub at: Span,
    pub what: String,
}

/// The wall clock of every case begins here.
const EPOCH: Utc = Utc(1_767_225_600_000);
/// How long after the beginning of its case something was.
pub fn since_the_beginning(at: Utc) -> Span {
    at.since(EPOCH)
}

/// Once everything is mended, what is under way comes to an end within this time.
const COMES_TO_AN_END: Span = Span::mins(8);
/// Whether it has is looked at this often.
const LOOKS: Span = Span::secs(20);

/// Plays a case; what it finds first.
pub fn run(case: &Case, tally: &mut Tally) -> Option<Finding> {
    retell(case, tally).0
}

/// The same, with the records of it.
pub fn retell(case: &Case, tally: &mut Tally) -> (Option<Finding>, Vec<Record>) {
    tally.runs += 1;
    let mut run = Run::new(case);
    // A panic is a finding like any other. What it leaves half done is thrown away.
    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.play()));
    let found = match played {
        Ok(played) => played.err(),
        Err(panic) => {
            let said = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Some(format!("panic: {}", said.unwrap_or_default()))
        }
    };
    let at = Span(run.clock.0);
    let records = run.core.keep.take().unwrap_or_default();
    run.count(tally);
    (found.map(|what| Finding { at, what }), records)
}

struct Run<'a> {
    case: &'a Case,
    core: Core<TrickDoor>,
    watch: Watch,
    estate: Arc<Estate>,
    /// What the file says now; the next controller reads it.
    file: Edit,
    clock: Mono,
    utc_offset: i64,
    acts: VecDeque<TimedAct>,
    memory: Option<Memory>,
    /// Records that the watch has seen.
    seen: usize,
    /// When a dead controller is followed by another, and when its disk has room again.
    back: Option<Mono>,
    gone_for: Span,
    room: Option<Mono>,
    /// How long it is frozen once it is, and until when it is.
    freezes_for: Span,
    thaws: Option<Mono>,
    tally: Tally,
}

type Played = Result<(), String>;

impl<'a> Run<'a> {
    fn new(case: &'a Case) -> Run<'a> {
        let scenario = case.scenario();
        let mut world = World::new(&scenario, case.seed);
        if let Some(rival) = case.rival {
            world.rival(rival);
        }
        let estate = Arc::new(scenario.estate);
        let door =
            TrickDoor::new(Translated::new(world, Arc::clone(&estate)), case.tricks.clone(), case.seed);
        let mut core = Core::new(Engine::new(Arc::clone(&estate), "hunted"), Journal::in_memory(), door);
        core.keep = Some(Vec::new());
        Run {
            case,
            core,
            watch: Watch::new(Arc::clone(&estate)),
            estate,
            file: Edit::Nothing,
            clock: Mono::default(),
            utc_offset: 0,
            acts: case.acts.clone().into(),
            memory: None,
            seen: 0,
            back: None,
            gone_for: Span::ZERO,
            room: None,
            freezes_for: Span::ZERO,
            thaws: None,
            tally: Tally { faults: case.faults.len() as u64, ..Tally::default() },
        }
    }

    fn now(&self) -> Now {
        Now { utc: Utc(EPOCH.plus(Span(self.clock.0)).0 + self.utc_offset), mono: self.clock }
    }

    fn play(&mut self) -> Played {
        self.start(self.case.armed)?;
        self.until(Mono(self.case.calm_at.0))?;
        self.calm()?;
        self.settle()?;
        self.judge()
    }

    fn start(&mut self, armed: bool) -> Played {
        let input = Input::Start {
            mode: Mode::Drill,
            program: "bpci".to_string(),
            armed,
            drilled: Vec::new(),
            estate: Arc::clone(&self.estate),
        };
        let answer = self.core.input(self.now(), input);
        self.after(answer.map(|_| ()))
    }

    /// Lets time pass after the storm, until everything has come to an end, or too much of it has passed.
    fn settle(&mut self) -> Played {
        for _ in 0..COMES_TO_AN_END.0 / LOOKS.0 {
            self.until(self.clock.plus(LOOKS))?;
            if self.unended().is_none() {
                break;
            }
        }
        Ok(())
    }

    /// What has not come to an end yet.
    fn unended(&self) -> Option<String> {
        let state = self.core.engine.state();
        for operation in &state.operations {
            let ended = operation.is_over() || matches!(operation.status, Status::Waiting { .. });
            if !ended {
                return Some(format!("{} is {} and comes to no end", operation.id, operation.status.word()));
            }
            // Another one's fence that stands is a question to a person, who answers nothing here.
            let fenced = state.running(operation.group).is_some_and(|o| o.fenced() && !o.handed_over());
            if operation.handed_over()
                && !fenced
                && self.core.door.behind.leads(operation.group).is_none_or(|l| !l.writable)
            {
                return Some(format!(
                    "law 11: after {} nobody takes writes, though everything is mended",
                    operation.id
                ));
            }
        }
        None
    }

    fn until(&mut self, end: Mono) -> Played {
        while self.clock < end {
            let scripted = self.acts.front().map(|a| Mono(a.at.0));
            if self.core.door.is_frozen() {
                self.freeze(end);
                continue;
            }
            let next =
                [self.core.next_wake(self.now()), scripted, self.back, self.room].into_iter().flatten().min();
            self.clock = next.unwrap_or(end).max(self.clock.plus(Span::ms(1))).min(end);
            let turned = self.core.turn(self.now());
            self.after(turned)?;
            self.revive()?;
            while self.acts.front().is_some_and(|a| Mono(a.at.0) <= self.clock)
                && let Some(act) = self.acts.pop_front()
            {
                self.act(&act.act)?;
            }
            if self.core.dead && self.back.is_none() {
                self.back = Some(self.clock.plus(self.gone_for));
            }
        }
        Ok(())
    }

    /// Nothing of ours runs until it thaws; the world goes on.
    fn freeze(&mut self, end: Mono) {
        let thaws = *self.thaws.get_or_insert(self.clock.plus(self.freezes_for));
        while self.clock < thaws.min(end) {
            self.clock = self.clock.plus(Span::ms(100)).min(thaws).min(end);
            self.core.door.pass(self.clock);
        }
        if self.clock >= thaws {
            self.thaws = None;
            self.core.door.thaw(self.now());
        }
    }

    /// Every law, after whatever was done.
    fn after(&mut self, result: Result<(), JournalError>) -> Played {
        self.tally.steps += 1;
        // A journal that cannot be written stops what acts; it is no fault of a decision.
        let durable = result.is_ok() && self.core.failed.is_none() && !self.core.dead;
        if let Some((law, breach)) = self.core.broken.first() {
            return Err(format!("law {law}: {breach:?}"));
        }
        let records = self.core.keep.as_deref().unwrap_or_default();
        let new = records.len() > self.seen;
        for record in &records[self.seen..] {
            self.watch.record(record, &self.core.door)?;
        }
        self.seen = records.len();
        if let Some(id) = self.core.door.behind.astray.first() {
            return Err(format!("law 3: {id} was sent to no server"));
        }
        if new {
            self.watch.turn(&self.core.engine, &self.core.door.sent, durable)?;
            self.tally.saw(fingerprint(&self.core.engine));
        }
        Ok(())
    }

    /// Another controller follows on one that died or whose disk was full, once it can.
    fn revive(&mut self) -> Played {
        if self.room.is_some_and(|t| t <= self.clock) {
            self.room = None;
            self.core.journal.fill(false);
            if self.core.failed.take().is_some() {
                self.core.dead = true;
                self.back = Some(self.clock);
            }
        }
        if !self.core.dead || self.back.is_none_or(|t| t > self.clock) {
            return Ok(());
        }
        self.back = None;
        self.core.dead = false;
        self.core.dies_at = None;
        let mut engine = Engine::new(
            Arc::clone(&self.estate),
            Owner { nonce: format!("{}", self.clock.0), ..Owner::from("hunted") },
        );
        for record in self.core.keep.iter().flatten() {
            engine.restore(record);
        }
        let configured = self.case.shape.edited(self.file);
        let carried = engine.carried(&configured).map_err(|e| format!("another file is refused: {e:?}"))?;
        let last = std::mem::replace(&mut self.estate, Arc::new(carried));
        self.core.engine = engine;
        self.core.door.hang_up();
        self.core.door.read_as(&last, Arc::clone(&self.estate));
        self.start(self.case.armed)
    }

    fn act(&mut self, act: &Act) -> Played {
        let now = self.now();
        match act {
            Act::Remember => self.memory = person::look(&self.core.engine, now).or(self.memory.take()),
            Act::Confirm(word) => {
                for _ in 0..=usize::from(word.twice) {
                    self.confirm(word)?;
                }
            }
            Act::Die { gone } => {
                self.tally.faults += 1;
                self.core.dead = true;
                self.back = Some(self.clock.plus(*gone));
            }
            Act::DieAt { point, gone } => {
                self.tally.faults += 1;
                self.gone_for = *gone;
                self.core.dies_at = Some(*point);
            }
            Act::Jump { by_ms } => self.utc_offset += by_ms,
            Act::DiskFull { lasts } => {
                self.tally.faults += 1;
                self.core.journal.fill(true);
                self.room = Some(self.clock.plus(*lasts));
            }
            Act::Edit(edit) => self.file = *edit,
            Act::SwitchOn => self.core.door.behind.world.switch_on(None),
            Act::FreezeAt { point, lasts } => {
                self.freezes_for = *lasts;
                self.core.door.freezes_at = Some(*point);
            }
            Act::RestoreStore { age } => {
                self.tally.faults += 1;
                self.core.door.restore_store(*age);
            }
            _ => {
                if let Some(action) = person::order(&self.core.engine, act) {
                    self.order(action)?;
                }
            }
        }
        Ok(())
    }

    fn order(&mut self, action: Action) -> Result<Option<Result<Receipt, Refusal>>, String> {
        self.tally.orders += 1;
        let answer = self.core.input(self.now(), Input::Order(Order { by: Actor::scripted("Kim"), action }));
        let (answer, result) = match answer {
            Ok(answer) => (answer, Ok(())),
            Err(e) => (None, Err(e)),
        };
        self.tally.refused += u64::from(matches!(answer, Some(Err(_))));
        self.after(result)?;
        Ok(answer)
    }

    fn confirm(&mut self, word: &Word) -> Played {
        let now = self.now();
        let memory =
            if word.from_memory { self.memory.clone() } else { person::look(&self.core.engine, now) };
        let Some(memory) = memory else { return Ok(()) };
        if self.core.dead || self.core.failed.is_some() {
            return Ok(());
        }
        let said = person::confirmation(&memory, word);
        let objection = person::objection(&self.core.engine, &self.watch, now, &said);
        self.watch.leave = objection.is_none().then_some(said.proposal);
        let answer = self.order(Action::Confirm(said))?;
        self.watch.leave = None;
        match (objection, answer) {
            (Some(why), Some(Ok(_))) => Err(format!("law 4: carried out although {why}")),
            (None, Some(Err(refusal))) => {
                Err(format!("refused although nothing speaks against it: {refusal:?}"))
            }
            _ => Ok(()),
        }
    }

    /// The storm is over: everything is mended, somebody arms the controller, and nothing new befalls it.
    fn calm(&mut self) -> Played {
        if self.core.door.is_frozen() {
            self.thaws = None;
            self.core.door.thaw(self.now());
        }
        self.core.door.relent();
        self.acts.clear();
        self.core.dies_at = None;
        if self.room.is_some() {
            self.room = Some(self.clock);
        }
        if self.core.dead {
            self.back = Some(self.clock);
        }
        self.revive()?;
        self.order(Action::Arm { typed: self.estate.name.clone() })?;
        Ok(())
    }

    /// At the end: what really happened, whether everything came to an end, and whether the record can be read again.
    fn judge(&mut self) -> Played {
        let records = self.core.keep.as_deref().unwrap_or_default();
        let engine = &self.core.engine;
        if let Some(broken) =
            laws_broken(engine, &[], &self.core.door.behind.world.truth, records).into_iter().next()
        {
            return Err(broken);
        }
        if let Some(unended) = self.unended() {
            return Err(unended);
        }
        let mut again = Engine::new(Arc::clone(&self.estate), "from the disk");
        for record in records {
            let text =
                serde_json::to_vec(record).map_err(|e| format!("law 9: a record cannot be written: {e}"))?;
            let read: Record = serde_json::from_slice(&text)
                .map_err(|e| format!("law 9: a record cannot be read again: {e}"))?;
            again.restore(&read);
        }
        if again.state() != engine.state() {
            return Err("law 9: the record as it is written does not give the same state".to_string());
        }
        Ok(())
    }

    fn count(self, tally: &mut Tally) {
        let mut own = self.tally;
        own.records = self.seen as u64;
        own.checks = self.watch.checks;
        own.faults += self.core.door.played;
        for operation in &self.core.engine.state().operations {
            *own.operations.entry(operation.status.word()).or_default() += 1;
            own.automatic += u64::from(operation.automatic);
        }
        tally.add(own);
    }
}

/// A state, as far as decisions tell it apart.
fn fingerprint(engine: &Engine) -> u64 {
    let state = engine.state();
    let mut hasher = DefaultHasher::new();
    (state.armed, state.proposals.len(), state.open_disasters().count()).hash(&mut hasher);
    for (status, _) in &state.regions {
        std::mem::discriminant(status).hash(&mut hasher);
    }
    for operation in &state.operations {
        (operation.status.word(), operation.intent() as u8, operation.group, operation.from, operation.to)
            .hash(&mut hasher);
        for step in &operation.steps {
            std::mem::discriminant(&step.state).hash(&mut hasher);
            for effect in &step.effects {
                (effect.effect.name(), effect.outcome.as_ref().map(std::mem::discriminant), effect.orphaned)
                    .hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}

//! A record seen again: its events, with what was measured between them, on a clock that runs as fast as one likes.

use super::handle::{LocalHandle, Message};
use super::player::fork_of;
use super::tape::{Line, TapeReader};
use crate::engine::Engine;
use crate::journal::{Entry, JournalError, Reader, Upcaster};
use crate::model::*;
use crate::wording::Story;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// A record at one moment of it.
pub struct Replay {
    path: PathBuf,
    reader: Reader,
    tape: TapeReader,
    /// Beside the record there is what was measured.
    measured: bool,
    /// Records that were read and not yet applied.
    page: VecDeque<Entry>,
    engine: Engine,
    story: Story,
    seq: u64,
    last: u64,
    /// The newest moment that was applied.
    at: Now,
    clock: Utc,
    /// What was forecast by then.
    forecasts: Vec<ForecastView>,
    /// How ready the regions were by then.
    ready: Option<ReadinessView>,
}

/// What is next in a record.
enum Item {
    Record(Entry),
    Measured(Line),
}

impl Replay {
    /// A record at its beginning.
    ///
    /// # Errors
    /// There is none, or it cannot be read, or it is empty.
    pub fn open(path: &Path) -> Result<Replay, JournalError> {
        let reader = Reader::open(path)?;
        let page: VecDeque<Entry> = reader.after(0)?.into();
        let first = page.front().map(|e| &e.record);
        let estate = match first.map(|r| &r.event) {
            Some(Event::Started { estate, .. }) => Arc::clone(estate),
            Some(_) => {
                return Err(JournalError {
                    path: path.to_path_buf(),
                    reason: "its first record is no beginning; run `bpci journal verify`".to_string(),
                });
            }
            None => {
                return Err(JournalError {
                    path: path.to_path_buf(),
                    reason: "it holds no record".to_string(),
                });
            }
        };
        let at = first.map(|r| r.at).unwrap_or_default();
        let last = reader.last()?;
        let story = Story::new(Arc::clone(&estate));
        let engine = Engine::new(estate, "replay");
        let mut replay = Replay {
            path: path.to_path_buf(),
            reader,
            measured: false,
            tape: TapeReader::beside(path),
            page,
            engine,
            story,
            seq: 0,
            last,
            at,
            clock: at.utc,
            forecasts: Vec::new(),
            ready: None,
        };
        replay.measured = replay.tape.peek().is_some();
        replay.to(at.utc)?;
        Ok(replay)
    }

    /// What is known at the end of a record.
    ///
    /// # Errors
    /// As [`Replay::open`].
    pub fn newest(path: &Path) -> Result<(Engine, Now), JournalError> {
        let mut replay = Replay::open(path)?;
        while replay.take()?.is_some() {}
        Ok(replay.engine())
    }

    fn next(&mut self) -> Result<Option<Item>, JournalError> {
        // What was measured before the next record was durable comes before it.
        if self.tape.peek().is_some_and(|line| line.seq <= self.seq) {
            let state = self.engine.state();
            let open =
                state.proposals.iter().map(|p| (u64::from(p.proposal.id.0), u64::from(p.proposal.group.0)));
            return Ok(self.tape.take(|| Upcaster::of(&state.estate, open)).map(Item::Measured));
        }
        if self.page.is_empty() {
            self.page = self.reader.after(self.seq)?.into();
        }
        Ok(self.page.pop_front().map(Item::Record))
    }

    /// When the next thing was.
    fn next_at(&mut self) -> Result<Option<Utc>, JournalError> {
        if let Some(line) = self.tape.peek().filter(|line| line.seq <= self.seq) {
            return Ok(Some(line.now.utc));
        }
        if self.page.is_empty() {
            self.page = self.reader.after(self.seq)?.into();
        }
        Ok(self.page.front().map(|e| e.record.at.utc))
    }

    /// Takes in the next thing; the line, if a snapshot was published then. `None`: it is over.
    fn take(&mut self) -> Result<Option<Option<Line>>, JournalError> {
        Ok(match self.next()? {
            None => None,
            Some(Item::Record(entry)) => {
                self.engine.restore(&entry.record);
                self.story.tell(&entry.record);
                if matches!(entry.record.event, Event::Started { .. }) {
                    // Another run: what an earlier one had found out is not known to it.
                    (self.ready, self.forecasts) = (None, Vec::new());
                }
                (self.seq, self.at) = (entry.seq, entry.record.at);
                Some(None)
            }
            Some(Item::Measured(line)) => {
                self.at = line.now;
                if let Some(forecasts) = &line.forecasts {
                    self.forecasts.clone_from(forecasts);
                }
                if line.ready.is_some() {
                    self.ready.clone_from(&line.ready);
                }
                match &line.observation {
                    Some(observation) => {
                        self.engine.measured(observation);
                        Some(None)
                    }
                    None => Some(Some(line)),
                }
            }
        })
    }

    /// To a moment: forward from here, or from the beginning.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn to(&mut self, moment: Utc) -> Result<(), JournalError> {
        if moment < self.clock {
            *self = Replay::open(&self.path)?;
        }
        while self.next_at()?.is_some_and(|at| at <= moment) {
            self.take()?;
        }
        self.clock = moment.max(self.at.utc);
        Ok(())
    }

    /// To just after a record.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn to_seq(&mut self, seq: u64) -> Result<(), JournalError> {
        if seq < self.seq {
            *self = Replay::open(&self.path)?;
        }
        while self.seq < seq && self.take()?.is_some() {}
        if self.seq < seq {
            let reason = format!("it ends with record {}: there is no record {seq}", self.seq);
            return Err(JournalError { path: self.path.clone(), reason });
        }
        self.clock = self.at.utc;
        Ok(())
    }

    /// What was known then, and when that was.
    pub fn engine(&self) -> (Engine, Now) {
        (self.engine.clone(), self.at)
    }

    /// To the next record.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn step(&mut self) -> Result<(), JournalError> {
        let seq = self.seq;
        while self.seq == seq && self.take()?.is_some() {}
        self.clock = self.at.utc;
        Ok(())
    }

    /// Lets time pass; where nothing happened for a long while, to shortly before the next thing.
    fn pass(&mut self, span: Span) -> Result<(), JournalError> {
        let mut moment = self.clock.plus(span);
        if let Some(at) = self.next_at()?
            && at.since(moment) > DULL
        {
            moment = Utc(at.0 - 1_000);
        }
        if self.next_at()?.is_some() { self.to(moment) } else { Ok(()) }
    }

    /// What the screens showed then. Nothing real is armed in it.
    pub fn snapshot(&self, speed: u32, paused: bool) -> Snapshot {
        let now = Now { utc: self.clock, mono: self.at.mono.plus(self.clock.since(self.at.utc)) };
        let world = WorldView { speed, paused, faults: Vec::new(), lost: Bytes(0), scenario: None };
        let mut snapshot = self.engine.snapshot(now, Some(world));
        self.story.fill(&mut snapshot);
        snapshot.mode = Mode::Replay;
        if !self.measured {
            snapshot.gaps.insert(0, Gap::NotMeasured);
        }
        let unread = self.tape.unread();
        if unread > 0 {
            snapshot.gaps.insert(0, Gap::PartlyMeasured { unread });
        }
        snapshot.stored = self.last;
        snapshot.forecasts = self.open_forecasts(&snapshot);
        snapshot.readiness.clone_from(&self.ready);
        snapshot
    }

    fn open_forecasts(&self, snapshot: &Snapshot) -> Vec<ForecastView> {
        let open = |v: &&ForecastView| snapshot.proposals.iter().any(|p| p.proposal.id == v.proposal);
        self.forecasts.iter().filter(open).cloned().collect()
    }

    /// The next published snapshot as it comes out now, with what it was then, where the tape says so.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn next_published(&mut self) -> Result<Option<(Snapshot, Option<Digest>)>, JournalError> {
        while let Some(taken) = self.take()? {
            if let Some(line) = taken {
                let mut snapshot = self.engine.snapshot(line.now, None);
                self.story.fill(&mut snapshot);
                snapshot.forecasts = self.open_forecasts(&snapshot);
                snapshot.readiness.clone_from(&self.ready);
                return Ok(Some((snapshot, line.digest)));
            }
        }
        Ok(None)
    }
}

/// Longer than this nothing happens only if nothing did: a replay does not wait for it.
const DULL: Span = Span::secs(10);
const FRAME: std::time::Duration = std::time::Duration::from_millis(50);

/// Starts a replay in a task of its own.
pub fn start_replay(mut replay: Replay, speed: u32) -> Arc<dyn Handle> {
    let (messages, mut inbox) = mpsc::channel(64);
    let (publish, snapshots) = watch::channel(Arc::new(replay.snapshot(speed, false)));
    tokio::spawn(async move {
        let (mut speed, mut paused) = (speed.clamp(1, 1000), false);
        let mut ticker = tokio::time::interval(FRAME);
        ticker.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let result = tokio::select! {
                _ = ticker.tick() => {
                    if paused { Ok(()) } else { replay.pass(Span::ms(50).times(u64::from(speed))) }
                }
                message = inbox.recv() => match message {
                    None => return,
                    Some(Message::Order(_, reply) | Message::Denied(_, _, reply)) => {
                        let _ = reply.send(Err(Refusal::by_law(8, ControllerRefused::IsReplay)));
                        Ok(())
                    }
                    Some(Message::Engine(reply)) => {
                        let (engine, now) = replay.engine();
                        let _ = reply.send((Box::new(engine), now));
                        Ok(())
                    }
                    Some(Message::Control(_, control, reply)) => {
                        let result = match control {
                            Control::Pause(on) => { paused = on; Ok(()) }
                            Control::Speed(times) => { speed = times.clamp(1, 1000); Ok(()) }
                            Control::Step => { paused = true; replay.step() }
                            Control::Seek { by_ms } => replay.to(Utc(replay.clock.0.saturating_add(by_ms))),
                            Control::Inject { .. } | Control::Mend => Ok(()),
                        };
                        let _ = reply.send(Ok(Receipt::Done));
                        result
                    }
                },
            };
            if let Err(e) = result {
                tracing::error!("the record cannot be read on: {e}");
                paused = true;
            }
            publish.send_replace(Arc::new(replay.snapshot(speed, paused)));
        }
    });
    Arc::new(LocalHandle::new(messages, snapshots, fork_of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::Simulation;
    use crate::controller::tape::Tape;
    use crate::engine::Input;
    use crate::journal::Journal;

    /// A simulation whose journal and tape are kept, with a mark for each snapshot.
    struct Filmed(Simulation);

    impl Filmed {
        fn mark(&mut self) -> Snapshot {
            let now = self.0.now();
            let mut snapshot = self.0.core.engine.snapshot(now, None);
            if let Some(story) = &self.0.core.story {
                story.fill(&mut snapshot);
            }
            let line = Line {
                v: Line::VERSION,
                seq: self.0.core.journal.head().seq,
                now,
                observation: None,
                digest: Some(Digest::of_value(&snapshot)),
                forecasts: None,
                ready: None,
            };
            if let Some(tape) = &mut self.0.core.tape {
                tape.write(&line);
            }
            snapshot
        }

        fn wait(&mut self, span: Span) {
            let until = self.0.now().mono.plus(span);
            while self.0.next() <= until {
                let next = self.0.next();
                self.0.turn_at(next).unwrap_or_else(|e| panic!("{e}"));
                self.mark();
            }
        }

        fn order(&mut self, action: Action) -> Snapshot {
            let order = Order { by: Actor::scripted("ada"), action };
            let answer =
                self.0.core.input(self.0.now(), Input::Order(order)).unwrap_or_else(|e| panic!("{e}"));
            assert!(matches!(answer, Some(Ok(_))), "{answer:?}");
            self.mark()
        }
    }

    /// Live and replayed snapshots are the same with a displaced choice whose countdown goes on, with a stopped one, and with a
    /// dismissed one.
    #[test]
    fn a_replay_shows_displaced_and_dismissed_choices_as_they_were() {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let scenario = crate::config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
        let journal = Journal::open(directory.path()).unwrap_or_else(|e| panic!("{e}"));
        let mut simulation = Simulation::new(scenario, 1, journal, Mode::Simulation, Utc(1_767_225_600_000))
            .unwrap_or_else(|e| panic!("{e}"));
        simulation.core.tape = Some(Tape::open(directory.path()));
        let mut filmed = Filmed(simulation);
        filmed.wait(Span::secs(30));
        let first = filmed.mark();
        let [one, other] = &first.proposals[..] else { panic!("{:?}", first.proposals) };
        let (group, to) = (one.proposal.group, one.assessment.to);
        let members = first.groups[group.at()].members.iter();
        let elsewhere = members.filter(|m| !m.leads).map(|m| m.member).find(|m| Some(*m) != to);
        let what_if = || Action::Propose {
            group,
            intent: Intent::Failover,
            from: None,
            to: elsewhere,
            reason: "what if".to_string(),
        };
        let shown = filmed.order(what_if());
        assert!(shown.proposals.iter().any(|p| p.proposal.group == group && p.holds_automatic));
        filmed.wait(Span::secs(1));
        let mine = shown
            .proposals
            .iter()
            .find(|p| p.proposal.group == group)
            .map(|p| p.proposal.id)
            .unwrap_or_else(|| panic!("no choice"));
        filmed.order(Action::StopAutomatic { proposal: mine });
        filmed.wait(Span::secs(1));
        filmed.order(Action::Withdraw { proposal: mine });
        filmed.order(Action::Withdraw { proposal: other.proposal.id });
        filmed.wait(Span::secs(5));
        drop(filmed);

        let mut replay = Replay::open(&directory.path().join("journal.db")).unwrap_or_else(|e| panic!("{e}"));
        let (mut same, mut counting_behind) = (0, 0);
        while let Some((snapshot, digest)) = replay.next_published().unwrap_or_else(|e| panic!("{e}")) {
            assert_eq!(Some(Digest::of_value(&snapshot)), digest, "at {}", snapshot.now.utc);
            same += 1;
            counting_behind += usize::from(snapshot.proposals.iter().any(|p| p.holds_automatic));
        }
        assert!(
            same > 50 && counting_behind > 3,
            "{same} snapshots, {counting_behind} with a countdown behind the choice"
        );
    }
}

//! A simulation that runs beside real time, for a screen: at a speed, paused, struck; or a scenario from its beginning to
//! its verdict, with a narration that it stops for.

use super::examiner::Examiner;
use super::expect::unmet;
use super::forecaster::Forecaster;
use super::handle::{LocalHandle, Message};
use super::simulated::Simulation;
use crate::engine::{Engine, Fork, Input};
use crate::journal::JournalError;
use crate::model::*;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How a simulation is played.
pub struct Playing {
    /// Times real time.
    pub speed: u32,
    /// It is a scenario with an end, where it is judged.
    pub judged: bool,
    /// It stops at each turn of the narration.
    pub walk: bool,
    /// It stands still, but while an operation runs that somebody began in it.
    pub waits: bool,
    /// Is told how it ended, unless somebody laid hands on it.
    pub ended: Option<Box<dyn FnOnce(PlayedOnce) + Send>>,
}

/// How often a running world is brought up to date with real time while something happens in it. In calm it is with each
/// second of its own clock: that is all that moves on a screen.
const FRAME: Duration = Duration::from_millis(50);

/// How long one turn of the loop simulates at most: a world that is too much for its speed runs slower, and still hears
/// orders.
const BUDGET: Duration = Duration::from_millis(100);

/// How fast a fork runs while something runs in it, times real time.
const FORK: u32 = 100;

/// A walk that was told to go on is not held by the same key for so long.
const AGAIN: Duration = Duration::from_secs(2);

/// An estate as it stands in an engine, in a simulation of its own.
///
/// # Errors
/// Nothing of any database is known.
pub(super) fn fork_of(engine: &Engine, now: Now) -> Result<Arc<dyn Handle>, String> {
    let fork = engine.fork(now);
    if fork.standing.databases.iter().all(|d| d.record.is_none()) {
        return Err("nothing that was measured is known: it cannot be simulated from here".to_string());
    }
    Ok(start_fork(fork))
}

/// Starts a simulation of an estate as it stands, with what is on the table: nothing moves in it until an operation is
/// begun.
pub(super) fn start_fork(fork: Fork) -> Arc<dyn Handle> {
    let playing = Playing { speed: FORK, judged: false, walk: false, waits: true, ended: None };
    start_simulation(Simulation::standing(fork), playing)
}

/// Starts a simulation in a task of its own.
pub fn start_simulation(simulation: Simulation, playing: Playing) -> Arc<dyn Handle> {
    let (messages, mut inbox) = mpsc::channel(64);
    let mut player = Player::new(simulation, playing);
    let (publish, snapshots) = watch::channel(Arc::new(player.snapshot()));
    tokio::spawn(async move {
        let mut last = tokio::time::Instant::now();
        loop {
            let failed = tokio::select! {
                () = tokio::time::sleep_until(last + player.pace()) => {
                    let passed = u64::try_from(tokio::time::Instant::now().saturating_duration_since(last).as_millis()).unwrap_or(0);
                    // What is less than a millisecond passes the next time.
                    last += Duration::from_millis(passed);
                    crate::engine::planted::panic_here();
                    player.pass(Span::ms(passed))
                }
                message = inbox.recv() => match message {
                    None => return,
                    Some(Message::Order(order, reply)) => player.order(order).map(|answer| {
                        let _ = reply.send(answer);
                    }),
                    // A simulation has no socket, and asks nobody for a right.
                    Some(Message::Denied(_, refusal, reply)) => {
                        let _ = reply.send(Err(refusal));
                        Ok(())
                    }
                    Some(Message::Engine(reply)) => {
                        let simulation = &player.simulation;
                        let _ = reply.send((Box::new(simulation.core.engine.clone()), simulation.now()));
                        Ok(())
                    }
                    Some(Message::Control(by, control, reply)) => {
                        let answer = player.steer(&by, &control);
                        let _ = reply.send(answer);
                        Ok(())
                    }
                },
            };
            if let Err(e) = failed {
                tracing::error!("the journal cannot be written, the simulation stands still: {e}");
                return;
            }
            publish.send_replace(Arc::new(player.snapshot()));
        }
    });
    Arc::new(LocalHandle::new(messages, snapshots, fork_of))
}

struct Player {
    simulation: Simulation,
    playing: Playing,
    paused: bool,
    /// Since when a person holds it, on the real clock.
    held: Option<std::time::Instant>,
    /// When a walk was last told to go on.
    went_on: Option<std::time::Instant>,
    /// A person lets it run on though nothing runs in it.
    goes_on: bool,
    /// Turns of the narration that were told.
    told: usize,
    /// Somebody gave an order or struck the world: what is expected of the scenario by itself says nothing any more.
    touched: bool,
    unmet: Option<Vec<String>>,
    forecaster: Forecaster,
    examiner: Option<Examiner>,
}

impl Player {
    fn new(simulation: Simulation, mut playing: Playing) -> Player {
        playing.speed = playing.speed.clamp(1, 1000);
        // In a fork nothing else is asked than what is tried.
        let examiner = (!playing.waits).then(Examiner::start);
        Player {
            simulation,
            paused: playing.waits,
            held: None,
            went_on: None,
            goes_on: false,
            playing,
            told: 0,
            touched: false,
            unmet: None,
            forecaster: Forecaster::start(),
            examiner,
        }
    }

    fn pace(&self) -> Duration {
        let state = self.simulation.core.engine.state();
        let struck = !self.simulation.core.door.striking().is_empty();
        let busy = self.playing.speed > 1
            || struck
            || !state.proposals.is_empty()
            || state.open_disasters().next().is_some();
        match (busy || self.runs(), self.paused) {
            (true, _) => FRAME,
            (false, true) => Duration::from_secs(1),
            (false, false) => self.simulation.now().utc.to_next_second().as_std(),
        }
    }

    /// Lets real time pass.
    fn pass(&mut self, real: Span) -> Result<(), JournalError> {
        // What is told while it stands still goes into the record too.
        self.keep_foretold()?;
        if self.paused {
            return Ok(());
        }
        let began = self.simulation.now().mono;
        let mut until = began.plus(real.times(u64::from(self.playing.speed)));
        let turn = self.simulation.scenario.narration.get(self.told).map(|turn| Mono(turn.at.0).max(began));
        until = turn.map_or(until, |turn| turn.min(until));
        self.simulation.run_to_within(until, BUDGET)?;
        if turn.is_some_and(|turn| self.simulation.now().mono >= turn) {
            self.told += 1;
            self.paused = self.playing.walk;
        }
        self.judge();
        if self.playing.waits && !self.runs() && !self.goes_on {
            self.paused = true;
        }
        Ok(())
    }

    fn keep_foretold(&mut self) -> Result<(), JournalError> {
        for view in self.forecaster.news() {
            let now = self.simulation.now();
            self.simulation.core.input(now, Input::Foretold(view))?;
        }
        Ok(())
    }

    fn runs(&self) -> bool {
        self.simulation.core.engine.state().operations.iter().any(|o| !o.is_over())
    }

    fn judge(&mut self) {
        let over = self.simulation.now().mono >= Mono(self.simulation.scenario.until.0);
        if !self.playing.judged || self.touched || !over || self.unmet.is_some() {
            return;
        }
        let state = self.simulation.core.engine.state();
        let unmet = unmet(
            &self.simulation.scenario.expect,
            state,
            &self.simulation.refusals,
            &self.simulation.core.door.truth,
        );
        if let Some(ended) = self.playing.ended.take() {
            ended(PlayedOnce {
                at: Utc(chrono::Utc::now().timestamp_millis()),
                scenario: self.simulation.scenario.name.clone(),
                passed: unmet.is_empty(),
                recovery_time_ms: state
                    .operations
                    .iter()
                    .filter_map(|o| o.recovery_time())
                    .max()
                    .map(|t| t.0),
                plans: recovered_plans(&state.operations),
                exercise: None,
            });
        }
        self.unmet = Some(unmet);
    }

    fn order(&mut self, order: Order) -> Result<Result<Receipt, Refusal>, JournalError> {
        self.touched |= !matches!(order.action, Action::Note { .. });
        // What stood on the screen when it was given is heard before it.
        self.keep_foretold()?;
        let now = self.simulation.now();
        let answer = self.simulation.core.input(now, Input::Order(order))?;
        if self.playing.waits && matches!(answer, Some(Ok(Receipt::Started(_)))) {
            (self.paused, self.goes_on) = (false, false);
        }
        Ok(answer.unwrap_or(Ok(Receipt::Done)))
    }

    fn steer(&mut self, by: &Actor, control: &Control) -> Result<Receipt, Refusal> {
        match control {
            // A walk stops by itself: before its first words there is nothing to stop for.
            Control::Pause(true) if self.playing.walk && self.told == 0 => {}
            // Who presses the key again at once means the same as before, unless something counts down.
            Control::Pause(true)
                if self.playing.walk
                    && self.simulation.core.engine.state().proposals.is_empty()
                    && self.went_on.is_some_and(|at| at.elapsed() < AGAIN) => {}
            Control::Pause(on) => {
                self.went_on = (!*on).then(std::time::Instant::now);
                let changes = *on != self.paused && !self.playing.walk;
                (self.paused, self.goes_on) = (*on, !*on);
                if changes {
                    // The record's clock does not tell that somebody thought it over.
                    let stood = std::mem::replace(&mut self.held, on.then(std::time::Instant::now))
                        .map(|since| Span(since.elapsed().as_millis() as u64));
                    self.note(
                        by,
                        match stood {
                            _ if *on => "the simulation is held: its clock stands still".to_string(),
                            Some(stood) => format!("the simulation goes on; it stood for {}", stood.exact()),
                            None => "the simulation goes on".to_string(),
                        },
                    )?;
                }
            }
            Control::Speed(times) => self.playing.speed = (*times).clamp(1, 1000),
            Control::Step => {
                self.paused = true;
                self.simulation
                    .step()
                    .map_err(|e| Refusal::new(SimulationRefused::NotRecorded { error: e.to_string() }))?;
            }
            Control::Inject { fault } => {
                self.touched = true;
                self.simulation.inject(fault)?;
                self.note(by, format!("does to the simulation: {fault}"))?;
            }
            Control::Mend => {
                self.touched = true;
                self.simulation.core.door.mend();
                self.note(
                    by,
                    "ends every fault of the simulation, and undoes its fences by hand".to_string(),
                )?;
            }
            Control::Seek { .. } => return Err(Refusal::new(SimulationRefused::NoWayBack)),
        }
        Ok(Receipt::Done)
    }

    /// What is done to the world, and who does it, stands in its story.
    fn note(&mut self, by: &Actor, text: String) -> Result<(), Refusal> {
        let (now, by) = (self.simulation.now(), by.clone());
        let noted = self
            .simulation
            .core
            .input(now, Input::Order(Order { by, action: Action::Note { text, by_hand: false } }));
        noted.map(|_| ()).map_err(|e| Refusal::new(SimulationRefused::NotRecorded { error: e.to_string() }))
    }

    fn snapshot(&mut self) -> Snapshot {
        let mut snapshot = self.simulation.snapshot(self.playing.speed, self.paused);
        snapshot.forecasts =
            self.forecaster.look(&self.simulation.core.engine, self.simulation.now(), &snapshot);
        if let Some(examiner) = &mut self.examiner {
            snapshot.readiness =
                examiner.look(&self.simulation.core.engine, self.simulation.now(), &snapshot);
        }
        let narration = &self.simulation.scenario.narration;
        if let Some(world) = snapshot.world.as_mut().filter(|_| self.playing.judged) {
            let told = self
                .told
                .checked_sub(1)
                .filter(|_| self.playing.walk)
                .and_then(|i| narration.get(i))
                .map(|n| n.text.clone());
            world.scenario = Some(ScenarioView {
                name: self.simulation.scenario.name.clone(),
                told,
                turn: (self.told as u16, narration.len() as u16),
                next: Mono(narration.get(self.told).map_or(self.simulation.scenario.until, |n| n.at).0)
                    .since(self.simulation.now().mono),
                over: self.simulation.now().mono >= Mono(self.simulation.scenario.until.0),
                unmet: self.unmet.clone(),
            });
        }
        snapshot
    }
}

//! A controller on a simulated world: the same loop on a virtual clock.

use super::core::Core;
use super::script::place_order;
use crate::engine::{Engine, Fork, Input};
use crate::forecast::Durations;
use crate::journal::{Journal, JournalError};
use crate::model::*;
use crate::sim::World;
use crate::wording::Story;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A scenario under way.
pub struct Simulation {
    pub core: Core<World>,
    pub scenario: Scenario,
    pub refusals: Vec<Refusal>,
    clock: Mono,
    began: Utc,
    orders: VecDeque<TimedOrder>,
}

impl Simulation {
    /// A scenario at its beginning. `mode` is what the screens say; `began` the virtual wall clock's first moment.
    ///
    /// # Errors
    /// The journal could not be written.
    pub fn new(
        scenario: Scenario,
        seed: u64,
        journal: Journal,
        mode: Mode,
        began: Utc,
    ) -> Result<Simulation, JournalError> {
        let estate = Arc::new(scenario.estate.clone());
        let world = World::new(&scenario, seed);
        let mut core = Core::new(Engine::new(Arc::clone(&estate), "simulation"), journal, world);
        core.story = Some(Story::new(Arc::clone(&estate)));
        let mut orders: Vec<TimedOrder> = scenario.orders.clone();
        orders.sort_by_key(|o| o.at);
        let armed = scenario.armed;
        let mut simulation = Simulation {
            core,
            scenario,
            refusals: Vec::new(),
            clock: Mono::default(),
            began,
            orders: orders.into(),
        };
        // A drill is held against its own record when it ends.
        simulation.core.keep = (mode == Mode::Drill).then(Vec::new);
        let program = format!("bpci {}", env!("CARGO_PKG_VERSION"));
        simulation
            .core
            .input(simulation.now(), Input::Start { mode, program, armed, drilled: Vec::new(), estate })?;
        Ok(simulation)
    }

    /// An estate as it stands, with a world that goes on from there.
    pub fn standing(fork: Fork) -> Simulation {
        let estate = Arc::clone(&fork.engine.state().estate);
        let pace = Durations::of(&fork.past).pace;
        let world = World::standing(&estate, &fork.standing, &pace, 0).watched().told_whole();
        let scenario = Scenario {
            name: "fork".to_string(),
            title: String::new(),
            estate: Estate::clone(&estate),
            world: WorldSetup::default(),
            armed: true,
            seed: 0,
            faults: Vec::new(),
            orders: Vec::new(),
            until: Span(u64::MAX),
            expect: Expectation::default(),
            narration: Vec::new(),
        };
        let clock = fork.now.mono;
        let began = Utc(fork.now.utc.0.saturating_sub_unsigned(clock.0));
        let story = Story::from(fork.engine.state().clone());
        let mut core = Core::new(fork.engine, Journal::in_memory(), world);
        core.story = Some(story);
        Simulation { core, scenario, refusals: Vec::new(), clock, began, orders: VecDeque::new() }
    }

    pub fn now(&self) -> Now {
        Now { utc: self.began.plus(Span(self.clock.0)), mono: self.clock }
    }

    /// The next moment at which something happens.
    pub fn next(&self) -> Mono {
        let scripted = self.orders.front().map(|o| Mono(o.at.0));
        let next = [self.core.next_wake(self.now()), scripted].into_iter().flatten().min();
        next.unwrap_or(self.clock.plus(Span::secs(1))).max(self.clock.plus(Span::ms(1)))
    }

    /// Lets time pass until then, turn by turn.
    ///
    /// # Errors
    /// The journal could not be written.
    pub fn run_to(&mut self, until: Mono) -> Result<(), JournalError> {
        while self.next() <= until {
            self.turn_at(self.next())?;
        }
        self.clock = self.clock.max(until);
        Ok(())
    }

    /// As [`Simulation::run_to`], for so much real time: then it stands where it came to.
    ///
    /// # Errors
    /// The journal could not be written.
    pub fn run_to_within(&mut self, until: Mono, budget: Duration) -> Result<(), JournalError> {
        let began = Instant::now();
        while self.next() <= until && began.elapsed() < budget {
            self.turn_at(self.next())?;
        }
        if self.next() > until {
            self.clock = self.clock.max(until);
        }
        Ok(())
    }

    /// One turn at that moment.
    ///
    /// # Errors
    /// The journal could not be written.
    pub fn turn_at(&mut self, at: Mono) -> Result<(), JournalError> {
        self.clock = self.clock.max(at);
        let now = self.now();
        self.core.turn(now)?;
        while self.orders.front().is_some_and(|o| Mono(o.at.0) <= self.clock)
            && let Some(order) = self.orders.pop_front()
        {
            if let Err(refusal) = place_order(&mut self.core, now, &order.by, &order.order)? {
                self.refusals.push(refusal);
            }
            if self.core.dead {
                // It was not heard to the end: whoever gave it gives it again.
                self.orders.push_front(TimedOrder { at: Span(self.clock.0).plus(Span::secs(5)), ..order });
                break;
            }
        }
        Ok(())
    }

    /// A new controller takes over from one that died: it knows what is in the record, and has heard nothing since.
    ///
    /// # Errors
    /// The journal could not be written.
    pub fn take_over(&mut self) -> Result<(), JournalError> {
        let state = self.core.engine.state();
        let (estate, mode, armed) = (Arc::clone(&state.estate), state.mode, self.scenario.armed);
        let mut engine = Engine::new(
            Arc::clone(&estate),
            Owner { nonce: "another process".to_string(), ..Owner::from("simulation") },
        );
        for record in self.core.keep.iter().flatten() {
            engine.restore(record);
        }
        self.core.engine = engine;
        self.core.door.hang_up();
        (self.core.dead, self.core.dies_at) = (false, None);
        let program = format!("bpci {}", env!("CARGO_PKG_VERSION"));
        self.core.input(self.now(), Input::Start { mode, program, armed, drilled: Vec::new(), estate })?;
        Ok(())
    }

    pub fn snapshot(&self, speed: u32, paused: bool) -> Snapshot {
        let world = WorldView {
            speed,
            paused,
            faults: self.core.door.striking(),
            lost: Bytes(self.core.door.lost_bytes()),
            scenario: None,
        };
        self.core.snapshot(self.now(), Some(world))
    }

    /// To the next thing worth a record, within a virtual minute.
    ///
    /// # Errors
    /// The journal could not be written.
    pub fn step(&mut self) -> Result<(), JournalError> {
        let records = self.core.engine.state().records;
        let limit = self.clock.plus(Span::mins(1));
        while self.core.engine.state().records == records && self.clock < limit {
            self.turn_at(self.next())?;
        }
        Ok(())
    }

    /// Strikes the world.
    ///
    /// # Errors
    /// The words name no fault, no region, or one that this fault cannot strike.
    pub fn inject(&mut self, text: &str) -> Result<(), Refusal> {
        let fault = parse_fault(&self.scenario.estate, text)?;
        let state = self.core.engine.state();
        if !fault.finds(&state.estate, |g| state.primaries[g.at()].0) {
            let region = self.scenario.estate.region(fault.region).name.clone();
            return Err(Refusal::new(SimulationRefused::NoStandby { region }));
        }
        self.core.door.inject(fault);
        Ok(())
    }
}

/// `region_outage us-east-1`, `paused`
fn parse_fault(estate: &Estate, text: &str) -> Result<Fault, Refusal> {
    let mut words = text.split_whitespace();
    let kind: FaultKind = words
        .next()
        .unwrap_or_default()
        .parse()
        .map_err(|e: String| Refusal::new(SimulationRefused::NoFault { error: e }))?;
    let region = match words.next() {
        // Where nothing is struck but a configuration, the region says nothing.
        None if kind.is_of_clusters() => estate.region_ids().next(),
        name => name.and_then(|name| estate.region_named(name)),
    };
    let region = region.ok_or_else(|| Refusal::new(SimulationRefused::NoRegion))?;
    let group =
        words.next().and_then(|name| estate.groups.iter().position(|g| g.name == name)).map(GroupId::of);
    Ok(Fault { kind, region, group })
}

//! What a hunt has seen.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub runs: u64,
    /// Turns of the loop; every law was held after each.
    pub steps: u64,
    pub records: u64,
    /// Single questions that were asked of records and states.
    pub checks: u64,
    /// Faults of the world, deaths and full disks of the controller, tricks of the door that hit.
    pub faults: u64,
    pub orders: u64,
    pub refused: u64,
    pub operations: BTreeMap<&'static str, u64>,
    pub automatic: u64,
    /// Different states of the engine, as far as decisions tell them apart.
    pub states: HashSet<u64>,
    pub took: Duration,
}

/// More states than this are not told apart any more.
const STATES: usize = 5_000_000;

impl Tally {
    pub fn saw(&mut self, state: u64) {
        if self.states.len() < STATES {
            self.states.insert(state);
        }
    }

    pub fn add(&mut self, other: Tally) {
        self.runs += other.runs;
        self.steps += other.steps;
        self.records += other.records;
        self.checks += other.checks;
        self.faults += other.faults;
        self.orders += other.orders;
        self.refused += other.refused;
        self.automatic += other.automatic;
        for (status, n) in other.operations {
            *self.operations.entry(status).or_default() += n;
        }
        for state in other.states {
            self.saw(state);
        }
    }
}

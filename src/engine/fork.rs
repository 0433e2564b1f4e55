//! The engine as it stands, to go on from here in a simulated world: for the futures of a forecast, and for a person who
//! tries a choice before making it.

use super::Engine;
use crate::engine::kernel::standing::standing;
use crate::engine::kernel::state::State;
use crate::engine::kernel::telemetry::{GroupTelemetry, Telemetry};
use crate::model::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An engine, and how the world stands that it goes on in.
#[derive(Clone)]
pub struct Fork {
    pub engine: Engine,
    pub standing: Standing,
    pub now: Now,
    /// The estate's own id of each region of the fork.
    pub regions: Vec<RegionId>,
    /// Past operations of the estate that its durations are drawn from, the newest last.
    pub past: Vec<Arc<Operation>>,
}

impl Fork {
    /// With no other plan than this one: it is what is played.
    pub fn with_plan(mut self, name: &str) -> Fork {
        Arc::make_mut(&mut self.engine.state.estate).plans.retain(|p| p.name == name);
        self
    }

    /// The fork's id of a region of the estate.
    pub fn region(&self, region: RegionId) -> Option<RegionId> {
        self.regions.iter().position(|r| *r == region).map(RegionId::of)
    }
}

impl Engine {
    /// The whole estate as it stands now, with what is on the table and no countdown. It decides like this engine, armed,
    /// and its orders reach nothing; every id means the same in it. What is half done cannot be branched: a database on
    /// which an operation runs is left out of it, until its users are served again.
    pub fn fork(&self, now: Now) -> Fork {
        let mut estate = Estate::clone(&self.state.estate);
        let mut telemetry = self.telemetry.clone();
        let mut state = self.state.clone();
        let half_done = |o: &Operation| !o.is_over() && o.results.served.is_none();
        let busy: Vec<GroupId> =
            estate.group_ids().filter(|g| state.running(*g).is_some_and(|o| half_done(o))).collect();
        for group in &busy {
            estate.groups[group.at()].database = None;
            telemetry.groups[group.at()] = GroupTelemetry::default();
            state.primaries[group.at()] = (None, None);
        }
        (state.mode, state.armed, state.estate) = (Mode::Fork, true, Arc::new(estate));
        state.operations.retain(|o| !half_done(o));
        state.proposals.retain(|p| !busy.contains(&p.proposal.group));
        for open in &mut state.proposals {
            open.proposal.automatic_at = None;
        }
        let past = state.operations.iter().filter(|o| o.is_over()).cloned().collect();
        let regions: Vec<RegionId> = state.estate.region_ids().collect();
        let cut = regions.iter().copied().filter(|r| self.is_cut_off(*r)).collect();
        state.displaced.clear();
        let engine = self.forked(state, telemetry, cut);
        let standing = standing(&engine.facts(now), engine.cut.clone());
        Fork { engine, standing, now, regions, past }
    }

    /// What every fork has in common: what was detected stands, and nothing is known of an outcome yet.
    pub(super) fn forked(&self, state: State, telemetry: Telemetry, cut: Vec<RegionId>) -> Engine {
        Engine {
            state,
            telemetry,
            controller: self.controller.clone(),
            quiet_since: self.quiet_since.clone(),
            bare_since: BTreeMap::new(),
            looked: BTreeMap::new(),
            looked_for: BTreeMap::new(),
            foretold: BTreeMap::new(),
            last: self.last,
            out: crate::engine::kernel::engine::Pending::default(),
            emitted: 0,
            watched: None,
            detects: false,
            cut,
        }
    }

    /// More than one thing is watched in a region, and nothing there answers.
    fn is_cut_off(&self, region: RegionId) -> bool {
        let here = |g: &GroupId| {
            self.state
                .estate
                .group(*g)
                .database
                .as_ref()
                .is_some_and(|d| d.members_in(region).next().is_some())
        };
        self.state.estate.group_ids().filter(here).any(|g| self.is_silent_beyond(region, g))
    }
}

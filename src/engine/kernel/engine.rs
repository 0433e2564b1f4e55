//! The engine's own hands: it takes in what is told, holds each event against the laws, applies it, and gathers the answer.

use super::facts::Facts;
use super::proof::Promotion;
use super::sending::{Act, Sending};
use super::state::State;
use super::telemetry::Telemetry;
use super::{carry, laws, limits, planted, watched};
use crate::model::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the engine is told. Time comes with it.
#[derive(Clone, Debug)]
pub enum Input {
    /// A controller begins: a new epoch of the monotonic clock.
    Start {
        mode: Mode,
        program: String,
        armed: bool,
        drilled: Vec<Digest>,
        estate: Arc<Estate>,
    },
    Observed(Observation),
    Report(Report),
    Order(Order),
    /// An order of somebody who may not give it. It goes into the record.
    Denied(Order, Refusal),
    /// What the futures of a choice say. Nothing is decided by it.
    Foretold(ForecastView),
    /// Time has passed.
    Tick,
}

/// What the engine answers.
#[derive(Default)]
pub struct Output {
    /// To be made durable, before any effect is sent.
    pub records: Vec<Record>,
    pub effects: Vec<Sending>,
    pub looks: Vec<Look>,
    pub reply: Option<Result<Receipt, Refusal>>,
    /// A law that a decision would have broken. The decision was not taken.
    pub broken: Vec<(u8, Breach)>,
}

/// The pure core.
#[derive(Clone)]
pub struct Engine {
    pub(in crate::engine) state: State,
    pub(in crate::engine) telemetry: Telemetry,
    /// This process, as it signs its claims.
    pub(in crate::engine) controller: Owner,
    pub(in crate::engine) quiet_since: BTreeMap<DisasterId, Mono>,
    /// Since when the store names no synchronous standby, where that is not told yet.
    pub(in crate::engine) bare_since: BTreeMap<GroupId, Mono>,
    pub(in crate::engine) looked: BTreeMap<GroupId, Mono>,
    pub(in crate::engine) looked_for: BTreeMap<EffectId, Mono>,
    /// What was told last of each choice on the table.
    pub(in crate::engine) foretold: BTreeMap<ProposalId, Foretold>,
    pub(in crate::engine) last: Option<Now>,
    pub(in crate::engine) out: Pending,
    pub(in crate::engine) emitted: u64,
    /// What there is to be watched, of the present estate.
    pub(in crate::engine) watched: Option<Arc<watched::Watched>>,
    /// In a fork what was detected stands: a future in which yet another region fails is not played.
    pub(in crate::engine) detects: bool,
    /// Of a fork: the regions in which more was silent than is in it.
    pub(in crate::engine) cut: Vec<RegionId>,
}

/// What a step answers so far. A copy of an engine has none of it: what is to be sent is sent once.
#[derive(Default)]
pub(in crate::engine) struct Pending(pub(in crate::engine) Output);

impl Clone for Pending {
    fn clone(&self) -> Pending {
        Pending::default()
    }
}

impl Engine {
    pub fn new(estate: Arc<Estate>, controller: impl Into<Owner>) -> Engine {
        Engine {
            telemetry: Telemetry::of(&estate),
            state: State::new(estate),
            controller: controller.into(),
            quiet_since: BTreeMap::new(),
            bare_since: BTreeMap::new(),
            looked: BTreeMap::new(),
            looked_for: BTreeMap::new(),
            foretold: BTreeMap::new(),
            last: None,
            out: Pending::default(),
            emitted: 0,
            watched: None,
            detects: true,
            cut: Vec::new(),
        }
    }

    /// Takes in a record of an earlier run, without deciding anything.
    pub fn restore(&mut self, record: &Record) {
        if let Event::Started { estate, .. } = &record.event {
            self.telemetry = Telemetry::of(estate);
        }
        self.state.apply(record);
    }

    /// The estate to go on with where this one is configured: with what the configuration leaves out and what is not settled.
    ///
    /// # Errors
    /// The configuration and the journal contradict each other.
    pub fn carried(&self, configured: &Estate) -> Result<Estate, CarryRefused> {
        carry::estate(&self.state, configured)
    }

    /// Takes in what was measured in an earlier run, without deciding anything.
    pub fn measured(&mut self, observation: &Observation) {
        self.telemetry.add(&self.state.estate, observation.clone());
    }

    /// Takes in what was measured. Observations come in batches; a tick after the batch decides on all of it at once.
    pub fn observe(&mut self, now: Now, observation: Observation) {
        self.watch_clock(now);
        self.telemetry.add(&self.state.estate, observation);
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// What there is to be watched of the present estate: as it was found last, or found now.
    pub(in crate::engine) fn watched(&self) -> Arc<watched::Watched> {
        let known = self.watched.as_ref().filter(|w| w.is_of(&self.state.estate));
        known.map_or_else(|| Arc::new(watched::Watched::of(&self.state.estate)), Arc::clone)
    }

    pub(in crate::engine) fn facts(&self, now: Now) -> Facts<'_> {
        Facts { state: &self.state, telemetry: &self.telemetry, now }
    }

    pub(in crate::engine) fn emitted(&self) -> u64 {
        self.emitted
    }

    pub(in crate::engine) fn start(
        &mut self,
        now: Now,
        mode: Mode,
        program: String,
        armed: bool,
        drilled: Vec<Digest>,
        estate: Arc<Estate>,
    ) {
        // Whoever starts this has asked before whether it may be; where it may not, the old configuration stays.
        let estate =
            carry::estate(&self.state, &estate).map_or_else(|_| Arc::clone(&self.state.estate), Arc::new);
        self.telemetry = Telemetry::of(&estate);
        self.quiet_since.clear();
        self.bare_since.clear();
        self.looked.clear();
        self.looked_for.clear();
        self.foretold.clear();
        self.state.epoch += 1;
        let owner = self.controller.clone();
        self.emit(now, Event::Started { mode, program, armed, drilled, estate, owner });
        let open: Vec<EffectId> = self
            .state
            .operations
            .iter()
            .flat_map(|o| o.effects())
            .filter(|e| e.is_open() && !e.orphaned)
            .map(|e| e.id)
            .collect();
        for id in open {
            self.emit(now, Event::OutcomeLost { id, reason: LostReason::SenderGone });
        }
        for group in self.state.estate.group_ids() {
            if self.state.running(group).is_some() {
                self.look_closely(now, group);
            }
        }
    }

    pub(in crate::engine) fn watch_clock(&mut self, now: Now) {
        let same_epoch = self.last.filter(|l| l.mono <= now.mono);
        if let Some(last) = same_epoch {
            let monotonic = i64::try_from(now.mono.since(last.mono).0).unwrap_or(i64::MAX);
            let by_ms = now.utc.0.saturating_sub(last.utc.0).saturating_sub(monotonic);
            if by_ms.abs() > limits::CLOCK_JUMP_MS && self.state.epoch > 0 {
                self.emit(now, Event::ClockJumped { by_ms });
            }
        }
        self.last = Some(now);
    }

    pub(in crate::engine) fn report(&mut self, now: Now, report: Report) {
        let known = self
            .state
            .operation(report.id.operation)
            .and_then(|o| o.effects().find(|e| e.id == report.id).cloned());
        match known {
            // What was told once is not told again; what was unknown may become known.
            Some(effect) if effect.is_open() && effect.outcome.as_ref() != Some(&report.outcome) => {
                let outcome = match report.outcome {
                    Outcome::Unknown { reason } if planted::is(planted::Break::LostIsNo) => {
                        Outcome::NotDone { reason }
                    }
                    other => other,
                };
                self.emit(now, Event::Reported { id: report.id, outcome });
            }
            _ => {}
        }
    }

    /// Decides one event: held against the laws, applied, and put into the answer.
    pub(in crate::engine) fn emit(&mut self, now: Now, event: Event) {
        if let Some((law, breach)) = laws::broken_by(&self.state, now, &event) {
            self.out.0.broken.push((law, breach));
            return;
        }
        if let Event::Intended { id, effect } = &event {
            // A hand-over comes with its proofs, or not at all.
            match Act::of(Issued { id: *id, effect: effect.clone() }) {
                Some(act) => self.out.0.effects.push(Sending::Act(act)),
                None => return self.out.0.broken.push((1, Breach::NoFencingProof)),
            }
        }
        self.take(now, event);
    }

    /// Decides a promotion: held against the laws like every other event.
    pub(in crate::engine) fn promote(&mut self, now: Now, promotion: Promotion) {
        let Issued { id, effect } = promotion.record();
        let event = Event::Intended { id, effect };
        if let Some((law, breach)) = laws::broken_by(&self.state, now, &event) {
            self.out.0.broken.push((law, breach));
            return;
        }
        self.out.0.effects.push(Sending::Promotion(promotion));
        self.take(now, event);
    }

    pub(in crate::engine) fn answer(&mut self) -> Output {
        std::mem::take(&mut self.out.0)
    }

    pub(in crate::engine) fn take(&mut self, now: Now, event: Event) {
        let record = Record { v: Record::VERSION, epoch: self.state.epoch, at: now, event };
        self.state.apply(&record);
        self.out.0.records.push(record);
        self.emitted += 1;
    }

    /// Asks the world to look at a group more often for a while.
    pub(in crate::engine) fn look_closely(&mut self, now: Now, group: GroupId) {
        let until = now.mono.plus(limits::CLOSE_LOOK_FOR);
        let half = Span(limits::CLOSE_LOOK_FOR.0 / 2);
        if self.looked.get(&group).is_none_or(|t| *t < now.mono.plus(half)) {
            self.looked.insert(group, until);
            self.out.0.looks.push(Look::Closely { group, every: limits::CLOSE_LOOK, until });
        }
    }

    /// Asks the world whether an effect happened, not too often.
    pub(in crate::engine) fn look_for(&mut self, now: Now, issued: Issued) {
        if self.looked_for.get(&issued.id).is_none_or(|t| now.mono.since(*t) >= limits::LOOK_AGAIN) {
            self.looked_for.insert(issued.id, now.mono);
            self.out.0.looks.push(Look::Outcome { issued: Box::new(issued) });
        }
    }
}

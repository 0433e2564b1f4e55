//! Decide and apply. `step(now, input)` answers with events and effects; the state is the fold of the events.
//!
//! It promises: the same inputs give the same answers; what breaks a law is not decided; every wait has a reason and
//! an end. It may not do IO, read a clock, draw a random number, or decide by a float.

mod about;
mod alone;
mod assess;
mod begin;
mod begins;
mod candidate;
mod carry;
mod claim;
mod claim_seen;
mod conditions;
mod detect;
mod door;
mod ending;
mod entry;
mod facts;
mod fold;
mod foretold;
mod fork;
mod intervene;
mod keep;
mod kinds;
mod laws;
mod limits;
mod needs;
mod orders;
pub mod planted;
mod position;
mod proof;
mod propose;
mod readiness;
mod remains;
mod run;
mod sending;
mod sent;
mod services;
mod standing;
mod state;
mod status;
mod step;
mod survey;
mod takeover;
mod telemetry;
mod undo;
mod unfit;
mod unproven;
mod view;
mod votes;
mod watched;

pub use about::about;
pub use alone::ONLY;
pub use claim::ClaimState;
pub use door::Door;
pub use facts::Facts;
pub use fork::Fork;
pub use limits::{PROOF_HOLDS, SILENCE};
pub use proof::Promotion;

pub use sending::{Act, Sending, unspent};
pub use sent::is_own;
pub use state::State;
pub use unproven::{of as unproven, vouched};

use crate::model::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use telemetry::Telemetry;

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
    state: State,
    telemetry: Telemetry,
    /// This process, as it signs its claims.
    controller: Owner,
    quiet_since: BTreeMap<DisasterId, Mono>,
    /// Since when the store names no synchronous standby, where that is not told yet.
    bare_since: BTreeMap<GroupId, Mono>,
    looked: BTreeMap<GroupId, Mono>,
    looked_for: BTreeMap<EffectId, Mono>,
    /// What was told last of each choice on the table.
    foretold: BTreeMap<ProposalId, Foretold>,
    last: Option<Now>,
    out: Pending,
    emitted: u64,
    /// What there is to be watched, of the present estate.
    watched: Option<Arc<watched::Watched>>,
    /// In a fork what was detected stands: a future in which yet another region fails is not played.
    detects: bool,
    /// Of a fork: the regions in which more was silent than is in it.
    cut: Vec<RegionId>,
}

/// What a step answers so far. A copy of an engine has none of it: what is to be sent is sent once.
#[derive(Default)]
struct Pending(Output);

impl Clone for Pending {
    fn clone(&self) -> Pending {
        Pending::default()
    }
}

/// Decisions follow from decisions; more rounds than this in one step would be a circle.
const ROUNDS: usize = 64;

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

    /// Takes in one input and answers what follows from it.
    pub fn step(&mut self, now: Now, input: Input) -> Output {
        if let Input::Observed(observation) = input {
            self.observe(now, observation);
            return self.answer();
        }
        self.watch_clock(now);
        let reply = match input {
            Input::Start { mode, program, armed, drilled, estate } => {
                self.start(now, mode, program, armed, drilled, estate);
                None
            }
            Input::Report(report) => {
                self.report(now, report);
                None
            }
            Input::Foretold(view) => {
                foretold::hear(self, now, &view);
                return self.answer();
            }
            Input::Order(order) => Some(orders::hear(self, now, &order)),
            Input::Denied(order, refusal) => {
                self.emit(now, Event::Refused { order: Box::new(order), refusal: refusal.clone() });
                Some(Err(refusal))
            }
            Input::Tick | Input::Observed(_) => None,
        };
        for _ in 0..ROUNDS {
            let detected = detect::round(self, now);
            let proposed = propose::round(self, now);
            let ran = run::round(self, now);
            if !(detected || proposed || ran) {
                break;
            }
        }
        self.out.0.reply = reply;
        self.answer()
    }

    /// When something is to be decided even if nothing is heard until then.
    pub fn next_deadline(&self, now: Now) -> Option<Mono> {
        let busy = self.state.operations.iter().any(|o| !o.is_over());
        let soon = busy.then(|| now.mono.plus(Span::ms(100)));
        let due = self
            .state
            .proposals
            .iter()
            .filter_map(|p| p.proposal.automatic_at)
            .map(|t| t.max(now.mono.plus(Span::ms(50))))
            .min();
        let calm = self.state.open_disasters().next().map(|_| now.mono.plus(Span::secs(1)));
        [soon, due, calm].into_iter().flatten().min()
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// All that a screen may show now, but for the log: the wording tells that from the records.
    pub fn snapshot(&self, now: Now, world: Option<WorldView>) -> Snapshot {
        view::snapshot(self, now, world)
    }

    /// The member of a group in a region that would be chosen to take over, or the first there.
    pub fn candidate_in(&self, now: Now, group: GroupId, region: RegionId) -> Option<MemberId> {
        candidate::choose_in(&self.facts(now), group, region)
    }

    /// How a choice on the table stands now.
    pub fn assess(&self, now: Now, proposal: ProposalId) -> Option<Assessment> {
        let open = self.state.proposals.iter().find(|p| p.proposal.id == proposal)?;
        Some(assess::assess(&self.facts(now), &open.proposal, open.revision))
    }

    /// What there is to be watched of the present estate: as it was found last, or found now.
    fn watched(&self) -> Arc<watched::Watched> {
        let known = self.watched.as_ref().filter(|w| w.is_of(&self.state.estate));
        known.map_or_else(|| Arc::new(watched::Watched::of(&self.state.estate)), Arc::clone)
    }

    fn facts(&self, now: Now) -> Facts<'_> {
        Facts { state: &self.state, telemetry: &self.telemetry, now }
    }

    fn emitted(&self) -> u64 {
        self.emitted
    }

    fn start(
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

    fn watch_clock(&mut self, now: Now) {
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

    fn report(&mut self, now: Now, report: Report) {
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
    fn emit(&mut self, now: Now, event: Event) {
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
    fn promote(&mut self, now: Now, promotion: Promotion) {
        let Issued { id, effect } = promotion.record();
        let event = Event::Intended { id, effect };
        if let Some((law, breach)) = laws::broken_by(&self.state, now, &event) {
            self.out.0.broken.push((law, breach));
            return;
        }
        self.out.0.effects.push(Sending::Promotion(promotion));
        self.take(now, event);
    }

    fn answer(&mut self) -> Output {
        std::mem::take(&mut self.out.0)
    }

    fn take(&mut self, now: Now, event: Event) {
        let record = Record { v: Record::VERSION, epoch: self.state.epoch, at: now, event };
        self.state.apply(&record);
        self.out.0.records.push(record);
        self.emitted += 1;
    }

    /// Asks the world to look at a group more often for a while.
    fn look_closely(&mut self, now: Now, group: GroupId) {
        let until = now.mono.plus(limits::CLOSE_LOOK_FOR);
        let half = Span(limits::CLOSE_LOOK_FOR.0 / 2);
        if self.looked.get(&group).is_none_or(|t| *t < now.mono.plus(half)) {
            self.looked.insert(group, until);
            self.out.0.looks.push(Look::Closely { group, every: limits::CLOSE_LOOK, until });
        }
    }

    /// Asks the world whether an effect happened, not too often.
    fn look_for(&mut self, now: Now, issued: Issued) {
        if self.looked_for.get(&issued.id).is_none_or(|t| now.mono.since(*t) >= limits::LOOK_AGAIN) {
            self.looked_for.insert(issued.id, now.mono);
            self.out.0.looks.push(Look::Outcome { issued: Box::new(issued) });
        }
    }
}

/// How far a standby is behind in time.
fn lag_time(cx: &Facts, group: GroupId, member: MemberId) -> Option<Span> {
    let (report, _) = cx.member(group, member)?.report.as_ref()?;
    cx.telemetry.behind(group, report.received?)
}

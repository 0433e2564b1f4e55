//! Decide and apply. `step(now, input)` answers with events and effects; the state is the fold of the events.
//!
//! It promises: the same inputs give the same answers; what breaks a law is not decided; every wait has a reason and
//! an end. It may not do IO, read a clock, draw a random number, or decide by a float.

mod alone;
mod conditions;
mod fork;
mod kernel;
mod kinds;
mod readiness;
mod rooms;
mod survey;
mod view;

pub use alone::ONLY;
pub use fork::Fork;
pub use kernel::about::about;
pub use kernel::claim::ClaimState;
pub use kernel::door::Door;
pub use kernel::engine::{Engine, Input, Output};
pub use kernel::facts::Facts;
pub use kernel::limits::{PROOF_HOLDS, SILENCE};
pub use kernel::planted;
pub use kernel::proof::Promotion;
pub use kernel::sending::{Act, Sending, unspent};
pub use kernel::state::State;
pub use kernel::unproven::{of as unproven, vouched};
pub use rooms::recovery::sent::is_own;

use crate::model::*;
use kernel::detect;
use rooms::recovery::successor;
use rooms::recovery::{assess, foretold, orders, propose, run};

/// Decisions follow from decisions; more rounds than this in one step would be a circle.
const ROUNDS: usize = 64;

impl Engine {
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

    /// All that a screen may show now, but for the log: the wording tells that from the records.
    pub fn snapshot(&self, now: Now, world: Option<WorldView>) -> Snapshot {
        view::snapshot(self, now, world)
    }

    /// The member of a group in a region that would be chosen to take over, or the first there.
    pub fn candidate_in(&self, now: Now, group: GroupId, region: RegionId) -> Option<MemberId> {
        successor::choose_in(&self.facts(now), group, region)
    }

    /// How a choice on the table stands now.
    pub fn assess(&self, now: Now, proposal: ProposalId) -> Option<Assessment> {
        let open = self.state.proposals.iter().find(|p| p.proposal.id == proposal)?;
        Some(assess::assess(&self.facts(now), &open.proposal, open.revision))
    }
}

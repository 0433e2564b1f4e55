//! Many futures of the same engine over the simulation, from how things stand now: what a choice would do, and what
//! leaving it would; and how often what was told came true.
//!
//! It promises: the same standing and the same seeds give the same figures; nothing real is reached; no figure is given
//! that was not measured or simulated, and none finer than its sample allows. It may not decide anything.

mod analysis;
mod calibration;
mod duration;
mod figures;
mod future;

pub use analysis::{Analysis, StepTimes, analyse};
pub use calibration::{Calibration, Comparison, Held, Subject, held, of as compared};
pub use duration::Durations;
pub use future::{Branch, Ended, Future, HORIZON};

use crate::engine::Fork;
use crate::model::*;
use std::sync::atomic::AtomicBool;

/// What is asked: a choice on the table, as it stands.
pub struct Question {
    pub fork: Fork,
    pub intent: Intent,
    /// In the fork's ids. Members have the same ids in it as in the estate.
    pub from: RegionId,
    pub old: MemberId,
    pub to: Option<MemberId>,
    /// The next best target.
    pub next: Option<MemberId>,
    /// Since when users are not served, if they are not.
    pub impact: Option<Utc>,
    pub rto: Span,
    pub rpo: Span,
    /// What happens if nothing is done.
    pub otherwise: Otherwise,
    /// How much is lost is known, or known to be nothing.
    pub loss_is_known: bool,
}

impl Question {
    /// About a choice on the table; `None` where nothing can be simulated: no database, or people do it.
    pub fn of(fork: Fork, group: GroupId, view: &ProposalView, snapshot: &Snapshot) -> Option<Question> {
        let (p, a) = (&view.proposal, &view.assessment);
        if p.intent == Intent::Guided {
            return None;
        }
        let from = fork.region(p.from)?;
        let candidates = snapshot.groups.iter().find(|v| v.group == group)?.members.iter();
        let next = candidates
            .filter(|m| !a.left.contains(&m.member) && Some(m.member) != a.to && m.answers == Some(true));
        let next = next
            .min_by_key(|m| (m.unfit.is_some(), m.lag_bytes, snapshot.estate.region(m.region).priority))
            .map(|m| m.member);
        let (rto, rpo) = snapshot.estate.targets(group);
        let impact = snapshot.disasters.iter().find(|d| Some(d.id) == p.disaster).map(|d| d.since);
        Some(Question {
            next,
            intent: p.intent,
            from,
            old: p.old,
            to: a.to,
            impact,
            rto,
            rpo,
            otherwise: a.otherwise.clone(),
            loss_is_known: a.loss != Loss::Unknown,
            fork: fork.with_plan(&p.plan),
        })
    }

    /// How the one database in it stands.
    fn database(&self) -> Option<&StandingDatabase> {
        self.fork.standing.databases.first()
    }

    /// True if anything was measured of it: else every future would be invented.
    pub fn is_known(&self) -> bool {
        self.database().is_some_and(|d| d.record.is_some() && d.members.iter().any(|m| m.report.is_some()))
    }

    /// True if what the cluster will do by itself can be told: its store was read lately, and has a quorum.
    fn store_is_known(&self) -> bool {
        let fresh = |at: Mono| self.fork.standing.now.since(at) <= Span::secs(10);
        self.database()
            .and_then(|d| d.record.as_ref())
            .is_some_and(|(r, at)| fresh(*at) && (r.voters == 0 || r.voters_up * 2 > r.voters))
    }

    /// A fence that was never fired has no figure.
    fn knows_the_fence(&self, durations: &Durations) -> bool {
        self.fork.engine.state().fence_proofs.contains_key(&(crate::engine::ONLY, self.old))
            || durations.has_fence()
    }

    /// The forecast of so many futures of each branch, on so many threads. The same figures come of any number of threads.
    /// `stop` ends it early: then there is none.
    pub fn answer(&self, futures: u32, threads: usize, stop: &AtomicBool) -> Option<Forecast> {
        let durations = Durations::of(&self.fork.past);
        let known = self.knows_the_fence(&durations);
        let run = |branch: Branch| {
            let future = Future { question: self, pace: &durations.pace, branch, counts_fence: known };
            let ended = future.all(futures, threads.max(1), stop)?;
            Some(Outlook::Figures(Box::new(figures::of(&ended, self, branch, known))))
        };
        let act = match self.to {
            Some(to) => run(Branch::Act(to))?,
            None => Outlook::None(NoFigures::NoCandidate),
        };
        let serves = self
            .database()
            .is_some_and(|d| d.members.iter().any(|m| m.member == self.old && m.life == Life::Answers));
        let leave = if serves || !self.store_is_known() {
            Outlook::None(NoFigures::Otherwise(self.otherwise.clone()))
        } else {
            run(Branch::Leave)?
        };
        let next_best = match self.next {
            Some(next) => Some((next, run(Branch::Act(next))?)),
            None => None,
        };
        Some(Forecast {
            to: self.to,
            act,
            leave,
            next_best,
            sources: if self.intent == Intent::Failover { durations.sources(known) } else { Vec::new() },
        })
    }
}

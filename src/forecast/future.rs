//! One future: the choice is confirmed, or left; the engine and a world go on until users are served, or it is clear that
//! they will not be.

use super::Question;
use crate::engine::{Door, Engine, Input, ONLY, Output};
use crate::model::*;
use crate::sim::{Draw, Pace, World};
use std::sync::atomic::{AtomicBool, Ordering};

/// What is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// The choice is confirmed, towards this member.
    Act(MemberId),
    /// Nobody does anything.
    Leave,
}

pub struct Future<'a> {
    pub question: &'a Question,
    pub pace: &'a Pace,
    pub branch: Branch,
    /// False: the fence was never fired, so that it has no figure and takes no time here.
    pub counts_fence: bool,
}

/// How one future ended. Times count from the decision.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    pub writable: Option<Span>,
    pub served: Option<Span>,
    pub lost: u64,
    /// The operation could not go on by itself, with the reason.
    pub stuck: Option<WhyNot>,
    pub rolled_back: bool,
    /// How long each step of the plan took.
    pub steps: Vec<(u16, Span)>,
}

/// A future that has not ended after this time ends without its users being served.
pub const HORIZON: Span = Span::mins(3);
/// How often a group is looked at closely.
const CLOSE: Span = Span::ms(49);
/// How often a world that nobody looks at is asked who serves, once somebody may.
const ASK: Span = Span::ms(50);

impl Future<'_> {
    /// So many futures, in the order of their seeds; `None` if it was stopped.
    pub fn all(&self, futures: u32, threads: usize, stop: &AtomicBool) -> Option<Vec<Ended>> {
        let threads = u32::try_from(threads).unwrap_or(1);
        let opening = match self.branch {
            Branch::Act(to) => Opening::Confirmed(Box::new(self.confirmed(to))),
            Branch::Leave => Opening::Left,
        };
        let each = |first: u32| {
            let seeds = (first..futures).step_by(threads as usize);
            seeds
                .map(|seed| (!stop.load(Ordering::Relaxed)).then(|| self.run(u64::from(seed), &opening)))
                .collect::<Option<Vec<Ended>>>()
        };
        let parts: Option<Vec<Vec<Ended>>> = std::thread::scope(|scope| {
            let handles: Vec<_> = (1..threads).map(|first| scope.spawn(move || each(first))).collect();
            let own = each(0);
            std::iter::once(own).chain(handles.into_iter().map(|h| h.join().ok().flatten())).collect()
        });
        let mut parts: Vec<_> = parts?.into_iter().map(Vec::into_iter).collect();
        let n = parts.len();
        (0..futures as usize).map(|i| parts[i % n].next()).collect()
    }

    fn run(&self, seed: u64, opening: &Opening) -> Ended {
        let mut pace = self.pace.clone();
        if !self.counts_fence {
            // It ends at any moment between two looks, and is taken out of the sum.
            pace.fence = Draw::Between(Span::ZERO, CLOSE);
        }
        let fork = &self.question.fork;
        let world = World::standing(&fork.engine.state().estate, &fork.standing, &pace, seed);
        match opening {
            Opening::Left => self.leave(world),
            Opening::Confirmed(confirmed) => match confirmed.as_ref() {
                Ok(confirmed) => self.act(confirmed, world.watched()),
                Err(refusal) => Ended { stuck: Some(refusal.clone()), ..Ended::default() },
            },
        }
    }

    /// Nobody acts: the cluster's own agents do, or do not.
    fn leave(&self, mut world: World) -> Ended {
        let began = world.now();
        let mut ended = Ended::default();
        while world.now().since(began) < HORIZON {
            let writable = ended.writable.is_some();
            world.pass(if writable { world.now().plus(ASK) } else { began.plus(HORIZON) });
            let (writes, serves) = world.serving();
            let passed = Some(world.now().since(began));
            if writes.is_some_and(|m| m != self.question.old) && ended.writable.is_none() {
                ended.writable = passed;
            }
            if serves.is_some_and(|m| m != self.question.old) {
                ended.served = passed;
                break;
            }
        }
        ended.lost = world.lost_bytes();
        ended
    }

    fn act(&self, confirmed: &Confirmed, mut world: World) -> Ended {
        let mut engine = confirmed.engine.clone();
        let began = self.question.fork.now;
        let mut ended = Ended::default();
        let mut now = began;
        for issued in &confirmed.sent.acts {
            world.send(now, issued.clone(), now.mono);
        }
        for look in &confirmed.sent.looks {
            world.look(now, look.clone());
        }
        let mut incoming = Vec::new();
        let mut due = engine.next_deadline(now);
        while now.mono.since(began.mono) < HORIZON {
            let next = [world.next_deadline(), due].into_iter().flatten().min();
            let mono = next.unwrap_or(now.mono).max(now.mono.plus(Span::ms(1)));
            now = Now { utc: began.utc.plus(mono.since(began.mono)), mono };
            world.fetch(mono, &mut incoming);
            // Where nothing has come and nothing is due, there is nothing to decide.
            if incoming.is_empty() && due.is_none_or(|d| mono < d) {
                continue;
            }
            turn(&mut engine, &mut world, now, &mut incoming);
            due = engine.next_deadline(now);
            let Some(operation) = engine.state().operations.back() else { break };
            if operation.results.served.is_some() || operation.status != Status::Running {
                break;
            }
        }
        if let Some(operation) = engine.state().operations.back() {
            let fence = operation
                .effects()
                .find(|e| matches!(e.effect, Effect::Fence { .. }))
                .and_then(|e| Some(e.reported?.since(e.intended)));
            let left_out = Span(fence.filter(|_| !self.counts_fence).map_or(0, |t| t.0));
            let since = |t: Utc| Span(t.since(began.utc).0.saturating_sub(left_out.0));
            ended.writable = operation.results.writable.map(since);
            ended.served = operation.results.served.map(since);
            ended.rolled_back = matches!(operation.status, Status::RollingBack { .. } | Status::RolledBack);
            if ended.served.is_none() {
                ended.stuck = Some(match &operation.status {
                    // What a person could answer there is nothing for who has not begun.
                    Status::Waiting { question } => operation.failed_step().map_or_else(
                        || WhyNot::Waits(question.clone()),
                        |(step, failure)| WhyNot::StepFailed {
                            step: step.id.clone(),
                            failure: failure.clone(),
                        },
                    ),
                    Status::Failed { reason } => WhyNot::Failed(reason.clone()),
                    status => WhyNot::Stands(Box::new(status.clone())),
                });
            }
            let took = |(i, r): (usize, &StepRecord)| r.took().map(|t| (i as u16, t));
            ended.steps = operation.steps.iter().enumerate().filter_map(took).collect();
        }
        ended.lost = world.lost_bytes();
        ended
    }

    /// The choice, put on the table and confirmed with all that it asks for: no future differs in that.
    fn confirmed(&self, to: MemberId) -> Result<Confirmed, WhyNot> {
        let (intent, from, now) = (self.question.intent, self.question.from, self.question.fork.now);
        let (mut engine, mut sent) = (self.question.fork.engine.clone(), Sent::default());
        let propose =
            Action::Propose { group: ONLY, intent, from: Some(from), to: Some(to), reason: String::new() };
        let Receipt::Proposed(proposal) = order(&mut engine, &mut sent, now, propose)? else {
            return Err(refused(ControllerRefused::NothingProposed));
        };
        let assessment = engine
            .assess(now, proposal)
            .ok_or_else(|| refused(SimulationRefused::NothingFor(Scripted::Choice)))?;
        let confirmation = Confirmation {
            proposal,
            nonce: assessment.nonce,
            seen: now.utc,
            plan: assessment.plan,
            evidence: assessment.evidence,
            typed: engine.state().estate.region(from).name.clone(),
            accept_risk: risk_words(&assessment.risks),
            accepts: assessment.risks.clone(),
            // Where it cannot be, the refusal tells what stands beside the observers.
            manual_override: assessment.blocked().is_some_and(|b| b.id == CheckId::Observers),
            second_person: assessment.second_person.then(|| "somebody".to_string()),
            supersedes: None,
        };
        order(&mut engine, &mut sent, now, Action::Confirm(confirmation))?;
        Ok(Confirmed { engine, sent })
    }
}

/// How every future of a branch begins.
enum Opening {
    Confirmed(Box<Result<Confirmed, WhyNot>>),
    Left,
}

/// An engine that was given the order, and what it sends for it.
struct Confirmed {
    engine: Engine,
    sent: Sent,
}

/// The same in each future: it was decided, and spent, once.
#[derive(Default)]
struct Sent {
    acts: Vec<Issued>,
    looks: Vec<Look>,
}

fn refused(why: impl Into<RefusalReason>) -> WhyNot {
    WhyNot::Refused(Box::new(Refusal::new(why)))
}

fn order(engine: &mut Engine, sent: &mut Sent, now: Now, action: Action) -> Result<Receipt, WhyNot> {
    let output = engine.step(now, Input::Order(Order { by: Actor::Part(Part::Forecast), action }));
    sent.acts.extend(output.effects.into_iter().filter_map(|sending| sending.spend(now.mono).ok()));
    sent.looks.extend(output.looks);
    output.reply.unwrap_or(Ok(Receipt::Done)).map_err(|r| WhyNot::Refused(Box::new(r)))
}

fn turn(engine: &mut Engine, world: &mut World, now: Now, incoming: &mut Vec<Incoming>) {
    for one in incoming.drain(..) {
        match one {
            Incoming::Observed(observation) => engine.observe(now, observation),
            Incoming::Report(report) => {
                let output = engine.step(now, Input::Report(report));
                send(world, now, output);
            }
        }
    }
    let output = engine.step(now, Input::Tick);
    send(world, now, output);
}

fn send(world: &mut World, now: Now, output: Output) {
    for sending in output.effects {
        world.submit(now, sending);
    }
    for look in output.looks {
        world.look(now, look);
    }
}

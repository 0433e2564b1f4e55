//! The laws, held against every record and every state, by somebody who shares no code with who decided.

use super::door::TrickDoor;
use crate::engine::{Engine, State};
use crate::model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A second engine that knows nothing but the records, and all that was asked of them so far.
pub struct Watch {
    shadow: Engine,
    intended: BTreeSet<EffectId>,
    generation: Generation,
    /// By the scope of its cluster: another file may give a group another id.
    automatic: BTreeMap<String, Utc>,
    /// Disasters that were declared and ended by this controller, and when.
    ended: Vec<(Mono, Disaster)>,
    /// What a person was given leave to begin just now.
    pub leave: Option<ProposalId>,
    pub checks: u64,
}

/// What a step rests on may be a second old, and was on its way for a while.
const LATELY: Span = Span::ms(1_100);

/// Nothing that is over fails anew, and is found to, within this time.
const ANEW: Span = Span::ms(100);

/// Who hears the primary within this time is a sign of life.
const HEARD: Span = Span::ms(500);

/// Nothing is tried more often than this, in a case of some hours: each attempt is a record.
const ATTEMPTS: u16 = 200;

impl Watch {
    pub fn new(estate: Arc<Estate>) -> Watch {
        Watch {
            shadow: Engine::new(estate, "watch"),
            intended: BTreeSet::new(),
            generation: Generation::default(),
            automatic: BTreeMap::new(),
            ended: Vec::new(),
            leave: None,
            checks: 0,
        }
    }

    pub fn state(&self) -> &State {
        self.shadow.state()
    }

    /// One record that has become durable.
    ///
    /// # Errors
    /// The law that it breaks, with what is wrong.
    pub fn record(&mut self, record: &Record, door: &TrickDoor) -> Result<(), String> {
        self.checks += 1;
        match &record.event {
            // Nobody watched in between.
            Event::Started { .. } => self.ended.clear(),
            Event::DisasterDeclared(disaster) => self.declared(record.at, disaster)?,
            Event::DisasterEnded { disaster } => {
                let known = self.state().disasters.iter().find(|d| d.id == *disaster).cloned();
                self.ended.extend(known.map(|d| (record.at.mono, d)));
            }
            Event::OperationStarted(start) => self.started(record.at, start, door)?,
            Event::Intended { id, effect } => self.intended(*id, effect, door)?,
            Event::Reported { id, outcome } => self.reported(*id, outcome, door)?,
            Event::StepReset { operation, step, .. } => self.reset(*operation, *step)?,
            Event::StatusChanged { operation, status } => self.status(record.at, *operation, status, door)?,
            _ => {}
        }
        self.shadow.restore(record);
        Ok(())
    }

    fn must(&mut self, holds: bool, law: u8, what: impl FnOnce() -> String) -> Result<(), String> {
        self.checks += 1;
        if holds { Ok(()) } else { Err(format!("law {law}: {}", what())) }
    }

    fn declared(&mut self, at: Now, new: &Disaster) -> Result<(), String> {
        // What a detector outside tells is told anew by it, whenever it likes.
        let told = matches!(
            new.kind,
            DisasterType::DataCorruption | DisasterType::CyberIncident | DisasterType::HumanError
        );
        let same = |d: &Disaster| {
            !told && d.kind == new.kind && d.regions == new.regions && d.services == new.services
        };
        let again = self.ended.iter().any(|(ended, d)| same(d) && at.mono.since(*ended) < ANEW);
        self.must(!again, 0, || format!("a {} is over and declared anew at once", new.kind))
    }

    fn started(&mut self, at: Now, start: &OperationStart, door: &TrickDoor) -> Result<(), String> {
        let armed = self.state().armed;
        self.must(armed, 4, || format!("{} begins under a read-only controller", start.id))?;
        let busy = self.state().running(start.group).map(|o| o.id);
        self.must(busy.is_none(), 7, || format!("{} begins while another runs on the same group", start.id))?;
        let (before, now) = (self.generation, start.generation);
        self.must(now > before, 7, || format!("the generation does not grow: {} after {}", now.0, before.0))?;
        self.generation = now;
        if start.automatic {
            return self.automatic(at, start, door);
        }
        let leave = self.leave.take();
        self.must(leave == Some(start.proposal), 4, || {
            format!("{} begins though nobody was given leave", start.id)
        })
    }

    fn automatic(&mut self, at: Now, start: &OperationStart, door: &TrickDoor) -> Result<(), String> {
        let estate = Arc::clone(&self.state().estate);
        let cooldown = estate.policy.limits.cooldown;
        let scope = estate.group(start.group).database.as_ref().map(|d| d.scope.clone()).unwrap_or_default();
        let last = self.automatic.insert(scope, at.utc);
        let again =
            last.map(|l| at.utc.since(l)).filter(|t| *t < cooldown && last.is_none_or(|l| l <= at.utc));
        self.must(again.is_none(), 0, || {
            format!("automation acts again after {}", again.unwrap_or_default())
        })?;
        let declined = start.disaster.is_some_and(|d| self.state().declined.contains_key(&(d, start.group)));
        self.must(!declined, 4, || "automation begins what somebody declined".to_string())?;
        self.must(start.accepted == Accepted::default(), 2, || "automation accepts a risk".to_string())?;
        let fenced = estate.group(start.group).database.as_ref().is_some_and(|d| d.fence.is_some());
        self.must(fenced, 1, || "automation begins without a fence".to_string())?;
        let heard = door
            .heard
            .iter()
            .find(|((g, m), t)| *g == start.group && !start.left.contains(m) && at.mono.since(**t) <= HEARD)
            .map(|((_, r), _)| *r);
        self.must(heard.is_none(), 5, || format!("automation begins though {heard:?} hears the primary"))
    }

    fn intended(&mut self, id: EffectId, effect: &Effect, door: &TrickDoor) -> Result<(), String> {
        let state = self.shadow.state();
        let Some(operation) = state.operation(id.operation).cloned() else {
            return Err(format!("law 3: {id} is of no operation"));
        };
        let armed = state.armed;
        let lost: Vec<RegionId> =
            state.estate.region_ids().filter(|r| state.regions[r.at()].0 == RegionStatus::Down).collect();
        let fence = state.estate.group(operation.group).database.as_ref().and_then(|d| d.fence.clone());
        let name = effect.name();
        let clean_up = matches!(effect, Effect::Release { .. });
        self.must(armed || clean_up, 4, || format!("a read-only controller acts: {name}"))?;
        let new = self.intended.insert(id);
        self.must(new, 3, || format!("{id} is intended twice"))?;
        self.must(id.attempt < ATTEMPTS, 0, || format!("{id} is sent for the {}th time", id.attempt))?;
        // Steps that ask for the same command, or the same proof, ask for two of it.
        let each = matches!(effect, Effect::Command { .. } | Effect::ValidateWrite { .. });
        let open = operation
            .effects()
            .any(|e| e.effect == *effect && e.is_open() && !(each && e.id.step != id.step));
        self.must(!open, 3, || {
            format!("«{name}» is sent again while what became of the last one is unknown")
        })?;
        self.must(id.generation == operation.generation, 7, || {
            format!("{id} carries another generation than its operation")
        })?;
        let undoes =
            matches!(effect, Effect::Release { .. } | Effect::Restore { .. } | Effect::UndoFence { .. });
        self.must(!operation.is_over() || undoes, 3, || {
            format!("{} is over and sends «{name}»", operation.id)
        })?;
        match effect {
            Effect::Fence { .. } => {
                let needs = fence
                    .iter()
                    .flat_map(|f| &f.depends_on)
                    .find(|r| **r == operation.from || lost.contains(r))
                    .copied();
                self.must(needs.is_none(), 10, || "a fence is relied on that needs a lost region".to_string())
            }
            Effect::UndoFence { .. } => {
                let handed = operation.handed_over();
                self.must(!handed, 11, || "the fence is undone after the hand-over".to_string())
            }
            Effect::HandOver(h) => {
                let off = operation
                    .effects()
                    .filter(|e| matches!(e.effect, Effect::Fence { .. }) && e.is_done())
                    .filter_map(|e| e.reported)
                    .max();
                let told = door.told.get(&(operation.group, operation.to)).copied();
                self.must(off.is_none_or(|off| told >= Some(off)), 11, || {
                    "the lock goes to one that has told nothing since the fence".to_string()
                })?;
                self.must(off.is_some() || operation.accepted.accepts_two_writers(), 1, || {
                    "a hand-over without a fence that answered".to_string()
                })?;
                self.must(h.bind_to_old || operation.accepted.accepts_loss(), 2, || {
                    "a hand-over that may lose what nobody accepted".to_string()
                })
            }
            _ => Ok(()),
        }
    }

    /// What is called not done was not done, and what is called done was.
    fn reported(&mut self, id: EffectId, outcome: &Outcome, door: &TrickDoor) -> Result<(), String> {
        let truly = door.behind.world.outcome(id).map(|o| matches!(o, Outcome::Done { .. }));
        let told = match outcome {
            Outcome::Done { .. } => Some(true),
            Outcome::NotDone { .. } | Outcome::Missed { .. } => Some(false),
            Outcome::Assumed { .. } | Outcome::Unknown { .. } | Outcome::Ended { .. } => None,
        };
        let name = self
            .state()
            .operation(id.operation)
            .and_then(|o| o.effects().find(|e| e.id == id))
            .map_or("", |e| e.effect.name());
        let fits = truly.zip(told).is_none_or(|(truly, told)| truly == told);
        self.must(fits, 3, || {
            format!(
                "«{name}» is called {}, and it was otherwise",
                if told == Some(true) { "done" } else { "not done" }
            )
        })
    }

    fn reset(&mut self, operation: OperationId, step: u16) -> Result<(), String> {
        let record = self.state().operation(operation).and_then(|o| o.steps.get(usize::from(step)).cloned());
        let open = record.is_some_and(|s| s.effects.iter().any(EffectRecord::is_open));
        self.must(!open, 3, || "a step is tried again while what became of it is unknown".to_string())
    }

    fn status(&mut self, at: Now, id: OperationId, status: &Status, door: &TrickDoor) -> Result<(), String> {
        let Some(operation) = self.state().operation(id).cloned() else {
            return Err(format!("law 3: there is no {id}"));
        };
        let over = operation.is_over();
        self.must(!over, 3, || format!("{id} is over and goes on"))?;
        // Nobody has been able to tell for a minute, and whoever sent it is gone.
        let hopeless = |e: &EffectRecord| e.orphaned && at.mono.since(e.intended) >= Span::mins(1);
        match status {
            Status::Recovered | Status::RecoveredUnprotected { .. }
                if operation.intent() != Intent::Guided =>
            {
                let led = door.behind.leads(operation.group);
                let later = |t: Timeline| operation.before.timeline.is_none_or(|b| t > b);
                // It may have been lost again in this moment: then what was seen lately counts.
                let promoted =
                    operation.results.promoted.is_some() && operation.results.timeline.is_some_and(later);
                let well = |l: crate::sim::Leads| l.writable || !promoted || at.mono.since(l.lived) <= LATELY;
                let there = led.is_none_or(|l| l.member != operation.to || (later(l.timeline) && well(l)));
                self.must(promoted && there, 6, || format!("{id} is called recovered; {led:?} leads"))?;
                let written = operation.results.writable.is_some();
                self.must(written, 6, || format!("{id} is called recovered and no write was seen"))?;
                let protects = |k: &StepKind| *k == StepKind::WatchProtection;
                // What a named person accepted to be without.
                let asked =
                    *status == Status::Recovered && operation.plan.steps.iter().any(|s| protects(&s.kind));
                self.must(!asked || operation.results.protected.is_some(), 6, || {
                    format!("{id} is called recovered and is not protected")
                })
            }
            Status::Aborted { .. } => {
                let harmless = |e: &Effect| {
                    matches!(e, Effect::ValidateWrite { .. } | Effect::Claim { .. } | Effect::Release { .. })
                };
                let unheard =
                    operation.effects().any(|e| e.is_open() && !harmless(&e.effect) && !hopeless(e));
                self.must(!unheard, 3, || {
                    format!("{id} is given up while what became of an effect is unknown")
                })
            }
            Status::Failed { .. }
            | Status::RolledBack
            | Status::NotValidated { .. }
            | Status::ElectedElsewhere { .. }
            | Status::TargetLost => {
                let harmless =
                    |e: &Effect| matches!(e, Effect::ValidateWrite { .. } | Effect::Release { .. });
                let unheard =
                    operation.effects().any(|e| e.is_open() && !harmless(&e.effect) && !hopeless(e));
                self.must(!unheard, 3, || format!("{id} ends while what became of an effect is unknown"))
            }
            Status::Waiting { question: Question::Asked { what: said } | Question::Written(said) } => {
                self.must(!said.is_empty(), 6, || format!("{id} waits and does not say for what"))
            }
            Status::Waiting { .. } => Ok(()),
            _ => Ok(()),
        }
    }

    /// After a turn: what was sent is in the record, and the records give this very state.
    ///
    /// # Errors
    /// The law that is broken, with what is wrong.
    pub fn turn(&mut self, engine: &Engine, sent: &[EffectId], durable: bool) -> Result<(), String> {
        let unrecorded = sent.iter().find(|id| !self.intended.contains(id)).copied();
        self.must(unrecorded.is_none(), 3, || format!("{unrecorded:?} was sent and is not in the record"))?;
        // What could not be made durable is not in the records; the controller does nothing any more.
        let same = !durable || engine.state() == self.state();
        self.must(same, 9, || "the records do not give the state that the controller is in".to_string())
    }
}

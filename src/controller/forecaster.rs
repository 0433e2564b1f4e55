//! Futures, run beside the controller in a thread of their own: no frame and no order waits for them. Only the newest
//! question counts.

use crate::engine::{Engine, Input};
use crate::forecast::Question;
use crate::model::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Futures of the first answer, and of the one that follows it.
const QUICK: u32 = 100;
const THOROUGH: u32 = 1_000;
/// Choices that are forecast at a time; with more on the table the first ones are.
const CHOICES: usize = 16;
/// While things move, a question is asked again after this time; while they stand, after the longer one.
const MOVING: Span = Span::secs(1);
const STANDING: Span = Span::secs(10);

/// A choice that may be on the table, or not.
pub struct Choice {
    pub group: GroupId,
    pub intent: Intent,
    pub to: Option<MemberId>,
}

/// The forecast of a choice, as if it were put on the table now. Nothing is recorded.
///
/// # Errors
/// It cannot be put on the table, or nothing of it can be simulated.
pub fn forecast(
    engine: &Engine,
    now: Now,
    choice: &Choice,
    futures: u32,
) -> Result<(ProposalView, Forecast), Refusal> {
    let (view, question) = question(engine, now, choice)?;
    let forecast = question.answer(futures, cores(), &AtomicBool::new(false)).ok_or_else(unknown)?;
    Ok((view, forecast))
}

fn unknown() -> Refusal {
    Refusal::new(ControllerRefused::NothingToSimulate)
}

/// What would be asked of such a choice.
///
/// # Errors
/// As [`forecast`].
pub fn question(engine: &Engine, now: Now, choice: &Choice) -> Result<(ProposalView, Question), Refusal> {
    let mut engine = engine.clone();
    let Choice { group, intent, to } = *choice;
    let propose = Action::Propose { group, intent, from: None, to, reason: "a forecast".to_string() };
    let output = engine.step(now, Input::Order(Order { by: Actor::Part(Part::Forecast), action: propose }));
    let proposal = match output.reply {
        Some(Ok(Receipt::Proposed(id))) => id,
        Some(Err(refusal)) => return Err(refusal),
        _ => return Err(Refusal::new(ControllerRefused::NothingProposed)),
    };
    let snapshot = engine.snapshot(now, None);
    let view = snapshot.proposals.iter().find(|v| v.proposal.id == proposal).ok_or_else(unknown)?;
    let question = engine
        .alone(now, group)
        .and_then(|fork| Question::of(fork, group, view, &snapshot))
        .ok_or_else(unknown)?;
    if !question.is_known() {
        return Err(Refusal::new(ControllerRefused::NothingMeasured));
    }
    Ok((view.clone(), question))
}

/// The forecasts of every choice on the table, at once.
pub fn forecasts(engine: &Engine, now: Now, snapshot: &Snapshot, futures: u32) -> Vec<ForecastView> {
    let of = |v: &ProposalView| {
        let question = Question::of(engine.alone(now, v.proposal.group)?, v.proposal.group, v, snapshot)?;
        Some(ForecastView {
            proposal: v.proposal.id,
            at: now.utc,
            forecast: question.answer(futures, cores(), &AtomicBool::new(false))?,
        })
    };
    snapshot.proposals.iter().take(CHOICES).filter_map(of).collect()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What decides whether a forecast is still about how things stand.
#[derive(PartialEq, Eq)]
struct Key {
    proposal: ProposalId,
    evidence: Digest,
    lags: Vec<Option<Bytes>>,
}

struct Asked {
    at: Utc,
    questions: Vec<(ProposalId, Question)>,
}

#[derive(Default)]
struct Desk {
    asked: Mutex<Option<Asked>>,
    bell: Condvar,
    found: Mutex<Vec<ForecastView>>,
    /// What was found and not fetched yet, for the record.
    news: Mutex<Vec<ForecastView>>,
    /// Something newer was asked, or nobody asks any more.
    stop: AtomicBool,
    closed: AtomicBool,
}

pub(super) struct Forecaster {
    desk: Arc<Desk>,
    keys: Vec<Key>,
    asked: Option<Mono>,
}

impl Forecaster {
    pub fn start() -> Forecaster {
        let desk = Arc::new(Desk::default());
        let works = Arc::clone(&desk);
        let thread = std::thread::Builder::new().name("forecast".to_string()).spawn(move || work(&works));
        if let Err(e) = thread {
            tracing::warn!("there are no forecasts: {e}");
        }
        Forecaster { desk, keys: Vec::new(), asked: None }
    }

    /// What is known by now of the choices on the table. It asks anew where things have moved.
    pub fn look(&mut self, engine: &Engine, now: Now, snapshot: &Snapshot) -> Vec<ForecastView> {
        let keys: Vec<Key> = snapshot.proposals.iter().take(CHOICES).map(|v| key(v, snapshot)).collect();
        let since = self.asked.map(|t| now.mono.since(t));
        let moved = keys != self.keys;
        let new = keys.iter().any(|k| self.keys.iter().all(|old| old.proposal != k.proposal));
        let due = since.is_none_or(|s| new || (moved && s >= MOVING) || s >= STANDING);
        if !keys.is_empty() && due {
            let questions = snapshot.proposals.iter().take(CHOICES).filter_map(|v| {
                let fork = engine.alone(now, v.proposal.group)?;
                Some((v.proposal.id, Question::of(fork, v.proposal.group, v, snapshot)?))
            });
            let asked = Asked { at: now.utc, questions: questions.collect() };
            // Both under the lock: else the newest question itself might be stopped.
            let mut waiting = held(&self.desk.asked);
            *waiting = Some(asked);
            self.desk.stop.store(true, Ordering::Relaxed);
            self.desk.bell.notify_one();
            drop(waiting);
            (self.keys, self.asked) = (keys, Some(now.mono));
        }
        self.open(snapshot)
    }

    /// What has come since this was asked last.
    pub fn news(&mut self) -> Vec<ForecastView> {
        std::mem::take(&mut *held(&self.desk.news))
    }

    fn open(&self, snapshot: &Snapshot) -> Vec<ForecastView> {
        let open = |v: &ForecastView| snapshot.proposals.iter().any(|p| p.proposal.id == v.proposal);
        let mut found = held(&self.desk.found);
        found.retain(open);
        found.clone()
    }
}

impl Drop for Forecaster {
    fn drop(&mut self) {
        // Under the lock: who has just looked, and not yet gone to sleep, must hear the bell.
        let _waiting = held(&self.desk.asked);
        self.desk.closed.store(true, Ordering::Relaxed);
        self.desk.stop.store(true, Ordering::Relaxed);
        self.desk.bell.notify_one();
    }
}

fn key(view: &ProposalView, snapshot: &Snapshot) -> Key {
    let members = snapshot.groups.iter().filter(|g| g.group == view.proposal.group).flat_map(|g| &g.members);
    Key {
        proposal: view.proposal.id,
        evidence: view.assessment.evidence,
        lags: members.map(|m| m.lag_bytes).collect(),
    }
}

/// What is behind a lock is whole at any time: a panic elsewhere changes nothing about that.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(desk: &Desk) {
    loop {
        let mut waiting = held(&desk.asked);
        let asked = loop {
            if desk.closed.load(Ordering::Relaxed) {
                return;
            }
            match waiting.take() {
                Some(asked) => break asked,
                None => waiting = desk.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            }
        };
        desk.stop.store(false, Ordering::Relaxed);
        drop(waiting);
        // The first answer is never given up for a newer question: else there would be none while things move.
        for (proposal, question) in &asked.questions {
            if let Some(forecast) = question.answer(QUICK, 1, &desk.closed) {
                tell(desk, ForecastView { proposal: *proposal, at: asked.at, forecast });
            }
        }
        for (proposal, question) in &asked.questions {
            if let Some(forecast) = question.answer(THOROUGH, 1, &desk.stop) {
                tell(desk, ForecastView { proposal: *proposal, at: asked.at, forecast });
            }
        }
    }
}

fn tell(desk: &Desk, view: ForecastView) {
    {
        let mut news = held(&desk.news);
        news.retain(|v| v.proposal != view.proposal);
        news.push(view.clone());
    }
    let mut found = held(&desk.found);
    match found.iter_mut().find(|v| v.proposal == view.proposal) {
        Some(old) => *old = view,
        None => found.push(view),
    }
}

//! Could each region's loss be answered now? Asked again and again, in a thread of its own, while nothing is to be
//! decided: then the forecasts of what is on the table come first.

use super::forecaster::{Choice, forecast};
use super::rehearsals::drilled_plans;
use crate::engine::Engine;
use crate::model::*;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Asked again after this time; soon, while the first answers of fences and logins are still under way.
const AGAIN: Span = Span::mins(1);
const SOON: Span = Span::secs(5);
const YOUNG: Span = Span::secs(30);
/// However fast a simulation runs, so long is between two questions.
const REST: Duration = Duration::from_secs(1);
/// A forecast that holds stands for this long, if nothing else has changed; one that does not is asked again soon.
const STANDS: Span = Span::mins(10);
const DOUBTED: Span = Span::secs(15);
/// Databases whose futures are run at a time, and the futures of each.
const DATABASES: usize = 8;
const FUTURES: u32 = 100;

/// Every region with every kind of disaster that is answered, with the points that can be told without firing anything.
pub fn readiness(engine: &Engine, now: Now, futures: u32) -> Vec<Readiness> {
    let databases =
        engine.state().estate.group_ids().filter(|g| engine.state().estate.group(*g).database.is_some());
    let points = databases.map(|g| (g, futures_point(engine, now, g, futures))).collect();
    with_points(engine, now, &points)
}

fn with_points(engine: &Engine, now: Now, points: &BTreeMap<GroupId, Point>) -> Vec<Readiness> {
    let drilled = drilled_plans();
    let mut list = engine.readiness(now, &|plan| drilled.get(&plan).copied());
    for entry in &mut list {
        entry.points.extend(entry.group.and_then(|g| points.get(&g)).cloned());
    }
    list
}

/// Whether a database would be served again within its RTO, detection included, and what would be lost.
fn futures_point(engine: &Engine, now: Now, group: GroupId, futures: u32) -> Point {
    let estate = &engine.state().estate;
    let detection = &estate.policy.detection;
    let found = detection.interval.times(u64::from(detection.threshold)).plus(detection.response_delay);
    let point = |state, finding| Point { name: PointName::Forecast, state, finding, to: None };
    let choice = Choice { group, intent: Intent::Failover, to: None };
    let (rto, rpo) = estate.targets(group);
    match forecast(engine, now, &choice, futures) {
        Err(refusal) => point(PointState::Unknown, PointFinding::NotForecast(refusal)),
        Ok((_, Forecast { act: Outlook::None(why), .. })) => {
            point(PointState::Unknown, PointFinding::NoFigures(why))
        }
        Ok((_, Forecast { act: Outlook::Figures(f), .. })) => match f.served_ms.p95 {
            None => point(PointState::Lacks, PointFinding::NotServed { why: f.why_not }),
            Some(p95) => {
                let total = found.plus(Span(p95));
                let lost = f.data_loss_ms.and_then(|l| l.p95).map(Span);
                let state = match lost {
                    _ if total > rto => PointState::Lacks,
                    Some(lost) if lost <= rpo => PointState::Holds,
                    Some(_) => PointState::Lacks,
                    None => PointState::Unknown,
                };
                point(
                    state,
                    PointFinding::Served { within: total, found, without: f.without, rto, loses: lost, rpo },
                )
            }
        },
    }
}

/// What decides how ready anything is, as far as it moves by the second.
type Key = (Vec<RegionStatus>, Vec<Option<RegionId>>, usize);

/// After an operation has ended: the store was read again by then.
const SETTLED: Span = Span::secs(5);

struct Asked {
    engine: Engine,
    now: Now,
    moved: bool,
}

pub(super) struct Examiner {
    ask: SyncSender<Asked>,
    answers: Receiver<ReadinessView>,
    key: Option<Key>,
    began: Option<Mono>,
    asked: Option<(Mono, Instant)>,
    found: Option<ReadinessView>,
}

impl Examiner {
    pub fn start() -> Examiner {
        let (ask, questions) = sync_channel(1);
        let (tell, answers) = sync_channel(1);
        let thread =
            std::thread::Builder::new().name("readiness".to_string()).spawn(move || work(&questions, &tell));
        if let Err(e) = thread {
            tracing::warn!("how ready the regions are is not told: {e}");
        }
        Examiner { ask, answers, key: None, began: None, asked: None, found: None }
    }

    /// What is known by now. It asks anew where things have moved, or a while has passed.
    pub fn look(&mut self, engine: &Engine, now: Now, snapshot: &Snapshot) -> Option<ReadinessView> {
        if let Some(found) = self.answers.try_iter().last() {
            self.found = Some(found);
        }
        let began = *self.began.get_or_insert(now.mono);
        // What has ended a moment ago may stand in the store as if it ran.
        let ended = |o: &Operation| o.is_over() && o.finished.is_none_or(|at| now.utc.since(at) >= SETTLED);
        let calm = snapshot.proposals.is_empty() && snapshot.operations.iter().all(|o| ended(o));
        let measured = snapshot.regions.iter().all(|r| r.status != RegionStatus::Unknown);
        if calm && (measured || now.mono.since(began) >= YOUNG) {
            let key: Key = (
                snapshot.regions.iter().map(|r| r.status).collect(),
                snapshot.groups.iter().map(|g| g.primary).collect(),
                snapshot.stale.len(),
            );
            let moved = self.key.as_ref() != Some(&key);
            // What would not come out well may only have been asked at a bad moment.
            let doubts = self.found.as_ref().is_some_and(|f| {
                f.regions.iter().any(|r| r.lacks.iter().any(|p| p.name == PointName::Forecast))
            });
            let again = match (moved || now.mono.since(began) < YOUNG, doubts) {
                (true, _) => SOON,
                (false, true) => DOUBTED,
                (false, false) => AGAIN,
            };
            // Where it is still at the last question, this one is asked when that is answered.
            let due = self.asked.is_none_or(|(t, real)| now.mono.since(t) >= again && real.elapsed() >= REST);
            if due && self.ask.try_send(Asked { engine: engine.clone(), now, moved }).is_ok() {
                (self.asked, self.key) = (Some((now.mono, Instant::now())), Some(key));
            }
        }
        self.found.clone()
    }
}

fn work(questions: &Receiver<Asked>, tell: &SyncSender<ReadinessView>) {
    let mut points: BTreeMap<GroupId, (Mono, Point)> = BTreeMap::new();
    while let Ok(Asked { engine, now, moved }) = questions.recv() {
        let estate = std::sync::Arc::clone(&engine.state().estate);
        let mut due: Vec<(Option<Mono>, GroupId)> = estate
            .group_ids()
            .filter(|g| estate.group(*g).database.is_some())
            .map(|g| (points.get(&g), g))
            .filter(|(known, _)| {
                let stands = |p: &Point| if p.state == PointState::Holds { STANDS } else { DOUBTED };
                moved || known.is_none_or(|(t, p)| now.mono.since(*t) >= stands(p))
            })
            .map(|(known, g)| (known.map(|(at, _)| *at), g))
            .collect();
        // The oldest first: with more databases than these each has its turn.
        due.sort();
        let played = !due.is_empty();
        for (_, group) in due.into_iter().take(DATABASES) {
            points.insert(group, (now.mono, futures_point(&engine, now, group, FUTURES)));
        }
        let told = points.iter().map(|(g, (_, p))| (*g, p.clone())).collect();
        let view = ReadinessView::of(&estate, now.utc, &with_points(&engine, now, &told));
        if played {
            // The next futures come in ten minutes.
            crate::memory::give_back();
        }
        if tell.send(view).is_err() {
            return;
        }
    }
}

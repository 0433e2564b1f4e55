//! A drill on real systems: an experiment on an estate that says of itself that it is a test estate, beside the controller
//! that runs there.
//!
//! Nothing is begun unless all is well. A lever, or a stop condition, ends the method at any moment; the rollbacks follow
//! whatever happens. It is over when its undo was observed: the steady state again, nothing to decide, nothing that runs,
//! nothing that remains.

use super::outcome::Outcome;
use super::terms::Terms;
use crate::chaos::{self, Ended, Experiment, Rollbacks, Rules, Strategy};
use crate::controller::{Addressee, Home, find};
use crate::model::*;
use crate::wording::refusal_words;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// An experiment on a test estate.
#[derive(Clone, Debug)]
pub struct LiveDrill {
    pub experiment: Arc<Experiment>,
    /// The estate's name: a controller of it runs on this machine.
    pub estate: String,
}

const PANICKED: &str = "a part of the program panicked: look after the estate";

/// How often it is looked whether something speaks for an end.
const LOOK: Duration = Duration::from_millis(200);
/// After the rollbacks the steady state, and calm at the controller, must be seen within this time each.
const SETTLES: Duration = Duration::from_mins(2);

/// Where the lever of an estate's live drill is: a file that ends the drill by being there.
fn lever(home: &Home) -> PathBuf {
    home.path().join("live-drill.stop")
}

/// Pulls the lever of the live drill on this estate, if one runs there: its rollbacks follow.
///
/// # Errors
/// None runs there, or the lever cannot be reached.
pub fn pull_lever(estate: &str) -> Result<(), String> {
    let home = Home::of(estate);
    match lock(&home) {
        Ok(_) => Err(format!("no live drill runs on {estate} on this machine")),
        Err(Locked::Taken) => {
            std::fs::write(lever(&home), "").map_err(|e| format!("{}: {e}", lever(&home).display()))
        }
        Err(Locked::No(text)) => Err(text),
    }
}

enum Locked {
    Taken,
    No(String),
}

/// One live drill at a time on an estate; held as long as the file.
fn lock(home: &Home) -> Result<File, Locked> {
    let path = home.path().join("live-drill.lock");
    let no = |e: std::io::Error| Locked::No(format!("{}: {e}", path.display()));
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(no)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Locked::Taken),
        Err(std::fs::TryLockError::Error(e)) => Err(no(e)),
    }
}

impl LiveDrill {
    /// Plays it to its end. `stop` is one more lever.
    pub fn play(&self, id: &str, terms: &Terms, stop: watch::Receiver<bool>) -> Outcome {
        // From wherever it is called: a runtime of its own, on a thread of its own.
        let played = std::thread::scope(|scope| {
            let run = || {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
                runtime.map_err(|e| e.to_string())?.block_on(self.conduct(id, terms, stop))
            };
            scope.spawn(run).join()
        });
        match played {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(why)) => Outcome::NotPlayed(why),
            Err(_) => Outcome::Played {
                passed: false,
                told: PANICKED.to_string(),
                recovery: None,
                lost: None,
                plans: Vec::new(),
            },
        }
    }

    /// # Errors
    /// Why nothing was begun.
    async fn conduct(
        &self,
        id: &str,
        terms: &Terms,
        told_to_stop: watch::Receiver<bool>,
    ) -> Result<Outcome, String> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let home = Home::of(&self.estate);
        let silent = |e: &dyn std::fmt::Display| {
            format!("no controller of {} answers here: {e}; bpci serve", self.estate)
        };
        let found = find(&home).await.map_err(|e| silent(&e))?;
        let target = found.hello.target.digest();
        let handle = found.handle(Addressee::Target(target)).await.map_err(|e| silent(&e))?;
        let _lock = lock(&home).map_err(|locked| match locked {
            Locked::Taken => "another live drill runs on it".to_string(),
            Locked::No(text) => text,
        })?;
        let _ = std::fs::remove_file(lever(&home));
        let before = handle.snapshot();
        unfit(&before).map_or(Ok(()), Err)?;
        note(&handle, &format!("live drill {id} begins: {}", self.experiment.title)).await;
        let after = before.operations.iter().map(|o| o.id).max().unwrap_or(OperationId(0));
        let drill = Under { handle: Arc::clone(&handle), home: home.clone(), after, within: terms.within() };
        let (tells, stop) = watch::channel(false);
        let watching = tokio::spawn(async move { drill.watch(told_to_stop, tells).await });
        // On a test estate it is put back in every case, whatever the file says.
        let (strategy, rollbacks) = (Strategy::Default, Rollbacks::Always);
        let rules = Rules {
            strategy,
            rollbacks,
            frequency: Duration::from_secs(1),
            fail_fast: false,
            settles: SETTLES,
        };
        let ended = chaos::run(Arc::clone(&self.experiment), rules, stop, &|_| {}).await;
        // It ends as soon as nobody listens any more.
        let stopped = watching.await.map_err(|e| e.to_string())?;
        let calm = calm_again(&handle, after).await;
        let kept = keep(&home, id, &ended);
        if !ended.completed && ended.undone.is_none() && stopped.is_none() {
            return Err("the steady state did not hold to begin with; nothing was done".to_string());
        }
        let outcome = judged(&handle.snapshot(), after, terms, &ended, stopped, calm, kept);
        if let Outcome::Played { passed, told, .. } = &outcome {
            note(&handle, &format!("live drill {id} {}: {told}", if *passed { "passed" } else { "failed" }))
                .await;
        }
        Ok(outcome)
    }
}

/// Why no drill may begin there now.
fn unfit(s: &Snapshot) -> Option<String> {
    match () {
        () if !s.estate.test_estate => Some(format!(
            "{} does not say `test_estate: true` of itself: nothing real is rehearsed on it",
            s.estate.name
        )),
        () if s.mode != Mode::Live => Some(format!("it is {}, not live", s.mode.word())),
        () if !s.armed => Some("its controller is read-only: bpci serve --arm".to_string()),
        () => not_calm(s, None),
    }
}

/// Nothing newer has come for so long that nobody can be there any more to send it.
fn is_old(s: &Snapshot) -> bool {
    Utc(chrono::Utc::now().timestamp_millis()).since(s.now.utc) > Span::secs(10)
}

/// What is not over there yet; `after`: of the operations since this one.
fn not_calm(s: &Snapshot, after: Option<OperationId>) -> Option<String> {
    let running = s.open().next();
    let remains =
        s.operations.iter().filter(|o| after.is_some_and(|a| o.id > a)).find(|o| !o.remains.is_empty());
    match () {
        () if is_old(s) => Some("its controller does not answer any more".to_string()),
        () if s.failed.is_some() => Some("its journal cannot be written".to_string()),
        () if !s.disasters.is_empty() => Some(format!("a disaster is open: {}", s.disasters[0].kind.words())),
        () if !s.proposals.is_empty() => Some("a choice is on the table".to_string()),
        () => running
            .map(|o| format!("{} runs", o.id))
            .or_else(|| remains.map(|o| format!("{} is not cleaned up after", o.id))),
    }
}

/// What it is watched by while it runs.
struct Under {
    handle: Arc<dyn Handle>,
    home: Home,
    /// The newest operation that is not of it.
    after: OperationId,
    within: Option<Span>,
}

impl Under {
    /// Until somebody pulls a lever, or a condition stops it, or it is over: why it was stopped.
    async fn watch(
        self,
        mut told_to_stop: watch::Receiver<bool>,
        tells: watch::Sender<bool>,
    ) -> Option<String> {
        loop {
            if let Some(why) = self.speaks_against(*told_to_stop.borrow_and_update()) {
                let _ = tells.send(true);
                return Some(why);
            }
            tokio::select! {
                () = tells.closed() => return None,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    fn speaks_against(&self, told: bool) -> Option<String> {
        let s = self.handle.snapshot();
        let of_it = s.operations.iter().filter(|o| o.id > self.after);
        let lost = of_it.filter_map(|o| o.results.loss.as_ref()).find(|l| **l != Loss::Nothing);
        let late = |d: &Disaster| {
            let rto = d
                .services
                .iter()
                .map(|id| s.estate.service(*id).rto)
                .chain(self.within)
                .min()
                .unwrap_or(s.estate.policy.rto);
            let waits = s.services.iter().any(|v| v.hit_by == Some(d.id));
            (waits && s.now.utc.since(d.since) > rto)
                .then(|| format!("users were not served within {}", rto.written()))
        };
        let apart = |a: &Disaster, b: &Disaster| a.regions.iter().all(|r| !b.regions.contains(r));
        match () {
            () if told => Some("it was told to end".to_string()),
            () if lever(&self.home).exists() => Some("the lever was pulled".to_string()),
            () if is_old(&s) => Some("the controller does not answer any more".to_string()),
            () if s.failed.is_some() => Some("the journal cannot be written".to_string()),
            () if lost.is_some() => Some("acknowledged writes may be lost".to_string()),
            () if s.disasters.iter().any(|a| s.disasters.iter().any(|b| apart(a, b))) => {
                Some("another region fails as well".to_string())
            }
            () => s.disasters.iter().find_map(late),
        }
    }
}

/// Waits until nothing of it is left at the controller; else what is.
async fn calm_again(handle: &Arc<dyn Handle>, after: OperationId) -> Result<(), String> {
    let began = Instant::now();
    loop {
        match not_calm(&handle.snapshot(), Some(after)) {
            None => return Ok(()),
            Some(what) if began.elapsed() > SETTLES => return Err(what),
            Some(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// It stands in the estate's record that it was a drill.
async fn note(handle: &Arc<dyn Handle>, text: &str) {
    if let Err(refusal) = handle.order(Action::Note { text: text.to_string(), by_hand: false }).await {
        tracing::warn!("the live drill is not in the record: {}", refusal_words(&refusal));
    }
}

/// The experiment's journal, beside the estate's record.
fn keep(home: &Home, id: &str, ended: &Ended) -> String {
    let directory = home.path().join("live-drills");
    let path = directory.join(format!("{id}-{}.json", chrono::Utc::now().format("%Y%m%dT%H%M%S")));
    let text = serde_json::to_string_pretty(&ended.journal).unwrap_or_default();
    match std::fs::create_dir_all(&directory).and_then(|()| std::fs::write(&path, text)) {
        Ok(()) => format!("its journal: {}", path.display()),
        Err(e) => format!("its journal was not kept: {}: {e}", path.display()),
    }
}

fn judged(
    s: &Snapshot,
    after: OperationId,
    terms: &Terms,
    ended: &Ended,
    stopped: Option<String>,
    calm: Result<(), String>,
    kept: String,
) -> Outcome {
    let of_it: Vec<&Arc<Operation>> = s.operations.iter().filter(|o| o.id > after).collect();
    let recovery = of_it.iter().filter_map(|o| o.recovery_time()).max();
    let loss: Option<Span> = of_it
        .iter()
        .all(|o| o.results.loss.as_ref().is_none_or(|l| *l == Loss::Nothing))
        .then_some(Span::ZERO);
    let mut wrong: Vec<String> = Vec::new();
    match &stopped {
        Some(why) => wrong.push(format!("stopped: {why}")),
        None if !ended.completed => wrong.push("it did not come to its end".to_string()),
        None if ended.deviated => wrong.push("the steady state was lost".to_string()),
        None => {}
    }
    if ended.undone == Some(false) {
        wrong
            .push("its undo was not seen: the steady state did not come back; look after it now".to_string());
    }
    wrong.extend(calm.err().map(|what| format!("its undo was not seen: {what}; look after it now")));
    wrong.extend(
        of_it
            .iter()
            .filter(|o| o.status != Status::Recovered)
            .map(|o| format!("{} {}", o.id, o.status.word())),
    );
    wrong.extend(
        recovery
            .zip(terms.within())
            .filter(|(took, within)| took > within)
            .map(|(took, _)| format!("users were served after {took}")),
    );
    if loss.is_none() && terms.loses().is_some() {
        wrong.push("how much was lost is not known to be nothing".to_string());
    }
    let served = match (of_it.len(), recovery) {
        (0, _) => "nothing had to be recovered".to_string(),
        (n, Some(took)) => format!("{n} recovered, users served after {took}, nothing acknowledged lost"),
        (n, None) => format!("{n} operations"),
    };
    let said = if wrong.is_empty() { served } else { wrong.join("; ") };
    let plans = recovered_plans(of_it);
    Outcome::Played { passed: wrong.is_empty(), told: format!("{said}; {kept}"), recovery, lost: loss, plans }
}

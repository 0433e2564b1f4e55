//! Running an experiment: the steady state, the method, the steady state again, the rollbacks; and its journal.

use super::experiment::{Activity, Experiment};
use super::provider;
use super::strategy::{Rollbacks, Strategy};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How an experiment is run.
pub struct Rules {
    pub strategy: Strategy,
    pub rollbacks: Rollbacks,
    /// How often the steady state is looked at during the method.
    pub frequency: Duration,
    /// A steady state that is lost during the method ends the method.
    pub fail_fast: bool,
    /// After the rollbacks the steady state must be seen again within this time.
    pub settles: Duration,
}

/// How it ended.
pub struct Ended {
    /// In the form of the Chaos Toolkit.
    pub journal: Value,
    pub deviated: bool,
    pub completed: bool,
    /// `None`: there was no steady state to see again, or nothing was done.
    pub undone: Option<bool>,
}

/// Runs an experiment. `stop` ends the method early, never the rollbacks; `tell` hears what is done.
pub async fn run(
    experiment: Arc<Experiment>,
    rules: Rules,
    mut stop: watch::Receiver<bool>,
    tell: &dyn Fn(&str),
) -> Ended {
    let (began, start) = (Instant::now(), Utc::now());
    let mut journal = json!({
        // What wrote it, where the toolkit puts its own version.
        "chaoslib-version": concat!("bpci ", env!("CARGO_PKG_VERSION")),
        "platform": std::env::consts::OS,
        "node": std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim(),
        "experiment": experiment.raw,
        "start": stamp(start),
        "status": Value::Null,
        "deviated": false,
        "steady_states": { "before": Value::Null, "after": Value::Null, "during": [] },
        "run": [],
        "rollbacks": [],
    });
    let (mut status, mut deviated, mut undone) = ("completed", false, None);
    let held = !experiment.hypothesis.is_empty() && rules.strategy != Strategy::Skip;
    let mut goes_on = true;
    if held && rules.strategy.before() {
        let state = steady(&experiment, tell, "before").await;
        (goes_on, status) = (met(&state), ended(&state));
        journal["steady_states"]["before"] = state;
    }
    if goes_on {
        let (lost, during) = watch(&experiment, &rules, held && rules.strategy.during());
        let (runs, whole) = method(&experiment, &mut stop, &lost, tell).await;
        journal["run"] = Value::Array(runs);
        drop(lost);
        if let Some(task) = during {
            let states: Vec<Value> = task.await.unwrap_or_default();
            deviated |= states.iter().any(|s| !met(s));
            journal["steady_states"]["during"] = Value::Array(states);
        }
        if !whole {
            status = "interrupted";
        } else if held && rules.strategy.after() {
            let state = steady(&experiment, tell, "after").await;
            deviated |= !met(&state);
            status = ended(&state);
            journal["steady_states"]["after"] = state;
        }
        let mut rollbacks = Vec::new();
        let are_run = rules.rollbacks.are_run(status, deviated);
        if !are_run && !experiment.rollbacks.is_empty() {
            tell(&format!("rollback  none is run: the strategy is {}", rules.rollbacks));
        }
        for activity in experiment.rollbacks.iter().filter(|_| are_run) {
            tell(&format!("rollback  {}", activity.name));
            let run = carry_out(&experiment, activity).await;
            tell_if_failed(&run, tell);
            rollbacks.push(run);
        }
        journal["rollbacks"] = Value::Array(rollbacks);
        if held {
            let seen = settled(&experiment, rules.settles, tell).await;
            undone = Some(seen.is_some());
            journal["bpci"] = json!({ "steady_again": seen.is_some(), "steady_again_after_ms": seen.map(|t| t.as_millis() as u64) });
        }
    }
    journal["status"] = status.into();
    journal["deviated"] = deviated.into();
    journal["end"] = stamp(Utc::now()).into();
    journal["duration"] = began.elapsed().as_secs_f64().into();
    Ended { journal, deviated, completed: status == "completed" && goes_on, undone }
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

fn met(state: &Value) -> bool {
    state["steady_state_met"] == true
}

/// A probe that could not be run fails the experiment; one that found something else completes it.
fn ended(state: &Value) -> &'static str {
    let failed = state["probes"].as_array().is_some_and(|l| l.iter().any(|p| p["status"] == "failed"));
    if failed { "failed" } else { "completed" }
}

/// Every probe of the steady state, up to the first that is not within its tolerance.
async fn steady(experiment: &Experiment, tell: &dyn Fn(&str), when: &str) -> Value {
    let state = steady_quietly(experiment).await;
    let last = state["probes"].as_array().and_then(|l| l.last()).and_then(|p| p["activity"]["name"].as_str());
    match (met(&state), last) {
        // What could not be asked says nothing about the state.
        (false, Some(name)) if ended(&state) == "failed" => {
            tell(&format!("steady    {when} the method: `{name}` could not be asked"));
            tell_if_failed(state["probes"].as_array().and_then(|l| l.last()).unwrap_or(&Value::Null), tell);
        }
        (true, _) => tell(&format!("steady    {when} the method: as expected")),
        (false, last) => {
            tell(&format!("steady    {when} the method: `{}` is not as expected", last.unwrap_or("?")))
        }
    }
    state
}

async fn steady_quietly(experiment: &Experiment) -> Value {
    let mut probes = Vec::new();
    let mut all = true;
    for activity in &experiment.hypothesis {
        let mut run = carry_out(experiment, activity).await;
        let asked = activity
            .tolerance
            .as_ref()
            .filter(|_| run["status"] == "succeeded")
            .map_or(Ok(true), |t| t.holds(&run["output"]));
        if let Err(reason) = &asked {
            // What cannot be told is no state that was not met.
            (run["status"], run["exception"]) = ("failed".into(), json!([reason]));
        }
        let holds = run["status"] == "succeeded" && asked == Ok(true);
        run["tolerance_met"] = holds.into();
        probes.push(run);
        if !holds {
            all = false;
            break;
        }
    }
    json!({ "steady_state_met": all, "probes": probes })
}

/// Looks at the steady state while the method runs, until the other end is dropped.
fn watch(
    experiment: &Arc<Experiment>,
    rules: &Rules,
    wanted: bool,
) -> (watch::Receiver<bool>, Option<JoinHandle<Vec<Value>>>) {
    let (tells, lost) = watch::channel(false);
    if !wanted {
        // Nobody tells: it is never lost.
        return (lost, None);
    }
    let (experiment, frequency, fail_fast) = (Arc::clone(experiment), rules.frequency, rules.fail_fast);
    let task = tokio::spawn(async move {
        let mut states = Vec::new();
        while !tells.is_closed() && states.len() < KEPT {
            let state = steady_quietly(&experiment).await;
            let holds = met(&state);
            states.push(state);
            if fail_fast && !holds {
                let _ = tells.send(true);
                break;
            }
            tokio::select! {
                () = tells.closed() => break,
                () = tokio::time::sleep(frequency) => {}
            }
        }
        states
    });
    (lost, Some(task))
}

/// Looks at a steady state that are kept during one method.
const KEPT: usize = 10_000;

/// The activities one after the other; those in the background are awaited at the end. False: it was ended early.
async fn method(
    experiment: &Arc<Experiment>,
    stop: &mut watch::Receiver<bool>,
    lost: &watch::Receiver<bool>,
    tell: &dyn Fn(&str),
) -> (Vec<Value>, bool) {
    let mut slots: Vec<Result<Value, JoinHandle<Value>>> = Vec::new();
    let mut whole = true;
    for activity in &experiment.method {
        if *stop.borrow() || *lost.borrow() {
            whole = false;
            break;
        }
        let kind = if activity.probe { "probe" } else { "action" };
        tell(&format!("{kind:<9} {}", activity.name));
        let (one, all) = (activity.clone(), Arc::clone(experiment));
        let task = tokio::spawn(async move { carry_out(&all, &one).await });
        if activity.background {
            slots.push(Err(task));
            continue;
        }
        let mut task = task;
        let mut ending = lost.clone();
        let ended = tokio::select! {
            done = &mut task => Ok(done.unwrap_or(Value::Null)),
            Ok(_) = stop.changed() => Err(()),
            Ok(_) = ending.changed() => Err(()),
        };
        match ended {
            Ok(run) => {
                tell_if_failed(&run, tell);
                slots.push(Ok(run));
            }
            Err(()) => {
                // Whether it had its effect is not known: the rollbacks are for that.
                task.abort();
                tell("stopped   the rollbacks follow");
                slots.push(Ok(
                    json!({ "activity": activity.raw, "output": Value::Null, "status": "aborted" }),
                ));
                whole = false;
                break;
            }
        }
    }
    let mut runs = Vec::new();
    for slot in slots {
        runs.push(match slot {
            Ok(run) => run,
            Err(task) if whole => task.await.unwrap_or(Value::Null),
            Err(task) => {
                task.abort();
                continue;
            }
        });
    }
    (runs, whole)
}

/// Why an activity was not carried out, below its name.
fn tell_if_failed(run: &Value, tell: &dyn Fn(&str)) {
    if let Some(reason) = run["exception"][0].as_str() {
        tell(&format!("          FAILED: {reason}"));
    }
}

/// Runs one activity with its pauses, and says how it went.
async fn carry_out(experiment: &Experiment, activity: &Activity) -> Value {
    let pauses = experiment.values.fill(&activity.raw["pauses"]);
    // What is no time was refused when it was read.
    let pause = |name: &str| provider::seconds(&pauses[name]).ok().flatten().unwrap_or_default();
    tokio::time::sleep(pause("before")).await;
    let (began, start) = (Instant::now(), Utc::now());
    let result = provider::run(&activity.provider, &experiment.values).await;
    let mut run = json!({ "activity": activity.raw, "output": Value::Null, "start": stamp(start) });
    match result {
        Ok(output) => (run["output"], run["status"]) = (output, "succeeded".into()),
        Err(reason) => (run["status"], run["exception"]) = ("failed".into(), json!([reason])),
    }
    run["end"] = stamp(Utc::now()).into();
    run["duration"] = began.elapsed().as_secs_f64().into();
    tokio::time::sleep(pause("after")).await;
    run
}

/// Waits for the steady state to be seen again; how long that took.
async fn settled(experiment: &Experiment, within: Duration, tell: &dyn Fn(&str)) -> Option<Duration> {
    let began = Instant::now();
    loop {
        if met(&steady_quietly(experiment).await) {
            tell(&format!(
                "undone    the steady state was seen again after {:.1} s",
                began.elapsed().as_secs_f64()
            ));
            return Some(began.elapsed());
        }
        if began.elapsed() >= within {
            tell(&format!("undone    NOT SEEN: the steady state did not come back within {within:?}"));
            return None;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

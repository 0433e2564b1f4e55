//! `bpci business-continuity recovery …`: operations, listed, followed, and told what to do.

use super::fail::Fail;
use super::named::{group_named, step_named};
use super::open::{self, Opened, Target};
use super::output::Output;
use super::story::new_lines;
use super::wait::settled;
use crate::model::*;
use crate::wording::question_words;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[derive(Debug, Subcommand)]
pub enum Operations {
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Follow an operation to its end
    Monitor {
        #[command(flatten)]
        target: Target,
        /// [default: the newest]
        #[arg(long)]
        operation_id: Option<OperationId>,
        /// Print each step as it happens
        #[arg(long)]
        real_time: bool,
        /// End with 1 as soon as it waits for a person
        #[arg(long)]
        alert_on_issues: bool,
    },
    Abort {
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        operation_id: OperationId,
        /// The running controller, where its target is not this file's: a refusal prints its id
        #[arg(long, value_name = "ID", requires = "config")]
        controller: Option<ControllerId>,
    },
    /// Undo the fence and the drain of an operation that has not handed over
    Rollback {
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        operation_id: OperationId,
    },
    /// Answer what an operation asks: try again, go on without a step, or a step is done
    Answer {
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        operation_id: OperationId,
        #[arg(long)]
        step: String,
        /// `done` (or go on without it) or `again`
        #[arg(long)]
        answer: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Accept that no synchronous standby protects the new primary yet
    AcceptUnprotected {
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        operation_id: OperationId,
    },
}

/// An order that ends something, to the controller that runs.
#[derive(Debug, Args)]
pub struct Emergency {
    #[command(flatten)]
    pub target: Target,
    /// The running controller, where its target is not this file's: a refusal prints its id
    #[arg(long, value_name = "ID", requires = "config")]
    pub controller: Option<ControllerId>,
}

fn current_phase(o: &Operation) -> Option<Phase> {
    o.plan.steps.iter().zip(&o.steps).find(|(_, r)| !r.state.opens()).map(|(s, _)| s.phase)
}

pub fn operation_json(estate: &Estate, o: &Operation) -> Value {
    json!({
        "recovery_operation_id": o.id.to_string(),
        "status": o.status.name(),
        "protection_group": estate.group(o.group).name,
        "plan": o.plan.name,
        "from": estate.region(o.from).name,
        "to": estate.member_label(o.group, o.to, None),
        "by": o.by.to_string(),
        "recovery_phases": phases_of(&o.plan),
        "current_phase": current_phase(o).map(Phase::published),
        "steps": o.plan.steps.iter().zip(&o.steps).map(|(s, r)| json!({
            "id": s.id, "phase": s.phase, "state": step_word(&r.state), "took_ms": r.took(),
        })).collect::<Vec<_>>(),
        "closed_because": crate::wording::closed_words(o, &o.status, estate),
        "question": if let Status::Waiting { question } = &o.status { Some(question_words(question)) } else { None },
        "recovery_time_actual_ms": o.recovery_time(),
        "writable_ms": o.results.writable.map(|t| t.since(o.started)),
        "served_ms": o.results.served.map(|t| t.since(o.started)),
        "protected_ms": o.results.protected.map(|t| t.since(o.started)),
        "data_loss_actual": o.results.loss.as_ref().map(ToString::to_string),
        "data_loss_at_least_bytes": match &o.results.loss { Some(Loss::Nothing) => Some(0), Some(Loss::AtLeast(b)) => Some(b.0), _ => None },
        "remains": o.remains.len(),
    })
}

pub fn phases_of(plan: &Plan) -> Vec<&'static str> {
    Phase::ALL.iter().filter(|p| plan.steps.iter().any(|s| s.phase == **p)).map(|p| p.published()).collect()
}

pub fn step_word(state: &StepState) -> &'static str {
    match state {
        StepState::Pending => "pending",
        StepState::Running => "running",
        StepState::Done { .. } => "done",
        StepState::Failed { .. } => "failed",
        StepState::Skipped { .. } => "skipped",
    }
}

pub fn operation_words(estate: &Estate, o: &Operation) -> String {
    let place = format!("{} → {}", estate.region(o.from).name, estate.member_label(o.group, o.to, None));
    let served = o.recovery_time().map_or(String::new(), |t| format!(" · users served after {}", t.exact()));
    let lost = o.results.loss.as_ref().map_or(String::new(), |l| format!(" · lost {l}"));
    let asks = if let Status::Waiting { question } = &o.status {
        format!(": {}", question_words(question))
    } else {
        String::new()
    };
    let asks = crate::wording::closed_words(o, &o.status, estate).map_or(asks, |why| format!(": {why}"));
    format!(
        "{}  {} {place} on {}: {}{asks}{served}{lost}",
        o.id,
        o.plan.name,
        estate.group(o.group).name,
        o.status.word()
    )
}

/// How long a controller of our own runs on while an operation waits that may still be undone by itself: a healthy primary
/// renews its lease within Patroni's `loop_wait`, which is 10 s unless somebody set it otherwise.
const MAY_BE_UNDONE: Duration = Duration::from_secs(25);

/// Nothing was handed over and there is something to undo, which needs no person once the old primary is seen to lead on.
fn may_be_undone(operation: &Operation) -> bool {
    operation.intent() == Intent::Failover && !operation.handed_over() && !operation.obligations().is_empty()
}

/// Prints what happens until the operation is over, or waits for a person.
pub async fn follow(opened: &Opened, id: OperationId, mut print: bool, stop_at_questions: bool) {
    let mut told = opened.handle.snapshot().log_total;
    let mut end = std::pin::pin!(crate::controller::told_to_end());
    let mut waiting: Option<Instant> = None;
    loop {
        let snapshot = opened.handle.snapshot();
        if print && new_lines(&snapshot.log, snapshot.log_total, &mut told).is_err() {
            if !opened.own {
                return;
            }
            // Nobody reads on; the operation needs this controller all the same.
            print = false;
        }
        let Some(operation) = snapshot.operations.iter().find(|o| o.id == id) else { return };
        let waits = matches!(operation.status, Status::Waiting { .. });
        waiting = waiting.filter(|_| waits).or_else(|| waits.then(Instant::now));
        let hopeless =
            || !may_be_undone(operation) || waiting.is_some_and(|since| since.elapsed() >= MAY_BE_UNDONE);
        if operation.is_over() || (waits && (stop_at_questions || (opened.own && hopeless()))) {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)), if waits => {}
            alive = opened.handle.changed() => if !alive { return },
            () = &mut end => return,
        }
    }
}

pub async fn run(command: Operations) -> Result<(), Fail> {
    let (target, action): (Target, Option<Action>) = match &command {
        Operations::List { target } | Operations::Monitor { target, .. } => (target.clone(), None),
        Operations::Abort { target, operation_id, .. } => {
            (target.clone(), Some(Action::Abort { operation: *operation_id }))
        }
        Operations::Rollback { target, operation_id } => {
            (target.clone(), Some(Action::Rollback { operation: *operation_id }))
        }
        Operations::AcceptUnprotected { target, operation_id } => {
            (target.clone(), Some(Action::AcceptUnprotected { operation: *operation_id }))
        }
        Operations::Answer { target, .. } => (target.clone(), None),
    };
    let opened = match &command {
        Operations::Abort { controller: Some(id), .. } => open::running(&target, Some(*id)).await?,
        _ => open::controller(&target).await?,
    };
    settled(&opened).await;
    let result = async {
        let snapshot = opened.handle.snapshot();
        let newest = snapshot.operations.back().map(|o| o.id);
        match command {
            Operations::List { .. } => {
                let list: Vec<Value> =
                    snapshot.operations.iter().map(|o| operation_json(&snapshot.estate, o)).collect();
                let words = || match list.is_empty() {
                    true => vec!["no operation so far".to_string()],
                    false => {
                        snapshot.operations.iter().map(|o| operation_words(&snapshot.estate, o)).collect()
                    }
                };
                target.output.print(&json!({ "operations": list }), words)
            }
            Operations::Monitor { operation_id, real_time, alert_on_issues, .. } => {
                let id =
                    operation_id.or(newest).ok_or_else(|| Fail::failed("there is no operation to follow"))?;
                follow(&opened, id, real_time, alert_on_issues).await;
                let snapshot = opened.handle.snapshot();
                let Some(o) = snapshot.operations.iter().find(|o| o.id == id) else {
                    return Err(Fail::failed(format!("there is no {id}")));
                };
                target.output.print(&operation_json(&snapshot.estate, o), || {
                    vec![operation_words(&snapshot.estate, o)]
                })?;
                if matches!(o.status, Status::Waiting { .. } | Status::Failed { .. }) {
                    Err(Fail::failed("it needs a person"))
                } else {
                    Ok(())
                }
            }
            Operations::Answer { operation_id, step, answer, note, .. } => {
                let done = match answer.as_str() {
                    "done" => true,
                    "again" => false,
                    other => return Err(Fail::usage(format!("`{other}` is no answer; write done or again"))),
                };
                let step = step_named(&snapshot, operation_id, &step).map_err(Fail::usage)?;
                tell(&opened, &target.output, Action::Answer { operation: operation_id, step, done, note })
                    .await
            }
            Operations::Abort { operation_id, .. }
            | Operations::Rollback { operation_id, .. }
            | Operations::AcceptUnprotected { operation_id, .. } => {
                let Some(action) = action else { return Ok(()) };
                tell(&opened, &target.output, action).await?;
                // A controller of our own must live until what it was told is done.
                if opened.own {
                    follow(&opened, operation_id, target.output.is_text(), false).await;
                }
                Ok(())
            }
        }
    }
    .await;
    opened.close().await;
    result
}

/// `bc vouch`.
pub async fn vouch(target: &Target, service: &str, note: String) -> Result<(), Fail> {
    let opened = open::controller(target).await?;
    settled(&opened).await;
    let group = group_named(&opened.handle.snapshot().estate, service).map_err(Fail::usage);
    let result = match group {
        Ok(group) => tell(&opened, &target.output, Action::Vouch { group, note }).await,
        Err(fail) => Err(fail),
    };
    opened.close().await;
    result
}

async fn tell(opened: &Opened, output: &Output, action: Action) -> Result<(), Fail> {
    opened.handle.order(action).await.map_err(|r| Fail::refused(&r))?;
    output.done("done")
}

/// `bc disarm`
pub async fn disarm(ask: &Emergency) -> Result<(), Fail> {
    let opened = open::running(&ask.target, ask.controller).await?;
    let result = tell(&opened, &ask.target.output, Action::Disarm).await;
    opened.close().await;
    result
}

/// `bc stop`: every countdown, because a person who stops one does not mean one of two.
pub async fn stop_countdowns(ask: &Emergency) -> Result<(), Fail> {
    let opened = open::running(&ask.target, ask.controller).await?;
    let counting: Vec<ProposalId> =
        opened.handle.snapshot().proposals.iter().filter(|v| v.counts()).map(|v| v.proposal.id).collect();
    let (mut stopped, mut result) = (0, Ok(()));
    for proposal in counting {
        match opened.handle.order(Action::StopAutomatic { proposal }).await {
            Ok(_) => stopped += 1,
            Err(refusal) => result = result.and(Err(Fail::refused(&refusal))),
        }
    }
    let words = || match (stopped, &result) {
        (0, Ok(())) => vec!["no countdown runs".to_string()],
        _ => vec!["done".to_string(); stopped],
    };
    let printed = ask.target.output.print(&json!({ "countdowns_stopped": stopped }), words);
    opened.close().await;
    printed.and(result)
}

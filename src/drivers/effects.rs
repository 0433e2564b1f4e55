//! Effects on real systems: each is sent once, and each can be asked about afterwards.

use super::door::{Eyes, Shared};
use super::http::PostError;
use super::postgres::Write;
use super::{command, haproxy};
use crate::model::*;
use serde_json::json;
use std::time::{Duration, Instant};

fn not_done(reason: impl Into<String>) -> Outcome {
    Outcome::NotDone { reason: reason.into() }
}

fn group_of(effect: &Effect) -> Option<GroupId> {
    match effect {
        Effect::Claim { group, .. }
        | Effect::Release { group, .. }
        | Effect::Fence { group, .. }
        | Effect::UndoFence { group, .. }
        | Effect::SwitchOver { group, .. }
        | Effect::Drain { group, .. }
        | Effect::Restore { group, .. }
        | Effect::ValidateWrite { group, .. } => Some(*group),
        Effect::HandOver(h) => Some(h.group),
        Effect::Command { .. } => None,
    }
}

/// The generation tells the runs of operations with the same number apart.
fn run_name(shared: &Shared) -> String {
    shared.estate.name.clone()
}

pub async fn carry_out(shared: &Shared, issued: Issued) {
    let (at, began) = (shared.now(), Instant::now());
    let outcome = match group_of(&issued.effect).map(|g| shared.groups.get(&g)) {
        Some(None) => not_done("this group has no database any more"),
        Some(Some(eyes)) => on_database(shared, eyes, &issued).await,
        None => match &issued.effect {
            Effect::Command { argv, timeout } => command::run(&shared.receipts, issued.id, &run_name(shared), argv, timeout.as_std()).await,
            _ => not_done("nothing to do"),
        },
    };
    let took = Span(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
    shared.report(Report { id: issued.id, at, took, outcome }).await;
}

async fn on_database(shared: &Shared, eyes: &Eyes, issued: &Issued) -> Outcome {
    match &issued.effect {
        Effect::Claim { value, revision, .. } => named(eyes.etcd.claim(&eyes.database, value, *revision).await, "claimed"),
        Effect::Release { value, over, .. } => named(eyes.etcd.release(&eyes.database, value, over).await, "the claim is released"),
        Effect::HandOver(h) => eyes.etcd.hand_over(&eyes.database, issued.id, h).await,
        Effect::Fence { region, .. } => fence(shared, eyes, issued.id, *region, |f| Some(&f.exec)).await,
        Effect::UndoFence { region, .. } => fence(shared, eyes, issued.id, *region, |f| f.undo.as_ref()).await,
        Effect::SwitchOver { from, to, .. } => switch_over(eyes, from, to).await,
        Effect::Drain { region, balancer, .. } => maintenance(shared, eyes, *region, *balancer, true).await,
        Effect::Restore { region, balancer, .. } => maintenance(shared, eyes, *region, *balancer, false).await,
        Effect::ValidateWrite { via, primary, not, system_id, deadline, .. } => {
            let until = Instant::now() + deadline.as_std();
            validate(eyes, issued.id, *via, *primary, *not, system_id.as_deref(), until).await
        }
        Effect::Command { .. } => not_done("nothing to do"),
    }
}

fn named(outcome: Outcome, detail: &str) -> Outcome {
    match outcome {
        Outcome::Done { .. } => Outcome::Done { detail: detail.to_string() },
        other => other,
    }
}

async fn fence(shared: &Shared, eyes: &Eyes, id: EffectId, region: RegionId, which: impl Fn(&Fence) -> Option<&Vec<String>>) -> Outcome {
    let Some(fence) = &eyes.database.fence else { return not_done("no fence is configured") };
    let Some(argv) = which(fence) else { return not_done("no such command is configured") };
    let name = &shared.estate.region(region).name;
    let argv = command::filled(argv, name, &eyes.member_name(region, name));
    command::run(&shared.receipts, id, &run_name(shared), &argv, fence.timeout.as_std()).await
}

async fn switch_over(eyes: &Eyes, from: &str, to: &str) -> Outcome {
    let member = eyes.addresses.get().into_iter().find(|m| *m.name == *from);
    let Some(rest) = member.and_then(|m| m.region).and_then(|r| eyes.database.member(r)).map(|m| m.rest.clone()) else {
        return not_done(format!("the address of {from} is not known"));
    };
    let body = json!({"leader": from, "candidate": to});
    outcome_of(eyes.http.post(&format!("{rest}/switchover"), &body, Duration::from_secs(45)).await)
}

/// What an answer to a switchover says of it.
fn outcome_of(answer: Result<String, PostError>) -> Outcome {
    match answer {
        Ok(text) => Outcome::Done { detail: text.lines().next().unwrap_or_default().chars().take(120).collect() },
        Err(PostError::Lost(reason)) => Outcome::Unknown { reason },
        // 503 «status unknown» and its like: the request may stand in the store all the same.
        Err(e @ PostError::Answered(500.., _)) => Outcome::Unknown { reason: e.to_string() },
        Err(e) => not_done(e.to_string()),
    }
}

/// The name of a member's server on a balancer.
async fn server_name(shared: &Shared, eyes: &Eyes, region: RegionId, balancer: &Balancer) -> Result<ServerView, String> {
    let text = haproxy::ask(&balancer.address, "show stat").await.map_err(|(reason, _)| reason)?;
    let servers = haproxy::parse_servers(&text, &eyes.database.backend)?;
    let views = haproxy::server_views(servers, &eyes.addresses.get(), |name| shared.estate.region_named(name));
    let name = &shared.estate.region(region).name;
    views.into_iter().find(|v| v.region == Some(region)).ok_or_else(|| format!("no server of {} is {name}", eyes.database.backend))
}

async fn maintenance(shared: &Shared, eyes: &Eyes, region: RegionId, balancer: BalancerId, out: bool) -> Outcome {
    let Some(at) = eyes.database.balancers.get(balancer.at()) else { return not_done("no such balancer") };
    let server = match server_name(shared, eyes, region, at).await {
        Ok(view) => format!("{}/{}", eyes.database.backend, view.name),
        Err(reason) => return not_done(reason),
    };
    let state = if out { "maint" } else { "ready" };
    let mut commands = vec![format!("set server {server} state {state}")];
    if out {
        commands.push(format!("shutdown sessions server {server}"));
    }
    for command in commands {
        match haproxy::ask(&at.address, &command).await {
            Ok(answer) if answer.trim().is_empty() => {}
            Ok(answer) => return not_done(answer.trim().to_string()),
            Err((reason, true)) => return Outcome::Unknown { reason },
            Err((reason, false)) => return not_done(reason),
        }
    }
    // As HAProxy names it, and what that means.
    let means = if out { "its sessions ended" } else { "in rotation" };
    Outcome::Done { detail: format!("{server} {state}: {means}") }
}

/// The address that a validating write goes to.
fn way(eyes: &Eyes, via: Via, primary: RegionId) -> Option<String> {
    match via {
        Via::Primary => eyes.addresses.sql(primary),
        Via::Entry => eyes.database.entry.clone(),
    }
}

async fn validate(eyes: &Eyes, id: EffectId, via: Via, primary: RegionId, not: Option<RegionId>, system: Option<&str>, until: Instant) -> Outcome {
    let Some(sql) = &eyes.sql else {
        return not_done("no `postgres` login is configured, so no write can be validated");
    };
    let Some(address) = way(eyes, via, primary) else { return not_done("its address is not known") };
    let old = not.and_then(|r| eyes.addresses.sql(r));
    let write = Write { address: &address, not: old.as_deref(), system_id: system, id };
    loop {
        match write.once(sql, eyes.patience.with(primary)).await {
            Ok(detail) => return Outcome::Done { detail },
            // One row under one id: to write it again is to write it once.
            Err(reason) if Instant::now() > until => return not_done(reason),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Finds out whether an effect happened whose report was lost.
pub async fn find_out(shared: &Shared, issued: Issued) {
    let at = shared.now();
    let outcome = match group_of(&issued.effect).and_then(|g| shared.groups.get(&g)) {
        Some(eyes) => observed(shared, eyes, &issued).await,
        None => command::outcome(&shared.receipts, issued.id, &run_name(shared)),
    };
    shared.report(Report { id: issued.id, at, took: Span::ZERO, outcome }).await;
}

fn told(answer: Result<bool, String>, detail: &str) -> Outcome {
    match answer {
        Ok(true) => Outcome::Done { detail: format!("{detail}, as was seen afterwards") },
        Ok(false) => Outcome::Missed { reason: "as was seen afterwards".to_string() },
        Err(reason) => Outcome::Unknown { reason },
    }
}

async fn observed(shared: &Shared, eyes: &Eyes, issued: &Issued) -> Outcome {
    match &issued.effect {
        Effect::Claim { value, .. } => told(eyes.etcd.operation(&eyes.database).await.map(|v| v.as_ref() == Some(value)), "claimed"),
        Effect::Release { over, .. } => told(eyes.etcd.operation(&eyes.database).await.map(|v| v.as_ref() == Some(over)), "the claim is released"),
        Effect::HandOver(_) => told(eyes.etcd.handed_over(&eyes.database, issued.id).await, "handed over"),
        Effect::Fence { .. } | Effect::UndoFence { .. } | Effect::Command { .. } => command::outcome(&shared.receipts, issued.id, &run_name(shared)),
        Effect::Drain { region, balancer, .. } | Effect::Restore { region, balancer, .. } => {
            let out = matches!(issued.effect, Effect::Drain { .. });
            match eyes.database.balancers.get(balancer.at()) {
                Some(at) => told(server_name(shared, eyes, *region, at).await.map(|v| v.maintenance == out), "done"),
                None => not_done("no such balancer"),
            }
        }
        Effect::ValidateWrite { via, primary, .. } => match (&eyes.sql, way(eyes, *via, *primary)) {
            (Some(sql), Some(address)) => told(Write { address: &address, not: None, system_id: None, id: issued.id }.arrived(sql).await, "written"),
            _ => not_done("it was never sent"),
        },
        Effect::SwitchOver { to, .. } => switched(eyes, to).await,
    }
}

async fn switched(eyes: &Eyes, to: &str) -> Outcome {
    match eyes.etcd.read(&eyes.database).await {
        Err(reason) => Outcome::Unknown { reason },
        Ok(keys) => {
            let record = super::etcd::record(&eyes.database, &keys, &mut eyes.addresses.get());
            if record.leader.as_ref().is_some_and(|l| *l.name == *to) {
                return Outcome::Done { detail: format!("{to} leads, as was seen afterwards") };
            }
            match record.failover.and_then(|f| f.content) {
                Some(_) => Outcome::Unknown { reason: "the request stands in the store".to_string() },
                None => Outcome::Missed { reason: "as was seen afterwards".to_string() },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may have been heard is not «not done»: it is looked for.
    #[test]
    fn a_switchover_whose_answer_is_no_answer_is_unknown() {
        let cases = [
            (Ok("Successfully switched over to \"eu\"".to_string()), "done"),
            (Err(PostError::Answered(412, "leader name does not match".to_string())), "not done"),
            (Err(PostError::Answered(400, "no such candidate".to_string())), "not done"),
            (Err(PostError::NotSent("connection refused".to_string())), "not done"),
            (Err(PostError::Answered(503, "Switchover status unknown".to_string())), "unknown"),
            (Err(PostError::Answered(500, String::new())), "unknown"),
            (Err(PostError::Lost("no answer in time".to_string())), "unknown"),
        ];
        for (answer, expected) in cases {
            let outcome = outcome_of(answer);
            let word = match &outcome {
                Outcome::Done { .. } => "done",
                Outcome::NotDone { .. } => "not done",
                Outcome::Unknown { .. } => "unknown",
                Outcome::Missed { .. } => "missed",
                Outcome::Assumed { .. } => "assumed",
            };
            assert_eq!(word, expected, "{outcome:?}");
        }
    }
}

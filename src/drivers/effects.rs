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
        Effect::Fence { member, .. } => fence(shared, eyes, issued.id, *member, |f| Some(&f.exec)).await,
        Effect::UndoFence { member, .. } => fence(shared, eyes, issued.id, *member, |f| f.undo.as_ref()).await,
        Effect::SwitchOver { from, to, .. } => switch_over(eyes, from, to).await,
        Effect::Drain { member, balancer, .. } => maintenance(shared, eyes, *member, *balancer, true).await,
        Effect::Restore { member, balancer, .. } => maintenance(shared, eyes, *member, *balancer, false).await,
        Effect::ValidateWrite { via, primary, not, system_id, deadline, .. } => {
            let until = Instant::now() + deadline.as_std();
            validate(eyes, issued.id, *via, *primary, not, system_id.as_deref(), until).await
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

async fn fence(shared: &Shared, eyes: &Eyes, id: EffectId, member: MemberId, which: impl Fn(&Fence) -> Option<&Vec<String>>) -> Outcome {
    let Some(fence) = &eyes.database.fence else { return not_done("no fence is configured") };
    let Some(argv) = which(fence) else { return not_done("no such command is configured") };
    let region = eyes.region_name(&shared.estate, member);
    let Some(name) = eyes.member_name(member) else {
        return not_done(format!("the name of the member in {region} is not known: nobody knows what to fence"));
    };
    let argv = command::filled(argv, region, &name);
    command::run(&shared.receipts, id, &run_name(shared), &argv, fence.timeout.as_std()).await
}

async fn switch_over(eyes: &Eyes, from: &str, to: &str) -> Outcome {
    let member = eyes.addresses.get().into_iter().find(|m| *m.name == *from);
    let Some(rest) = member.and_then(|m| m.member).and_then(|m| eyes.database.member(m)).map(|m| m.rest.clone()) else {
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

/// The servers of a member on a balancer: one member may have several.
///
/// # Errors
/// The balancer does not answer, or has no server of the member.
async fn servers_of(shared: &Shared, eyes: &Eyes, member: MemberId, balancer: &Balancer) -> Result<Vec<ServerView>, String> {
    let text = haproxy::ask(&balancer.address, "show stat").await.map_err(|(reason, _)| reason)?;
    let servers = haproxy::parse_servers(&text, &eyes.database.backend)?;
    let views = haproxy::server_views(servers, &eyes.addresses.get(), |name| super::look::member_named(shared, eyes, name));
    let own: Vec<ServerView> = views.into_iter().filter(|v| v.member == Some(member)).collect();
    if own.is_empty() {
        let name = eyes.member_name(member).unwrap_or_else(|| eyes.region_name(&shared.estate, member).to_string());
        return Err(format!("no server of {} is {name}", eyes.database.backend));
    }
    Ok(own)
}

async fn maintenance(shared: &Shared, eyes: &Eyes, member: MemberId, balancer: BalancerId, out: bool) -> Outcome {
    let Some(at) = eyes.database.balancers.get(balancer.at()) else { return not_done("no such balancer") };
    let servers: Vec<String> = match servers_of(shared, eyes, member, at).await {
        Ok(views) => views.iter().map(|view| format!("{}/{}", eyes.database.backend, view.name)).collect(),
        Err(reason) => return not_done(reason),
    };
    let state = if out { "maint" } else { "ready" };
    let set = servers.iter().map(|server| format!("set server {server} state {state}"));
    let end = servers.iter().filter(|_| out).map(|server| format!("shutdown sessions server {server}"));
    for command in set.chain(end) {
        match haproxy::ask(&at.address, &command).await {
            Ok(answer) if answer.trim().is_empty() => {}
            Ok(answer) => return not_done(answer.trim().to_string()),
            Err((reason, true)) => return Outcome::Unknown { reason },
            Err((reason, false)) => return not_done(reason),
        }
    }
    // As HAProxy names it, and what that means.
    let means = if out { "its sessions ended" } else { "in rotation" };
    Outcome::Done { detail: format!("{} {state}: {means}", servers.join(", ")) }
}

/// The address that a validating write goes to.
fn way(eyes: &Eyes, via: Via, primary: MemberId) -> Option<String> {
    match via {
        Via::Primary => eyes.addresses.sql(primary),
        Via::Entry => eyes.database.entry.clone(),
    }
}

async fn validate(eyes: &Eyes, id: EffectId, via: Via, primary: MemberId, not: &[MemberId], system: Option<&str>, until: Instant) -> Outcome {
    let Some(sql) = &eyes.sql else {
        return not_done("no `postgres` login is configured, so no write can be validated");
    };
    let Some(address) = way(eyes, via, primary) else { return not_done("its address is not known") };
    let old: Vec<String> = not.iter().filter_map(|member| eyes.addresses.sql(*member)).collect();
    let write = Write { address: &address, not: &old, system_id: system, id };
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
        Effect::Drain { member, balancer, .. } | Effect::Restore { member, balancer, .. } => {
            let out = matches!(issued.effect, Effect::Drain { .. });
            match eyes.database.balancers.get(balancer.at()) {
                Some(at) => told(servers_of(shared, eyes, *member, at).await.map(|list| list.iter().all(|v| v.maintenance == out)), "done"),
                None => not_done("no such balancer"),
            }
        }
        Effect::ValidateWrite { via, primary, .. } => match (&eyes.sql, way(eyes, *via, *primary)) {
            (Some(sql), Some(address)) => told(Write { address: &address, not: &[], system_id: None, id: issued.id }.arrived(sql).await, "written"),
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

//! Effects on real systems: each is sent once, and each can be asked about afterwards.

use super::boottime::BootTime;
use super::claim::{self, Claiming, Decided, Permit};
use super::eyes::{Eyes, Shared};
use super::kinds::{RouteAt, RouteChange};
use super::postgres::Write;
use super::{command, switchover};
use crate::engine::{Promotion, unspent};
use crate::model::*;
use std::sync::Arc;
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
        Effect::Command { group, .. } => *group,
    }
}

/// The generation tells the runs of operations with the same number apart.
fn run_name(shared: &Shared) -> String {
    shared.estate.name.clone()
}

/// Carries out what was decided at that moment, and reports.
pub async fn carry_out(shared: &Arc<Shared>, issued: Issued, decided: BootTime) {
    let issued = Decided { issued, at: decided };
    let (at, began) = (shared.now(), Instant::now());
    let group = group_of(&issued.effect);
    let outcome = match (group, group.and_then(|g| shared.groups.get(&g))) {
        (Some(group), Some(eyes)) => on_database(shared, group, eyes, &issued).await,
        (_, None) => match &issued.effect {
            // Of a plan without a database: nobody has a claim there.
            Effect::Command { argv, timeout, .. } => run(shared, None, &issued, argv, *timeout).await,
            _ => not_done("this group has no database any more"),
        },
        (None, Some(_)) => not_done("nothing to do"),
    };
    let took = Span(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
    shared.report(Report { id: issued.id, at, took, outcome }).await;
}

/// Carries out a promotion, and reports. Its proofs are looked at once more right before it is sent.
pub async fn promote(shared: &Arc<Shared>, promotion: Promotion, submitted: Mono, decided: BootTime) {
    let (at, began, id) = (shared.now(), Instant::now(), promotion.id());
    // Counted on a clock that goes on while the machine is suspended.
    let passed = Span(u64::try_from(decided.elapsed().as_millis()).unwrap_or(u64::MAX));
    let outcome = match promotion.spend(submitted.plus(passed)) {
        Ok((id, act)) => match shared.groups.get(&act.group) {
            Some(eyes) => claim::hand_over(eyes, id, &act).await,
            None => not_done("this group has no database any more"),
        },
        Err((id, why)) => unspent(id, at, why).outcome,
    };
    let took = Span(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
    shared.report(Report { id, at, took, outcome }).await;
}

async fn on_database(shared: &Arc<Shared>, group: GroupId, eyes: &Eyes, issued: &Decided) -> Outcome {
    match &issued.effect {
        Effect::Claim { .. } | Effect::Release { .. } => on_store(shared, group, eyes, issued).await,
        // No act is one: it comes as a promotion, with its proofs.
        Effect::HandOver(_) => not_done("it has no proof"),
        Effect::Fence { member, .. } => fence(shared, eyes, issued, *member, |f| Some(&f.exec)).await,
        Effect::UndoFence { member, .. } => fence(shared, eyes, issued, *member, |f| f.undo.as_ref()).await,
        Effect::SwitchOver { from, to, .. } => switchover::send(shared, eyes, issued, from, to).await,
        Effect::Drain { member, balancer, .. } => {
            maintenance(shared, eyes, issued, *member, *balancer, true).await
        }
        Effect::Restore { member, balancer, .. } => {
            maintenance(shared, eyes, issued, *member, *balancer, false).await
        }
        Effect::ValidateWrite { via, primary, not, system_id, deadline, .. } => {
            let until = Instant::now() + deadline.as_std();
            validate(eyes, issued.id, *via, *primary, not, system_id.as_deref(), until).await
        }
        Effect::Command { argv, timeout, .. } => run(shared, Some(eyes), issued, argv, *timeout).await,
    }
}

async fn on_store(shared: &Arc<Shared>, group: GroupId, eyes: &Eyes, issued: &Issued) -> Outcome {
    match &issued.effect {
        Effect::Claim { value, revision, owner_revision, legacy_revision, .. } => {
            let wanted = Claiming {
                value,
                revision: *revision,
                owner_revision: *owner_revision,
                legacy_revision: *legacy_revision,
            };
            claim::claim(shared, group, eyes, &wanted).await
        }
        Effect::Release { value, over, .. } => claim::release(eyes, value, over).await,
        _ => not_done("nothing to do"),
    }
}

async fn fence(
    shared: &Shared,
    eyes: &Eyes,
    issued: &Decided,
    member: MemberId,
    which: impl Fn(&Fence) -> Option<&Vec<String>>,
) -> Outcome {
    let Some(fence) = &eyes.database.fence else { return not_done("no fence is configured") };
    let Some(argv) = which(fence) else { return not_done("no such command is configured") };
    let region = eyes.region_name(&shared.estate, member);
    let Some(name) = eyes.member_name(member) else {
        return not_done(format!(
            "the name of the member in {region} is not known: nobody knows what to fence"
        ));
    };
    let argv = command::filled(argv, region, &name);
    run(shared, Some(eyes), issued, &argv, fence.timeout).await
}

/// Runs a command while the claim stands, and ends it when the claim could not be renewed in time.
async fn run(
    shared: &Shared,
    eyes: Option<&Eyes>,
    issued: &Decided,
    argv: &[String],
    timeout: Span,
) -> Outcome {
    let permit = match eyes {
        None => None,
        Some(eyes) => {
            match claim::permit(shared, eyes, issued).await.and_then(|p| p.stands(eyes).map(|()| p)) {
                Ok(permit) => Some(permit),
                Err(reason) => return Outcome::Missed { reason },
            }
        }
    };
    let starts_by = permit.as_ref().and_then(Permit::ends);
    let claimed = eyes.filter(|_| starts_by.is_some());
    let may_run = || claimed.map_or(Ok(()), Eyes::holds_claim);
    command::Run {
        directory: &shared.receipts,
        id: issued.id,
        began: &run_name(shared),
        timeout: timeout.as_std(),
        starts_by,
    }
    .run(argv, may_run)
    .await
}

async fn maintenance(
    shared: &Shared,
    eyes: &Eyes,
    issued: &Decided,
    member: MemberId,
    balancer: BalancerId,
    out: bool,
) -> Outcome {
    let Some(at) = RouteAt::new(shared, eyes, balancer) else { return not_done("no such balancer") };
    match at.lines_of(member).await {
        Ok(lines) => at.set(&RouteChange { issued, member, lines, out }).await,
        Err(reason) => not_done(reason),
    }
}

/// The address that a validating write goes to.
fn way(eyes: &Eyes, via: Via, primary: MemberId) -> Option<String> {
    match via {
        Via::Primary => eyes.addresses.sql(primary),
        Via::Entry => eyes.database.entry.clone(),
    }
}

async fn validate(
    eyes: &Eyes,
    id: EffectId,
    via: Via,
    primary: MemberId,
    not: &[MemberId],
    system: Option<&str>,
    until: Instant,
) -> Outcome {
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
pub async fn find_out(shared: &Arc<Shared>, issued: Issued) {
    let at = shared.now();
    let group = group_of(&issued.effect);
    let outcome = match (group, group.and_then(|g| shared.groups.get(&g))) {
        (Some(group), Some(eyes)) => observed(shared, group, eyes, &issued).await,
        _ => command::outcome(&shared.receipts, issued.id, &run_name(shared)),
    };
    shared.report(Report { id: issued.id, at, took: Span::ZERO, outcome }).await;
}

fn told(answer: Result<bool, String>, detail: &str) -> Outcome {
    match answer {
        Ok(true) => Outcome::Done {
            detail: format!("{detail}; the answer was lost, and it was seen to have happened"),
        },
        Ok(false) => Outcome::Missed {
            reason: "its answer was lost, and it was seen that it did not happen".to_string(),
        },
        Err(reason) => Outcome::Unknown { reason },
    }
}

async fn observed(shared: &Arc<Shared>, group: GroupId, eyes: &Eyes, issued: &Issued) -> Outcome {
    match &issued.effect {
        Effect::Claim { value, revision, owner_revision, legacy_revision, .. } => {
            let wanted = Claiming {
                value,
                revision: *revision,
                owner_revision: *owner_revision,
                legacy_revision: *legacy_revision,
            };
            claim::find_claim(shared, group, eyes, &wanted).await
        }
        Effect::Release { value, .. } => claim::find_release(eyes, value).await,
        Effect::HandOver(h) => claim::find_hand_over(eyes, issued.id, h).await,
        Effect::Fence { .. } | Effect::UndoFence { .. } | Effect::Command { .. } => {
            command::outcome(&shared.receipts, issued.id, &run_name(shared))
        }
        Effect::Drain { member, balancer, .. } | Effect::Restore { member, balancer, .. } => {
            let out = matches!(issued.effect, Effect::Drain { .. });
            match RouteAt::new(shared, eyes, *balancer) {
                Some(at) => {
                    let all =
                        at.lines_of(*member).await.map(|list| list.iter().all(|v| v.maintenance == out));
                    told(all, if out { "drained" } else { "in rotation" })
                }
                None => not_done("no such balancer"),
            }
        }
        Effect::ValidateWrite { via, primary, .. } => match (&eyes.sql, way(eyes, *via, *primary)) {
            (Some(sql), Some(address)) => told(
                Write { address: &address, not: &[], system_id: None, id: issued.id }.arrived(sql).await,
                "written",
            ),
            _ => not_done("it was never sent"),
        },
        Effect::SwitchOver { to, .. } => switchover::find_out(eyes, issued.id, to).await,
    }
}

//! How an operation ends although its plan is not done. Nothing unfinished keeps the next operation away: an operation that
//! cannot go on closes itself with a typed reason. One with an effect of unknown outcome does not close; it says what would
//! settle that.

use super::begins::may_begin;
use super::sent::moved_to;
use crate::engine::kernel::engine::Engine;
use crate::engine::kernel::facts::Facts;
use crate::engine::kernel::{limits, votes};
use crate::model::*;

/// The status in which the operation ends, or waits for an unknown effect; `None`: it goes on.
pub fn of(engine: &Engine, now: Now, operation: &Operation) -> Option<Status> {
    if operation.intent() == Intent::Guided {
        return None;
    }
    let cx = engine.facts(now);
    let end = elected(engine, now, operation)
        .or_else(|| lost(&cx, operation))
        .or_else(|| not_validated(&cx, operation))?;
    let counts = |e: &&EffectRecord| {
        e.is_open() && !matches!(e.effect, Effect::ValidateWrite { .. } | Effect::Release { .. })
    };
    match operation.effects().find(counts) {
        None => Some(end),
        // Its report comes in a moment.
        Some(open) if !open.orphaned => None,
        Some(open) => {
            Some(Status::Waiting { question: Question::OutcomeUnknown { effect: open.effect.kind() } })
        }
    }
}

/// The cluster elected a member that the plan does not lead to, went back to the one that was left, or did the plan's work
/// after a step of it had failed.
fn elected(engine: &Engine, now: Now, operation: &Operation) -> Option<Status> {
    if let Some(leader) = went_back(&engine.facts(now), operation) {
        return Some(Status::ElectedElsewhere { leader });
    }
    let leader = moved_to(engine, now, operation)?;
    let overtaken = leader != operation.to;
    let stuck = !operation.handed_over() && operation.failed_step().is_some();
    (overtaken || stuck).then_some(Status::ElectedElsewhere { leader })
}

/// After the promotion a member that was left leads again, by the store and by its own answer, on a later timeline.
fn went_back(cx: &Facts, operation: &Operation) -> Option<MemberId> {
    operation.results.promoted?;
    let leader = cx.record(operation.group)?.leading_member().filter(|l| operation.left.contains(l))?;
    leads(cx, operation.group, leader)?;
    let timeline = cx.report(operation.group, leader)?.timeline?;
    operation.before.timeline.is_none_or(|before| timeline > before).then_some(leader)
}

/// The member that it was handed over to is gone, as detection believes it.
fn lost(cx: &Facts, operation: &Operation) -> Option<Status> {
    let region = cx.region_of(operation.group, operation.to);
    let declared = || {
        region.is_some_and(|r| cx.state.open_disasters().any(|d| cx.state.is_reached(d, operation.group, r)))
    };
    let gone = is_silent(cx, operation)
        && (declared() || votes::votes(cx, operation.group, operation.to).declares());
    gone.then_some(Status::TargetLost)
}

/// It was handed over to a member that has been silent for a while.
pub fn is_silent(cx: &Facts, operation: &Operation) -> bool {
    let since = cx.member(operation.group, operation.to).and_then(|m| m.failing_since());
    operation.handed_over() && since.is_some_and(|since| cx.now.mono.since(since) >= limits::SILENCE)
}

/// A validating write failed after the promotion, all else is done, has failed or waits for that write, and the new primary leads
/// by its own answer.
fn not_validated(cx: &Facts, operation: &Operation) -> Option<Status> {
    let reason = operation.failed_validation().filter(|_| has_no_step_left(operation))?;
    leads(cx, operation.group, operation.to).map(|_| Status::NotValidated { reason: reason.clone() })
}

/// No step runs, and none that has not begun will begin.
pub fn has_no_step_left(operation: &Operation) -> bool {
    operation.steps.iter().enumerate().all(|(index, s)| match &s.state {
        StepState::Pending => !may_begin(operation, index),
        StepState::Failed { .. } => true,
        other => other.opens(),
    })
}

/// When the member was asked, if it answered that it leads and the store names it as the leader.
pub fn leads(cx: &Facts, group: GroupId, member: MemberId) -> Option<Mono> {
    let led = cx.record_within(group, limits::FRESH).is_some_and(|r| r.leading_member() == Some(member));
    cx.report_within(group, member, limits::FRESH)
        .filter(|r| led && r.running && r.role == MemberRole::Leader)?;
    cx.member(group, member)?.report.as_ref().map(|(_, at)| *at)
}

/// The old primary is healthy although the operation failed: nothing was handed over, every command has ended, and after that
/// it was seen to lead and to renew its lease, and nobody else leads. Its drain may be undone without asking anybody.
pub fn old_primary_leads_on(cx: &Facts, operation: &Operation) -> bool {
    let (group, Some(old)) = (operation.group, operation.left.first().copied()) else { return false };
    if operation.failed_step().is_none()
        || operation.handed_over()
        || operation.effects().any(EffectRecord::is_open)
    {
        return false;
    }
    // Whether a fence holds a standby is not told by the primary.
    if operation.obligations().iter().any(|o| matches!(o, Obligation::Fenced { member } if *member != old)) {
        return false;
    }
    let acts = |e: &&EffectRecord| {
        !matches!(e.effect, Effect::ValidateWrite { .. } | Effect::Claim { .. } | Effect::Release { .. })
    };
    let Some(ended) = operation.effects().filter(acts).filter_map(|e| e.reported).max() else { return false };
    let renewed = cx.telemetry.group(group).store.leader_alive.is_some_and(|l| l.after > ended);
    let alone = cx
        .member_ids(group)
        .filter(|m| *m != old)
        .all(|m| cx.report(group, m).is_none_or(|r| r.role != MemberRole::Leader));
    renewed && alone && leads(cx, group, old).is_some_and(|at| at > ended)
}

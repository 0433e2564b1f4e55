//! What promotes a member, and what shows that it is protected.

use crate::engine::kernel::claim::{self, ClaimState};
use crate::engine::kernel::facts::Facts;
use crate::engine::kernel::limits;
use crate::engine::kernel::proof::Wish;
use crate::model::*;

/// What the store holds now, for the transaction to compare.
///
/// # Errors
/// It does not hold that.
pub fn wish(cx: &Facts, operation: &Operation) -> Result<Wish, NoProof> {
    let record = cx
        .record_within(operation.group, limits::FRESH)
        .ok_or(NoProof::StoreNotRead { within: limits::FRESH })?;
    let candidate = record
        .name_of(operation.to)
        .ok_or_else(|| NoProof::NotRegistered { member: cx.called(operation.group, operation.to) })?;
    let key = record.operation.as_ref().ok_or(NoProof::ClaimGone)?;
    let claim = Claim::read(&key.value)
        .filter(|_| claim::state(cx, operation.group) == Some(ClaimState::Ours { renewed: true }));
    let claim = claim.ok_or(NoProof::ClaimGone)?;
    if let Some(other) = record.leader.as_ref().filter(|l| *l.name != *operation.before.leader) {
        return Err(NoProof::LockHeld { by: other.name.clone() });
    }
    Ok(Wish {
        group: operation.group,
        old: operation.before.leader.clone(),
        candidate: candidate.to_string(),
        leader_create_revision: record.leader.as_ref().map(|l| l.create_revision),
        sync_revision: record.sync.as_ref().map(|s| s.revision),
        failover_revision: record.failover.as_ref().map(|f| f.revision),
        config_revision: record.config.as_ref().map(|c| c.revision),
        operation_revision: Some(key.revision),
        owner: cx.state.owner.write(),
        claim: Claim { phase: ClaimPhase::HandedOver, ..claim }.write(),
    })
}

pub fn protection(cx: &Facts, operation: &Operation) -> Result<Evidence, WaitReason> {
    let member = || cx.label(operation.group, operation.to).into_owned();
    let (Some(report), Some(store)) = (
        cx.report_within(operation.group, operation.to, limits::FRESH),
        cx.record_within(operation.group, limits::FRESH),
    ) else {
        return Err(WaitReason::Answers { member: member() });
    };
    let synchronous = store.config.as_ref().is_some_and(|c| c.synchronous);
    let leader = &*cx.member_name(operation.group, operation.to);
    let listed = |stream: &Stream| {
        store
            .sync
            .as_ref()
            .is_some_and(|s| s.leader.as_deref() == Some(leader) && s.standbys.contains(&stream.name))
    };
    let protects = |s: &&Stream| s.streaming && (!synchronous || (s.synchronous && listed(s)));
    // Or on a later one of its own: it may have come back as the leader meanwhile.
    let on_new_timeline = report.timeline.is_some() && report.timeline >= operation.results.timeline;
    match report.streams.iter().find(protects) {
        Some(stream) if on_new_timeline => Ok(Evidence::Streams {
            standby: stream.name.to_string(),
            synchronous,
            timeline: report.timeline.unwrap_or_default(),
        }),
        _ => Err(WaitReason::Standby { member: member(), synchronous }),
    }
}

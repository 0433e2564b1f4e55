//! Proofs that a promotion needs. Their fields are private: nothing outside this file can make one, and the one
//! transaction cannot be built without both (laws 1 and 2).

use super::claim::{self, ClaimState};
use super::planted::{self, Break};
use super::{Facts, limits};
use crate::model::*;

/// The old primary takes no more writes.
pub struct Fenced(FencingBasis);

/// Nothing acknowledged is lost, or a named person accepted at least so much.
pub struct LossKnown {
    bind_to_old: bool,
}

impl Fenced {
    /// From what this operation has done and seen.
    ///
    /// # Errors
    /// Why there is no proof.
    pub fn of(cx: &Facts, operation: &Operation) -> Result<Fenced, NoProof> {
        if planted::is(Break::FenceLeftOut) {
            return Ok(Fenced(FencingBasis::Fenced));
        }
        let fence = operation
            .effects()
            .filter(|e| matches!(e.effect, Effect::Fence { .. }) && e.is_done())
            .filter_map(|e| e.reported)
            .max();
        if let Some(reported) = fence {
            return gone_since(cx, operation, reported).map(|()| Fenced(FencingBasis::Fenced));
        }
        if operation.accepted.accepts_two_writers() {
            return Ok(Fenced(FencingBasis::RiskAccepted { by: operation.by.clone() }));
        }
        Err(NoProof::NeitherFencedNorAccepted)
    }
}

/// After the fence answered: both ports were tried and gave no sign of life, nobody streams from it, its lock was not
/// renewed.
pub fn gone_since(cx: &Facts, operation: &Operation, fenced: Mono) -> Result<(), NoProof> {
    if planted::is(Break::FenceUnseen) {
        return Ok(());
    }
    operation.left.iter().try_for_each(|member| one_gone_since(cx, operation, *member, fenced))
}

fn one_gone_since(cx: &Facts, operation: &Operation, from: MemberId, fenced: Mono) -> Result<(), NoProof> {
    let group = operation.group;
    let name = || cx.called(group, from);
    let Some(member) = cx.member(group, from) else { return Err(NoProof::NoMember { member: name() }) };
    if let Some(life) = member.last_life().filter(|t| *t > fenced) {
        return Err(NoProof::Answered { member: name(), ago: cx.now.mono.since(life) });
    }
    for (probes, port) in [(&member.sql, Port::Sql), (&member.rest, Port::Rest)] {
        if probes.last_try.is_none_or(|t| t <= fenced) {
            return Err(NoProof::NotTried { member: name(), port });
        }
        // One slow answer is not silence: an agent whose database was shot is busy, and lives.
        if !probes.believed_gone() {
            return Err(NoProof::NotYetGone { member: name(), port });
        }
    }
    // Once another leads, who streams does so from there, and the lock is renewed by that one.
    if cx.record(group).and_then(StoreRecord::leading_member).is_some_and(|l| l != operation.old())
        || from != operation.old()
    {
        return Ok(());
    }
    for other in cx.member_ids(group).filter(|m| !operation.left.contains(m)) {
        let stream = cx.member(group, other).and_then(|m| m.stream);
        let Some((stream, at)) = stream.filter(|(s, _)| s.streaming) else { continue };
        // What was on its way when it was shot may still arrive.
        let settled = fenced.plus(Span::ms(200));
        if stream.silent_for.is_some_and(|s| at.minus(s) > settled) {
            return Err(NoProof::StillHeard { member: name(), by: cx.called(group, other) });
        }
        // A fence may have cut off us alone: who streamed from it is asked once more.
        if at <= settled && (other == operation.to || cx.now.mono.since(at) <= limits::FRESH) {
            return Err(NoProof::NotKnownWhetherHeard { member: name(), by: cx.called(group, other) });
        }
    }
    if cx.telemetry.group(group).store.leader_alive.is_some_and(|l| l.after > fenced) {
        return Err(NoProof::RenewedLock { member: name() });
    }
    Ok(())
}

impl LossKnown {
    /// From the checks of the candidate, all of which must stand.
    ///
    /// # Errors
    /// Why the loss is neither nothing nor accepted.
    pub fn of(operation: &Operation, checks: &[Check]) -> Result<LossKnown, NoProof> {
        if planted::is(Break::LossUnasked) {
            return Ok(LossKnown { bind_to_old: false });
        }
        for check in checks {
            match check.verdict {
                Verdict::Pass | Verdict::Advice => {}
                Verdict::Risk(risk) if operation.accepted.accepts(risk) => {}
                Verdict::Block { .. } if planted::is(Break::NobodyToTakeIt) => {}
                Verdict::Risk(_) | Verdict::Block { .. } => {
                    return Err(NoProof::Check(check.finding.clone()));
                }
            }
        }
        Ok(LossKnown { bind_to_old: !operation.accepted.accepts_loss() })
    }
}

/// The one transaction. It is built here and nowhere else.
///
/// # Errors
/// The store does not hold what the transaction would compare.
pub fn hand_over(
    cx: &Facts,
    operation: &Operation,
    fenced: Fenced,
    loss: LossKnown,
) -> Result<Effect, NoProof> {
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
    Ok(Effect::HandOver(HandOver {
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
        bind_to_old: loss.bind_to_old,
        proof: fenced.0,
    }))
}

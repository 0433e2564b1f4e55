//! What promotes, and the proofs that it needs (laws 1 and 2).
//!
//! A step can only wish for a hand-over. This file alone joins the wish with both proofs, and what comes of it is the only thing
//! that a door takes for a hand-over. It can be neither copied nor read from anywhere, so it is carried out at most once, by the
//! process that decided it; another one only finds out what became of it. Each of these does not compile, and does with the one
//! other token below it.
//!
//! A proof is no data; its record is:
//! ```compile_fail,E0277
//! use bpci::{engine::*, model::*};
//! fn copied<T: Clone>() {}
//! copied::<Promotion>();
//! ```
//! ```
//! use bpci::{engine::*, model::*};
//! fn copied<T: Clone>() {}
//! copied::<HandOver>();
//! ```
//! It is not read from a journal, a socket or a file:
//! ```compile_fail,E0277
//! use bpci::{engine::*, model::*};
//! fn read<T: serde::de::DeserializeOwned>() {}
//! read::<Promotion>();
//! ```
//! ```
//! use bpci::{engine::*, model::*};
//! fn read<T: serde::de::DeserializeOwned>() {}
//! read::<HandOver>();
//! ```
//! A door does not take the record for it:
//! ```compile_fail,E0308
//! use bpci::{engine::*, model::*};
//! fn sent(it: HandOver) -> Sending { Sending::Promotion(it) }
//! ```
//! ```
//! use bpci::{engine::*, model::*};
//! fn sent(it: Promotion) -> Sending { Sending::Promotion(it) }
//! ```
//! It is spent once:
//! ```compile_fail,E0382
//! use bpci::{engine::*, model::*};
//! fn twice(it: Promotion, now: Mono) { let other = it; it.spend(now); }
//! ```
//! ```
//! use bpci::{engine::*, model::*};
//! fn twice(it: Promotion, now: Mono) { let other = &it; it.spend(now); }
//! ```
//! Nobody else takes it apart, or puts one together:
//! ```compile_fail,E0451
//! use bpci::{engine::*, model::*};
//! fn opened(it: Promotion) { let Promotion { fenced, .. } = it; }
//! ```
//! ```
//! use bpci::{engine::*, model::*};
//! fn opened(it: Promotion) { let Promotion { .. } = it; }
//! ```

use super::facts::Facts;
use super::limits;
use super::planted::{self, Break};
use crate::model::*;

/// These members of this database take no more writes, as this operation has found.
struct Fenced {
    group: GroupId,
    members: Vec<Name>,
    operation: OperationId,
    generation: Generation,
    basis: FencingBasis,
    at: Mono,
}

/// Nothing acknowledged is lost, or a named person accepted at least so much.
struct LossKnown {
    bind_to_old: bool,
}

/// What a step wishes for: the one transaction, as far as it needs no proof. The fields are those of [`HandOver`].
pub struct Wish {
    pub(in crate::engine) group: GroupId,
    pub(in crate::engine) old: String,
    pub(in crate::engine) candidate: String,
    pub(in crate::engine) leader_create_revision: Option<u64>,
    pub(in crate::engine) sync_revision: Option<u64>,
    pub(in crate::engine) failover_revision: Option<u64>,
    pub(in crate::engine) config_revision: Option<u64>,
    pub(in crate::engine) operation_revision: Option<u64>,
    pub(in crate::engine) owner: String,
    pub(in crate::engine) claim: String,
}

/// A hand-over with what proves that it may be done.
pub struct Promotion {
    id: EffectId,
    act: HandOver,
    fenced: Fenced,
}

impl Fenced {
    /// From what this operation has done and seen.
    ///
    /// # Errors
    /// Why there is no proof.
    fn of(cx: &Facts, operation: &Operation) -> Result<Fenced, NoProof> {
        let on = |basis| Fenced {
            group: operation.group,
            members: operation.left.iter().map(|m| cx.member_name(operation.group, *m).into()).collect(),
            operation: operation.id,
            generation: operation.generation,
            basis,
            at: cx.now.mono,
        };
        if planted::is(Break::FenceLeftOut) {
            return Ok(on(FencingBasis::Off));
        }
        let fence = operation
            .effects()
            .filter(|e| matches!(e.effect, Effect::Fence { .. }) && e.is_done())
            .filter_map(|e| e.reported)
            .max();
        if let Some(reported) = fence {
            return gone_since(cx, operation, reported).map(|()| on(FencingBasis::Off));
        }
        if operation.accepted.accepts_two_writers() {
            return Ok(on(FencingBasis::Accepted { by: operation.by.clone() }));
        }
        Err(NoProof::NeitherFencedNorAccepted)
    }

    /// Whether it is good for this act at this moment.
    fn holds_for(&self, id: EffectId, act: &HandOver, now: Mono) -> Result<(), Unproven> {
        if self.group != act.group {
            return Err(Unproven::OtherDatabase);
        }
        if (self.operation, self.generation) != (id.operation, id.generation) {
            return Err(Unproven::OtherOperation);
        }
        let names = |name: &str| self.members.iter().any(|m| **m == *name);
        if (!act.old.is_empty() && !names(&act.old)) || names(&act.candidate) {
            return Err(Unproven::OtherMembers);
        }
        if now.since(self.at) > limits::PROOF_HOLDS { Err(Unproven::TooOld) } else { Ok(()) }
    }
}

impl Promotion {
    /// Joins a wish with its proofs.
    ///
    /// # Errors
    /// Which of them is missing.
    pub(in crate::engine) fn join(
        cx: &Facts,
        operation: &Operation,
        checks: &[Check],
        wish: Wish,
    ) -> Result<Proven, NoProof> {
        let fenced = Fenced::of(cx, operation)?;
        let loss = LossKnown::of(operation, checks)?;
        let act = HandOver {
            group: wish.group,
            old: wish.old,
            candidate: wish.candidate,
            leader_create_revision: wish.leader_create_revision,
            sync_revision: wish.sync_revision,
            failover_revision: wish.failover_revision,
            config_revision: wish.config_revision,
            operation_revision: wish.operation_revision,
            owner: wish.owner,
            claim: wish.claim,
            bind_to_old: loss.bind_to_old,
            proof: fenced.basis.clone(),
        };
        Ok(Proven { act, fenced })
    }

    pub fn id(&self) -> EffectId {
        self.id
    }

    /// What its intent is recorded as.
    pub fn record(&self) -> Issued {
        Issued { id: self.id, effect: Effect::HandOver(self.act.clone()) }
    }

    /// Right before it is carried out: the act, if its proof holds for it.
    ///
    /// # Errors
    /// It does not: nothing may be sent.
    pub fn spend(self, now: Mono) -> Result<(EffectId, HandOver), (EffectId, Unproven)> {
        match self.fenced.holds_for(self.id, &self.act, now) {
            Ok(()) => Ok((self.id, self.act)),
            Err(why) => Err((self.id, why)),
        }
    }
}

/// A hand-over that is proven, and has no number yet.
pub struct Proven {
    act: HandOver,
    fenced: Fenced,
}

impl Proven {
    pub(in crate::engine) fn under(self, id: EffectId) -> Promotion {
        Promotion { id, act: self.act, fenced: self.fenced }
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
    fn of(operation: &Operation, checks: &[Check]) -> Result<LossKnown, NoProof> {
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

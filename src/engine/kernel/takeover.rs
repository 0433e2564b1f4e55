//! What a controller that is gone had left to be undone: once its claim is taken over, that is ours.

use super::engine::Engine;
use super::facts::Facts;
use crate::model::*;

/// Makes the obligations that the claim of another controller named this operation's own, as far as its members and balancers are
/// known here. What an operation of ours owes already stays with that.
pub fn adopt(engine: &mut Engine, now: Now, operation: &Operation) {
    let cx = engine.facts(now);
    let owed: Vec<Obligation> = cx.state.obligations(operation.group).map(|(_, o)| o).collect();
    let mut obligations: Vec<Obligation> = Vec::new();
    for one in taken(operation).flat_map(|(named, _)| known(&cx, operation.group, named)) {
        if !owed.contains(&one) && !operation.inherited.contains(&one) && !obligations.contains(&one) {
            obligations.push(one);
        }
    }
    if !obligations.is_empty() {
        engine.emit(now, Event::TookOver { operation: operation.id, obligations });
    }
}

/// What the claims named that this operation has taken over, and when it did.
pub fn taken(operation: &Operation) -> impl Iterator<Item = (&Obligations, Mono)> {
    operation.effects().filter(|e| e.is_done()).filter_map(|e| match &e.effect {
        Effect::Claim { inherited, .. } => Some((inherited, e.reported?)),
        _ => None,
    })
}

fn known(cx: &Facts, group: GroupId, named: &Obligations) -> Vec<Obligation> {
    let fenced = named.fenced.iter().filter_map(|name| fenced(cx, group, name));
    let drained = named.drained.iter().filter_map(|one| drained(cx, group, one));
    fenced.chain(drained).collect()
}

fn fenced(cx: &Facts, group: GroupId, name: &str) -> Option<Obligation> {
    Some(Obligation::Fenced { member: member_named(cx, group, name)? })
}

fn drained(cx: &Facts, group: GroupId, one: &Drained) -> Option<Obligation> {
    let balancer = balancer_at(cx, group, &one.balancer)?;
    Some(Obligation::Drained { member: member_named(cx, group, &one.member)?, balancer })
}

/// The member that the cluster calls by this name.
pub fn member_named(cx: &Facts, group: GroupId, name: &str) -> Option<MemberId> {
    let told =
        cx.telemetry.group(group).store.record.as_ref().and_then(|(record, _)| record.member_named(name));
    told.or_else(|| cx.member_ids(group).find(|m| *cx.member_name(group, *m) == *name))
}

pub fn balancer_at(cx: &Facts, group: GroupId, address: &str) -> Option<BalancerId> {
    cx.database(group)?.balancers.iter().position(|b| b.address == address).map(BalancerId::of)
}

/// What an operation has left to undo or restore, of what it did and of what it took over, by the names that its claim has for it.
pub fn left(cx: &Facts, operation: &Operation) -> Option<Obligations> {
    let group = operation.group;
    let owes = |one: Obligation| cx.state.obligations(group).any(|(_, o)| o == one);
    let own = Claim::read(&operation.before.claim)?.obligations;
    let mut left = taken(operation).fold(Obligations::default(), |all, (one, _)| all.with(one));
    // What is not known here is not ours to forget.
    left.fenced.retain(|name| fenced(cx, group, name).is_none_or(owes));
    left.drained.retain(|one| drained(cx, group, one).is_none_or(owes));
    let mut did = Obligations::default();
    // Both lists are in the order of the members that were left, the second with each balancer in turn.
    for (name, member) in own.fenced.iter().zip(&operation.left) {
        if owes(Obligation::Fenced { member: *member }) {
            did.fenced.push(name.clone());
        }
    }
    let draining: Vec<BalancerId> =
        cx.database(group).iter().flat_map(|d| d.draining()).map(|(id, _)| id).collect();
    let places = operation.left.iter().flat_map(|m| draining.iter().map(move |id| (*m, *id)));
    for (one, (member, balancer)) in own.drained.iter().zip(places) {
        if owes(Obligation::Drained { member, balancer }) {
            did.drained.push(one.clone());
        }
    }
    Some(left.with(&did))
}

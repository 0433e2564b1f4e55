//! What is left when an operation is over: the failed member streams again, and gets its traffic back.

use super::sent::{REMAIN, pause_after, send, step_of};
use super::step;
use crate::engine::kernel::claim;
use crate::engine::kernel::engine::Engine;
use crate::model::*;

/// Restores what an operation that is over still owes, and tells what has come about by itself.
pub fn settle(engine: &mut Engine, now: Now, operation: &Operation) {
    let own = match operation.status {
        Status::Recovered | Status::RecoveredUnprotected { .. } | Status::NotValidated { .. } => true,
        // One that was given up behind its hand-over has taken the old primary's traffic away all the same.
        Status::Aborted { .. } | Status::ElectedElsewhere { .. } | Status::TargetLost => {
            operation.has_acted()
        }
        _ => false,
    };
    let nothing_left = !own && operation.inherited.is_empty();
    // What was done to another cluster is not undone on this one without a person's word.
    let other = engine.state.changed.contains_key(&operation.group);
    if nothing_left || other || engine.state.running(operation.group).is_some() {
        return;
    }
    let inherited = |member: MemberId| operation.inherited.iter().any(|o| o.member() == member);
    for remainder in operation.remains.iter().filter(|r| own || inherited(r.member())).cloned() {
        match remainder {
            Remainder::Rejoin { member } => {
                if let Some(evidence) = rejoined(engine, now, operation, member) {
                    engine.emit(now, Event::RemainderDone { operation: operation.id, remainder, evidence });
                }
            }
            Remainder::Restore { member }
                if engine.state.armed
                    && claim::is_clear(&engine.facts(now), operation)
                    && !operation.remains.contains(&Remainder::Rejoin { member }) =>
            {
                restore(engine, now, operation, member, remainder);
            }
            Remainder::Restore { .. } => {}
        }
    }
}

fn rejoined(engine: &Engine, now: Now, operation: &Operation, member: MemberId) -> Option<Evidence> {
    let cx = engine.facts(now);
    let report = cx.report(operation.group, member)?;
    let leader = cx.leader(operation.group)?;
    let leads = cx.report(operation.group, leader)?;
    let name = cx.member_name(operation.group, member);
    if leader == member && report.running && report.role == MemberRole::Leader {
        return Some(Evidence::Leads {
            member: name.into_owned(),
            timeline: report.timeline.unwrap_or_default(),
        });
    }
    let streams = leads.streams.iter().any(|s| *s.name == *name && s.streaming);
    let follows = leader != member
        && report.running
        && report.role == MemberRole::Replica
        && streams
        && report.timeline == leads.timeline;
    // Who undid it is not seen from here.
    follows.then(|| Evidence::Rejoined {
        member: name.into_owned(),
        timeline: report.timeline.unwrap_or_default(),
        unfenced: operation.fenced(),
    })
}

/// A balancer that refused is asked again after this time, and ever less often.
const REFUSED: Span = Span::secs(5);

fn restore(engine: &mut Engine, now: Now, operation: &Operation, member: MemberId, remainder: Remainder) {
    let step = step_of(operation, |k| *k == StepKind::DrainTraffic);
    let drained = operation.ever_drained(member);
    let mut all = true;
    for balancer in &drained {
        let effect = Effect::Restore { group: operation.group, member, balancer: *balancer };
        let part = REMAIN + step::part_of(balancer.at() + 1, member.at());
        let seen = engine
            .telemetry
            .group(operation.group)
            .balancers
            .get(balancer.at())
            .and_then(|b| b.all_in_maintenance(member, false));
        let refused =
            operation.effects().filter(|e| e.effect == effect && !e.is_missed() && !e.is_done()).count();
        // An earlier one may be a later step's: what counts is when it was sent.
        let sent =
            operation.effects().filter(|e| e.effect == effect && !e.is_missed()).max_by_key(|e| e.intended);
        match sent {
            None => {
                all = false;
                send(engine, now, operation, step, part, effect);
            }
            Some(e) if e.is_done() && seen.zip(e.reported).is_some_and(|(at, reported)| at >= reported) => {}
            // It was refused: once more, with what is known by then, and less and less often.
            Some(e)
                if !e.is_open()
                    && !e.is_done()
                    && e.reported.is_some_and(|t| now.mono.since(t) > pause_after(REFUSED, refused)) =>
            {
                all = false;
                send(engine, now, operation, step, part, effect);
            }
            Some(_) => all = false,
        }
    }
    if !all {
        return;
    }
    let members = vec![engine.facts(now).label(operation.group, member).into_owned()];
    let evidence = Evidence::BackInBalancers { members, balancers: drained.len() };
    engine.emit(now, Event::RemainderDone { operation: operation.id, remainder, evidence });
}

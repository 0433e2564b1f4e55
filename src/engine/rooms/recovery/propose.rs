//! What is put to a person, and what automation begins by itself.

use super::{assess, begin};
use crate::engine::kernel::engine::Engine;
use crate::engine::kernel::limits;
use crate::model::*;

/// One round of proposals. True if anything changed.
pub fn round(engine: &mut Engine, now: Now) -> bool {
    let before = engine.emitted();
    withdraw(engine, now);
    propose(engine, now);
    automatic(engine, now);
    engine.emitted() > before
}

/// A choice whose reason is gone is taken off the table.
fn withdraw(engine: &mut Engine, now: Now) {
    let mut gone = Vec::new();
    for open in &engine.state.proposals {
        let p = &open.proposal;
        let disaster = p.disaster.and_then(|id| engine.state.disasters.iter().find(|d| d.id == id));
        let led = engine.state.primaries[p.group.at()].0;
        if disaster.is_some_and(|d| d.ended.is_some()) {
            gone.push((p.id, p.group, FactsChanged::DisasterOver));
        } else if p.intent != Intent::Guided && led.is_some_and(|m| m != p.old) {
            gone.push((p.id, p.group, FactsChanged::PrimaryMoved));
        } else if !p.by.is(Part::Detection) && now.mono.since(open.since.mono) > limits::CHOICE {
            gone.push((p.id, p.group, FactsChanged::NobodyConfirmed));
        }
    }
    for (proposal, group, reason) in gone {
        let displaced = engine.state.displaced.get(&group).cloned();
        let end = ProposalEnd::FactsChanged { reason };
        engine.emit(now, Event::ProposalClosed { proposal, by: Actor::Part(Part::Bpci), end, cost: None });
        put_back(engine, now, displaced);
    }
}

/// A person's choice is off the table: detection's, whose place it took, is there again, and its countdown runs on where one
/// ran: the lease of the old primary has not waited either. Who only looked at something else leaves nothing behind.
pub fn put_back(engine: &mut Engine, now: Now, displaced: Option<Proposal>) {
    let Some(displaced) = displaced else { return };
    let (state, group) = (&engine.state, displaced.group);
    let open = displaced.disaster.is_some_and(|id| state.open_disasters().any(|d| d.id == id));
    let led = state.primaries[group.at()].0.is_none_or(|m| m == displaced.old);
    if open && led && state.running(group).is_none() {
        let automatic_at = displaced.automatic_at.map(|at| at.max(now.mono.plus(limits::LOOKS_UP)));
        let proposal = Proposal { id: ProposalId(state.next.proposal.max(1)), automatic_at, ..displaced };
        engine.emit(now, Event::Proposed(proposal));
    }
}

fn propose(engine: &mut Engine, now: Now) {
    let disasters: Vec<Disaster> = engine.state.open_disasters().cloned().collect();
    for disaster in disasters {
        for group in engine.state.estate.group_ids() {
            if let Some(veto) = idle(engine, now, &disaster, group) {
                hold(engine, now, group, disaster.id, veto);
            }
            let Some(mut proposal) = wanted(engine, now, &disaster, group) else { continue };
            // No countdown to what will not be done: the reason is told at once, and is in the record.
            let never = proposal.automatic_at.and_then(|_| stands(engine, now, &proposal));
            if never.is_some() {
                proposal.automatic_at = None;
            }
            let id = proposal.id;
            engine.emit(now, Event::Proposed(proposal));
            if let Some(veto) = never {
                let reason = StopReason::Veto(veto.clone());
                engine
                    .emit(now, Event::AutomaticStopped { proposal: id, by: Actor::Part(Part::Bpci), reason });
                hold(engine, now, group, disaster.id, veto);
            }
        }
    }
}

/// Says why automation does not act, once for each reason.
fn hold(engine: &mut Engine, now: Now, group: GroupId, disaster: DisasterId, veto: Veto) {
    let told =
        engine.state.held.get(&(disaster, group)).is_some_and(|list| list.iter().any(|v| v.is_like(&veto)));
    if !told {
        engine.emit(now, Event::AutomationHeld { group, disaster, veto });
    }
}

/// Why automation does not even begin to count, where it is configured to: another operation of the group waits for a person, or
/// one has answered this disaster already.
fn idle(engine: &Engine, now: Now, disaster: &Disaster, group: GroupId) -> Option<Veto> {
    let state = &engine.state;
    let (primary, from) = (state.primaries[group.at()].0?, state.primary_region(group)?);
    let response = state.estate.response(disaster.kind).filter(|r| r.automated)?;
    let full = state.estate.policy.strategies.get(&response.strategy)?.automation == Automation::Full;
    let answers = || engine.facts(now).member(group, primary).is_some_and(|m| m.failing_since().is_none());
    if !full
        || !state.armed
        || state.mode == Mode::Fork
        || disaster.kind.is_of_data()
        || !state.is_reached(disaster, group, from)
        || answers()
    {
        return None;
    }
    if let Some(open) = state.running(group) {
        let waits = matches!(open.status, Status::Waiting { .. }) && open.disaster != Some(disaster.id);
        return waits.then_some(Veto::Unfinished { operation: open.id });
    }
    let answered =
        state.operations.iter().rev().find(|o| o.disaster == Some(disaster.id) && o.group == group)?;
    Some(Veto::AlreadyAnswered { operation: answered.id })
}

/// Why automation would not begin this, however long one waits.
fn stands(engine: &Engine, now: Now, proposal: &Proposal) -> Option<Veto> {
    let cx = engine.facts(now);
    let veto = assess::automation_veto(&cx, proposal, &assess::assess(&cx, proposal, 0))?;
    veto.stands().then_some(veto)
}

fn wanted(engine: &Engine, now: Now, disaster: &Disaster, group: GroupId) -> Option<Proposal> {
    let state = &engine.state;
    let primary = state.primaries[group.at()].0?;
    let from = state.primary_region(group)?;
    let affected = disaster.regions.contains(&from)
        && state.estate.group(group).services.iter().any(|s| disaster.services.contains(s));
    let busy = state.running(group).is_some() || state.proposals.iter().any(|p| p.proposal.group == group);
    let departed = state.estate.departed.groups.contains(&group);
    if !affected || busy || departed || state.dismissed.contains(&(disaster.id, group)) {
        return None;
    }
    // The primary's own cluster may have answered already, or we have.
    let tried = state.operations.iter().any(|o| o.disaster == Some(disaster.id) && o.group == group);
    let response = state.estate.response(disaster.kind);
    let intent = match response.map(|r| r.strategy) {
        Some(Strategy::PointInTimeRestore | Strategy::ColdStandbyRestoration) => Intent::Guided,
        _ if disaster.kind.is_of_data() => Intent::Guided,
        _ => Intent::Failover,
    };
    // Who answers is not left: it may have been led back to a region of which something else is still to return.
    let answers = engine.facts(now).member(group, primary).is_some_and(|m| m.failing_since().is_none());
    if intent == Intent::Failover && answers {
        return None;
    }
    let plan =
        state.estate.plans.iter().find(|p| p.intent == intent && p.disasters.contains(&disaster.kind))?;
    let automation =
        response.and_then(|r| state.estate.policy.strategies.get(&r.strategy)).map(|s| s.automation);
    // In a fork nobody acts but who tries something.
    let automatic = state.mode != Mode::Fork
        && !tried
        && !state.declined.contains_key(&(disaster.id, group))
        && intent == Intent::Failover
        && response.is_some_and(|r| r.automated)
        && automation == Some(Automation::Full)
        && state.armed;
    Some(Proposal {
        id: ProposalId(state.next.proposal.max(1)),
        group,
        plan: plan.name.clone(),
        intent,
        from,
        old: primary,
        leaves: if disaster.kind.is_of_region() { Leaves::Region } else { Leaves::Member },
        to: None,
        reason: ProposalReason::Disaster {
            kind: disaster.kind,
            region: state.estate.region(from).name.clone(),
            evidence: disaster.evidence.clone(),
        },
        by: Actor::Part(Part::Detection),
        disaster: Some(disaster.id),
        automatic_at: automatic.then(|| now.mono.plus(state.estate.policy.detection.response_delay)),
    })
}

/// Begins what is due, if nothing speaks against it; leaves it to a person after a while.
fn automatic(engine: &mut Engine, now: Now) {
    let due: Vec<_> =
        engine.state.proposals.iter().filter(|p| p.proposal.automatic_at.is_some()).cloned().collect();
    for open in due {
        let Some(at) = open.proposal.automatic_at else { continue };
        if now.mono.plus(Span::secs(1)) >= at {
            engine.look_closely(now, open.proposal.group);
        }
        if now.mono < at {
            continue;
        }
        let assessment = assess::assess(&engine.facts(now), &open.proposal, open.revision);
        match assess::automation_veto(&engine.facts(now), &open.proposal, &assessment) {
            None => {
                let accepted = Accepted::default();
                if let Err(refusal) = begin::begin(
                    engine,
                    now,
                    &open.proposal,
                    &assessment,
                    Actor::Part(Part::Automation),
                    true,
                    accepted,
                ) {
                    let reason = StopReason::Refused(Box::new(refusal));
                    engine.emit(
                        now,
                        Event::AutomaticStopped {
                            proposal: open.proposal.id,
                            by: Actor::Part(Part::Bpci),
                            reason,
                        },
                    );
                }
            }
            Some(veto) => {
                let (id, lasts) =
                    (open.proposal.id, veto.stands() || now.mono.since(at) > limits::AUTOMATIC_PATIENCE);
                let reason = StopReason::Veto(veto.clone());
                // A countdown that has run out says what it waits for.
                if let Some(disaster) = open.proposal.disaster {
                    hold(engine, now, open.proposal.group, disaster, veto);
                }
                if lasts {
                    engine.emit(
                        now,
                        Event::AutomaticStopped { proposal: id, by: Actor::Part(Part::Bpci), reason },
                    );
                }
            }
        }
    }
}

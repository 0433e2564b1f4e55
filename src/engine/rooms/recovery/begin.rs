//! An operation begins: what it rests on is recorded with it.

use crate::engine::kernel::engine::Engine;
use crate::engine::kernel::planted::{self, Break};
use crate::engine::kernel::{claim, claim_seen};
use crate::model::*;
use std::sync::Arc;

/// Begins an operation: everything it rests on goes into one event.
///
/// # Errors
/// Another operation runs on the group, or there is nothing to lead.
pub fn begin(
    engine: &mut Engine,
    now: Now,
    proposal: &Proposal,
    assessment: &Assessment,
    by: Actor,
    automatic: bool,
    accepted: Accepted,
) -> Result<OperationId, Refusal> {
    // Automation supersedes nothing.
    let old = engine.state.running(proposal.group).cloned();
    if let Some(running) =
        old.as_ref().filter(|o| automatic || assessment.supersedes != Some(o.id) || !o.may_be_superseded())
    {
        return Err(Refusal::by_law(7, ChoiceRefused::AlreadyRuns { operation: running.id, group: None }));
    }
    if engine.state.estate.departed.groups.contains(&proposal.group) {
        return Err(Refusal::by_law(11, ChoiceRefused::DepartedSince));
    }
    let Some(to) = assessment.to else { return Err(Refusal::by_law(11, ChoiceRefused::NoCandidate)) };
    let Some(plan) = engine.state.estate.plan_named(&proposal.plan).cloned() else {
        return Err(Refusal::new(Listed::Plan));
    };
    let before = before(engine, now, proposal, to);
    let stored = stored_generation(engine, proposal.group);
    let grows = u64::from(!planted::is(Break::GenerationStands));
    let generation = Generation(engine.state.generation.max(stored).0 + grows);
    let id = OperationId(engine.state.next.operation.max(1));
    let claim = own_claim(engine, now, proposal.group, &assessment.left, &plan, (id, generation));
    let start = OperationStart {
        id,
        proposal: proposal.id,
        plan: Arc::new(plan),
        plan_hash: assessment.plan,
        evidence: assessment.evidence,
        group: proposal.group,
        from: proposal.from,
        left: assessment.left.clone(),
        to,
        generation,
        by,
        automatic,
        reason: proposal.reason.clone(),
        disaster: proposal
            .disaster
            .or_else(|| engine.state.disaster_of(proposal.intent, proposal.group, proposal.from)),
        accepted,
        loses: Some(assessment.loss.clone()),
        held: told(assessment, Verdict::Pass),
        warned: told(assessment, Verdict::Advice),
        before: Before { claim: claim.write(), ..before },
    };
    super::foretold::keep_last(engine, now, proposal.id);
    if planted::is(Break::TwoAtOnce) {
        engine.emit(now, Event::OperationStarted(Box::new(start.clone())));
    }
    if let Some(old) = old {
        engine.emit(now, Event::Superseded { old: old.id, new: id, obligations: old.obligations() });
    }
    engine.emit(now, Event::OperationStarted(Box::new(start)));
    engine.look_closely(now, proposal.group);
    Ok(id)
}

/// The checks of this verdict.
pub fn told(assessment: &Assessment, verdict: Verdict) -> Vec<CheckTold> {
    assessment.checks.iter().filter(|c| c.verdict == verdict).cloned().map(CheckTold::Check).collect()
}

/// What the operation writes into the store: with all that it may do, so that who takes it over knows where to look.
pub fn own_claim(
    engine: &Engine,
    now: Now,
    group: GroupId,
    left: &[MemberId],
    plan: &Plan,
    run: (OperationId, Generation),
) -> Claim {
    let (obligations, patience) = claim::planned(&engine.facts(now), group, left, plan);
    Claim {
        operation: run.0.to_string(),
        generation: run.1,
        by: engine.controller.to_string(),
        since: now.utc,
        running: true,
        owner: Some(engine.controller.clone()),
        phase: ClaimPhase::Acting,
        patience_ms: patience.0,
        obligations,
        attempt: 0,
    }
}

pub fn stored_generation(engine: &Engine, group: GroupId) -> Generation {
    let record = engine.telemetry.group(group).store.record.as_ref();
    let stored = record.map_or(Generation::default(), |(record, _)| claim_seen::stored_generation(record));
    if planted::is(Break::GenerationOfJournal) { Generation::default() } else { stored }
}

pub fn before(engine: &Engine, now: Now, proposal: &Proposal, to: MemberId) -> Before {
    let cx = engine.facts(now);
    let (group, from, old) = (proposal.group, proposal.from, proposal.old);
    if cx.database(group).is_none() {
        return Before::default();
    }
    let record = cx.telemetry.group(group).store.record.as_ref().map(|(r, _)| r);
    let impact = match proposal.intent {
        Intent::Failover => {
            let answers = proposal.disaster.or_else(|| cx.state.disaster_of(proposal.intent, group, from));
            let disaster = cx.state.disasters.iter().find(|d| Some(d.id) == answers).map(|d| d.since);
            let seen = cx.member(group, old).and_then(|m| m.failing_since()).map(|t| now.utc_of(t));
            seen.or(disaster)
        }
        _ => None,
    };
    Before {
        leader: record
            .and_then(|r| r.leader.as_ref())
            .map_or_else(|| cx.member_name(group, old).into_owned(), |l| l.name.to_string()),
        leader_create_revision: record.and_then(|r| r.leader.as_ref()).map(|l| l.create_revision),
        candidate: cx.member_name(group, to).into_owned(),
        timeline: cx.state.primaries[group.at()].1,
        system_id: record.and_then(|r| r.initialize.as_deref()).map(str::to_string),
        position: cx.telemetry.leader_position(group),
        target_load: cx.region_of(group, to).and_then(|r| cx.load(r)),
        impact,
        claim: String::new(),
    }
}

//! A scripted order becomes what a person would do: look, then confirm what the screen shows at that moment.

use super::core::Core;
use crate::engine::{Door, Input};
use crate::journal::JournalError;
use crate::model::*;

/// Places a scripted order. A choice is put on the table, looked at, and confirmed as it then stands.
///
/// # Errors
/// The journal could not be written.
pub fn place_order<D: Door>(
    core: &mut Core<D>,
    now: Now,
    by: &str,
    order: &ScriptedOrder,
) -> Result<Result<Receipt, Refusal>, JournalError> {
    let by = Actor::scripted(by);
    let last = core.engine.state().operations.back().map(|o| o.id);
    let action = match order {
        ScriptedOrder::Failover { group, from, to, accept_risk, manual_override } => {
            let choice = Choice { group: *group, intent: Intent::Failover, from: Some(*from), to: *to };
            return confirm_choice(core, now, &by, choice, *accept_risk, *manual_override);
        }
        ScriptedOrder::Switchover { group, to, accept_risk } => {
            let choice = Choice { group: *group, intent: Intent::Switchover, from: None, to: Some(*to) };
            return confirm_choice(core, now, &by, choice, *accept_risk, false);
        }
        ScriptedOrder::StopAutomatic => match core
            .engine
            .state()
            .proposals
            .iter()
            .find(|p| p.proposal.automatic_at.is_some())
            .map(|p| p.proposal.id)
        {
            Some(proposal) => Action::StopAutomatic { proposal },
            None => return Ok(Err(Refusal::new(SimulationRefused::NothingFor(Scripted::Countdown)))),
        },
        ScriptedOrder::Abort => match last {
            Some(operation) => Action::Abort { operation },
            None => return Ok(Err(Refusal::new(SimulationRefused::NothingFor(Scripted::Operation)))),
        },
        ScriptedOrder::AcceptUnprotected => match last {
            Some(operation) => Action::AcceptUnprotected { operation },
            None => return Ok(Err(Refusal::new(SimulationRefused::NothingFor(Scripted::Operation)))),
        },
        ScriptedOrder::Answer => match asked(core) {
            Some((operation, step)) => Action::Answer { operation, step, done: true, note: String::new() },
            None => return Ok(Err(Refusal::new(SimulationRefused::NothingFor(Scripted::Question)))),
        },
    };
    send(core, now, &by, action)
}

struct Choice {
    group: GroupId,
    intent: Intent,
    from: Option<RegionId>,
    to: Option<RegionId>,
}

fn send<D: Door>(
    core: &mut Core<D>,
    now: Now,
    by: &Actor,
    action: Action,
) -> Result<Result<Receipt, Refusal>, JournalError> {
    let reply = core.input(now, Input::Order(Order { by: by.clone(), action }))?;
    Ok(reply.unwrap_or(Ok(Receipt::Done)))
}

fn confirm_choice<D: Door>(
    core: &mut Core<D>,
    now: Now,
    by: &Actor,
    choice: Choice,
    accept_risk: bool,
    manual_override: bool,
) -> Result<Result<Receipt, Refusal>, JournalError> {
    let Choice { group, intent, from, to } = choice;
    let to = to.and_then(|region| core.engine.candidate_in(now, group, region));
    // A choice that is on the table already is confirmed as it is: another one would take its place, and its evidence.
    let fits = |p: &Proposal| {
        p.group == group
            && p.intent == intent
            && from.is_none_or(|f| f == p.from)
            && (to.is_none() || to == p.to)
    };
    let open = core.engine.state().proposals.iter().find(|p| fits(&p.proposal)).map(|p| p.proposal.id);
    let proposal = match open {
        Some(proposal) => proposal,
        None => match send(
            core,
            now,
            by,
            Action::Propose { group, intent, from, to, reason: format!("ordered by {by}") },
        )? {
            Ok(Receipt::Proposed(proposal)) => proposal,
            other => return Ok(other),
        },
    };
    let shown = core.engine.assess(now, proposal);
    let from =
        core.engine.state().proposals.iter().find(|p| p.proposal.id == proposal).map(|p| p.proposal.from);
    let (Some(shown), Some(from)) = (shown, from) else {
        return Ok(Err(Refusal::new(SimulationRefused::NothingFor(Scripted::Choice))));
    };
    let typed = core.engine.state().estate.region(from).name.clone();
    let accepts = if accept_risk { shown.risks.clone() } else { Vec::new() };
    let confirmation = Confirmation {
        proposal,
        nonce: shown.nonce,
        seen: now.utc,
        plan: shown.plan,
        evidence: shown.evidence,
        typed,
        accept_risk: risk_words(&accepts),
        accepts,
        manual_override,
        second_person: None,
        supersedes: shown.supersedes,
    };
    let answer = send(core, now, by, Action::Confirm(confirmation))?;
    if answer.is_err() && open.is_none() {
        // Who was refused takes the choice off again.
        send(core, now, by, Action::Withdraw { proposal })?.ok();
    }
    Ok(answer)
}

/// The step that waits for a person's answer.
fn asked<D: Door>(core: &Core<D>) -> Option<(OperationId, u16)> {
    let operation = core.engine.state().operations.iter().rev().find(|o| !o.is_over())?;
    let step = operation.plan.steps.iter().zip(&operation.steps).position(|(s, r)| {
        matches!(r.state, StepState::Failed { .. })
            || (matches!(s.kind, StepKind::AskPerson { .. }) && r.state == StepState::Running)
    })?;
    Some((operation.id, step as u16))
}

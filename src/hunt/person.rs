//! What people do, resolved against what is there: they are wrong, late, do it twice, and contradict each other.

use super::act::{Act, Word};
use super::laws::Watch;
use crate::engine::Engine;
use crate::model::*;

/// What somebody remembers of the screen.
#[derive(Clone, Debug)]
pub struct Memory {
    from: RegionId,
    confirmation: Confirmation,
    risks: Vec<Risk>,
}

/// What is on the table now, as somebody would read it.
pub fn look(engine: &Engine, now: Now) -> Option<Memory> {
    let open = engine.state().proposals.first()?.proposal.clone();
    let shown = engine.assess(now, open.id)?;
    let confirmation = Confirmation {
        proposal: open.id,
        nonce: shown.nonce,
        seen: now.utc,
        plan: shown.plan,
        evidence: shown.evidence,
        typed: engine.state().estate.region(open.from).name.clone(),
        accepts: Vec::new(),
        accept_risk: None,
        manual_override: false,
        second_person: None,
        supersedes: shown.supersedes,
    };
    Some(Memory { from: open.from, confirmation, risks: shown.risks })
}

/// What is said to confirm it.
pub fn confirmation(memory: &Memory, word: &Word) -> Confirmation {
    Confirmation {
        typed: if word.rightly {
            memory.confirmation.typed.clone()
        } else {
            format!("region-{}", memory.from.0 + 1)
        },
        accepts: if word.accepts_risk { memory.risks.clone() } else { Vec::new() },
        accept_risk: risk_words(&memory.risks).filter(|_| word.accepts_risk),
        manual_override: word.overrides,
        second_person: word.second_person.then(|| "Robin".to_string()),
        ..memory.confirmation.clone()
    }
}

/// Why this may not be carried out, worked out anew: what is there now against what was said.
pub fn objection(engine: &Engine, watch: &Watch, now: Now, said: &Confirmation) -> Option<&'static str> {
    let state = watch.state();
    let Some(open) = state.proposals.iter().find(|p| p.proposal.id == said.proposal) else {
        return Some("it is not on the table");
    };
    let Some(shown) = engine.assess(now, said.proposal) else { return Some("it is not on the table") };
    let blocked = shown.checks.iter().any(|c| matches!(c.verdict, Verdict::Block { .. }));
    let overruled = said.manual_override && shown.overrule.is_some();
    let objections = [
        (!state.armed, "the controller is read-only"),
        (said.typed != state.estate.region(open.proposal.from).name, "another name was typed"),
        (said.nonce != shown.nonce, "the choice was changed"),
        (now.utc.since(said.seen) > Span::mins(2), "it is old"),
        (said.plan != shown.plan, "the plan was changed"),
        (said.evidence != shown.evidence, "the facts have changed"),
        (blocked && !overruled, "something stands in the way"),
        (shown.risks.iter().any(|r| !is_accepted(*r, &said.accepts)), "the risk was not accepted"),
        (shown.second_person && said.second_person.is_none(), "a second person is asked for"),
        (
            state.running(open.proposal.group).is_some_and(|o| said.supersedes != Some(o.id)),
            "an operation runs that it does not name",
        ),
        (shown.to.is_none(), "there is no candidate"),
    ];
    objections.into_iter().find(|(holds, _)| *holds).map(|(_, why)| why)
}

/// The order that an act comes to; `None` if there is nothing to do it to. Confirmations are made elsewhere.
pub fn order(engine: &Engine, act: &Act) -> Option<Action> {
    let state = engine.state();
    let operation = state.operations.iter().rev().find(|o| !o.is_over()).or(state.operations.back());
    let proposal = state.proposals.first().map(|p| p.proposal.id);
    Some(match act {
        Act::Propose { group, intent, from, to } => Action::Propose {
            group: GroupId(*group),
            intent: *intent,
            from: from.map(RegionId),
            to: to.map(MemberId),
            reason: "ordered".to_string(),
        },
        Act::Withdraw => Action::Withdraw { proposal: proposal? },
        Act::Stop => Action::StopAutomatic { proposal: proposal? },
        Act::Abort => Action::Abort { operation: operation?.id },
        Act::Rollback => Action::Rollback { operation: operation?.id },
        Act::AcceptUnprotected => Action::AcceptUnprotected { operation: operation?.id },
        Act::Answer { step, done } => {
            let operation = operation?;
            let asks = |r: &StepRecord| matches!(r.state, StepState::Failed { .. });
            let asking: Vec<usize> =
                operation.steps.iter().enumerate().filter(|(_, r)| asks(r)).map(|(i, _)| i).collect();
            let at =
                asking.get(usize::from(*step) % asking.len().max(1)).copied().unwrap_or(usize::from(*step));
            Action::Answer { operation: operation.id, step: at as u16, done: *done, note: String::new() }
        }
        Act::Arm { rightly } => {
            Action::Arm { typed: if *rightly { state.estate.name.clone() } else { "hurt".to_string() } }
        }
        Act::Disarm => Action::Disarm,
        Act::Vouch { group } => Action::Vouch { group: GroupId(*group), note: String::new() },
        Act::Note => Action::Note { text: "a note".to_string(), by_hand: true },
        _ => return None,
    })
}

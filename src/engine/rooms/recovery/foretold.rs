//! What was told of a choice before it was decided: kept in the record, so that it can be held against what came.

use super::assess;
use crate::engine::kernel::engine::Engine;
use crate::model::*;

/// Keeps the first forecast of a choice; one that comes when the operation has just begun, if it was asked for before.
pub fn hear(engine: &mut Engine, now: Now, view: &ForecastView) {
    let Some(mut foretold) = Foretold::of(view) else { return };
    let proposal = view.proposal;
    // What is refused as it stands would not get anywhere in any future: that is no forecast of what it would do.
    let open = engine.state.proposals.iter().find(|p| p.proposal.id == proposal);
    let assessed = open.map(|o| assess::assess(&engine.facts(now), &o.proposal, o.revision));
    if assessed.as_ref().is_some_and(|a| !a.can_be_confirmed() && !a.undecided()) {
        return;
    }
    if let Some(act) = foretold.act.as_mut() {
        let begun = || {
            engine
                .state
                .operations
                .iter()
                .rev()
                .find(|o| o.proposal == proposal)
                .map(|o| o.accepted.accepts_loss())
        };
        let bounds = |loss: &Loss| !matches!(loss, Loss::Unknown | Loss::AtLeast(Bytes(0)));
        act.unbounded = assessed.map_or_else(|| begun().unwrap_or(false), |a| !bounds(&a.loss));
    }
    let known = match engine.state.proposals.iter().find(|p| p.proposal.id == proposal) {
        Some(open) => {
            let known = open.foretold.is_some();
            let open = |p: &ProposalId| engine.state.proposals.iter().any(|o| o.proposal.id == *p);
            engine.foretold.retain(|p, _| open(p));
            engine.foretold.insert(proposal, foretold.clone());
            known
        }
        None => {
            let begun = engine.state.operations.iter().rev().find(|o| o.proposal == proposal);
            begun.is_none_or(|o| o.foretold.is_some() || foretold.to != Some(o.to) || foretold.at > o.started)
        }
    };
    if !known {
        engine.emit(now, Event::Foretold { proposal, foretold });
    }
}

/// Keeps what was told last, now that it is decided.
pub fn keep_last(engine: &mut Engine, now: Now, proposal: ProposalId) {
    let Some(last) = engine.foretold.remove(&proposal) else { return };
    let kept =
        engine.state.proposals.iter().find(|p| p.proposal.id == proposal).and_then(|p| p.foretold.as_ref());
    if kept != Some(&last) {
        engine.emit(now, Event::Foretold { proposal, foretold: last });
    }
}

//! A choice for the record: put on the table, taken off it, its countdown stopped.

use super::names::Names;
use super::{choice_cost_words, proposal_reason_words, refusal_words, veto_words};
use crate::model::*;

/// Which fact took a choice off the table.
pub const fn changed_words(reason: FactsChanged) -> &'static str {
    match reason {
        FactsChanged::DisasterOver => "the disaster is over",
        FactsChanged::PrimaryMoved => "the primary has moved",
        FactsChanged::NobodyConfirmed => "nobody confirmed it",
        FactsChanged::Unnamed => "the facts have changed",
    }
}

/// What it would have cost to confirm a choice, where that is told.
fn cost_words(cost: &Option<ChoiceCost>) -> String {
    cost.as_ref().map_or(String::new(), choice_cost_words)
}

/// Why a countdown was stopped, or never began.
fn stop_words(reason: &StopReason, estate: &Estate) -> String {
    match reason {
        StopReason::ByHand => "by hand".to_string(),
        StopReason::Veto(veto) => veto_words(veto, estate),
        StopReason::Refused(refusal) => refusal_words(refusal),
        StopReason::Written(words) => words.clone(),
    }
}

/// What was put on the table, and by whom.
pub fn proposed(names: &Names, p: &Proposal, now: Mono) -> (Weight, Subject, String) {
    let to = p.to.map_or(String::new(), |to| format!(" to {}", names.member(p.group, to)));
    let when = p.automatic_at.map_or(String::new(), |at| format!("; automatic in {}", at.since(now)));
    // Of detection's the lines before it say why; who asks for one weighs it, and has decided nothing.
    let (what, by, why) = match &p.by {
        Actor::Part(Part::Detection) => ("to decide", String::new(), String::new()),
        by => ("to be weighed", format!(", by {by}"), format!("; {}", proposal_reason_words(&p.reason))),
    };
    (
        Weight::Warning,
        Subject::Group(names.group(p.group)),
        format!("{what}: {} from {}{to}{by}{when}{why}", p.plan, names.region(p.from)),
    )
}

/// How it left the table.
pub fn closed(
    names: &Names,
    proposal: ProposalId,
    by: &Actor,
    end: &ProposalEnd,
    cost: &Option<ChoiceCost>,
) -> (Weight, Subject, String) {
    let state = names.state;
    match end {
        ProposalEnd::Displaced => (
            Weight::Notice,
            Subject::Person(by.to_string()),
            format!("turns to another choice{}{}", names.choice(proposal), cost_words(cost)),
        ),
        ProposalEnd::Dismissed => {
            // Who looked at a choice of one's own and left it has changed nothing.
            let own = state.proposals.iter().any(|p| p.proposal.id == proposal && p.proposal.by == *by);
            let text = if own { "drops what was weighed" } else { "withdraws the choice" };
            let after = if own { "; nothing was done" } else { "" };
            (
                Weight::Notice,
                Subject::Person(by.to_string()),
                format!("{text}{}{after}{}", names.choice(proposal), cost_words(cost)),
            )
        }
        ProposalEnd::FactsChanged { reason } => {
            let reason = if *reason == FactsChanged::Unnamed {
                cost_words(cost)
            } else {
                changed_words(*reason).to_string()
            };
            (
                Weight::Notice,
                Subject::Person(by.to_string()),
                format!("choice{} withdrawn: {reason}", names.choice(proposal)),
            )
        }
    }
}

/// Its countdown was stopped, or never began.
pub fn stopped(
    names: &Names,
    proposal: ProposalId,
    by: &Actor,
    reason: &StopReason,
) -> (Weight, Subject, String) {
    let (of, why) = (names.choice(proposal), stop_words(reason, names.estate));
    let text = if by.is_person() {
        format!("automatic response{of} stopped: {why}")
    } else {
        format!("no automatic response{of}: {why}")
    };
    (Weight::Warning, Subject::Person(by.to_string()), text)
}

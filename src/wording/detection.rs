//! Why a region stands as it does, what a disaster was declared on, and why a choice is on the table or left it.

use super::{check_words, sign_words, tally_words};
use crate::model::*;

/// Why a region stands as it does; empty where nothing was found yet.
pub fn region_reason_words(reason: &RegionReason) -> String {
    match reason {
        RegionReason::NotFound => String::new(),
        RegionReason::NotMeasured => "nothing was measured lately".to_string(),
        RegionReason::Silent { votes } => {
            format!("no answer: {}", votes.as_ref().map_or("our probes".to_string(), tally_words))
        }
        RegionReason::OnlyOurs { alive: Some(alive) } => {
            format!("our probes fail; only ours: {}", sign_words(alive))
        }
        RegionReason::OnlyOurs { alive: None } => "our probes fail; nobody else says so yet".to_string(),
        RegionReason::Signal { text } => text.clone(),
        RegionReason::SomeGone { gone, watched } => format!("{gone} of {watched} probed there do not answer"),
        RegionReason::NoPrimary { group } => {
            format!("{group} answers and leads no more: nobody takes its writes")
        }
        RegionReason::LagsOverRpo { group, lag, rpo, older: true } => {
            format!("{group} does not follow the new primary yet: {lag} behind it; its RPO is {rpo}")
        }
        RegionReason::LagsOverRpo { group, lag, rpo, older: false } => {
            format!("{group} lags {lag}; its RPO is {rpo}")
        }
        RegionReason::Failing => "failing, not yet for long enough".to_string(),
        RegionReason::Well => "everything that is watched answers".to_string(),
        RegionReason::Written(words) => words.clone(),
    }
}

/// What a disaster was declared on.
pub fn disaster_evidence_words(evidence: &DisasterEvidence) -> String {
    match evidence {
        DisasterEvidence::Regions(list) => {
            // Of several, whose it is.
            let whose =
                |e: &RegionEvidence| if list.len() > 1 { format!("{}: ", e.region) } else { String::new() };
            list.iter()
                .map(|e| format!("{}{}", whose(e), region_reason_words(&e.reason)))
                .collect::<Vec<_>>()
                .join("; ")
        }
        DisasterEvidence::Votes { votes } => tally_words(votes),
        DisasterEvidence::Signal { text } => text.clone(),
        DisasterEvidence::Written(words) => words.clone(),
    }
}

/// Why a choice is on the table.
pub fn proposal_reason_words(reason: &ProposalReason) -> String {
    match reason {
        ProposalReason::Disaster { kind, region, evidence } => {
            format!("{} {region}: {}", kind.words(), disaster_evidence_words(evidence))
        }
        ProposalReason::Told(words) => words.clone(),
    }
}

/// What it would have cost to confirm a choice, as it follows what became of it.
pub fn choice_cost_words(cost: &ChoiceCost) -> String {
    match cost {
        ChoiceCost::Refused { check } => format!("; refused as it stood: {}", check_words(check)),
        ChoiceCost::Risks { risks, checks } => {
            let told: Vec<String> = checks.iter().map(named_check_words).collect();
            format!(
                "; to confirm it one would have typed «{}» ({})",
                risk_words(risks).unwrap_or_default(),
                told.join("; ")
            )
        }
        ChoiceCost::Written(words) => words.clone(),
    }
}

/// A check that an operation's beginning rests on.
pub fn check_told_words(told: &CheckTold) -> String {
    match told {
        CheckTold::Check(check) => named_check_words(check),
        CheckTold::Written(words) => words.clone(),
    }
}

/// A check by its name.
fn named_check_words(check: &Check) -> String {
    format!("{}: {}", check.name(), check_words(check))
}

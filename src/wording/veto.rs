//! Why automation does not begin an operation, in words.

use super::{check_words, figure_words, tally_words};
use crate::model::*;

/// Why automation does not begin an operation: for the record and for screens.
pub fn veto_words(veto: &Veto, estate: &Estate) -> String {
    match veto {
        Veto::ReadOnly => "read-only: not armed".to_string(),
        Veto::NoResponse { disaster } => format!("no response to {} is configured", disaster.words()),
        Veto::ResponseOff { disaster } => format!("automated_response is off for {disaster}"),
        Veto::StrategyUndefined { strategy } => format!("strategy {strategy} is not defined"),
        Veto::LeftToPeople { strategy, automation } => {
            format!("{strategy} has automation_level {automation}")
        }
        Veto::SecondPerson => "the plan asks for a second person".to_string(),
        Veto::NotAFailover => "people do this one".to_string(),
        Veto::NoFence => "no fence is configured".to_string(),
        Veto::Cooldown { acted, cooldown, .. } => format!("acted {acted} ago; not again within {cooldown}"),
        Veto::FenceNotProven { within } => format!("the fence was not proven within {within}"),
        Veto::NotDrilled => {
            "the plan was not drilled as it stands before this controller began; drill it, and start again"
                .to_string()
        }
        Veto::WaiverInvalid { rule, fault } => waiver_words(*rule, *fault),
        Veto::OlderClaim => "an older program holds the claim; only a person may take that over".to_string(),
        Veto::TargetShort { check, to } => {
            let to = to.map_or("?", |to| estate.region(to).name.as_str());
            let figure = check.figure.map_or_else(|| "?".to_string(), figure_words);
            format!("{}: {to} {figure}", check.name())
        }
        Veto::Risky { risks, .. } => {
            format!("it would {}: never by itself", risk_words(risks).unwrap_or_default())
        }
        Veto::Settling { up, settle } => {
            format!("this controller began {up} ago; automation waits for {settle}")
        }
        Veto::Blocked { check } => check_words(check),
        Veto::ObserversDisagree { votes } => format!("observers do not agree: {}", tally_words(votes)),
        Veto::FailsTooShortly { failing, patience } => {
            format!("it has failed for {failing}; automation acts from {patience} on")
        }
        Veto::SynchronousStreams => "the synchronous standby has not lost its stream".to_string(),
        Veto::SilenceTooShort => "silent, not refused: not yet for long enough".to_string(),
        Veto::FewMembersAnswer => {
            "less than half of the members answer: it may be we who are cut off".to_string()
        }
        Veto::EvidenceTooOld { limit } => format!("the evidence is older than {limit}"),
        Veto::Unfinished { operation } => {
            format!("{operation} waits for a person on this database; supersede it or end it")
        }
        Veto::AlreadyAnswered { operation } => {
            format!("{operation} answered this disaster already; automation tries once")
        }
    }
}

/// The same in a few letters, for a header.
pub const fn veto_word(veto: &Veto) -> &'static str {
    match veto {
        Veto::ReadOnly => "read-only",
        Veto::NoResponse { .. }
        | Veto::ResponseOff { .. }
        | Veto::StrategyUndefined { .. }
        | Veto::LeftToPeople { .. } => "not configured",
        Veto::SecondPerson => "second person",
        Veto::NotAFailover => "left to people",
        Veto::NoFence => "no fence",
        Veto::Cooldown { .. } => "cooldown",
        Veto::FenceNotProven { .. } => "fence not proven",
        Veto::NotDrilled => "not drilled",
        Veto::WaiverInvalid { .. } => "waiver",
        Veto::OlderClaim => "older claim",
        Veto::TargetShort { .. } => "target too small",
        Veto::Risky { .. } => "risk",
        Veto::Settling { .. } => "settling",
        Veto::Blocked { check } => check.id.name(),
        Veto::ObserversDisagree { .. } => "observers",
        Veto::FailsTooShortly { .. } | Veto::SilenceTooShort => "not yet for long enough",
        Veto::SynchronousStreams => "standby streams",
        Veto::FewMembersAnswer => "few members answer",
        Veto::EvidenceTooOld { .. } => "stale evidence",
        Veto::Unfinished { .. } => "operation waits",
        Veto::AlreadyAnswered { .. } => "answered once",
    }
}

/// Why a waiver in the configuration keeps automation off, and what to do.
pub fn waiver_words(rule: WaivedRule, fault: WaiverFault) -> String {
    match fault {
        WaiverFault::Incomplete => {
            format!(
                "the configuration waives `{rule}` without a reason and an expiry date; add both, or remove the waiver"
            )
        }
        WaiverFault::Expired { at } => {
            format!("the waiver of `{rule}` expired at {at}; renew it, or remove it")
        }
    }
}

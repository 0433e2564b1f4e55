//! What is said of a step and of its effects.

use super::{check_words, claim_lost_words, claim_wait_words, no_proof_words};
use crate::model::*;

/// What a person said, and who.
pub fn said_words(said: &Said) -> String {
    if said.note.is_empty() { said.by.to_string() } else { format!("{}: {}", said.by, said.note) }
}

/// What was seen when a step, or what remains of an operation, was done.
pub fn evidence_words(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Nothing => String::new(),
        Evidence::Check(check) => check_words(check),
        Evidence::Overridden { by, check } => format!("overridden by {by}: {}", check_words(check)),
        Evidence::Reported { detail } => detail.clone(),
        Evidence::SeenGone { details } => format!("{}; seen gone", details.join("; ")),
        Evidence::Leads { member, timeline } => format!("{member} leads on timeline {timeline}"),
        Evidence::OutOfBalancers { members, balancers: n } => {
            format!("{} is out of {n} of {n} balancers", members.join(", "))
        }
        Evidence::BackInBalancers { members, balancers: n } => {
            format!("{} is back in {n} of {n} balancers", members.join(", "))
        }
        Evidence::WrittenThrough { entry, detail } => format!("through {entry}: {detail}"),
        Evidence::Streams { standby, synchronous, timeline } => {
            let how = if *synchronous { "synchronously" } else { "asynchronously: no synchronous mode" };
            format!("{standby} streams {how} on timeline {timeline}")
        }
        Evidence::Said(said) => said_words(said),
        Evidence::LeadsOn { member } => {
            format!(
                "{member} leads and renewed its lease after all that was sent had ended: no fence holds it"
            )
        }
        Evidence::Rejoined { member, timeline, unfenced } => {
            let unfenced = if *unfenced { ": its fence was undone by hand" } else { "" };
            format!("{member} streams on timeline {timeline}{unfenced}")
        }
        Evidence::Written(words) => words.clone(),
    }
}

/// Why a step failed.
pub fn failure_words(failure: &StepFailure) -> String {
    match failure {
        StepFailure::Check(check) => check_words(check),
        StepFailure::OtherCluster => {
            "the cluster that answers is not the one that this operation began on".to_string()
        }
        StepFailure::ClaimLost(lost) => claim_lost_words(lost),
        StepFailure::Unproven(missing) => no_proof_words(missing),
        StepFailure::StoreUnread => "the store was not read".to_string(),
        StepFailure::NoFence => "no fence is configured and nobody has accepted the risk".to_string(),
        StepFailure::FenceFailed { outcome } => {
            format!("the fence did not answer 0: {}", outcome_words(outcome))
        }
        StepFailure::Effect { outcome } => outcome_words(outcome),
        StepFailure::Elected { member } => format!("the cluster elected {member} by itself"),
        StepFailure::Balancer { address, outcome } => format!("{address}: {}", outcome_words(outcome)),
        StepFailure::Waited { waited, wait } => format!("waited {waited} for {}", wait_words(wait)),
        StepFailure::Said(said) => said_words(said),
        StepFailure::Written(words) => words.clone(),
    }
}

/// Why a step was left out.
pub fn skip_words(reason: &SkipReason) -> String {
    match reason {
        SkipReason::Planted => "planted".to_string(),
        SkipReason::UnfencedAccepted { by } => {
            format!("no fence is configured; {by} accepted that two primaries may write")
        }
        SkipReason::LeadsAlready { member } => format!("{member} leads; our hand-over may have done it"),
        SkipReason::Elected { member } => format!("the cluster elected {member} by itself"),
        SkipReason::NoTraffic => "no traffic entry".to_string(),
        SkipReason::NoEntry => "no traffic entry is configured".to_string(),
        SkipReason::NoBalancerLeft => "no balancer outside the region".to_string(),
        SkipReason::LeftOut(said) => format!("without it, says {}", said_words(said)),
        SkipReason::Written(words) => words.clone(),
    }
}

/// Why a step is tried again.
pub fn reset_words(reason: &ResetReason) -> String {
    match reason {
        ResetReason::OnceMore(said) => format!("once more, says {}", said_words(said)),
        ResetReason::ProtectionLost { wait } => {
            format!("lost since it was seen: waits for {}", wait_words(wait))
        }
        ResetReason::LeadsNow { member } => format!("{member} leads now"),
        ResetReason::Written(words) => words.clone(),
    }
}

/// Why the outcome of an effect must be observed.
pub fn lost_words(reason: &LostReason) -> &str {
    match reason {
        LostReason::Overdue => "its report is overdue",
        LostReason::SenderGone => "the controller that sent it is gone",
        LostReason::Written(words) => words,
    }
}

/// What a report says: of what was done its detail, else the reason.
pub fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { detail } => detail.clone(),
        Outcome::Assumed { reason: AssumedReason::Said(said) } => {
            format!("nobody could tell; it is taken for not done, says {}", said_words(said))
        }
        Outcome::Assumed { reason: AssumedReason::Written(words) } => words.clone(),
        Outcome::NotDone { reason }
        | Outcome::Missed { reason }
        | Outcome::Ended { reason }
        | Outcome::Unknown { reason } => reason.clone(),
    }
}

/// What a step waits for.
pub fn wait_words(wait: &WaitReason) -> String {
    match wait {
        WaitReason::Armed => "this controller to be armed: it is read-only".to_string(),
        WaitReason::Claim(wait) => claim_wait_words(*wait).to_string(),
        WaitReason::Check(check) => check_words(check),
        WaitReason::Person { what } => what.clone(),
        WaitReason::StoreAnswer => "a fresh answer of etcd".to_string(),
        WaitReason::StoreAnswerAfterFence => "etcd's answer after the fence".to_string(),
        WaitReason::Probe => "a fresh probe of the old primary".to_string(),
        WaitReason::FreshAnswers { member } => format!("fresh answers of {member} and etcd"),
        WaitReason::Answers { member } => format!("answers of {member} and etcd"),
        WaitReason::MemberAnswer { member } => format!("an answer of {member}"),
        WaitReason::MemberAnswerAfterFence { member } => format!("an answer of {member} after the fence"),
        WaitReason::FenceCommand => "the fence command".to_string(),
        WaitReason::FenceOutcome { reason } => format!("whether the fence ran: {reason}"),
        WaitReason::Proof(missing) => no_proof_words(missing),
        WaitReason::Transaction => "the one transaction".to_string(),
        WaitReason::TransactionOutcome { reason } => format!("whether the transaction happened: {reason}"),
        WaitReason::Report { effect } => format!("the answer to: {effect}"),
        WaitReason::Outcome { reason } => format!("whether it happened: {reason}"),
        WaitReason::NewTimeline { member } => format!("{member} to write on a new timeline"),
        WaitReason::Promotion { member, timeline: None } => format!("{member} to leave recovery"),
        WaitReason::Promotion { member, timeline: Some(t) } => {
            format!("{member} to leave recovery (timeline {t} → {})", t.0 + 1)
        }
        WaitReason::Balancers(list) => list.iter().map(balancer_words).collect::<Vec<_>>().join(", "),
        WaitReason::Standby { member, synchronous: true } => {
            format!("a synchronous standby to stream from {member}")
        }
        WaitReason::Standby { member, synchronous: false } => format!("a standby to stream from {member}"),
    }
}

fn balancer_words(wait: &BalancerWait) -> String {
    match wait {
        BalancerWait::Up { address } => format!("whether {address} is up"),
        BalancerWait::Refused { address, outcome } => format!("{address}: {}", outcome_words(outcome)),
        BalancerWait::Shows { address } => format!("{address} to show it"),
        BalancerWait::Report { address } => address.clone(),
    }
}

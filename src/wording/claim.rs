//! Whose a cluster is, as its store says.

use crate::model::*;

fn holder_words(holder: &Holder) -> String {
    match holder {
        Holder::Unknown => "another controller".to_string(),
        Holder::Controller(owner) => owner.to_string(),
        Holder::Older(name) => name.clone(),
    }
}

/// An operation, and who runs it.
fn parts(by: &Claimant) -> (&str, String) {
    (by.operation.as_deref().unwrap_or("an operation"), holder_words(&by.holder))
}

/// What another controller's claim means for what would begin.
pub fn claim_words(finding: &ClaimFinding) -> String {
    match finding {
        ClaimFinding::Runs(by) => {
            let (operation, owner) = parts(by);
            format!("{owner} runs {operation} on this cluster")
        }
        ClaimFinding::NotRenewed { by, left } => {
            let (operation, owner) = parts(by);
            format!(
                "{owner} ran {operation} on this cluster and does not renew its claim; it can be taken over in {left}"
            )
        }
        ClaimFinding::OlderRuns { by, left, ahead } => {
            let (operation, owner) = parts(by);
            let clock = if *ahead { "; its clock is ahead of ours" } else { "" };
            format!(
                "{owner}, an older program, runs {operation} on this cluster{clock}; it can be taken over in {left} if it is not changed"
            )
        }
        ClaimFinding::TakesOver(by) => {
            let (operation, owner) = parts(by);
            match by.holder {
                Holder::Older(_) => {
                    format!("takes over {operation} of {owner}, an older program; only a person may")
                }
                Holder::Unknown | Holder::Controller(_) => {
                    format!("takes over {operation} of {owner}, which is gone")
                }
            }
        }
    }
}

/// Why an operation may not act any more.
pub fn claim_lost_words(lost: &ClaimLost) -> String {
    let who = |by: &Option<Claimant>| {
        by.as_ref().map_or_else(String::new, |by| {
            let (operation, owner) = parts(by);
            format!("{operation} of {owner}")
        })
    };
    match lost {
        ClaimLost::TakenOver { by } => format!("another controller took over: {}", who(by)),
        ClaimLost::First { by } => format!("another controller was first: {}", who(by)),
        ClaimLost::ClaimedSince { by, generation } => {
            let (operation, owner) = parts(by);
            format!("{operation} of {owner} was claimed since with generation {}", generation.0)
        }
        ClaimLost::NotWritten { reason } => format!("the claim could not be written: {reason}"),
    }
}

/// What an operation waits for before its claim lets it act.
pub const fn claim_wait_words(wait: ClaimWait) -> &'static str {
    match wait {
        ClaimWait::Answer => "our claim in the store",
        ClaimWait::FreshAnswer => "a fresh answer of etcd",
        ClaimWait::Renewal => "our claim to be renewed",
        ClaimWait::CommandsBefore => "the commands of the process before to end",
        ClaimWait::Patience => "the patience of the controller before to end",
        ClaimWait::OlderUnchanged => "the claim of an older program to stay unchanged",
        ClaimWait::MemberBefore => "a look at the member that the controller before may have fenced",
        ClaimWait::BalancerBefore => "a look at the balancer that the controller before may have drained",
        ClaimWait::SettingsBefore => "a look at the settings that the controller before may have changed",
    }
}

//! Who may order what: `may:` in the configuration maps groups and accounts to rights.

use super::Action;
use super::disaster::vocabulary;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

vocabulary!(
    /// What an account may do at a controller.
    Right, "right" {
        /// See how things stand.
        Observe = "observe",
        /// Write a note into the record.
        Note = "note",
        /// Vouch that a database takes writes.
        Vouch = "vouch",
        /// Put choices on the table, and take them off.
        Propose = "propose",
        /// Confirm a choice, and answer what its operation asks.
        Confirm = "confirm",
        /// Confirm a choice although it has a risk.
        AcceptLoss = "accept_loss",
        /// Let the controller act.
        Arm = "arm",
        /// Stop countdowns, and make the controller read-only.
        Stop = "stop",
        /// Abort an operation, or roll it back.
        Abort = "abort",
        /// Put an operation in the place of one that waits.
        Supersede = "supersede",
        /// Take a changed cluster for the one that is meant.
        Adopt = "adopt",
    }
);

/// Rights by the name of a group or of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct May(pub BTreeMap<String, BTreeSet<Right>>);

impl Right {
    /// One of these is enough for this right.
    const fn given_by(self) -> &'static [Right] {
        match self {
            Right::Observe => Right::ALL,
            Right::Stop => &[Right::Stop, Right::Propose],
            Right::Confirm => &[Right::Confirm, Right::AcceptLoss],
            Right::Note => &[Right::Note],
            Right::Vouch => &[Right::Vouch],
            Right::Propose => &[Right::Propose],
            Right::AcceptLoss => &[Right::AcceptLoss],
            Right::Arm => &[Right::Arm],
            Right::Abort => &[Right::Abort],
            Right::Supersede => &[Right::Supersede],
            Right::Adopt => &[Right::Adopt],
        }
    }
}

impl May {
    /// An account has this right, by its own name or by one of its groups.
    pub fn gives<'a>(&self, right: Right, mut names: impl Iterator<Item = &'a str>) -> bool {
        names.any(|name| {
            self.0.get(name).is_some_and(|rights| right.given_by().iter().any(|r| rights.contains(r)))
        })
    }
}

impl Action {
    /// The rights that an account needs to order this: all of them.
    pub const fn rights(&self) -> &'static [Right] {
        match self {
            Action::Propose { .. } | Action::Withdraw { .. } => &[Right::Propose],
            Action::Confirm(c) => match (c.takes_a_risk(), c.supersedes.is_some()) {
                (true, true) => &[Right::AcceptLoss, Right::Supersede],
                (true, false) => &[Right::AcceptLoss],
                (false, true) => &[Right::Confirm, Right::Supersede],
                (false, false) => &[Right::Confirm],
            },
            Action::Answer { .. } => &[Right::Confirm],
            Action::AcceptUnprotected { .. } => &[Right::AcceptLoss],
            Action::StopAutomatic { .. } | Action::Disarm => &[Right::Stop],
            Action::Abort { .. } | Action::Rollback { .. } => &[Right::Abort],
            Action::Arm { .. } => &[Right::Arm],
            Action::Adopt { .. } => &[Right::Adopt],
            Action::Vouch { .. } => &[Right::Vouch],
            Action::Note { .. } => &[Right::Note],
        }
    }
}

impl super::Confirmation {
    /// The choice is confirmed although something speaks against it.
    const fn takes_a_risk(&self) -> bool {
        self.accept_risk.is_some() || !self.accepts.is_empty() || self.manual_override
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_by_account_and_by_group() {
        let rights = |list: &[Right]| list.iter().copied().collect::<BTreeSet<_>>();
        let may = May(BTreeMap::from([
            ("ada".to_string(), rights(&[Right::AcceptLoss])),
            ("watch".to_string(), rights(&[Right::Observe])),
            ("desk".to_string(), rights(&[Right::Propose])),
        ]));
        let gives = |right, names: &[&str]| may.gives(right, names.iter().copied());
        // Whoever may propose may stop and disarm; who accepts a risk may also confirm without one; everybody named may see.
        let table: [(&[&str], &[Right]); 4] = [
            (&["ada", "staff"], &[Right::Observe, Right::Confirm, Right::AcceptLoss]),
            (&["kim", "watch"], &[Right::Observe]),
            (&["kim", "desk"], &[Right::Observe, Right::Propose, Right::Stop]),
            (&["kim", "staff"], &[]),
        ];
        for (names, has) in table {
            for right in Right::ALL {
                assert_eq!(gives(*right, names), has.contains(right), "{names:?} {right}");
            }
        }
    }

    #[test]
    fn what_an_action_needs() {
        let confirm = |risky, supersedes: bool| {
            Action::Confirm(super::super::Confirmation {
                proposal: super::super::ProposalId(1),
                nonce: 0,
                seen: super::super::Utc(0),
                plan: super::super::Digest::default(),
                evidence: super::super::Digest::default(),
                typed: String::new(),
                accepts: Vec::new(),
                accept_risk: None,
                manual_override: risky,
                second_person: None,
                supersedes: supersedes.then_some(super::super::OperationId(3)),
            })
        };
        let table = [
            (Action::Note { text: String::new(), by_hand: true }, vec![Right::Note]),
            (Action::Disarm, vec![Right::Stop]),
            (Action::Arm { typed: String::new() }, vec![Right::Arm]),
            (confirm(false, false), vec![Right::Confirm]),
            (confirm(true, false), vec![Right::AcceptLoss]),
            (confirm(false, true), vec![Right::Confirm, Right::Supersede]),
            (confirm(true, true), vec![Right::AcceptLoss, Right::Supersede]),
        ];
        for (action, rights) in table {
            assert_eq!(action.rights(), rights, "{action:?}");
        }
    }
}

//! What came of the last order, and what of it is seen: the choice on the table, the operation that begins.

use super::app::{App, Followed, Told};
use super::confirm::Confirm;
use super::dialog::{Dialog, Listening};
use crate::model::*;
use crate::wording::{changed_words, refusal_words};
use std::time::{Duration, Instant};

/// How long an answer stands in the footer.
const TOLD: Duration = Duration::from_secs(6);

impl App {
    /// The answer to an order has come.
    pub fn answered(&mut self, answer: Result<Receipt, Refusal>, words: &str) {
        if !matches!(answer, Ok(Receipt::Proposed(_))) {
            self.coming = None;
        }
        match answer {
            Ok(Receipt::Proposed(id)) => self.followed = Followed::Proposed(id),
            Ok(Receipt::Started(id)) => {
                self.told = Some(format!("{id} begins").into());
                self.followed = Followed::Started(id);
            }
            Ok(Receipt::Done) => self.told = (!words.is_empty()).then(|| words.into()),
            Err(refusal) => self.refused(&refusal),
        }
    }

    /// An order was refused: what is typed after it was meant for its confirmation, and does nothing.
    fn refused(&mut self, refusal: &Refusal) {
        self.open(Dialog::Told { text: format!("Refused: {}", refusal_words(refusal)), typed: true });
    }

    /// Takes in the newest facts: an open confirmation is held against them.
    pub fn refresh(&mut self, s: &Snapshot) {
        if self.told.is_none() {
            self.told_at = Instant::now();
        } else if self.told_at.elapsed() > TOLD {
            self.told = None;
        }
        self.follow(s);
        if let Some(Dialog::Confirm(confirm)) = &mut self.dialog {
            let before = confirm.changed.len();
            if !confirm.refresh(s) {
                let begun = s.operations.iter().rev().find(|o| o.proposal == confirm.shown.proposal.id);
                let text = match begun {
                    Some(o) if o.automatic => format!("Automation has begun it by itself: {}.", o.id),
                    Some(o) => format!("{} has begun it: {}.", o.by, o.id),
                    None => {
                        let group = &s.estate.group(confirm.shown.proposal.group).name;
                        let end = s
                            .closed
                            .iter()
                            .rev()
                            .find(|(id, _)| *id == confirm.shown.proposal.id)
                            .map(|(_, end)| *end);
                        let why = match end {
                            Some(ProposalEnd::FactsChanged { reason }) => changed_words(reason),
                            Some(ProposalEnd::Displaced) => "another choice took its place",
                            Some(ProposalEnd::Dismissed) => "somebody dismissed it",
                            None => changed_words(FactsChanged::Unnamed),
                        };
                        format!("The choice for {group} is off the table: {why}.")
                    }
                };
                self.tell(text);
            } else if confirm.changed.len() != before {
                self.listening = Listening::from_now();
            }
        }
    }

    /// What was ordered last, as far as it is seen by now.
    fn follow(&mut self, s: &Snapshot) {
        let operation = |id: OperationId| s.operations.iter().find(|o| o.id == id);
        match self.followed {
            Followed::Nothing => {}
            Followed::Proposed(id) => {
                let Some(view) = s.proposals.iter().find(|v| v.proposal.id == id) else { return };
                self.followed = Followed::Nothing;
                self.coming = None;
                self.selected = Some(view.proposal.group);
                let mut confirm = Confirm::new(view, s.now.utc);
                confirm.ours = true;
                self.open(Dialog::Confirm(Box::new(confirm)));
            }
            Followed::Started(id) => {
                let Some(operation) = operation(id) else { return };
                self.followed = Followed::Running(id);
                self.selected = Some(operation.group);
                self.told = Some(Told { text: begins(operation, s), begins: Some(id) });
            }
            Followed::Running(id) => {
                // What is over begins no more.
                if operation(id).is_some_and(|o| o.is_over()) {
                    self.followed = Followed::Nothing;
                    self.told = self.told.take().filter(|told| told.begins != Some(id));
                }
            }
        }
    }
}

fn begins(operation: &Operation, s: &Snapshot) -> String {
    // The selection goes on to what is still to be decided: that is told with it.
    let next = s.proposals.iter().map(|v| v.proposal.group).find(|g| *g != operation.group);
    let next = next.map_or(String::new(), |g| format!("; next: {}", s.estate.group(g).name));
    format!("{} begins: {}{next}", operation.id, s.estate.group(operation.group).name)
}

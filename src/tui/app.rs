//! What the screen remembers: the selection, what is open, how far the log is scrolled. Keys become orders here, and
//! nowhere else.

use super::dialog::{self, Confirm, Dialog, Listening, Question};
use super::keys::{self, Command};
use crate::model::*;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind};

/// What a key asks of the world outside the screen.
#[derive(Debug, PartialEq, Eq)]
pub enum Ask {
    Order(Action),
    Control(Control),
    Quit,
}

pub struct App {
    pub dialog: Option<Dialog>,
    listening: Listening,
    selected: usize,
    pub program_log: bool,
    pub back: usize,
    /// The answer to the last order, until the next key.
    pub told: Option<String>,
    /// A choice was asked for: its confirmation opens when it is on the table.
    awaiting: Option<ProposalId>,
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    pub fn new() -> App {
        App { dialog: None, listening: Listening::from_now(), selected: 0, program_log: false, back: 0, told: None, awaiting: None }
    }

    pub fn hears(&self) -> bool {
        self.listening.hears()
    }

    /// The database that orders are about.
    pub fn selected_group(&self, s: &Snapshot) -> GroupId {
        let databases: Vec<GroupId> = s.groups.iter().filter(|g| !g.members.is_empty()).map(|g| g.group).collect();
        databases.get(self.selected % databases.len().max(1)).copied().unwrap_or(GroupId(0))
    }

    fn open(&mut self, dialog: Dialog) {
        self.dialog = Some(dialog);
        self.listening = Listening::from_now();
    }

    /// Takes in the newest facts: an open confirmation is held against them.
    pub fn refresh(&mut self, s: &Snapshot) {
        if let Some(id) = self.awaiting
            && let Some(view) = s.proposals.iter().find(|v| v.proposal.id == id)
        {
            self.awaiting = None;
            self.open(Dialog::Confirm(Box::new(Confirm::new(view, s.now.utc))));
        }
        if let Some(Dialog::Confirm(confirm)) = &mut self.dialog {
            let before = confirm.changed.len();
            if !confirm.refresh(s) {
                self.open(Dialog::Told { text: "The choice is off the table: the facts have changed.".to_string() });
            } else if confirm.changed.len() != before {
                self.listening = Listening::from_now();
            }
        }
    }

    /// The answer to an order has come.
    pub fn answered(&mut self, answer: Result<Receipt, Refusal>) {
        match answer {
            Ok(Receipt::Proposed(id)) => self.awaiting = Some(id),
            Ok(Receipt::Started(id)) => self.told = Some(format!("{id} begins")),
            Ok(Receipt::Done) => self.told = Some("done".to_string()),
            Err(refusal) => self.open(Dialog::Told { text: format!("Refused: {refusal}") }),
        }
    }

    /// Takes in one event of the terminal.
    pub fn event(&mut self, event: &Event, s: &Snapshot) -> Option<Ask> {
        match event {
            // What was typed while the terminal was not looked at was not typed at this.
            Event::FocusGained => {
                self.listening = Listening::from_now();
                None
            }
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(*key, s),
            // A paste confirms nothing, and is no list of keys.
            _ => None,
        }
    }

    fn key(&mut self, key: KeyEvent, s: &Snapshot) -> Option<Ask> {
        self.told = None;
        if self.dialog.is_some() {
            return self.dialog_key(key, s);
        }
        match keys::command(key)? {
            Command::Help => self.open(Dialog::Help),
            Command::Quit if s.world.is_none() && s.operations.iter().any(|o| !o.is_over()) => self.open(Dialog::Quit),
            Command::Quit => return Some(Ask::Quit),
            Command::NextGroup => self.selected = self.selected.wrapping_add(1),
            Command::LogTab => (self.program_log, self.back) = (!self.program_log, 0),
            Command::Up => self.back = (self.back + 1).min(s.log.len()),
            Command::Down => self.back = self.back.saturating_sub(1),
            Command::Failover => return self.choose(s, Intent::Failover),
            Command::Switchover => return self.choose(s, Intent::Switchover),
            Command::StopAutomatic => {
                let open = s.proposals.iter().find(|p| p.proposal.automatic_at.is_some())?;
                return Some(Ask::Order(Action::StopAutomatic { proposal: open.proposal.id }));
            }
            Command::Withdraw => return Some(Ask::Order(Action::Withdraw { proposal: self.choice(s)?.proposal.id })),
            Command::Answer => {
                let group = self.selected_group(s);
                let open = || s.operations.iter().rev().filter(|o| !o.is_over());
                let operation = open().find(|o| o.group == group).or_else(|| open().next())?;
                let step = dialog::asked_step(operation);
                self.open(Dialog::Question(Question { operation: operation.id, step, typed: String::new() }));
            }
            Command::Arm if s.world.is_none() && !s.armed => self.open(Dialog::Arm { typed: String::new() }),
            Command::Inject if s.world.is_some() => self.open(Dialog::Inject { selected: 0 }),
            Command::Pause => return Some(Ask::Control(Control::Pause(!s.world.as_ref()?.paused))),
            Command::StepOnce if s.world.is_some() => return Some(Ask::Control(Control::Step)),
            Command::Faster => return Some(Ask::Control(Control::Speed(s.world.as_ref()?.speed.saturating_mul(10).min(1000)))),
            Command::Slower => return Some(Ask::Control(Control::Speed((s.world.as_ref()?.speed / 10).max(1)))),
            Command::Mend if s.world.is_some() => return Some(Ask::Control(Control::Mend)),
            Command::Arm | Command::Inject | Command::StepOnce | Command::Mend => {}
        }
        None
    }

    fn choice<'a>(&self, s: &'a Snapshot) -> Option<&'a ProposalView> {
        let group = self.selected_group(s);
        s.proposals.iter().find(|v| v.proposal.group == group).or(s.proposals.first())
    }

    /// Opens the confirmation of what is on the table, or puts a choice there first.
    fn choose(&mut self, s: &Snapshot, intent: Intent) -> Option<Ask> {
        let open = self.choice(s).filter(|v| v.proposal.intent == intent || (intent == Intent::Failover && v.proposal.intent == Intent::Guided));
        if let Some(view) = open {
            self.open(Dialog::Confirm(Box::new(Confirm::new(view, s.now.utc))));
            return None;
        }
        let group = self.selected_group(s);
        Some(Ask::Order(Action::Propose { group, intent, from: None, to: None, reason: "ordered from the dashboard".to_string() }))
    }

    fn dialog_key(&mut self, key: KeyEvent, s: &Snapshot) -> Option<Ask> {
        let hears = self.hears();
        let dialog = self.dialog.as_mut()?;
        if key.code == KeyCode::Esc {
            self.dialog = None;
            return None;
        }
        match dialog {
            Dialog::Help | Dialog::Told { .. } => self.dialog = None,
            Dialog::Quit => {
                let leave = key.code == KeyCode::Char('y') && hears;
                self.dialog = None;
                return leave.then_some(Ask::Quit);
            }
            Dialog::Inject { selected } => {
                let list = dialog::faults(s);
                match key.code {
                    KeyCode::Up | KeyCode::Char('k') => *selected = selected.saturating_sub(1),
                    KeyCode::Down | KeyCode::Char('j') => *selected = (*selected + 1).min(list.len().saturating_sub(1)),
                    KeyCode::Enter => {
                        let fault = list.get(*selected)?.clone();
                        self.dialog = None;
                        return Some(Ask::Control(Control::Inject { fault }));
                    }
                    _ => {}
                }
            }
            // What acts is deaf for a moment: the keys before it opened were meant for something else.
            _ if !hears => {}
            Dialog::Arm { typed } => {
                if edit(typed, key) {
                    let typed = std::mem::take(typed);
                    self.dialog = None;
                    return Some(Ask::Order(Action::Arm { typed }));
                }
            }
            Dialog::Confirm(_) => return self.confirm_key(key),
            Dialog::Question(question) => {
                if edit(&mut question.typed, key) {
                    let (id, step, word) = (question.operation, question.step, question.typed.trim().to_string());
                    self.dialog = None;
                    return answer(s, id, step, &word).or_else(|| {
                        self.open(Dialog::Told { text: format!("«{word}» is no answer that fits now; nothing was done.") });
                        None
                    });
                }
            }
        }
        None
    }

    fn confirm_key(&mut self, key: KeyEvent) -> Option<Ask> {
        let Some(Dialog::Confirm(confirm)) = &mut self.dialog else { return None };
        if confirm.shown.assessment.blocked().is_some() {
            return None;
        }
        let risky = confirm.shown.assessment.risk.is_some();
        if key.code == KeyCode::Tab && risky {
            confirm.in_risk = !confirm.in_risk;
            return None;
        }
        let entered = if confirm.in_risk { edit(&mut confirm.risk, key) } else { edit(&mut confirm.typed, key) };
        if !entered {
            return None;
        }
        if risky && !confirm.in_risk && confirm.risk.is_empty() {
            confirm.in_risk = true;
            return None;
        }
        let a = &confirm.shown.assessment;
        let confirmation = Confirmation {
            proposal: confirm.shown.proposal.id,
            nonce: a.nonce,
            seen: confirm.seen,
            plan: a.plan,
            evidence: a.evidence,
            typed: confirm.typed.trim().to_string(),
            accept_risk: risky.then(|| confirm.risk.trim().to_string()),
            manual_override: false,
        };
        self.dialog = None;
        Some(Ask::Order(Action::Confirm(confirmation)))
    }
}

/// Edits a line; true when it was entered.
fn edit(text: &mut String, key: KeyEvent) -> bool {
    match key.code {
        KeyCode::Enter => return true,
        KeyCode::Backspace => {
            text.pop();
        }
        KeyCode::Char(c) if text.len() < 200 && !c.is_control() => text.push(c),
        _ => {}
    }
    false
}

fn answer(s: &Snapshot, id: OperationId, step: Option<u16>, word: &str) -> Option<Ask> {
    let operation = s.operations.iter().find(|o| o.id == id)?;
    if !dialog::answers(operation).iter().any(|(w, _)| *w == word) {
        return None;
    }
    let of_step = |done| step.map(|step| Action::Answer { operation: id, step, done, note: String::new() });
    let action = match word {
        "done" | "without" => of_step(true)?,
        "again" => of_step(false)?,
        "accept" => Action::AcceptUnprotected { operation: id },
        "rollback" => Action::Rollback { operation: id },
        "abort" => Action::Abort { operation: id },
        _ => return None,
    };
    Some(Ask::Order(action))
}

//! What is typed into a filter, the palette and a dialog.

use super::answers::answers;
use super::app::{App, Ask, Told};
use super::can::can;
use super::confirm::Entered;
use super::dialog::{Dialog, Sure};
use super::field::edit;
use super::keys::Command;
use super::palette;
use super::places::Screen;
use crate::model::*;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

impl App {
    pub(super) fn filter_key(&mut self, key: KeyEvent) -> Option<Ask> {
        let timeline = self.screen == Screen::Timeline;
        let list = self.list_mut();
        match key.code {
            KeyCode::Esc => (list.typing, list.filter) = (false, String::new()),
            KeyCode::Enter | KeyCode::Down | KeyCode::Up => {
                list.typing = false;
                // The screen holds the newest lines; the record holds all.
                return (timeline && !list.filter.is_empty()).then(|| Ask::Search(list.filter.clone()));
            }
            _ => {
                edit(&mut list.filter, key);
                list.selected = None;
            }
        }
        None
    }

    pub(super) fn palette_key(&mut self, key: KeyEvent, s: &Snapshot) -> Option<Ask> {
        let Some(Dialog::Palette(palette)) = &self.dialog else { return None };
        let mut palette = palette.clone();
        let items = palette::items(&palette, &self.keys, self, s);
        match key.code {
            KeyCode::Up => palette.chosen = palette.chosen.saturating_sub(1),
            KeyCode::Down => palette.chosen = (palette.chosen + 1).min(items.len().saturating_sub(1)),
            KeyCode::Tab => {
                if let Some(item) = items.get(palette.chosen) {
                    (palette.typed, palette.chosen) = (item.name.clone(), 0);
                }
            }
            KeyCode::Enter => {
                let item = items.get(palette.chosen)?.clone();
                self.dialog = None;
                return self.pick(item.pick, s);
            }
            _ => {
                edit(&mut palette.typed, key);
                palette.chosen = 0;
            }
        }
        self.dialog = Some(Dialog::Palette(palette));
        None
    }

    pub(super) fn dialog_key(&mut self, key: KeyEvent, s: &Snapshot) -> Option<Ask> {
        let hears = self.hears();
        if matches!(self.dialog, Some(Dialog::Palette(_))) && key.code != KeyCode::Esc {
            return self.palette_key(key, s);
        }
        // Whatever is open: the countdown does not wait until it is closed.
        let held = key.modifiers.contains(KeyModifiers::CONTROL);
        if held
            && matches!(self.dialog, Some(Dialog::Confirm(_)))
            && self.keys.command(key) == Some(Command::StopAutomatic)
        {
            return self.command(Command::StopAutomatic, s);
        }
        // Nothing that is asked for begins with a space: it holds the simulation while the confirmation is read.
        let holds = matches!(&self.dialog, Some(Dialog::Confirm(confirm)) if confirm.is_empty())
            && self.keys.command(key) == Some(Command::Pause);
        if holds
            && key.code == KeyCode::Char(' ')
            && can(Command::Pause, self, s, self.selected_group(s)).is_ok()
        {
            if s.world.as_ref().is_some_and(|w| w.paused) {
                self.told = Some("it stands still already; space goes on once this is left".into());
                return None;
            }
            return self.command(Command::Pause, s);
        }
        let dialog = self.dialog.as_mut()?;
        if key.code == KeyCode::Esc {
            // A choice that was only put on the table to be looked at must not stay there: it would keep the automatic
            // response away.
            let looked_at = match dialog {
                Dialog::Confirm(confirm) if confirm.ours => Some(confirm.shown.proposal.id),
                _ => None,
            };
            let left = match dialog {
                Dialog::Question(_) => Some("left: it goes on as it was"),
                Dialog::Confirm(confirm) if confirm.ours => Some(LEFT),
                Dialog::Confirm(_) => Some(NOT_NOW),
                _ => None,
            };
            self.dialog = None;
            self.told = left.map(Told::from);
            return looked_at.map(|proposal| Ask::Untouched(Action::Withdraw { proposal }));
        }
        match dialog {
            Dialog::Help { from } => match key.code {
                KeyCode::Down | KeyCode::Char('j' | ' ') | KeyCode::PageDown => *from += 5,
                KeyCode::Up | KeyCode::Char('k') | KeyCode::PageUp => *from = from.saturating_sub(5),
                _ => self.dialog = None,
            },
            // What is being typed when it opens was meant for something else.
            Dialog::Told { typed: true, .. } if !matches!(key.code, KeyCode::Enter | KeyCode::Char(' ')) => {
                self.told = Some(READ.into())
            }
            Dialog::Told { .. } => {
                if hears {
                    self.dialog = None;
                    // Whoever goes on working has read it: nothing is ordered by it, for what acts asks again.
                    return if matches!(key.code, KeyCode::Enter | KeyCode::Char(' ')) {
                        None
                    } else {
                        self.command(self.keys.command(key)?, s)
                    };
                }
            }
            Dialog::Palette(_) => {}
            Dialog::Sure(what) => {
                let (yes, what) = (key.code == KeyCode::Char('y') && hears, *what);
                self.dialog = None;
                return yes.then_some(match what {
                    Sure::Quit => Ask::Quit,
                    Sure::LeaveDrill => Ask::Leave,
                    Sure::Disarm => Ask::Order(Action::Disarm),
                });
            }
            Dialog::Inject(inject) => {
                let fault = inject.key(key, s)?;
                self.dialog = None;
                return Some(Ask::Control(Control::Inject { fault }));
            }
            Dialog::Note { typed } => {
                if edit(typed, key) {
                    let text = std::mem::take(typed);
                    self.dialog = None;
                    return (!text.trim().is_empty())
                        .then(|| Ask::Order(Action::Note { text: text.trim().to_string(), by_hand: true }));
                }
            }
            Dialog::Vouch { group, typed } => {
                if edit(typed, key) {
                    let (group, note) = (*group, typed.trim().to_string());
                    self.dialog = None;
                    return (!note.is_empty()).then_some(Ask::Order(Action::Vouch { group, note }));
                }
            }
            // To look at another target does nothing yet, so that it is heard at once; and so is what scrolls.
            Dialog::Confirm(_) if matches!(key.code, KeyCode::Tab | KeyCode::Up | KeyCode::Down) => {
                return self.confirm_key(key, s);
            }
            // What acts is deaf for a moment: the keys before it opened were meant for something else.
            Dialog::Confirm(confirm) if !hears => {
                // It stays to be read: who types fast looks up only then.
                confirm.wrong = Some("typed before it listened, and dropped: nothing was done".to_string());
                self.told = Some(DEAF.into());
            }
            Dialog::Confirm(confirm) if key.code == KeyCode::Char('?') && confirm.is_empty() => {
                confirm.wrong =
                    Some("no help here: Esc leaves without an order, and ? helps there".to_string());
            }
            _ if !hears => self.told = Some(DEAF.into()),
            Dialog::Arm { typed } => {
                if edit(typed, key) {
                    let typed = std::mem::take(typed);
                    self.dialog = None;
                    return Some(Ask::Order(Action::Arm { typed }));
                }
            }
            Dialog::Confirm(_) => return self.confirm_key(key, s),
            Dialog::Question(question) => {
                if edit(&mut question.typed, key) {
                    let (id, step, word) =
                        (question.operation, question.step, question.typed.trim().to_string());
                    self.dialog = None;
                    return answer(s, id, step, &word).or_else(|| {
                        self.tell(format!("«{word}» is no answer that fits now; nothing was done."));
                        None
                    });
                }
            }
        }
        None
    }

    fn confirm_key(&mut self, key: KeyEvent, s: &Snapshot) -> Option<Ask> {
        let Some(Dialog::Confirm(confirm)) = &mut self.dialog else { return None };
        confirm.wrong = None;
        match key.code {
            KeyCode::Up => self.scrolled = (self.scrolled + 1).min(100),
            KeyCode::Down => self.scrolled = self.scrolled.saturating_sub(1),
            KeyCode::Tab => {
                let shown = confirm.shown.clone();
                let elsewhere = self.elsewhere(&shown, s)?;
                // Another choice is another confirmation.
                self.dialog = None;
                return Some(Ask::Order(elsewhere));
            }
            _ => {}
        }
        if !edit(confirm.field()?, key) {
            return None;
        }
        match confirm.entered(&s.estate)? {
            Entered::Mistyped(confirmation) => Some(Ask::Mistyped(Action::Confirm(confirmation))),
            Entered::Whole(confirmation) => {
                self.dialog = None;
                Some(Ask::Order(Action::Confirm(confirmation)))
            }
        }
    }
}

/// What is told to who types into what does not listen yet.
const DEAF: &str = "not heard yet: it listens half a second after it opens";

/// What is told to who types on after a refusal.
const READ: &str = "not heard: an order was refused; Enter goes on";

/// What is told to who leaves a confirmation.
pub(super) const LEFT: &str = "off the table; nothing was done";

/// The same of what detection put there.
const NOT_NOW: &str = "not now: it stays on the table; nothing was done";

fn answer(s: &Snapshot, id: OperationId, step: Option<u16>, word: &str) -> Option<Ask> {
    let operation = s.operations.iter().find(|o| o.id == id)?;
    if !answers(s, operation).iter().any(|(w, _)| *w == word) {
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

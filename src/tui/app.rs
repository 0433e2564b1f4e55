//! What the screen remembers: which screen it is, what is selected, what is open, how far the story is scrolled.

use super::click::{Click, Places};
use super::dialog::{Dialog, Listening};
use super::keys::{Command, KeyMap};
use super::list::List;
use super::places::Screen;
use super::rows;
use super::subject::turns;
use crate::model::*;
use crossterm::event::{
    Event, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a key asks of the world outside the screen.
#[derive(Debug, PartialEq, Eq)]
pub enum Ask {
    Order(Action),
    /// The same, of which nothing is to be told: what was only looked at goes back.
    Untouched(Action),
    /// What was typed and is not what was asked for: for the record.
    Mistyped(Action),
    /// Several, one after the other.
    Orders(Vec<Action>),
    /// The same from a fork, to the controller beside it.
    Really(Vec<Action>),
    Control(Control),
    /// A scenario, in place of what is shown; or walked through, stop by stop.
    Play {
        name: String,
        walk: bool,
    },
    /// The estate as it stands, in a simulation of its own.
    Fork,
    /// Back from a scenario or a fork to what was shown before.
    Leave,
    /// Back from a fork, with the choice that was tried in it: it goes on the table, to be confirmed.
    TakeOver(Action),
    /// The timeline as it is filtered, into a file.
    Export {
        lines: Vec<LogLine>,
        filter: String,
    },
    /// The whole record, for these words.
    Search(String),
    Copy,
    Save,
    Theme(String),
    Repaint,
    Suspend,
    Quit,
}

/// What is shown in place of the controller that the program was started for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Instead {
    #[default]
    Nothing,
    Drill,
    /// A fork of the estate, as it stood then.
    Fork(Utc),
}

/// What came of the last order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    Nothing,
    /// Its confirmation opens when it is on the table.
    Proposed(ProposalId),
    /// What is shown is about its database, once it is seen.
    Started(OperationId),
    /// The footer says that it begins, until it is over.
    Running(OperationId),
}

/// What is told in the footer until the next key.
pub struct Told {
    pub text: String,
    /// It says that this operation begins.
    pub begins: Option<OperationId>,
}

impl From<String> for Told {
    fn from(text: String) -> Told {
        Told { text, begins: None }
    }
}

impl From<&str> for Told {
    fn from(text: &str) -> Told {
        Told::from(text.to_string())
    }
}

pub struct App {
    pub screen: Screen,
    pub dialog: Option<Dialog>,
    pub keys: KeyMap,
    /// Scenarios that can be played.
    pub cards: Vec<Card>,
    /// How the kinds of exercise stand.
    pub calendar: Vec<Due>,
    pub(super) lists: BTreeMap<Screen, List>,
    pub(super) listening: Listening,
    /// Lines that an open dialog is scrolled back.
    pub(super) scrolled: usize,
    pub(super) selected: Option<GroupId>,
    /// How far the story of the command screen is scrolled back.
    pub back: usize,
    /// The answer to the last order, until the next key.
    pub told: Option<Told>,
    pub(super) told_at: Instant,
    /// What came of the last order, and is waited for.
    pub(super) followed: Followed,
    /// A choice or a fork was asked for and is not there yet: keys meant for it must not reach what is shown.
    pub(super) coming: Option<Instant>,
    pub instead: Instead,
    /// Beside a fork: how it really stands.
    pub beside: Option<Arc<Snapshot>>,
    /// What a search of the whole record found, for the words that are still in the filter.
    pub(super) searched: Option<(String, Vec<LogLine>)>,
    /// How what stands behind a scenario is, and whether it is in trouble.
    pub behind: Option<(String, bool)>,
    pub theme: String,
    /// Where everything lies that was drawn last.
    pub places: Places,
}

/// How long what was asked for is waited for at the most, before keys mean what is shown again.
const COMES: Duration = Duration::from_secs(3);

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    pub fn new() -> App {
        App {
            screen: Screen::Command,
            dialog: None,
            keys: KeyMap::default(),
            cards: Vec::new(),
            calendar: Vec::new(),
            lists: BTreeMap::new(),
            listening: Listening::from_now(),
            scrolled: 0,
            selected: None,
            back: 0,
            told: None,
            told_at: Instant::now(),
            followed: Followed::Nothing,
            coming: None,
            instead: Instead::Nothing,
            beside: None,
            searched: None,
            behind: None,
            theme: "terminal".to_string(),
            places: Places::default(),
        }
    }

    pub fn hears(&self) -> bool {
        self.listening.hears()
    }

    /// The list of a screen.
    pub fn list(&self, screen: Screen) -> List {
        self.lists.get(&screen).cloned().unwrap_or_default()
    }

    pub(super) fn list_mut(&mut self) -> &mut List {
        self.lists.entry(self.screen).or_default()
    }

    /// The rows of the present screen.
    pub fn rows(&self, s: &Snapshot) -> Vec<u64> {
        rows::rows(self.screen, &self.list(self.screen), s, &self.cards, self.searched())
    }

    /// Lines of the whole record, where the timeline is filtered by words that were searched for.
    pub fn searched(&self) -> &[LogLine] {
        let filter = self.lists.get(&Screen::Timeline).map_or("", |list| list.filter.as_str());
        self.searched
            .as_ref()
            .filter(|(words, _)| words == filter && !filter.is_empty())
            .map_or(&[], |(_, lines)| lines)
    }

    /// A search of the record has come to its end.
    pub fn found(&mut self, words: String, found: Result<Vec<LogLine>, String>) {
        match found {
            Ok(lines) => {
                self.told = Some(format!("{} lines of the whole record", lines.len()).into());
                self.searched = Some((words, lines));
            }
            Err(text) => self.tell(format!("The record was not searched: {text}")),
        }
    }

    pub(super) fn row(&self, s: &Snapshot) -> Option<u64> {
        let rows = self.rows(s);
        rows.get(self.list(self.screen).position(&rows, rows::follows(self.screen))).copied()
    }

    /// The selected scenario.
    pub fn card(&self, s: &Snapshot) -> Option<&Card> {
        if self.screen != Screen::Drills {
            return None;
        }
        self.cards.get(usize::try_from(self.row(s)?).ok()?)
    }

    /// The database that orders are about: on the replication screen the selected one, and that of a running operation that
    /// is looked at. Elsewhere, while something is to be
    /// decided, one of those: what is decided on and what the keys are about is never two things.
    pub fn selected_group(&self, s: &Snapshot) -> GroupId {
        let turns = turns(s);
        let chosen = match self.screen {
            Screen::Replication => self
                .row(s)
                .and_then(|id| s.groups.iter().find(|g| u64::from(g.group.0) == id))
                .map(|g| g.group),
            Screen::Recovery => self.running(s),
            _ => None,
        };
        let before = self.selected.filter(|g| turns.contains(g));
        chosen.or(before).or(turns.first().copied()).unwrap_or(GroupId(0))
    }

    /// The database of the operation that was selected or opened, while that runs: what it asks is about no other.
    fn running(&self, s: &Snapshot) -> Option<GroupId> {
        let list = self.lists.get(&Screen::Recovery).filter(|list| list.open || list.selected.is_some())?;
        let rows = self.rows(s);
        let id = *rows.get(list.position(&rows, rows::follows(Screen::Recovery)))?;
        s.open().find(|o| u64::from(o.id.0) == id).map(|o| o.group)
    }

    /// Turns to the next of them.
    pub(super) fn next_group(&mut self, s: &Snapshot) {
        let (turns, now) = (turns(s), self.selected_group(s));
        let at = turns.iter().position(|g| *g == now).map_or(0, |at| at + 1);
        self.selected = turns.get(at).or(turns.first()).copied();
        // The lists go along: what is shown there and what the keys are about is one thing.
        if let Some(group) = self.selected {
            self.lists.entry(Screen::Replication).or_default().selected = Some(u64::from(group.0));
            self.shows_newest(group, s);
        }
    }

    /// The recovery screen shows the newest operation of this database.
    pub(super) fn shows_newest(&mut self, group: GroupId, s: &Snapshot) {
        let newest = s.operations.iter().rev().find(|o| o.group == group).map(|o| u64::from(o.id.0));
        self.lists.entry(Screen::Recovery).or_default().selected = newest;
    }

    pub(super) fn open(&mut self, dialog: Dialog) {
        self.dialog = Some(dialog);
        self.scrolled = 0;
        self.listening = Listening::from_now();
    }

    /// Something to read.
    pub fn tell(&mut self, text: impl Into<String>) {
        self.open(Dialog::Told { text: text.into(), typed: false });
    }

    /// Another snapshot's world is shown from now on: what was open was about the one before.
    pub fn turn_to(&mut self, instead: Instead) {
        let of_drills = matches!((self.instead, instead), (Instead::Drill, Instead::Nothing));
        (self.instead, self.beside) = (instead, None);
        self.coming = None;
        self.dialog = None;
        self.followed = Followed::Nothing;
        // Ids mean the same in a fork and beside it: who tries something there has chosen the database here.
        if of_drills || instead == Instead::Drill {
            self.selected = None;
        }
        self.back = 0;
        self.lists.retain(|screen, _| *screen == Screen::Drills);
        self.screen = if of_drills { Screen::Drills } else { Screen::Command };
        self.listening = Listening::from_now();
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
            Event::Mouse(mouse) => self.mouse(*mouse, s),
            // A paste confirms nothing, and is no list of keys.
            Event::Paste(_) => {
                if let Some(Dialog::Confirm(confirm)) = &mut self.dialog {
                    confirm.wrong = Some("what is pasted is not typed; nothing was done".to_string());
                }
                None
            }
            _ => None,
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, s: &Snapshot) -> Option<Ask> {
        if self.dialog.is_some() {
            return None;
        }
        match mouse.kind {
            MouseEventKind::ScrollUp => self.command(Command::Up, s),
            MouseEventKind::ScrollDown => self.command(Command::Down, s),
            MouseEventKind::Down(MouseButton::Left) => self.clicked(mouse, s),
            _ => None,
        }
    }

    /// A click selects, and on what is selected opens; it confirms nothing.
    fn clicked(&mut self, mouse: MouseEvent, s: &Snapshot) -> Option<Ask> {
        self.told = None;
        match self.places.at(mouse.column, mouse.row)? {
            Click::Do(command) => return self.command(command, s),
            Click::Show(screen) => self.screen = screen,
            Click::Row(id) if self.row(s) == Some(id) => return self.command(Command::Enter, s),
            Click::Row(id) => self.list_mut().selected = Some(id),
        }
        None
    }

    fn key(&mut self, key: KeyEvent, s: &Snapshot) -> Option<Ask> {
        // What can be told from typing is heard: a countdown does not wait.
        if self.coming.is_some_and(|t| t.elapsed() < COMES) && !key.modifiers.contains(KeyModifiers::CONTROL)
        {
            return None;
        }
        self.told = None;
        if self.dialog.is_some() {
            return self.dialog_key(key, s);
        }
        if self.list(self.screen).typing {
            return self.filter_key(key);
        }
        let command = self.keys.command(key)?;
        self.command(command, s)
    }
}

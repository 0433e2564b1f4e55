//! What the screen remembers: the selection, what is open, how far the log is scrolled. Keys become orders here, and
//! nowhere else.

use super::can::can;
use super::dialog::{self, Confirm, Dialog, Listening, Question};
use super::keys::{Command, KeyMap};
use super::list::List;
use super::palette::{self, Palette, Pick};
use super::places::Screen;
use super::rows;
use crate::model::*;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEvent, MouseEventKind};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What a key asks of the world outside the screen.
#[derive(Debug, PartialEq, Eq)]
pub enum Ask {
    Order(Action),
    /// Several, one after the other.
    Orders(Vec<Action>),
    Control(Control),
    /// A scenario, in place of what is shown; or walked through, stop by stop.
    Play {
        name: String,
        walk: bool,
    },
    /// Back from a scenario to what was shown before.
    LeaveDrill,
    /// The timeline as it is filtered, into a file.
    Export(Vec<LogLine>),
    /// The whole record, for these words.
    Search(String),
    Copy,
    Save,
    Theme(String),
    Repaint,
    Suspend,
    Quit,
}

pub struct App {
    pub screen: Screen,
    pub dialog: Option<Dialog>,
    pub keys: KeyMap,
    /// Scenarios that can be played.
    pub cards: Vec<Card>,
    lists: BTreeMap<Screen, List>,
    listening: Listening,
    selected: usize,
    /// How far the story of the command screen is scrolled back.
    pub back: usize,
    /// The answer to the last order, until the next key.
    pub told: Option<String>,
    told_at: Instant,
    /// A choice was asked for: its confirmation opens when it is on the table.
    awaiting: Option<ProposalId>,
    /// A scenario is played in place of what was shown before.
    pub drilling: bool,
    /// What a search of the whole record found, for the words that are still in the filter.
    searched: Option<(String, Vec<LogLine>)>,
    /// How what stands behind a scenario is, and whether it is in trouble.
    pub behind: Option<(String, bool)>,
    pub theme: String,
    /// Lines that a page of the list has.
    page: usize,
}

/// How long an answer stands in the footer.
const TOLD: Duration = Duration::from_secs(6);

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
            lists: BTreeMap::new(),
            listening: Listening::from_now(),
            selected: 0,
            back: 0,
            told: None,
            told_at: Instant::now(),
            awaiting: None,
            drilling: false,
            searched: None,
            behind: None,
            theme: "terminal".to_string(),
            page: 10,
        }
    }

    pub fn hears(&self) -> bool {
        self.listening.hears()
    }

    /// The list of a screen.
    pub fn list(&self, screen: Screen) -> List {
        self.lists.get(&screen).cloned().unwrap_or_default()
    }

    fn list_mut(&mut self) -> &mut List {
        self.lists.entry(self.screen).or_default()
    }

    /// The rows of the present screen.
    pub fn rows(&self, s: &Snapshot) -> Vec<u64> {
        rows::rows(self.screen, &self.list(self.screen), s, &self.cards, self.searched())
    }

    /// Lines of the whole record, where the timeline is filtered by words that were searched for.
    pub fn searched(&self) -> &[LogLine] {
        let filter = self.lists.get(&Screen::Timeline).map_or("", |list| list.filter.as_str());
        self.searched.as_ref().filter(|(words, _)| words == filter && !filter.is_empty()).map_or(&[], |(_, lines)| lines)
    }

    /// A search of the record has come to its end.
    pub fn found(&mut self, words: String, found: Result<Vec<LogLine>, String>) {
        match found {
            Ok(lines) => {
                self.told = Some(format!("{} lines of the whole record", lines.len()));
                self.searched = Some((words, lines));
            }
            Err(text) => self.tell(format!("The record was not searched: {text}")),
        }
    }

    fn row(&self, s: &Snapshot) -> Option<u64> {
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

    /// The database that orders are about: on the replication screen the selected one.
    pub fn selected_group(&self, s: &Snapshot) -> GroupId {
        let databases: Vec<GroupId> = s.groups.iter().filter(|g| !g.members.is_empty()).map(|g| g.group).collect();
        let on_screen = if self.screen == Screen::Replication { self.row(s) } else { None };
        let chosen = on_screen.and_then(|id| databases.iter().find(|g| u64::from(g.0) == id));
        chosen.or_else(|| databases.get(self.selected % databases.len().max(1))).copied().unwrap_or(GroupId(0))
    }

    fn open(&mut self, dialog: Dialog) {
        self.dialog = Some(dialog);
        self.listening = Listening::from_now();
    }

    /// Something to read.
    pub fn tell(&mut self, text: impl Into<String>) {
        self.open(Dialog::Told { text: text.into() });
    }

    /// Another snapshot's world is shown from now on: what was open was about the one before.
    pub fn turn_to(&mut self, drilling: bool) {
        self.drilling = drilling;
        self.dialog = None;
        self.awaiting = None;
        self.selected = 0;
        self.back = 0;
        self.lists.retain(|screen, _| *screen == Screen::Drills);
        self.screen = if drilling { Screen::Command } else { Screen::Drills };
        self.listening = Listening::from_now();
    }

    /// Takes in the newest facts: an open confirmation is held against them.
    pub fn refresh(&mut self, s: &Snapshot) {
        if self.told.is_none() {
            self.told_at = Instant::now();
        } else if self.told_at.elapsed() > TOLD {
            self.told = None;
        }
        if let Some(id) = self.awaiting
            && let Some(view) = s.proposals.iter().find(|v| v.proposal.id == id)
        {
            self.awaiting = None;
            let mut confirm = Confirm::new(view, s.now.utc);
            confirm.ours = true;
            self.open(Dialog::Confirm(Box::new(confirm)));
        }
        if let Some(Dialog::Confirm(confirm)) = &mut self.dialog {
            let before = confirm.changed.len();
            if !confirm.refresh(s) {
                self.tell("The choice is off the table: the facts have changed.");
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
            Err(refusal) => self.tell(format!("Refused: {refusal}")),
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
            Event::Mouse(mouse) => self.mouse(*mouse, s),
            // A paste confirms nothing, and is no list of keys.
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
            _ => None,
        }
    }

    fn key(&mut self, key: KeyEvent, s: &Snapshot) -> Option<Ask> {
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

    /// Carries out a command, or says why it cannot be.
    pub fn command(&mut self, command: Command, s: &Snapshot) -> Option<Ask> {
        if let Err(why) = can(command, self, s) {
            self.told = Some(why.to_string());
            return None;
        }
        match command {
            Command::Help => self.open(Dialog::Help { from: 0 }),
            Command::Quit if s.mode == Mode::Live && s.operations.iter().any(|o| !o.is_over()) => self.open(Dialog::Quit),
            Command::Quit => return Some(Ask::Quit),
            Command::Palette => self.open(Dialog::Palette(Palette::default())),
            Command::Go(screen) => self.screen = screen,
            Command::NextGroup => self.selected = self.selected.wrapping_add(1),
            Command::Up => self.step(-1, s),
            Command::Down => self.step(1, s),
            Command::PageUp => self.step(-(self.page as i64), s),
            Command::PageDown => self.step(self.page as i64, s),
            Command::First => self.step(i64::MIN / 2, s),
            Command::Last => self.step(i64::MAX / 2, s),
            Command::Filter => self.list_mut().typing = true,
            Command::Sort => {
                let orders = rows::orders(self.screen).len().max(1);
                let list = self.list_mut();
                list.order = (list.order + 1) % orders;
            }
            Command::Enter => match self.card(s) {
                Some(card) => return Some(Ask::Play { name: card.name.clone(), walk: false }),
                None => self.list_mut().open = true,
            },
            Command::Walk => return Some(Ask::Play { name: self.card(s)?.name.clone(), walk: true }),
            Command::Back => return self.go_back(),
            Command::Failover => return self.choose(s, Intent::Failover),
            Command::Switchover => return self.choose(s, Intent::Switchover),
            Command::StopAutomatic => {
                // All of them: who stops a countdown does not mean one of two.
                let counting = s.proposals.iter().filter(|p| p.proposal.automatic_at.is_some());
                return Some(Ask::Orders(counting.map(|p| Action::StopAutomatic { proposal: p.proposal.id }).collect()));
            }
            Command::Withdraw => return Some(Ask::Order(Action::Withdraw { proposal: self.choice(s)?.proposal.id })),
            Command::Answer => {
                let group = self.selected_group(s);
                let open = || s.operations.iter().rev().filter(|o| !o.is_over());
                let operation = open().find(|o| o.group == group).or_else(|| open().next())?;
                let step = dialog::asked_step(operation);
                self.open(Dialog::Question(Question { operation: operation.id, step, typed: String::new() }));
            }
            Command::Note => self.open(Dialog::Note { typed: String::new() }),
            Command::Export => {
                let lines = self.rows(s).into_iter().filter_map(|id| rows::story_line(s, self.searched(), id).cloned()).collect();
                return Some(Ask::Export(lines));
            }
            Command::Copy => return Some(Ask::Copy),
            Command::Save => return Some(Ask::Save),
            Command::NextTheme => return Some(Ask::Theme(super::theme::Theme::after(&self.theme).to_string())),
            Command::Repaint => return Some(Ask::Repaint),
            Command::Suspend => return Some(Ask::Suspend),
            Command::Arm => self.open(Dialog::Arm { typed: String::new() }),
            Command::Inject => self.open(Dialog::Inject { selected: 0 }),
            Command::Pause => return Some(Ask::Control(Control::Pause(!s.world.as_ref()?.paused))),
            Command::StepOnce => return Some(Ask::Control(Control::Step)),
            Command::Faster => return Some(Ask::Control(Control::Speed(s.world.as_ref()?.speed.saturating_mul(10).min(1000)))),
            Command::Slower => return Some(Ask::Control(Control::Speed((s.world.as_ref()?.speed / 10).max(1)))),
            Command::Later => return Some(Ask::Control(Control::Seek { by_ms: 10_000 })),
            Command::Earlier => return Some(Ask::Control(Control::Seek { by_ms: -10_000 })),
            Command::Mend => return Some(Ask::Control(Control::Mend)),
        }
        None
    }

    /// Moves the selection, or on the command screen the story.
    fn step(&mut self, by: i64, s: &Snapshot) {
        if self.screen == Screen::Command {
            let back = i64::try_from(self.back).unwrap_or_default().saturating_sub(by);
            let most = i64::try_from(s.log.len()).unwrap_or_default();
            self.back = usize::try_from(back.clamp(0, most)).unwrap_or_default();
            return;
        }
        let (rows, follows) = (self.rows(s), rows::follows(self.screen));
        self.list_mut().step(&rows, by, follows);
    }

    /// One step back: from what is open, from a filter, from a screen, from a drill.
    fn go_back(&mut self) -> Option<Ask> {
        let list = self.list_mut();
        if list.open {
            list.open = false;
        } else if !list.filter.is_empty() {
            list.filter.clear();
        } else if self.screen != Screen::Command {
            self.screen = Screen::Command;
        } else if self.drilling {
            return Some(Ask::LeaveDrill);
        }
        None
    }

    fn filter_key(&mut self, key: KeyEvent) -> Option<Ask> {
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

    fn pick(&mut self, pick: Pick, s: &Snapshot) -> Option<Ask> {
        match pick {
            Pick::Do(command) => return self.command(command, s),
            Pick::Show(screen, id) => {
                self.screen = screen;
                let list = self.list_mut();
                // Whatever was filtered away before is looked for now.
                (list.selected, list.filter, list.open) = (Some(id), String::new(), screen != Screen::Drills);
            }
            Pick::Theme(name) => return Some(Ask::Theme(name)),
        }
        None
    }

    fn palette_key(&mut self, key: KeyEvent, s: &Snapshot) -> Option<Ask> {
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

    fn dialog_key(&mut self, key: KeyEvent, s: &Snapshot) -> Option<Ask> {
        let hears = self.hears();
        if matches!(self.dialog, Some(Dialog::Palette(_))) && key.code != KeyCode::Esc {
            return self.palette_key(key, s);
        }
        let dialog = self.dialog.as_mut()?;
        if key.code == KeyCode::Esc {
            // A choice that was only put on the table to be looked at must not stay there: it would keep the automatic
            // response away.
            let looked_at = match dialog {
                Dialog::Confirm(confirm) if confirm.ours => Some(confirm.shown.proposal.id),
                _ => None,
            };
            self.dialog = None;
            return looked_at.map(|proposal| Ask::Order(Action::Withdraw { proposal }));
        }
        match dialog {
            Dialog::Help { from } => match key.code {
                KeyCode::Down | KeyCode::Char('j' | ' ') | KeyCode::PageDown => *from += 5,
                KeyCode::Up | KeyCode::Char('k') | KeyCode::PageUp => *from = from.saturating_sub(5),
                _ => self.dialog = None,
            },
            Dialog::Told { .. } => self.dialog = None,
            Dialog::Palette(_) => {}
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
            Dialog::Note { typed } => {
                if edit(typed, key) {
                    let text = std::mem::take(typed);
                    self.dialog = None;
                    return (!text.trim().is_empty()).then(|| Ask::Order(Action::Note { text: text.trim().to_string() }));
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
            Dialog::Confirm(_) => return self.confirm_key(key, s),
            Dialog::Question(question) => {
                if edit(&mut question.typed, key) {
                    let (id, step, word) = (question.operation, question.step, question.typed.trim().to_string());
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
        if confirm.shown.assessment.blocked().is_some() {
            return None;
        }
        let risk = confirm.shown.assessment.risk.clone();
        if key.code == KeyCode::Tab && risk.is_some() {
            confirm.in_risk = !confirm.in_risk;
            return None;
        }
        let entered = if confirm.in_risk { edit(&mut confirm.risk, key) } else { edit(&mut confirm.typed, key) };
        confirm.wrong = None;
        if !entered {
            return None;
        }
        // The engine's gate decides; but who mistyped is told here, and begins no other field.
        let name = &s.estate.region(confirm.shown.proposal.from).name;
        if confirm.typed.trim() != name {
            confirm.wrong = Some(format!("«{}» is not {name}; nothing was done", confirm.typed.trim()));
            (confirm.typed, confirm.in_risk) = (String::new(), false);
            return None;
        }
        if let Some(risk) = &risk
            && confirm.risk.trim() != risk
        {
            if confirm.in_risk {
                confirm.wrong = Some(format!("«{}» is not: {risk}", confirm.risk.trim()));
                confirm.risk.clear();
            }
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
            accept_risk: risk.map(|_| confirm.risk.trim().to_string()),
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
        KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => text.clear(),
        KeyCode::Char(c) if text.len() < 200 && !c.is_control() && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
            text.push(c)
        }
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

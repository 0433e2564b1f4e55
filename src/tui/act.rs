//! Commands become asks here, and nowhere else. Nothing is decided: the engine's one gate hears every order.

use super::answers::{answered, asked_step};
use super::app::{App, Ask, Instead};
use super::can::can;
use super::confirm::Confirm;
use super::dialog::{Dialog, Palette, Question, Sure};
use super::inject::Inject;
use super::keys::Command;
use super::palette::Pick;
use super::places::Screen;
use super::rows;
use super::subject::{decided_on, unproven};
use crate::model::*;
use crate::wording::proposal_reason_words;

impl App {
    /// Carries out a command, or says why it cannot be.
    pub fn command(&mut self, command: Command, s: &Snapshot) -> Option<Ask> {
        if let Err(why) = can(command, self, s, self.selected_group(s)) {
            self.told = Some(why.into());
            return None;
        }
        match command {
            Command::Help => self.open(Dialog::Help { from: 0 }),
            // Who is done with a fork does not mean the incident.
            Command::Quit if matches!(self.instead, Instead::Fork(..)) => return Some(Ask::Leave),
            Command::Quit if s.mode != Mode::Replay && s.open().next().is_some() => {
                self.open(Dialog::Sure(Sure::Quit))
            }
            Command::Quit if s.mode == Mode::Live && !s.proposals.is_empty() => {
                self.open(Dialog::Sure(Sure::Quit))
            }
            Command::Quit => return Some(Ask::Quit),
            Command::Palette => self.open(Dialog::Palette(Palette::default())),
            Command::Go(screen) => {
                if screen == Screen::Recovery && self.screen != screen {
                    self.shows_newest(self.selected_group(s), s);
                }
                self.screen = screen;
            }
            Command::NextGroup => self.next_group(s),
            Command::Up => self.step(-1, s),
            Command::Down => self.step(1, s),
            Command::PageUp => self.step(-(self.places.page() as i64), s),
            Command::PageDown => self.step(self.places.page() as i64, s),
            Command::First => self.step(i64::MIN / 2, s),
            Command::Last => self.step(i64::MAX / 2, s),
            Command::Filter => (self.list_mut().typing, self.list_mut().open) = (true, false),
            Command::Sort => {
                let orders = rows::orders(self.screen).len().max(1);
                let list = self.list_mut();
                list.order = (list.order + 1) % orders;
            }
            Command::Enter => match self.card(s) {
                Some(card) => return Some(Ask::Play { name: card.name.clone(), walk: false }),
                None => (self.list_mut().open, self.list_mut().scroll) = (true, 0),
            },
            Command::Walk => return Some(Ask::Play { name: self.card(s)?.name.clone(), walk: true }),
            Command::Back if self.leaves_a_drill(s) => self.open(Dialog::Sure(Sure::LeaveDrill)),
            Command::Back => return self.go_back(),
            Command::Failover => return self.choose(s, Intent::Failover),
            Command::Switchover => return self.choose(s, Intent::Switchover),
            Command::StopAutomatic => {
                // All of them: who stops a countdown does not mean one of two.
                // From a fork too it is the real one's: in the fork none runs.
                let counting = self.beside.as_deref().unwrap_or(s).proposals.iter().filter(|p| p.counts());
                let stops = counting.map(|p| Action::StopAutomatic { proposal: p.proposal.id }).collect();
                return Some(if self.beside.is_some() { Ask::Really(stops) } else { Ask::Orders(stops) });
            }
            Command::Fork => {
                self.coming = Some(std::time::Instant::now());
                return Some(Ask::Fork);
            }
            Command::TakeOver => return self.tried(s).ok().map(Ask::TakeOver),
            Command::Withdraw => {
                let taken = &self.choice(s)?.proposal;
                // What the keys are about stays what it was: it is undecided now.
                self.selected = Some(taken.group);
                return Some(Ask::Order(Action::Withdraw { proposal: taken.id }));
            }
            Command::Answer => {
                let operation = answered(s, self.selected_group(s))?;
                let step = asked_step(operation);
                self.open(Dialog::Question(Question { operation: operation.id, step, typed: String::new() }));
            }
            Command::Note => self.open(Dialog::Note { typed: String::new() }),
            Command::Vouch => {
                self.open(Dialog::Vouch { group: unproven(s, self.selected_group(s))?, typed: String::new() })
            }
            Command::Export => {
                let lines = self
                    .rows(s)
                    .into_iter()
                    .filter_map(|id| rows::story_line(s, self.searched(), id).cloned())
                    .collect();
                return Some(Ask::Export { lines, filter: self.list(Screen::Timeline).filter });
            }
            Command::Copy => return Some(Ask::Copy),
            Command::Save => return Some(Ask::Save),
            Command::NextTheme => {
                return Some(Ask::Theme(super::theme::Theme::after(&self.theme).to_string()));
            }
            Command::Repaint => return Some(Ask::Repaint),
            Command::Suspend => return Some(Ask::Suspend),
            Command::Arm if s.armed => self.open(Dialog::Sure(Sure::Disarm)),
            Command::Arm => self.open(Dialog::Arm { typed: String::new() }),
            Command::Inject => self.open(Dialog::Inject(Inject::default())),
            Command::Pause => return Some(Ask::Control(Control::Pause(!s.world.as_ref()?.paused))),
            Command::StepOnce => return Some(Ask::Control(Control::Step)),
            Command::Faster => {
                return Some(Ask::Control(Control::Speed(
                    s.world.as_ref()?.speed.saturating_mul(10).min(1000),
                )));
            }
            Command::Slower => {
                return Some(Ask::Control(Control::Speed((s.world.as_ref()?.speed / 10).max(1))));
            }
            Command::Later => return Some(Ask::Control(Control::Seek { by_ms: 10_000 })),
            Command::Earlier => return Some(Ask::Control(Control::Seek { by_ms: -10_000 })),
            Command::Mend => return Some(Ask::Control(Control::Mend)),
        }
        None
    }

    /// Moves the selection, or on the command screen the story.
    pub(super) fn step(&mut self, by: i64, s: &Snapshot) {
        if self.screen == Screen::Command {
            let back = i64::try_from(self.back).unwrap_or_default().saturating_sub(by);
            let most = i64::try_from(s.log.len()).unwrap_or_default();
            self.back = usize::try_from(back.clamp(0, most)).unwrap_or_default();
            return;
        }
        if self.list(self.screen).open {
            // What fills the screen is scrolled, as far as there is more of it.
            let most = self.places.scrolls.map_or(0, |(_, most)| i64::try_from(most).unwrap_or(i64::MAX));
            let list = self.list_mut();
            list.scroll = usize::try_from(
                i64::try_from(list.scroll).unwrap_or_default().saturating_add(by).clamp(0, most),
            )
            .unwrap_or_default();
            return;
        }
        let (rows, follows) = (self.rows(s), rows::follows(self.screen));
        self.list_mut().step(&rows, by, follows);
        if self.screen == Screen::Replication {
            // What is selected here is what orders are about everywhere.
            self.selected = Some(self.selected_group(s));
        }
    }

    /// The next step back leads out of a drill that is not over.
    fn leaves_a_drill(&self, s: &Snapshot) -> bool {
        let list = self.list(self.screen);
        let open = s.world.as_ref().and_then(|w| w.scenario.as_ref()).is_some_and(|scenario| !scenario.over);
        self.instead == Instead::Drill
            && self.screen == Screen::Command
            && !list.open
            && list.filter.is_empty()
            && open
    }

    /// One step back: from what is open, from a filter, from a screen, from a drill.
    pub(super) fn go_back(&mut self) -> Option<Ask> {
        let list = self.list_mut();
        if list.open {
            list.open = false;
        } else if !list.filter.is_empty() {
            list.filter.clear();
        } else if self.screen != Screen::Command {
            self.screen = Screen::Command;
        } else if self.instead != Instead::Nothing {
            return Some(Ask::Leave);
        }
        None
    }

    pub(super) fn choice<'a>(&self, s: &'a Snapshot) -> Option<&'a ProposalView> {
        decided_on(s, self.selected_group(s))
    }

    /// Opens the confirmation of what is on the table, or puts a choice there first.
    pub(super) fn choose(&mut self, s: &Snapshot, intent: Intent) -> Option<Ask> {
        let open = self.choice(s).filter(|v| {
            v.proposal.intent == intent || (intent == Intent::Failover && v.proposal.intent == Intent::Guided)
        });
        if let Some(view) = open {
            // Who leaves it is still with its database.
            self.selected = Some(view.proposal.group);
            self.open(Dialog::Confirm(Box::new(Confirm::new(view, s.now.utc))));
            return None;
        }
        self.coming = Some(std::time::Instant::now());
        let group = self.selected_group(s);
        // Who hands over what is not led as planned means back.
        let planned =
            || s.led_elsewhere().into_iter().find(|(v, _)| v.group == group).map(|(_, planned)| planned);
        let to = if intent == Intent::Switchover {
            planned().and_then(|region| s.member_in(group, region))
        } else {
            None
        };
        Some(Ask::Order(Action::Propose {
            group,
            intent,
            from: None,
            to,
            reason: "put on the table from the dashboard".to_string(),
        }))
    }

    /// What was tried in a fork, as an order to the controller beside it: what was begun last, else what is on the table.
    pub(super) fn tried(&self, s: &Snapshot) -> Result<Action, &'static str> {
        let (Instead::Fork(_), Some(beside)) = (self.instead, &self.beside) else {
            return Err("only in a fork");
        };
        let group = self.selected_group(s);
        // What is over was so before the fork, unless it was begun in it.
        let begun = s
            .operations
            .iter()
            .rev()
            .find(|o| o.group == group && o.mode == Mode::Fork)
            .map(|o| (o.intent(), o.from, o.to, told(o)));
        let open = || {
            let v = s.proposals.iter().find(|v| v.proposal.group == group)?;
            Some((v.proposal.intent, v.proposal.from, v.assessment.to?, "not begun there".to_string()))
        };
        let (intent, from, to, came) =
            begun.clone().or_else(open).ok_or("nothing was tried here yet for the selected database")?;
        let really = |r: RegionId| beside.estate.region_named(&s.estate.region(r).name);
        let led = beside
            .groups
            .iter()
            .any(|g| g.group == group && g.primary.is_some() && g.primary == really(from));
        let to =
            Some(to).filter(|_| led).ok_or("it is led from elsewhere by now: drop the fork, and look")?;
        let same = |v: &ProposalView| {
            v.proposal.group == group && v.proposal.intent == intent && v.assessment.to == Some(to)
        };
        if begun.is_none() && beside.proposals.iter().any(same) {
            return Err("nothing else was tried here than what is on the real table");
        }
        Ok(Action::Propose {
            group,
            intent,
            from: None,
            to: Some(to),
            reason: format!("tried in a fork: {came}"),
        })
    }

    /// The choice that is being confirmed, for the next of the other members.
    pub(super) fn elsewhere(&self, view: &ProposalView, s: &Snapshot) -> Option<Action> {
        let p = &view.proposal;
        // What is restored is restored where it is.
        if p.intent == Intent::Guided {
            return None;
        }
        let members = &s.groups.iter().find(|g| g.group == p.group)?.members;
        let others: Vec<MemberId> =
            members.iter().map(|m| m.member).filter(|m| !view.assessment.left.contains(m)).collect();
        let at = others
            .iter()
            .position(|r| Some(*r) == view.assessment.to)
            .map_or(0, |at| (at + 1) % others.len());
        let to = others.get(at).copied().filter(|r| Some(*r) != view.assessment.to)?;
        Some(Action::Propose {
            group: p.group,
            intent: p.intent,
            from: Some(p.from),
            to: Some(to),
            reason: proposal_reason_words(&p.reason),
        })
    }

    pub(super) fn pick(&mut self, pick: Pick, s: &Snapshot) -> Option<Ask> {
        match pick {
            Pick::Do(command) => return self.command(command, s),
            Pick::Show(screen, id) => {
                self.screen = screen;
                let list = self.list_mut();
                // Whatever was filtered away before is what is looked for.
                (list.selected, list.filter, list.open, list.scroll) =
                    (Some(id), String::new(), screen != Screen::Drills, 0);
            }
            Pick::Theme(name) => return Some(Ask::Theme(name)),
        }
        None
    }
}

/// How an operation came out, in a few words.
fn told(o: &Operation) -> String {
    match o.recovery_time() {
        Some(took) => format!("{}, users served after {}", o.status.word(), took.exact()),
        None => o.status.word().to_string(),
    }
}

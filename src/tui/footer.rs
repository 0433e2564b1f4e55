//! The last line: the keys that mean something here and now, and the answer to what was done last.

use super::answers::answered;
use super::app::App;
use super::can::can;
use super::click::Click;
use super::keys::Command;
use super::panel::Canvas;
use super::paper::{Paper, put};
use super::places::Screen;
use super::subject::decided_on;
use super::text::{self, Row};
use crate::model::*;
use ratatui::layout::Rect;

/// What the first keys need beside an answer.
const FIRST: usize = 18;

/// The keys that matter here and now, from the key map, as many as there is room for.
pub(super) fn draw(app: &App, s: &Snapshot, c: &Canvas, place: Rect, paper: &mut Paper) {
    let (t, g) = (c.theme, c.glyphs);
    let mut row = Row::new().add(" ", t.text);
    let screens: Vec<String> = Screen::ALL.iter().map(|s| format!("{} {}", s.number(), s.name())).collect();
    let screens = screens.join("  ");
    let wide = c.width >= 150;
    // An answer stands beside the first keys, whole.
    let told = app
        .told
        .as_ref()
        .map(|told| text::fit(&g.plain(&told.text), c.width.saturating_sub(FIRST).max(c.width / 2), g.ascii));
    let end = told
        .clone()
        .unwrap_or_else(|| if wide { screens } else { format!("{} screens", app.keys.screens()) });
    let room = c.width.saturating_sub(end.chars().count() + 2);
    // What is open takes all keys.
    for b in app.keys.of_screen(app.screen).filter(|_| app.dialog.is_none()) {
        let here = match b.command {
            // On the command screen its place is the decision's, not the list's.
            Command::Enter | Command::Sort if app.screen == Screen::Command => false,
            // What fills the screen is left, not opened.
            Command::Enter | Command::Sort | Command::Filter if app.list(app.screen).open => false,
            Command::Back => app.list(app.screen).open,
            // Nobody is led to fail over from a primary that answers.
            Command::Failover
                if decided_on(s, c.selected).is_none()
                    && !s.group(c.selected).is_some_and(|v| v.is_silent() && !v.is_doubted()) =>
            {
                false
            }
            // Nor to begin a second one.
            Command::Failover | Command::Switchover
                if decided_on(s, c.selected).is_none() && s.acts_on(c.selected) =>
            {
                false
            }
            Command::Failover | Command::Switchover | Command::Fork => {
                matches!(app.screen, Screen::Command | Screen::Replication | Screen::Recovery)
            }
            // Beside an answer there is little room, and what decides has it.
            Command::Help => told.is_none(),
            Command::Arm if s.armed => false,
            // Once nothing is left to decide, what was struck is mended.
            Command::Mend => {
                app.screen == Screen::Command
                    && s.proposals.is_empty()
                    && s.world.as_ref().is_some_and(|w| !w.faults.is_empty())
            }
            Command::Inject if !s.disasters.is_empty() && !wide => false,
            Command::Note if app.screen == Screen::Timeline => true,
            Command::Inject | Command::Faster | Command::Note => app.screen == Screen::Command || wide,
            _ => true,
        };
        let key = b.keys.first().map(ToString::to_string).unwrap_or_default();
        let short = match b.command {
            Command::Failover
                if decided_on(s, c.selected).is_some_and(|v| v.proposal.intent == Intent::Guided) =>
            {
                "begin".to_string()
            }
            Command::Answer => answer(s, c.selected, b.short),
            // In a fork none runs.
            Command::StopAutomatic if app.beside.is_some() => "stop the real one".to_string(),
            Command::Pause if s.world.as_ref().is_some_and(|w| w.paused) => "go on".to_string(),
            _ => b.short.to_string(),
        };
        let length = key.len() + short.len() + 3;
        if here
            && !short.is_empty()
            && row.used() + length <= room
            && can(b.command, app, s, c.selected).is_ok()
        {
            let part = Rect { x: place.x + row.used() as u16, width: (length - 2) as u16, ..place };
            paper.places.add(part.intersection(place), Click::Do(b.command));
            row = row.add(key, t.key).add(format!(" {short}  "), t.dim);
        }
    }
    let line =
        row.at_end(g, &end, c.width.saturating_sub(1), if told.is_some() { t.warn } else { t.dim }).line();
    put(&[line], place, paper.buffer);
}

/// An operation waits for a person; else there is nothing to answer, and it can be taken back at most. Whose it is, where it is
/// not the selected database's.
fn answer(s: &Snapshot, selected: GroupId, answer: &str) -> String {
    let Some(o) = answered(s, selected) else { return String::new() };
    let word = if matches!(o.status, Status::Waiting { .. }) { answer } else { "take back" };
    if o.group == selected { word.to_string() } else { format!("{word} {}", s.estate.group(o.group).name) }
}

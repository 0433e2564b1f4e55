//! One screen a file: the list of what there is, and all that is known of the selected row. Pure functions to lines.

mod drills;
mod recovery;
mod regions;
mod replication;
mod services;
mod timeline;

pub use replication::detail as replication;

use super::list::{List, window};
use super::panel::Canvas;
use super::places::Screen;
use super::rows;
use super::text::Row;
use crate::model::*;
use ratatui::text::Line;

/// What a screen's list is drawn from.
pub struct Shown<'a> {
    pub screen: Screen,
    pub list: &'a List,
    pub cards: &'a [Card],
    pub calendar: &'a [Due],
    pub rows: &'a [u64],
    pub searched: &'a [LogLine],
}

impl Shown<'_> {
    fn follows(&self) -> bool {
        rows::follows(self.screen)
    }

    pub fn position(&self) -> usize {
        self.list.position(self.rows, self.follows())
    }

    pub fn selected(&self) -> Option<u64> {
        self.rows.get(self.position()).copied()
    }
}

/// The list: its title, what is filtered and sorted, and the rows around the selection.
pub fn list(shown: &Shown, c: &Canvas, height: usize) -> Vec<Line<'static>> {
    let mut lines = vec![title(shown, c)];
    if let Some(head) = head(shown.screen, c) {
        lines.push(head);
    }
    let (range, told) = seen(shown, height);
    for (i, id) in shown.rows.iter().enumerate().skip(range.start).take(range.len()) {
        let line = match shown.screen {
            Screen::Regions => regions::row(c, *id),
            Screen::Services => services::row(shown, c, *id),
            Screen::Recovery => recovery::row(c, *id),
            Screen::Replication => replication::row(c, *id),
            Screen::Timeline => timeline::row(shown, c, *id),
            Screen::Drills => drills::row(shown, c, *id),
            Screen::Command | Screen::Log => Line::default(),
        };
        lines.push(if i == shown.position() { marked(line, c) } else { line });
    }
    if shown.rows.is_empty() && shown.list.filter.is_empty() && shown.screen == Screen::Recovery {
        return lines.into_iter().chain(recovery::plans(c)).take(height).collect();
    }
    if shown.rows.is_empty() {
        lines.push(Row::new().rest(c.glyphs, &format!("   {}", nothing(shown)), c.width, c.theme.dim).line());
    }
    let room = height.saturating_sub(lines.len());
    if shown.screen == Screen::Regions {
        lines.extend(regions::links(c, room));
    }
    if told {
        let text = format!("   row {} of {}", shown.position() + 1, shown.rows.len());
        lines.push(Row::new().rest(c.glyphs, &text, c.width, c.theme.dim).line());
    }
    lines
}

/// Lines above the rows.
pub fn above(screen: Screen) -> usize {
    if matches!(screen, Screen::Regions | Screen::Services) { 2 } else { 1 }
}

/// The rows that are shown, and whether a line below them says that these are not all.
pub fn seen(shown: &Shown, height: usize) -> (std::ops::Range<usize>, bool) {
    let room = height.saturating_sub(above(shown.screen));
    let told = shown.rows.len() > room && room > 2;
    (window(shown.rows.len(), shown.position(), room - usize::from(told)), told)
}

fn nothing(shown: &Shown) -> &'static str {
    match (shown.list.filter.is_empty(), shown.screen) {
        (false, _) => "nothing passes the filter; Esc takes it away",
        (_, Screen::Replication) => "no database is configured",
        (_, Screen::Timeline) => "nothing has happened yet",
        _ => "there is nothing here",
    }
}

fn title(shown: &Shown, c: &Canvas) -> Line<'static> {
    let (t, g) = (c.theme, c.glyphs);
    let mut row = Row::new().add(format!(" {}", shown.screen.name().to_uppercase()), t.title);
    let order = rows::orders(shown.screen).get(shown.list.order).filter(|_| shown.list.order > 0);
    if let Some(order) = order {
        row = row.add(format!("  {order}"), t.dim);
    }
    if shown.list.typing || !shown.list.filter.is_empty() {
        let cursor = if shown.list.typing { "_" } else { "" };
        row = row.add("  /", t.key).add(g.plain(&shown.list.filter), t.strong).add(cursor, t.key);
        row = row.add(format!("  {} found", shown.rows.len()), t.dim);
    }
    row.fitted(g, c.width).line()
}

fn head(screen: Screen, c: &Canvas) -> Option<Line<'static>> {
    match screen {
        Screen::Regions => Some(super::panel::regions_head(c)),
        Screen::Services => Some(services::head(c)),
        _ => None,
    }
}

/// The selected row, without colour of its own: reversed.
fn marked(line: Line<'static>, c: &Canvas) -> Line<'static> {
    let mut line = line;
    let used: usize = line.width();
    line.spans.push(ratatui::text::Span::raw(" ".repeat(c.width.saturating_sub(used))));
    for span in &mut line.spans {
        span.style = span.style.patch(c.theme.selected);
    }
    line
}

/// All that is known of the selected row.
pub fn detail(shown: &Shown, c: &Canvas, height: usize) -> Vec<Line<'static>> {
    let Some(id) = shown.selected() else { return Vec::new() };
    match shown.screen {
        Screen::Regions => regions::detail(c, id),
        Screen::Services => services::detail(c, id),
        Screen::Recovery => recovery::detail(c, id),
        Screen::Replication => replication::detail(c, id, height),
        Screen::Timeline => timeline::detail(shown, c, id),
        Screen::Drills => drills::detail(shown, c, id, height),
        Screen::Command | Screen::Log => Vec::new(),
    }
}

/// Lines of the list that are enough, where the detail stands below it.
pub fn list_height(shown: &Shown, c: &Canvas, height: usize) -> usize {
    let needed = shown.rows.len().max(1) + above(shown.screen);
    match shown.screen {
        Screen::Recovery if shown.rows.is_empty() => height,
        // The links are shown where half of the screen has room for them.
        Screen::Regions if needed + regions::links_height(c) <= height / 2 => {
            needed + regions::links_height(c)
        }
        // Here the list is the point, and the detail a few words.
        Screen::Timeline => {
            let detail = shown.selected().map_or(0, |id| timeline::detail(shown, c, id).len()).max(3);
            height.saturating_sub(detail + 1).max(height / 2)
        }
        Screen::Services => needed.min(height * 3 / 5),
        Screen::Recovery | Screen::Replication => needed.min((height / 4).max(3)),
        _ => needed.min(height / 2),
    }
}

/// `label     text`, in as many lines as it takes.
fn fact(c: &Canvas, label: &str, text: &str, style: ratatui::style::Style) -> Vec<Line<'static>> {
    const LABEL: usize = 18;
    let width = c.width.saturating_sub(LABEL + 1).max(8);
    super::text::wrap(&c.glyphs.plain(text), width)
        .into_iter()
        .enumerate()
        .map(|(i, part)| {
            let label = if i == 0 { format!("   {label}") } else { String::new() };
            Row::new().left(c.glyphs, &label, LABEL, c.theme.dim).rest(c.glyphs, &part, c.width, style).line()
        })
        .collect()
}

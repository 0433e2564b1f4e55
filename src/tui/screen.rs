//! Where the panels go. A pure function of size, snapshot and what is open: nothing is remembered between frames.

use super::app::App;
use super::dialog;
use super::glyph::Glyphs;
use super::keys::{BINDINGS, When};
use super::panel::{self, Canvas};
use super::text::Row;
use super::theme::Theme;
use crate::model::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph, Widget};

/// Draws the whole screen.
pub fn draw(app: &App, snapshot: &Snapshot, theme: &Theme, glyphs: &Glyphs, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, theme.text);
    if area.width == 0 || area.height == 0 {
        return;
    }
    let canvas = |width: u16| Canvas { snapshot, theme, glyphs, width: usize::from(width), selected: app.selected_group(snapshot) };
    if area.width < 60 || area.height < 16 {
        put(&small(&canvas(area.width)), area, buffer);
    } else {
        full(app, snapshot, &canvas, area, buffer);
    }
    if let Some(open) = &app.dialog {
        let width = area.width.saturating_sub(4).min(100).max(area.width.min(20));
        let lines = dialog::lines(open, &canvas(width), app.hears());
        let height = (lines.len() as u16 + 2).min(area.height);
        // It covers the lower part: what is decided on stays in sight above it.
        let place = Rect { x: (area.width - width) / 2, y: area.height.saturating_sub(height + 1), width, height };
        let place = place.intersection(area);
        Clear.render(place, buffer);
        buffer.set_style(place, theme.text);
        let rule = if glyphs.ascii { "-" } else { "─" };
        let line = Line::styled(rule.repeat(usize::from(width)), theme.accent);
        let mut framed = vec![line.clone()];
        framed.extend(lines);
        framed.push(line);
        put(&framed, place, buffer);
    }
}

fn put(lines: &[Line<'static>], area: Rect, buffer: &mut Buffer) {
    let shown: Vec<Line<'static>> = lines.iter().take(usize::from(area.height)).cloned().collect();
    Paragraph::new(shown).render(area, buffer);
}

/// Below 60x16: a line a region and one for the decision.
fn small(c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut lines: Vec<Line<'static>> = panel::header(c).into_iter().take(1).collect();
    if let Some(view) = s.proposals.first() {
        lines.extend(panel::choice(c, view).into_iter().take(1));
    } else if let Some(o) = s.operations.iter().rev().find(|o| !o.is_over()) {
        lines.extend(panel::recovery(c, o).into_iter().take(1));
    }
    for id in s.estate.region_ids() {
        let view = &s.regions[id.at()];
        let (mark, style) = match view.status {
            RegionStatus::Ok => (g.ok, t.ok),
            RegionStatus::Degraded => (g.part, t.warn),
            RegionStatus::Down => (g.bad, t.bad),
            RegionStatus::Unknown => (g.unknown, t.dim),
        };
        lines.push(Row::new().add(format!("{mark} {} ", view.status.word()), style).rest(g, &s.estate.region(id).name, c.width, t.text).line());
    }
    lines
}

fn full<'a>(app: &App, snapshot: &'a Snapshot, canvas: &dyn Fn(u16) -> Canvas<'a>, area: Rect, buffer: &mut Buffer) {
    let left = if area.width >= 180 { 44 } else { 0 };
    let right = if area.width >= 110 { (area.width - left) * 2 / 5 } else { 0 };
    let middle = Rect { x: left, y: 2, width: area.width - left - right, height: area.height.saturating_sub(3) };
    put(&panel::header(&canvas(area.width)), Rect { height: 2, ..area }, buffer);
    if left > 0 {
        let place = Rect { x: 0, y: 3, width: left - 2, height: middle.height.saturating_sub(1) };
        put(&panel::services(&canvas(place.width)), place, buffer);
    }
    let c = canvas(middle.width);
    let mut lines = vec![Line::default()];
    let blocks = blocks(app, &c);
    // What decides is never pushed off the screen by what merely informs.
    let room = usize::from(middle.height).saturating_sub(1 + if right == 0 { 3 } else { 0 });
    let needed: usize = blocks.iter().map(|b| b.lines.len() + 1).sum();
    let mut spare = room.saturating_sub(blocks.iter().filter(|b| b.decides).map(|b| b.lines.len() + 1).sum());
    for block in blocks {
        let most = if needed <= room || block.decides { block.lines.len() } else { block.lines.len().min(spare.saturating_sub(1)) };
        if !block.decides {
            spare = spare.saturating_sub(most + 1);
        }
        if most > 0 {
            lines.extend(block.lines.into_iter().take(most));
            lines.push(Line::default());
        }
    }
    let used = (lines.len() as u16).min(middle.height);
    put(&lines, middle, buffer);
    let log = if right > 0 {
        Rect { x: area.width - right, y: 3, width: right, height: middle.height.saturating_sub(1) }
    } else {
        Rect { y: middle.y + used, height: middle.height - used, ..middle }
    };
    let c = canvas(log.width);
    let height = usize::from(log.height).saturating_sub(usize::from(right > 0));
    let mut story = Vec::new();
    if right > 0 {
        let title = if app.program_log { " PROGRAM LOG" } else { " STORY" };
        story.push(Row::new().rest(c.glyphs, title, c.width, c.theme.title).line());
    }
    let titled = story.len() as u16;
    if app.program_log {
        put(&story, log, buffer);
        let below = Rect { y: log.y + titled, height: log.height.saturating_sub(titled), ..log };
        tui_logger::TuiLoggerWidget::default()
            .style(c.theme.text)
            .output_file(false)
            .output_line(false)
            .render(below.intersection(*buffer.area()), buffer);
    } else {
        story.extend(panel::log(&c, height, app.back));
        put(&story, log, buffer);
    }
    let foot = Rect { x: 0, y: area.height - 1, width: area.width, height: 1 };
    put(&[footer(app, snapshot, &canvas(area.width))], foot, buffer);
}

struct Block {
    lines: Vec<Line<'static>>,
    decides: bool,
}

fn blocks(app: &App, c: &Canvas) -> Vec<Block> {
    let s = c.snapshot;
    let informs = |lines| Block { lines, decides: false };
    let decides = |lines| Block { lines, decides: true };
    let mut list = vec![informs(panel::regions(c)), informs(panel::replication(c))];
    let running = |g: GroupId| s.operations.iter().rev().find(|o| o.group == g && !o.is_over());
    let choice = s.proposals.iter().find(|v| v.proposal.group == app.selected_group(s)).or(s.proposals.first());
    let operation = running(app.selected_group(s)).or_else(|| s.operations.iter().rev().find(|o| !o.is_over())).or_else(|| {
        let recent = |o: &&std::sync::Arc<Operation>| !s.disasters.is_empty() || o.finished.is_some_and(|f| s.now.utc.since(f) < Span::mins(10));
        s.operations.iter().rev().find(|o| o.group == app.selected_group(s)).filter(recent)
    });
    match (choice, operation) {
        (Some(view), _) => list.push(decides(panel::choice(c, view))),
        (None, Some(o)) => list.push(decides(panel::recovery(c, o))),
        (None, None) => list.push(informs(panel::peace(c))),
    }
    if let (Some(_), Some(o)) = (choice, operation.filter(|o| !o.is_over())) {
        list.push(decides(panel::recovery(c, o)));
    }
    list
}

fn footer(app: &App, s: &Snapshot, c: &Canvas) -> Line<'static> {
    let (t, g) = (c.theme, c.glyphs);
    let mut row = Row::new().add(" ", t.text);
    if let Some(text) = &app.told {
        return row.rest(g, text, c.width, t.warn).line();
    }
    let mut used = 1;
    for b in BINDINGS {
        let now = match b.when {
            When::Always => !matches!(b.shown, "k" | "j" | "tab"),
            When::Choice => !s.proposals.is_empty(),
            When::Countdown => s.proposals.iter().any(|p| p.proposal.automatic_at.is_some()),
            When::Question => s.operations.iter().any(|o| !o.is_over()),
            When::Simulated => s.world.is_some() && !matches!(b.shown, "." | "-" | "m"),
            When::Live => s.world.is_none() && !s.armed,
        };
        let length = b.shown.len() + b.short.len() + 4;
        if now && used + length <= c.width {
            used += length;
            row = row.add(b.shown, t.key).add(format!(" {}   ", b.short), t.dim);
        }
    }
    row.line()
}

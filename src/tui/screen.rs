//! Where the panels go. A pure function of size, snapshot and what is open: nothing is remembered between frames.

use super::app::{App, Instead};
use super::click::Places;
use super::command_screen::{full, small};
use super::dialog_lines;
use super::fork;
use super::glyph::Glyphs;
use super::list_screen::framed;
use super::narration;
use super::panel::Canvas;
use super::paper::{Paper, put};
use super::places::Screen;
use super::text::Row;
use super::theme::Theme;
use crate::model::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

/// Draws the whole screen, and tells where everything that can be clicked came to lie.
pub fn draw(
    app: &App,
    snapshot: &Snapshot,
    theme: &Theme,
    glyphs: &Glyphs,
    area: Rect,
    buffer: &mut Buffer,
) -> Places {
    let mut places = Places::default();
    paint(buffer, area, theme.text);
    if area.width == 0 || area.height == 0 {
        return places;
    }
    let whole = area;
    let aside = if app.beside.is_some() && area.width >= ASIDE_FROM {
        (area.width * 2 / 5).clamp(ASIDE.0, ASIDE.1)
    } else {
        0
    };
    let area = Rect { width: area.width - aside, ..area };
    let told = match (app.instead, &app.beside) {
        (Instead::Fork(at), Some(beside)) => {
            let c = Canvas {
                snapshot: beside,
                theme,
                glyphs,
                width: usize::from(area.width),
                selected: app.selected_group(snapshot),
                keys: &app.keys,
            };
            if aside > 0 {
                let place = Rect { x: area.width, width: aside, ..whole };
                put(
                    &fork::beside(
                        &Canvas { width: usize::from(aside), ..c },
                        usize::from(place.height),
                        |c| small(c, false),
                    ),
                    place,
                    buffer,
                );
            }
            fork::below(&c, snapshot, at, aside == 0 && area.height >= 16)
        }
        _ => narration::lines(app, snapshot, theme, glyphs, area),
    };
    let selected = app.selected_group(snapshot);
    let canvas =
        |width: u16| Canvas { snapshot, theme, glyphs, width: usize::from(width), selected, keys: &app.keys };
    // Who is about to confirm reads that whole: what a scenario tells steps back to its first line.
    let told = match &app.dialog {
        Some(open)
            if !matches!(app.instead, Instead::Fork(_))
                && told.len() > 1
                && dialog_lines::lines(app, open, &canvas(area.width), 0).len() + 5 + told.len()
                    > usize::from(area.height) =>
        {
            told.into_iter().take(1).collect()
        }
        _ => told,
    };
    let area = Rect { height: area.height.saturating_sub(told.len() as u16), ..area };
    let tiny = area.width < 60 || area.height < 16;
    match (app.screen, tiny) {
        (Screen::Command, true) => put(&small(&canvas(area.width), true), area, buffer),
        (Screen::Command, false) => {
            full(app, snapshot, &canvas, area, &mut Paper { buffer, places: &mut places })
        }
        _ => framed(app, snapshot, &canvas, tiny, area, &mut Paper { buffer, places: &mut places }),
    }
    put(&told, Rect { y: area.height, height: told.len() as u16, width: area.width, ..whole }, buffer);
    if let Some(open) = &app.dialog {
        // From edge to edge: what is cut off beside it would read like part of it.
        let width = area.width;
        // How real it is, and how bad, is never covered.
        let most = area.height.saturating_sub(if tiny { 1 } else { 3 });
        let lines = dialog_lines::lines(app, open, &canvas(width), usize::from(most.saturating_sub(2)));
        let height = (lines.len() as u16 + 2).min(most);
        // It covers the lower part: what is decided on stays in sight above it.
        let place = Rect { x: 0, y: area.height.saturating_sub(height + u16::from(!tiny)), width, height };
        let place = place.intersection(area);
        Clear.render(place, buffer);
        paint(buffer, place, theme.text);
        let rule = Line::styled(glyphs.rule.repeat(usize::from(width)), theme.accent);
        let mut framed = vec![rule.clone()];
        framed.extend(windowed(lines, usize::from(height.saturating_sub(2)), app.scrolled, &canvas(width)));
        framed.push(rule);
        put(&framed, place, buffer);
    }
    places
}

/// The ground that is drawn on; a terminal's own is there already.
fn paint(buffer: &mut Buffer, area: Rect, style: Style) {
    if style != Style::new() {
        buffer.set_style(area, style);
    }
}

/// Where there is no room for all of a dialog: its title, and its end, where it is typed into; up shows what is above that.
fn windowed(mut lines: Vec<Line<'static>>, room: usize, scrolled: usize, c: &Canvas) -> Vec<Line<'static>> {
    if lines.len() <= room || room < 4 {
        return lines.split_off(lines.len().saturating_sub(room));
    }
    // The title and the line that says how much is above take two of them.
    let hidden = lines.len() - room + 1;
    let mut above = hidden.saturating_sub(scrolled);
    let mut shown = vec![lines.remove(0)];
    if above > 0 {
        // Half a sentence says something else than the whole.
        let goes_on =
            |l: &Line| l.spans.first().is_some_and(|s| s.content.len() == 14 && s.content.trim().is_empty());
        while above + 1 < lines.len() && goes_on(&lines[above]) {
            above += 1;
        }
        shown.push(
            Row::new()
                .rest(
                    c.glyphs,
                    &format!("   {above} lines above this: the up key shows them"),
                    c.width,
                    c.theme.warn,
                )
                .line(),
        );
    }
    let left = room - shown.len();
    shown.extend(lines.into_iter().skip(above).take(left));
    shown
}

/// From this width on a fork has the real estate beside it: two columns of five, within these bounds.
const ASIDE_FROM: u16 = 118;
const ASIDE: (u16, u16) = (48, 90);

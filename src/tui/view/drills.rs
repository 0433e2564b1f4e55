//! Scenarios to play on the simulation: what they rehearse, and how they ended before.

use super::{Shown, fact};
use crate::model::*;
use crate::tui::panel::Canvas;
use crate::tui::text::Row;
use ratatui::text::Line;

fn card<'a>(shown: &Shown<'a>, id: u64) -> Option<&'a Card> {
    shown.cards.get(usize::try_from(id).ok()?)
}

pub fn row(shown: &Shown, c: &Canvas, id: u64) -> Line<'static> {
    let (t, g) = (c.theme, c.glyphs);
    let Some(card) = card(shown, id) else { return Line::default() };
    let (mark, style) = match card.results.last() {
        Some(r) if r.passed => (g.done, t.ok),
        Some(_) => (g.bad, t.bad),
        None => (g.later, t.dim),
    };
    let last = card.results.last().map_or_else(|| "never played".to_string(), |r| format!("{} ago", c.snapshot.now.utc.since(r.at)));
    Row::new()
        .add(format!(" {mark} "), style)
        .left(g, &card.name, 20, t.strong)
        .right(g, &last, 13, t.dim)
        .add("  ", t.text)
        .rest(g, &card.title, c.width, t.text)
        .line()
}

pub fn detail(shown: &Shown, c: &Canvas, id: u64) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let Some(card) = card(shown, id) else { return Vec::new() };
    let mut lines = vec![Row::new().rest(g, &format!(" {}", card.name), c.width, t.title).line()];
    lines.extend(fact(c, "rehearses", &card.title, t.text));
    let runs = card.results.len();
    let passed = card.results.iter().filter(|r| r.passed).count();
    if runs > 0 {
        lines.extend(fact(c, "played", &format!("{runs} times to its end, {passed} as expected"), t.text));
        let times: Vec<String> = card.results.iter().rev().take(8).rev().filter_map(|r| r.recovery_time_ms).map(|ms| Span(ms).to_string()).collect();
        if !times.is_empty() {
            lines.extend(fact(c, "recovered in", &times.join(", "), t.text));
        }
    }
    lines.extend(fact(c, "Enter", "play it here, on a simulation: nothing real can be reached from it (law 8)", t.text));
    if card.narrated {
        lines.extend(fact(c, "W", "walk through it: it stops and tells at each turn", t.text));
    }
    lines
}

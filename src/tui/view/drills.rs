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
    let last = card
        .results
        .last()
        .map_or_else(|| "never played".to_string(), |r| format!("{} ago", c.snapshot.now.utc.since(r.at)));
    Row::new()
        .add(format!(" {mark} "), style)
        .left(g, &card.name, 20, t.strong)
        .right(g, &last, 13, t.dim)
        .add("  ", t.text)
        .rest(g, &card.title, c.width, t.text)
        .line()
}

pub fn detail(shown: &Shown, c: &Canvas, id: u64, height: usize) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let Some(card) = card(shown, id) else { return Vec::new() };
    let mut lines = vec![Row::new().rest(g, &format!(" {}", card.name), c.width, t.title).line()];
    lines.extend(fact(c, "rehearses", &card.title, t.text));
    let runs = card.results.len();
    let passed = card.results.iter().filter(|r| r.passed).count();
    if runs > 0 {
        lines.extend(fact(c, "played", &format!("{runs} times to its end, {passed} as expected"), t.text));
        let times: Vec<String> = card
            .results
            .iter()
            .rev()
            .take(8)
            .rev()
            .filter_map(|r| r.recovery_time_ms)
            .map(|ms| Span(ms).to_string())
            .collect();
        if !times.is_empty() {
            lines.extend(fact(c, "recovered in", &times.join(", "), t.text));
        }
    }
    lines.extend(fact(
        c,
        "Enter",
        "play it here, on a simulation: nothing real can be reached from it (law 8)",
        t.text,
    ));
    if card.narrated {
        lines.extend(fact(c, "W", "walk through it: it stops and tells at each turn", t.text));
    }
    let room = height.saturating_sub(lines.len());
    if shown.calendar.len() + 2 <= room {
        lines.extend(calendar(shown.calendar, c));
    } else {
        lines.extend(due(shown.calendar, c));
    }
    lines
}

/// Every kind of exercise: how often, when last, when next.
fn calendar(list: &[Due], c: &Canvas) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    if list.is_empty() {
        return Vec::new();
    }
    let now = c.snapshot.now.utc;
    let head =
        Row::new().left(g, " CALENDAR", 24, t.title).left(g, "every", 9, t.dim).right(g, "last", 11, t.dim);
    let head = head.right(g, "next", 12, t.dim).rest(g, "   as they must", c.width, t.dim);
    let mut lines = vec![Line::default(), head.line()];
    for d in list {
        let (mark, style) = match d.last {
            Some((_, true)) => (g.done, t.ok),
            Some((_, false)) => (g.bad, t.bad),
            None => (g.later, t.dim),
        };
        let last = d.last.map_or("never".to_string(), |(at, _)| format!("{} ago", now.since(at)));
        let (next, late) = if d.overdue {
            ("due now".to_string(), t.warn)
        } else {
            (format!("in {}", d.next.since(now)), t.text)
        };
        let came = came(d, c.width);
        lines.push(
            Row::new()
                .add(format!(" {mark} "), style)
                .left(g, &d.kind.name().replace('_', " "), 21, t.text)
                .left(g, &d.every.to_string(), 9, t.dim)
                .right(g, &last, 11, t.text)
                .right(g, &next, 12, late)
                .rest(g, &came, c.width, t.text)
                .line(),
        );
    }
    lines
}

/// How often it came out as it must; where there is room, how often by itself, and where its times go.
fn came(d: &Due, width: usize) -> String {
    if d.passed.of == 0 {
        return String::new();
    }
    let mut text = format!("   {} of {}", d.passed.met, d.passed.of);
    if width >= 110 {
        text += &format!(" (proves {}%), {} by themselves", d.passed.at_least_percent(), d.automated.met);
        text +=
            &d.trend().map_or(String::new(), |(older, newer)| format!("; {older} before, {newer} lately"));
    }
    text
}

/// In a line or two, what is due.
fn due(list: &[Due], c: &Canvas) -> Vec<Line<'static>> {
    let late: Vec<String> =
        list.iter().filter(|d| d.overdue).map(|d| d.kind.name().replace('_', " ")).collect();
    match (late.len(), list.iter().filter(|d| !d.overdue).min_by_key(|d| d.next)) {
        (0, None) => Vec::new(),
        (0, Some(d)) => {
            let text =
                format!("{} next, in {}", d.kind.name().replace('_', " "), d.next.since(c.snapshot.now.utc));
            fact(c, "calendar", &text, c.theme.text)
        }
        (n, _) if n == list.len() => fact(
            c,
            "calendar",
            "nothing was exercised yet: `bpci test suite`, `bpci test report`",
            c.theme.text,
        ),
        (_, _) => fact(c, "calendar", &format!("due now: {}", late.join(", ")), c.theme.warn),
    }
}

//! The incident's story.

use super::Canvas;
use crate::model::{LogLine, Mode, Weight};
use crate::tui::text::{Row, wrap};
use ratatui::text::Line;

/// What is news: that a step was begun, sent and answered stands on the timeline. It comes second by second, so that a slow
/// link is not filled with lines that move up.
fn news<'a>(c: &Canvas<'a>, back: usize) -> Vec<&'a LogLine> {
    let s = c.snapshot;
    // Where somebody steps through it, each line comes at once.
    let at_once = s.mode == Mode::Replay || s.world.as_ref().is_some_and(|w| w.paused);
    let second = s.now.utc.0.div_euclid(1000);
    let seen = |l: &LogLine| at_once || l.at.0.div_euclid(1000) != second;
    let mut lines: Vec<&LogLine> = s.log.iter().filter(|l| l.weight > Weight::Routine && seen(l)).collect();
    lines.truncate(lines.len().saturating_sub(back));
    lines
}

/// The newest lines that fit, `back` lines before the end.
pub fn log(c: &Canvas, height: usize, back: usize) -> Vec<Line<'static>> {
    let lines = news(c, back);
    lines[lines.len().saturating_sub(height)..].iter().map(|line| story_row(c, line)).collect()
}

/// The same, each line whole in as many rows as it takes.
pub fn whole_log(c: &Canvas, height: usize, back: usize) -> Vec<Line<'static>> {
    let mut rows = std::collections::VecDeque::new();
    for line in news(c, back).into_iter().rev() {
        let entry = wrapped(c, line);
        if rows.len() + entry.len() > height {
            break;
        }
        for row in entry.into_iter().rev() {
            rows.push_front(row);
        }
    }
    rows.into()
}

fn wrapped(c: &Canvas, line: &LogLine) -> Vec<Line<'static>> {
    const BEFORE: usize = 26;
    let parts = wrap(&c.glyphs.plain(&line.text), c.width.saturating_sub(BEFORE).max(10));
    let mut rows = Vec::new();
    for (i, part) in parts.into_iter().enumerate() {
        let row = match i {
            0 => story_row(c, &LogLine { text: part, ..line.clone() }),
            _ => Row::new()
                .left(c.glyphs, "", BEFORE, c.theme.text)
                .rest(c.glyphs, &part, c.width, weight_style(c, line.weight))
                .line(),
        };
        rows.push(row);
    }
    rows
}

fn weight_style(c: &Canvas, weight: Weight) -> ratatui::style::Style {
    let t = c.theme;
    match weight {
        Weight::Routine => t.dim,
        Weight::Notice => t.text,
        Weight::Warning => t.warn,
        Weight::Alarm => t.bad,
    }
}

/// One line of the story.
pub fn story_row(c: &Canvas, line: &LogLine) -> Line<'static> {
    let (t, g) = (c.theme, c.glyphs);
    let style = weight_style(c, line.weight);
    let subject = if c.width < 60 { 10 } else { 15 };
    Row::new()
        .add(format!(" {} ", line.at.clock()), t.dim)
        .left(g, &line.whose(), subject, t.dim)
        .add(" ", t.text)
        .rest(g, &line.text, c.width, style)
        .line()
}

//! The incident's story.

use super::Canvas;
use crate::model::{LogLine, Weight};
use crate::tui::text::Row;
use ratatui::text::Line;

/// The newest lines that fit, `back` lines before the end.
pub fn log(c: &Canvas, height: usize, back: usize) -> Vec<Line<'static>> {
    let s = c.snapshot;
    let end = s.log.len().saturating_sub(back);
    let start = end.saturating_sub(height);
    s.log.iter().skip(start).take(end - start).map(|line| story_row(c, line)).collect()
}

/// One line of the story.
pub fn story_row(c: &Canvas, line: &LogLine) -> Line<'static> {
    let (t, g) = (c.theme, c.glyphs);
    let style = match line.weight {
        Weight::Routine => t.dim,
        Weight::Notice => t.text,
        Weight::Warning => t.warn,
        Weight::Alarm => t.bad,
    };
    let subject = if c.width < 60 { 10 } else { 15 };
    Row::new()
        .add(format!(" {} ", line.at.clock()), t.dim)
        .left(g, &line.subject, subject, t.dim)
        .add(" ", t.text)
        .rest(g, &line.text, c.width, style)
        .line()
}

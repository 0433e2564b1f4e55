//! The story line by line, and the selected line in full.

use super::{Shown, fact};
use crate::model::*;
use crate::tui::panel::{Canvas, story_row};
use crate::tui::rows::story_line;
use ratatui::text::Line;

pub fn row(shown: &Shown, c: &Canvas, id: u64) -> Line<'static> {
    story_line(c.snapshot, shown.searched, id).map_or_else(Line::default, |line| story_row(c, line))
}

pub fn detail(shown: &Shown, c: &Canvas, id: u64) -> Vec<Line<'static>> {
    let (s, t) = (c.snapshot, c.theme);
    let Some(line) = story_line(s, shown.searched, id) else { return Vec::new() };
    let mut lines = fact(c, "when", &when(s, line.at), t.text);
    lines.extend(fact(c, &line.subject.to_string(), &line.text, t.strong));
    lines
}

/// The moment, how long ago it was, and how long after the disaster began.
fn when(s: &Snapshot, at: Utc) -> String {
    let mut text = format!("{at}, {} ago", s.now.utc.since(at));
    if let Some(d) = s.disasters.first() {
        if at >= d.since {
            text.push_str(&format!(", {} after the first failed check", at.since(d.since)));
        } else {
            text.push_str(", before the disaster");
        }
    }
    text
}

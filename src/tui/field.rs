//! A line that is typed into: what a key does to it, and how it is drawn.

use super::panel::Canvas;
use super::text::Row;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

/// Edits a line; true when it was entered.
pub fn edit(text: &mut String, key: KeyEvent) -> bool {
    match key.code {
        KeyCode::Enter => return true,
        KeyCode::Backspace => {
            text.pop();
        }
        KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => text.clear(),
        KeyCode::Char(c)
            if text.len() < 200
                && !c.is_control()
                && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
        {
            text.push(c)
        }
        _ => {}
    }
    false
}

/// The line, with its cursor if keys go `here`.
pub fn field(c: &Canvas, typed: &str, here: bool) -> Line<'static> {
    let (t, g) = (c.theme, c.glyphs);
    let cursor = if here { "_" } else { "" };
    // What is typed last is seen, however much there is.
    let room = c.width.saturating_sub(5);
    let typed = g.plain(typed);
    let mut from = 0;
    while typed[from..].width() > room {
        from += typed[from..].chars().next().map_or(1, char::len_utf8);
    }
    let more = match (from, g.ascii) {
        (0, _) => "",
        (_, true) => "~",
        (_, false) => "…",
    };
    Row::new()
        .add(" > ", t.key)
        .add(more, t.dim)
        .add(typed[from..].to_string(), t.strong)
        .add(cursor, t.key)
        .line()
}

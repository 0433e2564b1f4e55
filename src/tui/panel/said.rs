//! A label with what it says.

use super::Canvas;
use crate::tui::text::{Row, wrap};
use ratatui::text::Line;

/// `   label      text`, in two lines where one is too short.
pub fn said(c: &Canvas, label: &str, text: &str, style: ratatui::style::Style) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let parts = wrap(&g.plain(text), c.width.saturating_sub(15).max(10));
    let (first, rest) =
        parts.split_first().map_or((String::new(), String::new()), |(f, r)| (f.clone(), r.join(" ")));
    let mut lines =
        vec![Row::new().left(g, &format!("   {label}"), 14, t.dim).rest(g, &first, c.width, style).line()];
    if !rest.is_empty() {
        lines.push(Row::new().left(g, "", 14, t.dim).rest(g, &rest, c.width, style).line());
    }
    lines
}

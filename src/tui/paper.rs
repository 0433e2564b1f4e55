//! What a screen is drawn on.

use super::click::Places;
use super::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// What is drawn on, and what lies where on it.
pub(super) struct Paper<'a> {
    pub buffer: &'a mut Buffer,
    pub places: &'a mut Places,
}

pub(super) fn put(lines: &[Line<'static>], area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(*buffer.area());
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        let mut x = area.x;
        for span in &line.spans {
            x = text::put(&span.content, line.style.patch(span.style), (x, y), area.right(), buffer);
        }
    }
}

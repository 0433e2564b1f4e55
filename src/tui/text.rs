//! Lines made of cells: padded, cut and aligned by what a terminal shows, not by bytes.

use super::glyph::Glyphs;
use crate::wording::{acts_on_a_line, one_line};
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use std::borrow::Cow;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cut to a width; what was cut off shows as `…`.
pub fn fit(text: &str, width: usize, ascii: bool) -> String {
    fitting(Cow::Borrowed(text), width, ascii).into_owned()
}

/// What came from outside may hold anything: a character that would act on the terminal is written as its escape.
fn harmless(text: Cow<str>) -> Cow<str> {
    if text.chars().any(acts_on_a_line) { Cow::Owned(one_line(&text).into_owned()) } else { text }
}

fn fitting(text: Cow<str>, width: usize, ascii: bool) -> Cow<str> {
    if single_cells(&text).is_some_and(|cells| cells <= width) {
        return text;
    }
    let clean = harmless(text);
    if clean.width() <= width {
        return clean;
    }
    let mark = if ascii { "~" } else { "…" };
    let mut out = String::new();
    let mut used = 0;
    for c in clean.chars() {
        let w = c.width().unwrap_or(0);
        if used + w + 1 > width {
            break;
        }
        out.push(c);
        used += w;
    }
    // Half a number is another number.
    if clean[out.len()..].starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        out.truncate(out.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len());
    }
    if width > 0 {
        out.push_str(mark);
    }
    Cow::Owned(out)
}

/// So many of something, in words.
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A letter that takes one cell and joins with none beside it, so that neither need be looked up: those of ASCII, and the
/// marks that this program draws with. (Two fields of a flag, or what follows a letter as its accent, are none of these.)
const fn is_single(c: char) -> bool {
    matches!(c, ' '..='~' | '«' | '»' | '·' | '–' | '…' | '←'..='↓' | '─'..='╿' | '▀'..='▟' | '▲' | '▶' | '●' | '◐' | '✓' | '✗' | '≥')
}

/// How many cells a text takes, if each of its letters takes one. Most of what is drawn is such.
fn single_cells(text: &str) -> Option<usize> {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Some(text.len());
    }
    text.chars().try_fold(0, |n, c| is_single(c).then_some(n + 1))
}

/// The cells that a text takes.
fn cells(text: &str) -> usize {
    single_cells(text).unwrap_or_else(|| text.width())
}

/// Cut to a width, or filled up to it.
fn padded(text: Cow<str>, width: usize, ascii: bool) -> String {
    let cut = fitting(text, width, ascii);
    let pad = width.saturating_sub(cells(&cut));
    let mut out = String::with_capacity(cut.len() + pad);
    out.push_str(&cut);
    out.extend(std::iter::repeat_n(' ', pad));
    out
}

/// Writes a piece from a cell on, up to a column that is no longer its own; tells the column behind it.
pub fn put(text: &str, style: Style, (x, y): (u16, u16), end: u16, buffer: &mut Buffer) -> u16 {
    let room = end.saturating_sub(x);
    if single_cells(text).is_none() {
        // A row made its text harmless when it was measured; nothing else reaches the terminal either.
        return buffer.set_stringn(x, y, harmless(Cow::Borrowed(text)), usize::from(room), style).0;
    }
    if room == 0 {
        return x;
    }
    // The place in the row is found once, not for each cell.
    let first = buffer.index_of(x, y);
    let mut at = x;
    for (cell, c) in buffer.content[first..].iter_mut().zip(text.chars()).take(usize::from(room)) {
        cell.set_char(c).set_style(style);
        at += 1;
    }
    at
}

/// A line that is built up piece by piece.
#[derive(Default)]
pub struct Row {
    spans: Vec<Span<'static>>,
    used: usize,
}

impl Row {
    pub fn new() -> Row {
        Row::default()
    }

    pub fn add(mut self, text: impl Into<String>, style: Style) -> Row {
        let mut text = text.into();
        if single_cells(&text).is_none() {
            text = harmless(Cow::Owned(text)).into_owned();
        }
        self.used += cells(&text);
        if self.spans.is_empty() {
            // A line has several: they are not grown into one by one.
            self.spans.reserve(8);
        }
        self.spans.push(Span::styled(text, style));
        self
    }

    pub fn left(self, g: &Glyphs, text: &str, width: usize, style: Style) -> Row {
        self.add(padded(g.marks(text), width, g.ascii), style)
    }

    pub fn right(self, g: &Glyphs, text: &str, width: usize, style: Style) -> Row {
        let text = fitting(g.marks(text), width, g.ascii);
        // The room before it is not part of it: a line under the text must not begin there.
        self.add(" ".repeat(width.saturating_sub(cells(&text))), Style::new()).add(text, style)
    }

    /// The rest of a line of this width.
    pub fn rest(self, g: &Glyphs, text: &str, width: usize, style: Style) -> Row {
        let room = width.saturating_sub(self.used);
        let text = fitting(g.marks(text), room, g.ascii);
        self.add(text, style)
    }

    /// Pushed to the right edge of a line of this width.
    pub fn at_end(self, g: &Glyphs, text: &str, width: usize, style: Style) -> Row {
        let text = fitting(g.marks(text), width.saturating_sub(self.used), g.ascii);
        let gap = width.saturating_sub(self.used + cells(&text));
        self.add(" ".repeat(gap), Style::new()).add(text, style)
    }

    /// How much of the line is taken.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Cut to a width, wherever that falls.
    pub fn fitted(mut self, g: &Glyphs, width: usize) -> Row {
        while self.used > width
            && let Some(last) = self.spans.pop()
        {
            let length = cells(&last.content);
            self.used -= length;
            if self.used < width {
                let text = fit(&last.content, width - self.used, g.ascii);
                self = self.add(text, last.style);
                break;
            }
        }
        self
    }

    pub fn line(self) -> Line<'static> {
        Line::from(self.spans)
    }
}

/// Words in lines of a width.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |l| l.width());
        if last > 0 && last + 1 + word.width() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// A gauge: how much of a whole, with its target drawn in. `value` and `target` are in thousandths.
pub fn gauge(g: &Glyphs, width: usize, value: u64, target: Option<u64>) -> String {
    let eighths = (value.min(1000) as usize * width * 8).div_ceil(1000);
    let at = target.map(|t| (t.min(1000) as usize * width / 1000).min(width.saturating_sub(1)));
    let mut out = String::new();
    for i in 0..width {
        let fill = eighths.saturating_sub(i * 8).min(8);
        out.push_str(match fill {
            0 if at == Some(i) => g.target,
            0 => g.track,
            n => g.blocks[n - 1],
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is not looked up is what would be found.
    #[test]
    fn a_letter_that_is_taken_for_one_cell_takes_one() {
        let singles: Vec<char> = ('\u{20}'..=char::MAX).filter(|c| is_single(*c)).collect();
        assert!(singles.len() > 200);
        for c in singles {
            assert_eq!(c.width(), Some(1), "{c:?}");
        }
        for mark in ["✓\u{301}", "é\u{301}", "界", "\u{1f1e9}\u{1f1ea}", "a\u{200d}b", "\u{7f}", "a\nb"] {
            assert_eq!(single_cells(mark), None, "{mark:?}");
        }
    }

    #[test]
    fn no_number_is_cut_in_two() {
        for (text, width, expected) in [
            ("took 12345 ms", 20, "took 12345 ms"),
            ("took 12345 ms", 8, "took …"),
            ("took 12.5 s", 8, "took …"),
            ("took 12 s", 8, "took 12…"),
            ("us-east-1 leads", 12, "us-east-1 l…"),
        ] {
            assert_eq!(fit(text, width, false), expected);
        }
    }
}

//! The marks beside the words, and what stands for them where a terminal has only ASCII.

use std::borrow::Cow;

/// A set of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub ok: &'static str,
    pub part: &'static str,
    pub bad: &'static str,
    pub unknown: &'static str,
    pub alarm: &'static str,
    pub done: &'static str,
    pub now: &'static str,
    pub later: &'static str,
    pub arrow: &'static str,
    pub dash: &'static str,
    pub dot: &'static str,
    /// From an eighth to a whole.
    pub blocks: [&'static str; 8],
    /// The lower part of a cell, from an eighth to a whole.
    pub ticks: [&'static str; 8],
    /// A thin rule.
    pub rule: &'static str,
    /// What the end waited for, and what it did not.
    pub bar: &'static str,
    pub thin: &'static str,
    pub track: &'static str,
    pub target: &'static str,
    pub ascii: bool,
}

pub const UNICODE: Glyphs = Glyphs {
    ok: "●",
    part: "◐",
    bad: "✗",
    unknown: "?",
    alarm: "▲",
    done: "✓",
    now: "▶",
    later: "·",
    arrow: "→",
    dash: "–",
    dot: "·",
    blocks: ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    ticks: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    rule: "─",
    bar: "█",
    thin: "▒",
    track: "·",
    target: "│",
    ascii: false,
};

pub const ASCII: Glyphs = Glyphs {
    ok: "o",
    part: "~",
    bad: "X",
    unknown: "?",
    alarm: "!",
    done: "+",
    now: ">",
    later: ".",
    arrow: "->",
    dash: "-",
    dot: "-",
    blocks: ["#", "#", "#", "#", "#", "#", "#", "#"],
    ticks: ["_", "_", ".", ":", "|", "|", "#", "#"],
    rule: "-",
    bar: "#",
    thin: "=",
    track: ".",
    target: "|",
    ascii: true,
};

impl Glyphs {
    /// A text of the model's in these marks: the model writes «→» and «–» for people.
    pub fn plain(&self, text: &str) -> String {
        self.marks(text).into_owned()
    }

    /// The same, as it is where nothing is to be replaced.
    pub fn marks<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.ascii || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '→' => out.push_str("->"),
                '–' | '·' => out.push('-'),
                '✓' => out.push('+'),
                '✗' => out.push('X'),
                '«' | '»' => out.push('"'),
                '≥' => out.push_str(">="),
                c if c.is_ascii() => out.push(c),
                _ => out.push('?'),
            }
        }
        Cow::Owned(out)
    }
}

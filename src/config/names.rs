//! What a name may be: people read names on a terminal while something fails, so a name shows all that it is.

use std::fmt::Write;
use unicode_width::UnicodeWidthChar;

/// A name is no longer than this: a path and a screen must have room for it.
pub const LONGEST: usize = 200;

/// Changes the order in which a terminal shows other letters, or marks a direction and shows nothing itself.
const fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Takes no room and joins with nothing: two names that differ in it look the same.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00ad}' | '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}'
            | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// A line separator: a terminal or an editor may begin a new line there.
const fn is_line_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// A picture that others can be joined to, as in a family of four.
const fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{203c}'..='\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

/// A joiner or a variation selector inside of an emoji is part of the picture.
fn is_part_of_picture(before: Option<char>, c: char, after: Option<char>) -> bool {
    let picture =
        |c: Option<char>| c.is_some_and(|c| is_pictograph(c) && !is_invisible(c) && !is_bidirectional(c));
    match c {
        '\u{200d}' => (picture(before) || before == Some('\u{fe0f}')) && picture(after),
        '\u{fe0f}' => picture(before),
        _ => false,
    }
}

/// How a character is named in a message: `U+202E`.
fn code(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// A text of any sort that does something to a terminal: what was found, and what to write. Lines and tabs are left alone.
pub fn text_fault(text: &str) -> Option<(String, String)> {
    if text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\t')) {
        return None;
    }
    let bad = text.chars().find(|c| {
        (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })?;
    let sort = if bad.is_control() { "a control character" } else { "it changes the direction of text" };
    Some((format!("`{}` contains {} ({sort})", shortened(text), code(bad)), "remove it".to_string()))
}

/// What makes a text no name: what was found, and what to write. `what` is what it names, such as `a service`.
pub fn name_fault(what: &str, text: &str) -> Option<(String, String)> {
    let fault = |found: String, remedy: &str| Some((found, remedy.to_string()));
    if text.is_empty() {
        return fault(format!("an empty name for {what}"), "write at least one character");
    }
    let length = text.chars().count();
    if length > LONGEST {
        let remedy = format!("use at most {LONGEST}");
        return fault(format!("`{}` names {what} with {length} characters", shortened(text)), &remedy);
    }
    if text.trim() != text {
        return fault(format!("`{text}` begins or ends with a space"), "remove the space");
    }
    if text.chars().next().is_some_and(|c| c.width() == Some(0)) {
        return fault(
            format!("`{text}` begins with a character that takes no room"),
            "begin with a letter or a digit",
        );
    }
    let all: Vec<char> = text.chars().collect();
    let bad = all.iter().enumerate().find_map(|(i, c)| {
        let (before, after) = (i.checked_sub(1).and_then(|i| all.get(i)).copied(), all.get(i + 1).copied());
        let sort = match *c {
            c if c.is_control() => "a control character",
            c if is_bidirectional(c) => "it changes the direction of text",
            c if is_line_break(c) => "a line break",
            c if is_invisible(c) && !is_part_of_picture(before, c, after) => "it is invisible",
            _ => return None,
        };
        Some((*c, sort))
    });
    let (bad, sort) = bad?;
    fault(format!("`{text}` cannot name {what}: it contains {} ({sort})", code(bad)), "remove it")
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        None => text.to_string(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// A text as one line that does nothing to a terminal: what would is written as `\u{1b}`.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let hidden = c.is_control() || is_bidirectional(c) || is_line_break(c) || is_invisible(c);
        if hidden && !is_part_of_picture(before, c, rest.peek().copied()) {
            // A String takes whatever is written to it.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
        before = Some(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_script_are_names() {
        for name in [
            "orders-db",
            "注文データベース",
            "הזמנות",
            "دفع",
            "naïve-db",
            "e\u{35e}\u{354}\u{360}vil",
            "🚀-db",
            "👍🏽api👨‍👩‍👧‍👦",
            "orders db",
            "❤\u{fe0f}",
        ] {
            assert_eq!(name_fault("a service", name), None, "{name}");
        }
        assert_eq!(name_fault("a service", &"x".repeat(LONGEST)), None);
    }

    #[test]
    fn what_hides_something_is_no_name() {
        let long = "x".repeat(LONGEST + 1);
        let names = [
            "",
            " a",
            "a ",
            "\u{301}a",
            "db\u{1b}[31m",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{200d}b",
            "a\u{200d}",
            "🚀\u{200d}b",
            "a\u{fe0f}",
            "a\u{ad}b",
            "a\nb",
            "a\u{2028}b",
            "a\u{e0041}b",
            &long,
        ];
        for name in names {
            assert!(name_fault("a service", name).is_some(), "{name:?}");
        }
    }

    /// Whatever stands in a file, a mistake about it is one line of visible text.
    #[test]
    fn a_mistake_does_nothing_to_a_terminal() {
        assert_eq!(
            printable("a\u{1b}]52;c;x\u{7}\n\u{202e}b\u{200b}"),
            "a\\u{1b}]52;c;x\\u{7}\\u{a}\\u{202e}b\\u{200b}"
        );
        assert_eq!(printable("👨‍👩‍👧‍👦 ok"), "👨‍👩‍👧‍👦 ok");
    }
}

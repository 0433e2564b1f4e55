//! Text from outside (names, replies, error bodies) on a terminal: it appears there and does nothing else.

use std::borrow::Cow;

/// True for a character that acts on a terminal or on the line it stands in: control characters (C0, DEL, C1), line breaks,
/// directions of text, and characters that take no room and so hide in a name.
#[must_use]
pub const fn acts_on_a_line(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' // C0, DEL, C1
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' // directions
        | '\u{2028}' | '\u{2029}' // line and paragraph separators
        | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}') // without room
}

/// The text as one line that only appears: a character that would act is written as its escape, such as `\n` or `\u{1b}`.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts_on_a_line) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts_on_a_line(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A JSON document as it is printed: the same values, with every character that would act on a terminal written as JSON's
/// own escape. Line breaks between the values stay.
#[must_use]
pub fn quiet_json(document: &str) -> Cow<'_, str> {
    let acts = |c: char| c != '\n' && acts_on_a_line(c);
    if !document.chars().any(acts) {
        return Cow::Borrowed(document);
    }
    let mut out = String::with_capacity(document.len() + 16);
    for c in document.chars() {
        if acts(c) {
            // All of them are in the basic plane: one unit each.
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_outside_stays_one_line_that_only_appears() {
        for (text, expected) in [
            ("orders-db", "orders-db"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[2J\u{9b}8m\u{7f}\u{7}", "\\u{1b}[2J\\u{9b}8m\\u{7f}\\u{7}"),
            ("x\u{202e}gpj.exe\u{2069}", "x\\u{202e}gpj.exe\\u{2069}"),
            ("a\u{2028}b\u{200b}c", "a\\u{2028}b\\u{200b}c"),
            // Letters of every script, accents, joined signs: they only appear.
            (
                "注文 заказ e\u{301} 👩\u{200d}🚒 می\u{200c}خواهم",
                "注文 заказ e\u{301} 👩\u{200d}🚒 می\u{200c}خواهم",
            ),
        ] {
            assert_eq!(one_line(text), expected);
        }
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert!(!c.is_control() || one_line(&text) != text, "{c:?}");
        }
    }

    #[test]
    fn a_document_says_the_same_without_acting() {
        let value = serde_json::json!({ "name": "a\u{1b}\n\u{7f}\u{9b}\u{202e}b", "list": ["\u{2028}"] });
        let printed = serde_json::to_string_pretty(&value).unwrap_or_default();
        let quiet = quiet_json(&printed);
        assert!(!quiet.contains(|c| c != '\n' && acts_on_a_line(c)), "{quiet:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&quiet).ok(), Some(value));
    }
}

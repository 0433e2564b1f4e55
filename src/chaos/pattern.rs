//! Patterns as Python's `re` reads them, as far as a search goes.

use fancy_regex::Regex;

/// A pattern that was understood.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        Regex::new(&translated(text)).map(Pattern).map_err(|e| e.to_string())
    }

    /// True if it is found somewhere in the text.
    ///
    /// # Errors
    /// It took too many steps to tell.
    pub fn is_found(&self, text: &str) -> Result<bool, String> {
        self.0.is_match(text).map_err(|e| format!("the pattern cannot be searched for: {e}"))
    }
}

/// The same pattern in the words of our library. In Python `$` holds at the end and before a last line break, and `\Z` only at
/// the end.
fn translated(pattern: &str) -> String {
    // In a pattern of many lines `$` is the same in both.
    let flags = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')')).map(|(flags, _)| flags);
    let multiline =
        flags.is_some_and(|flags| flags.contains('m') && flags.chars().all(|c| c.is_ascii_alphabetic()));
    let (mut out, mut in_class, mut chars) = (String::new(), false, pattern.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('Z') if !in_class => out.push_str("\\z"),
                Some(next) => out.extend(['\\', next]),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                out.push(c);
                // A bracket that comes first in a class is one of its signs.
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            // Python knows no classes within classes.
            '[' => out.push_str("\\["),
            ']' if in_class => {
                in_class = false;
                out.push(c);
            }
            '$' if !in_class && !multiline => out.push_str("(?=\\n?\\z)"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `re.search` of Python 3.11 answers.
    #[test]
    fn a_pattern_is_found_where_python_finds_it() {
        for (pattern, text, found) in [
            ("^ok$", "ok\n", true),
            ("^ok$", "ok", true),
            ("^ok$", "ok\n\n", false),
            ("^ok$", "ok\nmore", false),
            ("^ok\\Z", "ok\n", false),
            ("^ok$\\n", "ok\n", true),
            ("(?m)^ok$", "a\nok\nb", true),
            ("a\\$b", "a$b", true),
            ("[$]", "a", false),
            ("[$]", "$", true),
            ("[]$]x", "]x", true),
            ("^(?!down)", "up", true),
            ("(a)\\1", "aa", true),
            ("[[]x", "[x", true),
        ] {
            let read = Pattern::parse(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
            assert_eq!(read.is_found(text), Ok(found), "{pattern} in {text:?}");
        }
        assert!(Pattern::parse("(").is_err());
    }
}

//! What others said, in a reason: enough of it to know it by, and never a page.

use std::borrow::Cow;

/// In characters.
const LONGEST: usize = 200;

/// The text, or its beginning with an ellipsis.
pub(super) fn brief(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut() {
        let (fits, long) = ("é".repeat(LONGEST), "é".repeat(LONGEST + 1));
        assert_eq!(brief(&fits), fits);
        assert_eq!(brief(&long), format!("{fits}…"));
    }
}

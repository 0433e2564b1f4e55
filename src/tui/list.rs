//! A list on a screen: what is selected stays selected while the rows move under it.

use std::ops::Range;

/// What a screen remembers of its list.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The id of the selected row; `None`: the first, or where the list follows, the last.
    pub selected: Option<u64>,
    pub filter: String,
    /// The filter is being typed.
    pub typing: bool,
    /// Which of the screen's orders it is in.
    pub order: usize,
    /// The selected row fills the screen.
    pub open: bool,
    /// Lines of it that are scrolled past.
    pub scroll: usize,
}

impl List {
    /// Where the selection is among these rows.
    pub fn position(&self, rows: &[u64], follows: bool) -> usize {
        let rest = if follows { rows.len().saturating_sub(1) } else { 0 };
        self.selected.and_then(|id| rows.iter().position(|r| *r == id)).unwrap_or(rest)
    }

    /// Moves the selection; past the end of a list that follows it follows again.
    pub fn step(&mut self, rows: &[u64], by: i64, follows: bool) {
        let at = i64::try_from(self.position(rows, follows)).unwrap_or_default();
        let last = i64::try_from(rows.len()).unwrap_or(i64::MAX) - 1;
        let to = at.saturating_add(by).clamp(0, last.max(0));
        let end = follows && to == last;
        self.selected = if end { None } else { usize::try_from(to).ok().and_then(|i| rows.get(i)).copied() };
    }

    /// True if a text passes the filter: every word of it occurs, whatever the case.
    pub fn passes(&self, text: &str) -> bool {
        passes(&self.filter, text)
    }
}

/// True if every word of the filter occurs in the text, whatever the case.
pub fn passes(filter: &str, text: &str) -> bool {
    if filter.is_empty() {
        return true;
    }
    let text = text.to_lowercase();
    filter.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
}

/// The part of a list that is shown in so many lines, with the selection in it.
pub fn window(rows: usize, selected: usize, height: usize) -> Range<usize> {
    if height == 0 {
        return 0..0;
    }
    let start = selected.saturating_sub(height / 2).min(rows.saturating_sub(height));
    start..rows.min(start + height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_is_in_the_window() {
        for (rows, selected, height, expected) in [
            (0, 0, 5, 0..0),
            (3, 2, 5, 0..3),
            (100, 0, 10, 0..10),
            (100, 50, 10, 45..55),
            (100, 99, 10, 90..100),
            (5, 4, 0, 0..0),
        ] {
            assert_eq!(window(rows, selected, height), expected, "{rows} {selected} {height}");
        }
    }

    #[test]
    fn a_selection_stays_with_its_row() {
        let mut list = List::default();
        list.step(&[10, 11, 12], 1, false);
        assert_eq!((list.selected, list.position(&[12, 11, 10], false)), (Some(11), 1));
        list.step(&[12, 11, 10], 9, false);
        assert_eq!(list.selected, Some(10));
        // One that follows the end forgets the row there.
        list.step(&[1, 2, 3], 9, true);
        assert_eq!((list.selected, list.position(&[1, 2, 3, 4], true)), (None, 3));
    }
}

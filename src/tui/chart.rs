//! A value over time in rows of blocks, with its target drawn across.

use super::glyph::Glyphs;

/// The rows of a chart, the highest first: the newest value stands at the right edge. The second value of a row says
/// that the target crosses it. `None` is a gap: nothing is known of that moment.
pub fn rows(
    g: &Glyphs,
    values: &[Option<u64>],
    scale: u64,
    target: Option<u64>,
    width: usize,
    height: usize,
) -> Vec<(String, bool)> {
    let shown = &values[values.len().saturating_sub(width)..];
    let units = height * 8;
    let level = |v: u64| {
        usize::try_from(u128::from(v) * units as u128 / u128::from(scale.max(1))).unwrap_or(units).min(units)
    };
    let target_row = target.map(|t| height - 1 - (level(t).saturating_sub(1) / 8).min(height - 1));
    (0..height)
        .map(|row| {
            let crossed = target_row == Some(row);
            let floor = (height - 1 - row) * 8;
            let empty = if crossed { g.rule } else { " " };
            let mut text = empty.repeat(width - shown.len());
            for value in shown {
                text.push_str(match value.map(|v| level(v).saturating_sub(floor).min(8)) {
                    // The bottom row shows that something was measured, however little it was.
                    Some(0) if row + 1 == height => g.ticks[0],
                    Some(0) | None => empty,
                    Some(n) => g.ticks[n - 1],
                });
            }
            (text, crossed)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::UNICODE;

    #[test]
    fn values_and_target_are_drawn() {
        let values = [Some(0), Some(50), None, Some(100)];
        let drawn = rows(&UNICODE, &values, 100, Some(60), 6, 2);
        assert_eq!(drawn, vec![("─────█".to_string(), true), ("  ▁█ █".to_string(), false)]);
    }
}

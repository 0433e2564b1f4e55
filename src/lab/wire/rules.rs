//! How the links between namespaces are: a line each, the last one that fits holds.

use std::path::Path;

/// One link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    pub cut: bool,
    /// One way, in microseconds.
    pub delay_us: u64,
    /// Up to this much more or less.
    pub jitter_us: u64,
    /// Packets lost of a million.
    pub loss_ppm: u32,
}

/// `us-east-1 eu-west-1 delay 40ms jitter 10ms loss 1%`, or `us-east-1 * cut`; both directions are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(Vec<(String, String, Link)>);

impl Rules {
    /// # Errors
    /// It cannot be read, or has a mistake: with its line.
    pub fn load(path: &Path) -> Result<Rules, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Rules::parse(&text).map_err(|(line, what)| format!("{}:{line}: {what}", path.display()))
    }

    fn parse(text: &str) -> Result<Rules, (usize, String)> {
        let mut rules = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [a, b, rest @ ..] => {
                    rules.push((a.to_string(), b.to_string(), link(rest).map_err(|what| (n + 1, what))?))
                }
                [one] => {
                    return Err((
                        n + 1,
                        format!("`{one}` alone is no link; write FROM TO delay 40ms loss 1%, or FROM * cut"),
                    ));
                }
            }
        }
        Ok(Rules(rules))
    }

    pub fn between(&self, a: &str, b: &str) -> Link {
        let one = |rule: &str, name: &str| rule == "*" || rule == name;
        let fits = |x: &str, y: &str| (one(x, a) && one(y, b)) || (one(x, b) && one(y, a));
        self.0.iter().rev().find(|(x, y, _)| fits(x, y)).map(|(_, _, link)| *link).unwrap_or_default()
    }
}

fn link(words: &[&str]) -> Result<Link, String> {
    let mut link = Link::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().copied().ok_or_else(|| format!("`{word}` has no value"));
        match *word {
            "cut" => link.cut = true,
            "delay" => link.delay_us = micros(value()?)?,
            "jitter" => link.jitter_us = micros(value()?)?,
            "loss" => link.loss_ppm = ppm(value()?)?,
            other => return Err(format!("`{other}` is nothing a link has; known: cut, delay, jitter, loss")),
        }
    }
    Ok(link)
}

fn micros(text: &str) -> Result<u64, String> {
    let span = humantime::parse_duration(text).map_err(|_| format!("`{text}` is no duration; write 40ms"))?;
    u64::try_from(span.as_micros())
        .ok()
        .filter(|us| *us <= 60_000_000)
        .ok_or_else(|| format!("{text} is too long; at most 60s"))
}

fn ppm(text: &str) -> Result<u32, String> {
    let number =
        text.strip_suffix('%').and_then(|n| n.parse::<f64>().ok()).filter(|n| (0.0..=100.0).contains(n));
    number.map(|n| (n * 10_000.0) as u32).ok_or_else(|| format!("`{text}` is no share; write 1% or 0.5%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_fits_holds() {
        let text = "* * delay 1ms\na b delay 40ms jitter 10ms loss 0.5%  # the long one\nc * cut\n";
        let rules = Rules::parse(text).unwrap_or_else(|(line, what)| panic!("{line}: {what}"));
        assert_eq!(
            rules.between("b", "a"),
            Link { cut: false, delay_us: 40_000, jitter_us: 10_000, loss_ppm: 5_000 }
        );
        assert_eq!(rules.between("b", "d"), Link { delay_us: 1_000, ..Link::default() });
        assert!(rules.between("a", "c").cut);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, line, part) in [
            ("a", 1, "no link"),
            ("\na b slow", 2, "known: cut"),
            ("a b delay 3", 1, "no duration"),
            ("a b loss 2", 1, "no share"),
            ("a b loss", 1, "no value"),
        ] {
            let mistake = Rules::parse(text);
            assert!(
                mistake.as_ref().is_err_and(|(l, what)| *l == line && what.contains(part)),
                "{text}: {mistake:?}"
            );
        }
    }
}

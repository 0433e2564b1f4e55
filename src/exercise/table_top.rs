//! A crisis at a table: what is told to whom and when, and what is to be heard then. One person leads it and judges.

use super::outcome::Outcome;
use crate::config::Duration;
use crate::model::Span;
use serde::Deserialize;
use std::io::{BufRead, Write};
use std::time::Instant;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableTop {
    pub roles: Vec<String>,
    pub injects: Vec<Inject>,
}

/// Something that is told to a role at a time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inject {
    at: Duration,
    pub to: String,
    pub text: String,
    /// What is to be heard or done.
    pub expect: String,
}

impl Inject {
    pub fn at(&self) -> Span {
        self.at.0
    }
}

/// Holds it: tells each inject when its time has come, `speed` times as fast, and asks who leads whether what was expected
/// was heard. Who gives no answer has not finished it.
///
/// # Errors
/// What is read or written is gone.
pub fn hold(
    table: &TableTop,
    speed: u32,
    ask: &mut dyn BufRead,
    tell: &mut dyn Write,
) -> std::io::Result<Outcome> {
    let began = Instant::now();
    writeln!(
        tell,
        "Roles: {}. Who leads it reads aloud, and answers y or n after each.",
        table.roles.join(", ")
    )?;
    let mut missed = Vec::new();
    for inject in &table.injects {
        let due = inject.at().as_std() / speed.max(1);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        writeln!(
            tell,
            "\n[{}] to the {}: {}\n  expected: {}",
            inject.at().written(),
            inject.to,
            inject.text,
            inject.expect
        )?;
        loop {
            write!(tell, "  heard? y/n > ")?;
            tell.flush()?;
            let mut answer = String::new();
            if ask.read_line(&mut answer)? == 0 {
                return Ok(Outcome::NotPlayed(format!("it was left at {}", inject.at().written())));
            }
            match answer.trim() {
                "y" => break,
                "n" => {
                    missed.push(format!("at {}: {}", inject.at().written(), inject.expect));
                    break;
                }
                _ => {}
            }
        }
    }
    let told = match missed.len() {
        0 => format!("all {} were answered as expected", table.injects.len()),
        _ => missed.join("; "),
    };
    Ok(Outcome::Played { passed: missed.is_empty(), told, recovery: None, lost: None, plans: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TableTop {
        let inject = |at, text: &str| Inject {
            at: Duration(Span::secs(at)),
            to: "lead".into(),
            text: text.into(),
            expect: format!("{text} is heard"),
        };
        TableTop { roles: vec!["lead".into()], injects: vec![inject(0, "one"), inject(1, "two")] }
    }

    #[test]
    fn each_answer_counts_and_none_is_no_success() {
        for (answers, expected) in [("y\ny\n", Some(true)), ("y\nperhaps\nn\n", Some(false)), ("y\n", None)] {
            let mut told = Vec::new();
            let outcome =
                hold(&table(), 1000, &mut answers.as_bytes(), &mut told).unwrap_or_else(|e| panic!("{e}"));
            let passed = match outcome {
                Outcome::Played { passed, .. } => Some(passed),
                Outcome::NotPlayed(_) => None,
            };
            assert_eq!(passed, expected, "{answers:?}: {}", String::from_utf8_lossy(&told));
        }
    }
}

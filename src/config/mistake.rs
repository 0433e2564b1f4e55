//! What is wrong in a file, where, and what would be right.

use super::names::printable;
use crate::model::Utc;
use std::fmt;

/// A place in a file; line and column count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

impl From<serde_saphyr::Location> for Place {
    fn from(at: serde_saphyr::Location) -> Place {
        Place { line: at.line().max(1), column: at.column().max(1) }
    }
}

/// Why a file was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub file: String,
    pub at: Place,
    pub found: String,
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column } = self.at;
        write!(
            f,
            "{}:{line}:{column}: {}; {}",
            printable(&self.file),
            printable(&self.found),
            printable(&self.remedy)
        )
    }
}

impl std::error::Error for Mistake {}

/// All that is wrong in a file: at least one mistake, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// `None` if there is none.
    pub fn of(mut list: Vec<Mistake>) -> Option<Mistakes> {
        list.sort_by_key(|m| m.at);
        // What is told twice in the same words is one mistake.
        let mut told: Vec<Mistake> = Vec::with_capacity(list.len());
        for mistake in list {
            if !told.contains(&mistake) {
                told.push(mistake);
            }
        }
        (!told.is_empty()).then_some(Mistakes(told))
    }

    pub fn list(&self) -> &[Mistake] {
        &self.0
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Mistakes {
        Mistakes(vec![mistake])
    }
}

/// One line for each.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.0.iter().enumerate() {
            let end = if i == 0 { "" } else { "\n" };
            write!(f, "{end}{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// A contradiction in a file that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub file: String,
    pub at: Place,
    pub text: String,
}

/// A warning that holds from a moment on: something expires, or was last exercised too long ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatedWarning {
    pub from: Utc,
    pub warning: Warning,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column } = self.at;
        write!(f, "{}:{line}:{column}: warning: {}", printable(&self.file), printable(&self.text))
    }
}

/// Turns a reader's complaint into a mistake: the words of serde are for programmers.
pub fn from_yaml(file: &str, error: &serde_saphyr::Error) -> Mistake {
    let at = error.location().map(Place::from).unwrap_or(Place { line: 1, column: 1 });
    let message = plain_message(error);
    let (found, remedy) = reword(&message);
    Mistake { file: file.to_string(), at, found, remedy }
}

fn plain_message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    // The reader repeats the position in its text; ours stands in front.
    let first = first.split(" at line ").next().unwrap_or(first);
    match first.strip_prefix("error: ") {
        Some(rest) => rest.to_string(),
        None => first
            .strip_prefix("line ")
            .and_then(|r| r.split_once(": "))
            .map_or(first, |(_, rest)| rest)
            .to_string(),
    }
}

fn reword(message: &str) -> (String, String) {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (field, known) = rest.split_once(", expected ").unwrap_or((rest, ""));
        let known = known.trim_start_matches("one of ").replace('`', "");
        let field_name = field.trim_matches('`');
        let close = known.split(", ").map(|k| (distance(k, field_name), k)).min().filter(|(d, _)| *d <= 2);
        let remedy = match close {
            Some((_, name)) => format!("did you mean `{name}`?"),
            None if known.is_empty() => "nothing is expected here".to_string(),
            None => format!("known here: {known}"),
        };
        return (format!("{field} is not known here"), remedy);
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        return (format!("{rest} is missing"), "add it here".to_string());
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let (found, known) = rest.split_once(", expected ").unwrap_or((rest, ""));
        return (
            format!("{found} is not one of the words known here"),
            format!("known: {}", known.trim_start_matches("one of ").replace('`', "")),
        );
    }
    if let Some(kind) =
        message.strip_prefix("invalid ").filter(|k| k.starts_with(['u', 'i', 'f']) && k.len() <= 4)
    {
        let what = if kind.starts_with('f') { "a number" } else { "a whole number that fits here" };
        return (format!("this is not {what}"), "write one without a unit, such as 3".to_string());
    }
    if message == "expected mapping start" {
        return ("this is no mapping".to_string(), "write `name: value` lines".to_string());
    }
    if let Some((found, remedy)) = message.split_once("; ") {
        return (found.to_string(), remedy.to_string());
    }
    if let Some((found, expected)) =
        message.split_once(", expected ").or_else(|| message.split_once(": expected "))
    {
        return (found.to_string(), format!("expected {expected}"));
    }
    if message.contains("duplicate") {
        let key = message.rsplit("key: ").next().and_then(|k| k.split(',').next()).unwrap_or_default();
        return (format!("`{key}` is there twice"), "keep one of the two".to_string());
    }
    (message.to_string(), "see `bpci config schema` for what is expected".to_string())
}

/// How many letters differ: enough to find a slip of the finger.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (corner + usize::from(ca != *cb)).min(above + 1).min(row[j] + 1);
            corner = above;
        }
    }
    row[b.len()]
}

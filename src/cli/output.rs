//! `--output`: text or JSON on standard output, or JSON into a file.

use super::fail::Fail;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

/// Where and how a command prints.
#[derive(Clone, Debug)]
pub enum Output {
    Text,
    Json,
    File(PathBuf),
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Output, String> {
        Ok(match text {
            "text" => Output::Text,
            "json" => Output::Json,
            "" => return Err("write text, json, or the name of a file".to_string()),
            file => Output::File(PathBuf::from(file)),
        })
    }
}

impl Output {
    /// Prints a value: `text` makes the words for people.
    pub fn print<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> Result<(), Fail> {
        let json = || serde_json::to_string_pretty(value).map_err(Fail::failed);
        match self {
            Output::Text => say(&text()),
            Output::Json => say(&json()?),
            Output::File(path) => {
                std::fs::write(path, json()? + "\n").map_err(|e| Fail::failed(format!("{}: {e}", path.display())))?;
                say(&text())
            }
        }
    }
}

/// Prints a line. A reader that has gone away is no reason to panic.
pub fn say(text: &str) -> Result<(), Fail> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Err(Fail { status: 1, text: String::new() }),
        Err(e) => Err(Fail::failed(e)),
    }
}

/// Prints a line of warning on standard error, which may be a terminal that is gone.
pub fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "bpci: warning: {text}");
}

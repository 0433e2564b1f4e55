//! How a command ends when it does not end well.

use crate::model::Refusal;
use crate::wording::{one_line, refusal_words};
use serde_json::{Value, json};
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// Text of our own making: each entry is one line, whatever it holds from outside.
pub type Lines = Vec<String>;

/// What is printed on standard error, and the exit status.
#[derive(Debug)]
pub struct Fail {
    pub status: u8,
    /// None: everything was said already, or nobody is left to be told.
    lines: Lines,
}

impl Fail {
    /// Several lines of our own making.
    pub fn of(status: u8, lines: Lines) -> Fail {
        Fail { status, lines }
    }

    fn line(status: u8, text: impl Display) -> Fail {
        Fail::of(status, vec![text.to_string()])
    }

    /// Only an exit status.
    pub fn silent(status: u8) -> Fail {
        Fail::of(status, Vec::new())
    }

    /// It did not succeed.
    pub fn failed(text: impl Display) -> Fail {
        Fail::line(1, text)
    }

    /// The call was wrong.
    pub fn usage(text: impl Display) -> Fail {
        Fail::line(2, text)
    }

    /// It may not be done from here.
    pub fn denied(text: impl Display) -> Fail {
        Fail::line(3, text)
    }

    /// The mistakes in a configuration, a line for each.
    pub fn mistakes(status: u8, mistakes: &crate::config::Mistakes) -> Fail {
        Fail::of(status, mistakes.list().iter().map(ToString::to_string).collect())
    }

    pub fn refused(refusal: &Refusal) -> Fail {
        Fail::line(
            if refusal.law.is_some() || refusal.lacks.is_some() { 3 } else { 1 },
            format!("refused: {}", refusal_words(refusal)),
        )
    }

    /// What happened, each line harmless; empty if there is nothing to say.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| one_line(line)).collect::<Vec<_>>().join("\n")
    }

    /// Nothing is to be said but the exit status.
    pub fn is_silent(&self) -> bool {
        self.lines.is_empty()
    }

    /// The failure in a document.
    pub fn json(&self) -> Value {
        let kind = match self.status {
            2 => "usage",
            3 => "refused",
            _ => "failed",
        };
        // The text itself, not as it stands on a terminal: a document carries any text.
        json!({ "kind": kind, "message": self.lines.join("\n"), "exit_status": self.status })
    }

    pub fn exit(&self) -> ExitCode {
        let text = self.text();
        if !text.is_empty() {
            // Standard error may be a terminal that is gone.
            let _ = writeln!(std::io::stderr(), "bpci: {text}");
        }
        ExitCode::from(self.status)
    }
}

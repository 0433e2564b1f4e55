//! How a command ends when it does not end well.

use crate::model::Refusal;
use crate::wording::refusal_words;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// What is told on standard error, and the exit status.
#[derive(Debug)]
pub struct Fail {
    pub status: u8,
    pub text: String,
}

impl Fail {
    /// It did not succeed.
    pub fn failed(text: impl Display) -> Fail {
        Fail { status: 1, text: text.to_string() }
    }

    /// The call was wrong.
    pub fn usage(text: impl Display) -> Fail {
        Fail { status: 2, text: text.to_string() }
    }

    /// It may not be done from here.
    pub fn denied(text: impl Display) -> Fail {
        Fail { status: 3, text: text.to_string() }
    }

    pub fn refused(refusal: &Refusal) -> Fail {
        Fail { status: if refusal.law.is_some() || refusal.lacks.is_some() { 3 } else { 1 }, text: format!("refused: {}", refusal_words(refusal)) }
    }

    pub fn exit(&self) -> ExitCode {
        if !self.text.is_empty() {
            // Standard error may be a terminal that is gone.
            let _ = writeln!(std::io::stderr(), "bpci: {}", self.text);
        }
        ExitCode::from(self.status)
    }
}

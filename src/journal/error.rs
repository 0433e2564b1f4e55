//! What goes wrong with a journal.

use std::fmt;
use std::path::PathBuf;

/// Why the journal could not be opened, read or written.
#[derive(Debug)]
pub struct JournalError {
    pub path: PathBuf,
    pub reason: String,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for JournalError {}

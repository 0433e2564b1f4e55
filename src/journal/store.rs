//! The journal: records are chained, signed and made durable in its ledger.

use super::chain::{Hash, Head};
use super::error::JournalError;
use super::key::Key;
use super::ledger::{Batch, Ledger, Nowhere, Row, Writer};
use super::sqlite::Sqlite;
use crate::model::Record;
use std::fmt;
use std::path::{Path, PathBuf};

pub struct Journal {
    head: Head,
    writer: Writer,
    ledger: Box<dyn Ledger>,
    /// Empty where it is kept nowhere.
    path: PathBuf,
    /// `None` where it is kept nowhere: nobody reads what is signed.
    key: Option<Key>,
    /// Its disk is full: only a rehearsal says so beforehand.
    full: bool,
}

/// One record as it stands in the journal.
#[derive(Debug)]
pub struct Entry {
    pub seq: u64,
    pub hash: Hash,
    pub record: Record,
}

impl Journal {
    /// A journal that keeps only its head.
    pub fn in_memory() -> Journal {
        let ledger = Box::new(Nowhere);
        Journal { head: Head::START, writer: Writer(1), ledger, path: PathBuf::new(), key: None, full: false }
    }

    /// Opens the journal in a directory of the estate's, or begins it: `journal.db`, `journal.heads` and `key`. Who opened it before
    /// can append no more.
    ///
    /// # Errors
    /// The directory or a file in it cannot be made, opened or read.
    pub fn open(directory: &Path) -> Result<Journal, JournalError> {
        let fail = |path: &Path, e: &dyn fmt::Display| JournalError {
            path: path.to_path_buf(),
            reason: e.to_string(),
        };
        std::fs::create_dir_all(directory).map_err(|e| fail(directory, &e))?;
        let key_path = directory.join("key");
        let key = Key::load_or_make(&key_path).map_err(|e| fail(&key_path, &e))?;
        let public = directory.join("key.pub");
        key.publish(&public).map_err(|e| fail(&public, &e))?;
        let (ledger, writer, head) = Sqlite::open(directory)?;
        let path = directory.join("journal.db");
        Ok(Journal { head, writer, ledger: Box::new(ledger), path, key: Some(key), full: false })
    }

    /// Rehearses a disk that is full, until it is told otherwise.
    pub fn fill(&mut self, full: bool) {
        self.full = full;
    }

    pub fn head(&self) -> Head {
        self.head
    }

    /// The public part of the key that signs it; empty where it is kept nowhere.
    pub fn public_key(&self) -> String {
        self.key.as_ref().map_or_else(String::new, Key::public)
    }

    /// Makes records durable, all or none.
    ///
    /// # Errors
    /// They are not durable; nothing that rests on them may be done.
    pub fn append(&mut self, records: &[Record]) -> Result<Head, JournalError> {
        if records.is_empty() {
            return Ok(self.head);
        }
        if self.full {
            return Err(self.failure(&"no space left on device (rehearsed)"));
        }
        let mut head = self.head;
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            let body = serde_json::to_vec(record).map_err(|e| self.failure(&e))?;
            let prev = head.hash;
            head = head.then(&body);
            rows.push(Row { at: head, prev, body });
        }
        let signature = self.key.as_ref().map(|key| key.sign(head));
        let signature = signature.as_ref().map_or(&[][..], |s| s.as_slice());
        let batch = Batch { after: self.head, rows: &rows, head, signature };
        self.ledger.append(self.writer, &batch).map_err(|e| self.failure(&e))?;
        self.head = head;
        Ok(head)
    }

    fn failure(&self, e: &dyn fmt::Display) -> JournalError {
        JournalError { path: self.path.clone(), reason: e.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, Now};

    fn record() -> Record {
        Record { v: Record::VERSION, epoch: 1, at: Now::default(), event: Event::ClockJumped { by_ms: 1 } }
    }

    /// Who opened it before finds that another keeps it now, and changes nothing.
    #[test]
    fn only_who_opened_it_last_appends() {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let open = || Journal::open(directory.path()).unwrap_or_else(|e| panic!("{e}"));
        let mut first = open();
        let head = first.append(&[record()]).unwrap_or_else(|e| panic!("{e}"));
        let mut second = open();
        assert_eq!(second.head(), head);
        let refused = first.append(&[record()]).map_err(|e| e.reason);
        assert!(
            refused.as_ref().is_err_and(|e| e.contains("another process keeps this journal")),
            "{refused:?}"
        );
        let head = second.append(&[record(), record()]).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((head.seq, open().head()), (3, head));
    }
}

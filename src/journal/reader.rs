//! The record read a page at a time: it may be longer than the memory.

use super::chain::Hash;
use super::error::JournalError;
use super::sqlite::open_to_read;
use super::store::Entry;
use super::upcast::Upcaster;
use rusqlite::Connection;
use std::cell::RefCell;
use std::path::{Path, PathBuf};

pub struct Reader {
    path: PathBuf,
    connection: Connection,
    /// What the records so far say that later ones need, and how many records that are.
    upcaster: RefCell<(u64, Upcaster)>,
}

/// Records of a page.
const PAGE: i64 = 1_000;

impl Reader {
    /// Opens a journal to read, beside whoever writes it.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn open(path: &Path) -> Result<Reader, JournalError> {
        Ok(Reader { connection: open_to_read(path)?, path: path.to_path_buf(), upcaster: RefCell::default() })
    }

    /// The number of the newest record; 0 where there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn last(&self) -> Result<u64, JournalError> {
        let newest = self
            .connection
            .query_row("SELECT coalesce(max(seq), 0) FROM records", [], |row| row.get::<_, i64>(0));
        newest.map(i64::unsigned_abs).map_err(|e| self.failure(&e))
    }

    /// The records after this one, oldest first: a page of them. It does not verify; see [`super::verify`].
    ///
    /// # Errors
    /// The file cannot be read, or a record in it is none.
    pub fn after(&self, seq: u64) -> Result<Vec<Entry>, JournalError> {
        if self.upcaster.borrow().0 != seq {
            self.catch_up(seq)?;
        }
        let mut upcaster = self.upcaster.borrow_mut();
        let mut statement = self
            .connection
            .prepare_cached("SELECT seq, hash, body FROM records WHERE seq > ?1 ORDER BY seq LIMIT ?2")
            .map_err(|e| self.failure(&e))?;
        let rows = statement
            .query_map([i64::try_from(seq).unwrap_or(i64::MAX), PAGE], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
            })
            .map_err(|e| self.failure(&e))?;
        let mut entries = Vec::new();
        for row in rows {
            let (seq, hash, body) = row.map_err(|e| self.failure(&e))?;
            let record = upcaster.1.record(&body).map_err(|e| {
                self.failure(&format!("record {seq} is not readable: {e}; run `bpci journal verify`"))
            })?;
            upcaster.0 = seq.unsigned_abs();
            entries.push(Entry {
                seq: seq.unsigned_abs(),
                hash: Hash::from_slice(&hash).unwrap_or(Hash::ZERO),
                record,
            });
        }
        Ok(entries)
    }

    /// Reads from the beginning to this record, for what later ones need.
    fn catch_up(&self, seq: u64) -> Result<(), JournalError> {
        let mut upcaster = Upcaster::default();
        let mut statement = self
            .connection
            .prepare_cached("SELECT body FROM records WHERE seq <= ?1 ORDER BY seq")
            .map_err(|e| self.failure(&e))?;
        let mut rows =
            statement.query([i64::try_from(seq).unwrap_or(i64::MAX)]).map_err(|e| self.failure(&e))?;
        while let Some(row) = rows.next().map_err(|e| self.failure(&e))? {
            let body: Vec<u8> = row.get(0).map_err(|e| self.failure(&e))?;
            upcaster.record(&body).map_err(|e| self.failure(&e))?;
        }
        self.upcaster.replace((seq, upcaster));
        Ok(())
    }

    /// Every record in turn, oldest first.
    ///
    /// # Errors
    /// As [`Reader::after`], or what `each` says.
    pub fn each<E: From<JournalError>>(&self, mut each: impl FnMut(Entry) -> Result<(), E>) -> Result<(), E> {
        let mut last = 0;
        loop {
            let page = self.after(last)?;
            let Some(newest) = page.last().map(|e| e.seq) else { return Ok(()) };
            last = newest;
            for entry in page {
                each(entry)?;
            }
        }
    }

    fn failure(&self, e: &dyn std::fmt::Display) -> JournalError {
        JournalError { path: self.path.clone(), reason: e.to_string() }
    }
}

//! Where the records are: an SQLite file, or nowhere (a simulation that nobody wants to keep).

use super::chain::{Hash, Head};
use super::key::Key;
use crate::model::Record;
use rusqlite::{Connection, OpenFlags, params};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

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

const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, prev BLOB NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS heads (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE TRIGGER IF NOT EXISTS records_stay BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS records_are_kept BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS heads_stay BEFORE UPDATE ON heads BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS heads_are_kept BEFORE DELETE ON heads BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
";

/// The mode of its files: the group of the directory may read the record.
const READ_BY_GROUP: u32 = 0o640;

/// Kept of the file in memory, in KiB; as SQLite has it, with a minus.
const CACHE: i64 = -256;

pub struct Journal {
    head: Head,
    disk: Option<Disk>,
    /// Its disk is full: only a rehearsal says so beforehand.
    full: bool,
}

struct Disk {
    path: PathBuf,
    connection: Connection,
    key: Key,
    /// The signed heads once more, outside the file: a cut tail is found by them.
    heads: File,
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
        Journal { head: Head::START, disk: None, full: false }
    }

    /// Opens the journal in a directory of the estate's, or begins it: `journal.db`, `journal.heads` and `key`.
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
        let path = directory.join("journal.db");
        // SQLite gives the files beside it the mode of this one.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(READ_BY_GROUP)
            .open(&path)
            .map_err(|e| fail(&path, &e))?;
        let connection = Connection::open(&path).map_err(|e| fail(&path, &e))?;
        connection
            .pragma_update(None, "cache_size", CACHE)
            .and_then(|()| connection.execute_batch(SCHEMA))
            .map_err(|e| fail(&path, &e))?;
        let head = connection
            .query_row("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .map(|(seq, hash)| Head {
                seq: seq.unsigned_abs(),
                hash: Hash::from_slice(&hash).unwrap_or(Hash::ZERO),
            });
        let head = match head {
            Ok(head) => head,
            Err(rusqlite::Error::QueryReturnedNoRows) => Head::START,
            Err(e) => return Err(fail(&path, &e)),
        };
        let heads_path = directory.join("journal.heads");
        let heads = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(READ_BY_GROUP)
            .open(&heads_path)
            .map_err(|e| fail(&heads_path, &e))?;
        Ok(Journal { head, disk: Some(Disk { path, connection, key, heads }), full: false })
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
        self.disk.as_ref().map_or_else(String::new, |d| d.key.public())
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
            rows.push((head, prev, body));
        }
        if let Some(disk) = &mut self.disk {
            let signature = disk.key.sign(head);
            disk.write(&rows, head, &signature)
                .map_err(|e| JournalError { path: disk.path.clone(), reason: e.to_string() })?;
            let line = format!(
                "{} {} {}\n",
                head.seq,
                head.hash,
                signature.iter().map(|b| format!("{b:02x}")).collect::<String>()
            );
            disk.heads.write_all(line.as_bytes()).map_err(|e| JournalError {
                path: disk.path.with_extension("heads"),
                reason: e.to_string(),
            })?;
        }
        self.head = head;
        Ok(head)
    }

    fn failure(&self, e: &dyn fmt::Display) -> JournalError {
        JournalError {
            path: self.disk.as_ref().map(|d| d.path.clone()).unwrap_or_default(),
            reason: e.to_string(),
        }
    }
}

impl Disk {
    fn write(
        &mut self,
        rows: &[(Head, Hash, Vec<u8>)],
        head: Head,
        signature: &[u8],
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction
                .prepare_cached("INSERT INTO records (seq, prev, hash, body) VALUES (?1, ?2, ?3, ?4)")?;
            for (at, prev, body) in rows {
                insert.execute(params![at.seq as i64, prev.0.as_slice(), at.hash.0.as_slice(), body])?;
            }
            transaction
                .prepare_cached("INSERT INTO heads (seq, hash, signature) VALUES (?1, ?2, ?3)")?
                .execute(params![head.seq as i64, head.hash.0.as_slice(), signature])?;
        }
        transaction.commit()
    }
}

fn is_readable(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// A journal that no controller has open, for an account that may only read it: SQLite cannot make its own files beside it,
/// and needs none as long as the write-ahead log is empty.
fn closed(path: &Path) -> Result<Option<Connection>, String> {
    let log = path.with_extension("db-wal");
    if std::fs::metadata(&log).is_ok_and(|m| m.len() > 0) {
        return Ok(None);
    }
    let name: String = path.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let connection =
        Connection::open_with_flags(format!("file:{name}?immutable=1"), flags).map_err(|e| e.to_string())?;
    is_readable(&connection).map(|()| Some(connection)).map_err(|e| e.to_string())
}

pub(super) fn open_to_read(path: &Path) -> Result<Connection, JournalError> {
    let fail = |reason: String| JournalError { path: path.to_path_buf(), reason };
    if !path.is_file() {
        return Err(fail("there is no journal here".to_string()));
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|e| fail(e.to_string()))?;
    let connection = match is_readable(&connection) {
        Ok(()) => connection,
        Err(e) => closed(path).map_err(fail)?.ok_or_else(|| fail(e.to_string()))?,
    };
    // It is read from end to end: what was read is not needed again, and a long record takes no more memory than a short one.
    connection.pragma_update(None, "cache_size", CACHE).map_err(|e| fail(e.to_string()))?;
    Ok(connection)
}

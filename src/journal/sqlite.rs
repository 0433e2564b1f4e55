//! A ledger in an SQLite file, with the signed heads once more in a file beside it.

use super::chain::{Hash, Head};
use super::error::JournalError;
use super::ledger::{Batch, Ledger, NotAppended, Writer};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, prev BLOB NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS heads (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, signature BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS writers (number INTEGER PRIMARY KEY) STRICT;
CREATE TRIGGER IF NOT EXISTS records_stay BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS records_are_kept BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS heads_stay BEFORE UPDATE ON heads BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS heads_are_kept BEFORE DELETE ON heads BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
";

/// The mode of its files: the group of the directory may read the record.
const READ_BY_GROUP: u32 = 0o640;

/// Kept of the file in memory, in KiB; as SQLite has it, with a minus.
const CACHE: i64 = -256;

pub(super) struct Sqlite {
    connection: Connection,
    /// The signed heads once more, outside the file: a cut tail is found by them.
    heads: File,
}

impl Sqlite {
    /// Opens `journal.db` and `journal.heads` in a directory, or begins them, as the next writer.
    ///
    /// # Errors
    /// A file cannot be made, opened or read.
    pub fn open(directory: &Path) -> Result<(Sqlite, Writer, Head), JournalError> {
        let fail = |path: &Path, e: &dyn fmt::Display| JournalError {
            path: path.to_path_buf(),
            reason: e.to_string(),
        };
        let path = directory.join("journal.db");
        // SQLite gives the files beside it the mode of this one.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(READ_BY_GROUP)
            .open(&path)
            .map_err(|e| fail(&path, &e))?;
        let mut connection = Connection::open(&path).map_err(|e| fail(&path, &e))?;
        let (writer, head) = begin(&mut connection).map_err(|e| fail(&path, &e))?;
        let heads_path = directory.join("journal.heads");
        let heads = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(READ_BY_GROUP)
            .open(&heads_path)
            .map_err(|e| fail(&heads_path, &e))?;
        Ok((Sqlite { connection, heads }, writer, head))
    }

    /// Everything but the commit: until then nothing is kept.
    fn prepared(&mut self, writer: Writer, batch: &Batch) -> Result<Transaction<'_>, NotAppended> {
        let refused = |e: rusqlite::Error| NotAppended::Refused(e.to_string());
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
        let (newest, head) = standing(&transaction).map_err(refused)?;
        if newest != writer || head != batch.after {
            return Err(NotAppended::Stale { head, writer: newest });
        }
        written(&transaction, batch).map_err(refused)?;
        Ok(transaction)
    }
}

impl Ledger for Sqlite {
    fn append(&mut self, writer: Writer, batch: &Batch) -> Result<(), NotAppended> {
        let transaction = self.prepared(writer, batch)?;
        transaction.commit().map_err(|e| NotAppended::Unknown(e.to_string()))?;
        let signature: String = batch.signature.iter().map(|b| format!("{b:02x}")).collect();
        let line = format!("{} {} {signature}\n", batch.head.seq, batch.head.hash);
        self.heads.write_all(line.as_bytes()).map_err(|e| NotAppended::Unknown(format!("journal.heads: {e}")))
    }
}

/// Becomes the next writer.
fn begin(connection: &mut Connection) -> rusqlite::Result<(Writer, Head)> {
    connection.pragma_update(None, "cache_size", CACHE)?;
    connection.execute_batch(SCHEMA)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (Writer(newest), head) = standing(&transaction)?;
    let writer = Writer(newest + 1);
    transaction.execute("INSERT INTO writers (number) VALUES (?1)", params![writer.0 as i64])?;
    transaction.execute("DELETE FROM writers WHERE number < ?1", params![writer.0 as i64])?;
    transaction.commit()?;
    Ok((writer, head))
}

/// The newest writer, and the last record.
fn standing(connection: &Connection) -> rusqlite::Result<(Writer, Head)> {
    let number: i64 = connection
        .prepare_cached("SELECT coalesce(max(number), 0) FROM writers")?
        .query_row([], |row| row.get(0))?;
    let head = connection
        .prepare_cached("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
    let head = match head {
        Ok((seq, hash)) => {
            Head { seq: seq.unsigned_abs(), hash: Hash::from_slice(&hash).unwrap_or(Hash::ZERO) }
        }
        Err(rusqlite::Error::QueryReturnedNoRows) => Head::START,
        Err(e) => return Err(e),
    };
    Ok((Writer(number.unsigned_abs()), head))
}

fn written(transaction: &Transaction, batch: &Batch) -> rusqlite::Result<()> {
    let mut insert =
        transaction.prepare_cached("INSERT INTO records (seq, prev, hash, body) VALUES (?1, ?2, ?3, ?4)")?;
    for row in batch.rows {
        insert.execute(params![
            row.at.seq as i64,
            row.prev.0.as_slice(),
            row.at.hash.0.as_slice(),
            row.body
        ])?;
    }
    transaction
        .prepare_cached("INSERT INTO heads (seq, hash, signature) VALUES (?1, ?2, ?3)")?
        .execute(params![batch.head.seq as i64, batch.head.hash.0.as_slice(), batch.signature])?;
    Ok(())
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

//! Where the records of a journal are kept, behind one trait: a file today, another machine's store later.

use super::chain::{Hash, Head};
use std::fmt;

/// One record, as it is kept.
pub struct Row {
    pub at: Head,
    pub prev: Hash,
    pub body: Vec<u8>,
}

/// Records that follow each other, with the head before them, the one after them, and that one's signature.
pub struct Batch<'a> {
    pub after: Head,
    pub rows: &'a [Row],
    pub head: Head,
    pub signature: &'a [u8],
}

/// Which opening of the ledger appends. Each has a higher number than the one before, which may append no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Writer(pub u64);

/// Keeps the records of one journal.
pub trait Ledger: Send {
    /// Makes a batch durable, all of it or nothing, if the ledger stands at the head before it and no later writer has opened it.
    ///
    /// # Errors
    /// It is not durable, or nobody can tell: nothing that rests on it may be done.
    fn append(&mut self, writer: Writer, batch: &Batch) -> Result<(), NotAppended>;
}

/// Why a batch was not appended.
#[derive(Debug, PartialEq, Eq)]
pub enum NotAppended {
    /// Somebody else keeps this journal by now.
    Stale { head: Head, writer: Writer },
    /// Nothing of it is kept.
    Refused(String),
    /// It may be kept: only who opens the ledger anew will see.
    Unknown(String),
}

impl fmt::Display for NotAppended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAppended::Stale { head, .. } => write!(
                f,
                "another process keeps this journal by now (its record {}); end this one, and start it again",
                head.seq
            ),
            NotAppended::Refused(reason) => f.write_str(reason),
            NotAppended::Unknown(reason) => {
                write!(f, "{reason}; whether it is kept is not known: start the program again")
            }
        }
    }
}

/// Keeps nothing: of a simulation that nobody wants to read again.
pub struct Nowhere;

impl Ledger for Nowhere {
    fn append(&mut self, _writer: Writer, _batch: &Batch) -> Result<(), NotAppended> {
        Ok(())
    }
}

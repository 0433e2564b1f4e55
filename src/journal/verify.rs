//! Does the record stand up? The first place where it does not is named.

use super::chain::{Hash, Head};
use super::error::JournalError;
use super::key::is_signed;
use super::sqlite::open_to_read;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// A journal in which every record is as it was written.
#[derive(Debug)]
pub struct Verified {
    pub head: Head,
    pub signed_heads: usize,
}

/// What was done to it, and where it shows first.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    Changed { seq: u64 },
    Missing { seq: u64 },
    Reordered { seq: u64 },
    CutOff { after: u64, known: u64 },
    BadSignature { seq: u64 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Changed { seq } => write!(f, "record {seq} was changed"),
            Fault::Missing { seq } => write!(f, "record {seq} is missing"),
            Fault::Reordered { seq } => write!(f, "record {seq} stands where another one stood"),
            Fault::CutOff { after, known } => {
                write!(f, "the tail was cut off after record {after}; {known} were written")
            }
            Fault::BadSignature { seq } => {
                write!(f, "the signature of the head at record {seq} is not this estate's")
            }
        }
    }
}

struct Row {
    seq: u64,
    prev: Hash,
    hash: Hash,
    body: Vec<u8>,
}

/// Reads the whole journal against its chain, its signatures and the heads outside it.
///
/// # Errors
/// The file cannot be read at all. What is wrong inside it is the inner error.
pub fn verify(path: &Path, public: Option<&str>) -> Result<Result<Verified, Fault>, JournalError> {
    let rows = rows(path)?;
    let inside = heads_inside(path)?;
    let outside = heads_outside(&path.with_file_name("journal.heads"));
    Ok(check(&rows, &inside, &outside, public))
}

fn check(
    rows: &[Row],
    inside: &[(Head, Vec<u8>)],
    outside: &[(Head, Vec<u8>)],
    public: Option<&str>,
) -> Result<Verified, Fault> {
    let hashes: BTreeMap<[u8; 32], u64> = rows.iter().map(|r| (r.hash.0, r.seq)).collect();
    let mut head = Head::START;
    for row in rows {
        let expected = head.seq + 1;
        if row.seq != expected {
            return Err(Fault::Missing { seq: expected });
        }
        let next = head.then(&row.body);
        if next.hash != row.hash || row.prev != head.hash {
            // A record that is whole, but follows another one than it did, was moved.
            let whole = hashes_as_at_another_place(row, &hashes);
            return Err(if whole {
                Fault::Reordered { seq: row.seq }
            } else {
                Fault::Changed { seq: row.seq }
            });
        }
        head = next;
    }
    for (signed, signature) in inside.iter().chain(outside) {
        if signed.seq > head.seq {
            return Err(Fault::CutOff { after: head.seq, known: signed.seq });
        }
        if let Some(row) = usize::try_from(signed.seq).ok().and_then(|s| rows.get(s.wrapping_sub(1)))
            && row.hash != signed.hash
        {
            return Err(Fault::Changed { seq: signed.seq });
        }
        if public.is_some_and(|key| !is_signed(key, *signed, signature)) {
            return Err(Fault::BadSignature { seq: signed.seq });
        }
    }
    if let Some(last) = rows.last()
        && inside.iter().all(|(h, _)| h.seq < last.seq)
    {
        return Err(Fault::BadSignature { seq: last.seq });
    }
    Ok(Verified { head, signed_heads: inside.len() })
}

fn hashes_as_at_another_place(row: &Row, hashes: &BTreeMap<[u8; 32], u64>) -> bool {
    (0..=hashes.len() as u64 + 1)
        .any(|seq| seq + 1 != row.seq && Head { seq, hash: row.prev }.then(&row.body).hash == row.hash)
        || hashes
            .iter()
            .any(|(hash, seq)| Head { seq: *seq, hash: Hash(*hash) }.then(&row.body).hash == row.hash)
}

fn rows(path: &Path) -> Result<Vec<Row>, JournalError> {
    let fail = |e: rusqlite::Error| JournalError { path: path.to_path_buf(), reason: e.to_string() };
    let connection = open_to_read(path)?;
    let mut statement =
        connection.prepare("SELECT seq, prev, hash, body FROM records ORDER BY seq").map_err(fail)?;
    let rows = statement
        .query_map([], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                row.get::<_, Vec<u8>>(2)?,
                row.get::<_, Vec<u8>>(3)?,
            ))
        })
        .map_err(fail)?;
    rows.map(|row| {
        let (seq, prev, hash, body) = row.map_err(fail)?;
        let hash_of = |bytes: &[u8]| Hash::from_slice(bytes).unwrap_or(Hash::ZERO);
        Ok(Row { seq: seq.unsigned_abs(), prev: hash_of(&prev), hash: hash_of(&hash), body })
    })
    .collect()
}

fn heads_inside(path: &Path) -> Result<Vec<(Head, Vec<u8>)>, JournalError> {
    let fail = |e: rusqlite::Error| JournalError { path: path.to_path_buf(), reason: e.to_string() };
    let connection = open_to_read(path)?;
    let mut statement =
        connection.prepare("SELECT seq, hash, signature FROM heads ORDER BY seq").map_err(fail)?;
    let rows = statement
        .query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
        })
        .map_err(fail)?;
    rows.map(|row| {
        let (seq, hash, signature) = row.map_err(fail)?;
        Ok((Head { seq: seq.unsigned_abs(), hash: Hash::from_slice(&hash).unwrap_or(Hash::ZERO) }, signature))
    })
    .collect()
}

/// The heads beside the journal. A line that is none is passed over: the last one may be half-written.
fn heads_outside(path: &Path) -> Vec<(Head, Vec<u8>)> {
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    text.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let head = Head { seq: words.next()?.parse().ok()?, hash: Hash::from_hex(words.next()?)? };
            let hex = words.next()?;
            let signature: Option<Vec<u8>> =
                (0..hex.len() / 2).map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()).collect();
            Some((head, signature?))
        })
        .collect()
}

//! What was measured, beside the record: so that an incident can be seen again as it was seen. It is not the journal:
//! nothing rests on it, it is not durable, and it is bounded.

use crate::journal::Upcaster;
use crate::model::{Digest, ForecastView, Mono, Now, Observation, ReadinessView, Span};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// One line of the tape.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    /// The version of this form.
    pub v: u8,
    /// Records that were durable by then.
    #[serde(rename = "s")]
    pub seq: u64,
    #[serde(rename = "n")]
    pub now: Now,
    /// What was measured; else a snapshot was published.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<Observation>,
    /// What the snapshot was, where that is asked for.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The forecasts that it showed, where they are others than before.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub forecasts: Option<Vec<ForecastView>>,
    /// How ready the regions were, where that is otherwise than before.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<ReadinessView>,
}

impl Line {
    pub const VERSION: u8 = 2;
}

/// What of a line says when it comes.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct LineHead {
    /// Lines of version 1 do not tell theirs.
    #[serde(default)]
    v: u8,
    #[serde(rename = "s")]
    pub seq: u64,
    #[serde(rename = "n")]
    pub now: Now,
}

/// A tape is no longer than this; the one before it is kept.
const LONG: u64 = 32 << 20;
/// What is on it can be read after this time.
const FLUSH: Span = Span::ms(500);

/// Writes the tape. Whatever goes wrong ends it and is told in the program's log: the incident goes on.
pub struct Tape {
    path: PathBuf,
    out: Option<BufWriter<File>>,
    length: u64,
    flushed: Mono,
}

impl Tape {
    /// Goes on with the tape of an estate.
    pub fn open(directory: &Path) -> Tape {
        let path = directory.join("tape.jsonl");
        let length = std::fs::metadata(&path).map_or(0, |m| m.len());
        let file = OpenOptions::new().create(true).append(true).open(&path);
        super::home::share(&path);
        let out =
            file.map_err(|e| tracing::warn!("{}: what is measured is not kept: {e}", path.display())).ok();
        Tape { path, out: out.map(BufWriter::new), length, flushed: Mono::default() }
    }

    pub fn write(&mut self, line: &Line) {
        if self.length > LONG {
            self.turn();
        }
        let Some(out) = &mut self.out else { return };
        let Ok(mut text) = serde_json::to_vec(line) else { return };
        text.push(b'\n');
        self.length += text.len() as u64;
        let mut written = out.write_all(&text);
        // Another process may want to see how things stand.
        if line.now.mono.since(self.flushed) >= FLUSH {
            self.flushed = line.now.mono;
            written = written.and_then(|()| out.flush());
        }
        if let Err(e) = written {
            tracing::warn!("{}: what is measured is not kept any more: {e}", self.path.display());
            self.out = None;
        }
    }

    /// Begins a new tape; the full one becomes the old one.
    fn turn(&mut self) {
        self.out = None;
        let _ = std::fs::rename(&self.path, self.path.with_file_name("tape.old.jsonl"));
        self.length = 0;
        self.out = File::create(&self.path).ok().map(BufWriter::new);
        super::home::share(&self.path);
    }
}

/// Reads the tapes beside a journal, the old one first. A line that cannot be read is left out and counted; the last one may
/// be cut off, which is none.
pub struct TapeReader {
    open: Option<BufReader<File>>,
    left: Vec<PathBuf>,
    next: Option<(LineHead, Vec<u8>)>,
    /// Lines so far that could not be read.
    unread: u32,
}

impl TapeReader {
    pub fn beside(journal: &Path) -> TapeReader {
        let left = vec![journal.with_file_name("tape.jsonl"), journal.with_file_name("tape.old.jsonl")];
        let mut reader = TapeReader { open: None, left, next: None, unread: 0 };
        reader.next = reader.read();
        reader
    }

    /// When the next line comes.
    pub fn peek(&self) -> Option<LineHead> {
        self.next.as_ref().map(|(head, _)| *head)
    }

    /// Lines so far that could not be read: what was measured then is missing.
    pub fn unread(&self) -> u32 {
        self.unread
    }

    /// The next line; `upcaster` reads those of version 1. A line that cannot be read says nothing but when it was.
    pub fn take(&mut self, upcaster: impl FnOnce() -> Upcaster) -> Option<Line> {
        let read = self.read();
        let (head, text) = std::mem::replace(&mut self.next, read)?;
        let line = if head.v == Line::VERSION {
            serde_json::from_slice(&text).ok()
        } else {
            line_of_version_1(&text, &upcaster())
        };
        self.unread = self.unread.saturating_add(u32::from(line.is_none()));
        let unread = Line {
            v: Line::VERSION,
            seq: head.seq,
            now: head.now,
            observation: None,
            digest: None,
            forecasts: None,
            ready: None,
        };
        Some(line.unwrap_or(unread))
    }

    fn read(&mut self) -> Option<(LineHead, Vec<u8>)> {
        loop {
            let Some(open) = &mut self.open else {
                // There may be no old one.
                self.open = File::open(self.left.pop()?).ok().map(BufReader::new);
                continue;
            };
            let mut text = Vec::new();
            match open.read_until(b'\n', &mut text) {
                Ok(1..) => {
                    if let Ok(head) = serde_json::from_slice(&text) {
                        return Some((head, text));
                    }
                    self.unread = self.unread.saturating_add(u32::from(text.last().copied() == Some(b'\n')));
                }
                _ => self.open = None,
            }
        }
    }
}

fn line_of_version_1(text: &[u8], upcaster: &Upcaster) -> Option<Line> {
    let mut value: serde_json::Value = serde_json::from_slice(text).ok()?;
    value["v"] = Line::VERSION.into();
    if value["o"].is_object() {
        upcaster.fact(&mut value["o"]["fact"]);
    }
    for view in value.get_mut("f").and_then(|f| f.as_array_mut()).into_iter().flatten() {
        upcaster.forecast(view);
    }
    serde_json::from_value(value).ok()
}

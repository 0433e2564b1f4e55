//! `bpci journal`: the record, for people and for auditors.

use super::args::{JournalCommand, JournalPath};
use super::fail::Fail;
use super::output::say;
use crate::controller::{Home, estate_roots, story};
use crate::journal::{self, JournalError, Reader};
use std::path::PathBuf;

pub fn run(command: JournalCommand) -> Result<(), Fail> {
    match command {
        JournalCommand::Show(path) => show(&journal_of(path)?),
        JournalCommand::Export(path) => export(&journal_of(path)?),
        JournalCommand::Verify(path) => verify(&journal_of(path)?),
        JournalCommand::Key(path) => {
            let key = journal_of(path)?.with_file_name("key");
            let directory = key.parent().unwrap_or(std::path::Path::new(""));
            let public = journal::public_key(directory).map_err(|e| Fail::failed(format!("{}: {e}", key.display())))?;
            say(&public.ok_or_else(|| Fail::failed(format!("{}: there is no key here; a controller makes it at its first start", key.display())))?)
        }
    }
}

/// A file, a directory with one, the estate of a configuration, or the only estate there is.
pub fn journal_of(path: JournalPath) -> Result<PathBuf, Fail> {
    if let Some(path) = path.path {
        return Ok(if path.is_dir() { path.join("journal.db") } else { path });
    }
    if let Some(config) = path.config {
        let estate = crate::config::load(&config).map_err(Fail::failed)?.estate;
        return Ok(Home::of(&estate.name).journal());
    }
    let directories = estate_roots();
    let journals = |directory: &PathBuf| {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|e| e.path().join("journal.db")).filter(|p| p.is_file()).collect::<Vec<PathBuf>>()
    };
    let found: Vec<PathBuf> = directories.iter().flat_map(journals).collect();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => {
            let names: Vec<_> = directories.iter().map(|d| d.display().to_string()).collect();
            Err(Fail::usage(format!("there is no journal under {}; name one", names.join(" or "))))
        }
        _ => {
            let names: Vec<_> = found.iter().map(|p| p.display().to_string()).collect();
            Err(Fail::usage(format!("there are several journals; name one of: {}", names.join(", "))))
        }
    }
}

fn show(path: &std::path::Path) -> Result<(), Fail> {
    let mut any = false;
    story(path, |seq, line| {
        any = true;
        say(&format!("{seq:>6} {line}"))
    })?;
    if any { Ok(()) } else { Err(Fail::failed(format!("{}: it holds no record", path.display()))) }
}

fn export(path: &std::path::Path) -> Result<(), Fail> {
    Reader::open(path).map_err(Fail::failed)?.each(|entry| {
        let line = serde_json::json!({ "seq": entry.seq, "hash": entry.hash.to_string(), "record": entry.record });
        say(&line.to_string())
    })
}

fn verify(path: &std::path::Path) -> Result<(), Fail> {
    let key = path.with_file_name("key");
    let directory = path.parent().unwrap_or(std::path::Path::new(""));
    let public = journal::public_key(directory).map_err(|e| Fail::failed(format!("{}: {e}", key.display())))?;
    match journal::verify(path, public.as_deref()).map_err(Fail::failed)? {
        Ok(verified) => {
            let signed = if public.is_some() { "signed" } else { "signatures not checked: the key is not here" };
            say(&format!("{} records, {} heads, {signed}; head {}", verified.head.seq, verified.signed_heads, verified.head.hash))
        }
        Err(fault) => Err(Fail::failed(format!("{}: {fault}", path.display()))),
    }
}

impl From<JournalError> for Fail {
    fn from(e: JournalError) -> Fail {
        Fail::failed(e)
    }
}

//! `bpci journal`: the record, for people and for auditors.

use super::fail::Fail;
use super::output::{Output, Printing, say, write_out};
use crate::controller::{Home, estate_roots, story};
use crate::journal::{self, JournalError, Reader};
use crate::model::{LogLine, Weight};
use crate::wording::quiet_json;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// The story in lines
    Show(JournalPath),
    /// Is every record as it was written? Names the first that is not
    Verify(JournalPath),
    /// Every record as a line of JSON
    Export(JournalPath),
    /// The estate's public key, which signs the heads
    Key(JournalPath),
}

#[derive(Debug, Args)]
pub struct JournalPath {
    /// The journal, or its directory [default: the estate's]
    pub path: Option<PathBuf>,
    /// The estate whose journal it is
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub printing: Printing,
}

pub fn run(command: JournalCommand) -> Result<(), Fail> {
    match command {
        JournalCommand::Show(ask) => show(&journal_of(&ask)?, &ask.printing.output),
        JournalCommand::Export(ask) => export(&journal_of(&ask)?, &ask.printing.output),
        JournalCommand::Verify(ask) => verify(&journal_of(&ask)?, &ask.printing.output),
        JournalCommand::Key(ask) => {
            let key = journal_of(&ask)?.with_file_name("key");
            let directory = key.parent().unwrap_or(std::path::Path::new(""));
            let public = journal::public_key(directory)
                .map_err(|e| Fail::failed(format!("{}: {e}", key.display())))?;
            let none = || {
                Fail::failed(format!(
                    "{}: there is no key here; a controller makes it at its first start",
                    key.display()
                ))
            };
            let public = public.ok_or_else(none)?;
            ask.printing.output.print(&json!({ "public_key": public }), || vec![public.clone()])
        }
    }
}

/// A file, a directory with one, the estate of a configuration, or the only estate there is.
pub fn journal_of(ask: &JournalPath) -> Result<PathBuf, Fail> {
    if let Some(path) = &ask.path {
        return Ok(if path.is_dir() { path.join("journal.db") } else { path.clone() });
    }
    if let Some(config) = &ask.config {
        let estate = crate::config::load(config).map_err(|m| Fail::mistakes(1, &m))?.estate;
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

fn show(path: &std::path::Path, output: &Output) -> Result<(), Fail> {
    let (mut any, mut entries) = (false, Vec::new());
    story(path, |seq, line| {
        any = true;
        if output.is_text() {
            // A record may be longer than the memory: it is printed as it is read.
            return say(&format!("{seq:>6} {line}"));
        }
        entries.push((seq, line));
        Ok(())
    })?;
    if !any {
        return Err(Fail::failed(format!("{}: it holds no record", path.display())));
    }
    if output.is_text() {
        return Ok(());
    }
    let one = |(seq, line): &(u64, LogLine)| {
        let group = Some(&line.about).filter(|name| !name.is_empty());
        json!({
            "seq": seq, "recorded_at": line.at.to_string(), "weight": weight_name(line.weight), "subject": line.subject.to_string(),
            "protection_group": group, "text": line.text,
        })
    };
    let value = json!({ "journal": path.display().to_string(), "entries": entries.iter().map(one).collect::<Vec<_>>() });
    output.print(&value, || entries.iter().map(|(seq, line)| format!("{seq:>6} {line}")).collect())
}

const fn weight_name(weight: Weight) -> &'static str {
    match weight {
        Weight::Routine => "routine",
        Weight::Notice => "notice",
        Weight::Warning => "warning",
        Weight::Alarm => "alarm",
    }
}

/// Lines of JSON, one for each record, for programs that read as they go; with `--output json` one document with all of them.
fn export(path: &std::path::Path, output: &Output) -> Result<(), Fail> {
    let mut entries = Vec::new();
    Reader::open(path).map_err(Fail::failed)?.each(|entry| {
        let line = json!({ "seq": entry.seq, "hash": entry.hash.to_string(), "record": entry.record });
        if output.is_text() {
            return write_out(&quiet_json(&line.to_string()));
        }
        entries.push(line);
        Ok(())
    })?;
    if output.is_text() {
        return Ok(());
    }
    let n = entries.len();
    output.print(&json!({ "journal": path.display().to_string(), "entries": entries }), || {
        vec![format!("{n} records")]
    })
}

fn verify(path: &std::path::Path, output: &Output) -> Result<(), Fail> {
    let key = path.with_file_name("key");
    let directory = path.parent().unwrap_or(std::path::Path::new(""));
    let public =
        journal::public_key(directory).map_err(|e| Fail::failed(format!("{}: {e}", key.display())))?;
    match journal::verify(path, public.as_deref()).map_err(Fail::failed)? {
        Ok(verified) => {
            let signed =
                if public.is_some() { "signed" } else { "signatures not checked: the key is not here" };
            let value = json!({
                "journal": path.display().to_string(), "verified": true, "records": verified.head.seq, "heads": verified.signed_heads,
                "signatures_checked": public.is_some(), "head_hash": verified.head.hash.to_string(),
            });
            let words = || {
                vec![format!(
                    "{} records, {} heads, {signed}; head {}",
                    verified.head.seq, verified.signed_heads, verified.head.hash
                )]
            };
            output.print(&value, words)
        }
        Err(fault) => Err(Fail::failed(format!("{}: {fault}", path.display()))),
    }
}

impl From<JournalError> for Fail {
    fn from(e: JournalError) -> Fail {
        Fail::failed(e)
    }
}

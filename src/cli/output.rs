//! `--output`: text or one JSON document on standard output, or the document in a file. Everything that a command prints goes
//! through here.
//!
//! It promises: text from outside makes no line of its own and does nothing to a terminal. Lines of our own making are the
//! entries of a list; whatever stands within an entry is one line. With `--output json`, standard output gets exactly one
//! document, at the end, whatever happened; words for people go to standard error then.

pub use super::fail::Lines;

use super::fail::Fail;
use crate::wording::{one_line, quiet_json};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// The version of the documents' fields. A field that was published stays until the next one.
pub const SCHEMA: u32 = 2;

/// True if the arguments ask for a document on standard output.
static ASKED: AtomicBool = AtomicBool::new(false);

/// The document of this run, once it is known.
static DOCUMENT: Mutex<Option<Value>> = Mutex::new(None);

/// Learns from the arguments as they were typed, because those that cannot be understood are answered with a document too.
pub fn listen_to(arguments: impl Iterator<Item = std::ffi::OsString>) {
    let words: Vec<_> = arguments.take_while(|word| word != "--").collect();
    let asked = words.iter().any(|word| word == "--output=json")
        || words.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json");
    ASKED.store(asked, Ordering::Relaxed);
}

pub fn is_json() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Ends the program: prints the document if one was asked for, and gives the exit status.
pub fn finish(result: Result<(), Fail>) -> ExitCode {
    let printed = if is_json() { print_document(result.as_ref().err()) } else { Ok(()) };
    match result.and(printed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fail) => fail.exit(),
    }
}

fn print_document(fail: Option<&Fail>) -> Result<(), Fail> {
    let known = DOCUMENT.lock().map_or(None, |mut document| document.take());
    let silent = fail.is_some_and(Fail::is_silent);
    let mut document = known.unwrap_or_else(|| versioned(json!({})));
    if let Some(fail) = fail.filter(|_| !silent) {
        document["error"] = fail.json();
    }
    to_stdout(&pretty(&document)?)
}

/// A document as it is printed.
fn pretty(document: &Value) -> Result<String, Fail> {
    serde_json::to_string_pretty(document).map(|text| quiet_json(&text).into_owned()).map_err(Fail::failed)
}

/// With the version of its fields.
fn versioned(mut value: Value) -> Value {
    if !value.is_object() {
        value = json!({ "value": value });
    }
    value["schema"] = SCHEMA.into();
    value
}

/// Where and how a command prints.
#[derive(Clone, Debug)]
pub enum Output {
    Text,
    Json,
    File(PathBuf),
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Output, String> {
        Ok(match text {
            "text" => Output::Text,
            "json" => Output::Json,
            "" => return Err("write text, json, or the name of a file".to_string()),
            file => Output::File(PathBuf::from(file)),
        })
    }
}

/// The lines of a text that is all of our own making.
pub fn own_lines(text: &str) -> Lines {
    text.lines().map(str::to_string).collect()
}

/// Several texts, with an empty line between them.
pub fn spaced(texts: Vec<Lines>) -> Lines {
    texts.join(&String::new())
}

impl Output {
    /// Prints a value, an object with named fields: `text` makes the words for people. A command does it once.
    pub fn print<T: Serialize>(&self, value: &T, text: impl FnOnce() -> Lines) -> Result<(), Fail> {
        let document = || serde_json::to_value(value).map(versioned).map_err(Fail::failed);
        match self {
            Output::Text => say_all(&text()),
            Output::Json => {
                let document = document()?;
                if let Ok(mut slot) = DOCUMENT.lock() {
                    *slot = Some(document);
                }
                Ok(())
            }
            Output::File(path) => {
                std::fs::write(path, pretty(&document()?)? + "\n")
                    .map_err(|e| Fail::failed(format!("{}: {e}", path.display())))?;
                say_all(&text())
            }
        }
    }

    /// Prints what was done, where there is nothing more to tell: a field `result` with the text.
    pub fn done(&self, text: &str) -> Result<(), Fail> {
        self.print(&json!({ "result": text }), || vec![text.to_string()])
    }

    /// Prints an answer of several lines, all of our own making: a list `lines`.
    pub fn told(&self, text: &str) -> Result<(), Fail> {
        let lines = own_lines(text);
        self.print(&json!({ "lines": lines }), || lines.clone())
    }

    pub const fn is_text(&self) -> bool {
        matches!(self, Output::Text)
    }
}

/// How a command prints that takes no other target.
#[derive(Clone, Debug, clap::Args)]
pub struct Printing {
    /// text, json, or a file to write the report to
    #[arg(long, value_name = "text|json|FILE", default_value = "text")]
    pub output: Output,
}

/// Where words for people go that are written by others.
pub fn for_people() -> Box<dyn Write> {
    if is_json() { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) }
}

/// Prints one line.
pub fn say(line: &str) -> Result<(), Fail> {
    write_out(&one_line(line))
}

/// Prints several lines.
pub fn say_all(lines: &[String]) -> Result<(), Fail> {
    lines.iter().try_for_each(|line| say(line))
}

/// Prints a text that is known to do nothing to a terminal, or that is meant to, such as a picture in colours.
pub fn write_out(text: &str) -> Result<(), Fail> {
    if is_json() {
        // Standard output is the document's.
        let _ = writeln!(std::io::stderr(), "{text}");
        return Ok(());
    }
    to_stdout(text)
}

fn to_stdout(text: &str) -> Result<(), Fail> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(e) => Err(not_written(&e)),
    }
}

/// Standard output does not take what is written. A reader that has gone away needs no words.
pub fn not_written(e: &std::io::Error) -> Fail {
    if e.kind() == std::io::ErrorKind::BrokenPipe { Fail::silent(READER_GONE) } else { Fail::failed(e) }
}

/// The exit status when the reader of standard output has gone: that of a program that the pipe's signal ended.
const READER_GONE: u8 = 128 + 13;

/// Prints a line of warning on standard error, which may be a terminal that is gone.
pub fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "bpci: warning: {}", one_line(text));
}

//! Journals of the program of commit 0aa8c41: this program folds them to the same state. `tests/data/journals/README.md` says how
//! they were made, `differences.md` beside it where this program means to differ.

mod canonical;
mod differences;
mod screens;

use bpci::controller::Replay;
use bpci::journal::{self, Head, Journal, JournalError, Key, Reader};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/journals")
}

/// The kept journals, each with its name.
fn journals() -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(kept()).unwrap_or_else(|e| panic!("{e}"));
    let mut found: Vec<_> =
        entries.flatten().map(|e| e.path()).filter(|p| p.join("journal.db").is_file()).collect();
    found.sort();
    assert_eq!(found.len(), 12, "{found:?}");
    found.into_iter().map(|p| (p.file_name().unwrap_or_default().to_string_lossy().into_owned(), p)).collect()
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn each_journal_folds_to_what_the_old_program_folded() {
    let listed = std::fs::read_to_string(kept().join("differences.md")).unwrap_or_else(|e| panic!("{e}"));
    let mut wrong = Vec::new();
    for (name, directory) in journals() {
        let is = canonical::of(&directory.join("journal.db")).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut expected = read(&directory.join("expected.json"));
        let meant = directory.join("expected.v2.json");
        if meant.is_file() {
            differences::apply(&mut expected, &read(&meant), &listed)
                .unwrap_or_else(|e| panic!("{}: {e}", meant.display()));
        }
        wrong.extend(
            differences::between(&expected, &is).into_iter().map(|difference| format!("{name}{difference}")),
        );
    }
    assert!(wrong.is_empty(), "{} differences that are not listed:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_journal_verifies() {
    for (name, directory) in journals() {
        let public =
            std::fs::read_to_string(directory.join("key.pub")).unwrap_or_else(|e| panic!("{name}: {e}"));
        let verified = journal::verify(&directory.join("journal.db"), Some(public.trim()))
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let verified = verified.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let records: u64 = read(&directory.join("expected.json"))["epochs"]
            .as_array()
            .and_then(|all| all.last()?["records"].as_u64())
            .unwrap_or(0);
        assert_eq!(verified.head.seq, records, "{name}");
        assert!(verified.signed_heads > 0, "{name}");
    }
}

#[test]
fn each_journal_replays_with_its_tape() {
    for (name, directory) in journals() {
        let path = directory.join("journal.db");
        let (engine, _) = Replay::newest(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        let last =
            Reader::open(&path).and_then(|reader| reader.last()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(engine.state().records, last, "{name}");
    }
}

/// A journal of a few kept records, then one with this body, then one more kept record. All of it in one chain, with signed heads.
fn with_body(directory: &Path, body: &[u8]) -> u64 {
    let entries = Reader::open(&kept().join("01-automatic-failover/journal.db"))
        .and_then(|r| r.after(0))
        .unwrap_or_else(|e| panic!("{e}"));
    let records: Vec<_> = entries.into_iter().map(|e| e.record).take(6).collect();
    let mut journal = Journal::open(directory).unwrap_or_else(|e| panic!("{e}"));
    let head = journal.append(&records[..5]).unwrap_or_else(|e| panic!("{e}"));
    drop(journal);
    append_body(directory, head, body);
    let mut journal = Journal::open(directory).unwrap_or_else(|e| panic!("{e}"));
    journal.append(&records[5..]).unwrap_or_else(|e| panic!("{e}"));
    head.seq + 1
}

/// Appends a record that this program has no type for, as the program that knows it would.
fn append_body(directory: &Path, head: Head, body: &[u8]) {
    let key = Key::load_or_make(&directory.join("key")).unwrap_or_else(|e| panic!("{e}"));
    let next = head.then(body);
    let signature = key.sign(next).to_vec();
    let connection =
        rusqlite::Connection::open(directory.join("journal.db")).unwrap_or_else(|e| panic!("{e}"));
    let record = rusqlite::params![next.seq as i64, head.hash.0.to_vec(), next.hash.0.to_vec(), body];
    connection
        .execute("INSERT INTO records (seq, prev, hash, body) VALUES (?1, ?2, ?3, ?4)", record)
        .unwrap_or_else(|e| panic!("{e}"));
    let signed = rusqlite::params![next.seq as i64, next.hash.0.to_vec(), signature];
    connection
        .execute("INSERT INTO heads (seq, hash, signature) VALUES (?1, ?2, ?3)", signed)
        .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn an_unknown_record_stops_the_fold_with_its_number_and_the_chain_still_verifies() {
    let at = json!({ "utc": 1_796_046_970_884_i64, "mono": 5 });
    let unknown = [
        json!({ "v": 1, "epoch": 1, "at": at, "event": { "FromTheFuture": { "group": 1 } } }),
        json!({ "v": 2, "epoch": 1, "at": at, "event": { "recovery": { "FromTheFuture": { "group": 1 } } } }),
        json!({ "v": 2, "epoch": 1, "at": at, "event": { "future": { "FromTheFuture": { "group": 1 } } } }),
        json!({ "v": 2, "epoch": 1, "at": at, "event": { "kernel": { "DisasterEnded": { "disaster": 1 } } } }),
        json!({ "v": 2, "epoch": 1, "at": at, "event": "FromTheFuture" }),
        json!({ "v": 99, "epoch": 1, "at": at, "event": "FromTheFuture" }),
    ];
    for body in unknown {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let seq = with_body(directory.path(), body.to_string().as_bytes());
        let path = directory.path().join("journal.db");

        let mut folded = 0;
        let stopped = Reader::open(&path).and_then(|reader| {
            reader.each(|entry| {
                folded = entry.seq;
                Ok::<(), JournalError>(())
            })
        });
        let error = stopped.expect_err("an unknown record was passed over").to_string();
        assert!(error.contains(&format!("record {seq} ")), "{error}");
        assert!(folded < seq, "record {folded} was folded behind record {seq}");

        let key = Key::load_or_make(&directory.path().join("key")).unwrap_or_else(|e| panic!("{e}"));
        let verified = journal::verify(&path, Some(&key.public())).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(verified.unwrap_or_else(|fault| panic!("{fault}")).head.seq, seq + 1);

        let bpci = |word: &str| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bpci"));
            command.args(["journal", word]).arg(directory.path()).output().unwrap_or_else(|e| panic!("{e}"))
        };
        assert!(bpci("verify").status.success(), "{body}");
        let shown = bpci("show");
        let said = String::from_utf8_lossy(&shown.stderr).into_owned();
        assert!(!shown.status.success() && said.contains(&format!("record {seq} ")), "{said}");
    }
}

//! The record: whatever is done to it is found, and its place named.

use bpci::config;
use bpci::controller::play;
use bpci::journal::{Fault, Journal, Key, verify};
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// A real record: a drill's.
fn record(directory: &Path) -> (PathBuf, u64) {
    let journal = Journal::open(directory).unwrap_or_else(|e| panic!("{e}"));
    let scenario = config::embedded("node_failure").unwrap_or_else(|e| panic!("{e}"));
    let played = play(scenario, 1, journal, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    (directory.join("journal.db"), played.simulation.core.journal.head().seq)
}

fn public(path: &Path) -> String {
    Key::load_or_make(&path.with_file_name("key")).unwrap_or_else(|e| panic!("{e}")).public()
}

fn found(path: &Path) -> Option<Fault> {
    verify(path, Some(&public(path))).unwrap_or_else(|e| panic!("{e}")).err()
}

/// Opens the file past its own refusal of changes.
fn forced(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap_or_else(|e| panic!("{e}"));
    for trigger in ["records_stay", "records_are_kept", "heads_stay", "heads_are_kept"] {
        connection.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap_or_else(|e| panic!("{e}"));
    }
    connection
}

fn run(connection: &Connection, sql: &str) {
    connection.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
}

#[test]
fn a_whole_record_verifies_and_refuses_changes() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let (path, last) = record(directory.path());
    assert!(last > 30);
    assert_eq!(found(&path), None);
    let connection = Connection::open(&path).unwrap_or_else(|e| panic!("{e}"));
    assert!(connection.execute("UPDATE records SET body = x'00' WHERE seq = 3", []).is_err());
    assert!(connection.execute("DELETE FROM records WHERE seq = 3", []).is_err());
}

#[test]
fn any_byte_of_any_record_flipped_is_named() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let (path, last) = record(directory.path());
    let connection = forced(&path);
    for seq in 1..=last {
        let body: Vec<u8> = connection
            .query_row("SELECT body FROM records WHERE seq = ?1", [seq as i64], |r| r.get(0))
            .unwrap_or_else(|e| panic!("{e}"));
        for at in [0, body.len() / 2, body.len() - 1] {
            let mut changed = body.clone();
            changed[at] ^= 1;
            let put = |bytes: &Vec<u8>| {
                connection.execute(
                    "UPDATE records SET body = ?1 WHERE seq = ?2",
                    rusqlite::params![bytes, seq as i64],
                )
            };
            put(&changed).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(found(&path), Some(Fault::Changed { seq }), "byte {at} of record {seq}");
            put(&body).unwrap_or_else(|e| panic!("{e}"));
        }
    }
    assert_eq!(found(&path), None);
}

#[test]
fn a_dropped_record_is_named() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let (path, last) = record(directory.path());
    for seq in 1..last {
        let copy = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        for name in ["journal.db", "journal.heads", "key"] {
            std::fs::copy(directory.path().join(name), copy.path().join(name))
                .unwrap_or_else(|e| panic!("{e}"));
        }
        let path = copy.path().join("journal.db");
        run(&forced(&path), &format!("DELETE FROM records WHERE seq = {seq}"));
        assert_eq!(found(&path), Some(Fault::Missing { seq }));
    }
    assert_eq!(found(&path), None);
}

#[test]
fn swapped_records_are_named() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let (path, _) = record(directory.path());
    let connection = forced(&path);
    run(
        &connection,
        "UPDATE records SET seq = -1 WHERE seq = 7; UPDATE records SET seq = 7 WHERE seq = 8; UPDATE records SET seq = 8 WHERE seq = -1",
    );
    assert_eq!(found(&path), Some(Fault::Reordered { seq: 7 }));
}

#[test]
fn a_cut_tail_is_named_even_when_the_heads_were_cut_with_it() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let (path, last) = record(directory.path());
    let connection = forced(&path);
    run(&connection, &format!("DELETE FROM records WHERE seq > {}", last - 3));
    assert!(matches!(found(&path), Some(Fault::CutOff { after, .. }) if after == last - 3));
    run(&connection, &format!("DELETE FROM heads WHERE seq > {}", last - 3));
    assert!(matches!(found(&path), Some(Fault::CutOff { after, .. }) if after == last - 3));
}

#[test]
fn another_hand_is_noticed() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let (path, _) = record(directory.path());
    std::fs::remove_file(directory.path().join("key")).unwrap_or_else(|e| panic!("{e}"));
    assert!(matches!(found(&path), Some(Fault::BadSignature { .. })));
}

/// The newest lines that pass, out of the whole record.
#[test]
fn a_record_is_searched() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let mut journal = Journal::open(directory.path()).unwrap_or_else(|e| panic!("{e}"));
    let scenario = bpci::config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
    let played = bpci::controller::play(scenario, 1, Journal::in_memory(), &mut |_| {})
        .unwrap_or_else(|e| panic!("{e}"));
    let records = played.simulation.core.keep.unwrap_or_default();
    journal.append(&records).unwrap_or_else(|e| panic!("{e}"));
    let path = directory.path().join("journal.db");
    let found = |words: &str, most| {
        let passes = |line: &bpci::model::LogLine| bpci::tui::passes(words, &line.text);
        bpci::controller::search(&path, most, &passes).unwrap_or_else(|e| panic!("{e}"))
    };
    let all = found("promoted timeline", 100);
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(found("promoted timeline", 1), all[1..]);
    assert!(found("no such words", 100).is_empty());
}

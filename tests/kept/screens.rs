//! The screens at the end of each kept journal. The snapshots were first written by the old program (its binary in
//! `BPCI_KEPT_PROGRAM`); what differs since was reviewed as a change of the snapshot.

use std::path::Path;
use std::process::Command;

/// From the first record to the last that was seen.
fn lasts_ms(journal: &Path) -> i64 {
    let expected = super::read(&journal.join("expected.json"));
    let (last, first) = (expected["seen"]["at"].as_i64(), expected["epochs"][0]["since"].as_i64());
    last.unwrap_or_default() - first.unwrap_or_default()
}

fn screen(program: &str, journal: &Path, name: &str) -> String {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("BPCI_DATA", directory.path())
        .env("HOME", directory.path())
        .env("LANG", "C.UTF-8")
        .env("TERM", "xterm");
    command.arg("--replay").arg(journal).args([
        "--once",
        "--after",
        &format!("{}ms", lasts_ms(journal)),
        "--size",
        "120x40",
        "--screen",
        name,
    ]);
    let output = command.output().unwrap_or_else(|e| panic!("{e}"));
    assert!(output.status.success(), "{}: {}", journal.display(), String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("== {name}\n{}\n", lines.join("\n").trim_end())
}

#[test]
fn the_screens_of_each_journal_are_the_reviewed_ones() {
    let program =
        std::env::var("BPCI_KEPT_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_bpci").to_string());
    for (name, directory) in super::journals() {
        let screens: Vec<String> = ["command", "recovery", "replication", "timeline"]
            .into_iter()
            .map(|s| screen(&program, &directory, s))
            .collect();
        insta::assert_snapshot!(name, screens.join("\n"));
    }
}

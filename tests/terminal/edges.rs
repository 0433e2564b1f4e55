//! Terminals that are not as usual: keys from elsewhere than standard input, no size, a reader that goes away, a quit signal.

use super::pty::*;
use portable_pty::{CommandBuilder, PtySize};
use std::process::{Command, Stdio};

fn sh(script: &str, size: (u16, u16)) -> Terminal {
    let mut command = CommandBuilder::new("sh");
    command.args(["-c", &script.replace("bpci", env!("CARGO_BIN_EXE_bpci"))]);
    Terminal::run(command, PtySize { cols: size.0, rows: size.1, pixel_width: 0, pixel_height: 0 }, &[])
}

#[test]
fn keys_come_from_the_controlling_terminal_where_input_is_none() {
    for script in ["exec bpci </dev/null", "echo nothing | exec bpci"] {
        let mut terminal = sh(script, SIZE);
        terminal.wait("the first frame", |t| t.shows(SIZE).contains("REGIONS"));
        terminal.type_text("2");
        terminal.wait("another screen", |t| t.shows(SIZE).contains("if lost"));
        terminal.type_text("q");
        assert_eq!(terminal.end(), 0, "{script}");
        terminal.is_given_back();
    }
}

/// Without a controlling terminal it says why, and starts nothing.
#[test]
fn without_any_terminal_it_says_so() {
    let mut terminal = sh("setsid -w bpci </dev/null; echo status $?", SIZE);
    terminal.wait("the end", |t| t.said().contains("status"));
    let said = terminal.said();
    assert!(
        said.contains("status 2") && said.contains("/dev/tty") && !said.contains("\x1b[?1049h"),
        "{said:?}"
    );
    terminal.end();
    let output = Command::new(env!("CARGO_BIN_EXE_bpci"))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_terminal_without_a_size_counts_as_the_usual_one() {
    let mut terminal = Terminal::start((0, 0), &[]);
    terminal.wait("a frame of the usual size", |t| t.shows(SIZE).contains("REGIONS"));
    // Once it says how large it is, that counts.
    terminal.resize(100, 30);
    terminal.wait("a larger frame", |t| t.screen((100, 30)).screen().contents().lines().count() > 24);
    terminal.type_text("q");
    assert_eq!(terminal.end(), 0);
    terminal.is_given_back();
}

#[test]
fn a_quit_signal_gives_the_terminal_back() {
    let mut terminal = up(&[]);
    terminal.signal(libc::SIGQUIT);
    terminal.end();
    terminal.is_given_back();
}

/// A reader that goes away ends a command quietly, with the status that other tools have.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let record = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/cases/replay-no-tape");
    let scenario = "--disaster-type region_outage --affected-regions us-east-1 --severity critical --strategy immediate_failover --dry-run";
    for command in [
        "bc status --detailed".to_string(),
        "bc status --output json".to_string(),
        "bc validate".to_string(),
        "bc recovery list".to_string(),
        format!("bc disaster-recovery trigger {scenario}"),
        "forecast --futures 10".to_string(),
        "analyse plan --futures 100".to_string(),
        "test suite --dry-run".to_string(),
        "test report".to_string(),
        "config schema".to_string(),
        "config init".to_string(),
        format!("journal show {record}"),
        format!("journal export {record}"),
        format!("--replay {record} --once"),
        "--fixture region_outage --plain --speed 1000".to_string(),
        "--help".to_string(),
    ] {
        let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        // The reader is gone before the first line is written.
        let script = format!(
            "{{ sleep 0.2; exec {} {command}; }} 2>&3 | true; exit ${{PIPESTATUS[0]}}",
            env!("CARGO_BIN_EXE_bpci")
        );
        let output = Command::new("bash")
            .args(["-c", &format!("exec 3>&2; {script}")])
            .env("BPCI_DATA", data.path())
            .stdin(Stdio::null())
            .output();
        let output = output.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
        assert!(matches!(output.status.code(), Some(0 | 141)), "{command}: {:?}", output.status);
    }
}

//! Terminals of many kinds, and shells around them.

use crate::pty::*;
use portable_pty::{CommandBuilder, PtySize};
use std::time::Duration;

#[test]
fn every_kind_of_terminal_shows_it_and_gets_itself_back() {
    for kind in [
        "xterm",
        "xterm-256color",
        "screen",
        "screen-256color",
        "tmux-256color",
        "linux",
        "vt100",
        "dumb",
        "nonsense",
    ] {
        let mut terminal = Terminal::start(SIZE, &[("TERM", kind)]);
        terminal.wait(kind, |t| t.shows(SIZE).contains("REGIONS"));
        terminal.type_text("4");
        terminal.wait(kind, |t| t.shows(SIZE).contains("RECOVERY"));
        terminal.type_text("q");
        assert_eq!(terminal.end(), 0, "{kind}");
        terminal.is_given_back();
        if matches!(kind, "linux" | "dumb") {
            assert!(terminal.said().is_ascii(), "{kind}");
        }
    }
}

/// No colour where there is none; 256 at most where the terminal has no more.
#[test]
fn no_more_colours_than_the_terminal_has() {
    for (kind, truecolor, indexed) in [("xterm", false, false), ("xterm-256color", false, true)] {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_bpci"));
        command.args(["--theme", "dark"]);
        let size = PtySize { cols: SIZE.0, rows: SIZE.1, pixel_width: 0, pixel_height: 0 };
        let mut terminal = Terminal::run(command, size, &[("TERM", kind), ("COLORTERM", "")]);
        terminal.wait(kind, |t| t.shows(SIZE).contains("REGIONS"));
        terminal.type_text("q");
        assert_eq!(terminal.end(), 0);
        let said = terminal.said();
        assert_eq!(
            (said.contains("38;2;"), said.contains("38;5;")),
            (truecolor, indexed || said.contains("38;5;1")),
            "{kind}"
        );
    }
}

/// Answers that a terminal gives late, to questions of somebody before us, swallow no key.
#[test]
fn late_replies_swallow_no_key() {
    let mut terminal = up(&[]);
    for reply in [
        "\x1b[?62;22c",
        "\x1b[24;80R",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1bP>|xterm(367)\x1b\\",
        "\x1b[?2026;2$y",
    ] {
        terminal.type_text(reply);
        std::thread::sleep(Duration::from_millis(50));
    }
    terminal.type_text("\x1b");
    std::thread::sleep(Duration::from_millis(100));
    terminal.type_text("\x1b1q");
    assert_eq!(terminal.end(), 0);
}

/// From a shell with job control: it stands still, gives the terminal back, and comes again as it was.
#[test]
fn it_stands_still_for_a_shell_and_comes_again() {
    let size = PtySize { cols: SIZE.0, rows: SIZE.1, pixel_width: 0, pixel_height: 0 };
    let mut command = CommandBuilder::new("bash");
    command.args(["--norc", "--noprofile", "--noediting", "-i"]);
    let mut terminal = Terminal::run(command, size, &[("PS1", "shell> ")]);
    terminal.wait("the shell", |t| t.said().contains("shell>"));
    terminal.type_text(&format!("{}\n", env!("CARGO_BIN_EXE_bpci")));
    terminal.wait("the first frame", |t| t.shows(SIZE).contains("REGIONS"));
    for how in ["key", "signal"] {
        terminal.forget();
        if how == "key" {
            terminal.type_text("\x1a");
        } else {
            let child = child_of(terminal.pid());
            // SAFETY: a signal to the program that this test's own shell runs.
            unsafe { libc::kill(child, libc::SIGTSTP) };
        }
        terminal.wait("the shell again", |t| t.said().contains("Stopped"));
        terminal.is_given_back();
        terminal.forget();
        terminal.type_text("fg\n");
        terminal.wait("the screen again", |t| {
            t.said().contains("\x1b[?1049h") && t.shows(SIZE).contains("stood still")
        });
        // What it says is not closed by a key that was meant for something else.
        std::thread::sleep(Duration::from_millis(700));
        terminal.type_text(" ");
    }
    terminal.forget();
    terminal.type_text("q");
    terminal.wait("the shell at last", |t| t.said().contains("shell>"));
    terminal.type_text("exit\n");
    terminal.end();
}

fn child_of(pid: u32) -> i32 {
    let said = std::process::Command::new("pgrep")
        .args(["-P", &pid.to_string(), "bpci"])
        .output()
        .unwrap_or_else(|e| panic!("{e}"));
    String::from_utf8_lossy(&said.stdout).trim().parse().unwrap_or_else(|e| panic!("{e}"))
}

/// Under sshd's ForceCommand there is no shell to go back to: it says so and stays.
#[test]
fn without_a_shell_it_does_not_stand_still() {
    let mut terminal = up(&[]);
    terminal.type_text("\x1a");
    terminal.wait("the reason", |t| t.shows(SIZE).contains("no shell to go back to"));
    terminal.type_text("q");
    assert_eq!(terminal.end(), 0);
}

/// A recording holds what the terminal was sent, and the decisions as marks.
#[test]
fn a_recording_is_what_was_shown() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let file = directory.path().join("incident.cast");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_bpci"));
    command.args(["--fixture", "region_outage", "--speed", "10", "--record"]);
    command.arg(&file);
    let size = PtySize { cols: SIZE.0, rows: SIZE.1, pixel_width: 0, pixel_height: 0 };
    let mut terminal = Terminal::run(command, size, &[("USER", "Kim")]);
    terminal.wait("the first frame", |t| t.shows(SIZE).contains("REGIONS"));
    terminal.type_text("n");
    terminal.wait("the note", |t| t.shows(SIZE).contains("NOTE"));
    terminal.type_text("we begin\r");
    terminal.wait("what was noted", |t| t.shows(SIZE).contains("stands in the record"));
    assert_eq!(terminal.leave(), 0);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{e}"));
    let mut lines = text
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap_or_else(|e| panic!("{l}: {e}")));
    let head = lines.next().unwrap_or_default();
    assert_eq!((head["version"].as_u64(), head["term"]["cols"].as_u64()), (Some(3), Some(80)));
    let mut parser = vt100::Parser::new(SIZE.1, SIZE.0, 0);
    let mut marks = Vec::new();
    for event in lines {
        assert!(event[0].as_f64().is_some_and(|t| (0.0..60.0).contains(&t)), "{event}");
        match event[1].as_str() {
            Some("o") => parser.process(event[2].as_str().unwrap_or_default().as_bytes()),
            Some("m") => marks.push(event[2].as_str().unwrap_or_default().to_string()),
            other => assert_eq!(other, Some("r")),
        }
    }
    let screen = parser.screen().contents();
    assert!(screen.contains("REGIONS") && screen.contains("stands in the record"), "{screen}");
    assert!(marks.contains(&"we begin".to_string()), "{marks:?}");
}

/// A theme with a ground of its own leaves no cell on the terminal's.
#[test]
fn a_theme_paints_its_ground_everywhere() {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_bpci"));
    command.args(["--theme", "light", "--fixture", "region_outage", "--speed", "10"]);
    let size = PtySize { cols: SIZE.0, rows: SIZE.1, pixel_width: 0, pixel_height: 0 };
    let mut terminal = Terminal::run(command, size, &[("COLORTERM", "truecolor")]);
    terminal.wait("the disaster", |t| t.shows(SIZE).contains("CRITICAL"));
    std::thread::sleep(Duration::from_millis(300));
    let screen = terminal.screen(SIZE);
    for row in 0..SIZE.1 {
        for col in 0..SIZE.0 {
            let bare = screen.screen().cell(row, col).is_none_or(|c| c.bgcolor() == vt100::Color::Default);
            assert!(!bare, "row {row}, column {col}:\n{}", screen.screen().contents());
        }
    }
    terminal.type_text("q");
    assert_eq!(terminal.end(), 0);
}

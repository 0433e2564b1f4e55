//! The program in a real pseudo-terminal: it leaves the terminal as it found it, whatever ends it.

mod edges;
mod links;
mod many;
mod pty;
mod seats;
mod storms;

use pty::*;
use std::time::Duration;

#[test]
fn quitting_gives_the_terminal_back() {
    let mut terminal = up(&[]);
    terminal.type_text("q");
    assert_eq!(terminal.end(), 0);
    terminal.is_given_back();
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT] {
        let mut terminal = up(&[]);
        terminal.signal(signal);
        terminal.end();
        terminal.is_given_back();
    }
}

#[test]
fn a_vanished_terminal_ends_it() {
    let mut terminal = up(&[]);
    terminal.vanish();
    assert_eq!(terminal.end(), 0);
}

#[test]
#[cfg(feature = "planted")]
fn a_panic_in_a_task_gives_the_terminal_back() {
    // Before there is a screen, while it is put up, and later.
    for at in ["0", "1", "6"] {
        let mut terminal = Terminal::start(SIZE, &[("BPCI_PANIC", at)]);
        assert_eq!(terminal.end(), 1);
        terminal.is_given_back();
    }
}

#[test]
fn a_paste_into_the_confirmation_confirms_nothing() {
    let mut terminal = up(&[]);
    terminal.type_text("i\r");
    terminal.wait("both decisions", |t| t.shows(SIZE).contains("DECISION 1/2"));
    terminal.type_text("f");
    terminal.wait("the confirmation", |t| t.shows(SIZE).contains("CONFIRM"));
    std::thread::sleep(Duration::from_millis(700));
    terminal.type_text("\x1b[200~us-east-1\r\x1b[201~");
    std::thread::sleep(Duration::from_millis(500));
    assert!(terminal.shows(SIZE).contains("CONFIRM"), "{}", terminal.shows(SIZE));
    assert!(!terminal.shows(SIZE).contains("> us-east-1"), "{}", terminal.shows(SIZE));
    terminal.type_text("\x1b");
    terminal.wait("the confirmation to close", |t| !t.shows(SIZE).contains("CONFIRM"));
    terminal.leave();
}

/// A choice is tried beside the incident, and taken over; there it must be confirmed as any other.
#[test]
fn what_was_tried_in_a_fork_must_still_be_confirmed() {
    let mut terminal = up(&[]);
    terminal.type_text("i\r");
    terminal.wait("both decisions", |t| t.shows(SIZE).contains("DECISION 1/2"));
    terminal.type_text("b");
    terminal.wait("the fork", |t| t.shows(SIZE).contains("nothing here is real"));
    // What is real stays in sight, and its countdown is stopped from here too.
    assert!(
        terminal.shows(SIZE).contains("DECISION 1/2") && terminal.shows(SIZE).contains("automatic in"),
        "{}",
        terminal.shows(SIZE)
    );
    terminal.type_text("s");
    terminal.wait("the countdown to stop", |t| !t.shows(SIZE).contains("automatic in"));
    terminal.type_text("f");
    terminal.wait("its confirmation", |t| t.shows(SIZE).contains("CONFIRM"));
    std::thread::sleep(Duration::from_millis(700));
    terminal.type_text("us-east-1\r");
    terminal.wait("its recovery", |t| t.shows(SIZE).contains("· 10 of 10 steps"));
    terminal.type_text("B");
    terminal.wait("the real confirmation", |t| {
        t.shows(SIZE).contains("CONFIRM") && !t.shows(SIZE).contains("nothing here is real")
    });
    assert!(!terminal.shows(SIZE).contains("recovered"), "{}", terminal.shows(SIZE));
    std::thread::sleep(Duration::from_millis(700));
    terminal.type_text("us-east-1\r");
    terminal.wait("the real recovery", |t| t.shows(SIZE).contains("RECOVERY"));
    terminal.signal(libc::SIGTERM);
    terminal.end();
}

#[test]
fn no_colour_means_none_and_ascii_where_the_locale_has_no_more() {
    let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let place = data.path().display().to_string();
    let mut terminal =
        Terminal::start(SIZE, &[("NO_COLOR", "1"), ("LANG", "C"), ("LC_ALL", "C"), ("BPCI_DATA", &place)]);
    terminal.wait("the first frame", |t| t.shows(SIZE).contains("REGIONS"));
    terminal.type_text("q");
    terminal.end();
    let said = terminal.said();
    assert!(said.is_ascii(), "{said:?}");
    for colour in ["\x1b[31m", "\x1b[38;5;1m", "\x1b[38;5;2m", "\x1b[36m"] {
        assert!(!said.contains(colour));
    }
    // What this terminal takes is no wish: the next one is not left without colour for it.
    let remembered =
        std::fs::read_to_string(data.path().join("remembered.toml")).unwrap_or_else(|e| panic!("{e}"));
    assert!(remembered.contains("screen") && !remembered.contains("mono"), "{remembered}");
}

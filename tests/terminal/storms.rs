//! More than a person would do, and a link that stands still: it stays alive, and nothing is done by a slip.

use crate::pty::*;
use portable_pty::{CommandBuilder, PtySize};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

#[test]
fn two_hundred_resizes_in_two_seconds() {
    let mut terminal = up(&[]);
    let mut dice = Dice(7);
    for _ in 0..200 {
        terminal.resize(1 + dice.roll(250) as u16, 1 + dice.roll(70) as u16);
        std::thread::sleep(Duration::from_millis(10));
    }
    terminal.resize(SIZE.0, SIZE.1);
    terminal.forget();
    terminal.type_text("\x0c");
    terminal.wait("the whole screen again", |t| t.shows(SIZE).contains("REGIONS"));
    terminal.type_text("q");
    assert_eq!(terminal.end(), 0);
    terminal.is_given_back();
}

#[test]
fn a_storm_of_pastes_is_no_list_of_keys() {
    let mut terminal = up(&[]);
    let paste = format!("\x1b[200~{}\x1b[201~", "qf\rus-east-1\r:quit\r".repeat(200));
    for number in "12345678".chars() {
        terminal.type_text(&number.to_string());
        for _ in 0..5 {
            terminal.type_text(&paste);
        }
    }
    terminal.type_text("1");
    terminal.wait("the command screen", |t| {
        t.shows(SIZE).contains("REGIONS") && !t.shows(SIZE).contains("CONFIRM")
    });
    terminal.type_text("q");
    assert_eq!(terminal.end(), 0);
}

/// A hundred thousand keys over all screens, by somebody whose name would stand in the record of what they confirmed.
#[test]
fn a_hundred_thousand_random_keys_confirm_nothing() {
    const ALL: usize = 100_000;
    let letters: Vec<char> =
        (' '..='~').chain(['\r', '\t', '\x1b', '\x7f', '\x02', '\x06', '\x0c', '\x10', '\x15']).collect();
    let special = [
        "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F", "\x1b[I", "\x1b[O",
    ];
    let mut dice = Dice(42);
    let (mut delivered, mut started) = (0, 0);
    while delivered < ALL {
        let mut terminal = up(&[("USER", "monkey")]);
        started += 1;
        while delivered < ALL && !terminal.is_over() {
            let mut keys = String::new();
            for _ in 0..100 {
                match dice.roll(10) {
                    0 => keys.push_str(special[dice.roll(special.len() as u64) as usize]),
                    1 => keys.push(char::from(b'1' + dice.roll(8) as u8)),
                    _ => keys.push(letters[dice.roll(letters.len() as u64) as usize]),
                }
            }
            if terminal.try_type(&keys).is_err() {
                break;
            }
            delivered += 100;
            let screen = terminal.shows(SIZE);
            assert!(!screen.contains("begins, by monkey"), "{screen}");
            // It keeps up: keys that nobody has read were not delivered.
            std::thread::sleep(Duration::from_millis(3));
        }
        if !terminal.is_over() {
            terminal.type_text("\x1b\x1b\x03");
            std::thread::sleep(Duration::from_millis(200));
            terminal.signal(libc::SIGTERM);
        }
        assert_eq!(
            terminal.end(),
            0,
            "{}",
            terminal.said().chars().rev().take(2000).collect::<Vec<_>>().iter().rev().collect::<String>()
        );
        assert!(!terminal.said().contains("panicked"));
        terminal.is_given_back();
    }
    println!("{delivered} keys, {started} starts");
}

/// Time on a processor, in hundredths of a second.
fn busy(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    [11, 12].iter().filter_map(|i| fields.get(*i)?.parse::<u64>().ok()).sum()
}

/// A link stands still for a minute while a region fails: the world goes on, memory stays, and the newest frame comes.
#[test]
fn a_stalled_link_delays_nothing_but_itself() {
    let size = PtySize { cols: SIZE.0, rows: SIZE.1, pixel_width: 0, pixel_height: 0 };
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_bpci"));
    command.args(["--fixture", "region_outage"]);
    let mut terminal = Terminal::run(command, size, &[]);
    terminal.wait("the first frame", |t| t.shows(SIZE).contains("REGIONS"));
    std::thread::sleep(Duration::from_secs(2));
    let (before, worked, began) = (memory(terminal.pid()), busy(terminal.pid()), Instant::now());
    terminal.stopped.store(true, Ordering::Relaxed);
    std::thread::sleep(Duration::from_secs(60));
    let after = memory(terminal.pid());
    assert!(after < before + 4_096, "{before} kB before, {after} kB after");
    let share =
        (busy(terminal.pid()) - worked) * 10 / u64::try_from(began.elapsed().as_millis()).unwrap_or(1).max(1);
    assert!(share < 5, "it spins: {share} tenths of a core");
    terminal.stopped.store(false, Ordering::Relaxed);
    // Everything happened while nobody looked: the region failed at 20 s, and users were served long before 60 s.
    terminal.wait("what happened meanwhile", |t| t.shows(SIZE).contains("recovered"));
    assert_eq!(terminal.leave(), 0);
}

/// With a stalled link it can still be told to end.
#[test]
fn a_stalled_link_does_not_keep_it_from_ending() {
    let size = PtySize { cols: 200, rows: 60, pixel_width: 0, pixel_height: 0 };
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_bpci"));
    command.args(["--fixture", "region_outage", "--speed", "100"]);
    let mut terminal = Terminal::run(command, size, &[]);
    terminal.wait("the first frame", |t| t.shows((200, 60)).contains("REGIONS"));
    terminal.stopped.store(true, Ordering::Relaxed);
    std::thread::sleep(Duration::from_secs(3));
    terminal.signal(libc::SIGTERM);
    let began = Instant::now();
    while !terminal.is_over() {
        assert!(began.elapsed() < Duration::from_secs(8), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

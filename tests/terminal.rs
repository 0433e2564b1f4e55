//! The program in a real pseudo-terminal: it leaves the terminal as it found it, whatever ends it.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    said: Arc<Mutex<Vec<u8>>>,
    reader: Option<std::thread::JoinHandle<()>>,
    gone: Arc<AtomicBool>,
}

impl Terminal {
    fn start(size: (u16, u16), environment: &[(&str, &str)]) -> Terminal {
        let size = PtySize { cols: size.0, rows: size.1, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap_or_else(|e| panic!("{e}"));
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_bpci"));
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap_or_else(|e| panic!("{e}"));
        drop(pair.slave);
        let mut ear = pair.master.try_clone_reader().unwrap_or_else(|e| panic!("{e}"));
        let descriptor = pair.master.as_raw_fd().unwrap_or_else(|| panic!("no descriptor"));
        let writer = pair.master.take_writer().unwrap_or_else(|e| panic!("{e}"));
        let (said, gone) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (into, vanished) = (Arc::clone(&said), Arc::clone(&gone));
        // It looks up now and then: who waits in a read keeps the terminal alive.
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while !vanished.load(Ordering::Relaxed) {
                let mut wanted = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
                // SAFETY: one valid pollfd, and its count.
                if unsafe { libc::poll(&mut wanted, 1, 20) } > 0 {
                    let Ok(n @ 1..) = ear.read(&mut bytes) else { return };
                    into.lock().unwrap_or_else(|e| panic!("{e}")).extend_from_slice(&bytes[..n]);
                }
            }
        });
        Terminal { child, master: Some(pair.master), writer: Some(writer), said, reader: Some(reader), gone }
    }

    /// The window is closed, the link is cut: nobody holds the other end any more.
    fn vanish(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.writer = None;
        self.master = None;
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap_or_else(|e| panic!("{e}"))).into_owned()
    }

    /// What the screen shows, as a terminal would.
    fn shows(&self, size: (u16, u16)) -> String {
        let mut parser = vt100::Parser::new(size.1, size.0, 0);
        parser.process(&self.said.lock().unwrap_or_else(|e| panic!("{e}")));
        parser.screen().contents()
    }

    fn wait(&self, what: &str, test: impl Fn(&Terminal) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !test(self) {
            assert!(Instant::now() < deadline, "waited in vain for {what}; it said {:?}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn type_text(&mut self, text: &str) {
        if let Some(writer) = &mut self.writer {
            writer.write_all(text.as_bytes()).and_then(|()| writer.flush()).unwrap_or_else(|e| panic!("{e}"));
        }
    }

    fn signal(&self, signal: i32) {
        let pid = self.child.process_id().and_then(|p| i32::try_from(p).ok()).unwrap_or_else(|| panic!("no pid"));
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(pid, signal) };
    }

    fn end(&mut self) -> u32 {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap_or_else(|e| panic!("{e}")) {
                std::thread::sleep(Duration::from_millis(100));
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_given_back(&self) {
        let said = self.said();
        for (sequence, what) in [("\x1b[?1049l", "the main screen"), ("\x1b[?25h", "the cursor"), ("\x1b[?2004l", "paste"), ("\x1b[?1004l", "focus")]
        {
            assert!(said.contains(sequence), "{what} was not given back");
        }
        // Echo and lines are the terminal's own again.
        #[cfg(unix)]
        if let Some(settings) = self.master.as_ref().and_then(|m| m.get_termios()) {
            let flags = settings.local_flags.bits();
            assert!(flags & libc::ECHO != 0 && flags & libc::ICANON != 0, "raw mode was left behind");
        }
    }
}

const SIZE: (u16, u16) = (80, 24);

fn up(environment: &[(&str, &str)]) -> Terminal {
    let terminal = Terminal::start(SIZE, environment);
    terminal.wait("the first frame", |t| t.shows(SIZE).contains("REGIONS"));
    terminal
}

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
    for at in ["0", "1", "20"] {
        let mut terminal = Terminal::start(SIZE, &[("BPCI_PANIC", at)]);
        assert_eq!(terminal.end(), 1);
        terminal.is_given_back();
    }
}

#[test]
fn a_paste_into_the_confirmation_confirms_nothing() {
    let mut terminal = up(&[]);
    terminal.type_text("i\r");
    terminal.wait("the decision", |t| t.shows(SIZE).contains("DECISION"));
    terminal.type_text("f");
    terminal.wait("the confirmation", |t| t.shows(SIZE).contains("CONFIRM"));
    std::thread::sleep(Duration::from_millis(700));
    terminal.type_text("\x1b[200~us-east-1\r\x1b[201~");
    std::thread::sleep(Duration::from_millis(500));
    assert!(terminal.shows(SIZE).contains("CONFIRM"), "{}", terminal.shows(SIZE));
    assert!(!terminal.shows(SIZE).contains("> us-east-1"), "{}", terminal.shows(SIZE));
    terminal.type_text("\x1b");
    terminal.wait("the confirmation to close", |t| !t.shows(SIZE).contains("CONFIRM"));
    terminal.type_text("q");
    terminal.end();
}

#[test]
fn resizes_are_followed() {
    let mut terminal = up(&[]);
    for (cols, rows) in [(1, 1), (200, 60), (20, 5), (80, 24), (120, 40), (60, 16)] {
        let size = PtySize { cols, rows, pixel_width: 0, pixel_height: 0 };
        if let Some(master) = &terminal.master {
            master.resize(size).unwrap_or_else(|e| panic!("{e}"));
        }
        std::thread::sleep(Duration::from_millis(60));
    }
    terminal.type_text("q");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn no_colour_means_none_and_ascii_where_the_locale_has_no_more() {
    let mut terminal = Terminal::start(SIZE, &[("NO_COLOR", "1"), ("LANG", "C"), ("LC_ALL", "C")]);
    terminal.wait("the first frame", |t| t.shows(SIZE).contains("REGIONS"));
    terminal.type_text("q");
    terminal.end();
    let said = terminal.said();
    assert!(said.is_ascii(), "{said:?}");
    for colour in ["\x1b[31m", "\x1b[38;5;1m", "\x1b[38;5;2m", "\x1b[36m"] {
        assert!(!said.contains(colour));
    }
}

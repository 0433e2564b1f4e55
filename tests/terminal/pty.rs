//! The program in a real pseudo-terminal.

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The program in a terminal of its own.
pub struct Terminal {
    pub child: Box<dyn Child + Send + Sync>,
    pub master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    said: Arc<Mutex<Vec<u8>>>,
    reader: Option<std::thread::JoinHandle<()>>,
    gone: Arc<AtomicBool>,
    /// Nobody reads what it writes, as behind a stalled link.
    pub stopped: Arc<AtomicBool>,
    /// Gone with the terminal.
    _data: tempfile::TempDir,
}

impl Terminal {
    pub fn start(size: (u16, u16), environment: &[(&str, &str)]) -> Terminal {
        let size = PtySize { cols: size.0, rows: size.1, pixel_width: 0, pixel_height: 0 };
        let command = CommandBuilder::new(env!("CARGO_BIN_EXE_bpci"));
        Terminal::run(command, size, environment)
    }

    /// Another program in it.
    pub fn run(mut command: CommandBuilder, size: PtySize, environment: &[(&str, &str)]) -> Terminal {
        let pair = native_pty_system().openpty(size).unwrap_or_else(|e| panic!("{e}"));
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        // What one test remembers is not for another.
        let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        command.env("BPCI_DATA", data.path());
        command.env("BPCI_CONFIG", data.path());
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap_or_else(|e| panic!("{e}"));
        drop(pair.slave);
        let mut ear = pair.master.try_clone_reader().unwrap_or_else(|e| panic!("{e}"));
        let descriptor = pair.master.as_raw_fd().unwrap_or_else(|| panic!("no descriptor"));
        let writer = pair.master.take_writer().unwrap_or_else(|e| panic!("{e}"));
        let (said, gone) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::new(AtomicBool::new(false));
        let (into, vanished, stalled) = (Arc::clone(&said), Arc::clone(&gone), Arc::clone(&stopped));
        // It looks up now and then: who waits in a read keeps the terminal alive.
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while !vanished.load(Ordering::Relaxed) {
                if stalled.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(20));
                    continue;
                }
                let mut wanted = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
                // SAFETY: one valid pollfd, and its count.
                if unsafe { libc::poll(&mut wanted, 1, 20) } > 0 {
                    let Ok(n @ 1..) = ear.read(&mut bytes) else { return };
                    into.lock().unwrap_or_else(|e| panic!("{e}")).extend_from_slice(&bytes[..n]);
                }
            }
        });
        Terminal {
            child,
            master: Some(pair.master),
            writer: Some(writer),
            said,
            reader: Some(reader),
            gone,
            stopped,
            _data: data,
        }
    }

    /// The window is closed, the link is cut: nobody holds the other end any more.
    pub fn vanish(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.writer = None;
        self.master = None;
    }

    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap_or_else(|e| panic!("{e}"))).into_owned()
    }

    /// What the screen shows, as a terminal would.
    pub fn shows(&self, size: (u16, u16)) -> String {
        self.screen(size).screen().contents()
    }

    /// The cells of the screen.
    pub fn screen(&self, size: (u16, u16)) -> vt100::Parser {
        let mut parser = vt100::Parser::new(size.1, size.0, 0);
        parser.process(&self.said.lock().unwrap_or_else(|e| panic!("{e}")));
        parser
    }

    pub fn wait(&self, what: &str, test: impl Fn(&Terminal) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !test(self) {
            assert!(Instant::now() < deadline, "waited in vain for {what}; it said {:?}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Types; an error if the other end is gone.
    pub fn try_type(&mut self, text: &str) -> std::io::Result<()> {
        match &mut self.writer {
            Some(writer) => writer.write_all(text.as_bytes()).and_then(|()| writer.flush()),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    pub fn type_text(&mut self, text: &str) {
        // Who has left hears nothing; what is expected of them is seen at their end.
        let _ = self.try_type(text);
    }

    pub fn signal(&self, signal: i32) {
        let pid =
            self.child.process_id().and_then(|p| i32::try_from(p).ok()).unwrap_or_else(|| panic!("no pid"));
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(pid, signal) };
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap_or_else(|| panic!("no pid"))
    }

    /// Forgets what it said so far.
    pub fn forget(&self) {
        self.said.lock().unwrap_or_else(|e| panic!("{e}")).clear();
    }

    /// True once it is over.
    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap_or_else(|e| panic!("{e}")).is_some()
    }

    pub fn resize(&self, cols: u16, rows: u16) {
        let size = PtySize { cols, rows, pixel_width: 0, pixel_height: 0 };
        if let Some(master) = &self.master {
            master.resize(size).unwrap_or_else(|e| panic!("{e}"));
        }
    }

    pub fn end(&mut self) -> u32 {
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

    /// Leaves it, also where it asks because an operation runs.
    pub fn leave(&mut self) -> u32 {
        self.type_text("q");
        std::thread::sleep(Duration::from_millis(800));
        if !self.is_over() {
            self.type_text("y");
        }
        self.end()
    }

    pub fn is_given_back(&self) {
        let said = self.said();
        for (sequence, what) in [
            ("\x1b[?1049l", "the main screen"),
            ("\x1b[?25h", "the cursor"),
            ("\x1b[?2004l", "paste"),
            ("\x1b[?1004l", "focus"),
        ] {
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

pub const SIZE: (u16, u16) = (80, 24);

pub fn up(environment: &[(&str, &str)]) -> Terminal {
    let terminal = Terminal::start(SIZE, environment);
    terminal.wait("the first frame", |t| t.shows(SIZE).contains("REGIONS"));
    terminal
}

/// Memory in use, in kB.
pub fn memory(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or_default()
}

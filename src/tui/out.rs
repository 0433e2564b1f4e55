//! Where frames go: to the terminal in one piece each, and into a recording where one is wanted.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::rc::Rc;
use std::time::Instant;

/// A frame is gathered, then written at once between the marks of a synchronized update, so that no terminal shows half
/// of it.
pub struct Out {
    frame: Vec<u8>,
    reel: Reel,
    length: Length,
}

/// Bytes of the frame that was written last; shared by who writes frames and by who says when the next one is due.
#[derive(Clone, Default)]
pub struct Length(Rc<Cell<usize>>);

impl Length {
    pub fn set(&self, bytes: usize) {
        self.0.set(bytes);
    }

    pub fn bytes(&self) -> usize {
        self.0.get()
    }
}

/// The recording, where there is one: shared by the frames and by who marks moments in it.
#[derive(Clone, Default)]
pub struct Reel(Rc<RefCell<Option<Recording>>>);

impl Reel {
    pub fn new(recording: Option<Recording>) -> Reel {
        Reel(Rc::new(RefCell::new(recording)))
    }

    fn event(&self, code: char, data: &str) {
        if let Some(r) = self.0.borrow_mut().as_mut() {
            r.event(code, data);
        }
    }

    /// Names a moment.
    pub fn mark(&self, label: &str) {
        self.event('m', label);
    }

    /// The terminal has another size from now on.
    pub fn resized(&self, cols: u16, rows: u16) {
        self.event('r', &format!("{cols}x{rows}"));
    }
}

/// Straight to the terminal, beside the frames.
///
/// # Errors
/// The terminal does not take it.
pub fn send(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// How the library ends each frame: every colour put back for itself, then all of it, and the cursor hidden once more, which
/// the session has hidden since it began.
const USUAL: &[u8] = b"\x1b[39m\x1b[49m\x1b[59m\x1b[0m\x1b[?25l";

/// The same in as few bytes: a link that is slow carries it every second.
const LEAN: &[u8] = b"\x1b[0m";

impl Out {
    pub fn new(reel: Reel, length: Length) -> Out {
        Out { frame: Vec::with_capacity(16 * 1024), reel, length }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let mut whole = Vec::with_capacity(self.frame.len() + BEGIN.len() + END.len());
        whole.extend_from_slice(BEGIN);
        match self.frame.strip_suffix(USUAL) {
            Some(cells) => {
                whole.extend_from_slice(cells);
                whole.extend_from_slice(LEAN);
            }
            None => whole.extend_from_slice(&self.frame),
        }
        self.frame.clear();
        whole.extend_from_slice(END);
        self.length.set(whole.len());
        self.reel.event('o', &String::from_utf8_lossy(&whole));
        let mut out = io::stdout().lock();
        out.write_all(&whole)?;
        out.flush()
    }
}

/// An asciicast, version 3 (<https://docs.asciinema.org/manual/asciicast/v3/>): a line for each event, with the seconds
/// since the one before.
pub struct Recording {
    file: BufWriter<File>,
    last: Instant,
}

impl Recording {
    /// Begins a recording.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn begin(path: &std::path::Path, size: (u16, u16)) -> Result<Recording, String> {
        let file = File::create_new(path)
            .map_err(|e| format!("{}: {e}; name a new file that can be written", path.display()))?;
        let head = serde_json::json!({
            "version": 3,
            "term": { "cols": size.0, "rows": size.1, "type": std::env::var("TERM").unwrap_or_default() },
            "timestamp": chrono::Utc::now().timestamp(),
            "title": "bpci",
        });
        let mut file = BufWriter::new(file);
        writeln!(file, "{head}").map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Recording { file, last: Instant::now() })
    }

    fn event(&mut self, code: char, data: &str) {
        let seconds = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        let line = serde_json::json!([(seconds * 1000.0).round() / 1000.0, code.to_string(), data]);
        // A recording that cannot be written must not disturb the incident.
        let _ = writeln!(self.file, "{line}").and_then(|()| self.file.flush());
    }
}

//! The terminal while it is ours. It is given back as it was found, whatever happens: each step is undone by itself.

use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute, style};
use std::io::{BufWriter, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// True while the terminal is ours: so that it is given back once, from wherever.
static OURS: AtomicBool = AtomicBool::new(false);
/// A thread panicked: the program must end, and say so.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// What a frame is written to: in one piece.
pub type Out = BufWriter<Stdout>;

pub struct Session;

impl Session {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It is none, or refuses.
    pub fn enter() -> std::io::Result<Session> {
        // NO_COLOR is answered by a theme without colour; the library's own answer would wipe bold and reverse too.
        style::force_color_output(true);
        enable_raw_mode()?;
        let entered = execute!(std::io::stdout(), EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, cursor::Hide);
        // Only now: a panic elsewhere that came meanwhile has given nothing back, so the end of the session will.
        OURS.store(true, Ordering::SeqCst);
        if let Err(e) = entered {
            give_back();
            return Err(e);
        }
        Ok(Session)
    }
}

/// From now on a panic in any thread gives the terminal back before it is told of, and is remembered. To be called
/// before anything is started: a task may panic before there is a screen.
pub fn watch_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::SeqCst);
        give_back();
        before(info);
    }));
}

/// Did any thread panic?
pub fn panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}

impl Drop for Session {
    fn drop(&mut self) {
        give_back();
    }
}

/// Undoes every step, each whether or not the one before it worked.
fn give_back() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = std::io::stdout();
    let _ = execute!(out, DisableFocusChange);
    let _ = execute!(out, DisableBracketedPaste);
    let _ = execute!(out, LeaveAlternateScreen);
    let _ = execute!(out, style::ResetColor, cursor::Show);
    let _ = disable_raw_mode();
    let _ = out.flush();
}

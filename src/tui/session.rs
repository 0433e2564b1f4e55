//! The terminal while it is ours. It is given back as it was found, whatever happens: each step is undone by itself.

use super::Message;
use super::input::Parser;
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute, style};
use std::io::{IsTerminal, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// True while the terminal is ours: so that it is given back once, from wherever.
static OURS: AtomicBool = AtomicBool::new(false);
/// A thread panicked: the program must end, and say so.
static PANICKED: AtomicBool = AtomicBool::new(false);

pub struct Session;

impl Session {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It is none, or refuses.
    pub fn enter(mouse: bool) -> std::io::Result<Session> {
        // NO_COLOR is answered by a theme without colour; the library's own answer would wipe bold and reverse too.
        style::force_color_output(true);
        take(mouse)?;
        Ok(Session)
    }

    /// Gives the terminal back, and stands still until somebody lets the program go on.
    pub fn stand_still(&mut self) {
        give_back();
        // To this thread, which so does nothing more before all stand still.
        // SAFETY: a signal to ourselves; it returns when we are continued.
        unsafe { libc::raise(libc::SIGSTOP) };
    }

    /// Takes the terminal again after somebody else had it.
    ///
    /// # Errors
    /// It refuses.
    pub fn take_again(&mut self, mouse: bool) -> std::io::Result<()> {
        take(mouse)
    }
}

fn take(mouse: bool) -> std::io::Result<()> {
    enable_raw_mode()?;
    let mut entered = execute!(
        std::io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange,
        cursor::Hide
    );
    if mouse {
        entered = entered.and_then(|()| execute!(std::io::stdout(), EnableMouseCapture));
    }
    // Only now: a panic elsewhere that came meanwhile has given nothing back, so the end of the session will.
    OURS.store(true, Ordering::SeqCst);
    if entered.is_err() {
        give_back();
    }
    entered
}

/// True if a shell with job control started us: only that can let a program go on that stands still. Elsewhere, as under
/// sshd's ForceCommand, standing still would be the end.
pub fn has_a_shell() -> bool {
    // SAFETY: these only ask.
    unsafe {
        let parent = libc::getppid();
        libc::getsid(parent) == libc::getsid(0) && libc::getpgid(parent) != libc::getpgrp()
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
    let _ = execute!(out, DisableMouseCapture);
    let _ = execute!(out, DisableFocusChange);
    let _ = execute!(out, DisableBracketedPaste);
    let _ = execute!(out, LeaveAlternateScreen);
    let _ = execute!(out, style::ResetColor, cursor::Show);
    let _ = disable_raw_mode();
    let _ = out.flush();
}

/// An escape that nothing follows within this time is the key.
const SETTLES: Duration = Duration::from_millis(30);

/// The terminal that keys come from: standard input, then `None`; else the controlling terminal of this process.
///
/// # Errors
/// There is no terminal to draw on or to read keys from: why, and what to do.
pub fn keyboard() -> Result<Option<OwnedFd>, String> {
    if !std::io::stdout().is_terminal() {
        return Err("standard output is no terminal; use --plain, or --once for a single picture".to_string());
    }
    if std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let opened = std::fs::File::open("/dev/tty").map_err(|e| {
        format!(
            "standard input is no terminal, and the controlling terminal cannot be opened (/dev/tty: {e}); start bpci from a terminal, or use --plain"
        )
    })?;
    Ok(Some(opened.into()))
}

/// Reads the terminal, until it is gone: that is noticed here, for reading it on would spin.
pub(super) fn listen(sender: &SyncSender<Message>, keyboard: Option<&OwnedFd>) {
    let descriptor = keyboard.map_or(0, AsRawFd::as_raw_fd);
    let (mut parser, mut events) = (Parser::default(), Vec::new());
    let mut bytes = [0_u8; 4096];
    loop {
        let wait = if parser.waits() { SETTLES } else { Duration::from_secs(1) };
        let mut ear = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid pollfd, and its count.
        let heard = unsafe { libc::poll(&mut ear, 1, i32::try_from(wait.as_millis()).unwrap_or(1_000)) };
        match heard {
            0 => parser.settle(&mut events),
            1.. if ear.revents & libc::POLLIN != 0 => {
                // SAFETY: a buffer of our own, and its length.
                let read = unsafe { libc::read(descriptor, bytes.as_mut_ptr().cast(), bytes.len()) };
                match usize::try_from(read) {
                    Ok(n @ 1..) => parser.feed(&bytes[..n], &mut events),
                    // Its end, or an error that is none of a signal's.
                    _ if read == 0
                        || std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted =>
                    {
                        break;
                    }
                    _ => {}
                }
            }
            1.. => break,
            _ => {}
        }
        for event in events.drain(..) {
            if sender.send(Message::Input(event)).is_err() {
                return;
            }
        }
    }
    let _ = sender.send(Message::End);
}

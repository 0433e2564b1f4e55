//! The dashboard: one screen that answers an incident commander's questions.
//!
//! It promises: polling and deciding never wait for a terminal (the drawing has a thread of its own and takes only the
//! newest snapshot); the terminal is left as it was found; a pure function of snapshot and size makes the picture. It
//! decides nothing: keys become orders, which the engine's one gate hears.

mod app;
mod dialog;
mod glyph;
mod keys;
mod panel;
mod screen;
mod session;
mod text;
mod theme;

pub use app::{App, Ask};
pub use glyph::{ASCII, Glyphs, UNICODE};
pub use screen::draw;
pub use theme::Theme;

use crate::model::*;
use crossterm::event::Event;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use session::{Out, Session};
pub use session::{panicked, watch_panics};
use std::io::BufWriter;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// How the screen looks, where it was asked for; else as the terminal tells.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    pub theme: Option<String>,
    pub ascii: bool,
}

enum Message {
    Input(Event),
    Changed,
    Answer(Result<Receipt, Refusal>),
    /// The terminal is gone, or the program is told to end.
    End,
    /// The controller is gone: there will be no newer snapshot.
    Lost,
}

/// While something happens a frame is drawn this often at most; in calm, once a second.
const BUSY: Duration = Duration::from_millis(100);
const CALM: Duration = Duration::from_millis(1000);

/// Shows the dashboard until it is left.
///
/// # Errors
/// The theme has a mistake, or there is no terminal.
pub async fn run(handle: Arc<dyn Handle>, who: String, looks: Looks) -> Result<(), String> {
    let theme = match &looks.theme {
        Some(name) => Theme::load(name)?,
        None if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) => Theme::mono(),
        None => Theme::load("terminal")?,
    };
    let glyphs = if looks.ascii || !speaks_utf8() { ASCII } else { UNICODE };
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        return Err("standard output is no terminal; use --plain".to_string());
    }
    let (sender, inbox) = sync_channel(1024);
    let changes = sender.clone();
    let watched = Arc::clone(&handle);
    let watching = tokio::spawn(async move {
        while watched.changed().await {
            // A full queue has a wake-up in it already.
            if let Err(TrySendError::Disconnected(_)) = changes.try_send(Message::Changed) {
                return;
            }
        }
        let _ = changes.send(Message::Lost);
    });
    let ending = sender.clone();
    let ended = tokio::spawn(async move {
        crate::cli::told_to_end().await;
        let _ = ending.send(Message::End);
    });
    let runtime = tokio::runtime::Handle::current();
    let screen = tokio::task::spawn_blocking(move || show(&handle, &who, &theme, &glyphs, &sender, &inbox, &runtime));
    let result = screen.await.map_err(|e| e.to_string());
    watching.abort();
    ended.abort();
    result?
}

fn speaks_utf8() -> bool {
    let name = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()));
    let dumb = std::env::var("TERM").is_ok_and(|t| t == "dumb" || t == "linux");
    !dumb && name.is_some_and(|n| n.to_uppercase().replace('-', "").contains("UTF8"))
}

fn show(
    handle: &Arc<dyn Handle>,
    who: &str,
    theme: &Theme,
    glyphs: &Glyphs,
    sender: &SyncSender<Message>,
    inbox: &Receiver<Message>,
    runtime: &tokio::runtime::Handle,
) -> Result<(), String> {
    let _session = Session::enter().map_err(|e| format!("the terminal cannot be used: {e}; use --plain"))?;
    let inputs = sender.clone();
    std::thread::spawn(move || listen(&inputs));
    let out: Out = BufWriter::with_capacity(64 * 1024, std::io::stdout());
    let mut terminal = Terminal::new(CrosstermBackend::new(out)).map_err(|e| e.to_string())?;
    let mut app = App::new();
    let mut last: Option<Buffer> = None;
    let mut drawn: Option<Instant> = None;
    let mut urgent = true;
    loop {
        let snapshot = handle.snapshot();
        app.refresh(&snapshot);
        let busy = !snapshot.disasters.is_empty() || snapshot.operations.iter().any(|o| !o.is_over()) || app.dialog.is_some();
        let pace = if busy { BUSY } else { CALM };
        let due = drawn.map_or(Duration::ZERO, |t| pace.saturating_sub(t.elapsed()));
        if urgent || due.is_zero() {
            paint(&mut terminal, &app, &snapshot, theme, glyphs, &mut last).map_err(|e| e.to_string())?;
            drawn = Some(Instant::now());
            urgent = false;
            continue;
        }
        match inbox.recv_timeout(due) {
            Err(RecvTimeoutError::Timeout) | Ok(Message::Changed) => {}
            Err(RecvTimeoutError::Disconnected) | Ok(Message::End) => return Ok(()),
            Ok(Message::Lost) => return Err("the controller has ended; what was decided is in the journal".to_string()),
            Ok(Message::Answer(answer)) => {
                app.answered(answer);
                urgent = true;
            }
            Ok(Message::Input(event)) => {
                urgent = true;
                match app.event(&event, &snapshot) {
                    None => {}
                    Some(Ask::Quit) => return Ok(()),
                    Some(Ask::Order(action)) => {
                        let answer = handle.order(Order { by: who.to_string(), action });
                        reply(runtime, sender, answer);
                    }
                    Some(Ask::Control(control)) => reply(runtime, sender, handle.control(control)),
                }
            }
        }
        if panicked() {
            return Ok(());
        }
    }
}

fn reply(runtime: &tokio::runtime::Handle, sender: &SyncSender<Message>, answer: Answer) {
    let sender = sender.clone();
    runtime.spawn(async move {
        let answer = answer.await;
        let _ = sender.try_send(Message::Answer(answer));
    });
}

/// Writes a frame, if it differs from the last one.
fn paint(
    terminal: &mut Terminal<CrosstermBackend<Out>>,
    app: &App,
    snapshot: &Snapshot,
    theme: &Theme,
    glyphs: &Glyphs,
    last: &mut Option<Buffer>,
) -> std::io::Result<()> {
    let area = ratatui::layout::Rect::from((ratatui::layout::Position::ORIGIN, terminal.size()?));
    let mut buffer = Buffer::empty(area);
    draw(app, snapshot, theme, glyphs, area, &mut buffer);
    if last.as_ref() == Some(&buffer) {
        return Ok(());
    }
    terminal.draw(|frame| {
        let size = frame.area();
        if size == area {
            frame.buffer_mut().clone_from(&buffer);
        } else {
            // It was resized meanwhile: this frame is drawn for what there is now.
            draw(app, snapshot, theme, glyphs, size, frame.buffer_mut());
        }
    })?;
    *last = Some(buffer);
    Ok(())
}

/// Reads the terminal. A dead one is noticed here: reading it on would spin.
fn listen(sender: &SyncSender<Message>) {
    loop {
        let mut ear = libc::pollfd { fd: 0, events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid pollfd, and its count.
        let heard = unsafe { libc::poll(&mut ear, 1, 100) };
        if heard > 0 && ear.revents & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0 {
            let _ = sender.send(Message::End);
            return;
        }
        loop {
            // With no time at all it would not look.
            match crossterm::event::poll(Duration::from_millis(1)) {
                Ok(true) => match crossterm::event::read() {
                    Ok(event) => {
                        if sender.send(Message::Input(event)).is_err() {
                            return;
                        }
                    }
                    Err(_) => {
                        let _ = sender.send(Message::End);
                        return;
                    }
                },
                Ok(false) => break,
                Err(_) => {
                    let _ = sender.send(Message::End);
                    return;
                }
            }
        }
    }
}

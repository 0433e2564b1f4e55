//! The loop around the screen: terminal and controller in, frames and orders out.
//!
//! It has a thread of its own, so that nothing but itself waits for a slow terminal.

use super::app::{App, Instead};
use super::backend::SizedBackend;
use super::out::{Length, Out, Recording, Reel, send};
use super::session::Session;
use super::{A_SECOND, BUSY, CALM, Glyphs, LATE, Message, Notify, OPEN, Remembered, Stage, Theme, draw};
use crate::model::*;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use std::mem::ManuallyDrop;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

/// All that the loop works with.
pub(super) struct Show {
    /// The controller that the program was started for.
    pub base: Arc<dyn Handle>,
    /// A scenario in its place.
    pub drill: Option<Arc<dyn Handle>>,
    pub stage: Arc<dyn Stage>,
    pub who: String,
    pub theme: Theme,
    /// The theme's name at first, and the one to remember unless another is chosen.
    pub began_with: String,
    pub wished: Option<String>,
    pub glyphs: Glyphs,
    pub notify: Notify,
    pub mouse: bool,
    pub data: PathBuf,
    pub runtime: tokio::runtime::Handle,
    pub sender: SyncSender<Message>,
    pub keyboard: Option<Arc<OwnedFd>>,
}

/// What has been drawn, and when.
pub(super) struct Drawn {
    /// Never dropped: it would complain to a terminal that may be gone, and die of that. The session gives the cursor back.
    terminal: ManuallyDrop<Terminal<SizedBackend>>,
    pub reel: Reel,
    pub last: Option<Buffer>,
    /// The one before it: the next is drawn into its room.
    spare: Option<Buffer>,
    at: Option<Instant>,
    length: Length,
}

/// Messages that one frame waits for at most.
const BURST: usize = 256;

/// What the loop does next.
pub(super) enum Next {
    Go,
    Leave,
}

impl Show {
    pub fn run(
        mut self,
        mut app: App,
        recording: Option<Recording>,
        inbox: &Receiver<Message>,
    ) -> Result<(), String> {
        let mut session = Session::enter(self.mouse)
            .map_err(|e| format!("the terminal cannot be used: {e}; use --plain"))?;
        let (inputs, keyboard) = (self.sender.clone(), self.keyboard.clone());
        std::thread::spawn(move || super::session::listen(&inputs, keyboard.as_deref()));
        self.watch(&self.base, true);
        let reel = Reel::new(recording);
        let length = Length::default();
        let terminal =
            Terminal::new(SizedBackend(CrosstermBackend::new(Out::new(reel.clone(), length.clone()))))
                .map_err(|e| e.to_string())?;
        let mut drawn =
            Drawn { terminal: ManuallyDrop::new(terminal), reel, last: None, spare: None, at: None, length };
        let mut known = self.base.snapshot().disasters.first().map(|d| d.id);
        let (mut urgent, mut stale, mut judged) = (true, true, false);
        loop {
            let snapshot = self.shown().snapshot();
            app.refresh(&snapshot);
            app.behind = self.behind();
            // How it ended is kept by now: the drills tell it.
            let over =
                snapshot.world.as_ref().and_then(|w| w.scenario.as_ref()).is_some_and(|s| s.unmet.is_some());
            if over && !std::mem::replace(&mut judged, over) {
                (app.cards, app.calendar) = (self.stage.cards(), self.stage.calendar());
            }
            app.beside = matches!(app.instead, Instead::Fork(..)).then(|| self.base.snapshot());
            let busy = !snapshot.disasters.is_empty() || snapshot.open().next().is_some();
            let pace = match (app.dialog.is_some(), busy) {
                (true, _) => OPEN,
                // A large frame holds the next one back: what changes meanwhile is drawn at once, and a line takes it.
                (false, true) => {
                    BUSY.max(Duration::from_millis(drawn.length.bytes() as u64 * 1000 / A_SECOND)).min(CALM)
                }
                (false, false) => CALM,
            };
            let since = drawn.at.map_or(LATE, |t| t.elapsed());
            // What is typed into listens after a while: that is seen without news.
            let due = if stale || app.dialog.is_some() { pace } else { LATE }.saturating_sub(since);
            if urgent || due.is_zero() {
                if let Err(e) = self.paint(&mut app, &snapshot, &mut drawn) {
                    // A terminal that takes nothing is gone: the screen ends, nobody is left to be told.
                    tracing::warn!("the terminal is gone: {e}");
                    break;
                }
                if drawn.at.is_none() {
                    // The first frame does not wait for them.
                    (app.cards, app.calendar) = (self.stage.cards(), self.stage.calendar());
                    // Arguments, files, themes: what only the start needed.
                    crate::memory::give_back();
                }
                drawn.at = Some(Instant::now());
                (urgent, stale) = (false, false);
                self.tell_of_disasters(&mut known);
                continue;
            }
            let first = match inbox.recv_timeout(due) {
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
                Ok(message) => message,
            };
            // What came together is drawn together: a burst of keys is one frame.
            let burst: Vec<Message> = std::iter::once(first).chain(inbox.try_iter().take(BURST)).collect();
            for message in burst {
                urgent |= !matches!(message, Message::Changed);
                stale = true;
                match self.heard(message, &mut session, &mut app, &mut drawn) {
                    Ok(Next::Go) => {}
                    Ok(Next::Leave) => {
                        self.remember(&app);
                        return Ok(());
                    }
                    Err(text) => return Err(text),
                }
            }
            if super::panicked() {
                break;
            }
        }
        self.remember(&app);
        Ok(())
    }

    fn remember(&self, app: &App) {
        let theme = if app.theme == self.began_with { self.wished.clone() } else { Some(app.theme.clone()) };
        Remembered { theme, screen: Some(app.screen.name().to_string()) }
            .save(&self.data.join("remembered.toml"));
    }

    /// Takes in one message.
    ///
    /// # Errors
    /// There is no controller any more.
    fn heard(
        &mut self,
        message: Message,
        session: &mut Session,
        app: &mut App,
        drawn: &mut Drawn,
    ) -> Result<Next, String> {
        match message {
            Message::Changed => {}
            Message::End => return Ok(Next::Leave),
            Message::Lost => {
                return Err("the controller has ended; what was decided is in the journal".to_string());
            }
            Message::Answer(answer, words) => {
                if let Ok(Receipt::Started(id)) = &answer {
                    drawn.reel.mark(&format!("{id} begins"));
                }
                app.answered(answer, words);
            }
            Message::Found(words, found) => app.found(words, found),
            Message::Forked(at, Ok(handle)) if self.drill.is_none() => {
                self.watch(&handle, false);
                self.drill = Some(handle);
                let group = app.selected_group(&self.base.snapshot());
                app.turn_to(Instead::Fork(at));
                app.selected = Some(group);
            }
            Message::Forked(_, Ok(_)) => app.coming = None,
            Message::Forked(_, Err(text)) => {
                app.coming = None;
                app.tell(format!("There is no fork: {text}"));
            }
            Message::Suspend => return Ok(self.suspend(session, app, drawn)),
            Message::Resumed => {
                // A hang-up comes with this signal too.
                if session.take_again(self.mouse).is_err() || drawn.anew().is_err() {
                    return Ok(Next::Leave);
                }
                app.event(&crossterm::event::Event::FocusGained, &self.shown().snapshot());
            }
            Message::Input(event) => {
                if let crossterm::event::Event::Resize(cols, rows) = event {
                    drawn.reel.resized(cols, rows);
                    // How large it is now is found as it is drawn.
                    drawn.last = None;
                }
                if let Some(ask) = app.event(&event, &self.shown().snapshot()) {
                    return Ok(self.asked(ask, session, app, drawn));
                }
            }
        }
        Ok(Next::Go)
    }

    /// The controller whose snapshots are on the screen.
    pub(super) fn shown(&self) -> &Arc<dyn Handle> {
        self.drill.as_ref().unwrap_or(&self.base)
    }

    /// Wakes the loop when there is a newer snapshot. Only the controller that everything is about may not be lost.
    pub(super) fn watch(&self, handle: &Arc<dyn Handle>, base: bool) {
        let (watched, changes) = (Arc::downgrade(handle), self.sender.clone());
        self.runtime.spawn(async move {
            loop {
                let Some(next) = watched.upgrade().map(|h| h.changed()) else { return };
                if !next.await {
                    break;
                }
                // A full queue has a wake-up in it already.
                if let Err(TrySendError::Disconnected(_)) = changes.try_send(Message::Changed) {
                    return;
                }
            }
            if base {
                let _ = changes.try_send(Message::Lost);
            }
        });
    }

    /// Tells of a disaster that nobody has been told of, also while a scenario is on the screen.
    fn tell_of_disasters(&self, known: &mut Option<DisasterId>) {
        let snapshot = self.base.snapshot();
        let newest = snapshot.disasters.iter().max_by_key(|d| d.id);
        if let Some(d) = newest.filter(|d| known.is_none_or(|k| d.id > k)) {
            *known = Some(d.id);
            let names: Vec<&str> =
                d.regions.iter().map(|r| snapshot.estate.region(*r).name.as_str()).collect();
            let text = self.notify.text(&format!(
                "{}: {} {}",
                snapshot.estate.name,
                d.kind.words(),
                names.join(", ")
            ));
            if !text.is_empty() {
                let _ = send(&text);
            }
        }
    }

    /// Gives the terminal to the shell, where there is one that can give it back.
    pub(super) fn suspend(&self, session: &mut Session, app: &mut App, drawn: &mut Drawn) -> Next {
        if !super::session::has_a_shell() {
            app.told = Some("there is no shell to go back to".into());
            return Next::Go;
        }
        let began = Instant::now();
        let clock = chrono::Utc::now();
        session.stand_still();
        if session.take_again(self.mouse).is_err() || drawn.anew().is_err() {
            return Next::Leave;
        }
        app.event(&crossterm::event::Event::FocusGained, &self.shown().snapshot());
        let away = (chrono::Utc::now() - clock).to_std().unwrap_or_default().max(began.elapsed());
        let away = Span::ms(u64::try_from(away.as_millis()).unwrap_or(u64::MAX));
        app.tell(format!("It stood still for {away}: this program watched nothing meanwhile. `bpci serve` beside it would have."));
        Next::Go
    }

    /// Writes a frame, if it differs from the last one.
    fn paint(&self, app: &mut App, snapshot: &Snapshot, drawn: &mut Drawn) -> std::io::Result<()> {
        drawn.length.set(0);
        let mut area = drawn.terminal.get_frame().area();
        let mut buffer = drawn.spare.take().unwrap_or_default();
        buffer.resize(area);
        buffer.reset();
        tui_logger::move_events();
        let places = draw(app, snapshot, &self.theme, &self.glyphs, area, &mut buffer);
        app.places = places;
        if drawn.last.as_ref() == Some(&buffer) {
            drawn.spare = Some(buffer);
            return Ok(());
        }
        drawn.terminal.draw(|frame| {
            if frame.area() != area {
                // It was resized meanwhile: this frame is drawn for what there is now.
                area = frame.area();
                buffer = Buffer::empty(area);
                draw(app, snapshot, &self.theme, &self.glyphs, area, &mut buffer);
            }
            // Most of it is blank, as the frame is: only what is not is copied.
            for (cell, drawn) in frame
                .buffer_mut()
                .content
                .iter_mut()
                .zip(&buffer.content)
                .filter(|(cell, drawn)| cell != drawn)
            {
                cell.clone_from(drawn);
            }
        })?;
        drawn.spare = drawn.last.replace(buffer);
        Ok(())
    }

    /// While a scenario is on the screen: how what stands behind it is, in words.
    fn behind(&self) -> Option<(String, bool)> {
        self.drill.as_ref()?;
        let base = self.base.snapshot();
        Some(match base.disasters.first() {
            Some(d) => {
                (format!("behind this, {}: {} {}!", base.mode.word(), d.severity, d.kind.words()), true)
            }
            None => (format!("{} behind this is well", base.mode.word()), false),
        })
    }
}

impl Drawn {
    /// The terminal shows something else: everything is drawn again. (`clear` would ask it for the cursor, and wait.)
    pub fn anew(&mut self) -> std::io::Result<()> {
        let area = self
            .terminal
            .size()
            .map(|size| ratatui::layout::Rect::from((ratatui::layout::Position::ORIGIN, size)));
        self.last = None;
        area.and_then(|area| self.terminal.resize(area))
    }
}

/// Signals, as messages to the loop.
pub(super) async fn listen(sender: SyncSender<Message>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (stop, resume) =
        (signal(SignalKind::from_raw(libc::SIGTSTP)), signal(SignalKind::from_raw(libc::SIGCONT)));
    let resized = signal(SignalKind::window_change());
    let (Ok(mut stop), Ok(mut resume), Ok(mut resized)) = (stop, resume, resized) else { return };
    let mut end = std::pin::pin!(crate::controller::told_to_end());
    loop {
        let message = tokio::select! {
            () = &mut end => Message::End,
            _ = stop.recv() => Message::Suspend,
            _ = resized.recv() => {
                // The newest size is asked for when it is drawn; a full queue is drawn soon anyway.
                if let Ok((cols, rows)) = crossterm::terminal::size() {
                    let _ = sender.try_send(Message::Input(crossterm::event::Event::Resize(cols, rows)));
                }
                continue;
            }
            _ = resume.recv() => Message::Resumed,
        };
        let last = matches!(message, Message::End);
        // A full queue is full of keys that nobody reads; the end must not wait for that.
        if sender.try_send(message).is_err() || last {
            return;
        }
    }
}

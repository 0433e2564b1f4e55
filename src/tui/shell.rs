//! The loop around the screen: terminal and controller in, frames and orders out.
//!
//! It has a thread of its own, so that nothing but itself waits for a slow terminal.

use super::app::{App, Ask, Instead};
use super::out::{Length, Out, Recording, Reel, send};
use super::session::Session;
use super::{A_SECOND, BUSY, CALM, Glyphs, LATE, Message, Notify, OPEN, Remembered, Stage, Theme, draw, save};
use crate::model::*;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use std::mem::ManuallyDrop;
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
}

/// What has been drawn, and when.
struct Drawn {
    /// Never dropped: it would complain to a terminal that may be gone, and die of that. The session gives the cursor back.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Out>>>,
    reel: Reel,
    last: Option<Buffer>,
    /// The one before it: the next is drawn into its room.
    spare: Option<Buffer>,
    at: Option<Instant>,
    length: Length,
}

/// Messages that one frame waits for at most.
const BURST: usize = 256;

/// What the loop does next.
enum Next {
    Go,
    Leave,
}

impl Show {
    pub fn run(mut self, mut app: App, recording: Option<Recording>, inbox: &Receiver<Message>) -> Result<(), String> {
        let mut session = Session::enter(self.mouse).map_err(|e| format!("the terminal cannot be used: {e}; use --plain"))?;
        let inputs = self.sender.clone();
        std::thread::spawn(move || super::session::listen(&inputs));
        self.watch(&self.base, true);
        let reel = Reel::new(recording);
        let length = Length::default();
        let terminal = Terminal::new(CrosstermBackend::new(Out::new(reel.clone(), length.clone()))).map_err(|e| e.to_string())?;
        let mut drawn = Drawn { terminal: ManuallyDrop::new(terminal), reel, last: None, spare: None, at: None, length };
        let mut known = self.base.snapshot().disasters.first().map(|d| d.id);
        let (mut urgent, mut stale, mut judged) = (true, true, false);
        loop {
            let snapshot = self.shown().snapshot();
            app.refresh(&snapshot);
            app.behind = self.behind();
            // How it ended is kept by now: the drills tell it.
            let over = snapshot.world.as_ref().and_then(|w| w.scenario.as_ref()).is_some_and(|s| s.unmet.is_some());
            if over && !std::mem::replace(&mut judged, over) {
                (app.cards, app.calendar) = (self.stage.cards(), self.stage.calendar());
            }
            app.beside = matches!(app.instead, Instead::Fork(..)).then(|| self.base.snapshot());
            let busy = !snapshot.disasters.is_empty() || snapshot.open().next().is_some();
            let pace = match (app.dialog.is_some(), busy) {
                (true, _) => OPEN,
                // A large frame holds the next one back: what changes meanwhile is drawn at once, and a line takes it.
                (false, true) => BUSY.max(Duration::from_millis(drawn.length.bytes() as u64 * 1000 / A_SECOND)).min(CALM),
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
        Remembered { theme, screen: Some(app.screen.name().to_string()) }.save(&self.data.join("remembered.toml"));
    }

    /// Takes in one message.
    ///
    /// # Errors
    /// There is no controller any more.
    fn heard(&mut self, message: Message, session: &mut Session, app: &mut App, drawn: &mut Drawn) -> Result<Next, String> {
        match message {
            Message::Changed => {}
            Message::End => return Ok(Next::Leave),
            Message::Lost => return Err("the controller has ended; what was decided is in the journal".to_string()),
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
            Message::Forked(_, Ok(_)) => app.forking = None,
            Message::Forked(_, Err(text)) => {
                app.forking = None;
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
    fn shown(&self) -> &Arc<dyn Handle> {
        self.drill.as_ref().unwrap_or(&self.base)
    }

    /// Wakes the loop when there is a newer snapshot. Only the controller that everything is about may not be lost.
    fn watch(&self, handle: &Arc<dyn Handle>, base: bool) {
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

    /// Back to the controller that everything is about.
    fn leave(&mut self, app: &mut App) {
        self.drill = None;
        app.turn_to(Instead::Nothing);
        (app.cards, app.calendar) = (self.stage.cards(), self.stage.calendar());
    }

    fn asked(&mut self, ask: Ask, session: &mut Session, app: &mut App, drawn: &mut Drawn) -> Next {
        match ask {
            Ask::Quit => return Next::Leave,
            Ask::Order(action) => {
                let label = match &action {
                    Action::Confirm(c) => Some(format!("{} confirms {}", self.who, c.typed)),
                    Action::Note { text } => Some(text.clone()),
                    _ => None,
                };
                if let Some(label) = label {
                    drawn.reel.mark(&label);
                }
                let words = done_words(&action);
                self.reply(self.shown().order(Order { by: self.who.clone(), action }), words);
            }
            Ask::Untouched(action) => self.reply(self.shown().order(Order { by: self.who.clone(), action }), super::typing::LEFT),
            Ask::Mistyped(action) => {
                // It is refused, and that was told where it was typed.
                let refused = self.shown().order(Order { by: self.who.clone(), action });
                self.runtime.spawn(refused);
            }
            Ask::Orders(actions) => self.order(self.shown(), actions),
            Ask::Really(actions) => self.order(&self.base, actions),
            Ask::Control(control) => {
                let words = match &control {
                    Control::Mend => "every fault is mended",
                    Control::Inject { .. } => "it strikes: what is seen of it comes in",
                    _ => "",
                };
                self.reply(self.shown().control(control), words);
            }
            Ask::Play { name, walk } => {
                // Its tasks are started from here.
                let _inside = self.runtime.enter();
                match self.stage.play(&name, walk) {
                    Ok(handle) => {
                        self.watch(&handle, false);
                        self.drill = Some(handle);
                        app.turn_to(Instead::Drill);
                    }
                    Err(text) => app.tell(text),
                }
            }
            Ask::Fork => {
                let (fork, sender) = (self.base.fork(), self.sender.clone());
                let at = self.base.snapshot().now.utc;
                self.runtime.spawn(async move {
                    let _ = sender.try_send(Message::Forked(at, fork.await));
                });
            }
            Ask::Leave => {
                // What was tried is a part of what is decided on.
                if let Some(text) = matches!(app.instead, Instead::Fork(..)).then(|| super::fork::tried(&self.shown().snapshot())).flatten() {
                    let noted = self.base.order(Order { by: self.who.clone(), action: Action::Note { text } });
                    self.runtime.spawn(noted);
                }
                self.leave(app);
            }
            Ask::TakeOver(action) => {
                self.leave(app);
                drawn.reel.mark("what was tried in the fork is on the table");
                self.reply(self.base.order(Order { by: self.who.clone(), action }), "");
            }
            Ask::Theme(name) => match Theme::load(&name) {
                Ok(theme) => {
                    self.theme = theme.within(super::depth());
                    app.told = Some(format!("theme {name}"));
                    app.theme = name;
                    drawn.last = None;
                }
                Err(text) => app.tell(text),
            },
            Ask::Export { lines, filter } => app.tell(self.export(&lines, &filter)),
            Ask::Search(words) => {
                let (stage, sender) = (Arc::clone(&self.stage), self.sender.clone());
                // A long record takes seconds: nothing waits for that.
                if self.drill.is_none() {
                    self.runtime.spawn_blocking(move || {
                        if let Some(found) = stage.search(&words) {
                            let _ = sender.send(Message::Found(words, found));
                        }
                    });
                }
            }
            Ask::Copy => {
                use base64::Engine;
                let text = self.picture(app, drawn).as_ref().map(save::text).unwrap_or_default();
                let coded = base64::engine::general_purpose::STANDARD.encode(text);
                let _ = send(&format!("\x1b]52;c;{coded}\x07"));
                app.told = Some("copied, if the terminal takes OSC 52; P saves to a file".to_string());
            }
            Ask::Save => {
                let picture = self.picture(app, drawn);
                app.tell(self.save(picture.as_ref()));
            }
            Ask::Repaint if drawn.anew().is_err() => return Next::Leave,
            Ask::Repaint => {}
            Ask::Suspend => return self.suspend(session, app, drawn),
        }
        Next::Go
    }

    fn order(&self, controller: &Arc<dyn Handle>, actions: Vec<Action>) {
        let several = actions.len() > 1;
        for action in actions {
            let words = match action {
                Action::StopAutomatic { .. } if several => "all of ours are stopped; the clusters' own run on",
                _ => done_words(&action),
            };
            self.reply(controller.order(Order { by: self.who.clone(), action }), words);
        }
    }

    /// Waits for an answer; `words` say what was done, where that is all it says.
    fn reply(&self, answer: Answer, words: &'static str) {
        let sender = self.sender.clone();
        self.runtime.spawn(async move {
            let answer = answer.await;
            let _ = sender.try_send(Message::Answer(answer, words));
        });
    }

    /// A file of ours that is not there yet.
    fn file(&self, kind: &str, extension: &str) -> std::io::Result<PathBuf> {
        let directory = self.data.join("saved");
        std::fs::create_dir_all(&directory)?;
        let stamp = chrono::Utc::now().format("%Y%m%dT%H%M%S");
        Ok((0..100)
            .map(|n| directory.join(if n == 0 { format!("{kind}-{stamp}.{extension}") } else { format!("{kind}-{stamp}-{n}.{extension}") }))
            .find(|p| !p.exists())
            .unwrap_or_else(|| directory.join(format!("{kind}.{extension}"))))
    }

    fn export(&self, lines: &[LogLine], filter: &str) -> String {
        let s = self.shown().snapshot();
        let text = super::export::text(&s, lines, filter);
        let written = self.file("timeline", "txt").and_then(|path| std::fs::write(&path, text).map(|()| path));
        match written {
            Ok(path) => {
                let older =
                    if s.log_total > s.log.len() as u64 { "; what is older: a filter and Enter search it, `bpci journal show` has all" } else { "" };
                format!("{} in {}{older}", super::text::count(lines.len(), "line"), path.display())
            }
            Err(e) => format!("The timeline was not written: {e}"),
        }
    }

    fn save(&self, last: Option<&Buffer>) -> String {
        let Some(buffer) = last else { return "Nothing was drawn yet.".to_string() };
        let write = |extension: &str, text: String| self.file("screen", extension).and_then(|path| std::fs::write(&path, text).map(|()| path));
        let written = write("txt", save::text(buffer)).and(write("ansi", save::ansi(buffer))).and(write("svg", save::svg(buffer)));
        match written {
            Ok(path) => format!("{} is there, and beside it the same as .txt and .ansi", path.display()),
            Err(e) => format!("The screen was not saved: {e}"),
        }
    }

    /// Tells of a disaster that nobody has been told of, also while a scenario is on the screen.
    fn tell_of_disasters(&self, known: &mut Option<DisasterId>) {
        let snapshot = self.base.snapshot();
        let newest = snapshot.disasters.iter().max_by_key(|d| d.id);
        if let Some(d) = newest.filter(|d| known.is_none_or(|k| d.id > k)) {
            *known = Some(d.id);
            let names: Vec<&str> = d.regions.iter().map(|r| snapshot.estate.region(*r).name.as_str()).collect();
            let text = self.notify.text(&format!("{}: {} {}", snapshot.estate.name, d.kind.words(), names.join(", ")));
            if !text.is_empty() {
                let _ = send(&text);
            }
        }
    }

    /// Gives the terminal to the shell, where there is one that can give it back.
    fn suspend(&self, session: &mut Session, app: &mut App, drawn: &mut Drawn) -> Next {
        if !super::session::has_a_shell() {
            app.told = Some("there is no shell to go back to".to_string());
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

    /// What is shown now: not the dialog that it was picked in.
    fn picture(&self, app: &App, drawn: &Drawn) -> Option<Buffer> {
        let area = drawn.last.as_ref()?.area;
        let mut buffer = Buffer::empty(area);
        draw(app, &self.shown().snapshot(), &self.theme, &self.glyphs, area, &mut buffer);
        Some(buffer)
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
            for (cell, drawn) in frame.buffer_mut().content.iter_mut().zip(&buffer.content).filter(|(cell, drawn)| cell != drawn) {
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
            Some(d) => (format!("behind this, {}: {} {}!", base.mode.word(), d.severity, d.kind.words()), true),
            None => (format!("{} behind this is well", base.mode.word()), false),
        })
    }
}

impl Drawn {
    /// The terminal shows something else: everything is drawn again. (`clear` would ask it for the cursor, and wait.)
    fn anew(&mut self) -> std::io::Result<()> {
        let area = self.terminal.size().map(|size| ratatui::layout::Rect::from((ratatui::layout::Position::ORIGIN, size)));
        self.last = None;
        area.and_then(|area| self.terminal.resize(area))
    }
}

/// What was done, in the words of who asked for it.
const fn done_words(action: &Action) -> &'static str {
    match action {
        Action::Note { .. } => "the note stands in the record",
        Action::StopAutomatic { .. } => "ours is stopped; the cluster's own runs on",
        Action::Withdraw { .. } => "withdrawn: nothing is decided",
        Action::Arm { .. } => "armed: orders act now",
        Action::Disarm => "read-only",
        Action::Answer { .. } => "answered",
        Action::AcceptUnprotected { .. } => "accepted, under your name",
        Action::Rollback { .. } => "it is being rolled back",
        Action::Abort { .. } => "ended",
        Action::Propose { .. } | Action::Confirm(_) => "",
    }
}

/// Signals, as messages to the loop.
pub(super) async fn listen(sender: SyncSender<Message>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (stop, resume) = (signal(SignalKind::from_raw(libc::SIGTSTP)), signal(SignalKind::from_raw(libc::SIGCONT)));
    let resized = signal(SignalKind::window_change());
    let (Ok(mut stop), Ok(mut resume), Ok(mut resized)) = (stop, resume, resized) else { return };
    let mut end = std::pin::pin!(crate::cli::told_to_end());
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

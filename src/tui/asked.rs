//! What a key asks for beside the screen: orders and their answers, forks and scenarios, files.

use super::app::{App, Ask, Instead};
use super::out::send;
use super::session::Session;
use super::shell::{Drawn, Next, Show};
use super::{Message, Theme, draw, save};
use crate::model::*;
use ratatui::buffer::Buffer;
use std::path::PathBuf;
use std::sync::Arc;

impl Show {
    pub(super) fn asked(
        &mut self,
        ask: Ask,
        session: &mut Session,
        app: &mut App,
        drawn: &mut Drawn,
    ) -> Next {
        match ask {
            Ask::Quit => return Next::Leave,
            Ask::Order(action) => {
                let label = match &action {
                    Action::Confirm(c) => Some(format!("{} confirms {}", self.who, c.typed)),
                    Action::Note { text, .. } => Some(text.clone()),
                    _ => None,
                };
                if let Some(label) = label {
                    drawn.reel.mark(&label);
                }
                let words = done_words(&action);
                self.reply(self.shown().order(action), words);
            }
            Ask::Untouched(action) => self.reply(self.shown().order(action), super::typing::LEFT),
            Ask::Mistyped(action) => {
                // It is refused, and that was told where it was typed.
                let refused = self.shown().order(action);
                self.runtime.spawn(refused);
            }
            Ask::Orders(actions) => self.order(self.shown(), actions),
            Ask::Really(actions) => self.order(&self.base, actions),
            Ask::Control(control) => {
                let words = match &control {
                    Control::Mend => "every fault ends; what was fenced answers in some seconds",
                    Control::Inject { .. } => "it is done: what is seen of it comes in",
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
                if let Some(text) = matches!(app.instead, Instead::Fork(..))
                    .then(|| super::fork::tried(&self.shown().snapshot()))
                    .flatten()
                {
                    let noted = self.base.order(Action::Note { text, by_hand: false });
                    self.runtime.spawn(noted);
                }
                self.leave(app);
            }
            Ask::TakeOver(action) => {
                self.leave(app);
                drawn.reel.mark("what was tried in the fork is on the table");
                self.reply(self.base.order(action), "");
            }
            Ask::Theme(name) => match Theme::load(&name) {
                Ok(theme) => {
                    self.theme = theme.within(super::depth());
                    app.told = Some(format!("theme {name}").into());
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
                app.told = Some("copied, if the terminal takes OSC 52; P saves to a file".into());
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

    /// Back to the controller that everything is about.
    fn leave(&mut self, app: &mut App) {
        self.drill = None;
        app.turn_to(Instead::Nothing);
        (app.cards, app.calendar) = (self.stage.cards(), self.stage.calendar());
    }

    fn order(&self, controller: &Arc<dyn Handle>, actions: Vec<Action>) {
        let several = actions.len() > 1;
        for action in actions {
            let words = match action {
                Action::StopAutomatic { .. } if several => {
                    "all of ours are stopped; the clusters' own run on"
                }
                _ => done_words(&action),
            };
            self.reply(controller.order(action), words);
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
            .map(|n| {
                directory.join(if n == 0 {
                    format!("{kind}-{stamp}.{extension}")
                } else {
                    format!("{kind}-{stamp}-{n}.{extension}")
                })
            })
            .find(|p| !p.exists())
            .unwrap_or_else(|| directory.join(format!("{kind}.{extension}"))))
    }

    fn export(&self, lines: &[LogLine], filter: &str) -> String {
        let s = self.shown().snapshot();
        let text = super::export::text(&s, lines, filter);
        let written =
            self.file("timeline", "txt").and_then(|path| std::fs::write(&path, text).map(|()| path));
        match written {
            Ok(path) => {
                let older = if s.log_total > s.log.len() as u64 {
                    "; what is older: a filter and Enter search it, `bpci journal show` has all"
                } else {
                    ""
                };
                format!("{} in {}{older}", super::text::count(lines.len(), "line"), path.display())
            }
            Err(e) => format!("The timeline was not written: {e}"),
        }
    }

    fn save(&self, last: Option<&Buffer>) -> String {
        let Some(buffer) = last else { return "Nothing was drawn yet.".to_string() };
        let write = |extension: &str, text: String| {
            self.file("screen", extension).and_then(|path| std::fs::write(&path, text).map(|()| path))
        };
        let written = write("txt", save::text(buffer))
            .and(write("ansi", save::ansi(buffer)))
            .and(write("svg", save::svg(buffer)));
        match written {
            Ok(path) => format!("{} is there, and beside it the same as .txt and .ansi", path.display()),
            Err(e) => format!("The screen was not saved: {e}"),
        }
    }

    /// What is shown now: not the dialog that it was picked in.
    fn picture(&self, app: &App, drawn: &Drawn) -> Option<Buffer> {
        let area = drawn.last.as_ref()?.area;
        let mut buffer = Buffer::empty(area);
        draw(app, &self.shown().snapshot(), &self.theme, &self.glyphs, area, &mut buffer);
        Some(buffer)
    }
}

/// What was done, in the words of who asked for it.
const fn done_words(action: &Action) -> &'static str {
    match action {
        Action::Note { .. } => "the note stands in the record",
        Action::Vouch { .. } => "you vouch for it, under your name",
        Action::StopAutomatic { .. } => "ours is stopped; the cluster's own runs on",
        Action::Withdraw { .. } => "you said no: it is off the table, and nothing was done",
        Action::Arm { .. } => "armed: orders act now",
        Action::Disarm => "read-only",
        Action::Adopt { .. } => "the cluster is adopted",
        Action::Answer { .. } => "answered",
        Action::AcceptUnprotected { .. } => "accepted, under your name",
        Action::Rollback { .. } => "it is being rolled back",
        Action::Abort { .. } => "ended",
        Action::Propose { .. } | Action::Confirm(_) => "",
    }
}

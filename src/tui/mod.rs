//! The dashboard: one screen that answers an incident commander's questions.
//!
//! It promises: polling and deciding never wait for a terminal (the drawing has a thread of its own and takes only the
//! newest snapshot); the terminal is left as it was found; a pure function of snapshot and size makes the picture. It
//! decides nothing: keys become orders, which the engine's one gate hears.

mod act;
mod answers;
mod app;
mod asked;
mod backend;
mod base16;
mod blocks;
mod can;
mod chart;
mod click;
mod colour;
mod command_screen;
mod confirm;
mod confirm_lines;
mod dialog;
mod dialog_lines;
mod export;
mod field;
mod follow;
mod footer;
mod fork;
mod glyph;
mod inject;
mod input;
mod key;
mod keys;
mod kinds;
mod list;
mod list_screen;
mod narration;
mod out;
mod palette;
mod panel;
mod paper;
mod places;
mod rows;
mod save;
mod screen;
mod session;
mod settings;
mod shell;
mod subject;
mod text;
mod theme;
mod typing;
mod view;

pub use app::{App, Ask, Instead};
pub use click::{Click, Places};
pub use colour::Depth;
pub use export::text as export;
pub use glyph::{ASCII, Glyphs, UNICODE};
pub use keys::{Command, KeyMap};
pub use list::passes;
pub use places::Screen;
pub use save::{ansi, svg, text};
pub use screen::draw;
pub use session::{keyboard, panicked, watch_panics};
pub use settings::{Notify, Remembered, Settings};
pub use theme::Theme;

use crate::model::*;
use crossterm::event::Event;
use out::Recording;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// How the screen looks and behaves, where it was asked for; else as the settings say, and the terminal tells.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    pub theme: Option<String>,
    pub ascii: bool,
    pub screen: Option<Screen>,
    pub mouse: bool,
    /// A scenario or a replay begins on its first screen, not on the one that was last in use.
    pub afresh: bool,
    pub notify: Option<Notify>,
    /// Write what is shown into this file, as an asciicast.
    pub record: Option<PathBuf>,
    /// Where saved screens and what is remembered go.
    pub data: PathBuf,
    /// The terminal that keys come from, where that is not standard input.
    pub keyboard: Option<Arc<OwnedFd>>,
}

/// What can be shown in place of the controller: scenarios, on a simulation.
pub trait Stage: Send + Sync {
    /// What can be played, and how it ended before.
    fn cards(&self) -> Vec<Card>;

    /// How each kind of exercise stands.
    fn calendar(&self) -> Vec<Due>;

    /// Begins a scenario.
    ///
    /// # Errors
    /// There is none of this name, or it has a mistake.
    fn play(&self, name: &str, walk: bool) -> Result<Arc<dyn Handle>, String>;

    /// The newest lines of the whole record that have all these words in them; `None` where there is no record to search
    /// but what is on the screen.
    ///
    /// # Errors
    /// The record cannot be read.
    fn search(&self, words: &str) -> Option<Result<Vec<LogLine>, String>>;
}

enum Message {
    Input(Event),
    Changed,
    /// What came of an order, and what to say if it was just done.
    Answer(Result<Receipt, Refusal>, &'static str),
    /// What a search of the record for these words came to.
    Found(String, Result<Vec<LogLine>, String>),
    /// A database as it stood then, in a simulation of its own.
    Forked(Utc, Result<Arc<dyn Handle>, String>),
    /// The terminal is gone, or the program is told to end.
    End,
    /// The controller is gone: there will be no newer snapshot.
    Lost,
    /// Told to stand still by the shell, and let go on again.
    Suspend,
    Resumed,
}

/// While somebody decides a frame is drawn this often at most; while something happens, less often; in calm, once a second,
/// as the second of the controller's clock comes (a little less: it comes a moment sooner or later). Where no news comes,
/// one is drawn after a while all the same.
const OPEN: Duration = Duration::from_millis(100);
const BUSY: Duration = Duration::from_millis(200);
const CALM: Duration = Duration::from_millis(980);
const LATE: Duration = Duration::from_millis(1500);
/// Bytes a second that are drawn by themselves while something happens; what a key asks for is drawn at once.
const A_SECOND: u64 = 2048;
/// A terminal that takes no more bytes is left behind after this time.
const STUCK: Duration = Duration::from_secs(2);

/// Shows the dashboard until it is left.
///
/// # Errors
/// The theme that was asked for has a mistake, or there is no terminal.
pub async fn run(
    handle: Arc<dyn Handle>,
    stage: Arc<dyn Stage>,
    who: String,
    looks: Looks,
) -> Result<(), String> {
    // A mistake in what a person likes must not keep anybody from an incident: it is told, and left out.
    let (mut settings, mut mistake) = match Settings::load(&settings::directory().join("screen.toml")) {
        Ok(settings) => (settings, None),
        Err(text) => (Settings::default(), Some(text)),
    };
    if let Some(Err(text)) = settings.theme.as_deref().map(Theme::load) {
        (settings.theme, mistake) = (None, Some(text));
    }
    let remembered = Remembered::load(&looks.data.join("remembered.toml"));
    let (theme, name) =
        theme_of(looks.theme.as_deref().or(settings.theme.as_deref()), remembered.theme.as_deref())?;
    // What the terminal takes today is no wish: what was wished for stays remembered.
    let wished = if looks.theme.is_none() && settings.theme.is_none() && no_colour() {
        remembered.theme.clone()
    } else {
        Some(name.clone())
    };
    let glyphs = glyphs_of(looks.ascii || settings.ascii.unwrap_or(false));
    let mut app = App::new();
    (app.keys, app.theme) = (settings.key_map(), name.clone());
    let first = remembered.screen.as_deref().and_then(|s| s.parse().ok()).filter(|_| !looks.afresh);
    app.screen = looks.screen.or(first).unwrap_or_default();
    if let Some(text) = mistake {
        tracing::warn!("{text}");
        app.tell(format!("{text}. It goes on without these settings."));
    }
    let recording = match &looks.record {
        Some(path) => Some(Recording::begin(path, backend::size().into())?),
        None => None,
    };
    let (sender, inbox) = sync_channel(1024);
    let ended = tokio::spawn(shell::listen(sender.clone()));
    let show = shell::Show {
        base: handle,
        drill: None,
        stage,
        who,
        theme,
        began_with: name,
        wished,
        glyphs,
        notify: looks.notify.unwrap_or(settings.notify),
        mouse: looks.mouse || settings.mouse,
        data: looks.data,
        runtime: tokio::runtime::Handle::current(),
        sender: sender.clone(),
        keyboard: looks.keyboard,
    };
    let screen = tokio::task::spawn_blocking(move || show.run(app, recording, &inbox));
    let result = tokio::select! {
        result = screen => result.map_err(|e| e.to_string()),
        // It is told to end, and the terminal takes no more bytes: what was decided is in the journal all the same.
        () = async { crate::controller::told_to_end().await; tokio::time::sleep(STUCK).await } => Ok(Ok(())),
    };
    ended.abort();
    result?
}

/// The theme that was asked for; else none where none is wanted; else the one that was last in use.
fn theme_of(asked: Option<&str>, remembered: Option<&str>) -> Result<(Theme, String), String> {
    let depth = depth();
    let load = |name: &str| Theme::load(name).map(|theme| (theme.within(depth), name.to_string()));
    match asked {
        Some(name) => load(name),
        None if no_colour() => load("mono"),
        None => remembered.and_then(|name| load(name).ok()).map_or_else(|| load("terminal"), Ok),
    }
}

fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
        || std::env::var("TERM").is_ok_and(|t| t == "dumb")
}

/// How many colours the terminal says it has; sshd forwards little, so TERM must do.
fn depth() -> Depth {
    let says =
        |name: &str, words: &[&str]| std::env::var(name).is_ok_and(|v| words.iter().any(|w| v.contains(w)));
    match () {
        () if says("COLORTERM", &["truecolor", "24bit"])
            || says("TERM", &["direct", "kitty", "alacritty", "ghostty", "wezterm"]) =>
        {
            Depth::True
        }
        () if says("TERM", &["256color"]) => Depth::Indexed,
        () => Depth::Sixteen,
    }
}

fn glyphs_of(ascii: bool) -> Glyphs {
    if ascii || !speaks_utf8() { ASCII } else { UNICODE }
}

fn speaks_utf8() -> bool {
    let name =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()));
    let dumb = std::env::var("TERM").is_ok_and(|t| t == "dumb" || t == "linux");
    !dumb && name.is_some_and(|n| n.to_uppercase().replace('-', "").contains("UTF8"))
}

/// One picture of a screen, without a terminal: for scripts and for documents.
///
/// # Errors
/// The theme has a mistake.
pub fn once(
    snapshot: &Snapshot,
    stage: &dyn Stage,
    looks: &Looks,
    size: (u16, u16),
) -> Result<Buffer, String> {
    let (theme, name) = theme_of(looks.theme.as_deref(), None)?;
    let mut app = App::new();
    (app.cards, app.calendar) = (stage.cards(), stage.calendar());
    (app.theme, app.screen) = (name, looks.screen.unwrap_or_default());
    let area = Rect::new(0, 0, size.0, size.1);
    let mut buffer = Buffer::empty(area);
    draw(&app, snapshot, &theme, &glyphs_of(looks.ascii), area, &mut buffer);
    Ok(buffer)
}

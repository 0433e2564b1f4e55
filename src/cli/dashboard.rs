//! The dashboard, its lines, or one screen of it: of an estate, of a simulation, or of an incident again.

use super::fail::Fail;
use super::open::{Opened, begun, live};
use super::output::write_out;
use super::plain;
use super::stage::Scenarios;
use crate::config;
use crate::controller::{
    Home, Playing, Replay, Tenure, forecasts, keep_rehearsal, own_actor, readiness, start_replay,
};
use crate::model::*;
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the dashboard, or the plain lines, show.
#[derive(Clone, Debug, Args)]
pub struct Open {
    /// A live estate, read-only until armed
    #[arg(long, value_name = "FILE", conflicts_with = "fixture")]
    pub config: Option<PathBuf>,
    /// Allow orders to act
    #[arg(long, requires = "config")]
    pub arm: bool,
    /// A scenario of ours by name, or one in a file
    #[arg(long, value_name = "NAME|FILE")]
    pub fixture: Option<String>,
    /// An incident again, from its journal: a file, or the directory it is in
    #[arg(long, value_name = "JOURNAL", conflicts_with_all = ["config", "fixture"])]
    pub replay: Option<PathBuf>,
    /// How many times real time a simulation or a replay runs (1 to 1000)
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub speed: u32,
    /// The seed of a simulation's chances [default: the scenario's]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Lines instead of a screen
    #[arg(long)]
    pub plain: bool,
    /// terminal, dark, light, deuteranopia, tritanopia, contrast, mono, a file, or a base16 scheme
    #[arg(long, value_name = "NAME|FILE")]
    pub theme: Option<String>,
    /// The screen to begin with: command, regions, services, recovery, replication, timeline, drills, log
    #[arg(long, value_name = "NAME")]
    pub screen: Option<crate::tui::Screen>,
    /// Print one screen and leave: text, ansi or svg
    #[arg(long, value_name = "FORM", num_args = 0..=1, default_missing_value = "text", require_equals = true)]
    pub once: Option<Form>,
    /// With --once: how long to look before; on a simulation its own time [default: 3s]
    #[arg(long, value_name = "30s", requires = "once")]
    pub after: Option<crate::config::Duration>,
    /// With --once: columns x rows [default: the terminal's, else 80x24]
    #[arg(long, value_name = "80x24", requires = "once")]
    pub size: Option<Size>,
    /// Take the wheel of the mouse (the terminal's own selection then needs shift)
    #[arg(long)]
    pub mouse: bool,
    /// Tell a new disaster: bell, osc9, both or none
    #[arg(long, value_name = "HOW")]
    pub notify: Option<crate::tui::Notify>,
    /// Record what is shown, as an asciicast (version 3)
    #[arg(long, value_name = "FILE.cast")]
    pub record: Option<PathBuf>,
    /// Walk through the scenario: it stops and tells at each turn
    #[arg(long, requires = "fixture")]
    pub walk: bool,
    /// Only ASCII marks
    #[arg(long)]
    pub ascii: bool,
}

impl Open {
    pub fn looks(&self) -> crate::tui::Looks {
        crate::tui::Looks {
            theme: self.theme.clone(),
            ascii: self.ascii,
            screen: self.screen,
            mouse: self.mouse,
            afresh: self.fixture.is_some() || self.replay.is_some(),
            notify: self.notify,
            record: self.record.clone(),
            data: crate::controller::data_directory(),
            keyboard: None,
        }
    }
}

/// How a single screen is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    Text,
    Ansi,
    Svg,
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u16, pub u16);

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let parts = text.split_once('x').and_then(|(c, r)| Some((c.parse().ok()?, r.parse().ok()?)));
        let known = parts.filter(|(c, r)| (1..=1000).contains(c) && (1..=1000).contains(r));
        known
            .map(|(c, r)| Size(c, r))
            .ok_or_else(|| format!("`{text}` is no size; write columns x rows, such as 120x40"))
    }
}

/// The dashboard, or its lines.
pub async fn dashboard(open: Open) -> Result<(), Fail> {
    if open.plain
        && let Some(name) = &open.fixture
    {
        let scenario = config::load_scenario(name).map_err(|m| Fail::mistakes(2, &m))?;
        let seed = open.seed.unwrap_or(scenario.seed);
        return tokio::task::spawn_blocking(move || plain::scenario(scenario, seed, open.speed))
            .await
            .map_err(Fail::failed)?;
    }
    if let Some(path) = &open.replay {
        return replay(path, &open).await;
    }
    if let (Some(form), None) = (open.once, &open.config) {
        // A simulation need not be waited for: its time is its own.
        let scenario = config::load_scenario(open.fixture.as_deref().unwrap_or("calm"))
            .map_err(|m| Fail::mistakes(2, &m))?;
        let mut simulation = begun(scenario, open.seed, Mode::Simulation)?;
        simulation.run_to(Mono(open.after.map_or(Span::secs(3), |d| d.0).0)).map_err(Fail::failed)?;
        let mut snapshot = simulation.snapshot(open.speed, false);
        snapshot.forecasts = forecasts(&simulation.core.engine, simulation.now(), &snapshot, 1000);
        let ready = readiness(&simulation.core.engine, simulation.now(), 100);
        snapshot.readiness = Some(ReadinessView::of(&snapshot.estate, snapshot.now.utc, &ready));
        return once(&snapshot, &open, form);
    }
    let looks = screen_looks(&open)?;
    tracing::info!("bpci {} begins", env!("CARGO_PKG_VERSION"));
    let opened = match &open.config {
        Some(file) => live(file, open.arm, Tenure::Stays).await?,
        None => {
            let name = open.fixture.as_deref().unwrap_or("calm");
            let scenario = config::load_scenario(name).map_err(|m| Fail::mistakes(2, &m))?;
            let simulation = begun(scenario, open.seed, Mode::Simulation)?;
            // A scenario that was played to its end counts, wherever it was begun.
            let ended: Option<Box<dyn FnOnce(PlayedOnce) + Send>> =
                open.fixture.as_ref().map(|_| Box::new(|result| keep_rehearsal(&result)) as _);
            let playing = Playing {
                speed: open.speed,
                judged: open.fixture.is_some(),
                walk: open.walk,
                waits: false,
                ended,
            };
            Opened::of(simulation, playing)
        }
    };
    let handle = Arc::clone(&opened.handle);
    let record = (!opened.simulated).then(|| Home::of(&handle.snapshot().estate.name).journal());
    let result = match (open.plain, open.once) {
        (true, _) => plain::follow(handle).await,
        (_, Some(form)) => {
            tokio::time::sleep(open.after.map_or(Span::secs(3), |d| d.0).as_std()).await;
            once(&handle.snapshot(), &open, form)
        }
        _ => crate::tui::run(handle, Arc::new(Scenarios { record }), own_actor().to_string(), looks)
            .await
            .map_err(Fail::failed),
    };
    opened.close().await;
    result
}

/// An incident again.
async fn replay(path: &Path, open: &Open) -> Result<(), Fail> {
    let path = if path.is_dir() { path.join("journal.db") } else { path.to_path_buf() };
    let mut replay = Replay::open(&path)?;
    if let Some(form) = open.once {
        let began = replay.snapshot(1, true).now.utc;
        replay.to(began.plus(open.after.map_or(Span::ZERO, |d| d.0)))?;
        return once(&replay.snapshot(open.speed, true), open, form);
    }
    let looks = screen_looks(open)?;
    let handle = start_replay(replay, open.speed);
    if open.plain {
        return plain::follow(handle).await;
    }
    crate::tui::run(handle, Arc::new(Scenarios { record: Some(path) }), own_actor().to_string(), looks)
        .await
        .map_err(Fail::failed)
}

/// How the screen looks, and where its keys come from. A terminal that is not there is told before anything is started.
fn screen_looks(open: &Open) -> Result<crate::tui::Looks, Fail> {
    let mut looks = open.looks();
    if !open.plain && open.once.is_none() {
        looks.keyboard = crate::tui::keyboard().map_err(Fail::usage)?.map(Arc::new);
    }
    Ok(looks)
}

/// One screen, printed.
fn once(snapshot: &Snapshot, open: &Open, form: Form) -> Result<(), Fail> {
    let size = open
        .size
        .map(|s| (s.0, s.1))
        .or_else(|| crossterm::terminal::size().ok().filter(|s| s.0 > 0 && s.1 > 0))
        .unwrap_or((80, 24));
    let picture =
        crate::tui::once(snapshot, &Scenarios::default(), &open.looks(), size).map_err(Fail::usage)?;
    let text = match form {
        Form::Text => crate::tui::text(&picture),
        Form::Ansi => crate::tui::ansi(&picture),
        Form::Svg => crate::tui::svg(&picture),
    };
    // The screen let nothing through that acts on a terminal; the rest is the picture.
    write_out(text.trim_end_matches('\n'))
}

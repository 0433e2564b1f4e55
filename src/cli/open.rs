//! Which controller: one of our own, one that runs, or a simulation.

use super::args::{Form, Open, Target};
use super::fail::Fail;
use super::output::{say, write_out};
use super::plain;
use super::stage::Scenarios;
use crate::config;
use crate::controller::{
    Addressee, FindError, Found, Home, Live, Playing, Replay, Seat, Simulation, StartError, Tenure, find,
    forecasts, keep_rehearsal, own_actor, readiness, start_live, start_replay, start_simulation,
};
use crate::engine::Engine;
use crate::journal::Journal;
use crate::model::{Target as EstateTarget, *};
use crate::wording::difference_words;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A controller that was reached.
pub struct Opened {
    pub handle: Arc<dyn Handle>,
    pub simulated: bool,
    /// It is ours: it ends when we do.
    pub own: bool,
    live: Option<Live>,
}

impl Opened {
    /// The controller's engine; of one in another process, made anew from its record and from what was measured beside it.
    pub async fn engine(&self) -> Result<(Engine, Now), Fail> {
        if let Some(live) = &self.live {
            return live.engine().await.ok_or_else(|| Fail::failed("the controller has ended"));
        }
        let journal = Home::of(&self.handle.snapshot().estate.name).journal();
        let newest = tokio::task::spawn_blocking(move || Replay::newest(&journal));
        Ok(newest.await.map_err(Fail::failed)??)
    }

    pub async fn close(self) {
        if let Some(live) = self.live {
            live.close().await;
        }
    }
}

/// The controller that a command asks.
pub async fn controller(target: &Target) -> Result<Opened, Fail> {
    match &target.config {
        Some(file) => live(file, target.arm, Tenure::Brief).await,
        None => {
            let scenario = config::embedded("calm").map_err(Fail::usage)?;
            // Fast enough not to be waited for, slow enough that an order comes before the world has moved on.
            simulated(scenario, None, 10, Mode::Simulation)
        }
    }
}

/// A simulation that is asked once begins now.
pub fn virtual_beginning() -> Utc {
    Utc(chrono::Utc::now().timestamp_millis())
}

fn simulated(scenario: Scenario, seed: Option<u64>, speed: u32, mode: Mode) -> Result<Opened, Fail> {
    let simulation = begun(scenario, seed, mode)?;
    let playing = Playing { speed, judged: false, walk: false, waits: false, ended: None };
    Ok(Opened { handle: start_simulation(simulation, playing), simulated: true, own: true, live: None })
}

fn begun(scenario: Scenario, seed: Option<u64>, mode: Mode) -> Result<Simulation, Fail> {
    let seed = seed.unwrap_or(scenario.seed);
    Simulation::new(scenario, seed, Journal::in_memory(), mode, virtual_beginning()).map_err(Fail::failed)
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

async fn live(file: &Path, arm: bool, tenure: Tenure) -> Result<Opened, Fail> {
    let estate = config::load(file).map_err(|m| Fail::mistakes(2, &m))?.estate;
    reach(estate, arm, tenure).await
}

/// A controller of our own, or the one that runs.
pub async fn reach(estate: Estate, arm: bool, tenure: Tenure) -> Result<Opened, Fail> {
    // The newest TLS provider, chosen once: two in one program would panic at the first connection. Only who connects pays
    // for it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let home = Home::of(&estate.name);
    if let Seat::Client { owner } = home.seat() {
        return match find(&home).await {
            Ok(found) => meet(found, &estate, None).await,
            Err(e) => Err(not_found(&home, &estate.name, owner, &e)),
        };
    }
    let began = std::time::Instant::now();
    loop {
        match start_live(estate.clone(), arm, tenure).await {
            Ok(live) => {
                live.mended.iter().for_each(|told| super::output::warn(told));
                return Ok(Opened {
                    handle: Arc::clone(&live.handle),
                    simulated: false,
                    own: true,
                    live: Some(live),
                });
            }
            Err(StartError::Other(text)) => return Err(Fail::failed(text)),
            Err(StartError::Running) => match find(&home).await {
                Ok(found) => return meet(found, &estate, None).await,
                Err(FindError::Refused(refusal)) => return Err(Fail::refused(&refusal)),
                // It may be starting, or ending.
                Err(_) if began.elapsed() < ANSWERS_WITHIN => {
                    tokio::time::sleep(Duration::from_millis(50)).await
                }
                Err(e) => {
                    return Err(Fail::failed(format!(
                        "a controller runs, but {}: {e}",
                        home.socket().display()
                    )));
                }
            },
        }
    }
}

/// The running controller of a configuration's estate, for an order that ends something. With an id it may be of another
/// target.
pub async fn running(target: &Target, id: Option<ControllerId>) -> Result<Opened, Fail> {
    let Some(file) = &target.config else { return Err(Fail::usage("name the estate with --config FILE")) };
    let estate = config::load(file).map_err(|m| Fail::mistakes(2, &m))?.estate;
    let home = Home::of(&estate.name);
    let owner = if let Seat::Client { owner } = home.seat() { owner } else { None };
    let found = find(&home).await.map_err(|e| not_found(&home, &estate.name, owner, &e))?;
    meet(found, &estate, id).await
}

/// Why an account that only asks has nobody to ask.
fn not_found(home: &Home, estate: &str, owner: Option<String>, e: &FindError) -> Fail {
    let (who, at) = (own_actor(), home.path().display());
    match e {
        FindError::Refused(refusal) => Fail::refused(refusal),
        FindError::OtherVersion => Fail::failed(e),
        FindError::Silent(e) if e.kind() == std::io::ErrorKind::PermissionDenied => Fail::denied(format!(
            "{who} may not reach the controller of {estate} in {at}; ask for membership in its group"
        )),
        FindError::Silent(e) => {
            let start = owner.map_or(String::new(), |owner| {
                format!("; {owner} may start one: sudo -u {owner} bpci serve --config FILE")
            });
            Fail::failed(format!(
                "no controller of {estate} answers on this machine ({}: {e}){start}",
                home.socket().display()
            ))
        }
    }
}

/// Goes on with the controller that runs, if its target is that of the file.
async fn meet(found: Found, estate: &Estate, id: Option<ControllerId>) -> Result<Opened, Fail> {
    let (ours, theirs) = (EstateTarget::of(estate), &found.hello);
    let controller = theirs.controller;
    if let Some(id) = id.filter(|id| *id != controller) {
        return Err(Fail::denied(format!(
            "controller {controller} of {} runs here, not {id}; nothing was sent",
            estate.name
        )));
    }
    let addressee = match (ours.compare(&theirs.target), id) {
        (_, Some(id)) => Addressee::Controller(id),
        (Comparison::Equal, None) => Addressee::Target(ours.digest()),
        (Comparison::PolicyDiffers, None) => {
            super::output::warn(&format!(
                "the running controller {controller} of {} has another policy than this file; its policy holds",
                estate.name
            ));
            Addressee::Target(ours.digest())
        }
        (Comparison::Differs(list), None) => return Err(differs(&estate.name, controller, &list)),
    };
    let handle = found.handle(addressee).await.map_err(Fail::failed)?;
    Ok(Opened { handle, simulated: false, own: false, live: None })
}

/// The refusal of a command whose file means another cluster than the running controller.
fn differs(estate: &str, controller: ControllerId, list: &[Difference]) -> Fail {
    let mut lines = vec![format!(
        "refused: the running controller {controller} of {estate} has another target than this file; nothing was sent"
    )];
    lines.extend(list.iter().map(|d| format!("  {}", difference_words(d))));
    lines.push(format!("give this file another `name`, or use the controller's file; abort, disarm and stop also accept --controller {controller}"));
    Fail::of(3, lines)
}

/// A controller that runs answers on its socket within this time: it may have a long record to read first.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

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
            Opened { handle: start_simulation(simulation, playing), simulated: true, own: true, live: None }
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

/// A controller without a screen, until it is told to end.
pub async fn serve(file: &Path, arm: bool) -> Result<(), Fail> {
    let opened = live(file, arm, Tenure::Stays).await?;
    if !opened.own {
        return Err(Fail::failed("a controller of this estate runs on this machine already"));
    }
    let mut told = 0;
    let first = opened.handle.snapshot();
    say(&format!(
        "{} · {} · {}",
        first.mode.word(),
        first.estate.name,
        if first.armed { "armed" } else { "read-only" }
    ))?;
    // One listener for the whole time: a signal between two would be lost.
    let mut end = std::pin::pin!(crate::controller::told_to_end());
    loop {
        let snapshot = opened.handle.snapshot();
        // Nobody may read along; that ends nothing.
        let _ = plain::new_lines(&snapshot.log, snapshot.log_total, &mut told);
        tokio::select! {
            alive = opened.handle.changed() => if !alive { break },
            () = &mut end => break,
        }
    }
    opened.close().await;
    Ok(())
}

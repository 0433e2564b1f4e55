//! Which controller: one of our own, one that runs, or a simulation.

use super::args::{Open, Target};
use super::fail::Fail;
use super::output::say;
use super::plain;
use crate::config;
use crate::controller::{Home, Live, Simulation, StartError, Tenure, connect, start_live, start_simulation};
use crate::journal::Journal;
use crate::model::*;
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

fn simulated(scenario: Scenario, seed: Option<u64>, speed: u32, mode: Mode) -> Result<Opened, Fail> {
    let seed = seed.unwrap_or(scenario.seed);
    let began = Utc(chrono::Utc::now().timestamp_millis());
    let simulation = Simulation::new(scenario, seed, Journal::in_memory(), mode, began).map_err(Fail::failed)?;
    Ok(Opened { handle: start_simulation(simulation, speed), simulated: true, own: true, live: None })
}

async fn live(file: &Path, arm: bool, tenure: Tenure) -> Result<Opened, Fail> {
    let estate = config::load(file).map_err(|e| Fail::usage(e.to_string()))?.estate;
    reach(estate, arm, tenure).await
}

/// A controller of our own, or the one that runs.
async fn reach(estate: Estate, arm: bool, tenure: Tenure) -> Result<Opened, Fail> {
    let socket = Home::of(&estate.name).socket();
    let began = std::time::Instant::now();
    loop {
        match start_live(estate.clone(), arm, tenure).await {
            Ok(live) => return Ok(Opened { handle: Arc::clone(&live.handle), simulated: false, own: true, live: Some(live) }),
            Err(StartError::Other(text)) => return Err(Fail::failed(text)),
            Err(StartError::Running) => match connect(&socket).await {
                Ok(handle) => return Ok(Opened { handle, simulated: false, own: false, live: None }),
                // It may be starting, or ending.
                Err(_) if began.elapsed() < ANSWERS_WITHIN => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(e) => return Err(Fail::failed(format!("a controller runs, but {}: {e}", socket.display()))),
            },
        }
    }
}

/// A controller that runs answers on its socket within this time: it may have a long record to read first.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// The dashboard, or its lines.
pub async fn dashboard(open: Open) -> Result<(), Fail> {
    if open.plain
        && let Some(name) = &open.fixture
    {
        let scenario = config::load_scenario(name).map_err(Fail::usage)?;
        let seed = open.seed.unwrap_or(scenario.seed);
        return tokio::task::spawn_blocking(move || plain::scenario(scenario, seed, open.speed)).await.map_err(Fail::failed)?;
    }
    let opened = match &open.config {
        Some(file) => live(file, open.arm, Tenure::Stays).await?,
        None => {
            let name = open.fixture.as_deref().unwrap_or("calm");
            let scenario = config::load_scenario(name).map_err(Fail::usage)?;
            simulated(scenario, open.seed, open.speed, Mode::Simulation)?
        }
    };
    let handle = Arc::clone(&opened.handle);
    let result =
        if open.plain { plain::follow(handle).await } else { crate::tui::run(handle, super::order::who(), open.looks()).await.map_err(Fail::failed) };
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
    say(&format!("{} · {} · {}", first.mode.word(), first.estate.name, if first.armed { "armed" } else { "read-only" }))?;
    // One listener for the whole time: a signal between two would be lost.
    let mut end = std::pin::pin!(told_to_end());
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

/// `config check --live`: asks the running systems, changes nothing.
pub async fn check_live(estate: Estate) -> Result<(), Fail> {
    let opened = reach(estate, false, Tenure::Brief).await?;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let snapshot = opened.handle.snapshot();
    say(&super::status::status_words(&snapshot, true))?;
    let silent = snapshot.groups.iter().flat_map(|g| &g.members).filter(|m| m.answers != Some(true)).count();
    opened.close().await;
    if silent > 0 || !snapshot.stale.is_empty() {
        Err(Fail::failed(format!("{silent} members and {} sources do not answer", snapshot.stale.len())))
    } else {
        Ok(())
    }
}

/// Resolves when the program is told to end: interrupt, termination, hang-up.
pub async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = |kind| async move {
        match signal(kind) {
            Ok(mut stream) => {
                stream.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => {}
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::hangup()) => {}
    }
}

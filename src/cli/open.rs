//! Which controller: one of our own, one that runs, or a simulation.

use super::fail::Fail;
use super::output::{Output, warn};
use crate::config;
use crate::controller::{
    Addressee, FindError, Found, Home, Live, Playing, Replay, Seat, Simulation, StartError, Tenure, find,
    own_actor, start_live, start_simulation,
};
use crate::engine::Engine;
use crate::journal::Journal;
use crate::model::{Target as EstateTarget, *};
use crate::wording::difference_words;
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Which controller is asked.
#[derive(Clone, Debug, Args)]
pub struct Target {
    /// A live estate [default: the embedded simulation]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Allow this command to act
    #[arg(long, requires = "config")]
    pub arm: bool,
    /// text, json, or a file to write the report to
    #[arg(long, value_name = "text|json|FILE", default_value = "text")]
    pub output: Output,
}

/// A controller that was reached.
pub struct Opened {
    pub handle: Arc<dyn Handle>,
    pub simulated: bool,
    /// It is ours: it ends when we do.
    pub own: bool,
    live: Option<Live>,
}

impl Opened {
    /// A simulation, as it is played.
    pub fn of(simulation: Simulation, playing: Playing) -> Opened {
        Opened { handle: start_simulation(simulation, playing), simulated: true, own: true, live: None }
    }

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
    Ok(Opened::of(simulation, playing))
}

/// A simulation at its beginning.
pub fn begun(scenario: Scenario, seed: Option<u64>, mode: Mode) -> Result<Simulation, Fail> {
    let seed = seed.unwrap_or(scenario.seed);
    Simulation::new(scenario, seed, Journal::in_memory(), mode, virtual_beginning()).map_err(Fail::failed)
}

/// A controller of the estate in this file.
pub async fn live(file: &Path, arm: bool, tenure: Tenure) -> Result<Opened, Fail> {
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
                live.mended.iter().for_each(|told| warn(told));
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
            warn(&format!(
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

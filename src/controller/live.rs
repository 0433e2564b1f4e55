//! A controller of a real estate: the same loop on the real clock.

use super::access::Access;
use super::core::Core;
use super::examiner::Examiner;
use super::forecaster::Forecaster;
use super::handle::{LocalHandle, Message};
use super::home::{Home, LockError, Tenure};
use super::player::fork_of;
use super::rehearsals::drilled_plans;
use super::socket;
use super::tape::{Line, Tape};
use crate::drivers::{LiveDoor, boot_id};
use crate::engine::{Engine, Input};
use crate::journal::{Journal, JournalError, Key, Reader};
use crate::model::*;
use crate::wording::{Story, carry_refused_words};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// A running controller. It ends, with its journal flushed, when this is closed.
pub struct Live {
    pub handle: Arc<dyn Handle>,
    /// What was changed at the modes of its directory.
    pub mended: Vec<String>,
    messages: mpsc::Sender<Message>,
    task: tokio::task::JoinHandle<()>,
    socket: tokio::task::JoinHandle<()>,
    stop: watch::Sender<bool>,
    _lock: std::fs::File,
}

impl Live {
    /// A copy of the engine as it stands; `None` if the controller has ended.
    pub async fn engine(&self) -> Option<(Engine, Now)> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.messages.send(Message::Engine(reply)).await.ok()?;
        answer.await.ok().map(|(engine, now)| (*engine, now))
    }

    /// Ends the controller; what was decided is durable, and who gave an order has been answered.
    pub async fn close(self) {
        let _ = self.stop.send(true);
        let ended = async { (self.task.await, self.socket.await) };
        let _ = tokio::time::timeout(Duration::from_secs(5), ended).await;
    }
}

/// Why a controller could not start.
pub enum StartError {
    /// Another one of this estate runs on this machine: use its socket.
    Running,
    Other(String),
}

/// How often a snapshot is published when something moves: more often than eyes can follow is waste.
const PUBLISH: Duration = Duration::from_millis(50);

/// A command that looks is done within this time; one that acts takes longer, and has a socket to be asked by.
const BRIEFLY: Duration = Duration::from_secs(3);

/// Starts a controller: takes the lock, reads the journal, resumes what was under way, listens on the socket.
///
/// # Errors
/// Another controller runs, or a file of its own or of the configuration's cannot be used.
pub async fn start_live(estate: Estate, arm: bool, tenure: Tenure) -> Result<Live, StartError> {
    let home = Home::of(&estate.name);
    let other = |e: String| StartError::Other(e);
    let mended = home.prepare().map_err(other)?;
    mended.iter().for_each(|told| tracing::warn!("{told}"));
    let lock = lock(&home, tenure).await?;
    let estate = Arc::new(estate);
    let journal = Journal::open(home.path()).map_err(|e| other(e.to_string()))?;
    let hello = Hello { controller: controller_id(&home)?, target: Target::of(&estate) };
    let owner = Owner {
        journal: journal.public_key(),
        boot: boot_id(),
        nonce: format!("{:016x}", rand::random::<u64>()),
    };
    let mut engine = Engine::new(Arc::clone(&estate), owner.clone());
    let mut story = Story::new(Arc::clone(&estate));
    if journal.head().seq > 0 {
        let reader = Reader::open(&home.journal()).map_err(|e| other(e.to_string()))?;
        let restored = reader.each(|entry| {
            engine.restore(&entry.record);
            story.tell(&entry.record);
            Ok::<(), JournalError>(())
        });
        restored.map_err(|e| other(e.to_string()))?;
    }
    let estate = Arc::new(engine.carried(&estate).map_err(|e| other(carry_refused_words(&e)))?);
    let began = Instant::now();
    let door = LiveDoor::open(&estate, home.path(), began, owner).map_err(other)?;
    let mut core = Core::new(engine, journal, door);
    core.story = Some(story);
    core.tape = Some(Tape::open(home.path()));
    let digests = std::env::var_os("BPCI_TAPE_DIGEST").is_some();
    let program = format!("bpci {} on {}", env!("CARGO_PKG_VERSION"), host());
    let clock = Clock { began };
    let drilled = drilled_plans().into_keys().collect();
    core.input(clock.now(), Input::Start { mode: Mode::Live, program, armed: arm, drilled, estate })
        .map_err(|e| other(e.to_string()))?;
    let (messages, inbox) = mpsc::channel(64);
    let first = Snapshot { controller: Some(hello.controller), ..core.snapshot(clock.now(), None) };
    let (publish, snapshots) = watch::channel(Arc::new(first));
    let (stop, stopped) = watch::channel(false);
    let handle = Arc::new(LocalHandle::new(messages.clone(), snapshots, fork_of));
    let listening = home.make_socket().map_err(|e| other(format!("{}: {e}", home.path().display())))?;
    let listener = socket::listen(&listening).map_err(|e| other(format!("{}: {e}", listening.display())))?;
    home.open_socket(&listening);
    home.settle();
    let id = hello.controller;
    let access = Access::of(&core.engine.state().estate, home.group());
    let desk = Arc::new(socket::Desk { handle: Arc::clone(&handle), hello, access });
    let socket = tokio::spawn(socket::serve(listener, listening, desk, stopped.clone()));
    let task = tokio::spawn(run(
        core,
        Real {
            id,
            clock,
            digests,
            forecaster: Forecaster::start(),
            examiner: Examiner::start(),
            told: Vec::new(),
            ready: None,
        },
        inbox,
        publish,
        stopped,
    ));
    Ok(Live { handle, mended, messages, task, socket, stop, _lock: lock })
}

/// Takes the lock. A command's own controller is gone in a moment: whoever comes meanwhile waits for that instead of
/// hanging on to something that ends.
async fn lock(home: &Home, tenure: Tenure) -> Result<std::fs::File, StartError> {
    let began = Instant::now();
    loop {
        match home.lock(tenure) {
            Ok(lock) => return Ok(lock),
            Err(LockError::Taken(Tenure::Brief)) if began.elapsed() < BRIEFLY => {
                tokio::time::sleep(Duration::from_millis(20)).await
            }
            Err(LockError::Taken(_)) => return Err(StartError::Running),
            Err(LockError::Io(e)) => {
                return Err(StartError::Other(format!("{}: {e}", home.path().display())));
            }
        }
    }
}

/// Who this controller is: the same for as long as the machine runs and the journal's key stays.
fn controller_id(home: &Home) -> Result<ControllerId, StartError> {
    let fail =
        |path: &std::path::Path, e: std::io::Error| StartError::Other(format!("{}: {e}", path.display()));
    let key = home.path().join("key");
    let public = Key::load_or_make(&key).map_err(|e| fail(&key, e))?.public();
    let boot = std::path::Path::new("/proc/sys/kernel/random/boot_id");
    let boot_id = std::fs::read_to_string(boot).map_err(|e| fail(boot, e))?;
    Ok(ControllerId::of(&public, &boot_id))
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "here".to_string(), |h| h.trim().to_string())
}

#[derive(Clone, Copy)]
struct Clock {
    began: Instant,
}

impl Clock {
    fn now(self) -> Now {
        let mono = Mono(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX));
        Now { utc: Utc(chrono::Utc::now().timestamp_millis()), mono }
    }
}

/// The real clock, and what a snapshot takes beside the engine.
struct Real {
    id: ControllerId,
    clock: Clock,
    /// What is published is marked, so that a test can hold a replay against it.
    digests: bool,
    forecaster: Forecaster,
    /// The forecasts that were published last.
    told: Vec<ForecastView>,
    examiner: Examiner,
    /// How ready the regions were by then.
    ready: Option<ReadinessView>,
}

async fn run(
    mut core: Core<LiveDoor>,
    mut real: Real,
    mut inbox: mpsc::Receiver<Message>,
    publish: watch::Sender<Arc<Snapshot>>,
    mut stopped: watch::Receiver<bool>,
) {
    let clock = real.clock;
    let mut published = Instant::now();
    let mut stale = false;
    loop {
        let now = clock.now();
        let deadline = core
            .engine
            .next_deadline(now)
            .map_or(Duration::from_secs(1), |t| t.since(now.mono).as_std())
            .min(Duration::from_secs(1));
        let due = if stale { PUBLISH.saturating_sub(published.elapsed()).min(deadline) } else { deadline };
        let result = tokio::select! {
            () = core.door.ready() => core.turn(clock.now()),
            () = tokio::time::sleep(due) => core.turn(clock.now()),
            message = inbox.recv() => match message {
                None => return,
                // What stood on the screen when it was given is heard before it.
                Some(Message::Order(order, reply)) => match keep_foretold(&mut core, &mut real).and_then(|()| core.input(clock.now(), Input::Order(order))) {
                    Ok(answer) => {
                        // Whoever asked sees a snapshot that knows of it.
                        publish.send_replace(Arc::new(snapshot(&mut core, &mut real)));
                        let _ = reply.send(answer.unwrap_or(Ok(Receipt::Done)));
                        Ok(())
                    }
                    Err(e) => {
                        let _ = reply.send(Err(Refusal::by_law(3, ControllerRefused::JournalFailed { error: e.to_string() })));
                        Err(e)
                    }
                },
                Some(Message::Denied(order, refusal, reply)) => {
                    let denied = core.input(clock.now(), Input::Denied(order, refusal.clone()));
                    let _ = reply.send(Err(refusal));
                    denied.map(|_| ())
                }
                Some(Message::Engine(reply)) => {
                    let _ = reply.send((Box::new(core.engine.clone()), clock.now()));
                    Ok(())
                }
                Some(Message::Control(_, _, reply)) => {
                    let _ = reply.send(Err(Refusal::by_law(8, ControllerRefused::IsLive)));
                    Ok(())
                }
            },
            _ = stopped.changed() => return,
        };
        let result = result.and_then(|()| keep_foretold(&mut core, &mut real));
        if let Err(e) = result {
            tracing::error!("the journal cannot be written; nothing acts any more: {e}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        stale = true;
        if published.elapsed() >= PUBLISH {
            publish.send_replace(Arc::new(snapshot(&mut core, &mut real)));
            published = Instant::now();
            stale = false;
        }
    }
}

/// What was told goes into the record, beside what comes of it.
fn keep_foretold(core: &mut Core<LiveDoor>, real: &mut Real) -> Result<(), JournalError> {
    for view in real.forecaster.news() {
        core.input(real.clock.now(), Input::Foretold(view))?;
    }
    Ok(())
}

/// What is published, with a mark on the tape: there it can be seen again.
fn snapshot(core: &mut Core<LiveDoor>, real: &mut Real) -> Snapshot {
    let now = real.clock.now();
    let mut snapshot = core.snapshot(now, None);
    snapshot.forecasts = real.forecaster.look(&core.engine, now, &snapshot);
    snapshot.readiness = real.examiner.look(&core.engine, now, &snapshot);
    if let Some(tape) = &mut core.tape {
        let forecasts = (snapshot.forecasts != real.told).then(|| snapshot.forecasts.clone());
        let ready = (snapshot.readiness != real.ready).then(|| snapshot.readiness.clone()).flatten();
        let digest = real.digests.then(|| Digest::of_value(&snapshot));
        tape.write(&Line {
            v: Line::VERSION,
            seq: core.journal.head().seq,
            now,
            observation: None,
            digest,
            forecasts,
            ready,
        });
        real.told.clone_from(&snapshot.forecasts);
        real.ready.clone_from(&snapshot.readiness);
    }
    let head = core.journal.head();
    snapshot.controller = Some(real.id);
    snapshot.head = Some((head.seq, head.hash.to_string()));
    snapshot
}

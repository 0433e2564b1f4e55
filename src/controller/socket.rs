//! The socket beside the lock: a command on the same machine goes through the controller that runs.
//!
//! One request a line, one answer a line, in JSON. Whoever the directory's mode lets in may ask; what an account may order, the
//! kernel's word of who it is decides.

use super::access::Access;
use super::claims::own_claims;
use super::handle::{LocalHandle, newest, next};
use super::home::Home;
use super::peer::Peer;
use super::player::fork_of;
use super::replay::Replay;
use crate::model::*;
use crate::wording::refusal_words;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

#[derive(Serialize, Deserialize)]
enum Request {
    Hello,
    /// The newest snapshot. With a target: only of the controller of that target.
    Snapshot(Option<Digest>),
    Order(Box<Asked>),
}

/// An order on its way to a controller.
#[derive(Serialize, Deserialize)]
struct Asked {
    addressee: Addressee,
    /// What the client says of its user. The account itself is the kernel's to say.
    #[serde(default)]
    claims: Claims,
    action: Action,
}

/// Which controller an order is for. Another one refuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Addressee {
    /// The controller of this target.
    Target(Digest),
    /// This controller, whatever its target is. It accepts only what ends something.
    Controller(ControllerId),
}

#[derive(Serialize, Deserialize)]
enum Reply {
    Hello(Box<Hello>),
    Snapshot(Box<Snapshot>),
    Receipt(Receipt),
    Refused(Refusal),
}

/// A request is an order: it is small.
const MAX_REQUEST: u64 = 1 << 16;

/// Listens; a socket that was left behind is replaced. The caller holds the lock.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(path: &Path) -> std::io::Result<UnixListener> {
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// What was sent before the end, and has not been read yet, is read within this time.
const LAST_CALL: Duration = Duration::from_millis(50);

/// What the socket of a controller answers from.
pub struct Desk {
    pub handle: Arc<LocalHandle>,
    pub hello: Hello,
    pub access: Access,
}

impl Desk {
    async fn answer(&self, request: Request, peer: &Peer) -> Reply {
        if !self.access.sees(peer) {
            let names = peer.names().await;
            if !self.access.allows(peer, &names, Right::Observe) {
                return Reply::Refused(self.access.refusal(&names, Right::Observe));
            }
        }
        match request {
            Request::Hello => Reply::Hello(Box::new(self.hello.clone())),
            Request::Snapshot(meant) if meant.is_some_and(|digest| digest != self.hello.target.digest()) => {
                Reply::Refused(self.another())
            }
            Request::Snapshot(_) => Reply::Snapshot(Box::new((*self.handle.snapshot()).clone())),
            Request::Order(asked) if !self.is_for_us(&asked) => Reply::Refused(self.another()),
            Request::Order(asked) => match self.order(*asked, peer).await {
                Ok(receipt) => Reply::Receipt(receipt),
                Err(refusal) => Reply::Refused(refusal),
            },
        }
    }

    async fn order(&self, asked: Asked, peer: &Peer) -> Result<Receipt, Refusal> {
        let names = peer.names().await;
        let by = Actor::Account(Box::new(peer.account(&names, asked.claims)));
        match asked.action.rights().iter().find(|right| !self.access.allows(peer, &names, **right)) {
            None => self.handle.order_of(by, asked.action).await,
            Some(lacks) => self.handle.deny(by, asked.action, self.access.refusal(&names, *lacks)).await,
        }
    }

    /// The client compared the targets before; this is the second, independent check.
    fn is_for_us(&self, asked: &Asked) -> bool {
        match asked.addressee {
            Addressee::Target(digest) => digest == self.hello.target.digest(),
            Addressee::Controller(id) => id == self.hello.controller && asked.action.is_emergency(),
        }
    }

    fn another(&self) -> Refusal {
        Refusal::by_law(
            4,
            ControllerRefused::OtherTarget {
                controller: self.hello.controller,
                estate: self.hello.target.estate.clone(),
            },
        )
    }
}

/// Answers whoever connects, until it is stopped. Who was heard by then is answered before this ends: an order that was
/// carried out is never met with silence.
pub async fn serve(listener: UnixListener, path: PathBuf, desk: Arc<Desk>, stop: watch::Receiver<bool>) {
    let mut asked = JoinSet::new();
    let mut stopped = stop.clone();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                asked.spawn(answer(stream, Arc::clone(&desk), stop.clone()));
            }
            Some(_) = asked.join_next() => {}
            _ = stopped.wait_for(|s| *s) => break,
        }
    }
    // Nobody new finds the way; who had found it is let in.
    let _ = std::fs::remove_file(path);
    while let Ok(Ok((stream, _))) = tokio::time::timeout(LAST_CALL, listener.accept()).await {
        asked.spawn(answer(stream, Arc::clone(&desk), stop.clone()));
    }
    while asked.join_next().await.is_some() {}
}

/// The requests of one connection.
async fn answer(stream: UnixStream, desk: Arc<Desk>, mut stop: watch::Receiver<bool>) {
    let Ok(peer) = Peer::of(&stream) else { return };
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read.take(MAX_REQUEST)).lines();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line,
            () = last_call(&mut stop) => return,
        };
        let Ok(Some(line)) = line else { return };
        lines.get_mut().get_mut().set_limit(MAX_REQUEST);
        let reply = match serde_json::from_str(&line) {
            Ok(request) => desk.answer(request, &peer).await,
            Err(e) => Reply::Refused(Refusal::new(ControllerRefused::NotUnderstood { error: e.to_string() })),
        };
        let Ok(mut text) = serde_json::to_vec(&reply) else { return };
        text.push(b'\n');
        if write.write_all(&text).await.is_err() {
            return;
        }
    }
}

async fn last_call(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|s| *s).await;
    tokio::time::sleep(LAST_CALL).await;
}

struct SocketHandle {
    path: PathBuf,
    journal: PathBuf,
    addressee: Addressee,
    snapshots: Mutex<watch::Receiver<Arc<Snapshot>>>,
}

async fn ask(path: &Path, request: &Request) -> std::io::Result<Reply> {
    let mut stream = UnixStream::connect(path).await?;
    let mut text = serde_json::to_vec(request)?;
    text.push(b'\n');
    stream.write_all(&text).await?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await?;
    Ok(serde_json::from_str(&line)?)
}

/// A controller that answered on its socket. Nothing was asked of it yet.
pub struct Found {
    pub hello: Hello,
    home: Home,
}

/// Asks the controller of an estate on this machine who it is.
///
/// # Errors
/// No controller answers, it is of another version, or this account may not see its estate.
pub async fn find(home: &Home) -> Result<Found, FindError> {
    match ask(&home.socket(), &Request::Hello).await.map_err(FindError::Silent)? {
        Reply::Hello(hello) => Ok(Found { hello: *hello, home: home.clone() }),
        Reply::Refused(refusal) if refusal.lacks.is_some() => Err(FindError::Refused(refusal)),
        _ => Err(FindError::OtherVersion),
    }
}

/// Why a controller was not found.
#[derive(Debug)]
pub enum FindError {
    /// Nobody answers on its socket, or this account may not reach it.
    Silent(std::io::Error),
    /// This account may not see the estate.
    Refused(Refusal),
    OtherVersion,
}

impl std::fmt::Display for FindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FindError::Silent(e) => write!(f, "{e}"),
            FindError::Refused(refusal) => f.write_str(&refusal_words(refusal)),
            FindError::OtherVersion => f.write_str(
                "the controller is of another version of this program; end it and start this version",
            ),
        }
    }
}

impl Found {
    /// The handle of this controller, for orders to this addressee.
    ///
    /// # Errors
    /// It does not answer any more, or another controller took its place.
    pub async fn handle(self, addressee: Addressee) -> std::io::Result<Arc<dyn Handle>> {
        let (path, journal) = (self.home.socket(), self.home.journal());
        let meant = match addressee {
            Addressee::Target(digest) => Some(digest),
            Addressee::Controller(_) => None,
        };
        let first = match ask(&path, &Request::Snapshot(meant)).await? {
            Reply::Snapshot(first) => first,
            Reply::Refused(refusal) => return Err(std::io::Error::other(refusal_words(&refusal))),
            _ => return Err(std::io::Error::other("the controller answered something else")),
        };
        let (publish, snapshots) = watch::channel(Arc::new(*first));
        let at = path.clone();
        tokio::spawn(async move {
            while !publish.is_closed() {
                tokio::time::sleep(Duration::from_millis(100)).await;
                match ask(&at, &Request::Snapshot(meant)).await {
                    Ok(Reply::Snapshot(snapshot)) => {
                        publish.send_replace(Arc::new(*snapshot));
                    }
                    _ => return,
                }
            }
        });
        Ok(Arc::new(SocketHandle { path, journal, addressee, snapshots: Mutex::new(snapshots) }))
    }
}

impl Handle for SocketHandle {
    fn snapshot(&self) -> Arc<Snapshot> {
        newest(&self.snapshots)
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        next(&self.snapshots)
    }

    fn order(&self, action: Action) -> Answer {
        let path = self.path.clone();
        let asked = Asked { addressee: self.addressee, claims: own_claims(), action };
        Box::pin(async move {
            match ask(&path, &Request::Order(Box::new(asked))).await {
                Ok(Reply::Receipt(receipt)) => Ok(receipt),
                Ok(Reply::Refused(refusal)) => Err(refusal),
                Ok(Reply::Snapshot(_) | Reply::Hello(_)) => Err(Refusal::new(ControllerRefused::OtherAnswer)),
                Err(e) => Err(Refusal::new(ControllerRefused::NoAnswer { error: e.to_string() })),
            }
        })
    }

    fn control(&self, _: Control) -> Answer {
        Box::pin(async { Err(Refusal::by_law(8, ControllerRefused::IsLive)) })
    }

    /// The engine is in another process: it is made anew from its record, and from what was measured beside it.
    fn fork(&self) -> Forked {
        let journal = self.journal.clone();
        Box::pin(async move {
            let newest = move || Replay::newest(&journal).map_err(|e| e.to_string());
            let (engine, now) = tokio::task::spawn_blocking(newest).await.map_err(|e| e.to_string())??;
            fork_of(&engine, now)
        })
    }
}

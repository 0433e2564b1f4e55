//! The socket beside the lock: a command on the same machine goes through the controller that runs.
//!
//! One request a line, one answer a line, in JSON. The directory's mode lets in its owner alone.

use super::handle::{fork_of, newest, next};
use super::replay::Replay;
use crate::model::*;
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
    Snapshot,
    Order(Order),
}

#[derive(Serialize, Deserialize)]
enum Reply {
    Snapshot(Box<Snapshot>),
    Receipt(Receipt),
    Refused(Refusal),
}

/// A request is an order: it is small.
const MAX_REQUEST: u64 = 1 << 20;

/// Listens; a socket that was left behind is replaced. The caller holds the lock.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(path: &Path) -> std::io::Result<UnixListener> {
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// What was sent before the end, and has not been read yet, is read within this time.
const LAST_CALL: Duration = Duration::from_millis(50);

/// Answers whoever connects, until it is stopped. Who was heard by then is answered before this ends: an order that was
/// carried out is never met with silence.
pub async fn serve(listener: UnixListener, path: PathBuf, handle: Arc<dyn Handle>, stop: watch::Receiver<bool>) {
    let mut asked = JoinSet::new();
    let mut stopped = stop.clone();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                asked.spawn(answer(stream, Arc::clone(&handle), stop.clone()));
            }
            Some(_) = asked.join_next() => {}
            _ = stopped.wait_for(|s| *s) => break,
        }
    }
    // Nobody new finds the way; who had found it is let in.
    let _ = std::fs::remove_file(path);
    while let Ok(Ok((stream, _))) = tokio::time::timeout(LAST_CALL, listener.accept()).await {
        asked.spawn(answer(stream, Arc::clone(&handle), stop.clone()));
    }
    while asked.join_next().await.is_some() {}
}

/// The requests of one connection.
async fn answer(stream: UnixStream, handle: Arc<dyn Handle>, mut stop: watch::Receiver<bool>) {
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
            Ok(Request::Snapshot) => Reply::Snapshot(Box::new((*handle.snapshot()).clone())),
            Ok(Request::Order(order)) => match handle.order(order).await {
                Ok(receipt) => Reply::Receipt(receipt),
                Err(refusal) => Reply::Refused(refusal),
            },
            Err(e) => Reply::Refused(Refusal::new(format!("not understood: {e}"), "the program and the controller are of different versions")),
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

/// The handle of the controller behind a socket.
///
/// # Errors
/// Nobody answers there.
pub async fn connect(path: &Path) -> std::io::Result<Arc<dyn Handle>> {
    let Reply::Snapshot(first) = ask(path, &Request::Snapshot).await? else { return Err(std::io::Error::other("it answered something else")) };
    let (publish, snapshots) = watch::channel(Arc::new(*first));
    let at = path.to_path_buf();
    tokio::spawn(async move {
        while !publish.is_closed() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            match ask(&at, &Request::Snapshot).await {
                Ok(Reply::Snapshot(snapshot)) => {
                    publish.send_replace(Arc::new(*snapshot));
                }
                _ => return,
            }
        }
    });
    Ok(Arc::new(SocketHandle { path: path.to_path_buf(), snapshots: Mutex::new(snapshots) }))
}

impl Handle for SocketHandle {
    fn snapshot(&self) -> Arc<Snapshot> {
        newest(&self.snapshots)
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        next(&self.snapshots)
    }

    fn order(&self, order: Order) -> Answer {
        let path = self.path.clone();
        Box::pin(async move {
            match ask(&path, &Request::Order(order)).await {
                Ok(Reply::Receipt(receipt)) => Ok(receipt),
                Ok(Reply::Refused(refusal)) => Err(refusal),
                Ok(Reply::Snapshot(_)) => Err(Refusal::new("the controller answered something else", "try again")),
                Err(e) => {
                    Err(Refusal::new(format!("the controller does not answer: {e}"), "whether the order was heard is not known: look at the status"))
                }
            }
        })
    }

    fn control(&self, _: String, _: Control) -> Answer {
        Box::pin(async { Err(Refusal::by_law(8, "this is a live estate", "that is for simulations")) })
    }

    /// The engine is in another process: it is made anew from its record, and from what was measured beside it.
    fn fork(&self) -> Forked {
        let journal = self.path.with_file_name("journal.db");
        Box::pin(async move {
            let newest = move || Replay::newest(&journal).map_err(|e| e.to_string());
            let (engine, now) = tokio::task::spawn_blocking(newest).await.map_err(|e| e.to_string())??;
            fork_of(&engine, now)
        })
    }
}

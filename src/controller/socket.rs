//! The socket beside the lock: a command on the same machine goes through the controller that runs.
//!
//! One request a line, one answer a line, in JSON. The directory's mode lets in its owner alone.

use super::handle::{newest, next};
use crate::model::*;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

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

/// Answers whoever connects.
pub async fn serve(listener: UnixListener, handle: Arc<dyn Handle>) {
    while let Ok((stream, _)) = listener.accept().await {
        let handle = Arc::clone(&handle);
        tokio::spawn(async move {
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read.take(MAX_REQUEST)).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                lines.get_mut().get_mut().set_limit(MAX_REQUEST);
                let reply = match serde_json::from_str(&line) {
                    Ok(Request::Snapshot) => Reply::Snapshot(Box::new((*handle.snapshot()).clone())),
                    Ok(Request::Order(order)) => match handle.order(order).await {
                        Ok(receipt) => Reply::Receipt(receipt),
                        Err(refusal) => Reply::Refused(refusal),
                    },
                    Err(e) => {
                        Reply::Refused(Refusal::new(format!("not understood: {e}"), "the program and the controller are of different versions"))
                    }
                };
                let Ok(mut text) = serde_json::to_vec(&reply) else { return };
                text.push(b'\n');
                if write.write_all(&text).await.is_err() {
                    return;
                }
            }
        });
    }
}

struct SocketHandle {
    path: std::path::PathBuf,
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
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
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

    fn control(&self, _: Control) -> Answer {
        Box::pin(async { Err(Refusal::by_law(8, "this is a live estate", "that is for simulations")) })
    }
}

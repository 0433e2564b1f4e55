//! The handle of a controller in this process: the newest snapshot, and a bounded queue of orders.

use super::claims::own_claims;
use super::peer::Peer;
use crate::engine::Engine;
use crate::model::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot, watch};

pub(super) enum Message {
    Order(Order, oneshot::Sender<Result<Receipt, Refusal>>),
    /// An order of somebody who may not give it, and why.
    Denied(Order, Refusal, oneshot::Sender<Result<Receipt, Refusal>>),
    Control(Actor, Control, oneshot::Sender<Result<Receipt, Refusal>>),
    /// A copy of the engine as it stands, for who asks more than a snapshot holds.
    Engine(oneshot::Sender<(Box<Engine>, Now)>),
}

/// The handle of a controller in this process.
pub(super) struct LocalHandle {
    pub(super) messages: mpsc::Sender<Message>,
    pub(super) snapshots: Mutex<watch::Receiver<Arc<Snapshot>>>,
    /// Who this process is.
    own: Actor,
    fork_of: ForkOf,
}

/// Starts an estate as it stands in an engine, in a simulation of its own.
pub(super) type ForkOf = fn(&Engine, Now) -> Result<Arc<dyn Handle>, String>;

impl Handle for LocalHandle {
    fn snapshot(&self) -> Arc<Snapshot> {
        newest(&self.snapshots)
    }

    fn changed(&self) -> Pin<Box<dyn Future<Output = bool> + Send>> {
        next(&self.snapshots)
    }

    fn order(&self, action: Action) -> Answer {
        self.order_of(self.own.clone(), action)
    }

    fn control(&self, control: Control) -> Answer {
        self.ask(|reply| Message::Control(self.own.clone(), control, reply))
    }

    fn fork(&self) -> Forked {
        let (reply, answer) = oneshot::channel();
        let (messages, fork_of) = (self.messages.clone(), self.fork_of);
        Box::pin(async move {
            let gone = "the controller has ended; start the program again";
            messages.send(Message::Engine(reply)).await.map_err(|_| gone)?;
            let (engine, now) = answer.await.map_err(|_| gone)?;
            fork_of(&engine, now)
        })
    }
}

impl LocalHandle {
    pub(super) fn new(
        messages: mpsc::Sender<Message>,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        fork_of: ForkOf,
    ) -> LocalHandle {
        LocalHandle { messages, snapshots: Mutex::new(snapshots), own: own_actor(), fork_of }
    }

    /// Gives an order for somebody who may give it.
    pub(super) fn order_of(&self, by: Actor, action: Action) -> Answer {
        self.ask(|reply| Message::Order(Order { by, action }, reply))
    }

    /// Records an order of somebody who may not give it.
    pub(super) fn deny(&self, by: Actor, action: Action, refusal: Refusal) -> Answer {
        self.ask(|reply| Message::Denied(Order { by, action }, refusal, reply))
    }

    fn ask(&self, message: impl FnOnce(oneshot::Sender<Result<Receipt, Refusal>>) -> Message) -> Answer {
        let (reply, answer) = oneshot::channel();
        let message = message(reply);
        let messages = self.messages.clone();
        Box::pin(async move {
            let gone = || Refusal::new(ControllerRefused::Ended);
            messages.send(message).await.map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        })
    }
}

/// Who gives the orders of this process.
pub fn own_actor() -> Actor {
    let own = Peer::own();
    Actor::Account(Box::new(own.account(&own.look_up(), own_claims())))
}

/// The newest snapshot that was published.
pub(super) fn newest(snapshots: &Mutex<watch::Receiver<Arc<Snapshot>>>) -> Arc<Snapshot> {
    match snapshots.lock() {
        Ok(receiver) => Arc::clone(&receiver.borrow()),
        Err(poisoned) => Arc::clone(&poisoned.into_inner().borrow()),
    }
}

/// Resolves when a newer one is published; false: there will be none.
pub(super) fn next(
    snapshots: &Mutex<watch::Receiver<Arc<Snapshot>>>,
) -> Pin<Box<dyn Future<Output = bool> + Send>> {
    let mut receiver = match snapshots.lock() {
        Ok(receiver) => receiver.clone(),
        Err(poisoned) => poisoned.into_inner().clone(),
    };
    receiver.mark_unchanged();
    Box::pin(async move { receiver.changed().await.is_ok() })
}

//! How anybody reaches a controller: the newest snapshot, and orders.

use super::{Action, Receipt, Refusal, Snapshot};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// The answer to an order, when it comes.
pub type Answer = Pin<Box<dyn Future<Output = Result<Receipt, Refusal>> + Send>>;

/// A simulation of its own that goes on from where a controller stands; or why there can be none.
pub type Forked = Pin<Box<dyn Future<Output = Result<Arc<dyn Handle>, String>> + Send>>;

/// A controller in this process, or one beyond a socket.
pub trait Handle: Send + Sync {
    /// The newest snapshot; never waits.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// Resolves when there is a newer snapshot than the last one this handle saw. False: there will be none.
    fn changed(&self) -> Pin<Box<dyn Future<Output = bool> + Send>>;

    /// Gives an order. Who gives it is this process; the controller finds out who that is.
    fn order(&self, action: Action) -> Answer;

    /// Controls of a simulated world; a live one has none and says so.
    fn control(&self, control: Control) -> Answer;

    /// The estate as it stands, in a simulation that stands still until something is begun in it. Nothing done there
    /// reaches this controller.
    fn fork(&self) -> Forked;
}

/// What can be done to a simulated world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    Pause(bool),
    /// Times real time.
    Speed(u32),
    /// To the next thing that happens.
    Step,
    Inject {
        fault: String,
    },
    Mend,
    /// In a replay: so much later, or earlier.
    Seek {
        by_ms: i64,
    },
}

//! The words: plain data, with units in the types. Orders, events, effects, the snapshot that screens read, and the
//! handle through which anybody reaches a controller.
//!
//! It promises nothing but its shape, and does nothing: no IO, no clock, no decision.

mod assessment;
mod carried;
mod claim;
mod digest;
mod disaster;
mod door;
mod effect;
mod estate;
mod event;
mod exercise;
mod forecast;
mod gap;
mod handle;
mod ids;
mod observation;
mod operation;
mod order;
mod plan;
mod primary;
mod readiness;
mod risk;
mod scenario;
mod snapshot;
mod standing;
mod subject;
mod time;
mod units;
mod veto;

pub use assessment::*;
pub use carried::*;
pub use claim::*;
pub use digest::*;
pub(crate) use disaster::vocabulary;
pub use disaster::*;
pub use door::*;
pub use effect::*;
pub use estate::*;
pub use event::*;
pub use exercise::*;
pub use forecast::*;
pub use gap::*;
pub use handle::*;
pub use ids::*;
pub use observation::*;
pub use operation::*;
pub use order::*;
pub use plan::*;
pub use primary::*;
pub use readiness::*;
pub use risk::*;
pub use scenario::*;
pub use snapshot::*;
pub use standing::*;
pub use subject::*;
pub use time::*;
pub use units::*;
pub use veto::*;

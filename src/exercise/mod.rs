//! Exercises: what is played how often, how it came out, and when it is due again.
//!
//! It promises: an exercise that was not played is not counted, as passed or otherwise; a share is told with what its sample
//! proves. It plays on simulations, by hooks of the user's, with people at a table, or on an estate that calls itself a test
//! estate; nothing else that is live is reached.

mod calendar;
mod history;
mod live;
mod outcome;
mod play;
mod table_top;
mod terms;

pub use calendar::{Calendar, Exercise, Means};
pub use history::due;
pub use live::pull_lever;
pub use outcome::Outcome;
pub use play::play;
pub use table_top::{Inject, TableTop, hold};
pub use terms::Terms;

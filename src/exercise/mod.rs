//! Exercises: what is played how often, how it came out, and when it is due again.
//!
//! It promises: an exercise that was not played is not counted, as passed or otherwise; a share is told with what its sample
//! proves. It plays on simulations, by hooks of the user's, or with people at a table; it reaches nothing live by itself.

mod calendar;
mod history;
mod play;
mod table_top;

pub use calendar::{Calendar, Exercise, Means, Terms};
pub use history::due;
pub use play::{Outcome, play};
pub use table_top::{Inject, TableTop, hold};

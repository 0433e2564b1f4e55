//! Recovery: from a choice on the table to the end of its operation, and to what remains of it.

pub mod assess;
pub mod begin;
pub mod begins;
pub mod checks;
pub mod ending;
pub mod foretold;
pub mod intervene;
pub mod keep;
pub mod needs;
pub mod orders;
pub mod propose;
pub mod remains;
pub mod run;
pub mod sent;
pub mod status;
pub mod step;
pub mod successor;
pub mod undo;

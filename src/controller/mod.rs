//! The one loop: engine, journal and door.
//!
//! It promises: what is decided is durable before it is sent; a journal that cannot be written stops everything that
//! acts. It decides nothing itself.

mod core;
mod drill;
mod expect;
mod home;
mod script;
mod simulated;

pub use core::Core;
pub use drill::{DrillReport, Played, drill_report, play};
pub use home::{Home, LockError, data_directory};
pub use script::place_order;
pub use simulated::{Simulation, start_simulation};

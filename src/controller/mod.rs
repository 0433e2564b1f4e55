//! The one loop: engine, journal and door.
//!
//! It promises: what is decided is durable before it is sent; a journal that cannot be written stops everything that
//! acts. It decides nothing itself.

mod access;
mod claims;
mod core;
mod drill;
mod examiner;
mod expect;
mod forecaster;
mod handle;
mod held;
mod home;
mod live;
mod peer;
mod player;
mod rehearsals;
mod replay;
mod script;
mod signals;
mod simulated;
mod socket;
mod story;
mod tape;

pub use core::Core;
pub use drill::{DrillReport, Played, drill_report, play, play_with_a_death};
pub use examiner::readiness;
pub use forecaster::{Choice, forecast, forecasts, question};
pub use handle::own_actor;
pub use held::laws_broken;
pub use home::{Home, LockError, Seat, Tenure, data_directory, estate_roots};
pub use live::{Live, StartError, start_live};
pub use player::{Playing, start_simulation};
pub use rehearsals::{drilled_plans, keep_rehearsal, rehearsals};
pub use replay::{Replay, start_replay};
pub use script::place_order;
pub use signals::told_to_end;
pub use simulated::Simulation;
pub use socket::{Addressee, FindError, Found, find};
pub use story::{search, story};

//! A seeded world on a virtual clock, behind the same door as the live drivers.
//!
//! It promises: the same seed and the same inputs give the same observations and reports, on any machine. It may not
//! read a clock or reach anything outside itself: a drill cannot touch what is real (law 8).

mod chance;
mod claims;
mod cluster;
mod effects;
mod faults;
mod judge;
mod kinds;
mod observe;
mod pace;
mod standing;
mod store;
mod translated;
mod truth;
mod world;

pub use chance::Chance;
pub use claims::Rival;
pub use judge::Leads;
pub use pace::{Draw, ENOUGH, Pace};
pub use translated::Translated;
pub use truth::{Deed, Truth};
pub use world::{World, happened};

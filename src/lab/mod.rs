//! A real three-region estate on this machine: etcd, three Patroni nodes, HAProxy. The practice range, and the tests'
//! real cluster.
//!
//! It promises: everything in one directory, on the loopback or in network namespaces of its own, and only processes
//! that it started are ever touched.

mod answer;
mod damage;
mod files;
mod links;
mod place;
mod ports;
mod process;
mod servers;
mod shortage;
mod up;
pub mod wire;

pub use damage::{Damage, damage, down, fence, fence_check, mend, status, undo_fence};
pub use links::How;
pub use place::Place;
pub use up::{Ask, up};

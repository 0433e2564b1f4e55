//! The real world behind the door: probes, Patroni, etcd, PostgreSQL, commands, and `kinds`.
//!
//! It promises: every call has its own timeout and none delays another; an answer that was not understood is said to
//! be one, not guessed at; what acts is sent once, and can be asked about afterwards. It decides nothing.

mod address;
mod boottime;
mod brief;
mod claim;
mod command;
mod door;
mod effects;
mod endpoint;
mod etcd;
mod etcd_login;
#[cfg(test)]
mod etcd_real;
mod eyes;
mod http;
mod inquiry;
mod kinds;
mod look;
mod patience;
mod patroni;
mod patroni_value;
mod postgres;
mod quiet;
mod record;
mod service;
mod survey;
mod switchover;
mod tenure;

use brief::brief;

pub use boottime::boot_id;
pub use door::LiveDoor;
pub use http::{BodyError, read_body};
pub use inquiry::Inquiry;
pub use patroni::parse_member;
pub use survey::write_row;

/// Readers of outside data, for the tests that feed them what real servers said.
pub mod readers {
    pub use super::etcd::{Key, Keys, answer_of, keys, says_healthy, voters_in};
    pub use super::kinds::haproxy::{parse_servers, server_views};
    pub use super::patroni::parse_member;
    pub use super::postgres::answered;
    pub use super::record::record;
}

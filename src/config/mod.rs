//! Files into the model: configurations, plans, scenarios.
//!
//! It promises that whatever a person wrote is either understood exactly, or answered with
//! `FILE:LINE:COLUMN: what was found; what would be right`, all mistakes of a file in one run. It reads files that it is given
//! and nothing else; it asks no network.

mod address;
mod build;
mod collect;
mod connect_file;
mod context;
mod database;
mod date;
mod draft;
mod duration;
mod file;
mod init;
mod kinds;
mod lint;
mod mistake;
mod names;
mod need_file;
mod plan;
mod policy;
mod read;
mod scenario;
mod schema;
mod secret;
mod waiver_file;
mod yaml;

pub use context::FileUse;
pub use draft::{Given, MARK, draft, unfilled};
pub use duration::Duration;
pub use init::{Found, FoundMember, Replies, read as read_replies};
pub use mistake::{DatedWarning, Mistake, Mistakes, Place, Warning};
pub use names::{LONGEST as LONGEST_NAME, printable};
pub use plan::{shipped as shipped_plans, sound};
pub use read::{Loaded, load, parse};
pub use scenario::{embedded, embedded_names, load_scenario, parse_scenario};
pub use schema::schema;
pub use secret::{FileFault, check as check_file, check_key, password};
pub(crate) use yaml::{read_text, yaml as parse_yaml};

/// The configuration that `config init` writes when there is no cluster to ask.
pub const EXAMPLE: &str = include_str!("../../fixtures/estates/example.yaml");

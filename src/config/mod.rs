//! Files into the model: configurations, plans, scenarios.
//!
//! It promises that whatever a person wrote is either understood exactly, or answered with
//! `FILE:LINE:COLUMN: what was found; what would be right`. It reads files that it is given and nothing else; it asks
//! no network.

mod build;
mod draft;
mod duration;
mod file;
mod init;
mod lint;
mod mistake;
mod plan;
mod read;
mod scenario;
mod schema;

pub use build::estate;
pub use draft::{Given, MARK, draft, unfilled};
pub use duration::Duration;
pub use init::{Found, FoundMember, Replies, read as read_replies};
pub use lint::lint;
pub use mistake::{Mistake, Place, Warning};
pub use plan::{shipped as shipped_plans, sound};
pub use read::{Loaded, load, parse};
pub(crate) use read::{read_text, yaml as parse_yaml};
pub use scenario::{embedded, embedded_names, load_scenario, parse_scenario};
pub use schema::schema;

/// The configuration that `config init` writes when there is no cluster to ask.
pub const EXAMPLE: &str = include_str!("../../fixtures/estates/example.yaml");

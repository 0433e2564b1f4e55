//! The durable, signed, append-only record.
//!
//! It promises: what `append` has answered for is on the disk; a record that was changed, dropped, swapped or cut off
//! is found and named. It knows nothing of what the records mean.

mod chain;
mod error;
mod key;
mod ledger;
mod reader;
mod sqlite;
mod store;
mod upcast;
mod verify;

pub use chain::{Hash, Head};
pub use error::JournalError;
pub use key::{Key, public_key};
pub use ledger::{Batch, Ledger, NotAppended, Row, Writer};
pub use reader::Reader;
pub use store::{Entry, Journal};
pub use upcast::Upcaster;
pub use verify::{Fault, Verified, verify};

//! Reads records of earlier versions as records of today. The bodies on disk are never rewritten: the hash chain covers them.

use crate::model::Record;
use serde_json::Value;

/// Reads the body of a record of any version that this program knows.
///
/// # Errors
/// The body is not JSON, or holds an event that this program does not know.
pub fn record(body: &[u8]) -> Result<Record, String> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        v: u8,
    }
    let Versioned { v } = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    match v {
        Record::VERSION => serde_json::from_slice(body).map_err(|e| e.to_string()),
        1 => {
            let mut value: Value = serde_json::from_slice(body).map_err(|e| e.to_string())?;
            one_to_two(&mut value);
            serde_json::from_value(value).map_err(|e| e.to_string())
        }
        newer => Err(format!("it has version {newer}; this program knows versions 1 to {}", Record::VERSION)),
    }
}

/// Turns a record of version 1 into one of version 2, in place.
fn one_to_two(record: &mut Value) {
    record["v"] = Record::VERSION.into();
}

//! Reading a configuration file: text to estate, with whatever is odd about it.

use super::file::File;
use super::mistake::{self, Mistake, Place, Warning};
use crate::model::Estate;
use std::path::Path;

/// No list in a configuration is longer: ids stay dense and small.
pub const MAX_ITEMS: usize = 10_000;

/// An accepted configuration.
#[derive(Debug)]
pub struct Loaded {
    pub estate: Estate,
    pub warnings: Vec<Warning>,
}

/// Reads a configuration from disk.
///
/// # Errors
/// The first mistake in it, with its place.
pub fn load(path: &Path) -> Result<Loaded, Mistake> {
    let name = path.display().to_string();
    parse(&name, &read_text(path)?)
}

/// Reads a configuration from a text; `file` is for the messages, for the estate's name, and for relative paths.
///
/// # Errors
/// The first mistake in it, with its place.
pub fn parse(file: &str, text: &str) -> Result<Loaded, Mistake> {
    let raw: File = yaml(file, text)?;
    if let Some(mark) = super::draft::unfilled(file, text).into_iter().next() {
        return Err(mark);
    }
    let estate = super::build::estate(file, &raw)?;
    let warnings = super::lint::lint(file, &raw, &estate);
    Ok(Loaded { estate, warnings })
}

pub(crate) fn read_text(path: &Path) -> Result<String, Mistake> {
    std::fs::read_to_string(path).map_err(|e| Mistake {
        file: path.display().to_string(),
        at: Place { line: 1, column: 1 },
        found: format!("cannot be read: {e}"),
        remedy: "name a readable file of UTF-8 text".to_string(),
    })
}

pub(crate) fn yaml<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, Mistake> {
    serde_saphyr::from_str(text).map_err(|e| mistake::from_yaml(file, &e))
}

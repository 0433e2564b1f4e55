//! Text of files, and YAML in it.

use super::mistake::{self, Mistake, Place};
use std::path::Path;

/// No list in a configuration is longer: ids stay dense and small.
pub const MAX_ITEMS: usize = 10_000;

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

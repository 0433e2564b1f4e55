//! The JSON Schema of the configuration, for editors.

/// Pretty-printed JSON.
pub fn schema() -> String {
    serde_json::to_string_pretty(&schemars::schema_for!(super::file::File)).unwrap_or_default()
}

//! What a person likes: `screen.toml` in the configuration directory, and what the program remembers beside its data.

use super::keys::KeyMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The file that a person writes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub theme: Option<String>,
    pub ascii: Option<bool>,
    pub mouse: bool,
    pub notify: Notify,
    /// Command to keys: `failover = "F"`.
    pub keys: BTreeMap<String, String>,
}

/// How a new disaster is told beside the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    #[default]
    None,
    Bell,
    Osc9,
    Both,
}

impl std::str::FromStr for Notify {
    type Err = String;

    fn from_str(text: &str) -> Result<Notify, String> {
        match text {
            "none" => Ok(Notify::None),
            "bell" => Ok(Notify::Bell),
            "osc9" => Ok(Notify::Osc9),
            "both" => Ok(Notify::Both),
            other => Err(format!("`{other}` is no way to notify; write bell, osc9, both or none")),
        }
    }
}

impl Notify {
    /// What is sent to the terminal.
    pub fn text(self, what: &str) -> String {
        let clean: String = what.chars().filter(|c| !crate::wording::acts_on_a_line(*c)).collect();
        let osc = format!("\x1b]9;{clean}\x07");
        match self {
            Notify::None => String::new(),
            Notify::Bell => "\x07".to_string(),
            Notify::Osc9 => osc,
            Notify::Both => format!("\x07{osc}"),
        }
    }
}

/// What the program remembers by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    pub theme: Option<String>,
    pub screen: Option<String>,
}

/// `$BPCI_CONFIG`, else the user's configuration directory.
pub fn directory() -> PathBuf {
    if let Some(path) = std::env::var_os("BPCI_CONFIG").filter(|p| !p.is_empty()) {
        return PathBuf::from(path);
    }
    directories::ProjectDirs::from("", "", "bpci")
        .map_or_else(|| PathBuf::from(".bpci"), |d| d.config_dir().to_path_buf())
}

impl Settings {
    /// Reads the person's file; there may be none.
    ///
    /// # Errors
    /// It has a mistake, with its place.
    pub fn load(path: &Path) -> Result<Settings, String> {
        match std::fs::read_to_string(path) {
            Ok(text) => Settings::parse(&path.display().to_string(), &text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Settings::default()),
            Err(e) => Err(format!("{}: {e}", path.display())),
        }
    }

    /// Reads settings from a text.
    ///
    /// # Errors
    /// The first mistake in it, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Settings, String> {
        let place = |offset: usize| super::theme::place(text, offset);
        let settings: Settings = toml::from_str(text).map_err(|e| {
            let (line, column) = e.span().map_or((1, 1), |s| place(s.start));
            format!(
                "{file}:{line}:{column}: {}; known: theme, ascii, mouse, notify, [keys]",
                e.message().lines().next().unwrap_or_default()
            )
        })?;
        let mut keys = KeyMap::default();
        for (name, key) in &settings.keys {
            let line =
                text.lines().position(|l| l.trim_start().starts_with(name.as_str())).map_or(1, |l| l + 1);
            keys.change(name, key).map_err(|e| format!("{file}:{line}:1: {e}"))?;
        }
        Ok(settings)
    }

    /// The key map with the person's keys.
    pub fn key_map(&self) -> KeyMap {
        let mut keys = KeyMap::default();
        for (name, key) in &self.keys {
            // A mistake was told when the file was read.
            let _ = keys.change(name, key);
        }
        keys
    }
}

impl Remembered {
    /// What was remembered; anything unreadable is forgotten.
    pub fn load(path: &Path) -> Remembered {
        std::fs::read_to_string(path).ok().and_then(|text| toml::from_str(&text).ok()).unwrap_or_default()
    }

    /// Remembers. That it cannot be is no reason to disturb anybody.
    pub fn save(&self, path: &Path) {
        let Ok(text) = toml::to_string(self) else { return };
        if let Some(directory) = path.parent() {
            let _ = std::fs::create_dir_all(directory);
        }
        let _ = std::fs::write(path, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_placed() {
        for (text, expected) in [
            ("thema = \"dark\"\n", "f:1:1: unknown field `thema`"),
            ("theme = \"dark\"\n[keys]\nfly = \"x\"\n", "f:3:1: `fly` is nothing that can be done"),
            ("[keys]\nfailover = \"s\"\n", "f:2:1: `stop` has that key already"),
            ("notify = \"loud\"\n", "f:1:10: unknown variant `loud`"),
        ] {
            let said = Settings::parse("f", text).err().unwrap_or_default();
            assert!(said.starts_with(expected), "{said}");
        }
        assert!(
            Settings::parse("f", "theme = \"dark\"\nnotify = \"both\"\n[keys]\nfailover = \"F\"\n").is_ok()
        );
    }
}

//! Where a lab is: its directory, its ports, its nodes.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The lab's regions, in the order they are started.
pub const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-1"];

/// A lab's directory and what was decided when it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    pub dir: PathBuf,
    pub base_port: u16,
    pub patroni: PathBuf,
}

impl Place {
    /// Reads the lab that stands in a directory.
    ///
    /// # Errors
    /// There is none.
    pub fn load(dir: &Path) -> Result<Place, String> {
        let path = dir.join("lab.json");
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}; there is no lab here: bpci lab up", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}; remove the directory and run: bpci lab up", path.display()))
    }

    pub fn save(&self) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        std::fs::write(self.dir.join("lab.json"), text).map_err(|e| format!("{}: {e}", self.dir.display()))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn etcd(&self) -> String {
        format!("127.0.0.1:{}", self.base_port)
    }

    pub fn etcd_peer(&self) -> String {
        format!("127.0.0.1:{}", self.base_port + 1)
    }

    /// `(address, REST port, database port)` of a node.
    pub fn node(&self, region: &str) -> Option<(String, u16, u16)> {
        let i = REGIONS.iter().position(|r| *r == region)? as u16;
        Some((format!("127.0.0.{}", 11 + i), self.base_port + 10 + i, self.base_port + 20 + i))
    }

    pub fn write_entry(&self) -> String {
        format!("127.0.0.1:{}", self.base_port + 30)
    }

    pub fn runtime_api(&self) -> String {
        format!("127.0.0.1:{}", self.base_port + 31)
    }

    pub fn data(&self, region: &str) -> PathBuf {
        self.path(region).join("data")
    }
}

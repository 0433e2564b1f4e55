//! Where a lab is: its directory, its addresses, its nodes.

use crate::model::Span;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The lab's regions, in the order they are started.
pub const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-1"];

/// Everything that is on the wire of a lab in namespaces, with the last part of its address. `us` is who stands outside:
/// this machine itself.
pub const HOSTS: [(&str, u8); 6] =
    [("us", 1), ("us-east-1", 11), ("eu-west-1", 12), ("ap-southeast-1", 13), ("store", 21), ("entry", 31)];

/// A lab's directory and what was decided when it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Place {
    pub dir: PathBuf,
    pub base_port: u16,
    pub patroni: PathBuf,
    /// Each region in a network namespace of its own, joined by a wire that can be cut and slowed.
    #[serde(default)]
    pub wired: bool,
    /// How long the fence takes.
    #[serde(default)]
    pub fence_takes: Option<Span>,
    /// The megabytes of each node's own disk; `None`: they share this machine's.
    #[serde(default)]
    pub disk_mb: Option<u32>,
    /// Where each member of etcd runs.
    #[serde(default = "one_store")]
    pub etcd_in: Vec<String>,
}

/// One member of etcd, apart from the regions.
pub fn one_store() -> Vec<String> {
    vec!["store".to_string()]
}

/// A member of etcd: its name, its host, and its addresses for clients and for the other members.
pub struct EtcdMember {
    pub name: String,
    pub host: String,
    pub client: String,
    pub peer: String,
}

impl Place {
    /// Reads the lab that stands in a directory.
    ///
    /// # Errors
    /// There is none.
    pub fn load(dir: &Path) -> Result<Place, String> {
        let path = dir.join("lab.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|e| format!("{}: {e}; there is no lab here: bpci lab up", path.display()))?;
        serde_json::from_str(&text)
            .map_err(|e| format!("{}: {e}; remove the directory and run: bpci lab up", path.display()))
    }

    pub fn save(&self) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        std::fs::write(self.dir.join("lab.json"), text).map_err(|e| format!("{}: {e}", self.dir.display()))
    }

    /// The name of its estate. Labs of other ports have other names, so that no command for one reaches another.
    pub fn estate_name(&self) -> String {
        format!("lab-{}", self.base_port)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Where a host listens. On the wire it is an address of the range that is set aside for such tests (RFC 2544).
    pub fn address(&self, host: &str) -> String {
        let last = HOSTS.iter().find(|(name, _)| *name == host).map_or(1, |(_, last)| *last);
        match (self.wired, REGIONS.contains(&host)) {
            (true, _) => format!("198.18.{}.{last}", (self.base_port / 100) % 256),
            (false, true) => format!("127.0.0.{last}"),
            (false, false) => "127.0.0.1".to_string(),
        }
    }

    /// The network namespace of a host; `None`: it is this machine's own.
    pub fn namespace(&self, host: &str) -> Option<String> {
        (self.wired && host != "us").then(|| format!("bpci-{}-{host}", self.base_port))
    }

    pub fn etcd(&self) -> Vec<EtcdMember> {
        let member = |(i, host): (usize, &String)| {
            let (address, port) = (self.address(host), self.base_port + 2 * i as u16);
            let (client, peer) = (format!("{address}:{port}"), format!("{address}:{}", port + 1));
            EtcdMember {
                name: if i == 0 { "etcd".to_string() } else { format!("etcd-{}", i + 1) },
                host: host.clone(),
                client,
                peer,
            }
        };
        self.etcd_in.iter().enumerate().map(member).collect()
    }

    /// `(address, REST port, database port)` of a node.
    pub fn node(&self, region: &str) -> Option<(String, u16, u16)> {
        let i = REGIONS.iter().position(|r| *r == region)? as u16;
        Some((self.address(region), self.base_port + 10 + i, self.base_port + 20 + i))
    }

    pub fn write_entry(&self) -> String {
        format!("{}:{}", self.address("entry"), self.base_port + 30)
    }

    pub fn runtime_api(&self) -> String {
        format!("{}:{}", self.address("entry"), self.base_port + 31)
    }

    pub fn data(&self, region: &str) -> PathBuf {
        if self.disk_mb.is_some() { self.disk(region).join("data") } else { self.path(region).join("data") }
    }

    /// Where a node's own disk is mounted.
    pub fn disk(&self, region: &str) -> PathBuf {
        self.path(region).join("disk")
    }
}

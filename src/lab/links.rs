//! The wire of a lab in namespaces: laid, cut, slowed, mended, and taken away again.

use super::answer::wait;
use super::place::{HOSTS, Place};
use super::process;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

fn ip(words: &[&str]) -> Result<(), String> {
    let out = Command::new("ip").args(words).output().map_err(|e| format!("ip: {e}; install iproute2"))?;
    if out.status.success() {
        Ok(())
    } else {
        Err(format!("ip {}: {}", words.join(" "), String::from_utf8_lossy(&out.stderr).trim()))
    }
}

fn file(place: &Place) -> PathBuf {
    place.path("links")
}

/// Makes the namespaces and the wire between them.
///
/// # Errors
/// It needs root and `/dev/net/tun`.
pub fn lay(place: &Place) -> Result<(), String> {
    write(place, "")?;
    for namespace in HOSTS.iter().filter_map(|(host, _)| place.namespace(host)) {
        ip(&["netns", "add", &namespace]).map_err(|e| format!("{e}; network namespaces need root"))?;
    }
    start(place)
}

fn start(place: &Place) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.args(["lab", "wire", "--rules"]).arg(file(place));
    for (host, _) in HOSTS {
        let namespace = place.namespace(host).unwrap_or_else(|| ".".to_string());
        command.arg("--port").arg(format!("{namespace}={}", place.address(host)));
    }
    process::start(&place.dir, "wire", command)?;
    let log = place.path("wire.log");
    wait("the wire; see wire.log", Duration::from_secs(10), || {
        std::fs::read_to_string(&log).is_ok_and(|t| t.contains("it carries"))
    })
}

/// More rules; the last one that fits a link holds.
///
/// # Errors
/// The lab has no wire.
pub fn add(place: &Place, lines: &[(&str, &str, &str)]) -> Result<(), String> {
    if !place.wired {
        return Err("this lab is on the loopback; a wire has: bpci lab up --netns".to_string());
    }
    let mut text = std::fs::read_to_string(file(place)).unwrap_or_default();
    let name = |host: &str| {
        if host == "*" { host.to_string() } else { place.namespace(host).unwrap_or_else(|| ".".to_string()) }
    };
    for (a, b, words) in lines {
        text.push_str(&format!("{} {} {words}\n", name(a), name(b)));
    }
    write(place, &text)
}

/// Whole, where a reader may look at any moment.
fn write(place: &Place, text: &str) -> Result<(), String> {
    let (path, new) = (file(place), place.path("links.new"));
    std::fs::write(&new, text)
        .and_then(|()| std::fs::rename(&new, &path))
        .map_err(|e| format!("{}: {e}", path.display()))
}

/// The rules in force, with hosts for namespaces.
pub fn rules(place: &Place) -> impl Iterator<Item = String> {
    let prefix = format!("bpci-{}-", place.base_port);
    let text =
        if place.wired { std::fs::read_to_string(file(place)).unwrap_or_default() } else { String::new() };
    let lines: Vec<String> = text.lines().map(|l| l.replace(&prefix, "").replace(". ", "us ")).collect();
    lines.into_iter()
}

/// Every link whole again; true if one was not.
///
/// # Errors
/// The wire does not start.
pub fn mend(place: &Place) -> Result<bool, String> {
    let broken = rules(place).next().is_some();
    write(place, "")?;
    if process::running(&place.dir, "wire").is_none() {
        std::fs::write(place.path("wire.log"), "").map_err(|e| e.to_string())?;
        start(place)?;
        return Ok(true);
    }
    Ok(broken)
}

/// What a damage strikes, and how.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// The region that it strikes; none: the leader's.
    pub region: Option<String>,
    /// `FROM:TO`, several; `leader` stands for whoever leads, `*` for everybody.
    pub links: Vec<String>,
    pub delay: Option<String>,
    pub jitter: Option<String>,
    pub loss: Option<String>,
}

impl How {
    pub fn words(&self) -> String {
        let of = |name: &str, value: &Option<String>| value.as_ref().map(|v| format!("{name} {v}"));
        let words = [of("delay", &self.delay), of("jitter", &self.jitter), of("loss", &self.loss)];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Changes links. `leader`: who that word stands for, if anybody leads.
///
/// # Errors
/// A link's end is not on the wire.
pub fn change(place: &Place, how: &How, words: &str, leader: Option<&str>) -> Result<String, String> {
    if how.links.is_empty() || words.is_empty() {
        return Err("name a link, as --link us:leader, and what becomes of it, as --delay 150ms --jitter 50ms --loss 1%".to_string());
    }
    let mut changed = Vec::new();
    for link in &how.links {
        let (a, b) = link.split_once(':').ok_or_else(|| format!("`{link}` is no link; write FROM:TO"))?;
        let host = |name: &str| -> Result<String, String> {
            match name {
                "leader" => leader
                    .map(str::to_string)
                    .ok_or_else(|| "no node leads just now; bpci lab status".to_string()),
                "*" => Ok(name.to_string()),
                _ if HOSTS.iter().any(|(h, _)| *h == name) => Ok(name.to_string()),
                _ => Err(format!(
                    "`{name}` is not on the wire; known: leader, *, {}",
                    HOSTS.map(|(h, _)| h).join(", ")
                )),
            }
        };
        changed.push((host(a)?, host(b)?));
    }
    let lines: Vec<(&str, &str, &str)> =
        changed.iter().map(|(a, b)| (a.as_str(), b.as_str(), words)).collect();
    add(place, &lines)?;
    Ok(changed.iter().map(|(a, b)| format!("{a} – {b}: {words}")).collect::<Vec<_>>().join("\n"))
}

/// Takes the namespaces away.
pub fn clear(place: &Place) {
    for namespace in HOSTS.iter().filter_map(|(host, _)| place.namespace(host)) {
        let _ = ip(&["netns", "del", &namespace]);
    }
}

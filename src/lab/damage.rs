//! Breaking a lab, mending it, taking it down; and the fence of its nodes.

use super::answer::{find, get};
use super::links::How;
use super::place::{Place, REGIONS};
use super::process::{self, Process};
use super::{links, servers, shortage};
use crate::model::vocabulary;
use std::path::Path;
use std::time::Duration;

vocabulary!(
    /// What can be done to a lab.
    Damage, "damage" {
        LeaderKill = "leader-kill",
        LeaderFreeze = "leader-freeze",
        PostgresKill = "postgres-kill",
        PatroniKill = "patroni-kill",
        SyncKill = "sync-kill",
        ReplicaLag = "replica-lag",
        EtcdStop = "etcd-stop",
        RegionPartition = "region-partition",
        LinkCut = "link-cut",
        LinkLatency = "link-latency",
        DiskFull = "disk-full",
        CpuBurn = "cpu-burn",
    }
);

/// Everything that runs on a node: its agent, its database server, and their children.
fn node(place: &Place, region: &str) -> Vec<Process> {
    let agent = process::running(&place.dir, region);
    let server = process::postmaster(&place.data(region));
    let mut all: Vec<Process> = agent.into_iter().chain(server).flat_map(Process::tree).collect();
    all.dedup();
    all
}

fn signal(processes: &[Process], signal: i32) {
    for process in processes {
        process.signal(signal);
    }
}

/// The node that says it leads.
fn leader(place: &Place) -> Result<&'static str, String> {
    find(place, "/primary").ok_or_else(|| "no node leads just now; bpci lab status".to_string())
}

/// The region that was named, else the leader's.
fn meant<'a>(place: &Place, how: &'a How) -> Result<&'a str, String> {
    match &how.region {
        Some(region) => known(region).map(|()| region.as_str()),
        None => leader(place),
    }
}

/// Breaks a lab. Returns what was done.
///
/// # Errors
/// There is no lab, or nothing of that kind runs in it.
pub fn damage(dir: &Path, what: Damage, how: &How) -> Result<String, String> {
    let place = Place::load(dir)?;
    match what {
        Damage::LeaderKill => {
            let region = meant(&place, how)?;
            signal(&node(&place, region), libc::SIGKILL);
            Ok(format!("{region}: agent and database killed"))
        }
        Damage::LeaderFreeze => {
            let region = meant(&place, how)?;
            signal(&node(&place, region), libc::SIGSTOP);
            Ok(format!("{region}: frozen; bpci lab mend thaws it"))
        }
        Damage::PostgresKill => {
            let region = leader(&place)?;
            let server = process::postmaster(&place.data(region)).ok_or("its database does not run")?;
            server.signal(libc::SIGKILL);
            Ok(format!("{region}: database killed; its agent lives"))
        }
        Damage::PatroniKill => {
            let region = leader(&place)?;
            let agent = process::running(&place.dir, region).ok_or("its agent does not run")?;
            agent.signal(libc::SIGKILL);
            Ok(format!("{region}: agent killed; its database lives"))
        }
        Damage::SyncKill => {
            let region = find(&place, "/sync").ok_or("no synchronous standby just now")?;
            signal(&node(&place, region), libc::SIGKILL);
            Ok(format!("{region}: the synchronous standby was killed"))
        }
        Damage::ReplicaLag => {
            let region = find(&place, "/sync").ok_or("no synchronous standby just now")?;
            let server = process::postmaster(&place.data(region)).ok_or("its database does not run")?;
            let receiver = server
                .tree()
                .into_iter()
                .find(|p| process::command_line(*p).contains("walreceiver"))
                .ok_or("no receiver runs")?;
            receiver.signal(libc::SIGSTOP);
            Ok(format!("{region}: its receiver is stopped; it falls behind until bpci lab mend"))
        }
        Damage::EtcdStop => {
            let running: Vec<Process> =
                place.etcd().iter().filter_map(|m| process::running(&place.dir, &m.name)).collect();
            signal(&running, libc::SIGKILL);
            if running.is_empty() {
                Err("etcd does not run".to_string())
            } else {
                Ok("etcd: killed".to_string())
            }
        }
        Damage::RegionPartition => {
            let region = meant(&place, how)?;
            links::add(&place, &[(region, "*", "cut")])?;
            Ok(format!("{region}: cut off from everything; bpci lab mend joins it again"))
        }
        Damage::LinkCut => links::change(&place, how, "cut", leader(&place).ok()),
        Damage::LinkLatency => links::change(&place, how, &how.words(), leader(&place).ok()),
        Damage::DiskFull => shortage::fill(&place, meant(&place, how)?),
        Damage::CpuBurn => shortage::burn(&place, meant(&place, how)?),
    }
}

/// Thaws, restarts and resumes.
///
/// # Errors
/// There is no lab, or a server does not start.
pub fn mend(dir: &Path) -> Result<String, String> {
    let place = Place::load(dir)?;
    let servers = servers::servers(Some(&place.patroni))?;
    let mut done = shortage::relieve(&place);
    for region in REGIONS {
        signal(&node(&place, region), libc::SIGCONT);
    }
    if place.wired && links::mend(&place)? {
        done.push("the links are whole".to_string());
    }
    if place.etcd().iter().any(|m| process::running(&place.dir, &m.name).is_none()) {
        servers::start_etcd(&place, &servers)?;
        done.push("etcd started".to_string());
    }
    for region in REGIONS {
        if process::running(&place.dir, region).is_none() {
            servers::start_node(&place, &servers, region)?;
            done.push(format!("{region} started"));
        }
    }
    if process::running(&place.dir, "haproxy").is_none() {
        servers::start_haproxy(&place, &servers)?;
        done.push("haproxy started".to_string());
    }
    Ok(if done.is_empty() { "everything runs".to_string() } else { done.join("\n") })
}

/// Ends everything the lab started and removes its directory.
///
/// # Errors
/// There is no lab, or its directory cannot be removed.
pub fn down(dir: &Path) -> Result<String, String> {
    let place = Place::load(dir)?;
    end(&place);
    std::fs::remove_dir_all(&place.dir).map_err(|e| format!("{}: {e}", place.dir.display()))?;
    Ok("down".to_string())
}

/// Ends everything the lab started.
pub(super) fn end(place: &Place) {
    for region in REGIONS {
        signal(&node(place, region), libc::SIGKILL);
    }
    let etcd = place.etcd();
    for name in etcd.iter().map(|m| m.name.as_str()).chain(["haproxy", "wire"]) {
        if let Some(process) = process::running(&place.dir, name) {
            signal(&process.tree(), libc::SIGKILL);
        }
    }
    shortage::relieve(place);
    std::thread::sleep(Duration::from_millis(200));
    shortage::no_disks(place);
    if place.wired {
        links::clear(place);
    }
}

/// What runs, in lines.
///
/// # Errors
/// There is no lab.
pub fn status(dir: &Path) -> Result<String, String> {
    let place = Place::load(dir)?;
    let mut lines = Vec::new();
    let etcd = place.etcd();
    for name in etcd.iter().map(|m| m.name.as_str()).chain(["haproxy"]).chain(place.wired.then_some("wire")) {
        let state = process::running(&place.dir, name)
            .map_or_else(|| "not running".to_string(), |p| format!("running, pid {}", p.pid));
        lines.push(format!("{name:<16} {state}"));
    }
    for region in REGIONS {
        let Some((address, rest, sql)) = place.node(region) else { continue };
        let agent = process::running(&place.dir, region)
            .map_or("agent down".to_string(), |p| format!("agent {}", p.pid));
        let server = process::postmaster(&place.data(region))
            .map_or("database down".to_string(), |p| format!("database {}", p.pid));
        let role = match get(&format!("{address}:{rest}"), "/patroni")
            .and_then(|(_, body)| serde_json::from_str::<serde_json::Value>(&body).ok())
        {
            None => "no answer".to_string(),
            Some(v) => format!(
                "{} {}, timeline {}",
                v["role"].as_str().unwrap_or("?"),
                v["state"].as_str().unwrap_or("?"),
                v["timeline"]
            ),
        };
        lines.push(format!(
            "{region:<16} {agent}, {server}; {role}; REST {address}:{rest}, SQL {address}:{sql}"
        ));
    }
    lines.extend(links::rules(&place).map(|rule| format!("link             {rule}")));
    lines.push(format!("writes           {}", place.write_entry()));
    Ok(lines.join("\n"))
}

/// Proves a node off: everything on it is killed, and was seen to be gone. Also when it was already.
///
/// # Errors
/// Something on it lives on.
pub fn fence(dir: &Path, region: &str) -> Result<String, String> {
    let place = Place::load(dir)?;
    known(region)?;
    for _ in 0..100 {
        let alive = node(&place, region);
        if alive.is_empty() {
            return Ok(format!("{region} is off"));
        }
        signal(&alive, libc::SIGKILL);
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(format!("{region} does not die"))
}

/// Could it be fenced? Fires nothing.
///
/// # Errors
/// There is no such node.
pub fn fence_check(dir: &Path, region: &str) -> Result<String, String> {
    let place = Place::load(dir)?;
    known(region)?;
    Ok(format!("{region}: {} processes could be ended", node(&place, region).len()))
}

/// Lets a fenced node come back.
///
/// # Errors
/// It does not start.
pub fn undo_fence(dir: &Path, region: &str) -> Result<String, String> {
    let place = Place::load(dir)?;
    known(region)?;
    if process::running(&place.dir, region).is_some() {
        return Ok(format!("{region} runs already"));
    }
    let servers = servers::servers(Some(&place.patroni))?;
    servers::start_node(&place, &servers, region)?;
    Ok(format!("{region} started"))
}

fn known(region: &str) -> Result<(), String> {
    if REGIONS.contains(&region) {
        Ok(())
    } else {
        Err(format!("`{region}` is no node of this lab; known: {}", REGIONS.join(", ")))
    }
}

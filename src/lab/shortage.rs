//! What a machine runs short of: room on its disk, time on its processors.

use super::place::{Place, REGIONS};
use super::process::{self, Process};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Gives each node a disk of its own, so small that it can be filled.
///
/// # Errors
/// It cannot be mounted: that needs root.
pub fn disks(place: &Place) -> Result<(), String> {
    let Some(size) = place.disk_mb else { return Ok(()) };
    for region in REGIONS {
        let at = place.disk(region);
        std::fs::create_dir_all(&at).map_err(|e| format!("{}: {e}", at.display()))?;
        let options = format!("size={size}m,mode=755");
        let out = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "bpci-lab"])
            .arg(&at)
            .output()
            .map_err(|e| format!("mount: {e}"))?;
        if !out.status.success() {
            return Err(format!(
                "a disk of its own for {region} needs root: {}",
                String::from_utf8_lossy(&out.stderr).trim()
            ));
        }
    }
    Ok(())
}

/// Takes the disks away again.
pub fn no_disks(place: &Place) {
    for region in REGIONS.iter().filter(|_| place.disk_mb.is_some()) {
        let _ = Command::new("umount").arg("-l").arg(place.disk(region)).output();
    }
}

/// Fills a node's disk to the last byte.
///
/// # Errors
/// The nodes have no disks of their own.
pub fn fill(place: &Place, region: &str) -> Result<String, String> {
    if place.disk_mb.is_none() {
        return Err("the nodes of this lab share this machine's disk; disks of their own have: bpci lab up --disk 400".to_string());
    }
    let path = filler(place, region);
    let mut file = std::fs::File::create(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let (mut written, block) = (0u64, vec![0u8; 1 << 16]);
    for size in [block.len(), 4096, 1] {
        while let Ok(n) = file.write(&block[..size]) {
            written += n as u64;
        }
    }
    Ok(format!("{region}: its disk is full, {} MB of it ours; bpci lab mend frees them", written >> 20))
}

fn filler(place: &Place, region: &str) -> PathBuf {
    place.disk(region).join("filler")
}

/// Keeps every processor busy.
///
/// # Errors
/// No process can be started.
pub fn burn(place: &Place, region: &str) -> Result<String, String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for n in 0..cores {
        let name = burner(n);
        if process::running(&place.dir, &name).is_none() {
            let mut command = process::command(Path::new("/bin/sh"), place.namespace(region).as_deref());
            command.args(["-c", "while :; do :; done"]);
            process::start(&place.dir, &name, command)?;
        }
    }
    // Regions of a lab share the processors of this machine.
    Ok(format!("{cores} processes burn; every region of the lab feels it; bpci lab mend ends them"))
}

fn burner(n: usize) -> String {
    format!("burn-{n}")
}

fn burners(place: &Place) -> Vec<Process> {
    (0..1024)
        .map_while(|n| {
            place
                .path(&format!("{}.pid", burner(n)))
                .exists()
                .then(|| process::running(&place.dir, &burner(n)))
        })
        .flatten()
        .collect()
}

/// Ends the shortages. What was done.
pub fn relieve(place: &Place) -> Vec<String> {
    let mut done = Vec::new();
    for region in REGIONS {
        if std::fs::remove_file(filler(place, region)).is_ok() {
            done.push(format!("{region}: its disk has room again"));
        }
    }
    let burning = burners(place);
    burning.iter().flat_map(|p| p.tree()).for_each(|p| p.signal(libc::SIGKILL));
    if !burning.is_empty() {
        done.push("the processors are free again".to_string());
    }
    done
}

//! What `lab up` refuses before it starts anything, and what a failed start leaves. Real servers are in tests/live.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU16, Ordering};

fn lab(arguments: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
    command.arg("lab").args(arguments).arg("--dir").arg(dir).output().unwrap_or_else(|e| panic!("{e}"))
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A directory that the servers' user gets into, and a place in it where nothing is.
fn fresh() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(parent.path(), open).unwrap_or_else(|e| panic!("{e}"));
    let dir = parent.path().join("lab");
    (parent, dir)
}

/// A first port from which forty are free, given to no other test of this file.
fn base_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    let free = |base: &u16| (0..40).all(|n| TcpListener::bind(("0.0.0.0", base + n)).is_ok());
    let mut bases =
        std::iter::from_fn(|| Some(NEXT.fetch_add(100, Ordering::Relaxed)).filter(|b| *b < 24_000));
    bases.find(free).unwrap_or_else(|| panic!("no forty ports are free"))
}

#[test]
fn a_port_in_use_is_refused_before_anything_starts() {
    let ((_parent, dir), base) = (fresh(), base_port());
    let held = TcpListener::bind(("127.0.0.1", base + 30)).unwrap_or_else(|e| panic!("{e}"));
    let output = lab(&["up", "--base-port", &base.to_string()], &dir);
    drop(held);
    assert_eq!(output.status.code(), Some(1));
    let told = told(&output);
    let (port, holder) =
        (format!("127.0.0.1:{} (HAProxy, writes)", base + 30), format!("pid {}", std::process::id()));
    assert!(told.contains(&port) && told.contains(&holder) && told.contains("--base-port"), "{told}");
    assert!(!dir.exists(), "something was written although nothing could start");
}

#[test]
fn a_directory_of_somebody_else_is_left_alone() {
    let (_parent, dir) = fresh();
    std::fs::create_dir(&dir)
        .and_then(|()| std::fs::write(dir.join("thesis"), "years"))
        .unwrap_or_else(|e| panic!("{e}"));
    let output = lab(&["up", "--base-port", &base_port().to_string()], &dir);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("not empty"), "{}", told(&output));
    assert_eq!(std::fs::read_to_string(dir.join("thesis")).ok().as_deref(), Some("years"));
}

/// Needs the servers: Patroni ends at once, and etcd was running by then.
#[test]
fn a_failed_start_keeps_its_logs_and_ends_what_it_started() {
    let ((_parent, dir), base) = (fresh(), base_port());
    let broken = dir.with_file_name("patroni");
    std::fs::write(&broken, "#!/bin/sh\necho no module named patroni >&2\nexit 1\n")
        .unwrap_or_else(|e| panic!("{e}"));
    let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&broken, runs).unwrap_or_else(|e| panic!("{e}"));
    let output =
        lab(&["up", "--base-port", &base.to_string(), "--patroni", &broken.display().to_string()], &dir);
    assert_eq!(output.status.code(), Some(1));
    let kept = dir.with_file_name("lab.failed");
    assert!(told(&output).contains(&kept.display().to_string()), "{}", told(&output));
    let log = std::fs::read_to_string(kept.join("us-east-1.log")).unwrap_or_default();
    assert!(log.contains("no module named patroni"), "{log}");
    assert!(kept.join("etcd.log").is_file() && !dir.exists());
    assert!(TcpListener::bind(("127.0.0.1", base)).is_ok(), "etcd runs on");
}

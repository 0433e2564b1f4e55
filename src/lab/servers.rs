//! What the servers are on this machine, and starting them.

use super::answer::{get, wait};
use super::place::{EtcdMember, Place};
use super::process;
use std::path::{Path, PathBuf};
use std::time::Duration;

const INSTALL: &str = "apt-get update && apt-get install -y postgresql-15 patroni etcd-server etcd-client haproxy python3-etcd python3-psycopg2";

/// What the servers are, on this machine.
pub struct Servers {
    pub etcd: PathBuf,
    pub haproxy: PathBuf,
    pub patroni: PathBuf,
    pub postgres: PathBuf,
}

/// Finds the servers.
///
/// # Errors
/// One is missing; the text has the command that installs it.
pub fn servers(patroni: Option<&Path>) -> Result<Servers, String> {
    let find = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let more = [PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")];
        std::env::split_paths(&path).chain(more).map(|d| d.join(name)).find(|p| p.is_file())
    };
    let need = |name: &str| find(name).ok_or_else(|| format!("{name} is not installed; run: {INSTALL}"));
    let patroni = match patroni {
        Some(path) if path.is_file() => path.to_path_buf(),
        Some(path) => return Err(format!("{}: there is no Patroni here", path.display())),
        None => need("patroni")?,
    };
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|d| d.flatten().map(|e| e.path().join("bin")).filter(|p| p.join("initdb").is_file()).collect())
        .unwrap_or_default();
    versions.sort();
    let postgres = versions.pop().ok_or_else(|| format!("PostgreSQL is not installed; run: {INSTALL}"))?;
    Ok(Servers { etcd: need("etcd")?, haproxy: need("haproxy")?, patroni, postgres })
}

/// Starts the members of etcd that do not run.
pub fn start_etcd(place: &Place, servers: &Servers) -> Result<(), String> {
    let members = place.etcd();
    let cluster =
        members.iter().map(|m| format!("{}=http://{}", m.name, m.peer)).collect::<Vec<_>>().join(",");
    let alone = |m: &&EtcdMember| process::running(&place.dir, &m.name).is_none();
    for member in members.iter().filter(alone) {
        let mut command = process::command(&servers.etcd, place.namespace(&member.host).as_deref());
        let (client, peer) = (format!("http://{}", member.client), format!("http://{}", member.peer));
        command
            .args(["--name", &member.name, "--data-dir"])
            .arg(place.path(&format!("{}.data", member.name)));
        command.args([
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
            "--listen-peer-urls",
            &peer,
        ]);
        command.args(["--initial-advertise-peer-urls", &peer, "--initial-cluster", &cluster]);
        // A member of another lab that once had these ports is not let in.
        command.arg("--initial-cluster-token").arg(&place.dir);
        process::start(&place.dir, &member.name, command)?;
    }
    let up = |m: &EtcdMember| get(&m.client, "/health").is_some_and(|(status, _)| status == 200);
    let mut ended = None;
    wait("etcd; see etcd.log", Duration::from_secs(20), || {
        ended = members.iter().find(|m| process::running(&place.dir, &m.name).is_none());
        ended.is_some() || members.iter().all(up)
    })?;
    ended.map_or(Ok(()), |member| Err(format!("{} ended by itself; see {}.log", member.name, member.name)))
}

pub fn start_node(place: &Place, servers: &Servers, region: &str) -> Result<(), String> {
    // Debian's Patroni needs Debian's Python, whatever comes first on the path.
    let packaged = place.patroni.starts_with("/usr/bin");
    let namespace = place.namespace(region);
    let program = if packaged { Path::new("/usr/bin/python3") } else { &place.patroni };
    let mut command = process::command(program, namespace.as_deref());
    if packaged {
        command.arg(&place.patroni);
    }
    command.arg(place.path(region).join("patroni.yml"));
    let _ = servers;
    process::start(&place.dir, region, command).map(|_| ())
}

pub fn start_haproxy(place: &Place, servers: &Servers) -> Result<(), String> {
    let mut command = process::command(&servers.haproxy, place.namespace("entry").as_deref());
    command.arg("-db").arg("-f").arg(place.path("haproxy.cfg"));
    process::start(&place.dir, "haproxy", command).map(|_| ())
}

/// Runs SQL as the lab's superuser.
pub fn psql(servers: &Servers, host: &str, port: u16, sql: &str) -> Result<String, String> {
    let out = std::process::Command::new(servers.postgres.join("psql"))
        .args([
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            host,
            "-p",
            &port.to_string(),
            "-U",
            "postgres",
            "-d",
            "postgres",
            "-c",
            sql,
        ])
        .env("PGCONNECT_TIMEOUT", "2")
        .output()
        .map_err(|e| format!("psql: {e}"))?;
    if out.status.success() {
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&out.stderr).into_owned())
    }
}

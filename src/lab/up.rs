//! Bringing a lab up: the first node alone, so that the first leader is not left to chance; then the others.

use super::answer::{find, get, wait};
use super::place::{HOSTS, Place, REGIONS, one_store};
use super::servers::{Servers, psql, servers, start_etcd, start_haproxy, start_node};
use super::{damage, files, links, ports, process, shortage};
use crate::model::Span;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is to be brought up.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub base_port: u16,
    /// Another Patroni than the installed one.
    pub patroni: Option<PathBuf>,
    pub wired: bool,
    /// How long its fence takes, as a power switch would.
    pub fence_takes: Option<Span>,
    /// The megabytes of a disk for each node.
    pub disk_mb: Option<u32>,
    /// Where the members of etcd are to be; none: one, apart from the regions.
    pub etcd_in: Vec<String>,
}

/// Starts everything and writes `estate.yaml`. Returns what to do next.
///
/// # Errors
/// A server is missing, or did not come up; the text says which, and where its log is.
pub fn up(dir: &Path, ask: &Ask) -> Result<String, String> {
    if dir.join("lab.json").exists() {
        return Err(format!("{}: a lab is there already; bpci lab status, or bpci lab down", dir.display()));
    }
    let known = |host: &String| HOSTS.iter().any(|(name, _)| name == host) && host != "us" && host != "entry";
    if let Some(host) = ask.etcd_in.iter().find(|h| !known(h)) {
        return Err(format!("etcd cannot be in `{host}`; it can be in: store, {}", REGIONS.join(", ")));
    }
    if std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!(
            "{} is not empty, and `lab down` removes all of it; name a new directory with --dir",
            dir.display()
        ));
    }
    let servers = servers(ask.patroni.as_deref())?;
    let etcd_in = if ask.etcd_in.is_empty() { one_store() } else { ask.etcd_in.clone() };
    let mut place = Place {
        dir: dir.to_path_buf(),
        base_port: ask.base_port,
        patroni: servers.patroni.clone(),
        wired: ask.wired,
        fence_takes: ask.fence_takes,
        disk_mb: ask.disk_mb,
        etcd_in,
    };
    ports::check(&place)?;
    std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    place.dir = dir.canonicalize().map_err(|e| format!("{}: {e}", dir.display()))?;
    place.save()?;
    bring_up(&place, &servers).map_err(|e| {
        damage::end(&place);
        match keep_logs(&place) {
            Ok(kept) => {
                format!("{e}; everything was ended again; logs and configurations: {}", kept.display())
            }
            Err(lost) => format!("{e}; everything was ended again; the logs could not be kept: {lost}"),
        }
    })
}

/// Moves what tells why a start failed out of the lab's directory, which can then be used again, and removes the rest.
fn keep_logs(place: &Place) -> Result<PathBuf, String> {
    let mut kept = place.dir.clone().into_os_string();
    kept.push(".failed");
    let kept = PathBuf::from(kept);
    let told = |e: std::io::Error| format!("{}: {e}", kept.display());
    // What an earlier failed start left is of no more use.
    let _ = std::fs::remove_dir_all(&kept);
    std::fs::create_dir_all(&kept).map_err(told)?;
    for entry in std::fs::read_dir(&place.dir).map_err(told)?.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.extension().is_some_and(|e| e == "log" || e == "cfg" || e == "yaml") {
            std::fs::copy(&path, kept.join(&name)).map_err(told)?;
        }
    }
    for region in REGIONS {
        let _ =
            std::fs::copy(place.path(region).join("patroni.yml"), kept.join(format!("{region}.patroni.yml")));
    }
    std::fs::remove_dir_all(&place.dir).map_err(told)?;
    Ok(kept)
}

fn bring_up(place: &Place, servers: &Servers) -> Result<String, String> {
    let write = |path: PathBuf, text: String| {
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
    };
    for region in REGIONS {
        let node = place.path(region);
        std::fs::create_dir_all(&node).map_err(|e| format!("{}: {e}", node.display()))?;
        write(
            node.join("patroni.yml"),
            files::patroni(place, region, &servers.postgres).unwrap_or_default(),
        )?;
    }
    write(place.path("haproxy.cfg"), files::haproxy(place))?;
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    write(place.path("estate.yaml"), files::estate(place, &program))?;
    let password = password();
    secret(&place.path("bpci.password"), &password)?;
    shortage::disks(place)?;
    own(&place.dir)?;

    if place.wired {
        links::lay(place)?;
    }
    start_etcd(place, servers)?;
    let started = Instant::now();
    start_node(place, servers, REGIONS[0])?;
    let (address, rest, sql) = place.node(REGIONS[0]).unwrap_or_default();
    let mut ended = false;
    wait(&format!("{} to lead; see {}.log", REGIONS[0], REGIONS[0]), Duration::from_secs(40), || {
        ended = process::running(&place.dir, REGIONS[0]).is_none();
        ended || get(&format!("{address}:{rest}"), "/primary").is_some_and(|(status, _)| status == 200)
    })?;
    if ended {
        return Err(format!("Patroni of {} ended by itself; see {}.log", REGIONS[0], REGIONS[0]));
    }
    for region in &REGIONS[1..] {
        start_node(place, servers, region)?;
    }
    start_haproxy(place, servers)?;
    psql(servers, &address, sql, &setup_sql(&password))?;
    wait("a synchronous standby and a second one to stream", Duration::from_secs(60), || {
        let sql_text = "SELECT count(*) FILTER (WHERE sync_state = 'sync') || ' ' || count(*) FROM pg_stat_replication WHERE state = 'streaming'";
        psql(servers, &address, sql, sql_text).is_ok_and(|out| out.trim() == "1 2")
    })?;
    // PostgreSQL is synchronous a moment before etcd says so: who breaks it in that moment has a cluster that nobody may take.
    wait("etcd to name the synchronous standby", Duration::from_secs(30), || find(place, "/sync").is_some())?;
    wait("a write through HAProxy", Duration::from_secs(20), || {
        let (host, port) = place
            .write_entry()
            .split_once(':')
            .map(|(h, p)| (h.to_string(), p.parse().unwrap_or(0)))
            .unwrap_or_default();
        psql(servers, &host, port, "UPDATE bpci_validation SET at = now() WHERE id = 0").is_ok()
    })?;
    let estate = place.path("estate.yaml");
    Ok(format!(
        "up in {:.1} s: etcd, three Patroni nodes, HAProxy\nwrites     postgresql://postgres@{}/postgres\nestate     {}\nnext       bpci --config {} --arm\n           bpci lab break leader-kill --dir {}",
        started.elapsed().as_secs_f64(),
        place.write_entry(),
        estate.display(),
        estate.display(),
        place.dir.display()
    ))
}

fn setup_sql(password: &str) -> String {
    format!(
        "CREATE ROLE bpci LOGIN PASSWORD '{password}'; GRANT pg_monitor TO bpci;
         CREATE TABLE bpci_validation (id integer PRIMARY KEY, effect text, at timestamptz NOT NULL DEFAULT now());
         INSERT INTO bpci_validation VALUES (0, 'made');
         GRANT SELECT, INSERT, UPDATE ON bpci_validation TO bpci;"
    )
}

fn password() -> String {
    let bytes: [u8; 16] = rand::random();
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Writes a file that nobody else may read.
fn secret(path: &Path, text: &str) -> Result<(), String> {
    let mut options = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| format!("{}: {e}", path.display()))
}

/// The servers' user must own what they write.
fn own(dir: &Path) -> Result<(), String> {
    let Some(user) = process::as_user() else { return Ok(()) };
    let status = std::process::Command::new("chown")
        .args(["-R", &format!("{user}:{user}")])
        .arg(dir)
        .status()
        .map_err(|e| e.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{}: could not be given to {user}", dir.display())) }
}

//! A lab of the tests' own: real servers on this machine, and what is asked of them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-1"];

/// The program that is tested: the one that cargo built, or the copy of it that `BPCI_PROGRAM` names, where that is built anew
/// meanwhile.
pub fn program() -> PathBuf {
    std::env::var_os("BPCI_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_bpci").into(), PathBuf::from)
}

pub struct Lab {
    pub dir: tempfile::TempDir,
    pub port: u16,
    /// Its regions are network namespaces.
    wired: bool,
}

impl Lab {
    pub fn up(port: u16) -> Lab {
        Lab::up_with(port, &[])
    }

    pub fn up_with(port: u16, more: &[&str]) -> Lab {
        let dir = tempfile::Builder::new().prefix("bpci-live-").tempdir().unwrap_or_else(|e| panic!("{e}"));
        // The servers run as another user, who must get through.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(dir.path(), open).unwrap_or_else(|e| panic!("{e}"));
        let lab = Lab { dir, port, wired: more.contains(&"--netns") };
        let (path, port) = (lab.path(), port.to_string());
        lab.ok(&[&["lab", "up", "--dir", &path, "--base-port", &port], more].concat());
        lab
    }

    pub fn path(&self) -> String {
        self.dir.path().join("lab").display().to_string()
    }

    pub fn estate(&self) -> PathBuf {
        self.dir.path().join("lab/estate.yaml")
    }

    /// The name of its estate.
    pub fn name(&self) -> String {
        format!("lab-{}", self.port)
    }

    /// The directory of its estate's record.
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("data").join(self.name())
    }

    /// The estate with something in it changed, under a name of its own.
    pub fn estate_with(&self, name: &str, change: impl Fn(&str) -> String) -> String {
        let text = std::fs::read_to_string(self.estate()).unwrap_or_else(|e| panic!("{e}"));
        let changed = change(&text).replace(&format!("name: {}\n", self.name()), &format!("name: {name}\n"));
        assert_ne!(changed, text);
        let path = self.dir.path().join(format!("{name}.yaml"));
        std::fs::write(&path, changed).unwrap_or_else(|e| panic!("{e}"));
        path.display().to_string()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).env("BPCI_DATA", self.dir.path().join("data")).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap_or_else(|e| panic!("{e}"))
    }

    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "bpci {arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Gives what a test put there to the account that the servers run as.
    pub fn owned(&self, path: &str) {
        let as_its_parent = format!("--reference={}", self.path());
        let done = Command::new("chown")
            .args(["-R", &as_its_parent, path])
            .output()
            .unwrap_or_else(|e| panic!("{e}"));
        assert!(done.status.success(), "{done:?}");
    }

    pub fn etcd(&self, arguments: &[&str]) -> String {
        let endpoint = format!("--endpoints=127.0.0.1:{}", self.port);
        let output = Command::new("etcdctl")
            .arg(endpoint)
            .args(arguments)
            .env("ETCDCTL_API", "3")
            .output()
            .unwrap_or_else(|e| panic!("{e}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The leader's key with its revisions: untouched means the same.
    pub fn leader_key(&self) -> String {
        let text = self.etcd(&["get", "/service/orders/leader", "-w", "json"]);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}"));
        format!("{} {}", value["kvs"][0]["value"], value["kvs"][0]["create_revision"])
    }

    /// The port of the database in a region.
    pub fn port_of(&self, region: &str) -> u16 {
        self.port
            + 20
            + REGIONS.iter().position(|r| *r == region).unwrap_or_else(|| panic!("{region}")) as u16
    }

    pub fn damage(&self, what: &str) {
        self.ok(&["lab", "break", what, "--dir", &self.path()]);
    }

    pub fn mend(&self) {
        self.ok(&["lab", "mend", "--dir", &self.path()]);
    }

    /// How many operations the record knows.
    pub fn operations(&self) -> usize {
        self.status()["operations"].as_array().map_or(0, Vec::len)
    }

    pub fn config(&self) -> String {
        self.estate().display().to_string()
    }

    /// Where the server with this port listens.
    pub fn host(&self, port: u16) -> String {
        let last = if port == self.port + 30 { 31 } else { 11 + port - self.port - 20 };
        match (self.wired, last) {
            (true, _) => format!("198.18.{}.{last}", (self.port / 100) % 256),
            (false, 31) => "127.0.0.1".to_string(),
            (false, _) => format!("127.0.0.{last}"),
        }
    }

    /// The newest operation's status, once it is over.
    pub fn ended(&self) -> Option<String> {
        let list = self.ok(&["bc", "recovery", "list", "--config", &self.config(), "--output", "json"]);
        let list: serde_json::Value = serde_json::from_str(&list).unwrap_or_else(|e| panic!("{e}"));
        let status = list["operations"].as_array()?.last()?["status"].as_str()?;
        (!matches!(status, "initiated" | "rolling_back")).then(|| status.to_string())
    }

    pub fn sql(&self, port: u16, sql: &str) -> Result<String, String> {
        let host = self.host(port);
        let output = Command::new("psql")
            .args([
                "-XqAt",
                "-h",
                &host,
                "-p",
                &port.to_string(),
                "-U",
                "postgres",
                "-d",
                "postgres",
                "-c",
                sql,
            ])
            .env("PGCONNECT_TIMEOUT", "1")
            .output()
            .unwrap_or_else(|e| panic!("{e}"));
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into())
        }
    }

    pub fn status(&self) -> serde_json::Value {
        self.status_as(&self.config())
    }

    /// The same as another file has it.
    pub fn status_as(&self, config: &str) -> serde_json::Value {
        let text = self.ok(&["bc", "status", "--config", config, "--detailed", "--output", "json"]);
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The leader and its synchronous standby, once both standbys stream from it.
    pub fn settled(&self) -> (String, String) {
        self.settled_as(&self.config())
    }

    /// The same as another file has it.
    pub fn settled_as(&self, config: &str) -> (String, String) {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let status = self.status_as(config);
            let members = status["protection_groups"][0]["members"].as_array().cloned().unwrap_or_default();
            let named = |test: &dyn Fn(&serde_json::Value) -> bool| {
                members.iter().find(|m| test(m)).and_then(|m| m["region"].as_str()).map(str::to_string)
            };
            let leader = named(&|m| m["leads"] == true);
            let standby = named(&|m| {
                m["synchronous"] == true && m["leads"] == false && m["may_not_take_over"].is_null()
            });
            let one_timeline = members.iter().all(|m| {
                m["timeline"] == members[0]["timeline"] && !m["timeline"].is_null() && m["answers"] == true
            });
            if let (Some(leader), Some(standby), true) = (leader, standby, one_timeline) {
                let streams = "SELECT count(*) FILTER (WHERE sync_state = 'sync'), count(*) FROM pg_stat_replication WHERE state = 'streaming'";
                if self.sql(self.port_of(&leader), streams).is_ok_and(|s| s == "1|2") {
                    return (leader, standby);
                }
            }
            assert!(Instant::now() < deadline, "the lab does not settle: {status:#}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    pub fn trigger(&self, config: &str, leader: &str, more: &[&str]) -> Output {
        let mut arguments = vec![
            "bc",
            "disaster-recovery",
            "trigger",
            "--config",
            config,
            "--arm",
            "--disaster-type",
            "region_outage",
        ];
        arguments.extend([
            "--affected-regions",
            leader,
            "--severity",
            "critical",
            "--strategy",
            "immediate_failover",
            "--confirm",
            leader,
        ]);
        arguments.extend(more);
        self.run(&arguments)
    }

    /// An order that must be refused with these words, the key untouched.
    pub fn refused(&self, config: &str, leader: &str, more: &[&str], words: &str) {
        self.refused_for(config, leader, more, &[words]);
    }

    /// The same, for one of these reasons.
    pub fn refused_for(&self, config: &str, leader: &str, more: &[&str], reasons: &[&str]) {
        let before = self.leader_key();
        let output = self.trigger(config, leader, more);
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success(), "it was not refused: {said}");
        assert!(
            reasons.iter().any(|words| !words.is_empty() && said.contains(words)),
            "not refused with one of {reasons:?}: {said}"
        );
        assert_eq!(self.leader_key(), before, "the leader's key was touched: {said}");
    }

    /// An armed controller without a screen.
    pub fn serve(&self, more: &[(&str, String)]) -> Server {
        self.serve_with(&self.config(), more)
    }

    /// What the controllers complained of.
    pub fn serve_log(&self) -> PathBuf {
        self.dir.path().join("serve.log")
    }

    /// The same for another file. It answers when this returns, or has ended.
    pub fn serve_with(&self, config: &str, more: &[(&str, String)]) -> Server {
        let mut command = self.command(&["serve", "--config", config, "--arm"]);
        for (name, value) in more {
            command.env(name, value);
        }
        let said = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.serve_log())
            .unwrap_or_else(|e| panic!("{e}"));
        let mut child = command.stdout(Stdio::null()).stderr(said).spawn().unwrap_or_else(|e| panic!("{e}"));
        let text = std::fs::read_to_string(config).unwrap_or_else(|e| panic!("{config}: {e}"));
        let name = text
            .lines()
            .find_map(|l| l.strip_prefix("name: "))
            .unwrap_or_else(|| panic!("{config} has no name"))
            .to_string();
        let socket = self.dir.path().join("data").join(name).join("socket");
        let log = || std::fs::read_to_string(self.serve_log()).unwrap_or_default();
        let mut ready = || {
            std::os::unix::net::UnixStream::connect(&socket).is_ok()
                || child.try_wait().ok().flatten().is_some()
        };
        let deadline = Instant::now() + Duration::from_secs(15);
        while !ready() {
            assert!(Instant::now() < deadline, "the controller does not answer\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Server(child)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // What else is known of it, before it is gone.
            let log = std::fs::read_to_string(self.serve_log()).unwrap_or_default();
            let status = self.run(&["bc", "status", "--config", &self.config(), "--detailed"]);
            println!("{log}\n{}", String::from_utf8_lossy(&status.stdout));
            println!("{}", self.etcd(&["get", "--prefix", "/bpci/"]));
        }
        self.run(&["lab", "down", "--dir", &self.path()]);
    }
}

/// A controller of the test's own, which does not outlive it.
pub struct Server(Child);

impl std::ops::Deref for Server {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl std::ops::DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn stop(mut server: Server) {
    // SAFETY: our own child, which has not been waited for.
    unsafe { libc::kill(i32::try_from(server.id()).unwrap_or_default(), libc::SIGTERM) };
    let _ = server.wait();
}

pub fn wait(what: &str, seconds: u64, test: impl Fn() -> bool) {
    wait_telling(what, seconds, test, String::new);
}

/// Waits, and tells how things stand when it was in vain.
pub fn wait_telling(what: &str, seconds: u64, test: impl Fn() -> bool, tell: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !test() {
        assert!(Instant::now() < deadline, "waited {seconds} s in vain for {what}\n{}", tell());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Writes rows through the entry until it is asked what became of them.
pub struct Writer {
    go_on: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<u32>>,
}

impl Writer {
    pub fn start(lab: &Lab) -> Writer {
        wait("the entry", 20, || {
            lab.sql(
                lab.port + 30,
                "CREATE TABLE IF NOT EXISTS written (n integer PRIMARY KEY); DELETE FROM written",
            )
            .is_ok()
        });
        let go_on = Arc::new(AtomicBool::new(true));
        let (until, port) = (Arc::clone(&go_on), lab.port + 30);
        let host = lab.host(port);
        let thread = std::thread::spawn(move || {
            let mut acknowledged = Vec::new();
            let mut n = 0;
            while until.load(Ordering::Relaxed) {
                n += 1;
                let sql = format!("SET statement_timeout = 2000; INSERT INTO written VALUES ({n})");
                let entry = ["-h", &host, "-p", &port.to_string(), "-U", "postgres", "-d", "postgres"];
                let done = Command::new("psql")
                    .args(["-XqAt", "-v", "ON_ERROR_STOP=1"])
                    .args(entry)
                    .args(["-c", &sql])
                    .env("PGCONNECT_TIMEOUT", "1")
                    .output();
                if done.is_ok_and(|o| o.status.success()) {
                    acknowledged.push(n);
                }
            }
            acknowledged
        });
        Writer { go_on, thread }
    }

    /// Every acknowledged row is still there, and there were some.
    pub fn nothing_lost(self, lab: &Lab, at_least: usize) {
        self.go_on.store(false, Ordering::Relaxed);
        let acknowledged = self.thread.join().unwrap_or_default();
        let kept = lab.sql(lab.port + 30, "SELECT n FROM written").unwrap_or_else(|e| panic!("{e}"));
        let kept: BTreeSet<u32> = kept.lines().filter_map(|l| l.parse().ok()).collect();
        let lost: Vec<_> = acknowledged.iter().filter(|n| !kept.contains(n)).collect();
        assert!(
            acknowledged.len() >= at_least && lost.is_empty(),
            "{} acknowledged, lost: {lost:?}",
            acknowledged.len()
        );
    }
}

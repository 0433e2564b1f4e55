//! The program against real servers: a lab of its own on this machine. One test, for the cases share the cluster.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

struct Lab {
    dir: tempfile::TempDir,
    port: u16,
}

impl Lab {
    fn up(port: u16) -> Lab {
        let dir = tempfile::Builder::new().prefix("bpci-live-").tempdir().unwrap_or_else(|e| panic!("{e}"));
        // The servers run as another user, who must get through.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(dir.path(), open).unwrap_or_else(|e| panic!("{e}"));
        let lab = Lab { dir, port };
        lab.ok(&["lab", "up", "--dir", &lab.path(), "--base-port", &port.to_string()]);
        lab
    }

    fn path(&self) -> String {
        self.dir.path().join("lab").display().to_string()
    }

    fn estate(&self) -> PathBuf {
        self.dir.path().join("lab/estate.yaml")
    }

    /// The estate with something in it changed, under a name of its own.
    fn estate_with(&self, name: &str, change: impl Fn(&str) -> String) -> String {
        let text = std::fs::read_to_string(self.estate()).unwrap_or_else(|e| panic!("{e}"));
        let changed = change(&text).replace("name: lab\n", &format!("name: {name}\n"));
        assert_ne!(changed, text);
        let path = self.dir.path().join(format!("{name}.yaml"));
        std::fs::write(&path, changed).unwrap_or_else(|e| panic!("{e}"));
        path.display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
        command.args(arguments).env("BPCI_DATA", self.dir.path().join("data")).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap_or_else(|e| panic!("{e}"))
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "bpci {arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn etcd(&self, arguments: &[&str]) -> String {
        let endpoint = format!("--endpoints=127.0.0.1:{}", self.port);
        let output = Command::new("etcdctl").arg(endpoint).args(arguments).env("ETCDCTL_API", "3").output().unwrap_or_else(|e| panic!("{e}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The leader's key with its revisions: untouched means the same.
    fn leader_key(&self) -> String {
        let text = self.etcd(&["get", "/service/orders/leader", "-w", "json"]);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}"));
        format!("{} {}", value["kvs"][0]["value"], value["kvs"][0]["create_revision"])
    }

    fn sql(&self, port: u16, sql: &str) -> Result<String, String> {
        let output = Command::new("psql")
            .args([
                "-XqAt",
                "-h",
                if port == self.port + 30 { "127.0.0.1" } else { "127.0.0.11" },
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

    fn status(&self) -> serde_json::Value {
        let text = self.ok(&["bc", "status", "--config", &self.estate().display().to_string(), "--detailed", "--output", "json"]);
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The leader and its synchronous standby, once a third member streams too.
    fn settled(&self) -> (String, String) {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let status = self.status();
            let members = status["protection_groups"][0]["members"].as_array().cloned().unwrap_or_default();
            let named =
                |test: &dyn Fn(&serde_json::Value) -> bool| members.iter().find(|m| test(m)).and_then(|m| m["region"].as_str()).map(str::to_string);
            let leader = named(&|m| m["leads"] == true);
            let standby = named(&|m| m["synchronous"] == true && m["leads"] == false && m["may_not_take_over"].is_null());
            let one_timeline = members.iter().all(|m| m["timeline"] == members[0]["timeline"] && !m["timeline"].is_null() && m["answers"] == true);
            if let (Some(leader), Some(standby), true) = (leader, standby, one_timeline) {
                return (leader, standby);
            }
            assert!(Instant::now() < deadline, "the lab does not settle: {status:#}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn trigger(&self, config: &str, leader: &str, more: &[&str]) -> Output {
        let mut arguments = vec!["bc", "disaster-recovery", "trigger", "--config", config, "--arm", "--disaster-type", "region_outage"];
        arguments.extend(["--affected-regions", leader, "--severity", "critical", "--strategy", "immediate_failover", "--confirm", leader]);
        arguments.extend(more);
        self.run(&arguments)
    }

    /// An order that must be refused with these words, the key untouched.
    fn refused(&self, config: &str, leader: &str, more: &[&str], words: &str) {
        let before = self.leader_key();
        let output = self.trigger(config, leader, more);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success(), "it was not refused: {said}");
        assert!(said.contains(words), "not refused with «{words}»: {said}");
        assert_eq!(self.leader_key(), before, "the leader's key was touched: {said}");
    }

    fn serve(&self, more: &[(&str, String)]) -> Child {
        let estate = self.estate().display().to_string();
        let mut command = self.command(&["serve", "--config", &estate, "--arm"]);
        for (name, value) in more {
            command.env(name, value);
        }
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap_or_else(|e| panic!("{e}"))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.run(&["lab", "down", "--dir", &self.path()]);
    }
}

fn stop(mut child: Child) {
    // SAFETY: our own child, which has not been waited for.
    unsafe { libc::kill(i32::try_from(child.id()).unwrap_or_default(), libc::SIGTERM) };
    let _ = child.wait();
}

fn wait(what: &str, seconds: u64, test: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !test() {
        assert!(Instant::now() < deadline, "waited {seconds} s in vain for {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Writes rows through the entry until it is told to stop; which of them were acknowledged.
fn writer(lab: &Lab) -> (std::sync::Arc<std::sync::atomic::AtomicBool>, std::thread::JoinHandle<Vec<u32>>) {
    let go_on = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let (until, port) = (std::sync::Arc::clone(&go_on), lab.port + 30);
    let thread = std::thread::spawn(move || {
        let mut acknowledged = Vec::new();
        let mut n = 0;
        while until.load(std::sync::atomic::Ordering::Relaxed) {
            n += 1;
            let sql = format!("SET statement_timeout = 2000; INSERT INTO written VALUES ({n})");
            let done = Command::new("psql")
                .args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", "postgres", "-d", "postgres", "-c", &sql])
                .env("PGCONNECT_TIMEOUT", "1")
                .output();
            if done.is_ok_and(|o| o.status.success()) {
                acknowledged.push(n);
            }
        }
        acknowledged
    });
    (go_on, thread)
}

#[test]
fn a_real_cluster() {
    let lab = Lab::up(28600);
    let config = lab.estate().display().to_string();
    let (leader, _) = lab.settled();
    assert_eq!(leader, "us-east-1");
    refusals(&lab, &config, &leader);
    let (leader, _) = lab.settled();
    automatic(&lab, &config, &leader);
    beyond(&lab, &config);
}

/// What must be refused, each with its reason, while the leader lives.
fn refusals(lab: &Lab, config: &str, leader: &str) {
    lab.refused(config, leader, &[], "is alive");
    lab.refused(config, "mars-1", &[], "no region");

    let api = format!("http://127.0.0.11:{}/config", lab.port + 10);
    let patch = |body: &str| {
        let done = Command::new("curl").args(["-sf", "-X", "PATCH", "-d", body, &api]).output().unwrap_or_else(|e| panic!("{e}"));
        assert!(done.status.success(), "{done:?}");
    };
    patch(r#"{"pause": true}"#);
    lab.refused(config, leader, &["--manual-override"], "paused");
    patch(r#"{"pause": null}"#);

    let request = r#"{"leader":"us-east-1","member":"eu-west-1","scheduled_at":"2099-01-01T00:00:00+00:00"}"#;
    lab.etcd(&["put", "/service/orders/failover", request]);
    lab.refused(config, leader, &["--manual-override"], "is scheduled for 2099");
    lab.etcd(&["put", "/service/orders/failover", "{}"]);

    let elsewhere = lab.estate_with("elsewhere", |t| t.replace("scope: orders", "scope: orders\n      namespace: /elsewhere/"));
    lab.refused(&elsewhere, leader, &["--manual-override"], "");
    lab.etcd(&["put", "/other/orders/initialize", "1234567890"]);
    for key in ["config", "leader", "sync", "status"] {
        let value = lab.etcd(&["get", &format!("/service/orders/{key}"), "--print-value-only"]);
        lab.etcd(&["put", &format!("/other/orders/{key}"), value.trim()]);
    }
    for region in ["us-east-1", "eu-west-1", "ap-southeast-1"] {
        let value = lab.etcd(&["get", &format!("/service/orders/members/{region}"), "--print-value-only"]);
        lab.etcd(&["put", &format!("/other/orders/members/{region}"), value.trim()]);
    }
    let other = lab.estate_with("other", |t| t.replace("scope: orders", "scope: orders\n      namespace: /other/"));
    lab.refused(&other, leader, &["--manual-override"], "is not the one that orders uses");

    let line = |t: &str, name: &str| t.lines().find(|l| l.trim_start().starts_with(name)).unwrap_or_default().to_string();
    let unfenced = lab.estate_with("unfenced", |t| {
        let from = t.find("    fence:").unwrap_or_default();
        let to = t.find("    traffic:").unwrap_or_default();
        format!("{}{}", &t[..from], &t[to..])
    });
    lab.refused(&unfenced, leader, &["--manual-override"], "");
    let lies = lab.estate_with("lies", |t| t.replace(&line(t, "exec:"), "      exec: [\"true\"]"));
    lab.refused(&lies, leader, &["--manual-override"], "the fence returned 0 but us-east-1 answered");
    rolled_back(lab, &lies);
    let half = format!("{}/us-east-1/data/postmaster.pid", lab.path());
    let small = lab.estate_with("small", |t| t.replace(&line(t, "exec:"), &format!("      exec: [sh, -c, \"kill -9 $(head -1 {half})\"]")));
    // Its agent may restart the database or give the lead away by itself: what counts is that we hand nothing over.
    let output = lab.trigger(&small, leader, &["--manual-override"]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && !said.contains("is released to"), "{said}");
    assert!(said.contains("the fence returned 0 but"), "{said}");
    rolled_back(lab, &small);
    lab.settled();
}

/// What the operation did before it stopped is undone, and its claim given up.
fn rolled_back(lab: &Lab, config: &str) {
    lab.ok(&["bc", "recovery", "rollback", "--config", config, "--arm", "--operation-id", "recovery-1"]);
    let list = lab.ok(&["bc", "recovery", "list", "--config", config]);
    assert!(list.contains("rolled back"), "{list}");
}

/// The leader dies under load: the controller acts by itself, nothing acknowledged is lost, everything comes back.
fn automatic(lab: &Lab, config: &str, leader: &str) {
    wait("the entry", 20, || lab.sql(lab.port + 30, "CREATE TABLE IF NOT EXISTS written (n integer PRIMARY KEY)").is_ok());
    let controller = lab.serve(&[]);
    std::thread::sleep(Duration::from_secs(4));
    let (go_on, thread) = writer(lab);
    std::thread::sleep(Duration::from_secs(1));
    lab.ok(&["lab", "break", "leader-kill", "--dir", &lab.path()]);
    wait("the operation to recover", 40, || lab.status()["operations"][0]["status"] == "recovered");
    std::thread::sleep(Duration::from_secs(1));
    go_on.store(false, std::sync::atomic::Ordering::Relaxed);
    let acknowledged = thread.join().unwrap_or_default();
    let kept = lab.sql(lab.port + 30, "SELECT n FROM written").unwrap_or_else(|e| panic!("{e}"));
    let kept: std::collections::BTreeSet<u32> = kept.lines().filter_map(|l| l.parse().ok()).collect();
    let lost: Vec<_> = acknowledged.iter().filter(|n| !kept.contains(n)).collect();
    assert!(acknowledged.len() > 50 && lost.is_empty(), "{} acknowledged, lost: {lost:?}", acknowledged.len());
    assert_eq!(lab.status()["operations"][0]["by"], "automation");

    lab.ok(&["lab", "mend", "--dir", &lab.path()]);
    wait("the old leader to stream and to get its traffic back", 60, || lab.status()["operations"][0]["remains"] == 0);
    let (now, _) = lab.settled();
    assert_ne!(now, leader);
    // Beside the running controller a command goes through it.
    let back = lab.settled().1;
    let output = lab.run(&["bc", "failback", "--config", config, "--target", &back, "--confirm", &now, "--wait"]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert_eq!(lab.settled().0, back);
    stop(controller);
    lab.ok(&["journal", "verify", &lab.dir.path().join("data/lab").display().to_string()]);
}

/// Leader and synchronous standby both dead: refused, until a person types the loss; the loss that is told is a lower
/// bound.
fn beyond(lab: &Lab, config: &str) {
    let (leader, _) = lab.settled();
    lab.ok(&["lab", "break", "sync-kill", "--dir", &lab.path()]);
    lab.ok(&["lab", "break", "leader-kill", "--dir", &lab.path()]);
    std::thread::sleep(Duration::from_millis(500));
    lab.refused(config, &leader, &[], "to accept it, type: lose at least");
    let output = lab.trigger(config, &leader, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let risk = said.split("type: ").nth(1).unwrap_or_default().trim().to_string();
    let output = lab.trigger(config, &leader, &["--accept-risk", &risk, "--output", "json"]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("data_loss_at_least_bytes"), "{said}");
    wait("writes on what is left", 20, || lab.sql(lab.port + 30, "INSERT INTO written VALUES (-1) ON CONFLICT DO NOTHING").is_ok());
}

//! Several accounts of one machine at one estate: one controller, a screen for each of them, and rights that differ.

use crate::pty::{SIZE, Terminal};
use portable_pty::{CommandBuilder, PtySize};
use serde_json::Value;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const ESTATE: &str = "name: shop
business_continuity:
  regions:
    primary: { region_id: here, capacity_percentage: 60, failover_priority: 1 }
    secondary: { region_id: there, capacity_percentage: 60, failover_priority: 2 }
services: { api: { regions: [here, there] } }
may: { nobody: [observe, note, propose], games: [observe] }
";

/// The service runs as `daemon`, its directory is of the group `games`; the other accounts are in it, or not.
struct Machine {
    dir: tempfile::TempDir,
    served: Option<Child>,
}

/// `None`: tests that become other accounts need root.
fn machine() -> Option<Machine> {
    // SAFETY: it only asks.
    if unsafe { libc::geteuid() } != 0 {
        println!("not tested: only root can become other accounts");
        return None;
    }
    let dir = tempfile::Builder::new().prefix("bpci-seats-").tempdir().unwrap_or_else(|e| panic!("{e}"));
    let machine = Machine { dir, served: None };
    let open = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap_or_else(|e| panic!("{e}"))
    };
    open(machine.dir.path(), 0o755);
    std::fs::copy(env!("CARGO_BIN_EXE_bpci"), machine.program()).unwrap_or_else(|e| panic!("{e}"));
    std::fs::write(machine.config(), ESTATE).unwrap_or_else(|e| panic!("{e}"));
    std::fs::create_dir_all(machine.home()).unwrap_or_else(|e| panic!("{e}"));
    let (owner, group) = (number("-u", "daemon"), number("-g", "games"));
    std::os::unix::fs::chown(machine.home(), Some(owner), Some(group)).unwrap_or_else(|e| panic!("{e}"));
    // Made by hand, and too open.
    open(&machine.home(), 0o755);
    Some(machine)
}

/// The number of an account or of its group.
fn number(which: &str, name: &str) -> u32 {
    let output = Command::new("id").args([which, name]).output().unwrap_or_else(|e| panic!("{e}"));
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_else(|e| panic!("{name}: {e}"))
}

impl Machine {
    fn program(&self) -> PathBuf {
        self.dir.path().join("bpci")
    }

    fn config(&self) -> String {
        self.dir.path().join("shop.yaml").display().to_string()
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn home(&self) -> PathBuf {
        self.root().join("shop")
    }

    /// The words that run the program as this account, in the group of the service or not.
    fn words(&self, account: &str, in_group: bool) -> Vec<String> {
        let groups = if in_group { "--groups=games" } else { "--clear-groups" };
        let gid = format!("--regid={}", number("-g", account));
        let program = self.program().display().to_string();
        ["setpriv", &format!("--reuid={account}"), &gid, groups, &program].map(str::to_string).to_vec()
    }

    fn command(&self, account: &str, in_group: bool, arguments: &[&str]) -> Command {
        let words = self.words(account, in_group);
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args(arguments)
            .env("BPCI_STATE_ROOT", self.root())
            .env("HOME", "/nonexistent")
            .env_remove("BPCI_DATA");
        command.env_remove("SUDO_USER").env_remove("SSH_CONNECTION").stdin(Stdio::null());
        command
    }

    fn run(&self, account: &str, in_group: bool, arguments: &[&str]) -> Output {
        self.command(account, in_group, arguments).output().unwrap_or_else(|e| panic!("{e}"))
    }

    /// A command on the estate; its exit status, and all that it said.
    fn ask(&self, account: &str, arguments: &[&str]) -> (i32, String) {
        let config = self.config();
        let output = self.run(account, true, &[arguments, &["--config", &config]].concat());
        (
            output.status.code().unwrap_or(-1),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    }

    fn serve(&mut self) {
        let config = self.config();
        let mut command = self.command("daemon", true, &["serve", "--config", &config, "--arm"]);
        self.served = Some(
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap_or_else(|e| panic!("{e}")),
        );
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(self.home().join("socket")).is_err() {
            assert!(Instant::now() < deadline, "nobody listens");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn end(&mut self) {
        if let Some(mut child) = self.served.take() {
            // SAFETY: our own child, which has not been waited for.
            unsafe { libc::kill(i32::try_from(child.id()).unwrap_or_default(), libc::SIGTERM) };
            let _ = child.wait();
        }
    }

    /// The dashboard of an account.
    fn dashboard(&self, account: &str) -> Terminal {
        let words = self.words(account, true);
        let mut command = CommandBuilder::new(&words[0]);
        command.args(&words[1..]);
        command.args(["--config", &self.config()]);
        command.cwd(self.dir.path());
        let size = PtySize { cols: SIZE.0, rows: SIZE.1, pixel_width: 0, pixel_height: 0 };
        let root = self.root().display().to_string();
        let terminal = Terminal::run(
            command,
            size,
            &[("BPCI_STATE_ROOT", &root), ("BPCI_DATA", ""), ("HOME", "/nonexistent")],
        );
        terminal.wait("the estate", |t| t.shows(SIZE).contains("shop"));
        terminal
    }

    /// The events of the record, out of their rooms.
    fn events(&self) -> Vec<Value> {
        let output = self.run(
            "root",
            true,
            &["journal", "export", &self.home().join("journal.db").display().to_string()],
        );
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let event = |line: &str| {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            let room = value["record"]["event"].as_object().and_then(|rooms| rooms.values().next());
            room.cloned().unwrap_or_else(|| panic!("no event: {line}"))
        };
        text.lines().map(event).collect()
    }

    fn mode(&self, name: &str) -> (u32, u32, u32) {
        let found = std::fs::metadata(self.home().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        (found.mode() & 0o777, found.uid(), found.gid())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.end();
    }
}

/// The account that an event names.
fn account(actor: &Value) -> &str {
    actor["Account"]["name"].as_str().unwrap_or_default()
}

#[test]
fn two_accounts_are_at_one_controller() {
    let Some(mut machine) = machine() else { return };
    // Who may not write there is told how a controller is started, and starts none.
    let (code, said) = machine.ask("nobody", &["bc", "status"]);
    assert!(code == 1 && said.contains("sudo -u daemon bpci serve"), "{code} {said}");
    assert!(!machine.home().join("journal.db").exists());

    // What root makes there belongs to the service.
    let (code, said) = machine.ask("root", &["bc", "status"]);
    assert!(code == 0 && said.contains("warning: ") && said.contains("its mode was 755"), "{code} {said}");
    machine.serve();
    let (daemon, games) = (number("-u", "daemon"), number("-g", "games"));
    for (name, mode) in [
        ("", 0o750),
        ("journal.db", 0o640),
        ("journal.heads", 0o640),
        ("tape.jsonl", 0o640),
        ("socket", 0o660),
    ] {
        assert_eq!(machine.mode(name), (mode, daemon, games), "{name}");
    }
    assert_eq!(machine.mode("key").0, 0o600);

    // Two dashboards, each with its own screen, at one controller.
    let (mut one, mut other) = (machine.dashboard("nobody"), machine.dashboard("sys"));
    one.type_text("2");
    other.type_text("3");
    one.wait("its regions", |t| t.shows(SIZE).contains("REGIONS"));
    other.wait("its services", |t| t.shows(SIZE).contains("SERVICES"));
    let controller = |name: &str| {
        let (code, said) = machine.ask(name, &["bc", "status", "--output", "json"]);
        assert_eq!(code, 0, "{said}");
        serde_json::from_str::<Value>(&said).unwrap_or_else(|e| panic!("{e}: {said}"))["controller_id"]
            .clone()
    };
    assert!(controller("nobody").is_string() && controller("nobody") == controller("sys"));

    // Each order is recorded with the account that the kernel names.
    for (terminal, text) in [(&mut one, "seen by one"), (&mut other, "seen by the other")] {
        terminal.type_text("n");
        std::thread::sleep(Duration::from_millis(300));
        terminal.type_text(&format!("{text}\r"));
    }
    one.wait("its note", |t| t.shows(SIZE).contains("the note stands"));
    other.wait("the refusal", |t| t.shows(SIZE).contains("lacks the right"));
    let (code, said) = machine.ask("sys", &["bc", "disarm"]);
    assert!(code == 3 && said.contains("sys lacks the right to stop countdowns and disarm"), "{code} {said}");
    // Whoever may propose may also disarm.
    let (code, said) = machine.ask("nobody", &["bc", "disarm"]);
    assert_eq!(code, 0, "{said}");
    for terminal in [&mut one, &mut other] {
        // A refusal stays until it was read.
        terminal.type_text("\x1b");
        std::thread::sleep(Duration::from_millis(300));
        terminal.type_text("q");
        assert_eq!(terminal.end(), 0);
    }
    let events = machine.events();
    let of = |kind: &str| {
        events.iter().filter(|e| e.get(kind).is_some()).map(|e| e[kind].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(of("Started").len(), 2, "root's own, and then one controller for all");
    assert_eq!(of("Note").iter().map(|n| account(&n["by"])).collect::<Vec<_>>(), ["nobody"]);
    assert_eq!(of("Disarmed").iter().map(|d| account(&d["by"])).collect::<Vec<_>>(), ["nobody"]);
    let refused: Vec<(String, Value)> = of("Refused")
        .iter()
        .map(|r| (account(&r["order"]["by"]).to_string(), r["refusal"]["lacks"].clone()))
        .collect();
    assert_eq!(refused, [("sys".to_string(), "note".into()), ("sys".to_string(), "stop".into())]);

    // Who is not in the group does not even reach it. Who is reads the record, whether a controller runs or not.
    let config = machine.config();
    let outside = machine.run("sys", false, &["bc", "status", "--config", &config]);
    assert_eq!(outside.status.code(), Some(3), "{}", String::from_utf8_lossy(&outside.stderr));
    for _ in 0..2 {
        let (code, said) = machine.ask("sys", &["journal", "show"]);
        assert!(code == 0 && said.contains("seen by one"), "{code} {said}");
        let (code, said) = machine.ask("sys", &["journal", "verify"]);
        assert!(code == 0 && said.contains(", signed;"), "{code} {said}");
        machine.end();
    }
}

/// A client tells what it likes of its user: the account is the kernel's word, and what is claimed is marked.
#[test]
fn a_client_cannot_say_who_it_is() {
    let Some(mut machine) = machine() else { return };
    machine.serve();
    let claims = [
        ("SSH_CONNECTION", "203.0.113.9 1 10.0.0.1 22"),
        ("SUDO_USER", "ada"),
        ("USER", "ada"),
        ("LOGNAME", "ada"),
    ];
    let config = machine.config();
    let mut command = machine.command("nobody", true, &["bc", "disarm", "--config", &config]);
    command.envs(claims);
    assert!(command.status().is_ok_and(|s| s.success()));
    let digest = bpci::model::Target::of(
        &bpci::config::parse("shop.yaml", ESTATE).unwrap_or_else(|e| panic!("{e}")).estate,
    )
    .digest();
    let forged = format!(
        r#"{{"Order":{{"addressee":{{"Target":"{digest}"}},"by":{{"Named":"ada"}},"actor":{{"Named":"ada"}},"action":{{"Note":{{"text":"forged"}}}}}}}}"#
    );
    let mut stream = UnixStream::connect(machine.home().join("socket")).unwrap_or_else(|e| panic!("{e}"));
    std::io::Write::write_all(&mut stream, format!("{forged}\n").as_bytes())
        .unwrap_or_else(|e| panic!("{e}"));
    let mut answer = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stream), &mut answer)
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(answer.contains("Receipt"), "{answer}");
    let events = machine.events();
    let by = |kind: &str| {
        events.iter().find_map(|e| e.get(kind)).map(|e| e["by"]["Account"].clone()).unwrap_or_default()
    };
    let disarmed = by("Disarmed");
    assert_eq!((&disarmed["name"], &disarmed["uid"]), (&"nobody".into(), &number("-u", "nobody").into()));
    assert_eq!(disarmed["claimed"]["address"], "203.0.113.9");
    assert_eq!(by("Note")["name"], "root");
}

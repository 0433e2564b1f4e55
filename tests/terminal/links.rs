//! The ways people come to it: SSH over a long line that loses packets, mosh, and terminals that are left and taken up
//! again. The line is a real one, between two network namespaces of our own; so are the servers.

use crate::pty::*;
use portable_pty::{CommandBuilder, PtySize};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Two hosts with a line between them. Where no device can be made (no root, no `/dev/net/tun`) both are this machine, and
/// the line is its loopback: the servers and the sessions are the same, only the delay and the cuts are not.
struct Line {
    wire: Option<Child>,
    here: String,
    there: String,
    address: &'static str,
    dir: tempfile::TempDir,
}

/// 200 ms there and back, and one packet of a hundred lost each way.
const LONG: &str = "* * delay 100ms jitter 5ms loss 1%";

impl Line {
    fn between(name: &str) -> Line {
        let pid = std::process::id();
        let (here, there) = (format!("bpci-{pid}-{name}-a"), format!("bpci-{pid}-{name}-b"));
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let mut line = Line { wire: None, here, there, address: "127.0.0.1", dir };
        line.rules(LONG);
        if std::env::var_os("BPCI_LOOPBACK").is_none() {
            line.lay();
        }
        println!(
            "the line is {}",
            if line.wire.is_some() { LONG } else { "the loopback: no device can be made here" }
        );
        line
    }

    /// Makes the two namespaces and the wire between them, if that is possible here.
    fn lay(&mut self) {
        for namespace in [&self.here, &self.there] {
            let made = Command::new("ip").args(["netns", "add", namespace]).output();
            if !made.is_ok_and(|o| o.status.success()) {
                return;
            }
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
        command.args([
            "lab",
            "wire",
            "--port",
            &format!("{}=10.77.0.1", self.here),
            "--port",
            &format!("{}=10.77.0.2", self.there),
            "--rules",
        ]);
        let mut wire = command
            .arg(self.dir.path().join("rules"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{e}"));
        let mut said = [0; 10];
        let carries =
            wire.stdout.as_mut().is_some_and(|out| std::io::Read::read_exact(out, &mut said).is_ok());
        if carries {
            (self.wire, self.address) = (Some(wire), "10.77.0.2");
        } else {
            let _ = wire.wait();
        }
    }

    fn rules(&self, text: &str) {
        std::fs::write(self.dir.path().join("rules"), text).unwrap_or_else(|e| panic!("{e}"));
    }

    /// How a command is begun on one of the hosts.
    fn on<'a>(&self, host: &'a str, words: &[&'a str]) -> Vec<&'a str> {
        let prefix: &[&str] = if self.wire.is_some() { &["ip", "netns", "exec", host] } else { &[] };
        prefix.iter().chain(words).copied().collect()
    }

    /// A command on the host that is far away.
    fn there(&self, program: &str) -> Command {
        let words = self.on(&self.there, &[program]);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        command
    }

    /// A program in a terminal on this side.
    fn here(&self, words: &[&str], environment: &[(&str, &str)]) -> Terminal {
        let words = self.on(&self.here, words);
        let mut command = CommandBuilder::new(words[0]);
        command.args(&words[1..]);
        Terminal::run(command, size_of(SIZE), environment)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(wire) = &mut self.wire {
            let _ = wire.kill();
            let _ = wire.wait();
        }
        for namespace in [&self.here, &self.there] {
            let _ = Command::new("ip").args(["netns", "del", namespace]).output();
        }
    }
}

fn size_of((cols, rows): (u16, u16)) -> PtySize {
    PtySize { cols, rows, pixel_width: 0, pixel_height: 0 }
}

fn run(command: &mut Command) -> String {
    let out = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The process of ours that keeps its data there.
fn process_of(data: &Path) -> Option<u32> {
    let wanted = format!("BPCI_DATA={}", data.display());
    let entries = std::fs::read_dir("/proc").ok()?;
    let ours = |pid: &u32| {
        let of = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        of("environ").split(|b| *b == 0).any(|v| v == wanted.as_bytes()) && of("comm").starts_with(b"bpci")
    };
    entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).find(ours)
}

fn wait_for<T>(what: &str, mut test: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = test() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A region is struck, the decision comes, and what was typed on the way arrives: whatever lies between.
fn an_incident_is_led(terminal: &mut Terminal) {
    terminal.wait("the first frame", |t| t.shows(SIZE).contains("REGIONS"));
    terminal.type_text(":regi\r");
    terminal.wait("the regions", |t| t.shows(SIZE).contains("if it failed"));
    terminal.type_text("1i\r");
    terminal.wait("the decision", |t| t.shows(SIZE).contains("DECISION"));
}

/// An SSH server on the far host that lets in whoever has the key, and gives them this program and nothing else.
struct Server {
    child: Child,
    address: &'static str,
    port: String,
    dir: PathBuf,
    data: PathBuf,
}

impl Server {
    fn on(line: &Line, port: u16, arguments: &str) -> Server {
        let dir = line.dir.path().to_path_buf();
        let data = dir.join("data");
        std::fs::create_dir_all(&data).unwrap_or_else(|e| panic!("{e}"));
        std::fs::create_dir_all("/run/sshd").unwrap_or_else(|e| panic!("{e}"));
        for name in ["host", "key"] {
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(dir.join(name)));
        }
        std::fs::copy(dir.join("key.pub"), dir.join("keys")).unwrap_or_else(|e| panic!("{e}"));
        let (d, program) = (dir.display(), env!("CARGO_BIN_EXE_bpci"));
        let config = format!(
            "ListenAddress {}:{port}\nHostKey {d}/host\nAuthorizedKeysFile {d}/keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n\
             PidFile none\nForceCommand env BPCI_DATA={} BPCI_CONFIG={d} LANG=C.UTF-8 {program} {arguments}\n",
            line.address,
            data.display()
        );
        std::fs::write(dir.join("config"), config).unwrap_or_else(|e| panic!("{e}"));
        let mut command = line.there("/usr/sbin/sshd");
        let child = command
            .args(["-D", "-e", "-f"])
            .arg(dir.join("config"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{e}"));
        std::thread::sleep(Duration::from_millis(500));
        Server { child, address: line.address, port: port.to_string(), dir, data }
    }

    fn reach(&self, line: &Line) -> Terminal {
        let key = self.dir.join("key");
        let key = key.to_str().unwrap_or_default();
        let known = "UserKnownHostsFile=/dev/null";
        let to = format!("root@{}", self.address);
        line.here(
            &[
                "ssh",
                "-tt",
                "-q",
                "-i",
                key,
                "-p",
                &self.port,
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                known,
                &to,
                "rm -rf /nowhere",
            ],
            &[],
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn over_ssh_with_200_ms_and_lost_packets() {
    let line = Line::between("ssh");
    let server = Server::on(&line, 2222, "");
    let mut terminal = server.reach(&line);
    an_incident_is_led(&mut terminal);
    let pid = wait_for("the program", || process_of(&server.data));
    // The line is dead for a while: the world goes on, and what is shown afterwards is what is so by then.
    line.rules("* * cut");
    let before = memory(pid);
    std::thread::sleep(Duration::from_secs(15));
    let after = memory(pid);
    assert!(after < before + 4_096, "{before} kB before, {after} kB after");
    line.rules(LONG);
    terminal.wait("the recovery that went on meanwhile", |t| t.shows(SIZE).contains("recovered"));
    // It was given nothing else to do than this program: leaving it ends the session.
    assert_eq!(terminal.leave(), 0);
    terminal.is_given_back();
    wait_for("its end", || process_of(&server.data).is_none().then_some(()));
}

#[test]
fn a_hang_up_ends_it_with_the_record_whole() {
    let line = Line::between("hup");
    // A live estate, none of which answers: what is written is a real record.
    let estate = line.dir.path().join("estate.yaml");
    let text = "name: far\nbusiness_continuity:\n  regions:\n    a: { region_id: a, capacity_percentage: 100, failover_priority: 1 }\n\
                services:\n  db:\n    tier: 1\n    patroni: { scope: db, members: { a: \"http://127.0.0.1:9\" } }\n";
    std::fs::write(&estate, text).unwrap_or_else(|e| panic!("{e}"));
    let server = Server::on(&line, 2223, &format!("--config {}", estate.display()));
    let mut terminal = server.reach(&line);
    terminal.wait("the first frame", |t| t.shows(SIZE).contains("REGIONS"));
    terminal.type_text("nthe bridge is open\r");
    terminal.wait("the note", |t| t.shows(SIZE).contains("the bridge is open"));
    terminal.vanish();
    wait_for("its end", || process_of(&server.data).is_none().then_some(()));
    let journal = server.data.join("far").join("journal.db");
    for (word, expected) in [("verify", "2 records"), ("show", "the bridge is open")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
        let said = run(command.args(["journal", word]).arg(&journal).env("BPCI_DATA", &server.data));
        assert!(said.contains(expected), "{word}: {said}");
    }
}

#[test]
fn over_mosh_which_survives_a_dead_line() {
    let line = Line::between("mosh");
    let data = line.dir.path().join("data");
    let mut command = line.there("mosh-server");
    command.args(["new", "-i", line.address, "-p", "60001", "--", env!("CARGO_BIN_EXE_bpci")]);
    command
        .env("BPCI_DATA", &data)
        .env("BPCI_CONFIG", line.dir.path())
        .env("LANG", "C.UTF-8")
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm-256color");
    let said = run(&mut command);
    let key = said
        .split_whitespace()
        .skip_while(|w| *w != "CONNECT")
        .nth(2)
        .unwrap_or_else(|| panic!("no key: {said}"));
    let mut terminal =
        line.here(&["mosh-client", line.address, "60001"], &[("MOSH_KEY", key), ("LC_ALL", "C.UTF-8")]);
    an_incident_is_led(&mut terminal);
    line.rules("* * cut");
    std::thread::sleep(Duration::from_secs(12));
    line.rules(LONG);
    terminal.wait("the recovery that went on meanwhile", |t| t.shows(SIZE).contains("recovered"));
    terminal.leave();
    wait_for("its end", || process_of(&data).is_none().then_some(()));
}

/// Left in one terminal, taken up in another of another size.
fn is_taken_up_elsewhere(name: &str, first: &[&str], leave: &str, again: &[&str]) {
    let start = |words: &[&str], size: (u16, u16)| {
        let mut command = CommandBuilder::new(words[0]);
        command.args(&words[1..]);
        Terminal::run(command, size_of(size), &[])
    };
    let mut terminal = start(first, SIZE);
    an_incident_is_led(&mut terminal);
    terminal.type_text(leave);
    terminal.end();
    std::thread::sleep(Duration::from_secs(12));
    let wide = (120, 40);
    let mut terminal = start(again, wide);
    terminal.wait(name, |t| t.shows(wide).contains("recovered") && t.shows(wide).contains("SERVICES"));
    terminal.leave();
}

#[test]
fn tmux_and_screen_are_left_and_taken_up_again() {
    let socket = format!("bpci-{}", std::process::id());
    let program = env!("CARGO_BIN_EXE_bpci");
    let tmux = |rest: &'static str| ["tmux", "-f", "/dev/null", "-L", &socket, rest].map(str::to_string);
    let (new, attach) = (tmux("new-session"), tmux("attach"));
    let new: Vec<&str> = new.iter().map(String::as_str).chain([program]).collect();
    let attach: Vec<&str> = attach.iter().map(String::as_str).collect();
    is_taken_up_elsewhere("tmux", &new, "\x02d", &attach);
    is_taken_up_elsewhere(
        "screen",
        &["screen", "-c", "/dev/null", "-U", "-S", &socket, program],
        "\x01d",
        &["screen", "-c", "/dev/null", "-U", "-r", &socket],
    );
}

//! The made-up estate of the shared cases (`stub.py`) on ports of its own, and the program that is pointed at it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// The stub's ports begin with these digits; a test takes others, so that two may run at once.
const PORTS: &str = "322";
static TAKEN: AtomicU16 = AtomicU16::new(0);

pub struct MadeUp {
    stub: Option<Child>,
    directory: tempfile::TempDir,
    pub config: PathBuf,
    port: u16,
}

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(case(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

impl MadeUp {
    /// An estate in which nothing listens.
    pub fn silent() -> MadeUp {
        let first = u16::try_from(std::process::id() % 150).unwrap_or_default() + 120;
        let digits = first + TAKEN.fetch_add(1, Ordering::Relaxed) % 40;
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let config = directory.path().join("estate.yaml");
        std::fs::write(&config, read("made-up.yaml").replace(PORTS, &digits.to_string()))
            .unwrap_or_else(|e| panic!("{e}"));
        MadeUp { stub: None, directory, config, port: digits * 100 }
    }

    /// The estate with a patch over what a healthy one says.
    pub fn begin(patch: &str) -> MadeUp {
        let mut world = MadeUp::silent();
        let digits = (world.port / 100).to_string();
        let (stub, path) =
            (world.directory.path().join("stub.py"), world.directory.path().join("patch.json"));
        std::fs::write(&stub, read("stub.py").replace(PORTS, &digits)).unwrap_or_else(|e| panic!("{e}"));
        std::fs::write(&path, patch.replace(PORTS, &digits)).unwrap_or_else(|e| panic!("{e}"));
        let child = Command::new("python3")
            .arg(stub)
            .arg(path)
            .arg("120")
            .spawn()
            .unwrap_or_else(|e| panic!("python3: {e}"));
        world.stub = Some(child);
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", world.port + 31)).is_err() {
            assert!(Instant::now() < deadline, "the made-up estate does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        world
    }

    /// Runs the program on it; it has a directory of its own.
    pub fn bpci(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
        command.args(arguments).env("BPCI_DATA", self.directory.path().join("data")).stdin(Stdio::null());
        command.output().unwrap_or_else(|e| panic!("{e}"))
    }

    pub fn status(&self, more: &[&str]) -> Output {
        let config = self.config.display().to_string();
        self.bpci(&[&["bc", "status", "--config", &config, "--detailed"], more].concat())
    }

    pub fn dry_run(&self, more: &[&str]) -> Output {
        let config = self.config.display().to_string();
        let asked = [
            "bc",
            "disaster-recovery",
            "trigger",
            "--config",
            &config,
            "--arm",
            "--disaster-type",
            "region_outage",
        ];
        let how = [
            "--affected-regions",
            "us-east-1",
            "--severity",
            "critical",
            "--strategy",
            "immediate_failover",
            "--dry-run",
        ];
        self.bpci(&[&asked[..], &how, more].concat())
    }
}

impl Drop for MadeUp {
    fn drop(&mut self) {
        if let Some(stub) = &mut self.stub {
            let _ = stub.kill();
            let _ = stub.wait();
        }
    }
}

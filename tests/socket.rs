//! Orders to a controller that is being ended: whoever was heard is answered, and what was answered is in the record.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ESTATE: &str = "name: shop
business_continuity:
  regions:
    primary: { region_id: here, capacity_percentage: 60, failover_priority: 1 }
    secondary: { region_id: there, capacity_percentage: 60, failover_priority: 2 }
services: { api: { regions: [here, there] } }
";

fn bpci(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
    command.args(arguments).env("BPCI_DATA", data).env("BPCI_CONFIG", data).stdin(Stdio::null());
    command
}

/// The target digest of a configuration.
fn digest(text: &str) -> String {
    let estate = bpci::config::parse("estate.yaml", text).unwrap_or_else(|e| panic!("{e}")).estate;
    bpci::model::Target::of(&estate).digest().to_string()
}

/// A note as a client sends it.
fn note(text: &str, target: &str) -> String {
    format!(r#"{{"Order":{{"addressee":{{"Target":"{target}"}},"action":{{"Note":{{"text":"{text}"}}}}}}}}"#)
}

/// Sends one line and reads the answer.
fn ask(mut stream: UnixStream, request: &str) -> String {
    stream.write_all(format!("{request}\n").as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap_or_else(|e| panic!("{e}"));
    answer.trim_end().to_string()
}

/// Gives orders until nobody is there any more; how many were acknowledged.
fn order_on(socket: &Path) -> usize {
    let mut done = 0;
    let deadline = Instant::now() + Duration::from_secs(20);
    let target = digest(ESTATE);
    while let Ok(stream) = UnixStream::connect(socket) {
        assert!(Instant::now() < deadline, "it does not end");
        match ask(stream, &note(&done.to_string(), &target)).as_str() {
            r#"{"Receipt":"Done"}"# => done += 1,
            // It knocked when nobody accepted any more, and was not heard: nothing of it may be in the record.
            "" => {}
            refused => assert!(refused.contains("Refused"), "no answer, or a strange one: {refused:?}"),
        }
    }
    done
}

#[test]
fn who_was_heard_is_answered_though_the_controller_ends() {
    let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let config = data.path().join("shop.yaml");
    std::fs::write(&config, ESTATE).unwrap_or_else(|e| panic!("{e}"));
    let config = config.display().to_string();
    let socket = data.path().join("shop/socket");
    let mut acknowledged = 0;
    for _ in 0..20 {
        let mut controller = bpci(data.path(), &["serve", "--config", &config])
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{e}"));
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "nobody listens");
            std::thread::sleep(Duration::from_millis(5));
        }
        let people: Vec<_> = (0..4)
            .map(|_| {
                let socket = socket.clone();
                std::thread::spawn(move || order_on(&socket))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(30));
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(i32::try_from(controller.id()).unwrap_or_default(), libc::SIGTERM) };
        acknowledged += people
            .into_iter()
            .map(|p| p.join().unwrap_or_else(|_| panic!("somebody was not answered")))
            .sum::<usize>();
        assert!(controller.wait().unwrap_or_else(|e| panic!("{e}")).success());
    }
    let record =
        bpci(data.path(), &["journal", "export", &data.path().join("shop/journal.db").display().to_string()])
            .output();
    let record = String::from_utf8_lossy(&record.unwrap_or_else(|e| panic!("{e}")).stdout).into_owned();
    let notes = record.lines().filter(|l| l.contains(r#""event":{"kernel":{"Note""#)).count();
    assert!(
        acknowledged > 0 && notes == acknowledged,
        "{acknowledged} were acknowledged, {notes} are in the record\n{}",
        record.lines().take(8).collect::<Vec<_>>().join("\n")
    );
}

/// An estate with one database, whose servers are not there.
const CLUSTER: &str = "name: shop
business_continuity:
  regions:
    primary: { region_id: here, capacity_percentage: 60, failover_priority: 1 }
    secondary: { region_id: there, capacity_percentage: 60, failover_priority: 2 }
services:
  orders-db:
    patroni:
      scope: orders-a
      members: { here: http://127.0.0.1:9, there: http://127.0.0.2:9 }
      etcd: [http://127.0.0.1:9]
";

/// A controller that is ended with the test.
struct Serving(std::process::Child);

impl Serving {
    fn start(data: &Path, config: &str, more: &[&str]) -> Serving {
        let mut command = bpci(data, &[&["serve", "--config", config], more].concat());
        let child = command.stdout(Stdio::null()).spawn().unwrap_or_else(|e| panic!("{e}"));
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(data.join("shop/socket")).is_err() {
            assert!(Instant::now() < deadline, "nobody listens");
            std::thread::sleep(Duration::from_millis(5));
        }
        Serving(child)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(i32::try_from(self.0.id()).unwrap_or_default(), libc::SIGTERM) };
        let _ = self.0.wait();
    }
}

/// The exit status, standard output and standard error of a command.
fn ended(data: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = bpci(data, arguments).output().unwrap_or_else(|e| panic!("{e}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Two clusters under one name: no command for one reaches the controller of the other, except to end something, by id.
#[test]
fn an_order_reaches_the_cluster_that_its_file_means() {
    let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let (one, two) = (data.path().join("one"), data.path().join("two"));
    let file = |name: &str, text: &str| {
        let path = data.path().join(name);
        std::fs::write(&path, text).unwrap_or_else(|e| panic!("{e}"));
        path.display().to_string()
    };
    let (a, b) = (file("a.yaml", CLUSTER), file("b.yaml", &CLUSTER.replace("orders-a", "orders-b")));
    let policy = file("policy.yaml", &format!("{CLUSTER}automation: {{ cooldown: 1s }}\n"));
    let _a = Serving::start(&one, &a, &["--arm"]);
    let _b = Serving::start(&two, &b, &["--arm"]);
    let status = |data: &Path, config: &str| -> serde_json::Value {
        let (code, out, err) = ended(data, &["bc", "status", "--config", config, "--output", "json"]);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"))
    };
    let id = |data: &Path, config: &str| {
        status(data, config)["controller_id"].as_str().unwrap_or_default().to_string()
    };
    let (of_a, of_b) = (id(&one, &a), id(&two, &b));
    assert!(of_a.len() == 8 && of_a != of_b, "{of_a} {of_b}");

    // Another cluster: refused, with both named, whatever the command is.
    for command in [
        &["bc", "switchover", "--config", &b, "--arm", "--confirm", "here", "--wait"][..],
        &["bc", "recovery", "abort", "--config", &b, "--operation-id", "recovery-1"],
        &["bc", "disarm", "--config", &b],
        &["bc", "stop", "--config", &b],
        &["bc", "status", "--config", &b],
        &["--config", &b, "--once"],
    ] {
        let (code, _, err) = ended(&one, command);
        assert_eq!(code, 3, "{command:?}: {err}");
        assert!(err.contains("orders-db scope: this file orders-b, the controller orders-a"), "{err}");
        assert!(err.contains(&format!("--controller {of_a}")), "{err}");
    }
    // Another policy: accepted, with one line of warning.
    let (code, _, err) = ended(&one, &["bc", "status", "--config", &policy]);
    assert!(code == 0 && err.lines().count() == 1 && err.contains("another policy"), "{code} {err}");
    let (code, _, err) = ended(&one, &["bc", "status", "--config", &a]);
    assert!(code == 0 && err.is_empty(), "{code} {err}");

    // What ends something may be given to a controller by its id; nothing else, and to no other controller.
    assert_eq!(status(&one, &a)["armed"], true);
    assert_eq!(ended(&one, &["bc", "disarm", "--config", &b, "--controller", &of_b]).0, 3);
    assert_eq!(status(&one, &a)["armed"], true);
    let (code, _, err) = ended(&one, &["bc", "disarm", "--config", &b, "--controller", &of_a]);
    assert_eq!(code, 0, "{err}");
    assert_eq!((&status(&one, &a)["armed"], &status(&two, &b)["armed"]), (&false.into(), &true.into()));
    let socket = || UnixStream::connect(one.join("shop/socket")).unwrap_or_else(|e| panic!("{e}"));
    let by_id =
        |action: &str| format!(r#"{{"Order":{{"addressee":{{"Controller":"{of_a}"}},"action":{action}}}}}"#);
    assert!(ask(socket(), &by_id(r#"{"Arm":{"typed":"shop"}}"#)).contains("OtherTarget"));
    assert!(ask(socket(), &by_id(r#""Disarm""#)).contains("Receipt"));

    // The controller holds each order against its own target, whatever the client did before.
    assert!(ask(socket(), &note("mine", &digest(CLUSTER))).contains("Receipt"));
    assert!(
        ask(socket(), &note("theirs", &digest(&CLUSTER.replace("orders-a", "orders-b"))))
            .contains("OtherTarget")
    );
    assert!(
        ask(socket(), r#"{"Order":{"action":{"Note":{"text":"of an older version"}}}}"#)
            .contains("NotUnderstood")
    );
    let record = ended(&one, &["journal", "export", &one.join("shop/journal.db").display().to_string()]).1;
    assert!(
        record.contains("mine") && !record.contains("theirs") && !record.contains("older version"),
        "{record}"
    );
}

/// A directory with a long path has its socket elsewhere, and everybody finds it.
#[test]
fn a_long_path_has_its_socket_elsewhere() {
    let base = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let data = base.path().join("d".repeat(120));
    let config = base.path().join("shop.yaml");
    std::fs::write(&config, ESTATE).unwrap_or_else(|e| panic!("{e}"));
    let config = config.display().to_string();
    let mut controller = bpci(&data, &["serve", "--config", &config, "--arm"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{e}"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while !data.join("shop/socket.path").exists() {
        assert!(Instant::now() < deadline, "nobody listens");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (code, _, err) = ended(&data, &["bc", "disarm", "--config", &config]);
    assert_eq!(code, 0, "{err}");
    let (code, out, err) = ended(&data, &["bc", "status", "--config", &config]);
    assert!(code == 0 && out.contains("read-only") && out.contains("\nsocket /"), "{code} {out} {err}");
    let socket = std::fs::read_to_string(data.join("shop/socket.path")).unwrap_or_else(|e| panic!("{e}"));
    // SAFETY: our own child, which has not been waited for.
    unsafe { libc::kill(i32::try_from(controller.id()).unwrap_or_default(), libc::SIGTERM) };
    assert!(controller.wait().is_ok_and(|s| s.success()));
    let directory = Path::new(socket.trim()).parent().map(Path::to_path_buf).unwrap_or_default();
    std::fs::remove_dir(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
}

/// What was begun on an estate is not carried on with another one under the same name.
#[test]
fn an_operation_is_not_taken_into_another_configuration() {
    let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let home = data.path().join("three-regions");
    let scenario = bpci::config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
    let played = bpci::controller::play(scenario, 1, bpci::journal::Journal::in_memory(), &mut |_| {})
        .unwrap_or_else(|e| panic!("{e}"));
    let records = played.simulation.core.keep.unwrap_or_default();
    let begun = records
        .iter()
        .position(|r| matches!(r.event, bpci::model::Event::OperationStarted(_)))
        .unwrap_or_else(|| panic!("nothing began"));
    std::fs::create_dir_all(&home).unwrap_or_else(|e| panic!("{e}"));
    let mut journal = bpci::journal::Journal::open(&home).unwrap_or_else(|e| panic!("{e}"));
    journal.append(&records[..=begun]).unwrap_or_else(|e| panic!("{e}"));
    drop(journal);
    let config = data.path().join("other.yaml");
    std::fs::write(&config, ESTATE.replace("name: shop", "name: three-regions"))
        .unwrap_or_else(|e| panic!("{e}"));
    let ended = bpci(data.path(), &["serve", "--config", &config.display().to_string()])
        .output()
        .unwrap_or_else(|e| panic!("{e}"));
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && told.contains("the journal is of other databases"), "{told}");
}

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

/// Gives orders until nobody is there any more; how many were acknowledged.
fn order_on(socket: &Path, who: usize) -> usize {
    let mut done = 0;
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Ok(mut stream) = UnixStream::connect(socket) {
        assert!(Instant::now() < deadline, "it does not end");
        let order = format!("{{\"Order\":{{\"by\":\"p{who}\",\"action\":{{\"Note\":{{\"text\":\"{done}\"}}}}}}}}\n");
        stream.write_all(order.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap_or_else(|e| panic!("{e}"));
        match answer.trim_end() {
            r#"{"Receipt":"Done"}"# => done += 1,
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
        let mut controller = bpci(data.path(), &["serve", "--config", &config]).stdout(Stdio::null()).spawn().unwrap_or_else(|e| panic!("{e}"));
        let deadline = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "nobody listens");
            std::thread::sleep(Duration::from_millis(5));
        }
        let people: Vec<_> = (0..4)
            .map(|who| {
                let socket = socket.clone();
                std::thread::spawn(move || order_on(&socket, who))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(30));
        // SAFETY: our own child, which has not been waited for.
        unsafe { libc::kill(i32::try_from(controller.id()).unwrap_or_default(), libc::SIGTERM) };
        acknowledged += people.into_iter().map(|p| p.join().unwrap_or_else(|_| panic!("somebody was not answered"))).sum::<usize>();
        assert!(controller.wait().unwrap_or_else(|e| panic!("{e}")).success());
    }
    let record = bpci(data.path(), &["journal", "export", &data.path().join("shop/journal.db").display().to_string()]).output();
    let record = String::from_utf8_lossy(&record.unwrap_or_else(|e| panic!("{e}")).stdout).into_owned();
    let notes = record.lines().filter(|l| l.contains(r#""event":{"Note""#)).count();
    assert!(
        acknowledged > 0 && notes == acknowledged,
        "{acknowledged} were acknowledged, {notes} are in the record\n{}",
        record.lines().take(8).collect::<Vec<_>>().join("\n")
    );
}

/// What was begun on an estate is not carried on with another one under the same name.
#[test]
fn an_operation_is_not_taken_into_another_configuration() {
    let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let home = data.path().join("three-regions");
    let scenario = bpci::config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
    let played = bpci::controller::play(scenario, 1, bpci::journal::Journal::in_memory(), &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    let records = played.simulation.core.keep.unwrap_or_default();
    let begun = records.iter().position(|r| matches!(r.event, bpci::model::Event::OperationStarted(_))).unwrap_or_else(|| panic!("nothing began"));
    std::fs::create_dir_all(&home).unwrap_or_else(|e| panic!("{e}"));
    let mut journal = bpci::journal::Journal::open(&home).unwrap_or_else(|e| panic!("{e}"));
    journal.append(&records[..=begun]).unwrap_or_else(|e| panic!("{e}"));
    drop(journal);
    let config = data.path().join("other.yaml");
    std::fs::write(&config, ESTATE.replace("name: shop", "name: three-regions")).unwrap_or_else(|e| panic!("{e}"));
    let ended = bpci(data.path(), &["serve", "--config", &config.display().to_string()]).output().unwrap_or_else(|e| panic!("{e}"));
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && told.contains("recovery-1 is not over"), "{told}");
}

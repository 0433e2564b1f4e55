//! A drill on a real estate: it begins only where it may, counts, and can be stopped at any moment.

use crate::lab::*;
use serde_json::Value;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

fn drill(lab: &Lab, id: &str) -> std::process::Command {
    let calendar = lab.dir.path().join("live.yaml");
    let ours =
        std::fs::read_to_string(format!("{FIXTURES}/exercises/live.yaml")).unwrap_or_else(|e| panic!("{e}"));
    let ours =
        ours.replace("lab-27400", &lab.name()).replace("../experiments", &format!("{FIXTURES}/experiments"));
    std::fs::write(&calendar, ours).unwrap_or_else(|e| panic!("{e}"));
    let mut command = lab.command(&[
        "test",
        "test",
        "--test-id",
        id,
        "--calendar",
        &calendar.display().to_string(),
        "--output",
        "json",
    ]);
    command.env("BPCI_LAB", lab.path());
    command
}

/// How a drill came out, with its exit status.
fn told(mut command: std::process::Command) -> (Option<i32>, Value) {
    let output = command.output().unwrap_or_else(|e| panic!("{e}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    (output.status.code(), value["tests"][0].clone())
}

/// The node of the primary is killed for real, once to the end and once until somebody pulls the lever.
pub fn live_drill(lab: &Lab) {
    lab.settled();
    let (status, outcome) = told(drill(lab, "node_killed"));
    assert_eq!(
        (status, &outcome["result"]),
        (Some(1), &"not_played".into()),
        "without a controller: {outcome}"
    );

    let declared = std::fs::read_to_string(lab.estate()).unwrap_or_else(|e| panic!("{e}"));
    let undeclared = lab.dir.path().join("undeclared.yaml").display().to_string();
    std::fs::write(&undeclared, declared.replace("test_estate: true\n", ""))
        .unwrap_or_else(|e| panic!("{e}"));
    let controller = lab.serve_with(&undeclared, &[]);
    let before = lab.leader_key();
    let (_, outcome) = told(drill(lab, "node_killed"));
    let why = outcome["told"].as_str().unwrap_or_default();
    assert!(outcome["result"] == "not_played" && why.contains("test_estate"), "{outcome}");
    assert_eq!(lab.leader_key(), before, "something was done all the same");
    stop(controller);

    let controller = lab.serve(&[]);
    std::thread::sleep(std::time::Duration::from_secs(4));
    // What is asked beside a running controller is answered from its record.
    lab.ok(&["forecast", "--config", &lab.config(), "--futures", "50"]);
    lab.ok(&["bc", "validate", "--config", &lab.config()]);
    let (status, outcome) = told(drill(lab, "node_killed"));
    assert_eq!((status, &outcome["result"]), (Some(0), &"passed".into()), "{outcome}\n{:#}", lab.status());
    assert!(outcome["recovery_time_ms"].as_u64().is_some_and(|t| t < 30_000), "{outcome}");
    lab.settled();

    let child = drill(lab, "node_killed")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{e}"));
    let before = lab.operations();
    wait("it to strike", 40, || lab.operations() > before);
    lab.ok(&["test", "stop", "--estate", &lab.name()]);
    let output = child.wait_with_output().unwrap_or_else(|e| panic!("{e}"));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}"));
    let words = value["tests"][0]["told"].as_str().unwrap_or_default();
    assert!(
        words.starts_with("stopped: the lever was pulled; its journal") && output.status.code() == Some(1),
        "{value}"
    );
    // What it did is undone all the same.
    lab.settled();
    assert!(!lab.run(&["test", "stop", "--estate", &lab.name()]).status.success());
    let record = lab.ok(&["journal", "show", &lab.home().display().to_string()]);
    assert!(
        record.contains("live drill node_killed begins") && record.contains("live drill node_killed passed"),
        "{record}"
    );
    stop(controller);
}

//! `bpci test`, as a person calls it: what is played is kept, what is not played is not counted.

use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn bpci(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
    command.args(arguments).env("BPCI_DATA", data).stdin(Stdio::null());
    command
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    bpci(data, arguments).output().unwrap_or_else(|e| panic!("{e}"))
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stdout)))
}

/// The calendar's line of a kind.
fn standing(data: &Path, calendar: &[&str], kind: &str) -> Value {
    let report = json(&run(data, &[&["test", "report", "--output", "json"], calendar].concat()));
    let list = report["calendar"].as_array().cloned().unwrap_or_default();
    list.into_iter().find(|d| d["kind"] == kind).unwrap_or_else(|| panic!("{report}"))
}

#[test]
fn a_suite_is_played_kept_and_due_again() {
    let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let never = standing(data.path(), &[], "service_failover");
    assert_eq!((&never["overdue"], &never["conducted"]), (&Value::from(true), &Value::from(0)));
    let dry = json(&run(data.path(), &["test", "suite", "--dry-run", "--output", "json"]));
    assert!(dry["tests"].as_array().is_some_and(|t| t.len() > 8));
    assert!(!data.path().join("drills.jsonl").exists(), "a dry run was kept");

    let scope = [
        "test",
        "suite",
        "--scope",
        "service_failover,regional_failover,backup_restoration",
        "--parallel",
        "2",
        "--output",
        "json",
    ];
    let played = run(data.path(), &scope);
    let told = json(&played);
    assert_eq!(
        (played.status.code(), &told["passed"], &told["not_played"]),
        (Some(0), &Value::from(3), &Value::from(1)),
        "{told}"
    );
    let well = standing(data.path(), &[], "service_failover");
    assert_eq!(
        (&well["overdue"], &well["passed"], &well["proves_at_least_percent"]),
        (&Value::from(false), &Value::from(1), &Value::from(5))
    );
    let restored = standing(data.path(), &[], "backup_restoration");
    assert_eq!((&restored["overdue"], &restored["conducted"]), (&Value::from(true), &Value::from(0)));
    let status = json(&run(data.path(), &["bc", "status", "--output", "json"]));
    assert!(
        status["last_disaster_drill"].is_string() && status["next_scheduled_drill"].is_string(),
        "{status}"
    );
    assert!(
        status["regions"]["us-east-1"]["disaster_readiness_score"]
            .as_f64()
            .is_some_and(|s| (0.0..1.0).contains(&s)),
        "{status}"
    );
}

#[test]
fn a_hook_counts_by_its_exit_status() {
    let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let calendar = data.path().join("mine.yaml");
    let text = "kinds:\n  backup_restoration: { every: 7days, within: 2s }\ntests:\n\
                \x20 - { id: good, kind: backup_restoration, title: t, hook: [\"true\"] }\n\
                \x20 - { id: bad, kind: backup_restoration, title: t, hook: [\"false\"] }\n\
                \x20 - { id: slow, kind: backup_restoration, title: t, hook: [sleep, \"60\"] }\n";
    std::fs::write(&calendar, text).unwrap_or_else(|e| panic!("{e}"));
    let path = calendar.to_string_lossy().into_owned();
    for (id, status) in [("good", 0), ("bad", 1), ("slow", 1)] {
        let output = run(data.path(), &["test", "test", "--test-id", id, "--calendar", &path]);
        assert_eq!(output.status.code(), Some(status), "{id}: {}", String::from_utf8_lossy(&output.stdout));
    }
    let stands = standing(data.path(), &["--calendar", &path], "backup_restoration");
    assert_eq!(
        (&stands["conducted"], &stands["passed"], &stands["overdue"]),
        (&Value::from(3), &Value::from(1), &Value::from(true))
    );
}

#[test]
fn a_table_is_held_by_people() {
    let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let arguments = ["test", "test", "--test-id", "crisis_intruder", "--speed", "100000"];
    for (answers, status, conducted) in [("y\ny\ny\ny\ny\n", 0, 1), ("y\ny\nn\ny\ny\n", 1, 2), ("y\n", 1, 2)]
    {
        let mut child = bpci(data.path(), &arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{e}"));
        let mut stdin = child.stdin.take().unwrap_or_else(|| panic!("no input"));
        stdin.write_all(answers.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
        drop(stdin);
        let output = child.wait_with_output().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            output.status.code(),
            Some(status),
            "{answers:?}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        let stands = standing(data.path(), &[], "crisis");
        assert_eq!((&stands["conducted"], &stands["automated"]), (&Value::from(conducted), &Value::from(0)));
    }
}

/// A plan that recovered in a drill is known as drilled by what is in it; one that did not is not.
#[test]
fn what_recovered_in_a_drill_is_drilled() {
    let data = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let scenario = bpci::config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
    let plan =
        scenario.estate.plans.iter().find(|p| p.name == "failover").unwrap_or_else(|| panic!("no failover"));
    let digest = serde_json::to_value(bpci::model::Digest::of_value(plan)).unwrap_or_else(|e| panic!("{e}"));
    let plans = || {
        let kept = std::fs::read_to_string(data.path().join("drills.jsonl")).unwrap_or_default();
        let lines =
            kept.lines().map(|l| serde_json::from_str::<Value>(l).unwrap_or_else(|e| panic!("{e}: {l}")));
        lines.flat_map(|l| l["plans"].as_array().cloned().unwrap_or_default()).collect::<Vec<_>>()
    };
    run(data.path(), &["bc", "drill", "execute", "--scenario", "calm"]);
    assert!(!plans().contains(&digest), "nothing was recovered in a calm");
    let played = run(data.path(), &["bc", "drill", "execute", "--scenario", "region_outage"]);
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    assert!(plans().contains(&digest), "{:?} {digest}", plans());
}

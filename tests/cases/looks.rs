//! What was not looked at, or not heard, is called so: cases 12 and 13, and the replay without its tape.

use super::made_up::MadeUp;
use std::path::Path;
use std::process::{Command, Stdio};

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Case 12: looked at every 30 s, all healthy. Before the second look nothing fails.
#[test]
fn what_was_looked_at_once_and_is_well_does_not_fail() {
    let world = MadeUp::begin("{}");
    let text = std::fs::read_to_string(&world.config).unwrap_or_else(|e| panic!("{e}"));
    let slow = format!("{text}disaster_recovery:\n  detection: {{ health_check_interval: 30s }}\n");
    for config in [text, slow] {
        std::fs::write(&world.config, config).unwrap_or_else(|e| panic!("{e}"));
        let path = world.config.display().to_string();
        let shown = world.bpci(&["--config", &path, "--once", "--screen", "regions", "--after", "8s"]);
        let text = words(&shown.stdout);
        assert!(
            shown.status.success() && !text.contains("CHECKS FAIL") && !text.contains("FAILING"),
            "{text}"
        );
        // The made-up estate lacks much that a failover would need, which is said; its regions are well, or not looked at yet.
        assert!(
            !text.contains("silent") && text.matches(" OK ").count() + text.matches("UNKNOWN").count() == 3,
            "{text}"
        );
    }
}

/// Case 13: nothing listens. Nobody may take over, nothing has a score, and the estate's state is unknown.
#[test]
fn who_was_never_heard_may_not_take_over() {
    let world = MadeUp::silent();
    let told = words(&world.status(&[]).stdout);
    assert!(told.contains("not been heard of yet") && !told.contains("may take over"), "{told}");
    let status: serde_json::Value =
        serde_json::from_slice(&world.status(&["--output", "json"]).stdout).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(status["overall_status"], "unknown");
    let members = status["protection_groups"][0]["members"].as_array().cloned().unwrap_or_default();
    assert_eq!(members.len(), 3);
    for member in &members {
        assert!(
            member["may_not_take_over"].as_str().is_some_and(|why| why.contains("not been heard of yet")),
            "{member}"
        );
    }
    let asked =
        world.bpci(&["bc", "validate", "--config", &world.config.display().to_string(), "--output", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap_or_else(|e| panic!("{e}"));
    assert!(
        report["score_percent"].is_null() && report["ready"] == false && asked.status.code() == Some(1),
        "{report}"
    );
    for region in status["regions"].as_object().into_iter().flat_map(|regions| regions.values()) {
        assert!(region["disaster_readiness_score"].is_null(), "{region}");
    }
}

/// A replay without its tape says so; it does not call what was not recorded failing.
#[test]
fn a_replay_without_its_tape_says_not_recorded() {
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases/replay-no-tape");
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let screen = |directory: &Path, name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
        command
            .arg("--replay")
            .arg(directory)
            .args(["--once", "--size", "100x30", "--screen", name, "--after", "20s"])
            .stdin(Stdio::null());
        let output = command.output().unwrap_or_else(|e| panic!("{e}"));
        assert!(output.status.success(), "{output:?}");
        words(&output.stdout)
    };
    let text = screen(&record, "regions");
    assert!(
        text.contains("not recorded") && !text.contains("FAILING") && !text.contains("CHECKS FAIL"),
        "{text}"
    );
    // A line that cannot be read is a gap that is told.
    for name in ["journal.db", "journal.heads"] {
        std::fs::copy(record.join(name), directory.path().join(name)).unwrap_or_else(|e| panic!("{e}"));
    }
    std::fs::write(directory.path().join("tape.jsonl"), "{\"s\": 1, nonsense\n{\"also\": \"none\"}\n")
        .unwrap_or_else(|e| panic!("{e}"));
    let text = screen(directory.path(), "command");
    assert!(text.contains("2 lines of what was measured"), "{text}");
}

//! Experiments that the Chaos Toolkit understands in its own way: cases 18, 19 and 24. Expected: what chaostoolkit-lib 1 and
//! jsonpath2 do with the same file.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn bpci(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
    command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null());
    command.output().unwrap_or_else(|e| panic!("{e}"))
}

fn file(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases/chaos").join(name).display().to_string()
}

/// The exit status of a run, and its journal.
fn run(path: &str, environment: &[(&str, &str)]) -> (Option<i32>, Value) {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let journal = directory.path().join("journal.json");
    let output = bpci(
        &[
            "chaos",
            "run",
            "--experiment",
            path,
            "--journal-path",
            &journal.display().to_string(),
            "--settles",
            "1s",
        ],
        environment,
    );
    let text = std::fs::read_to_string(&journal).unwrap_or_default();
    (output.status.code(), serde_json::from_str(&text).unwrap_or_default())
}

fn steady(journal: &Value) -> &Value {
    &journal["steady_states"]["before"]["steady_state_met"]
}

/// Case 18.
#[test]
fn a_pattern_holds_before_the_last_line_break() {
    let (status, journal) = run(&file("18-pattern.json"), &[]);
    assert_eq!((status, steady(&journal)), (Some(0), &Value::Bool(true)), "{journal:#}");
}

/// Case 19: seconds that a variable gives as text are seconds.
#[test]
fn seconds_that_are_written_as_text_are_waited_for() {
    let began = Instant::now();
    let (status, journal) = run(&file("19-pause.json"), &[]);
    assert_eq!(status, Some(0), "{journal:#}");
    assert!(began.elapsed() >= Duration::from_secs(1), "no pause");

    let (status, journal) = run(&file("19-timeout.json"), &[("T", "1")]);
    let probe = &journal["steady_states"]["before"]["probes"][0];
    assert_eq!(
        (status, &probe["status"], &journal["status"]),
        (Some(1), &"failed".into(), &"failed".into()),
        "{journal:#}"
    );
    assert!(probe["duration"].as_f64().is_some_and(|seconds| (0.9..2.5).contains(&seconds)), "{probe:#}");

    // What is no number of seconds is refused before anything is run.
    for (name, environment) in [("19-timeout.json", ("T", "soon")), ("19-pause.json", ("W", "-1"))] {
        let output = bpci(&["chaos", "check", &file(name)], &[environment]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains("number of seconds"), "{said}");
    }
}

/// Case 24, and what is no path in either form.
#[test]
fn a_path_is_read_as_the_toolkit_reads_it_or_refused() {
    for name in ["24-equality.json", "24-with-variable.json"] {
        assert_eq!(bpci(&["chaos", "check", &file(name)], &[]).status.code(), Some(0), "{name}");
        let (status, journal) = run(&file(name), &[]);
        assert_eq!((status, steady(&journal)), (Some(0), &Value::Bool(true)), "{name}: {journal:#}");
    }
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    for name in ["24-equality.json", "24-with-variable.json"] {
        let text =
            std::fs::read_to_string(file(name)).unwrap_or_else(|e| panic!("{e}")).replace("@.s=", "@.s==");
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap_or_else(|e| panic!("{e}"));
        let output = bpci(&["chaos", "check", &path.display().to_string()], &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.code() == Some(2) && said.contains("equality is written `=`"),
            "{name}: {said}"
        );
    }
}

/// What can be asked of no value is neither a state that was met nor one that was lost.
#[test]
fn a_question_without_an_answer_fails_the_probe() {
    let text = std::fs::read_to_string(file("24-equality.json"))
        .unwrap_or_else(|e| panic!("{e}"))
        .replace(r#"@.s=\"up\""#, "@.n contains 1");
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let path = directory.path().join("e.json");
    std::fs::write(&path, text).unwrap_or_else(|e| panic!("{e}"));
    let (status, journal) = run(&path.display().to_string(), &[]);
    assert_eq!((status, &journal["status"]), (Some(1), &"failed".into()), "{journal:#}");
}

/// `runtime` of a file is honoured; the command line has the last word. All variables that are missing are named at once.
#[test]
fn a_file_says_when_its_rollbacks_are_run() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let path = directory.path().join("e.json");
    let write = |runtime: &str, more: &str| {
        let text = format!(
            r#"{{"title": "t", "description": "d", "runtime": {runtime}, "method": [], {more}
                 "rollbacks": [{{"type": "action", "name": "undo", "provider": {{"type": "process", "path": "true"}}}}]}}"#
        );
        std::fs::write(&path, text).unwrap_or_else(|e| panic!("{e}"));
        path.display().to_string()
    };
    for (strategy, runs) in [("always", 1), ("default", 1), ("never", 0), ("deviated", 0)] {
        let file = write(
            &format!(
                r#"{{"rollbacks": {{"strategy": "{strategy}"}}, "hypothesis": {{"strategy": "skip"}}}}"#
            ),
            "",
        );
        let (status, journal) = run(&file, &[]);
        assert_eq!(
            (status, journal["rollbacks"].as_array().map(Vec::len)),
            (Some(0), Some(runs)),
            "{strategy}: {journal:#}"
        );
    }
    let file = write(r#"{"rollbacks": {"strategy": "sometimes"}}"#, "");
    assert_eq!(bpci(&["chaos", "check", &file], &[]).status.code(), Some(2));

    let unset = r#"{"type": "env", "key": "BPCI_NOT_SET_"#;
    let file = write(
        "{}",
        &format!(
            r#""configuration": {{"a": {unset}A"}}, "b": {unset}B"}}}}, "secrets": {{"s": {{"c": {unset}C"}}}}}},"#
        ),
    );
    let said = String::from_utf8_lossy(&bpci(&["chaos", "check", &file], &[]).stderr).into_owned();
    assert!(["_A", "_B", "_C"].iter().all(|name| said.contains(&format!("BPCI_NOT_SET{name}"))), "{said}");
}

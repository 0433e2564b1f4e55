//! Experiments of the Chaos Toolkit, run by the program. On the practice range they are run by `tests/live`.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn bpci(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(directory: &Path, text: &str, more: &[&str]) -> (Output, serde_json::Value) {
    let (file, journal) = (directory.join("experiment.json"), directory.join("journal.json"));
    std::fs::write(&file, text).unwrap_or_else(|e| panic!("{e}"));
    let (file, path) = (file.display().to_string(), journal.display().to_string());
    let output = bpci(&["chaos", "run", "--experiment", &file, "--journal-path", &path, "--settles", "1s"])
        .args(more)
        .output();
    let output = output.unwrap_or_else(|e| panic!("{e}"));
    let text = std::fs::read_to_string(&journal).unwrap_or_default();
    (output, serde_json::from_str(&text).unwrap_or_default())
}

/// A world of one file: it is steady while the file is there.
fn experiment(file: &Path, action: &str, rollback: &str) -> String {
    let sh = |name: &str, kind: &str, script: &str, more: &str| {
        format!(
            r#"{{ "type": "{kind}", "name": "{name}", "provider": {{ "type": "process", "path": "sh", "arguments": ["-c", "{script}"] }} {more} }}"#
        )
    };
    let is_there = format!("test -e {}", file.display());
    format!(
        r#"{{ "title": "a file", "description": "It is there.", "configuration": {{ "words": "hello" }},
            "steady-state-hypothesis": {{ "title": "the file is there", "probes": [{}] }},
            "method": [{}, {}], "rollbacks": [{}] }}"#,
        sh("there", "probe", &is_there, r#", "tolerance": 0"#),
        sh("act", "action", action, r#", "background": true"#),
        sh("say", "probe", "echo ${words}", r#", "pauses": { "after": 0.2 }"#),
        sh("undo", "action", rollback, ""),
    )
}

#[test]
fn a_steady_state_that_holds_and_one_that_is_lost() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap_or_else(|e| panic!("{e}"));
    let (touch, remove) = (format!("touch {}", file.display()), format!("rm {}", file.display()));

    let (output, journal) = run(directory.path(), &experiment(&file, "true", "true"), &[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!((&journal["status"], &journal["deviated"]), (&"completed".into(), &false.into()));
    assert_eq!(journal["run"][1]["output"]["stdout"], "hello\n", "the configuration is put in");
    assert_eq!(journal["rollbacks"][0]["status"], "succeeded");

    let (output, journal) = run(directory.path(), &experiment(&file, &remove, &touch), &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!((&journal["status"], &journal["deviated"]), (&"completed".into(), &true.into()));
    assert_eq!(journal["steady_states"]["after"]["steady_state_met"], false);
    assert_eq!(journal["bpci"]["steady_again"], true, "the rollback was seen to work");

    // A rollback that does not bring it back is told.
    let (output, journal) = run(directory.path(), &experiment(&file, &remove, "true"), &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("look after it now"), "{output:?}");
    assert_eq!(journal["bpci"]["steady_again"], false);

    // Not steady to begin with: nothing is done.
    let (output, journal) = run(directory.path(), &experiment(&file, &touch, "true"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((journal["run"].as_array().map(Vec::len), file.exists()), (Some(0), false));
}

#[test]
fn a_lost_steady_state_or_a_signal_ends_the_method_and_the_rollbacks_are_run() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let file = directory.path().join("file");
    let (touch, remove) = (format!("touch {}", file.display()), format!("rm {}; sleep 30", file.display()));
    std::fs::write(&file, "").unwrap_or_else(|e| panic!("{e}"));
    let foreground = |text: String| text.replace(r#", "background": true"#, "");

    let began = Instant::now();
    let watched = ["--hypothesis-strategy", "continuously", "--hypothesis-frequency", "100ms", "--fail-fast"];
    let (_, journal) = run(directory.path(), &foreground(experiment(&file, &remove, &touch)), &watched);
    assert!(began.elapsed() < Duration::from_secs(20), "the method went on");
    assert_eq!((&journal["status"], &journal["deviated"]), (&"interrupted".into(), &true.into()));
    assert!(file.exists(), "the rollback was not run");

    let path = directory.path().join("experiment.json").display().to_string();
    let into = directory.path().join("again.json").display().to_string();
    let mut child = bpci(&["chaos", "run", "--experiment", &path, "--journal-path", &into])
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{e}"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while file.exists() {
        assert!(Instant::now() < deadline, "the action was not run");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = libc::pid_t::try_from(child.id()).unwrap_or_else(|e| panic!("{e}"));
    // SAFETY: kill has no memory effects; the child is ours and was not waited for.
    unsafe { libc::kill(pid, libc::SIGTERM) };
    let status = child.wait().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(status.code(), Some(1));
    assert!(file.exists(), "the rollback was not run after the signal");
}

#[test]
fn mistakes_are_told_with_their_place_and_nothing_is_run() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    for (text, place, words) in [
        ("title: t\n", "1:1", "without a description"),
        ("title: t\ndescription: d\n", "1:1", "without a method"),
        (
            "title: t\ndescription: d\nmethod:\n  - type: deed\n    name: n\n",
            "4:11",
            "`deed` is no kind of activity",
        ),
        (
            "title: t\ndescription: d\nmethod:\n  - type: action\n    name: n\n    provider: { type: python, module: m, func: f }\n",
            "6:23",
            "Python",
        ),
        (
            "title: t\ndescription: d\nmethod:\n  - type: action\n    name: n\n    provider: { type: process, path: no-such-program }\n",
            "6:15",
            "is no program here",
        ),
        (
            "title: t\ndescription: d\nmethod: []\nsteady-state-hypothesis:\n  title: s\n  probes:\n    - type: probe\n      name: p\n      provider: { type: process, path: sh }\n",
            "7:7",
            "has no tolerance",
        ),
        ("title: t\ndescription: d\nmethod:\n  - ref: nobody\n", "4:10", "nothing before"),
        ("{\"title\": \"t\", \"description\": \"d\", \"method\": [}\n", "1:", ""),
    ] {
        let (output, _) = run(directory.path(), text, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}{said}");
        assert!(said.contains(&format!("experiment.json:{place}")) && said.contains(words), "{text}{said}");
    }
}

#[test]
fn the_experiments_we_ship_are_understood() {
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/experiments"))
        .unwrap_or_else(|e| panic!("{e}"))
    {
        let path = file.unwrap_or_else(|e| panic!("{e}")).path().display().to_string();
        let output = bpci(&["chaos", "check", &path]).output().unwrap_or_else(|e| panic!("{e}"));
        assert!(output.status.success(), "{path}: {output:?}");
    }
}

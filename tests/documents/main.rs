//! `--output json`: exactly one document on standard output for every command, whatever happens, and its fields as they were
//! frozen. A field that was published stays until the next schema; the snapshot is reviewed line by line.

mod fields;

use fields::{Strict, document};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[test]
fn the_strict_reader_refuses_what_it_must() {
    for text in [r#"{"a": 1, "a": 2}"#, r#"{"a": 1} {}"#, r#"{"a": {"b": 1, "b": 1}}"#, "{\"a\": 1}\nmore"] {
        assert!(serde_json::from_str::<Strict>(text).is_err(), "{text}");
    }
}

struct Place {
    data: tempfile::TempDir,
}

impl Place {
    fn bpci(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
        command
            .args(arguments)
            .args(["--output", "json"])
            .env("BPCI_DATA", self.data.path())
            .current_dir(self.data.path())
            .stdin(Stdio::null());
        command.output().unwrap_or_else(|e| panic!("{e}"))
    }

    fn ask(&self, arguments: &[&str]) -> Value {
        document(&arguments.join(" "), &self.bpci(arguments))
    }
}

fn triggered(place: &Place, kind: &str, strategy: &str, more: &[&str]) -> Value {
    let asked =
        ["bc", "disaster-recovery", "trigger", "--disaster-type", kind, "--affected-regions", "us-east-1"];
    place.ask(&[&asked[..], &["--severity", "critical", "--strategy", strategy], more].concat())
}

/// No cluster moves by itself because its data is corrupt: both databases wait for a choice.
fn two_databases(place: &Place) -> Value {
    let value = triggered(place, "data_corruption", "point_in_time_restore", &["--dry-run"]);
    let groups: BTreeSet<&str> = value["operations"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|o| o["protection_group"].as_str())
        .collect();
    assert_eq!(groups.len(), 2, "one document with both databases: {value:#}");
    value
}

/// In calm, in an incident with two databases: every command that prints has its document, and these are its fields.
#[test]
fn the_fields_of_every_document_are_frozen() {
    let place = Place { data: tempfile::tempdir().unwrap_or_else(|e| panic!("{e}")) };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let at = |path: &str| root.join(path).display().to_string();
    let (example, experiment) =
        (at("fixtures/estates/three-regions.yaml"), at("tests/data/cases/chaos/24-equality.json"));
    let mut all: Vec<(&str, Vec<Value>)> = vec![
        (
            "bc status --detailed --include-metrics",
            vec![
                place.ask(&["bc", "status", "--detailed", "--include-metrics"]),
                in_an_incident(30),
                in_an_incident(240),
            ],
        ),
        ("bc disaster-recovery trigger --dry-run", vec![two_databases(&place)]),
        (
            "bc disaster-recovery trigger --wait",
            vec![triggered(
                &place,
                "region_outage",
                "immediate_failover",
                &["--service", "orders-db", "--confirm", "us-east-1", "--wait"],
            )],
        ),
        (
            "bc switchover --dry-run",
            vec![place.ask(&["bc", "switchover", "--service", "orders-db", "--dry-run"])],
        ),
        ("bc recovery list", vec![place.ask(&["bc", "recovery", "list"])]),
        ("bc validate", vec![place.ask(&["bc", "validate"])]),
        ("bc drill execute", vec![place.ask(&["bc", "drill", "execute", "--scenario", "region_outage"])]),
        (
            "bc drill execute --seeds",
            vec![place.ask(&["bc", "drill", "execute", "--scenario", "calm", "--seeds", "2"])],
        ),
        (
            "forecast",
            vec![
                place.ask(&["forecast", "--futures", "20"]),
                place.ask(&["forecast", "--futures", "20", "--planned"]),
                place.ask(&["forecast", "--futures", "20", "--fixture", "region_outage", "--after", "40s"]),
            ],
        ),
        ("analyse plan", vec![place.ask(&["analyse", "plan", "--futures", "100"])]),
        ("test suite --dry-run", vec![place.ask(&["test", "suite", "--dry-run"])]),
        ("test suite", vec![place.ask(&["test", "suite", "--scope", "service_failover"])]),
        ("test report", vec![place.ask(&["test", "report"])]),
        ("chaos check", vec![place.ask(&["chaos", "check", &experiment])]),
        ("chaos run", vec![place.ask(&["chaos", "run", "--experiment", &experiment, "--settles", "1s"])]),
        ("hunt", vec![place.ask(&["hunt", "--runs", "2"])]),
        ("config check", vec![place.ask(&["config", "check", &example])]),
        ("config init", vec![place.ask(&["config", "init"])]),
        ("config schema", vec![place.ask(&["config", "schema"])]),
    ];
    let drills = std::fs::read_dir(place.data.path().join("drills")).unwrap_or_else(|e| panic!("{e}"));
    let played = drills
        .flatten()
        .map(|e| e.path().display().to_string())
        .next()
        .unwrap_or_else(|| panic!("no drill was kept"));
    all.extend([
        ("journal show", vec![place.ask(&["journal", "show", &played])]),
        ("journal export", vec![place.ask(&["journal", "export", &played])]),
        ("journal verify", vec![place.ask(&["journal", "verify", &played])]),
        ("journal key", vec![place.ask(&["journal", "key", &played])]),
        ("forecast calibration", vec![place.ask(&["forecast", "calibration", &played])]),
        ("an error", vec![place.ask(&["forecast", "--service", "nothing"])]),
    ]);
    fields::are_as_reviewed(&all);
}

/// A simulated region that was lost: how things stand with two databases to decide on, and later.
fn in_an_incident(seconds: u64) -> Value {
    let scenario = bpci::config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
    let journal = bpci::journal::Journal::in_memory();
    let began = bpci::model::Utc(1_767_225_600_000);
    let simulation =
        bpci::controller::Simulation::new(scenario, 1, journal, bpci::model::Mode::Simulation, began);
    let mut simulation = simulation.unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(bpci::model::Mono(seconds * 1000)).unwrap_or_else(|e| panic!("{e}"));
    let snapshot = simulation.snapshot(1, false);
    assert!(seconds > 30 || snapshot.proposals.len() == 2, "two databases are decided on");
    bpci::cli::status_json(&snapshot, true, true)
}

/// Errors of every kind: one document each, with the exit status in it.
#[test]
fn every_error_is_a_document() {
    let place = Place { data: tempfile::tempdir().unwrap_or_else(|e| panic!("{e}")) };
    let missing = place.data.path().join("missing.yaml").display().to_string();
    let estate = place.data.path().join("estate.yaml");
    let silent =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases/made-up.yaml"))
            .unwrap_or_else(|e| panic!("{e}"));
    // Ports of which nothing listens on any.
    std::fs::write(&estate, silent.replace("322", "10")).unwrap_or_else(|e| panic!("{e}"));
    let estate = estate.display().to_string();
    // What was found is no error of the command: the document tells it, with exit status 1.
    let output = place.bpci(&["config", "check", &estate, "--live"]);
    let letter = document("config check --live", &output);
    assert!(
        output.status.code() == Some(1) && letter["findings"].as_array().is_some_and(|list| !list.is_empty()),
        "{letter:#}"
    );
    let trigger =
        ["bc", "disaster-recovery", "trigger", "--disaster-type", "region_outage", "--severity", "critical"];
    let trigger = [&trigger[..], &["--strategy", "immediate_failover", "--affected-regions"]].concat();
    for (arguments, expected) in [
        (vec!["no-such-command"], 2),
        (vec![], 2),
        (vec!["bc", "status", "--no-such-option"], 2),
        (vec!["forecast", "--futures", "many"], 2),
        (vec!["bc", "status", "--config", &missing], 2),
        (vec!["config", "check", &missing], 1),
        (vec!["bc", "validate", "--region", "nowhere"], 2),
        ([&trigger[..], &["nowhere", "--dry-run"]].concat(), 2),
        ([&trigger[..], &["us-east-1"]].concat(), 3),
        ([&trigger[..], &["us-east-1", "--config", &estate, "--arm", "--confirm", "us-east-1"]].concat(), 0),
        (vec!["bc", "switchover", "--config", &estate, "--arm", "--dry-run"], 0),
        (vec!["bc", "recovery", "abort", "--operation-id", "recovery-99"], 0),
        (vec!["bc", "recovery", "monitor"], 1),
        (
            vec![
                "bc",
                "recovery",
                "answer",
                "--operation-id",
                "recovery-1",
                "--step",
                "x",
                "--answer",
                "perhaps",
            ],
            2,
        ),
        (vec!["bc", "vouch", "--service", "nothing"], 2),
        (vec!["bc", "disarm", "--config", &estate], 1),
        (vec!["bc", "stop"], 2),
        (vec!["bc", "drill", "execute", "--scenario", "nothing"], 2),
        (vec!["estate", "adopt", "orders-db"], 2),
        (vec!["estate", "adopt", "orders-db", "--config", &estate], 3),
        (vec!["test", "test", "--test-id", "nothing"], 2),
        (vec!["test", "stop", "--estate", "nothing"], 1),
        (vec!["chaos", "check", &missing], 2),
        (vec!["chaos", "run", "--experiment", &missing], 2),
        (vec!["chaos", "undo", "--lab", &missing], 1),
        (vec!["chaos", "act", "process_kill", "--lab", &missing], 1),
        (vec!["lab", "status", "--dir", &missing], 1),
        (vec!["lab", "down", "--dir", &missing], 1),
        (vec!["lab", "mend", "--dir", &missing], 1),
        (vec!["lab", "break", "leader-kill", "--dir", &missing], 1),
        (vec!["hunt", "--case", &missing], 2),
        (vec!["analyse", "plan", "--plan", "guided"], 2),
        (vec!["journal", "show", &missing], 1),
        (vec!["journal", "verify", &missing], 1),
        (vec!["journal", "export", &missing], 1),
        (vec!["journal", "key", &missing], 1),
        (vec!["forecast", "calibration", &missing], 1),
        (vec!["forecast", "--at", "nothing"], 2),
    ] {
        let output = place.bpci(&arguments);
        let what = arguments.join(" ");
        let value = document(&what, &output);
        assert!(!value["error"].is_null(), "{what}: {value:#}");
        // Where it is the law's or the controller's to say, only that it is an error counts.
        assert!(
            expected == 0 || output.status.code() == Some(expected),
            "{what}: {:?}: {value:#}",
            output.status
        );
    }
}

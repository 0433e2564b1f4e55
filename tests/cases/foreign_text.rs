//! Text from outside on every surface: it appears, and does nothing. Case 25.

use super::made_up::MadeUp;
use bpci::wording::acts_on_a_line;

/// Escapes, line breaks and directions, as a reply may hold them.
const HOSTILE: &str =
    "x\\n  \\u2713 forged: line\\u001b[2J\\u001b]0;t\\u0007\\u009b8m\\u007f\\u202egnp.exe\\u2028y";

/// The printed lines; none holds anything that acts on a terminal.
fn lines(what: &str, bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
    for line in text.split('\n') {
        assert!(!line.contains(acts_on_a_line), "{what}: {line:?}");
        assert!(
            !line.trim_start().starts_with("✓ forged")
                && !line.trim_start().starts_with("✓ other controller: none"),
            "{what}: forged: {line}"
        );
    }
    text.lines().map(str::to_string).collect()
}

#[test]
fn the_shared_case_prints_no_escape_and_no_line_of_another() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases/25-escapes.json");
    let world = MadeUp::begin(&std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{e}")));
    let status = lines("status", &world.status(&[]).stdout);
    assert!(
        status.iter().any(|l| l.contains("\\u{1b}[8m")),
        "the claim is told, as it is written: {status:?}"
    );
    let dry = lines("dry run", &world.dry_run(&[]).stdout);
    assert!(
        dry.iter().any(|l| l.contains("\\n  ✓ other controller: none")),
        "the claim is told on one line: {dry:?}"
    );
}

/// Every string that a foreign system can tell, hostile at once: member's states, the store's claims and error bodies, the
/// balancer's names and answers.
#[test]
fn every_surface_prints_a_hostile_world_harmlessly() {
    let claim = format!(
        r#"{{\"operation\": \"{h}\", \"generation\": 9, \"by\": \"{h}\", \"since\": 4102444800000, \"running\": true}}"#,
        h = HOSTILE.replace('\\', "\\\\")
    );
    let state = |port: u16| {
        format!(r#""{port}": {{"/patroni": {{"json": {{"state": "{HOSTILE}", "role": "replica"}}}}}}"#)
    };
    let replies = format!(
        r#"{{"kv": {{"/bpci/orders/operation": "{claim}"}}, "rest": {{{}, {}}}, "haproxy": {{"32231": "{HOSTILE}\n"}}}}"#,
        state(32211),
        state(32212)
    );
    let refusing = format!(
        r#"{{"etcd": {{"32200": {{"reply": {{"status": 503, "body": "{HOSTILE}"}}}}}}, "haproxy": {{"32231": "{HOSTILE}"}}}}"#
    );
    for (name, patch) in [("replies", replies), ("refusals", refusing)] {
        let world = MadeUp::begin(&patch);
        let config = world.config.display().to_string();
        for arguments in [
            vec!["bc", "status", "--config", &config, "--detailed", "--include-metrics"],
            vec!["bc", "status", "--config", &config, "--detailed", "--output", "json"],
            vec!["bc", "validate", "--config", &config],
            vec!["bc", "validate", "--config", &config, "--output", "json"],
            vec!["config", "check", &config, "--live"],
            vec!["forecast", "--config", &config, "--futures", "10"],
            vec!["bc", "recovery", "list", "--config", &config],
            vec!["bc", "switchover", "--config", &config, "--arm", "--dry-run"],
            vec!["journal", "show", "--config", &config],
            vec!["journal", "export", "--config", &config],
            vec!["journal", "show", "--config", &config, "--output", "json"],
            vec!["--config", &config, "--once", "--screen", "command", "--after", "3s", "--size", "160x50"],
            vec![
                "--config",
                &config,
                "--once",
                "--screen",
                "replication",
                "--after",
                "3s",
                "--size",
                "160x50",
            ],
            vec!["--config", &config, "--once", "--screen", "timeline", "--after", "3s", "--size", "160x50"],
        ] {
            let output = world.bpci(&arguments);
            lines(&format!("{name}: {arguments:?}"), &output.stdout);
            lines(&format!("{name}: errors of {arguments:?}"), &output.stderr);
        }
        for more in [&[][..], &["--output", "json"]] {
            let output = world.dry_run(more);
            lines(&format!("{name}: dry run {more:?}"), &output.stdout);
            lines(&format!("{name}: errors of the dry run {more:?}"), &output.stderr);
        }
    }
}

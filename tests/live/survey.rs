//! `config check --live`: it names what would stop a failover, and changes nothing.

use crate::lab::*;
use serde_json::Value;
use std::process::{Command, Stdio};

/// The exit status, and the findings that are neither as they should be nor a warning: check and text.
fn letter(lab: &Lab, config: &str, more: &[&str]) -> (Option<i32>, Vec<(String, String)>) {
    let output = lab.run(&[&["config", "check", config, "--live", "--output", "json"], more].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
    let list = report["findings"].as_array().unwrap_or_else(|| panic!("{report}"));
    let open =
        list.iter().filter(|f| !["holds", "warning"].contains(&f["state"].as_str().unwrap_or_default()));
    (output.status.code(), open.map(|f| (text(&f["check"]), text(&f["text"]))).collect())
}

fn row(lab: &Lab, leader: &str) -> String {
    lab.sql(lab.port_of(leader), "SELECT xmin, id, effect, at FROM bpci_validation")
        .unwrap_or_else(|e| panic!("{e}"))
}

/// The keys that changed while something was done, but for those that Patroni writes in every loop.
fn keys_changed(lab: &Lab, work: impl Fn()) -> Vec<String> {
    let file = lab.dir.path().join("watched");
    let out = std::fs::File::create(&file).unwrap_or_else(|e| panic!("{e}"));
    let endpoint = format!("--endpoints=127.0.0.1:{}", lab.port);
    let watch = Command::new("etcdctl")
        .args([&endpoint, "watch", "--prefix", "/"])
        .env("ETCDCTL_API", "3")
        .stdout(Stdio::from(out))
        .spawn();
    let mut watch = watch.unwrap_or_else(|e| panic!("etcdctl: {e}"));
    // Patroni writes in every loop: what it writes before and after shows that the watch misses nothing between.
    let seen = || std::fs::read_to_string(&file).unwrap_or_default().matches("/service/orders/").count();
    wait("the watch to see anything", 30, || seen() > 0);
    work();
    let by_then = seen();
    wait("the watch to see what came after", 30, || seen() > by_then);
    let _ = (watch.kill(), watch.wait());
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{e}"));
    let usual = |l: &&str| l.starts_with("/service/orders/members/") || *l == "/service/orders/status";
    text.lines().filter(|l| l.starts_with('/')).filter(|l| !usual(l)).map(str::to_string).collect()
}

/// Every statement of our role that the servers have logged since it was asked to be.
fn statements(lab: &Lab) -> String {
    let files = Command::new("find")
        .args([&lab.path(), "-name", "*.log", "-type", "f"])
        .output()
        .unwrap_or_else(|e| panic!("{e}"));
    let names = String::from_utf8_lossy(&files.stdout).into_owned();
    names
        .lines()
        .filter_map(|f| std::fs::read(f).ok())
        .map(|b| String::from_utf8_lossy(&b).into_owned())
        .collect()
}

pub fn changes_nothing(lab: &Lab) {
    let (leader, _) = lab.settled();
    let config = &lab.config();
    lab.sql(lab.port_of(&leader), "ALTER ROLE bpci SET log_statement = 'all'")
        .unwrap_or_else(|e| panic!("{e}"));
    let (key, before) = (lab.leader_key(), row(lab, &leader));
    let changed = keys_changed(lab, || {
        let (status, open) = letter(lab, config, &[]);
        assert_eq!((status, open), (Some(0), Vec::new()));
    });
    assert_eq!(changed, Vec::<String>::new());
    assert_eq!(
        (lab.leader_key(), row(lab, &leader)),
        (key, before),
        "the leader key and the row are as they were"
    );
    let logged = statements(lab);
    let inserts = logged.matches("INSERT INTO bpci_validation").count();
    assert!(inserts >= 2, "the insert is tried on the primary and through the entry: {inserts}");
    assert!(
        logged.contains("ROLLBACK") && !logged.to_uppercase().contains("STATEMENT: COMMIT"),
        "and rolled back"
    );
    lab.sql(lab.port_of(&leader), "ALTER ROLE bpci RESET log_statement").unwrap_or_else(|e| panic!("{e}"));
    // One row, where it is asked for.
    let (status, _) = letter(lab, config, &["--write"]);
    assert_eq!(status, Some(0));
    assert!(row(lab, &leader).contains("|survey|"), "{}", row(lab, &leader));
}

/// What stops a failover is named, and the exit status says so.
pub fn names_what_is_wrong(lab: &Lab) {
    let (leader, _) = lab.settled();
    let named = |config: &str, check: &str| {
        let (status, open) = letter(lab, config, &[]);
        assert!(
            status == Some(1) && open.iter().any(|(name, _)| name == check),
            "{check} was expected: {status:?}, {open:?}"
        );
    };
    named(&lab.estate_with("other-scope", |t| t.replace("scope: orders", "scope: others")), "cluster");
    named(
        &lab.estate_with("other-entry", |t| {
            t.replace(&format!("write: \"127.0.0.1:{}\"", lab.port + 30), "write: \"127.0.0.1:1\"")
        }),
        "entry",
    );
    named(
        &lab.estate_with("other-backend", |t| t.replace("backend: primary", "backend: replicas")),
        "balancer_answers",
    );
    let sql = |text: &str| lab.sql(lab.port_of(&leader), text).unwrap_or_else(|e| panic!("{e}"));
    sql("ALTER TABLE bpci_validation RENAME TO elsewhere");
    named(&lab.config(), "validation_table");
    sql("ALTER TABLE elsewhere RENAME TO bpci_validation");
    let (status, open) = letter(lab, &lab.config(), &[]);
    assert_eq!((status, open), (Some(0), Vec::new()), "all is well again");
}

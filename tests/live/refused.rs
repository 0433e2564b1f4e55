//! What must be refused, each with its reason and with the leader's key untouched.

use crate::lab::*;
use std::process::Command;

pub fn while_it_lives(lab: &Lab) {
    let (config, leader) = (&lab.config(), "us-east-1");
    lab.refused(config, leader, &[], "is alive");
    lab.refused(config, "mars-1", &[], "no region");

    let api = format!("http://127.0.0.11:{}/config", lab.port + 10);
    let patch = |body: &str| {
        let done = Command::new("curl")
            .args(["-sf", "-X", "PATCH", "-d", body, &api])
            .output()
            .unwrap_or_else(|e| panic!("{e}"));
        assert!(done.status.success(), "{done:?}");
    };
    patch(r#"{"pause": true}"#);
    lab.refused(config, leader, &["--manual-override"], "paused");
    patch(r#"{"pause": null}"#);

    let request = r#"{"leader":"us-east-1","member":"eu-west-1","scheduled_at":"2099-01-01T00:00:00+00:00"}"#;
    lab.etcd(&["put", "/service/orders/failover", request]);
    lab.refused(config, leader, &["--manual-override"], "is scheduled for 2099");
    lab.etcd(&["put", "/service/orders/failover", "{}"]);

    let elsewhere = lab.estate_with("elsewhere", |t| {
        t.replace("scope: orders", "scope: orders\n      namespace: /elsewhere/")
    });
    lab.refused(&elsewhere, leader, &["--manual-override"], "wrong namespace or scope");
    lab.etcd(&["put", "/other/orders/initialize", "1234567890"]);
    for key in ["config", "leader", "sync", "status"] {
        let value = lab.etcd(&["get", &format!("/service/orders/{key}"), "--print-value-only"]);
        lab.etcd(&["put", &format!("/other/orders/{key}"), value.trim()]);
    }
    for region in ["us-east-1", "eu-west-1", "ap-southeast-1"] {
        let value = lab.etcd(&["get", &format!("/service/orders/members/{region}"), "--print-value-only"]);
        lab.etcd(&["put", &format!("/other/orders/members/{region}"), value.trim()]);
    }
    let other =
        lab.estate_with("other", |t| t.replace("scope: orders", "scope: orders\n      namespace: /other/"));
    lab.refused(&other, leader, &["--manual-override"], "is not the one that orders uses");

    let line = |t: &str, name: &str| {
        t.lines().find(|l| l.trim_start().starts_with(name)).unwrap_or_default().to_string()
    };
    lab.refused(&unfenced(lab), leader, &["--manual-override"], "is alive");
    let lies = lab.estate_with("lies", |t| t.replace(&line(t, "exec:"), "      exec: [\"true\"]"));
    lab.refused(&lies, leader, &["--manual-override"], "the fence returned 0 but us-east-1 answered");
    rolled_back(lab, &lies);
    let half = format!("{}/us-east-1/data/postmaster.pid", lab.path());
    let small = lab.estate_with("small", |t| {
        t.replace(&line(t, "exec:"), &format!("      exec: [sh, -c, \"kill -9 $(head -1 {half})\"]"))
    });
    // Its agent may restart the database or give the lead away by itself: what counts is that we hand nothing over.
    let output = lab.trigger(&small, leader, &["--manual-override"]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && !said.contains("is released to"), "{said}");
    assert!(said.contains("the fence returned 0 but"), "{said}");
    taken_back(lab, &small);
    lab.settled();
}

/// What the operation did before it stopped is undone, and its claim given up: by itself, if the primary was seen to lead on
/// before the command ended.
fn rolled_back(lab: &Lab, config: &str) {
    let output =
        lab.run(&["bc", "recovery", "rollback", "--config", config, "--arm", "--operation-id", "recovery-1"]);
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(output.status.success() || said.contains("is over: rolled back"), "{said}");
    let list = lab.ok(&["bc", "recovery", "list", "--config", config]);
    assert!(list.contains("rolled back"), "{list}");
}

/// The same where its agent may have given the lead away meanwhile: beside the new leader nothing is undone, and the operation
/// is given up; what it took out of the balancers is put back once it streams again.
fn taken_back(lab: &Lab, config: &str) {
    let answer = |word: &str| {
        lab.run(&["bc", "recovery", word, "--config", config, "--arm", "--operation-id", "recovery-1"])
    };
    let undone = answer("rollback");
    if undone.status.success() {
        return;
    }
    let said = String::from_utf8_lossy(&undone.stderr).to_string();
    // It may have closed itself meanwhile: rolled back, or for the cluster elected somebody.
    let over = said.contains("is over: ");
    if !over {
        assert!(said.contains("leads now") && said.contains("law 11"), "{said}");
        let ended = answer("abort");
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let serve = lab.serve_with(config, &[]);
    let list = || lab.ok(&["bc", "recovery", "list", "--config", config, "--output", "json"]);
    wait_telling("the old primary's traffic", 60, || list().replace(' ', "").contains("\"remains\":0"), list);
    stop(serve);
    assert!(over || list().contains("aborted"), "{}", list());
}

fn unfenced(lab: &Lab) -> String {
    lab.estate_with("unfenced", |t| {
        let from = t.find("    fence:").unwrap_or_default();
        let to = t.find("    traffic:").unwrap_or_default();
        format!("{}{}", &t[..from], &t[to..])
    })
}

pub fn when_it_is_dead(lab: &Lab) {
    unfenced_and_dead(lab);
    standby_behind(lab);
    new_leader_dead(lab);
}

/// Without a fence the words name what this Patroni is known to lose.
fn unfenced_and_dead(lab: &Lab) {
    let config = unfenced(lab);
    let (leader, _) = lab.settled();
    lab.damage("leader-kill");
    lab.refused(&config, &leader, &[], "two primaries may write");
    let output = lab.trigger(&config, &leader, &["--dry-run"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("no fence is configured; Patroni 3.0.2 lets a returning"), "{said}");
    lab.mend();
}

/// The synchronous standby is 6 MB behind in asynchronous writes: Patroni would elect nobody.
fn standby_behind(lab: &Lab) {
    let (leader, _) = lab.settled();
    let port = lab.port_of(&leader);
    let sql = |text: &str| lab.sql(port, text).unwrap_or_else(|e| panic!("{e}"));
    wait("a leader that takes writes", 20, || {
        lab.sql(port, "CREATE TABLE IF NOT EXISTS bulk (t text)").is_ok()
    });
    // One that watches must know how far the leader got.
    let controller = lab.serve_with(
        &lab.estate_with("watched", |t| t.replace("automation_level: full", "automation_level: manual")),
        &[],
    );
    std::thread::sleep(std::time::Duration::from_secs(2));
    lab.damage("replica-lag");
    sql(
        "SET synchronous_commit = local; INSERT INTO bulk SELECT repeat('x', 900) FROM generate_series(1, 8000)",
    );
    std::thread::sleep(std::time::Duration::from_millis(700));
    lab.damage("leader-kill");
    std::thread::sleep(std::time::Duration::from_millis(300));
    lab.refused(
        &lab.dir.path().join("watched.yaml").display().to_string(),
        &leader,
        &[],
        "Patroni will not elect it",
    );
    stop(controller);
    lab.mend();
}

/// The new leader dies right after its promotion: nobody may follow it, so the key stays.
fn new_leader_dead(lab: &Lab) {
    let (leader, standby) = lab.settled();
    let config =
        lab.estate_with("twice", |t| t.replace("automation_level: full", "automation_level: manual"));
    lab.damage("leader-kill");
    let arguments = [
        "bc",
        "disaster-recovery",
        "trigger",
        "--config",
        &config,
        "--arm",
        "--disaster-type",
        "region_outage",
        "--affected-regions",
    ];
    let mut first = lab.command(&arguments);
    first.args([&leader, "--severity", "critical", "--strategy", "immediate_failover", "--confirm", &leader]);
    let mut first = first
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{e}"));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(15);
    while lab.sql(lab.port_of(&standby), "SELECT pg_is_in_recovery()").as_deref() != Ok("f") {
        assert!(std::time::Instant::now() < deadline, "{standby} was not promoted");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    lab.damage("leader-kill");
    // It cannot finish: a person gives it up, through the controller that runs it, or it has closed itself by then; the second
    // failure is a new case.
    let give_up = ["bc", "recovery", "abort", "--config", &config, "--operation-id", "recovery-1"];
    let given_up = || {
        let output = lab.run(&give_up);
        output.status.success()
            || String::from_utf8_lossy(&output.stderr).contains("is over: closed: target lost")
    };
    wait("it to be given up", 12, given_up);
    let ended = first.wait().unwrap_or_else(|e| panic!("{e}"));
    assert!(!ended.success(), "an operation whose new primary died is not done");
    // The rest is behind: it did not follow to the new timeline, or if it did, it is not in /sync.
    lab.refused_for(&config, &standby, &[], &["names no living standby", "on timeline"]);
    lab.mend();
}

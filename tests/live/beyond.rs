//! Beyond what the cluster survives by itself.

use crate::lab::*;

/// Leader and synchronous standby both dead: refused, until a person types the loss; the loss that is told is a lower
/// bound of what is really lost.
pub fn leader_and_standby_dead(lab: &Lab) {
    let config =
        lab.estate_with("beyond", |t| t.replace("automation_level: full", "automation_level: manual"));
    let (leader, standby) = lab.settled();
    let last = REGIONS
        .into_iter()
        .find(|r| *r != leader && *r != standby)
        .unwrap_or_else(|| panic!("a third region"));
    let sql = |text: &str| lab.sql(lab.port_of(&leader), text).unwrap_or_else(|e| panic!("{e}"));
    // What the loss is told by: a controller that saw how far the leader got.
    let controller = lab.serve_with(&config, &[]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    wait("a leader that takes writes", 20, || {
        lab.sql(lab.port_of(&leader), "CREATE TABLE IF NOT EXISTS bulk (t text)").is_ok()
    });
    let receiver = receiver_of(lab, last);
    signal(receiver, libc::SIGSTOP);
    sql("INSERT INTO bulk SELECT repeat('y', 900) FROM generate_series(1, 5000)");
    std::thread::sleep(std::time::Duration::from_millis(700));
    lab.damage("sync-kill");
    let written = position(&sql("SELECT pg_current_wal_flush_lsn()"));
    lab.damage("leader-kill");
    signal(receiver, libc::SIGCONT);
    std::thread::sleep(std::time::Duration::from_millis(700));
    lab.refused(&config, &leader, &[], "to accept it, type: lose at least");
    let output = lab.trigger(&config, &leader, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let risk = said.split("type: ").nth(1).unwrap_or_default().trim().to_string();
    let output = lab.trigger(&config, &leader, &["--accept-risk", &risk]);
    assert!(output.status.success(), "{output:?}");
    wait("writes on what is left", 20, || {
        lab.sql(lab.port_of(last), "CREATE TABLE IF NOT EXISTS survived (n integer)").is_ok()
    });
    // Known once the promotion was seen, which may be after the first write.
    let told = || {
        let list = lab.ok(&["bc", "recovery", "list", "--config", &config, "--output", "json"]);
        let list: serde_json::Value = serde_json::from_str(&list).unwrap_or_else(|e| panic!("{e}"));
        list["operations"][0]["data_loss_at_least_bytes"].as_u64()
    };
    wait("the loss to be told", 20, || told().is_some());
    let told = told().unwrap_or_default();
    // Where the new timeline branched off, as PostgreSQL itself recorded it.
    let history = lab
        .sql(lab.port_of(last), "SELECT pg_read_file('pg_wal/' || name) FROM pg_ls_waldir() WHERE name LIKE '%.history' ORDER BY name DESC LIMIT 1");
    let history = history.unwrap_or_else(|e| panic!("{e}"));
    let branched = position(
        history
            .lines()
            .last()
            .and_then(|l| l.split_whitespace().nth(1))
            .unwrap_or_else(|| panic!("{history}")),
    );
    let lost = written.saturating_sub(branched);
    assert!(told > 0 && told <= lost, "told {told}, lost {lost}");
    stop(controller);
}

/// A position in the log as a number of bytes.
fn position(text: &str) -> u64 {
    let (high, low) = text.split_once('/').unwrap_or_else(|| panic!("{text}"));
    let part = |t: &str| u64::from_str_radix(t, 16).unwrap_or_else(|e| panic!("{text}: {e}"));
    (part(high) << 32) | part(low)
}

fn receiver_of(lab: &Lab, region: &str) -> i32 {
    let file = lab.dir.path().join("lab").join(region).join("data/postmaster.pid");
    let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{e}"));
    let output = std::process::Command::new("pgrep")
        .args(["-f", "-P", text.lines().next().unwrap_or_default(), "walreceiver"])
        .output();
    let said = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    said.trim().parse().unwrap_or_else(|e| panic!("{said}: {e}"))
}

fn signal(pid: i32, signal: i32) {
    // SAFETY: a signal to a server of the test's own lab.
    unsafe { libc::kill(pid, signal) };
}

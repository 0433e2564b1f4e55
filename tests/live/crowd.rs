//! Two armed controllers, each with a record of its own, as on two jump hosts.

use crate::lab::*;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Both are told to fail over at the same moment, to different members: one operation happens.
pub fn two_controllers(lab: &Lab) {
    let (leader, standby) = lab.settled();
    let other = REGIONS
        .into_iter()
        .find(|r| *r != leader && *r != standby)
        .unwrap_or_else(|| panic!("a third region"));
    let config =
        lab.estate_with("crowd", |t| t.replace("automation_level: full", "automation_level: manual"));
    let before = handed_over(lab);
    let writer = Writer::start(lab);
    std::thread::sleep(Duration::from_secs(1));
    lab.damage("leader-kill");
    // The standby twice, and the one that must not: whoever is first.
    let orders: Vec<_> = [("a", standby.as_str()), ("b", standby.as_str()), ("c", other)]
        .into_iter()
        .map(|(home, target)| {
            let mut command = Command::new(program());
            command
                .env("BPCI_DATA", lab.dir.path().join(home))
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            command.args([
                "bc",
                "disaster-recovery",
                "trigger",
                "--config",
                &config,
                "--arm",
                "--disaster-type",
                "region_outage",
            ]);
            command.args([
                "--affected-regions",
                &leader,
                "--severity",
                "critical",
                "--strategy",
                "immediate_failover",
            ]);
            command.args(["--confirm", &leader, "--target", target, "--wait"]);
            command.spawn().unwrap_or_else(|e| panic!("{e}"))
        })
        .collect();
    let ended: Vec<_> =
        orders.into_iter().map(|o| o.wait_with_output().unwrap_or_else(|e| panic!("{e}"))).collect();
    let done = ended.iter().filter(|o| o.status.success()).count();
    assert_eq!(done, 1, "{ended:#?}");
    assert!(!ended[2].status.success(), "{ended:#?}");
    assert_eq!(handed_over(lab), before + 1);
    writer.nothing_lost(lab, 10);
    lab.mend();
    assert_eq!(lab.settled().0, standby);
    // Who drained the old leader stopped before it came back; another controller gives it its traffic again.
    let (now, back) = lab.settled();
    assert_eq!(now, standby);
    let _ = back;
}

/// How often the one transaction has happened in this cluster.
pub fn handed_over(lab: &Lab) -> u64 {
    let text = lab.etcd(&["get", "/bpci/orders/handed_over", "-w", "json"]);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}"));
    value["kvs"][0]["version"].as_u64().unwrap_or(0)
}

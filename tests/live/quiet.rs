//! What looks like a disaster and is none, or is the cluster's own to mend: no automatic action.

use crate::lab::*;
use std::process::Command;
use std::time::Duration;

pub fn no_action(lab: &Lab) {
    lab.settled();
    let before = lab.operations();
    let controller = lab.serve(&[]);
    std::thread::sleep(Duration::from_secs(3));
    let key = lab.leader_key();
    stuns(lab, how_many());
    assert_eq!(lab.operations(), before, "a stun");
    assert_eq!(lab.leader_key(), key, "a stun");
    restart(lab);
    assert_eq!(lab.operations(), before, "patronictl restart");
    lab.damage("postgres-kill");
    std::thread::sleep(Duration::from_secs(6));
    lab.mend();
    lab.settled();
    assert_eq!(lab.operations(), before, "only the database");
    lab.damage("patroni-kill");
    // Past the lease, so that the cluster has decided by itself.
    std::thread::sleep(Duration::from_secs(24));
    assert_eq!(lab.operations(), before, "only the agent");
    lab.mend();
    lab.settled();
    assert_eq!(lab.operations(), before, "after it");
    stop(controller);
}

/// A few, unless more are asked for.
fn how_many() -> u64 {
    std::env::var("BPCI_STUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(8)
}

/// The leader stands still for 0.2 to 2 s, over and over.
fn stuns(lab: &Lab, times: u64) {
    for n in 0..times {
        if n % 20 == 19 {
            println!("{} stuns", n + 1);
        }
        lab.damage("leader-freeze");
        std::thread::sleep(Duration::from_millis(200 + n * 1_800 / times.max(2).saturating_sub(1)));
        lab.mend();
        std::thread::sleep(Duration::from_millis(400));
    }
}

fn restart(lab: &Lab) {
    let (leader, _) = lab.settled();
    let config = lab.dir.path().join("lab").join(&leader).join("patroni.yml");
    let output = Command::new("patronictl")
        .arg("-c")
        .arg(config)
        .args(["restart", "orders", &leader, "--force"])
        .output();
    let output = output.unwrap_or_else(|e| panic!("patronictl: {e}"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Success"), "{output:?}");
    std::thread::sleep(Duration::from_secs(3));
}

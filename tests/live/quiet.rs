//! What looks like a disaster and is none, or is the cluster's own to mend: no automatic action.

use crate::lab::*;
use std::process::Command;
use std::time::Duration;

pub fn no_action(lab: &Lab) {
    lab.settled();
    let before = lab.operations();
    let controller = lab.serve(&[]);
    std::thread::sleep(Duration::from_secs(3));
    stuns(lab, 8);
    assert_eq!(lab.operations(), before, "a stun");
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

/// The leader stands still for 0.2 to 2 s, over and over.
fn stuns(lab: &Lab, times: u64) {
    for n in 0..times {
        lab.damage("leader-freeze");
        std::thread::sleep(Duration::from_millis(200 + n * 1_800 / (times - 1)));
        lab.mend();
        std::thread::sleep(Duration::from_millis(400));
    }
}

fn restart(lab: &Lab) {
    let (leader, _) = lab.settled();
    let config = lab.dir.path().join("lab").join(&leader).join("patroni.yml");
    let output = Command::new("patronictl").arg("-c").arg(config).args(["restart", "orders", &leader, "--force"]).output();
    let output = output.unwrap_or_else(|e| panic!("patronictl: {e}"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Success"), "{output:?}");
    std::thread::sleep(Duration::from_secs(3));
}

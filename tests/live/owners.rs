//! The owner of a claim is killed, frozen, or cut off from etcd in the middle of its operation: another controller takes over, and
//! what comes back sends nothing.

use crate::crowd::handed_over;
use crate::lab::*;
use crate::link::{Link, signal};
use std::process::Command;
use std::time::{Duration, Instant};

/// The lease of an owner key, the patience that the operation asks for (its fence's 5 s and 5 more), a second for an answer, and
/// what a takeover may take beside.
const WITHIN: Duration = Duration::from_secs(15 + 10 + 1 + 5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Killed,
    Frozen,
    CutOff,
}

pub fn each_fate(lab: &Lab) {
    // Longer than a takeover takes: else the cluster elects somebody by itself first.
    ttl(lab, 90);
    for fate in [Fate::Killed, Fate::Frozen, Fate::CutOff] {
        taken_over(lab, fate);
    }
    ttl(lab, 20);
}

/// Sets how long the leader's lock lasts when nobody renews it.
pub fn ttl(lab: &Lab, seconds: u32) {
    let (leader, _) = lab.settled();
    let region = REGIONS.iter().position(|r| *r == leader).unwrap_or_default();
    let api = format!("http://127.0.0.1{}:{}/config", region + 1, usize::from(lab.port) + 10 + region);
    let done = Command::new("curl")
        .args(["-sf", "-X", "PATCH", "-d", &format!("{{\"ttl\": {seconds}}}"), &api])
        .output();
    assert!(done.as_ref().is_ok_and(|o| o.status.success()), "{done:?}");
    std::thread::sleep(Duration::from_secs(3));
}

fn taken_over(lab: &Lab, fate: Fate) {
    let (leader, _) = lab.settled();
    let struck = lab.dir.path().join(format!("struck-{fate:?}"));
    let strikes = || std::fs::read_to_string(&struck).unwrap_or_default().lines().count();
    // Two records, as on two machines; a fence that takes a while, and is counted.
    let slow = |text: &str| {
        let count = format!(
            "exec: [sh, -c, \"echo $0 >> {}; sleep 2; exec \\\"$@\\\"\", \"{{member}}\", ",
            struck.display()
        );
        text.replacen("exec: [", &count, 1)
    };
    let link = Link::to(("127.0.0.1", lab.port));
    let through = format!("http://127.0.0.1:{}", link.port);
    let direct = format!("http://127.0.0.1:{}", lab.port);
    let first =
        lab.estate_with(&format!("first-{fate:?}").to_lowercase(), |t| slow(t).replace(&direct, &through));
    let second = lab.estate_with(&format!("second-{fate:?}").to_lowercase(), slow);
    let (hands, generation) = (handed_over(lab), generation(lab));
    let owner = lab.serve_with(&first, &[]);
    std::thread::sleep(Duration::from_secs(4));
    lab.damage("leader-kill");
    wait("the owner to fence", 20, || strikes() == 1);
    let began = Instant::now();
    match fate {
        Fate::Killed => signal(owner.id(), libc::SIGKILL),
        Fate::Frozen => signal(owner.id(), libc::SIGSTOP),
        Fate::CutOff => link.cut(true),
    }
    let other = lab.serve_with(&second, &[]);
    let tell = || lab.etcd(&["get", "--prefix", "/bpci/"]);
    wait_telling(
        &format!("{fate:?}: another controller to take over"),
        60,
        || self::generation(lab) > generation + 1,
        tell,
    );
    let took = began.elapsed();
    assert!(took <= WITHIN, "{fate:?}: it took {took:?}");
    assert!(
        took >= Duration::from_secs(15),
        "{fate:?}: taken over before the lease could end, after {took:?}"
    );
    let list = |config: &str| lab.ok(&["bc", "recovery", "list", "--config", config, "--output", "json"]);
    wait_telling(
        "a recovery",
        40,
        || list(&second).replace(' ', "").contains("\"status\":\"recovered\""),
        || list(&second),
    );
    println!("{fate:?}: taken over {:.1} s after it", took.as_secs_f64());

    let (key, struck_by_then) = (lab.leader_key(), strikes());
    match fate {
        Fate::Killed => {}
        Fate::Frozen => signal(owner.id(), libc::SIGCONT),
        Fate::CutOff => link.cut(false),
    }
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(
        (lab.leader_key(), strikes(), handed_over(lab)),
        (key, struck_by_then, hands + 1),
        "{fate:?}: the former owner acted"
    );
    if fate != Fate::Killed {
        let text = list(&first);
        assert!(!text.replace(' ', "").contains("\"status\":\"recovered\""), "{fate:?}: {text}");
    }
    stop(owner);
    lab.mend();
    wait("the old leader's traffic", 60, || list(&second).replace(' ', "").contains("\"remains\":0"));
    stop(other);
    assert_ne!(lab.settled().0, leader);
}

/// The generation in the operation key.
pub fn generation(lab: &Lab) -> u64 {
    let text = lab.etcd(&["get", "/bpci/orders/operation", "--print-value-only"]);
    serde_json::from_str::<serde_json::Value>(text.trim())
        .ok()
        .and_then(|v| v["generation"].as_u64())
        .unwrap_or(0)
}

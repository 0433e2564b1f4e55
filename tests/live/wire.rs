//! Links that are cut and slowed, on a lab whose regions are network namespaces.

use crate::lab::*;
use std::process::Command;
use std::time::Duration;

/// Whether this machine lets us make namespaces and devices; it is said aloud where it does not.
pub fn possible() -> bool {
    let name = format!("bpci-try-{}", std::process::id());
    let ip = |words: &[&str]| Command::new("ip").args(words).output().is_ok_and(|o| o.status.success());
    let made =
        ip(&["netns", "add", &name]) && ip(&["-n", &name, "tuntap", "add", "dev", "try", "mode", "tun"]);
    ip(&["netns", "del", &name]);
    made
}

/// Each cut alone, and links that are slow and lose packets: nothing is wrong enough for automation to act.
pub fn each_cut_alone(lab: &Lab) {
    let (leader, _) = lab.settled();
    let controller = lab.serve(&[]);
    let before = lab.operations();
    let others: Vec<&str> = REGIONS.into_iter().filter(|r| *r != leader).collect();
    let standbys: Vec<String> = others.iter().map(|r| format!("leader:{r}")).collect();
    for (what, links, more) in [
        ("link-cut", vec!["us:leader".to_string()], vec![]),
        ("link-cut", vec!["leader:store".to_string()], vec![]),
        ("link-cut", standbys, vec![]),
        (
            "link-latency",
            vec!["*:*".to_string()],
            vec!["--delay", "150ms", "--jitter", "50ms", "--loss", "1%"],
        ),
    ] {
        let path = lab.path();
        let mut arguments = vec!["lab", "break", what, "--dir", &path];
        arguments.extend(links.iter().flat_map(|l| ["--link", l]));
        arguments.extend(more);
        println!("{}", lab.ok(&arguments).trim());
        std::thread::sleep(Duration::from_secs(10));
        let status = lab.status();
        assert_eq!(
            status["operations"].as_array().map_or(0, Vec::len),
            before,
            "automation acted: {status:#}"
        );
        if what == "link-latency" {
            assert_eq!(status["active_disasters"], 0, "slow is not dead: {status:#}");
        }
        lab.mend();
        lab.settled();
    }
    stop(controller);
}

/// The leader's region is cut off from everything: the fenced failover loses nothing that was acknowledged.
pub fn cut_off(lab: &Lab, times: usize) {
    for n in 0..times {
        let (leader, standby) = lab.settled();
        let before = lab.operations();
        let writer = Writer::start(lab);
        let controller = lab.serve(&[]);
        std::thread::sleep(Duration::from_secs(3));
        lab.ok(&["lab", "break", "region-partition", "--dir", &lab.path()]);
        let over = || lab.operations() > before && lab.ended().is_some();
        wait_telling("the automatic failover", 60, over, || format!("{:#}", lab.status()));
        assert_eq!(lab.ended().as_deref(), Some("recovered"), "cut {n}: {:#}", lab.status());
        assert_eq!(lab.status()["protection_groups"][0]["primary"], standby, "cut {n}: from {leader}");
        std::thread::sleep(Duration::from_millis(500));
        stop(controller);
        writer.nothing_lost(lab, 10);
        println!("cut {n}: {leader} → {standby}, nothing lost");
        lab.mend();
    }
}

/// The experiment that we ship: the region of the primary is cut off, the controller recovers, the links are mended.
pub fn experiment(lab: &Lab) {
    lab.settled();
    let controller = lab.serve(&[]);
    std::thread::sleep(Duration::from_secs(3));
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/experiments/region-partition.yaml");
    let journal = lab.dir.path().join("chaos.json").display().to_string();
    let mut command = lab.command(&["chaos", "run", "--experiment", file, "--journal-path", &journal]);
    let output = command.env("BPCI_LAB", lab.path()).output().unwrap_or_else(|e| panic!("{e}"));
    assert!(output.status.success(), "{output:?}\n{:#}", lab.status());
    let text = std::fs::read_to_string(&journal).unwrap_or_else(|e| panic!("{e}"));
    let journal: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}"));
    let told = journal["run"][1]["output"]["stdout"].as_str().unwrap_or_default();
    assert!(told.contains("\"recovered\""), "{told}");
    assert_eq!((&journal["deviated"], &journal["bpci"]["steady_again"]), (&false.into(), &true.into()));
    stop(controller);
    lab.settled();
}

/// Two of three members of etcd were in the lost region: nobody can take the lock, and nothing is begun.
pub fn quorum_lost(port: u16) {
    let lab = Lab::up_with(port, &["--netns", "--etcd", "us-east-1,us-east-1,eu-west-1"]);
    // The first node leads, and no standby is fit: that is told while all is well.
    let leader = "us-east-1";
    let told = lab.status().to_string();
    assert!(told.contains("etcd keeps 1 of 3 without us-east-1"), "{told}");
    lab.ok(&["lab", "break", "region-partition", "--dir", &lab.path()]);
    std::thread::sleep(Duration::from_secs(5));
    let output = lab.trigger(&lab.config(), leader, &[]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("etcd"), "{said}");
    lab.mend();
}

/// The candidate dies between the fence and the transaction: nothing is handed over, and undoing the fence is offered.
pub fn candidate_dies(lab: &Lab) {
    let (leader, standby) = lab.settled();
    let config = lab.estate_with("candidate", |text| {
        let program = program().display().to_string();
        let shot = format!("exec: [sh, -c, \"{program} lab fence --dir {0} {{member}} && {program} lab fence --dir {0} {standby}\"]", lab.path());
        let from = text.find("exec: [").unwrap_or_default();
        let to = text[from..].find("]\n").unwrap_or_default() + from + 1;
        format!("{}{shot}{}", &text[..from], &text[to..]).replace("automation_level: full", "automation_level: manual")
    });
    lab.damage("leader-kill");
    std::thread::sleep(Duration::from_secs(2));
    let output = lab.trigger(&config, &leader, &[]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && said.contains("undoes the fence"), "{said}");
    lab.mend();
}

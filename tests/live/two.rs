//! Two labs at once: no command for one reaches the other.

use crate::fields::{are_as_reviewed, document};
use crate::lab::*;
use crate::owners::ttl;

/// Both are served on this machine, armed, by one account with one data directory.
pub fn two_labs(one: &Lab, other: &Lab) {
    let (here, there) = (one.settled().0, other.settled().0);
    assert_ne!(one.name(), other.name());
    let (controller, beside) = (one.serve(&[]), one.serve_with(&other.config(), &[]));
    let keys = || (one.leader_key(), other.leader_key());

    // The file of the other lab under the name of this one: it is refused, and neither cluster is touched.
    let before = keys();
    let disguised = one.dir.path().join("disguised.yaml").display().to_string();
    let text = std::fs::read_to_string(other.estate()).unwrap_or_else(|e| panic!("{e}"));
    std::fs::write(
        &disguised,
        text.replace(&format!("name: {}\n", other.name()), &format!("name: {}\n", one.name())),
    )
    .unwrap_or_else(|e| panic!("{e}"));
    for command in ["switchover", "failback"] {
        let output =
            one.run(&["bc", command, "--config", &disguised, "--arm", "--confirm", &there, "--wait"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.contains("orders-db members in") && said.contains("orders-db etcd: this file"),
            "{said}"
        );
    }
    let output = one.trigger(&disguised, &there, &["--manual-override"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(keys(), before);

    // The file of the other lab as it is: its own cluster moves, and this one does not.
    let output = one.run(&["bc", "switchover", "--config", &other.config(), "--confirm", &there, "--wait"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let after = keys();
    assert!(after.0 == before.0 && after.1 != before.1, "{before:?} {after:?}");
    assert_eq!(one.settled().0, here);
    stop(controller);
    stop(beside);
}

/// Both clusters in one estate, their leaders dead at once: every command that asks the controller prints one document, with the
/// fields that were reviewed, before, during and after.
pub fn both_in_one_estate(one: &Lab, other: &Lab) {
    let leaders = (one.settled().0, other.settled().0);
    assert_eq!(leaders.0, leaders.1, "one region holds both");
    let lost = leaders.0.as_str();
    let theirs = std::fs::read_to_string(other.estate()).unwrap_or_else(|e| panic!("{e}"));
    let theirs = theirs
        .split_once("\nservices:\n")
        .unwrap_or_else(|| panic!("{theirs}"))
        .1
        .replace("  orders-db:\n", "  carts-db:\n");
    // Longer than the questions take: else the clusters elect somebody by themselves first.
    [one, other].into_iter().for_each(|lab| ttl(lab, 90));
    let by_order = |text: &str| text.replace("automated_response: true", "automated_response: false");
    let file = one.estate_with("shop", |text| format!("{}{theirs}", by_order(text)));
    let file = file.as_str();
    let controller = one.serve_with(file, &[]);
    let ask = |arguments: &[&str]| {
        let arguments = [arguments, &["--config", file, "--output", "json"]].concat();
        document(&arguments.join(" "), &one.run(&arguments))
    };
    let status = || ask(&["bc", "status", "--detailed", "--include-metrics"]);
    wait("both databases to be seen", 30, || {
        status()["protection_groups"].as_array().is_some_and(|g| {
            g.len() == 2
                && g.iter()
                    .all(|g| g["members"].as_array().is_some_and(|m| m.iter().any(|m| m["leads"] == true)))
        })
    });
    let calm = status();

    one.damage("leader-kill");
    other.damage("leader-kill");
    wait_telling(
        "both to be in a disaster",
        20,
        || in_a_disaster(&status()) == 2,
        || format!("{:#}", status()),
    );
    let outage = [
        "bc",
        "disaster-recovery",
        "trigger",
        "--disaster-type",
        "region_outage",
        "--affected-regions",
        lost,
    ];
    let outage = [&outage[..], &["--severity", "critical", "--strategy", "immediate_failover"]].concat();
    let incident = status();
    let validated = ask(&["bc", "validate"]);
    let letter =
        document("config check --live", &one.run(&["config", "check", file, "--live", "--output", "json"]));
    let would = ask(&[&outage[..], &["--dry-run"]].concat());
    let handed = ask(&["bc", "switchover", "--service", "carts-db", "--dry-run"]);
    let listed = ask(&["bc", "recovery", "list"]);
    let forecast = ask(&["forecast", "--futures", "20"]);
    let done = ask(&[&outage[..], &["--confirm", lost, "--wait"]].concat());
    let both = done["operations"].as_array().map_or(0, Vec::len);
    assert!(both == 2 && done["error"].is_null(), "{done:#}");
    let after = status();
    let monitored = ask(&["bc", "recovery", "monitor"]);
    let over = ask(&["bc", "recovery", "list"]);
    one.mend();
    other.mend();
    let nothing_remains =
        || status()["operations"].as_array().is_some_and(|all| all.iter().all(|o| o["remains"] == 0));
    wait_telling("the old leaders to come back", 60, nothing_remains, || format!("{:#}", status()));
    let disarmed = ask(&["bc", "disarm"]);
    stop(controller);
    [one, other].into_iter().for_each(|lab| ttl(lab, 20));
    are_as_reviewed(&[
        ("bc status --detailed --include-metrics", vec![calm, incident, after]),
        ("bc validate", vec![validated]),
        ("config check --live", vec![letter]),
        ("bc disaster-recovery trigger --dry-run", vec![would]),
        ("bc switchover --dry-run", vec![handed]),
        ("bc recovery list", vec![listed, over]),
        ("bc recovery monitor", vec![monitored]),
        ("forecast", vec![forecast]),
        ("bc disaster-recovery trigger --wait", vec![done]),
        ("bc disarm", vec![disarmed]),
        ("journal show", vec![ask(&["journal", "show"])]),
        ("journal export", vec![ask(&["journal", "export"])]),
        ("journal key", vec![ask(&["journal", "key"])]),
        ("journal verify", vec![ask(&["journal", "verify"])]),
        ("forecast calibration", vec![ask(&["forecast", "calibration"])]),
    ]);
}

/// How many databases are in a disaster.
fn in_a_disaster(status: &serde_json::Value) -> usize {
    let of = |what: &str| status[what].as_array().cloned().unwrap_or_default();
    let struck = of("disasters");
    let names: Vec<_> =
        struck.iter().flat_map(|d| d["affected_systems"].as_array().cloned().unwrap_or_default()).collect();
    of("protection_groups").iter().filter(|g| names.contains(&g["name"])).count()
}

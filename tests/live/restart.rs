//! The controller is killed or ended, and starts again with another file: what was to be undone is undone.

use crate::crowd::handed_over;
use crate::lab::*;

/// Restarts with a service and a region added (during an operation), with the service renamed, and with it removed.
pub fn with_changed_files(lab: &Lab) {
    added_meanwhile(lab);
    renamed(lab);
    removed(lab);
}

/// Another text of the estate's file under the estate's own name.
fn file_with(lab: &Lab, name: &str, change: impl Fn(&str) -> String) -> String {
    let text = std::fs::read_to_string(lab.estate()).unwrap_or_else(|e| panic!("{e}"));
    let changed = change(&text);
    assert_ne!(changed, text);
    let path = lab.dir.path().join(format!("{name}.yaml")).display().to_string();
    std::fs::write(&path, changed).unwrap_or_else(|e| panic!("{e}"));
    path
}

/// A service and a region that the file does not have, each named before the others.
fn with_more(text: &str) -> String {
    let region = "  regions:\n    region-0: { region_id: af-south-1, capacity_percentage: 100, failover_priority: 4 }\n";
    text.replace("  regions:\n", region).replace("services:\n", "services:\n  aaa-web:\n    tier: 2\n")
}

/// A person hands the primary over, and it comes out.
fn switched_over(lab: &Lab, config: &str, now: &str, to: &str) {
    let order = ["bc", "switchover", "--config", config, "--arm", "--target", to, "--confirm", now, "--wait"];
    let output = lab.run(&order);
    assert!(output.status.success(), "{output:?}");
}

fn operations(lab: &Lab, config: &str) -> Vec<serde_json::Value> {
    let text = lab.ok(&["bc", "recovery", "list", "--config", config, "--output", "json"]);
    let list: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    list["operations"].as_array().cloned().unwrap_or_else(|| panic!("{text}"))
}

/// The newest operation: its id, its status, and how much of it is left to be undone.
fn newest(lab: &Lab, config: &str) -> (String, String, u64) {
    let list = operations(lab, config);
    let last = list.last().unwrap_or_else(|| panic!("no operation"));
    let text = |field: &str| last[field].as_str().unwrap_or_else(|| panic!("{field} in {last}")).to_string();
    (
        text("recovery_operation_id"),
        text("status"),
        last["remains"].as_u64().unwrap_or_else(|| panic!("{last}")),
    )
}

fn recovers(lab: &Lab, config: &str) -> String {
    let tell = || format!("{:#?}", operations(lab, config));
    wait_telling(
        "a recovery",
        60,
        || operations(lab, config).last().is_some_and(|o| o["status"] == "recovered"),
        tell,
    );
    newest(lab, config).0
}

fn nothing_remains(lab: &Lab, config: &str, id: &str) {
    let tell = || {
        format!(
            "{:#?}\n{}",
            operations(lab, config),
            lab.ok(&["bc", "status", "--config", config, "--detailed"])
        )
    };
    wait_telling(
        "nothing to be left",
        90,
        || newest(lab, config) == (id.to_string(), "recovered".to_string(), 0),
        tell,
    );
}

/// Automation fails over, and the controller ends once users are served. The old primary is still fenced and drained.
fn recovered_and_ended(lab: &Lab, config: &str) -> (String, String) {
    let (leader, _) = lab.settled();
    let controller = lab.serve_with(config, &[]);
    let before = operations(lab, config).len();
    std::thread::sleep(std::time::Duration::from_secs(4));
    lab.damage("leader-kill");
    wait("an operation", 30, || operations(lab, config).len() > before);
    let id = recovers(lab, config);
    stop(controller);
    (leader, id)
}

/// The fence runs when the controller is killed; the one that follows knows a region and a service more.
fn added_meanwhile(lab: &Lab) {
    let (leader, _) = lab.settled();
    let struck = lab.dir.path().join("struck-restart");
    let slow = |t: &str| {
        let count = format!(
            "exec: [sh, -c, \"echo $0 >> {}; sleep 2; exec \\\"$@\\\"\", \"{{member}}\", ",
            struck.display()
        );
        t.replacen("exec: [", &count, 1)
    };
    let strikes = || std::fs::read_to_string(&struck).unwrap_or_default().lines().count();
    let first = file_with(lab, "slow-fence", slow);
    let second = file_with(lab, "slow-fence-and-more", |t| with_more(&slow(t)));
    let hands = handed_over(lab);
    let controller = lab.serve_with(&first, &[]);
    std::thread::sleep(std::time::Duration::from_secs(4));
    lab.damage("leader-kill");
    wait("the fence", 30, || strikes() == 1);
    drop(controller);
    let controller = lab.serve_with(&second, &[]);
    let id = recovers(lab, &second);
    assert_eq!((strikes(), handed_over(lab)), (1, hands + 1), "fenced once, handed over once");
    lab.mend();
    nothing_remains(lab, &second, &id);
    stop(controller);
    assert_ne!(lab.settled().0, leader);
}

/// What is left of an operation is undone under the service's new name.
fn renamed(lab: &Lab) {
    let config = lab.config();
    let (leader, id) = recovered_and_ended(lab, &config);
    let renamed =
        file_with(lab, "renamed", |t| t.replace("  orders-db:\n", "  ledger:\n    was: orders-db\n"));
    let controller = lab.serve_with(&renamed, &[]);
    assert_eq!(newest(lab, &renamed).0, id, "it is the same operation");
    lab.mend();
    nothing_remains(lab, &renamed, &id);
    stop(controller);
    assert_ne!(lab.settled_as(&renamed).0, leader);
    // The record goes on under the new name; the old file follows with the old one.
    let back =
        file_with(lab, "renamed-back", |t| t.replace("  orders-db:\n", "  orders-db:\n    was: ledger\n"));
    stop(lab.serve_with(&back, &[]));
    assert_eq!(newest(lab, &back).0, id);
}

/// What is left of an operation of a service that the file no longer has is undone with the file's words of then. (Another database
/// stays in the file: a record that has none in common with the file is refused.)
fn removed(lab: &Lab) {
    let other = format!(
        "  ghost-db:\n    tier: 3\n    patroni: {{ scope: ghost, members: {{ eu-west-1: \"http://127.0.0.1:1\" }}, etcd: [\"http://127.0.0.1:{}\"] }}\n",
        lab.port
    );
    let both = file_with(lab, "both", |t| format!("{t}{other}"));
    let (leader, id) = recovered_and_ended(lab, &both);
    let without = file_with(lab, "removed", |t| {
        format!("{}{other}", &t[..t.find("  orders-db:\n").unwrap_or(t.len())])
    });
    let refused = file_with(lab, "nothing-in-common", |t| {
        format!("{}services:\n  web:\n    tier: 2\n", &t[..t.find("services:\n").unwrap_or(t.len())])
    });
    assert!(!lab.run(&["bc", "status", "--config", &refused]).status.success());
    let controller = lab.serve_with(&without, &[]);
    assert_eq!(newest(lab, &without).0, id, "it is the same operation");
    // No new operation of what has departed.
    let key = lab.leader_key();
    let output = lab.run(&[
        "bc",
        "switchover",
        "--config",
        &without,
        "--service",
        "orders-db",
        "--confirm",
        &leader,
        "--wait",
    ]);
    assert!(!output.status.success() && lab.leader_key() == key, "{output:?}");
    lab.mend();
    nothing_remains(lab, &without, &id);
    stop(controller);
    assert_ne!(lab.settled().0, leader);
}

/// The store is put back to an older copy: the next claim's generation is above any before all the same.
pub fn restored_store(lab: &Lab) {
    let config = &lab.config();
    let (leader, _) = lab.settled();
    let copy = lab.dir.path().join("store.copy").display().to_string();
    lab.etcd(&["snapshot", "save", &copy]);
    let saved = crate::owners::generation(lab);
    // Round, until the same one leads.
    let mut moves = 0;
    loop {
        let (now, to) = lab.settled();
        if moves > 1 && now == leader {
            break;
        }
        moves += 1;
        assert!(moves < 8, "{leader} does not lead again");
        switched_over(lab, config, &now, &to);
    }
    let newest = crate::owners::generation(lab);
    assert!(newest >= saved + moves, "{saved} {newest}");

    lab.damage("etcd-stop");
    let data = format!("{}/etcd.data", lab.path());
    std::fs::remove_dir_all(&data).unwrap_or_else(|e| panic!("{data}: {e}"));
    let peer = format!("http://127.0.0.1:{}", lab.port + 1);
    let cluster = format!("etcd={peer}");
    let restore = ["snapshot", "restore", &copy, "--name", "etcd", "--data-dir", &data];
    let whose = ["--initial-cluster", &cluster, "--initial-advertise-peer-urls", &peer];
    let output = std::process::Command::new("etcdctl")
        .args(restore)
        .args(whose)
        .env("ETCDCTL_API", "3")
        .output()
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lab.owned(&data);
    lab.mend();
    assert_eq!(crate::owners::generation(lab), saved, "the store did not go back");

    let (now, to) = lab.settled();
    switched_over(lab, config, &now, &to);
    assert!(crate::owners::generation(lab) > newest, "{} after {newest}", crate::owners::generation(lab));
    println!(
        "generation: {saved} in the copy, {newest} at the restore, {} after it",
        crate::owners::generation(lab)
    );
}

/// The cluster is built anew under the old record: it is another one, and nothing is ordered of it before somebody says so.
pub fn rebuilt(lab: &Lab) {
    let config = &lab.config();
    lab.settled();
    lab.ok(&["lab", "down", "--dir", &lab.path()]);
    lab.ok(&["lab", "up", "--dir", &lab.path(), "--base-port", &lab.port.to_string()]);
    let check = lab.run(&["bc", "status", "--config", config, "--check"]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(check.status.code() == Some(1) && said.contains("IDENTITY CHANGED"), "{said}");

    let key = lab.leader_key();
    let switch = |more: &[&str]| {
        lab.run(
            &[&["bc", "switchover", "--config", config, "--arm", "--confirm", "us-east-1", "--wait"], more]
                .concat(),
        )
    };
    let refused = switch(&[]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("adopt it first"), "{said}");
    let refused = lab.trigger(config, "us-east-1", &["--manual-override"]);
    assert!(!refused.status.success(), "{refused:?}");
    assert_eq!(lab.leader_key(), key, "nothing was touched");

    let adopt =
        |typed: &str| lab.run(&["estate", "adopt", "orders-db", "--config", config, "--confirm", typed]);
    assert!(!adopt("orders").status.success(), "another word");
    let adopted = adopt("orders-db");
    assert!(adopted.status.success(), "{adopted:?}");
    lab.settled();
    let moved = switch(&[]);
    assert!(moved.status.success() && lab.leader_key() != key, "{moved:?}");
}

//! Two labs at once: no command for one reaches the other.

use crate::lab::*;

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
    std::fs::write(&disguised, text.replace(&format!("name: {}\n", other.name()), &format!("name: {}\n", one.name())))
        .unwrap_or_else(|e| panic!("{e}"));
    for command in ["switchover", "failback"] {
        let output = one.run(&["bc", command, "--config", &disguised, "--arm", "--confirm", &there, "--wait"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("orders-db members in") && said.contains("orders-db etcd: this file"), "{said}");
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

//! The leader dies under load, and the controller acts by itself.

use crate::lab::*;

/// The leader dies under load: the controller acts by itself, nothing acknowledged is lost, everything comes back.
pub fn leader_killed(lab: &Lab) {
    let config = &lab.config();
    let (leader, _) = lab.settled();
    let writer = Writer::start(lab);
    let controller = lab.serve(&[("BPCI_TAPE_DIGEST", "1".to_string())]);
    std::thread::sleep(std::time::Duration::from_secs(4));
    lab.damage("leader-kill");
    wait("the operation to recover", 40, || lab.status()["operations"][0]["status"] == "recovered");
    std::thread::sleep(std::time::Duration::from_secs(1));
    writer.nothing_lost(lab, 50);
    assert_eq!(lab.status()["operations"][0]["by"], "automation");

    lab.mend();
    wait("the old leader to stream and to get its traffic back", 60, || {
        lab.status()["operations"][0]["remains"] == 0
    });
    let (now, _) = lab.settled();
    assert_ne!(now, leader);
    // Beside the running controller a command goes through it.
    let back = lab.settled().1;
    let output =
        lab.run(&["bc", "failback", "--config", config, "--target", &back, "--confirm", &now, "--wait"]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert_eq!(lab.settled().0, back);
    stop(controller);
    lab.ok(&["journal", "verify", &lab.home().display().to_string()]);
    seen_again(lab);
}

/// A replay of the record, with what was measured, shows at every moment what was published then: the picture is a pure
/// function of that.
fn seen_again(lab: &Lab) {
    let path = lab.home().join("journal.db");
    let mut replay = bpci::controller::Replay::open(&path).unwrap_or_else(|e| panic!("{e}"));
    let (mut same, mut recovering) = (0, 0);
    while let Some((snapshot, digest)) = replay.next_published().unwrap_or_else(|e| panic!("{e}")) {
        let Some(digest) = digest else { continue };
        assert_eq!(bpci::model::Digest::of_value(&snapshot), digest, "at {}", snapshot.now.utc);
        same += 1;
        recovering += usize::from(snapshot.operations.iter().any(|o| !o.is_over()));
    }
    assert!(same > 50 && recovering > 10, "{same} pictures, {recovering} of them during the recovery");
}

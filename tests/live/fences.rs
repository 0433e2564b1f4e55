//! A fence that fails or never ends, while the primary lives: users are back on it.

use crate::lab::*;

/// Somebody overrules the observers; the fence does not do its work.
pub fn that_do_not_work(lab: &Lab) {
    for (name, command) in [("fence-fails", "exit 3"), ("fence-hangs", "sleep 600")] {
        let (leader, _) = lab.settled();
        let config = lab.estate_with(name, |t| {
            let exec = t
                .lines()
                .find(|l| l.trim_start().starts_with("exec:"))
                .unwrap_or_else(|| panic!("{t}"))
                .to_string();
            let timeout = t
                .lines()
                .find(|l| l.trim_start().starts_with("timeout:"))
                .unwrap_or_else(|| panic!("{t}"))
                .to_string();
            t.replace(&exec, &format!("      exec: [sh, -c, \"{command}\"]"))
                .replace(&timeout, "      timeout: 2s")
        });
        let key = lab.leader_key();
        let began = std::time::Instant::now();
        let output = lab.trigger(&config, &leader, &["--manual-override", "--wait"]);
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success(), "{name}: {said}");
        assert_eq!(lab.leader_key(), key, "{name}: the lead was touched");
        let list = || lab.ok(&["bc", "recovery", "list", "--config", &config, "--output", "json"]);
        let over = || {
            let list: serde_json::Value = serde_json::from_str(&list()).unwrap_or_else(|e| panic!("{e}"));
            list["operations"][0]["status"] == "rolled_back" && list["operations"][0]["remains"] == 0
        };
        wait_telling(&format!("{name}: it to be undone"), 40, over, list);
        wait("writes through the entry", 10, || {
            lab.sql(lab.port + 30, "CREATE TABLE IF NOT EXISTS back (n integer)").is_ok()
        });
        println!("{name}: users are back after {:.1} s", began.elapsed().as_secs_f64());
        let hangs = std::process::Command::new("pgrep")
            .args(["-f", "^sleep 600"])
            .output()
            .unwrap_or_else(|e| panic!("{e}"));
        assert!(hangs.stdout.is_empty(), "the command still runs: {hangs:?}");
        let check = lab.run(&["bc", "status", "--config", &config, "--check"]);
        assert!(check.status.success(), "{name}: {}", String::from_utf8_lossy(&check.stdout));
    }
}

//! What readiness names on real servers: each lack made true by itself, and nothing else.

use crate::lab::*;
use bpci::model::{PlayedOnce, Utc};
use serde_json::Value;
use std::process::Command;

/// What does not hold for the loss of us-east-1, or is not known: point and words.
fn lacking(lab: &Lab, config: &str) -> Vec<(String, String)> {
    let asked = [
        "bc",
        "validate",
        "--config",
        config,
        "--region",
        "us-east-1",
        "--scenario",
        "region_outage",
        "--output",
        "json",
    ];
    let report: Value = serde_json::from_str(&lab.ok(&asked)).unwrap_or_else(|e| panic!("{e}"));
    let points = report["readiness"][0]["points"].as_array().unwrap_or_else(|| panic!("{report}"));
    let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
    points.iter().filter(|p| p["state"] != "holds").map(|p| (text(&p["name"]), text(&p["text"]))).collect()
}

/// True of this configuration, beside what a lab never has, a live load, and what can be foretold without what is missing.
fn lacks(lab: &Lab, config: &str, point: &str, words: &str) {
    let list: Vec<_> = lacking(lab, config)
        .into_iter()
        .filter(|(name, _)| name == point || !["capacity", "forecast", "survey"].contains(&name.as_str()))
        .collect();
    assert!(
        matches!(&list[..], [(name, text)] if name == point && text.contains(words)),
        "«{point}: {words}» was expected: {list:?}"
    );
}

/// A rehearsal that ended well so many days ago.
fn rehearsed(lab: &Lab, days: i64) {
    let at = Utc(chrono::Utc::now().timestamp_millis() - days * 86_400_000);
    let plans = bpci::config::shipped_plans().iter().map(bpci::model::Digest::of_value).collect();
    let played = PlayedOnce {
        at,
        scenario: "region_outage".to_string(),
        passed: true,
        recovery_time_ms: None,
        plans,
        exercise: None,
    };
    let line = serde_json::to_string(&played).unwrap_or_else(|e| panic!("{e}"));
    std::fs::write(lab.dir.path().join("data/drills.jsonl"), line + "\n").unwrap_or_else(|e| panic!("{e}"));
}

/// Gives a node's agent other tags, and waits until it says so.
fn tagged(lab: &Lab, region: &str, nofailover: bool) {
    let file = format!("{}/{region}/patroni.yml", lab.path());
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{e}"));
    let plain: String = text.lines().filter(|l| !l.starts_with("tags:")).map(|l| format!("{l}\n")).collect();
    let tags = if nofailover { "tags: { nofailover: true }\n" } else { "" };
    std::fs::write(&file, format!("{plain}{tags}")).unwrap_or_else(|e| panic!("{e}"));
    let api = |way: &str, path: &str| {
        let node = REGIONS.iter().position(|r| *r == region).unwrap_or_default();
        let address = format!("http://127.0.0.{}:{}{path}", 11 + node, lab.port + 10 + node as u16);
        let done =
            Command::new("curl").args(["-s", "-X", way, &address]).output().unwrap_or_else(|e| panic!("{e}"));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    api("POST", "/reload");
    wait("the agent's new tags", 20, || api("GET", "/patroni").contains("nofailover") == nofailover);
}

pub fn each_lack(lab: &Lab) {
    let config = &lab.config();
    lacks(lab, config, "drill", "was never rehearsed");
    rehearsed(lab, 100);
    lacks(lab, config, "drill", "overdue");
    rehearsed(lab, 1);
    assert!(lacking(lab, config).iter().all(|(name, _)| name == "capacity"), "{:?}", lacking(lab, config));

    let block = |t: &str| {
        let from = t.find("    fence:\n").unwrap_or_default();
        let to = t.find("    traffic:\n").unwrap_or_default();
        t[from..to].to_string()
    };
    let unfenced = lab.estate_with("unfenced-ready", |t| t.replace(&block(t), ""));
    let missing = lacking(lab, &unfenced);
    assert!(
        missing.iter().any(|(name, text)| name == "fence" && text.contains("no fence is configured")),
        "{missing:?}"
    );

    let small = lab.estate_with("small-ready", |t| {
        let of = |n: usize, capacity| format!("region_id: {}, capacity_percentage: {capacity}", REGIONS[n]);
        t.replace(&of(1, 100), &of(1, 50)).replace(&of(2, 100), &of(2, 50))
    });
    lacks(lab, &small, "capacity", "can carry 50%");

    let wrong = lab.dir.path().join("wrong.password");
    std::fs::write(&wrong, "not it\n").unwrap_or_else(|e| panic!("{e}"));
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&wrong, private).unwrap_or_else(|e| panic!("{e}"));
    let locked = lab.estate_with("locked-ready", |t| {
        t.replace(&format!("{}/bpci.password", lab.path()), &wrong.display().to_string())
    });
    lacks(lab, &locked, "credentials", "does not let bpci in");

    let needs = lab.estate_with("needs-ready", |t| {
        t.replace("    traffic:\n", "      depends_on: [us-east-1]\n    traffic:\n")
    });
    lacks(lab, &needs, "independence", "the step «fence» needs us-east-1 itself");

    for region in &REGIONS[1..] {
        tagged(lab, region, true);
    }
    let barred = lacking(lab, config);
    assert!(
        barred.iter().any(|(name, text)| name == "candidate" && text.contains("nofailover")),
        "{barred:?}"
    );
    for region in &REGIONS[1..] {
        tagged(lab, region, false);
    }
    lab.settled();
    // The cluster names its synchronous standby again in its own time.
    let well = || lacking(lab, config).iter().all(|(name, _)| name == "capacity");
    wait_telling("all to hold again", 60, well, || format!("{:?}", lacking(lab, config)));
}

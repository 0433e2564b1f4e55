//! The controller is killed at every point where something is about to be made durable or sent; a new one ends the
//! operation, and nothing is done twice.

use crate::crowd::handed_over;
use crate::lab::*;
use std::time::Duration;

/// More points than an operation has.
const BOUND: u32 = 80;

pub fn every_intent(lab: &Lab) {
    let counted = lab.dir.path().join("fences");
    let fenced = || std::fs::read_to_string(&counted).unwrap_or_default().lines().count();
    std::fs::write(&counted, "").unwrap_or_else(|e| panic!("{e}"));
    // The lab's own fence, counted. A frozen leader would come back: only the fence ends it.
    let config = lab.estate_with("walk", |t| {
        let count = format!("exec: [sh, -c, \"echo $0 >> {}; exec \\\"$@\\\"\", \"{{member}}\", ", counted.display());
        t.replacen("exec: [", &count, 1)
    });
    let first = std::env::var("BPCI_WALK_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    for point in first..BOUND {
        let (leader, _) = lab.settled();
        let (hands, fences, operations) = (handed_over(lab), fenced(), operations(lab, &config));
        let writer = Writer::start(lab);
        let first = lab.serve_with(&config, &[("BPCI_DIE_AT", point.to_string())]);
        std::thread::sleep(Duration::from_millis(2_800));
        lab.damage("leader-kill");
        let newest = |lab: &Lab| lab.run(&["bc", "recovery", "list", "--config", &config, "--output", "json"]);
        let recovered = |lab: &Lab| {
            let text = newest(lab).stdout;
            let list: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
            list["operations"].as_array().is_some_and(|l| l.len() > operations && l.last().is_some_and(|o| o["status"] == "recovered"))
        };
        let first = std::cell::RefCell::new(first);
        let second: std::cell::RefCell<Option<Server>> = std::cell::RefCell::new(None);
        // The next one takes over whenever the first has died.
        let kept_up = || {
            if second.borrow().is_none() && first.borrow_mut().try_wait().ok().flatten().is_some() {
                *second.borrow_mut() = Some(lab.serve_with(&config, &[]));
            }
        };
        let tell = || {
            let record = lab.dir.path().join("data/walk").display().to_string();
            let list = String::from_utf8_lossy(&newest(lab).stdout).into_owned();
            let story = String::from_utf8_lossy(&lab.run(&["journal", "show", &record]).stdout).into_owned();
            let lines: Vec<&str> = story.lines().collect();
            let complaints = std::fs::read_to_string(lab.serve_log()).unwrap_or_default();
            format!("{list}\n{complaints}\n{}", lines[lines.len().saturating_sub(80)..].join("\n"))
        };
        wait_telling(
            &format!("a recovery after a death at point {point}"),
            60,
            || {
                kept_up();
                recovered(lab)
            },
            tell,
        );
        // It may have died in the moment in which it was seen recovered.
        std::thread::sleep(Duration::from_millis(500));
        kept_up();
        assert_eq!(handed_over(lab), hands + 1, "point {point}: the transaction");
        assert_eq!(fenced(), fences + 1, "point {point}: the fence");
        writer.nothing_lost(lab, 5);
        lab.mend();
        let (now, _) = lab.settled();
        assert_ne!(now, leader, "point {point}");
        wait("the old leader to get its traffic back", 60, || {
            kept_up();
            let list: serde_json::Value = serde_json::from_slice(&newest(lab).stdout).unwrap_or_default();
            list["operations"].as_array().and_then(|l| l.last()).is_some_and(|o| o["remains"] == 0)
        });
        lab.ok(&["journal", "verify", &lab.dir.path().join("data/walk").display().to_string()]);
        kept_up();
        let second = second.into_inner();
        println!("point {point}: {}", if second.is_some() { "died, recovered" } else { "not reached" });
        match second {
            Some(second) => stop(second),
            None => {
                stop(first.into_inner());
                assert!(point > 20, "only {point} points: the walk is too short");
                return;
            }
        }
    }
    panic!("more than {BOUND} points");
}

fn operations(lab: &Lab, config: &str) -> usize {
    let text = lab.ok(&["bc", "recovery", "list", "--config", config, "--output", "json"]);
    serde_json::from_str::<serde_json::Value>(&text).ok().and_then(|l| l["operations"].as_array().map(Vec::len)).unwrap_or_default()
}

//! The controller dies where something is about to be made durable or sent; a new one ends the operation, and nothing is done twice.

use crate::crowd::handed_over;
use crate::lab::*;
use crate::link::{Link, When};
use base64::Engine;
use std::cell::RefCell;
use std::time::Duration;

/// The lab's own fence, counted. A frozen leader would come back: only the fence ends it.
struct Counted<'a> {
    lab: &'a Lab,
    strikes: std::path::PathBuf,
    config: String,
}

impl Counted<'_> {
    fn of<'a>(lab: &'a Lab, name: &str, change: impl Fn(&str) -> String) -> Counted<'a> {
        let strikes = lab.dir.path().join(format!("strikes-{name}"));
        std::fs::write(&strikes, "").unwrap_or_else(|e| panic!("{e}"));
        let config = lab.estate_with(name, |text| {
            let count = format!(
                "exec: [sh, -c, \"echo $0 >> {}; exec \\\"$@\\\"\", \"{{member}}\", ",
                strikes.display()
            );
            change(&text.replacen("exec: [", &count, 1))
        });
        Counted { lab, strikes, config }
    }

    fn fenced(&self) -> usize {
        std::fs::read_to_string(&self.strikes).unwrap_or_default().lines().count()
    }

    fn operations(&self) -> Vec<serde_json::Value> {
        let text =
            self.lab.run(&["bc", "recovery", "list", "--config", &self.config, "--output", "json"]).stdout;
        let list: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        list["operations"].as_array().cloned().unwrap_or_default()
    }

    /// The leader dies beside a controller that `dies` may end in the middle of it; a second one goes on. True if it came to that.
    fn round(&self, what: &str, name: &str, first: Server, dies: impl Fn(&Server)) -> bool {
        let lab = self.lab;
        let (leader, _) = lab.settled();
        let (hands, fences, before) = (handed_over(lab), self.fenced(), self.operations().len());
        let writer = Writer::start(lab);
        std::thread::sleep(Duration::from_millis(2_800));
        dies(&first);
        lab.damage("leader-kill");
        let recovered = || {
            let list = self.operations();
            list.len() > before && list.last().is_some_and(|o| o["status"] == "recovered")
        };
        let (first, second) = (RefCell::new(first), RefCell::new(None::<Server>));
        // The next one takes over whenever the first has died.
        let kept_up = || {
            if second.borrow().is_none() && first.borrow_mut().try_wait().ok().flatten().is_some() {
                *second.borrow_mut() = Some(lab.serve_with(&self.config, &[]));
            }
        };
        let record = lab.dir.path().join("data").join(name).display().to_string();
        let tell = || {
            let story = String::from_utf8_lossy(&lab.run(&["journal", "show", &record]).stdout).into_owned();
            let lines: Vec<&str> = story.lines().collect();
            let complaints = std::fs::read_to_string(lab.serve_log()).unwrap_or_default();
            format!(
                "{:#?}\n{complaints}\n{}",
                self.operations(),
                lines[lines.len().saturating_sub(80)..].join("\n")
            )
        };
        let done = || {
            kept_up();
            recovered()
        };
        wait_telling(&format!("a recovery after a death {what}"), 60, done, tell);
        // It may have died in the moment in which it was seen recovered.
        std::thread::sleep(Duration::from_millis(500));
        kept_up();
        assert_eq!(handed_over(lab), hands + 1, "{what}: the transaction");
        assert_eq!(self.fenced(), fences + 1, "{what}: the fence");
        writer.nothing_lost(lab, 5);
        lab.mend();
        let (now, _) = lab.settled();
        assert_ne!(now, leader, "{what}");
        wait("the old leader to get its traffic back", 60, || {
            kept_up();
            self.operations().last().is_some_and(|o| o["remains"] == 0)
        });
        lab.ok(&["journal", "verify", &record]);
        kept_up();
        let second = second.into_inner();
        println!("{what}: {}", if second.is_some() { "died, recovered" } else { "not reached" });
        let died = second.is_some();
        stop(second.unwrap_or_else(|| first.into_inner()));
        died
    }
}

/// The program as it is shipped, ended from outside: when its claim was written, when its transaction has happened, and when it
/// takes the old primary out of the balancer, before each answer has come.
pub fn three_requests(lab: &Lab) {
    let (store, balancer) = (Link::to(("127.0.0.1", lab.port)), Link::to(("127.0.0.1", lab.port + 31)));
    let through = |text: &str| {
        let direct = |port: u16| format!("127.0.0.1:{port}");
        text.replace(&direct(lab.port), &direct(store.port))
            .replace(&direct(lab.port + 31), &direct(balancer.port))
    };
    let counted = Counted::of(lab, "deaths", through);
    let requests: [Dying<'_>; 3] = [
        ("when the claim was written", &store, || put_of("operation"), When::After),
        ("when the transaction has happened", &store, || put_of("handed_over"), When::After),
        (
            "when the drain is sent",
            &balancer,
            || Box::new(|request| request.contains("set server")),
            When::Before,
        ),
    ];
    for (what, link, request, when) in requests {
        let first = lab.serve_with(&counted.config, &[]);
        let died = counted.round(what, "deaths", first, |first| link.kill(request(), when, first.id()));
        assert!(died && link.has_killed(), "{what}: nobody died");
    }
}

/// What is being done, over which link, at which request the program dies, and when.
type Dying<'a> = (&'static str, &'a Link, fn() -> Request, When);
type Request = Box<dyn Fn(&str) -> bool + Send>;

/// A transaction that writes something under this name of ours. (What only tries whether it may writes nothing.)
fn put_of(name: &str) -> Request {
    let key = base64::engine::general_purpose::STANDARD.encode(format!("/bpci/orders/{name}"));
    let put = format!("\"request_put\":{{\"key\":\"{key}\",\"value\":\"");
    Box::new(move |request| {
        request.split(&put).skip(1).any(|value| !value.is_empty() && !value.starts_with('"'))
    })
}

/// More points than an operation has.
#[cfg(feature = "planted")]
const BOUND: u32 = 80;

/// At each point of the program that counts its points.
#[cfg(feature = "planted")]
pub fn every_intent(lab: &Lab) {
    let counted = Counted::of(lab, "walk", str::to_string);
    let first = std::env::var("BPCI_WALK_FROM").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    for point in first..BOUND {
        lab.settled();
        let server = lab.serve_with(&counted.config, &[("BPCI_DIE_AT", point.to_string())]);
        if !counted.round(&format!("at point {point}"), "walk", server, |_| ()) {
            assert!(point > 20, "only {point} points: the walk is too short");
            return;
        }
    }
    panic!("more than {BOUND} points");
}

//! Configurations of every sort: names of every script, and files with several mistakes.

use bpci::config;
use bpci::controller::Simulation;
use bpci::journal::Journal;
use bpci::model::*;
use std::path::{Path, PathBuf};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases/terminal").join(format!("{name}.yaml"))
}

/// Line and column of each mistake, with all of them as they are printed.
fn mistakes(name: &str) -> (Vec<(u64, u64)>, String) {
    match config::load(&case(name)) {
        Ok(_) => panic!("{name} was accepted"),
        Err(all) => (all.list().iter().map(|m| (m.at.line, m.at.column)).collect(), all.to_string()),
    }
}

/// All four are told in one run: a number, a word of a closed list, and two durations.
#[test]
fn every_mistake_of_a_file_is_told_at_once() {
    let (places, told) = mistakes("many-errors");
    assert_eq!(places.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [6, 8, 12, 16], "{told}");
    assert_eq!(told.lines().count(), 4, "{told}");
}

/// Each sort of mistake beside each other: unknown and missing fields, references, figures, a key that is there twice.
#[test]
fn mistakes_of_different_sorts_do_not_hide_each_other() {
    let text = "name: shop
business_continuity:
  regions:
    a: { region_id: here, capacity_percentage: 100, failover_priority: 1, colour: red }
    b: { capacity_percentage: 100, failover_priority: 2 }
    c: { region_id: there, capacity_percentage: much, failover_priority: 3 }
services:
  db:
    tier: 0
    patroni:
      scope: orders
      members: { here: 10.0.0.1:8008, there: 'http://10.0.0.2:8008', nowhere: 'http://10.0.0.3:8008' }
      etcd: { endpoints: ['http://10.0.0.9:2379'], user: bpci }
    fence: { exec: [], depends_on: [mars] }
  api: { depends_on: [db, dv], health: { tcp: '::1:80' }, tier: 1, tier: 2 }
";
    let told = match config::parse("shop.yaml", text) {
        Ok(_) => panic!("it was accepted"),
        Err(all) => all.to_string(),
    };
    for expected in [
        ":4:75: `colour` is not known here",
        ":5:", // `region_id` is missing
        ":6:49: this is not a whole number",
        ":9:11: tier 0",
        ":12:24: `10.0.0.1:8008` is no address",
        ":12:", // `nowhere`
        ":13:58: `user` of etcd without `password_file`",
        ":14:20: a fence without a command",
        ":14:37: `mars` is no region",
        ":15:27: `api` depends on `dv`, which is not a service here",
        ":15:",
    ] {
        assert!(told.contains(expected), "{expected} is missing:\n{told}");
    }
    assert!(
        told.contains("`region_id` is missing")
            && told.contains("`nowhere` is no region")
            && told.contains("`::1:80` is no host and port")
            && told.contains("`tier` is there twice"),
        "{told}"
    );
    // The region that was not understood is no second mistake where it is named.
    assert!(!told.contains("`there` is no region"), "{told}");
    assert_eq!(told.lines().count(), 12, "{told}");
}

/// What would do something to a terminal is refused with its place; the message does nothing to one.
#[test]
fn names_that_hide_something_are_refused() {
    for (name, lines) in
        [("ctrl", vec![14, 31, 33]), ("osc52", vec![14, 31, 33]), ("emptysvc", vec![14]), ("lng300", vec![1])]
    {
        let (places, told) = mistakes(name);
        assert_eq!(places.iter().map(|(line, _)| *line).collect::<Vec<_>>(), lines, "{told}");
        assert!(
            !told.chars().any(|c| (c.is_control() && c != '\n') || matches!(c, '\u{200b}' | '\u{202e}')),
            "{told:?}"
        );
    }
    assert!(mistakes("lng300").1.contains("300 characters; use at most 200"));
}

/// Names of every script are accepted, and the columns of the screen stand under each other.
#[test]
fn names_of_every_script_are_drawn_aligned() {
    use unicode_width::UnicodeWidthStr;
    for name in ["cjk", "rtl", "comb", "emoji", "long"] {
        let loaded = config::load(&case(name)).unwrap_or_else(|e| panic!("{e}"));
        let scenario = Scenario {
            name: name.to_string(),
            title: String::new(),
            estate: loaded.estate,
            world: WorldSetup::default(),
            armed: false,
            seed: 1,
            faults: Vec::new(),
            orders: Vec::new(),
            until: Span::mins(1),
            expect: Expectation::default(),
            narration: Vec::new(),
        };
        let began = Utc(1_767_225_600_000);
        let mut simulation = Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, began)
            .unwrap_or_else(|e| panic!("{e}"));
        simulation.run_to(Mono(5_000)).unwrap_or_else(|e| panic!("{e}"));
        let snapshot = simulation.snapshot(1, false);
        let theme = bpci::tui::Theme::load("terminal").unwrap_or_else(|e| panic!("{e}"));
        let mut app = bpci::tui::App::new();
        app.screen = bpci::tui::Screen::Services;
        let area = ratatui::layout::Rect::new(0, 0, 80, 24);
        let mut buffer = ratatui::buffer::Buffer::empty(area);
        bpci::tui::draw(&app, &snapshot, &theme, &bpci::tui::UNICODE, area, &mut buffer);
        let text = bpci::tui::text(&buffer);
        let of_state =
            |line: &str| line.find("OK ").or_else(|| line.find("state ")).map(|at| line[..at].width());
        let rows: Vec<usize> =
            text.lines().skip_while(|l| !l.contains("tier")).take(3).filter_map(of_state).collect();
        assert!(rows.len() == 3 && rows.iter().all(|column| *column == rows[0]), "{name}: {rows:?}\n{text}");
        assert!(text.lines().all(|line| line.width() <= 80), "{name}\n{text}");
    }
}

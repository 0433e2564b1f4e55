//! `cargo bench --bench scale`: how long a snapshot and a frame take at 50 regions, 2,000 services, 200 databases with
//! an operation each, and a long record.

mod estate;

use bpci::config;
use bpci::controller::Simulation;
use bpci::journal::Journal;
use bpci::model::*;
use bpci::tui::{App, Screen, Theme, UNICODE, draw};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::{Duration, Instant};

fn percentile(times: &mut [Duration], share: usize) -> Duration {
    times.sort();
    times[(times.len() - 1) * share / 100]
}

fn report(what: &str, mut times: Vec<Duration>) {
    println!(
        "{what:32} p50 {:>9.3?}  p99 {:>9.3?}  n={}",
        percentile(&mut times, 50),
        percentile(&mut times, 99),
        times.len()
    );
}

/// Memory in use, in MiB.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// A record of a million events, written and folded again.
fn long_record() {
    const EVENTS: u64 = 1_000_000;
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let mut journal = Journal::open(directory.path()).unwrap_or_else(|e| panic!("{e}"));
    let calm = config::embedded("calm").unwrap_or_else(|e| panic!("{e}"));
    let mut simulation = Simulation::new(calm, 1, Journal::in_memory(), Mode::Drill, Utc(1_767_225_600_000))
        .unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(Mono(5_000)).unwrap_or_else(|e| panic!("{e}"));
    let mut records: Vec<Record> = simulation.core.keep.clone().unwrap_or_default();
    let began = Instant::now();
    let mut written = 0;
    while written < EVENTS {
        while records.len() < 1_000 {
            let at = Now {
                utc: Utc(1_767_225_700_000 + (written + records.len() as u64) as i64),
                mono: Mono(100_000 + written),
            };
            let event = Event::Note {
                by: Actor::scripted("bench"),
                text: format!("note {}", written + records.len() as u64),
                by_hand: true,
                vouches: false,
            };
            records.push(Record { v: Record::VERSION, epoch: 1, at, event });
        }
        written += records.len() as u64;
        journal.append(&records).unwrap_or_else(|e| panic!("{e}"));
        records.clear();
    }
    println!("{written} events written in {:?}", began.elapsed());
    drop(journal);
    let (before, began) = (resident(), Instant::now());
    let mut replay = bpci::controller::Replay::open(&directory.path().join("journal.db"))
        .unwrap_or_else(|e| panic!("{e}"));
    replay.to(Utc(i64::MAX / 2)).unwrap_or_else(|e| panic!("{e}"));
    let (took, after) = (began.elapsed(), resident());
    // As the program does once its first frame stands.
    bpci::memory::give_back();
    println!(
        "{written} events folded in {took:?}; memory {before:.1} MiB before, {after:.1} MiB after, {:.1} MiB when given back",
        resident()
    );
}

fn main() {
    long_record();
    let base = config::embedded("calm").unwrap_or_else(|e| panic!("{e}"));
    // Little load, so that there is room for all of them elsewhere.
    let world = WorldSetup { load: vec![1; 50], ..base.world };
    let scenario = Scenario {
        estate: estate::estate(50, 200, 2_000),
        faults: Vec::new(),
        orders: Vec::new(),
        world,
        ..base
    };
    let mut simulation =
        Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, Utc(1_767_225_600_000))
            .unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(Mono(15_000)).unwrap_or_else(|e| panic!("{e}"));
    simulation.inject("region_outage region-00").unwrap_or_else(|e| panic!("{e:?}"));
    let began = Instant::now();
    let mut at = 15_000;
    while simulation.core.engine.state().operations.iter().filter(|o| !o.is_over()).count() < 200
        && at < 40_000
    {
        at += 20;
        simulation.run_to(Mono(at)).unwrap_or_else(|e| panic!("{e}"));
    }
    let snapshot = simulation.snapshot(1, false);
    if let Some(veto) = snapshot.groups.iter().find_map(|g| g.veto.as_ref()) {
        println!("automation waits: {}", bpci::wording::veto_words(veto, &snapshot.estate));
    }
    let running = snapshot.operations.iter().filter(|o| !o.is_over()).count();
    println!(
        "{} regions, {} services, {running} operations run; simulated {} ms in {:?}",
        snapshot.regions.len(),
        snapshot.services.len(),
        at - 15_000,
        began.elapsed()
    );
    let times = (0..200).map(|_| {
        let began = Instant::now();
        std::hint::black_box(simulation.snapshot(1, false));
        began.elapsed()
    });
    report("snapshot", times.collect());
    let theme = Theme::load("terminal").unwrap_or_else(|e| panic!("{e}"));
    for (width, height) in [(80, 24), (200, 60)] {
        for screen in Screen::ALL {
            let mut app = App::new();
            app.screen = screen;
            let area = Rect::new(0, 0, width, height);
            let times = (0..500).map(|_| {
                let mut buffer = Buffer::empty(area);
                let began = Instant::now();
                draw(&app, &snapshot, &theme, &UNICODE, area, &mut buffer);
                began.elapsed()
            });
            report(&format!("draw {} {width}x{height}", screen.name()), times.collect());
        }
    }
}

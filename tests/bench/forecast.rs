//! `cargo bench --bench forecast`: ten thousand futures of a regional failover in an estate of 50 regions and 1,000
//! services, on every core; and as many events in SimPy in the same run, where python3 has it (`SIMPY=DIRECTORY` names
//! the place where it was unpacked).

mod estate;

use bpci::controller::{Choice, Simulation, forecast, question};
use bpci::forecast::{Branch, Durations, Future};
use bpci::journal::Journal;
use bpci::model::*;
use bpci::{config, sim};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const FUTURES: u32 = 10_000;

fn main() {
    let base = config::embedded("calm").unwrap_or_else(|e| panic!("{e}"));
    let world = WorldSetup { load: vec![1; 50], ..base.world };
    let scenario = Scenario {
        estate: estate::estate(50, 20, 1_000),
        faults: Vec::new(),
        orders: Vec::new(),
        world,
        armed: false,
        ..base
    };
    let mut simulation =
        Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, Utc(1_767_225_600_000))
            .unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(Mono(5_000)).unwrap_or_else(|e| panic!("{e}"));
    simulation.inject("region_outage region-00").unwrap_or_else(|e| panic!("{e:?}"));
    simulation.run_to(Mono(10_000)).unwrap_or_else(|e| panic!("{e}"));
    let mut took = Vec::new();
    let mut events = 0;
    for _ in 0..5 {
        let (began, before) = (Instant::now(), sim::happened());
        let choice = Choice { group: GroupId(0), intent: Intent::Failover, to: None };
        let (_, found) = forecast(&simulation.core.engine, simulation.now(), &choice, FUTURES)
            .unwrap_or_else(|r| panic!("{r:?}"));
        std::hint::black_box(&found);
        took.push(began.elapsed());
        events = sim::happened() - before;
    }
    took.sort();
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = memory
        .lines()
        .find(|l| l.starts_with("VmHWM:"))
        .unwrap_or_default()
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse::<u64>().ok());
    // Three branches: to act, to leave it, the next best.
    println!(
        "{FUTURES} futures of each of 3 branches: median {:?} of 5 ({:?} for one branch), {events} events, at most {} MiB",
        took[2],
        took[2] / 3,
        memory.unwrap_or_default() / 1024
    );
    simpy(events, took[2].as_secs_f64());
    branches(&simulation);
}

/// Each branch by itself.
fn branches(simulation: &Simulation) {
    let choice = Choice { group: GroupId(0), intent: Intent::Failover, to: None };
    let (_, question) =
        question(&simulation.core.engine, simulation.now(), &choice).unwrap_or_else(|r| panic!("{r:?}"));
    let durations = Durations::of(&question.fork.past);
    let to = [question.to, question.next].map(|to| to.map(Branch::Act));
    for (name, branch) in
        [("the failover", to[0]), ("leaving it", Some(Branch::Leave)), ("the next best", to[1])]
    {
        let Some(branch) = branch else { continue };
        let future = Future { question: &question, pace: &durations.pace, branch, counts_fence: false };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut took: Vec<_> = (0..5)
            .map(|_| {
                let began = Instant::now();
                std::hint::black_box(future.all(FUTURES, threads, &AtomicBool::new(false)));
                began.elapsed()
            })
            .collect();
        took.sort();
        println!("{FUTURES} futures of {name}: median {:?} of 5, {threads} threads", took[2]);
    }
}

/// The same number of events in SimPy: processes that wait and go on, which is the least that a simulation does.
fn simpy(events: u64, ours: f64) {
    let script = "
import sys, time
import simpy
n = int(sys.argv[1])
began = time.perf_counter()
env = simpy.Environment()
def agent(env, turns):
    for _ in range(turns):
        yield env.timeout(1)
for _ in range(10):
    env.process(agent(env, n // 10))
env.run()
print(time.perf_counter() - began)
";
    let path = std::env::var("SIMPY").unwrap_or_default();
    // A tenth of them: it takes as long for each.
    let out = Command::new("python3")
        .args(["-c", script, &(events / 10).to_string()])
        .env("PYTHONPATH", path)
        .output();
    let seconds = out
        .ok()
        .filter(|o| o.status.success())
        .and_then(|o| String::from_utf8_lossy(&o.stdout).trim().parse::<f64>().ok());
    match seconds {
        Some(seconds) => {
            println!(
                "SimPy, as many bare events: {:.2} s (a tenth of them measured); ratio {:.1}",
                seconds * 10.0,
                seconds * 10.0 / ours
            )
        }
        None => println!(
            "SimPy is not installed: pip install --target DIRECTORY simpy; SIMPY=DIRECTORY cargo bench --bench forecast"
        ),
    }
}

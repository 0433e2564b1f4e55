//! Every reader of outside data, fed with what it knows, damaged: it answers or refuses, in bounded memory and time, and
//! nothing panics. What once broke one is kept in `fixtures/fuzz/READER`, and is read again by each run.
//!
//! `BPCI_FUZZ=100000 cargo test --release --test fuzz` reads so many inputs with each reader (default: 1,500).

mod document;
mod replies;

use bpci::chaos::Experiment;
use bpci::config;
use bpci::engine::Door;
use bpci::exercise::Calendar;
use bpci::hunt::Case;
use bpci::tui::{Settings, Theme};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What this thread holds, and the most it held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(by: isize) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + by);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: it only counts; every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's own promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's own promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// No input is longer, and no reader may hold more, or take longer, for one.
const LONGEST: usize = 64 << 10;
const MOST_HELD: isize = 256 << 20;
const SLOWEST: u128 = 20_000;

type Read = fn(&str);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn texts(of: &str, ends: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut folders = vec![root().join(of)];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> =
            std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ends) {
                list.extend(std::fs::read_to_string(&path).ok());
            }
        }
    }
    assert!(!list.is_empty(), "{of} has nothing that ends with {ends}");
    list
}

/// A journal whose file was damaged: read, told and verified.
fn read_journal(text: &str) {
    let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let path = dir.path().join("journal.db");
    // Bytes that are no text come as the code points they would be one by one.
    std::fs::write(&path, text.chars().map(|c| c as u8).collect::<Vec<u8>>())
        .unwrap_or_else(|e| panic!("{e}"));
    let _ = bpci::journal::verify(&path, None);
    let _ = bpci::controller::story(&path, |_, _| Ok::<(), bpci::journal::JournalError>(()));
}

/// A small journal as it lies on a disk.
fn journal() -> String {
    let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let scenario = config::embedded("node_failure").unwrap_or_else(|e| panic!("{e}"));
    let seed = scenario.seed;
    let journal = bpci::journal::Journal::open(dir.path()).unwrap_or_else(|e| panic!("{e}"));
    let began = bpci::model::Utc(1_767_225_600_000);
    let mut simulation =
        bpci::controller::Simulation::new(scenario, seed, journal, bpci::model::Mode::Drill, began)
            .unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(bpci::model::Mono(20_000)).unwrap_or_else(|e| panic!("{e}"));
    drop(simulation);
    let bytes = std::fs::read(dir.path().join("journal.db")).unwrap_or_else(|e| panic!("{e}"));
    bytes.into_iter().map(char::from).collect()
}

fn mutate(seeds: &[String], random: &mut ChaCha8Rng) -> String {
    let pick = |random: &mut ChaCha8Rng, n: usize| (random.next_u64() % n.max(1) as u64) as usize;
    let mut bytes = seeds[pick(random, seeds.len())].clone().into_bytes();
    for _ in 0..=pick(random, 6) {
        let n = bytes.len();
        let (at, length) = (pick(random, n + 1), pick(random, 40));
        let end = (at + length).min(n);
        match pick(random, 9) {
            0 if n > 0 => bytes[at.min(n - 1)] = random.next_u32() as u8,
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 => drop(bytes.splice(at..at, bytes[at..end].to_vec().repeat(1 + pick(random, 60)))),
            4 => {
                let other = seeds[pick(random, seeds.len())].as_bytes();
                let from = pick(random, other.len() + 1);
                let piece = other[from..(from + 200).min(other.len())].to_vec();
                drop(bytes.splice(at..end, piece));
            }
            5 => drop(bytes.splice(at..at, ODD[pick(random, ODD.len())].bytes())),
            6 => {
                // A figure becomes another one.
                if let Some(digit) = (at..n).find(|i| bytes[*i].is_ascii_digit()) {
                    drop(bytes.splice(digit..=digit, FIGURES[pick(random, FIGURES.len())].bytes()));
                }
            }
            7 => drop(bytes.splice(at..at, vec![b"[{( \t\n\"'&*"[pick(random, 10)]; pick(random, 400)])),
            _ => {
                // A line is said twice, elsewhere.
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if let Some(line) = text.lines().nth(pick(random, text.lines().count())) {
                    drop(bytes.splice(at..at, format!("\n{line}\n").bytes()));
                }
            }
        }
    }
    bytes.truncate(LONGEST);
    String::from_utf8_lossy(&bytes).into_owned()
}

const ODD: &[&str] = &[
    "\0",
    "\u{feff}",
    "\u{202e}",
    "💥",
    "e\u{301}",
    "*a",
    "&a [*a]",
    "!!binary x",
    "<<: ",
    "~",
    "---\n",
    "${",
    "{}",
    "[]",
    "null",
    "true",
];
const FIGURES: &[&str] = &[
    "0",
    "-1",
    "99999999999999999999",
    "1e999",
    "0.5",
    "NaN",
    "18446744073709551615",
    "4294967296",
    "65536",
    "0x10",
];

/// How many inputs each reader reads.
fn inputs() -> u64 {
    std::env::var("BPCI_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(1_500)
}

/// Reads one input; what went wrong, if anything did.
fn tried(read: impl Fn(&str), text: &str) -> Option<String> {
    let before = HELD.with(Cell::get);
    MOST.with(|m| m.set(before));
    let began = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| read(text)));
    let (took, most) = (began.elapsed().as_millis(), MOST.with(Cell::get) - before);
    match result {
        Err(panic) => Some(format!("panic: {}", panic.downcast_ref::<String>().cloned().unwrap_or_default())),
        Ok(()) if most > MOST_HELD => Some(format!("it held {} MiB", most >> 20)),
        Ok(()) if took > SLOWEST => Some(format!("it took {took} ms")),
        Ok(()) => None,
    }
}

fn fuzz(name: &str, seeds: &[String], read: Read) {
    let kept = root().join("fixtures/fuzz").join(name);
    for path in std::fs::read_dir(&kept).into_iter().flatten().flatten().map(|e| e.path()) {
        let text =
            String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_else(|e| panic!("{e}"))).into_owned();
        assert_eq!(tried(read, &text), None, "{}", path.display());
    }
    for seed in seeds {
        assert_eq!(tried(read, seed), None, "{name}: a sample as it is");
    }
    for n in 0..inputs() {
        let text = mutate(seeds, &mut ChaCha8Rng::seed_from_u64(n));
        if let Some(what) = tried(read, &text) {
            keep(&kept, n, &text);
            panic!("{name}, input {n}: {what}; kept in {}", kept.display());
        }
    }
}

fn keep(folder: &Path, n: u64, text: &str) {
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join(format!("input-{n}")), text));
    written.unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
}

#[test]
fn configurations() {
    let mut seeds = texts("fixtures/estates", ".yaml");
    seeds.extend(texts("tests/invalid_configs", ".yaml"));
    seeds.extend(texts("tests/data", "reference_000.yaml"));
    fuzz("configuration", &seeds, |t| drop(config::parse("f.yaml", t)));
}

#[test]
fn scenarios() {
    fuzz("scenario", &texts("fixtures/scenarios", ".yaml"), |t| drop(config::parse_scenario("f.yaml", t)));
}

#[test]
fn themes_and_settings() {
    fuzz("theme", &texts("themes", ".toml"), |t| drop(Theme::parse("f.toml", t)));
    let settings =
        "theme = \"dark\"\nnotify = \"bell\"\nmouse = false\n[keys]\nfailover = \"F\"\n".to_string();
    fuzz("settings", &[settings], |t| drop(Settings::parse("f.toml", t)));
}

#[test]
fn schemes_of_others() {
    let colours: String = (0..16).map(|n| format!("base{n:02X}: \"{:06x}\"\n", n * 0x0f_0f_0f)).collect();
    let under = colours.lines().fold(String::new(), |all, line| all + "  " + line + "\n");
    let seeds = [
        format!("scheme: \"x\"\nauthor: \"y\"\n{colours}"),
        format!("system: base16\nname: x\nvariant: dark\npalette:\n{under}"),
    ];
    fuzz("base16", &seeds, |t| drop(bpci::tui::Theme::parse_base16("f.yaml", t)));
}

/// What was measured, as it lies on a tape beside a journal.
fn measured() -> String {
    let scenario = config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
    let mut world = bpci::sim::World::new(&scenario, 1);
    let told = world.poll(bpci::model::Mono(30_000));
    let observed =
        told.iter().filter_map(|i| if let bpci::model::Incoming::Observed(o) = i { Some(o) } else { None });
    let lines: Vec<String> = observed.filter_map(|o| serde_json::to_string(o).ok()).collect();
    // Some of calm, and some of trouble.
    lines.iter().take(60).chain(lines.iter().rev().take(60)).cloned().collect::<Vec<_>>().join("\n")
}

fn read_tape(text: &str) {
    let estate = config::embedded("calm").unwrap_or_else(|e| panic!("{e}")).estate;
    let mut engine = bpci::engine::Engine::new(std::sync::Arc::new(estate), "f");
    for observation in text.lines().filter_map(|l| serde_json::from_str(l).ok()) {
        engine.measured(&observation);
    }
    let now = bpci::model::Now { utc: bpci::model::Utc(1_767_225_600_000), mono: bpci::model::Mono(31_000) };
    drop(engine.snapshot(now, None));
}

#[test]
fn tapes() {
    fuzz("tape", &[measured()], read_tape);
}

#[test]
fn journals() {
    fuzz("journal", &[journal()], read_journal);
}

#[test]
fn experiments() {
    let mut seeds = texts("fixtures/experiments", ".yaml");
    seeds.extend(texts("fixtures/experiments", ".json"));
    fuzz("experiment", &seeds, |t| drop(Experiment::parse("f.yaml", t)));
}

#[test]
fn calendars() {
    fuzz("calendar", &texts("fixtures/exercises", ".yaml"), |t| drop(Calendar::parse("f.yaml", t)));
}

#[test]
fn cases_of_the_hunt() {
    fuzz("case", &texts("fixtures/hunt", ".json"), |t| drop(serde_json::from_str::<Case>(t)));
}

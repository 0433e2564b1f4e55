//! The screen as a picture: text and styles together; and what a few keys reach.

mod confirm;
mod fork;
mod told;

use bpci::config;
use bpci::controller::Simulation;
use bpci::journal::Journal;
use bpci::model::*;
use bpci::tui::{ASCII, App, Ask, Instead, Screen, Theme, UNICODE, draw};
use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use std::time::Duration;

/// When every simulation here begins.
const BEGAN: Utc = Utc(1_767_225_600_000);

/// A scenario at a moment of its virtual time.
fn at(name: &str, seconds: u64) -> Simulation {
    let scenario = config::embedded(name).unwrap_or_else(|e| panic!("{e}"));
    let mut simulation = Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, BEGAN)
        .unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(Mono(seconds * 1000)).unwrap_or_else(|e| panic!("{e}"));
    simulation
}

/// What is shown, with what the futures say.
fn foreseen(simulation: &Simulation) -> Snapshot {
    let mut snapshot = simulation.snapshot(1, false);
    snapshot.forecasts =
        bpci::controller::forecasts(&simulation.core.engine, simulation.now(), &snapshot, 100);
    let ready = bpci::controller::readiness(&simulation.core.engine, simulation.now(), 20);
    // What was rehearsed on this machine is no part of the picture.
    let ready: Vec<Readiness> = ready
        .into_iter()
        .map(|r| Readiness {
            points: r.points.into_iter().filter(|p| p.name != PointName::Drill).collect(),
            ..r
        })
        .collect();
    snapshot.readiness = Some(ReadinessView::of(&snapshot.estate, snapshot.now.utc, &ready));
    snapshot
}

fn picture(app: &App, snapshot: &Snapshot, width: u16, height: u16) -> Buffer {
    let theme = Theme::load("terminal").unwrap_or_else(|e| panic!("{e}"));
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(app, snapshot, &theme, &UNICODE, area, &mut buffer);
    buffer
}

/// Each line of text, with a line of letters for its styles where they are not plain.
fn styled(buffer: &Buffer) -> String {
    let letter = |style: Style| match (style.fg, style.bg) {
        (_, Some(bg)) if bg != ratatui::style::Color::Reset => 'B',
        (Some(ratatui::style::Color::Red), _) => 'R',
        (Some(ratatui::style::Color::Green), _) => 'G',
        (Some(ratatui::style::Color::Yellow), _) => 'Y',
        (Some(ratatui::style::Color::Cyan), _) => 'C',
        (Some(ratatui::style::Color::Blue), _) => 'L',
        (Some(ratatui::style::Color::DarkGray), _) => 'd',
        _ if style.add_modifier.contains(Modifier::REVERSED) => 'V',
        _ if style.add_modifier.contains(Modifier::BOLD) => 'b',
        _ => ' ',
    };
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let cells: Vec<_> = (0..buffer.area.width).map(|x| &buffer[(x, y)]).collect();
        let text: String = cells.iter().map(|c| c.symbol()).collect();
        let styles: String = cells
            .iter()
            .map(|c| {
                if c.symbol() == " " && c.bg == ratatui::style::Color::Reset {
                    ' '
                } else {
                    letter(c.style())
                }
            })
            .collect();
        out.push_str(text.trim_end());
        out.push('\n');
        if !styles.trim().is_empty() {
            out.push_str(styles.trim_end());
            out.push('\n');
        }
    }
    out
}

/// Holds a picture against the accepted one. `BPCI_PICTURES=DIRECTORY` also writes it there as ANSI, to be looked at.
fn looks(name: &str, buffer: &Buffer) {
    if let Some(directory) = std::env::var_os("BPCI_PICTURES") {
        let path = std::path::Path::new(&directory).join(format!("{name}.ansi"));
        std::fs::write(path, bpci::tui::ansi(buffer)).unwrap_or_else(|e| panic!("{e}"));
    }
    insta::assert_snapshot!(name, styled(buffer));
}

/// The moments that every screen is looked at in.
fn moments() -> Vec<(&'static str, Snapshot)> {
    let stale = {
        let mut simulation = at("calm", 5);
        simulation.inject("store_away us-east-1").unwrap_or_else(|e| panic!("{e:?}"));
        simulation.run_to(Mono(20_000)).unwrap_or_else(|e| panic!("{e}"));
        simulation
    };
    let recovering = {
        let mut simulation = at("region_outage", 30);
        // In the middle of it, whenever it begins.
        let under_way = |s: &Simulation| {
            s.core.engine.state().operations.iter().any(|o| s.now().utc.since(o.started) >= Span::ms(800))
        };
        while !under_way(&simulation) {
            let next = simulation.now().mono.plus(Span::ms(100));
            simulation.run_to(next).unwrap_or_else(|e| panic!("{e}"));
        }
        simulation
    };
    [
        ("calm", at("calm", 5)),
        ("incident", at("region_outage", 30)),
        ("recovering", recovering),
        ("stale", stale),
        ("refused", at("refused_failover", 45)),
    ]
    .map(|(name, simulation)| (name, foreseen(&simulation)))
    .into()
}

fn app_on(screen: Screen) -> App {
    let mut app = App::new();
    app.screen = screen;
    app.cards = config::embedded_names()
        .filter_map(|name| config::embedded(name).ok())
        .map(|s| Card {
            narrated: !s.narration.is_empty(),
            name: s.name,
            title: s.title,
            results: Vec::new(),
        })
        .collect();
    let days_ago = |days: i64, kind, passed| PlayedOnce {
        at: Utc(BEGAN.0 - days * 86_400_000),
        scenario: "region_outage".to_string(),
        passed,
        recovery_time_ms: Some(17_000),
        plans: Vec::new(),
        exercise: Some(Exercised { id: "one".to_string(), kind, automated: true, lost_ms: Some(0) }),
    };
    let played = [
        days_ago(40, ExerciseKind::RegionalFailover, true),
        days_ago(2, ExerciseKind::Component, true),
        days_ago(1, ExerciseKind::Chaos, false),
    ];
    let calendar = bpci::exercise::Calendar::load(None).unwrap_or_else(|e| panic!("{e}"));
    app.calendar = bpci::exercise::due(&calendar, &played, BEGAN);
    app
}

#[test]
fn every_screen_looks_as_it_should() {
    for (moment, snapshot) in moments() {
        for screen in Screen::ALL {
            looks(&format!("{}_{moment}_80x24", screen.name()), &picture(&app_on(screen), &snapshot, 80, 24));
        }
    }
    let (_, snapshot) = moments().swap_remove(2);
    for screen in Screen::ALL {
        for (width, height) in [(120, 40), (200, 60), (40, 10)] {
            looks(
                &format!("{}_{width}x{height}", screen.name()),
                &picture(&app_on(screen), &snapshot, width, height),
            );
        }
        let area = Rect::new(0, 0, 80, 24);
        let mut buffer = Buffer::empty(area);
        draw(&app_on(screen), &snapshot, &Theme::mono(), &ASCII, area, &mut buffer);
        looks(&format!("{}_ascii", screen.name()), &buffer);
    }
}

/// Whatever the size: what is to be decided, or what runs, is on every screen, and what is real stands first.
#[test]
fn what_must_be_seen_is_seen_at_every_size() {
    for (moment, snapshot) in moments() {
        let word = match (snapshot.proposals.is_empty(), snapshot.operations.iter().any(|o| !o.is_over())) {
            (false, _) => "DECISION",
            (true, true) => "RECOVERY",
            _ => "SIMULATION",
        };
        for screen in Screen::ALL {
            for (width, height) in [
                (60, 16),
                (80, 24),
                (90, 28),
                (100, 30),
                (120, 40),
                (149, 45),
                (160, 50),
                (200, 60),
                (250, 70),
            ] {
                let drawn = picture(&app_on(screen), &snapshot, width, height);
                let lines: Vec<String> =
                    (0..height).map(|y| (0..width).map(|x| drawn[(x, y)].symbol()).collect()).collect();
                let at = format!("{} {moment} {width}x{height}:\n{}", screen.name(), lines.join("\n"));
                assert!(lines[0].starts_with(" SIMULATION"), "{at}");
                assert!(lines.iter().any(|l| l.contains(word)), "no {word} on {at}");
            }
        }
    }
}

#[test]
fn every_size_draws_in_every_state() {
    let theme = Theme::mono();
    for (scenario, seconds) in [("calm", 3), ("region_outage", 30), ("second_fault", 100)] {
        let snapshot = at(scenario, seconds).snapshot(1, false);
        for (glyphs, keys) in [(UNICODE, "?"), (ASCII, "f")] {
            let mut app = App::new();
            type_keys(&mut app, &snapshot, keys);
            if snapshot.disasters.len() == 1 {
                (app.instead, app.beside) =
                    (Instead::Fork(snapshot.now.utc), Some(std::sync::Arc::new(snapshot.clone())));
            }
            for width in (0..=250).step_by(if cfg!(debug_assertions) { 13 } else { 3 }) {
                for height in (0..=70).step_by(if cfg!(debug_assertions) { 7 } else { 1 }) {
                    let area = Rect::new(0, 0, width, height);
                    draw(&app, &snapshot, &theme, &glyphs, area, &mut Buffer::empty(area));
                }
            }
        }
    }
}

#[test]
fn ascii_means_ascii() {
    let snapshot = at("region_outage", 40).snapshot(1, false);
    let area = Rect::new(0, 0, 120, 40);
    let mut buffer = Buffer::empty(area);
    draw(&App::new(), &snapshot, &Theme::mono(), &ASCII, area, &mut buffer);
    let odd: Vec<_> = buffer.content.iter().map(|c| c.symbol()).filter(|s| !s.is_ascii()).collect();
    assert!(odd.is_empty(), "{odd:?}");
}

fn key(code: KeyCode) -> Input {
    Input::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn type_keys(app: &mut App, snapshot: &Snapshot, text: &str) -> Vec<Ask> {
    text.chars()
        .filter_map(|c| app.event(&key(if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) }), snapshot))
        .collect()
}

/// A click on a row selects it, on a selected row opens it, on a panel goes to its screen, on a key does what the key does;
/// no click confirms.
#[test]
fn clicks_go_where_keys_go() {
    let snapshot = at("region_outage", 30).snapshot(1, false);
    let (theme, area) = (Theme::mono(), Rect::new(0, 0, 80, 24));
    let click = |app: &mut App, text: &str| {
        let mut buffer = Buffer::empty(area);
        app.places = draw(app, &snapshot, &theme, &UNICODE, area, &mut buffer);
        let lines: Vec<String> = (0..24)
            .map(|y| (0..80).map(|x| buffer[(x, y)].symbol().to_string()).collect::<String>())
            .collect();
        // A key is in the footer, whatever the decision says.
        let row = lines
            .iter()
            .enumerate()
            .position(|(y, l)| l.contains(text) && (y == 23 || !text.starts_with("s ")))
            .unwrap_or_else(|| panic!("{text} is not on the screen"));
        let column = lines[row].split(text).next().map_or(0, |before| before.chars().count());
        let kind = crossterm::event::MouseEventKind::Down(crossterm::event::MouseButton::Left);
        let event = crossterm::event::MouseEvent {
            kind,
            column: column as u16,
            row: row as u16,
            modifiers: KeyModifiers::NONE,
        };
        app.event(&Input::Mouse(event), &snapshot)
    };
    let mut app = App::new();
    click(&mut app, "REGIONS");
    assert_eq!(app.screen, Screen::Regions);
    click(&mut app, "ap-southeast-1");
    assert!(!app.list(Screen::Regions).open);
    click(&mut app, "ap-southeast-1");
    assert!(app.list(Screen::Regions).open);
    let mut app = App::new();
    assert!(matches!(click(&mut app, "s stop"), Some(Ask::Orders(_))));
    let mut app = App::new();
    assert!(click(&mut app, "DECISION").is_none() && app.dialog.is_some(), "it only opens the confirmation");
    std::thread::sleep(Duration::from_millis(550));
    assert!(click(&mut app, "CONFIRM").is_none() && app.dialog.is_some());
}

/// From an alarm on the screen to a confirmed failover: `f` and Enter, beside the typed name.
#[test]
fn an_alarm_is_two_keys_from_a_failover() {
    let snapshot = at("region_outage", 30).snapshot(1, false);
    let mut app = App::new();
    let keys = type_keys(&mut app, &snapshot, "f").len();
    assert_eq!(keys, 0, "it only opens the confirmation");
    std::thread::sleep(Duration::from_millis(550));
    let asks = type_keys(&mut app, &snapshot, "us-east-1\n");
    assert!(matches!(asks.as_slice(), [Ask::Order(Action::Confirm(_))]), "{asks:?}");
}

/// From the start to any of 2,000 services: `:`, its number, Enter.
#[test]
fn any_of_two_thousand_services_is_six_keys_away() {
    let mut text = String::from(
        "name: many\nbusiness_continuity:\n  regions:\n    a: { region_id: a, capacity_percentage: 100, failover_priority: 1 }\nservices:\n",
    );
    for n in 0..2_000 {
        text.push_str(&format!("  service-{n:04}: {{ tier: 2 }}\n"));
    }
    let estate = config::parse("many.yaml", &text).unwrap_or_else(|e| panic!("{e}")).estate;
    let calm = config::embedded("calm").unwrap_or_else(|e| panic!("{e}"));
    let scenario = Scenario { estate, faults: Vec::new(), orders: Vec::new(), ..calm };
    let simulation = Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, Utc(0))
        .unwrap_or_else(|e| panic!("{e}"));
    let snapshot = simulation.snapshot(1, false);
    for n in [0, 7, 999, 1_234, 1_999] {
        let mut app = App::new();
        let keys = format!(":{n:04}\n");
        assert_eq!(keys.chars().count(), 6);
        type_keys(&mut app, &snapshot, &keys);
        let shown: String = styled(&picture(&app, &snapshot, 80, 24));
        assert!(app.screen == Screen::Services && shown.contains(&format!("service-{n:04}")), "{n}: {shown}");
    }
}

/// Every command is in the help, with what it does, or why it cannot be done now.
#[test]
fn the_help_leaves_nothing_out() {
    let snapshot = at("calm", 3).snapshot(1, false);
    let mut app = App::new();
    type_keys(&mut app, &snapshot, "?");
    let shown = styled(&picture(&app, &snapshot, 200, 120));
    for binding in app.keys.bindings().iter().filter(|b| !matches!(b.command, bpci::tui::Command::Go(_))) {
        let first: String = binding.long.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        assert!(shown.contains(&first), "{} is not in the help:\n{shown}", binding.name);
    }
}

/// Wide letters and letters of scripts that run from right to left keep the columns where they are.
#[test]
fn wide_letters_keep_the_columns() {
    let mut snapshot = at("calm", 3).snapshot(1, false);
    let mut estate = (*snapshot.estate).clone();
    estate.regions[0].name = "東京-リージョン".to_string();
    estate.regions[1].name = "תל-אביב".to_string();
    snapshot.estate = std::sync::Arc::new(estate);
    let drawn = picture(&app_on(Screen::Regions), &snapshot, 80, 24);
    let column =
        |y: u16| (0..80).find(|x| drawn[(*x, y)].symbol() == "O" && drawn[(*x + 1, y)].symbol() == "K");
    let columns: Vec<_> = (5..8).map(column).collect();
    assert!(columns.iter().all(|c| *c == columns[2] && c.is_some()), "{columns:?}");
}

/// The timeline's filter searches the whole record, not only the lines that the screen holds.
#[test]
fn the_filter_of_the_timeline_searches_the_whole_record() {
    let snapshot = at("calm", 3).snapshot(1, false);
    let mut app = app_on(Screen::Timeline);
    let asks = type_keys(&mut app, &snapshot, "/long ago\n");
    assert_eq!(asks, [Ask::Search("long ago".to_string())]);
    let line = LogLine {
        at: Utc(0),
        weight: Weight::Notice,
        subject: Subject::Person("Kim".to_string()),
        text: "decided long ago".to_string(),
        about: String::new(),
    };
    app.found("long ago".to_string(), Ok(vec![line.clone()]));
    assert!(styled(&picture(&app, &snapshot, 80, 24)).contains("decided long ago"));
    assert_eq!(
        type_keys(&mut app, &snapshot, "e"),
        [Ask::Export { lines: vec![line], filter: "long ago".to_string() }]
    );
    // The filter is taken away, and what was found with it.
    assert!(app.event(&key(KeyCode::Esc), &snapshot).is_none());
    assert!(!styled(&picture(&app, &snapshot, 80, 24)).contains("decided long ago"));
}

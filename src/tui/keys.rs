//! The key map: one list that keys, footer and help are read from.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Failover,
    Switchover,
    StopAutomatic,
    Withdraw,
    Answer,
    Arm,
    NextGroup,
    LogTab,
    Up,
    Down,
    Inject,
    Pause,
    StepOnce,
    Faster,
    Slower,
    Mend,
    Help,
    Quit,
}

/// When a key means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Always,
    /// A choice is on the table.
    Choice,
    /// A countdown runs.
    Countdown,
    /// An operation waits for a person.
    Question,
    /// The world is simulated.
    Simulated,
    Live,
}

pub struct Binding {
    pub key: KeyCode,
    pub shown: &'static str,
    pub command: Command,
    pub short: &'static str,
    pub long: &'static str,
    pub when: When,
}

const fn bind(key: KeyCode, shown: &'static str, command: Command, short: &'static str, long: &'static str, when: When) -> Binding {
    Binding { key, shown, command, short, long, when }
}

pub const BINDINGS: &[Binding] = &[
    bind(KeyCode::Char('?'), "?", Command::Help, "help", "this help", When::Always),
    bind(
        KeyCode::Char('f'),
        "f",
        Command::Failover,
        "fail over",
        "fail over the selected database: shows what it would do, then asks for the region's name",
        When::Always,
    ),
    bind(KeyCode::Char('s'), "s", Command::StopAutomatic, "stop", "stop the countdown of the automatic response", When::Countdown),
    bind(KeyCode::Char('a'), "a", Command::Answer, "answer", "answer what the operation asks, abort it or roll it back", When::Question),
    bind(KeyCode::Char('w'), "w", Command::Withdraw, "withdraw", "take the choice off the table", When::Choice),
    bind(KeyCode::Char('o'), "o", Command::Switchover, "switch over", "hand over the living primary, or fail back", When::Always),
    bind(KeyCode::Char('i'), "i", Command::Inject, "inject", "strike the simulation with a fault", When::Simulated),
    bind(KeyCode::Char(' '), "space", Command::Pause, "pause", "pause the simulation, or go on", When::Simulated),
    bind(KeyCode::Char('.'), ".", Command::StepOnce, "step", "to the next thing that happens", When::Simulated),
    bind(KeyCode::Char('+'), "+", Command::Faster, "faster", "ten times faster, up to 1000", When::Simulated),
    bind(KeyCode::Char('-'), "-", Command::Slower, "slower", "ten times slower", When::Simulated),
    bind(KeyCode::Char('m'), "m", Command::Mend, "mend", "end every fault of the simulation", When::Simulated),
    bind(KeyCode::Char('A'), "A", Command::Arm, "arm", "allow orders to act: asks for the estate's name", When::Live),
    bind(KeyCode::Tab, "tab", Command::NextGroup, "next", "select the next database", When::Always),
    bind(KeyCode::Char('l'), "l", Command::LogTab, "log", "between the incident's story and the program's own log", When::Always),
    bind(KeyCode::Char('k'), "k", Command::Up, "back", "back in the log (also up)", When::Always),
    bind(KeyCode::Char('j'), "j", Command::Down, "on", "on in the log (also down)", When::Always),
    bind(KeyCode::Char('q'), "q", Command::Quit, "quit", "leave; asks while an operation runs", When::Always),
];

/// What a key means on the main screen.
pub fn command(key: KeyEvent) -> Option<Command> {
    if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return (key.code == KeyCode::Char('c')).then_some(Command::Quit);
    }
    match key.code {
        KeyCode::Up => Some(Command::Up),
        KeyCode::Down => Some(Command::Down),
        code => BINDINGS.iter().find(|b| b.key == code).map(|b| b.command),
    }
}

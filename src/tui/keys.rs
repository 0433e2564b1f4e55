//! The key map: one list that keys, footer, help and palette are read from.

use super::key::Key;
use super::places::Screen;
use crossterm::event::{KeyCode, KeyEvent};

/// What a key can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Failover,
    StopAutomatic,
    Answer,
    Withdraw,
    Fork,
    TakeOver,
    Switchover,
    Arm,
    NextGroup,
    Go(Screen),
    Palette,
    Filter,
    Sort,
    Enter,
    Back,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Note,
    Vouch,
    Export,
    Copy,
    Save,
    NextTheme,
    Inject,
    Pause,
    StepOnce,
    Faster,
    Slower,
    Mend,
    Later,
    Earlier,
    Walk,
    Repaint,
    Suspend,
    Help,
    Quit,
}

/// A command with its keys and its words.
pub struct Binding {
    pub command: Command,
    pub name: &'static str,
    pub keys: Vec<Key>,
    /// In the footer; empty: not there.
    pub short: &'static str,
    pub long: &'static str,
}

impl Binding {
    /// Its keys as the help shows them.
    pub fn shown(&self) -> String {
        self.keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// Every command with its keys.
pub struct KeyMap(Vec<Binding>);

/// What a screen is for comes before what can be done anywhere.
pub const fn is_of_screen(command: Command, screen: Screen) -> bool {
    match screen {
        Screen::Timeline => matches!(command, Command::Filter | Command::Note | Command::Export),
        Screen::Drills => matches!(command, Command::Enter | Command::Walk),
        _ => false,
    }
}

impl Default for KeyMap {
    fn default() -> Self {
        let c = |letter| Key::plain(KeyCode::Char(letter));
        let ctrl = |letter| Key { code: KeyCode::Char(letter), ctrl: true };
        let p = Key::plain;
        let bind = |command, name, keys: &[Key], short, long| Binding {
            command,
            name,
            keys: keys.to_vec(),
            short,
            long,
        };
        let mut list = vec![
            bind(Command::Help, "help", &[c('?')], "help", "the keys of this screen"),
            bind(
                Command::Failover,
                "failover",
                &[c('f')],
                "fail over",
                "fail over the selected database: shows what it would do, then asks for the region's name",
            ),
            bind(
                Command::StopAutomatic,
                "stop",
                &[c('s'), ctrl('s')],
                "stop",
                "stop the countdown of the automatic response; Ctrl-s does it while a confirmation is open",
            ),
            bind(
                Command::TakeOver,
                "for_real",
                &[c('B')],
                "for real",
                "put what was tried in the fork on the real table; there it must be confirmed",
            ),
            bind(
                Command::Answer,
                "answer",
                &[c('a')],
                "answer",
                "answer what the operation asks, abort it or roll it back",
            ),
            bind(
                Command::Enter,
                "open",
                &[p(KeyCode::Enter)],
                "open",
                "open what is selected; on the drills: play it",
            ),
            bind(
                Command::Walk,
                "walk",
                &[c('W')],
                "walk through",
                "walk through the selected scenario: it stops and tells at each turn",
            ),
            bind(Command::Filter, "filter", &[c('/')], "filter", "show only what has these words in it"),
            bind(Command::Sort, "sort", &[c('t')], "sort", "the next order of this list"),
            bind(
                Command::Withdraw,
                "withdraw",
                &[c('w')],
                "withdraw",
                "take the choice off the table: nothing of ours counts down then, failover puts one back",
            ),
            bind(
                Command::Switchover,
                "switchover",
                &[c('o')],
                "switch over",
                "hand over the living primary, or fail back",
            ),
            bind(
                Command::Fork,
                "fork",
                &[c('b')],
                "fork",
                "branch the estate as it stands into a simulation, and try a choice there",
            ),
            bind(Command::Pause, "pause", &[c(' ')], "pause", "pause the simulation or the replay, or go on"),
            bind(Command::Inject, "inject", &[c('i')], "inject", "strike the simulation with a fault"),
            bind(Command::StepOnce, "step", &[c('.')], "", "to the next thing that happens, and pause there"),
            bind(Command::Faster, "faster", &[c('+')], "faster", "ten times faster, up to 1000"),
            bind(Command::Slower, "slower", &[c('-')], "", "ten times slower"),
            bind(
                Command::Mend,
                "mend",
                &[c('m')],
                "mend",
                "end every fault of the simulation, and let what was fenced come back",
            ),
            bind(Command::Later, "later", &[p(KeyCode::Right)], "later", "ten seconds on, in a replay"),
            bind(
                Command::Earlier,
                "earlier",
                &[p(KeyCode::Left)],
                "earlier",
                "ten seconds back, in a replay",
            ),
            bind(
                Command::Note,
                "note",
                &[c('n')],
                "note",
                "write a note into the record: a decision, and why",
            ),
            bind(
                Command::Vouch,
                "vouch",
                &[c('v')],
                "vouch",
                "vouch for a database that the cluster moved by itself, once a write by hand has proven it",
            ),
            bind(
                Command::Export,
                "export",
                &[c('e')],
                "export",
                "write the timeline, as it is filtered, into a file",
            ),
            bind(
                Command::Arm,
                "arm",
                &[c('A')],
                "arm",
                "allow orders to act: asks for the estate's name; or read-only again",
            ),
            bind(
                Command::Palette,
                "palette",
                &[c(':'), ctrl('p')],
                "everything",
                "everything that can be done, by name",
            ),
            bind(
                Command::NextGroup,
                "database",
                &[p(KeyCode::Tab)],
                "",
                "select the next database, which orders are about",
            ),
            bind(
                Command::Back,
                "back",
                &[p(KeyCode::Esc)],
                "back",
                "back: from what is open, from a filter, from a drill or a fork",
            ),
            bind(
                Command::Up,
                "up",
                &[c('k'), p(KeyCode::Up)],
                "",
                "up; on the command screen: back in the story",
            ),
            bind(Command::Down, "down", &[c('j'), p(KeyCode::Down)], "", "down"),
            bind(Command::PageUp, "page_up", &[p(KeyCode::PageUp), ctrl('b')], "", "a page up"),
            bind(Command::PageDown, "page_down", &[p(KeyCode::PageDown), ctrl('f')], "", "a page down"),
            bind(Command::First, "first", &[c('g'), p(KeyCode::Home)], "", "to the first"),
            bind(Command::Last, "last", &[c('G'), p(KeyCode::End)], "", "to the last, and follow it"),
            bind(
                Command::Copy,
                "copy",
                &[c('y')],
                "",
                "copy this screen as text to the terminal's clipboard (OSC 52)",
            ),
            bind(Command::Save, "save", &[c('P')], "", "save this screen as text, ANSI and SVG"),
            bind(Command::NextTheme, "theme", &[c('T')], "", "the next theme"),
            bind(Command::Repaint, "repaint", &[ctrl('l')], "", "draw everything anew"),
            bind(Command::Suspend, "suspend", &[ctrl('z')], "", "back to the shell; `fg` returns"),
            bind(Command::Quit, "quit", &[c('q'), ctrl('c')], "quit", "leave; asks while an operation runs"),
        ];
        list.extend(Screen::ALL.map(|s| bind(Command::Go(s), s.name(), &[c(s.number())], "", s.purpose())));
        KeyMap(list)
    }
}

impl KeyMap {
    /// Every command, with what this screen is for right behind the help.
    pub fn of_screen(&self, screen: Screen) -> impl Iterator<Item = &Binding> {
        let rank = move |b: &&Binding| (b.command != Command::Help, !is_of_screen(b.command, screen));
        let mut list: Vec<&Binding> = self.bindings().iter().collect();
        list.sort_by_key(rank);
        list.into_iter()
    }

    pub fn bindings(&self) -> &[Binding] {
        &self.0
    }

    pub fn of(&self, command: Command) -> Option<&Binding> {
        self.0.iter().find(|b| b.command == command)
    }

    /// The keys of the screens, from the first to the last.
    pub fn screens(&self) -> String {
        format!("{}-{}", self.first(Command::Go(Screen::Command)), self.first(Command::Go(Screen::Log)))
    }

    /// The key of a command that can be told from typing.
    pub fn held(&self, command: Command) -> Option<String> {
        self.of(command)?.keys.iter().find(|k| k.ctrl).map(ToString::to_string)
    }

    /// The first key of a command, as it is written.
    pub fn first(&self, command: Command) -> String {
        self.of(command).and_then(|b| b.keys.first()).map(ToString::to_string).unwrap_or_default()
    }

    /// What a key means on a screen.
    pub fn command(&self, event: KeyEvent) -> Option<Command> {
        let key = Key::of(event)?;
        self.0.iter().find(|b| b.keys.contains(&key)).map(|b| b.command)
    }

    /// Gives a command another key.
    ///
    /// # Errors
    /// There is no such command or key, or the key has a meaning already.
    pub fn change(&mut self, name: &str, keys: &str) -> Result<(), String> {
        let keys: Vec<Key> = keys.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        if let Some(other) = self.0.iter().find(|b| b.name != name && b.keys.iter().any(|k| keys.contains(k)))
        {
            return Err(format!("`{}` has that key already; give it another one first", other.name));
        }
        let known: Vec<&str> = self.0.iter().map(|b| b.name).collect();
        match self.0.iter_mut().find(|b| b.name == name) {
            Some(binding) => {
                binding.keys = keys;
                Ok(())
            }
            None => Err(format!("`{name}` is nothing that can be done; known: {}", known.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyModifiers;

    #[test]
    fn no_key_has_two_meanings() {
        let map = KeyMap::default();
        for (i, b) in map.bindings().iter().enumerate() {
            for other in &map.bindings()[i + 1..] {
                assert!(b.keys.iter().all(|k| !other.keys.contains(k)), "{} and {}", b.name, other.name);
            }
        }
    }

    #[test]
    fn keys_are_written_as_they_are_read() {
        for b in KeyMap::default().bindings() {
            for key in &b.keys {
                assert_eq!(key.to_string().parse(), Ok(*key), "{}", b.name);
            }
        }
    }

    #[test]
    fn keys_can_be_changed_and_clashes_are_told() {
        let mut map = KeyMap::default();
        assert!(map.change("failover", "s").is_err_and(|e| e.contains("`stop` has that key")));
        assert!(map.change("fail over", "F").is_err_and(|e| e.contains("known: help")));
        assert!(map.change("failover", "hyper-x").is_err_and(|e| e.contains("is no key")));
        assert_eq!(map.change("failover", "F ctrl-x"), Ok(()));
        let f = |code| KeyEvent::new(KeyCode::Char(code), KeyModifiers::NONE);
        assert_eq!((map.command(f('f')), map.command(f('F'))), (None, Some(Command::Failover)));
    }
}

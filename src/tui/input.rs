//! What a terminal sends, as events. Whatever is no key of ours is passed over whole: the answer to a question that
//! somebody else asked the terminal must not eat the keys behind it, which is what a parser that waits for a known end
//! does.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// Bytes that have come, until they make an event.
#[derive(Default)]
pub struct Parser {
    bytes: Vec<u8>,
    /// Between the marks of a paste: how much of it there was.
    pasting: bool,
}

const PASTE_END: &[u8] = b"\x1b[201~";
/// A control string is passed over up to this length; longer ones are none.
const STRING: usize = 8 * 1024;

/// What stands at the beginning of the bytes.
enum Found {
    /// An event, or something to be passed over, of this length.
    Event(usize, Option<Event>),
    /// It may go on.
    Unfinished,
}

impl Parser {
    /// True if something has begun that is not finished.
    pub fn waits(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// Takes in bytes.
    pub fn feed(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        self.bytes.extend_from_slice(bytes);
        self.drain(false, events);
    }

    /// Nothing more has come for a while: an escape was the key, and what was begun will not be finished.
    pub fn settle(&mut self, events: &mut Vec<Event>) {
        self.drain(true, events);
        if !self.pasting {
            self.bytes.clear();
        }
    }

    fn drain(&mut self, settled: bool, events: &mut Vec<Event>) {
        let mut from = 0;
        loop {
            let rest = &self.bytes[from..];
            if self.pasting {
                // What is pasted is never typed; only its end matters.
                match find(rest, PASTE_END) {
                    Some(at) => {
                        from += at + PASTE_END.len();
                        self.pasting = false;
                        events.push(Event::Paste(String::new()));
                        continue;
                    }
                    None => {
                        from += rest.len().saturating_sub(PASTE_END.len() - 1);
                        break;
                    }
                }
            }
            if rest.is_empty() {
                break;
            }
            match first(rest, settled) {
                Found::Unfinished => break,
                Found::Event(length, event) => {
                    self.pasting = rest.starts_with(b"\x1b[200~");
                    from += length;
                    events.extend(event);
                }
            }
        }
        self.bytes.drain(..from);
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|w| w == what)
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Option<Event> {
    Some(Event::Key(KeyEvent::new(code, modifiers)))
}

/// The first event of bytes that are not empty.
fn first(bytes: &[u8], settled: bool) -> Found {
    const NONE: KeyModifiers = KeyModifiers::NONE;
    match bytes[0] {
        0x1b => escaped(bytes, settled),
        b'\r' => Found::Event(1, key(KeyCode::Enter, NONE)),
        b'\t' => Found::Event(1, key(KeyCode::Tab, NONE)),
        0x7f | 0x08 => Found::Event(1, key(KeyCode::Backspace, NONE)),
        c @ 0x01..=0x1a => {
            Found::Event(1, key(KeyCode::Char(char::from(c - 1 + b'a')), KeyModifiers::CONTROL))
        }
        0x00..=0x1f => Found::Event(1, None),
        _ => letter(bytes, NONE, 0),
    }
}

/// A letter in UTF-8, behind so many bytes.
fn letter(bytes: &[u8], modifiers: KeyModifiers, behind: usize) -> Found {
    let length = match bytes[0] {
        0x00..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Found::Event(behind + 1, None),
    };
    let Some(text) = bytes.get(..length) else { return Found::Unfinished };
    match std::str::from_utf8(text).ok().and_then(|t| t.chars().next()) {
        Some(c) => Found::Event(behind + length, key(KeyCode::Char(c), modifiers)),
        None => Found::Event(behind + 1, None),
    }
}

fn escaped(bytes: &[u8], settled: bool) -> Found {
    let alone = Found::Event(1, key(KeyCode::Esc, KeyModifiers::NONE));
    match bytes.get(1) {
        None if settled => alone,
        None => Found::Unfinished,
        Some(0x1b) => alone,
        Some(b'[') => sequence(bytes),
        Some(b'O') => match bytes.get(2) {
            None => Found::Unfinished,
            Some(end) => Found::Event(3, named(*end).and_then(|code| key(code, KeyModifiers::NONE))),
        },
        // A control string, to its end: a bell, or escape and backslash.
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let bell = bytes.iter().position(|b| *b == 0x07).map(|at| at + 1);
            let end = find(&bytes[2..], b"\x1b\\").map(|at| at + 4);
            match bell.into_iter().chain(end).min() {
                Some(length) => Found::Event(length, None),
                None if bytes.len() > STRING => Found::Event(bytes.len(), None),
                None => Found::Unfinished,
            }
        }
        Some(c) if *c < 0x20 => Found::Event(2, None),
        Some(_) => letter(&bytes[1..], KeyModifiers::ALT, 1),
    }
}

/// `ESC [`, parameters, intermediates, and a last byte that says what it is.
fn sequence(bytes: &[u8]) -> Found {
    let Some(end) =
        bytes[2..].iter().position(|b| (0x40..=0x7e).contains(b) || *b < 0x20 || *b >= 0x80).map(|at| at + 2)
    else {
        return if bytes.len() > STRING { Found::Event(bytes.len(), None) } else { Found::Unfinished };
    };
    if !(0x40..=0x7e).contains(&bytes[end]) {
        // Broken off by something else, which is looked at anew.
        return Found::Event(end, None);
    }
    let inner = std::str::from_utf8(&bytes[2..end]).unwrap_or_default();
    let event = if let Some(text) = inner.strip_prefix('<') {
        mouse(text, bytes[end] == b'M')
    } else if !inner.is_empty() && !inner.bytes().all(|b| b.is_ascii_digit() || b == b';') {
        None
    } else {
        let numbers: Vec<u16> = inner.split(';').map(|n| n.parse().unwrap_or(0)).collect();
        plain_sequence(bytes[end], &numbers)
    };
    Found::Event(end + 1, event)
}

fn plain_sequence(end: u8, numbers: &[u16]) -> Option<Event> {
    let held = numbers.get(1).map_or(0, |n| n.saturating_sub(1));
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        if held & bit != 0 {
            modifiers |= modifier;
        }
    }
    match end {
        b'I' => Some(Event::FocusGained),
        b'O' => Some(Event::FocusLost),
        b'Z' => key(KeyCode::BackTab, KeyModifiers::SHIFT),
        b'~' => {
            let code = match numbers.first()? {
                1 | 7 => KeyCode::Home,
                3 => KeyCode::Delete,
                4 | 8 => KeyCode::End,
                5 => KeyCode::PageUp,
                6 => KeyCode::PageDown,
                _ => return None,
            };
            key(code, modifiers)
        }
        end => key(named(end)?, modifiers),
    }
}

fn named(end: u8) -> Option<KeyCode> {
    Some(match end {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'M' => KeyCode::Enter,
        _ => return None,
    })
}

/// The wheel and a press of the left button; everything else that a mouse does has no meaning here.
fn mouse(text: &str, pressed: bool) -> Option<Event> {
    let mut numbers = text.split(';').map(|n| n.parse::<u16>().ok());
    let kind = match numbers.next()?? {
        0 if pressed => MouseEventKind::Down(MouseButton::Left),
        64 => MouseEventKind::ScrollUp,
        65 => MouseEventKind::ScrollDown,
        _ => return None,
    };
    // A terminal counts from one.
    let (column, row) = (numbers.next()??.saturating_sub(1), numbers.next()??.saturating_sub(1));
    Some(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &[u8]) -> Vec<String> {
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        parser.feed(text, &mut events);
        parser.settle(&mut events);
        events
            .into_iter()
            .map(|e| match e {
                Event::Key(k) => format!(
                    "{:?}{}",
                    k.code,
                    if k.modifiers.is_empty() { String::new() } else { format!("+{:?}", k.modifiers.bits()) }
                ),
                Event::Mouse(m) if m.kind == MouseEventKind::ScrollUp => format!("{:?}", m.kind),
                Event::Mouse(m) => format!("{:?} at {},{}", m.kind, m.column, m.row),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn keys_are_read() {
        for (text, expected) in [
            (&b"q"[..], "Char('q')"),
            (b"\r", "Enter"),
            (b"\x7f", "Backspace"),
            (b"\x03", "Char('c')+2"),
            (b"\x1b", "Esc"),
            (b"\x1b[A", "Up"),
            (b"\x1bOB", "Down"),
            (b"\x1b[1;5C", "Right+2"),
            (b"\x1b[5~", "PageUp"),
            (b"\x1b[Z", "BackTab+1"),
            (b"\x1bx", "Char('x')+4"),
            ("ü".as_bytes(), "Char('ü')"),
            (b"\x1b[I", "FocusGained"),
            (b"\x1b[<64;3;4M", "ScrollUp"),
            (b"\x1b[<0;3;4M", "Down(Left) at 2,3"),
            (b"\x1b[200~us-east-1\r\x1b[201~", "Paste(\"\")"),
        ] {
            assert_eq!(read(text), [expected], "{text:?}");
        }
    }

    #[test]
    fn late_replies_are_passed_over_whole() {
        for reply in [
            "\x1b[?62;22c",
            "\x1b[24;80R",
            "\x1b]11;rgb:0000/0000/0000\x1b\\",
            "\x1b]11;rgb:0000/0000/0000\x07",
            "\x1bP>|xterm(367)\x1b\\",
            "\x1b[?2026;2$y",
            "\x1b[?1u",
            "\x1b_Gi=31;OK\x1b\\",
            "\x1b[<0;3;4m",
        ] {
            assert_eq!(read(format!("a{reply}q").as_bytes()), ["Char('a')", "Char('q')"], "{reply:?}");
        }
        // One that never ends is forgotten when nothing more comes.
        assert_eq!(read(b"a\x1b]11;rgb"), ["Char('a')"]);
    }

    proptest! {
        /// Whatever comes, in whatever pieces: the same events, no panic, and nothing is kept for good.
        #[test]
        fn pieces_change_nothing(bytes in prop::collection::vec(prop_oneof![Just(0x1bu8), Just(b'['), Just(b'~'), Just(b';'), any::<u8>()], 0..200), cut in 0usize..200) {
            let cut = cut.min(bytes.len());
            let (mut parser, mut events) = (Parser::default(), Vec::new());
            parser.feed(&bytes[..cut], &mut events);
            parser.feed(&bytes[cut..], &mut events);
            parser.settle(&mut events);
            let (mut whole, mut all) = (Parser::default(), Vec::new());
            whole.feed(&bytes, &mut all);
            whole.settle(&mut all);
            prop_assert_eq!(events, all);
            prop_assert!(whole.bytes.len() < PASTE_END.len());
        }
    }
}

//! What is laid over the screen: a confirmation, a question, a list, help. Each takes all keys until it is left.

use super::app::App;
use super::can::can;
use super::confirm::{self, Confirm};
use super::inject::Inject;
use super::keys::Command;
use super::palette::{self, Palette};
use super::panel::Canvas;
use super::text::Row;
use crate::model::*;
use crate::wording::question_words;
use ratatui::text::Line;
use std::time::{Duration, Instant};
use unicode_width::UnicodeWidthStr;

/// Keys that come sooner after a dialog opened, or after the terminal got its focus back, were meant for something
/// else.
const DEAF: Duration = Duration::from_millis(500);

pub enum Dialog {
    Confirm(Box<Confirm>),
    /// An operation asks, or is to be stopped.
    Question(Question),
    Arm {
        typed: String,
    },
    /// What is to strike the simulation.
    Inject(Inject),
    /// The lines from this one on.
    Help {
        from: usize,
    },
    Palette(Palette),
    /// A note for the record.
    Note {
        typed: String,
    },
    /// Somebody vouches for a database, with the words how they have seen it.
    Vouch {
        group: GroupId,
        typed: String,
    },
    /// Something that a `y` does, and nothing else.
    Sure(Sure),
    /// Something to read; Enter goes on, and any other key does so and means what it means, unless something may be `typed`
    /// that was meant for what did not open.
    Told {
        text: String,
        typed: bool,
    },
}

/// What is asked once more before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    Quit,
    /// Out of a drill that is not over: the keys after that are about something else.
    LeaveDrill,
    /// Nothing acts any more.
    Disarm,
}

pub struct Question {
    pub operation: OperationId,
    pub step: Option<u16>,
    pub typed: String,
}

/// When a dialog began to listen.
#[derive(Clone, Copy)]
pub struct Listening(Instant);

impl Listening {
    pub fn from_now() -> Listening {
        Listening(Instant::now())
    }

    pub fn hears(self) -> bool {
        self.0.elapsed() >= DEAF
    }
}

/// The lines of a dialog, and where its cursor is, if it has one.
pub fn lines(app: &App, dialog: &Dialog, c: &Canvas, height: usize) -> Vec<Line<'static>> {
    let hears = app.hears();
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let plain = |text: &str| Row::new().rest(g, &format!(" {text}"), c.width, t.text).line();
    match dialog {
        Dialog::Confirm(confirm) => confirm::lines(confirm, c, hears, height),
        Dialog::Question(question) => question_lines(question, c),
        Dialog::Arm { typed } => vec![
            Row::new().rest(g, " ARM: orders will act on real systems", c.width, t.title).line(),
            plain(&format!("type {} to arm, Esc to leave it read-only", s.estate.name)),
            field(c, typed, true),
        ],
        Dialog::Inject(inject) => inject.lines(c, height),
        Dialog::Help { from } => help(app, c, *from, height),
        Dialog::Palette(palette) => palette_lines(app, palette, c),
        Dialog::Note { typed } => {
            vec![
                Row::new().rest(g, " NOTE for the record: a decision, and why", c.width, t.title).line(),
                plain(match s.mode {
                    Mode::Live => "it stands in the journal with your name and the time",
                    _ => "a simulation keeps its record to itself: export it (6, e)",
                }),
                plain("Enter writes it, Esc leaves"),
                field(c, typed, true),
            ]
        }
        Dialog::Vouch { group, typed } => vouch_lines(*group, typed, c),
        Dialog::Sure(Sure::LeaveDrill) => vec![
            Row::new().rest(g, " LEAVE the drill? It is not over", c.width, t.title).line(),
            plain("what stands behind it is shown then, and keys are about that"),
            plain("y leaves, any other key stays"),
        ],
        Dialog::Sure(Sure::Disarm) => vec![
            Row::new()
                .rest(g, " READ-ONLY: nothing acts any more, automation neither", c.width, t.title)
                .line(),
            plain("what runs stops where it is, until somebody arms it again"),
            plain("y makes it read-only, any other key leaves it armed"),
        ],
        Dialog::Sure(Sure::Quit) => vec![
            Row::new()
                .rest(
                    g,
                    if s.open().next().is_some() {
                        " LEAVE while an operation runs?"
                    } else {
                        " LEAVE while there is something to decide?"
                    },
                    c.width,
                    t.title,
                )
                .line(),
            plain(match s.mode {
                Mode::Live if s.open().next().is_none() => {
                    "no countdown runs, and nothing is watched, unless another controller does (`bpci serve`)"
                }
                Mode::Live => "it stops where it is, and goes on when the program starts again",
                _ => "it is a simulation, and ends with the program; Esc stays",
            }),
            plain("y leaves, any other key stays"),
        ],
        Dialog::Told { text, .. } => {
            let mut lines = Vec::new();
            for part in wrap(text, c.width.saturating_sub(3)) {
                lines.push(plain(&part));
            }
            lines.push(Row::new().rest(g, " Enter or Esc goes on", c.width, t.dim).line());
            lines
        }
    }
}

pub(super) fn field(c: &Canvas, typed: &str, here: bool) -> Line<'static> {
    let (t, g) = (c.theme, c.glyphs);
    let cursor = if here { "_" } else { "" };
    // What is typed last is seen, however much there is.
    let room = c.width.saturating_sub(5);
    let typed = g.plain(typed);
    let mut from = 0;
    while typed[from..].width() > room {
        from += typed[from..].chars().next().map_or(1, char::len_utf8);
    }
    let more = match (from, g.ascii) {
        (0, _) => "",
        (_, true) => "~",
        (_, false) => "…",
    };
    Row::new()
        .add(" > ", t.key)
        .add(more, t.dim)
        .add(typed[from..].to_string(), t.strong)
        .add(cursor, t.key)
        .line()
}

/// The answers an operation takes now.
pub fn answers(s: &Snapshot, o: &Operation) -> Vec<(&'static str, &'static str)> {
    let mut list = Vec::new();
    // Beside a new leader the old primary is not brought back.
    let moved = o.moved_on(s.group(o.group).and_then(|v| v.leader));
    let asks = o
        .plan
        .steps
        .iter()
        .zip(&o.steps)
        .any(|(s, r)| matches!(s.kind, StepKind::AskPerson { .. }) && r.state == StepState::Running);
    let failed = o.steps.iter().any(|r| matches!(r.state, StepState::Failed { .. }));
    if asks {
        list.push(("done", "it is done"));
    }
    if failed {
        list.push(("again", "try the step again"));
        list.push(("without", "go on without the step, where safety does not rest on it"));
    }
    if o.lacks_only_protection() && matches!(o.status, Status::Waiting { .. }) {
        list.push(("accept", "accept that it is unprotected"));
    }
    if (o.handed_over() || moved) && matches!(o.status, Status::Waiting { .. }) {
        list.push(("abort", "give it up: what was done stays as it is; then fail over anew"));
    }
    if !o.handed_over() && !moved {
        let ran = o.effects().any(|e| e.may_have_happened() && matches!(e.effect, Effect::Command { .. }));
        list.push(match (o.has_acted(), ran) {
            (true, true) => (
                "rollback",
                "undo the drain, and the fence where it has an undo; commands that ran stay done",
            ),
            (true, false) => ("rollback", "undo the drain, and the fence where it has an undo"),
            (false, _) => ("abort", "end it: nothing has been changed yet"),
        });
    }
    list
}

/// The database to vouch for: the selected one, else the first that is unproven.
pub fn unproven(s: &Snapshot, selected: GroupId) -> Option<GroupId> {
    let open = || s.groups.iter().filter(|v| v.unproven).map(|v| v.group);
    open().find(|g| *g == selected).or_else(|| open().next())
}

fn vouch_lines(group: GroupId, typed: &str, c: &Canvas) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let group = c.snapshot.estate.group(group);
    let plain = |text: &str| Row::new().rest(g, &format!(" {text}"), c.width, t.text).line();
    let mut lines = vec![
        Row::new().rest(g, &format!(" VOUCH for {}: it takes writes", group.name), c.width, t.title).line(),
    ];
    let first = format!("first prove it: {}", crate::wording::by_hand(group));
    lines.extend(wrap(&first, c.width.saturating_sub(2).max(10)).iter().map(|part| plain(part)));
    lines.push(plain("write how you have seen it; Enter vouches, Esc leaves"));
    lines.push(field(c, typed, true));
    lines
}

/// The operation that an answer is about: the selected database's, whether it can still be taken back or not. Where none runs
/// for that one: one that asks, else the newest that can be taken back.
pub fn answered(s: &Snapshot, selected: GroupId) -> Option<&Operation> {
    let open = || s.open().map(|o| &**o);
    match open().find(|o| o.group == selected) {
        Some(own) => Some(own).filter(|o| !answers(s, o).is_empty()),
        None => open()
            .filter(|o| !answers(s, o).is_empty())
            .min_by_key(|o| !matches!(o.status, Status::Waiting { .. })),
    }
}

/// The step that an answer is about.
pub fn asked_step(o: &Operation) -> Option<u16> {
    o.plan
        .steps
        .iter()
        .zip(&o.steps)
        .position(|(s, r)| {
            matches!(r.state, StepState::Failed { .. })
                || (matches!(s.kind, StepKind::AskPerson { .. }) && r.state == StepState::Running)
        })
        .map(|n| n as u16)
}

fn question_lines(question: &Question, c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let Some(o) = s.operations.iter().find(|o| o.id == question.operation) else { return Vec::new() };
    let waits = matches!(o.status, Status::Waiting { .. });
    let way = format!(
        "{} of {}  {} {} {}",
        o.id,
        s.estate.group(o.group).name,
        s.estate.region(o.from).name,
        g.arrow,
        s.label(o.group, o.to)
    );
    let title = format!(" {}  {way}", if waits { "ANSWER" } else { "TAKE BACK" });
    let mut lines = vec![Row::new().rest(g, &title, c.width, t.title).line()];
    if answers(s, o).is_empty() {
        let text = match o.handed_over() {
            true => " too late: the lock is handed over, and nothing can be taken back; Esc leaves",
            false => " nothing is asked any more; Esc leaves",
        };
        lines.push(Row::new().rest(g, text, c.width, t.bad).line());
        return lines;
    }
    if let Status::Waiting { question } = &o.status {
        for part in wrap(&question_words(question), c.width.saturating_sub(4)) {
            lines.push(Row::new().rest(g, &format!("   {part}"), c.width, t.strong).line());
        }
    }
    for (word, meaning) in answers(s, o) {
        lines.push(
            Row::new().add("   ", t.text).left(g, word, 10, t.key).rest(g, meaning, c.width, t.text).line(),
        );
    }
    lines
        .push(Row::new().rest(g, " type one of these words, then Enter; Esc leaves", c.width, t.text).line());
    lines.push(field(c, &question.typed, true));
    lines
}

/// The keys: what can be done here and now first, then what cannot, with the reason.
fn help(app: &App, c: &Canvas, from: usize, height: usize) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let purpose = format!("{}: {}", app.screen.name(), app.screen.purpose());
    let mut lines = vec![Row::new().add(" HELP  ", t.title).rest(g, &purpose, c.width, t.text).line()];
    let screens: Vec<String> =
        super::places::Screen::ALL.iter().map(|s| format!("{} {}", s.number(), s.name())).collect();
    let mut all = vec![(app.keys.screens(), screens.join(", "), t.text)];
    for possible in [true, false] {
        for b in app
            .keys
            .of_screen(app.screen)
            .filter(|b| !b.keys.is_empty() && !matches!(b.command, Command::Go(_)))
        {
            match can(b.command, app, c.snapshot, c.selected) {
                Ok(()) if possible => all.push((b.shown(), b.long.to_string(), t.text)),
                Err(why) if !possible => {
                    all.push((b.shown(), format!("{} {} not now: {why}", b.long, g.dash), t.dim))
                }
                _ => {}
            }
        }
    }
    let mut body: Vec<Line<'static>> = Vec::new();
    for (keys, text, style) in all {
        for (i, part) in wrap(&g.plain(&text), c.width.saturating_sub(17).max(10)).into_iter().enumerate() {
            let keys = if i == 0 { keys.as_str() } else { "" };
            body.push(
                Row::new().add("   ", t.text).left(g, keys, 13, t.key).rest(g, &part, c.width, style).line(),
            );
        }
    }
    let room = height.saturating_sub(2);
    let from = from.min(body.len().saturating_sub(room));
    let more = body.len() > from + room;
    lines.extend(body.into_iter().skip(from).take(room));
    let foot = if more { " down or space for more, any other key goes back" } else { " any key goes back" };
    lines.push(Row::new().rest(g, foot, c.width, t.dim).line());
    lines
}

fn palette_lines(app: &App, palette: &Palette, c: &Canvas) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let items = palette::items(palette, &app.keys, app, c.snapshot);
    let mut lines = vec![
        Row::new()
            .add(" DO OR FIND  ", t.title)
            .rest(g, "type a part of its name; Enter takes it, Tab completes, Esc leaves", c.width, t.dim)
            .line(),
        field(c, &palette.typed, true),
    ];
    for (i, item) in items.iter().enumerate() {
        let style = if item.barred.is_some() { t.dim } else { t.text };
        let what = item.barred.map_or_else(|| item.what.clone(), |why| format!("not now: {why}"));
        let line = Row::new()
            .add(if i == palette.chosen { format!(" {} ", g.now) } else { "   ".to_string() }, t.accent)
            .left(g, &item.name, 24, style)
            .left(g, &item.key, 9, t.key)
            .rest(g, &what, c.width, t.dim)
            .line();
        lines.push(line);
    }
    if items.is_empty() {
        lines.push(Row::new().rest(g, "   nothing has that name", c.width, t.dim).line());
    }
    // It does not jump while it is typed into.
    lines.resize(palette::SHOWN + 2, Line::default());
    lines
}

/// Words in lines of a width.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |l| l.width());
        if last > 0 && last + 1 + word.width() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

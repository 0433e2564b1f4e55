//! The lines of what is laid over the screen.

use super::answers::answers;
use super::app::App;
use super::can::can;
use super::confirm_lines;
use super::dialog::{Dialog, Palette, Question, Sure};
use super::field::field;
use super::keys::Command;
use super::palette;
use super::panel::Canvas;
use super::places::Screen;
use super::text::{Row, wrap};
use crate::model::*;
use crate::wording::question_words;
use ratatui::text::Line;

pub fn lines(app: &App, dialog: &Dialog, c: &Canvas, height: usize) -> Vec<Line<'static>> {
    let hears = app.hears();
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let plain = |text: &str| Row::new().rest(g, &format!(" {text}"), c.width, t.text).line();
    match dialog {
        Dialog::Confirm(confirm) => confirm_lines::lines(confirm, c, hears, height),
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
    let screens: Vec<String> = Screen::ALL.iter().map(|s| format!("{} {}", s.number(), s.name())).collect();
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

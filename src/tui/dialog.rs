//! What is laid over the screen: a confirmation, a question, a list, help. Each takes all keys until it is left.

use super::app::App;
use super::can::can;
use super::glyph::Glyphs;
use super::keys::Command;
use super::palette::{self, Palette};
use super::panel::Canvas;
use super::text::Row;
use super::theme::Theme;
use crate::model::*;
use ratatui::text::Line;
use std::time::{Duration, Instant};

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
    Inject {
        selected: usize,
    },
    /// The lines from this one on.
    Help {
        from: usize,
    },
    Palette(Palette),
    /// A note for the record.
    Note {
        typed: String,
    },
    Quit,
    /// Something to read; any key goes on.
    Told {
        text: String,
    },
}

/// A confirmation, bound to what was on the screen when it opened.
pub struct Confirm {
    pub shown: ProposalView,
    pub seen: Utc,
    pub typed: String,
    pub risk: String,
    /// The typing is in the risk's field.
    pub in_risk: bool,
    /// What was different when the facts changed under it.
    pub changed: Vec<String>,
    /// It was put on the table by this screen, to be looked at.
    pub ours: bool,
    /// What was typed and is not what was asked for.
    pub wrong: Option<String>,
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

impl Confirm {
    pub fn new(shown: &ProposalView, seen: Utc) -> Confirm {
        Confirm {
            shown: shown.clone(),
            seen,
            typed: String::new(),
            risk: String::new(),
            in_risk: false,
            changed: Vec::new(),
            ours: false,
            wrong: None,
        }
    }

    /// Holds what is shown against the newest facts: a change voids what was typed, and is shown.
    pub fn refresh(&mut self, snapshot: &Snapshot) -> bool {
        let Some(now) = snapshot.proposals.iter().find(|v| v.proposal.id == self.shown.proposal.id) else { return false };
        let same = now.assessment.evidence == self.shown.assessment.evidence && now.assessment.nonce == self.shown.assessment.nonce;
        if !same {
            for change in differences(&self.shown.assessment, &now.assessment, &snapshot.estate) {
                if !self.changed.contains(&change) {
                    self.changed.push(change);
                }
            }
            self.typed.clear();
            self.risk.clear();
            self.in_risk = false;
        }
        self.shown = now.clone();
        // While nothing that decides has changed, what stands on the screen is what stands now.
        self.seen = snapshot.now.utc;
        true
    }
}

fn differences(old: &Assessment, new: &Assessment, estate: &Estate) -> Vec<String> {
    let mut list: Vec<String> = new
        .checks
        .iter()
        .filter(|n| !old.checks.iter().any(|o| o.name == n.name && o.verdict == n.verdict))
        .map(|n| format!("{}: {}", n.name, n.text))
        .collect();
    if old.to != new.to {
        let name = |r: Option<RegionId>| r.map_or("nobody", |r| estate.region(r).name.as_str());
        list.insert(0, format!("it goes to {} now, not to {}", name(new.to), name(old.to)));
    }
    if old.risk != new.risk {
        list.push(format!("risk: {}", new.risk.as_deref().unwrap_or("none any more")));
    }
    if list.is_empty() {
        list.push("the store's keys were written".to_string());
    }
    list
}

/// The lines of a dialog, and where its cursor is, if it has one.
pub fn lines(app: &App, dialog: &Dialog, c: &Canvas, height: usize) -> Vec<Line<'static>> {
    let hears = app.hears();
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let plain = |text: &str| Row::new().rest(g, &format!(" {text}"), c.width, t.text).line();
    match dialog {
        Dialog::Confirm(confirm) => confirm_lines(confirm, c, hears),
        Dialog::Question(question) => question_lines(question, c),
        Dialog::Arm { typed } => vec![
            Row::new().rest(g, " ARM: orders will act on real systems", c.width, t.title).line(),
            plain(&format!("type {} to arm, Esc to leave it read-only", s.estate.name)),
            field(t, g, typed, true),
        ],
        Dialog::Inject { selected } => {
            let mut lines = vec![Row::new().rest(g, " INJECT into the simulation: up, down, Enter; Esc leaves", c.width, t.title).line()];
            for (i, text) in faults(s).iter().enumerate() {
                lines.push(Row::new().rest(g, &format!("   {text}"), c.width, if i == *selected { t.selected } else { t.text }).line());
            }
            lines
        }
        Dialog::Help { from } => help(app, c, *from, height),
        Dialog::Palette(palette) => palette_lines(app, palette, c),
        Dialog::Note { typed } => vec![
            Row::new().rest(g, " NOTE for the record: a decision, and why", c.width, t.title).line(),
            plain("it stands in the journal with your name and the time; Enter writes it, Esc leaves"),
            field(t, g, typed, true),
        ],
        Dialog::Quit => vec![
            Row::new().rest(g, " LEAVE while an operation runs?", c.width, t.title).line(),
            plain("it stops where it is, and goes on when the program starts again"),
            plain("y leaves, any other key stays"),
        ],
        Dialog::Told { text } => {
            let mut lines = Vec::new();
            for part in wrap(text, c.width.saturating_sub(3)) {
                lines.push(plain(&part));
            }
            lines.push(Row::new().rest(g, " any key goes on", c.width, t.dim).line());
            lines
        }
    }
}

fn field(t: &Theme, g: &Glyphs, typed: &str, here: bool) -> Line<'static> {
    let cursor = if here { "_" } else { "" };
    Row::new().add(" > ", t.key).add(g.plain(typed), t.strong).add(cursor, t.key).line()
}

fn confirm_lines(confirm: &Confirm, c: &Canvas, hears: bool) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let (p, a) = (&confirm.shown.proposal, &confirm.shown.assessment);
    let from = &s.estate.region(p.from).name;
    let to = a.to.map_or("?", |r| s.estate.region(r).name.as_str());
    let identity = a.checks.iter().find(|k| k.name == "identity").map_or("", |k| k.text.as_str());
    let title = format!(" CONFIRM  {} {}  {from} {} {to}", p.plan, s.estate.group(p.group).name, g.arrow);
    let mut lines = vec![Row::new().rest(g, &title, c.width, t.title).line()];
    if !identity.is_empty() {
        lines.push(Row::new().left(g, "   of", 14, t.dim).rest(g, identity, c.width, t.text).line());
    }
    if p.intent != Intent::Guided {
        let style = if a.loss == Loss::Nothing { t.ok } else { t.bad };
        lines.extend(super::panel::said(c, "loses", &a.loss.to_string(), style));
        lines.extend(super::panel::said(c, "leave it", &a.otherwise, t.text));
    }
    if let Some(step) = a.no_return_after {
        let name = s.estate.plan_named(&p.plan).and_then(|p| p.steps.get(usize::from(step))).map_or("?", |s| s.id.as_str());
        lines.push(Row::new().left(g, "   no return", 14, t.dim).rest(g, &format!("after step {}, {name}", step + 1), c.width, t.text).line());
    }
    lines.extend(super::panel::checks(c, a, 4));
    for change in &confirm.changed {
        lines.push(Row::new().add("   changed: ", t.bad).rest(g, change, c.width, t.bad).line());
    }
    if let Some(block) = a.blocked() {
        lines.push(Row::new().rest(g, &format!(" refused as it stands: {}", block.name), c.width, t.bad).line());
        if block.name == "observers" {
            let text = " to go on all the same: `bpci bc disaster-recovery trigger … --manual-override`, which fences it first";
            lines.push(Row::new().rest(g, text, c.width, t.dim).line());
        }
        lines.push(Row::new().rest(g, " Esc leaves", c.width, t.dim).line());
        return lines;
    }
    let wait = if hears { "" } else { "   (listens in a moment)" };
    if let Some(wrong) = &confirm.wrong {
        lines.push(Row::new().rest(g, &format!(" {} {wrong}", g.bad), c.width, t.bad).line());
    }
    let of = if a.risk.is_some() { " 1 of 2:" } else { "" };
    lines.push(Row::new().rest(g, &format!("{of} type {from}, then Enter; Esc leaves{wait}"), c.width, t.strong).line());
    lines.push(field(t, g, &confirm.typed, !confirm.in_risk));
    if let Some(risk) = &a.risk {
        lines.push(Row::new().rest(g, &format!(" 2 of 2: take the risk upon you, type: {risk}"), c.width, t.bad).line());
        lines.push(field(t, g, &confirm.risk, confirm.in_risk));
    }
    lines
}

/// The answers an operation takes now.
pub fn answers(o: &Operation) -> Vec<(&'static str, &'static str)> {
    let mut list = Vec::new();
    let asks = o.plan.steps.iter().zip(&o.steps).any(|(s, r)| matches!(s.kind, StepKind::AskPerson { .. }) && r.state == StepState::Running);
    let failed = o.steps.iter().any(|r| matches!(r.state, StepState::Failed { .. }));
    if asks {
        list.push(("done", "it is done"));
    }
    if failed {
        list.push(("again", "try the step again"));
        list.push(("without", "go on without the step, where safety does not rest on it"));
    }
    if matches!(&o.status, Status::Waiting { question } if question.contains("unprotected")) {
        list.push(("accept", "accept that it is unprotected"));
    }
    if !o.handed_over() {
        list.push(if o.has_acted() { ("rollback", "undo the fence and the drain") } else { ("abort", "end it; nothing was changed") });
    }
    list
}

/// The step that an answer is about.
pub fn asked_step(o: &Operation) -> Option<u16> {
    o.plan
        .steps
        .iter()
        .zip(&o.steps)
        .position(|(s, r)| {
            matches!(r.state, StepState::Failed { .. }) || (matches!(s.kind, StepKind::AskPerson { .. }) && r.state == StepState::Running)
        })
        .map(|n| n as u16)
}

fn question_lines(question: &Question, c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let Some(o) = s.operations.iter().find(|o| o.id == question.operation) else { return Vec::new() };
    let mut lines = vec![Row::new().rest(g, &format!(" ANSWER  {}", o.id), c.width, t.title).line()];
    if let Status::Waiting { question } = &o.status {
        for part in wrap(question, c.width.saturating_sub(4)) {
            lines.push(Row::new().rest(g, &format!("   {part}"), c.width, t.strong).line());
        }
    }
    for (word, meaning) in answers(o) {
        lines.push(Row::new().add("   ", t.text).left(g, word, 10, t.key).rest(g, meaning, c.width, t.text).line());
    }
    lines.push(Row::new().rest(g, " type one of these words, then Enter; Esc leaves", c.width, t.text).line());
    lines.push(field(t, g, &question.typed, true));
    lines
}

/// Every fault that can be injected, as the order is written.
pub fn faults(s: &Snapshot) -> Vec<String> {
    let mut list = Vec::new();
    for kind in FaultKind::ALL {
        for id in s.estate.region_ids() {
            list.push(format!("{kind} {}", s.estate.region(id).name));
        }
    }
    list
}

/// The keys: what can be done here and now first, then what cannot, with the reason.
fn help(app: &App, c: &Canvas, from: usize, height: usize) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let purpose = format!("{}: {}", app.screen.name(), app.screen.purpose());
    let mut lines = vec![Row::new().add(" HELP  ", t.title).rest(g, &purpose, c.width, t.text).line()];
    let mut all = Vec::new();
    for possible in [true, false] {
        for b in app.keys.bindings().iter().filter(|b| !b.keys.is_empty() && !matches!(b.command, Command::Go(_))) {
            match can(b.command, app, c.snapshot) {
                Ok(()) if possible => all.push((b.shown(), b.long.to_string(), t.text)),
                Err(why) if !possible => all.push((b.shown(), format!("{} {} not now: {why}", b.long, g.dash), t.dim)),
                _ => {}
            }
        }
        if possible {
            let screens: Vec<String> = super::places::Screen::ALL.iter().map(|s| format!("{} {}", s.number(), s.name())).collect();
            all.push(("1-8".to_string(), screens.join(", "), t.text));
        }
    }
    let mut body: Vec<Line<'static>> = Vec::new();
    for (keys, text, style) in all {
        for (i, part) in wrap(&g.plain(&text), c.width.saturating_sub(17).max(10)).into_iter().enumerate() {
            let keys = if i == 0 { keys.as_str() } else { "" };
            body.push(Row::new().add("   ", t.text).left(g, keys, 13, t.key).rest(g, &part, c.width, style).line());
        }
    }
    let room = height.saturating_sub(2);
    let from = from.min(body.len().saturating_sub(room));
    let more = body.len() > from + room;
    lines.extend(body.into_iter().skip(from).take(room));
    let foot = if more { " down for more, any other key goes back" } else { " any key goes back" };
    lines.push(Row::new().rest(g, foot, c.width, t.dim).line());
    lines
}

fn palette_lines(app: &App, palette: &Palette, c: &Canvas) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let items = palette::items(palette, &app.keys, app, c.snapshot);
    let mut lines = vec![
        Row::new().add(" DO OR FIND  ", t.title).rest(g, "type a part of its name; Enter takes it, Tab completes, Esc leaves", c.width, t.dim).line(),
        field(t, g, &palette.typed, true),
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
        let last = lines.last_mut().map_or(0, |l| l.chars().count());
        if last > 0 && last + 1 + word.chars().count() > width {
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

//! What is laid over the screen: a confirmation, a question, a list, help. Each takes all keys until it is left.

use super::glyph::Glyphs;
use super::keys::{BINDINGS, When};
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
    Help,
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
        Confirm { shown: shown.clone(), seen, typed: String::new(), risk: String::new(), in_risk: false, changed: Vec::new() }
    }

    /// Holds what is shown against the newest facts: a change voids what was typed, and is shown.
    pub fn refresh(&mut self, snapshot: &Snapshot) -> bool {
        let Some(now) = snapshot.proposals.iter().find(|v| v.proposal.id == self.shown.proposal.id) else { return false };
        let same = now.assessment.evidence == self.shown.assessment.evidence && now.assessment.nonce == self.shown.assessment.nonce;
        if !same {
            self.changed = differences(&self.shown.assessment, &now.assessment);
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

fn differences(old: &Assessment, new: &Assessment) -> Vec<String> {
    let mut list: Vec<String> = new
        .checks
        .iter()
        .filter(|n| !old.checks.iter().any(|o| o.name == n.name && o.verdict == n.verdict))
        .map(|n| format!("{}: {}", n.name, n.text))
        .collect();
    if old.to != new.to {
        list.push("another candidate".to_string());
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
pub fn lines(dialog: &Dialog, c: &Canvas, hears: bool) -> Vec<Line<'static>> {
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
        Dialog::Help => help(c),
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
        lines.push(Row::new().left(g, "   loses", 14, t.dim).rest(g, &a.loss.to_string(), c.width, style).line());
        lines.push(Row::new().left(g, "   leave it", 14, t.dim).rest(g, &a.otherwise, c.width, t.text).line());
    }
    if let Some(step) = a.no_return_after {
        let name = s.estate.plan_named(&p.plan).and_then(|p| p.steps.get(usize::from(step))).map_or("?", |s| s.id.as_str());
        lines.push(Row::new().left(g, "   no return", 14, t.dim).rest(g, &format!("after step {}, {name}", step + 1), c.width, t.text).line());
    }
    lines.extend(super::panel::checks(c, a));
    for change in &confirm.changed {
        lines.push(Row::new().add("   changed: ", t.bad).rest(g, change, c.width, t.bad).line());
    }
    if let Some(block) = a.blocked() {
        lines.push(Row::new().rest(g, &format!(" refused as it stands: {}", block.name), c.width, t.bad).line());
        lines.push(Row::new().rest(g, " Esc leaves", c.width, t.dim).line());
        return lines;
    }
    if let Some(risk) = &a.risk {
        lines.push(Row::new().rest(g, &format!(" the risk, to be typed as it stands: {risk}"), c.width, t.bad).line());
        lines.push(field(t, g, &confirm.risk, confirm.in_risk));
    }
    let wait = if hears { "" } else { "   (listens in a moment)" };
    lines.push(Row::new().rest(g, &format!(" type {from}, then Enter; Esc leaves{wait}"), c.width, t.strong).line());
    lines.push(field(t, g, &confirm.typed, !confirm.in_risk));
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

fn help(c: &Canvas) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let mut lines = vec![Row::new().rest(g, " HELP  any key goes back", c.width, t.title).line()];
    for b in BINDINGS {
        let here = match b.when {
            When::Simulated => c.snapshot.world.is_some(),
            When::Live => c.snapshot.world.is_none(),
            _ => true,
        };
        let style = if here { t.text } else { t.dim };
        let note = if here { "" } else { " (not here)" };
        lines.push(Row::new().add("   ", t.text).left(g, b.shown, 7, t.key).rest(g, &format!("{}{note}", b.long), c.width, style).line());
    }
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

//! An operation: its steps on a line of time, the path that took longest, and what each step rests on.

use super::fact;
use crate::forecast;
use crate::model::*;
use crate::tui::panel::Canvas;
use crate::tui::text::Row;
use crate::wording::{
    evidence_words, failure_words, operation_failure_words, outcome_words, question_words, remains_words,
    skip_words, wait_words,
};
use ratatui::style::Style;
use ratatui::text::Line;

fn operation_of<'a>(c: &Canvas<'a>, id: u64) -> Option<&'a Operation> {
    c.snapshot.operations.iter().find(|o| u64::from(o.id.0) == id).map(|o| &**o)
}

/// Before anything has run: what would.
pub fn plans(c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut lines =
        vec![Row::new().rest(g, "   no operation yet; these plans are ready", c.width, t.dim).line()];
    for plan in &s.estate.plans {
        lines.push(Line::default());
        lines.push(
            Row::new()
                .left(g, &format!("   {}", plan.name), 18, t.strong)
                .rest(g, &plan.title, c.width, t.dim)
                .line(),
        );
        for phase in Phase::ALL {
            let steps: Vec<&str> =
                plan.steps.iter().filter(|s| s.phase == *phase).map(|s| s.id.as_str()).collect();
            if !steps.is_empty() {
                lines.extend(fact(c, phase.name(), &steps.join(&format!(" {} ", g.dot)), t.text));
            }
        }
    }
    lines
}

fn status_style(c: &Canvas, o: &Operation) -> Style {
    let t = c.theme;
    match &o.status {
        Status::Recovered => t.ok,
        Status::Waiting { .. } | Status::Failed { .. } | Status::TargetLost => t.bad,
        Status::RecoveredUnprotected { .. }
        | Status::Running
        | Status::RollingBack { .. }
        | Status::NotValidated { .. } => t.warn,
        Status::RolledBack
        | Status::Aborted { .. }
        | Status::ElectedElsewhere { .. }
        | Status::Superseded { .. } => t.dim,
    }
}

pub fn row(c: &Canvas, id: u64) -> Line<'static> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let Some(o) = operation_of(c, id) else { return Line::default() };
    let mark = match &o.status {
        Status::Recovered => g.done,
        Status::Waiting { .. } => g.alarm,
        Status::Failed { .. } => g.bad,
        status if status.is_over() => g.dash,
        _ => g.now,
    };
    let style = status_style(c, o);
    let way = format!("{} {} {}", s.estate.region(o.from).name, g.arrow, s.label(o.group, o.to));
    let took = o.recovery_time().map_or_else(String::new, |took| format!(", served after {}", took.exact()));
    // Where it went is never cut for how it ended: that is told below, whole.
    let ended = format!("{}{took}", o.status.word());
    let row = Row::new().add(format!(" {mark} "), style).add(format!("{} ", o.started.clock()), t.dim);
    // The title below has its name.
    let row = if c.width < 96 { row } else { row.left(g, &o.id.to_string(), 12, t.text) };
    row.left(g, &s.estate.group(o.group).name, 13, t.strong)
        .add(format!("{way}  "), t.text)
        .rest(g, &ended, c.width, style)
        .fitted(g, c.width)
        .line()
}

pub fn detail(c: &Canvas, id: u64) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let Some(o) = operation_of(c, id) else { return Vec::new() };
    let mut lines = Vec::new();
    let total = o.finished.unwrap_or(s.now.utc).since(o.started);
    let title = format!(
        "  {} of {} steps {} {} {} {total}",
        o.done_count(),
        o.plan.steps.len(),
        g.dot,
        o.status.word(),
        g.dot
    );
    lines.push(
        Row::new()
            .add(format!(" {} by {}", o.id, g.plain(&o.by.to_string())), t.title)
            .rest(g, &title, c.width, status_style(c, o))
            .line(),
    );
    if let Status::Waiting { question } = &o.status {
        lines.extend(fact(c, "waits", &question_words(question), t.bad));
    }
    if let Status::Failed { reason } = &o.status {
        lines.extend(fact(c, "failed", &operation_failure_words(reason), t.bad));
    }
    if let Some(text) = crate::wording::closed_words(o, &o.status, &s.estate) {
        lines.extend(fact(c, "closed", &text, t.warn));
    }
    // Of what is over that matters first.
    if o.is_over() {
        lines.extend(left(c, o));
    }
    lines.extend(gantt(c, o));
    for (i, step) in o.plan.steps.iter().enumerate() {
        let text = words(c, o, i);
        if !text.is_empty() {
            lines.extend(fact(c, &step.id, &text, t.text));
        }
    }
    lines.extend(results(c, o));
    if !o.is_over() {
        lines.extend(left(c, o));
    }
    lines
}

/// What is left to do.
fn left(c: &Canvas, o: &Operation) -> Vec<Line<'static>> {
    let (s, t) = (c.snapshot, c.theme);
    let mut lines: Vec<Line<'static>> =
        remains_words(o, &s.estate).into_iter().flat_map(|text| fact(c, "remains", &text, t.text)).collect();
    if let Some(command) = o.unfence(&s.estate) {
        let text = format!("{command} (once it is well; Patroni brings it back as a standby)");
        lines.extend(fact(c, "unfence with", &text, t.text));
    }
    lines
}

/// A bar for each step, from when it began to when it ended; what the end waited for stands out.
fn gantt(c: &Canvas, o: &Operation) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let end =
        o.steps.iter().filter_map(|r| r.finished.or(r.started.map(|_| s.now.utc))).max().unwrap_or(o.started);
    let total = end.since(o.started).0.max(1);
    let width = c.width.saturating_sub(16 + 3 + 9).min(100);
    if width < 8 {
        return Vec::new();
    }
    let critical = critical(o);
    let cell =
        |at: Utc| usize::try_from(at.since(o.started).0 * width as u64 / total).unwrap_or(width).min(width);
    let mut lines = Vec::new();
    for (i, (step, record)) in o.plan.steps.iter().zip(&o.steps).enumerate() {
        let (mark, style) = match &record.state {
            StepState::Done { .. } => (g.done, t.ok),
            StepState::Failed { .. } => (g.bad, t.bad),
            StepState::Running => (g.now, t.warn),
            StepState::Skipped { .. } => (g.dash, t.dim),
            StepState::Pending => (g.later, t.dim),
        };
        let row = Row::new()
            .left(g, &format!("   {}", step.id), 16, if record.started.is_some() { t.text } else { t.dim })
            .add(format!("{mark} "), style);
        let row = match record.started {
            Some(started) => {
                let stop = record.finished.unwrap_or(s.now.utc);
                let (from, to) = (cell(started).min(width - 1), cell(stop));
                let length = to.saturating_sub(from).max(1).min(width - from);
                let (bar, look) = if critical.contains(&i) { (g.bar, style) } else { (g.thin, t.dim) };
                let took = stop.since(started);
                row.add(g.track.repeat(from), t.dim)
                    .add(bar.repeat(length), look)
                    .add(g.track.repeat(width - from - length), t.dim)
                    .right(g, &took.to_string(), 9, if critical.contains(&i) { t.strong } else { t.dim })
            }
            None => row.add(g.track.repeat(width), t.dim),
        };
        lines.push(row.line());
    }
    let legend =
        format!("{} what the end waited for   {} meanwhile   {total}", g.bar, g.thin, total = Span(total));
    lines.push(Row::new().left(g, "", 16, t.dim).rest(g, &legend, c.width, t.dim).line());
    lines
}

/// The steps that the end waited for: from the last to end, back over whatever it began after.
fn critical(o: &Operation) -> Vec<usize> {
    let ended = |i: usize| o.steps[i].finished.or(o.steps[i].started);
    let mut path = Vec::new();
    let mut at = (0..o.steps.len())
        .filter(|i| ended(*i).is_some())
        .max_by_key(|i| (o.steps[*i].finished.is_none(), ended(*i)));
    while let Some(i) = at {
        path.push(i);
        // Steps come after those before them in the list, so this ends.
        at = o.plan.steps[i]
            .after
            .iter()
            .map(|a| usize::from(*a))
            .filter(|a| *a < i && ended(*a).is_some())
            .max_by_key(|a| ended(*a));
    }
    path
}

/// What a step rests on: its evidence, what it waits for, what was sent, how it would be undone.
fn words(c: &Canvas, o: &Operation, index: usize) -> String {
    let (step, record) = (&o.plan.steps[index], &o.steps[index]);
    let mut parts = Vec::new();
    match &record.state {
        StepState::Done { evidence } => {
            parts.extend(Some(evidence_words(evidence)).filter(|words| !words.is_empty()))
        }
        StepState::Failed { reason } => parts.push(format!("failed: {}", failure_words(reason))),
        StepState::Skipped { reason } => parts.push(format!("skipped: {}", skip_words(reason))),
        StepState::Running => {
            let wait = c.snapshot.waits.iter().find(|w| w.operation == o.id && usize::from(w.step) == index);
            parts.push(format!("waits for {}", wait.map_or("its turn".to_string(), |w| wait_words(&w.wait))));
            parts.push(format!("at most {}", step.timeout));
        }
        _ => {}
    }
    for effect in &record.effects {
        match &effect.outcome {
            Some(outcome @ Outcome::Assumed { .. }) => {
                parts.push(format!("{} unknown: {}", effect.effect.name(), outcome_words(outcome)))
            }
            Some(outcome @ Outcome::NotDone { .. }) => {
                parts.push(format!("{} not done: {}", effect.effect.name(), outcome_words(outcome)))
            }
            Some(Outcome::Missed { .. }) => {
                parts.push(format!("{} did not happen, made anew", effect.effect.name()))
            }
            Some(outcome @ Outcome::Ended { .. }) => {
                parts.push(format!("{}: {}", effect.effect.name(), outcome_words(outcome)))
            }
            Some(outcome @ Outcome::Unknown { .. }) => {
                parts.push(format!("{}: unknown, {}", effect.effect.name(), outcome_words(outcome)))
            }
            _ => {}
        }
    }
    if !parts.is_empty()
        && let Some(undo) = undo(&step.kind)
    {
        parts.push(format!("undo: {undo}"));
    }
    parts.join("; ")
}

const fn undo(kind: &StepKind) -> Option<&'static str> {
    match kind {
        StepKind::Fence => Some("the fence's own undo, by rollback, until the hand-over"),
        StepKind::HandOver | StepKind::SwitchOver => Some("none; fail back instead"),
        StepKind::DrainTraffic => Some("back into the balancers, by rollback"),
        _ => None,
    }
}

fn results(c: &Canvas, o: &Operation) -> Vec<Line<'static>> {
    let t = c.theme;
    let mut lines = Vec::new();
    let since = o.before.impact.unwrap_or(o.started);
    let figures: Vec<String> = [
        ("writable", o.results.writable),
        ("users served", o.results.served),
        ("protected", o.results.protected),
    ]
    .into_iter()
    .filter_map(|(what, at)| Some(format!("{what} after {}", at?.since(since).exact())))
    .collect();
    if !figures.is_empty() {
        let from =
            if o.before.impact.is_some() { "from the first failed check" } else { "from its beginning" };
        lines.extend(fact(c, "impact", &format!("{from}: {}", figures.join(", ")), t.strong));
    }
    if let Some(loss) = &o.results.loss {
        lines.extend(fact(c, "lost", &loss.to_string(), if *loss == Loss::Nothing { t.ok } else { t.bad }));
    }
    lines.extend(foretold(c, o));
    lines.extend(fact(
        c,
        "generation",
        &format!("{} of {}, plan {}", o.generation.0, c.snapshot.estate.group(o.group).name, o.plan_hash),
        t.dim,
    ));
    lines
}

/// What was told of it beside what came, and how often that held for its plan.
fn foretold(c: &Canvas, o: &Operation) -> Vec<Line<'static>> {
    let t = c.theme;
    let Some(told) = o.foretold.as_ref().and_then(|f| f.act.as_ref()).filter(|a| a.served_ms.p50.is_some())
    else {
        return Vec::new();
    };
    let left_out = if told.without.is_empty() {
        String::new()
    } else {
        format!(" + {}, never fired", told.without.join(", "))
    };
    let text = match o.results.served {
        Some(served) => {
            // What had no figure is told beside the sum that it is in.
            let took = |name: &String| {
                Some(format!(
                    "{} of it the {name}",
                    o.position(|k| k.name() == *name).and_then(|i| o.steps.get(i)?.took())?
                ))
            };
            let of_it: Vec<String> = told.without.iter().filter_map(took).collect();
            let of_it = if of_it.is_empty() { String::new() } else { format!(", {}", of_it.join(", ")) };
            format!(
                "served {}{left_out} by then; from its beginning it took {}{of_it}",
                told.served_ms.times(2),
                served.since(o.started).exact()
            )
        }
        None => format!("served {}{left_out}", told.served_ms.times(2)),
    };
    let mut lines = fact(c, "foretold", &text, t.text);
    let compared = c
        .snapshot
        .operations
        .iter()
        .filter(|other| other.is_over())
        .filter_map(|other| forecast::compared(other).ok());
    let compared: Vec<_> = compared.collect();
    if let Some(held) = forecast::held(&compared).into_iter().find(|h| h.plan == o.plan.name) {
        let within = |share: Share| {
            let (low, high) = share.interval_percent();
            format!("{} of {} ({low} to {high}%)", share.met, share.of)
        };
        let mut text = format!("of {}: under p50 in {}", held.plan, within(held.p50));
        if held.p95.of > 0 {
            text.push_str(&format!(", under p95 in {}", within(held.p95)));
        }
        lines.extend(fact(c, "held so far", &text, t.dim));
    }
    lines
}

//! A recovery under way: phases, steps, and what each waits for.

use super::Canvas;
use crate::model::*;
use crate::tui::keys::Command;
use crate::tui::text::{Row, wrap};
use crate::wording::{accepted_words, failure_words, question_words, remains_words, wait_words};
use ratatui::text::Line;

pub fn recovery(c: &Canvas, o: &Operation) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut lines = vec![head(c, o)];
    lines.extend(accepted(c, o));
    for (n, phase) in Phase::ALL.iter().enumerate() {
        let steps: Vec<(&Step, &StepRecord)> =
            o.plan.steps.iter().zip(&o.steps).filter(|(s, _)| s.phase == *phase).collect();
        if !steps.is_empty() {
            lines.extend(phase_lines(c, n + 1, *phase, &steps));
        }
    }
    if matches!(o.status, Status::Running | Status::RollingBack { .. }) {
        // In one place, whatever runs: what stands below it stays where it is.
        lines.push(waits_for(c, o));
    }
    if let Status::Waiting { question } = &o.status {
        for (i, part) in wrap(&g.plain(&question_words(question)), c.width.saturating_sub(6).max(10))
            .into_iter()
            .enumerate()
        {
            let mark = if i == 0 { format!("   {} ", g.alarm) } else { "     ".to_string() };
            lines.push(Row::new().add(mark, t.bad).rest(g, &part, c.width, t.strong).line());
        }
        lines.push(
            Row::new()
                .add(format!("   {}", c.key(Command::Answer)), t.key)
                .rest(g, " answer", c.width, t.text)
                .line(),
        );
    }
    if let Some(lost) =
        s.world.as_ref().map(|w| w.lost).filter(|lost| lost.0 > 0 && o.results.promoted.is_some())
    {
        let text = format!("{lost} of acknowledged writes, as only a simulation knows");
        lines.push(Row::new().left(g, "   lost here", 19, t.dim).rest(g, &text, c.width, t.bad).line());
    }
    lines.extend(remains(c, o));
    lines
}

/// In a few lines, once all of it is history: when, and what is still to be done.
pub fn recovery_past(c: &Canvas, o: &Operation) -> Vec<Line<'static>> {
    let ago = o.finished.map_or(String::new(), |at| format!(", {} ago", c.snapshot.now.utc.since(at)));
    let (g, t) = (c.glyphs, c.theme);
    let to = c.snapshot.label(o.group, o.to);
    let text = format!("{} {} {to}{ago}", c.snapshot.estate.group(o.group).name, g.arrow);
    let mut lines = vec![
        Row::new()
            .add(" RECOVERY  ", t.title)
            .add(format!("{}  ", o.status.word()), style(c, o))
            .rest(g, &text, c.width, t.text)
            .line(),
    ];
    lines.extend(remains(c, o));
    lines
}

fn style(c: &Canvas, o: &Operation) -> ratatui::style::Style {
    match &o.status {
        Status::Recovered => c.theme.ok,
        Status::Waiting { .. } | Status::Failed { .. } => c.theme.bad,
        _ => c.theme.warn,
    }
}

/// What is left to do when it is over.
fn remains(c: &Canvas, o: &Operation) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let row = |text: String| {
        Row::new()
            .left(g, "   remains", 19, t.dim)
            .rest(g, &format!("{} {text}", g.later), c.width, t.dim)
            .line()
    };
    remains_words(o, &s.estate).into_iter().map(row).collect()
}

/// Which operation it is, how it stands, and how far it is.
pub fn head(c: &Canvas, o: &Operation) -> Line<'static> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let (from, to) = (&s.estate.region(o.from).name, s.label(o.group, o.to));
    let style = style(c, o);
    // Of one incident they belong together, whether they are over or not.
    let with = |x: &Operation| !x.is_over() || (o.disaster.is_some() && x.disaster == o.disaster);
    let open: Vec<OperationId> = s.operations.iter().filter(|x| with(x)).map(|x| x.id).collect();
    let word = match open.iter().position(|id| *id == o.id) {
        Some(i) if open.len() > 1 => format!(" RECOVERY {}/{}  ", i + 1, open.len()),
        _ => " RECOVERY  ".to_string(),
    };
    let place = format!("{}  {from} {} {to}  {}  ", s.estate.group(o.group).name, g.arrow, o.id);
    let took = o.finished.unwrap_or(s.now.utc).since(o.started);
    let state = |by: &str, steps: &str| {
        format!(
            "{}{by} {} {} of {}{steps} {} {took}  ",
            o.status.word(),
            g.dot,
            o.done_count(),
            o.plan.steps.len(),
            g.dot
        )
    };
    // Where it goes says more than where it comes from, and whose it is more than its number.
    let short = format!("{} {} {to}", s.estate.group(o.group).name, g.arrow);
    let by = format!(" by {}", o.by);
    let ways = [
        (state(&by, " steps"), &place),
        (state(&by, " steps"), &short),
        (state(&by, ""), &short),
        (state("", " steps"), &short),
    ];
    let fits = |(state, place): &&(String, &String)| {
        word.chars().count() + state.chars().count() + place.trim_end().chars().count() <= c.width
    };
    let (state, place) = ways.iter().find(fits).unwrap_or(&ways[3]);
    Row::new().add(word, t.title).add(g.plain(state), style).rest(g, place, c.width, t.strong).line()
}

/// What its running steps wait for.
pub fn waits_for(c: &Canvas, o: &Operation) -> Line<'static> {
    let waits: Vec<String> =
        c.snapshot.waits.iter().filter(|w| w.operation == o.id).map(|w| wait_words(&w.wait)).collect();
    Row::new()
        .left(c.glyphs, "   waits for", 19, c.theme.dim)
        .rest(c.glyphs, &waits.join("; "), c.width, c.theme.text)
        .line()
}

fn phase_lines(c: &Canvas, n: usize, phase: Phase, steps: &[(&Step, &StepRecord)]) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let first = steps.iter().filter_map(|(_, r)| r.started).min();
    let last = steps.iter().filter_map(|(_, r)| r.finished).max();
    let all = steps.iter().all(|(_, r)| r.state.opens());
    let failed = steps.iter().any(|(_, r)| matches!(r.state, StepState::Failed { .. }));
    let (mark, style) = match (failed, all, first.is_some()) {
        (true, ..) => (g.bad, t.bad),
        (_, true, _) => (g.done, t.ok),
        (_, _, true) => (g.now, t.warn),
        _ => (g.later, t.dim),
    };
    let end = if all { last } else { Some(c.snapshot.now.utc) };
    let took = first.zip(end).map_or_else(String::new, |(a, b)| b.since(a).to_string());
    let words: Vec<String> = steps
        .iter()
        .map(|(s, r)| match &r.state {
            StepState::Done { .. } => {
                format!("{} {} {}", g.done, s.id, r.took().map_or(String::new(), |t| t.to_string()))
            }
            StepState::Skipped { .. } => format!("{} {}", g.dash, s.id),
            StepState::Failed { .. } => format!("{} {}", g.bad, s.id),
            StepState::Running => format!("{} {}", g.now, s.id),
            StepState::Pending => format!("{} {}", g.later, s.id),
        })
        .collect();
    // Where they do not fit, those that are done step back behind the one that runs.
    let done = steps.iter().filter(|(_, r)| r.state.opens()).count();
    let words = match words.join("  ") {
        all if all.chars().count() + 26 <= c.width => all,
        _ if done == words.len() => {
            let names: Vec<&str> = steps.iter().map(|(s, _)| s.id.as_str()).collect();
            let all = names.join(", ");
            if all.chars().count() + 28 <= c.width {
                format!("{} {all}", g.done)
            } else {
                format!("{} all {done}", g.done)
            }
        }
        _ => {
            let rest: Vec<String> =
                words.into_iter().zip(steps).filter(|(_, (_, r))| !r.state.opens()).map(|(w, _)| w).collect();
            format!("{} {done} done  {}", g.done, rest.join("  "))
        }
    };
    let head = Row::new()
        .add(format!(" {n} "), t.dim)
        .left(g, phase.name(), 14, if first.is_some() { t.text } else { t.dim })
        .add(format!("{mark} "), style)
        .left(g, &took, 7, style)
        .rest(g, &words, c.width, if first.is_some() { t.text } else { t.dim });
    let mut lines = vec![head.line()];
    for (step, record) in steps {
        if let StepState::Failed { reason } = &record.state {
            lines.push(
                Row::new()
                    .add(" ".repeat(19), t.text)
                    .rest(g, &format!("{}: {}", step.id, failure_words(reason)), c.width, t.bad)
                    .line(),
            );
        }
    }
    lines
}

/// What somebody took upon themselves stays in sight.
fn accepted(c: &Canvas, o: &Operation) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let what = accepted_words(&o.accepted);
    if what.is_empty() {
        return o
            .accepted
            .second_person
            .iter()
            .map(|name| Row::new().rest(g, &format!("   with {name}, says {}", o.by), c.width, t.dim).line())
            .collect();
    }
    let with = o.accepted.second_person.as_ref().map_or(String::new(), |name| format!(", with {name},"));
    let text = format!("{}{with} accepted {}", o.by, what.join(" and "));
    vec![Row::new().add(format!("   {} ", g.alarm), t.bad).rest(g, &text, c.width, t.bad).line()]
}

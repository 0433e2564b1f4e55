//! A fork on the screen: that nothing in it is real is said below it, and what is real goes on beside it.

use super::keys::Command;
use super::panel::{self, Canvas};
use super::text::Row;
use crate::model::*;
use crate::wording::{otherwise_words, served_after};
use ratatui::text::Line;

/// Since when it is one, and what is not in it; where there is no room beside it, how it really stands, in two lines. `c`
/// shows what is real.
pub fn below(c: &Canvas, fork: &Snapshot, at: Utc, real: bool) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let held =
        |s: &Snapshot, group: GroupId| s.groups.iter().any(|v| v.group == group && !v.members.is_empty());
    let left_out: Vec<&str> = (c.snapshot.estate.group_ids())
        .filter(|id| held(c.snapshot, *id) && !held(fork, *id))
        .map(|id| c.snapshot.estate.group(id).name.as_str())
        .collect();
    let without = if left_out.is_empty() {
        String::new()
    } else {
        format!(", without {} (an operation ran)", left_out.join(", "))
    };
    // The footer says what that key does.
    let counts = c.snapshot.proposals.iter().any(ProposalView::counts);
    let real_key = if counts { format!(" but {}", c.key(Command::StopAutomatic)) } else { String::new() };
    // What it would come to is not left to where there is room for it.
    let full = fork.estate.region_ids().filter_map(|r| {
        Some(format!("; here {} carries {}", fork.estate.region(r).name, panel::overload(fork, r)?))
    });
    let full: String = full.collect();
    let title = format!(
        " FORK of {}, {} drops it: nothing here is real{real_key}{full}; automation rests{without} ",
        at.clock(),
        c.key(Command::Back)
    );
    let head = Row::new().add(g.rule.repeat(2), t.simulation).rest(g, &title, c.width, t.simulation);
    let left = c.width.saturating_sub(head.used());
    let mut lines = vec![head.add(g.rule.repeat(left), t.simulation).line()];
    lines.extend(compared(c, fork));
    if real {
        lines.extend(panel::header(c).into_iter().take(1));
        lines.extend(now(c));
    }
    lines
}

/// What came of what was tried here, above what comes if it is left.
fn compared(c: &Canvas, fork: &Snapshot) -> Vec<Line<'static>> {
    let ended = |o: &&std::sync::Arc<Operation>| o.mode == Mode::Fork && o.recovery_time().is_some();
    let Some(o) = fork.operations.iter().rev().find(ended) else { return Vec::new() };
    let Some(left) = c.snapshot.proposals.iter().find(|v| v.proposal.group == o.group) else {
        return Vec::new();
    };
    let lost = fork.world.as_ref().map_or(Bytes(0), |w| w.lost);
    let tried = format!(
        "{} to {}: users served after {}, {lost} lost",
        o.plan.name,
        fork.label(o.group, o.to),
        served_after(o).unwrap_or_default()
    );
    let mut lines = panel::said(c, "tried here", &tried, c.theme.text);
    lines.extend(panel::said(
        c,
        "if left",
        &format!("{}{}", otherwise_words(&left.assessment.otherwise), panel::leave(c, left)),
        c.theme.text,
    ));
    lines
}

/// What was tried in it, and what came of it; `None` if nothing was begun there.
pub fn tried(s: &Snapshot) -> Option<String> {
    let name = |r: RegionId| s.estate.region(r).name.as_str();
    let one = |o: &std::sync::Arc<Operation>| {
        let served =
            o.recovery_time().map_or(String::new(), |took| format!(", users served after {}", took.exact()));
        format!(
            "{} {} {} → {}: {}{served}",
            o.plan.name,
            s.estate.group(o.group).name,
            name(o.from),
            s.label(o.group, o.to),
            o.status.word()
        )
    };
    let begun: Vec<String> = s.operations.iter().filter(|o| o.mode == Mode::Fork).map(one).collect();
    let lost = s.world.as_ref().map_or(Bytes(0), |w| w.lost);
    let full = s
        .estate
        .region_ids()
        .filter_map(|r| Some(format!("; {} carries {} there", name(r), panel::overload(s, r)?)))
        .collect::<String>();
    (!begun.is_empty()).then(|| {
        format!("tried in a fork: {}; lost there: {lost} of acknowledged writes{full}", begun.join("; "))
    })
}

/// How it really stands, beside the fork: behind a line from top to bottom.
pub fn beside(
    c: &Canvas,
    height: usize,
    small: impl Fn(&Canvas) -> Vec<Line<'static>>,
) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let inner = Canvas { width: c.width.saturating_sub(2), ..*c };
    let stands = inner.snapshot.world.as_ref().is_some_and(|w| w.paused);
    let title = format!(
        " {} {}",
        inner.snapshot.mode.word(),
        if stands { "stands still meanwhile" } else { "goes on meanwhile" }
    );
    let mut lines = vec![Row::new().rest(g, &title, inner.width, t.title).line(), Line::default()];
    lines.extend(small(&inner));
    lines.truncate(height);
    lines.resize(height, Line::default());
    for line in &mut lines {
        line.spans.insert(0, ratatui::text::Span::styled(format!("{} ", g.target), t.simulation));
    }
    lines
}

/// What is to be decided really, or what runs; else that nothing is.
fn now(c: &Canvas) -> Vec<Line<'static>> {
    let s = c.snapshot;
    match panel::foremost(s) {
        Some(view) => panel::choice_head(c, view),
        None => match s.open().next() {
            Some(o) => vec![panel::recovery_head(c, o)],
            // Its title says nothing by itself.
            None => panel::peace(c)
                .into_iter()
                .find(|line| !line.spans.iter().any(|s| s.content.starts_with(" IF ")))
                .into_iter()
                .collect(),
        },
    }
}

//! Replication of one database: lag over time against its objective, who may take over, and what the store says.

use super::fact;
use crate::model::*;
use crate::tui::chart;
use crate::tui::panel::{Canvas, standby_row};
use crate::tui::text::Row;
use crate::wording::{takes_over, veto_words};
use ratatui::text::Line;

fn view_of<'a>(c: &Canvas<'a>, id: u64) -> Option<&'a GroupView> {
    c.snapshot.groups.iter().find(|v| u64::from(v.group.0) == id)
}

pub fn row(c: &Canvas, id: u64) -> Line<'static> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let Some(view) = view_of(c, id) else { return Line::default() };
    let primary = crate::tui::panel::primary(c, view);
    let idle = view.stepped_down.is_some();
    let silent = view.is_silent() || idle;
    let led = if idle || view.is_doubted() { primary } else { crate::tui::panel::led_by(c, view) };
    let fit = view.members.iter().filter(|m| !m.leads && m.unfit.is_none()).count();
    let worst = view.members.iter().filter(|m| !m.leads).filter_map(|m| m.lag).max();
    let (mark, style) = match (silent, fit) {
        (true, _) => (g.bad, t.bad),
        (false, 0) => (g.part, t.warn),
        _ => (g.ok, t.ok),
    };
    Row::new()
        .add(format!(" {mark} "), style)
        .left(g, &s.estate.group(view.group).name, 18, t.strong)
        .left(g, &led, 29, if silent { t.bad } else { t.text })
        .add(" ", t.text)
        .left(g, &format!("{fit} may take over"), 17, style)
        .rest(g, &worst.filter(|_| !silent).map_or(String::new(), |w| format!("behind {w}")), c.width, t.dim)
        .line()
}

pub fn detail(c: &Canvas, id: u64, height: usize) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let Some(view) = view_of(c, id) else { return Vec::new() };
    let (_, rpo) = s.estate.targets(view.group);
    let timeline = view.timeline.map_or_else(|| g.dash.to_string(), |t| t.to_string());
    let mut lines = vec![
        Row::new()
            .add(format!(" {}", g.plain(&s.estate.group(view.group).name)), t.title)
            .rest(g, &format!("  timeline {timeline} {} RPO {rpo}", g.dot), c.width, t.dim)
            .line(),
    ];
    let standbys: Vec<&MemberView> = view.members.iter().filter(|m| !m.leads).collect();
    for m in &standbys {
        lines.push(standby_row(c, view, m, rpo));
    }
    let facts = store(c, view);
    // What is left of the height is for the lines of lag, in equal parts.
    let left = height.saturating_sub(lines.len() + facts.len());
    let measured = || standbys.iter().filter(|m| !m.history.is_empty());
    let each = (left / measured().count().max(1)).saturating_sub(1).min(8);
    // In one row it would lie on its objective, however far below it is.
    if each >= 2 {
        for m in measured() {
            lines.extend(lag(c, m, rpo, each));
        }
    }
    lines.extend(facts);
    lines
}

/// One standby's lag in time, with its objective drawn across.
fn lag(c: &Canvas, m: &MemberView, rpo: Span, height: usize) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let width = c.width.saturating_sub(12);
    let points: Vec<Option<u64>> = m.history.iter().map(|p| p.time.map(|t| t.0)).collect();
    let shown = &points[points.len().saturating_sub(width)..];
    let most = shown.iter().flatten().copied().max().unwrap_or(0);
    // The objective stands in the upper part, so that what nears it is seen to.
    let scale = most.max(rpo.0 + rpo.0 / 4).max(1);
    let name = &m.label;
    let most = format!("at most {} in {} s", Span(most), shown.len());
    let mut lines =
        vec![Row::new().add(format!("   {}  ", g.plain(name)), t.text).rest(g, &most, c.width, t.dim).line()];
    for (i, (text, crossed)) in
        chart::rows(g, shown, scale, Some(rpo.0), width, height).into_iter().enumerate()
    {
        let label = if crossed {
            format!("RPO {}", rpo.written())
        } else if i + 1 == height {
            "0s".to_string()
        } else {
            String::new()
        };
        lines.push(
            Row::new()
                .right(g, &label, 11, t.dim)
                .add(" ", t.text)
                .add(text, if crossed { t.warn } else { t.accent })
                .line(),
        );
    }
    lines
}

/// What the store and the observers say.
fn store(c: &Canvas, view: &GroupView) -> Vec<Line<'static>> {
    let (s, t) = (c.snapshot, c.theme);
    let mut lines = Vec::new();
    let mode = match (view.paused, view.synchronous) {
        (true, _) => "paused: the cluster does not act by itself".to_string(),
        _ if let Some(alone) = view.alone => {
            let so = match alone.waits {
                true => "nothing is acknowledged until there is one (strict mode)",
                false => "what is acknowledged is on the primary alone, and lost with it",
            };
            format!("synchronous, and nobody is it, since {}: {so}", alone.since.clock())
        }
        (_, Some(true)) if view.silence == Some(Silence::All) && !view.is_protected() => {
            let named = view.members.iter().filter(|m| m.leads || m.synchronous).map(|m| m.label.as_str());
            format!("synchronous: what was acknowledged is on {}; none of them answers", named.collect::<Vec<_>>().join(" and on "))
        }
        (_, Some(true)) if !view.is_protected() => {
            "synchronous, and no standby that is named so answers us: the last writes may be on one node, or wait".to_string()
        }
        (_, Some(true)) => "synchronous: an acknowledged write is on a standby".to_string(),
        (_, Some(false)) => "asynchronous: the last writes may be lost".to_string(),
        (_, None) => "unknown: the store was not read".to_string(),
    };
    lines.extend(fact(
        c,
        "mode",
        &mode,
        if view.synchronous == Some(true) && view.is_protected() && !view.paused { t.text } else { t.warn },
    ));
    let lease = match view.lease_left {
        Some((left, at)) if c.age(at) > left => {
            format!("ended, as far as is known: {left} were left {} ago", c.age(at))
        }
        Some((left, at)) => format!("{left} left when it was read {} ago", c.age(at)),
        None if s.is_blind(view.group) => "not read: etcd does not answer".to_string(),
        None => "nobody holds the lock".to_string(),
    };
    lines.extend(fact(c, "lease", &lease, t.text));
    let unknown =
        view.observers.saturating_sub(view.observers_for + view.observers_against + view.observers_absent);
    let mut others = if unknown > 0 { format!(", {unknown} have noticed nothing") } else { String::new() };
    if view.observers_absent > 0 {
        others.push_str(&format!(", {} not heard from", view.observers_absent));
    }
    let (gone, lives) = (view.observers_for, view.observers_against);
    let observers =
        format!("{gone} of {} say that the leader is gone, {lives} that it lives{others}", view.observers);
    lines.extend(fact(c, "observers", &observers, t.text));
    if let Some(until) = view.blocked_until {
        lines.extend(fact(
            c,
            "automation",
            &format!("stays away for {} more: it acted lately", until.since(s.now.utc)),
            t.warn,
        ));
    } else if let Some(left) = s
        .proposals
        .iter()
        .find(|p| p.proposal.group == view.group)
        .and_then(|p| crate::tui::panel::counts(c, p))
    {
        lines.extend(fact(
            c,
            "automation",
            &format!("begins in {left}, unless something speaks against it then"),
            t.warn,
        ));
    } else if s.proposals.iter().any(|p| p.proposal.group == view.group && p.proposal.automatic_at.is_none())
    {
        lines.extend(fact(c, "automation", "no countdown runs: it is a person's to decide", t.text));
    } else if let Some(veto) = &view.veto {
        lines.extend(fact(c, "automation", &veto_words(veto, &c.snapshot.estate), t.warn));
    }
    for m in view.members.iter().filter(|m| !m.leads) {
        if m.unfit.is_some() {
            lines.extend(fact(c, &m.label, &takes_over(m), t.warn));
        }
    }
    lines
}

//! Lag of each standby against its objective, in bytes and in seconds, and who may take over.

use super::Canvas;
use crate::model::*;
use crate::tui::keys::Command;
use crate::tui::places::Screen;
use crate::tui::text::{Row, gauge};
use crate::wording::{alone_words, finding_words};
use ratatui::text::Line;

/// Databases that the command screen lists.
const MOST: usize = 6;
const MOST_SHORT: usize = 3;

pub fn replication(c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut lines = Vec::new();
    let (databases, left) = listed(c, MOST);
    for view in databases {
        let group = s.estate.group(view.group);
        let (_, rpo) = s.estate.targets(view.group);
        let led = led_by(c, view);
        let mark = if view.group == c.selected { g.now } else { " " };
        let how = how(c, view);
        let timeline = view.timeline.map_or_else(|| g.dash.to_string(), |t| t.to_string());
        let text = format!("  {led} {} TL {timeline} {} RPO {rpo} {} {how}", g.dot, g.dot, g.dot);
        lines.push(
            Row::new()
                .add(mark.to_string(), t.accent)
                .add(group.name.clone(), t.title)
                .rest(g, &text, c.width, t.dim)
                .line(),
        );
        for member in view.members.iter().filter(|m| !m.leads) {
            lines.push(standby_row(c, view, member, rpo));
        }
    }
    lines.extend(more(c, left));
    lines
}

/// How it replicates, and what becomes of writes where nobody is synchronous.
fn how(c: &Canvas, view: &GroupView) -> String {
    let named = view.members.iter().any(|m| !m.leads && m.synchronous);
    let words = match (view.synchronous, view.alone) {
        _ if view.paused => "PAUSED",
        (_, Some(alone)) => {
            return format!(
                "NOBODY SYNCHRONOUS, {} {}",
                alone_words(alone),
                c.snapshot.now.utc.since(alone.since)
            );
        }
        // The store names one: it may answer the primary though not us.
        (Some(true), _) if !view.is_protected() && named => "SYNCHRONOUS STANDBY SILENT",
        (Some(true), _) if !view.is_protected() => "NOBODY SYNCHRONOUS",
        (Some(true), _) => "synchronous",
        (Some(false), _) => "asynchronous",
        (None, _) => "mode unknown",
    };
    words.to_string()
}

/// The same with a line a database, where what is decided on needs the room: who leads, and how far behind each standby is.
pub fn replication_short(c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let (databases, left) = listed(c, MOST_SHORT);
    let mut lines: Vec<Line<'static>> = databases
        .into_iter()
        .map(|view| {
            let standbys = view.members.iter().filter(|m| !m.leads).map(|m| {
                let behind = behind(c, view, m);
                let name = &m.label;
                match (m.unfit.is_none(), m.lag_bytes) {
                    // It has all that was acknowledged: there is no more to say of it.
                    (true, Some(Bytes(0))) => format!("{name} {}", g.done),
                    (true, _) => format!("{name} {} {behind}", g.done),
                    (false, _) => format!("{name} {behind}"),
                }
            });
            let text =
                format!("{} {} {}", primary(c, view), g.arrow, standbys.collect::<Vec<_>>().join(", "));
            let mark = if view.group == c.selected { g.now } else { " " };
            let name = format!("{}  ", s.estate.group(view.group).name);
            Row::new()
                .add(mark.to_string(), t.accent)
                .left(g, &name, 15.max(name.chars().count()), t.title)
                .rest(g, &text, c.width, t.text)
                .line()
        })
        .collect();
    lines.extend(more(c, left));
    lines
}

/// How far a standby is behind, in bytes, as far as that is known.
pub fn behind(c: &Canvas, view: &GroupView, m: &MemberView) -> String {
    match m.lag_bytes.filter(|_| !is_stale(c, m)) {
        None if c.snapshot.is_fenced(view.group, m.member) => "fenced".to_string(),
        None => "silent".to_string(),
        // That nothing is seen to be missing is not that nothing is missing.
        Some(b) if view.may_lack(m, c.snapshot.now.mono) => {
            m.was_behind.filter(|was| *was >= b).map_or_else(|| format!("≥{b}"), |was| format!("was {was}"))
        }
        Some(b) => b.to_string(),
    }
}

/// The databases that are shown, and how many are not: first the one that orders are about, then those in trouble.
fn listed<'a>(c: &Canvas<'a>, most: usize) -> (Vec<&'a GroupView>, usize) {
    let s = c.snapshot;
    let mut databases: Vec<&GroupView> = s.groups.iter().filter(|v| !v.members.is_empty()).collect();
    let left = databases.len().saturating_sub(most);
    if left > 0 {
        let fit = |v: &GroupView| v.members.iter().any(|m| !m.leads && m.unfit.is_none());
        databases.sort_by_cached_key(|v| (v.group != c.selected, !s.is_on_table(v.group), fit(v)));
        databases.truncate(most);
    }
    (databases, left)
}

fn more(c: &Canvas, left: usize) -> Option<Line<'static>> {
    (left > 0).then(|| {
        Row::new()
            .rest(c.glyphs, &format!("   and {left} databases more (5 shows all)"), c.width, c.theme.dim)
            .line()
    })
}

/// The same as a sentence: of one that is silent while nobody holds the lock it is the last that is known.
pub fn led_by(c: &Canvas, view: &GroupView) -> String {
    let nobody = view.is_silent() && view.lease_left.is_none() && !view.blind;
    format!("{}led by {}", if nobody { "last " } else { "" }, primary(c, view))
}

/// Who leads, and whether it answers.
pub fn primary(c: &Canvas, view: &GroupView) -> String {
    if let Some(leader) = &view.led_by {
        return format!("{}, which is not configured", leader.name);
    }
    let Some(primary) = view.leader else { return "nobody known yet".to_string() };
    let name = c.snapshot.label(view.group, primary);
    match (&view.silence, view.stepped_down) {
        (Some(Silence::Agent), _) => format!("{name}, Patroni silent"),
        (Some(Silence::Doubted { .. }), _) => format!("{name}, silent to us"),
        _ if view.is_silent() => format!("{name}, silent"),
        (_, Some(_)) => format!("{name}, stepped down"),
        (_, None) if view.alone.is_some() => format!("{name}, alone"),
        (_, None) => name.into_owned(),
    }
}

fn is_stale(c: &Canvas, m: &MemberView) -> bool {
    // One that is looked at seldom is not silent between two looks.
    let late = c.snapshot.estate.policy.detection.interval.plus(Span::secs(3));
    m.measured.is_none_or(|at| c.age(at) > late) || m.answers == Some(false)
}

/// A standby's lag against its objective, and whether it may take over.
pub fn standby_row(c: &Canvas, view: &GroupView, m: &MemberView, rpo: Span) -> Line<'static> {
    let (t, g) = (c.theme, c.glyphs);
    let name = &m.label;
    let stale = is_stale(c, m);
    let kind = if m.synchronous { "sync" } else { "async" };
    // Where it is narrow, what may be done with it has the room.
    let wide = if c.width < 76 { 6 } else { 10 };
    let mut row = Row::new().left(g, &format!("   {name}"), 20, t.text).left(
        g,
        kind,
        6,
        if m.synchronous { t.strong } else { t.dim },
    );
    let was = m.was_behind.filter(|_| view.is_silent() && m.unfit.is_some());
    row = match (m.lag_bytes, m.lag, stale) {
        // As it was last heard: what is seen to be missing by now is less than what may be.
        (Some(_), _, false) if let Some(was) = was => row
            .right(g, &was.to_string(), 9, t.warn)
            .right(g, g.dash, 7, t.dim)
            .add(" ", t.text)
            .add(g.track.repeat(wide), t.dim),
        (Some(bytes), Some(lag), false) => {
            let over = lag > rpo;
            let style = if over { t.bad } else { t.text };
            // The gauge is twice the objective wide, which stands in its middle.
            let share = lag.0 * 500 / rpo.0.max(1);
            let least = if view.may_lack(m, c.snapshot.now.mono) { "≥" } else { "" };
            row.right(g, &format!("{least}{bytes}"), 9, style)
                .right(g, &format!("{least}{lag}"), 7, style)
                .add(" ", t.text)
                .add(gauge(g, wide, share, Some(500)), if over { t.bad } else { t.ok })
        }
        _ => row
            .right(g, g.dash, 9, t.dim)
            .right(g, g.dash, 7, t.dim)
            .add(" ", t.text)
            .add(g.track.repeat(wide), t.dim),
    };
    let timeline = m.timeline.map_or_else(|| g.dash.to_string(), |t| t.to_string());
    let same = m.timeline.is_none() || view.timeline.is_none() || m.timeline == view.timeline;
    row = row.right(g, &format!("TL {timeline}"), 7, if same { t.dim } else { t.bad }).add(" ", t.text);
    match (&m.unfit, stale, m.measured) {
        (_, true, Some(_)) if c.snapshot.is_fenced(view.group, m.member) => {
            row.rest(g, &format!("{} fenced by us", g.bad), c.width, t.warn)
        }
        (_, true, Some(at)) => row.rest(g, &format!("{} silent {}", g.bad, c.age(at)), c.width, t.warn),
        (_, true, None) => row.rest(g, "not heard of yet", c.width, t.dim),
        (None, ..) => row.rest(g, &format!("{} may take over", g.done), c.width, t.ok),
        (Some(_), ..) if c.snapshot.is_corrupt(view.group) => {
            row.rest(g, "may be corrupt too", c.width, t.warn)
        }
        (Some(_), ..) if !m.synchronous && view.is_silent() => {
            row.rest(g, if was.is_some() { "when last heard" } else { "may lack writes" }, c.width, t.warn)
        }
        // Seen to lack nothing, and nobody waits for it.
        (Some(_), ..)
            if !m.synchronous && !c.snapshot.is_blind(view.group) && m.lag_bytes == Some(Bytes(0)) =>
        {
            row.rest(g, "no lack is seen", c.width, t.dim)
        }
        // Without etcd it is more than the lag that speaks against it.
        (Some(_), ..)
            if !m.synchronous && !c.snapshot.is_blind(view.group) && m.lag.is_some_and(|l| l <= rpo) =>
        {
            row.rest(g, "loses within RPO", c.width, t.dim)
        }
        // Half a reason is none: whole it stands on the replication screen.
        (Some(why), ..) if row.used() + finding_words(why).chars().count() > c.width => {
            let text = format!("not fit now ({})", c.key(Command::Go(Screen::Replication)));
            row.rest(g, &text, c.width, t.warn)
        }
        (Some(why), ..) => row.rest(g, &finding_words(why), c.width, t.warn),
    }
    .line()
}

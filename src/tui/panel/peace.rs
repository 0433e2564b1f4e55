//! With nothing to decide: what would happen if a region failed now, what could not be done, and what is left to do.

use super::{Canvas, nothing_left};
use crate::model::*;
use crate::tui::keys::Command;
use crate::tui::text::{Row, wrap};
use crate::wording::{finding_words, gap_words, sign_words, source_words};
use ratatui::text::Line;

/// Databases that are told of one by one in peace.
const MOST: usize = 6;

/// The region that would take over cannot carry the load of the other as well: as readiness found when it asked.
fn is_short(s: &Snapshot, from: RegionId, to: RegionId) -> bool {
    let of_it = |p: &Point| p.name == PointName::Capacity && p.state == PointState::Lacks && p.to == Some(to);
    s.ready(from).is_some_and(|(ready, _)| ready.lacks.iter().any(of_it))
}

/// Every balancer that leads to it runs in that region, as declared.
fn is_entry_lost_with(s: &Snapshot, group: GroupId, region: RegionId) -> bool {
    let balancers =
        s.estate.group(group).database.as_ref().map(|d| d.balancers.as_slice()).unwrap_or_default();
    !balancers.is_empty() && balancers.iter().all(|b| b.region == Some(region))
}

/// Whether a choice comes by itself about a database whose primary is silent and about which nothing is decided.
fn comes(c: &Canvas, view: &GroupView) -> String {
    let declared = c.snapshot.disasters.iter().any(|d| view.primary.is_some_and(|p| d.regions.contains(&p)));
    match &view.declined {
        Some(no) => format!("; none comes by itself: {} said no at {}", no.by, no.at.clock()),
        None if declared => String::new(),
        None => "; one comes by itself once it is declared".to_string(),
    }
}

/// What is left to do once all is well again, with the key that begins it.
fn astray(c: &Canvas) -> Option<String> {
    let s = c.snapshot;
    let list = s.led_elsewhere();
    // The key is about the selected database.
    let selected = list.iter().find(|(v, _)| v.group == c.selected);
    let (first, planned) =
        selected.or(list.first()).filter(|_| s.disasters.is_empty() && s.open().next().is_none())?;
    let name = |r: RegionId| s.estate.region(r).name.as_str();
    let names: Vec<&str> = list.iter().map(|(v, _)| s.estate.group(v.group).name.as_str()).collect();
    let at = first.primary.map_or("?", name);
    let key = c.key(Command::Switchover);
    let key =
        if selected.is_some() { key } else { format!("{} turns to it, {key}", c.key(Command::NextGroup)) };
    let ready = first.members.iter().any(|m| m.region == *planned && m.unfit.is_none());
    let how =
        if ready { format!("{key} fails back") } else { format!("{key} tells what is missing to fail back") };
    Some(format!("led by {at}, planned {}: {}; it may stay so; {how}", name(*planned), names.join(", ")))
}

/// `   ! text`, in as many lines as it takes.
fn warned(c: &Canvas, text: &str) -> Vec<Line<'static>> {
    let parts = wrap(&c.glyphs.plain(text), c.width.saturating_sub(6).max(10));
    let mark = |i: usize| if i == 0 { "   ! " } else { "     " };
    let line = |(i, part): (usize, String)| {
        Row::new().add(mark(i), c.theme.warn).rest(c.glyphs, &part, c.width, c.theme.text).line()
    };
    parts.into_iter().enumerate().map(line).collect()
}

/// How much of what that region's loss would need is there, and what is not: a database that could be led from elsewhere
/// is not yet one that will be.
fn ready(c: &Canvas, region: RegionId) -> (String, ratatui::style::Style) {
    let found = c.snapshot.ready(region).map(|(ready, _)| ready);
    let Some(r) = found.filter(|r| r.score.is_none_or(|score| score < 100)) else {
        return (String::new(), c.theme.dim);
    };
    let mut points: Vec<PointName> = Vec::new();
    for point in &r.lacks {
        if !points.contains(&point.name) {
            points.push(point.name);
        }
    }
    let names: Vec<&str> = points.into_iter().map(PointName::name).collect();
    let key = c.key(Command::Go(crate::tui::Screen::Regions));
    // As the column of the regions marks it.
    let mark = if r.needs_more() { "! " } else { "" };
    let head = format!("  {mark}missing (screen {key}): ");
    // As many as there is room for, and how many there are besides.
    let title = c.snapshot.estate.region(region).name.chars().count() + 12;
    let room = c.width.saturating_sub(title + head.chars().count() + 4);
    let fits = |n: &usize| names[..*n].join(", ").chars().count() <= room;
    let shown = (1..=names.len()).rev().find(fits).unwrap_or(0);
    let more = if shown < names.len() { format!(" +{}", names.len() - shown) } else { String::new() };
    (format!("{head}{}{more}", names[..shown].join(", ")), c.theme.warn)
}

/// Until when automation rests: in minutes, for it is no stopwatch.
fn rests(c: &Canvas) -> Option<String> {
    let (s, now) = (c.snapshot, c.snapshot.now.utc);
    let until = s.groups.iter().filter_map(|v| v.blocked_until).filter(|until| *until > now).max()?;
    Some(format!(
        "automation has acted, and begins nothing by itself for {} min more",
        until.since(now).0.div_ceil(60_000)
    ))
}

/// The next loss, while this one is not over: of each region that leads something now and is not ready for it.
pub fn next_loss(c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let leads = |r: &RegionId| {
        s.regions[r.at()].status != RegionStatus::Down && s.groups.iter().any(|v| v.primary == Some(*r))
    };
    let title =
        |r: RegionId| Row::new().add(g.plain(&format!(" IF {} IS LOST", s.estate.region(r).name)), t.title);
    let open = !s.disasters.is_empty() && s.proposals.is_empty() && s.open().next().is_none();
    let told = s
        .estate
        .region_ids()
        .filter(|r| open && leads(r))
        .map(|r| (r, ready(c, r)))
        .filter(|(_, (text, _))| !text.is_empty());
    let mut lines: Vec<Line<'static>> =
        told.map(|(r, (text, style))| title(r).rest(g, &text, c.width, style).line()).collect();
    if !lines.is_empty() {
        lines.extend(rests(c).iter().flat_map(|text| warned(c, text)));
    }
    lines
}

/// In peace: what would happen if the primary's region failed now, and what could not be done.
pub fn peace(c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut lines = nothing_left(c);
    let mut before = None;
    let undecided = s.undecided();
    let databases = s.groups.iter().filter(|v| !v.members.is_empty()).count();
    // While users wait, what else might be lost is not what is asked.
    let asked = s.services.iter().all(|v| v.hit_by.is_none());
    let without = s
        .groups
        .iter()
        .filter(|v| {
            v.members.iter().any(|m| m.leads) && !v.members.iter().any(|m| !m.leads && m.unfit.is_none())
        })
        .count();
    if databases > MOST && asked {
        let (text, style) = match without {
            0 => (
                format!(
                    "each of {databases} databases has somebody to take over, losing nothing acknowledged"
                ),
                t.ok,
            ),
            n => (
                format!("{n} of {databases} databases have nobody to take over without loss (5 shows them)"),
                t.warn,
            ),
        };
        lines.push(Row::new().rest(g, " IF A REGION IS LOST", c.width, t.title).line());
        lines.push(Row::new().add("   ", t.text).rest(g, &text, c.width, style).line());
    }
    for view in s.groups.iter().filter(|v| !v.members.is_empty() && databases <= MOST) {
        let Some(primary) = view.primary else { continue };
        if s.mode != Mode::Replay && view.is_silent() && !undecided.contains(&view.group) {
            // It has a decision of its own, or it is being recovered.
            continue;
        }
        if view.stepped_down.is_some() {
            // Its gap says so, and what it waits for.
            continue;
        }
        if undecided.contains(&view.group) {
            let (group, leader) = (&s.estate.group(view.group).name, &s.estate.region(primary).name);
            let yet = if view.declined.is_some() { "" } else { "; nothing is decided yet" };
            let text = match &view.silence {
                Some(Silence::Doubted { by }) => {
                    format!(
                        "{group}: {leader} does not answer us, and lives ({}); nothing is to be decided",
                        sign_words(by)
                    )
                }
                Some(Silence::Agent) => {
                    format!(
                        "{group}: Patroni on {leader} does not answer, its PostgreSQL does: who takes over writes beside it, unless it is stopped"
                    )
                }
                _ if view.lease_left.is_none() && !view.blind => {
                    format!(
                        "{group}: {leader}, its last primary, does not answer us, and nobody holds its lock{yet}"
                    )
                }
                _ => format!("{group}: {leader} leads and does not answer us{yet}"),
            };
            lines.extend(wrap(&g.plain(&text), c.width.saturating_sub(6)).into_iter().enumerate().map(
                |(i, part)| {
                    let (glyph, style) = if view.is_doubted() { (g.part, t.warn) } else { (g.bad, t.bad) };
                    let mark = if i == 0 { format!("   {glyph} ") } else { "     ".to_string() };
                    Row::new().add(mark, style).rest(g, &part, c.width, style).line()
                },
            ));
            if view.is_doubted() {
                continue;
            }
            // That nobody here decides is not that nothing happens.
            if let Some((left, read)) = view.lease_left {
                let left = Span(left.0.saturating_sub(c.age(read).0));
                let nobody = view.synchronous == Some(true) && !view.is_protected();
                let then = if nobody {
                    "and nobody may take it then: no synchronous standby"
                } else {
                    "then the cluster may take over by itself, unfenced"
                };
                let text = format!("     its lease ends in {left}: {then}");
                lines.push(Row::new().rest(g, &text, c.width, t.warn).line());
            }
            // What speaks for leaving it goes with what would be done.
            let answers = |m: &&MemberView| !m.leads && m.answers == Some(true);
            let fit = view.members.iter().any(|m| !m.leads && m.unfit.is_none());
            let unfit = view
                .members
                .iter()
                .filter(answers)
                .find_map(|m| m.unfit.as_ref())
                .filter(|_| !fit)
                .map(finding_words);
            for part in unfit.iter().flat_map(|why| wrap(&g.plain(why), c.width.saturating_sub(6))) {
                lines.push(Row::new().rest(g, &format!("     {part}"), c.width, t.warn).line());
            }
            lines.push(
                Row::new()
                    .add(format!("     {}", c.key(Command::Failover)), t.key)
                    .rest(g, &format!(" puts one on the table{}", comes(c, view)), c.width, t.text)
                    .line(),
            );
            continue;
        }
        if !asked {
            continue;
        }
        if before != Some(primary) {
            let title =
                Row::new().add(g.plain(&format!(" IF {} IS LOST", s.estate.region(primary).name)), t.title);
            let (ready, style) = ready(c, primary);
            lines.push(title.rest(g, &ready, c.width, style).line());
            before = Some(primary);
        }
        let fit = view.members.iter().find(|m| !m.leads && m.unfit.is_none());
        let short = fit.is_some_and(|m| is_short(s, primary, m.region)).then_some("; room short");
        let closed = is_entry_lost_with(s, view.group, primary).then_some("; no balancer left");
        let lacks: String = short.into_iter().chain(closed).collect();
        let (text, style) = match fit {
            Some(m) if lacks.is_empty() => (
                format!("{} could take over, losing nothing acknowledged", s.estate.region(m.region).name),
                t.ok,
            ),
            Some(m) => (format!("{} without loss{lacks}", s.estate.region(m.region).name), t.warn),
            None => (format!("nobody could take over without loss{lacks}"), t.warn),
        };
        lines.push(
            Row::new()
                .left(g, &format!("   {}", s.estate.group(view.group).name), 18, t.text)
                .rest(g, &text, c.width, style)
                .line(),
        );
    }
    lines.extend(astray(c).iter().flat_map(|text| warned(c, text)));
    lines.extend(rests(c).iter().flat_map(|text| warned(c, text)));
    lines.extend(s.gaps.iter().flat_map(|gap| warned(c, &gap_words(gap, &s.estate))));
    // What a gap tells already is not told twice.
    let told = |source: &Source| matches!(source, Source::Store { group } if s.gaps.iter().any(|gap| gap.is_store_of(*group)));
    for source in s.stale.iter().filter(|stale| !told(&stale.source)) {
        let text = format!(
            "{} silent for {}: {}",
            source_words(&source.source, &s.estate),
            c.age(source.since),
            source.reason
        );
        lines.extend(warned(c, &text));
    }
    lines
}

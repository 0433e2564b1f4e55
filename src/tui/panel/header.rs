//! How real, how bad, since when, how much time is left, who may act.

use super::Canvas;
use crate::model::*;
use crate::tui::text::{Row, count, gauge};
use crate::wording::{Headline, headline, served_after, source_words, veto_word};
use ratatui::text::Line;
use std::collections::BTreeSet;

fn narrow(c: &Canvas) -> bool {
    c.width < 60
}

pub fn header(c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mode = match s.mode {
        Mode::Live => t.live,
        Mode::Drill => t.drill,
        Mode::Simulation | Mode::Fork => t.simulation,
        Mode::Replay => t.replay,
    };
    let narrow = narrow(c);
    let mut first = Row::new().add(format!(" {} ", s.mode.word()), mode).add(" ", t.text);
    // Where there is little room, how bad it is comes before whose it is and what time it is.
    if !narrow || s.disasters.is_empty() {
        first = first.add(g.plain(&s.estate.name), t.strong).add("  ", t.text);
    }
    first = match headline(s) {
        Some(head) => worst(c, first, &head),
        None => {
            let all = format!(
                "  {}, {}",
                count(s.regions.len(), "region"),
                count(s.estate.services.len(), "service")
            );
            first.add(format!("{} ALL WELL", g.ok), t.ok).rest(g, &all, c.width.saturating_sub(14), t.dim)
        }
    };
    if narrow && !s.disasters.is_empty() {
        return vec![first.line(), second(c)];
    }
    let clock = if narrow { s.now.utc.clock() } else { format!("{} UTC", s.now.utc.clock()) };
    vec![first.at_end(g, &clock, c.width.saturating_sub(1), t.strong).line(), second(c)]
}

/// The worst of what is wrong; disasters with their places, as far as there is room.
fn worst(c: &Canvas, row: Row, head: &Headline) -> Row {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let nothing_known =
        matches!(s.conditions.first().map(|worst| &worst.kind), Some(ConditionKind::NothingMeasured));
    let (mark, style) = match head.severity {
        _ if nothing_known => (g.unknown, t.dim),
        Severity::Critical | Severity::High => (g.bad, t.bad),
        Severity::Medium | Severity::Low => (g.part, t.warn),
    };
    let most = c.width.saturating_sub(if narrow(c) && !s.disasters.is_empty() { 0 } else { 14 });
    let Some(worst) = s.disasters.first() else {
        return row.rest(g, &format!("{mark} {}", head.line()), most, style);
    };
    let (style, of_disaster) = (
        if worst.severity >= Severity::High { t.bad } else { t.warn },
        format!("{} ", worst.severity.name().to_uppercase()),
    );
    // What is worse than any disaster comes before it.
    let before = match s.conditions.first().map(|worst| &worst.kind) {
        Some(ConditionKind::Disaster { .. }) | None => format!("{} {of_disaster} ", g.alarm),
        Some(_) => format!("{mark} {}; {of_disaster} ", head.line()),
    };
    let room = most.saturating_sub(row.used() + before.chars().count());
    row.rest(g, &format!("{before}{}", kinds(s, room)), most, style)
}

/// What has happened, the worst first: as many kinds and places as there is room for, and how many there are besides.
fn kinds(s: &Snapshot, room: usize) -> String {
    let mut told: Vec<Vec<&Disaster>> = Vec::new();
    for d in &s.disasters {
        match told.iter_mut().find(|of| of.iter().all(|o| o.kind == d.kind && o.regions == d.regions)) {
            Some(of) => of.push(d),
            None => told.push(vec![d]),
        }
    }
    // Of a node whose it is says more than where: the region around it lives.
    let one = |of: &Vec<&Disaster>, place: Place| {
        let d = of[0];
        let regions: Vec<&str> = d.regions.iter().map(|r| s.estate.region(*r).name.as_str()).collect();
        let databases: BTreeSet<&str> = of.iter().flat_map(|d| d.of_nodes(&s.estate)).collect();
        let databases = databases.into_iter().collect::<Vec<_>>().join(", ");
        let (kind, regions) = (d.kind.words(), regions.join(", "));
        match (place, databases.is_empty(), of.len()) {
            (Place::Both, false, _) => format!("{kind}  {databases} in {regions}"),
            (Place::Database, false, _) => format!("{kind}  {databases}"),
            (_, _, 1) => format!("{kind}  {regions}"),
            (_, _, times) => format!("{times}x {kind}  {regions}"),
        }
    };
    let upto = |n: usize, place: Place| {
        let left: usize = told[n..].iter().map(Vec::len).sum();
        let more = if left > 0 { format!("  and {left} more") } else { String::new() };
        format!("{}{more}", told[..n].iter().map(|of| one(of, place)).collect::<Vec<_>>().join("; "))
    };
    // More than these never fit in a line.
    let most = told.len().min(6);
    let ways = (1..=most).rev().flat_map(|n| [Place::Both, Place::Database, Place::Region].map(|p| (n, p)));
    ways.map(|(n, p)| upto(n, p))
        .find(|text| text.chars().count() <= room)
        .unwrap_or_else(|| upto(1, Place::Region))
}

/// What of a failed node's place is told.
#[derive(Clone, Copy)]
enum Place {
    Both,
    Database,
    Region,
}

/// What a region carries, where that is more than it can.
pub fn overload(s: &Snapshot, region: RegionId) -> Option<Percent> {
    let view = &s.regions[region.at()];
    let (load, at) = view.load.filter(|_| view.status != RegionStatus::Down)?;
    (load.0 > 100 && s.now.mono.since(at) < Span::mins(1)).then_some(load)
}

/// A disaster that is open reached this database.
fn is_reached(s: &Snapshot, group: GroupId) -> bool {
    s.disasters.iter().flat_map(|d| &d.services).any(|id| s.estate.service(*id).group == group)
}

/// Databases that the cluster moved by itself in what is going on, and that nobody has proven since.
pub fn unproven(s: &Snapshot) -> Vec<&GroupView> {
    s.groups.iter().filter(|v| v.unproven && is_reached(s, v.group)).collect()
}

/// Databases that the cluster moved by itself in what is going on, and that somebody vouches for: nobody here knows when their
/// users were served, nor what was lost.
pub fn vouched(s: &Snapshot) -> Vec<&GroupView> {
    let of =
        |v: &&GroupView| v.elected.as_ref().is_some_and(|e| e.vouched.is_some()) && is_reached(s, v.group);
    s.groups.iter().filter(of).collect()
}

/// It was begun for what is going on.
pub fn is_of_now(s: &Snapshot, operation: &Operation) -> bool {
    operation.disaster.is_some_and(|id| s.disasters.iter().any(|d| d.id == id))
}

/// What was lost of the databases that were reached: of one that the cluster moved by itself nobody knows.
fn lost(s: &Snapshot, t: &crate::tui::theme::Theme) -> (String, ratatui::style::Style) {
    let ours = |g: GroupId| {
        s.operations.iter().rev().find(|o| o.group == g && is_of_now(s, o) && o.results.loss.is_some())
    };
    let hit = |v: &&GroupView| !v.members.is_empty() && is_reached(s, v.group);
    let all: Vec<Option<&Loss>> =
        s.groups.iter().filter(hit).map(|v| ours(v.group).and_then(|o| o.results.loss.as_ref())).collect();
    // What was acknowledged on a timeline that has been left is gone, whatever was said when it began.
    let left = |v: &&GroupView| {
        let promoted = s
            .operations
            .iter()
            .rev()
            .find(|o| o.group == v.group && is_of_now(s, o))
            .and_then(|o| o.results.timeline);
        promoted.zip(v.timeline).is_some_and(|(promoted, now)| now < promoted)
    };
    if let Some(v) = s.groups.iter().filter(hit).find(left) {
        return (format!("{}: its timeline was left, writes are lost", s.estate.group(v.group).name), t.bad);
    }
    match all.iter().flatten().find(|loss| ***loss != Loss::Nothing) {
        Some(loss) => (format!("lost {loss}"), t.bad),
        None if all.iter().all(Option::is_some) => ("nothing lost".to_string(), t.ok),
        None => ("what was lost is not known".to_string(), t.warn),
    }
}

/// Nothing is declared, and a database takes no writes: for how long, the objective of what needs it, and how many services
/// those are.
fn unwritable(c: &Canvas) -> Option<(Span, Span, usize)> {
    let s = c.snapshot;
    let since = |v: &GroupView| match &v.silence {
        // Of one that somebody hears, or whose database answers, that is not known.
        Some(Silence::All) if s.mode != Mode::Replay && !s.runs(v.group) => {
            v.members.iter().find(|m| m.leads).and_then(|m| m.measured)
        }
        _ => v.stepped_down,
    };
    let databases = || s.groups.iter().filter(|v| since(v).is_some());
    let longest = databases().filter_map(since).min()?;
    let roots: Vec<ServiceId> =
        databases().flat_map(|v| &s.estate.group(v.group).services).copied().collect();
    let reached = s.estate.dependents(&roots);
    let rto = reached.iter().map(|id| s.estate.service(*id).rto).min().unwrap_or(s.estate.policy.rto);
    Some((c.age(longest), rto, reached.len()))
}

fn second(c: &Canvas) -> Line<'static> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut row = Row::new().add(" ", t.text);
    let armed = armed(c);
    let clock = s.world.as_ref().map_or(String::new(), |world| {
        let state = if world.paused { "paused".to_string() } else { format!("{}x", world.speed) };
        format!(" {} {state}", g.dot)
    });
    // How its clock runs and who may act are never cut.
    let room = c.width.saturating_sub(armed.chars().count() + 2);
    let before_clock = room.saturating_sub(clock.chars().count());
    // Of those whose users wait: what a first one took ended when they were served.
    let waits = |d: &&Disaster| s.services.iter().any(|v| v.hit_by == Some(d.id));
    let since = s
        .disasters
        .iter()
        .filter(waits)
        .map(|d| d.since)
        .min()
        .or_else(|| s.disasters.iter().map(|d| d.since).min());
    if let Some(since) = since {
        let passed = s.now.utc.since(since);
        let reached = || s.disasters.iter().flat_map(|d| &d.services);
        let rto = reached().map(|id| s.estate.service(*id).rto).min().unwrap_or(s.estate.policy.rto);
        // Served means all of them: one database that is back is not the end of it.
        let waiting = s.services.iter().filter(|v| v.hit_by.is_some()).count();
        let slowest = s
            .operations
            .iter()
            .filter(|o| is_of_now(s, o))
            .filter_map(|o| Some((o.recovery_time()?, served_after(o)?)))
            .max();
        let (unproven, vouched) = (unproven(s), vouched(s));
        let names = |views: &[&GroupView]| {
            views.iter().map(|v| s.estate.group(v.group).name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let none = reached().next().is_none();
        let served = slowest.clone().filter(|_| waiting == 0 && unproven.is_empty());
        // Once users are served their impact is over, and counts on no more; where none are hit there is none.
        if none && !s.entries_silent().is_empty() {
            row = row
                .add("no entry answers: users may find no way in", t.bad)
                .add(format!(" {} for {passed}", g.dot), t.dim);
        } else if none {
            row = row.add("no service is hit", t.ok).add(format!(" {} for {passed}", g.dot), t.dim);
        } else if served.is_none() {
            // What is left of it says more than the objective, where there is room for one of them.
            let objective = if narrow(c) { " ".to_string() } else { format!(" {} RTO {rto} ", g.dot) };
            row = row.add("impact ", t.dim).add(passed.to_string(), t.strong).add(objective, t.dim);
        }
        row = match served {
            _ if none => row,
            // Each for itself: when one was served says nothing of the other.
            Some((took, _)) if !vouched.is_empty() => {
                let ours: BTreeSet<GroupId> = s
                    .operations
                    .iter()
                    .filter(|o| is_of_now(s, o) && o.recovery_time().is_some())
                    .map(|o| o.group)
                    .collect();
                let ours: Vec<&str> = ours.into_iter().map(|g| s.estate.group(g).name.as_str()).collect();
                let text = format!("{} {} served {}", g.done, ours.join(", "), took.exact());
                let row = row.add(g.plain(&text), t.ok).add(format!(" {} ", g.dot), t.dim);
                row.add(g.plain(&format!("{} {} elected: lost what?", g.part, names(&vouched))), t.warn)
            }
            Some((_, took)) => {
                let (lost, style) = lost(s, t);
                let row = row
                    .add(format!("{} users served after {took}", g.done), t.ok)
                    .add(format!(" {} ", g.dot), t.dim);
                // Recovered was with protection: that it is gone since is more than the objective.
                match s.groups.iter().any(|v| v.alone.is_some() && is_reached(s, v.group)) {
                    true => row.add(lost, style).add(format!(" {} now on one node", g.dot), t.bad),
                    false => {
                        let (row, kept) = (row.add(lost, style), format!(" {} RTO {rto}", g.dot));
                        if row.used() + kept.chars().count() <= before_clock {
                            row.add(kept, t.dim)
                        } else {
                            row
                        }
                    }
                }
            }
            None if waiting == 0 => {
                let (text, style) = match unproven.as_slice() {
                    [] if !vouched.is_empty() => {
                        (format!("{} {} elected: served when, lost what?", g.part, names(&vouched)), t.warn)
                    }
                    [] => (format!("{} no service waits any more", g.done), t.ok),
                    [one] if slowest.is_some() => (
                        format!("{} cluster took {}, unproven", g.part, s.estate.group(one.group).name),
                        t.warn,
                    ),
                    _ => (format!("{} cluster took over, no write proven", g.part), t.warn),
                };
                row.add(g.plain(&text), style)
            }
            None => {
                let left = Span(rto.0.saturating_sub(passed.0));
                let style = if left.0 * 4 < rto.0 { t.bad } else { t.warn };
                let share = passed.0 * 1000 / rto.0.max(1);
                let left = if left == Span::ZERO {
                    format!(" {} over it", Span(passed.0 - rto.0))
                } else {
                    format!(" {left} left")
                };
                // Where there is no room for all, the figure says what the gauge does.
                // As the services screen counts them: those that users wait for, wherever else they answer.
                let hit = format!(", {} hit", count(waiting, "service"));
                let others = row.used() + left.chars().count() + hit.chars().count();
                let row = match [16, 10]
                    .into_iter()
                    .find(|wide| others + wide <= before_clock && (*wide < 16 || c.width >= 100))
                {
                    Some(wide) => row.add(gauge(g, wide, share, Some(1000)), style),
                    None => row.add(g.dot, t.dim),
                };
                row.add(left, style).add(hit, t.bad)
            }
        };
    } else if let Some((since, rto, waiting)) = unwritable(c) {
        let left = match rto.0.checked_sub(since.0) {
            Some(left) => format!("{} left of RTO {rto}", Span(left)),
            None => format!("{} over RTO {rto}", Span(since.0 - rto.0)),
        };
        let style = if since.0 * 4 > rto.0 * 3 { t.bad } else { t.warn };
        row = row
            .add(format!("no writes for {since}"), t.strong)
            .add(format!(" {} ", g.dot), t.dim)
            .add(left, style);
        row = row.add(format!(", {} hit", count(waiting, "service")), t.bad);
    } else {
        let silent: Vec<String> = s
            .stale
            .iter()
            .map(|source| format!("{} {}", source_words(&source.source, &s.estate), c.age(source.since)))
            .collect();
        row = match silent.is_empty() {
            true if s.stored > 0 => row.add(format!("record {} of {}", s.records, s.stored), t.dim),
            true => row.add(count(s.records as usize, "record"), t.dim),
            false => {
                row.add("silent: ", t.dim).rest(g, &silent.join(", "), c.width.saturating_sub(14), t.warn)
            }
        };
    }
    if let Some(world) = &s.world {
        row = row.fitted(g, before_clock).add(clock, t.accent);
        if !world.faults.is_empty() {
            // Whether orders act stands at the end, whatever else there is to say.
            let text = format!(" {} {}", g.dot, world.faults.join(", "));
            let most = c.width.saturating_sub(12);
            if row.used() + text.chars().count() <= most {
                row = row.rest(g, &text, most, t.dim);
            }
        }
    }
    if let Some(reason) = &s.failed {
        row = row.add(format!(" {} THE JOURNAL CANNOT BE WRITTEN: {reason}", g.alarm), t.bad);
    }
    row.fitted(g, room)
        .add(" ", t.text)
        .at_end(g, &armed, c.width.saturating_sub(1), if s.armed { t.warn } else { t.dim })
        .line()
}

/// Whether orders act, and what automation does.
fn armed(c: &Canvas) -> String {
    let s = c.snapshot;
    let rests = s.groups.iter().filter_map(|v| v.blocked_until).filter(|until| *until > s.now.utc).max();
    match rests.filter(|_| !narrow(c)) {
        _ if !s.armed => "read-only".to_string(),
        // What it has begun goes on, whatever it rests from.
        Some(_) if s.open().any(|o| o.automatic) => "auto acts".to_string(),
        // In an incident there is little room, and what it does not do must be known.
        // In minutes: it is no stopwatch, and each second of it would be drawn.
        Some(until) => {
            let left = format!("{} min", until.since(s.now.utc).0.div_ceil(60_000));
            match (s.disasters.is_empty(), c.width) {
                (true, _) => format!("armed, automation rests {left}"),
                (false, ..100) => format!("auto rests {left}"),
                (false, _) => format!("armed, auto rests {left}"),
            }
        }
        None => match s.groups.iter().find_map(|v| v.held.as_ref()) {
            Some(veto) if !narrow(c) => format!("auto waits: {}", veto_word(veto)),
            _ => "armed".to_string(),
        },
    }
}

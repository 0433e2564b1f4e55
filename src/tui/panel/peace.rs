//! With nothing to decide: what would happen if a region failed now, what could not be done, and what is left to do.

use super::Canvas;
use crate::model::*;
use crate::tui::keys::Command;
use crate::tui::text::{Row, wrap};
use crate::wording::{by_hand, elected_words, finding_words, gap_words, sign_words, source_words};
use ratatui::text::Line;
use std::collections::BTreeSet;

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

/// An open disaster with nothing left to decide: what its end waits for.
pub fn nothing_left(c: &Canvas) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let text = nothing_left_words(c).unwrap_or_default();
    let parts =
        wrap(&g.plain(&text), c.width.saturating_sub(2).max(10)).into_iter().filter(|p| !p.is_empty());
    parts.map(|part| Row::new().rest(g, &format!(" {part}"), c.width, t.strong).line()).collect()
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

/// The same in words; `None` while something is to be decided, or runs.
fn nothing_left_words(c: &Canvas) -> Option<String> {
    let s = c.snapshot;
    if s.disasters.is_empty() || !s.proposals.is_empty() || s.open().next().is_some() {
        return None;
    }
    // Of an intruder or corrupt data nobody can say that nothing is left to be done.
    if s.disasters.iter().any(|d| d.kind.is_of_data()) || !s.undecided().is_empty() {
        return None;
    }
    let mut words = Vec::new();
    let regions: BTreeSet<RegionId> = s.disasters.iter().flat_map(|d| d.regions.iter().copied()).collect();
    let names: Vec<&str> = regions.iter().map(|r| s.estate.region(*r).name.as_str()).collect();
    let down = names.join(", ");
    for view in s.groups.iter().filter(|v| v.alone.is_some()) {
        let leader = view.primary.map_or("its primary", |r| s.estate.region(r).name.as_str());
        words.push(format!(
            "{} is on {leader} alone: no standby is synchronous (5)",
            s.estate.group(view.group).name
        ));
    }
    // The only copy of what was lost is where it was written.
    let lost = |o: &&std::sync::Arc<Operation>| {
        super::is_of_now(s, o) && o.results.loss.as_ref().is_some_and(|loss| *loss != Loss::Nothing)
    };
    for o in s.operations.iter().filter(lost) {
        let (group, from) = (&s.estate.group(o.group).name, &s.estate.region(o.from).name);
        words.push(format!("What {group} lost stands on {from} alone: save its data before it comes back"));
    }
    let ours = |v: &GroupView| {
        s.operations.iter().any(|o| o.group == v.group && super::is_of_now(s, o) && o.counts())
    };
    let by_itself: Vec<&GroupView> = super::unproven(s).into_iter().filter(|v| !ours(v)).collect();
    if !by_itself.is_empty() {
        // One that leads where it led before was elected anew: it is what must stay on.
        let (same, moved): (Vec<&GroupView>, Vec<&GroupView>) =
            by_itself.iter().partition(|v| v.primary.is_some_and(|p| regions.contains(&p)));
        let names = |views: &[&GroupView]| {
            views.iter().map(|v| s.estate.group(v.group).name.as_str()).collect::<Vec<_>>().join(", ")
        };
        // One that follows the new primary is no danger any more.
        let follows =
            |v: &GroupView, m: &MemberView| !m.leads && m.answers == Some(true) && m.timeline == v.timeline;
        let back = moved
            .iter()
            .all(|v| v.members.iter().filter(|m| regions.contains(&m.region)).all(|m| follows(v, m)));
        let off = if back {
            String::new()
        } else {
            format!(": its old primary in {down} may come back as a standby only")
        };
        if !same.is_empty() {
            words.push(format!(
                "the cluster elected the primary of {} anew by itself, where it was",
                names(&same)
            ));
        }
        if !moved.is_empty() {
            words.push(format!("the cluster took over {} by itself, without a fence{off}", names(&moved)));
        }
        words.push(format!(
            "No write of ours has proven it, and nothing here does that afterwards: {}, then vouch for it ({})",
            match by_itself.as_slice() {
                [one] => by_hand(s.estate.group(one.group)),
                _ => "write a row of your own through the entry of each (psql), read it back".to_string(),
            },
            c.key(Command::Vouch)
        ));
    }
    for v in super::vouched(s) {
        let text = v.elected.as_ref().map_or(String::new(), |e| elected_words(e, &s.estate, v.group));
        words.push(format!("{}: {text}", s.estate.group(v.group).name));
    }
    let hit = s.services.iter().filter(|v| v.hit_by.is_some()).count();
    if hit > 0 {
        let entry = |s: &&StaleSource| matches!(s.source, Source::Balancer { .. });
        let entries: Vec<String> =
            s.stale.iter().filter(entry).map(|silent| source_words(&silent.source, &s.estate)).collect();
        words.push(match entries.as_slice() {
            [] => "Users are not seen served yet".to_string(),
            entries => format!(
                "Users are not served: no answer of {}; lead traffic to the new primary another way",
                entries.join(", ")
            ),
        });
    }
    let closed: Vec<&str> = s.entries_silent().into_iter().map(|g| s.estate.group(g).name.as_str()).collect();
    if hit == 0 && !closed.is_empty() {
        words.push(format!(
            "No entry of {} answers: users may find no way in; lead traffic to the primary another way",
            closed.join(", ")
        ));
    }
    let fenced: Vec<&str> = s
        .groups
        .iter()
        .filter(|v| v.members.iter().any(|m| regions.contains(&m.region) && s.is_fenced(v.group, m.member)))
        .map(|v| s.estate.group(v.group).name.as_str())
        .collect();
    let well = regions.iter().all(|r| s.regions[r.at()].status == RegionStatus::Ok);
    let quiet = words.is_empty();
    if !fenced.is_empty() {
        let when = if well { String::new() } else { format!("Once {down} is well again, ") };
        words.push(format!(
            "{when}undo the fence of {}{}: Patroni brings it back as a standby. Then it is over, and what is led elsewhere may stay so",
            fenced.join(", "),
            how(c)
        ));
        if quiet && !well {
            words.insert(0, "Nothing is to be decided".to_string());
        }
        return Some(words.join(". "));
    }
    words.push(match (quiet, well) {
        (_, true) => {
            format!("Everything in {down} answers again: it is over once that has lasted for a few seconds")
        }
        (true, false) => format!("Nothing is to be decided: it is over once {down} is well again"),
        (false, false) => format!("It is over once {down} is well again"),
    });
    Some(words.join(". "))
}

/// How a fence is undone: in a simulation that is a key.
fn how(c: &Canvas) -> String {
    let here = if c.snapshot.world.is_some() && c.snapshot.mode != Mode::Replay {
        format!("here {}; ", c.key(Command::Mend))
    } else {
        String::new()
    };
    format!(" ({here}the command: {}, Enter)", c.key(Command::Go(crate::tui::Screen::Recovery)))
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

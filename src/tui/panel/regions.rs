//! A line for each region: state in glyph and word, role, capacity, what answers, the age of what is late.

use super::Canvas;
use crate::model::*;
use crate::tui::text::{Row, gauge};
use ratatui::text::Line;

/// Every region; where there are too many, those in trouble and how many are well.
pub fn regions(c: &Canvas) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let mut lines = vec![head(c, " REGIONS", t.title, false)];
    let mut ids = ordered(c);
    let all = ids.len();
    ids.truncate(MOST);
    let shown = ids.len();
    // How ready each is for its own loss says nothing of how fit it is to take over: that is told where it is asked for.
    lines.extend(ids.into_iter().map(|id| row(c, id, false)));
    if all > shown {
        lines.push(Row::new().rest(g, &format!("   {}", others(c, all - shown)), c.width, t.dim).line());
    }
    lines
}

/// The same in a line or two, where what is decided on needs the room.
pub fn regions_short(c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut lines = Vec::new();
    let mut row = Row::new().add(" REGIONS  ", t.title);
    let mut ids = ordered(c);
    // Where it is cut, it is cut behind what is in trouble.
    ids.sort_by_key(|id| is_well(c, *id));
    for (shown, id) in ids.iter().enumerate() {
        let (glyph, word, style) = state(c, *id);
        let late = late(c, *id).map_or(String::new(), |late| format!(", last heard {}", heard(c, *id, late)));
        let name = g.plain(&s.estate.region(*id).name);
        let length = name.chars().count() + word.len() + late.len() + 6;
        if row.used() + length > c.width && lines.len() == 1 {
            row = row.rest(g, &others(c, ids.len() - shown), c.width, t.dim);
            break;
        }
        if row.used() + length > c.width {
            lines.push(std::mem::replace(&mut row, Row::new().add(" ".repeat(10), t.text)).line());
        }
        row = row
            .add(format!("{glyph} "), style)
            .add(format!("{name} "), t.text)
            .add(format!("{word}{late}   "), style);
    }
    lines.push(row.fitted(g, c.width).line());
    lines
}

/// As configured; where there are too many, those in trouble first, then those that lead.
fn ordered(c: &Canvas) -> Vec<RegionId> {
    let s = c.snapshot;
    let mut ids: Vec<RegionId> = s.estate.region_ids().collect();
    if ids.len() > MOST {
        let mut leads = vec![false; ids.len()];
        s.groups.iter().filter_map(|v| v.primary).for_each(|r| leads[r.at()] = true);
        ids.sort_by_key(|id| (std::cmp::Reverse(s.regions[id.at()].status), !leads[id.at()]));
    }
    ids
}

/// How those are that are not listed.
fn others(c: &Canvas, left: usize) -> String {
    let well = c.snapshot.regions.iter().filter(|r| r.status == RegionStatus::Ok).count();
    format!("and {left} more; {well} of {} are OK (2 shows all)", c.snapshot.regions.len())
}

/// A region's state: glyph, word and colour.
fn state<'a>(c: &Canvas<'a>, id: RegionId) -> (&'a str, &'static str, ratatui::style::Style) {
    let (t, g) = (c.theme, c.glyphs);
    let view = &c.snapshot.regions[id.at()];
    // What has begun to fail is not shown as well, though nothing is declared yet.
    match view.status {
        RegionStatus::Ok if is_well(c, id) => (g.ok, view.status.word(), t.ok),
        RegionStatus::Ok if view.services_up < view.services => (g.part, "FAILING", t.warn),
        RegionStatus::Ok => (g.part, "OVERLOAD", t.warn),
        RegionStatus::Degraded => (g.part, view.status.word(), t.warn),
        RegionStatus::Down => (g.bad, view.status.word(), t.bad),
        RegionStatus::Unknown => (g.unknown, view.status.word(), t.dim),
    }
}

/// Everything in it answers, and it carries no more than it can.
fn is_well(c: &Canvas, id: RegionId) -> bool {
    let view = &c.snapshot.regions[id.at()];
    view.status == RegionStatus::Ok
        && view.services_up >= view.services
        && super::overload(c.snapshot, id).is_none()
}

/// A replay shows answers only where they were recorded beside the journal.
fn is_recorded(c: &Canvas) -> bool {
    !c.snapshot.gaps.contains(&Gap::NotMeasured)
}

/// The age of its last answer, where that is late: a fresh one needs no figure.
fn late(c: &Canvas, id: RegionId) -> Option<Span> {
    c.snapshot.regions[id.at()].last_answer.map(|at| c.age(at)).filter(|age| *age > Span::secs(2))
}

/// When that was: of one that is down its moment, which is not the impact that counts on above.
fn heard(c: &Canvas, id: RegionId, late: Span) -> String {
    match c.snapshot.regions[id.at()].status {
        // One of another day would read like one of today.
        RegionStatus::Down if late < Span::mins(12 * 60) => c.snapshot.now.utc.back(late).clock(),
        _ => format!("{late} ago"),
    }
}

/// Regions that the command screen lists.
const MOST: usize = 8;

/// Columns: the mark and the name, the state, how ready it is for its loss.
const NAME: usize = 18;
const STATE: usize = 9;
const READY: usize = 12;

/// The titles of the columns.
pub fn regions_head(c: &Canvas) -> Line<'static> {
    head(c, "   name", c.theme.dim, tells_readiness(c))
}

fn head(c: &Canvas, first: &str, style: ratatui::style::Style, readiness: bool) -> Line<'static> {
    let (t, g) = (c.theme, c.glyphs);
    let row = Row::new().left(g, first, NAME, style).left(g, "state", STATE, t.dim);
    if narrow(c) {
        return row.rest(g, "services up there", c.width, t.dim).line();
    }
    let row = row.left(g, "planned", 8, t.dim).left(g, "capacity", 14, t.dim).right(g, "up there", 9, t.dim);
    let row = if readiness { row.right(g, "if lost", READY, t.dim) } else { row };
    row.rest(g, "  answered", c.width, t.dim).line()
}

/// Where there is no room for all columns.
fn narrow(c: &Canvas) -> bool {
    c.width < 62
}

/// Where there is room to tell how ready a region is for its loss.
fn tells_readiness(c: &Canvas) -> bool {
    // In a fork nobody asks; and while one is lost the figure is no advice where to go.
    c.width >= 76 && c.snapshot.mode != Mode::Fork && c.snapshot.disasters.is_empty()
}

/// One region, with how ready it is for its loss where there is room for that.
pub fn region_row(c: &Canvas, id: RegionId) -> Line<'static> {
    row(c, id, tells_readiness(c))
}

fn row(c: &Canvas, id: RegionId, readiness: bool) -> Line<'static> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let (region, view) = (s.estate.region(id), &s.regions[id.at()]);
    let (glyph, word, style) = state(c, id);
    let recorded = is_recorded(c);
    let up = if view.services == 0 {
        g.dash.to_string()
    } else {
        format!("{}/{}", view.services_up, view.services)
    };
    let few = if view.services_up < view.services { t.warn } else { t.text };
    let mut row = Row::new()
        .add(format!(" {glyph} "), style)
        .left(g, &region.name, NAME - 3, t.text)
        .left(g, word, STATE, style);
    if narrow(c) {
        let up = if recorded { &up } else { "not recorded" };
        return row.rest(g, up, c.width, few).line();
    }
    row = row.left(g, region.role.name(), 8, t.dim);
    row = match view.load {
        // What a region that is down carried before is not what it carries.
        Some((load, at)) if view.status != RegionStatus::Down && c.age(at) < Span::mins(1) => {
            let full = if load.0 >= 90 { t.warn } else { t.text };
            row.add(gauge(g, 8, u64::from(load.0) * 10, Some(900)), full)
                .right(g, &load.to_string(), 5, t.text)
                .add(" ", t.text)
        }
        _ => row.add(g.dash.repeat(8), t.dim).right(g, "?", 5, t.dim).add(" ", t.text),
    };
    row = row.right(g, &up, 9, few);
    if readiness {
        // What is lost already is not asked whether it may be.
        row = match s.ready(id).map(|(ready, _)| ready).filter(|_| view.status != RegionStatus::Down) {
            // That it was not rehearsed is not that it would not work.
            Some(RegionReadiness { score: None, .. }) => row.right(g, "unknown", READY, t.warn),
            Some(ready @ RegionReadiness { score: Some(score), .. }) if ready.needs_more() => {
                row.right(g, &format!("! {score}% ready"), READY, t.warn)
            }
            Some(RegionReadiness { score: Some(score), .. }) => {
                row.right(g, &format!("{score}% ready"), READY, t.text)
            }
            None => row.right(g, g.dash, READY, t.dim),
        };
    }
    row = match (late(c, id), view.last_answer) {
        (Some(age), _) => row.add("  ", t.text).rest(g, &heard(c, id, age), c.width, t.warn),
        (None, Some(_)) => row,
        (None, None) if !recorded => row.rest(g, "  not recorded", c.width, t.dim),
        (None, None) => row.rest(g, "  never", c.width, t.dim),
    };
    row.line()
}

//! Regions: what answers, what runs there, where its data goes, what needs it, and what if it failed.

use super::fact;
use crate::model::*;
use crate::tui::kinds::held_routes;
use crate::tui::panel::{Canvas, behind, region_row};
use crate::tui::text::Row;
use crate::wording::{
    disaster_evidence_words, point_words, region_reason_words, survey_check_words, survey_place,
    survey_words, takes_over,
};
use ratatui::text::Line;

/// Databases that are told of one by one; with more of them screen 5 has them all.
const MOST: usize = 12;
/// Lines of services that run there.
const MOST_LINES: usize = 8;

fn id_of(c: &Canvas, id: u64) -> Option<RegionId> {
    c.snapshot.estate.region_ids().find(|r| u64::from(r.0) == id)
}

pub fn row(c: &Canvas, id: u64) -> Line<'static> {
    id_of(c, id).map_or_else(Line::default, |id| region_row(c, id))
}

pub fn detail(c: &Canvas, id: u64) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let Some(id) = id_of(c, id) else { return Vec::new() };
    let (region, view) = (s.estate.region(id), &s.regions[id.at()]);
    let mut lines = vec![Row::new().add(format!(" {}", g.plain(&region.name)), t.title).line()];
    let silent = view.services.saturating_sub(view.services_up);
    if silent > 0 && view.status == RegionStatus::Ok {
        // What it was found to be before says nothing of now.
        let asked = s.estate.policy.detection.threshold;
        let text = format!(
            "{silent} of {} did not answer the last check; {asked} such in a row, and the observers, would say that it is gone",
            view.services
        );
        lines.extend(fact(c, "state", &text, t.warn));
    } else if view.reason != RegionReason::NotFound {
        lines.extend(fact(c, "state", &region_reason_words(&view.reason), t.text));
    }
    let place: Vec<&str> =
        [&region.provider, &region.data_center].into_iter().flatten().map(String::as_str).collect();
    let place = if place.is_empty() { String::new() } else { format!(", {}", place.join(", ")) };
    lines.extend(fact(
        c,
        "role",
        &format!(
            "{}, chosen {}{place}; its size: {} of all load, as declared",
            region.role,
            nth(region.priority),
            region.capacity
        ),
        t.text,
    ));
    for d in s.disasters.iter().filter(|d| d.regions.contains(&id)) {
        let names = d.of_nodes(&s.estate);
        let names = if names.is_empty() { String::new() } else { format!(" of {}", names.join(", ")) };
        let text = format!(
            "{} {}{names}, since {}; declared on: {}",
            d.severity,
            d.kind.words(),
            d.since.clock(),
            disaster_evidence_words(&d.evidence)
        );
        lines.extend(fact(c, "disaster", &text, t.bad));
    }
    lines.extend(data(c, id));
    lines.extend(services(c, id));
    lines.extend(needed(c, id));
    lines.extend(what_if(c, id));
    lines.extend(ready(c, id));
    lines
}

/// What would stop the failover of a database that is led from there, with what to do.
fn surveyed(c: &Canvas, id: RegionId) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let concerns = |f: &&Surveyed| !matches!(f.about, SurveyAbout::Region(other) if other != id);
    let mut lines = Vec::new();
    for view in s.groups.iter().filter(|v| v.primary.is_none_or(|p| p == id) && !v.survey.is_empty()) {
        let title = format!("what would stop a failover of {}", s.estate.group(view.group).name);
        lines.extend(fact(c, "survey", &title, t.text));
        for found in view.survey.iter().filter(concerns).take(MOST) {
            let (text, remedy) = survey_words(found, &s.estate, view.group);
            let (mark, style) = if found.state.stops() { (g.bad, t.warn) } else { (g.unknown, t.text) };
            let place = survey_place(found, &s.estate, view.group);
            lines.extend(fact(
                c,
                "",
                &format!("{mark} {}, {place}: {text}", survey_check_words(found.check)),
                style,
            ));
            if !remedy.is_empty() {
                lines.extend(fact(c, "", &format!("  {remedy}"), t.dim));
            }
        }
    }
    lines
}

/// Whether its loss could be answered, point by point where something is missing.
fn ready(c: &Canvas, id: RegionId) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    // What is lost already is not asked whether it may be.
    if s.regions[id.at()].status == RegionStatus::Down {
        return Vec::new();
    }
    let Some((of, at)) = s.ready(id) else { return Vec::new() };
    let asked = s.now.utc.since(at);
    let what = of.weakest.as_ref().map_or(String::new(), |w| {
        let group = w.group.map_or(String::new(), |g| format!(" of {}", s.estate.group(g).name));
        format!(": {} of {} points hold for a {}{group}", w.holds.len(), w.of, w.scenario.words())
    });
    let score =
        of.score.map_or_else(|| "no score: nothing was measured".to_string(), |score| format!("{score} %"));
    let text = format!("{score} for its loss{what}; asked {asked} ago");
    let mut lines = fact(c, "ready", &text, if of.lacks.is_empty() { t.ok } else { t.text });
    let holds = of.weakest.iter().flat_map(|w| &w.holds).map(|p| p.name()).collect::<Vec<_>>().join(", ");
    if !holds.is_empty() {
        lines.extend(fact(c, "", &format!("{} {holds}", g.done), t.ok));
    }
    for point in &of.lacks {
        let (mark, style) =
            if point.state == PointState::Lacks { (g.bad, t.warn) } else { (g.unknown, t.text) };
        lines.extend(fact(c, "", &format!("{mark} {}: {}", point.name, point_words(point)), style));
    }
    lines.extend(surveyed(c, id));
    lines
}

/// Every way that data flows, if there is room for all of them: from where to where, how, how late, how far away.
pub fn links(c: &Canvas, room: usize) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    if c.width < 78 || links_height(c) > room {
        return Vec::new();
    }
    let head = Row::new()
        .left(g, " LINKS", 14, t.title)
        .left(g, "from", 17, t.dim)
        .left(g, "to", 15, t.dim)
        .left(g, "kind", 6, t.dim);
    let mut lines = vec![
        Line::default(),
        head.right(g, "behind", 12, t.dim)
            .right(g, "lag", 6, t.dim)
            .right(g, "latency", 8, t.dim)
            .fitted(g, c.width)
            .line(),
    ];
    for view in s.groups.iter().filter(|v| !v.members.is_empty()) {
        let from = view.primary.map_or("nobody", |r| s.estate.region(r).name.as_str());
        for m in view.members.iter().filter(|m| !m.leads) {
            let (kind, style) = if m.synchronous { ("sync", t.strong) } else { ("async", t.dim) };
            let answers = m.answers == Some(true);
            let value = |text: Option<String>| text.filter(|_| answers).unwrap_or_else(|| g.dash.to_string());
            let late = if answers { t.text } else { t.warn };
            lines.push(
                Row::new()
                    .left(g, &format!("  {} ", s.estate.group(view.group).name), 14, t.text)
                    .left(g, from, 15, t.text)
                    .add(format!("{} ", g.arrow), if answers { t.ok } else { t.warn })
                    .left(g, &m.label, 15, t.text)
                    .left(g, kind, 6, style)
                    .right(g, &value(Some(behind(c, view, m))), 12, late)
                    .right(
                        g,
                        &value(m.lag.filter(|_| !view.may_lack(m, s.now.mono)).map(|l| l.to_string())),
                        6,
                        late,
                    )
                    .right(g, &value(m.round_trip.map(|r| Span(r.0 / 2).to_string())), 8, late)
                    .fitted(g, c.width)
                    .line(),
            );
        }
    }
    lines
}

/// Lines that [`links`] takes.
pub fn links_height(c: &Canvas) -> usize {
    2 + c.snapshot.groups.iter().map(|v| v.members.iter().filter(|m| !m.leads).count()).sum::<usize>()
}

fn nth(priority: u16) -> String {
    match priority {
        1 => "first".to_string(),
        2 => "second".to_string(),
        3 => "third".to_string(),
        n => format!("{n}th"),
    }
}

/// Its databases: which way the data flows, how late, how long a probe takes.
fn data(c: &Canvas, id: RegionId) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut lines = Vec::new();
    let here =
        || s.groups.iter().filter_map(|view| Some((view, view.members.iter().find(|m| m.region == id)?)));
    for (view, member) in here().take(MOST) {
        let group = &s.estate.group(view.group).name;
        let trip =
            member.round_trip.filter(|_| member.answers == Some(true)).map_or(
                String::new(),
                |r| match member.measured.map(|at| c.age(at)) {
                    Some(age) if age > Span::ms(1_500) => format!(", answered {age} ago"),
                    _ => format!(", answers in {r}"),
                },
            );
        if member.leads {
            let to: Vec<&str> = view.members.iter().filter(|m| !m.leads).map(|m| m.label.as_str()).collect();
            if view.stepped_down.is_some() {
                lines.extend(fact(
                    c,
                    group,
                    "stepped down: it answers, leads no more, and nobody takes writes",
                    t.bad,
                ));
                continue;
            }
            lines.extend(fact(c, group, &format!("leads {} {}{trip}", g.arrow, to.join(", ")), t.strong));
            continue;
        }
        let from = view.primary.map_or("nobody", |p| s.estate.region(p).name.as_str());
        let kind = if member.synchronous { "synchronous" } else { "asynchronous" };
        let lag = match (member.lag_bytes, member.lag) {
            (Some(_), _) if view.may_lack(member, s.now.mono) => {
                format!("{} behind", behind(c, view, member))
            }
            (Some(bytes), Some(time)) => format!("{bytes}, {time} behind"),
            _ => "lag unknown".to_string(),
        };
        lines.extend(fact(c, group, &format!("{from} {} here, {kind}, {lag}{trip}", g.arrow), t.text));
        lines.extend(fact(c, "", &takes_over(member), if member.unfit.is_none() { t.ok } else { t.warn }));
    }
    let more = here().count().saturating_sub(MOST);
    if more > 0 {
        lines.extend(fact(c, "", &format!("and {more} databases more (5 shows all)"), t.dim));
    }
    lines
}

fn services(c: &Canvas, id: RegionId) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut row = Row::new();
    let mut names = Vec::new();
    for service in s.estate.service_ids().filter(|i| s.estate.service(*i).regions.contains(&id)) {
        let place = s.services[service.at()].places.iter().find(|p| p.region == Some(id));
        let (mark, style) = match place.and_then(|p| p.well) {
            Some(true) => (g.ok, t.ok),
            Some(false) => (g.bad, t.bad),
            None => (g.unknown, t.dim),
        };
        names.push((mark, style, s.estate.service(service).name.as_str()));
    }
    let mut lines = Vec::new();
    let all = names.len();
    for (i, (mark, style, name)) in names.into_iter().enumerate() {
        let length = 3 + name.chars().count();
        if lines.len() == MOST_LINES {
            lines.extend(fact(c, "", &format!("and {} services more (3 shows all)", all - i), t.dim));
            row = Row::new();
            break;
        }
        if i == 0 {
            row = row.left(g, "   runs", 18, t.dim);
        } else if row.used() + length > c.width {
            lines.push(std::mem::take(&mut row).line());
            row = row.left(g, "", 18, t.dim);
        }
        row = row.add(format!("{mark} "), style).add(format!("{} ", g.plain(name)), t.text);
    }
    if row.used() > 0 {
        lines.push(row.line());
    }
    lines
}

/// What of the recovery itself stands in it.
fn needed(c: &Canvas, id: RegionId) -> Vec<Line<'static>> {
    let s = c.snapshot;
    let mut lines = Vec::new();
    for group in s.estate.groups.iter().filter(|g| g.database.is_some()).take(MOST) {
        let Some(database) = &group.database else { continue };
        let stores = database.store.iter().filter(|e| e.region == Some(id)).count();
        let mut parts = Vec::new();
        if stores > 0 {
            parts.push(format!("{stores} of {} of etcd", database.store.len()));
        }
        parts.extend(held_routes(database, id));
        if database.fence.as_ref().is_some_and(|f| f.depends_on.contains(&id)) {
            parts.push("the fence needs it".to_string());
        }
        if !parts.is_empty() {
            lines.extend(fact(c, "holds", &format!("{}: {}", group.name, parts.join(", ")), c.theme.text));
        }
    }
    lines
}

fn what_if(c: &Canvas, id: RegionId) -> Vec<Line<'static>> {
    let (s, t) = (c.snapshot, c.theme);
    let mut lines = Vec::new();
    for view in s.groups.iter().filter(|v| v.primary == Some(id)).take(MOST) {
        let fit = view.members.iter().find(|m| !m.leads && m.unfit.is_none());
        let group = &s.estate.group(view.group).name;
        match fit {
            Some(m) => lines.extend(fact(
                c,
                "if it failed",
                &format!("{group}: {} could take over, losing nothing acknowledged", m.label),
                t.ok,
            )),
            None => lines.extend(fact(
                c,
                "if it failed",
                &format!("{group}: nobody could take over without loss"),
                t.warn,
            )),
        }
    }
    let alone = s.estate.service_ids().filter(|i| s.estate.service(*i).regions == [id]).count();
    if alone > 0 {
        lines.extend(fact(c, "", &format!("{alone} services run nowhere else"), t.warn));
    }
    lines
}

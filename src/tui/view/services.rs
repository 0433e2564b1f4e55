//! Services: what depends on what, and how far a failure reaches.

use super::{Shown, fact};
use crate::model::*;
use crate::tui::panel::{Canvas, health_mark};
use crate::tui::text::Row;
use crate::wording::probe_words;
use ratatui::text::Line;

fn id_of(c: &Canvas, id: u64) -> Option<ServiceId> {
    usize::try_from(id).ok().filter(|i| *i < c.snapshot.estate.services.len()).map(ServiceId::of)
}

pub fn head(c: &Canvas) -> Line<'static> {
    let (t, g) = (c.theme, c.glyphs);
    let row = Row::new()
        .left(g, "   name", name_width(c) + 3, t.dim)
        .left(g, "state", 10, t.dim)
        .right(g, "tier", 4, t.dim);
    if c.width < 60 {
        return row.line();
    }
    row.right(g, "RTO", 9, t.dim).right(g, "RPO", 8, t.dim).rest(g, "  where", c.width, t.dim).line()
}

fn name_width(c: &Canvas) -> usize {
    (c.width / 3).clamp(14, 40)
}

pub fn row(shown: &Shown, c: &Canvas, id: u64) -> Line<'static> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let Some(id) = id_of(c, id) else { return Line::default() };
    let (service, view) = (s.estate.service(id), &s.services[id.at()]);
    let (mark, style) = health_mark(c, view.health);
    let indent = "  ".repeat(depth(shown, s, id).min(8));
    let mut row = Row::new()
        .add(format!(" {mark} "), style)
        .left(g, &format!("{indent}{}", service.name), name_width(c), t.text)
        .left(g, view.health.word(), 10, style)
        .right(g, &service.tier.to_string(), 4, t.dim);
    if c.width < 60 {
        return row.line();
    }
    row = row
        .right(g, &service.rto.written(), 9, t.dim)
        .right(g, &service.rpo.written(), 8, t.dim)
        .add("  ", t.text);
    if view.places.is_empty() {
        return row.rest(g, "never asked", c.width, t.dim).line();
    }
    // Those beside each other that are alike are one piece: there may be fifty of them.
    let room = c.width.saturating_sub(row.used());
    for alike in view.places[..view.places.len().min(room)].chunk_by(|a, b| a.well == b.well) {
        let (mark, style) = match alike[0].well {
            Some(true) => (g.ok, t.ok),
            Some(false) => (g.bad, t.bad),
            None => (g.unknown, t.dim),
        };
        row = row.add(mark.repeat(alike.len()), style);
    }
    // Of one that is asked at one address the reason has room beside it.
    let only = if let [place] = view.places.as_slice() { reason(service, place) } else { None };
    if let Some(reason) = only {
        return row.rest(g, &format!("  {reason}"), c.width, t.dim).line();
    }
    row.fitted(g, c.width).line()
}

/// How deep it stands in the tree; 0 where the list is no tree.
fn depth(shown: &Shown, s: &Snapshot, id: ServiceId) -> usize {
    if shown.list.order > 0 || !shown.list.filter.is_empty() {
        return 0;
    }
    let mut depth = 0;
    let mut at = id;
    // A circle is refused by the configuration; the bound is for what cannot be.
    while let Some(needed) =
        s.estate.service(at).depends_on.first().filter(|_| depth < s.estate.services.len())
    {
        depth += 1;
        at = *needed;
    }
    depth
}

pub fn detail(c: &Canvas, id: u64) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let Some(id) = id_of(c, id) else { return Vec::new() };
    let (service, view) = (s.estate.service(id), &s.services[id.at()]);
    let name = |id: &ServiceId| s.estate.service(*id).name.clone();
    let mut lines = vec![Row::new().rest(g, &format!(" {}", service.name), c.width, t.title).line()];
    let (_, style) = health_mark(c, view.health);
    let why = why(s, id);
    lines.extend(fact(c, "state", &format!("{}{why}", view.health.word()), style));
    let needs: Vec<String> = service.depends_on.iter().map(name).collect();
    let needs = if needs.is_empty() { "nothing".to_string() } else { needs.join(", ") };
    lines.extend(fact(c, "needs", &needs, t.text));
    let reached: Vec<ServiceId> = s.estate.dependents(&[id]).into_iter().filter(|d| *d != id).collect();
    let first = reached.iter().filter(|r| s.estate.service(**r).tier == 1).count();
    match reached.len() {
        0 => lines.extend(fact(c, "if it failed", "nothing else would", t.text)),
        n => {
            let names: Vec<String> = reached.iter().take(12).map(name).collect();
            let more = if n > 12 { format!(" and {} more", n - 12) } else { String::new() };
            lines.extend(fact(
                c,
                "if it failed",
                &format!("{n} more would, {first} of tier 1: {}{more}", names.join(", ")),
                t.text,
            ));
        }
    }
    let group = s.estate.group(service.group);
    let primary = s.groups[service.group.at()]
        .primary
        .map_or(String::new(), |p| format!(", led by {}", s.estate.region(p).name));
    lines.extend(fact(c, "back with", &format!("{}{primary}", group.name), t.text));
    if view.places.is_empty() {
        let why = if service.health.is_none() {
            "no health check is configured for it"
        } else {
            "no answer and no failure yet"
        };
        lines.extend(fact(c, "asked", &format!("never: {why}"), t.dim));
    }
    for place in &view.places {
        let at = place.region.map_or("its address", |r| s.estate.region(r).name.as_str());
        let age = place.asked.map_or(String::new(), |at| format!(", asked {} ago", c.age(at)));
        let (text, style) = match place.well {
            Some(true) => (format!("{} answers{age}", g.ok), t.ok),
            Some(false) => (
                format!(
                    "{} {}{age}",
                    g.bad,
                    reason(service, place).unwrap_or_else(|| "does not answer".to_string())
                ),
                t.bad,
            ),
            None => match reason(service, place) {
                Some(reason) => (format!("{} {reason}{age}", g.unknown), t.warn),
                None => (format!("{} not asked lately", g.unknown), t.dim),
            },
        };
        lines.extend(fact(c, at, &text, style));
    }
    lines
}

/// Why its last check was no success.
fn reason(service: &Service, place: &PlaceView) -> Option<String> {
    place.failure.as_ref().map(|failure| probe_words(failure, service.health.as_ref()))
}

/// Why it stands as it stands.
fn why(s: &Snapshot, id: ServiceId) -> String {
    let view = &s.services[id.at()];
    let word =
        |d: &ServiceId| format!("{} is {}", s.estate.service(*d).name, s.services[d.at()].health.word());
    let needed = s
        .estate
        .service(id)
        .depends_on
        .iter()
        .find(|d| s.services[d.at()].health <= view.health && view.health <= ServiceHealth::Impaired);
    let led = |v: &&GroupView| s.estate.group(v.group).database.as_ref().is_some_and(|d| d.service == id);
    if let Some(primary) =
        s.groups.iter().filter(led).find(|v| v.stepped_down.is_some()).and_then(|v| v.primary)
    {
        return format!(
            ": {} answers, leads no more, and nobody takes writes",
            s.estate.region(primary).name
        );
    }
    // Its own places may be well: then it is what it needs.
    if let Some(needed) = needed.filter(|_| view.places.iter().all(|p| p.well != Some(false))) {
        return format!(": it needs {}", word(needed).replacen(" is ", ", which is ", 1));
    }
    if let Some(d) = view.hit_by.and_then(|d| s.disasters.iter().find(|x| x.id == d)) {
        let names: Vec<&str> = d.regions.iter().map(|r| s.estate.region(*r).name.as_str()).collect();
        // Its places may answer all the while, and nobody be served through them.
        let answers = !view.places.is_empty() && view.places.iter().all(|p| p.well == Some(true));
        let unseen = if answers { "; it answers, and its users are not seen served yet" } else { "" };
        return format!(": {} in {}{unseen}", d.kind.words(), names.join(", "));
    }
    let service = s.estate.service(id);
    if let [place] = view.places.as_slice()
        && let Some(reason) = reason(service, place).filter(|_| place.region.is_none())
    {
        return format!(": {reason}");
    }
    let silent: Vec<&str> = view
        .places
        .iter()
        .filter(|p| p.well == Some(false))
        .map(|p| p.region.map_or("its address", |r| s.estate.region(r).name.as_str()))
        .collect();
    if silent.is_empty() { String::new() } else { format!(": it does not answer in {}", silent.join(", ")) }
}

//! Services by tier, with what each needs and whether a disaster reaches it: where there is room.

use super::Canvas;
use crate::model::*;
use crate::tui::text::Row;
use ratatui::style::Style;
use ratatui::text::Line;

pub fn services(c: &Canvas, height: usize) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut lines = vec![Row::new().rest(g, " SERVICES", c.width, t.title).line()];
    let mut ids: Vec<ServiceId> = s.estate.service_ids().collect();
    let well = ids.iter().filter(|id| s.services[id.at()].health == ServiceHealth::Ok).count();
    let all = ids.len();
    // What is well is left out first.
    if all + 4 > height {
        let order = |id: &ServiceId| (s.services[id.at()].health, s.estate.service(*id).tier, *id);
        let room = height.saturating_sub(2);
        if room < all {
            ids.select_nth_unstable_by_key(room, order);
            ids.truncate(room);
        }
        ids.sort_unstable_by_key(order);
    } else {
        let order = |id: &ServiceId| (s.estate.service(*id).tier, &s.estate.service(*id).name);
        ids.sort_by(|a, b| order(a).cmp(&order(b)));
    }
    let crowded = ids.len() < all;
    let mut tier = 0;
    for id in ids {
        let service = s.estate.service(id);
        if service.tier != tier && !crowded {
            tier = service.tier;
            lines.push(Row::new().rest(g, &format!("  tier {tier}"), c.width, t.dim).line());
        }
        let (mark, style) = health_mark(c, s.services[id.at()].health);
        let needs: Vec<_> = service.depends_on.iter().map(|d| s.estate.service(*d).name.as_str()).collect();
        let text = if needs.is_empty() { String::new() } else { format!("  needs {}", needs.join(", ")) };
        let row =
            Row::new().add("  ", t.text).add(mark, style).add(format!(" {}", g.plain(&service.name)), t.text);
        // Its users wait, wherever else it answers.
        let row = if s.services[id.at()].hit_by.is_some() { row.add("  hit", t.bad) } else { row };
        lines.push(row.rest(g, &text, c.width, t.dim).line());
    }
    if crowded {
        lines.push(
            Row::new().rest(g, &format!("   {well} of {all} are OK (3 shows all)"), c.width, t.dim).line(),
        );
    }
    lines
}

/// The mark of a service's health, and its style.
pub fn health_mark(c: &Canvas, health: ServiceHealth) -> (&'static str, Style) {
    let (t, g) = (c.theme, c.glyphs);
    match health {
        ServiceHealth::Ok => (g.ok, t.ok),
        ServiceHealth::Impaired => (g.part, t.warn),
        ServiceHealth::Down => (g.bad, t.bad),
        ServiceHealth::Unknown => (g.unknown, t.dim),
    }
}

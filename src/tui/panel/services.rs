//! Services by tier, with what each needs and whether a disaster reaches it: where there is room.

use super::Canvas;
use crate::model::*;
use crate::tui::text::Row;
use ratatui::text::Line;

pub fn services(c: &Canvas) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let mut lines = vec![Row::new().rest(g, " SERVICES", c.width, t.title).line()];
    let mut ids: Vec<ServiceId> = s.estate.service_ids().collect();
    ids.sort_by_key(|id| (s.estate.service(*id).tier, s.estate.service(*id).name.clone()));
    let mut tier = 0;
    for id in ids {
        let service = s.estate.service(id);
        if service.tier != tier {
            tier = service.tier;
            lines.push(Row::new().rest(g, &format!("  tier {tier}"), c.width, t.dim).line());
        }
        let recovered = |d: &&Disaster| {
            !s.operations.iter().any(|o| {
                o.disaster == Some(d.id) && o.results.served.is_some() && s.estate.dependents(s.estate.group(o.group).services[0]).contains(&id)
            })
        };
        let hit = s.disasters.iter().find(|d| d.services.contains(&id)).filter(recovered);
        let (mark, style) = if hit.is_some() { (g.bad, t.bad) } else { (g.ok, t.ok) };
        let needs: Vec<_> = service.depends_on.iter().map(|d| s.estate.service(*d).name.as_str()).collect();
        let text = if needs.is_empty() { String::new() } else { format!("  needs {}", needs.join(", ")) };
        lines.push(Row::new().add(format!("  {mark} "), style).add(service.name.clone(), t.text).rest(g, &text, c.width, t.dim).line());
    }
    lines
}

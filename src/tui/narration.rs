//! What a scenario says while it is played, below everything else: its narration, or how it ended, and what stands behind
//! it meanwhile.

use super::app::{App, Instead};
use super::glyph::Glyphs;
use super::keys::Command;
use super::places::Screen;
use super::text::{Row, wrap};
use super::theme::Theme;
use crate::model::*;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// What the narration of a scenario says now, or how the scenario ended: below everything else.
pub(super) fn lines(app: &App, s: &Snapshot, t: &Theme, g: &Glyphs, area: Rect) -> Vec<Line<'static>> {
    let Some(world) = &s.world else { return Vec::new() };
    let Some(scenario) = world.scenario.as_ref().filter(|_| area.height >= 16) else { return Vec::new() };
    let (behind, alarm) = app.behind.clone().unwrap_or_default();
    let width = usize::from(area.width);
    let key = |command| app.keys.first(command);
    let space = key(Command::Pause);
    let back = match app.instead {
        Instead::Drill => format!("{} goes back", key(Command::Back)),
        _ => format!("{} lists the drills, {} leaves", key(Command::Go(Screen::Drills)), key(Command::Quit)),
    };
    let (title, text, style) = match (&scenario.unmet, &scenario.told) {
        // What is over takes no more room than it must.
        (Some(unmet), _) if unmet.is_empty() => {
            // That it came as it must is not that all is well.
            let on = if s.disasters.is_empty() {
                String::new()
            } else {
                format!(
                    "it ends in the incident, which is still on: {} mends it; the walk `failback` is the way home",
                    key(Command::Mend)
                )
            };
            (format!("{} {} ended as expected: {back}", g.done, scenario.name), on, t.ok)
        }
        (Some(unmet), _) => {
            (format!("{} {} did not end as expected: {back}", g.bad, scenario.name), unmet.join("; "), t.bad)
        }
        // What it must come to is told of what comes by itself; what came of it here the simulation knows.
        (None, _) if scenario.over => {
            let lost = if world.lost == Bytes(0) {
                "no acknowledged write was lost".to_string()
            } else {
                format!("{} of acknowledged writes were lost", world.lost)
            };
            let hit = s.services.iter().filter(|v| v.hit_by.is_some()).count();
            // What nobody has declared may be down as well.
            let down = s.groups.iter().any(|v| v.is_silent() || v.stepped_down.is_some());
            let served = match hit {
                0 if down => "a database takes no writes".to_string(),
                0 => "users are served".to_string(),
                _ => format!("{hit} services are not served"),
            };
            let on = if s.disasters.is_empty() {
                String::new()
            } else {
                format!(". The incident is still on: {} mends it", key(Command::Mend))
            };
            let text = format!(
                "You decided in it, so it is not held against what comes by itself. In truth {lost}, and {served}{on}."
            );
            (format!("{} is over: {back}", scenario.name), text, t.text)
        }
        (None, Some(text)) => {
            let last = scenario.turn.0 == scenario.turn.1;
            let left = Span::secs(scenario.next.0.div_ceil(1000));
            let more = match (world.paused, last) {
                (true, false) => format!(": {space} goes on, {left} to the next"),
                (true, true) => format!(", the last one: {space} lets it run out, {left}"),
                (false, false) => format!(": runs on by itself, the next in {left}"),
                (false, true) => format!(", the last one: runs on by itself, out in {left}"),
            };
            (format!("{} of {}{more}", scenario.turn.0, scenario.turn.1), text.clone(), t.text)
        }
        (None, None) if behind.is_empty() => return Vec::new(),
        (None, None) if scenario.turn.0 < scenario.turn.1 => {
            let left = Span::secs(scenario.next.0.div_ceil(1000));
            (format!("{}: its next turn in {left}", scenario.name), String::new(), t.text)
        }
        (None, None) => (scenario.name.clone(), String::new(), t.text),
    };
    let mut head = Row::new().add(g.rule.repeat(2), t.accent).add(g.plain(&format!(" {title} ")), t.accent);
    if !behind.is_empty() {
        head = head
            .add(g.rule.repeat(2), t.accent)
            .add(g.plain(&format!(" {behind} ")), if alarm { t.live } else { t.dim });
    }
    let left = width.saturating_sub(head.used());
    let mut lines = vec![head.add(g.rule.repeat(left), t.accent).fitted(g, width).line()];
    let parts = wrap(&g.plain(&text), width.saturating_sub(3).max(20));
    lines.extend(
        parts
            .into_iter()
            .filter(|p| !p.is_empty())
            .take(6)
            .map(|part| Row::new().rest(g, &format!("  {part}"), width, style).line()),
    );
    lines
}

//! The command screen: whole, and in a few lines where there is little room.

use super::app::App;
use super::blocks::{beside, blocks, shortened, tightened};
use super::click::Click;
use super::footer;
use super::panel::{self, Canvas};
use super::paper::{Paper, put};
use super::places::Screen;
use super::text::Row;
use crate::model::*;
use ratatui::layout::Rect;
use ratatui::text::Line;

/// Where there is room for all of it.
pub fn full<'a>(
    app: &App,
    snapshot: &'a Snapshot,
    canvas: &dyn Fn(u16) -> Canvas<'a>,
    area: Rect,
    paper: &mut Paper,
) {
    // The services beside the rest where there is room for them; the story beside it where there is more.
    let (left, right) = match area.width {
        180.. => (44, (area.width - 44) * 2 / 5),
        118.. => (38, 0),
        _ => (0, 0),
    };
    let middle =
        Rect { x: left, y: 2, width: area.width - left - right, height: area.height.saturating_sub(3) };
    put(&panel::header(&canvas(area.width)), Rect { height: 2, ..area }, paper.buffer);
    if left > 0 {
        let place = Rect { x: 0, y: 3, width: left - 2, height: middle.height.saturating_sub(1) };
        put(&panel::services(&canvas(place.width), usize::from(place.height)), place, paper.buffer);
        paper.places.add(place, Click::Show(Screen::Services));
    }
    let c = canvas(middle.width);
    let mut lines = vec![Line::default()];
    let blocks = blocks(&c);
    // What decides is never pushed off the screen by what merely informs.
    let needed: usize = blocks.iter().map(|b| b.lines.len() + 1).sum();
    // A few lines of the story below, unless that would take away from what is decided on.
    let all = usize::from(middle.height).saturating_sub(1);
    let room = if right == 0 && needed + 3 <= all { all - 3 } else { all };
    let blocks = if needed <= room { blocks } else { shortened(blocks, room, &c) };
    let blocks = tightened(blocks, room, &c);
    let needed: usize = blocks.iter().map(|b| b.lines.len() + 1).sum();
    let mut spare = room.saturating_sub(blocks.iter().filter(|b| b.decides).map(|b| b.lines.len() + 1).sum());
    for block in blocks {
        let most = if needed <= room || block.decides {
            block.lines.len()
        } else {
            block.lines.len().min(spare.saturating_sub(1))
        };
        if !block.decides {
            spare = spare.saturating_sub(most + 1);
        }
        if most > 0 {
            let hidden = block.lines.len() - most;
            let kept = if hidden > 0 && most > 1 { most - 1 } else { most };
            let alone = hidden > 0 && most == 1;
            let y = middle.y + lines.len() as u16;
            paper.places.add(Rect { y, height: most as u16, ..middle }.intersection(middle), block.click);
            // Of one line the one that the keys are about.
            let selected = |l: &Line| l.spans.first().is_some_and(|s| s.content == c.glyphs.now);
            let first = if alone { block.lines.iter().position(selected).unwrap_or_default() } else { 0 };
            lines.extend(block.lines.into_iter().skip(first).take(kept));
            if let Some(line) = lines.last_mut().filter(|_| alone) {
                let more = if let Click::Show(screen) = block.click {
                    format!("  +{hidden} ({})", screen.number())
                } else {
                    format!("  +{hidden}")
                };
                let cut = std::mem::take(line)
                    .spans
                    .into_iter()
                    .fold(Row::new(), |row, span| row.add(span.content, span.style));
                *line = cut
                    .fitted(c.glyphs, c.width.saturating_sub(more.len() + 1))
                    .add(more, c.theme.warn)
                    .line();
            }
            if kept < most {
                let all = if let Click::Show(screen) = block.click {
                    format!(" ({} shows all)", screen.number())
                } else {
                    String::new()
                };
                lines.push(
                    Row::new()
                        .rest(
                            c.glyphs,
                            &format!("   and {} lines more{all}", hidden + 1),
                            c.width,
                            c.theme.dim,
                        )
                        .line(),
                );
            }
            lines.push(Line::default());
        }
    }
    if right > 0 {
        // Where there is room to spare, more is said: only what fits whole.
        for block in beside(app, &c, all.saturating_sub(lines.len())) {
            if lines.len() + block.lines.len() < usize::from(middle.height) {
                let y = middle.y + lines.len() as u16;
                paper.places.add(
                    Rect { y, height: block.lines.len() as u16, ..middle }.intersection(middle),
                    block.click,
                );
                lines.extend(block.lines);
                lines.push(Line::default());
            }
        }
    }
    let used = (lines.len() as u16).min(middle.height);
    put(&lines, middle, paper.buffer);
    let log = if right > 0 {
        Rect { x: area.width - right, y: 3, width: right, height: middle.height.saturating_sub(1) }
    } else {
        Rect { y: middle.y + used, height: middle.height - used, ..middle }
    };
    let c = canvas(log.width);
    let height = usize::from(log.height).saturating_sub(usize::from(right > 0));
    let mut story = Vec::new();
    if right > 0 {
        story.push(Row::new().rest(c.glyphs, " STORY", c.width, c.theme.title).line());
    }
    story.extend(if right > 0 {
        panel::whole_log(&c, height, app.back)
    } else {
        panel::log(&c, height, app.back)
    });
    put(&story, log, paper.buffer);
    paper.places.add(log, Click::Show(Screen::Timeline));
    let foot = Rect { x: 0, y: area.height - 1, width: area.width, height: 1 };
    footer::draw(app, snapshot, &canvas(area.width), foot, paper);
}

/// Below 60x16: a line a region and one for the decision; with the keys it takes, where they go there.
pub fn small(c: &Canvas, keys: bool) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    // In an incident since when, and how long there is.
    let heads = if s.disasters.is_empty() { 1 } else { 2 };
    let mut lines: Vec<Line<'static>> = panel::header(c).into_iter().take(heads).collect();
    if let Some(view) = panel::foremost(s) {
        lines.extend(panel::choice_head(c, view));
    } else if let Some(o) = s.open().next() {
        lines.push(panel::recovery_head(c, o));
    }
    // Then those that are well need no line each.
    let listed = |id: &RegionId| heads == 1 || s.regions[id.at()].status != RegionStatus::Ok;
    for id in s.estate.region_ids().filter(listed) {
        let view = &s.regions[id.at()];
        let (mark, style) = match view.status {
            RegionStatus::Ok => (g.ok, t.ok),
            RegionStatus::Degraded => (g.part, t.warn),
            RegionStatus::Down => (g.bad, t.bad),
            RegionStatus::Unknown => (g.unknown, t.dim),
        };
        lines.push(
            Row::new()
                .add(format!(" {mark} "), style)
                .left(g, view.status.word(), 9, style)
                .rest(g, &s.estate.region(id).name, c.width, t.text)
                .line(),
        );
    }
    // What is decided, or what runs, in the rest.
    if let Some(view) = panel::foremost(s) {
        let mut rest = panel::choice(c, view).split_off(panel::choice_head(c, view).len());
        if !keys {
            rest.pop();
        }
        lines.extend(rest);
    } else if let Some(o) = s.open().next() {
        lines.extend(panel::recovery(c, o).into_iter().skip(1));
    } else {
        lines.extend(panel::peace(c));
    }
    lines
}

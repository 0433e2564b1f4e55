//! Where the panels go. A pure function of size, snapshot and what is open: nothing is remembered between frames.

use super::app::{App, Instead};
use super::blocks::{beside, blocks, deciding, shortened, tightened};
use super::click::{Click, Places};
use super::dialog_lines;
use super::footer;
use super::fork;
use super::glyph::Glyphs;
use super::narration;
use super::panel::{self, Canvas};
use super::paper::{Paper, put};
use super::places::Screen;
use super::subject::decided_on;
use super::text::Row;
use super::theme::Theme;
use super::view::{self, Shown};
use crate::model::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

/// Draws the whole screen, and tells where everything that can be clicked came to lie.
pub fn draw(
    app: &App,
    snapshot: &Snapshot,
    theme: &Theme,
    glyphs: &Glyphs,
    area: Rect,
    buffer: &mut Buffer,
) -> Places {
    let mut places = Places::default();
    paint(buffer, area, theme.text);
    if area.width == 0 || area.height == 0 {
        return places;
    }
    let whole = area;
    let aside = if app.beside.is_some() && area.width >= ASIDE_FROM {
        (area.width * 2 / 5).clamp(ASIDE.0, ASIDE.1)
    } else {
        0
    };
    let area = Rect { width: area.width - aside, ..area };
    let told = match (app.instead, &app.beside) {
        (Instead::Fork(at), Some(beside)) => {
            let c = Canvas {
                snapshot: beside,
                theme,
                glyphs,
                width: usize::from(area.width),
                selected: app.selected_group(snapshot),
                keys: &app.keys,
            };
            if aside > 0 {
                let place = Rect { x: area.width, width: aside, ..whole };
                put(
                    &fork::beside(
                        &Canvas { width: usize::from(aside), ..c },
                        usize::from(place.height),
                        |c| small(c, false),
                    ),
                    place,
                    buffer,
                );
            }
            fork::below(&c, snapshot, at, aside == 0 && area.height >= 16)
        }
        _ => narration::lines(app, snapshot, theme, glyphs, area),
    };
    let selected = app.selected_group(snapshot);
    let canvas =
        |width: u16| Canvas { snapshot, theme, glyphs, width: usize::from(width), selected, keys: &app.keys };
    // Who is about to confirm reads that whole: what a scenario tells steps back to its first line.
    let told = match &app.dialog {
        Some(open)
            if !matches!(app.instead, Instead::Fork(_))
                && told.len() > 1
                && dialog_lines::lines(app, open, &canvas(area.width), 0).len() + 5 + told.len()
                    > usize::from(area.height) =>
        {
            told.into_iter().take(1).collect()
        }
        _ => told,
    };
    let area = Rect { height: area.height.saturating_sub(told.len() as u16), ..area };
    let tiny = area.width < 60 || area.height < 16;
    match (app.screen, tiny) {
        (Screen::Command, true) => put(&small(&canvas(area.width), true), area, buffer),
        (Screen::Command, false) => {
            full(app, snapshot, &canvas, area, &mut Paper { buffer, places: &mut places })
        }
        _ => framed(app, snapshot, &canvas, tiny, area, &mut Paper { buffer, places: &mut places }),
    }
    put(&told, Rect { y: area.height, height: told.len() as u16, width: area.width, ..whole }, buffer);
    if let Some(open) = &app.dialog {
        // From edge to edge: what is cut off beside it would read like part of it.
        let width = area.width;
        // How real it is, and how bad, is never covered.
        let most = area.height.saturating_sub(if tiny { 1 } else { 3 });
        let lines = dialog_lines::lines(app, open, &canvas(width), usize::from(most.saturating_sub(2)));
        let height = (lines.len() as u16 + 2).min(most);
        // It covers the lower part: what is decided on stays in sight above it.
        let place = Rect { x: 0, y: area.height.saturating_sub(height + u16::from(!tiny)), width, height };
        let place = place.intersection(area);
        Clear.render(place, buffer);
        paint(buffer, place, theme.text);
        let rule = Line::styled(glyphs.rule.repeat(usize::from(width)), theme.accent);
        let mut framed = vec![rule.clone()];
        framed.extend(windowed(lines, usize::from(height.saturating_sub(2)), app.scrolled, &canvas(width)));
        framed.push(rule);
        put(&framed, place, buffer);
    }
    places
}

/// The ground that is drawn on; a terminal's own is there already.
fn paint(buffer: &mut Buffer, area: Rect, style: Style) {
    if style != Style::new() {
        buffer.set_style(area, style);
    }
}

/// Where there is no room for all of a dialog: its title, and its end, where it is typed into; up shows what is above that.
fn windowed(mut lines: Vec<Line<'static>>, room: usize, scrolled: usize, c: &Canvas) -> Vec<Line<'static>> {
    if lines.len() <= room || room < 4 {
        return lines.split_off(lines.len().saturating_sub(room));
    }
    // The title and the line that says how much is above take two of them.
    let hidden = lines.len() - room + 1;
    let mut above = hidden.saturating_sub(scrolled);
    let mut shown = vec![lines.remove(0)];
    if above > 0 {
        // Half a sentence says something else than the whole.
        let goes_on =
            |l: &Line| l.spans.first().is_some_and(|s| s.content.len() == 14 && s.content.trim().is_empty());
        while above + 1 < lines.len() && goes_on(&lines[above]) {
            above += 1;
        }
        shown.push(
            Row::new()
                .rest(
                    c.glyphs,
                    &format!("   {above} lines above this: the up key shows them"),
                    c.width,
                    c.theme.warn,
                )
                .line(),
        );
    }
    let left = room - shown.len();
    shown.extend(lines.into_iter().skip(above).take(left));
    shown
}

/// From this width on a fork has the real estate beside it: two columns of five, within these bounds.
const ASIDE_FROM: u16 = 118;
const ASIDE: (u16, u16) = (48, 90);

/// A screen with a list: the header, the list and what is known of its selected row, the footer.
fn framed<'a>(
    app: &App,
    snapshot: &'a Snapshot,
    canvas: &dyn Fn(u16) -> Canvas<'a>,
    tiny: bool,
    area: Rect,
    paper: &mut Paper,
) {
    // What is to be decided, or what runs, is seen from everywhere.
    let decides = if tiny { Vec::new() } else { decides(&canvas(area.width)) };
    let top = if tiny { 1 } else { 3 + decides.len() as u16 };
    let foot = u16::from(area.height > 5);
    put(
        &panel::header(&canvas(area.width)),
        Rect { height: if tiny { 1 } else { 2 }.min(area.height), ..area },
        paper.buffer,
    );
    let body = Rect { y: top, height: area.height.saturating_sub(top + foot), ..area }.intersection(area);
    let place = Rect { y: 2, height: decides.len() as u16, ..area };
    put(&decides, place, paper.buffer);
    paper.places.add(place, Click::Show(Screen::Command));
    if app.screen == Screen::Log {
        log(&canvas(area.width), body, paper.buffer);
    } else {
        let (list, rows) = (app.list(app.screen), app.rows(snapshot));
        let shown = Shown {
            screen: app.screen,
            list: &list,
            cards: &app.cards,
            calendar: &app.calendar,
            rows: &rows,
            searched: app.searched(),
        };
        listed(&shown, canvas, tiny, body, paper);
    }
    if foot > 0 {
        let place = Rect { x: 0, y: area.height - 1, width: area.width, height: 1 };
        footer::draw(app, snapshot, &canvas(area.width), place, paper);
    }
}

/// The head of what is decided, or of what runs.
fn decides(c: &Canvas) -> Vec<Line<'static>> {
    let s = c.snapshot;
    if s.proposals.is_empty() && s.open().next().is_none() {
        return Vec::new();
    }
    match decided_on(s, c.selected).filter(|_| !s.is_undecided(c.selected)) {
        Some(view) => panel::choice_head(c, view),
        None => deciding(c).into_iter().find_map(|b| b.lines.into_iter().next()).into_iter().collect(),
    }
}

fn listed<'a>(shown: &Shown, canvas: &dyn Fn(u16) -> Canvas<'a>, tiny: bool, body: Rect, paper: &mut Paper) {
    let all = usize::from(body.height);
    if shown.list.open {
        let lines = view::detail(shown, &canvas(body.width), all);
        let from = shown.list.scroll.min(lines.len().saturating_sub(all));
        let below = lines.len().saturating_sub(from + all);
        paper.places.scrolls = Some((all.saturating_sub(1), lines.len().saturating_sub(all)));
        put(&lines[from..], body, paper.buffer);
        if below > 0 && all > 1 {
            let c = canvas(body.width);
            let text = format!("   and {} lines below: the down key shows them", below + 1);
            let more = Row::new().rest(c.glyphs, &text, c.width, c.theme.warn);
            let left = c.width.saturating_sub(more.used());
            put(
                &[more.add(" ".repeat(left), c.theme.text).line()],
                Rect { y: body.bottom() - 1, height: 1, ..body },
                paper.buffer,
            );
        }
        return;
    }
    if tiny {
        return rows(shown, &canvas(body.width), body, paper);
    }
    if body.width >= 150 && !matches!(shown.screen, Screen::Timeline) {
        let left = 78;
        rows(shown, &canvas(left), Rect { width: left, ..body }, paper);
        let right = Rect { x: body.x + left + 2, width: body.width - left - 2, ..body };
        return put(&view::detail(shown, &canvas(right.width), all), right, paper.buffer);
    }
    let height = view::list_height(shown, &canvas(body.width), all) as u16;
    rows(shown, &canvas(body.width), Rect { height, ..body }, paper);
    let below = Rect { y: body.y + height + 1, height: body.height.saturating_sub(height + 1), ..body };
    let mut lines = view::detail(shown, &canvas(below.width), usize::from(below.height));
    let room = usize::from(below.height);
    if lines.len() > room && room > 1 {
        let hidden = lines.len() - room + 1;
        lines.truncate(room - 1);
        let c = canvas(below.width);
        let how = if shown.screen == Screen::Drills { "" } else { "; Enter opens it whole" };
        lines.push(
            Row::new()
                .rest(c.glyphs, &format!("   and {hidden} lines more{how}"), c.width, c.theme.dim)
                .line(),
        );
    }
    put(&lines, below, paper.buffer);
}

/// The list, each of its rows to be clicked.
fn rows(shown: &Shown, c: &Canvas, area: Rect, paper: &mut Paper) {
    put(&view::list(shown, c, usize::from(area.height)), area, paper.buffer);
    let (range, _) = view::seen(shown, usize::from(area.height));
    let first = area.y + view::above(shown.screen) as u16;
    for (y, id) in (first..area.bottom()).zip(shown.rows.iter().skip(range.start).take(range.len())) {
        paper.places.add(Rect { y, height: 1, ..area }, Click::Row(*id));
    }
}

/// The program's own words.
fn log(c: &Canvas, area: Rect, buffer: &mut Buffer) {
    put(
        &[Row::new()
            .rest(
                c.glyphs,
                " LOG  what goes wrong in the program itself is told here",
                c.width,
                c.theme.title,
            )
            .line()],
        area,
        buffer,
    );
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    tui_logger::TuiLoggerWidget::default()
        .style(c.theme.text)
        .output_file(false)
        .output_line(false)
        .render(below.intersection(*buffer.area()), buffer);
}

/// Below 60x16: a line a region and one for the decision; with the keys it takes, where they go there.
fn small(c: &Canvas, keys: bool) -> Vec<Line<'static>> {
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

fn full<'a>(
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

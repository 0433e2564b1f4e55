//! A screen with a list, and that of the program's own words: what is decided above it, its keys below.

use super::app::App;
use super::blocks::deciding;
use super::click::Click;
use super::footer;
use super::panel::{self, Canvas};
use super::paper::{Paper, put};
use super::places::Screen;
use super::subject::decided_on;
use super::text::Row;
use super::view::{self, Shown};
use crate::model::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

/// A screen with a list: the header, the list and what is known of its selected row, the footer.
pub fn framed<'a>(
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

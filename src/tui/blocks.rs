//! What the command screen is made of, and how much of each there is room for.

use super::app::App;
use super::click::Click;
use super::keys::Command;
use super::panel::{self, Canvas};
use super::places::Screen;
use super::subject::decided_on;
use super::text::Row;
use super::view;
use crate::model::*;
use ratatui::text::Line;

pub(super) struct Block {
    pub lines: Vec<Line<'static>>,
    /// The same in less room.
    pub short: Option<fn(&Canvas) -> Vec<Line<'static>>>,
    pub decides: bool,
    /// The choice that it tells of.
    pub choice: Option<ProposalId>,
    pub click: Click,
}

pub(super) fn blocks(c: &Canvas) -> Vec<Block> {
    let mut list = vec![
        Block { short: Some(panel::regions_short), ..informs(panel::regions(c), Screen::Regions) },
        Block {
            short: Some(panel::replication_short),
            ..informs(panel::replication(c), Screen::Replication)
        },
    ];
    list.extend(deciding(c));
    list
}

/// The short form of each that has one; then as many whole again as there is room for, the first ones first.
pub(super) fn shortened(blocks: Vec<Block>, room: usize, c: &Canvas) -> Vec<Block> {
    let short: Vec<Option<Vec<Line>>> = blocks.iter().map(|b| b.short.map(|short| short(c))).collect();
    let least: usize =
        blocks.iter().zip(&short).map(|(b, short)| short.as_ref().map_or(b.lines.len(), Vec::len) + 1).sum();
    let mut spare = room.saturating_sub(least);
    let fitted = blocks.into_iter().zip(short).map(|(block, short)| match short {
        None => block,
        Some(short) => match block.lines.len().saturating_sub(short.len()) {
            more if more > spare => Block { lines: short, ..block },
            more => {
                spare -= more;
                block
            }
        },
    });
    fitted.collect()
}

/// Where there is no room for all of a choice: its risks and its keys are never cut.
pub(super) fn tightened(mut blocks: Vec<Block>, room: usize, c: &Canvas) -> Vec<Block> {
    let decides: usize = blocks.iter().filter(|b| b.decides).map(|b| b.lines.len() + 1).sum();
    let view = |b: &Block| c.snapshot.proposals.iter().find(|v| Some(v.proposal.id) == b.choice);
    for block in &mut blocks {
        if let Some(view) = view(block).filter(|_| decides > room + 1) {
            let others = decides - block.lines.len() - 1;
            block.lines = panel::choice_within(c, view, room.saturating_sub(others));
        }
    }
    blocks
}

fn informs(lines: Vec<Line<'static>>, screen: Screen) -> Block {
    Block { lines, short: None, decides: false, choice: None, click: Click::Show(screen) }
}

/// What is to be decided, and what runs; else what would be if a region failed.
pub(super) fn deciding(c: &Canvas) -> Vec<Block> {
    let (s, selected) = (c.snapshot, c.selected);
    let decides = |lines, click| Block { lines, short: None, decides: true, choice: None, click };
    let recovery = |o| decides(panel::recovery(c, o), Click::Show(Screen::Recovery));
    let mut list = Vec::new();
    let choice = decided_on(s, selected);
    let operation = running(c).or_else(|| {
        // One from before this incident says nothing of it.
        let first = s.disasters.iter().map(|d| d.since).min();
        let recent = |o: &&std::sync::Arc<Operation>| match first {
            Some(since) => o.started >= since,
            None => o.finished.is_some_and(|f| s.now.utc.since(f) < Span::mins(10)),
        };
        // Nor one whose end is not how it stands.
        let stands = |o: &&std::sync::Arc<Operation>| {
            !o.handed_over() || s.group(o.group).is_some_and(|v| v.leader == Some(o.to))
        };
        s.operations.iter().rev().find(|o| o.group == selected).filter(recent).filter(stands)
    });
    if s.is_undecided(selected) {
        // Taken off the table, and as open as before: what else is to be decided is a key away.
        let mut lines = panel::peace(c);
        lines.extend(on_table(c));
        list.push(decides(lines, Click::Show(Screen::Replication)));
        list.extend(operation.filter(|o| !o.is_over()).map(|o| recovery(o)));
        return list;
    }
    match (choice, operation) {
        (Some(view), _) => {
            let click = Click::Do(if view.proposal.intent == Intent::Switchover {
                Command::Switchover
            } else {
                Command::Failover
            });
            list.push(Block { choice: Some(view.proposal.id), ..decides(panel::choice(c, view), click) });
        }
        // What is over with its incident has a line: what would be now is asked again.
        (None, Some(o)) if o.is_over() && s.disasters.is_empty() => {
            list.push(Block { lines: panel::recovery_past(c, o), ..recovery(o) });
            list.push(informs(panel::peace(c), Screen::Replication));
        }
        (None, Some(o)) => {
            let mut block = recovery(o);
            if o.is_over() {
                // What is done says nothing of what is left: another choice, or what the cluster did by itself.
                block
                    .lines
                    .extend(on_table(c).into_iter().chain(panel::nothing_left(c)).chain(panel::next_loss(c)));
                // The others of the incident, for the header speaks for all of them: as many as a few lines hold.
                let others = || {
                    s.operations.iter().filter(|x| {
                        x.id != o.id && x.is_over() && o.disaster.is_some() && x.disaster == o.disaster
                    })
                };
                block.lines.extend(others().take(OTHERS).map(|x| panel::recovery_head(c, x)));
                if let Some(more) = others().count().checked_sub(OTHERS).filter(|more| *more > 0) {
                    let text = format!("   and {more} recoveries more (4 shows all)");
                    block.lines.push(Row::new().rest(c.glyphs, &text, c.width, c.theme.dim).line());
                }
            }
            list.push(block);
        }
        (None, None) => list.push(informs(panel::peace(c), Screen::Replication)),
    }
    if let (Some(_), Some(o)) = (choice, operation.filter(|o| !o.is_over())) {
        // Beside a decision it has a short form: how the regions are must not go for it.
        list.push(Block { short: Some(recovery_short), ..recovery(o) });
    }
    list
}

/// What is on the table besides, a key away: what counts there goes on counting, whatever is looked at.
fn on_table(c: &Canvas) -> Option<Line<'static>> {
    let s = c.snapshot;
    let stop = c.key(Command::StopAutomatic);
    let counting = |v: &ProposalView| {
        panel::counts(c, v).map_or(String::new(), |left| format!(", automatic in {left} ({stop} stops it)"))
    };
    let other = |v: &ProposalView| format!("{}{}", s.estate.group(v.proposal.group).name, counting(v));
    let others: Vec<String> = s.proposals.iter().map(other).collect();
    let text = format!(" turns to what is on the table: {}", others.join("; "));
    let row = || {
        Row::new()
            .add(format!("   {}", c.key(Command::NextGroup)), c.theme.key)
            .rest(c.glyphs, &text, c.width, c.theme.warn)
            .line()
    };
    (!others.is_empty()).then(row)
}

/// Recoveries of the same incident that are told of beside the selected one.
const OTHERS: usize = 3;

/// What runs: for the selected database, else what began last.
fn running<'a>(c: &Canvas<'a>) -> Option<&'a std::sync::Arc<Operation>> {
    c.snapshot.open().find(|o| o.group == c.selected).or_else(|| c.snapshot.open().next())
}

/// How far it is, and what it waits for.
fn recovery_short(c: &Canvas) -> Vec<Line<'static>> {
    let Some(o) = running(c) else { return Vec::new() };
    vec![panel::recovery_head(c, o), panel::waits_for(c, o)]
}

/// What a large screen has room for besides: the other choices and operations, and the lag of the selected database over
/// time.
pub(super) fn beside(app: &App, c: &Canvas, room: usize) -> Vec<Block> {
    let s = c.snapshot;
    let selected = c.selected;
    let shown = decided_on(s, selected).map(|v| v.proposal.id);
    let mut list: Vec<Block> = s
        .proposals
        .iter()
        .filter(|v| Some(v.proposal.id) != shown)
        .take(3)
        .map(|v| {
            let mut lines = panel::choice(c, v);
            lines.pop();
            let key = app.keys.of(Command::NextGroup).map(super::keys::Binding::shown).unwrap_or_default();
            lines.push(
                Row::new()
                    .add(format!("   {key}"), c.theme.key)
                    .rest(c.glyphs, " turns to it", c.width, c.theme.text)
                    .line(),
            );
            informs(lines, Screen::Replication)
        })
        .collect();
    let others = s.open().filter(|o| o.group != selected).take(3);
    list.extend(others.map(|o| informs(panel::recovery(c, o), Screen::Recovery)));
    let used: usize = list.iter().map(|b| b.lines.len() + 1).sum();
    let lag = view::replication(c, u64::from(selected.0), room.saturating_sub(used + 1).min(26));
    list.push(informs(lag, Screen::Replication));
    list
}

//! What the simulation is struck with: a list that is narrowed by typing.

use super::field::{edit, field};
use super::list;
use super::panel::Canvas;
use super::text::Row;
use crate::model::*;
use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::Line;

/// What is typed to find a fault, and which of those found is chosen.
#[derive(Default)]
pub struct Inject {
    typed: String,
    chosen: usize,
}

impl Inject {
    /// Every fault with all that was typed in its name or its meaning, as the order is written.
    fn found(&self, s: &Snapshot) -> Vec<(String, &'static str)> {
        let words: Vec<String> = self.typed.split_whitespace().map(str::to_lowercase).collect();
        // Where there is no standby, none can be struck; what is of no region is there once.
        let places =
            |kind: FaultKind| s.estate.region_ids().take(if kind.is_of_clusters() { 1 } else { usize::MAX });
        let strikes = |fault: &Fault| fault.finds(&s.estate, |g| s.group(g).and_then(|v| v.leader));
        let named = |f: Fault| match f.kind.is_of_clusters() {
            true => (f.kind.to_string(), meaning(f.kind)),
            false => (format!("{} {}", f.kind, s.estate.region(f.region).name), meaning(f.kind)),
        };
        let all = FaultKind::ALL
            .iter()
            .flat_map(|kind| places(*kind).map(|region| Fault { kind: *kind, region, group: None }));
        let all = all.filter(strikes).map(named);
        all.filter(|(order, meaning)| {
            words.iter().all(|w| order.to_lowercase().contains(w) || meaning.contains(w.as_str()))
        })
        .collect()
    }

    /// Takes in a key; the order, when one is picked.
    pub fn key(&mut self, key: KeyEvent, s: &Snapshot) -> Option<String> {
        let found = self.found(s);
        match key.code {
            KeyCode::Up => self.chosen = self.chosen.saturating_sub(1),
            KeyCode::Down => self.chosen = (self.chosen + 1).min(found.len().saturating_sub(1)),
            KeyCode::Enter => return found.get(self.chosen).map(|(order, _)| order.clone()),
            _ => {
                edit(&mut self.typed, key);
                self.chosen = 0;
            }
        }
        None
    }

    pub fn lines(&self, c: &Canvas, height: usize) -> Vec<Line<'static>> {
        let (t, g) = (c.theme, c.glyphs);
        let title = Row::new().add(" INJECT  ", t.title);
        let found = self.found(c.snapshot);
        let mut lines = vec![
            title
                .rest(g, "into the simulation: type a part of it, Enter strikes, Esc leaves", c.width, t.dim)
                .line(),
            field(c, &self.typed, true),
        ];
        let seen = list::window(found.len(), self.chosen, height.saturating_sub(3));
        for (i, (order, meaning)) in found.iter().enumerate().skip(seen.start).take(seen.len()) {
            let (mark, style) = if i == self.chosen { (g.now, t.selected) } else { (" ", t.text) };
            lines.push(
                Row::new()
                    .add(format!(" {mark} "), t.accent)
                    .left(g, order, 38, style)
                    .rest(g, meaning, c.width, t.dim)
                    .line(),
            );
        }
        let foot = if found.is_empty() {
            "   nothing has that in its name".to_string()
        } else {
            format!("   row {} of {}", self.chosen + 1, found.len())
        };
        lines.push(Row::new().rest(g, &foot, c.width, t.dim).line());
        lines
    }
}

/// What a fault does, for who has never struck with it.
const fn meaning(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::RegionOutage => "everything in it is gone",
        FaultKind::ProviderOutage => "every region of its provider is gone",
        FaultKind::DataCenterOutage => "its data centre is gone, and says so",
        FaultKind::NodeFailure => "its database nodes die",
        FaultKind::Partition => "it is cut off from all, and lives",
        FaultKind::SlowLink => "ten times the latency",
        FaultKind::ReplicationStall => "its standbys receive nothing more",
        FaultKind::DataCorruption => "its data is damaged, and replicated",
        FaultKind::CyberIncident => "an intruder is seen there",
        FaultKind::CapacityExhaustion => "its capacity is used up",
        FaultKind::FalseAlarm => "only our own probes fail",
        FaultKind::StoreAway => "etcd does not answer",
        FaultKind::FrozenPrimary => "it accepts and never answers",
        FaultKind::LyingFence => "the fence says 0 and does nothing",
        FaultKind::Paused => "Patroni is paused",
        FaultKind::TwoSynchronous => "by hand: two synchronous standbys, from now on",
        FaultKind::SwitchedOn => "by hand: its fences are undone",
        FaultKind::StandbyLost => "its standby nodes die",
        FaultKind::AgentFailure => "its agents die; the databases go on alone",
    }
}

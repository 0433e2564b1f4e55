//! Which rows a screen's list has, in which order: filtered and sorted, as ids.

use super::list::List;
use super::places::Screen;
use crate::model::*;
use std::cmp::Reverse;

/// The orders that a screen's list can be in, the usual one first.
pub const fn orders(screen: Screen) -> &'static [&'static str] {
    match screen {
        Screen::Regions => &["as configured", "trouble first", "name"],
        Screen::Services => &["tree", "trouble first", "tier", "name"],
        Screen::Recovery => &["newest first", "running first"],
        Screen::Replication => &["as configured", "trouble first"],
        _ => &[],
    }
}

/// True if the newest row is the last one, and is followed.
pub const fn follows(screen: Screen) -> bool {
    matches!(screen, Screen::Timeline)
}

/// The rows of a screen.
pub fn rows(screen: Screen, list: &List, s: &Snapshot, cards: &[Card], searched: &[LogLine]) -> Vec<u64> {
    match screen {
        Screen::Command | Screen::Log => Vec::new(),
        Screen::Regions => regions(list, s),
        Screen::Services => tree(list, s).into_iter().map(|id| u64::from(id.0)).collect(),
        Screen::Recovery => operations(list, s),
        Screen::Replication => groups(list, s),
        Screen::Timeline if !searched.is_empty() => {
            (0..searched.len()).map(|i| SEARCHED + i as u64).collect()
        }
        Screen::Timeline => story(list, s),
        Screen::Drills => (0..cards.len())
            .filter(|i| list.passes(&format!("{} {}", cards[*i].name, cards[*i].title)))
            .map(|i| i as u64)
            .collect(),
    }
}

fn regions(list: &List, s: &Snapshot) -> Vec<u64> {
    let text = |id: &RegionId| {
        let r = s.estate.region(*id);
        let of = |t: &Option<String>| t.clone().unwrap_or_default();
        format!(
            "{} {} {} {} {}",
            r.name,
            r.role,
            s.regions[id.at()].status.word(),
            of(&r.provider),
            of(&r.data_center)
        )
    };
    let mut ids: Vec<RegionId> =
        s.estate.region_ids().filter(|id| list.filter.is_empty() || list.passes(&text(id))).collect();
    match list.order {
        1 => ids.sort_by_key(|id| Reverse(s.regions[id.at()].status)),
        2 => ids.sort_by(|a, b| s.estate.region(*a).name.cmp(&s.estate.region(*b).name)),
        _ => {}
    }
    ids.into_iter().map(|id| u64::from(id.0)).collect()
}

/// Services, each below what it depends on. Sorted otherwise, they stand side by side.
fn tree(list: &List, s: &Snapshot) -> Vec<ServiceId> {
    let name = |id: ServiceId| &s.estate.service(id).name;
    let text = |id: ServiceId| {
        let service = s.estate.service(id);
        format!("{} tier {} {}", service.name, service.tier, s.services[id.at()].health.word())
    };
    let mut ids: Vec<ServiceId> = s.estate.service_ids().collect();
    // Stable, for that is quick where they are configured in about this order.
    ids.sort_by(|a, b| {
        s.estate.service(*a).tier.cmp(&s.estate.service(*b).tier).then_with(|| name(*a).cmp(name(*b)))
    });
    let passes = |id: &ServiceId| list.filter.is_empty() || list.passes(&text(*id));
    if list.order > 0 || !list.filter.is_empty() {
        match list.order {
            0 | 2 => {}
            1 => ids.sort_by_key(|id| s.services[id.at()].health),
            _ => ids.sort_by(|a, b| name(*a).cmp(name(*b))),
        }
        return ids.into_iter().filter(passes).collect();
    }
    // A service stands below the first thing that it needs: of each the last that stands below it, and what is beside that.
    let (mut last, mut before) = (vec![None; ids.len()], vec![None; ids.len()]);
    let mut roots = None;
    for id in &ids {
        let slot =
            s.estate.service(*id).depends_on.first().map_or(&mut roots, |needed| &mut last[needed.at()]);
        before[id.at()] = slot.replace(*id);
    }
    let mut out = Vec::with_capacity(ids.len());
    let (mut open, mut from) = (Vec::new(), roots);
    loop {
        // The first of them ends up on top.
        while let Some(id) = from {
            open.push(id);
            from = before[id.at()];
        }
        let Some(id) = open.pop() else { return out };
        out.push(id);
        from = last[id.at()];
    }
}

fn operations(list: &List, s: &Snapshot) -> Vec<u64> {
    let text = |o: &Operation| {
        format!(
            "{} {} {} {} {}",
            o.id,
            s.estate.group(o.group).name,
            s.estate.region(o.from).name,
            o.status.word(),
            o.by
        )
    };
    let mut found: Vec<&std::sync::Arc<Operation>> =
        s.operations.iter().rev().filter(|o| list.filter.is_empty() || list.passes(&text(o))).collect();
    if list.order == 1 {
        found.sort_by_key(|o| o.is_over());
    }
    found.into_iter().map(|o| u64::from(o.id.0)).collect()
}

fn groups(list: &List, s: &Snapshot) -> Vec<u64> {
    let mut found: Vec<&GroupView> = s
        .groups
        .iter()
        .filter(|v| !v.members.is_empty() && list.passes(&s.estate.group(v.group).name))
        .collect();
    if list.order == 1 {
        found.sort_by_key(|v| v.members.iter().filter(|m| !m.leads && m.unfit.is_none()).count());
    }
    found.into_iter().map(|v| u64::from(v.group.0)).collect()
}

/// Lines of the story by their number from the beginning.
fn story(list: &List, s: &Snapshot) -> Vec<u64> {
    let first = s.log_total.saturating_sub(s.log.len() as u64);
    let passes = |line: &LogLine| list.filter.is_empty() || list.passes(&line.searchable());
    s.log.iter().enumerate().filter(|(_, line)| passes(line)).map(|(i, _)| first + i as u64).collect()
}

/// Lines that a search found are numbered from here: no story is so long.
const SEARCHED: u64 = 1 << 48;

/// A line of the story by its number.
pub fn story_line<'a>(s: &'a Snapshot, searched: &'a [LogLine], number: u64) -> Option<&'a LogLine> {
    if let Some(i) = number.checked_sub(SEARCHED) {
        return searched.get(usize::try_from(i).ok()?);
    }
    let first = s.log_total.saturating_sub(s.log.len() as u64);
    s.log.get(usize::try_from(number.checked_sub(first)?).ok()?)
}

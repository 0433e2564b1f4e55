//! The palette: everything that can be done and everything that has a name, found by typing a part of it.

use super::app::App;
use super::can::can;
use super::dialog::Palette;
use super::keys::{Command, KeyMap};
use super::places::Screen;
use crate::model::*;

/// What a line of the palette leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    Do(Command),
    /// A row of a screen's list, opened.
    Show(Screen, u64),
    Theme(String),
}

/// A line of the palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub name: String,
    pub what: String,
    pub key: String,
    pub pick: Pick,
    /// Why it cannot be done now.
    pub barred: Option<&'static str>,
}

/// Lines that are shown.
pub const SHOWN: usize = 10;

/// What fits what was typed, the best first.
pub fn items(palette: &Palette, keys: &KeyMap, app: &App, s: &Snapshot) -> Vec<Item> {
    let typed = palette.typed.trim().to_lowercase();
    let mut found: Vec<(u32, Item)> = Vec::new();
    for item in all(keys, app, s) {
        if let Some(rank) = rank(&typed, &item) {
            found.push((rank, item));
        }
    }
    // Stable: what fits equally well stays in its order.
    found.sort_by_key(|(rank, item)| (*rank, item.barred.is_some()));
    found.truncate(SHOWN);
    found.into_iter().map(|(_, item)| item).collect()
}

/// How well an item fits, 0 the best; `None` if it does not.
fn rank(typed: &str, item: &Item) -> Option<u32> {
    let name = item.name.to_lowercase();
    let words = || name.split(|c: char| !c.is_alphanumeric());
    match () {
        () if typed.is_empty() => Some(if matches!(item.pick, Pick::Do(_)) { 0 } else { 1 }),
        () if name == typed => Some(0),
        () if words().any(|w| w == typed) => Some(1),
        () if name.starts_with(typed) => Some(2),
        () if words().any(|w| w.starts_with(typed)) => Some(3),
        () if name.contains(typed) => Some(4),
        () if typed.split_whitespace().all(|w| name.contains(w) || item.what.to_lowercase().contains(w)) => {
            Some(5)
        }
        () if in_order(typed, &name) => Some(6),
        () => None,
    }
}

/// True if the letters occur in this order, with others between.
fn in_order(letters: &str, text: &str) -> bool {
    let mut rest = text.chars();
    letters.chars().filter(|c| !c.is_whitespace()).all(|c| rest.any(|t| t == c))
}

fn all(keys: &KeyMap, app: &App, s: &Snapshot) -> Vec<Item> {
    let hidden = |c: Command| {
        matches!(
            c,
            Command::Up
                | Command::Down
                | Command::PageUp
                | Command::PageDown
                | Command::First
                | Command::Last
                | Command::Palette
        )
    };
    let selected = app.selected_group(s);
    let mut list: Vec<Item> = keys
        .bindings()
        .iter()
        .filter(|b| !hidden(b.command))
        .map(|b| {
            let name = if b.short.is_empty() { b.name.replace('_', " ") } else { b.short.to_string() };
            Item {
                name,
                what: b.long.to_string(),
                key: b.shown(),
                pick: Pick::Do(b.command),
                barred: can(b.command, app, s, selected).err(),
            }
        })
        .collect();
    let show = |name: &str, what: String, screen: Screen, id: u64| Item {
        name: name.to_string(),
        what,
        key: String::new(),
        pick: Pick::Show(screen, id),
        barred: None,
    };
    list.extend(s.estate.region_ids().map(|id| {
        show(
            &s.estate.region(id).name,
            format!("region, {}", s.regions[id.at()].status.word()),
            Screen::Regions,
            u64::from(id.0),
        )
    }));
    list.extend(s.groups.iter().filter(|g| !g.members.is_empty()).map(|g| {
        show(&s.estate.group(g.group).name, "database".to_string(), Screen::Replication, u64::from(g.group.0))
    }));
    list.extend(s.estate.service_ids().map(|id| {
        show(
            &s.estate.service(id).name,
            format!("service, {}", s.services[id.at()].health.word()),
            Screen::Services,
            u64::from(id.0),
        )
    }));
    list.extend(s.operations.iter().rev().map(|o| {
        show(
            &o.id.to_string(),
            format!("operation on {}, {}", s.estate.group(o.group).name, o.status.word()),
            Screen::Recovery,
            u64::from(o.id.0),
        )
    }));
    list.extend(
        app.cards
            .iter()
            .enumerate()
            .map(|(i, card)| show(&card.name, format!("scenario: {}", card.title), Screen::Drills, i as u64)),
    );
    list.extend(super::theme::Theme::names().map(|name| Item {
        name: format!("theme {name}"),
        what: "colours".to_string(),
        key: String::new(),
        pick: Pick::Theme(name.to_string()),
        barred: None,
    }));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_better_comes_first() {
        let item = |name: &str| Item {
            name: name.to_string(),
            what: String::new(),
            key: String::new(),
            pick: Pick::Do(Command::Help),
            barred: None,
        };
        for (typed, name, expected) in [
            ("fail over", "fail over", Some(0)),
            ("over", "fail over", Some(1)),
            ("fa", "fail over", Some(2)),
            ("ov", "fail over", Some(3)),
            ("il", "fail over", Some(4)),
            ("fo", "fail over", Some(6)),
            ("of", "fail over", None),
            ("1234", "service-1234", Some(1)),
            ("1234", "service-12345", Some(3)),
        ] {
            assert_eq!(rank(typed, &item(name)), expected, "{typed} {name}");
        }
    }
}

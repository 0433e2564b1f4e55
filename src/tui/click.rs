//! What a click means, by where it falls. The drawing says where each thing came to lie.

use super::keys::Command;
use super::places::Screen;
use ratatui::layout::{Position, Rect};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Click {
    /// A key of the footer.
    Do(Command),
    /// A row of the present screen's list.
    Row(u64),
    /// A panel: the screen that says more about it.
    Show(Screen),
}

/// Where everything that can be clicked lies on a frame, and how far what fills it can be scrolled.
#[derive(Clone, Debug, Default)]
pub struct Places {
    list: Vec<(Rect, Click)>,
    /// Lines of what fills the screen that are in sight, and how many can be scrolled past.
    pub scrolls: Option<(usize, usize)>,
}

impl Places {
    pub fn add(&mut self, place: Rect, click: Click) {
        self.list.push((place, click));
    }

    /// How many rows of the list are in sight, or lines of what fills the screen.
    pub fn page(&self) -> usize {
        let rows = || self.list.iter().filter(|(_, click)| matches!(click, Click::Row(_))).count();
        self.scrolls.map_or_else(rows, |(page, _)| page).max(1)
    }

    /// What lies there.
    pub fn at(&self, column: u16, row: u16) -> Option<Click> {
        self.list
            .iter()
            .find(|(place, _)| place.contains(Position::new(column, row)))
            .map(|(_, click)| *click)
    }
}

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

/// Where everything that can be clicked lies on a frame.
#[derive(Clone, Debug, Default)]
pub struct Places(Vec<(Rect, Click)>);

impl Places {
    pub fn add(&mut self, place: Rect, click: Click) {
        self.0.push((place, click));
    }

    /// How many rows of the list are in sight.
    pub fn rows(&self) -> usize {
        self.0.iter().filter(|(_, click)| matches!(click, Click::Row(_))).count()
    }

    /// What lies there.
    pub fn at(&self, column: u16, row: u16) -> Option<Click> {
        self.0.iter().find(|(place, _)| place.contains(Position::new(column, row))).map(|(_, click)| *click)
    }
}

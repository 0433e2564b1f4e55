//! One panel a file: a pure function of snapshot and width to lines.

mod decision;
mod forecast;
mod header;
mod log;
mod nothing_left;
mod peace;
mod recovery;
mod regions;
mod replication;
mod said;
mod services;

pub use decision::{RESTORED, checks, choice, choice_head, choice_within, counts, foremost};
pub use forecast::{acts_in, leave, loses, more, takes};
pub use header::{header, is_of_now, overload, unproven, vouched};
pub use log::{log, story_row, whole_log};
pub use nothing_left::nothing_left;
pub use peace::{next_loss, peace};
pub use recovery::{head as recovery_head, recovery, recovery_past, waits_for};
pub use regions::{region_row, regions, regions_head, regions_short};
pub use replication::{behind, led_by, primary, replication, replication_short, standby_row};
pub use said::said;
pub use services::{health_mark, services};

use super::glyph::Glyphs;
use super::keys::{Command, KeyMap};
use super::theme::Theme;
use crate::model::{GroupId, Snapshot};

/// What a panel is drawn from.
pub struct Canvas<'a> {
    pub snapshot: &'a Snapshot,
    pub theme: &'a Theme,
    pub glyphs: &'a Glyphs,
    pub width: usize,
    pub selected: GroupId,
    pub keys: &'a KeyMap,
}

impl Canvas<'_> {
    /// The key of a command, as it is bound.
    pub fn key(&self, command: Command) -> String {
        self.keys.first(command)
    }

    /// How long ago a monotonic moment was.
    pub fn age(&self, at: crate::model::Mono) -> crate::model::Span {
        self.snapshot.now.mono.since(at)
    }
}

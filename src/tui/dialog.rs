//! What is laid over the screen: a confirmation, a question, a list, help. Each takes all keys until it is left.

use super::confirm::Confirm;
use super::inject::Inject;
use crate::model::*;
use std::time::{Duration, Instant};

/// Keys that come sooner after a dialog opened, or after the terminal got its focus back, were meant for something
/// else.
const DEAF: Duration = Duration::from_millis(500);

pub enum Dialog {
    Confirm(Box<Confirm>),
    /// An operation asks, or is to be stopped.
    Question(Question),
    Arm {
        typed: String,
    },
    /// What is to strike the simulation.
    Inject(Inject),
    /// The lines from this one on.
    Help {
        from: usize,
    },
    Palette(Palette),
    /// A note for the record.
    Note {
        typed: String,
    },
    /// Somebody vouches for a database, with the words how they have seen it.
    Vouch {
        group: GroupId,
        typed: String,
    },
    /// Something that a `y` does, and nothing else.
    Sure(Sure),
    /// Something to read; Enter goes on, and any other key does so and means what it means, unless something may be `typed`
    /// that was meant for what did not open.
    Told {
        text: String,
        typed: bool,
    },
}

/// What is asked once more before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    Quit,
    /// Out of a drill that is not over: the keys after that are about something else.
    LeaveDrill,
    /// Nothing acts any more.
    Disarm,
}

pub struct Question {
    pub operation: OperationId,
    pub step: Option<u16>,
    pub typed: String,
}

/// What is typed into the palette, and which line is chosen.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    pub typed: String,
    pub chosen: usize,
}

/// When a dialog began to listen.
#[derive(Clone, Copy)]
pub struct Listening(Instant);

impl Listening {
    pub fn from_now() -> Listening {
        Listening(Instant::now())
    }

    pub fn hears(self) -> bool {
        self.0.elapsed() >= DEAF
    }
}

//! What is known of a database's primary beside that it leads: that it is silent, that nobody is synchronous with it, that the
//! cluster elected it by itself, that somebody declined to move it.

use super::{Actor, MemberId, SignOfLife, Utc};
use serde::{Deserialize, Serialize};

/// What is known of a primary whose agent does not answer us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Silence {
    /// Nothing of it answers, and nobody says that it lives.
    All,
    /// Its database answers: its lease runs out beside it.
    Agent,
    /// Only our own probes fail: who says that it lives.
    Doubted { by: SignOfLife },
}

/// Who said no, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    pub at: Utc,
    pub by: Actor,
}

/// A primary that the cluster elected by itself: nothing was fenced from here, and what was lost by it nobody here knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elected {
    pub at: Utc,
    pub from: MemberId,
    pub to: MemberId,
    /// An operation of ours had handed it over: it is to be proven by that.
    pub by_us: bool,
    /// Who noted that it takes writes, and when.
    pub vouched: Option<(Utc, Actor)>,
}

/// What becomes of writes while nobody is synchronous, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AloneView {
    pub since: Utc,
    /// They are not acknowledged; else they are on the primary alone.
    pub waits: bool,
}

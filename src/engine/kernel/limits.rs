//! Figures that decisions rest on. Each was measured on real clusters unless it says otherwise.

use crate::model::Span;

/// A refused connection is believed after this many in a row.
pub const REFUSALS: u32 = 3;
/// Silence is believed after this many unanswered probes …
pub const SILENCES: u32 = 10;
/// … over at least this time: shorter stuns are common.
pub const SILENCE: Span = Span::secs(3);
/// Evidence on which automation acts may be this old.
pub const FRESH_FOR_AUTOMATION: Span = Span::ms(300);
/// Evidence on which a step acts may be this old.
pub const FRESH: Span = Span::secs(1);
/// How often a group is looked at while a decision is near.
pub const CLOSE_LOOK: Span = Span::ms(50);
/// A fencing proof is spent within this time, or not at all: a process that was frozen, or whose disk was slow, decides anew (a choice
/// of ours: what is decided is sent once its intent is on the disk).
pub const PROOF_HOLDS: Span = Span::secs(2);
/// How long one order for a close look lasts (a choice of ours).
pub const CLOSE_LOOK_FOR: Span = Span::secs(5);
/// After the fence answered, the member must be known to be gone within this time: silence alone takes three seconds.
pub const FENCE_SETTLES: Span = Span::secs(5);
/// A choice that a person put on the table and nobody confirmed is taken off after this time: it would keep the automatic
/// response away (a choice of ours).
pub const CHOICE: Span = Span::mins(5);

/// Whoever looked at another choice has so long, at least, before automation begins what it would have begun meanwhile.
pub const LOOKS_UP: Span = Span::secs(5);
/// What a step does not know yet is looked for so long before it is a failure (a choice of ours; silence takes three
/// seconds to believe).
pub const LOOKS_FOR: Span = Span::secs(5);
/// A confirmation is void after this time (a choice of ours).
pub const CONFIRMATION: Span = Span::mins(2);
/// An automatic response that was not possible within this time after it was due is left to a person (a choice of ours).
pub const AUTOMATIC_PATIENCE: Span = Span::secs(60);
/// How long a region must be well before its disaster is over: no flapping (a choice of ours).
pub const CALM: Span = Span::secs(10);
/// The wall clock and the monotonic one may differ by this between two inputs.
pub const CLOCK_JUMP_MS: i64 = 2_000;
/// How often an unknown outcome is looked for.
pub const LOOK_AGAIN: Span = Span::secs(1);
/// The claim of an older program may be taken over by a person when it was seen unchanged for this long (a choice of ours).
pub const LEGACY: Span = Span::mins(10);
/// A wall clock that is ahead by no more than this is not worth a word (a choice of ours).
pub const SKEW: Span = Span::secs(5);
/// After its own time is up, an effect of a controller that is gone is waited for so long (a choice of ours).
pub const REACH: Span = Span::secs(5);
/// A request to step down: our own wait for the answer, and the agent's defaults for carrying it out.
pub const SWITCH_OVER: Span = Span::secs(75);
/// The patience that another controller asks for is believed up to this (a choice of ours).
pub const LONGEST_PATIENCE: Span = Span::mins(15);
/// Operations, disasters and proposals kept in the state when over.
pub const KEEP: usize = 256;
/// Points of lag kept for each member.
pub const HISTORY: usize = 240;
/// A refused hand-over is tried again with what stands in the store by then; nothing had happened.
pub const HAND_OVERS: u16 = 3;

//! How an exercise came out.

use crate::model::{Digest, Span};

/// How an exercise came out.
#[derive(Clone, Debug)]
pub enum Outcome {
    Played {
        passed: bool,
        /// What was missing, or what was shown.
        told: String,
        recovery: Option<Span>,
        lost: Option<Span>,
        /// The plans that were run in it and recovered.
        plans: Vec<Digest>,
    },
    /// It was not played, with the reason: neither a success nor a failure.
    NotPlayed(String),
}

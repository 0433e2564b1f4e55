//! Chance with a seed.

use crate::model::Span;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub struct Chance(ChaCha8Rng);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From zero up to, and without, `below`.
    pub fn below(&mut self, below: u64) -> u64 {
        // The bias of the remainder is below one in 2^40 for the small ranges drawn here.
        self.0.next_u64() % below.max(1)
    }

    /// A span between two, both included.
    pub fn between(&mut self, least: Span, most: Span) -> Span {
        Span(least.0 + self.below(most.0.saturating_sub(least.0) + 1))
    }
}

//! What a case is made of by chance.

use crate::model::Span;
use crate::sim::Chance;

/// Chance with the few questions that a random case asks.
pub struct Dice(Chance);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(Chance::new(seed))
    }

    pub fn below(&mut self, below: usize) -> usize {
        self.0.below(below as u64) as usize
    }

    /// True so many times in a hundred.
    pub fn odds(&mut self, percent: u64) -> bool {
        self.0.below(100) < percent
    }

    pub fn between(&mut self, least: Span, most: Span) -> Span {
        self.0.between(least, most)
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

//! How long things take in a simulated world: drawn from a range, or from what was measured.

use super::chance::Chance;
use crate::model::{Span, WorldSetup};
use std::sync::Arc;

/// One duration of a world.
#[derive(Clone, Debug)]
pub enum Draw {
    /// Each moment between the two alike, both included.
    Between(Span, Span),
    /// What was measured, one as likely as the other; where there is little of it, now and then the range instead. And the
    /// next of n may be the longest yet, or the shortest: each with a chance of one in n + 1, whatever they are distributed
    /// like; how far beyond is not known, and up to half as much is a choice of ours.
    Measured { samples: Arc<[Span]>, least: Span, most: Span },
}

/// From so many measurements on, they speak for themselves.
pub const ENOUGH: usize = 20;

impl Draw {
    pub fn draw(&self, chance: &mut Chance) -> Span {
        match self {
            Draw::Between(least, most) => chance.between(*least, *most),
            Draw::Measured { samples, least, most } => {
                let (shortest, longest) =
                    (samples.iter().min().unwrap_or(least), samples.iter().max().unwrap_or(most));
                match chance.below(samples.len() as u64 + 1) {
                    0 => return chance.between(*longest, Span(longest.0 * 3 / 2)),
                    1 => return chance.between(Span(shortest.0 * 2 / 3), *shortest),
                    _ => {}
                }
                let measured =
                    samples.len() >= ENOUGH || (chance.below(ENOUGH as u64) as usize) < samples.len();
                match samples.get(chance.below(samples.len() as u64) as usize).filter(|_| measured) {
                    Some(sample) => *sample,
                    None => chance.between(*least, *most),
                }
            }
        }
    }
}

/// The durations that a forecast draws from. The defaults were measured on real clusters (FACTS part 1).
#[derive(Clone, Debug)]
pub struct Pace {
    /// The fence command itself.
    pub fence: Draw,
    /// From taking the lock to writing.
    pub promotion: Draw,
    /// Claim, release, the one transaction.
    pub transaction: Draw,
    /// A demand to step down, until it is answered.
    pub switch_over: Draw,
    pub drain: Draw,
    /// Until a balancer believes that a server is up.
    pub rise: Draw,
}

impl Pace {
    /// A scenario's own, which says how long its fence takes.
    pub fn of(setup: &WorldSetup) -> Pace {
        let fence = setup.fence.takes;
        Pace {
            fence: Draw::Between(fence, fence.plus(Span::ms(39))),
            promotion: Draw::Between(Span::ms(90), Span::ms(260)),
            transaction: Draw::Between(Span::ms(3), Span::ms(12)),
            // Its agent looks once a second whether it is done: mostly at the second look.
            switch_over: Draw::Between(Span::ms(1_200), Span::ms(2_100)),
            drain: Draw::Between(Span::ms(2), Span::ms(8)),
            // Where it looks often, its own check has often passed before we know of the promotion.
            rise: Draw::Between(Span::ZERO, Span::ms(200)),
        }
    }
}

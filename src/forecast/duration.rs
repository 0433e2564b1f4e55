//! From the estate's own past operations to the durations that futures draw from.

use crate::model::*;
use crate::sim::{Draw, ENOUGH, Pace};
use std::sync::Arc;

pub struct Durations {
    pub pace: Pace,
    fence: usize,
    promotion: usize,
}

/// What an agent takes to wake and we to see, beside the promotion itself (the means of the simulation's own ranges).
const AROUND_A_PROMOTION: Span = Span::ms(60);

impl Durations {
    pub fn of(past: &[Arc<Operation>]) -> Durations {
        let effects = || past.iter().flat_map(|o| o.effects()).filter(|e| e.is_done());
        let took = |e: &EffectRecord| e.reported.map(|t| t.since(e.intended));
        let fences: Vec<Span> =
            effects().filter(|e| matches!(e.effect, Effect::Fence { .. })).filter_map(took).collect();
        let switches: Vec<Span> =
            effects().filter(|e| matches!(e.effect, Effect::SwitchOver { .. })).filter_map(took).collect();
        let promotions: Vec<Span> = past
            .iter()
            .filter(|o| o.intent() == Intent::Failover)
            .flat_map(|o| o.plan.steps.iter().zip(&o.steps))
            .filter(|(s, r)| {
                matches!(s.kind, StepKind::WatchPromotion) && matches!(r.state, StepState::Done { .. })
            })
            .filter_map(|(_, r)| r.took())
            .map(|t| Span(t.0.saturating_sub(AROUND_A_PROMOTION.0)))
            .collect();
        let (fence, promotion) = (fences.len(), promotions.len());
        let mut pace = Pace::of(&WorldSetup::default());
        // A fence is this estate's own: what others take says nothing of it.
        if let (Some(least), Some(most)) = (fences.iter().min().copied(), fences.iter().max().copied()) {
            pace.fence = Draw::Measured { samples: Arc::from(fences), least, most };
        }
        let entered = |o: &&Arc<Operation>| Some(o.results.served?.since(o.results.writable?));
        let rises: Vec<Span> = past.iter().filter_map(|o| entered(&o)).collect();
        learn(&mut pace.rise, rises);
        learn(&mut pace.promotion, promotions);
        learn(&mut pace.switch_over, switches);
        Durations { pace, fence, promotion }
    }

    pub fn has_fence(&self) -> bool {
        self.fence > 0
    }

    pub fn sources(&self, fence_is_known: bool) -> Vec<DurationSource> {
        let source = |step: &str, measured: usize| DurationSource {
            step: step.to_string(),
            measured,
            defaults: measured < ENOUGH,
        };
        let fence = DurationSource {
            defaults: false,
            ..source("fence", self.fence.max(usize::from(fence_is_known)))
        };
        vec![fence, source("promotion", self.promotion)]
    }
}

/// What was measured takes the place of what is usual.
fn learn(draw: &mut Draw, samples: Vec<Span>) {
    let Draw::Between(least, most) = *draw else { return };
    if !samples.is_empty() {
        *draw = Draw::Measured { samples: Arc::from(samples), least, most };
    }
}

//! From how futures ended to figures, none finer than the sample allows.

use super::Question;
use super::future::{Branch, Ended};
use crate::model::*;

/// A quantile is given if so many values of the sample lie beyond it.
const BEYOND: usize = 5;

/// Values that never came are `None`.
pub fn spread(values: impl Iterator<Item = Option<u64>>) -> Spread {
    let mut sorted: Vec<u64> = values.map(|v| v.unwrap_or(u64::MAX)).collect();
    sorted.sort_unstable();
    let n = sorted.len();
    let at = |share: usize| {
        let rank = (n * share).div_ceil(100);
        let enough = n - rank.min(n) >= BEYOND;
        sorted.get(rank.saturating_sub(1)).copied().filter(|v| enough && *v != u64::MAX)
    };
    Spread { p50: at(50), p95: at(95), p99: at(99) }
}

/// The figures of one branch.
pub fn of(ended: &[Ended], question: &Question, branch: Branch, fence_is_known: bool) -> Figures {
    let rate = question.database().and_then(|d| d.wal_rate).filter(|r| *r > 0);
    let before = question.impact.map_or(Span::ZERO, |t| question.fork.now.utc.since(t));
    let lost_ms = |e: &Ended| rate.map(|r| e.lost * 1000 / r);
    let loss = spread(ended.iter().map(|e| Some(e.lost)));
    let nothing = ended.iter().all(|e| e.lost == 0);
    let none = || ended.iter().filter(|e| e.served.is_none());
    let counted =
        !(matches!(branch, Branch::Act(_)) && question.intent == Intent::Failover && !fence_is_known);
    Figures {
        futures: ended.len() as u32,
        writable_ms: spread(ended.iter().map(|e| e.writable.map(|t| t.0))),
        served_ms: spread(ended.iter().map(|e| e.served.map(|t| t.0))),
        data_loss_bytes: if rate.is_some() || nothing { loss } else { Spread::default() },
        data_loss_ms: (rate.is_some() || nothing)
            .then(|| spread(ended.iter().map(|e| lost_ms(e).or(Some(0))))),
        data_loss_writes: nothing.then_some(loss),
        // What leaves a fence out, or does not know what is lost, proves nothing of a target.
        meets_rto: counted.then(|| {
            Share::of(ended.iter().map(|e| e.served.is_some_and(|t| t.plus(before) <= question.rto)))
        }),
        meets_rpo: ((rate.is_some() || nothing) && question.loss_is_known)
            .then(|| Share::of(ended.iter().map(|e| lost_ms(e).unwrap_or(0) <= question.rpo.0))),
        rolled_back: Share::of(ended.iter().map(|e| e.rolled_back)),
        not_served: Share::of(ended.iter().map(|e| e.served.is_none())),
        why_not: none()
            .find_map(|e| e.stuck.clone())
            .or_else(|| none().next().map(|_| WhyNot::Otherwise(question.otherwise.clone()))),
        drivers: drivers(ended, question),
        without: if !counted { vec!["fence".to_string()] } else { Vec::new() },
    }
}

/// Steps that take time, by their median.
fn drivers(ended: &[Ended], question: &Question) -> Vec<(String, u64)> {
    let plan = question.fork.engine.state().estate.plans.iter().find(|p| p.intent == question.intent);
    let steps = plan.map_or(&[][..], |p| &p.steps);
    let mut list: Vec<(String, u64)> = steps
        .iter()
        .enumerate()
        .filter_map(|(i, step)| {
            let mut took: Vec<u64> = ended
                .iter()
                .filter_map(|e| e.steps.iter().find(|(s, _)| usize::from(*s) == i).map(|(_, t)| t.0))
                .collect();
            took.sort_unstable();
            took.get(took.len() / 2).map(|t| (step.id.clone(), *t))
        })
        .filter(|(_, took)| *took > 0)
        .collect();
    list.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    list.truncate(3);
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_quantile_is_finer_than_its_sample() {
        let of = |n: u64| spread((1..=n).map(Some));
        assert_eq!(of(9), Spread::default());
        assert_eq!(of(10), Spread { p50: Some(5), ..Spread::default() });
        assert_eq!(of(99).p95, None);
        assert_eq!(of(100), Spread { p50: Some(50), p95: Some(95), p99: None });
        assert_eq!(of(500), Spread { p50: Some(250), p95: Some(475), p99: Some(495) });
    }

    #[test]
    fn what_never_came_is_no_figure() {
        let half = spread((0..1000).map(|n| (n % 3 == 0).then_some(7)));
        assert_eq!(half, Spread::default());
        let few = spread((0..1000).map(|n| (n >= 30).then_some(7)));
        assert_eq!(few, Spread { p50: Some(7), p95: Some(7), p99: None });
    }
}

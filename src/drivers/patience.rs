//! How long an answer is waited for before it counts as silence: four times what answers usually take, and never less than
//! 250 ms (measured: shorter stuns are common). What comes later still teaches: a link that has become slow is not a death.
//!
//! What answers take is their median: a few slow ones, as while a server restarts, must not make silence slow to be told.
//! Where the link itself is so slow that silence takes longer than automation's evidence may be old, people decide.

use crate::model::{ANSWER, MemberId, ProbeResult};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Never less.
const LEAST: Duration = Duration::from_millis(250);
/// Never more (it is what the engine reckons with): ten of them are waited for before silence is believed.
const MOST: Duration = Duration::from_millis(ANSWER.0);
/// So long an answer that came too late is waited for, to learn from it.
pub const LEARNS: Duration = Duration::from_secs(2);
/// Answers that are remembered.
const REMEMBERED: usize = 21;

/// What answers have taken lately, by member.
#[derive(Clone, Default)]
pub struct Patience(Arc<Mutex<BTreeMap<MemberId, VecDeque<Duration>>>>);

impl Patience {
    pub fn with(&self, member: MemberId) -> Duration {
        let Ok(known) = self.0.lock() else { return LEAST };
        let mut list: Vec<Duration> = known.get(&member).into_iter().flatten().copied().collect();
        list.sort();
        (list.get(list.len() / 2).copied().unwrap_or_default() * 4).clamp(LEAST, MOST)
    }

    fn learn(&self, member: MemberId, took: Duration) {
        let Ok(mut known) = self.0.lock() else { return };
        let list = known.entry(member).or_default();
        if list.len() == REMEMBERED {
            list.pop_front();
        }
        list.push_back(took);
    }

    /// Probes; silence if it takes too long. The probe itself must end by [`LEARNS`].
    pub async fn probe<T, F>(&self, member: MemberId, probe: F) -> (ProbeResult, Option<T>)
    where
        T: Send + 'static,
        F: Future<Output = (ProbeResult, Option<T>)> + Send + 'static,
    {
        let (began, learner) = (Instant::now(), self.clone());
        let task = tokio::spawn(async move {
            let answer = probe.await;
            if answer.0.is_well() {
                learner.learn(member, began.elapsed());
            }
            answer
        });
        match tokio::time::timeout(self.with(member), task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => (ProbeResult::Silent, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_becomes_slow_is_learnt_and_forgotten() {
        let (patience, region) = (Patience::default(), MemberId(0));
        let learn = |times: usize, ms: u64| {
            (0..times).for_each(|_| patience.learn(region, Duration::from_millis(ms)))
        };
        assert_eq!(patience.with(region), LEAST);
        learn(REMEMBERED, 5);
        // A few slow answers are a stun, not a slow link.
        learn(REMEMBERED / 2, 900);
        assert_eq!(patience.with(region), LEAST);
        learn(1, 200);
        assert_eq!(patience.with(region), Duration::from_millis(800));
        learn(REMEMBERED, 900);
        assert_eq!(patience.with(region), MOST);
        assert_eq!(patience.with(MemberId(1)), LEAST);
        learn(REMEMBERED, 5);
        assert_eq!(patience.with(region), LEAST);
    }
}

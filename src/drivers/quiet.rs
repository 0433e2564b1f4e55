//! Since when a store has been quiet, request by request.

use crate::model::*;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

/// Since when no request stands in the store and the same leader holds the lock, by request.
#[derive(Default)]
pub(super) struct Quiet(Mutex<BTreeMap<EffectId, (Option<u64>, Instant)>>);

impl Quiet {
    /// How long it has been quiet. `lock`: the create revision of the leader's key.
    pub fn lasts(&self, id: EffectId, empty: bool, lock: Option<u64>, now: Instant) -> Span {
        let Ok(mut known) = self.0.lock() else { return Span::ZERO };
        if !empty {
            known.remove(&id);
            return Span::ZERO;
        }
        let since = match known.get(&id) {
            Some((before, since)) if *before == lock => *since,
            _ => now,
        };
        known.insert(id, (lock, since));
        Span(u64::try_from(now.duration_since(since).as_millis()).unwrap_or(u64::MAX))
    }

    pub fn forget(&self, id: EffectId) {
        if let Ok(mut known) = self.0.lock() {
            known.remove(&id);
        }
    }
}

//! Waiting for a controller to know something.

use super::open::Opened;
use crate::model::*;
use std::sync::Arc;
use std::time::Duration;

/// Waits until the first look at everything has come back, or a while has passed.
pub async fn settled(opened: &Opened) {
    let looked = |s: &Snapshot| {
        let members = || s.groups.iter().flat_map(|g| &g.members);
        s.regions.iter().all(|r| r.last_check.is_some() || r.services == 0)
            && members().all(|m| m.answers.is_some())
            && s.groups.iter().all(|g| {
                g.members.is_empty()
                    || g.synchronous.is_some()
                    || s.stale.iter().any(|x| matches!(x.source, Source::Store { .. }))
            })
    };
    let _ = wait_for(opened, Duration::from_secs(4), looked).await;
}

/// Waits for a snapshot that satisfies the test.
pub async fn wait_for(
    opened: &Opened,
    at_most: Duration,
    test: impl Fn(&Snapshot) -> bool,
) -> Option<Arc<Snapshot>> {
    let deadline = tokio::time::Instant::now() + at_most;
    loop {
        let snapshot = opened.handle.snapshot();
        if test(&snapshot) {
            return Some(snapshot);
        }
        match tokio::time::timeout_at(deadline, opened.handle.changed()).await {
            Ok(true) => {}
            Ok(false) | Err(_) => return None,
        }
    }
}

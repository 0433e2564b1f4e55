//! What a recovery needs besides the estate: which of it answers, and which is lost with a region or a provider.

use crate::engine::kernel::engine::Engine;
use crate::model::*;

/// An answer older than this says nothing of now: three times as long as drivers wait between two.
const COUNTS: Span = Span::secs(90);

impl Engine {
    /// What each need answered last, in the estate's order; `None` where it has no probe, or no recent answer.
    pub fn need_answers(&self, now: Now) -> Vec<Option<ProbeResult>> {
        let recent = |known: &crate::engine::kernel::telemetry::Timed<ProbeResult>| {
            let (result, at) = known.as_ref()?;
            (now.mono.since(*at) <= COUNTS).then(|| result.clone())
        };
        self.telemetry.needs.iter().map(recent).collect()
    }
}

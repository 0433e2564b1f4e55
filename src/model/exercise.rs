//! Exercises: their kinds, how one came out, and when each kind is due again.

use super::disaster::vocabulary;
use super::{Share, Span, Utc};
use serde::{Deserialize, Serialize};

vocabulary!(
    /// The kinds of exercise (references 001 and 003).
    ExerciseKind, "kind of exercise" {
        Component = "component",
        Integration = "integration",
        EndToEnd = "end_to_end",
        Chaos = "chaos",
        BackupRestoration = "backup_restoration",
        ServiceFailover = "service_failover",
        RegionalFailover = "regional_failover",
        FullRecovery = "full_recovery",
        /// At a table: people decide, nothing runs.
        Crisis = "crisis",
    }
);

/// What an exercise adds to the result of what was played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exercised {
    pub id: String,
    pub kind: ExerciseKind,
    /// Nobody had to do anything.
    pub automated: bool,
    /// Acknowledged writes that were lost, as time; `None` where nobody knows.
    pub lost_ms: Option<u64>,
}

/// How a kind of exercise stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Due {
    pub kind: ExerciseKind,
    pub every: Span,
    pub within: Option<Span>,
    pub loses: Option<Span>,
    /// When it was conducted last, and whether it came out as it must.
    pub last: Option<(Utc, bool)>,
    /// When it is due; what never was, or failed, is due now.
    pub next: Utc,
    pub overdue: bool,
    pub passed: Share,
    pub automated: Share,
    /// Recovery times in milliseconds, the newest last.
    pub times: Vec<u64>,
}

impl Due {
    /// The median of the older half of the times, and of the newer; `None` while there are fewer than six.
    pub fn trend(&self) -> Option<(Span, Span)> {
        let (older, newer) = self.times.split_at(self.times.len() / 2);
        (self.times.len() >= 6).then(|| (median(older), median(newer)))
    }
}

fn median(times: &[u64]) -> Span {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    Span(sorted.get(sorted.len() / 2).copied().unwrap_or_default())
}

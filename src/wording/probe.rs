//! What a health check found, in words.

use crate::model::{ANSWER, Health, ProbeResult};

/// Why a check failed. `health` is the check, where it is known.
pub fn probe_words(result: &ProbeResult, health: Option<&Health>) -> String {
    match result {
        ProbeResult::Answered { round_trip } => format!("answers in {round_trip}"),
        ProbeResult::Refused => "connection refused".to_string(),
        ProbeResult::Silent => {
            let within = health.and_then(|h| match h {
                Health::Http { within, .. } | Health::Tcp { within, .. } => *within,
            });
            format!("no answer within {}", within.unwrap_or(ANSWER).written())
        }
        ProbeResult::Unwell(reason) | ProbeResult::NotAsked(reason) => reason.clone(),
    }
}

//! What was rehearsed here, and how it ended: one line each, beside the estates' records.

use super::home::data_directory;
use crate::model::{Digest, PlayedOnce, Utc};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

fn file() -> PathBuf {
    data_directory().join("drills.jsonl")
}

/// Everything that was played, the oldest first; a line that is none is left out.
pub fn rehearsals() -> Vec<PlayedOnce> {
    let text = std::fs::read_to_string(file()).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// When each plan was last run with success in a rehearsal, as it stands. A plan is told by what is in it: which estate it
/// was rehearsed on does not matter, whether it was changed since does.
pub fn drilled_plans() -> BTreeMap<Digest, Utc> {
    rehearsals()
        .into_iter()
        .filter(|r| r.passed)
        .flat_map(|r| r.plans.into_iter().map(move |plan| (plan, r.at)))
        .collect()
}

/// Keeps a result. That it cannot be kept must not end what is played.
pub fn keep_rehearsal(result: &PlayedOnce) {
    let path = file();
    let written = std::fs::create_dir_all(data_directory())
        .and_then(|()| std::fs::OpenOptions::new().create(true).append(true).open(&path))
        .and_then(|mut file| writeln!(file, "{}", serde_json::to_string(result).unwrap_or_default()));
    if let Err(e) = written {
        tracing::warn!("{}: the result of the drill was not kept: {e}", path.display());
    }
}

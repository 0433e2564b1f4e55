//! Databases that the cluster moved without us: nobody has proven by a write that they serve.

use super::state::State;
use crate::model::*;
use std::collections::BTreeSet;

/// Databases that this disaster reached, that are led from elsewhere now, that no write of ours has proven since, and for
/// which no person has vouched by a note.
pub fn of(state: &State, d: &Disaster) -> BTreeSet<GroupId> {
    let proven = |g: GroupId| state.operations.iter().any(|o| o.group == g && o.started >= d.since && o.results.served.is_some());
    let moved = |g: GroupId| state.primaries.get(g.at()).and_then(|p| p.0).is_some_and(|r| !d.regions.contains(&r));
    let reached: BTreeSet<GroupId> = d.services.iter().filter_map(|id| state.estate.services.get(id.at())).map(|s| s.group).collect();
    let open = |g: &GroupId| state.estate.groups.get(g.at()).is_some_and(|g| g.database.is_some()) && moved(*g) && !state.vouched.contains(g);
    reached.into_iter().filter(|g| open(g) && !proven(*g)).collect()
}

/// All of them, also after the disaster is over.
pub fn all(state: &State) -> BTreeSet<GroupId> {
    state.disasters.iter().flat_map(|d| of(state, d)).collect()
}

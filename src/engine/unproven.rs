//! Databases that the cluster moved without us: nobody has proven by a write that they serve.

use super::state::State;
use crate::model::*;
use std::collections::BTreeSet;

/// All of them: while an operation of ours runs for one, its proof is under way.
pub fn all(state: &State) -> BTreeSet<GroupId> {
    state.unproven.iter().copied().filter(|g| state.running(*g).is_none()).collect()
}

/// Those that this disaster reached.
pub fn of(state: &State, d: &Disaster) -> BTreeSet<GroupId> {
    let reached: BTreeSet<GroupId> = d.services.iter().filter_map(|id| state.estate.services.get(id.at())).map(|s| s.group).collect();
    all(state).intersection(&reached).copied().collect()
}

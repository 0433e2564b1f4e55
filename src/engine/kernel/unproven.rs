//! Databases that the cluster moved without us: nobody has proven by a write that they serve. Who vouches for one
//! is told with it, and proves nothing.

use super::state::State;
use crate::model::*;
use std::collections::BTreeSet;

/// All of them: while an operation of ours runs for one, its proof is under way.
pub fn all(state: &State) -> BTreeSet<GroupId> {
    state
        .elected
        .iter()
        .filter(|(g, e)| e.vouched.is_none() && state.running(**g).is_none())
        .map(|(g, _)| *g)
        .collect()
}

/// What the cluster did by itself.
pub fn elected(state: &State, group: GroupId) -> Option<&Elected> {
    state.elected.get(&group).filter(|e| !e.by_us && state.running(group).is_none())
}

/// Those that this disaster reached.
pub fn of(state: &State, d: &Disaster) -> BTreeSet<GroupId> {
    let reached: BTreeSet<GroupId> =
        d.services.iter().filter_map(|id| state.estate.services.get(id.at())).map(|s| s.group).collect();
    all(state).intersection(&reached).copied().collect()
}

/// Those that a note of version 1 vouches for: a person wrote in it «NAME takes writes», in these words.
pub fn vouched(state: &State, text: &str) -> Vec<GroupId> {
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|w| w.trim_matches(|c: char| !(c.is_alphanumeric() || "-_".contains(c))))
        .collect();
    let vouches = |name: &str| words.windows(3).any(|w| w == [name, "takes", "writes"]);
    let of = |g: &GroupId| state.estate.groups.get(g.at()).is_some_and(|g| vouches(&g.name));
    state.elected.iter().filter(|(_, e)| e.vouched.is_none()).map(|(g, _)| *g).filter(of).collect()
}

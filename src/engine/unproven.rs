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

/// Those that a note vouches for: a person wrote in it «NAME takes writes», in these words. That it names one is no word for it.
pub fn vouched(state: &State, text: &str, by_hand: bool) -> Vec<GroupId> {
    let words: Vec<&str> = text.split_whitespace().map(|w| w.trim_matches(|c: char| !(c.is_alphanumeric() || "-_".contains(c)))).collect();
    let vouches = |name: &str| words.windows(3).any(|w| w == [name, "takes", "writes"]);
    let of = |g: &GroupId| by_hand && state.estate.groups.get(g.at()).is_some_and(|g| vouches(&g.name));
    state.unproven.iter().copied().filter(of).collect()
}

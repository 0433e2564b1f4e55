//! What the keys are about: the choice that is decided on, the databases that are turned to, the one to vouch
//! for.

use crate::model::*;

/// The choice that is decided on: the selected database's, else the first. In a fork what was tried for the
/// selected one stands in its place: how it came out is what it was tried for.
pub fn decided_on(s: &Snapshot, selected: GroupId) -> Option<&ProposalView> {
    let tried = s.operations.iter().any(|o| o.group == selected && o.mode == Mode::Fork);
    s.proposals
        .iter()
        .find(|v| v.proposal.group == selected)
        .or(s.proposals.first().filter(|_| !tried && !s.is_undecided(selected)))
}

/// The databases that are turned to one after the other: those with something to decide, the choices on the table
/// first; else all; in a fork all.
pub fn turns(s: &Snapshot) -> Vec<GroupId> {
    let databases = || s.groups.iter().filter(|g| !g.members.is_empty()).map(|g| g.group);
    let (mut open, rest): (Vec<GroupId>, Vec<GroupId>) = databases().partition(|g| s.is_on_table(*g));
    let undecided = s.undecided();
    let (silent, rest): (Vec<GroupId>, Vec<GroupId>) = rest.into_iter().partition(|g| undecided.contains(g));
    open.extend(silent);
    // In a fork what was tried stays in sight beside what is still open.
    if open.is_empty() || s.mode == Mode::Fork {
        open.extend(rest);
    }
    open
}

/// The database to vouch for: the selected one, else the first that is unproven.
pub fn unproven(s: &Snapshot, selected: GroupId) -> Option<GroupId> {
    let open = || s.groups.iter().filter(|v| v.unproven).map(|v| v.group);
    open().find(|g| *g == selected).or_else(|| open().next())
}

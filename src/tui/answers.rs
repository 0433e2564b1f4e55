//! What an operation can be answered, and which operation an answer is about.

use crate::model::*;

/// The answers an operation takes now.
pub fn answers(s: &Snapshot, o: &Operation) -> Vec<(&'static str, &'static str)> {
    let mut list = Vec::new();
    // Beside a new leader the old primary is not brought back.
    let moved = o.moved_on(s.group(o.group).and_then(|v| v.leader));
    let asks = o
        .plan
        .steps
        .iter()
        .zip(&o.steps)
        .any(|(s, r)| matches!(s.kind, StepKind::AskPerson { .. }) && r.state == StepState::Running);
    let failed = o.steps.iter().any(|r| matches!(r.state, StepState::Failed { .. }));
    if asks {
        list.push(("done", "it is done"));
    }
    if failed {
        list.push(("again", "try the step again"));
        list.push(("without", "go on without the step, where safety does not rest on it"));
    }
    if o.lacks_only_protection() && matches!(o.status, Status::Waiting { .. }) {
        list.push(("accept", "accept that it is unprotected"));
    }
    if (o.handed_over() || moved) && matches!(o.status, Status::Waiting { .. }) {
        list.push(("abort", "give it up: what was done stays as it is; then fail over anew"));
    }
    if !o.handed_over() && !moved {
        let ran = o.effects().any(|e| e.may_have_happened() && matches!(e.effect, Effect::Command { .. }));
        list.push(match (o.has_acted(), ran) {
            (true, true) => (
                "rollback",
                "undo the drain, and the fence where it has an undo; commands that ran stay done",
            ),
            (true, false) => ("rollback", "undo the drain, and the fence where it has an undo"),
            (false, _) => ("abort", "end it: nothing has been changed yet"),
        });
    }
    list
}

/// The operation that an answer is about: the selected database's, whether it can still be taken back or not. Where none
/// runs for that one: one that asks, else the newest that can be taken back.
pub fn answered(s: &Snapshot, selected: GroupId) -> Option<&Operation> {
    let open = || s.open().map(|o| &**o);
    match open().find(|o| o.group == selected) {
        Some(own) => Some(own).filter(|o| !answers(s, o).is_empty()),
        None => open()
            .filter(|o| !answers(s, o).is_empty())
            .min_by_key(|o| !matches!(o.status, Status::Waiting { .. })),
    }
}

/// The step that an answer is about.
pub fn asked_step(o: &Operation) -> Option<u16> {
    o.plan
        .steps
        .iter()
        .zip(&o.steps)
        .position(|(s, r)| {
            matches!(r.state, StepState::Failed { .. })
                || (matches!(s.kind, StepKind::AskPerson { .. }) && r.state == StepState::Running)
        })
        .map(|n| n as u16)
}

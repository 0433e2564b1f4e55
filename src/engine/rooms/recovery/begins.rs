//! Whether a step begins, as the others stand.

use crate::model::*;

/// Whether a step that is pending begins, as the others stand. After a failure nothing new that acts is begun; what only
/// watches may.
pub fn may_begin(operation: &Operation, index: usize) -> bool {
    let step = &operation.plan.steps[index];
    // A failed validation stops neither of redirection and protection, and then neither stops the other.
    let also_failed = |i: usize| {
        operation.failed_validation().is_some()
            && has_failed(&operation.steps[i])
            && goes_on(&operation.plan.steps[i])
    };
    let overlooked = |i: usize| goes_on(step) && (operation.fails_validation(i) || also_failed(i));
    let open =
        step.after.iter().map(|a| usize::from(*a)).all(|a| operation.steps[a].state.opens() || overlooked(a));
    let failed = |(i, s): (usize, &StepRecord)| has_failed(s) && !overlooked(i);
    open && !(step.kind.acts() && operation.steps.iter().enumerate().any(failed))
}

pub const fn has_failed(step: &StepRecord) -> bool {
    matches!(step.state, StepState::Failed { .. })
}

/// It is done also where a validating write has failed after the promotion: users are led to the new primary all the same.
pub fn goes_on(step: &Step) -> bool {
    let leads = matches!(
        step.kind,
        StepKind::RestoreTraffic
            | StepKind::DrainTraffic
            | StepKind::ValidateWrite { .. }
            | StepKind::WatchProtection
    );
    leads || matches!(step.phase, Phase::Redirection | Phase::Reprotection)
}

//! Which database an event is about.

use super::state::State;
use crate::model::*;

/// The protection group that an event is about.
pub fn about(state: &State, event: &Event) -> Option<GroupId> {
    let open =
        |id: ProposalId| state.proposals.iter().find(|p| p.proposal.id == id).map(|p| p.proposal.group);
    let of_choice = |id: ProposalId| {
        open(id).or_else(|| state.operations.iter().find(|o| o.proposal == id).map(|o| o.group))
    };
    let of_operation = |id: OperationId| state.operation(id).map(|o| o.group);
    match event {
        Event::PrimaryChanged { group, .. }
        | Event::MemberNamed { group, .. }
        | Event::FenceProven { group, .. }
        | Event::Turned { group, .. }
        | Event::IdentitySeen { group, .. }
        | Event::IdentityChanged { group, .. }
        | Event::Adopted { group, .. }
        | Event::AutomationHeld { group, .. }
        | Event::Vouched { group, .. } => Some(*group),
        Event::Proposed(p) => Some(p.group),
        Event::OperationStarted(start) => Some(start.group),
        Event::ProposalClosed { proposal, .. }
        | Event::AutomaticStopped { proposal, .. }
        | Event::Foretold { proposal, .. } => of_choice(*proposal),
        Event::Intended { id, .. } | Event::Reported { id, .. } | Event::OutcomeLost { id, .. } => {
            of_operation(id.operation)
        }
        Event::StepStarted { operation, .. }
        | Event::StepDone { operation, .. }
        | Event::StepFailed { operation, .. }
        | Event::StepSkipped { operation, .. }
        | Event::StepReset { operation, .. }
        | Event::Promoted { operation, .. }
        | Event::StatusChanged { operation, .. }
        | Event::TookOver { operation, .. }
        | Event::RemainderDone { operation, .. }
        | Event::Superseded { old: operation, .. } => of_operation(*operation),
        Event::Refused { order, .. } => match &order.action {
            Action::Propose { group, .. } | Action::Adopt { group, .. } | Action::Vouch { group, .. } => {
                Some(*group)
            }
            Action::Confirm(confirmation) => of_choice(confirmation.proposal),
            Action::Withdraw { proposal } | Action::StopAutomatic { proposal } => of_choice(*proposal),
            Action::Abort { operation }
            | Action::Rollback { operation }
            | Action::AcceptUnprotected { operation } => of_operation(*operation),
            Action::Answer { operation, .. } => of_operation(*operation),
            Action::Arm { .. } | Action::Disarm | Action::Note { .. } => None,
        },
        Event::Started { .. }
        | Event::ClockJumped { .. }
        | Event::RegionChanged { .. }
        | Event::DisasterDeclared(_)
        | Event::DisasterEnded { .. }
        | Event::Armed { .. }
        | Event::Disarmed { .. }
        | Event::Note { .. } => None,
    }
}

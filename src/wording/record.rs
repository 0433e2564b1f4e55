//! Records in words: one line each.

use super::names::Names;
use super::{
    choice, course, disaster, evidence_words, failure_words, foretold_words, lost_words, refusal_words,
    region_reason_words, reset_words, skip_words, turn, veto_words,
};
use crate::engine::{State, about, vouched};
use crate::model::*;

/// What a confirmation was typed as.
fn typed(action: &Action) -> String {
    let Action::Confirm(c) = action else { return String::new() };
    let risk = c.accept_risk.as_ref().map_or(String::new(), |risk| format!(" and «{risk}»"));
    format!(", having typed «{}»{risk}", c.typed)
}

/// The line for a record, told against the state before it; `None` for what nobody would want to read.
pub fn line(state: &State, record: &Record) -> Option<LogLine> {
    let names = Names::of(state, &record.event);
    let (weight, subject, text) = match &record.event {
        Event::Started { mode, program, armed, estate, .. } => {
            let armed = if *armed { "armed" } else { "read-only" };
            (
                Weight::Routine,
                Subject::Controller(*mode),
                format!("{program} begins with {}, {armed}", estate.name),
            )
        }
        Event::ClockJumped { by_ms } => {
            (Weight::Warning, Subject::Clock, format!("the wall clock jumped by {by_ms} ms"))
        }
        Event::RegionChanged { region: r, status, reason } => {
            let weight = match status {
                RegionStatus::Down => Weight::Alarm,
                RegionStatus::Degraded | RegionStatus::Unknown => Weight::Warning,
                RegionStatus::Ok => Weight::Notice,
            };
            (
                weight,
                Subject::Region(names.region(*r)),
                format!("{}: {}", status.word(), region_reason_words(reason)),
            )
        }
        Event::MemberNamed { .. } => return None,
        Event::PrimaryChanged { group: g, member, timeline } => {
            turn::primary_changed(&names, *g, *member, *timeline)
        }
        Event::IdentitySeen { .. } => return None,
        Event::IdentityChanged { group: g, change, .. } => (
            Weight::Alarm,
            Subject::Group(names.group(*g)),
            format!(
                "IDENTITY CHANGED: {}; no new operation until it is adopted",
                super::identity_words(change)
            ),
        ),
        Event::Adopted { group: g, by, .. } => (
            Weight::Notice,
            Subject::Person(by.to_string()),
            format!("adopts the cluster of {} as it is now", names.group(*g)),
        ),
        Event::Turned { group: g, turn } => turn::turned(&names, *g, turn),
        Event::DisasterDeclared(d) => disaster::declared(&names, d),
        Event::DisasterEnded { disaster } => disaster::ended(&names, *disaster, record.at.utc),
        Event::Proposed(p) => choice::proposed(&names, p, record.at.mono),
        Event::ProposalClosed { proposal, by, end, cost } => choice::closed(&names, *proposal, by, end, cost),
        Event::AutomaticStopped { proposal, by, reason } => choice::stopped(&names, *proposal, by, reason),
        Event::AutomationHeld { group: g, veto, .. } => (
            Weight::Warning,
            Subject::Person(Part::Bpci.to_string()),
            format!("automation does not act on {}: {}", names.group(*g), veto_words(veto, names.estate)),
        ),
        Event::Refused { order, refusal } => (
            Weight::Warning,
            Subject::Person(order.by.to_string()),
            format!("was refused{}: {}", typed(&order.action), refusal_words(refusal)),
        ),
        Event::Armed { by } => {
            (Weight::Notice, Subject::Person(by.to_string()), "armed: orders act from now on".to_string())
        }
        Event::Disarmed { by } => {
            (Weight::Notice, Subject::Person(by.to_string()), "read-only from now on".to_string())
        }
        Event::OperationStarted(s) => course::started(&names, s),
        Event::StepStarted { .. } => return None,
        Event::Intended { id, effect } => course::intended(&names, *id, effect),
        Event::Reported { id, outcome } => course::reported(&names, *id, outcome),
        Event::OutcomeLost { id, reason } => (
            Weight::Warning,
            Subject::Operation(id.operation),
            format!(
                "{}: outcome unknown, {}; looking",
                names.step(id.operation, id.step),
                lost_words(reason)
            ),
        ),
        Event::StepDone { operation, step: s, evidence } => (
            Weight::Notice,
            Subject::Operation(*operation),
            format!("✓ {}: {}", names.step(*operation, *s), evidence_words(evidence)),
        ),
        Event::StepFailed { operation, step: s, reason } => (
            Weight::Alarm,
            Subject::Operation(*operation),
            format!("✗ {}: {}", names.step(*operation, *s), failure_words(reason)),
        ),
        Event::StepSkipped { operation, step: s, reason } => (
            Weight::Notice,
            Subject::Operation(*operation),
            format!("– {}: {}", names.step(*operation, *s), skip_words(reason)),
        ),
        Event::StepReset { operation, step: s, reason } => (
            Weight::Notice,
            Subject::Operation(*operation),
            format!("{}: {}", names.step(*operation, *s), reset_words(reason)),
        ),
        Event::Promoted { operation, timeline, loss } => (
            Weight::Notice,
            Subject::Operation(*operation),
            format!("promoted on timeline {timeline}; lost: {loss}"),
        ),
        Event::StatusChanged { operation, status } => course::status_changed(&names, *operation, status),
        Event::Superseded { old, new, obligations } => {
            let passes = match obligations.len() {
                0 => "nothing of it is to be undone".to_string(),
                n => format!("{n} of its changes pass to {new}, to be undone"),
            };
            (Weight::Notice, Subject::Operation(*old), format!("superseded by {new}; {passes}"))
        }
        Event::TookOver { operation, obligations } => {
            course::took_over(&names, *operation, about(state, &record.event)?, obligations)
        }
        Event::RemainderDone { operation, evidence, .. } => {
            (Weight::Notice, Subject::Operation(*operation), format!("✓ {}", evidence_words(evidence)))
        }
        Event::FenceProven { .. } => return None,
        Event::Foretold { foretold, proposal } => {
            let open =
                state.proposals.iter().find(|p| p.proposal.id == *proposal).map(|p| p.proposal.plan.clone());
            let plan = open
                .or_else(|| {
                    state.operations.iter().find(|o| o.proposal == *proposal).map(|o| o.plan.name.clone())
                })
                .unwrap_or_default();
            let to = foretold
                .to
                .and_then(|to| Some(format!(" to {}", names.member(about(state, &record.event)?, to))))
                .unwrap_or_default();
            // On a screen its figures count down from when it was told.
            let passed = record.at.utc.since(foretold.at);
            let of = if passed > Span::secs(1) {
                format!(" as of {}, {passed} before this and counted from then", foretold.at.clock())
            } else {
                String::new()
            };
            (
                Weight::Routine,
                about(state, &record.event).map_or(Subject::Forecast, |g| Subject::Group(names.group(g))),
                format!("{plan}{to} foretold{of}: {}", foretold_words(foretold)),
            )
        }
        Event::Vouched { group: g, by, note } => {
            let how = if note.is_empty() { String::new() } else { format!(": {note}") };
            (
                Weight::Notice,
                Subject::Person(by.to_string()),
                format!("vouches for {}, which takes writes{how}", names.group(*g)),
            )
        }
        Event::Note { by, text, by_hand, vouches } => {
            // What it takes away is told with it.
            let vouched = if *vouches { vouched(state, text) } else { Vec::new() };
            let vouched: Vec<String> = vouched.into_iter().map(|id| names.group(id)).collect();
            let so = if vouched.is_empty() {
                String::new()
            } else {
                format!(", and vouches for {}", vouched.join(", "))
            };
            // What a program writes down for somebody is no note of theirs.
            (
                Weight::Notice,
                Subject::Person(by.to_string()),
                if *by_hand { format!("notes{so}: {text}") } else { text.clone() },
            )
        }
    };
    let about = about(state, &record.event).map_or(String::new(), |id| names.group(id));
    Some(LogLine { at: record.at.utc, weight, subject, text, about })
}

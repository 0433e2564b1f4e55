//! Did a scenario end as it says it must?

use crate::engine::State;
use crate::model::*;
use crate::sim::Truth;
use crate::wording::{operation_failure_words, question_words, refusal_words};

/// Every expectation that did not hold, in words.
pub fn unmet(expect: &Expectation, state: &State, refusals: &[Refusal], truth: &Truth) -> Vec<String> {
    let mut unmet = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            unmet.push(what);
        }
    };
    let of_kind = |kind| state.disasters.iter().filter(move |d| d.kind == kind);
    if let Some(kind) = expect.disaster {
        must(of_kind(kind).next().is_some(), format!("no {kind} was declared; {}", declared(state)));
        // What is called by another name first has its choices made twice.
        let first = state.disasters.front().map_or(kind, |d| d.kind);
        must(first == kind, format!("it was taken for {first} first"));
        if let Some(severity) = expect.severity {
            must(
                of_kind(kind).any(|d| d.severity == severity),
                format!("no {kind} of severity {severity} was declared"),
            );
        }
        if let Some(strategy) = expect.strategy {
            must(
                state.estate.response(kind).is_some_and(|r| r.strategy == strategy),
                format!("{kind} is not answered by {strategy}"),
            );
        }
    }
    let ended = |test: fn(&Status) -> bool| state.operations.iter().filter(|o| test(&o.status)).count();
    if expect.no_operation {
        must(state.operations.is_empty(), format!("{} operations were begun", state.operations.len()));
    }
    if let Some(n) = expect.recovered {
        let recovered = ended(|s| matches!(s, Status::Recovered | Status::RecoveredUnprotected { .. }));
        must(
            recovered == usize::from(n),
            format!("{recovered} operations recovered, not {n}; {}", statuses(state)),
        );
    }
    if let Some(n) = expect.waiting {
        let waiting = ended(|s| matches!(s, Status::Waiting { .. }));
        must(
            waiting == usize::from(n),
            format!("{waiting} operations wait for a person, not {n}; {}", statuses(state)),
        );
    }
    if let Some(region) = expect.primary {
        for (id, group) in
            state.estate.group_ids().zip(&state.estate.groups).filter(|(_, g)| g.database.is_some())
        {
            let led = state.primary_region(id);
            let name = |r: RegionId| state.estate.region(r).name.clone();
            let leads = led.map_or_else(|| "nobody".to_string(), name);
            // Only the groups that were operated on must have moved.
            let touched = state.operations.iter().any(|o| state.estate.group(o.group).name == group.name);
            must(
                led == Some(region) || (!touched && !state.operations.is_empty()),
                format!("{leads} leads {}, not {}", group.name, name(region)),
            );
        }
    }
    if let Some(words) = &expect.refused {
        let told: Vec<String> = refusals.iter().map(refusal_words).collect();
        must(
            told.iter().any(|t| t.contains(words)),
            format!("nothing was refused with «{words}»; refusals: {told:?}"),
        );
    }
    if let Some(most) = expect.lost_at_most {
        must(truth.lost <= most, format!("{} acknowledged writes were lost, not at most {most}", truth.lost));
    }
    if let Some(within) = expect.served_within {
        for operation in &state.operations {
            let time = operation.recovery_time();
            let said = time.map_or("users were never served again".to_string(), |t| {
                format!("users were served after {t}")
            });
            must(time.is_some_and(|t| t <= within), format!("{}: {said}, not within {within}", operation.id));
        }
    }
    unmet
}

fn declared(state: &State) -> String {
    let kinds: Vec<_> = state.disasters.iter().map(|d| d.kind.name()).collect();
    format!("declared: {}", if kinds.is_empty() { "nothing".to_string() } else { kinds.join(", ") })
}

fn statuses(state: &State) -> String {
    let list: Vec<_> = state
        .operations
        .iter()
        .map(|o| match &o.status {
            Status::Waiting { question } => format!("{} waits: {}", o.id, question_words(question)),
            Status::Failed { reason } => format!("{} failed: {}", o.id, operation_failure_words(reason)),
            other => format!("{} {}", o.id, other.word()),
        })
        .collect();
    if list.is_empty() { "no operation was begun".to_string() } else { list.join("; ") }
}

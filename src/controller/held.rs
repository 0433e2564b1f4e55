//! What really happened in a simulated world, held against the laws.

use crate::engine::Engine;
use crate::model::*;
use crate::sim::Truth;
use crate::wording::breach_words;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Evidence on which a hand-over rests may be a second old, and the transaction takes its time: who died within that could
/// not be known to be dead.
const UNKNOWABLE: Span = Span::ms(1_200);

/// Every law that was broken, in deed or in the attempt, in words.
pub fn laws_broken(
    engine: &Engine,
    attempts: &[(u8, Breach)],
    truth: &Truth,
    records: &[Record],
) -> Vec<String> {
    let mut broken: Vec<String> =
        attempts.iter().map(|(law, breach)| format!("law {law}: {}", breach_words(breach))).collect();
    for (id, deed) in &truth.deeds {
        if deed.two_primaries > Span::ZERO && !deed.unfenced && !deed.deceived {
            broken.push(format!("law 1: after {id} two primaries took writes for {}", deed.two_primaries));
        }
        if deed.lost > 0 && !deed.loss_accepted {
            broken.push(format!("law 2: {id} lost {} acknowledged writes that nobody accepted", deed.lost));
        }
        if let Some(gone) = deed.orphaned.filter(|gone| *gone > UNKNOWABLE) {
            broken.push(format!(
                "law 11: {id} released the lock though who was to take it had been gone for {gone}"
            ));
        }
        broken.extend(engine.state().operation(*id).and_then(|o| mistold(o, deed.lost, deed.left_behind)));
    }
    broken.extend(truth.trespasses.iter().cloned());
    if truth.repeated > 0 {
        broken.push(format!("law 3: {} effects were sent twice", truth.repeated));
    }
    let (reached, at_most) = arrived(records);
    if !(reached..=at_most).contains(&(truth.effects as usize)) {
        broken.push(format!(
            "law 3: {} effects arrived; by the record it was {reached} to {at_most}",
            truth.effects
        ));
    }
    if !replays(engine, records) {
        broken.push("law 9: the records do not give the same state".to_string());
    }
    broken
}

/// What an operation says was lost is a lower bound, and «nothing» means nothing.
fn mistold(operation: &Operation, lost: u64, left_behind: u64) -> Option<String> {
    let id = operation.id;
    match operation.results.loss.as_ref()? {
        Loss::Nothing if lost > 0 => {
            Some(format!("law 2: {id} says that nothing was lost; {lost} writes were"))
        }
        Loss::AtLeast(told) if told.0 > left_behind => {
            Some(format!("law 2: {id} says at least {told} were lost; it was {}", Bytes(left_behind)))
        }
        _ => None,
    }
}

/// How many effects have arrived, by what is recorded of each: surely, and at most. What was not seen to happen may have arrived
/// too late, or never.
fn arrived(records: &[Record]) -> (usize, usize) {
    let mut last: BTreeMap<EffectId, Option<&Outcome>> = BTreeMap::new();
    for record in records {
        match &record.event {
            Event::Intended { id, .. } => {
                last.insert(*id, None);
            }
            Event::Reported { id, outcome } => {
                last.insert(*id, Some(outcome));
            }
            _ => {}
        }
    }
    let surely = |o: &&Option<&Outcome>| {
        matches!(o, Some(Outcome::Done { .. } | Outcome::NotDone { .. } | Outcome::Ended { .. }))
    };
    (last.values().filter(surely).count(), last.len())
}

fn replays(engine: &Engine, records: &[Record]) -> bool {
    let state = engine.state();
    let mut again = Engine::new(Arc::clone(&state.estate), "replay");
    for record in records {
        again.restore(record);
    }
    again.state() == state
}

//! What an operation sends: how it is numbered, and how long its report is waited for.

use super::step;
use crate::engine::kernel::engine::Engine;
use crate::model::*;

/// Parts of a step's effects that are sent after the step itself: for undoing, and for what remains.
pub const UNDO: u16 = 10_000;

pub const REMAIN: u16 = 20_000;

/// The effect is the operation's own, and of none of its steps: its claim, or what undoes something.
pub const fn is_own(id: EffectId) -> bool {
    id.part == step::CLAIM || id.part >= UNDO
}

/// Sends an effect that undoes something, or settles what remains.
pub fn send(engine: &mut Engine, now: Now, operation: &Operation, step: u16, part: u16, effect: Effect) {
    if !pauses(operation, step, part, now.mono) {
        engine.emit(now, intended(operation, step, part, effect));
    }
}

/// The last attempts at this part were withheld by the driver, and the pause after them is not over. It grows, so that a controller
/// that lost its claim does not fill its journal.
pub fn pauses(operation: &Operation, step: u16, part: u16, now: Mono) -> bool {
    let attempts = || operation.steps[usize::from(step)].effects.iter().filter(|e| e.id.part == part).rev();
    let withheld = attempts().take_while(|e| e.is_missed()).count();
    let last = attempts().next().and_then(|e| e.reported);
    last.is_some_and(|at| now.since(at) < pause_after(Span::secs(1), withheld.saturating_sub(1)))
}

/// The pause after so many failures in a row: none at first, then the first one, twice as long each time, 256 times as long at most.
pub fn pause_after(first: Span, failures: usize) -> Span {
    failures.checked_sub(1).map_or(Span::ZERO, |doublings| first.times(1 << doublings.min(8)))
}

pub fn intended(operation: &Operation, step: u16, part: u16, effect: Effect) -> Event {
    Event::Intended { id: numbered(operation, step, part), effect }
}

/// The next number of this part of a step.
pub fn numbered(operation: &Operation, step: u16, part: u16) -> EffectId {
    let attempt =
        operation.steps[usize::from(step)].effects.iter().filter(|e| e.id.part == part).count() as u16;
    EffectId { operation: operation.id, step, part, attempt, generation: operation.generation }
}

pub fn step_of(operation: &Operation, test: impl Fn(&StepKind) -> bool) -> u16 {
    operation.position(test).unwrap_or_default() as u16
}

/// How long a report may take: the driver's own deadline, and some.
pub fn patience(engine: &Engine, effect: &Effect) -> Span {
    let fence = |group: &GroupId| {
        engine
            .state
            .estate
            .groups
            .get(group.at())
            .and_then(|g| g.database.as_ref()?.fence.as_ref())
            .map(|f| f.timeout)
    };
    match effect {
        Effect::Fence { group, .. } | Effect::UndoFence { group, .. } => {
            fence(group).unwrap_or(Span::secs(30)).plus(Span::secs(5))
        }
        Effect::ValidateWrite { deadline, .. } => deadline.plus(Span::secs(5)),
        Effect::Command { timeout, .. } => timeout.plus(Span::secs(5)),
        Effect::SwitchOver { .. } => Span::secs(60),
        _ => Span::secs(30),
    }
}

/// Whoever sent it is gone or overdue, and for so long nobody could tell what became of it that nobody will.
pub fn given_up(engine: &Engine, now: Now, effect: &EffectRecord) -> bool {
    effect.is_open()
        && effect.orphaned
        && now.mono.since(effect.intended) > patience(engine, &effect.effect).times(2).max(Span::mins(1))
}

/// Who leads, where that is another region than the one that was left, as the store says.
pub fn moved_to(engine: &Engine, now: Now, operation: &Operation) -> Option<MemberId> {
    engine.facts(now).record(operation.group)?.leading_member().filter(|r| operation.moved_on(Some(*r)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_end() {
        let pauses: Vec<Span> = (0..12).map(|n| pause_after(Span::secs(5), n)).collect();
        assert_eq!(pauses[..4], [Span::ZERO, Span::secs(5), Span::secs(10), Span::secs(20)]);
        assert!(pauses.windows(2).all(|w| w[0] <= w[1]) && pauses[11] <= Span::mins(22), "{pauses:?}");
    }
}

//! The runner: turns what steps want into events and effects, and says when an operation is over.

use super::claim::{self, Standing};
use super::planted::{self, Break};
use super::step::{self, Progress};
use super::{Engine, Facts, ending, limits, remains, takeover};
use crate::model::*;
use std::sync::Arc;

/// Parts of a step's effects that are sent after the step itself: for undoing, and for what remains.
pub const UNDO: u16 = 10_000;
pub const REMAIN: u16 = 20_000;

/// The effect is the operation's own, and of none of its steps: its claim, or what undoes something.
pub const fn is_own(id: EffectId) -> bool {
    id.part == step::CLAIM || id.part >= UNDO
}

/// One round over every operation that is not over, and over what remains of those that are. True if anything changed.
pub fn round(engine: &mut Engine, now: Now) -> bool {
    let before = engine.emitted();
    // Nothing in here begins an operation, or forgets one.
    for index in 0..engine.state.operations.len() {
        let Some(operation) =
            engine.state.operations.get(index).filter(|o| is_left(&engine.facts(now), o)).cloned()
        else {
            continue;
        };
        let id = operation.id;
        lost_reports(engine, now, &operation);
        takeover::adopt(engine, now, &operation);
        keep_claim(engine, now, &operation);
        match &operation.status {
            // Read-only means that nothing acts, not even what remains.
            Status::RollingBack { .. } if engine.state.armed => roll_back(engine, now, &operation),
            Status::RollingBack { .. } => {}
            status if status.is_over() => {
                if engine.state.armed
                    && unreleased(&engine.facts(now), &operation)
                    && !releases(&operation).any(EffectRecord::is_open)
                {
                    release(engine, now, &operation);
                }
                remains::settle(engine, now, &operation);
            }
            _ => {
                // Whoever holds it while it changes makes a copy of it necessary.
                drop(operation);
                steps(engine, now, id);
                settle(engine, now, id);
            }
        }
    }
    engine.emitted() > before
}

fn is_left(cx: &Facts, operation: &Operation) -> bool {
    !operation.is_over() || !operation.remains.is_empty() || unreleased(cx, operation)
}

/// Effects whose report is overdue, or whose controller is gone, are looked for.
fn lost_reports(engine: &mut Engine, now: Now, operation: &Operation) {
    for effect in operation.effects().filter(|e| e.is_open()) {
        if planted::is(Break::SentTwice)
            && !effect.orphaned
            && operation.effects().filter(|e| e.id == effect.id).count() == 1
        {
            return engine.emit(now, Event::Intended { id: effect.id, effect: effect.effect.clone() });
        }
        if effect.orphaned && planted::is(Break::UnknownIsMissed) {
            engine.emit(
                now,
                Event::Reported { id: effect.id, outcome: Outcome::Missed { reason: "planted".to_string() } },
            );
        } else if effect.orphaned {
            let issued = Issued { id: effect.id, effect: effect.effect.clone() };
            engine.look_for(now, issued);
        } else if now.mono.since(effect.intended) > patience(engine, &effect.effect)
            && !planted::is(Break::WaitsForEver)
        {
            engine.emit(now, Event::OutcomeLost { id: effect.id, reason: LostReason::Overdue });
        }
    }
}

/// How long a report may take: the driver's own deadline, and some.
fn patience(engine: &Engine, effect: &Effect) -> Span {
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

fn steps(engine: &mut Engine, now: Now, id: OperationId) {
    for index in 0..engine.state.operation(id).map_or(0, |o| o.plan.steps.len()) {
        // Each step sees what the ones before it have just changed.
        let Some(current) = engine.state.operation(id) else { return };
        let record = &current.steps[index];
        let number = index as u16;
        if record.state == StepState::Pending {
            if !may_begin(current, index) {
                continue;
            }
            engine.emit(now, Event::StepStarted { operation: id, step: number });
        } else if record.state != StepState::Running {
            continue;
        }
        advance(engine, now, id, index);
    }
}

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

const fn has_failed(step: &StepRecord) -> bool {
    matches!(step.state, StepState::Failed { .. })
}

/// It is done also where a validating write has failed after the promotion: users are led to the new primary all the same.
fn goes_on(step: &Step) -> bool {
    let leads = matches!(
        step.kind,
        StepKind::RestoreTraffic
            | StepKind::DrainTraffic
            | StepKind::ValidateWrite { .. }
            | StepKind::WatchProtection
    );
    leads || matches!(step.phase, Phase::Redirection | Phase::Reprotection)
}

fn advance(engine: &mut Engine, now: Now, id: OperationId, index: usize) {
    let Some(operation) = engine.state.operation(id) else { return };
    let (step, number) = (&operation.plan.steps[index], index as u16);
    match step::look(&engine.facts(now), operation, index) {
        Progress::Done(evidence) => {
            let proofs =
                if step.kind == StepKind::Fence { fence_proofs(operation, index) } else { Vec::new() };
            for proof in proofs {
                engine.emit(now, proof);
            }
            engine.emit(now, Event::StepDone { operation: id, step: number, evidence });
        }
        Progress::Skip(reason) => {
            engine.emit(now, Event::StepSkipped { operation: id, step: number, reason })
        }
        Progress::Fail(reason) => engine.emit(now, Event::StepFailed { operation: id, step: number, reason }),
        Progress::Promoted(timeline, loss) => {
            engine.emit(now, Event::Promoted { operation: id, timeline, loss })
        }
        Progress::Send(part, effect) => {
            let intent = intended(operation, number, part, effect);
            engine.emit(now, intent);
        }
        Progress::Promote(part, proven) => {
            let id = numbered(operation, number, part);
            engine.promote(now, proven.under(id));
        }
        Progress::Ask(_) => {}
        Progress::Wait(wait) => {
            // Protection is waited for as long as it takes; the status says so, and a person may accept.
            let waited = operation.steps[index].started_mono.map_or(Span::ZERO, |t| now.mono.since(t));
            // Not where the operation is to close all the same: who is asked to accept what was not validated?
            let patient = (matches!(step.kind, StepKind::WatchProtection)
                && operation.failed_validation().is_none())
                || (step.kind.acts() && !engine.state.armed)
                || operation.steps[index]
                    .effects
                    .iter()
                    .any(|e| e.outcome.is_none() && !given_up(engine, now, e));
            if waited > step.timeout && !patient {
                engine.emit(
                    now,
                    Event::StepFailed {
                        operation: id,
                        step: number,
                        reason: StepFailure::Waited { waited, wait },
                    },
                );
            }
        }
    }
}

fn fence_proofs(operation: &Operation, index: usize) -> Vec<Event> {
    let effects = &operation.steps[index].effects;
    let proof = |member: &MemberId| {
        let effect = Effect::Fence { group: operation.group, member: *member };
        let fence = effects.iter().rev().find(|e| e.effect == effect)?;
        let took_ms = fence.reported?.since(fence.intended).0;
        Some(Event::FenceProven { group: operation.group, member: *member, took_ms })
    };
    operation.left.iter().filter_map(proof).collect()
}

pub fn send(engine: &mut Engine, now: Now, operation: &Operation, step: u16, part: u16, effect: Effect) {
    engine.emit(now, intended(operation, step, part, effect));
}

fn intended(operation: &Operation, step: u16, part: u16, effect: Effect) -> Event {
    Event::Intended { id: numbered(operation, step, part), effect }
}

/// The next number of this part of a step.
fn numbered(operation: &Operation, step: u16, part: u16) -> EffectId {
    let attempt =
        operation.steps[usize::from(step)].effects.iter().filter(|e| e.id.part == part).count() as u16;
    EffectId { operation: operation.id, step, part, attempt, generation: operation.generation }
}

/// Says how the operation stands, after its steps have moved.
fn settle(engine: &mut Engine, now: Now, id: OperationId) {
    let Some(operation) = engine.state.operation(id) else { return };
    if let Some((step, reason)) = protection_lost(engine, now, operation) {
        return engine.emit(now, Event::StepReset { operation: id, step, reason });
    }
    if let Some((step, reason)) = promoted_late(engine, now, operation) {
        return engine.emit(now, Event::StepReset { operation: id, step, reason });
    }
    if engine.state.armed
        && !engine.state.changed.contains_key(&operation.group)
        && ending::old_primary_leads_on(&engine.facts(now), operation)
    {
        let operation = Arc::clone(operation);
        return undo_by_itself(engine, now, &operation);
    }
    let status = ending::of(engine, now, operation).unwrap_or_else(|| status(engine, now, operation));
    if status != operation.status {
        if status.is_over() {
            let operation = Arc::clone(operation);
            release(engine, now, &operation);
        }
        engine.emit(now, Event::StatusChanged { operation: id, status });
    }
}

/// The promotion was given up waiting for, and the target leads by now.
fn promoted_late(engine: &Engine, now: Now, operation: &Operation) -> Option<(u16, ResetReason)> {
    let index = operation.position(|k| *k == StepKind::WatchPromotion)?;
    let failed = matches!(operation.steps[index].state, StepState::Failed { .. }) && operation.handed_over();
    let cx = engine.facts(now);
    // By its own answer as well: the store alone may name one that leads no more.
    ending::leads(&cx, operation.group, operation.to).filter(|_| failed)?;
    let timeline = cx.report_within(operation.group, operation.to, limits::FRESH)?.timeline?;
    if operation.before.timeline.is_some_and(|before| timeline <= before) {
        return None;
    }
    Some((
        index as u16,
        ResetReason::LeadsNow { member: cx.label(operation.group, operation.to).into_owned() },
    ))
}

/// The old primary leads on, healthy: users get their way to it back.
fn undo_by_itself(engine: &mut Engine, now: Now, operation: &Operation) {
    for member in operation.left.iter().copied().take(1) {
        let remainder = Remainder::Rejoin { member };
        if operation.remains.contains(&remainder) {
            let evidence =
                Evidence::LeadsOn { member: engine.facts(now).label(operation.group, member).into_owned() };
            engine.emit(now, Event::RemainderDone { operation: operation.id, remainder, evidence });
        }
    }
    let status = Status::RollingBack { by: Actor::Part(Part::Bpci) };
    engine.emit(now, Event::StatusChanged { operation: operation.id, status });
}

fn status(engine: &Engine, now: Now, operation: &Operation) -> Status {
    let steps = || operation.plan.steps.iter().zip(&operation.steps);
    if let Some((step, failure)) = operation.failed_step() {
        if !operation.has_acted() && !operation.effects().any(EffectRecord::is_open) {
            return Status::Failed { reason: OperationFailure::Step(failure.clone()) };
        }
        // The new primary takes writes by its own answer: no way out leads to yet another one.
        if operation.failed_validation().is_some() {
            return not_validated_yet(engine, now, operation);
        }
        let moved = moved_to(engine, now, operation).is_some();
        let way_out = match (operation.handed_over() || moved, operation.fenced()) {
            (true, _) => WayOut::FailOverAnew,
            (false, true) if can_undo(engine, operation.group) => WayOut::RollBack,
            (false, true) => WayOut::RollBackFenceByHand,
            (false, false) if operation.has_acted() => WayOut::RollBackTraffic,
            (false, false) => WayOut::Abort,
        };
        return Status::Waiting {
            question: Question::StepFailed { step: step.id.clone(), failure: failure.clone(), way_out },
        };
    }
    let early = planted::is(Break::RecoveredEarly) && operation.handed_over();
    if early || operation.steps.iter().all(|s| s.state.opens()) {
        return if early { Status::Recovered } else { done(engine, now, operation) };
    }
    let cx = engine.facts(now);
    // What any other step waits for is no question.
    let asks = |s: &Step| matches!(s.kind, StepKind::AskPerson { .. } | StepKind::WatchProtection);
    for (index, (step, record)) in
        steps().enumerate().filter(|(_, (s, r))| r.state == StepState::Running && asks(s))
    {
        let waited = record.started_mono.map_or(Span::ZERO, |t| now.mono.since(t));
        match (&step.kind, step::look(&cx, operation, index)) {
            (_, Progress::Ask(what)) => return Status::Waiting { question: Question::Asked { what } },
            // It was handed over to one that is silent by now: to wait for its protection is to wait in vain.
            (StepKind::WatchProtection, Progress::Wait(_))
                if ending::is_silent(&cx, operation) && nothing_else_runs(operation) =>
            {
                return Status::Waiting {
                    question: Question::TargetSilent {
                        member: cx.label(operation.group, operation.to).into_owned(),
                    },
                };
            }
            (StepKind::WatchProtection, Progress::Wait(wait))
                if waited > Span::secs(30) && nothing_else_runs(operation) =>
            {
                // What comes after it in the plan would be left out if somebody accepted.
                let question = match operation.lacks_only_protection() {
                    true => Question::Unprotected { wait },
                    false => Question::PlanWaits { wait },
                };
                return Status::Waiting { question };
            }
            _ => {}
        }
    }
    Status::Running
}

/// A validating write has failed after the promotion, and redirection and protection go on; or all is over, and the new primary does
/// not say that it leads.
fn not_validated_yet(engine: &Engine, now: Now, operation: &Operation) -> Status {
    let cx = engine.facts(now);
    let asked = operation.plan.steps.iter().zip(&operation.steps).find_map(|(s, r)| match &s.kind {
        StepKind::AskPerson { what } if r.state == StepState::Running => Some(what.clone()),
        _ => None,
    });
    let member = || cx.label(operation.group, operation.to).into_owned();
    let left = !ending::has_no_step_left(operation);
    let says = cx
        .report_within(operation.group, operation.to, limits::FRESH)
        .map(|r| r.role == MemberRole::Leader && r.running);
    match (asked, says) {
        (Some(what), _) => Status::Waiting { question: Question::Asked { what } },
        (None, _) if ending::is_silent(&cx, operation) => {
            Status::Waiting { question: Question::TargetSilent { member: member() } }
        }
        (None, Some(false)) if !left => {
            Status::Waiting { question: Question::LeadsNoMore { member: member() } }
        }
        // Between two looks nothing is new: what was asked stays asked.
        (None, None) if !left && matches!(operation.status, Status::Waiting { .. }) => {
            operation.status.clone()
        }
        (None, _) => Status::Running,
    }
}

/// Every step was seen done, and since then the new primary has lost its standby: that is waited for once more.
fn protection_lost(engine: &Engine, now: Now, operation: &Operation) -> Option<(u16, ResetReason)> {
    let index = operation
        .position(|k| *k == StepKind::WatchProtection)
        .filter(|_| operation.steps.iter().all(|s| s.state.opens()))?;
    let cx = engine.facts(now);
    let leads = cx
        .report_within(operation.group, operation.to, limits::FRESH)
        .is_some_and(|r| r.role == MemberRole::Leader && r.running);
    let known = leads && cx.record_within(operation.group, limits::FRESH).is_some();
    match step::look(&cx, operation, index) {
        Progress::Wait(wait) if known && matches!(operation.steps[index].state, StepState::Done { .. }) => {
            Some((index as u16, ResetReason::ProtectionLost { wait }))
        }
        _ => None,
    }
}

/// Every step was seen done. What was seen a while ago is not what is: a new primary that died since then is no recovery.
fn done(engine: &Engine, now: Now, operation: &Operation) -> Status {
    let cx = engine.facts(now);
    let promotes = operation.plan.steps.iter().any(|s| s.kind == StepKind::WatchPromotion);
    let Some(member) = cx.member(operation.group, operation.to).filter(|_| promotes) else {
        return Status::Recovered;
    };
    let name = || cx.label(operation.group, operation.to).into_owned();
    match cx
        .report_within(operation.group, operation.to, limits::FRESH)
        .map(|r| r.role == MemberRole::Leader && r.running)
    {
        Some(true) => Status::Recovered,
        Some(false) => Status::Waiting { question: Question::LeadsNoMore { member: name() } },
        None if member.failing_since().is_some() => {
            Status::Waiting { question: Question::AnswersNoMore { member: name() } }
        }
        // Between two looks nothing is new: what was asked stays asked.
        None if matches!(operation.status, Status::Waiting { .. }) => operation.status.clone(),
        None => Status::Running,
    }
}

/// But for protection and questions to a person, what is not done has not begun, or has failed: a plan may go on after it.
fn nothing_else_runs(operation: &Operation) -> bool {
    let waits = |s: &Step| matches!(s.kind, StepKind::WatchProtection | StepKind::AskPerson { .. });
    let runs = |s: &Step, r: &StepRecord| r.state == StepState::Running && !waits(s);
    !operation.plan.steps.iter().zip(&operation.steps).any(|(s, r)| runs(s, r))
}

/// An operation that goes on keeps its claim, also while it waits for a person: what lapsed is taken up again.
fn keep_claim(engine: &mut Engine, now: Now, operation: &Operation) {
    if operation.is_over() || !engine.state.armed {
        return;
    }
    let Some(step) = claimed(operation).map(|e| e.id.step) else { return };
    if let Standing::Send(effect) = claim::standing(&engine.facts(now), operation) {
        send(engine, now, operation, step, step::CLAIM, *effect);
    }
}

/// The first claim of an operation that is known to have happened.
fn claimed(operation: &Operation) -> Option<&EffectRecord> {
    operation.effects().find(|e| matches!(e.effect, Effect::Claim { .. }) && e.is_done())
}

/// It is over, and the store may not know it yet, or not what is left of it.
fn unreleased(cx: &Facts, operation: &Operation) -> bool {
    // The claim of the operation that superseded it stands in its place.
    if matches!(operation.status, Status::Superseded { .. }) {
        return false;
    }
    if operation.effects().any(|e| matches!(e.effect, Effect::Claim { .. }) && e.is_open()) {
        return true;
    }
    if claimed(operation).is_none() {
        return false;
    }
    // Once when it is over, and once more when nothing is left of it.
    let mut told = releases(operation).filter(|e| !e.is_missed());
    match (told.next(), told.next()) {
        (None, _) => true,
        (Some(first), None) => {
            first.is_open() || (operation.remains.is_empty() && !tells(cx, operation, &first.effect))
        }
        (Some(_), Some(second)) => second.is_open(),
    }
}

/// The release says what is left of the operation now.
fn tells(cx: &Facts, operation: &Operation, release: &Effect) -> bool {
    let Effect::Release { over, .. } = release else { return false };
    Claim::read(over).is_none_or(|c| {
        c.owner.is_none() || c.obligations.is_empty() || Some(c.obligations) == takeover::left(cx, operation)
    })
}

fn releases(operation: &Operation) -> impl Iterator<Item = &EffectRecord> {
    operation.effects().filter(|e| matches!(e.effect, Effect::Release { .. }))
}

/// Tells other controllers that it is over, and what is left of it.
pub fn release(engine: &mut Engine, now: Now, operation: &Operation) {
    let Some(step) = claimed(operation).map(|e| e.id.step) else { return };
    let Some(claim) = Claim::read(&operation.before.claim) else { return };
    let obligations = takeover::left(&engine.facts(now), operation).unwrap_or_default();
    let over = Claim { running: false, phase: ClaimPhase::Over, obligations, ..claim };
    let effect =
        Effect::Release { group: operation.group, value: operation.before.claim.clone(), over: over.write() };
    send(engine, now, operation, step, REMAIN, effect);
}

pub fn step_of(operation: &Operation, test: impl Fn(&StepKind) -> bool) -> u16 {
    operation.position(test).unwrap_or_default() as u16
}

fn can_undo(engine: &Engine, group: GroupId) -> bool {
    engine
        .state
        .estate
        .group(group)
        .database
        .as_ref()
        .and_then(|d| d.fence.as_ref())
        .is_some_and(|f| f.undo.is_some())
}

/// Undoes the fence and the drain; what was never done needs no undoing. A drain is undone without waiting for the fence: it
/// needs nothing of it.
fn roll_back(engine: &mut Engine, now: Now, operation: &Operation) {
    let mut waits = operation.effects().any(|e| e.id.part < UNDO && e.is_open() && !given_up(engine, now, e));
    let standing = claimed(operation).map(|_| claim::standing(&engine.facts(now), operation));
    match standing {
        None | Some(Standing::Holds) => {}
        Some(Standing::Lost(lost)) => {
            let status =
                Status::Failed { reason: OperationFailure::NotUndone(NotUndone::ClaimLost(Box::new(lost))) };
            return engine.emit(now, Event::StatusChanged { operation: operation.id, status });
        }
        Some(Standing::Wait(_) | Standing::Send(_)) => return,
    }
    let mut undo: Vec<(u16, u16, Effect)> = Vec::new();
    // Beside a new leader the old primary is not brought back; and what has no undo is not called undone.
    let moved = moved_to(engine, now, operation);
    let can_undo = can_undo(engine, operation.group) && moved.is_none();
    let mut left = None;
    let group = operation.group;
    for obligation in operation.obligations().into_iter().filter(|o| operation.left.contains(&o.member())) {
        let under_way = |is: &dyn Fn(&Effect) -> bool| {
            operation.effects().any(|e| is(&e.effect) && e.is_open() && !given_up(engine, now, e))
        };
        match obligation {
            Obligation::Drained { member, balancer } => {
                let drain = Effect::Drain { group, member, balancer };
                if under_way(&|e| *e == drain) {
                    continue;
                }
                let step = step_of(operation, |k| *k == StepKind::DrainTraffic);
                undo.push((
                    step,
                    UNDO + step::part_of(balancer.at() + 1, member.at()),
                    Effect::Restore { group, member, balancer },
                ));
            }
            Obligation::Fenced { .. } if waits => {}
            Obligation::Fenced { member } if can_undo => {
                undo.push((
                    step_of(operation, |k| *k == StepKind::Fence),
                    UNDO + member.0,
                    Effect::UndoFence { group, member },
                ));
            }
            Obligation::Fenced { member } => {
                let cx = engine.facts(now);
                let name = |m: MemberId| cx.label(group, m).into_owned();
                left = Some(match moved {
                    Some(leader) => NotUndone::FenceStands { leader: name(leader), member: name(member) },
                    None => NotUndone::NoUndo { member: name(member) },
                });
            }
        }
    }
    undo.dedup_by(|a, b| a.2 == b.2);
    // What was sent is heard to its end, also where it would not be sent any more.
    let mut open = operation
        .effects()
        .any(|e| (UNDO..REMAIN).contains(&e.id.part) && e.is_open() && !given_up(engine, now, e));
    for (step, part, effect) in undo {
        if !operation.effects().any(|e| e.effect == effect && e.id.part == part && !e.is_missed()) {
            open = true;
            send(engine, now, operation, step, part, effect);
        }
    }
    waits |= open;
    if !waits {
        let failed = operation.effects().find_map(|e| match (&e.outcome, e.id.part >= UNDO) {
            (
                Some(outcome @ (Outcome::NotDone { .. } | Outcome::Assumed { .. } | Outcome::Ended { .. })),
                true,
            ) => Some(NotUndone::Effect { effect: e.effect.kind(), outcome: outcome.clone() }),
            _ if e.id.part >= UNDO && e.is_open() => Some(NotUndone::Unknown { effect: e.effect.kind() }),
            _ => None,
        });
        release(engine, now, operation);
        let status = failed
            .or(left)
            .map_or(Status::RolledBack, |why| Status::Failed { reason: OperationFailure::NotUndone(why) });
        engine.emit(now, Event::StatusChanged { operation: operation.id, status });
    }
}

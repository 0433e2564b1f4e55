//! What each kind of step does next. A pure look at the operation and the facts: the runner turns it into events.

use super::assess;
use super::checks;
use crate::engine::kernel::claim::{self, Standing};
use crate::engine::kernel::facts::Facts;
use crate::engine::kernel::limits;
use crate::engine::kernel::planted::{self, Break};
use crate::engine::kernel::proof::{self, Promotion, Proven};
use crate::engine::kinds;
use crate::model::*;

/// What a running step wants.
pub enum Progress {
    /// Nothing to do but wait for this.
    Wait(WaitReason),
    Done(Evidence),
    Fail(StepFailure),
    Skip(SkipReason),
    /// An effect, as the n-th part of the step.
    Send(u16, Effect),
    /// The same for what promotes: with its proofs.
    Promote(u16, Box<Proven>),
    /// A person.
    Ask(String),
    /// A standby leads on this timeline.
    Promoted(Timeline, Loss),
}

use Progress::{Ask, Done, Fail, Promote, Promoted, Send, Skip, Wait};

/// The claim is this part of the first acting step; other parts count from the next.
pub const CLAIM: u16 = 0;
const FIRST: u16 = CLAIM + 1;

/// Looks at one running step.
pub fn look<'a>(cx: &Facts<'a>, operation: &'a Operation, index: usize) -> Progress {
    let step = &operation.plan.steps[index];
    if step.kind.acts() && !cx.state.armed && !planted::is(Break::ActsUnarmed) {
        return Wait(WaitReason::Armed);
    }
    if step.kind.acts()
        && let Some(progress) = claim(cx, operation)
    {
        return progress;
    }
    let record = &operation.steps[index];
    if step.kind.acts() && record.effects.is_empty() && cx.state.changed.contains_key(&operation.group) {
        return Fail(StepFailure::OtherCluster);
    }
    match &step.kind {
        StepKind::CheckIdentity => identity(cx, operation, record),
        StepKind::CheckVotes => observers(cx, operation, record),
        StepKind::CheckCandidate => candidate_fit(cx, operation, record),
        StepKind::Fence => fence(cx, operation, record),
        StepKind::HandOver => hand_over(cx, operation, record),
        StepKind::SwitchOver => switch_over(cx, operation, record),
        StepKind::WatchPromotion => promotion(cx, operation),
        StepKind::DrainTraffic => balancers(cx, operation, record, &operation.left, true),
        StepKind::RestoreTraffic => {
            balancers(cx, operation, record, std::slice::from_ref(&operation.to), false)
        }
        StepKind::ValidateWrite { via } => write(cx, operation, record, *via, step.timeout),
        StepKind::WatchProtection => protection(cx, operation),
        StepKind::RunCommand { argv } => {
            // A guided plan takes no claim.
            let group = (operation.intent() != Intent::Guided).then_some(operation.group);
            let command = || Effect::Command { argv: argv.clone(), timeout: step.timeout, group };
            simple(record, |e| matches!(e, Effect::Command { .. }), command)
        }
        StepKind::AskPerson { what } => Ask(what.clone()),
    }
}

/// Before anything is changed, the operation's claim stands in the store. `None` when it does.
fn claim<'a>(cx: &Facts<'a>, operation: &'a Operation) -> Option<Progress> {
    match claim::standing(cx, operation) {
        Standing::Holds => None,
        Standing::Wait(wait) => Some(Wait(WaitReason::Claim(wait))),
        Standing::Send(effect) => Some(Send(CLAIM, *effect)),
        Standing::Lost(lost) => Some(Fail(StepFailure::ClaimLost(Box::new(lost)))),
    }
}

/// True if the value was measured after the step began.
fn since_start(record: &StepRecord, at: Option<Mono>) -> bool {
    record.started_mono.zip(at).is_some_and(|(start, at)| at >= start)
}

fn store_is_new(cx: &Facts, operation: &Operation, record: &StepRecord) -> bool {
    since_start(record, cx.telemetry.group(operation.group).store.record.as_ref().map(|(_, at)| *at))
}

fn checks_now(cx: &Facts, operation: &Operation) -> Vec<Check> {
    let (group, from, to) = (operation.group, operation.old(), operation.to);
    match operation.intent() {
        Intent::Failover => checks::failover(cx, group, from, to, limits::FRESH),
        Intent::Switchover => {
            let opens = operation.plan.restores_traffic();
            checks::switchover(cx, group, from, to, limits::FRESH, opens)
        }
        Intent::Guided => Vec::new(),
    }
}

/// What keeps a step from acting now: nothing is begun that cannot be finished, so what was true a moment ago must be
/// true still.
fn held<'a>(cx: &Facts<'a>, operation: &'a Operation, record: &'a StepRecord) -> Option<Progress> {
    if planted::is(Break::NobodyToTakeIt) {
        return None;
    }
    let holds = |c: &Check| match c.verdict {
        Verdict::Block { .. } => true,
        Verdict::Risk(risk) => !operation.accepted.accepts(risk),
        Verdict::Pass | Verdict::Advice => false,
    };
    checks_now(cx, operation).into_iter().find(holds).map(|c| undecided(cx, record, c))
}

/// What says that the old primary lives, right before something is done to it: time may have passed since it was looked at,
/// for this controller was read-only, or has begun in the middle of the operation.
fn lives<'a>(cx: &Facts<'a>, operation: &'a Operation, record: &'a StepRecord) -> Option<Progress> {
    if operation.intent() != Intent::Failover || operation.accepted.alive {
        return None;
    }
    let check = assess::observers(cx, operation.group, &operation.left);
    let anew = operation.automatic && cx.state.since_utc > operation.started;
    match check.verdict {
        Verdict::Block { .. } => Some(undecided(cx, record, check)),
        // What automation began, no other controller carries on with less than automation asks for.
        Verdict::Advice if anew && early(cx, record) => Some(Wait(WaitReason::Check(Box::new(check)))),
        Verdict::Advice if anew => Some(Fail(StepFailure::Check(Box::new(check)))),
        _ => None,
    }
}

/// What stops a step, or is waited for because looking a little longer may change it.
fn undecided<'a>(cx: &Facts<'a>, record: &'a StepRecord, check: Check) -> Progress {
    let open = matches!(check.verdict, Verdict::Block { decided: false, .. });
    // A controller that takes an operation over has nothing to judge by at first.
    let blind = cx.now.mono.since(cx.state.since) <= limits::FRESH;
    let check = Box::new(check);
    if blind || (open && early(cx, record)) {
        Wait(WaitReason::Check(check))
    } else {
        Fail(StepFailure::Check(check))
    }
}

/// A step that began just now may not have seen yet what it needs.
fn early(cx: &Facts, record: &StepRecord) -> bool {
    record.started_mono.is_none_or(|t| cx.now.mono.since(t) <= limits::LOOKS_FOR)
}

fn identity<'a>(cx: &Facts<'a>, operation: &'a Operation, record: &'a StepRecord) -> Progress {
    if !store_is_new(cx, operation, record) {
        return Wait(WaitReason::StoreAnswer);
    }
    match checks_now(cx, operation).into_iter().find(|c| c.id == CheckId::Identity) {
        Some(c) if c.verdict == Verdict::Pass => Done(Evidence::Check(Box::new(c))),
        Some(c) => undecided(cx, record, c),
        None => Fail(StepFailure::StoreUnread),
    }
}

fn observers<'a>(cx: &Facts<'a>, operation: &'a Operation, record: &'a StepRecord) -> Progress {
    let tried = |member: &MemberId| {
        cx.member(operation.group, *member).and_then(|m| m.sql.last_try.min(m.rest.last_try))
    };
    if !operation.left.iter().all(|member| since_start(record, tried(member))) {
        return Wait(WaitReason::Probe);
    }
    let check = assess::observers(cx, operation.group, &operation.left);
    match check.verdict {
        Verdict::Pass | Verdict::Advice | Verdict::Risk(_) => Done(Evidence::Check(Box::new(check))),
        Verdict::Block { .. } if operation.accepted.alive => {
            Done(Evidence::Overridden { by: operation.by.clone(), check: Box::new(check) })
        }
        Verdict::Block { .. } => undecided(cx, record, check),
    }
}

fn candidate_fit<'a>(cx: &Facts<'a>, operation: &'a Operation, record: &'a StepRecord) -> Progress {
    let at = cx.member(operation.group, operation.to).and_then(|m| m.report.as_ref().map(|(_, at)| *at));
    if !store_is_new(cx, operation, record) || !since_start(record, at) {
        return Wait(WaitReason::FreshAnswers {
            member: cx.label(operation.group, operation.to).into_owned(),
        });
    }
    held(cx, operation, record).unwrap_or_else(|| {
        let writes = checks_now(cx, operation)
            .into_iter()
            .find(|c| matches!(c.id, CheckId::Writes | CheckId::Candidate));
        Done(writes.map_or(Evidence::Nothing, |c| Evidence::Check(Box::new(c))))
    })
}

fn fence<'a>(cx: &Facts<'a>, operation: &'a Operation, record: &'a StepRecord) -> Progress {
    if planted::is(Break::FenceLeftOut) {
        return Skip(SkipReason::Planted);
    }
    let database = cx.database(operation.group);
    let effect = |member: MemberId| Effect::Fence { group: operation.group, member };
    let sent = |member: MemberId| record.sent().find(move |e| e.effect == effect(member));
    let begun = operation.left.iter().any(|member| sent(*member).is_some());
    if !begun && database.is_none_or(|d| d.fence.is_none()) {
        return match operation.accepted.accepts_two_writers() {
            true => Skip(SkipReason::UnfencedAccepted { by: operation.by.clone() }),
            false => Fail(StepFailure::NoFence),
        };
    }
    if let Some((part, member)) =
        operation.left.iter().enumerate().find(|(_, member)| sent(**member).is_none())
    {
        if let Some(held) = lives(cx, operation, record).filter(|_| !begun) {
            return held;
        }
        // What it needs may have been lost since somebody confirmed.
        let check = assess::fence(cx, operation.group, &operation.left);
        if matches!(check.verdict, Verdict::Block { .. }) {
            return undecided(cx, record, check);
        }
        return held(cx, operation, record).unwrap_or_else(|| Send(FIRST + part as u16, effect(*member)));
    }
    let (mut details, mut last) = (Vec::new(), Mono::default());
    for fence in operation.left.iter().filter_map(|member| sent(*member)) {
        let (Some(outcome), Some(reported)) = (&fence.outcome, fence.reported) else {
            return Wait(WaitReason::FenceCommand);
        };
        match outcome {
            Outcome::NotDone { .. }
            | Outcome::Assumed { .. }
            | Outcome::Missed { .. }
            | Outcome::Ended { .. } => {
                return Fail(StepFailure::FenceFailed { outcome: outcome.clone() });
            }
            Outcome::Unknown { reason } => return Wait(WaitReason::FenceOutcome { reason: reason.clone() }),
            Outcome::Done { detail } => details.push(detail),
        }
        last = last.max(reported);
    }
    match proof::gone_since(cx, operation, last) {
        Ok(()) => Done(Evidence::SeenGone { details: details.into_iter().cloned().collect() }),
        Err(missing) if cx.now.mono.since(last) > limits::FENCE_SETTLES => {
            Fail(StepFailure::Unproven(Box::new(missing)))
        }
        Err(missing) => Wait(WaitReason::Proof(Box::new(missing))),
    }
}

fn hand_over<'a>(cx: &Facts<'a>, operation: &'a Operation, record: &'a StepRecord) -> Progress {
    let tried = record.anew().filter(|e| matches!(e.effect, Effect::HandOver(_))).count() as u16;
    let last = record.sent().find(|e| matches!(e.effect, Effect::HandOver(_)));
    if let Some(e) = last {
        match &e.outcome {
            Some(Outcome::Done { detail }) => return Done(Evidence::Reported { detail: detail.clone() }),
            None => return Wait(WaitReason::Transaction),
            Some(Outcome::Unknown { reason }) => {
                return Wait(WaitReason::TransactionOutcome { reason: reason.clone() });
            }
            Some(outcome @ Outcome::NotDone { .. }) if tried >= limits::HAND_OVERS => {
                return Fail(StepFailure::Effect { outcome: outcome.clone() });
            }
            Some(
                Outcome::NotDone { .. }
                | Outcome::Assumed { .. }
                | Outcome::Missed { .. }
                | Outcome::Ended { .. },
            ) => {}
        }
    }
    let Some(store) = cx.record_within(operation.group, limits::FRESH) else {
        return Wait(WaitReason::StoreAnswer);
    };
    if let Some(leader) = store.leading_member().filter(|l| *l != operation.old()) {
        // What a person took for not done may have been done.
        let ours =
            record.effects.iter().any(|e| matches!(e.effect, Effect::HandOver(_)) && e.may_have_happened());
        let member = cx.label(operation.group, leader).into_owned();
        return match (leader == operation.to, ours) {
            (true, true) => Skip(SkipReason::LeadsAlready { member }),
            (true, false) => Skip(SkipReason::Elected { member }),
            (false, _) => Fail(StepFailure::Elected { member }),
        };
    }
    // What the transaction compares must have been read after the fence and after the last try.
    let after = operation
        .effects()
        .filter(|e| !matches!(e.effect, Effect::Drain { .. } | Effect::ValidateWrite { .. }))
        .filter_map(|e| e.reported)
        .max();
    let read = cx.telemetry.group(operation.group).store.record.as_ref().map(|(_, at)| *at);
    if after.zip(read).is_some_and(|(after, read)| read < after) {
        return Wait(WaitReason::StoreAnswerAfterFence);
    }
    let checks = checks_now(cx, operation);
    if let Some(held) = held(cx, operation, record) {
        return held;
    }
    // Nobody is taken for alive by what it said before: it may have died with the old primary.
    let said = cx.member(operation.group, operation.to).and_then(|m| m.report.as_ref()).map(|(_, at)| *at);
    if after.is_some_and(|after| said.is_none_or(|said| said < after))
        && !planted::is(Break::CandidateUnasked)
    {
        return Wait(WaitReason::MemberAnswerAfterFence {
            member: cx.label(operation.group, operation.to).into_owned(),
        });
    }
    // Where nothing was fenced nothing has proven it off: it may have come back while this waited.
    let fenced = operation.effects().any(|e| e.is_done() && matches!(e.effect, Effect::Fence { .. }));
    if let Some(held) = lives(cx, operation, record).filter(|_| !fenced) {
        return held;
    }
    let wish = cx
        .database(operation.group)
        .ok_or(NoProof::StoreNotRead { within: limits::FRESH })
        .and_then(|d| kinds::replicated(d).wish(cx, operation));
    let joined = wish.and_then(|wish| Promotion::join(cx, operation, &checks, wish));
    match joined {
        Ok(proven) => Promote(FIRST + tried, Box::new(proven)),
        Err(missing) if early(cx, record) => Wait(WaitReason::Proof(Box::new(missing))),
        Err(missing) => Fail(StepFailure::Unproven(Box::new(missing))),
    }
}

fn switch_over<'a>(cx: &Facts<'a>, operation: &'a Operation, record: &'a StepRecord) -> Progress {
    let is = |e: &Effect| matches!(e, Effect::SwitchOver { .. });
    if !record.sent().any(|e| is(&e.effect))
        && let Some(held) = held(cx, operation, record)
    {
        return held;
    }
    simple(record, is, || Effect::SwitchOver {
        group: operation.group,
        from: cx.member_name(operation.group, operation.old()).into_owned(),
        to: cx.member_name(operation.group, operation.to).into_owned(),
    })
}

/// A step that is one effect: looked for among what was sent, and made only where it is to be sent.
fn simple(record: &StepRecord, is: impl Fn(&Effect) -> bool, effect: impl FnOnce() -> Effect) -> Progress {
    let Some(sent) = record.sent().find(|e| is(&e.effect)) else { return Send(FIRST, effect()) };
    match &sent.outcome {
        Some(Outcome::Missed { .. }) => Send(FIRST, effect()),
        None => Wait(WaitReason::Report { effect: sent.effect.kind() }),
        Some(Outcome::Done { detail }) => Done(Evidence::Reported { detail: detail.clone() }),
        Some(outcome @ (Outcome::NotDone { .. } | Outcome::Assumed { .. } | Outcome::Ended { .. })) => {
            Fail(StepFailure::Effect { outcome: outcome.clone() })
        }
        Some(Outcome::Unknown { reason }) => Wait(WaitReason::Outcome { reason: reason.clone() }),
    }
}

fn promotion<'a>(cx: &Facts<'a>, operation: &'a Operation) -> Progress {
    let member = || cx.label(operation.group, operation.to).into_owned();
    let before = operation.before.timeline;
    let report = cx.report_within(operation.group, operation.to, limits::FRESH);
    let led = cx
        .record_within(operation.group, limits::FRESH)
        .is_some_and(|r| r.leading_member() == Some(operation.to));
    match report {
        Some(r) if r.role == MemberRole::Leader && r.running && led => {
            let Some(timeline) = r.timeline.filter(|t| before.is_none_or(|b| *t > b)) else {
                return Wait(WaitReason::NewTimeline { member: member() });
            };
            match operation.results.promoted {
                None => Promoted(timeline, lost(cx, operation)),
                Some(_) => Done(Evidence::Leads { member: member(), timeline }),
            }
        }
        Some(_) => Wait(WaitReason::Promotion { member: member(), timeline: before }),
        None => Wait(WaitReason::MemberAnswer { member: member() }),
    }
}

/// What did not survive: nothing where the store recorded the candidate as holding every write; else at least the log
/// between the furthest position the old primary was known to have reached and the point of the promotion.
fn lost(cx: &Facts, operation: &Operation) -> Loss {
    if !operation.accepted.accepts_loss() || planted::is(Break::LossUntold) {
        return Loss::Nothing;
    }
    let switch = cx
        .record(operation.group)
        .and_then(|r| r.last_switch)
        .filter(|(t, _)| operation.before.timeline.is_none_or(|b| *t >= b));
    // What it had received before the fence it may have added to since: that is no measure of what is missing.
    let fenced = operation
        .effects()
        .filter(|e| e.is_done() && matches!(e.effect, Effect::Fence { .. }))
        .filter_map(|e| e.reported)
        .max();
    let received = cx.member(operation.group, operation.to).and_then(|m| m.received);
    let received =
        received.filter(|(_, at)| fenced.is_some_and(|fenced| *at >= fenced)).map(|(received, _)| received);
    match (operation.before.position, switch.map(|(_, p)| p).or(received)) {
        (Some(old), Some(new)) => Loss::AtLeast(old.ahead_of(new)),
        _ => Loss::Unknown,
    }
}

fn balancers<'a>(
    cx: &Facts<'a>,
    operation: &'a Operation,
    record: &'a StepRecord,
    members: &[MemberId],
    out: bool,
) -> Progress {
    let Some(database) = cx.database(operation.group) else { return Skip(SkipReason::NoTraffic) };
    let mut waiting = Vec::new();
    let mut done = 0;
    for (balancer_id, balancer) in database.draining() {
        // One in a region that is lost routes nothing; it is not waited for.
        if balancer
            .region
            .is_some_and(|r| (out && r == operation.from) || cx.state.regions[r.at()].0 == RegionStatus::Down)
        {
            continue;
        }
        let mut shown = 0;
        for (place, member) in members.iter().enumerate() {
            let (group, member) = (operation.group, *member);
            let effect = match out {
                true => Effect::Drain { group, member, balancer: balancer_id },
                false => Effect::Restore { group, member, balancer: balancer_id },
            };
            let Some(sent) = record.sent().find(|e| e.effect == effect) else {
                // Whether its region is lost too is not known yet.
                if balancer.region.is_some_and(|r| cx.state.regions[r.at()].0 == RegionStatus::Unknown)
                    && early(cx, record)
                {
                    waiting.push(BalancerWait::Up { address: balancer.address.clone() });
                    break;
                }
                if let Some(held) = lives(cx, operation, record).filter(|_| out) {
                    return held;
                }
                return Send(FIRST + part_of(balancer_id.at(), place), effect);
            };
            let seen = cx
                .telemetry
                .group(group)
                .balancers
                .get(balancer_id.at())
                .and_then(|b| b.all_set(member, out));
            match (&sent.outcome, sent.reported) {
                // Its region may be found lost in a moment: then it is not waited for.
                (Some(outcome @ Outcome::NotDone { .. }), _) => {
                    let (address, outcome) = (balancer.address.clone(), outcome.clone());
                    if !early(cx, record) {
                        return Fail(StepFailure::Balancer { address, outcome });
                    }
                    waiting.push(BalancerWait::Refused { address, outcome });
                }
                (Some(Outcome::Done { .. }), Some(reported)) => match seen {
                    Some(at) if at >= reported => shown += 1,
                    _ => waiting.push(BalancerWait::Shows { address: balancer.address.clone() }),
                },
                _ => waiting.push(BalancerWait::Report { address: balancer.address.clone() }),
            }
        }
        done += usize::from(shown == members.len());
    }
    if !waiting.is_empty() {
        return Wait(WaitReason::Balancers(waiting));
    }
    let members = members.iter().map(|m| cx.label(operation.group, *m).into_owned()).collect();
    match (done, out) {
        (0, _) => Skip(SkipReason::NoBalancerLeft),
        (balancers, true) => Done(Evidence::OutOfBalancers { members, balancers }),
        (balancers, false) => Done(Evidence::BackInBalancers { members, balancers }),
    }
}

/// The number of an effect on a member at a balancer: members of one balancer stand together.
pub fn part_of(balancer: usize, member: usize) -> u16 {
    u16::try_from(balancer * MEMBERS + member).unwrap_or(u16::MAX)
}

/// More members than a cluster can have (`config` refuses more).
const MEMBERS: usize = 64;

fn write<'a>(
    cx: &Facts<'a>,
    operation: &'a Operation,
    record: &'a StepRecord,
    via: Via,
    deadline: Span,
) -> Progress {
    let no_entry = via == Via::Entry && cx.database(operation.group).is_some_and(|d| d.entry.is_none());
    let at_the_primary = StepKind::ValidateWrite { via: Via::Primary };
    if no_entry && operation.position(|k| *k == at_the_primary).is_some() {
        return Skip(SkipReason::NoEntry);
    }
    // The only proof that the plan has: without an entry the primary is as far as it can be given.
    let via = if no_entry { Via::Primary } else { via };
    let validate = || Effect::ValidateWrite {
        group: operation.group,
        via,
        primary: operation.to,
        not: operation.left.clone(),
        system_id: operation.before.system_id.clone(),
        deadline,
    };
    if via == Via::Entry
        && let Some(opening) = opens(cx, operation, record)
    {
        return opening;
    }
    let entry = cx.database(operation.group).and_then(|d| d.entry.as_ref()).filter(|_| via == Via::Entry);
    match (simple(record, |e| matches!(e, Effect::ValidateWrite { .. }), validate), entry) {
        (Done(Evidence::Reported { detail }), Some(entry)) => {
            Done(Evidence::WrittenThrough { entry: entry.clone(), detail })
        }
        (other, _) => other,
    }
}

/// The new primary was taken out of a balancer and not put back, by us or by somebody else: nothing leads users to it, so it is set
/// ready there first. `None` once that is done, and where it was refused: the write shows what comes of it.
fn opens(cx: &Facts, operation: &Operation, record: &StepRecord) -> Option<Progress> {
    let (group, member) = (operation.group, operation.to);
    for (at, telemetry) in cx.telemetry.group(group).balancers.iter().enumerate() {
        let balancer = BalancerId::of(at);
        let effect = Effect::Restore { group, member, balancer };
        match record.sent().find(|e| e.effect == effect) {
            Some(sent) if sent.is_open() => {
                let address = cx.database(group)?.balancers.get(at)?.address.clone();
                return Some(Wait(WaitReason::Balancers(vec![BalancerWait::Report { address }])));
            }
            Some(_) => {}
            None if telemetry.servers_of(member).any(|s| s.maintenance) => {
                return Some(Send(FIRST + part_of(at + 1, 0), effect));
            }
            None => {}
        }
    }
    None
}

fn protection(cx: &Facts, operation: &Operation) -> Progress {
    let Some(database) = cx.database(operation.group) else { return Fail(StepFailure::StoreUnread) };
    kinds::replicated(database).protection(cx, operation).map_or_else(Wait, Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::Simulation;
    use crate::engine::Input;
    use crate::journal::Journal;

    fn simulation(name: &str, until: Mono) -> Simulation {
        let scenario = crate::config::embedded(name).unwrap_or_else(|e| panic!("{e}"));
        let begins = Utc(1_767_225_600_000);
        let mut simulation = Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, begins)
            .unwrap_or_else(|e| panic!("{e}"));
        simulation.run_to(until).unwrap_or_else(|e| panic!("{e}"));
        simulation
    }

    /// The old primary is looked at once more right before something is done to it: it may have come back.
    #[test]
    fn nothing_is_done_to_a_primary_that_lives() {
        let mut outage = simulation("region_outage", Mono(35_000));
        let view =
            outage.snapshot(1, false).proposals.first().cloned().unwrap_or_else(|| panic!("no choice"));
        let confirmation = view.confirmed(outage.now().utc, "us-east-1");
        let now = outage.now();
        let order = Order { by: Actor::scripted("ada"), action: Action::Confirm(confirmation) };
        let answer = outage.core.input(now, Input::Order(order));
        assert!(matches!(answer, Ok(Some(Ok(Receipt::Started(_))))), "{answer:?}");
        let dead = &outage.core.engine;
        let mut operation =
            Operation::clone(dead.state().operations.back().unwrap_or_else(|| panic!("no operation")));
        let record = StepRecord::default();
        assert!(lives(&dead.facts(now), &operation, &record).is_none(), "it was dead");
        // The same operation, and a primary that answers.
        let calm = simulation("calm", Mono(35_000));
        let cx = calm.core.engine.facts(calm.now());
        assert!(matches!(lives(&cx, &operation, &record), Some(Wait(_) | Fail(_))));
        operation.accepted.alive = true;
        assert!(
            lives(&cx, &operation, &record).is_none(),
            "somebody said so, and said that it is to be fenced all the same"
        );
    }
}

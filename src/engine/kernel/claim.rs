//! Who may act on a cluster, as its store says: pure decisions over the operation key and the owner key. Moments are those of this
//! controller's own monotonic clock; the wall clocks of two machines are never compared.

use super::claim_seen::{ClaimSeen, standing_key};
use super::facts::Facts;
use super::planted::{self, Break};
use super::{limits, takeover};
use crate::model::*;
use std::sync::Arc;

/// How the claim of a cluster stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// Nobody runs an operation.
    Free,
    /// An operation of this process. `renewed`: its lease was renewed in time.
    Ours { renewed: bool },
    /// An operation of this journal whose owner key has ended, or is an earlier process's on this machine: it is taken up again.
    Lapsed,
    /// Another controller runs an operation, and its owner key stands.
    Foreign { by: Claimant, since: Mono, renewing: bool },
    /// Another controller began an operation, and its owner key is gone. After `left` the operation may be taken over.
    Orphaned { by: Claimant, gone_since: Mono, left: Span },
    /// An older program, which has no owner key, runs an operation. After `left` a person may take it over.
    Legacy { by: Claimant, unchanged_since: Mono, left: Span, ahead: bool },
}

impl ClaimState {
    /// Why nothing may be begun now, and whether that passes; `None` if something may be begun.
    pub fn blocks(&self) -> Option<(ClaimFinding, bool)> {
        match self {
            ClaimState::Free | ClaimState::Ours { .. } | ClaimState::Lapsed => None,
            ClaimState::Foreign { by, .. } => Some((ClaimFinding::Runs(by.clone()), false)),
            ClaimState::Orphaned { left: Span::ZERO, .. } | ClaimState::Legacy { left: Span::ZERO, .. } => {
                None
            }
            ClaimState::Orphaned { by, left, .. } => {
                Some((ClaimFinding::NotRenewed { by: by.clone(), left: *left }, true))
            }
            ClaimState::Legacy { by, left, ahead, .. } => {
                Some((ClaimFinding::OlderRuns { by: by.clone(), left: *left, ahead: *ahead }, true))
            }
        }
    }

    /// What would be taken over, where something would.
    pub fn takes_over(&self) -> Option<ClaimFinding> {
        match self {
            ClaimState::Orphaned { by, left: Span::ZERO, .. }
            | ClaimState::Legacy { by, left: Span::ZERO, .. } => Some(ClaimFinding::TakesOver(by.clone())),
            _ => None,
        }
    }

    /// The operation and who runs it; `None` where that is nobody else.
    fn claimant(&self) -> Option<&Claimant> {
        match self {
            ClaimState::Free | ClaimState::Ours { .. } | ClaimState::Lapsed => None,
            ClaimState::Foreign { by, .. }
            | ClaimState::Orphaned { by, .. }
            | ClaimState::Legacy { by, .. } => Some(by),
        }
    }

    /// Automation does not take this over.
    pub const fn is_legacy(&self) -> bool {
        matches!(self, ClaimState::Legacy { .. })
    }
}

/// How the claim of a group stands, as it was read last.
pub fn state(cx: &Facts, group: GroupId) -> Option<ClaimState> {
    let store = &cx.telemetry.group(group).store;
    let (seen, (record, _)) = (store.claim.as_ref()?, store.record.as_ref()?);
    let (owner, since, us) = (seen.owner(), seen.since, &cx.state.owner);
    let Some(claim) = seen.claim.as_deref().filter(|c| c.running) else {
        // An owner without an operation: somebody is at work on the keys.
        let unowned = || ClaimState::Foreign {
            by: Claimant { operation: None, holder: holder(owner) },
            since,
            renewing: true,
        };
        // What cannot be read, such as a newer program's claim, is not free.
        let is_unreadable =
            seen.claim.is_none() && seen.key.as_ref().is_some_and(|k| !Claim::is_blank(&k.value));
        return Some(match seen.owner {
            Some(_) => unowned(),
            None if is_unreadable => unowned(),
            None => forgotten(cx, seen).unwrap_or(ClaimState::Free),
        });
    };
    let Some(by) = &claim.owner else {
        // This directory's own program may have been an older one.
        let own = |o: &Arc<Operation>| seen.key.as_ref().is_some_and(|k| *o.before.claim == *k.value);
        if cx.state.operations.iter().any(own) {
            return Some(ClaimState::Lapsed);
        }
        let left = Span(limits::LEGACY.0.saturating_sub(cx.now.mono.since(since).0));
        let ahead = claim.since > cx.now.utc.plus(limits::SKEW);
        return Some(ClaimState::Legacy { by: claimant(claim), unchanged_since: since, left, ahead });
    };
    if by == us && owner == Some(us) {
        return Some(ClaimState::Ours { renewed: !record.unrenewed });
    }
    let here = |o: &Owner| o.is_same_place(us);
    let known = claim
        .operation
        .parse()
        .ok()
        .and_then(|id| cx.state.operation(id))
        .is_some_and(|o| runs(cx, claim, o));
    if known && here(by) && seen.owner.as_ref().is_none_or(|_| owner.is_some_and(here)) {
        return Some(ClaimState::Lapsed);
    }
    let Some(gone_since) = seen.owner_gone else {
        return Some(ClaimState::Foreign { by: claimant(claim), since, renewing: owner == Some(by) });
    };
    Some(ClaimState::Orphaned { by: claimant(claim), gone_since, left: patience_left(cx, claim, gone_since) })
}

/// How long an effect of a claim may still be under way after its owner is gone.
fn patience_left(cx: &Facts, claim: &Claim, gone_since: Mono) -> Span {
    let patience = Span(claim.patience_ms).min(limits::LONGEST_PATIENCE).plus(ANSWER);
    let patience = if planted::is(Break::TakeoverAtOnce) { Span::ZERO } else { patience };
    Span(patience.0.saturating_sub(cx.now.mono.since(gone_since).0))
}

/// Another controller's claim is lost to a restored store: it stops once it notices, and until its patience has passed it may not have.
fn forgotten(cx: &Facts, seen: &ClaimSeen) -> Option<ClaimState> {
    let (claim, gone_since) = seen.forgotten.as_ref()?;
    let left = patience_left(cx, claim, *gone_since);
    let ours = claim.owner.as_ref().is_some_and(|o| o.journal == cx.state.owner.journal);
    (!ours && left > Span::ZERO).then(|| ClaimState::Orphaned {
        by: claimant(claim),
        gone_since: *gone_since,
        left,
    })
}

fn holder(owner: Option<&Owner>) -> Holder {
    owner.map_or(Holder::Unknown, |owner| Holder::Controller(owner.clone()))
}

/// The operation of a claim, and whose it is.
fn claimant(claim: &Claim) -> Claimant {
    let holder = claim
        .owner
        .as_ref()
        .map_or_else(|| Holder::Older(claim.by.clone()), |owner| Holder::Controller(owner.clone()));
    Claimant { operation: Some(claim.operation.clone()), holder }
}

/// The claim is this operation's, whichever process of its journal wrote it.
fn runs(cx: &Facts, claim: &Claim, operation: &Operation) -> bool {
    let ours = claim.owner.as_ref().is_some_and(|o| o.journal == cx.state.owner.journal);
    ours && claim.generation == operation.generation && claim.operation.parse().ok() == Some(operation.id)
}

/// Whether an operation may act.
pub enum Standing {
    Holds,
    Wait(ClaimWait),
    /// The claim is to be taken, or taken up again.
    Send(Box<Effect>),
    /// It may not act any more.
    Lost(ClaimLost),
}

/// Before anything is changed, the operation's claim stands in the store.
pub fn standing(cx: &Facts, operation: &Operation) -> Standing {
    let Some(database) = cx.database(operation.group) else { return Standing::Holds };
    if database.store.is_empty() || operation.intent() == Intent::Guided {
        return Standing::Holds;
    }
    let claims = || operation.effects().filter(|e| matches!(e.effect, Effect::Claim { .. }));
    if claims().any(EffectRecord::is_open) {
        return Standing::Wait(ClaimWait::Answer);
    }
    let ours = claims().filter(|e| e.is_done()).filter_map(|e| e.reported).max();
    let read = cx.telemetry.group(operation.group).store.record.as_ref();
    // What was not sent was not sent for a reason: how the claim stands is read anew.
    let missed = operation.effects().filter(|e| e.is_missed()).filter_map(|e| e.reported).max();
    // Nothing was read since it was taken.
    if let Some(ours) = ours
        && missed.is_none_or(|m| m < ours)
        && read.is_some_and(|(_, at)| *at <= ours)
    {
        return observed(cx, operation);
    }
    let fresh = cx
        .record_within(operation.group, limits::FRESH)
        .filter(|_| missed.is_none_or(|m| read.is_some_and(|(_, at)| *at > m)));
    let (Some(record), Some(state)) = (fresh, state(cx, operation.group)) else {
        return Standing::Wait(ClaimWait::FreshAnswer);
    };
    decide(cx, operation, record, &state, ours.is_some())
}

fn decide(
    cx: &Facts,
    operation: &Operation,
    record: &StoreRecord,
    state: &ClaimState,
    had: bool,
) -> Standing {
    let seen = cx.telemetry.group(operation.group).store.claim.as_ref();
    let stored = seen.and_then(|s| s.claim.as_deref());
    let own = stored.is_some_and(|c| {
        runs(cx, c, operation)
            || seen.and_then(|s| s.key.as_ref()).is_some_and(|k| *operation.before.claim == *k.value)
    });
    match state {
        ClaimState::Ours { renewed } if own => {
            return if *renewed || planted::is(Break::StaleLease) {
                observed(cx, operation)
            } else {
                Standing::Wait(ClaimWait::Renewal)
            };
        }
        // What an earlier process began may still be under way.
        ClaimState::Lapsed if own && commands(cx, operation.group) => {
            return Standing::Wait(ClaimWait::CommandsBefore);
        }
        ClaimState::Free | ClaimState::Ours { .. } | ClaimState::Lapsed => {}
        ClaimState::Orphaned { left, .. } if own || !had => {
            if !left.is_zero() {
                return Standing::Wait(ClaimWait::Patience);
            }
        }
        ClaimState::Legacy { left, .. } if !had && !operation.automatic => {
            if !left.is_zero() {
                return Standing::Wait(ClaimWait::OlderUnchanged);
            }
        }
        other => {
            let by = other.claimant().cloned();
            return Standing::Lost(if had { ClaimLost::TakenOver { by } } else { ClaimLost::First { by } });
        }
    }
    if let Some(other) = stored
        .filter(|c| !own && c.generation >= operation.generation && !planted::is(Break::GenerationOfJournal))
    {
        return Standing::Lost(ClaimLost::ClaimedSince { by: claimant(other), generation: other.generation });
    }
    let claims = operation.effects().filter(|e| matches!(e.effect, Effect::Claim { .. }));
    let refused = claims
        .filter_map(|e| if let Some(Outcome::NotDone { reason }) = &e.outcome { Some(reason) } else { None });
    let refused: Vec<&String> = refused.collect();
    if let Some(reason) = refused.last().filter(|_| refused.len() >= usize::from(limits::HAND_OVERS)) {
        return Standing::Lost(ClaimLost::NotWritten { reason: (*reason).clone() });
    }
    Standing::Send(Box::new(taking(cx, operation, record, stored.cloned(), own)))
}

/// The effect that takes the claim as the store stands.
fn taking(
    cx: &Facts,
    operation: &Operation,
    record: &StoreRecord,
    stored: Option<Claim>,
    own: bool,
) -> Effect {
    let mut inherited = stored.clone().map(|c| c.obligations).unwrap_or_default();
    let value = match (Claim::read(&operation.before.claim), stored) {
        (None, _) => operation.before.claim.clone(),
        (Some(claim), Some(stored)) if own => {
            let phase = if operation.handed_over() { ClaimPhase::HandedOver } else { ClaimPhase::Acting };
            inherited = Obligations::default();
            let owner = Some(cx.state.owner.clone());
            Claim {
                owner,
                phase,
                attempt: stored.attempt,
                obligations: claim.obligations.clone().with(&stored.obligations),
                ..claim
            }
            .write()
        }
        (Some(claim), _) => {
            let obligations = claim.obligations.clone().with(&inherited);
            Claim { owner: Some(cx.state.owner.clone()), obligations, ..claim }.write()
        }
    };
    Effect::Claim {
        group: operation.group,
        value,
        revision: record.operation.as_ref().map(|k| k.revision),
        owner_revision: record.owner.as_ref().map(|k| k.revision),
        legacy_revision: record
            .legacy
            .as_ref()
            .filter(|k| standing_key(record) == Some(k))
            .map(|k| k.revision),
        inherited,
    }
}

/// Nobody else is at work on its cluster: what is left of an operation that is over may be done.
pub fn is_clear(cx: &Facts, operation: &Operation) -> bool {
    if cx.database(operation.group).is_none_or(|d| d.store.is_empty()) {
        return true;
    }
    let missed = operation.effects().filter(|e| e.is_missed()).filter_map(|e| e.reported).max();
    let read = cx.telemetry.group(operation.group).store.record.as_ref().map(|(_, at)| *at);
    let fresh = cx.record(operation.group).is_some() && missed.is_none_or(|m| read.is_some_and(|at| at > m));
    fresh && state(cx, operation.group).is_some_and(|c| c.blocks().is_none() && c.takes_over().is_none())
}

/// A command of this group's operations may still run.
fn commands(cx: &Facts, group: GroupId) -> bool {
    let is =
        |e: &Effect| matches!(e, Effect::Fence { .. } | Effect::UndoFence { .. } | Effect::Command { .. });
    cx.state
        .operations
        .iter()
        .filter(|o| o.group == group)
        .flat_map(|o| o.effects())
        .any(|e| e.is_open() && is(&e.effect))
}

/// After a takeover each obligation of the owner before is observed, before anything is sent.
fn observed(cx: &Facts, operation: &Operation) -> Standing {
    for (inherited, since) in takeover::taken(operation) {
        if let Some(wait) = unobserved(cx, operation.group, inherited, since) {
            return Standing::Wait(wait);
        }
    }
    Standing::Holds
}

fn unobserved(cx: &Facts, group: GroupId, inherited: &Obligations, since: Mono) -> Option<ClaimWait> {
    let telemetry = cx.telemetry.group(group);
    let record = telemetry.store.record.as_ref();
    for name in &inherited.fenced {
        let member = takeover::member_named(cx, group, name).and_then(|m| cx.member(group, m));
        if member.is_some_and(|m| [&m.sql, &m.rest].iter().any(|p| p.last_try.is_none_or(|t| t <= since))) {
            return Some(ClaimWait::MemberBefore);
        }
    }
    for drained in &inherited.drained {
        let balancer =
            takeover::balancer_at(cx, group, &drained.balancer).and_then(|b| telemetry.balancers.get(b.at()));
        let seen = |b: &super::telemetry::BalancerTelemetry| {
            b.servers.as_ref().is_some_and(|(_, at)| *at > since) || b.away.is_some()
        };
        if balancer.is_some_and(|b| !seen(b)) {
            return Some(ClaimWait::BalancerBefore);
        }
    }
    if !inherited.settings.is_empty() && record.is_none_or(|(_, at)| *at <= since) {
        return Some(ClaimWait::SettingsBefore);
    }
    None
}

/// What an operation may do on its way to the members that it leaves, one after the other, and how long an effect of it may be under
/// way after its owner is gone.
pub fn planned(cx: &Facts, group: GroupId, left: &[MemberId], plan: &Plan) -> (Obligations, Span) {
    let Some(database) = cx.database(group) else { return Default::default() };
    let names = || left.iter().map(|m| cx.member_name(group, *m).into_owned());
    let has = |test: &dyn Fn(&StepKind) -> bool| plan.steps.iter().any(|s| test(&s.kind));
    let mut obligations = Obligations::default();
    if has(&|k| *k == StepKind::Fence) && database.fence.is_some() {
        obligations.fenced = names().collect();
    }
    if has(&|k| *k == StepKind::DrainTraffic) {
        let at = |member: String| {
            database
                .draining()
                .map(move |(_, b)| Drained { member: member.clone(), balancer: b.address.clone() })
        };
        obligations.drained = names().flat_map(at).collect();
    }
    let fence = database.fence.as_ref().map_or(Span::ZERO, |f| f.timeout);
    let reach = plan.steps.iter().map(|s| match s.kind {
        StepKind::Fence => fence,
        StepKind::RunCommand { .. } => s.timeout,
        StepKind::SwitchOver => limits::SWITCH_OVER,
        _ => Span::ZERO,
    });
    (obligations, reach.max().unwrap_or_default().plus(limits::REACH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::Simulation;
    use crate::journal::Journal;

    const GROUP: GroupId = GroupId(1);

    fn calm() -> Simulation {
        let scenario = crate::config::embedded("calm").unwrap_or_else(|e| panic!("{e}"));
        let begins = Utc(1_767_225_600_000);
        let mut simulation = Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, begins)
            .unwrap_or_else(|e| panic!("{e}"));
        simulation.run_to(Mono(5_000)).unwrap_or_else(|e| panic!("{e}"));
        simulation
    }

    fn owner(journal: &str, boot: &str, nonce: &str) -> Owner {
        Owner { journal: journal.to_string(), boot: boot.to_string(), nonce: nonce.to_string() }
    }

    fn foreign(owner: Option<Owner>) -> Claim {
        Claim {
            operation: "recovery-7".to_string(),
            generation: Generation(7),
            by: "elsewhere:1".to_string(),
            since: Utc(0),
            running: true,
            owner,
            phase: ClaimPhase::Acting,
            patience_ms: 10_000,
            obligations: Obligations::default(),
            attempt: 0,
        }
    }

    /// The state after the store was read at these moments with this in it, as of the last of them.
    fn read(claim: &Claim, reads: &[(u64, Option<Owner>)]) -> ClaimState {
        let mut simulation = calm();
        let began = simulation.now().mono;
        let engine = &mut simulation.core.engine;
        let (record, _) =
            engine.telemetry.groups[GROUP.at()].store.record.clone().unwrap_or_else(|| panic!("no record"));
        let mut last = began;
        for (after, owner) in reads {
            last = began.plus(Span(*after));
            let key = |value: String, revision| Some(OperationKey { value: value.into(), revision });
            let owner = owner.as_ref().and_then(|o| key(o.write(), 8));
            let record = StoreRecord { operation: key(claim.write(), 7), owner, ..record.clone() };
            engine.measured(&Observation {
                at: last,
                fact: Fact::Store { group: GROUP, record: Box::new(record) },
            });
        }
        let now = Now { utc: Utc(1_767_225_600_000), mono: last };
        state(&engine.facts(now), GROUP).unwrap_or_else(|| panic!("no state"))
    }

    #[test]
    fn another_controller_is_waited_for_from_when_its_owner_key_was_seen_gone() {
        let other = owner("other", "1", "1");
        let claim = foreign(Some(other.clone()));
        let stands = || Some(other.clone());
        assert!(matches!(
            read(&claim, &[(0, stands()), (900_000, stands())]),
            ClaimState::Foreign { renewing: true, .. }
        ));
        let left = |reads: &[(u64, Option<Owner>)]| match read(&claim, reads) {
            ClaimState::Orphaned { left, .. } => left,
            other => panic!("{other:?}"),
        };
        // Its patience of 10 s, and the second that an answer may take.
        assert_eq!(left(&[(0, stands()), (20_000, None)]), Span::secs(11));
        assert_eq!(left(&[(0, None), (8_000, None)]), Span::secs(3));
        assert_eq!(
            left(&[(0, None), (8_000, stands()), (9_000, None)]),
            Span::secs(11),
            "it came back in between"
        );
        assert_eq!(left(&[(0, None), (11_000, None)]), Span::ZERO);
    }

    #[test]
    fn an_older_program_is_judged_by_what_is_observed() {
        for (since, ahead) in [(0, false), (4_102_444_800_000, true)] {
            let claim = Claim { since: Utc(since), ..foreign(None) };
            let legacy = |after| match read(&claim, &[(0, None), (after, None)]) {
                ClaimState::Legacy { left, ahead, .. } => (left, ahead),
                other => panic!("{other:?}"),
            };
            assert_eq!(legacy(599_000), (Span::secs(1), ahead));
            assert_eq!(legacy(600_000), (Span::ZERO, ahead));
        }
        let other = foreign(Some(owner("other", "1", "1")));
        assert_eq!(read(&Claim { running: false, ..other }, &[(0, None)]), ClaimState::Free);
    }

    /// The key of an older program counts at its own path, until a newer operation was claimed.
    #[test]
    fn an_older_program_has_a_path_of_its_own() {
        let key = |claim: &Claim, revision| Some(OperationKey { value: claim.write().into(), revision });
        let (old, new) = (foreign(None), foreign(Some(owner("other", "1", "1"))));
        for (operation, expected) in [(None, 1), (Some(6), 1), (Some(7), 1), (Some(8), 2)] {
            let operation =
                operation.and_then(|g| key(&Claim { generation: Generation(g), ..new.clone() }, 2));
            let record = StoreRecord { operation, legacy: key(&old, 1), ..StoreRecord::default() };
            assert_eq!(standing_key(&record).map(|k| k.revision), Some(expected));
        }
    }

    /// A store that was restored goes back in time: what it says since is believed, and what was seen of a claim before is not.
    #[test]
    fn a_restored_store_is_believed() {
        let mut simulation = calm();
        let began = simulation.now().mono;
        let engine = &mut simulation.core.engine;
        let (record, _) =
            engine.telemetry.groups[GROUP.at()].store.record.clone().unwrap_or_else(|| panic!("no record"));
        let claim = foreign(Some(owner("other", "1", "1")));
        let mut read = |after: u64, revision: u64, generation: u64| {
            let claim = Claim { generation: Generation(generation), ..claim.clone() };
            let operation = Some(OperationKey { value: claim.write().into(), revision: 3 });
            let record = StoreRecord { revision, operation, ..record.clone() };
            engine.measured(&Observation {
                at: began.plus(Span(after)),
                fact: Fact::Store { group: GROUP, record: Box::new(record) },
            });
            let store = &engine.telemetry.groups[GROUP.at()].store;
            let stored = store
                .record
                .as_ref()
                .map(|(r, _)| (r.revision, crate::engine::kernel::claim_seen::stored_generation(r).0))
                .unwrap_or_default();
            (stored, store.claim.as_ref().and_then(|c| c.owner_gone))
        };
        assert_eq!(read(1_000, 90, 9), ((90, 9), Some(began.plus(Span(1_000)))));
        assert_eq!(read(2_000, 91, 9), ((91, 9), Some(began.plus(Span(1_000)))));
        assert_eq!(read(3_000, 40, 7), ((40, 7), Some(began.plus(Span(3_000)))), "restored");
        assert_eq!(read(2_500, 95, 9), ((40, 7), Some(began.plus(Span(3_000)))), "overtaken by a later read");
    }

    /// What it had claimed is waited for although the restored store does not know it any more.
    #[test]
    fn who_lost_its_claim_to_a_restored_store_is_waited_for() {
        let claim = |owner: Owner| {
            let claim = foreign(Some(owner)).write();
            StoreRecord {
                revision: 90,
                operation: Some(OperationKey { value: claim.into(), revision: 3 }),
                ..StoreRecord::default()
            }
        };
        let restored = StoreRecord { revision: 40, ..StoreRecord::default() };
        for (owner, waits) in [(owner("other", "1", "1"), true), (owner("ours", "1", "0"), false)] {
            let mut simulation = calm();
            let began = simulation.now().mono;
            let engine = &mut simulation.core.engine;
            engine.state.owner = self::owner("ours", "1", "1");
            for (after, record) in [
                (0, claim(owner)),
                (1_000, restored.clone()),
                (6_000, StoreRecord { revision: 41, ..restored.clone() }),
            ] {
                engine.measured(&Observation {
                    at: began.plus(Span(after)),
                    fact: Fact::Store { group: GROUP, record: Box::new(record) },
                });
            }
            let at = |after: u64| {
                let now = Now { utc: Utc(1_767_225_600_000), mono: began.plus(Span(after)) };
                state(&engine.facts(now), GROUP)
            };
            // Its patience of 10 s, and the second that an answer may take.
            let left = |after| {
                if let Some(ClaimState::Orphaned { left, .. }) = at(after) { left } else { Span::ZERO }
            };
            assert_eq!(left(6_000), if waits { Span::secs(6) } else { Span::ZERO });
            assert_eq!(at(12_000), Some(ClaimState::Free));
        }
    }
}

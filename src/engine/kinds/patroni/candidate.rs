//! What must hold of a candidate and of its cluster before a failover, and again before the one transaction: a named
//! candidate skips the cluster's own checks, so these stand in for them. Each row was learned on real clusters.

use crate::engine::kernel::claim::{self, ClaimState};
use crate::engine::kernel::facts::Facts;
use crate::engine::kernel::planted::{self, Break};
use crate::engine::kernel::votes;
use crate::model::*;
use std::borrow::Cow;

/// The checks of a failover from one member to another, the decisive ones first. `age` is how old evidence may be.
pub fn failover_checks(cx: &Facts, group: GroupId, from: MemberId, to: MemberId, age: Span) -> Vec<Check> {
    let mut checks = Checks::default();
    let Some(database) = cx.database(group) else { return Vec::new() };
    if database.store.is_empty() {
        checks.block(11, CheckId::Store, StoreFinding::None);
        return checks.list;
    }
    let Some((record, at)) =
        cx.telemetry.group(group).store.record.as_ref().filter(|(_, at)| cx.now.mono.since(*at) <= age)
    else {
        let away = cx.telemetry.group(group).store.away.as_ref();
        let why =
            Some(away.map_or(StoreSilence::NoAnswerYet, |(reason, _)| StoreSilence::Failed(reason.clone())));
        checks.add(Verdict::not_yet(5), CheckId::Store, StoreFinding::NotRead { within: age, why });
        return checks.list;
    };
    checks.at = Some(*at);
    store(cx, &mut checks, group, from, record);
    member(cx, &mut checks, group, from, to, age, record);
    checks.list
}

/// The checks of a planned switchover: the leader lives and is asked to step down.
pub fn switchover_checks(cx: &Facts, group: GroupId, from: MemberId, to: MemberId, age: Span) -> Vec<Check> {
    let mut checks = Checks::default();
    let Some(record) = cx.record_within(group, age) else {
        checks.add(Verdict::not_yet(5), CheckId::Store, StoreFinding::NotRead { within: age, why: None });
        return checks.list;
    };
    store(cx, &mut checks, group, from, record);
    let (old, new) = (|| cx.called(group, from), || cx.called(group, to));
    if record.leading_member() != Some(from) {
        checks.block(11, CheckId::Leader, PrimaryFinding::DoesNotLead { member: old() });
    }
    match cx.report_within(group, from, age) {
        Some(r) if r.running && r.role == MemberRole::Leader => {
            checks.pass(CheckId::Leader, PrimaryFinding::Leads { member: old() })
        }
        // It lives, and only we do not hear it: neither is a failover what is called for.
        _ if let Some(alive) = votes::votes(cx, group, from).alive() => {
            checks.block(11, CheckId::Leader, PrimaryFinding::Unheard { member: old(), alive });
        }
        _ => checks.block(11, CheckId::Leader, PrimaryFinding::NoAnswer { member: old() }),
    }
    let synchronous = record.config.as_ref().is_some_and(|c| c.synchronous);
    let listed = recorded(record, group, to, cx);
    match cx.report_within(group, to, age) {
        None => checks.add(
            Verdict::not_yet(5),
            CheckId::Candidate,
            CandidateFinding::DidNotAnswer { member: new(), within: age },
        ),
        Some(r) if !r.running || r.role != MemberRole::Replica => {
            checks.block(
                11,
                CheckId::Candidate,
                CandidateFinding::NoStandby { member: new(), state: (&*r.state).into() },
            );
        }
        Some(r) if r.nofailover => {
            checks.block(11, CheckId::Candidate, CandidateFinding::NoFailover { member: new() })
        }
        Some(_) if synchronous && !listed => {
            let simulated = cx.state.mode != Mode::Live;
            checks.block(
                2,
                CheckId::Candidate,
                CandidateFinding::NotSynchronous { member: new(), simulated },
            );
        }
        Some(_) => checks.pass(CheckId::Candidate, CandidateFinding::MayTakeOver { member: new() }),
    }
    checks.list
}

/// Recorded as synchronous, answering, and by priority.
pub fn rank(cx: &Facts, group: GroupId, member: MemberId) -> (bool, bool, u16) {
    let answers = cx.report(group, member).is_some_and(|r| r.running && !r.nofailover);
    let priority = cx.region_of(group, member).map_or(u16::MAX, |r| cx.estate().region(r).priority);
    (!answers, !cx.synchronous_standbys(group).contains(&member), priority)
}

#[derive(Default)]
struct Checks {
    list: Vec<Check>,
    at: Option<Mono>,
}

impl Checks {
    fn add(&mut self, verdict: Verdict, id: CheckId, finding: impl Into<Finding>) {
        self.list.push(Check { id, verdict, finding: finding.into(), figure: None, at: self.at });
    }

    fn pass(&mut self, id: CheckId, finding: impl Into<Finding>) {
        self.add(Verdict::Pass, id, finding);
    }

    fn advise(&mut self, id: CheckId, finding: impl Into<Finding>) {
        self.add(Verdict::Advice, id, finding);
    }

    fn block(&mut self, law: u8, id: CheckId, finding: impl Into<Finding>) {
        self.add(Verdict::block(law), id, finding);
    }
}

/// Why no member may take over where the leader is not known.
pub fn without_leader(cx: &Facts, group: GroupId, member: MemberId) -> Finding {
    let Some(database) = cx.database(group) else { return CandidateFinding::None.into() };
    let Some(record) = cx.record(group) else {
        let away = cx.telemetry.group(group).store.away.as_ref();
        let why =
            Some(away.map_or(StoreSilence::NoAnswerYet, |(reason, _)| StoreSilence::Failed(reason.clone())));
        return match cx.member(group, member).is_none_or(|m| m.report.is_none()) {
            true => CandidateFinding::NotHeard { member: cx.called(group, member) }.into(),
            false if database.store.is_empty() => StoreFinding::None.into(),
            false => StoreFinding::NotRead { within: cx.stale_after(), why }.into(),
        };
    };
    unusable(database, record).unwrap_or_else(|| PrimaryFinding::None.into())
}

/// Why nothing can be done for a cluster, as its record stands: it is led by somebody else, is of a sort that is not supported, or
/// is not there.
pub fn unusable(database: &Database, record: &StoreRecord) -> Option<Finding> {
    if let Some(leader) = record.unconfigured_leader() {
        return Some(PrimaryFinding::NotConfigured { leader }.into());
    }
    let is_absent = record.initialize.is_none() && record.config.is_none();
    match () {
        () if is_absent && record.citus => {
            Some(ClusterFinding::CitusGroups { prefix: database.prefix() }.into())
        }
        () if is_absent && record.members.is_empty() => {
            Some(ClusterFinding::NotInStore { prefix: database.prefix() }.into())
        }
        () if record.config.as_ref().is_some_and(|c| c.standby_cluster) => {
            Some(StoreFinding::StandbyCluster.into())
        }
        () => {
            let bad = record.undecided()?;
            Some(StoreFinding::Unreadable { key: bad.clone() }.into())
        }
    }
}

/// The rows about the cluster as a whole.
fn store(cx: &Facts, checks: &mut Checks, group: GroupId, from: MemberId, record: &StoreRecord) {
    let Some(database) = cx.database(group) else { return };
    let scope = || database.scope.clone();
    let told = database
        .member_ids()
        .filter_map(|m| cx.member(group, m)?.report.as_ref()?.0.system_id.as_ref())
        .next();
    match (&record.initialize, told) {
        (None, _) if record.config.is_none() && record.citus => {
            checks.block(11, CheckId::Identity, ClusterFinding::CitusGroups { prefix: database.prefix() });
            return;
        }
        (None, _) if record.config.is_none() && record.members.is_empty() => {
            checks.block(11, CheckId::Identity, ClusterFinding::NotInStore { prefix: database.prefix() });
            return;
        }
        (Some(stored), Some(told)) if **stored != **told => {
            let finding =
                ClusterFinding::OtherSystem { scope: scope(), stored: stored.clone(), told: told.clone() };
            checks.block(11, CheckId::Identity, finding);
            return;
        }
        (Some(_), Some(told)) => checks
            .pass(CheckId::Identity, ClusterFinding::SameSystem { scope: scope(), system: told.clone() }),
        _ => checks.add(
            Verdict::not_yet(5),
            CheckId::Identity,
            ClusterFinding::SystemNotTold { scope: scope() },
        ),
    }
    if database.member_ids().all(|m| record.name_of(m).is_none()) {
        checks.block(11, CheckId::Identity, ClusterFinding::NoAddressInStore { scope: scope() });
    }
    if let Some(leader) = record.unconfigured_leader() {
        checks.block(11, CheckId::Leader, PrimaryFinding::NotConfigured { leader });
    }
    if let Some(bad) = record.undecided() {
        checks.add(Verdict::not_yet(5), CheckId::Store, StoreFinding::Unreadable { key: bad.clone() });
    }
    quorum(cx, checks, database, from, record);
    if let Some(config) = &record.config {
        if config.paused {
            checks.block(11, CheckId::Paused, StoreFinding::Paused);
        }
        if config.standby_cluster {
            checks.block(11, CheckId::StandbyCluster, StoreFinding::StandbyCluster);
        }
    }
    if let Some(request) = record.failover.as_ref().and_then(|f| f.content.as_ref()) {
        let finding =
            StoreFinding::RequestPending { to: request.to.clone(), scheduled: request.scheduled_at.clone() };
        checks.block(11, CheckId::PendingRequest, finding);
    }
    let claim = claim::state(cx, group);
    if let Some((finding, passes)) = claim.as_ref().and_then(ClaimState::blocks) {
        checks.add(
            if passes { Verdict::not_yet(7) } else { Verdict::block(7) },
            CheckId::OtherController,
            finding,
        );
    } else if let Some(finding) = claim.as_ref().and_then(ClaimState::takes_over) {
        checks.advise(CheckId::OtherController, finding);
    }
}

/// Whether the store has its quorum, and keeps it without the region that is left.
fn quorum(cx: &Facts, checks: &mut Checks, database: &Database, from: MemberId, record: &StoreRecord) {
    let (up, of) = (record.voters_up, record.voters);
    if of > 0 && up * 2 <= of {
        checks.block(11, CheckId::Store, StoreFinding::NoQuorum { up, of });
        return;
    }
    let region = database.region_of(from);
    let lost: u16 = database.store.iter().filter(|e| e.region.is_some() && e.region == region).count() as u16;
    let left = (database.store.len() as u16).saturating_sub(lost);
    if lost > 0 && left * 2 <= database.store.len() as u16 {
        let region = region.map_or("?", |r| cx.region_name(r)).into();
        checks.block(
            10,
            CheckId::Store,
            StoreFinding::NoQuorumWithout { region, left, of: database.store.len() },
        );
    } else {
        checks.pass(CheckId::Store, StoreFinding::Quorum { up, of });
    }
}

/// The rows about the member that is to take over.
fn member(
    cx: &Facts,
    checks: &mut Checks,
    group: GroupId,
    from: MemberId,
    to: MemberId,
    age: Span,
    record: &StoreRecord,
) {
    let (old, new) = (|| cx.called(group, from), || cx.called(group, to));
    let old_name = cx.member_name(group, from);
    if to == from {
        checks.block(11, CheckId::Candidate, CandidateFinding::IsLeft { member: new() });
        return;
    }
    if record.name_of(to).is_none() {
        checks.block(11, CheckId::Candidate, CandidateFinding::NotInStore { member: new() });
        return;
    }
    let listed = recorded(record, group, to, cx);
    let bound = record.sync.as_ref().is_some_and(|s| s.leader.as_deref() == Some(&*old_name));
    let synchronous = record.config.as_ref().is_some_and(|c| c.synchronous);
    let Some(report) = cx.report_within(group, to, age) else {
        let others = cx
            .synchronous_standbys(group)
            .into_iter()
            .any(|r| r != to && r != from && cx.report_within(group, r, age).is_some_and(|m| m.running));
        let finding = if synchronous && !others {
            // Only of one that the store still names is it known that it has every write.
            CandidateFinding::NobodySynchronous {
                member: new(),
                within: age,
                old: old(),
                holds_all: listed && bound,
            }
        } else {
            CandidateFinding::DidNotAnswer { member: new(), within: age }
        };
        checks.add(Verdict::not_yet(11), CheckId::Candidate, finding);
        return;
    };
    if report.role == MemberRole::Leader {
        checks.block(11, CheckId::Candidate, CandidateFinding::AlreadyLeads { member: new() });
        return;
    }
    if !report.running {
        checks.block(
            11,
            CheckId::Candidate,
            CandidateFinding::NotRunning { member: new(), state: (&*report.state).into() },
        );
    }
    if report.nofailover {
        checks.block(11, CheckId::Candidate, CandidateFinding::NoFailover { member: new() });
    }
    if report.failsafe || record.failsafe {
        checks.block(11, CheckId::Failsafe, CandidateFinding::Failsafe);
    }
    timeline(cx, checks, group, record, report, to);
    let behind = cx.telemetry.leader_position(group).zip(report.received).map(|(p, r)| p.ahead_of(r));
    let limit = record.config.as_ref().map_or(Bytes(1_048_576), |c| c.maximum_lag);
    let loses = Verdict::Risk(Risk::Loses(lacking(cx, group, to)));
    if !synchronous {
        checks.add(loses, CheckId::Writes, WritesFinding::Asynchronous { member: new(), behind });
    } else if !(listed && bound) {
        checks.add(loses, CheckId::Writes, unlisted(cx, group, (from, to), age, bound, behind));
    } else if let Some(missing) = missing_voters(cx, group, record, to, age) {
        checks.add(loses, CheckId::Writes, missing);
    } else if behind.is_none_or(|l| l > limit) {
        checks.add(loses, CheckId::Writes, WritesFinding::TooFarBehind { member: new(), behind });
    } else {
        // Who streams on after our last look at the primary is ahead of what we heard of it.
        let heard = |((_, position), at)| LastHeard { member: old(), ago: cx.now.mono.since(at), position };
        let heard =
            cx.member(group, from).and_then(|m| m.led_at).map(heard).filter(|_| report.received.is_some());
        checks.pass(
            CheckId::Writes,
            WritesFinding::HoldsAll { member: new(), received: report.received, heard },
        );
    }
}

/// What a candidate may lack that the store does not record as synchronous. `bound`: the record is of the old primary.
fn unlisted(
    cx: &Facts,
    group: GroupId,
    (from, to): (MemberId, MemberId),
    age: Span,
    bound: bool,
    behind: Option<Bytes>,
) -> WritesFinding {
    let (old, member) = (cx.called(group, from), cx.called(group, to));
    // Behind a primary that says nothing any more every standby looks as if it had caught up: what it was behind before tells
    // more.
    let silent = cx.member(group, from).is_some_and(|m| m.failing_since().is_some());
    let before = cx.behind_before(group, from, to).filter(|_| silent);
    let seen =
        before.map_or(SeenBehind::Last(behind), |bytes| SeenBehind::BeforeSilence { of: old.clone(), bytes });
    let beside: Vec<MemberId> =
        cx.synchronous_standbys(group).into_iter().filter(|r| *r != to && *r != from).collect();
    match beside.iter().find(|r| cx.report_within(group, **r, age).is_some_and(|m| m.running)) {
        Some(other) => {
            WritesFinding::OtherIsSynchronous { member, synchronous: cx.called(group, *other), seen }
        }
        // Nobody need wait for one that answers.
        None if cx.report_within(group, from, age).is_some() => {
            WritesFinding::OldAnswers { member, old, seen }
        }
        None => {
            // To wait is a choice too, and the only one that loses nothing.
            let holds = beside.iter().filter(|_| bound).map(|r| cx.called(group, *r));
            WritesFinding::MayLack { member, holders: std::iter::once(old).chain(holds).collect(), seen }
        }
    }
}

/// What a member lacks of what a leader was heard to write. Only what it told after that counts: it may have received more since.
fn lacking(cx: &Facts, group: GroupId, to: MemberId) -> Amount {
    let heard = cx.telemetry.group(group).members.iter().filter_map(|m| m.led_at.map(|(_, at)| at)).max();
    let asked = cx.member(group, to).and_then(|m| m.received).map(|(_, at)| at);
    let lag =
        cx.lag(group, to).filter(|_| asked.is_some_and(|asked| heard.is_none_or(|heard| asked >= heard)));
    // That nothing is known to be missing is not that nothing is missing.
    lag.filter(|l| l.0 > 0).map_or(Amount::Unknown, Amount::AtLeast)
}

fn timeline(
    cx: &Facts,
    checks: &mut Checks,
    group: GroupId,
    record: &StoreRecord,
    report: &MemberReport,
    to: MemberId,
) {
    let known = cx.state.primaries.get(group.at()).and_then(|p| p.1);
    let after_switch = record.last_switch.map(|(t, _)| Timeline(t.0 + 1));
    let cluster = known.max(after_switch);
    if let (Some(theirs), Some(cluster)) = (report.timeline, cluster)
        && theirs < cluster
    {
        let finding =
            CandidateFinding::BehindTimeline { member: cx.called(group, to), timeline: theirs, cluster };
        checks.block(2, CheckId::Timeline, finding);
    }
}

fn recorded(record: &StoreRecord, group: GroupId, to: MemberId, cx: &Facts) -> bool {
    let name = record.name_of(to).map_or_else(|| cx.member_name(group, to), Cow::Borrowed);
    planted::is(Break::AnyStandby)
        || record.sync.as_ref().is_some_and(|s| s.standbys.iter().any(|n| **n == *name))
}

/// In quorum mode an acknowledged write is on some of the voters only: beside the candidate as many of them must answer as
/// the store says, none further than the candidate. (Patroni's own rule, `quorum_votes >= sync.quorum` in `ha.py` of 4.x:
/// of any so many, and the candidate, one at least has each acknowledged write.)
fn missing_voters(
    cx: &Facts,
    group: GroupId,
    record: &StoreRecord,
    to: MemberId,
    age: Span,
) -> Option<WritesFinding> {
    let sync = record.sync.as_ref()?;
    let quorum = usize::from(sync.quorum?);
    let position = cx.report_within(group, to, age)?.received?;
    let voters: Vec<MemberId> = sync.standbys.iter().filter_map(|n| record.member_named(n)).collect();
    let mut answered = 0;
    for voter in &voters {
        match cx.report_within(group, *voter, age).and_then(|r| r.received) {
            Some(theirs) if theirs > position => {
                return Some(WritesFinding::VoterAhead { voter: cx.called(group, *voter) });
            }
            Some(_) => answered += 1,
            None => {}
        }
    }
    // The candidate is one of those that answered.
    let needed = quorum + 1;
    (answered < needed).then_some(WritesFinding::VotersMissing { needed, answered })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::Simulation;
    use crate::engine::kernel::limits;
    use crate::journal::Journal;

    fn calm() -> Simulation {
        let scenario = crate::config::embedded("calm").unwrap_or_else(|e| panic!("{e}"));
        let mut simulation =
            Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, Utc(1_767_225_600_000))
                .unwrap_or_else(|e| panic!("{e}"));
        simulation.run_to(Mono(5_000)).unwrap_or_else(|e| panic!("{e}"));
        simulation
    }

    /// What stops a failover from us-east-1 to eu-west-1, after this was done to what is known of the store.
    fn stops(change: impl FnOnce(&mut StoreRecord, Utc)) -> Vec<CheckId> {
        let mut simulation = calm();
        let now = simulation.now();
        let group = GroupId::of(1);
        let engine = &mut simulation.core.engine;
        let (record, _) =
            engine.telemetry.groups[group.at()].store.record.as_mut().unwrap_or_else(|| panic!("no record"));
        change(record, now.utc);
        let cx = engine.facts(now);
        let member = |name: &str| {
            cx.member_ids(group)
                .find(|m| cx.label(group, *m) == name)
                .unwrap_or_else(|| panic!("no member {name}"))
        };
        let checks = failover_checks(&cx, group, member("us-east-1"), member("eu-west-1"), limits::FRESH);
        checks.into_iter().filter(|c| matches!(c.verdict, Verdict::Block { .. })).map(|c| c.id).collect()
    }

    #[test]
    fn who_is_not_in_the_store_is_not_fenced_for() {
        let without = |name: &'static str| {
            stops(move |r, _| {
                r.members =
                    std::sync::Arc::new(r.members.iter().filter(|m| &*m.name != name).cloned().collect())
            })
        };
        assert_eq!(without("nobody"), Vec::new());
        assert_eq!(without("eu-west-1"), [CheckId::Candidate]);
    }

    /// Beside the candidate as many voters must answer as the store says: any so few may lack what was acknowledged.
    #[test]
    fn a_quorum_is_counted_beside_the_candidate() {
        let simulation = calm();
        let (engine, now) = (&simulation.core.engine, simulation.now());
        let cx = engine.facts(now);
        let group = GroupId::of(1);
        let record = cx.record(group).cloned().unwrap_or_else(|| panic!("no record"));
        let standby = |name: &str| {
            let member = cx
                .member_ids(group)
                .find(|m| cx.label(group, *m) == name)
                .unwrap_or_else(|| panic!("no member {name}"));
            let received = cx.report_within(group, member, limits::FRESH).and_then(|r| r.received);
            (received.unwrap_or_else(|| panic!("{name} says no position")), member)
        };
        let (ahead, behind) = (
            standby("eu-west-1").max(standby("ap-southeast-1")),
            standby("eu-west-1").min(standby("ap-southeast-1")),
        );
        assert!(ahead.0 > behind.0, "neither is ahead of the other: nothing would be tested");
        let here = |list: [MemberId; 2]| list.map(|m| Name::from(&*cx.label(group, m)));
        let missing = WritesFinding::VotersMissing { needed: 2, answered: 1 };
        let further = WritesFinding::VoterAhead { voter: cx.called(group, ahead.1) };
        for (to, standbys, quorum, expected) in [
            (ahead.1, here([ahead.1, behind.1]), 1, None),
            // One beside the candidate must answer, and does not.
            (ahead.1, [here([ahead.1, behind.1])[0].clone(), "elsewhere".into()], 1, Some(missing)),
            // It answers, and has what the candidate lacks.
            (behind.1, here([ahead.1, behind.1]), 1, Some(further.clone())),
            (behind.1, here([ahead.1, behind.1]), 0, Some(further)),
        ] {
            let mut record = record.clone();
            record.sync = Some(SyncKey {
                leader: Some("us-east-1".into()),
                standbys: standbys.to_vec(),
                quorum: Some(quorum),
                revision: 1,
            });
            assert_eq!(missing_voters(&cx, group, &record, to, limits::FRESH), expected, "quorum {quorum}");
        }
    }
}

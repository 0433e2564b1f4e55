//! What a choice would do and what stands in its way, at this moment. The same checks decide whether it may begin.

use super::checks;
use super::successor;
use crate::engine::kernel::claim;
use crate::engine::kernel::entry::entry;
use crate::engine::kernel::facts::Facts;
use crate::engine::kernel::limits;
use crate::engine::kernel::planted::{self, Break};
use crate::engine::kernel::votes::{self, Stance};
use crate::model::*;
use serde::Serialize;

/// How a choice stands now.
pub fn assess(cx: &Facts, proposal: &Proposal, revision: u32) -> Assessment {
    let to = proposal.to.or_else(|| match proposal.intent {
        Intent::Guided => Some(proposal.old),
        _ => successor::choose(cx, proposal.group, proposal.old, proposal.leaves),
    });
    let age = cx.stale_after();
    let mut checks = checks(cx, proposal, to, age);
    let plan = cx.estate().plan_named(&proposal.plan);
    let approval = plan.map(|p| p.approval).unwrap_or_default();
    if approval.second_factor {
        checks.push(check(CheckId::SecondFactor, Verdict::block(4), Finding::SecondFactor));
    }
    let loss = loss(proposal.intent, &checks);
    let risks: Vec<Risk> = checks
        .iter()
        .filter_map(|c| if let Verdict::Risk(risk) = c.verdict { Some(risk) } else { None })
        .collect();
    let overrule = overrule(cx, proposal, &checks);
    let otherwise = otherwise(cx, proposal.group, proposal.old);
    let no_return_after = plan.and_then(|p| {
        p.steps.iter().position(|s| matches!(s.kind, StepKind::HandOver | StepKind::SwitchOver))
    });
    let plan = plan.map(Digest::of_value).unwrap_or_default();
    let evidence = digest(cx, proposal, to, &checks);
    Assessment {
        left: cx.left(proposal.group, proposal.old, proposal.leaves),
        to,
        checks,
        loss,
        risks,
        overrule,
        second_person: approval.second_person,
        supersedes: cx.state.running(proposal.group).map(|o| o.id),
        otherwise,
        leads_on: leads_on(cx, proposal.group),
        no_return_after: no_return_after.map(|p| p as u16),
        plan,
        evidence,
        nonce: revision,
    }
}

fn checks(cx: &Facts, proposal: &Proposal, to: Option<MemberId>, age: Span) -> Vec<Check> {
    let mut list = Vec::new();
    let group = proposal.group;
    if proposal.intent == Intent::Guided {
        return list;
    }
    let Some(to) = to else {
        list.push(check(CheckId::Candidate, Verdict::block(11), CandidateFinding::None));
        return list;
    };
    if proposal.intent == Intent::Switchover {
        list.extend(checks::switchover(cx, group, proposal.old, to, age, opens_route(cx, proposal)));
    } else {
        let left = cx.left(group, proposal.old, proposal.leaves);
        list.push(observers(cx, group, &left));
        list.extend(checks::failover(cx, group, proposal.old, to, age));
        list.push(fence(cx, group, &left));
        list.extend(entry(cx, group, &left, to));
    }
    if let Some(disaster) = cx.state.open_disasters().find(|d| d.corrupts(cx.estate(), group)) {
        let finding = ClusterFinding::Corrupt {
            kind: disaster.kind,
            region: cx.region_name(disaster.regions[0]).into(),
        };
        list.insert(0, check(CheckId::Data, Verdict::block(11), finding));
    }
    if let Some(region) = cx.region_of(group, to) {
        list.push(room(cx, group, proposal.from, region, proposal.intent == Intent::Switchover));
    }
    list.extend(cx.state.running(group).map(|open| supersedes(open)));
    if cx.state.changed.contains_key(&group) {
        list.insert(0, check(CheckId::SameCluster, Verdict::block(11), ClusterFinding::IdentityChanged));
    }
    list
}

/// Another operation of the group is not over: this one may take its place only while that one waits.
fn supersedes(open: &Operation) -> Check {
    match open.may_be_superseded() {
        true => check(CheckId::Operation, Verdict::Advice, Finding::Supersedes { operation: open.id }),
        false => check(CheckId::Operation, Verdict::not_yet(7), Finding::Runs { operation: open.id }),
    }
}

fn opens_route(cx: &Facts, proposal: &Proposal) -> bool {
    cx.estate().plan_named(&proposal.plan).is_some_and(Plan::restores_traffic)
}

fn check(id: CheckId, verdict: Verdict, finding: impl Into<Finding>) -> Check {
    Check { id, verdict, finding: finding.into(), figure: None, at: None }
}

/// Are the members that would be left gone, as the observers say? The old primary is the first of them.
pub fn observers(cx: &Facts, group: GroupId, left: &[MemberId]) -> Check {
    let Some((from, others)) = left.split_first().map(|(from, others)| (*from, others)) else {
        return check(CheckId::Observers, Verdict::not_yet(5), PrimaryFinding::None);
    };
    if let Some(check) = others.iter().find_map(|other| answers(cx, group, *other)) {
        return check;
    }
    let votes = votes::votes(cx, group, from);
    let member = cx.called(group, from);
    let (verdict, finding) = if let Some(sign) = votes.alive() {
        // Without the store nothing is handed over, in whatever way.
        let instead = match cx.record(group) {
            Some(_) if cx.report(group, from).is_none() => Instead::LeaveIt,
            Some(_) => Instead::SwitchOver,
            None => Instead::AwaitStore,
        };
        // A lock that was renewed is decided when the next renewal is overdue.
        (
            Verdict::Block { law: 5, decided: votes.renewed.is_none() },
            PrimaryFinding::Alive { member, sign, instead },
        )
    } else if votes.gone() {
        (Verdict::Pass, PrimaryFinding::Gone { tally: votes.tally() })
    } else if votes.ours == Stance::Gone {
        (Verdict::Advice, PrimaryFinding::GoneForSome { tally: votes.tally() })
    } else {
        (
            Verdict::not_yet(5),
            PrimaryFinding::NotKnownGone { member, ours: votes.list.first().map(|v| v.says.clone()) },
        )
    };
    Check { at: votes.oldest(), ..check(CheckId::Observers, verdict, finding) }
}

/// Another member of the region that is to be left answers us: the region is not lost.
fn answers(cx: &Facts, group: GroupId, member: MemberId) -> Option<Check> {
    let votes = votes::votes(cx, group, member);
    (votes.ours == Stance::Alive).then(|| {
        let finding = PrimaryFinding::RegionAnswers { member: cx.called(group, member) };
        Check { at: votes.oldest(), ..check(CheckId::Observers, Verdict::block(5), finding) }
    })
}

/// Can the members that would be left be proven off? The old primary is the first of them.
pub fn fence(cx: &Facts, group: GroupId, left: &[MemberId]) -> Check {
    let each = left.iter().map(|member| fence_one(cx, group, *member));
    let rank = |c: &Check| match c.verdict {
        Verdict::Block { .. } => 0,
        Verdict::Risk(_) => 1,
        Verdict::Advice => 2,
        Verdict::Pass => 3,
    };
    each.min_by_key(rank).unwrap_or_else(|| check(CheckId::Fence, Verdict::block(1), FenceFinding::NoPrimary))
}

/// Can a member be proven off?
fn fence_one(cx: &Facts, group: GroupId, from: MemberId) -> Check {
    let member = cx.called(group, from);
    let Some(fence) = cx.database(group).and_then(|d| d.fence.as_ref()) else {
        let version =
            cx.member_ids(group).filter_map(|m| Some(cx.member(group, m)?.report.as_ref()?.0.version)).max();
        let overwrites = version.filter(|v| *v <= Version(3, 0, 2));
        return check(
            CheckId::Fence,
            Verdict::Risk(Risk::TwoMayWrite),
            FenceFinding::None { member, overwrites },
        );
    };
    if cx.known_name(group, from).is_none() {
        return check(CheckId::Fence, Verdict::not_yet(1), FenceFinding::NameUnknown { member });
    }
    let region = cx.region_of(group, from);
    let failing = |r: &&RegionId| Some(**r) == region || cx.state.regions[r.at()].0 == RegionStatus::Down;
    if let Some(needed) =
        fence.depends_on.iter().find(failing).filter(|_| !planted::is(Break::FenceNeedsTheLost))
    {
        return check(
            CheckId::Fence,
            Verdict::block(10),
            FenceFinding::Needs { region: cx.region_name(*needed).into() },
        );
    }
    if let Some((Err(reason), at)) = cx.member(group, from).and_then(|m| m.fence_check.as_ref()) {
        return Check {
            at: Some(*at),
            ..check(CheckId::Fence, Verdict::Advice, FenceFinding::CheckFails { reason: reason.clone() })
        };
    }
    match cx.state.fence_proofs.get(&(group, from)) {
        Some((at, took)) => check(
            CheckId::Fence,
            Verdict::Pass,
            FenceFinding::Proven { ago: cx.now.utc.since(*at), took: *took },
        ),
        None => {
            let group = cx.estate().group(group).name.as_str().into();
            check(CheckId::Fence, Verdict::Advice, FenceFinding::NeverFired { group, member })
        }
    }
}

/// Whether the target can carry what moves there.
pub fn room(cx: &Facts, group: GroupId, from: RegionId, to: RegionId, planned: bool) -> Check {
    let name = |region| Name::from(cx.region_name(region));
    let (Some(load), Some(there)) = (cx.load(from), cx.load(to)) else {
        return check(CheckId::Capacity, Verdict::Advice, LoadFinding::Unknown { region: name(to) });
    };
    // Loads are shares of each region's own capacity; what moves is counted in the target's.
    let moving = cx.estate().carried(from, load);
    let filled = |coming: u32| cx.estate().filled((to, there), coming);
    let (before, after) = filled(moving);
    // In a planned move only this database's users come.
    if planned && let Some((part, of, known)) = moves(cx, group, from, moving) {
        let (part, all) = (filled(part).1, filled(part * of).1);
        let (verdict, strain) = match (part > 100, all > 100) {
            (true, _) => (Verdict::Risk(Risk::Overload { percent: part }), Strain::Short),
            (_, true) => (Verdict::Advice, Strain::Fits),
            _ => (Verdict::Pass, Strain::Fits),
        };
        let all = (of > 1).then(|| LoadOfAll {
            percent: all,
            databases: of,
            from: name(from),
            as_they_came: known,
        });
        let finding = LoadFinding::OfDatabase { region: name(to), before, after: part, all, strain };
        let figure = Figure::Load { before, after: part, whole: false };
        return Check { figure: Some(figure), ..check(CheckId::Capacity, verdict, finding) };
    }
    // Nothing forces a planned move into a region that is too small; a failover may have no better place to go.
    let (verdict, strain) = match (after > 100, planned) {
        (false, _) => (Verdict::Pass, Strain::Fits),
        (true, false) => (Verdict::Advice, Strain::Slow),
        (true, true) => (Verdict::Risk(Risk::Overload { percent: after }), Strain::Short),
    };
    let (size, from_size) = (cx.estate().region(to).capacity, cx.estate().region(from).capacity);
    let finding = match size == from_size || after <= 100 {
        true => LoadFinding::OfRegion { region: name(to), before, after, from: name(from), strain },
        // A small region is filled by what a large one hardly feels.
        false => {
            // Where its region lives only what is led there anew comes, as far as that is known.
            let alone = moves(cx, group, from, moving)
                .filter(|(_, of, _)| *of > 1 && cx.state.regions[from.at()].0 != RegionStatus::Down);
            let alone = alone.map(|(part, ..)| filled(part).1);
            LoadFinding::OfLargerRegion {
                region: name(to),
                size,
                before,
                alone,
                after,
                from: name(from),
                from_size,
                strain,
            }
        }
    };
    // How full it would be is more than that it is not too full.
    Check {
        figure: Some(Figure::Load { before, after, whole: true }),
        ..check(CheckId::Capacity, verdict, finding)
    }
}

/// What of a region's load comes with one of its databases, how many such there are, and whether that is known: from what
/// it carried before they were moved there; else each is taken to be an equal part of all that it carries.
fn moves(cx: &Facts, group: GroupId, from: RegionId, carried: u32) -> Option<(u32, u32, bool)> {
    let led: Vec<GroupId> = cx.estate().group_ids().filter(|g| cx.leading_region(*g) == Some(from)).collect();
    let came = |g: GroupId| {
        let last = cx.state.operations.iter().rev().find(|o| o.group == g && o.handed_over())?;
        last.before.target_load.filter(|_| cx.region_of(g, last.to) == Some(from))
    };
    let before: Vec<Percent> = led.iter().filter_map(|g| came(*g)).collect();
    if let (Some(_), Some(least)) = (came(group), before.iter().min()) {
        let own = cx.estate().carried(from, *least);
        return Some((carried.saturating_sub(own) / before.len() as u32, before.len() as u32, true));
    }
    (led.len() > 1).then(|| (carried / led.len() as u32, led.len() as u32, false))
}

/// What would be lost, as the check of the writes says.
fn loss(intent: Intent, checks: &[Check]) -> Loss {
    match intent {
        Intent::Switchover => Loss::Nothing,
        Intent::Guided => Loss::Unknown,
        Intent::Failover => match checks.iter().find(|c| c.id == CheckId::Writes).map(|c| c.verdict) {
            Some(Verdict::Pass) => Loss::Nothing,
            Some(Verdict::Risk(Risk::Loses(Amount::AtLeast(bytes)))) => Loss::AtLeast(bytes),
            _ => Loss::Unknown,
        },
    }
}

/// The region whose primary may be left although it is alive, where there is a fence that makes that true.
fn overrule(cx: &Facts, proposal: &Proposal, checks: &[Check]) -> Option<RegionId> {
    let mut blocks = checks.iter().filter(|c| matches!(c.verdict, Verdict::Block { .. }));
    let only = blocks.next().is_some_and(|c| c.id == CheckId::Observers) && blocks.next().is_none();
    let fenced = cx.database(proposal.group).is_some_and(|d| d.fence.is_some());
    (only && fenced).then_some(proposal.from)
}

/// Its primary answers and leads, or others say that it does.
fn leads_on(cx: &Facts, group: GroupId) -> bool {
    match votes::silence(cx, group, None) {
        None => cx.stepped_down(group).is_none(),
        Some(silence) => matches!(silence, Silence::Doubted { .. }),
    }
}

/// What happens if nothing is done, and why the cluster has not acted by itself: a commander's first question.
pub fn otherwise(cx: &Facts, group: GroupId, from: MemberId) -> Otherwise {
    let Some(record) = cx.record(group) else {
        return cx.database(group).map_or(Otherwise::NoDatabase, |_| Otherwise::Unknown);
    };
    let member = cx.called(group, from);
    // Its database answers; the agent that would renew the lock does not.
    let agentless =
        record.leading_member() == Some(from) && votes::silence(cx, group, None) == Some(Silence::Agent);
    if record.leading_member() == Some(from)
        && !agentless
        && let Some(alive) = votes::votes(cx, group, from).alive()
    {
        return Otherwise::Leads { member, sign: Some(alive) };
    }
    if record.config.as_ref().is_some_and(|c| c.paused) {
        return Otherwise::Paused;
    }
    if record.voters > 0 && record.voters_up * 2 <= record.voters {
        return Otherwise::NoQuorum;
    }
    let synchronous = record.config.as_ref().is_some_and(|c| c.synchronous);
    let old = cx.member_name(group, from);
    let electable = cx
        .synchronous_standbys(group)
        .iter()
        .any(|r| *r != from && cx.report(group, *r).is_some_and(|m| m.running));
    match &record.leader {
        Some(leader) if *leader.name == *old => {
            let lives = cx.member(group, from).is_some_and(|m| m.failing_since().is_none());
            if lives && !agentless {
                return Otherwise::Leads { member, sign: None };
            }
            if synchronous && !electable {
                return Otherwise::NobodyMay {
                    lock: if agentless { LockHolder::Agentless } else { LockHolder::Old },
                };
            }
            let passed = cx
                .telemetry
                .group(group)
                .store
                .record
                .as_ref()
                .map_or(Span::ZERO, |(_, at)| cx.now.mono.since(*at));
            let left = leader.lease_left.map(|l| Span(l.0.saturating_sub(passed.0)));
            let by = left.and_then(|_| by(cx, group, from, synchronous));
            Otherwise::Takeover { old: member, by, left, beside: agentless }
        }
        Some(leader) => Otherwise::LeadsAlready { member: leader.name.clone() },
        None if synchronous && !electable => Otherwise::NobodyMay { lock: LockHolder::Nobody },
        None => Otherwise::Elects,
    }
}

/// Who would take over, where only one may.
fn by(cx: &Facts, group: GroupId, from: MemberId, synchronous: bool) -> Option<Name> {
    let may = |r: &MemberId| *r != from && cx.report(group, *r).is_some_and(|m| m.running);
    let list: Vec<MemberId> = cx.synchronous_standbys(group).into_iter().filter(may).collect();
    match list.as_slice() {
        [one] if synchronous => Some(cx.called(group, *one)),
        _ => None,
    }
}

#[derive(Serialize)]
struct Evidence<'a> {
    group: GroupId,
    left: Vec<MemberId>,
    to: Option<MemberId>,
    checks: Vec<(CheckId, Verdict)>,
    leader: Option<(&'a str, u64)>,
    sync: Option<u64>,
    failover: Option<u64>,
    config: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supersedes: Option<OperationId>,
}

/// What a confirmation is bound to: the verdicts and the facts that decide, not the figures that move with every poll.
fn digest(cx: &Facts, proposal: &Proposal, to: Option<MemberId>, checks: &[Check]) -> Digest {
    let bound = |c: &Check| match c.verdict {
        Verdict::Risk(risk) => (c.id, Verdict::Risk(risk.without_load())),
        verdict => (c.id, verdict),
    };
    let record = cx.telemetry.group(proposal.group).store.record.as_ref().map(|(r, _)| r);
    Digest::of_value(&Evidence {
        group: proposal.group,
        left: cx.left(proposal.group, proposal.old, proposal.leaves),
        to,
        checks: checks.iter().map(bound).collect(),
        leader: record.and_then(|r| r.leader.as_ref()).map(|l| (&*l.name, l.create_revision)),
        sync: record.and_then(|r| r.sync.as_ref()).map(|s| s.revision),
        failover: record.and_then(|r| r.failover.as_ref()).map(|f| f.revision),
        config: record.and_then(|r| r.config.as_ref()).map(|c| c.revision),
        supersedes: cx.state.running(proposal.group).map(|o| o.id),
    })
}

/// Why automation would not begin this by itself; `None` if it would.
pub fn automation_veto(cx: &Facts, proposal: &Proposal, assessment: &Assessment) -> Option<Veto> {
    if !cx.state.armed {
        return Some(Veto::ReadOnly);
    }
    if let Some((rule, fault)) = cx.estate().automation_off(cx.state.mode, cx.now.utc) {
        return Some(Veto::WaiverInvalid { rule, fault });
    }
    let settle = cx.estate().policy.limits.settle;
    let up = cx.now.mono.since(cx.state.since);
    if claim::state(cx, proposal.group).is_some_and(|c| c.is_legacy()) {
        return Some(Veto::OlderClaim);
    }
    automation_rules(cx, proposal, assessment)
        .or_else(|| short(cx, proposal, assessment))
        .or_else(|| (up < settle).then_some(Veto::Settling { up, settle }))
        .or_else(|| automation_evidence(cx, proposal, assessment))
}

/// The target cannot carry what would come: whether that is better than nothing is for a person to say.
fn short(cx: &Facts, proposal: &Proposal, assessment: &Assessment) -> Option<Veto> {
    let check = assessment.checks.iter().find(|c| c.is_short())?;
    // What it would lose besides weighs more.
    Some(match assessment.risks.is_empty() {
        true => Veto::TargetShort {
            check: Box::new(check.clone()),
            to: assessment.to.and_then(|to| cx.region_of(proposal.group, to)),
        },
        false => Veto::Risky { risks: assessment.risks.clone(), short: true },
    })
}

/// The vetoes of what is configured, drilled and done before.
fn automation_rules(cx: &Facts, proposal: &Proposal, assessment: &Assessment) -> Option<Veto> {
    let policy = &cx.estate().policy;
    let disaster = cx.state.disasters.iter().find(|d| Some(d.id) == proposal.disaster)?.kind;
    let Some(response) = cx.estate().response(disaster) else { return Some(Veto::NoResponse { disaster }) };
    if !response.automated {
        return Some(Veto::ResponseOff { disaster });
    }
    let strategy = response.strategy;
    match policy.strategies.get(&strategy) {
        None => return Some(Veto::StrategyUndefined { strategy }),
        Some(s) if s.automation != Automation::Full => {
            return Some(Veto::LeftToPeople { strategy, automation: s.automation });
        }
        Some(_) => {}
    }
    if assessment.second_person {
        return Some(Veto::SecondPerson);
    }
    if proposal.intent != Intent::Failover {
        return Some(Veto::NotAFailover);
    }
    if cx.database(proposal.group).and_then(|d| d.fence.as_ref()).is_none() {
        return Some(Veto::NoFence);
    }
    let cooldown = policy.limits.cooldown;
    if let Some(at) = cx.state.automation_at.get(&proposal.group)
        && cx.now.utc.since(*at) < cooldown
        && !planted::is(Break::NoCooldown)
    {
        return Some(Veto::Cooldown { acted: cx.now.utc.since(*at), cooldown, until: at.plus(cooldown) });
    }
    if let Some(within) = policy.limits.fence_proof {
        match cx.state.fence_proofs.get(&(proposal.group, proposal.old)) {
            Some((at, _)) if cx.now.utc.since(*at) <= within => {}
            _ => return Some(Veto::FenceNotProven { within }),
        }
    }
    (policy.limits.drilled && !cx.state.drilled.contains(&assessment.plan)).then_some(Veto::NotDrilled)
}

/// The vetoes that rest on what is measured.
fn automation_evidence(cx: &Facts, proposal: &Proposal, assessment: &Assessment) -> Option<Veto> {
    if let Some(check) = assessment.blocked() {
        return Some(Veto::Blocked { check: Box::new(check.clone()) });
    }
    if !assessment.risks.is_empty() {
        return Some(Veto::Risky { risks: assessment.risks.clone(), short: false });
    }
    let votes = votes::votes(cx, proposal.group, proposal.old);
    if !votes.gone() {
        return Some(Veto::ObserversDisagree { votes: votes.tally() });
    }
    // One that came back and failed anew is waited for as long as the first time, whatever countdown still runs; so is one
    // that only we had lost: a standby that lost its stream a moment ago may have it back in the next.
    let detection = &cx.estate().policy.detection;
    let patience = detection
        .interval
        .times(u64::from(detection.threshold.saturating_sub(1)))
        .plus(detection.response_delay);
    let failing = votes.since.map_or(Span::ZERO, |t| cx.now.mono.since(votes.heard.map_or(t, |h| h.max(t))));
    if failing < patience {
        return Some(Veto::FailsTooShortly { failing, patience });
    }
    if votes.list.iter().any(|v| v.synchronous && v.stance != Stance::Gone) {
        return Some(Veto::SynchronousStreams);
    }
    // Silence is weaker than a refusal: it is believed only after many unanswered probes.
    let silent = cx
        .member(proposal.group, proposal.old)
        .is_some_and(|m| m.sql.refusals < limits::REFUSALS && m.sql.silences < limits::SILENCES);
    if silent {
        return Some(Veto::SilenceTooShort);
    }
    let members = cx.database(proposal.group).map_or(0, |d| d.members.len());
    let reachable = cx.member_ids(proposal.group).filter(|m| cx.report(proposal.group, *m).is_some()).count();
    if reachable * 2 < members {
        return Some(Veto::FewMembersAnswer);
    }
    let limit = limits::FRESH_FOR_AUTOMATION;
    votes.oldest().is_none_or(|at| cx.now.mono.since(at) > limit).then_some(Veto::EvidenceTooOld { limit })
}

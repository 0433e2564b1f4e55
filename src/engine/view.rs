//! The snapshot that screens read: state and telemetry at one moment, nothing invented.

use super::conditions::conditions;
use crate::engine::kernel::telemetry::{MemberTelemetry, Probes};
use crate::engine::kernel::votes::Stance;
use crate::engine::kernel::watched::Watched;
use crate::engine::kernel::{detect, entry, limits, services, unproven, votes};
use crate::engine::kinds;
use crate::engine::rooms::recovery::successor;
use crate::engine::rooms::recovery::{assess, step};
use crate::engine::{Engine, Facts, survey};
use crate::model::*;
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn snapshot(engine: &Engine, now: Now, world: Option<WorldView>) -> Snapshot {
    let cx = engine.facts(now);
    let state = &engine.state;
    let mut disasters: Vec<Disaster> = state.open_disasters().cloned().collect();
    disasters.sort_by_key(|d| std::cmp::Reverse(d.severity));
    let mut proposals: Vec<ProposalView> = state
        .proposals
        .iter()
        .map(|open| ProposalView {
            proposal: open.proposal.clone(),
            assessment: assess::assess(&cx, &open.proposal, open.revision),
            automatic_in: open.proposal.automatic_at.map(|at| at.since(now.mono)),
            holds_automatic: state
                .displaced
                .get(&open.proposal.group)
                .is_some_and(|p| p.automatic_at.is_some()),
        })
        .collect();
    // Each stays where it was, though another choice took its place.
    proposals.sort_by_key(|v| v.proposal.group);
    let unproven = unproven::all(state);
    let watched = engine.watched();
    let mut snapshot = Snapshot {
        mode: state.mode,
        now,
        estate: Arc::clone(&state.estate),
        armed: state.armed,
        regions: state.estate.region_ids().map(|r| region(&cx, &watched, r)).collect(),
        groups: state
            .estate
            .group_ids()
            .map(|g| GroupView { unproven: unproven.contains(&g), ..group(&cx, g, &proposals) })
            .collect(),
        services: services::views(&cx),
        disasters,
        proposals,
        closed: state.closed.clone(),
        forecasts: Vec::new(),
        readiness: None,
        operations: state.operations.clone(),
        waits: state.operations.iter().filter(|o| !o.is_over()).flat_map(|o| waits(&cx, o)).collect(),
        log: Arc::default(),
        log_total: 0,
        gaps: gaps(&cx, &unproven),
        stale: stale(&cx),
        records: state.records,
        controller: None,
        head: None,
        stored: 0,
        failed: None,
        world,
        conditions: Vec::new(),
    };
    snapshot.conditions = conditions(&cx, &snapshot);
    snapshot
}

fn waits(cx: &Facts, operation: &Operation) -> Vec<WaitView> {
    let running = operation.steps.iter().enumerate().filter(|(_, r)| r.state == StepState::Running);
    running
        .filter_map(|(i, _)| {
            let wait = match step::look(cx, operation, i) {
                step::Progress::Wait(wait) => wait,
                step::Progress::Ask(what) => WaitReason::Person { what },
                _ => return None,
            };
            Some(WaitView { operation: operation.id, step: i as u16, wait })
        })
        .collect()
}

/// A database's probes as far as it was asked. Where its own port was not asked yet, its agent speaks for it.
fn asked(member: &MemberTelemetry) -> Option<&Probes> {
    [&member.sql, &member.rest].into_iter().find(|p| p.last_try.is_some())
}

fn region(cx: &Facts, watched: &Watched, id: RegionId) -> RegionView {
    let (status, reason) = cx.state.regions[id.at()].clone();
    // The record has why it turned; what is so now may be more, or something else.
    let now = detect::region_status(cx, watched.groups(id), &watched.sight(cx, id), id);
    let reason = if now.0 == status { now.1 } else { reason };
    let members: Vec<_> = watched.members(id).iter().filter_map(|(g, m)| cx.member(*g, *m)).collect();
    let of = |s: &ServiceId| cx.telemetry.services.get(s.at())?.get(id.at()).filter(|p| p.last_try.is_some());
    let services: Vec<_> = watched.services(id).iter().filter_map(of).collect();
    let well = |p: &&Probes| p.last.as_ref().is_some_and(ProbeResult::is_well);
    let databases: Vec<_> = members.iter().copied().filter_map(asked).collect();
    let up = services.iter().chain(&databases).copied().filter(well).count();
    let all = || members.iter().flat_map(|m| [&m.sql, &m.rest]).chain(services.iter().copied());
    RegionView {
        status,
        reason,
        load: cx.telemetry.loads[id.at()],
        services_up: up as u16,
        services: (services.len() + databases.len()) as u16,
        last_answer: all().filter_map(|p| p.last_life).max(),
        last_check: all().filter_map(|p| p.last_try).max(),
    }
}

fn group(cx: &Facts, id: GroupId, proposals: &[ProposalView]) -> GroupView {
    let led_by = cx.unconfigured_leader(id);
    let (known, timeline) = cx.state.primaries[id.at()];
    let primary = known.filter(|_| led_by.is_none());
    let record = cx.telemetry.group(id).store.record.as_ref();
    let votes = primary.map(|primary| votes::votes(cx, id, primary));
    let (observers_for, observers_against, observers, observers_absent) = match &votes {
        Some(v) => (
            v.count(Stance::Gone) as u16,
            v.count(Stance::Alive) as u16,
            v.list.len() as u16,
            v.absent() as u16,
        ),
        None => (0, 0, 0, 0),
    };
    let proposal = proposals.iter().find(|p| p.proposal.group == id);
    let veto = proposal.and_then(|p| assess::automation_veto(cx, &p.proposal, &p.assessment));
    let limit = cx.estate().policy.limits.cooldown;
    GroupView {
        group: id,
        primary: primary.and_then(|p| cx.region_of(id, p)),
        leader: primary,
        led_by,
        timeline,
        lease_left: record.and_then(|(r, at)| Some((r.leader.as_ref()?.lease_left?, *at))),
        synchronous: record.and_then(|(r, _)| r.config.as_ref()).map(|c| c.synchronous),
        paused: record.and_then(|(r, _)| r.config.as_ref()).is_some_and(|c| c.paused),
        survey: surveyed(cx, id),
        members: cx.member_ids(id).filter_map(|m| member(cx, id, m)).collect(),
        observers_for,
        observers_against,
        observers,
        observers_absent,
        operation: cx.state.running(id).map(|o| o.id),
        unproven: false,
        elected: unproven::elected(cx.state, id).cloned(),
        declined: cx.state.open_disasters().find_map(|d| cx.state.declined.get(&(d.id, id))).cloned(),
        stepped_down: cx.stepped_down(id),
        silence: votes::silence(cx, id, votes.as_ref()),
        beside: cx.writes_beside(id),
        alone: alone(cx, id),
        blind: cx.telemetry.group(id).store.away_since.is_some(),
        drained: drained(cx, id),
        held: held(cx, id, proposal, veto.as_ref()),
        blocked_until: cx
            .state
            .automation_at
            .get(&id)
            .map(|at| at.plus(limit))
            .filter(|until| *until > cx.now.utc),
        automation: automation(cx, proposal.map(|p| &p.proposal)),
        veto,
    }
}

fn alone(cx: &Facts, group: GroupId) -> Option<AloneView> {
    let told = |turn| {
        cx.state
            .turned
            .get(&(group, turn))
            .map(|since| AloneView { since: *since, waits: turn == Turn::WritesWait })
    };
    told(Turn::WritesWait).or_else(|| told(Turn::WritesAlone))
}

/// Why automation does not act: the reason of this moment where a choice has stopped counting, else the one told last.
fn held(cx: &Facts, group: GroupId, proposal: Option<&ProposalView>, veto: Option<&Veto>) -> Option<Veto> {
    let told = cx.state.open_disasters().find_map(|d| cx.state.held.get(&(d.id, group)))?.last()?;
    let counts = proposal.and_then(|p| p.automatic_in).is_some_and(|left| left > Span::ZERO);
    let now = veto.filter(|v| proposal.is_some() && **v != Veto::ReadOnly);
    if counts || cx.state.running(group).is_some_and(|o| !matches!(o.status, Status::Waiting { .. })) {
        return None;
    }
    Some(now.unwrap_or(told).clone())
}

/// The balancers that lead nobody to a healthy primary; empty unless that is all of them that answer, and nothing mends it.
fn drained(cx: &Facts, group: GroupId) -> Vec<BalancerId> {
    let acts = cx
        .state
        .running(group)
        .is_some_and(|o| matches!(o.status, Status::Running | Status::RollingBack { .. }));
    let Some(leader) = cx.leader(group).filter(|_| !acts) else { return Vec::new() };
    if cx.report(group, leader).is_none_or(|r| r.role != MemberRole::Leader || !r.running) {
        return Vec::new();
    }
    let heard = |b: &crate::engine::kernel::telemetry::BalancerTelemetry| {
        let at = b.servers.as_ref().filter(|_| b.away.is_none()).map(|(_, at)| *at)?;
        (cx.now.mono.since(at) <= cx.stale_after()).then(|| b.all_in_maintenance(leader, true).is_some())
    };
    let answers: Vec<(BalancerId, bool)> = cx
        .telemetry
        .group(group)
        .balancers
        .iter()
        .enumerate()
        .filter_map(|(i, b)| Some((BalancerId::of(i), heard(b)?)))
        .collect();
    if answers.iter().all(|(_, out)| *out) {
        answers.into_iter().map(|(id, _)| id).collect()
    } else {
        Vec::new()
    }
}

fn automation(cx: &Facts, proposal: Option<&Proposal>) -> Automation {
    let kind = proposal
        .and_then(|p| p.disaster)
        .and_then(|d| cx.state.disasters.iter().find(|x| x.id == d))
        .map(|d| d.kind);
    let response = kind.and_then(|k| cx.estate().response(k)).filter(|r| r.automated);
    response
        .and_then(|r| cx.estate().policy.strategies.get(&r.strategy))
        .map_or(Automation::Manual, |s| s.automation)
}

/// What the survey of a live estate finds that is not as it should be.
fn surveyed(cx: &Facts, id: GroupId) -> Vec<Surveyed> {
    if cx.state.mode != Mode::Live || cx.telemetry.group(id).survey.is_none() {
        return Vec::new();
    }
    let open =
        survey::survey(cx, id).into_iter().filter(|s| s.state.stops() || s.state == SurveyState::Unknown);
    open.take(limits::KEEP).collect()
}

fn member(cx: &Facts, group: GroupId, id: MemberId) -> Option<MemberView> {
    let region = cx.region_of(group, id)?;
    let leads = cx.state.primaries[group.at()].0 == Some(id) && cx.unconfigured_leader(group).is_none();
    let telemetry = cx.member(group, id);
    let report = telemetry.and_then(|m| m.report.as_ref());
    let answers = telemetry.and_then(|m| m.rest.last.as_ref().map(ProbeResult::is_life));
    let unfit = if leads { None } else { successor::unfit(cx, group, id) };
    Some(MemberView {
        member: id,
        label: cx.label(group, id).into_owned(),
        region,
        leads,
        synchronous: cx.synchronous_standbys(group).contains(&id),
        answers,
        timeline: report.and_then(|(r, _)| r.timeline),
        position: report.and_then(|(r, _)| r.position.or(r.received)),
        lag_bytes: if leads { None } else { cx.lag(group, id) },
        lag: if leads { None } else { cx.lag_time(group, id) },
        was_behind: if leads {
            None
        } else {
            cx.state.primaries[group.at()].0.and_then(|from| cx.behind_before(group, from, id))
        },
        measured: report.map(|(_, at)| *at),
        at_a_risk: unfit.as_ref().is_some_and(|u| u.at_a_risk),
        unfit: unfit.map(|u| u.why),
        round_trip: telemetry.and_then(|m| m.round_trip),
        history: telemetry.map(|m| Arc::clone(&m.history)).unwrap_or_default(),
    })
}

/// What could not be done now if it had to be.
fn gaps(cx: &Facts, unproven: &BTreeSet<GroupId>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    // While the disaster is on, it says so itself.
    gaps.extend(
        unproven
            .iter()
            .filter(|_| cx.state.open_disasters().next().is_none())
            .map(|group| Gap::Unproven { group: *group }),
    );
    // Who vouched for it has not told what was lost: for a day that is not forgotten.
    let vouched =
        |e: &&Elected| e.vouched.as_ref().is_some_and(|(at, _)| cx.now.utc.since(*at) < Span::days(1));
    let vouched = |group| {
        Some(Gap::Vouched { group, elected: unproven::elected(cx.state, group).filter(vouched)?.clone() })
    };
    gaps.extend(cx.estate().group_ids().filter_map(vouched));
    gaps.extend(
        cx.state
            .changed
            .iter()
            .map(|(group, (_, change))| Gap::IdentityChanged { group: *group, change: change.clone() }),
    );
    let departed = cx.estate().departed.groups.iter();
    gaps.extend(
        departed
            .map(|group| Gap::Departed { group: *group, left: cx.state.obligations(*group).count() as u16 }),
    );
    for group in cx.estate().group_ids() {
        if let Some(database) = cx.database(group) {
            cluster_gaps(cx, group, database, &mut gaps);
            gaps.extend(database.member_ids().flat_map(|m| member_gaps(cx, group, database, m)));
        }
    }
    gaps
}

/// What a database as a whole lacks.
fn cluster_gaps(cx: &Facts, group: GroupId, database: &Database, gaps: &mut Vec<Gap>) {
    let leader = cx.state.primaries[group.at()].0;
    gaps.extend(blocked(cx, group, database).into_iter().map(|finding| Gap::Blocked { group, finding }));
    if database.fence.is_none() {
        gaps.push(Gap::NoFence { group });
    }
    if database.store.is_empty() {
        gaps.push(Gap::NoStore { group });
    } else if let Some((reason, _)) = &cx.telemetry.group(group).store.away {
        gaps.push(Gap::StoreSilent {
            group,
            leader,
            stepped_down: cx.stepped_down(group).is_some(),
            reason: reason.clone(),
        });
    }
    if let Some((old, new)) = cx.writes_beside(group).zip(leader) {
        gaps.push(Gap::TwoMayWrite { group, old, new });
    }
    if let Some(alone) = alone(cx, group) {
        gaps.push(Gap::NotSynchronous { group, leader, waits: alone.waits });
    }
    if database.balancers.is_empty() {
        gaps.push(Gap::NoEntry { group });
    }
    if let Some(leader) = cx
        .leader(group)
        .filter(|_| cx.state.running(group).is_none_or(|o| matches!(o.status, Status::Waiting { .. })))
    {
        for (balancer, telemetry) in database.balancers.iter().zip(&cx.telemetry.group(group).balancers) {
            if telemetry.all_in_maintenance(leader, true).is_some() {
                gaps.push(Gap::PrimaryInMaintenance { group, leader, balancer: balancer.address.clone() });
            }
        }
    }
}

/// Why nothing can be done for a database as it stands, whoever would take over.
fn blocked(cx: &Facts, group: GroupId, database: &Database) -> Vec<Finding> {
    let store = cx.record(group).and_then(|record| kinds::replicated(database).unusable(database, record));
    let left: Vec<MemberId> = cx.leader(group).into_iter().collect();
    store.into_iter().chain(entry::unrouted(cx, group, &left).map(Finding::from)).collect()
}

/// What a member lacks.
fn member_gaps(cx: &Facts, group: GroupId, database: &Database, member: MemberId) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let Some(seen) = cx.member(group, member) else { return gaps };
    if let Some((Err(reason), _)) = &seen.fence_check {
        gaps.push(Gap::FenceCheckFails { group, member, reason: reason.clone() });
    }
    let answers = seen.sql.failing_since.is_none() && seen.rest.failing_since.is_none();
    let had_time = cx.now.mono.since(cx.state.since) > Span::secs(5);
    let Some(sql) = database
        .sql
        .as_ref()
        .filter(|_| answers && had_time && seen.stream.is_none() && seen.report.is_some())
    else {
        return gaps;
    };
    let leads = cx.leader(group) == Some(member);
    if let Some(reason) = seen.login.as_ref().and_then(|(r, _)| r.as_ref().err()) {
        gaps.push(Gap::LoginRefused { group, member, reason: reason.clone() });
    } else if !leads && cx.telemetry.group(group).store.record.is_some() {
        gaps.push(Gap::ReceiverUnreadable { group, member, user: sql.user.clone() });
    }
    gaps
}

/// Sources that have fallen silent.
fn stale(cx: &Facts) -> Vec<StaleSource> {
    let mut list: Vec<StaleSource> = Vec::new();
    for group in cx.estate().group_ids() {
        let Some(database) = cx.database(group) else { continue };
        let telemetry = cx.telemetry.group(group);
        if let (Some((reason, _)), Some(since)) = (&telemetry.store.away, telemetry.store.away_since) {
            list.push(StaleSource { source: Source::Store { group }, since, reason: reason.clone() });
        }
        for (balancer, telemetry) in database.balancers.iter().zip(&telemetry.balancers) {
            let source = Source::Balancer { address: balancer.address.clone() };
            // One may lead to several databases.
            if let Some((reason, since)) =
                telemetry.away.as_ref().filter(|_| !list.iter().any(|s| s.source == source))
            {
                list.push(StaleSource { source, since: *since, reason: reason.clone() });
            }
        }
    }
    list
}

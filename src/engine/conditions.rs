//! What is wrong, or worth knowing, now: typed, with evidence, the worst first. Every surface shows the same list.

use crate::engine::kernel::entry;
use crate::engine::kernel::facts::Facts;
use crate::engine::kinds;
use crate::model::*;
use std::collections::BTreeMap;

/// How long a jump of the wall clock is told (a choice of ours).
const JUMP_TOLD: Span = Span::mins(10);
/// A load older than this says nothing of now (a choice of ours).
const LOAD_COUNTS: Span = Span::mins(1);

/// All conditions at this moment, as a snapshot shows them.
pub fn conditions(cx: &Facts, s: &Snapshot) -> Vec<Condition> {
    let mut list = estate(cx, s);
    // The last operation of each database, and the last of those whose outcome stands.
    let (mut last, mut counts) = (BTreeMap::new(), BTreeMap::new());
    for o in &s.operations {
        last.insert(o.group, &**o);
        if o.counts() {
            counts.insert(o.group, &**o);
        }
    }
    for view in s.groups.iter().filter(|v| !v.members.is_empty()) {
        list.extend(cluster(cx, s, view));
        list.extend(primary(cx, s, view));
        list.extend(protection(cx, s, view));
        list.extend(way_in(cx, s, view));
        list.extend(last.get(&view.group).and_then(|o| operation(view, o)));
        list.extend(counts.get(&view.group).into_iter().flat_map(|o| obligations(view, o)));
        list.extend(automation(s, view));
        list.extend(not_ready(cx, view));
    }
    list.extend(s.gaps.iter().filter_map(lack));
    let astray = s.led_elsewhere();
    list.extend(astray.iter().filter_map(|(v, planned)| {
        Some(of(v, ConditionKind::LedElsewhere { at: v.primary?, planned: *planned }))
    }));
    list.extend(s.estate.region_ids().flat_map(|region| place(s, region)));
    list.extend(s.estate.service_ids().filter_map(|service| users(s, service)));
    rank(&mut list);
    list
}

fn of(view: &GroupView, kind: ConditionKind) -> Condition {
    Condition::new(kind, About::Group(view.group))
}

/// What concerns the estate as a whole.
fn estate(cx: &Facts, s: &Snapshot) -> Vec<Condition> {
    let mut list: Vec<Condition> = s
        .disasters
        .iter()
        .map(|d| {
            let kind = ConditionKind::Disaster { id: d.id, kind: d.kind, regions: d.regions.clone() };
            Condition { severity: d.severity, ..Condition::new(kind, About::Estate).since(Some(d.since)) }
        })
        .collect();
    if !s.disasters.is_empty() && !s.armed && cx.state.mode != Mode::Fork {
        list.push(Condition::new(ConditionKind::ReadOnly, About::Estate));
    }
    for silent in &s.stale {
        let (kind, about) = match &silent.source {
            Source::Store { group } => {
                (ConditionKind::StoreSilent { reason: silent.reason.clone() }, About::Group(*group))
            }
            Source::Balancer { address } => (
                ConditionKind::BalancerSilent { address: address.clone(), reason: silent.reason.clone() },
                About::Estate,
            ),
        };
        list.push(
            Condition::new(kind, about).since(Some(s.now.utc_of(silent.since))).measured(Some(silent.since)),
        );
    }
    if let Some((at, by_ms)) = cx.state.clock_jumped.filter(|(at, _)| s.now.utc.since(*at) < JUMP_TOLD) {
        list.push(Condition::new(ConditionKind::ClockJumped { by_ms }, About::Estate).since(Some(at)));
    }
    list.extend(automation_off(cx, s));
    if s.stale.is_empty() && s.regions.iter().all(|r| r.status == RegionStatus::Unknown) {
        list.push(Condition::new(ConditionKind::NothingMeasured, About::Estate));
    }
    list
}

/// Automation is configured, and a waiver in the configuration keeps it off.
fn automation_off(cx: &Facts, s: &Snapshot) -> Option<Condition> {
    let (rule, fault) =
        s.estate.automation_off(cx.state.mode, s.now.utc).filter(|_| s.estate.policy.automates())?;
    let since = if let WaiverFault::Expired { at } = fault { Some(at) } else { None };
    Some(Condition::new(ConditionKind::AutomationOff { rule, fault }, About::Estate).since(since))
}

/// A disaster of this database's region is open: it tells why the primary is silent.
fn is_explained(s: &Snapshot, view: &GroupView) -> bool {
    let hit = |d: &&Disaster| !d.kind.is_of_data() && view.primary.is_some_and(|p| d.regions.contains(&p));
    s.disasters.iter().any(|d| {
        hit(&d) && s.estate.group(view.group).services.iter().any(|service| d.services.contains(service))
    })
}

/// Whether it is the cluster that is configured, and its members answer as they should.
fn cluster(cx: &Facts, s: &Snapshot, view: &GroupView) -> Vec<Condition> {
    let mut list = Vec::new();
    let Some(database) = s.estate.group(view.group).database.as_ref() else { return list };
    let read = cx.telemetry.group(view.group).store.record.as_ref().map(|(_, at)| *at);
    let kind = |finding: Finding| match (&view.led_by, finding) {
        (Some(leader), _) => ConditionKind::LedByUnconfigured { leader: leader.clone() },
        (None, finding) => ConditionKind::NotUsable { finding },
    };
    let unusable =
        cx.record(view.group).and_then(|record| kinds::replicated(database).unusable(database, record));
    list.extend(unusable.map(|finding| of(view, kind(finding)).measured(read)));
    let left: Vec<MemberId> = cx.leader(view.group).into_iter().collect();
    let unrouted = entry::unrouted(cx, view.group, &left)
        .map(|finding| ConditionKind::NotRouted { finding: finding.into() });
    list.extend(unrouted.map(|kind| of(view, kind)));
    for member in database.member_ids() {
        let Some(seen) = cx.member(view.group, member) else { continue };
        for (port, probes) in [(Port::Rest, &seen.rest), (Port::Sql, &seen.sql)] {
            if let Some(ProbeResult::Unwell(reason)) = &probes.last {
                let kind = ConditionKind::MemberUnwell { member, port, reason: reason.clone() };
                list.push(
                    of(view, kind)
                        .since(probes.failing_since.map(|at| s.now.utc_of(at)))
                        .measured(probes.last_try),
                );
            }
        }
    }
    list
}

/// Whether the primary answers, and takes writes alone.
fn primary(cx: &Facts, s: &Snapshot, view: &GroupView) -> Vec<Condition> {
    let mut list = Vec::new();
    let turned = |turn| cx.state.turned.get(&(view.group, turn)).copied();
    let measured = view.members.iter().find(|m| m.leads).and_then(|m| m.measured);
    if let Some((old, new)) = view.beside.zip(view.leader) {
        list.push(
            of(view, ConditionKind::TwoMayWrite { old, new })
                .since(turned(Turn::TwoMayWrite))
                .measured(measured),
        );
    }
    // What runs for it tells of itself.
    if view.operation.is_none() && !is_explained(s, view) {
        let silence = view.silence.as_ref().map(|silence| match silence {
            Silence::All => ConditionKind::PrimarySilent,
            Silence::Agent => ConditionKind::AgentSilent,
            Silence::Doubted { by } => ConditionKind::OnlyOurProbesFail { by: by.clone() },
        });
        list.extend(
            silence.map(|kind| of(view, kind).since(measured.map(|at| s.now.utc_of(at))).measured(measured)),
        );
    }
    if let Some(led) = view.stepped_down {
        list.push(of(view, ConditionKind::NoPrimary).since(Some(s.now.utc_of(led))).measured(measured));
    }
    if view.unproven {
        list.push(of(view, ConditionKind::Unproven).since(cx.state.elected.get(&view.group).map(|e| e.at)));
    }
    list
}

/// Whether what is acknowledged is held twice, and somebody could take over.
fn protection(cx: &Facts, s: &Snapshot, view: &GroupView) -> Vec<Condition> {
    let mut list = Vec::new();
    let record = cx.telemetry.group(view.group).store.record.as_ref().map(|(_, at)| *at);
    if let Some(alone) = view.alone {
        let kind = if alone.waits { ConditionKind::WritesWait } else { ConditionKind::WritesAlone };
        list.push(of(view, kind).since(Some(alone.since)).measured(record));
    }
    if view.paused {
        list.push(of(view, ConditionKind::Paused).measured(record));
    }
    // A cluster that is asynchronous is never without a risk; what an operation has moved is being protected again.
    let at_rest = view.primary.is_some() && view.operation.is_none() && view.members.len() > 1;
    if view.synchronous == Some(true)
        && at_rest
        && !view.members.iter().any(|m| !m.leads && m.unfit.is_none())
    {
        list.push(of(view, ConditionKind::NobodyCanTakeOver).measured(record));
    }
    let rpo = s.estate.targets(view.group).1;
    for m in view.members.iter().filter(|m| !m.leads) {
        let Some(lag) = m.lag else { continue };
        let member = m.member;
        if lag > rpo {
            list.push(
                of(view, ConditionKind::LagOverRpo { member, lag, rpo, bytes: m.lag_bytes })
                    .measured(m.measured),
            );
        } else if lag.0 * 2 > rpo.0 {
            list.push(of(view, ConditionKind::FallsBehind { member, lag, rpo }).measured(m.measured));
        }
    }
    list
}

/// Whether users find a way to the primary.
fn way_in(cx: &Facts, s: &Snapshot, view: &GroupView) -> Vec<Condition> {
    let mut list = Vec::new();
    let Some(database) = s.estate.group(view.group).database.as_ref().filter(|d| !d.balancers.is_empty())
    else {
        return list;
    };
    let heard = || {
        database
            .balancers
            .iter()
            .zip(&cx.telemetry.group(view.group).balancers)
            .filter(|(_, t)| t.away.is_none())
    };
    if heard().next().is_none() {
        list.push(of(view, ConditionKind::NoEntryAnswers));
    }
    let Some(leader) = cx.leader(view.group).filter(|_| view.operation.is_none()) else { return list };
    let answer: Vec<_> = heard().filter(|(_, t)| t.read_of(leader).is_some()).collect();
    let closed: Vec<_> =
        answer.iter().filter_map(|(b, t)| Some((b, t.all_in_maintenance(leader, true)?))).collect();
    if !closed.is_empty() && closed.len() == answer.len() {
        list.push(
            of(view, ConditionKind::Drained { leader }).measured(closed.iter().map(|(_, at)| *at).min()),
        );
    } else {
        let kind = |b: &Balancer| ConditionKind::PrimaryInMaintenance { leader, balancer: b.address.clone() };
        list.extend(closed.iter().map(|(b, at)| of(view, kind(b)).measured(Some(*at))));
    }
    list
}

/// How the last operation on a database stands, where that is not well.
fn operation(view: &GroupView, o: &Operation) -> Option<Condition> {
    let operation = o.id;
    let kind = match &o.status {
        Status::Waiting { .. } => ConditionKind::OperationWaits { operation },
        Status::Failed { .. } if o.has_acted() => ConditionKind::NotUndone { operation },
        Status::Aborted { .. } if o.has_acted() && !o.handed_over() => ConditionKind::NotUndone { operation },
        Status::RecoveredUnprotected { .. } if !view.is_protected() => {
            ConditionKind::Unprotected { operation }
        }
        _ => return None,
    };
    Some(of(view, kind).since(o.finished))
}

/// What is left to undo or to restore of an operation that is over.
fn obligations(view: &GroupView, o: &Operation) -> Vec<Condition> {
    let operation = o.id;
    let kind = |remainder: &Remainder| match remainder {
        Remainder::Rejoin { member } => {
            o.fenced().then_some(ConditionKind::Fenced { member: *member, operation })
        }
        Remainder::Restore { member } => Some(ConditionKind::NotRestored { member: *member, operation }),
    };
    let left = o.remains.iter().filter(|_| o.is_over()).filter_map(kind);
    left.map(|kind| of(view, kind).since(o.finished)).collect()
}

/// Why automation does not act where it is configured to, and until when it rests.
fn automation(s: &Snapshot, view: &GroupView) -> Vec<Condition> {
    let open = s.proposals.iter().find(|p| p.proposal.group == view.group && p.proposal.disaster.is_some());
    let open = open.filter(|_| view.automation == Automation::Full && view.declined.is_none());
    // Read-only is told for the estate; what passes by itself is not told while it counts.
    let told = |veto: &&Veto, p: &ProposalView| **veto != Veto::ReadOnly && (veto.stands() || !p.counts());
    let blocked = open.and_then(|p| view.veto.as_ref().filter(|veto| told(veto, p)));
    let blocked = blocked.map(|veto| ConditionKind::AutomationBlocked { veto: veto.clone() });
    let rests = view.blocked_until.map(|until| ConditionKind::Cooldown { until });
    blocked.into_iter().chain(rests).map(|kind| of(view, kind)).collect()
}

/// What would stop a failover, as the running systems answered. While something goes on, that is what counts.
fn not_ready(cx: &Facts, view: &GroupView) -> Option<Condition> {
    let (_, at) = cx.telemetry.group(view.group).survey.as_ref()?;
    if view.operation.is_some() || cx.state.open_disasters().next().is_some() {
        return None;
    }
    let stops: Vec<&Surveyed> = view.survey.iter().filter(|s| s.state.stops()).collect();
    let kind = ConditionKind::NotReady {
        stops: u16::try_from(stops.len()).unwrap_or(u16::MAX),
        first: stops.first()?.check,
    };
    Some(of(view, kind).measured(Some(*at)))
}

/// What is missing for a recovery of a database, as far as no other condition tells it.
fn lack(gap: &Gap) -> Option<Condition> {
    let (group, kind) = match gap {
        Gap::IdentityChanged { group, change } => {
            (group, ConditionKind::IdentityChanged { change: change.clone() })
        }
        Gap::Departed { group, left } => (group, ConditionKind::Departed { left: *left }),
        Gap::NoFence { group } => (group, ConditionKind::NoFence),
        Gap::NoStore { group } => (group, ConditionKind::NoStore),
        Gap::NoEntry { group } => (group, ConditionKind::NoEntry),
        Gap::FenceCheckFails { group, member, reason } => {
            (group, ConditionKind::FenceCheckFails { member: *member, reason: reason.clone() })
        }
        Gap::LoginRefused { group, member, reason } => {
            (group, ConditionKind::LoginRefused { member: *member, reason: reason.clone() })
        }
        Gap::ReceiverUnreadable { group, member, .. } => {
            (group, ConditionKind::ReceiverUnreadable { member: *member })
        }
        Gap::NotMeasured
        | Gap::PartlyMeasured { .. }
        | Gap::Unproven { .. }
        | Gap::Vouched { .. }
        | Gap::Blocked { .. }
        | Gap::StoreSilent { .. }
        | Gap::TwoMayWrite { .. }
        | Gap::NotSynchronous { .. }
        | Gap::PrimaryInMaintenance { .. } => return None,
    };
    Some(Condition::new(kind, About::Group(*group)))
}

/// How a region stands. Of one that a disaster takes with it the disaster tells.
fn place(s: &Snapshot, region: RegionId) -> Vec<Condition> {
    let view = &s.regions[region.at()];
    let of = |kind| Condition::new(kind, About::Region(region)).measured(view.last_check);
    let answered = view.last_answer.map(|at| s.now.utc_of(at));
    let lost = s
        .disasters
        .iter()
        .any(|d| d.kind != DisasterType::NodeFailure && !d.kind.is_of_data() && d.regions.contains(&region));
    let mut list = Vec::new();
    match view.status {
        RegionStatus::Down if !lost => list.push(of(ConditionKind::RegionDown).since(answered)),
        RegionStatus::Degraded if !lost => {
            list.push(of(ConditionKind::RegionDegraded { reason: view.reason.clone() }))
        }
        RegionStatus::Unknown if view.services > 0 && view.last_check.is_some() => {
            list.push(of(ConditionKind::RegionUnknown))
        }
        RegionStatus::Ok if view.services_up < view.services => {
            list.push(
                of(ConditionKind::ChecksFail { up: view.services_up, of: view.services }).since(answered),
            );
        }
        _ => {}
    }
    let full = view.load.filter(|(load, at)| {
        view.status != RegionStatus::Down && load.0 > 100 && s.now.mono.since(*at) < LOAD_COUNTS
    });
    list.extend(full.map(|(load, at)| of(ConditionKind::Overloaded { load }).measured(Some(at))));
    list
}

/// Whether a service's users are served. Of what a disaster reaches the disaster tells.
fn users(s: &Snapshot, service: ServiceId) -> Option<Condition> {
    let view = s.services.get(service.at()).filter(|v| v.hit_by.is_none())?;
    let kind = match view.health {
        ServiceHealth::Down => ConditionKind::ServiceDown,
        ServiceHealth::Impaired => ConditionKind::ServiceImpaired,
        ServiceHealth::Unknown => match view.places.iter().find_map(|p| p.failure.clone()) {
            Some(ProbeResult::NotAsked(reason)) => ConditionKind::CheckImpossible { reason },
            _ => return None,
        },
        ServiceHealth::Ok => return None,
    };
    Some(
        Condition::new(kind, About::Service(service))
            .measured(view.places.iter().filter_map(|p| p.asked).max()),
    )
}

//! From probes and votes to regions, primaries and disasters.

use super::engine::Engine;
use super::facts::Facts;
use super::limits;
use super::planted::{self, Break};
use super::state::SILENCES;
use super::votes::{self, Votes};
use super::watched::{Sight, Watched, member};
use crate::model::*;
use std::sync::Arc;

/// One round of detection. True if anything changed.
pub fn round(engine: &mut Engine, now: Now) -> bool {
    let before = engine.emitted();
    names(engine, now);
    identities(engine, now);
    primaries(engine, now);
    if engine.detects {
        let watched = engine.watched();
        let sights = watched.sights(&engine.facts(now));
        engine.watched = Some(Arc::clone(&watched));
        regions(engine, &watched, &sights, now);
        disasters(engine, &watched, &sights, now);
        turns(engine, now);
    }
    engine.emitted() > before
}

/// A group's primary is whom the lock names; while nobody holds it, it stays who it was.
fn primaries(engine: &mut Engine, now: Now) {
    for group in engine.state.estate.group_ids() {
        let cx = engine.facts(now);
        if cx.database(group).is_none() {
            continue;
        }
        let known = engine.state.primaries[group.at()];
        let Some(record) = cx.record(group) else { continue };
        let Some(member) = record.leading_member() else { continue };
        let report = cx.report(group, member).filter(|r| r.role == MemberRole::Leader && r.running);
        // A member writes its own name into /sync right before it promotes itself: it is the primary, even if it died
        // before anybody heard so from itself.
        let promoting = record
            .sync
            .as_ref()
            .is_some_and(|s| s.leader.is_some() && s.leader.as_deref() == record.name_of(member));
        let timeline = match report {
            Some(r) => r.timeline.or(known.1),
            None if known.0.is_some() && !promoting => continue,
            None => known.1,
        };
        if (Some(member), timeline) != known && (timeline.is_some() || known.0.is_none()) {
            engine.emit(now, Event::PrimaryChanged { group, member: Some(member), timeline });
        }
    }
}

/// Which cluster answers, held against the one that was seen. In a fork it is the one that was seen.
fn identities(engine: &mut Engine, now: Now) {
    for group in engine.state.estate.group_ids().filter(|_| engine.detects).collect::<Vec<_>>() {
        let cx = engine.facts(now);
        let Some(record) = cx.record(group) else { continue };
        let history = if record.history.is_empty() {
            record.last_switch.into_iter().collect()
        } else {
            record.history.clone()
        };
        let read =
            Identity { system_id: record.initialize.clone(), store_id: record.store_id.clone(), history };
        let (seen, changed) = (engine.state.identities.get(&group), engine.state.changed.get(&group));
        match seen.map_or_else(|| Ok(read.clone()), |seen| seen.continued(&read)) {
            // What tells nothing is no identity.
            Ok(identity) if identity == Identity::default() => {}
            Ok(identity) if Some(&identity) != seen || (changed.is_some() && read.system_id.is_some()) => {
                engine.emit(now, Event::IdentitySeen { group, identity });
            }
            Err(change) if changed.is_none_or(|(_, told)| *told != change) => {
                engine.emit(now, Event::IdentityChanged { group, now: read, change })
            }
            Ok(_) | Err(_) => {}
        }
    }
}

/// What the cluster calls each member: kept, because a fence needs it when nothing answers any more.
fn names(engine: &mut Engine, now: Now) {
    for group in engine.state.estate.group_ids() {
        let Some((record, _)) = engine.telemetry.group(group).store.record.as_ref() else { continue };
        let new = |key: &MemberKey| {
            let member = key.member?;
            (engine.state.names.get(&(group, member)) != Some(&key.name)).then(|| Event::MemberNamed {
                group,
                member,
                name: key.name.clone(),
            })
        };
        let events: Vec<Event> = record.members.iter().filter_map(new).collect();
        for event in events {
            engine.emit(now, event);
        }
    }
}

/// What is no disaster and belongs in the record all the same.
fn turns(engine: &mut Engine, now: Now) {
    for group in engine.state.estate.group_ids() {
        let cx = engine.facts(now);
        let store = &cx.telemetry.group(group).store;
        let silent = store.away_since.is_some_and(|since| now.mono.since(since) >= limits::SILENCE);
        let known = |turn| engine.state.turned.contains_key(&(group, turn));
        // Between the two nothing is known that was not before.
        let store =
            match (silent, cx.record(group).is_some() && store.away.is_none(), known(Turn::StoreSilent)) {
                (true, _, false) => Some(Turn::StoreSilent),
                (_, true, true) => Some(Turn::StoreAnswers),
                _ => None,
            };
        let leads = match (cx.stepped_down(group).is_some(), known(Turn::SteppedDown)) {
            (true, false) => Some(Turn::SteppedDown),
            (false, true) => {
                let primary = cx.state.primaries[group.at()].0;
                let led =
                    primary.and_then(|p| cx.report(group, p)).is_some_and(|r| r.role == MemberRole::Leader);
                led.then_some(Turn::LeadsAgain)
            }
            _ => None,
        };
        let silence = silence(&cx, group);
        let beside = match (cx.writes_beside(group).is_some(), known(Turn::TwoMayWrite)) {
            (true, false) => Some(Turn::TwoMayWrite),
            (false, true) => Some(Turn::OneWrites),
            _ => None,
        };
        let protection = protection(engine, group, now);
        for turn in store.into_iter().chain(leads).chain(silence).chain(beside).chain(protection) {
            engine.emit(now, Event::Turned { group, turn });
        }
    }
}

/// A primary that does not answer us, where no disaster tells of it and nothing runs for it.
fn silence(cx: &Facts, group: GroupId) -> Option<Turn> {
    let primary = cx.state.primaries[group.at()].0?;
    let told = SILENCES.iter().copied().find(|turn| cx.state.turned.contains_key(&(group, *turn)));
    let Some(since) = cx.member(group, primary)?.rest.failing_since else {
        return told.map(|_| Turn::PrimaryHeard);
    };
    // A disaster is declared sooner than that, if it is one.
    let declared = cx
        .region_of(group, primary)
        .is_some_and(|r| cx.state.open_disasters().any(|d| d.regions.contains(&r)))
        || cx.state.running(group).is_some();
    if declared || cx.now.mono.since(since) < limits::SILENCE.times(3) {
        return None;
    }
    let now = match votes::silence(cx, group, None)? {
        Silence::All => Turn::PrimarySilent,
        Silence::Agent => Turn::AgentSilent,
        Silence::Doubted { .. } => Turn::OnlyOursFail,
    };
    // It may be called one or the other by turns: what is told stands until it is heard, unless it is worse.
    let worse = |turn: Turn| SILENCES.iter().position(|t| *t == turn);
    told.is_none_or(|told| worse(now) < worse(told)).then_some(now)
}

/// Whether what a synchronous cluster acknowledges is held twice. An operation of ours has a step for it, and tells by itself.
fn protection(engine: &mut Engine, group: GroupId, now: Now) -> Option<Turn> {
    let cx = engine.facts(now);
    let (stands, at) = (unprotected(&cx, group)?, cx.now.mono);
    let told = [Turn::WritesAlone, Turn::WritesWait]
        .into_iter()
        .find(|turn| cx.state.turned.contains_key(&(group, *turn)));
    match stands {
        // A standby that is chosen anew is none for a moment.
        Some(turn) if told != Some(turn) => {
            let since = *engine.bare_since.entry(group).or_insert(at);
            (at.since(since) >= limits::SILENCE).then_some(turn)
        }
        Some(_) => None,
        None => {
            engine.bare_since.remove(&group);
            told.map(|_| Turn::Protected)
        }
    }
}

/// The turn that tells of a synchronous cluster without a synchronous standby; the outer `None` where that is not known now.
fn unprotected(cx: &Facts, group: GroupId) -> Option<Option<Turn>> {
    let record = cx.record(group).filter(|_| cx.state.running(group).is_none())?;
    let (config, sync) = (record.config.as_ref()?, record.sync.as_ref()?);
    let primary = cx.state.primaries[group.at()].0?;
    let leader = cx.report(group, primary).filter(|r| r.role == MemberRole::Leader && r.running)?;
    if record.leading_member() != Some(primary) {
        return None;
    }
    // That one is named is not that it follows.
    let follows = |m: &MemberId| {
        cx.report(group, *m)
            .is_some_and(|m| m.running && m.role == MemberRole::Replica && m.timeline == leader.timeline)
    };
    if config.synchronous && !sync.standbys.is_empty() && !cx.synchronous_standbys(group).iter().any(follows)
    {
        return None;
    }
    Some(match (config.synchronous && sync.standbys.is_empty(), config.strict) {
        (false, _) => None,
        (true, false) => Some(Turn::WritesAlone),
        (true, true) => Some(Turn::WritesWait),
    })
}

fn regions(engine: &mut Engine, watched: &Watched, sights: &[Sight], now: Now) {
    for region in engine.state.estate.region_ids() {
        let sight = &sights[region.at()];
        let (status, reason) = region_status(&engine.facts(now), watched.groups(region), sight, region);
        for group in &sight.suspects {
            engine.look_closely(now, *group);
        }
        if engine.state.regions[region.at()].0 != status {
            engine.emit(now, Event::RegionChanged { region, status, reason });
        }
    }
}

/// How a region stands, and why, as all that is watched in it says now.
pub(in crate::engine) fn region_status(
    cx: &Facts,
    groups: &[GroupId],
    sight: &Sight,
    region: RegionId,
) -> (RegionStatus, RegionReason) {
    if !sight.measured {
        return (RegionStatus::Unknown, RegionReason::NotMeasured);
    }
    let known = &cx.state.regions[region.at()];
    if sight.gone == sight.watched {
        let Some(doubt) = &sight.doubt else {
            return (
                RegionStatus::Down,
                RegionReason::Silent { votes: sight.votes.as_ref().map(Votes::tally) },
            );
        };
        // A region that was found down stays so until something in it answers.
        if known.0 == RegionStatus::Down {
            return known.clone();
        }
        return (RegionStatus::Degraded, RegionReason::OnlyOurs { alive: doubt.alive() });
    }
    if let Some(signal) = cx.telemetry.signals.iter().find(|s| s.region == region) {
        return (RegionStatus::Degraded, RegionReason::Signal { text: signal.text.clone() });
    }
    if sight.gone > 0 {
        return (RegionStatus::Degraded, RegionReason::SomeGone { gone: sight.gone, watched: sight.watched });
    }
    if let Some(reason) = without_primary(cx, groups, region) {
        return (RegionStatus::Degraded, reason);
    }
    if let Some(reason) = lagging(cx, groups, region) {
        return (RegionStatus::Degraded, reason);
    }
    // One lost probe is not news; it is counted until the threshold.
    if sight.failing {
        return match known.0 {
            RegionStatus::Unknown => (RegionStatus::Unknown, RegionReason::Failing),
            _ => known.clone(),
        };
    }
    (RegionStatus::Ok, RegionReason::Well)
}

/// A primary in it answers and leads no more.
fn without_primary(cx: &Facts, groups: &[GroupId], region: RegionId) -> Option<RegionReason> {
    let led = |g: &GroupId| cx.state.primary_region(*g) == Some(region) && cx.stepped_down(*g).is_some();
    let group = groups.iter().find(|g| led(g))?;
    Some(RegionReason::NoPrimary { group: cx.estate().group(*group).name.clone() })
}

fn lagging(cx: &Facts, groups: &[GroupId], region: RegionId) -> Option<RegionReason> {
    let members = |group: GroupId| {
        cx.database(group).into_iter().flat_map(move |d| d.members_in(region)).map(move |m| (group, m))
    };
    for (group, member) in groups.iter().copied().flat_map(members) {
        if cx.leader(group) == Some(member) {
            continue;
        }
        let (_, rpo) = cx.estate().targets(group);
        if let Some(lag) = cx.lag_time(group, member).filter(|lag| *lag > rpo) {
            let name = cx.estate().group(group).name.clone();
            // One that has not found a new primary yet holds what the old one had acknowledged to it.
            let known = cx.state.primaries[group.at()].1;
            let older = cx
                .report(group, member)
                .and_then(|r| r.timeline)
                .zip(known)
                .is_some_and(|(own, now)| own < now);
            return Some(RegionReason::LagsOverRpo { group: name, lag, rpo, older });
        }
    }
    None
}

/// What looks like a disaster now.
struct Finding {
    kind: DisasterType,
    regions: Vec<RegionId>,
    services: Vec<ServiceId>,
    since: Option<Mono>,
    evidence: DisasterEvidence,
}

fn disasters(engine: &mut Engine, watched: &Watched, sights: &[Sight], now: Now) {
    let findings = findings(&engine.facts(now), watched, sights);
    for finding in &findings {
        let covered = engine.state.open_disasters().any(|d| covers(d, finding));
        if covered || unresolved(&engine.facts(now), sights, finding) {
            continue;
        }
        declare(engine, now, finding);
    }
    close(engine, sights, now, &findings);
}

fn covers(disaster: &Disaster, finding: &Finding) -> bool {
    disaster.kind.is_of_data() == finding.kind.is_of_data()
        && (!finding.kind.is_of_data() || disaster.kind == finding.kind)
        && finding.regions.iter().all(|r| disaster.regions.contains(r))
        && (finding.services == disaster.services
            || finding.services.iter().all(|s| disaster.services.contains(s)))
}

fn findings(cx: &Facts, watched: &Watched, sights: &[Sight]) -> Vec<Finding> {
    let mut list = signals(cx, watched);
    let down: Vec<RegionId> =
        cx.estate().region_ids().filter(|r| cx.state.regions[r.at()].0 == RegionStatus::Down).collect();
    let mut left = down.clone();
    for region in &down {
        let Some(provider) = &cx.estate().region(*region).provider else { continue };
        let all: Vec<RegionId> = cx
            .estate()
            .region_ids()
            .filter(|r| cx.estate().region(*r).provider.as_ref() == Some(provider))
            .collect();
        if all.len() >= 2 && all.iter().all(|r| left.contains(r)) {
            left.retain(|r| !all.contains(r));
            list.push(regional(cx, sights, DisasterType::ProviderOutage, all));
        }
    }
    for region in left {
        let told = cx
            .telemetry
            .signals
            .iter()
            .find(|s| s.region == region && s.kind == DisasterType::DataCenterOutage);
        let kind = if told.is_some() { DisasterType::DataCenterOutage } else { DisasterType::RegionOutage };
        list.push(regional(cx, sights, kind, vec![region]));
    }
    for group in cx.estate().group_ids() {
        let Some((leader, region)) = cx
            .leader(group)
            .and_then(|m| Some((m, cx.region_of(group, m)?)))
            .filter(|(_, r)| !down.contains(r))
        else {
            continue;
        };
        let Some(target) = member(cx, group, leader) else { continue };
        if let Some(votes) = target.votes.filter(Votes::declares) {
            list.push(Finding {
                kind: DisasterType::NodeFailure,
                regions: vec![region],
                services: watched.reach(group).to_vec(),
                since: target.since,
                evidence: DisasterEvidence::Votes { votes: votes.tally() },
            });
        }
    }
    list
}

fn signals(cx: &Facts, watched: &Watched) -> Vec<Finding> {
    let of = |s: &super::telemetry::Signal| Finding {
        kind: s.kind,
        regions: vec![s.region],
        services: cx
            .estate()
            .group_ids()
            .filter(|g| cx.leading_region(*g) == Some(s.region) && s.names(*g))
            .flat_map(|g| watched.reach(g).iter().copied())
            .collect(),
        since: Some(s.since),
        evidence: DisasterEvidence::Signal { text: s.text.clone() },
    };
    // A signal about a place refines what is seen there; it declares nothing by itself.
    cx.telemetry.signals.iter().filter(|s| s.kind != DisasterType::DataCenterOutage).map(of).collect()
}

fn regional(cx: &Facts, sights: &[Sight], kind: DisasterType, regions: Vec<RegionId>) -> Finding {
    let mut services: Vec<ServiceId> = Vec::new();
    for id in cx.estate().service_ids() {
        let group = cx.estate().service(id).group;
        let led = cx.leading_region(group).is_some_and(|l| regions.contains(&l));
        let only_there = cx.database(group).is_none()
            && cx.estate().service(id).regions.iter().all(|r| regions.contains(r));
        if led || only_there {
            services.push(id);
        }
    }
    let mut services = cx.estate().dependents(&services);
    services.sort();
    let since = regions.iter().filter_map(|r| sights[r.at()].since).min();
    let stood = |r: &RegionId| RegionEvidence {
        region: cx.region_name(*r).to_string(),
        reason: cx.state.regions[r.at()].1.clone(),
    };
    let evidence = DisasterEvidence::Regions(regions.iter().map(stood).collect());
    Finding { kind, regions, services, since, evidence }
}

/// True while something else has begun to fail and is not yet decided: its verdict may change what this is called.
fn unresolved(cx: &Facts, sights: &[Sight], finding: &Finding) -> bool {
    let detection = &cx.estate().policy.detection;
    // The time a verdict takes at most: what is asked for, and the ports of one thing are probed out of step, and the last
    // answer is waited for.
    let asked =
        detection.interval.times(u64::from(detection.threshold.saturating_sub(1))).max(limits::SILENCE);
    let patience = asked.plus(detection.interval.times(2)).plus(ANSWER);
    if finding.since.is_some_and(|s| cx.now.mono.since(s) > detection.classification_timeout) {
        return false;
    }
    sights.iter().filter_map(|s| s.undecided).any(|began| cx.now.mono.since(began) <= patience)
}

fn declare(engine: &mut Engine, now: Now, finding: &Finding) {
    let since = finding.since.unwrap_or(now.mono);
    let response = engine.state.estate.response(finding.kind);
    let severity = response.map_or_else(|| default_severity(&engine.state.estate, finding), |r| r.severity);
    // Users have waited since their primary stepped down, if it did: its nodes may have died after that.
    let idle = |g: &GroupId| {
        let cx = engine.facts(now);
        let led = cx.state.primaries[g.at()]
            .0
            .filter(|_| cx.state.turned.contains_key(&(*g, Turn::SteppedDown)))?;
        cx.region_of(*g, led).filter(|r| finding.regions.contains(r))?;
        let reached = cx.estate().group(*g).services.iter().any(|s| finding.services.contains(s));
        cx.member(*g, led)?.led_at.map(|(_, at)| at).filter(|_| reached)
    };
    let from = engine.state.estate.group_ids().filter_map(|g| idle(&g)).chain([since]).min().unwrap_or(since);
    let disaster = Disaster {
        id: DisasterId(engine.state.next.disaster.max(1)),
        kind: finding.kind,
        severity,
        regions: finding.regions.clone(),
        services: finding.services.clone(),
        since: now.utc_of(from),
        declared: now.utc,
        detection: now.mono.since(since),
        evidence: finding.evidence.clone(),
        ended: None,
    };
    // A wider disaster takes the place of the narrower ones that it explains; one node that fails explains no other.
    let explains = finding.kind != DisasterType::NodeFailure || planted::is(Break::EachEndsTheOther);
    let narrower: Vec<DisasterId> = engine
        .state
        .open_disasters()
        .filter(|d| {
            explains
                && !d.kind.is_of_data()
                && !disaster.kind.is_of_data()
                && d.regions.iter().all(|r| disaster.regions.contains(r))
        })
        .map(|d| d.id)
        .collect();
    engine.emit(now, Event::DisasterDeclared(disaster));
    for id in narrower {
        engine.emit(now, Event::DisasterEnded { disaster: id });
    }
}

fn default_severity(estate: &Estate, finding: &Finding) -> Severity {
    match finding.services.iter().map(|s| estate.service(*s).tier).min() {
        Some(1) => Severity::Critical,
        Some(2) => Severity::High,
        Some(_) => Severity::Medium,
        None => Severity::Low,
    }
}

/// A disaster is over when nothing of it was seen for a while.
fn close(engine: &mut Engine, sights: &[Sight], now: Now, findings: &[Finding]) {
    let open: Vec<Disaster> = engine.state.open_disasters().cloned().collect();
    for disaster in open {
        let cx = engine.facts(now);
        // What has begun to fail again is not over, though it is not found to be gone yet.
        let ill = |r: &RegionId| {
            let sight = &sights[r.at()];
            sight.failing || (cx.state.regions[r.at()].0 != RegionStatus::Ok && sight.lacking)
        };
        let seen = findings.iter().any(|f| covers(&disaster, f)) || disaster.regions.iter().any(ill);
        // One from before this run is over as soon as all of it is seen to be well: nobody watched it in between.
        let of_before = disaster.declared < cx.state.since_utc
            && disaster.regions.iter().all(|r| cx.state.regions[r.at()].0 == RegionStatus::Ok);
        let quiet = engine.quiet_since.entry(disaster.id).or_insert(now.mono);
        if seen {
            *quiet = now.mono;
        } else if of_before || now.mono.since(*quiet) >= limits::CALM {
            engine.quiet_since.remove(&disaster.id);
            engine.emit(now, Event::DisasterEnded { disaster: disaster.id });
        }
    }
}

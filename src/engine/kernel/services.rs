//! How services stand: what their places answer, what they need, and what a disaster takes from them.

use super::facts::Facts;
use crate::model::*;
use std::collections::BTreeSet;

/// Every service, in the estate's order.
pub fn views(cx: &Facts) -> Vec<ServiceView> {
    let estate = cx.estate();
    let below = below(estate);
    let mut hit: Vec<Option<DisasterId>> = vec![None; estate.services.len()];
    for disaster in cx.state.open_disasters() {
        for service in still_hit(cx, disaster, &below) {
            if let Some(slot) = hit.get_mut(service.at()) {
                slot.get_or_insert(disaster.id);
            }
        }
    }
    let mut views: Vec<ServiceView> = estate
        .service_ids()
        .map(|id| {
            let places = places(cx, id);
            let hit_by = hit[id.at()];
            ServiceView { health: alone(&places, hit_by.is_some()), places, hit_by }
        })
        .collect();
    for id in estate.service_ids() {
        let group = estate.service(id).group;
        if cx.database(group).is_some_and(|d| d.service == id) && cx.stepped_down(group).is_some() {
            views[id.at()].health = ServiceHealth::Down;
        }
    }
    // What needs something that is down is impaired itself, however well its own places answer.
    let mut reached: Vec<ServiceId> =
        estate.service_ids().filter(|id| views[id.at()].health == ServiceHealth::Down).collect();
    while let Some(id) = reached.pop() {
        for dependent in &below[id.at()] {
            let health = &mut views[dependent.at()].health;
            if *health > ServiceHealth::Impaired {
                *health = ServiceHealth::Impaired;
                reached.push(*dependent);
            }
        }
    }
    views
}

/// What depends on each service, by itself.
fn below(estate: &Estate) -> Vec<Vec<ServiceId>> {
    let mut below = vec![Vec::new(); estate.services.len()];
    for id in estate.service_ids() {
        for needed in &estate.service(id).depends_on {
            below[needed.at()].push(id);
        }
    }
    below
}

/// What its own places and a disaster say of it.
fn alone(places: &[PlaceView], hit: bool) -> ServiceHealth {
    let asked = || places.iter().filter_map(|p| p.well);
    match (hit, asked().next().is_some()) {
        (true, _) => ServiceHealth::Down,
        (_, false) => ServiceHealth::Unknown,
        _ if asked().all(|well| well) => ServiceHealth::Ok,
        _ if asked().any(|well| well) => ServiceHealth::Impaired,
        _ => ServiceHealth::Down,
    }
}

/// Whether an answer was a success; `None` if it could not be asked.
fn well(result: &ProbeResult) -> Option<bool> {
    if let ProbeResult::NotAsked(_) = result { None } else { Some(result.is_well()) }
}

fn places(cx: &Facts, id: ServiceId) -> Vec<PlaceView> {
    let service = cx.estate().service(id);
    let database = cx.database(service.group).filter(|d| d.service == id);
    if database.is_none() && service.health.is_none() {
        return Vec::new();
    }
    let probes = &cx.telemetry.services[id.at()];
    let recent = |at: Option<Mono>| at.is_some_and(|t| cx.now.mono.since(t) <= cx.stale_after());
    let told = |p: &super::telemetry::Probes| p.last.clone().filter(|_| recent(p.last_try));
    let of = |p: &super::telemetry::Probes| (told(p).as_ref().and_then(well), p.last_try);
    let mut list: Vec<PlaceView> = service
        .regions
        .iter()
        .filter_map(|region| {
            let members = database
                .into_iter()
                .flat_map(|d| d.members_in(*region))
                .filter_map(|m| cx.member(service.group, m))
                .map(|m| of(&m.sql));
            // It answers there if one of its members does.
            let member = members.max_by_key(|(well, asked)| (*well, *asked));
            // Where nobody ever asks it, nothing is said of it.
            let probe = || probes.get(region.at()).filter(|p| p.last_try.is_some());
            let failure = probe().filter(|_| member.is_none()).and_then(told).filter(|r| !r.is_well());
            let (well, asked) = member.or_else(|| probe().map(of))?;
            Some(PlaceView { region: Some(*region), well, asked, failure })
        })
        .collect();
    if let Some(one) = probes.last().filter(|p| p.last_try.is_some()) {
        let (well, asked) = of(one);
        list.push(PlaceView { region: None, well, asked, failure: told(one).filter(|r| !r.is_well()) });
    }
    list
}

/// The cluster took over by itself, or its primary is back: nothing of ours runs or has handed over, it is led by one that
/// answers, and an entry leads there. Corrupt data are served as well.
fn took_over(cx: &Facts, disaster: &Disaster, group: GroupId) -> bool {
    let ours =
        cx.state.operations.iter().any(|o| o.group == group && o.disaster == Some(disaster.id) && o.counts());
    let may = |l: &MemberId| {
        !ours
            && (!disaster.kind.is_of_data()
                || cx.region_of(group, *l).is_none_or(|r| !disaster.regions.contains(&r)))
    };
    let Some(leader) = cx.leader(group).filter(may) else { return false };
    let fresh = |at: Mono| cx.now.mono.since(at) <= cx.stale_after();
    let leads = cx.report(group, leader).is_some_and(|r| r.role == MemberRole::Leader && r.running);
    leads
        && cx
            .telemetry
            .group(group)
            .balancers
            .iter()
            .any(|b| b.read_of(leader).is_some_and(fresh) && b.servers_of(leader).any(|s| s.up))
}

/// Services whose users still wait: those of a database that is not served again, and all that need one of them. What
/// needs two databases waits for both.
fn still_hit(cx: &Facts, disaster: &Disaster, below: &[Vec<ServiceId>]) -> BTreeSet<ServiceId> {
    let estate = cx.estate();
    let proven = |g: GroupId| {
        cx.state
            .operations
            .iter()
            .any(|o| o.group == g && o.disaster == Some(disaster.id) && o.results.served.is_some())
    };
    let served: BTreeSet<GroupId> =
        estate.group_ids().filter(|g| proven(*g) || took_over(cx, disaster, *g)).collect();
    let closed = |from: Vec<ServiceId>| {
        let (mut found, mut open) = (BTreeSet::new(), from);
        while let Some(service) = open.pop() {
            if found.insert(service) {
                open.extend(&below[service.at()]);
            }
        }
        found
    };
    let of_served = closed(served.iter().flat_map(|g| estate.group(*g).services.iter().copied()).collect());
    let of = |s: ServiceId| estate.service(s).group;
    // What has no database of its own is served by those that it needs, where it needs any.
    let waits = |s: &ServiceId| match cx.database(of(*s)) {
        Some(_) => !served.contains(&of(*s)),
        None => !of_served.contains(s),
    };
    let known = |s: &&ServiceId| s.at() < estate.services.len();
    let roots = disaster.services.iter().filter(known).copied().filter(waits).collect();
    let reached: BTreeSet<ServiceId> = disaster.services.iter().copied().collect();
    closed(roots).intersection(&reached).copied().collect()
}

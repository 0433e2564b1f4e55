//! How services stand: what their places answer, what they need, and what a disaster takes from them.

use super::Facts;
use crate::model::*;

/// Every service, in the estate's order.
pub fn views(cx: &Facts) -> Vec<ServiceView> {
    let estate = cx.estate();
    let served = served_again(cx);
    let hit = |id: ServiceId| cx.state.open_disasters().find(|d| d.services.contains(&id) && !served.contains(&(d.id, id))).map(|d| d.id);
    let mut views: Vec<ServiceView> = estate
        .service_ids()
        .map(|id| {
            let places = places(cx, id);
            let hit_by = hit(id);
            ServiceView { health: alone(&places, hit_by.is_some()), places, hit_by }
        })
        .collect();
    // What needs something that is down is impaired itself, however well its own places answer.
    for id in estate.service_ids().filter(|id| views[id.at()].health == ServiceHealth::Down).collect::<Vec<_>>() {
        for dependent in estate.dependents(id) {
            let health = &mut views[dependent.at()].health;
            *health = (*health).min(ServiceHealth::Impaired);
        }
    }
    views
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

fn places(cx: &Facts, id: ServiceId) -> Vec<PlaceView> {
    let service = cx.estate().service(id);
    let database = cx.database(service.group).filter(|d| d.service == id);
    let probes = &cx.telemetry.services[id.at()];
    let recent = |at: Option<Mono>| at.is_some_and(|t| cx.now.mono.since(t) <= cx.stale_after());
    let of = |p: &super::telemetry::Probes| (p.last.as_ref().filter(|_| recent(p.last_try)).map(ProbeResult::is_well), p.last_try);
    let mut list: Vec<PlaceView> = service
        .regions
        .iter()
        .map(|region| {
            let member = database.and_then(|_| cx.member(service.group, *region)).map(|m| of(&m.sql));
            let (well, asked) = member.unwrap_or_else(|| of(&probes[region.at()]));
            PlaceView { region: Some(*region), well, asked }
        })
        .collect();
    if let Some(one) = probes.last().filter(|p| p.last_try.is_some()) {
        let (well, asked) = of(one);
        list.push(PlaceView { region: None, well, asked });
    }
    list
}

/// Services whose users are served again, with the disaster that had reached them.
fn served_again(cx: &Facts) -> Vec<(DisasterId, ServiceId)> {
    let estate = cx.estate();
    let served = cx.state.operations.iter().filter(|o| o.results.served.is_some());
    served
        .filter_map(|o| Some((o.disaster?, o)))
        .flat_map(|(d, o)| estate.group(o.group).services.iter().flat_map(|s| estate.dependents(*s)).map(move |s| (d, s)))
        .collect()
}

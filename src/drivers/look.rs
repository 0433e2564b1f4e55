//! The looking: a task for each thing that is watched, at the calm pace or the close one. None waits for another.

use super::eyes::{Pace, Shared};
use super::kinds::RouteAt;
use super::record::record_with;
use super::{patience, patroni, postgres};
use crate::model::*;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Starts the tasks that watch one database.
pub fn start(shared: &Arc<Shared>, group: GroupId) {
    let Some(eyes) = shared.groups.get(&group) else { return };
    let pace = eyes.pace.subscribe();
    for member in eyes.database.member_ids() {
        tokio::spawn(every(Arc::clone(shared), pace.clone(), move |shared| {
            member_rest(shared, group, member)
        }));
        tokio::spawn(every(Arc::clone(shared), pace.clone(), move |shared| {
            member_sql(shared, group, member)
        }));
        tokio::spawn(receiver(Arc::clone(shared), pace.clone(), group, member));
        tokio::spawn(fence_check(Arc::clone(shared), group, member));
    }
    if !eyes.database.store.is_empty() {
        tokio::spawn(every(Arc::clone(shared), pace.clone(), move |shared| store(shared, group)));
        tokio::spawn(voters(Arc::clone(shared), group));
    }
    tokio::spawn(super::survey::watch(Arc::clone(shared), group));
    for i in 0..eyes.database.balancers.len() {
        tokio::spawn(every(Arc::clone(shared), pace.clone(), move |shared| balancer(shared, group, i)));
    }
}

/// Repeats a look at the pace of its group; a change of pace is felt at once.
async fn every<F, R>(shared: Arc<Shared>, mut pace: watch::Receiver<Pace>, look: F)
where
    F: Fn(Arc<Shared>) -> R,
    R: Future<Output = ()>,
{
    let mut next = tokio::time::Instant::now();
    loop {
        if shared.gone() {
            return;
        }
        look(Arc::clone(&shared)).await;
        let wait = pace.borrow_and_update().interval(shared.now());
        next = (next + wait).max(tokio::time::Instant::now());
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            changed = pace.changed() => {
                if changed.is_err() {
                    return;
                }
                next = tokio::time::Instant::now();
            }
        }
    }
}

async fn member_rest(shared: Arc<Shared>, group: GroupId, member: MemberId) {
    let Some((eyes, spec)) = shared.groups.get(&group).and_then(|e| Some((e, e.database.member(member)?)))
    else {
        return;
    };
    let at = shared.now();
    let (http, url) = (eyes.http.clone(), format!("{}/patroni", spec.rest));
    let (result, text) =
        eyes.patience.probe(member, async move { http.get(&url, patience::LEARNS).await }).await;
    let parsed = text.map(|t| patroni::parse_member(&t));
    let result = match &parsed {
        Some(Err(reason)) => ProbeResult::Unwell(reason.clone()),
        _ => result,
    };
    let waited = waited(&shared, at, &result);
    shared.tell(at, Fact::Probe { group, member, port: Port::Rest, result, waited }).await;
    if let Some(Ok(report)) = parsed {
        // A member of another cluster may have the same name.
        let is_ours = report.scope.as_ref().is_none_or(|scope| **scope == *eyes.database.scope);
        if let Some(name) = report.name.clone().filter(|_| is_ours) {
            eyes.addresses.learn(member, name);
        }
        shared.tell(at, Fact::Member { group, member, report }).await;
    }
}

async fn member_sql(shared: Arc<Shared>, group: GroupId, member: MemberId) {
    let Some(eyes) = shared.groups.get(&group) else { return };
    // The address is Patroni's to tell; until then there is nothing to probe. It is asked as soon as it is told, not only
    // after the interval, which may be long.
    let address = loop {
        match eyes.addresses.sql(member) {
            Some(address) => break address,
            None if shared.gone() => return,
            None => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    };
    let at = shared.now();
    let probe = async move { (postgres::probe(&address, patience::LEARNS).await, None::<()>) };
    let (result, _) = eyes.patience.probe(member, probe).await;
    let waited = waited(&shared, at, &result);
    shared.tell(at, Fact::Probe { group, member, port: Port::Sql, result, waited }).await;
}

/// How long nothing answered; of everything else the moment it was sent is what counts.
fn waited(shared: &Shared, at: Mono, result: &ProbeResult) -> Span {
    if *result == ProbeResult::Silent { shared.now().since(at) } else { Span::ZERO }
}

/// Keeps one connection to a member and asks what its receiver hears.
async fn receiver(shared: Arc<Shared>, mut pace: watch::Receiver<Pace>, group: GroupId, member: MemberId) {
    let mut client: Option<tokio_postgres::Client> = None;
    loop {
        if shared.gone() {
            return;
        }
        let Some(eyes) = shared.groups.get(&group) else { return };
        let Some(sql) = &eyes.sql else { return };
        let mut wait = pace.borrow_and_update().interval(shared.now());
        match (&client, eyes.addresses.sql(member)) {
            (Some(open), _) => {
                let at = shared.now();
                match postgres::receiver(open).await {
                    Ok(stream) => shared.tell(at, Fact::Receiver { group, member, stream }).await,
                    Err(_) => client = None,
                }
            }
            (None, Some(address)) => match sql.connect(&address).await {
                Ok(open) => {
                    client = Some(open);
                    shared.tell(shared.now(), Fact::Login { group, member, result: Ok(()) }).await;
                    continue;
                }
                // One that does not let us in is not asked ten times a second.
                Err(reason) => {
                    wait = wait.max(Duration::from_millis(500));
                    shared.tell(shared.now(), Fact::Login { group, member, result: Err(reason) }).await;
                }
            },
            (None, None) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = pace.changed() => if changed.is_err() { return },
        }
    }
}

async fn store(shared: Arc<Shared>, group: GroupId) {
    let Some(eyes) = shared.groups.get(&group) else { return };
    let at = shared.now();
    match eyes.etcd.read(&eyes.database).await {
        Err(reason) => shared.tell(at, Fact::StoreAway { group, reason }).await,
        Ok(keys) => {
            let mut known = eyes.addresses.get();
            let mut record = record_with(&eyes.database, &eyes.addresses.told(), &keys, &mut known);
            eyes.addresses.set(known);
            if let Some(leader) = &mut record.leader
                && let Some(id) = leader.lease_id
                && let Some((left, ttl)) = eyes.etcd.lease(id).await
            {
                (leader.lease_left, leader.lease_ttl) = (Some(left), Some(ttl));
            }
            let own =
                record.owner.as_ref().and_then(|o| Owner::read(&o.value)).as_ref() == Some(&shared.owner);
            record.unrenewed = own && eyes.holds_claim().is_err();
            if let Ok(voters) = eyes.voters.lock() {
                (record.voters, record.voters_up) = *voters;
            }
            shared.tell(at, Fact::Store { group, record: Box::new(record) }).await;
        }
    }
}

async fn voters(shared: Arc<Shared>, group: GroupId) {
    while !shared.gone() {
        let Some(eyes) = shared.groups.get(&group) else { return };
        if let Some(told) = eyes.etcd.voters().await
            && let Ok(mut voters) = eyes.voters.lock()
        {
            *voters = told;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn balancer(shared: Arc<Shared>, group: GroupId, i: usize) {
    let Some(eyes) = shared.groups.get(&group) else { return };
    let id = BalancerId::of(i);
    let Some(route) = RouteAt::new(&shared, eyes, id) else { return };
    // A server may be known by an address that the store tells.
    eyes.addresses.first().await;
    let at = shared.now();
    let fact = match route.look().await {
        Ok(servers) => Fact::Balancer { group, balancer: id, servers },
        Err(reason) => Fact::BalancerAway { group, balancer: id, reason },
    };
    shared.tell(at, fact).await;
}

/// Could the member be fenced? Asked now and then, long before it matters.
async fn fence_check(shared: Arc<Shared>, group: GroupId, member: MemberId) {
    while !shared.gone() {
        let Some(eyes) = shared.groups.get(&group) else { return };
        let Some(argv) = eyes.database.fence.as_ref().and_then(|f| f.check.as_ref()) else { return };
        let at = shared.now();
        let region = eyes.region_name(&shared.estate, member);
        let name = eyes.member_name(member).unwrap_or_else(|| region.to_string());
        let result =
            super::command::check(&super::command::filled(argv, region, &name), Duration::from_secs(5)).await;
        shared.tell(at, Fact::FenceCheck { group, member, result }).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

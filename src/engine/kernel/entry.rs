//! The way of users to a member: what the balancers show, and whether they can lead anybody to this cluster at all.

use super::facts::Facts;
use super::limits;
use super::telemetry::BalancerTelemetry;
use crate::model::*;

fn check(verdict: Verdict, finding: EntryFinding) -> Check {
    Check { id: CheckId::Entry, verdict, finding: finding.into(), figure: None, at: None }
}

/// Does any balancer answer that leads users to the candidate? A failover without one keeps the data, and serves nobody yet.
/// `left`: the members that are taken out of the balancers, which only succeeds where they are in.
pub fn entry(cx: &Facts, group: GroupId, left: &[MemberId], to: MemberId) -> Option<Check> {
    let balancers = cx.database(group).map(|d| d.balancers.as_slice()).filter(|list| !list.is_empty())?;
    if let Some(finding) = unrouted(cx, group, left) {
        return Some(check(Verdict::block(11), finding));
    }
    let within = |at: Mono, span: Span| cx.now.mono.since(at) <= span;
    let heard = |b: &&BalancerTelemetry| {
        b.servers.as_ref().is_some_and(|(_, at)| within(*at, cx.stale_after()))
            && b.away.as_ref().is_none_or(|(_, since)| within(*since, limits::SILENCE))
    };
    let mut answer =
        balancers.iter().zip(&cx.telemetry.group(group).balancers).filter(|(_, b)| heard(b)).peekable();
    if answer.peek().is_some() {
        // One that was taken out and not put back leads nobody there, however well it answers.
        return Some(
            match answer.any(|(route, b)| !route.drains() || b.all_in_maintenance(to, true).is_none()) {
                true => check(Verdict::Pass, EntryFinding::Answers),
                false => check(Verdict::Advice, EntryFinding::TakenOut { member: cx.called(group, to) }),
            },
        );
    }
    let place = |b: &Balancer| EntryPlace {
        address: b.address.clone(),
        region: b.region.map(|r| cx.region_name(r).into()),
    };
    Some(check(
        Verdict::Advice,
        EntryFinding::NoneAnswers { balancers: balancers.iter().map(place).collect() },
    ))
}

/// A balancer that answers and whose backend has no server of this cluster, or none of a member that is to be taken out. Those of
/// the region that is left, and of one that is down, are not asked.
pub fn unrouted(cx: &Facts, group: GroupId, left: &[MemberId]) -> Option<EntryFinding> {
    let database = cx.database(group)?;
    let from = left.first().and_then(|member| database.region_of(*member));
    let counts = |b: &Balancer| {
        b.region.is_none_or(|r| Some(r) != from && cx.state.regions[r.at()].0 != RegionStatus::Down)
    };
    let seen = database.balancers.iter().zip(&cx.telemetry.group(group).balancers).filter(|(b, _)| counts(b));
    for (balancer, telemetry) in seen {
        let fresh = telemetry
            .servers
            .as_ref()
            .filter(|(_, at)| telemetry.away.is_none() && cx.now.mono.since(*at) <= cx.stale_after());
        let Some((servers, _)) = fresh else { continue };
        let (address, backend) = (balancer.address.clone(), database.backend.clone());
        if servers.iter().all(|s| s.member.is_none()) {
            return Some(EntryFinding::NoneIsOurs {
                balancer: address,
                backend,
                servers: servers.iter().take(TOLD).map(|s| s.name.clone()).collect(),
            });
        }
        if let Some(missing) = left.iter().find(|m| !servers.iter().any(|s| s.member == Some(**m))) {
            return Some(EntryFinding::NotInBackend {
                balancer: address,
                backend,
                member: cx.called(group, *missing),
            });
        }
    }
    None
}

/// Servers that are told by name.
const TOLD: usize = 8;

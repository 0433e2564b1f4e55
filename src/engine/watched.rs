//! What is watched in a region: the members of its databases and the services that run there, each with what its probes say.

use super::Facts;
use super::telemetry::Probes;
use super::votes::{self, Votes};
use crate::model::*;

/// One thing that is watched in a region.
pub(super) struct Target<'a> {
    pub gone: bool,
    /// Failing as long as the configuration asks, and not yet believed: a closer look will tell.
    pub suspect: bool,
    pub failing: bool,
    pub measured: bool,
    pub since: Option<Mono>,
    /// Who agrees, where there are other observers than we.
    pub votes: Option<Votes>,
    pub group: Option<GroupId>,
    pub probes: [&'a Probes; 2],
}

/// What there is to be watched in each region: asked for a region after the other, nothing else is gone through.
pub(super) struct Watched {
    groups: Vec<Vec<GroupId>>,
    services: Vec<Vec<ServiceId>>,
}

impl Watched {
    pub fn of(estate: &Estate) -> Watched {
        let (mut groups, mut services) = (vec![Vec::new(); estate.regions.len()], vec![Vec::new(); estate.regions.len()]);
        for group in estate.group_ids() {
            for member in estate.group(group).database.iter().flat_map(|d| &d.members) {
                groups[member.region.at()].push(group);
            }
        }
        for service in estate.service_ids() {
            for region in &estate.service(service).regions {
                services[region.at()].push(service);
            }
        }
        Watched { groups, services }
    }

    pub fn targets<'a>(&self, cx: &Facts<'a>, region: RegionId) -> Vec<Target<'a>> {
        let members = self.groups[region.at()].iter().filter_map(|g| member(cx, *g, region));
        members.chain(self.services[region.at()].iter().filter_map(|s| service(cx, *s, region))).collect()
    }
}

/// A database's member in a region.
pub(super) fn member<'a>(cx: &Facts<'a>, group: GroupId, region: RegionId) -> Option<Target<'a>> {
    let member = cx.member(group, region)?;
    let ours = gone(cx, &member.sql) && gone(cx, &member.rest);
    Some(Target {
        gone: ours,
        suspect: past(cx, &member.sql) && past(cx, &member.rest) && !ours,
        failing: member.sql.failing_since.is_some() || member.rest.failing_since.is_some(),
        measured: recent(cx, &member.sql) || recent(cx, &member.rest),
        since: member.failing_since(),
        votes: ours.then(|| votes::votes(cx, group, region)),
        group: Some(group),
        probes: [&member.sql, &member.rest],
    })
}

/// A service, where it was ever asked there.
fn service<'a>(cx: &Facts<'a>, service: ServiceId, region: RegionId) -> Option<Target<'a>> {
    let probes = cx.telemetry.services.get(service.at())?.get(region.at()).filter(|p| p.last_try.is_some())?;
    Some(Target {
        gone: past(cx, probes),
        suspect: false,
        failing: probes.failing_since.is_some(),
        measured: recent(cx, probes),
        since: probes.failing_since,
        votes: None,
        group: None,
        probes: [probes, probes],
    })
}

fn past(cx: &Facts, probes: &Probes) -> bool {
    let detection = &cx.estate().policy.detection;
    probes.past_threshold(detection.threshold, detection.interval)
}

fn gone(cx: &Facts, probes: &Probes) -> bool {
    past(cx, probes) && probes.believed_gone()
}

fn recent(cx: &Facts, probes: &Probes) -> bool {
    probes.last_try.is_some_and(|t| cx.now.mono.since(t) <= cx.stale_after())
}

//! What is watched in a region: the members of its databases and the services that run there, and what their probes say of
//! it, gone through once in a round.

use super::facts::Facts;
use super::telemetry::Probes;
use super::votes::{self, Votes};
use crate::model::*;
use std::sync::Arc;

/// What there is to be watched in each region: nothing else is gone through.
#[derive(Clone)]
pub(in crate::engine) struct Watched {
    /// Of which this is told.
    estate: Arc<Estate>,
    groups: Vec<Vec<GroupId>>,
    members: Vec<Vec<(GroupId, MemberId)>>,
    services: Vec<Vec<ServiceId>>,
    /// Of each group, the services that its loss reaches.
    reach: Vec<Vec<ServiceId>>,
}

impl Watched {
    pub fn of(estate: &Arc<Estate>) -> Watched {
        let (mut groups, mut services) =
            (vec![Vec::new(); estate.regions.len()], vec![Vec::new(); estate.regions.len()]);
        let mut members = vec![Vec::new(); estate.regions.len()];
        for group in estate.group_ids() {
            for (id, member) in
                estate.group(group).database.iter().flat_map(|d| d.member_ids().zip(&d.members))
            {
                members[member.region.at()].push((group, id));
                if groups[member.region.at()].last() != Some(&group) {
                    groups[member.region.at()].push(group);
                }
            }
        }
        // What nobody asks for its health is not watched.
        for service in estate.service_ids().filter(|s| estate.service(*s).health.is_some()) {
            for region in &estate.service(service).regions {
                services[region.at()].push(service);
            }
        }
        let reached = |g: &Group| {
            let mut services = estate.dependents(&g.services);
            services.sort();
            services
        };
        let reach = estate
            .groups
            .iter()
            .map(|g| if g.database.is_some() { reached(g) } else { Vec::new() })
            .collect();
        Watched { estate: Arc::clone(estate), groups, members, services, reach }
    }

    /// The databases that have a member there.
    pub fn groups(&self, region: RegionId) -> &[GroupId] {
        &self.groups[region.at()]
    }

    /// The members of databases there.
    pub fn members(&self, region: RegionId) -> &[(GroupId, MemberId)] {
        &self.members[region.at()]
    }

    /// The services that are asked there, where anything is.
    pub fn services(&self, region: RegionId) -> &[ServiceId] {
        &self.services[region.at()]
    }

    /// What needs a database, itself among it, in the order of its ids.
    pub fn reach(&self, group: GroupId) -> &[ServiceId] {
        &self.reach[group.at()]
    }

    pub fn is_of(&self, estate: &Arc<Estate>) -> bool {
        Arc::ptr_eq(&self.estate, estate)
    }

    /// Each region as it is seen now.
    pub fn sights(&self, cx: &Facts) -> Vec<Sight> {
        self.estate.region_ids().map(|r| self.sight(cx, r)).collect()
    }

    /// One of them.
    pub fn sight(&self, cx: &Facts, region: RegionId) -> Sight {
        let mut sight = Sight::default();
        for (group, id) in &self.members[region.at()] {
            if let Some(one) = member(cx, *group, *id) {
                if one.suspect && !sight.suspects.contains(group) {
                    sight.suspects.push(*group);
                }
                sight.add(one);
            }
        }
        for service in &self.services[region.at()] {
            if let Some(one) = asked(cx, *service, region) {
                sight.add(one);
            }
        }
        sight
    }
}

/// A region, as all that is watched in it says.
#[derive(Default)]
pub(in crate::engine) struct Sight {
    pub watched: usize,
    pub gone: usize,
    pub measured: bool,
    pub failing: bool,
    /// Something is gone, or nobody knows.
    pub lacking: bool,
    /// The first of the failures.
    pub since: Option<Mono>,
    /// The last probe that began to fail, of what is not decided yet.
    pub undecided: Option<Mono>,
    /// Databases to look at closely.
    pub suspects: Vec<GroupId>,
    /// What others than we say of one that is gone, and of the first one that they do not call so.
    pub votes: Option<Votes>,
    pub doubt: Option<Votes>,
}

impl Sight {
    fn add(&mut self, one: Target) {
        self.watched += 1;
        self.gone += usize::from(one.gone);
        self.measured |= one.measured;
        self.failing |= one.failing;
        self.lacking |= one.gone || !one.measured;
        self.since = [self.since, one.since].into_iter().flatten().min();
        let decided = one.gone && one.votes.as_ref().is_none_or(|v| v.declares() || v.alive().is_some());
        if !decided {
            self.undecided = self.undecided.max(one.latest);
        }
        if let Some(votes) = one.votes {
            if self.doubt.is_none() && !votes.declares() {
                self.doubt = Some(votes.clone());
            }
            self.votes.get_or_insert(votes);
        }
    }
}

/// One thing that is watched in a region.
pub(in crate::engine) struct Target {
    pub gone: bool,
    /// Failing as long as the configuration asks, and not yet believed: a closer look will tell.
    suspect: bool,
    failing: bool,
    measured: bool,
    pub since: Option<Mono>,
    /// When the last of its ports began to fail.
    latest: Option<Mono>,
    /// Who agrees, where there are other observers than we.
    pub votes: Option<Votes>,
}

/// A database's member in a region.
pub(in crate::engine) fn member(cx: &Facts, group: GroupId, id: MemberId) -> Option<Target> {
    let member = cx.member(group, id)?;
    let (measured, latest) = (
        recent(cx, &member.sql) || recent(cx, &member.rest),
        member.sql.failing_since.max(member.rest.failing_since),
    );
    let Some(latest) = latest else {
        return Some(Target {
            gone: false,
            suspect: false,
            failing: false,
            measured,
            since: None,
            latest,
            votes: None,
        });
    };
    let ours = gone(cx, &member.sql) && gone(cx, &member.rest);
    Some(Target {
        gone: ours,
        suspect: past(cx, &member.sql) && past(cx, &member.rest) && !ours,
        failing: true,
        measured,
        since: member.failing_since(),
        latest: Some(latest),
        votes: ours.then(|| votes::votes(cx, group, id)),
    })
}

/// A service, where it was ever asked there.
fn asked(cx: &Facts, service: ServiceId, region: RegionId) -> Option<Target> {
    let probes =
        cx.telemetry.services.get(service.at())?.get(region.at()).filter(|p| p.last_try.is_some())?;
    let since = probes.failing_since;
    Some(Target {
        gone: past(cx, probes),
        suspect: false,
        failing: since.is_some(),
        measured: recent(cx, probes),
        since,
        latest: since,
        votes: None,
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

//! How the databases of an estate stand, as far as is known: where a simulated world goes on from.

use super::engine::Engine;
use super::facts::Facts;
use super::limits;
use super::telemetry::{GroupTelemetry, MemberTelemetry};
use crate::model::*;

/// Of every database in the estate; `cut` are the regions where everything is silent that is watched there.
pub fn standing(cx: &Facts, cut: Vec<RegionId>) -> Standing {
    let estate = cx.estate();
    let failing = estate.service_ids().flat_map(|id| {
        let places = estate.service(id).regions.iter().map(move |r| (id, *r));
        places.filter(|(id, r)| {
            cx.telemetry.services[id.at()][r.at()]
                .last
                .as_ref()
                .is_some_and(|last| !last.is_well() && !matches!(last, ProbeResult::NotAsked(_)))
        })
    });
    Standing {
        now: cx.now.mono,
        databases: estate
            .group_ids()
            .filter(|g| cx.database(*g).is_some())
            .map(|g| database(cx, g))
            .collect(),
        loads: estate.region_ids().map(|r| cx.load(r)).collect(),
        failing: failing.collect(),
        lost: estate.region_ids().filter(|r| cx.state.regions[r.at()].0 == RegionStatus::Down).collect(),
        cut,
    }
}

fn database(cx: &Facts, group: GroupId) -> StandingDatabase {
    let telemetry = cx.telemetry.group(group);
    let members =
        cx.database(group).into_iter().flat_map(|d| d.member_ids().zip(&d.members)).zip(&telemetry.members);
    StandingDatabase {
        group,
        members: members.map(|((id, m), t)| member(cx, group, (id, m.region), t)).collect(),
        record: telemetry.store.record.clone(),
        lease_ends_by: telemetry.store.lease_ends_by(),
        balancers: telemetry.balancers.iter().map(|b| b.servers.as_ref().map(|(s, _)| s.clone())).collect(),
        wal_rate: wal_rate(telemetry),
    }
}

fn member(
    cx: &Facts,
    group: GroupId,
    (id, region): (MemberId, RegionId),
    t: &MemberTelemetry,
) -> StandingMember {
    let led = cx.leader(group) == Some(id) && super::votes::votes(cx, group, id).alive().is_some();
    let mut last = [&t.sql.last, &t.rest.last].into_iter().flatten().peekable();
    let life = match () {
        // Only our own probes fail: the others know better.
        () if led => Life::Answers,
        () if last.peek().is_none() => Life::Unknown,
        () if last.any(ProbeResult::is_life) => Life::Answers,
        () if t.sql.refusals >= limits::REFUSALS || t.rest.refusals >= limits::REFUSALS => Life::Refuses,
        () => Life::Silent,
    };
    // Behind for longer than a link and a look explain, and not known to catch up.
    let behind =
        t.report.as_ref().and_then(|(r, _)| cx.telemetry.behind(group, r.received?)).unwrap_or_default();
    let synchronous = cx.synchronous_standbys(group).contains(&id);
    let late = if synchronous { limits::FRESH } else { limits::SILENCE };
    StandingMember {
        member: id,
        region,
        life,
        failing_since: t.failing_since(),
        report: t.report.clone(),
        heard: t.heard,
        led_at: t.led_at.map(|((_, position), at)| (position, at)),
        round_trip: t.round_trip,
        stalled: behind > late.plus(cx.estate().policy.detection.interval.times(2)),
    }
}

/// From the oldest to the newest position that is kept, if they lie a second apart at least.
fn wal_rate(telemetry: &GroupTelemetry) -> Option<u64> {
    let ((from, old), (to, new)) = (telemetry.positions.front()?, telemetry.positions.back()?);
    let passed = to.since(*from);
    (passed >= Span::secs(1)).then(|| new.ahead_of(*old).0 * 1000 / passed.0)
}

impl Engine {
    /// Something else than this group's database is watched in a region, and nothing of it answers: it is the network, not
    /// a machine.
    pub(in crate::engine) fn is_silent_beyond(&self, region: RegionId, group: GroupId) -> bool {
        if self.cut.contains(&region) {
            return true;
        }
        let services = self.telemetry.services.iter().filter_map(|s| s.get(region.at()));
        let others = self.state.estate.group_ids().filter(|g| *g != group);
        let there = |g: GroupId| {
            self.state
                .estate
                .group(g)
                .database
                .iter()
                .flat_map(|d| d.members_in(region))
                .map(move |m| (g, m))
                .collect::<Vec<_>>()
        };
        let members = others
            .flat_map(there)
            .filter_map(|(g, m)| self.telemetry.member(g, m))
            .flat_map(|m| [&m.sql, &m.rest]);
        let mut last = services.chain(members).filter_map(|p| p.last.as_ref()).peekable();
        last.peek().is_some() && last.all(|r| *r == ProbeResult::Silent)
    }
}

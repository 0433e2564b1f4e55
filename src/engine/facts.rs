//! What a decision may look at: the state, the telemetry and the time. Small questions that many decisions ask.

use super::limits;
use super::state::State;
use super::telemetry::{MemberTelemetry, Telemetry};
use crate::model::*;

#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub state: &'a State,
    pub telemetry: &'a Telemetry,
    pub now: Now,
}

impl<'a> Facts<'a> {
    pub fn estate(&self) -> &'a Estate {
        &self.state.estate
    }

    pub fn database(&self, group: GroupId) -> Option<&'a Database> {
        self.estate().group(group).database.as_ref()
    }

    pub fn member(&self, group: GroupId, region: RegionId) -> Option<&'a MemberTelemetry> {
        self.telemetry.member(self.estate(), group, region)
    }

    /// How much of its capacity a region uses. Of one that is down, the last that was measured, less the part of the databases
    /// that have left it since.
    pub fn load(&self, region: RegionId) -> Option<Percent> {
        let (load, _) = self.telemetry.loads[region.at()]?;
        if self.state.regions[region.at()].0 != RegionStatus::Down {
            return Some(load);
        }
        let hit = |g: &GroupId| {
            let services = &self.estate().group(*g).services;
            self.state.open_disasters().any(|d| d.regions.contains(&region) && services.iter().any(|s| d.services.contains(s)))
        };
        let led = |g: &GroupId| self.state.primaries[g.at()].0;
        let databases: Vec<GroupId> = self.estate().group_ids().filter(|g| self.database(*g).is_some()).collect();
        let here = databases.iter().filter(|g| led(g) == Some(region)).count();
        let left = databases.iter().filter(|g| hit(g) && led(g).is_some_and(|r| r != region)).count();
        let part = if left == 0 { usize::from(load.0) } else { usize::from(load.0) * here / (here + left) };
        Some(Percent(u16::try_from(part).unwrap_or(load.0)))
    }

    /// The primary answers and leads no more, and nobody else is seen to lead: nobody takes writes (Patroni demotes a primary
    /// that cannot renew its lock). When it was last heard to lead; where this controller never heard it, when it began itself.
    pub fn stepped_down(&self, group: GroupId) -> Option<Mono> {
        let primary = self.state.primaries.get(group.at())?.0?;
        let leads = |region: RegionId| self.report(group, region).map(|r| r.role == MemberRole::Leader);
        let nobody = leads(primary) == Some(false) && self.database(group)?.members.iter().all(|m| leads(m.region) != Some(true));
        if !nobody || self.state.running(group).is_some() {
            return None;
        }
        Some(self.member(group, primary)?.led_at.map_or(self.state.since, |(_, at)| at))
    }

    /// A former primary whose agent does not answer us and whose database does: it may take writes beside the present one.
    pub fn writes_beside(&self, group: GroupId) -> Option<RegionId> {
        let primary = self.state.primaries.get(group.at())?.0?;
        let may = |m: &MemberTelemetry| {
            let led = m.report.as_ref().is_some_and(|(r, _)| r.role == MemberRole::Leader);
            led && m.rest.last.as_ref().is_some_and(|l| !l.is_life()) && m.sql.last.as_ref().is_some_and(ProbeResult::is_life)
        };
        let others = self.database(group)?.members.iter().map(|m| m.region).filter(|r| *r != primary);
        others.into_iter().find(|r| self.member(group, *r).is_some_and(may))
    }

    /// A member's own report, if it is recent enough to show.
    pub fn report(&self, group: GroupId, region: RegionId) -> Option<&'a MemberReport> {
        self.report_within(group, region, self.stale_after())
    }

    pub fn report_within(&self, group: GroupId, region: RegionId, age: Span) -> Option<&'a MemberReport> {
        let (report, at) = self.member(group, region)?.report.as_ref()?;
        // What it said before it stopped answering is history, not its state.
        let silent = self.member(group, region)?.rest.failing_since.is_some_and(|t| t >= *at);
        (self.now.mono.since(*at) <= age && !silent).then_some(report)
    }

    pub fn record(&self, group: GroupId) -> Option<&'a StoreRecord> {
        self.telemetry.group(group).store.fresh(self.now.mono, self.stale_after())
    }

    pub fn record_within(&self, group: GroupId, age: Span) -> Option<&'a StoreRecord> {
        self.telemetry.group(group).store.fresh(self.now.mono, age)
    }

    /// The age beyond which a value no longer counts: two checks and a second.
    pub fn stale_after(&self) -> Span {
        self.estate().policy.detection.interval.times(2).plus(limits::FRESH)
    }

    /// The member that holds the lock, else the one that was last known to.
    pub fn leader(&self, group: GroupId) -> Option<RegionId> {
        let stored = self.telemetry.group(group).store.record.as_ref().and_then(|(r, _)| r.leader_region());
        stored.or_else(|| self.state.primaries.get(group.at()).and_then(|p| p.0))
    }

    /// The member's name in the cluster; where that is unknown, its region's.
    pub fn member_name(&self, group: GroupId, region: RegionId) -> String {
        let record = self.telemetry.group(group).store.record.as_ref();
        record.and_then(|(r, _)| r.name_of(region)).map_or_else(|| self.region_name(region).to_string(), str::to_string)
    }

    pub fn region_name(&self, region: RegionId) -> &'a str {
        &self.estate().region(region).name
    }

    /// The members that the store records as holding every acknowledged write.
    pub fn synchronous_standbys(&self, group: GroupId) -> Vec<RegionId> {
        let Some((record, _)) = self.telemetry.group(group).store.record.as_ref() else { return Vec::new() };
        let Some(sync) = &record.sync else { return Vec::new() };
        sync.standbys.iter().filter_map(|name| record.region_of(name).or_else(|| self.estate().region_named(name))).collect()
    }

    /// How far a standby is behind the furthest known position of a leader.
    pub fn lag(&self, group: GroupId, region: RegionId) -> Option<Bytes> {
        let (report, _) = self.member(group, region)?.report.as_ref()?;
        Some(self.telemetry.leader_position(group)?.ahead_of(report.received?))
    }

    /// How far a standby was behind when its primary was last heard to say where it was.
    pub fn behind_before(&self, group: GroupId, from: RegionId, region: RegionId) -> Option<Bytes> {
        let primary = self.member(group, from)?;
        // Up to the last word of where it was: who goes on receiving after that looks as if it had caught up.
        let (_, told) = primary.led_at?;
        let standby = self.member(group, region)?;
        standby.history.iter().rev().chain(&standby.before).find(|p| p.at <= told).map(|p| p.bytes)
    }
}

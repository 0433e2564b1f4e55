//! What a decision may look at: the state, the telemetry and the time. Small questions that many decisions ask.

use super::limits;
use super::state::State;
use super::telemetry::{MemberTelemetry, Telemetry};
use crate::model::*;
use std::borrow::Cow;

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

    pub fn member(&self, group: GroupId, member: MemberId) -> Option<&'a MemberTelemetry> {
        self.telemetry.member(group, member)
    }

    /// The members of a group's database.
    pub fn member_ids(&self, group: GroupId) -> impl Iterator<Item = MemberId> + use<> {
        (0..self.database(group).map_or(0, |d| d.members.len())).map(MemberId::of)
    }

    /// The region of a member.
    pub fn region_of(&self, group: GroupId, member: MemberId) -> Option<RegionId> {
        self.database(group)?.region_of(member)
    }

    /// The members that a plan leaves: the old primary first.
    pub fn left(&self, group: GroupId, old: MemberId, leaves: Leaves) -> Vec<MemberId> {
        let Some((database, region)) = self.database(group).and_then(|d| Some((d, d.region_of(old)?))) else {
            return Vec::new();
        };
        let others = database.members_in(region).filter(|m| *m != old && leaves == Leaves::Region);
        std::iter::once(old).chain(others).collect()
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
            self.state
                .open_disasters()
                .any(|d| d.regions.contains(&region) && services.iter().any(|s| d.services.contains(s)))
        };
        let led = |g: &GroupId| self.state.primary_region(*g);
        let databases: Vec<GroupId> =
            self.estate().group_ids().filter(|g| self.database(*g).is_some()).collect();
        let here = databases.iter().filter(|g| led(g) == Some(region)).count();
        let left = databases.iter().filter(|g| hit(g) && led(g).is_some_and(|r| r != region)).count();
        let part = if left == 0 { usize::from(load.0) } else { usize::from(load.0) * here / (here + left) };
        Some(Percent(u16::try_from(part).unwrap_or(load.0)))
    }

    /// The primary answers and leads no more, and nobody else is seen to lead: nobody takes writes (an agent demotes a primary
    /// that cannot renew its lock). When it was last heard to lead; where this controller never heard it, when it began itself.
    pub fn stepped_down(&self, group: GroupId) -> Option<Mono> {
        let primary = self.state.primaries.get(group.at())?.0?;
        let leads = |member: MemberId| self.report(group, member).map(|r| r.role == MemberRole::Leader);
        let nobody = leads(primary) == Some(false) && self.member_ids(group).all(|m| leads(m) != Some(true));
        if !nobody || self.state.running(group).is_some() || self.unconfigured_leader(group).is_some() {
            return None;
        }
        Some(self.member(group, primary)?.led_at.map_or(self.state.since, |(_, at)| at))
    }

    /// A former primary whose agent does not answer us and whose database does: it may take writes beside the present one.
    pub fn writes_beside(&self, group: GroupId) -> Option<MemberId> {
        let primary = self.state.primaries.get(group.at())?.0?;
        let may = |m: &MemberTelemetry| {
            let led = m.report.as_ref().is_some_and(|(r, _)| r.role == MemberRole::Leader);
            led && m.rest.last.as_ref().is_some_and(|l| !l.is_life())
                && m.sql.last.as_ref().is_some_and(ProbeResult::is_life)
        };
        self.member_ids(group).filter(|m| *m != primary).find(|m| self.member(group, *m).is_some_and(may))
    }

    /// A member's own report, if it is recent enough to show.
    pub fn report(&self, group: GroupId, member: MemberId) -> Option<&'a MemberReport> {
        self.report_within(group, member, self.stale_after())
    }

    pub fn report_within(&self, group: GroupId, member: MemberId, age: Span) -> Option<&'a MemberReport> {
        let (report, at) = self.member(group, member)?.report.as_ref()?;
        // What it said before it stopped answering is history, not its state.
        let silent = self.member(group, member)?.rest.failing_since.is_some_and(|t| t >= *at);
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

    /// The member that holds the lock, else the one that was last known to. `None` also where somebody holds it whom the estate
    /// does not name.
    pub fn leader(&self, group: GroupId) -> Option<MemberId> {
        let stored = self.telemetry.group(group).store.record.as_ref().and_then(|(r, _)| r.leading_member());
        if stored.is_none() && self.unconfigured_leader(group).is_some() {
            return None;
        }
        stored.or_else(|| self.state.primaries.get(group.at()).and_then(|p| p.0))
    }

    /// Who holds the lock, where the estate does not name that member.
    pub fn unconfigured_leader(&self, group: GroupId) -> Option<UnconfiguredLeader> {
        self.telemetry.group(group).store.record.as_ref().and_then(|(r, _)| r.unconfigured_leader())
    }

    /// The region that it is led from.
    pub fn leading_region(&self, group: GroupId) -> Option<RegionId> {
        self.region_of(group, self.leader(group)?)
    }

    /// The member's name in the cluster: as the configuration gives it, else as the store or an earlier record told it.
    pub fn known_name(&self, group: GroupId, member: MemberId) -> Option<&'a str> {
        let configured = self.database(group)?.member(member)?.name.as_deref();
        let stored =
            || self.telemetry.group(group).store.record.as_ref().and_then(|(r, _)| r.name_of(member));
        configured.or_else(stored).or_else(|| self.state.names.get(&(group, member)).map(|name| &**name))
    }

    /// The member's name in the cluster; while that is unknown, its label.
    pub fn member_name(&self, group: GroupId, member: MemberId) -> Cow<'a, str> {
        self.known_name(group, member)
            .map_or_else(|| self.estate().member_label(group, member, None), Cow::Borrowed)
    }

    /// What people call the member.
    pub fn label(&self, group: GroupId, member: MemberId) -> Cow<'a, str> {
        self.estate().member_label(group, member, self.known_name(group, member))
    }

    /// The same, to be kept.
    pub fn called(&self, group: GroupId, member: MemberId) -> Name {
        self.label(group, member).into()
    }

    pub fn region_name(&self, region: RegionId) -> &'a str {
        &self.estate().region(region).name
    }

    /// The members that the store records as holding every acknowledged write.
    pub fn synchronous_standbys(&self, group: GroupId) -> Vec<MemberId> {
        let Some((record, _)) = self.telemetry.group(group).store.record.as_ref() else { return Vec::new() };
        let Some(sync) = &record.sync else { return Vec::new() };
        let named = |name: &Name| self.member_ids(group).find(|m| *self.member_name(group, *m) == **name);
        sync.standbys.iter().filter_map(|name| record.member_named(name).or_else(|| named(name))).collect()
    }

    /// How far a standby is behind the furthest known position of a leader.
    pub fn lag(&self, group: GroupId, member: MemberId) -> Option<Bytes> {
        let (report, _) = self.member(group, member)?.report.as_ref()?;
        Some(self.telemetry.leader_position(group)?.ahead_of(report.received?))
    }

    /// The same in time.
    pub fn lag_time(&self, group: GroupId, member: MemberId) -> Option<Span> {
        let (report, _) = self.member(group, member)?.report.as_ref()?;
        self.telemetry.behind(group, report.received?)
    }

    /// How far a standby was behind when its primary was last heard to say where it was.
    pub fn behind_before(&self, group: GroupId, from: MemberId, member: MemberId) -> Option<Bytes> {
        let primary = self.member(group, from)?;
        // Up to the last word of where it was: who goes on receiving after that looks as if it had caught up.
        let (_, told) = primary.led_at?;
        let standby = self.member(group, member)?;
        standby.history.iter().rev().chain(&standby.before).find(|p| p.at <= told).map(|p| p.bytes)
    }
}

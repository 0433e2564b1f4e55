//! The newest of each measured value, in bounded memory. It is not the journal: what a decision rests on goes into its
//! event.

use super::claim_seen::ClaimSeen;
use super::limits;
use crate::model::*;
use std::collections::VecDeque;
use std::sync::Arc;

/// What one probed port has answered lately.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    pub last_try: Option<Mono>,
    /// Until when the last try speaks: silence does for as long as an answer was waited for.
    pub speaks_until: Option<Mono>,
    pub last_well: Option<Mono>,
    pub last_life: Option<Mono>,
    /// The first of the failures in a row.
    pub failing_since: Option<Mono>,
    pub failures: u32,
    pub refusals: u32,
    pub silences: u32,
    pub last: Option<ProbeResult>,
}

impl Probes {
    fn add(&mut self, at: Mono, waited: Span, result: ProbeResult) {
        if self.last_try.is_some_and(|t| t > at) {
            return;
        }
        (self.last_try, self.speaks_until) = (Some(at), Some(at.plus(waited)));
        if matches!(result, ProbeResult::NotAsked(_)) {
            // Who could not ask knows nothing of it: neither a failure nor a success.
            self.last = Some(result);
            return;
        }
        if result.is_life() {
            self.last_life = Some(at);
        }
        if result.is_well() {
            self.last_well = Some(at);
            (self.failing_since, self.failures, self.refusals, self.silences) = (None, 0, 0, 0);
        } else {
            self.failing_since.get_or_insert(at);
            self.failures = self.failures.saturating_add(1);
            // A mixed row of failures counts as the slower of the two kinds.
            match result {
                ProbeResult::Refused => self.refusals = self.refusals.saturating_add(1),
                ProbeResult::Silent => (self.silences, self.refusals) = (self.silences.saturating_add(1), 0),
                _ => (self.refusals, self.silences) = (0, 0),
            }
        }
        self.last = Some(result);
    }

    /// True if the row of failures is long enough to believe that nothing lives there.
    pub fn believed_gone(&self) -> bool {
        let lasted =
            self.failing_since.zip(self.last_try).map_or(Span::ZERO, |(since, last)| last.since(since));
        let silent =
            self.silences.saturating_add(self.refusals) >= limits::SILENCES && lasted >= limits::SILENCE;
        self.refusals >= limits::REFUSALS || silent
    }

    /// True if it failed as often, and for as long, as the configuration asks before anything is declared.
    pub fn past_threshold(&self, threshold: u16, interval: Span) -> bool {
        let lasted =
            self.failing_since.zip(self.last_try).map_or(Span::ZERO, |(since, last)| last.since(since));
        self.failures >= u32::from(threshold)
            && lasted >= interval.times(u64::from(threshold.saturating_sub(1)))
    }
}

/// A value and when it was measured.
pub type Timed<T> = Option<(T, Mono)>;

#[derive(Clone, Debug, Default)]
pub struct MemberTelemetry {
    pub sql: Probes,
    pub rest: Probes,
    pub report: Timed<MemberReport>,
    /// The last position it said it had as a leader, and on which timeline.
    pub led_at: Timed<(Option<Timeline>, Lsn)>,
    /// The last position that it said, as a standby, to have received.
    pub received: Timed<Lsn>,
    pub stream: Timed<Receiver>,
    /// When its receiver last heard the leader: kept when the stream is lost.
    pub heard: Option<Mono>,
    pub fence_check: Timed<Result<(), String>>,
    /// Whether our own login was let in when it last tried.
    pub login: Timed<Result<(), String>>,
    pub history: Arc<VecDeque<LagPoint>>,
    /// The last point that has left the history while it was from before the leader's last word.
    pub before: Option<LagPoint>,
    /// The last answered probe's time, of either port.
    pub round_trip: Option<Span>,
}

impl MemberTelemetry {
    /// The last sign of life on either port.
    pub fn last_life(&self) -> Option<Mono> {
        self.sql.last_life.max(self.rest.last_life)
    }

    pub fn failing_since(&self) -> Option<Mono> {
        Some(self.sql.failing_since?.min(self.rest.failing_since?))
    }
}

/// Something that only a living member does, between two reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LifeSign {
    /// At this moment or later.
    pub after: Mono,
    /// When it was seen.
    pub seen: Mono,
}

impl LifeSign {
    /// How long ago it was seen, if it says that the leader lives although our probes of it fail since that moment: until
    /// the next one is overdue as well. Who died right after our first failure must not look alive for good.
    pub fn against(self, failing_since: Mono, loop_wait: Option<Span>, now: Mono) -> Option<Span> {
        let age = now.since(self.seen);
        let overdue = loop_wait.map(|w| w.plus(limits::SILENCE));
        (self.after >= failing_since && overdue.is_none_or(|o| age <= o)).then_some(age)
    }
}

#[derive(Clone, Debug, Default)]
pub struct StoreTelemetry {
    pub record: Timed<StoreRecord>,
    /// The store gave no usable answer since then.
    pub away: Timed<String>,
    pub away_since: Option<Mono>,
    /// The last sign of life of the leader in the store: its lock was renewed, or its status written.
    pub leader_alive: Option<LifeSign>,
    /// What has been seen of the operation key and the owner key.
    pub(in crate::engine) claim: Option<ClaimSeen>,
    /// The latest moment the lease can end at, and the read that says so.
    pub(in crate::engine) lease_ends_by: Option<(Mono, Mono)>,
}

impl StoreTelemetry {
    /// The latest moment the present lease can end at, if it is not renewed.
    pub fn lease_ends_by(&self) -> Option<Mono> {
        self.lease_ends_by.map(|(by, _)| by)
    }

    /// The record, if it was read no longer ago than this.
    pub fn fresh(&self, now: Mono, age: Span) -> Option<&StoreRecord> {
        self.record.as_ref().filter(|(_, at)| now.since(*at) <= age).map(|(r, _)| r)
    }

    fn add(&mut self, at: Mono, record: StoreRecord) {
        let before = self.record.take();
        // A read that was overtaken by a newer one says nothing about now. A later one with an older revision does: the store was
        // restored, for a read never falls behind one that ended before it began.
        if let Some((_, old_at)) = &before
            && *old_at > at
        {
            self.record = before;
            return;
        }
        let restored = before.as_ref().is_some_and(|(old, _)| old.revision > record.revision);
        let before = before.filter(|_| !restored);
        self.claim = Some(ClaimSeen::after(self.claim.take(), &record, at, restored));
        // The time left is told in whole seconds, cut off: the end lies within the second after it.
        let ends = record
            .leader
            .as_ref()
            .and_then(|l| l.lease_left)
            .map(|left| (at.plus(left), at.plus(left).plus(Span::ms(1_100))));
        let same = before.as_ref().is_some_and(|(old, _)| {
            old.leader.as_ref().map(|l| l.create_revision)
                == record.leader.as_ref().map(|l| l.create_revision)
        });
        if !same {
            self.lease_ends_by = None;
        }
        if let Some((old, old_at)) = before.filter(|_| same)
            && old.status.is_some()
            && old.status.map(|s| s.revision) < record.status.map(|s| s.revision)
        {
            self.leader_alive = self.leader_alive.max(Some(LifeSign { after: old_at, seen: at }));
        }
        self.lease_ends_by = match (self.lease_ends_by, ends) {
            // It ends later than it could have ended as of that read: it was renewed after it.
            (Some((by, told)), Some((earliest, latest))) if earliest > by => {
                self.leader_alive = self.leader_alive.max(Some(LifeSign { after: told, seen: at }));
                Some((latest, at))
            }
            (Some((by, told)), Some((_, latest))) => {
                Some(if latest < by { (latest, at) } else { (by, told) })
            }
            (known, None) => known,
            (None, Some((_, latest))) => Some((latest, at)),
        };
        self.away = None;
        self.away_since = None;
        self.record = Some((record, at));
    }
}

#[derive(Clone, Debug, Default)]
pub struct BalancerTelemetry {
    pub servers: Timed<Vec<ServerView>>,
    /// Why it does not answer, and since when.
    pub away: Timed<String>,
}

impl BalancerTelemetry {
    /// When a server of the member was read; `None` if it has none.
    pub fn read_of(&self, member: MemberId) -> Option<Mono> {
        let (_, at) = self.servers.as_ref()?;
        self.servers_of(member).next().map(|_| *at)
    }

    /// Every server of a member.
    pub fn servers_of(&self, member: MemberId) -> impl Iterator<Item = &ServerView> {
        self.servers.iter().flat_map(|(servers, _)| servers).filter(move |s| s.member == Some(member))
    }

    /// When every server of a member was read to be in maintenance, or none; `None` if that was not read, or they differ.
    pub fn all_in_maintenance(&self, member: MemberId, out: bool) -> Option<Mono> {
        let (_, at) = self.servers.as_ref()?;
        let mut servers = self.servers_of(member).peekable();
        servers.peek()?;
        servers.all(|s| s.maintenance == out).then_some(*at)
    }

    /// When every server of a member was read to be as it was set: out of rotation, or in it. One that was set to maintenance
    /// while its name cannot be resolved shows only the latter.
    pub fn all_set(&self, member: MemberId, out: bool) -> Option<Mono> {
        let (_, at) = self.servers.as_ref()?;
        let mut servers = self.servers_of(member).peekable();
        servers.peek()?;
        servers.all(|s| if out { s.maintenance || s.unresolved } else { !s.maintenance }).then_some(*at)
    }
}

#[derive(Clone, Debug)]
pub struct Signal {
    pub kind: DisasterType,
    pub region: RegionId,
    /// The databases that it names; none: all that are led from the region.
    pub groups: Vec<GroupId>,
    pub text: String,
    pub since: Mono,
}

impl Signal {
    /// It is about this database, if that is led from its region.
    pub fn names(&self, group: GroupId) -> bool {
        self.groups.is_empty() || self.groups.contains(&group)
    }
}

/// All that is measured of one group.
#[derive(Clone, Debug, Default)]
pub struct GroupTelemetry {
    /// In the order of the database's members.
    pub members: Vec<MemberTelemetry>,
    pub store: StoreTelemetry,
    pub balancers: Vec<BalancerTelemetry>,
    /// The newest answers to what an operation would need.
    pub survey: Timed<SurveyAnswers>,
    /// Where the leader was, and when: what a standby's lag in time is read from.
    pub positions: VecDeque<(Mono, Lsn)>,
}

#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    pub groups: Vec<GroupTelemetry>,
    /// By service, then by region; the last entry is the service's one address.
    pub services: Vec<Vec<Probes>>,
    /// By need, in the estate's order.
    pub needs: Vec<Timed<ProbeResult>>,
    pub loads: Vec<Timed<Percent>>,
    pub signals: Vec<Signal>,
}

impl Telemetry {
    pub fn of(estate: &Estate) -> Telemetry {
        let group = |g: &Group| match &g.database {
            None => GroupTelemetry::default(),
            Some(d) => GroupTelemetry {
                members: vec![MemberTelemetry::default(); d.members.len()],
                store: StoreTelemetry::default(),
                balancers: vec![BalancerTelemetry::default(); d.balancers.len()],
                survey: None,
                positions: VecDeque::new(),
            },
        };
        Telemetry {
            groups: estate.groups.iter().map(group).collect(),
            services: vec![vec![Probes::default(); estate.regions.len() + 1]; estate.services.len()],
            needs: vec![None; estate.needs.len()],
            loads: vec![None; estate.regions.len()],
            signals: Vec::new(),
        }
    }

    pub fn member(&self, group: GroupId, member: MemberId) -> Option<&MemberTelemetry> {
        self.groups.get(group.at())?.members.get(member.at())
    }

    pub fn group(&self, group: GroupId) -> &GroupTelemetry {
        &self.groups[group.at()]
    }

    /// Takes in one observation. What names no part of the estate is left out: a driver may be a change of
    /// configuration behind.
    pub fn add(&mut self, estate: &Estate, observation: Observation) {
        let at = observation.at;
        match observation.fact {
            Fact::Probe { group, member, port, result, waited } => {
                if let Some(member) = self.member_mut(group, member) {
                    if let ProbeResult::Answered { round_trip } = result {
                        member.round_trip = Some(round_trip);
                    }
                    match port {
                        Port::Sql => member.sql.add(at, waited, result),
                        Port::Rest => member.rest.add(at, waited, result),
                    }
                }
            }
            Fact::Member { group, member, report } => self.add_report(group, member, at, report),
            Fact::Receiver { group, member, stream } => {
                if let Some(member) = self.member_mut(group, member) {
                    member.heard = member.heard.max(stream.silent_for.map(|s| at.minus(s)));
                    replace(&mut member.stream, stream, at);
                }
            }
            Fact::FenceCheck { group, member, result } => {
                if let Some(member) = self.member_mut(group, member) {
                    replace(&mut member.fence_check, result, at);
                }
            }
            Fact::Login { group, member, result } => {
                if let Some(member) = self.member_mut(group, member) {
                    replace(&mut member.login, result, at);
                }
            }
            Fact::Survey { group, answers } => {
                if let Some(group) = self.groups.get_mut(group.at()) {
                    replace(&mut group.survey, *answers, at);
                }
            }
            Fact::Store { group, record } => {
                if let Some(group) = self.groups.get_mut(group.at()) {
                    group.store.add(at, *record);
                }
            }
            Fact::StoreAway { group, reason } => {
                if let Some(group) = self.groups.get_mut(group.at()) {
                    group.store.away_since.get_or_insert(at);
                    group.store.away = Some((reason, at));
                }
            }
            Fact::Balancer { group, balancer, servers } => {
                if let Some(b) =
                    self.groups.get_mut(group.at()).and_then(|g| g.balancers.get_mut(balancer.at()))
                {
                    replace(&mut b.servers, servers, at);
                    b.away = None;
                }
            }
            Fact::BalancerAway { group, balancer, reason } => {
                if let Some(b) =
                    self.groups.get_mut(group.at()).and_then(|g| g.balancers.get_mut(balancer.at()))
                {
                    b.away = Some((reason, b.away.take().map_or(at, |(_, since)| since)));
                }
            }
            Fact::Service { service, region, result } => {
                let position = region.map_or(estate.regions.len(), RegionId::at);
                if let Some(probes) = self.services.get_mut(service.at()).and_then(|s| s.get_mut(position)) {
                    probes.add(at, Span::ZERO, result);
                }
            }
            Fact::Load { region, load } => {
                if let Some(slot) = self.loads.get_mut(region.at()) {
                    replace(slot, load, at);
                }
            }
            Fact::Need { need, result } => {
                if let Some(known) = self.needs.get_mut(usize::from(need)) {
                    replace(known, result, at);
                }
            }
            Fact::Signal { kind, region, groups, text, active } => {
                let known = self
                    .signals
                    .iter()
                    .position(|s| s.kind == kind && s.region == region && s.groups == groups);
                match (known, active) {
                    (None, true) if self.signals.len() < limits::KEEP => {
                        self.signals.push(Signal { kind, region, groups, text, since: at });
                    }
                    (Some(i), false) => {
                        self.signals.remove(i);
                    }
                    _ => {}
                }
            }
        }
    }

    fn member_mut(&mut self, group: GroupId, member: MemberId) -> Option<&mut MemberTelemetry> {
        self.groups.get_mut(group.at())?.members.get_mut(member.at())
    }

    /// Who holds the lock and is on no later timeline than another that led has not followed that one: what the other wrote is
    /// on a history that was left, and nobody is behind it.
    fn leave_other_histories(&mut self, group: GroupId, own: MemberId, timeline: Timeline) {
        let Some(group) = self.groups.get_mut(group.at()) else { return };
        if group.store.record.as_ref().and_then(|(r, _)| r.leading_member()) != Some(own) {
            return;
        }
        for (_, member) in group.members.iter_mut().enumerate().filter(|(i, _)| *i != own.at()) {
            member.led_at = member.led_at.filter(|((led, _), _)| *led < Some(timeline));
        }
    }

    fn add_report(&mut self, group: GroupId, id: MemberId, at: Mono, report: MemberReport) {
        let leader = self.leader_position(group);
        let heard = self
            .groups
            .get(group.at())
            .and_then(|g| g.members.iter().filter_map(|m| m.led_at).map(|(_, at)| at).max());
        let behind = report.received.and_then(|received| self.behind(group, received));
        let Some(member) = self.member_mut(group, id) else { return };
        if member.report.as_ref().is_some_and(|(_, old)| *old > at) {
            return;
        }
        if report.role == MemberRole::Leader
            && let Some(position) = report.position
        {
            member.led_at = Some(((report.timeline, position), at));
            if let Some(timeline) = report.timeline {
                self.leave_other_histories(group, id, timeline);
            }
            if report.timeline >= self.newest_timeline(group) {
                self.add_position(group, at, position);
            }
        }
        // One that stepped down and stands where it stood: nothing was written meanwhile, and nobody falls behind by that.
        let Some(member) = self.member_mut(group, id) else { return };
        let stood = member
            .led_at
            .map(|(led, _)| led)
            .filter(|led| *led == (report.timeline, report.position.or(report.received).unwrap_or_default()));
        if let Some((timeline, position)) = stood.filter(|_| report.role == MemberRole::Replica)
            && timeline >= self.newest_timeline(group)
        {
            self.add_position(group, at, position);
        }
        let Some(member) = self.member_mut(group, id) else { return };
        // One point a second is enough for a line, and keeps the memory of an hour small.
        if report.role == MemberRole::Replica
            && let (Some(leader), Some(received)) = (leader, report.received)
            && member.history.back().is_none_or(|last| at.since(last.at) >= Span::secs(1))
        {
            let history = Arc::make_mut(&mut member.history);
            let oldest = if history.len() == limits::HISTORY { history.pop_front() } else { None };
            // However long a leader has been silent: how it stood before is not forgotten.
            member.before = oldest.filter(|p| heard >= Some(p.at)).or(member.before);
            history.push_back(LagPoint { at, bytes: leader.ahead_of(received), time: behind });
        }
        if let Some(received) = report.received.filter(|_| report.role == MemberRole::Replica) {
            replace(&mut member.received, received, at);
        }
        member.report = Some((report, at));
    }

    fn add_position(&mut self, group: GroupId, at: Mono, position: Lsn) {
        let Some(group) = self.groups.get_mut(group.at()) else { return };
        // What lay further was on a timeline that has ended.
        while group.positions.back().is_some_and(|(_, p)| *p > position) {
            group.positions.pop_back();
        }
        if group.positions.back().is_some_and(|(t, _)| at.since(*t) < Span::ms(200)) {
            return;
        }
        if group.positions.len() == limits::HISTORY {
            group.positions.pop_front();
        }
        group.positions.push_back((at, position));
    }
}

fn replace<T>(slot: &mut Timed<T>, value: T, at: Mono) {
    if slot.as_ref().is_none_or(|(_, old)| *old <= at) {
        *slot = Some((value, at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_of_life_counts_until_the_next_is_overdue() {
        let sign = LifeSign { after: Mono(1_000), seen: Mono(1_100) };
        let wait = Some(Span::secs(1));
        for (failing_since, loop_wait, now, expected) in [
            // It came before the failures: it says nothing.
            (1_001, wait, 1_200, None),
            // It came with or after the first failure.
            (1_000, wait, 1_200, Some(100)),
            (900, wait, 5_100, Some(4_000)),
            // The next ones did not come.
            (900, wait, 5_101, None),
            // How often it renews is not known: nothing is overdue.
            (900, None, 60_000, Some(58_900)),
        ] {
            let said = sign.against(Mono(failing_since), loop_wait, Mono(now));
            assert_eq!(said, expected.map(Span), "{failing_since} {now}");
        }
    }

    /// Two ports that are probed out of step, each answer waited for 250 ms: what they say together is never too old for
    /// automation, although each probe was sent longer ago than that.
    #[test]
    fn silence_speaks_for_as_long_as_it_was_waited_for() {
        let (waits, mut sql, mut rest) = (Span::ms(250), Probes::default(), Probes::default());
        for n in 0..12u64 {
            for (probes, sent) in [(&mut sql, Mono(n * 252)), (&mut rest, Mono(n * 252 + 126))] {
                probes.add(sent, waits, ProbeResult::Silent);
            }
            let told = Mono(n * 252 + 126 + 250);
            let age = |probes: &Probes| probes.speaks_until.map(|t| told.since(t));
            assert!(age(&sql).max(age(&rest)).is_some_and(|a| a <= limits::FRESH_FOR_AUTOMATION), "{n}");
        }
        assert!(sql.silences >= limits::SILENCES && sql.failing_since == Some(Mono(0)));
    }
}

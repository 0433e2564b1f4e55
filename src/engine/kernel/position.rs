//! Where a leader's log stands, and how far a standby is behind it: from what was heard at different times, of leaders on
//! different timelines.

use super::telemetry::Telemetry;
use crate::model::*;

impl Telemetry {
    /// How long ago the leader was where a standby is now; zero if the standby has all that is known. When the standby
    /// is further back than anything kept, it is at least so long. Between two positions that were heard the leader is taken
    /// to have written evenly: how seldom we ask, and that we were blind, is no lag of the standby's.
    pub fn behind(&self, group: GroupId, received: Lsn) -> Option<Span> {
        let positions = &self.groups.get(group.at())?.positions;
        let (newest, furthest) = positions.back()?;
        if received >= *furthest {
            return Some(Span::ZERO);
        }
        let next = positions.partition_point(|(_, p)| *p <= received);
        let Some((had, from)) = next.checked_sub(1).and_then(|i| positions.get(i)) else {
            return Some(newest.since(positions.front()?.0));
        };
        let Some((then, to)) = positions.get(next) else { return Some(newest.since(*had)) };
        let share = u128::from(received.ahead_of(*from).0) * u128::from(then.since(*had).0)
            / u128::from(to.ahead_of(*from).0.max(1));
        Some(newest.since(had.plus(Span(u64::try_from(share).unwrap_or(0)))))
    }

    /// The newest timeline that a leader of the group said it was on.
    pub(in crate::engine) fn newest_timeline(&self, group: GroupId) -> Option<Timeline> {
        self.groups.get(group.at())?.members.iter().filter_map(|m| m.led_at?.0.0).max()
    }

    /// The furthest position that a leader of the group is known to have reached on the line of history that the group
    /// is on: what a leader wrote on a timeline beyond its end is gone, and nobody can be behind it.
    pub fn leader_position(&self, group: GroupId) -> Option<Lsn> {
        let newest = self.newest_timeline(group);
        let group = self.groups.get(group.at())?;
        let record = group.store.record.as_ref().map(|(r, _)| r);
        let switch = record.and_then(|r| r.last_switch);
        let counts = |(timeline, position): (Option<Timeline>, Lsn)| match switch {
            Some((ended, end)) if timeline <= Some(ended) => Some(position.min(end)),
            _ => (timeline >= newest).then_some(position),
        };
        let told = group.members.iter().filter_map(|m| counts(m.led_at?.0)).max();
        let stored = record.and_then(|r| {
            let status = r.status?;
            // What an earlier holder of the lock wrote may be on another timeline; which, it does not say.
            let by_this_leader = r.leader.as_ref().is_none_or(|l| status.revision > l.create_revision);
            (by_this_leader || told.is_none()).then_some(status.position)
        });
        told.max(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::super::telemetry::*;
    use super::*;

    #[test]
    fn that_we_were_blind_is_no_lag_of_the_standby() {
        let heard = [(0, 100), (1_000, 200), (91_000, 9_200), (92_000, 9_300)];
        let positions = heard.map(|(at, p)| (Mono(at), Lsn(p))).to_vec().into();
        let telemetry = Telemetry {
            groups: vec![GroupTelemetry { positions, ..GroupTelemetry::default() }],
            ..Telemetry::default()
        };
        for (received, expected, why) in [
            (9_300, 0, "it has all that is known"),
            (9_250, 500, "between the newest two: as if it had been written evenly"),
            (9_100, 2_000, "between two that are far apart: the same"),
            (200, 91_000, "it stopped before we did"),
            (150, 91_500, "between two from before"),
            (50, 92_000, "further back than anything kept: at least"),
        ] {
            assert_eq!(telemetry.behind(GroupId::of(0), Lsn(received)), Some(Span(expected)), "{why}");
        }
    }

    #[test]
    fn what_was_written_past_the_end_of_a_timeline_does_not_count() {
        let told = |timeline, position| Some(((Some(Timeline(timeline)), Lsn(position)), Mono(1)));
        let old = told(1, 150);
        for (leaders, switch, status, expected, why) in [
            ([old, None], None, None, Some(150), "one leader, one timeline"),
            ([old, told(2, 130)], Some((1, 120)), None, Some(130), "the cluster took over and lost 30"),
            (
                [old, None],
                Some((1, 120)),
                None,
                Some(120),
                "the new leader did not speak yet: its history did",
            ),
            ([old, told(2, 130)], None, None, Some(130), "its history was not read yet"),
            ([told(2, 130), told(2, 160)], Some((1, 120)), None, Some(160), "the furthest on the newest"),
            ([told(2, 150), told(3, 125)], Some((2, 120)), None, Some(125), "only the last switch is kept"),
            ([None, None], Some((1, 120)), Some((5, 150)), Some(150), "nobody told us: what the store says"),
            (
                [old, told(2, 130)],
                Some((1, 120)),
                Some((5, 150)),
                Some(130),
                "the store's is of the holder before",
            ),
            ([old, told(2, 130)], Some((1, 120)), Some((9, 140)), Some(140), "the store's is of this holder"),
        ] {
            let members =
                leaders.map(|led_at| MemberTelemetry { led_at, ..MemberTelemetry::default() }).to_vec();
            let leader = Some(LeaderKey {
                name: "new".into(),
                member: None,
                create_revision: 7,
                lease_left: None,
                lease_ttl: None,
                lease_id: None,
            });
            let record = StoreRecord {
                leader,
                last_switch: switch.map(|(t, p)| (Timeline(t), Lsn(p))),
                status: status.map(|(revision, p)| StatusKey { revision, position: Lsn(p) }),
                ..StoreRecord::default()
            };
            let store = StoreTelemetry { record: Some((record, Mono(1))), ..StoreTelemetry::default() };
            let telemetry = Telemetry {
                groups: vec![GroupTelemetry { members, store, ..GroupTelemetry::default() }],
                ..Telemetry::default()
            };
            assert_eq!(telemetry.leader_position(GroupId::of(0)), expected.map(Lsn), "{why}");
        }
    }
}

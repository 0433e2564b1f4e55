//! What a judge may ask of a world, and no controller can.

use super::world::World;
use crate::model::*;

/// Who leads a cluster, as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leads {
    pub member: MemberId,
    pub timeline: Timeline,
    pub writable: bool,
    /// A standby streams from it; where commits wait, one that is recorded.
    pub protected: bool,
    /// When it last lived, its agent with it.
    pub lived: Mono,
}

impl World {
    /// What became of an effect, as it was; `None` if nothing has yet.
    pub fn outcome(&self, id: EffectId) -> Option<&Outcome> {
        self.outcomes.get(&id)
    }

    /// Who holds the lock of a group's cluster and leads.
    pub fn leads(&self, group: GroupId) -> Option<Leads> {
        let cluster = self.clusters.iter().find(|c| c.group == group)?;
        let holder = cluster.store.leader.as_ref()?.holder;
        let member = &cluster.members[holder];
        let streams =
            |i: usize| cluster.source(i) == Some(holder) && cluster.members[i].streaming && cluster.lives(i);
        let counts = |i: usize| {
            !cluster.setup.synchronous || cluster.store.sync.standbys.contains(&cluster.members[i].name)
        };
        let protected = (0..cluster.members.len()).any(|i| i != holder && streams(i) && counts(i));
        let writable = member.writable && cluster.lives(holder);
        member.leads.then_some(Leads {
            member: MemberId::of(holder),
            timeline: Timeline(member.timeline),
            writable,
            protected,
            lived: member.lived,
        })
    }
}

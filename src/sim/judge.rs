//! What a judge may ask of a world, and no controller can.

use super::world::World;
use crate::model::*;

/// Who leads a cluster, as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leads {
    pub region: RegionId,
    pub timeline: Timeline,
    pub writable: bool,
    /// A standby streams from it; where commits wait, one that is recorded.
    pub protected: bool,
}

impl World {
    /// Who holds the lock of a group's cluster and leads.
    pub fn leads(&self, group: GroupId) -> Option<Leads> {
        let cluster = self.clusters.iter().find(|c| c.group == group)?;
        let holder = cluster.store.leader.as_ref()?.holder;
        let member = &cluster.members[holder];
        let streams = |i: usize| cluster.source(i) == Some(holder) && cluster.members[i].streaming && cluster.lives(i);
        let counts = |i: usize| !cluster.setup.synchronous || cluster.store.sync.standbys.contains(&cluster.members[i].name);
        let protected = (0..cluster.members.len()).any(|i| i != holder && streams(i) && counts(i));
        let writable = member.writable && cluster.lives(holder);
        member.leads.then_some(Leads { region: member.region, timeline: Timeline(member.timeline), writable, protected })
    }

    /// Switches on what was fenced, without ending what strikes it.
    pub fn switch_on(&mut self) {
        for c in 0..self.clusters.len() {
            self.advance(c);
            for m in 0..self.clusters[c].members.len() {
                let fenced = std::mem::take(&mut self.clusters[c].members[m].fenced);
                let struck = self.strikes_node(c, m);
                if fenced && !struck && self.region_is_up(self.clusters[c].members[m].region) {
                    let now = self.clock;
                    self.clusters[c].restart(m, now);
                }
            }
        }
    }

    fn strikes_node(&self, c: usize, m: usize) -> bool {
        let (group, region) = (self.clusters[c].group, self.clusters[c].members[m].region);
        let node = |k: FaultKind| matches!(k, FaultKind::NodeFailure | FaultKind::StandbyLost);
        self.faults.iter().any(|(f, on)| *on && node(f.fault.kind) && f.fault.region == region && f.fault.group.is_none_or(|g| g == group))
    }
}

//! What strikes the world, how it relents, and who reaches whom meanwhile.

use super::world::World;
use crate::model::*;

impl World {
    /// A fault of this kind strikes here now.
    fn suffers(&self, kind: FaultKind, region: RegionId) -> bool {
        self.faults.iter().any(|(f, on)| *on && f.fault.kind == kind && f.fault.region == region)
    }

    pub(super) fn region_is_up(&self, region: RegionId) -> bool {
        let lost = |k| self.suffers(k, region);
        let provider = self.estate.region(region).provider.as_ref();
        let provider_lost = self.faults.iter().any(|(f, on)| {
            *on && f.fault.kind == FaultKind::ProviderOutage
                && (f.fault.region == region
                    || (provider.is_some()
                        && self.estate.region(f.fault.region).provider.as_ref() == provider))
        });
        !(lost(FaultKind::RegionOutage) || lost(FaultKind::DataCenterOutage) || provider_lost)
    }

    /// Cut off from everything else, and alive.
    pub(super) fn is_cut(&self, region: RegionId) -> bool {
        self.suffers(FaultKind::Partition, region)
    }

    pub(super) fn we_reach(&self, region: RegionId) -> bool {
        self.region_is_up(region) && !self.is_cut(region) && !self.suffers(FaultKind::FalseAlarm, region)
    }

    pub(super) fn reaches_store(&self, cluster: usize, region: RegionId) -> bool {
        self.region_is_up(region) && !self.is_cut(region) && self.store_answers(cluster)
    }

    /// Its store answers while more than half of it is up and can be reached.
    pub(super) fn store_answers(&self, cluster: usize) -> bool {
        if self.faults.iter().any(|(f, on)| *on && f.fault.kind == FaultKind::StoreAway) {
            return false;
        }
        let store = self.estate.group(self.clusters[cluster].group).database.iter().flat_map(|d| &d.store);
        let (lost, all) = store.fold((0, 0), |(lost, all), e| {
            let gone = e.region.is_some_and(|r| !self.region_is_up(r) || self.is_cut(r));
            (lost + usize::from(gone), all + 1)
        });
        lost * 2 < all || all == 0
    }

    pub(super) fn fence_lies(&self) -> bool {
        self.setup.fence.lies
            || self.faults.iter().any(|(f, on)| *on && f.fault.kind == FaultKind::LyingFence)
    }

    pub(super) fn latency(&self, region: RegionId) -> Span {
        if self.suffers(FaultKind::SlowLink, region) {
            self.setup.latency.times(10)
        } else {
            self.setup.latency
        }
    }

    pub(super) fn strike(&mut self, i: usize) {
        if self.faults[i].1 {
            return;
        }
        for c in 0..self.clusters.len() {
            self.advance(c);
        }
        self.faults[i].1 = true;
        let TimedFault { lasts, fault, .. } = self.faults[i].0.clone();
        if let Some(lasts) = lasts {
            self.schedule(self.clock.plus(lasts), super::world::Happening::FaultEnds(i));
        }
        self.reset_members();
        self.signal(&fault, true);
        self.on_members(i, true);
        if fault.kind == FaultKind::SwitchedOn {
            self.switch_on(Some(fault.region));
        }
    }

    pub(super) fn relent(&mut self, i: usize) {
        if !self.faults[i].1 {
            return;
        }
        for c in 0..self.clusters.len() {
            self.advance(c);
        }
        let was_down: Vec<bool> = self.estate.region_ids().map(|r| !self.region_is_up(r)).collect();
        self.faults[i].1 = false;
        let fault = self.faults[i].0.fault;
        self.signal(&fault, false);
        self.on_members(i, false);
        if fault.kind == FaultKind::AgentFailure {
            self.agents_are_back(&fault);
        }
        let back: Vec<RegionId> =
            self.estate.region_ids().filter(|r| was_down[r.at()] && self.region_is_up(*r)).collect();
        for c in 0..self.clusters.len() {
            for m in 0..self.clusters[c].members.len() {
                if back.contains(&self.clusters[c].members[m].region) && !self.clusters[c].members[m].fenced {
                    self.clusters[c].restart(m, self.clock);
                }
            }
        }
    }

    /// Whatever runs in a region that is down is dead.
    fn reset_members(&mut self) {
        let down: Vec<RegionId> = self.estate.region_ids().filter(|r| !self.region_is_up(*r)).collect();
        for member in
            self.clusters.iter_mut().flat_map(|c| &mut c.members).filter(|m| down.contains(&m.region))
        {
            member.alive = false;
            member.writable = false;
        }
    }

    /// Detectors outside tell of what no probe can see.
    fn signal(&mut self, fault: &Fault, active: bool) {
        let kind = match fault.kind {
            FaultKind::DataCorruption => DisasterType::DataCorruption,
            FaultKind::CyberIncident => DisasterType::CyberIncident,
            FaultKind::DataCenterOutage => DisasterType::DataCenterOutage,
            _ => return,
        };
        let hit = self.clusters.iter().map(|c| c.group).filter(|g| fault.group.is_none_or(|one| one == *g));
        let groups: Vec<GroupId> = hit.filter(|_| kind.is_of_data()).collect();
        let names: Vec<&str> = groups.iter().map(|g| self.estate.group(*g).name.as_str()).collect();
        let text = match kind {
            DisasterType::DataCorruption => format!("checksums of {} do not match", names.join(", ")),
            DisasterType::CyberIncident => format!("an intruder was seen; {} within reach", names.join(", ")),
            _ => "the data centre reports a loss of power".to_string(),
        };
        let fact = Fact::Signal { kind, region: fault.region, groups, text, active };
        self.out.push(Incoming::Observed(Observation { at: self.clock, fact }));
    }

    /// Switches on what was fenced there, or anywhere, without ending what strikes it.
    pub fn switch_on(&mut self, region: Option<RegionId>) {
        for c in 0..self.clusters.len() {
            self.advance(c);
            for m in 0..self.clusters[c].members.len() {
                let here = self.clusters[c].members[m].region;
                if region.is_some_and(|r| r != here) {
                    continue;
                }
                let fenced = std::mem::take(&mut self.clusters[c].members[m].fenced);
                if fenced && !self.strikes_node(c, m) && self.region_is_up(here) {
                    self.clusters[c].restart(m, self.clock);
                }
            }
        }
    }

    /// An agent that is started again starts its database where that does not run.
    fn agents_are_back(&mut self, fault: &Fault) {
        for c in (0..self.clusters.len())
            .filter(|c| fault.group.is_none_or(|g| g == self.clusters[*c].group))
            .collect::<Vec<_>>()
        {
            for m in 0..self.clusters[c].members.len() {
                let member = &self.clusters[c].members[m];
                let back = member.region == fault.region && !member.alive && !member.fenced;
                if back && !self.strikes_node(c, m) && self.region_is_up(fault.region) {
                    self.clusters[c].restart(m, self.clock);
                }
            }
        }
    }

    fn strikes_node(&self, c: usize, m: usize) -> bool {
        let node = |k: FaultKind| matches!(k, FaultKind::NodeFailure | FaultKind::StandbyLost);
        self.faults
            .iter()
            .enumerate()
            .any(|(i, (f, on))| *on && node(f.fault.kind) && self.struck.get(&(i, c)) == Some(&m))
    }

    /// The member of a cluster that a fault of a single node strikes: the primary, or a standby, as the fault's kind says.
    fn target(&self, c: usize, fault: &Fault) -> Option<usize> {
        let members = &self.clusters[c].members;
        let wanted = |m: &usize| members[*m].leads != fault.kind.is_of_standbys();
        let here = || (0..members.len()).filter(|m| members[*m].region == fault.region);
        here().find(wanted).or_else(|| here().next())
    }

    /// Faults of single nodes.
    fn on_members(&mut self, i: usize, on: bool) {
        let (now, fault) = (self.clock, self.faults[i].0.fault);
        for c in 0..self.clusters.len() {
            if fault.group.is_some_and(|g| g != self.clusters[c].group) {
                continue;
            }
            // What somebody changes in the cluster's configuration, wherever its members stand.
            let cluster = &mut self.clusters[c];
            match fault.kind {
                FaultKind::Paused => cluster.store.paused = on,
                FaultKind::TwoSynchronous => cluster.synchronous_nodes = if on { 2 } else { 1 },
                _ => {}
            }
            if fault.kind.is_of_clusters() {
                cluster.store.config_revision = cluster.store.next();
            }
            let target = if on { self.target(c, &fault) } else { self.struck.remove(&(i, c)) };
            let Some(m) = target else { continue };
            if on {
                self.struck.insert((i, c), m);
            }
            let cluster = &mut self.clusters[c];
            match (fault.kind, on) {
                (FaultKind::NodeFailure | FaultKind::StandbyLost, true) => {
                    cluster.members[m].alive = false;
                    cluster.members[m].writable = false;
                }
                (FaultKind::NodeFailure | FaultKind::StandbyLost, false) if !cluster.members[m].fenced => {
                    cluster.restart(m, now)
                }
                (FaultKind::FrozenPrimary, frozen) => {
                    let member = &mut cluster.members[m];
                    member.thawed |= member.frozen && !frozen && member.leads;
                    member.frozen = frozen;
                }
                (FaultKind::AgentFailure, dead) => cluster.members[m].agentless = dead,
                (FaultKind::ReplicationStall, stalled) => cluster.members[m].stalled = stalled,
                _ => {}
            }
        }
    }

    pub(super) fn load_of(&self, region: RegionId) -> Option<Percent> {
        if self.suffers(FaultKind::CapacityExhaustion, region) {
            return Some(Percent(98));
        }
        let load = self.loads.get(region.at()).copied().flatten()?;
        // Each database takes its part of what its region carried along to where it is led now.
        let used = |r: RegionId| {
            u32::from(self.loads[r.at()].map_or(0, |l| l.0)) * u32::from(self.estate.region(r).capacity.0)
        };
        let mut here = u32::from(load.0) * u32::from(self.estate.region(region).capacity.0);
        for (cluster, home) in self.clusters.iter().zip(&self.homes) {
            let (Some(home), Some(now)) = (*home, cluster.home()) else { continue };
            let part = used(home) / self.homes.iter().filter(|h| **h == Some(home)).count().max(1) as u32;
            match (home == region, now == region) {
                (true, false) => here = here.saturating_sub(part),
                (false, true) => here += part,
                _ => {}
            }
        }
        Some(Percent(
            u16::try_from(here / u32::from(self.estate.region(region).capacity.0).max(1)).unwrap_or(u16::MAX),
        ))
    }
}

//! One group with nothing else in its estate: what a forecast begins from. What the disaster does not touch need not be
//! carried through ten thousand futures.

use super::Engine;
use super::fork::Fork;
use crate::engine::kernel::standing::standing;
use crate::engine::kernel::state::State;
use crate::engine::kernel::telemetry::{GroupTelemetry, Probes, Signal, Telemetry};
use crate::model::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The one group of such a fork.
pub const ONLY: GroupId = GroupId(0);

impl Engine {
    /// The group on its own, as it stands now; `None` if it has no database. The fork decides like this engine, armed,
    /// and its orders reach nothing.
    pub fn alone(&self, now: Now, group: GroupId) -> Option<Fork> {
        let estate = &self.state.estate;
        let database = estate.group(group).database.as_ref()?;
        let mut regions: BTreeSet<RegionId> = database.members.iter().map(|m| m.region).collect();
        regions.extend(database.balancers.iter().filter_map(|b| b.region));
        regions.extend(database.store.iter().filter_map(|e| e.region));
        regions.extend(database.fence.iter().flat_map(|f| f.depends_on.iter().copied()));
        let onto = Onto {
            regions: regions.into_iter().collect(),
            group,
            services: estate.group(group).services.clone(),
        };
        let reduced = Arc::new(onto.estate(estate));
        let cut = onto
            .regions(&estate.region_ids().filter(|r| self.is_silent_beyond(*r, group)).collect::<Vec<_>>());
        let engine = self.forked(onto.state(&self.state, reduced), onto.telemetry(&self.telemetry), cut);
        let standing = standing(&engine.facts(now), engine.cut.clone());
        let past =
            self.state.operations.iter().filter(|o| o.group == group && o.is_over()).cloned().collect();
        Some(Fork { engine, standing, now, regions: onto.regions, past })
    }
}

/// From the estate's ids to the fork's.
struct Onto {
    regions: Vec<RegionId>,
    group: GroupId,
    services: Vec<ServiceId>,
}

impl Onto {
    fn region(&self, region: RegionId) -> Option<RegionId> {
        self.regions.iter().position(|r| *r == region).map(RegionId::of)
    }

    fn regions(&self, list: &[RegionId]) -> Vec<RegionId> {
        list.iter().filter_map(|r| self.region(*r)).collect()
    }

    fn services(&self, list: &[ServiceId]) -> Vec<ServiceId> {
        list.iter().filter_map(|s| self.services.iter().position(|o| o == s).map(ServiceId::of)).collect()
    }

    fn estate(&self, estate: &Estate) -> Estate {
        let service = |id: &ServiceId| {
            let s = estate.service(*id);
            // Its users are served when a write goes through the entry: it is not asked by itself.
            Service {
                regions: self.regions(&s.regions),
                depends_on: self.services(&s.depends_on),
                group: ONLY,
                health: None,
                ..s.clone()
            }
        };
        let group = estate.group(self.group);
        let database = group.database.clone().map(|mut d| {
            d.service = self.services(&[d.service]).first().copied().unwrap_or(ServiceId(0));
            for m in &mut d.members {
                m.region = self.region(m.region).unwrap_or(RegionId(0));
            }
            for e in &mut d.store {
                e.region = e.region.and_then(|r| self.region(r));
            }
            for b in &mut d.balancers {
                b.region = b.region.and_then(|r| self.region(r));
            }
            if let Some(fence) = &mut d.fence {
                fence.depends_on = self.regions(&fence.depends_on);
            }
            d
        });
        Estate {
            name: estate.name.clone(),
            test_estate: estate.test_estate,
            regions: self.regions.iter().map(|r| estate.region(*r).clone()).collect(),
            services: self.services.iter().map(service).collect(),
            groups: vec![Group {
                name: group.name.clone(),
                services: (0..self.services.len()).map(ServiceId::of).collect(),
                database,
            }],
            policy: estate.policy.clone(),
            plans: estate.plans.clone(),
            needs: Vec::new(),
            may: None,
            renamed: Renamed::default(),
            departed: Departed::default(),
        }
    }

    fn state(&self, state: &State, estate: Arc<Estate>) -> State {
        let disasters = state
            .open_disasters()
            .filter(|d| d.regions.iter().any(|r| self.region(*r).is_some()))
            .map(|d| Disaster {
                regions: self.regions(&d.regions),
                services: self.services(&d.services),
                ..d.clone()
            });
        State {
            mode: Mode::Fork,
            armed: true,
            regions: self.regions.iter().map(|r| state.regions[r.at()].clone()).collect(),
            primaries: vec![state.primaries[self.group.at()]],
            names: state
                .names
                .iter()
                .filter(|((g, _), _)| *g == self.group)
                .map(|((_, m), name)| ((ONLY, *m), name.clone()))
                .collect(),
            disasters: disasters.collect(),
            proposals: Vec::new(),
            operations: VecDeque::new(),
            inherits: BTreeMap::new(),
            fence_proofs: state
                .fence_proofs
                .iter()
                .filter(|((g, _), _)| *g == self.group)
                .map(|((_, m), proof)| ((ONLY, *m), *proof))
                .collect(),
            automation_at: BTreeMap::new(),
            identities: BTreeMap::new(),
            changed: BTreeMap::new(),
            held: BTreeMap::new(),
            dismissed: BTreeSet::new(),
            displaced: BTreeMap::new(),
            estate,
            ..state.clone()
        }
    }

    fn telemetry(&self, telemetry: &Telemetry) -> Telemetry {
        let mut group: GroupTelemetry = telemetry.group(self.group).clone();
        for member in &mut group.members {
            // A line of lag is drawn by nobody here.
            member.history = Arc::new(VecDeque::new());
        }
        let groups = |s: &Signal| if s.groups.is_empty() { Vec::new() } else { vec![ONLY] };
        let here = telemetry.signals.iter().filter(|s| s.names(self.group));
        let signals = here
            .filter_map(|s| Some(Signal { region: self.region(s.region)?, groups: groups(s), ..s.clone() }));
        Telemetry {
            groups: vec![group],
            services: vec![vec![Probes::default(); self.regions.len() + 1]; self.services.len()],
            needs: Vec::new(),
            loads: self.regions.iter().map(|r| telemetry.loads[r.at()]).collect(),
            signals: signals.collect(),
        }
    }
}

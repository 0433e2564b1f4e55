//! The engine with nothing but one group in its estate: what a forecast begins from. What the disaster does not touch
//! need not be carried through ten thousand futures.

use super::state::State;
use super::telemetry::{GroupTelemetry, MemberTelemetry, Probes, Telemetry};
use super::{Engine, Facts, limits};
use crate::model::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The one group of a fork.
pub const ONLY: GroupId = GroupId(0);

/// A group on its own, with what is known of it.
#[derive(Clone)]
pub struct Fork {
    pub engine: Engine,
    pub standing: Standing,
    pub now: Now,
    /// The estate's own id of each region of the fork.
    pub regions: Vec<RegionId>,
    /// The estate's past operations on the group, the newest last.
    pub past: Vec<Arc<Operation>>,
    /// What is on the table for it, as an order to the fork.
    pub open: Option<Action>,
}

impl Fork {
    /// With no other plan than this one: it is what is played.
    pub fn with_plan(mut self, name: &str) -> Fork {
        Arc::make_mut(&mut self.engine.state.estate).plans.retain(|p| p.name == name);
        self
    }

    /// Its engine, for a future that nobody watches: without a story.
    pub fn untold(&self) -> Engine {
        Engine { tells: false, ..self.engine.clone() }
    }

    /// The fork's id of a region of the estate.
    pub fn region(&self, region: RegionId) -> Option<RegionId> {
        self.regions.iter().position(|r| *r == region).map(RegionId::of)
    }
}

impl Engine {
    /// The group on its own, as it stands now; `None` if it has no database. The fork decides like this engine, armed,
    /// and its orders reach nothing.
    pub fn fork(&self, now: Now, group: GroupId) -> Option<Fork> {
        let estate = &self.state.estate;
        let database = estate.group(group).database.as_ref()?;
        let mut regions: BTreeSet<RegionId> = database.members.iter().map(|m| m.region).collect();
        regions.extend(database.balancers.iter().filter_map(|b| b.region));
        regions.extend(database.store.iter().filter_map(|e| e.region));
        regions.extend(database.fence.iter().flat_map(|f| f.depends_on.iter().copied()));
        let onto = Onto { regions: regions.into_iter().collect(), group, services: estate.group(group).services.clone() };
        let reduced = Arc::new(onto.estate(estate));
        let cut = onto.regions(&self.state.estate.region_ids().filter(|r| self.is_silent_beyond(*r, group)).collect::<Vec<_>>());
        let engine = Engine {
            foretold: BTreeMap::new(),
            state: onto.state(&self.state, reduced),
            telemetry: onto.telemetry(&self.telemetry),
            controller: self.controller.clone(),
            quiet_since: self.quiet_since.clone(),
            dismissed: BTreeSet::new(),
            displaced: BTreeMap::new(),
            looked: BTreeMap::new(),
            looked_for: BTreeMap::new(),
            last: self.last,
            log: Arc::new(VecDeque::new()),
            log_total: 0,
            out: super::Output::default(),
            emitted: 0,
            detects: false,
            tells: true,
            cut: cut.clone(),
        };
        let mut standing = standing(&engine.facts(now));
        standing.cut = cut;
        let past = self.state.operations.iter().filter(|o| o.group == group && o.is_over()).cloned().collect();
        let open = onto.open(&self.state);
        Some(Fork { engine, standing, now, regions: onto.regions, past, open })
    }
}

impl Engine {
    /// More than this group's database is silent in a region, and nothing there answers: it is the network, not a machine.
    fn is_silent_beyond(&self, region: RegionId, group: GroupId) -> bool {
        if self.cut.contains(&region) {
            return true;
        }
        let services = self.telemetry.services.iter().filter_map(|s| s.get(region.at()));
        let others = self.state.estate.group_ids().filter(|g| *g != group);
        let members = others.filter_map(|g| self.telemetry.member(&self.state.estate, g, region)).flat_map(|m| [&m.sql, &m.rest]);
        let mut last = services.chain(members).filter_map(|p| p.last.as_ref()).peekable();
        last.peek().is_some() && last.all(|r| *r == ProbeResult::Silent)
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

    /// As it stands, without its countdown.
    fn open(&self, state: &State) -> Option<Action> {
        let p = &state.proposals.iter().find(|p| p.proposal.group == self.group)?.proposal;
        let to = p.to.and_then(|to| self.region(to));
        Some(Action::Propose { group: ONLY, intent: p.intent, from: self.region(p.from), to, reason: p.reason.clone() })
    }

    fn services(&self, list: &[ServiceId]) -> Vec<ServiceId> {
        list.iter().filter_map(|s| self.services.iter().position(|o| o == s).map(ServiceId::of)).collect()
    }

    fn estate(&self, estate: &Estate) -> Estate {
        let service = |id: &ServiceId| {
            let s = estate.service(*id);
            // Its users are served when a write goes through the entry: it is not asked by itself.
            Service { regions: self.regions(&s.regions), depends_on: self.services(&s.depends_on), group: ONLY, health: None, ..s.clone() }
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
            regions: self.regions.iter().map(|r| estate.region(*r).clone()).collect(),
            services: self.services.iter().map(service).collect(),
            groups: vec![Group { name: group.name.clone(), services: (0..self.services.len()).map(ServiceId::of).collect(), database }],
            policy: estate.policy.clone(),
            plans: estate.plans.clone(),
        }
    }

    fn state(&self, state: &State, estate: Arc<Estate>) -> State {
        let disasters = state.open_disasters().filter(|d| d.regions.iter().any(|r| self.region(*r).is_some())).map(|d| Disaster {
            regions: self.regions(&d.regions),
            services: self.services(&d.services),
            ..d.clone()
        });
        State {
            mode: Mode::Fork,
            armed: true,
            regions: self.regions.iter().map(|r| state.regions[r.at()].clone()).collect(),
            primaries: vec![{
                let (region, timeline) = state.primaries[self.group.at()];
                (region.and_then(|r| self.region(r)), timeline)
            }],
            disasters: disasters.collect(),
            proposals: Vec::new(),
            operations: VecDeque::new(),
            fence_proofs: state
                .fence_proofs
                .iter()
                .filter(|((g, _), _)| *g == self.group)
                .filter_map(|((_, r), proof)| Some(((ONLY, self.region(*r)?), *proof)))
                .collect(),
            automation_at: BTreeMap::new(),
            estate,
            ..state.clone()
        }
    }

    fn telemetry(&self, telemetry: &Telemetry) -> Telemetry {
        let mut group: GroupTelemetry = telemetry.group(self.group).clone();
        if let Some((record, _)) = &mut group.store.record {
            if let Some(leader) = &mut record.leader {
                leader.region = leader.region.and_then(|r| self.region(r));
            }
            for m in Arc::make_mut(&mut record.members) {
                m.region = m.region.and_then(|r| self.region(r));
            }
        }
        for (servers, _) in group.balancers.iter_mut().filter_map(|b| b.servers.as_mut()) {
            for server in servers {
                server.region = server.region.and_then(|r| self.region(r));
            }
        }
        for member in &mut group.members {
            // A line of lag is drawn by nobody here.
            member.history = Arc::new(VecDeque::new());
        }
        let signals = telemetry.signals.iter().filter_map(|s| Some(super::telemetry::Signal { region: self.region(s.region)?, ..s.clone() }));
        Telemetry {
            groups: vec![group],
            services: vec![vec![Probes::default(); self.regions.len() + 1]; self.services.len()],
            loads: self.regions.iter().map(|r| telemetry.loads[r.at()]).collect(),
            signals: signals.collect(),
        }
    }
}

fn standing(cx: &Facts) -> Standing {
    let telemetry = cx.telemetry.group(ONLY);
    let wal_rate = wal_rate(telemetry);
    let members = cx.database(ONLY).into_iter().flat_map(|d| &d.members).zip(&telemetry.members);
    Standing {
        now: cx.now.mono,
        group: ONLY,
        members: members.map(|(m, t)| member(cx, m.region, t)).collect(),
        record: telemetry.store.record.clone(),
        lease_ends_by: telemetry.store.lease_ends_by(),
        balancers: telemetry.balancers.iter().map(|b| b.servers.as_ref().map(|(s, _)| s.clone())).collect(),
        loads: cx.telemetry.loads.iter().map(|l| l.map(|(load, _)| load)).collect(),
        wal_rate,
        cut: Vec::new(),
        lost: cx.estate().region_ids().filter(|r| cx.state.regions[r.at()].0 == RegionStatus::Down).collect(),
    }
}

fn member(cx: &Facts, region: RegionId, t: &MemberTelemetry) -> StandingMember {
    let led = cx.leader(ONLY) == Some(region) && super::votes::votes(cx, ONLY, region).alive().is_some();
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
    let behind = t.report.as_ref().and_then(|(r, _)| cx.telemetry.behind(ONLY, r.received?)).unwrap_or_default();
    let synchronous = cx.synchronous_standbys(ONLY).contains(&region);
    let late = if synchronous { limits::FRESH } else { limits::SILENCE };
    StandingMember {
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

//! The world: what happens when, and the door to it.

use super::chance::Chance;
use super::claims::{Process, RivalAtWork};
use super::cluster::{Cluster, SimMember, Wake};
use super::kinds::{SimServer, twin};
use super::pace::Pace;
use super::store::Store;
use super::truth::Truth;
use crate::engine::{Door, Sending, unspent};
use crate::model::*;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Things that have happened in all worlds that are over: what a benchmark counts by.
static HAPPENED: AtomicU64 = AtomicU64::new(0);

pub fn happened() -> u64 {
    HAPPENED.load(Ordering::Relaxed)
}

/// Something that will happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    Fault(usize),
    FaultEnds(usize),
    /// An agent's regular turn.
    Agent {
        cluster: usize,
        member: usize,
    },
    /// A turn beside the regular ones, because the store has changed.
    AgentWakes {
        cluster: usize,
        member: usize,
    },
    Promotion {
        cluster: usize,
        member: usize,
    },
    LeaseEnds {
        cluster: usize,
    },
    /// The regular look at everything.
    Observe,
    /// An answer was waited for long enough.
    Silence {
        cluster: usize,
        member: usize,
        port: usize,
    },
    /// The close look at one group.
    ObserveClosely {
        cluster: usize,
    },
    Effect(usize),
    /// Our process renews its owner key.
    KeepAlive {
        cluster: usize,
    },
    OwnerEnds {
        cluster: usize,
    },
    Rival,
}

pub struct World {
    pub(super) estate: Arc<Estate>,
    pub(super) setup: WorldSetup,
    pub(super) chance: Chance,
    pub(super) clock: Mono,
    pub(super) clusters: Vec<Cluster>,
    /// By cluster, by balancer, by member.
    pub(super) balancers: Vec<Vec<Vec<SimServer>>>,
    /// By region, how much of its capacity is used; `None`: not known.
    pub(super) loads: Vec<Option<Percent>>,
    /// By cluster, where its primary was when the loads were measured.
    pub(super) homes: Vec<Option<RegionId>>,
    /// Services that do not answer well at a place, whatever runs below them.
    pub(super) failing: BTreeSet<(ServiceId, RegionId)>,
    pub(super) faults: Vec<(TimedFault, bool)>,
    /// By fault and cluster, the member that a fault of a single node strikes.
    pub(super) struck: BTreeMap<(usize, usize), usize>,
    pub(super) queue: BinaryHeap<Reverse<(Mono, u64, Happening)>>,
    pub(super) order: u64,
    pub(super) out: Vec<Incoming>,
    pub(super) pending: Vec<super::effects::Pending>,
    pub(super) outcomes: BTreeMap<EffectId, Outcome>,
    pub(super) process: Process,
    pub(super) rival: Option<RivalAtWork>,
    pub(super) close_until: Vec<Mono>,
    /// Until a balancer believes that a server is up.
    pub(super) rise: Span,
    pub(super) pace: Pace,
    /// A world that is looked at by nobody tells only what is new, and for so many close looks more; `None`: it tells all.
    pub(super) thrift: Option<u8>,
    pub truth: Truth,
    /// By member, whether others reach it, and whether clients may: only while a cluster is advanced.
    pub(super) links: Vec<(bool, bool)>,
    /// Things that have happened in it.
    pub(super) happened: u64,
}

impl Drop for World {
    fn drop(&mut self) {
        HAPPENED.fetch_add(self.happened, Ordering::Relaxed);
    }
}

impl World {
    /// A world in calm, with the scenario's faults to come.
    pub fn new(scenario: &Scenario, seed: u64) -> World {
        let estate = Arc::new(scenario.estate.clone());
        let mut chance = Chance::new(seed);
        let pace = Pace::of(&scenario.world);
        let clusters: Vec<Cluster> = estate
            .group_ids()
            .filter_map(|g| cluster(&estate, g, &scenario.world, &pace, &mut chance))
            .collect();
        let balancers = clusters
            .iter()
            .map(|c| {
                let routes = estate.group(c.group).database.iter().flat_map(|d| &d.balancers);
                routes.map(|r| c.members.iter().map(|m| twin(&r.spec).calm(m.leads)).collect()).collect()
            })
            .collect();
        let mut world = World {
            close_until: vec![Mono::default(); clusters.len()],
            rise: pace.rise.draw(&mut chance),
            pace,
            thrift: None,
            setup: scenario.world.clone(),
            loads: estate
                .region_ids()
                .map(|r| Some(Percent(scenario.world.load.get(r.at()).copied().unwrap_or(LOAD))))
                .collect(),
            homes: clusters.iter().map(Cluster::home).collect(),
            failing: BTreeSet::new(),
            faults: scenario.faults.iter().map(|f| (f.clone(), false)).collect(),
            struck: BTreeMap::new(),
            queue: BinaryHeap::new(),
            order: 0,
            out: Vec::new(),
            pending: Vec::new(),
            outcomes: BTreeMap::new(),
            process: Process::new(clusters.iter().map(|_| None), Mono::default()),
            rival: None,
            clock: Mono::default(),
            truth: Truth::default(),
            links: Vec::new(),
            happened: 0,
            clusters,
            balancers,
            chance,
            estate,
        };
        // A fault does not keep to the second: each seed strikes at another moment. What is to strike together does.
        let jitter = Span(world.chance.below(1_000));
        for i in 0..world.faults.len() {
            world.schedule(Mono(world.faults[i].0.at.0).plus(jitter), Happening::Fault(i));
        }
        for c in 0..world.clusters.len() {
            for m in 0..world.clusters[c].members.len() {
                let first = Mono(world.chance.below(world.setup.agent.loop_wait.0));
                world.schedule(first, Happening::Agent { cluster: c, member: m });
            }
            world.schedule_lease(c);
        }
        world.schedule(Mono(0), Happening::Observe);
        world
    }

    /// Strikes now with a fault that was not in the script.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.push((TimedFault { at: Span(self.clock.0), lasts: None, fault }, false));
        self.schedule(self.clock, Happening::Fault(self.faults.len() - 1));
    }

    /// Ends every fault, and lets what was fenced come back.
    pub fn mend(&mut self) {
        self.failing.clear();
        self.switch_on(None);
        for i in 0..self.faults.len() {
            if self.faults[i].1 && !self.faults[i].0.fault.kind.is_by_hand() {
                self.schedule(self.clock, Happening::FaultEnds(i));
            }
        }
    }

    /// The faults that are striking, in words.
    pub fn striking(&self) -> Vec<String> {
        let words = |f: &Fault| match f.kind.is_of_clusters() {
            true => f.kind.to_string(),
            false => format!("{} {}", f.kind, self.estate.region(f.region).name),
        };
        self.faults
            .iter()
            .filter(|f| f.1 && !f.0.fault.kind.is_by_hand())
            .map(|f| words(&f.0.fault))
            .collect()
    }

    pub(super) fn schedule(&mut self, at: Mono, what: Happening) {
        self.order += 1;
        self.queue.push(Reverse((at.max(self.clock), self.order, what)));
    }

    pub(super) fn schedule_lease(&mut self, cluster: usize) {
        if let Some(ends) = self.clusters[cluster].store.leader.as_ref().map(|l| l.ends) {
            self.schedule(ends, Happening::LeaseEnds { cluster });
        }
    }

    /// Lets everything happen that is due by then.
    pub(super) fn run_to(&mut self, now: Mono) {
        while let Some(Reverse((at, _, _))) = self.queue.peek()
            && *at <= now
            && let Some(Reverse((at, _, what))) = self.queue.pop()
        {
            self.clock = self.clock.max(at);
            self.happen(what);
        }
        self.clock = self.clock.max(now);
    }

    fn happen(&mut self, what: Happening) {
        self.happened += 1;
        match what {
            Happening::Fault(i) => self.strike(i),
            Happening::FaultEnds(i) => self.relent(i),
            Happening::Agent { cluster, member } => {
                self.agent(cluster, member);
                self.schedule(
                    self.clock.plus(self.clusters[cluster].setup.loop_wait.min(Span::secs(1))),
                    Happening::Agent { cluster, member },
                );
            }
            Happening::AgentWakes { cluster, member } => self.agent(cluster, member),
            Happening::Promotion { cluster, member } => {
                self.advance(cluster);
                self.clusters[cluster].promote(member, self.clock, &mut self.truth);
                self.news();
                self.wake_agents(cluster);
            }
            Happening::LeaseEnds { cluster } => {
                let now = self.clock;
                let store = &mut self.clusters[cluster].store;
                if store.leader.as_ref().is_some_and(|l| l.ends <= now) {
                    store.leader = None;
                    store.next();
                    self.news();
                    self.wake_agents(cluster);
                }
            }
            Happening::Observe => {
                for cluster in 0..self.clusters.len() {
                    self.observe_cluster(cluster);
                }
                self.observe_services();
                self.keep_snapshots();
                let interval = self.estate.policy.detection.interval;
                let interval = if self.thrift.is_some() { interval.max(Span::ms(250)) } else { interval };
                self.schedule(self.clock.plus(interval), Happening::Observe);
            }
            Happening::Silence { cluster, member, port } => self.observe_silence(cluster, member, port),
            Happening::ObserveClosely { cluster } => {
                if self.is_told(cluster) {
                    self.observe_cluster(cluster);
                }
                if self.clock < self.close_until[cluster] {
                    self.schedule(self.clock.plus(Span::ms(50)), Happening::ObserveClosely { cluster });
                }
            }
            Happening::Effect(i) => self.effect_is_due(i),
            Happening::KeepAlive { cluster } => self.keep_alive(cluster),
            Happening::OwnerEnds { cluster } => self.owner_ends(cluster),
            Happening::Rival => self.rival_turn(),
        }
    }

    /// Something has changed that a look would see.
    pub(super) fn news(&mut self) {
        if let Some(looks) = &mut self.thrift {
            *looks = TELL;
        }
    }

    /// Whether a close look is told of: always, or in a thrifty world while there are news, and four times a second.
    fn is_told(&mut self, cluster: usize) -> bool {
        let Some(left) = self.thrift else { return true };
        for balancer in 0..self.balancers[cluster].len() {
            self.refresh_balancer(cluster, balancer);
        }
        let left = self.thrift.unwrap_or(left);
        self.thrift = Some(left.saturating_sub(1));
        left > 0 || (self.clock.0 / 50).is_multiple_of(5)
    }

    fn agent(&mut self, cluster: usize, member: usize) {
        self.advance(cluster);
        for m in 0..self.clusters[cluster].members.len() {
            let reaches = self.reaches_store(cluster, self.clusters[cluster].members[m].region);
            self.clusters[cluster].reach_store[m] = reaches;
        }
        let c = &mut self.clusters[cluster];
        let (lease, revision) = (c.store.leader.as_ref().map(|l| l.ends), c.store.revision);
        let wakes = c.agent(member, self.clock, &mut self.chance, &mut self.truth);
        if self.clusters[cluster].store.revision != revision {
            self.news();
        }
        for wake in wakes {
            match wake {
                Wake::Agents => self.wake_agents(cluster),
                Wake::Promotion(member, at) => self.schedule(at, Happening::Promotion { cluster, member }),
            }
        }
        if self.clusters[cluster].store.leader.as_ref().map(|l| l.ends) != lease {
            self.schedule_lease(cluster);
        }
    }

    /// A change in the store wakes the agents that watch it.
    pub(super) fn wake_agents(&mut self, cluster: usize) {
        for member in 0..self.clusters[cluster].members.len() {
            let soon = self.clock.plus(self.chance.between(Span::ms(10), Span::ms(60)));
            self.schedule(soon, Happening::AgentWakes { cluster, member });
        }
    }

    /// Lets the writes of a cluster flow until now.
    pub(super) fn advance(&mut self, cluster: usize) {
        // Asked for at every turn: the place for it is kept.
        let mut links = std::mem::take(&mut self.links);
        links.clear();
        for (m, member) in self.clusters[cluster].members.iter().enumerate() {
            let up = self.region_is_up(member.region) && !self.is_cut(member.region);
            links.push((up, up && self.is_routed(cluster, m)));
        }
        let linked = |a: usize, b: usize| links[a].0 && links[b].0;
        self.clusters[cluster].advance(self.clock, &mut self.truth, &|m| links[m].1, &linked);
        self.links = links;
    }

    /// True if clients' sessions may end at this member.
    fn is_routed(&self, cluster: usize, member: usize) -> bool {
        let balancers = &self.balancers[cluster];
        balancers.is_empty() || balancers.iter().any(|b| !b[member].maintenance)
    }
}

/// The share of its capacity that a region uses where a scenario does not say.
const LOAD: u16 = 35;

/// Close looks that are told of after something has changed: a refused port is believed after three, and a receiver is
/// asked once more 200 ms after a fence.
const TELL: u8 = 6;

impl Door for World {
    fn submit(&mut self, now: Now, sending: Sending) {
        match sending.spend(now.mono) {
            Ok(issued) => self.send(now, issued, now.mono),
            Err((id, why)) => self.reports(unspent(id, now.mono, why)),
        }
    }

    fn look(&mut self, now: Now, look: Look) {
        self.run_to(now.mono);
        match look {
            Look::Closely { group, until, .. } => {
                if let Some(cluster) = self.clusters.iter().position(|c| c.group == group) {
                    let idle = self.close_until[cluster] <= self.clock;
                    self.close_until[cluster] = self.close_until[cluster].max(until);
                    self.news();
                    if idle {
                        self.schedule(self.clock.plus(Span::ms(5)), Happening::ObserveClosely { cluster });
                    }
                }
            }
            Look::Outcome { issued } => self.tell_outcome(&issued),
        }
    }

    fn poll(&mut self, now: Mono) -> Vec<Incoming> {
        self.run_to(now);
        // What is told next is about as much as was told now.
        let room = Vec::with_capacity(self.out.len());
        std::mem::replace(&mut self.out, room)
    }

    fn next_deadline(&self) -> Option<Mono> {
        if self.out.is_empty() { self.queue.peek().map(|Reverse((at, _, _))| *at) } else { Some(self.clock) }
    }
}

/// What the simulated cluster calls a member: as configured, else after its region.
pub(super) fn member_name(estate: &Estate, database: &Database, member: usize) -> Name {
    let (id, spec) = (MemberId::of(member), &database.members[member]);
    let region = &estate.region(spec.region).name;
    match &spec.name {
        Some(name) => name.as_str().into(),
        None if database.is_alone(id) => region.as_str().into(),
        None => format!(
            "{region}-{}",
            database.members_in(spec.region).position(|m| m == id).unwrap_or_default() + 1
        )
        .into(),
    }
}

fn cluster(
    estate: &Estate,
    group: GroupId,
    setup: &WorldSetup,
    pace: &Pace,
    chance: &mut Chance,
) -> Option<Cluster> {
    let database = estate.group(group).database.as_ref()?;
    // The preferred region leads, and the next one has its synchronous standby.
    let priority = |i: &usize| (estate.region(database.members[*i].region).priority, *i);
    let leader = (0..database.members.len()).min_by_key(priority)?;
    let elsewhere = |i: &usize| database.members[*i].region != database.members[leader].region;
    let standby =
        (0..database.members.len()).filter(|i| *i != leader).min_by_key(|i| (!elsewhere(i), priority(i)));
    let position = 67_000_000 + chance.below(1_000_000);
    let members: Vec<SimMember> = database
        .members
        .iter()
        .enumerate()
        .map(|(i, m)| {
            let leads = i == leader;
            let holds_all = leads || Some(i) == standby;
            let usual_lag =
                if holds_all { 0 } else { setup.wal_rate * setup.latency.0 / 100 + chance.below(50_000) };
            SimMember {
                region: m.region,
                name: member_name(estate, database, i),
                alive: true,
                frozen: false,
                agentless: false,
                fenced: false,
                leads,
                writable: leads,
                timeline: 1,
                position: position - usual_lag,
                streaming: !leads,
                stalled: false,
                usual_lag,
                rejoins: None,
                promotes: None,
                heard: Mono::default(),
                asked: [None; 2],
                cut_off: None,
                thawed: false,
                lived: Mono::default(),
                lied: false,
                deceived: false,
            }
        })
        .collect();
    let standbys = members.iter().filter(|m| !m.leads && m.usual_lag == 0).map(|m| m.name.clone()).collect();
    let mut store = Store {
        revision: 10,
        leader: None,
        sync: SyncKey { leader: Some(members[leader].name.clone()), standbys, quorum: None, revision: 7 },
        failover: None,
        paused: false,
        config_revision: 5,
        status: None,
        operation: None,
        owner: None,
        last_switch: None,
    };
    store.take_lock(leader, Mono(setup.agent.ttl.0));
    Some(Cluster {
        group,
        reach_store: vec![true; members.len()],
        keys: super::cluster::keys(&members),
        members,
        store,
        setup: setup.agent.clone(),
        synchronous_nodes: 1,
        system_id: format!("77105{:014}", chance.below(100_000_000_000_000)).into(),
        scope: database.scope.as_str().into(),
        wal_rate: setup.wal_rate,
        write_rate: setup.write_rate,
        acknowledged: position,
        remainder: 0,
        advanced: Mono::default(),
        loss_accepted: false,
        asked: None,
        promotion: pace.promotion.clone(),
    })
}

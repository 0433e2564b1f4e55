//! A world that begins in the middle of an incident: as a database stands, as far as is known. What is not known for sure
//! is drawn, so that each future is one that fits what was measured.

use super::chance::Chance;
use super::claims::Process;
use super::cluster::{Cluster, SimMember, keys};
use super::kinds::{SimServer, twin};
use super::pace::Pace;
use super::store::{Lock, OwnerLease, Store};
use super::truth::Truth;
use super::world::{Happening, World};
use crate::engine::Door;
use crate::model::*;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

impl World {
    /// A world as the standing says, with its databases in it; the seed draws what is not known.
    pub fn standing(estate: &Arc<Estate>, standing: &Standing, pace: &Pace, seed: u64) -> World {
        let mut chance = Chance::new(seed);
        let setup = setup(standing);
        // Where a port is refused the machine and its network are there: only what ran on it is gone. Where only one database
        // is watched and is silent, the network may be cut or the machine frozen: nobody can tell, and what follows on a fence
        // differs.
        let mut cut = |region: &RegionId| {
            !standing.refuses(*region) && (standing.cut.contains(region) || chance.below(2) == 0)
        };
        let lost: Vec<RegionId> = standing.lost.iter().copied().filter(&mut cut).collect();
        let mut clusters = Vec::with_capacity(standing.databases.len());
        for database in &standing.databases {
            clusters.push(cluster(estate, standing.now, database, &lost, &setup, pace, &mut chance));
        }
        let balancers = standing.databases.iter().zip(&clusters).map(|(d, c)| {
            let routes = estate.group(d.group).database.iter().flat_map(|of| &of.balancers);
            d.balancers.iter().zip(routes).map(|(seen, route)| servers(seen.as_ref(), route, c)).collect()
        });
        let struck = |region: &RegionId| {
            (
                TimedFault {
                    at: Span::ZERO,
                    lasts: None,
                    fault: Fault { kind: FaultKind::RegionOutage, region: *region, group: None },
                },
                true,
            )
        };
        let mut world = World {
            estate: Arc::clone(estate),
            setup,
            clock: standing.now,
            balancers: balancers.collect(),
            loads: standing.loads.clone(),
            homes: clusters.iter().map(Cluster::home).collect(),
            failing: standing.failing.clone(),
            faults: lost.iter().map(struck).collect(),
            struck: BTreeMap::new(),
            queue: BinaryHeap::new(),
            order: 0,
            out: Vec::new(),
            pending: Vec::new(),
            outcomes: BTreeMap::new(),
            process: Process::new(
                clusters.iter().map(|c| Some(Name::clone(&c.store.owner.as_ref()?.key.value))),
                standing.now,
            ),
            rival: None,
            close_until: vec![Mono::default(); clusters.len()],
            rise: pace.rise.draw(&mut chance),
            pace: pace.clone(),
            thrift: Some(0),
            truth: Truth::default(),
            links: Vec::new(),
            happened: 0,
            clusters,
            chance,
        };
        for cluster in 0..world.clusters.len() {
            let turn = world.clusters[cluster].setup.loop_wait.0.clamp(1, 1000);
            for member in 0..world.clusters[cluster].members.len() {
                let first = standing.now.plus(Span(world.chance.below(turn)));
                world.schedule(first, Happening::Agent { cluster, member });
            }
            world.schedule_lease(cluster);
            world.tenure_begins(cluster, standing.now);
        }
        world
    }

    /// It is looked at now and then, as a controller does.
    pub fn watched(mut self) -> World {
        let first = self.clock.plus(self.estate.policy.detection.interval.max(Span::ms(250)));
        self.schedule(first, Happening::Observe);
        self.asks_already();
        self
    }

    /// Everything that is seen of it is told, as often as it is looked at: for who watches a screen, not for thousands.
    pub fn told_whole(mut self) -> World {
        self.thrift = None;
        self
    }

    /// Lets time pass to the next thing that happens, and to this moment at the latest.
    pub fn pass(&mut self, until: Mono) {
        // Nobody fetches what is told: it must not hold time up.
        self.out.clear();
        let next = self.next_deadline().filter(|t| *t < until).unwrap_or(until);
        self.run_to(next.max(self.clock));
    }

    /// Lets time pass, and exchanges what has come in for what is given, which is emptied: ten thousand futures fetch into the
    /// same two places.
    pub fn fetch(&mut self, now: Mono, into: &mut Vec<Incoming>) {
        self.run_to(now);
        into.clear();
        std::mem::swap(&mut self.out, into);
    }

    pub fn now(&self) -> Mono {
        self.clock
    }

    /// The member that takes writes now, and the one that the entry leads to if that one takes them.
    pub fn serving(&mut self) -> (Option<MemberId>, Option<MemberId>) {
        let takes = |m: &SimMember| m.alive && !m.frozen && m.leads && m.writable;
        let writable = self.clusters[0].members.iter().position(takes).map(MemberId::of);
        let routed = self.routed(0).filter(|m| takes(&self.clusters[0].members[*m])).map(MemberId::of);
        // Without a balancer nobody knows which way users come; the primary is as far as it can be seen.
        (writable, if self.balancers[0].is_empty() { writable } else { routed })
    }

    /// Acknowledged bytes that did not survive.
    pub fn lost_bytes(&self) -> u64 {
        self.truth.lost_bytes
    }
}

/// What a balancer was last seen to think of each server; of one that was not heard of, what it should think.
fn servers(seen: Option<&Vec<ServerView>>, route: &Balancer, cluster: &Cluster) -> Vec<SimServer> {
    let server = |(i, m): (usize, &SimMember)| match seen
        .into_iter()
        .flatten()
        .find(|s| s.member == Some(MemberId::of(i)))
    {
        Some(s) => {
            SimServer { up: s.up, unreachable: s.unreachable, maintenance: s.maintenance, pending: None }
        }
        None => twin(&route.spec).calm(m.leads),
    };
    cluster.members.iter().enumerate().map(server).collect()
}

fn setup(standing: &Standing) -> WorldSetup {
    let defaults = WorldSetup::default();
    let members = standing.databases.iter().flat_map(|d| &d.members);
    let trips = members.filter(|m| m.life == Life::Answers).filter_map(|m| m.round_trip);
    WorldSetup { latency: trips.max().map_or(defaults.latency, |t| Span(t.0 / 2)), ..defaults }
}

fn agent(standing: &StandingDatabase) -> AgentSetup {
    let defaults = WorldSetup::default().agent;
    let config = standing.record.as_ref().and_then(|(r, _)| r.config.as_ref());
    let version = standing.members.iter().filter_map(|m| Some(m.report.as_ref()?.0.version)).max();
    AgentSetup {
        ttl: config.map_or(defaults.ttl, |c| c.ttl),
        loop_wait: config.map_or(defaults.loop_wait, |c| c.loop_wait),
        maximum_lag: config.map_or(defaults.maximum_lag, |c| c.maximum_lag.0),
        synchronous: config.is_none_or(|c| c.synchronous),
        steals_lock: version.is_some_and(|v| v <= Version(3, 0, 2)),
    }
}

fn cluster(
    estate: &Estate,
    now: Mono,
    standing: &StandingDatabase,
    lost: &[RegionId],
    setup: &WorldSetup,
    pace: &Pace,
    chance: &mut Chance,
) -> Cluster {
    let (agent, wal_rate) = (agent(standing), standing.wal_rate.unwrap_or(setup.wal_rate));
    let record = standing.record.as_ref().map(|(r, _)| r);
    let database = estate.group(standing.group).database.as_ref();
    let unknown = |member: MemberId| {
        database.map_or_else(|| Name::from("?"), |d| super::world::member_name(estate, d, member.at()))
    };
    let name =
        |member: MemberId| record.and_then(|r| r.name_of(member)).map_or_else(|| unknown(member), Name::from);
    let told = standing
        .members
        .iter()
        .find(|m| m.report.as_ref().is_some_and(|(r, _)| r.role == MemberRole::Leader))
        .map(|m| m.member);
    let leader = record.and_then(StoreRecord::leading_member).or(told);
    // Where the primary was when it was last heard, and what it may have written until it failed.
    let written = standing.members.iter().filter(|m| Some(m.member) == leader).find_map(|m| {
        let (position, at) = m.led_at?;
        let until = m.failing_since.filter(|_| m.life != Life::Answers).unwrap_or(now);
        let unseen = until.since(at).0 * wal_rate / 1000;
        let unseen = if m.life == Life::Answers { unseen } else { chance.below(unseen + 1) };
        Some(position.0 + unseen)
    });
    let timeline =
        standing.members.iter().filter_map(|m| m.report.as_ref()?.0.timeline).max().unwrap_or(Timeline(1));
    let received =
        |m: &StandingMember| m.report.as_ref().and_then(|(r, _)| r.received.or(r.position)).map(|p| p.0);
    let furthest = standing.members.iter().filter_map(received).max().unwrap_or(0);
    let written = written.unwrap_or(furthest);
    let synchronous: Vec<&Name> =
        record.and_then(|r| r.sync.as_ref()).iter().flat_map(|s| &s.standbys).collect();
    let members: Vec<SimMember> = standing
        .members
        .iter()
        .map(|m| {
            let name = name(m.member);
            let leads = Some(m.member) == leader;
            let lost = lost.contains(&m.region);
            let alive = !matches!(m.life, Life::Refuses) && !lost;
            let report = m.report.as_ref().map(|(r, _)| r);
            let position = if leads { written } else { received(m).unwrap_or(0) };
            let holds_all = synchronous.contains(&&name);
            let on = report.and_then(|r| r.timeline).is_none_or(|t| t == timeline);
            SimMember {
                region: m.region,
                alive,
                frozen: alive && m.life == Life::Silent,
                agentless: false,
                fenced: false,
                leads,
                writable: leads && alive && m.life == Life::Answers,
                timeline: report.and_then(|r| r.timeline).unwrap_or(timeline).0,
                position,
                streaming: !leads && on && report.is_some_and(|r| r.running),
                stalled: m.stalled,
                usual_lag: if holds_all || m.stalled { 0 } else { written.saturating_sub(position) },
                rejoins: None,
                promotes: None,
                heard: m.heard.unwrap_or(now),
                asked: [None; 2],
                cut_off: None,
                thawed: false,
                lived: Mono::default(),
                lied: false,
                deceived: false,
                name,
            }
        })
        .collect();
    // A synchronous standby that was heard since the primary fell silent holds all that was acknowledged; else all that was
    // written may have been.
    let failed = standing.members.iter().filter(|m| Some(m.member) == leader).find_map(|m| m.failing_since);
    let heard = |m: &StandingMember| {
        m.life == Life::Answers && m.report.as_ref().is_some_and(|(_, at)| failed.is_none_or(|f| *at >= f))
    };
    let known =
        members.iter().zip(&standing.members).filter(|(m, s)| synchronous.contains(&&m.name) && heard(s));
    let held = known.map(|(m, _)| m.position).max();
    let acknowledged = held.filter(|_| agent.synchronous).unwrap_or(written);
    let holder = members.iter().position(|m| m.leads);
    Cluster {
        group: standing.group,
        reach_store: vec![true; members.len()],
        keys: keys(&members),
        store: store(standing, now, holder, chance),
        setup: agent,
        synchronous_nodes: synchronous.len().max(1),
        system_id: record.and_then(|r| r.initialize.clone()).unwrap_or_default(),
        scope: estate.group(standing.group).database.as_ref().map_or("", |d| d.scope.as_str()).into(),
        wal_rate,
        write_rate: setup.write_rate,
        acknowledged,
        remainder: 0,
        advanced: now,
        loss_accepted: false,
        asked: None,
        promotion: pace.promotion.clone(),
        members,
    }
}

fn store(standing: &StandingDatabase, now: Mono, holder: Option<usize>, chance: &mut Chance) -> Store {
    let (record, read) = standing.record.clone().unwrap_or_default();
    let lock = record.leader.as_ref().zip(holder).map(|(l, holder)| Lock {
        holder,
        create_revision: l.create_revision,
        // The time left is told in whole seconds, cut off: it ends within the second after.
        // Where it was not told it is anywhere in its length.
        ends: match l.lease_left {
            Some(left) => read
                .plus(left)
                .plus(Span(chance.below(1000)))
                .min(standing.lease_ends_by.unwrap_or(Mono(u64::MAX))),
            None => now.plus(Span(chance.below(l.lease_ttl.unwrap_or(Span::secs(30)).0))),
        }
        .max(now),
    });
    Store {
        revision: record.revision,
        leader: lock,
        sync: record.sync.unwrap_or(SyncKey {
            leader: None,
            standbys: Vec::new(),
            quorum: None,
            revision: 0,
        }),
        failover: record.failover,
        paused: record.config.as_ref().is_some_and(|c| c.paused),
        config_revision: record.config.as_ref().map_or(0, |c| c.revision),
        status: record.status,
        operation: record.operation,
        owner: record.owner.map(|key| OwnerLease { key, ends: now.plus(World::lease()) }),
        last_switch: record.last_switch,
    }
}

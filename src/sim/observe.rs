//! What can be seen of the simulated world, in the words of the live drivers.

use super::kinds::{Found, SimServer, twin};
use super::world::{Happening, World};
use crate::model::*;
use std::sync::Arc;

/// How long an answer is waited for at the least, as the live drivers do.
const PATIENCE: Span = Span::ms(250);
const PORTS: [Port; 2] = [Port::Sql, Port::Rest];

impl World {
    fn tell(&mut self, fact: Fact) {
        self.tell_of(self.clock, fact);
    }

    fn tell_of(&mut self, at: Mono, fact: Fact) {
        self.out.push(Incoming::Observed(Observation { at, fact }));
    }

    pub(super) fn observe_cluster(&mut self, c: usize) {
        self.advance(c);
        for m in 0..self.clusters[c].members.len() {
            self.observe_member(c, m);
        }
        self.observe_store(c);
        for b in 0..self.balancers[c].len() {
            self.observe_balancer(c, b);
        }
    }

    fn observe_member(&mut self, c: usize, m: usize) {
        let (group, member, region) =
            (self.clusters[c].group, MemberId::of(m), self.clusters[c].members[m].region);
        let asked = self
            .estate
            .group(group)
            .database
            .as_ref()
            .and_then(|d| d.fence.as_ref())
            .is_some_and(|f| f.check.is_some());
        if asked && self.thrift.is_none() {
            self.tell(Fact::FenceCheck { group, member, result: Ok(()) });
        }
        let round_trip = self.latency(region).times(2).plus(Span(self.chance.below(3)));
        if self.is_silent(c, m) {
            // The two ports are asked by two tasks that do not keep step.
            for port in 0..PORTS.len() {
                let after = Span(self.chance.below(PATIENCE.0));
                self.ask(c, m, port, after);
            }
            return;
        }
        let result = match self.clusters[c].members[m].alive {
            false => ProbeResult::Refused,
            true => ProbeResult::Answered { round_trip },
        };
        let answered = result.is_well();
        let agentless = self.clusters[c].members[m].agentless;
        self.tell(Fact::Probe { group, member, port: Port::Sql, result: result.clone(), waited: Span::ZERO });
        let result = if answered && agentless { ProbeResult::Refused } else { result };
        self.tell(Fact::Probe { group, member, port: Port::Rest, result, waited: Span::ZERO });
        if answered && agentless {
            self.tell(Fact::Login { group, member, result: Ok(()) });
            if !self.clusters[c].members[m].leads {
                let stream = self.stream_of(c, m);
                self.tell(Fact::Receiver { group, member, stream });
            }
        } else if answered {
            let report = self.report_of(c, m);
            let stream = self.stream_of(c, m);
            let leads = report.role == MemberRole::Leader;
            self.tell(Fact::Member { group, member, report });
            self.tell(Fact::Login { group, member, result: Ok(()) });
            if !leads {
                self.tell(Fact::Receiver { group, member, stream });
            }
        }
    }

    /// Nothing at its address answers.
    fn is_silent(&self, c: usize, m: usize) -> bool {
        let member = &self.clusters[c].members[m];
        !self.we_reach(member.region) || (member.alive && member.frozen)
    }

    /// Sends a probe that nobody will answer, unless one is under way.
    fn ask(&mut self, c: usize, m: usize, port: usize, after: Span) {
        let sent = self.clock.plus(after);
        let asked = &mut self.clusters[c].members[m].asked[port];
        if asked.is_none() {
            *asked = Some(sent);
            self.schedule(sent.plus(PATIENCE), Happening::Silence { cluster: c, member: m, port });
        }
    }

    /// In the middle of an incident the probes of whoever is silent are under way already, each for a while.
    pub(super) fn asks_already(&mut self) {
        for c in 0..self.clusters.len() {
            for m in 0..self.clusters[c].members.len() {
                if !self.is_silent(c, m) {
                    continue;
                }
                for port in 0..PORTS.len() {
                    let sent = self.clock.minus(Span(self.chance.below(PATIENCE.0)));
                    self.clusters[c].members[m].asked[port] = Some(sent);
                    self.schedule(sent.plus(PATIENCE), Happening::Silence { cluster: c, member: m, port });
                }
            }
        }
    }

    /// Nobody answered in time. Where the group is looked at closely, the next probe follows at once.
    pub(super) fn observe_silence(&mut self, c: usize, m: usize, port: usize) {
        let Some(sent) = self.clusters[c].members[m].asked[port].take() else { return };
        if !self.is_silent(c, m) {
            return;
        }
        let (group, member) = (self.clusters[c].group, MemberId::of(m));
        self.tell_of(
            sent,
            Fact::Probe { group, member, port: PORTS[port], result: ProbeResult::Silent, waited: PATIENCE },
        );
        if self.clock < self.close_until[c] {
            self.ask(c, m, port, Span::ZERO);
        }
    }

    fn report_of(&self, c: usize, m: usize) -> MemberReport {
        let cluster = &self.clusters[c];
        let member = &cluster.members[m];
        let follows = |s: &super::cluster::SimMember| {
            s.streaming && s.alive && !s.frozen && s.timeline == member.timeline && !s.leads
        };
        let reached = |s: &super::cluster::SimMember| {
            self.region_is_up(s.region) && !self.is_cut(s.region) && !self.is_cut(member.region)
        };
        let streams = if member.leads {
            cluster
                .members
                .iter()
                .filter(|s| follows(s) && reached(s))
                .map(|s| Stream {
                    name: s.name.clone(),
                    streaming: true,
                    synchronous: cluster.store.sync.standbys.contains(&s.name),
                })
                .collect()
        } else {
            Vec::new()
        };
        MemberReport {
            // One that demoted itself reports as a replica.
            role: if member.leads && member.writable && member.promotes.is_none() {
                MemberRole::Leader
            } else {
                MemberRole::Replica
            },
            running: member.rejoins.is_none(),
            state: if member.rejoins.is_none() { "running" } else { "starting" }.into(),
            timeline: member.rejoins.is_none().then_some(Timeline(member.timeline)),
            position: member.leads.then_some(Lsn(member.position)),
            received: (!member.leads).then_some(Lsn(member.position)),
            replayed: (!member.leads).then_some(Lsn(member.position)),
            streams,
            system_id: Some(cluster.system_id.clone()),
            scope: Some(cluster.scope.clone()),
            name: None,
            version: if cluster.setup.steals_lock { Version(3, 0, 2) } else { Version(4, 1, 5) },
            paused: cluster.store.paused,
            nofailover: false,
            nosync: false,
            failsafe: false,
        }
    }

    fn stream_of(&self, c: usize, m: usize) -> Receiver {
        let cluster = &self.clusters[c];
        let member = &cluster.members[m];
        let source = cluster.source(m);
        let reached = source.is_some_and(|s| {
            let other = &cluster.members[s];
            self.region_is_up(other.region) && !self.is_cut(other.region) && !self.is_cut(member.region)
        });
        // A process that dies closes its streams; a silent one leaves them open.
        let closed = source.is_none_or(|s| reached && !cluster.members[s].alive);
        Receiver { streaming: member.streaming && !closed, silent_for: Some(self.clock.since(member.heard)) }
    }

    fn observe_store(&mut self, c: usize) {
        let group = self.clusters[c].group;
        if !self.store_answers(c) {
            return self.tell(Fact::StoreAway { group, reason: "no answer".to_string() });
        }
        let record = self.record_of(c);
        self.tell(Fact::Store { group, record: Box::new(record) });
    }

    fn record_of(&self, c: usize) -> StoreRecord {
        let cluster = &self.clusters[c];
        let (store, members) = (&cluster.store, &cluster.members);
        StoreRecord {
            revision: store.revision,
            leader: store.leader.as_ref().map(|l| LeaderKey {
                name: members[l.holder].name.clone(),
                member: Some(MemberId::of(l.holder)),
                create_revision: l.create_revision,
                // Told in whole seconds, as the real store does.
                lease_left: Some(Span(l.ends.since(self.clock).0 / 1000 * 1000)),
                lease_ttl: Some(cluster.setup.ttl),
                lease_id: Some(l.holder as i64 + 1),
            }),
            sync: Some(store.sync.clone()),
            failover: store.failover.clone(),
            config: Some(ConfigKey {
                revision: store.config_revision,
                paused: store.paused,
                ttl: cluster.setup.ttl,
                loop_wait: cluster.setup.loop_wait,
                maximum_lag: Bytes(cluster.setup.maximum_lag),
                synchronous: cluster.setup.synchronous,
                ..ConfigKey::default()
            }),
            status: store.status,
            initialize: Some(cluster.system_id.clone()),
            members: Arc::clone(&cluster.keys),
            last_switch: store.last_switch,
            history: store.last_switch.into_iter().collect(),
            store_id: None,
            operation: store.operation.clone(),
            owner: store.owner.as_ref().map(|o| o.key.clone()),
            legacy: None,
            unrenewed: self.is_unrenewed(c),
            unreadable: Vec::new(),
            failsafe: false,
            citus: false,
            voters: 3,
            voters_up: 3,
        }
    }

    /// Brings a balancer's own view up to date: it believes what it has seen for long enough.
    pub(super) fn refresh_balancer(&mut self, c: usize, b: usize) {
        let estate = Arc::clone(&self.estate);
        let database = estate.group(self.clusters[c].group).database.as_ref();
        let Some(route) = database.and_then(|d| d.balancers.get(b)) else { return };
        for m in 0..self.clusters[c].members.len() {
            let member = &self.clusters[c].members[m];
            let reached = self.region_is_up(member.region)
                && !self.is_cut(member.region)
                && route.region.is_none_or(|r| !self.is_cut(r));
            let found = Found {
                answers: reached && self.clusters[c].lives(m) && !member.agentless,
                takes_writes: member.leads && member.writable && member.promotes.is_none(),
            };
            let server = &mut self.balancers[c][b][m];
            let belief = twin(&route.spec).belief(server, found, self.rise);
            let (up, unreachable) = (belief.up, belief.unreachable);
            if (server.up, server.unreachable) == (up, unreachable) {
                server.pending = None;
                continue;
            }
            let since = match server.pending {
                Some((u, n, since)) if (u, n) == (up, unreachable) => since,
                _ => {
                    server.pending = Some((up, unreachable, self.clock));
                    self.clock
                }
            };
            if self.clock.since(since) >= belief.after {
                (server.up, server.unreachable, server.pending) = (up, unreachable, None);
                self.news();
            }
        }
    }

    fn observe_balancer(&mut self, c: usize, b: usize) {
        let group = self.clusters[c].group;
        let balancer = BalancerId::of(b);
        self.refresh_balancer(c, b);
        if let Err(reason) = self.balancer_answers(c, b) {
            return self.tell(Fact::BalancerAway { group, balancer, reason });
        }
        let estate = Arc::clone(&self.estate);
        let routes = estate.group(group).database.iter().flat_map(|d| &d.balancers);
        let check = |s: &SimServer| routes.clone().nth(b).map_or("", |r| twin(&r.spec).check(s));
        let servers = self.clusters[c]
            .members
            .iter()
            .zip(&self.balancers[c][b])
            .enumerate()
            .map(|(i, (m, s))| ServerView {
                name: m.name.clone(),
                member: Some(MemberId::of(i)),
                up: s.up && !s.maintenance,
                maintenance: s.maintenance,
                unresolved: false,
                unreachable: s.unreachable && !s.maintenance,
                check: check(s).into(),
            })
            .collect();
        self.tell(Fact::Balancer { group, balancer, servers });
    }

    pub(super) fn observe_services(&mut self) {
        let estate = Arc::clone(&self.estate);
        for id in estate.service_ids() {
            let service = estate.service(id);
            if service.health.is_none() {
                continue;
            }
            for region in &service.regions {
                let result = match (self.we_reach(*region), self.failing.contains(&(id, *region))) {
                    (true, false) => ProbeResult::Answered { round_trip: self.latency(*region).times(2) },
                    (true, true) => ProbeResult::Refused,
                    (false, _) => ProbeResult::Silent,
                };
                self.tell(Fact::Service { service: id, region: Some(*region), result });
            }
        }
        for region in estate.region_ids() {
            if let Some(load) = self.load_of(region).filter(|_| self.we_reach(region)) {
                self.tell(Fact::Load { region, load });
            }
        }
    }
}

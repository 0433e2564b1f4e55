//! One simulated database cluster: members whose agents elect a leader as Patroni does, with its nasty habits.

use super::chance::Chance;
use super::pace::Draw;
use super::store::Store;
use super::truth::Truth;
use crate::model::*;

#[derive(Clone, Debug)]
pub struct SimMember {
    pub region: RegionId,
    pub name: Name,
    /// The node runs. A dead node refuses connections, one in a dead region is silent.
    pub alive: bool,
    /// It accepts connections and never answers.
    pub frozen: bool,
    /// Its agent is dead; the database goes on without it.
    pub agentless: bool,
    /// Off by the fence until that is undone.
    pub fenced: bool,
    pub leads: bool,
    /// It takes writes.
    pub writable: bool,
    pub timeline: u32,
    pub position: u64,
    pub streaming: bool,
    pub stalled: bool,
    /// Bytes behind that an asynchronous standby is in calm times.
    pub usual_lag: u64,
    /// It rejoins as a standby then.
    pub rejoins: Option<Mono>,
    /// It finishes its promotion then.
    pub promotes: Option<Mono>,
    /// When its stream was last heard of.
    pub heard: Mono,
    /// Since when an answer of its database's port, and of its agent's, is waited for.
    pub asked: [Option<Mono>; 2],
    /// It cannot reach the store since then.
    pub cut_off: Option<Mono>,
    /// It thawed as a leader and has not looked at the store since.
    pub thawed: bool,
    /// When it last lived, its agent with it.
    pub lived: Mono,
    /// A fence answered for it and did nothing …
    pub lied: bool,
    /// … when none of us could see that.
    pub deceived: bool,
}

/// A hand-over or a switchover that somebody asked this cluster for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub operation: OperationId,
    /// Who is to stop writing, and who is to begin.
    pub old: usize,
    pub new: usize,
    pub done: bool,
}

pub struct Cluster {
    pub group: GroupId,
    pub members: Vec<SimMember>,
    /// What the store tells of who they are.
    pub keys: std::sync::Arc<Vec<MemberKey>>,
    pub store: Store,
    pub setup: AgentSetup,
    /// How many synchronous standbys the agents choose: `synchronous_node_count`.
    pub synchronous_nodes: usize,
    pub system_id: Name,
    pub scope: Name,
    pub wal_rate: u64,
    pub write_rate: u32,
    /// The position up to which clients were told that their writes are safe, and the rest of a write.
    pub acknowledged: u64,
    /// Thousandths of a byte not yet written.
    pub remainder: u64,
    pub advanced: Mono,
    /// Which of its members can reach the store and each other now; set by the world.
    pub reach_store: Vec<bool>,
    pub loss_accepted: bool,
    /// What was asked of it last.
    pub asked: Option<Asked>,
    /// From taking the lock to writing.
    pub promotion: Draw,
}

/// What an agent's turn made necessary.
pub enum Wake {
    /// Other agents look at the store soon.
    Agents,
    Promotion(usize, Mono),
}

/// The members' keys in the store.
pub fn keys(members: &[SimMember]) -> std::sync::Arc<Vec<MemberKey>> {
    let key = |(i, m): (usize, &SimMember)| MemberKey {
        name: m.name.clone(),
        member: Some(MemberId::of(i)),
        address: String::new(),
        sql: None,
    };
    std::sync::Arc::new(members.iter().enumerate().map(key).collect())
}

impl Cluster {
    /// Where it is led from.
    pub fn home(&self) -> Option<RegionId> {
        self.members.iter().filter(|m| m.leads).max_by_key(|m| (m.writable, m.timeline)).map(|m| m.region)
    }

    pub fn bytes_per_write(&self) -> u64 {
        (self.wal_rate / u64::from(self.write_rate.max(1))).max(1)
    }

    pub fn lives(&self, i: usize) -> bool {
        self.members[i].alive && !self.members[i].frozen
    }

    /// Lets writes flow until `now`; `reachable` tells whether clients reach a member, `linked` whether two members do.
    pub fn advance(
        &mut self,
        now: Mono,
        truth: &mut Truth,
        reachable: &dyn Fn(usize) -> bool,
        linked: &dyn Fn(usize, usize) -> bool,
    ) {
        let passed = now.since(self.advanced);
        if passed == Span::ZERO {
            return;
        }
        self.advanced = now;
        for i in 0..self.members.len() {
            if self.lives(i) && !self.members[i].agentless {
                self.members[i].lived = now;
            }
        }
        let primaries: Vec<usize> =
            (0..self.members.len()).filter(|i| self.members[*i].writable && self.lives(*i)).collect();
        if primaries.len() > 1 && primaries.iter().filter(|i| reachable(**i)).count() > 1 {
            truth.two_primaries = truth.two_primaries.plus(passed);
            if let Some(asked) =
                self.asked.filter(|a| a.done && primaries.contains(&a.old) && reachable(a.old))
            {
                let deed = truth.deeds.entry(asked.operation).or_default();
                deed.two_primaries = deed.two_primaries.plus(passed);
            }
        }
        for i in primaries {
            if reachable(i) {
                self.write(i, passed, truth, linked);
            }
        }
        for i in 0..self.members.len() {
            let source = self.source(i);
            let member = &self.members[i];
            if member.leads || !self.lives(i) {
                continue;
            }
            let streams = member.streaming && source.is_some_and(|s| linked(i, s) && self.lives(s));
            if streams && let Some(s) = source {
                let target = self.members[s].position;
                let synchronous = self.store.sync.standbys.contains(&self.members[i].name);
                let m = &mut self.members[i];
                if !m.stalled {
                    let lag = if synchronous { 0 } else { m.usual_lag };
                    m.position = m.position.max(target.saturating_sub(lag));
                }
                m.heard = now;
            }
        }
    }

    /// Whom a standby streams from: who leads on its timeline.
    pub fn source(&self, i: usize) -> Option<usize> {
        (0..self.members.len()).find(|s| {
            *s != i && self.members[*s].leads && self.members[*s].timeline == self.members[i].timeline
        })
    }

    fn write(&mut self, i: usize, passed: Span, truth: &mut Truth, linked: &dyn Fn(usize, usize) -> bool) {
        let mut standbys = self
            .store
            .sync
            .standbys
            .iter()
            .filter_map(|n| self.members.iter().position(|m| m.name == *n))
            .filter(|s| *s != i);
        let follows = |s: usize| {
            let m = &self.members[s];
            m.streaming
                && !m.stalled
                && m.timeline == self.members[i].timeline
                && linked(i, s)
                && self.lives(s)
        };
        // A synchronous commit waits for its standbys; nothing is acknowledged meanwhile.
        let held = self.setup.synchronous && standbys.any(|s| !follows(s));
        if held {
            return;
        }
        self.remainder += passed.0 * self.wal_rate;
        let bytes = self.remainder / 1000;
        self.remainder %= 1000;
        self.members[i].position += bytes;
        let newest = self.members.iter().all(|m| m.timeline <= self.members[i].timeline);
        let held_the_lock = self.store.leader.as_ref().map_or(newest, |l| l.holder == i);
        let before = self.acknowledged / self.bytes_per_write();
        if held_the_lock {
            self.acknowledged = self.acknowledged.max(self.members[i].position);
            truth.acknowledged += self.acknowledged / self.bytes_per_write() - before;
        } else {
            // Written on a timeline that will be thrown away.
            let writes = bytes / self.bytes_per_write();
            truth.acknowledged += writes;
            truth.lost += writes;
            truth.lost_bytes += bytes;
        }
    }

    /// One turn of a member's agent.
    pub fn agent(&mut self, i: usize, now: Mono, chance: &mut Chance, truth: &mut Truth) -> Vec<Wake> {
        let mut wake = Vec::new();
        if !self.lives(i) || self.members[i].agentless {
            return wake;
        }
        if let Some(overdue) = self.members[i].promotes.filter(|t| *t < now) {
            // It was stunned in the middle of its promotion.
            wake.push(Wake::Promotion(i, overdue));
        }
        if !self.reach_store[i] {
            let since = *self.members[i].cut_off.get_or_insert(now);
            // It demotes itself when it has failed to renew for the retry timeout.
            if self.members[i].leads && now.since(since) >= Span::secs(3) {
                self.members[i].writable = false;
            }
            return wake;
        }
        self.members[i].cut_off = None;
        if self.members[i].leads {
            self.lead(i, now, truth, &mut wake);
        } else if self.store.leader.is_none() {
            self.race(i, now, chance, truth, &mut wake);
        } else {
            self.follow(i, now, chance);
        }
        wake
    }

    fn lead(&mut self, i: usize, now: Mono, truth: &mut Truth, wake: &mut Vec<Wake>) {
        let ttl = self.setup.ttl;
        match &mut self.store.leader {
            Some(lock) if lock.holder == i => {
                lock.ends = now.plus(ttl);
                self.members[i].thawed = false;
                self.members[i].writable = true;
                self.write_status(i);
                self.choose_standby(i);
            }
            other => {
                let taken = other.is_some();
                let promised_elsewhere = self.store.failover.as_ref().is_some_and(|f| f.content.is_some());
                let thawed = std::mem::take(&mut self.members[i].thawed);
                if (self.setup.steals_lock && thawed) || (!taken && !promised_elsewhere) {
                    // Thawed in the middle of its turn: an unconditional put, the habit of agents up to 3.0.2.
                    self.store.take_lock(i, now.plus(ttl));
                    self.members[i].writable = true;
                    // What was written under another leader meanwhile is thrown away.
                    let lost_bytes = self.acknowledged.saturating_sub(self.members[i].position);
                    truth.lost += lost_bytes / self.bytes_per_write();
                    truth.lost_bytes += lost_bytes;
                    self.acknowledged -= lost_bytes;
                    wake.push(Wake::Agents);
                } else {
                    self.demote(i, now);
                }
            }
        }
    }

    fn write_status(&mut self, i: usize) {
        let position = Lsn(self.members[i].position);
        if self.store.status.is_none_or(|s| s.position != position) {
            let revision = self.store.next();
            self.store.status = Some(StatusKey { revision, position });
        }
    }

    fn choose_standby(&mut self, i: usize) {
        if !self.setup.synchronous {
            return;
        }
        let fit = |m: &SimMember| {
            m.streaming && !m.stalled && m.alive && !m.frozen && m.timeline == self.members[i].timeline
        };
        let mut fit: Vec<usize> =
            (0..self.members.len()).filter(|m| !self.members[*m].leads && fit(&self.members[*m])).collect();
        // Who is one stays one; else who is never behind comes first.
        let is_one = |m: &SimMember| self.store.sync.standbys.contains(&m.name);
        fit.sort_by_key(|m| (!is_one(&self.members[*m]), self.members[*m].usual_lag != 0));
        fit.truncate(self.synchronous_nodes);
        let names: Vec<Name> = fit.iter().map(|m| self.members[*m].name.clone()).collect();
        // A new synchronous standby has everything before it is recorded.
        for s in fit {
            self.members[s].position = self.members[s].position.max(self.members[i].position);
        }
        let leader = self.members[i].name.clone();
        self.store.set_sync(&leader, names);
        if self.store.failover.is_some() {
            self.store.failover = None;
            self.store.next();
        }
    }

    fn race(&mut self, i: usize, now: Mono, chance: &mut Chance, truth: &mut Truth, wake: &mut Vec<Wake>) {
        if self.members[i].rejoins.is_some_and(|t| t <= now) {
            // It has started, and there is nobody to follow.
            self.members[i].rejoins = None;
        }
        if self.store.paused || self.members[i].promotes.is_some() || self.members[i].rejoins.is_some() {
            return;
        }
        let name = self.members[i].name.clone();
        let request = self.store.failover.as_ref().and_then(|f| f.content.clone());
        let recorded =
            self.store.sync.standbys.contains(&name) || self.store.sync.leader.as_deref() == Some(&name);
        let sync_is_empty = self.store.sync.standbys.is_empty();
        let may = match request {
            Some(r) if r.to.as_deref() == Some(&name) => {
                r.from.is_none() || !self.setup.synchronous || recorded
            }
            Some(_) => false,
            None if self.setup.synchronous => {
                recorded && (!sync_is_empty || self.store.sync.leader.as_deref() == Some(&name))
            }
            None => {
                self.members[i].position + self.setup.maximum_lag
                    >= self.store.status.map_or(0, |s| s.position.0)
            }
        };
        if !may {
            return;
        }
        self.store.take_lock(i, now.plus(self.setup.ttl));
        let promotes = now.plus(self.promotion.draw(chance));
        self.members[i].promotes = Some(promotes);
        self.members[i].streaming = false;
        let _ = truth;
        wake.push(Wake::Promotion(i, promotes));
    }

    /// The member leaves recovery and takes writes.
    pub fn promote(&mut self, i: usize, now: Mono, truth: &mut Truth) {
        if !self.lives(i) || self.members[i].promotes.is_none_or(|t| t > now) {
            return;
        }
        self.members[i].promotes = None;
        if self.store.leader.as_ref().is_none_or(|l| l.holder != i) {
            return;
        }
        let old = self.members.iter().map(|m| m.timeline).max().unwrap_or(1);
        let position = self.members[i].position;
        self.store.last_switch = Some((Timeline(old), Lsn(position)));
        let lost_bytes = self.acknowledged.saturating_sub(position);
        let lost = lost_bytes / self.bytes_per_write();
        truth.lost += lost;
        truth.lost_bytes += lost_bytes;
        if self.loss_accepted {
            truth.lost_accepted += lost;
        }
        match &mut self.asked {
            Some(asked) if asked.new == i && !asked.done => {
                asked.done = true;
                let furthest = self.members.iter().map(|m| m.position).max().unwrap_or(position);
                let deed = truth.deeds.entry(asked.operation).or_default();
                (deed.lost, deed.left_behind) = (lost, furthest - position);
            }
            // The cluster has moved on by itself: what follows is not of that order.
            other => *other = None,
        }
        self.acknowledged = position;
        let m = &mut self.members[i];
        (m.leads, m.writable, m.streaming, m.timeline) = (true, true, false, old + 1);
        // Between the promotion and the next synchronous standby, commits are not synchronous.
        let name = m.name.clone();
        self.store.set_sync(&name, Vec::new());
        self.store.failover = None;
        self.store.next();
    }

    fn demote(&mut self, i: usize, now: Mono) {
        let m = &mut self.members[i];
        (m.leads, m.writable, m.streaming) = (false, false, false);
        m.rejoins = Some(now.plus(Span::secs(4)));
    }

    fn follow(&mut self, i: usize, now: Mono, chance: &mut Chance) {
        let Some(holder) = self.store.leader.as_ref().map(|l| l.holder) else { return };
        if holder == i
            || self.members[i].promotes.is_some()
            || !self.members[holder].leads
            || !self.lives(holder)
        {
            return;
        }
        let timeline = self.members[holder].timeline;
        let m = &self.members[i];
        if m.timeline == timeline && m.streaming {
            return;
        }
        match m.rejoins {
            None => {
                // It turns to the new leader; one that had gone further is rewound first.
                let rewinds = self.members[i].position > self.members[holder].position;
                let (least, most) = if rewinds {
                    (Span::ms(2_500), Span::secs(11))
                } else {
                    (Span::ms(300), Span::ms(2_000))
                };
                self.members[i].rejoins = Some(now.plus(chance.between(least, most)));
            }
            Some(at) if at <= now => {
                let position = self.members[holder].position;
                let m = &mut self.members[i];
                (m.timeline, m.streaming, m.rejoins, m.writable, m.leads) =
                    (timeline, true, None, false, false);
                m.position = m.position.min(position);
                m.heard = now;
            }
            Some(_) => {}
        }
    }

    /// A node that comes back: as a leader if its lock still stands, else as a standby. Only its agent starts its database.
    pub fn restart(&mut self, i: usize, now: Mono) {
        if self.members[i].agentless {
            self.members[i].alive = false;
            return;
        }
        let holds = self.store.leader.as_ref().is_some_and(|l| l.holder == i && l.ends > now);
        let m = &mut self.members[i];
        (m.alive, m.frozen, m.promotes, m.cut_off) = (true, false, None, None);
        if holds && m.leads {
            m.timeline += 1;
            m.writable = true;
        } else {
            (m.leads, m.writable, m.streaming) = (false, false, false);
            m.rejoins = Some(now.plus(Span::secs(3)));
        }
    }
}

//! What effects do to the simulated world, and when their reports come.

use super::cluster::Asked;
use super::kinds::twin;
use super::world::{Happening, World};
use crate::model::*;
use std::sync::Arc;

/// Why a request to the store was heard by nobody.
const NO_STORE: &str = "etcd does not answer";

/// An effect under way.
pub(super) struct Pending {
    pub issued: Issued,
    pub decided: Mono,
    pub began: Mono,
    /// Still to be carried out; a write tries again until then.
    pub deadline: Option<Mono>,
    pub over: bool,
    /// Whoever sent it is gone: its report reaches nobody.
    pub unheard: bool,
}

impl World {
    /// Something is sent that was decided at that moment.
    pub fn send(&mut self, now: Now, issued: Issued, decided: Mono) {
        self.run_to(now.mono);
        if let Some(reason) = self.withholds(&issued, decided) {
            let outcome = Outcome::Missed { reason };
            self.outcomes.insert(issued.id, outcome.clone());
            self.out.push(Incoming::Report(Report {
                id: issued.id,
                at: self.clock,
                took: Span::ZERO,
                outcome,
            }));
            return;
        }
        self.is_stale(&issued, decided);
        self.arrives(issued, decided);
    }

    /// Something is reported that was not sent.
    pub fn reports(&mut self, report: Report) {
        self.out.push(Incoming::Report(report));
    }

    /// A request that was sent a while ago arrives.
    pub fn arrive(&mut self, now: Mono, issued: Issued, decided: Mono) {
        self.run_to(now);
        self.arrives(issued, decided);
    }

    fn arrives(&mut self, issued: Issued, decided: Mono) {
        self.truth.effects += 1;
        self.is_sent(&issued);
        if self.outcomes.contains_key(&issued.id) || self.pending.iter().any(|p| p.issued.id == issued.id) {
            self.truth.repeated += 1;
        }
        let (pace, chance) = (&self.pace, &mut self.chance);
        let takes = match &issued.effect {
            Effect::Claim { .. } | Effect::Release { .. } | Effect::HandOver(_) => {
                pace.transaction.draw(chance)
            }
            Effect::Fence { .. } | Effect::UndoFence { .. } => pace.fence.draw(chance),
            Effect::SwitchOver { .. } => pace.switch_over.draw(chance),
            Effect::Drain { .. } | Effect::Restore { .. } => pace.drain.draw(chance),
            Effect::ValidateWrite { .. } => Span::ms(10),
            Effect::Command { .. } => Span::secs(1),
        };
        let deadline = match &issued.effect {
            Effect::ValidateWrite { deadline, .. } => Some(self.clock.plus(*deadline)),
            _ => None,
        };
        let began = self.clock;
        self.pending.push(Pending { issued, decided, began, deadline, over: false, unheard: false });
        self.schedule(self.clock.plus(takes), Happening::Effect(self.pending.len() - 1));
    }

    pub(super) fn effect_is_due(&mut self, i: usize) {
        if self.pending[i].over {
            return;
        }
        let (issued, decided) = (self.pending[i].issued.clone(), self.pending[i].decided);
        for c in 0..self.clusters.len() {
            self.advance(c);
        }
        let outcome = self.carry_out(&issued, decided);
        if let (Outcome::NotDone { .. }, Some(deadline)) = (&outcome, self.pending[i].deadline)
            && self.clock < deadline
        {
            // A write that is tried again has changed nothing that a look would see.
            self.schedule(self.clock.plus(Span::ms(40)), Happening::Effect(i));
            return;
        }
        self.news();
        self.pending[i].over = true;
        let id = self.pending[i].issued.id;
        self.outcomes.insert(id, outcome.clone());
        if self.pending[i].unheard {
            return;
        }
        let report = Report { id, at: self.clock, took: self.clock.since(self.pending[i].began), outcome };
        self.out.push(Incoming::Report(report));
    }

    /// The controller is gone: what was on its way to it reaches nobody.
    pub fn hang_up(&mut self) {
        self.out.clear();
        for pending in &mut self.pending {
            pending.unheard = true;
        }
        self.process_is_gone();
    }

    /// Whether an effect happened whose report was lost.
    pub(super) fn tell_outcome(&mut self, issued: &Issued) {
        let known = self.outcomes.get(&issued.id).cloned();
        let under_way = self.pending.iter().any(|p| p.issued.id == issued.id && !p.over);
        let outcome = match (known, under_way) {
            (Some(outcome), _) => outcome,
            (None, true) => return,
            (None, false) if self.exclude(issued) => {
                Outcome::Missed { reason: "it did not arrive, and cannot any more".to_string() }
            }
            (None, false) => return,
        };
        self.out.push(Incoming::Report(Report { id: issued.id, at: self.clock, took: Span::ZERO, outcome }));
    }

    fn find(&self, group: GroupId, member: MemberId) -> Option<(usize, usize)> {
        let c = self.clusters.iter().position(|c| c.group == group)?;
        (member.at() < self.clusters[c].members.len()).then_some((c, member.at()))
    }

    fn carry_out(&mut self, issued: &Issued, decided: Mono) -> Outcome {
        let operation = issued.id.operation;
        let answer = match &issued.effect {
            Effect::Claim { group, value, revision, owner_revision, .. } => {
                self.claim(*group, value, (*revision, *owner_revision))
            }
            // The driver compares the revision that it has read.
            Effect::Release { .. } if self.process.excluded.contains(&issued.id) => {
                Err("operation changed since it was read".to_string())
            }
            Effect::Release { group, value, over } => self.release(*group, value, over),
            Effect::Fence { group, member } => self.fence(*group, *member),
            Effect::UndoFence { group, member } => self.undo_fence(*group, *member),
            Effect::HandOver(hand_over) => self.hand_over(issued, hand_over, decided),
            Effect::SwitchOver { group, from, to } => self.switch_over(operation, *group, from, to),
            Effect::Drain { group, member, balancer } => self.maintenance(*group, *member, *balancer, true),
            Effect::Restore { group, member, balancer } => {
                self.maintenance(*group, *member, *balancer, false)
            }
            Effect::ValidateWrite { group, via, primary, not, .. } => {
                self.validate(*group, *via, *primary, not)
            }
            Effect::Command { .. } => Ok("exit status 0".to_string()),
        };
        match answer {
            // Nobody heard it.
            Err(reason) if reason == NO_STORE => Outcome::Missed { reason },
            Ok(detail) => {
                if self.process.excluded.contains(&issued.id) {
                    let what = format!(
                        "law 3: «{}» happened after it was found that it could not",
                        issued.effect.name()
                    );
                    self.truth.trespasses.push(what);
                }
                Outcome::Done { detail }
            }
            Err(reason) => Outcome::NotDone { reason },
        }
    }

    fn cluster_of(&self, group: GroupId) -> Result<usize, String> {
        self.clusters.iter().position(|c| c.group == group).ok_or_else(|| "no such cluster".to_string())
    }

    fn asked_store(&self, cluster: usize) -> Result<(), String> {
        if self.store_answers(cluster) { Ok(()) } else { Err(NO_STORE.to_string()) }
    }

    /// Something of ours leaves for a cluster.
    fn is_sent(&mut self, issued: &Issued) {
        let group = match &issued.effect {
            Effect::Fence { group, .. }
            | Effect::UndoFence { group, .. }
            | Effect::SwitchOver { group, .. } => *group,
            Effect::Drain { group, .. } | Effect::Restore { group, .. } => *group,
            _ => return,
        };
        if let Ok(c) = self.cluster_of(group) {
            self.trespasses(c, issued);
        }
    }

    /// A request whose answer was lost, and that has not come: from now on it cannot any more. False if that cannot be told.
    fn exclude(&mut self, issued: &Issued) -> bool {
        let group = match &issued.effect {
            Effect::Claim { group, .. } | Effect::Release { group, .. } => *group,
            Effect::HandOver(h) => h.group,
            _ => return true,
        };
        let Ok(c) = self.cluster_of(group) else { return true };
        if !self.store_answers(c) {
            return false;
        }
        self.clusters[c].store.exclude();
        self.process.excluded.insert(issued.id);
        self.news();
        true
    }

    fn claim(
        &mut self,
        group: GroupId,
        value: &str,
        read: (Option<u64>, Option<u64>),
    ) -> Result<String, String> {
        let c = self.cluster_of(group)?;
        self.asked_store(c)?;
        let before = self.clusters[c].store.claimed();
        let ends = self.clock.plus(World::lease());
        self.clusters[c].store.claim(value, read, ends)?;
        self.claims_grow(before.as_ref(), Claim::read(value).as_ref());
        self.tenure_begins(c, self.clock);
        Ok("claimed".to_string())
    }

    fn release(&mut self, group: GroupId, value: &str, over: &str) -> Result<String, String> {
        let c = self.cluster_of(group)?;
        self.asked_store(c)?;
        self.clusters[c].store.release(value, over)?;
        self.tenure_ends(c);
        Ok("the claim is released".to_string())
    }

    fn fence(&mut self, group: GroupId, member: MemberId) -> Result<String, String> {
        let (c, m) = self.find(group, member).ok_or("no such member")?;
        if self.fence_lies() {
            self.clusters[c].members[m].lied = true;
            self.clusters[c].members[m].deceived |= self.is_unseen(c, m);
        } else {
            let member = &mut self.clusters[c].members[m];
            (member.alive, member.frozen, member.writable, member.fenced, member.lied) =
                (false, false, false, true, false);
        }
        Ok(format!("{} is off", self.estate.member_label(group, member, None)))
    }

    /// It lives and none of us can see that.
    fn is_unseen(&self, c: usize, m: usize) -> bool {
        let member = &self.clusters[c].members[m];
        member.alive && (member.frozen || !self.we_reach(member.region))
    }

    fn undo_fence(&mut self, group: GroupId, member: MemberId) -> Result<String, String> {
        let (c, m) = self.find(group, member).ok_or("no such member")?;
        self.clusters[c].members[m].fenced = false;
        if self.region_is_up(self.clusters[c].members[m].region) {
            self.clusters[c].restart(m, self.clock);
        }
        Ok(format!("{} may come back", self.estate.member_label(group, member, None)))
    }

    fn hand_over(&mut self, issued: &Issued, h: &HandOver, decided: Mono) -> Result<String, String> {
        let operation = issued.id.operation;
        let c = self.cluster_of(h.group)?;
        self.asked_store(c)?;
        let cluster = &mut self.clusters[c];
        let old = cluster.members.iter().position(|m| *m.name == *h.old);
        cluster.store.hand_over(h, old)?;
        self.trespasses(c, issued);
        let cluster = &mut self.clusters[c];
        cluster.loss_accepted = !h.bind_to_old;
        let candidate = cluster.members.iter().position(|m| *m.name == *h.candidate);
        let electable = candidate.is_some_and(|_| {
            let recorded = cluster.store.sync.standbys.iter().any(|n| **n == *h.candidate);
            !cluster.store.paused && (!cluster.setup.synchronous || !h.bind_to_old || recorded)
        });
        let deceived = old.is_some_and(|m| {
            self.clusters[c].members[m].lied && (self.clusters[c].members[m].deceived || self.is_unseen(c, m))
        });
        let cluster = &mut self.clusters[c];
        let lived = candidate.filter(|_| electable).map_or(Mono::default(), |m| cluster.members[m].lived);
        let deed = self.truth.deeds.entry(operation).or_default();
        deed.unfenced = matches!(h.proof, FencingBasis::Accepted { .. });
        deed.loss_accepted = !h.bind_to_old;
        deed.deceived = deceived;
        // What became of it while the request was on its way, nobody could know.
        deed.orphaned = Some(decided.since(lived)).filter(|gone| *gone > Span::ZERO);
        cluster.asked = old.zip(candidate).map(|(old, new)| Asked { operation, old, new, done: false });
        self.wake_agents(c);
        Ok(format!("the lock of {} is released to {}", h.old, h.candidate))
    }

    fn switch_over(
        &mut self,
        operation: OperationId,
        group: GroupId,
        from: &str,
        to: &str,
    ) -> Result<String, String> {
        let c = self.cluster_of(group)?;
        if !self.store_answers(c) {
            return Err("503: the cluster's store does not answer".to_string());
        }
        let now = self.clock;
        let cluster = &mut self.clusters[c];
        let (Some(old), Some(new)) = (
            cluster.members.iter().position(|m| *m.name == *from),
            cluster.members.iter().position(|m| *m.name == *to),
        ) else {
            return Err("412: no such member".to_string());
        };
        if !cluster.lives(old) || cluster.members[old].agentless || !cluster.members[old].leads {
            return Err("412: leader name does not match".to_string());
        }
        if !cluster.lives(new)
            || cluster.members[new].agentless
            || (cluster.setup.synchronous
                && !cluster.store.sync.standbys.contains(&cluster.members[new].name))
        {
            return Err("412: candidate name does not match with sync_standby".to_string());
        }
        // It steps down once its standby has everything, and releases the lock.
        cluster.asked = Some(Asked { operation, old, new, done: false });
        cluster.members[new].position = cluster.members[new].position.max(cluster.members[old].position);
        let m = &mut cluster.members[old];
        (m.leads, m.writable, m.streaming) = (false, false, false);
        m.rejoins = Some(now.plus(Span::secs(2)));
        cluster.store.leader = None;
        let revision = cluster.store.next();
        let content = Some(FailoverRequest {
            from: Some(from.to_string()),
            to: Some(to.to_string()),
            scheduled_at: None,
        });
        cluster.store.failover = Some(FailoverKey { content, revision });
        self.wake_agents(c);
        Ok(format!("{from} steps down for {to}"))
    }

    fn maintenance(
        &mut self,
        group: GroupId,
        member: MemberId,
        balancer: BalancerId,
        on: bool,
    ) -> Result<String, String> {
        let (c, m) = self.find(group, member).ok_or("no such member")?;
        self.balancer_answers(c, balancer.at())?;
        let estate = Arc::clone(&self.estate);
        let route = estate.group(group).database.as_ref().and_then(|d| d.balancers.get(balancer.at()));
        let route = route.ok_or("no such balancer")?;
        twin(&route.spec).set(&mut self.balancers[c][balancer.at()], m, on);
        Ok(if on { "maintenance, sessions ended" } else { "in rotation" }.to_string())
    }

    pub(super) fn balancer_answers(&self, cluster: usize, balancer: usize) -> Result<(), String> {
        let database = self.estate.group(self.clusters[cluster].group).database.as_ref();
        let region = database.and_then(|d| d.balancers.get(balancer)).and_then(|b| b.region);
        match region {
            Some(r) if !self.we_reach(r) => Err("no answer".to_string()),
            _ => Ok(()),
        }
    }

    fn validate(
        &mut self,
        group: GroupId,
        via: Via,
        primary: MemberId,
        not: &[MemberId],
    ) -> Result<String, String> {
        let c = self.cluster_of(group)?;
        let target = match via {
            Via::Primary => self.find(group, primary).map(|(_, m)| m),
            Via::Entry => self.routed(c),
        };
        let Some(m) = target else { return Err("the entry leads to no server".to_string()) };
        let cluster = &self.clusters[c];
        let member = &cluster.members[m];
        if !cluster.lives(m) || !self.we_reach(member.region) {
            return Err(format!("{} does not answer", member.name));
        }
        if not.contains(&MemberId::of(m)) {
            return Err(format!("the entry still leads to {}", member.name));
        }
        if !member.writable {
            return Err("cannot execute INSERT in a read-only transaction".to_string());
        }
        Ok(format!("row written and read back on {}, timeline {}", member.name, member.timeline))
    }

    /// Where the balancers send a client's write now.
    pub(super) fn routed(&mut self, cluster: usize) -> Option<usize> {
        for b in 0..self.balancers[cluster].len() {
            self.refresh_balancer(cluster, b);
            if self.balancer_answers(cluster, b).is_err() {
                continue;
            }
            if let Some(m) = self.balancers[cluster][b].iter().position(|s| s.up && !s.maintenance) {
                return Some(m);
            }
        }
        None
    }
}

//! Claims in the simulated world: the leases of our own controller's process, what it may send, and a rival controller.

use super::world::{Happening, World};
use crate::engine::PROOF_HOLDS;
use crate::engine::planted::{self, Break};
use crate::model::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The lease of an owner key, how long before its end an owner stops, and how often it is renewed: as the live drivers do.
const LEASE: Span = Span::secs(15);
const STOPS_AFTER: Span = Span::secs(10);
const RENEWS: Span = Span::secs(3);
/// Our own claims as they stood, for a store that is restored.
const SNAPSHOTS: usize = 90;

/// Our controller's process, as far as its claims go.
pub(super) struct Process {
    /// It is not frozen.
    runs: bool,
    /// By cluster: what stands in the owner key that it keeps, and when it last asked for it with success.
    tenures: Vec<Option<(Name, Mono)>>,
    /// Requests that were found not to have happened, and must not happen later.
    pub excluded: BTreeSet<EffectId>,
    /// By cluster: the operation key as it stood, and the revision of the store, once a second.
    snapshots: Vec<Vec<(Mono, Option<OperationKey>, u64)>>,
}

impl Process {
    /// It keeps the owner keys that stand.
    pub fn new(owners: impl Iterator<Item = Option<Name>>, now: Mono) -> Process {
        let tenures: Vec<_> = owners.map(|o| o.map(|value| (value, now))).collect();
        Process { runs: true, snapshots: vec![Vec::new(); tenures.len()], tenures, excluded: BTreeSet::new() }
    }
}

/// Another controller, on another machine. It changes nothing but the claim; one that dies has taken a standby out of the balancers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rival {
    /// It takes over what is left by its owner, once it may, and gives it up again after a while.
    TakesOver { holds: Span },
    /// It claims the first cluster that is free from then on, and gives it up after a while, or dies.
    Claims { at: Span, holds: Span, dies: bool },
}

/// A rival at work, and what it did.
#[derive(Clone, Debug)]
pub(super) struct RivalAtWork {
    rival: Rival,
    /// By cluster: when it took the claim, and until when an effect of it may be under way after it is gone.
    took: Vec<Option<Mono>>,
    reaches: Vec<Mono>,
    /// By cluster: since when the owner key of a running operation is gone, as it has seen, and the revision of that.
    gone: Vec<Option<(u64, Mono)>>,
    begun: bool,
}

/// How long an effect of a rival may be under way after its owner key is gone.
const RIVAL_REACH: Span = Span::secs(20);

impl World {
    /// Another controller looks at the same clusters.
    pub fn rival(&mut self, rival: Rival) {
        let n = self.clusters.len();
        self.rival = Some(RivalAtWork {
            rival,
            took: vec![None; n],
            reaches: vec![Mono::default(); n],
            gone: vec![None; n],
            begun: false,
        });
        self.schedule(self.clock.plus(Span::secs(1)), Happening::Rival);
    }

    /// It gives up what it holds, and does nothing more.
    pub fn rival_leaves(&mut self) {
        for c in 0..self.clusters.len() {
            self.rival_releases(c);
        }
        if let Some(rival) = &mut self.rival {
            rival.begun = true;
            rival.rival = Rival::Claims { at: Span::ZERO, holds: Span::ZERO, dies: false };
        }
    }

    /// Our process is frozen, or runs again.
    pub fn process_runs(&mut self, runs: bool) {
        self.process.runs = runs;
    }

    /// Nobody renews our leases any more: the process is gone.
    pub(super) fn process_is_gone(&mut self) {
        for c in 0..self.clusters.len() {
            // What a restored store has forgotten nobody can know who comes after: the rival has noticed it by then.
            if self.rival.as_ref().is_some_and(|r| r.took[c].is_some()) && !self.rival_claimed(c) {
                self.rival_gone(c, Mono::default());
            }
        }
        for tenure in &mut self.process.tenures {
            *tenure = None;
        }
        self.process.runs = true;
    }

    /// The store is restored from a snapshot that is so old: of our keys what stood then, without owners. (What the clusters' own
    /// agents write they write again.)
    pub fn restore_store(&mut self, age: Span) {
        let then = self.clock.minus(age);
        for c in 0..self.clusters.len() {
            let known = self.process.snapshots[c].iter().rev().find(|(at, ..)| *at <= then).cloned();
            let Some((_, operation, revision)) = known else { continue };
            let store = &mut self.clusters[c].store;
            (store.operation, store.owner, store.revision) = (operation, None, revision);
        }
        self.news();
    }

    pub(super) fn keep_snapshots(&mut self) {
        for (c, cluster) in self.clusters.iter().enumerate() {
            let kept = &mut self.process.snapshots[c];
            if kept.last().is_none_or(|(at, ..)| self.clock.since(*at) >= Span::secs(1)) {
                if kept.len() == SNAPSHOTS {
                    kept.remove(0);
                }
                kept.push((self.clock, cluster.store.operation.clone(), cluster.store.revision));
            }
        }
    }

    /// Our process has the claim from now on.
    pub(super) fn tenure_begins(&mut self, c: usize, asked: Mono) {
        let Some(owner) = &self.clusters[c].store.owner else { return };
        let (value, ends) = (Name::clone(&owner.key.value), owner.ends);
        self.process.tenures[c] = Some((value, asked));
        self.schedule(asked.plus(RENEWS), Happening::KeepAlive { cluster: c });
        self.schedule(ends, Happening::OwnerEnds { cluster: c });
    }

    pub(super) fn tenure_ends(&mut self, c: usize) {
        self.process.tenures[c] = None;
    }

    pub(super) const fn lease() -> Span {
        LEASE
    }

    pub(super) fn keep_alive(&mut self, c: usize) {
        let Some((value, heard)) = self.process.tenures[c].clone() else { return };
        let now = self.clock;
        if now.since(heard) < RENEWS {
            return self.schedule(heard.plus(RENEWS), Happening::KeepAlive { cluster: c });
        }
        if self.process.runs && self.store_answers(c) {
            let Some(owner) = self.clusters[c].store.owner.as_mut().filter(|o| o.key.value == value) else {
                // A lease that has ended is answered as one.
                self.process.tenures[c] = None;
                return;
            };
            owner.ends = now.plus(LEASE);
            self.process.tenures[c] = Some((value, now));
            self.schedule(now.plus(LEASE), Happening::OwnerEnds { cluster: c });
        }
        self.schedule(now.plus(RENEWS), Happening::KeepAlive { cluster: c });
    }

    pub(super) fn owner_ends(&mut self, c: usize) {
        let now = self.clock;
        let store = &mut self.clusters[c].store;
        if store.owner.as_ref().is_some_and(|o| o.ends <= now) {
            store.owner = None;
            store.next();
            self.news();
        }
    }

    /// The owner key is ours, and was not renewed in time.
    pub(super) fn is_unrenewed(&self, c: usize) -> bool {
        let owner = self.clusters[c].store.owner.as_ref();
        let ours = self.process.tenures[c].as_ref();
        ours.is_some_and(|(value, _)| owner.is_some_and(|o| o.key.value == *value)) && self.holds(c).is_err()
    }

    fn holds(&self, c: usize) -> Result<(), String> {
        let Some((_, heard)) = &self.process.tenures[c] else {
            return Err("this process does not hold the claim".to_string());
        };
        let ago = self.clock.since(*heard);
        let stale = ago > STOPS_AFTER && !planted::is(Break::StaleLease);
        if stale { Err(format!("our claim was last renewed {ago} ago")) } else { Ok(()) }
    }

    /// The cluster whose claim an effect needs.
    fn guarded(&self, effect: &Effect) -> Option<usize> {
        let group = match effect {
            Effect::Fence { group, .. }
            | Effect::UndoFence { group, .. }
            | Effect::SwitchOver { group, .. } => *group,
            Effect::Drain { group, .. } | Effect::Restore { group, .. } => *group,
            Effect::HandOver(h) => h.group,
            Effect::Command { group, .. } => (*group)?,
            Effect::Claim { .. } | Effect::Release { .. } | Effect::ValidateWrite { .. } => return None,
        };
        let c = self.clusters.iter().position(|c| c.group == group)?;
        let stored = self.estate.group(group).database.as_ref().is_some_and(|d| !d.store.is_empty());
        stored.then_some(c)
    }

    /// Nobody has the claim of a cluster, and no operation runs there.
    fn is_free(&self, c: usize) -> bool {
        let store = &self.clusters[c].store;
        store.owner.is_none() && store.claimed().is_none_or(|claim| !claim.running)
    }

    /// Something leaves though its claim was not renewed in time; or, where nobody has the claim any more, though it was decided before.
    pub(super) fn is_stale(&mut self, issued: &Issued, decided: Mono) {
        let ago = self.clock.since(decided);
        if matches!(issued.effect, Effect::HandOver(_)) && ago > PROOF_HOLDS {
            self.truth.trespasses.push(format!("law 1: the hand-over was sent {ago} after its proof"));
        }
        let Some(c) = self.guarded(&issued.effect) else { return };
        let heard = self.process.tenures[c].as_ref().map(|(_, heard)| *heard);
        let since = if self.is_free(c) { Some(decided) } else { heard };
        if let Some(ago) = since.map(|t| self.clock.since(t)).filter(|ago| *ago > STOPS_AFTER) {
            let name = issued.effect.name();
            self.truth.trespasses.push(format!(
                "law 7: «{name}» was sent though the claim was last renewed, or it was decided, {ago} before"
            ));
        }
    }

    /// Why the driver does not send this now.
    pub fn withholds(&self, issued: &Issued, decided: Mono) -> Option<String> {
        let c = self.guarded(&issued.effect)?;
        let ago = self.clock.since(decided);
        if ago > STOPS_AFTER && !planted::is(Break::StaleLease) {
            return Some(format!("it was decided {ago} ago"));
        }
        if matches!(issued.effect, Effect::HandOver(_)) {
            return self.holds(c).err();
        }
        if planted::is(Break::StaleLease) {
            return None;
        }
        if !self.store_answers(c) {
            return Some("our claim could not be read".to_string());
        }
        let store = &self.clusters[c].store;
        let claim = store.claimed().filter(|c| c.running);
        if self.is_free(c) && matches!(issued.effect, Effect::Restore { .. }) {
            return None;
        }
        let of_it = claim.is_some_and(|c| {
            c.operation == issued.id.operation.to_string() && c.generation == issued.id.generation
        });
        let ours = self.process.tenures[c]
            .as_ref()
            .is_some_and(|(value, _)| store.owner.as_ref().is_some_and(|o| o.key.value == *value));
        if of_it && ours { self.holds(c).err() } else { Some("the claim is not ours".to_string()) }
    }

    /// Something of ours is done to a cluster: nobody else may be at work there.
    pub(super) fn trespasses(&mut self, c: usize, issued: &Issued) {
        let Some(rival) = &self.rival else { return };
        let name = issued.effect.name();
        if rival.took[c].is_some() {
            self.truth
                .trespasses
                .push(format!("law 7: «{name}» was sent while another controller had the claim"));
        } else if rival.reaches[c] > self.clock {
            self.truth.trespasses.push(format!(
                "law 7: «{name}» was sent while an effect of the controller before may have been under way"
            ));
        }
    }

    /// A claim of ours has been written over another.
    pub(super) fn claims_grow(&mut self, before: Option<&Claim>, after: Option<&Claim>) {
        if let (Some(before), Some(after)) = (before, after)
            && !before.is_same_run(after)
            && after.generation <= before.generation
        {
            let (old, new) = (before.generation.0, after.generation.0);
            self.truth.trespasses.push(format!("law 7: generation {new} was claimed after {old}"));
        }
    }

    pub(super) fn rival_turn(&mut self) {
        for c in 0..self.clusters.len() {
            self.rival_at(c);
        }
        if self.rival.as_ref().is_some_and(|r| {
            !(r.begun && r.took.iter().all(Option::is_none)) || matches!(r.rival, Rival::TakesOver { .. })
        }) {
            self.schedule(self.clock.plus(Span::secs(1)), Happening::Rival);
        }
    }

    fn rival_at(&mut self, c: usize) {
        let (now, Some(mut at_work)) = (self.clock, self.rival.take()) else { return };
        let store = &self.clusters[c].store;
        let claim = store.claimed();
        let running = claim.as_ref().filter(|c| c.running);
        let gone = match (&store.owner, running, store.operation.as_ref()) {
            (None, Some(_), Some(key)) => {
                let since = at_work.gone[c]
                    .filter(|(revision, _)| *revision == key.revision)
                    .map_or(now, |(_, since)| since);
                Some((key.revision, since))
            }
            _ => None,
        };
        at_work.gone[c] = gone;
        if let Some(took) = at_work.took[c] {
            self.rival = Some(at_work.clone());
            return self.rival_holds(c, took, at_work.rival);
        }
        let takes = match at_work.rival {
            Rival::TakesOver { .. } => {
                let patience = running.map_or(Span::ZERO, |c| Span(c.patience_ms)).plus(ANSWER);
                gone.is_some_and(|(_, since)| now.since(since) > patience)
            }
            Rival::Claims { at, .. } => {
                !at_work.begun && Span(now.0) >= at && running.is_none() && store.owner.is_none()
            }
        };
        if takes {
            at_work.begun = true;
            at_work.took[c] = Some(now);
            let generation = Generation(claim.as_ref().map_or(0, |c| c.generation.0) + 5);
            let mut obligations = claim.map(|c| c.obligations).unwrap_or_default();
            if matches!(at_work.rival, Rival::Claims { dies: true, .. }) {
                obligations = obligations.with(&self.rival_drains(c));
            }
            self.rival_claims(c, generation, obligations);
        }
        self.rival = Some(at_work);
    }

    /// It takes the synchronous standby out of every balancer.
    fn rival_drains(&mut self, c: usize) -> Obligations {
        self.advance(c);
        let cluster = &self.clusters[c];
        let standby = cluster.members.iter().position(|m| cluster.store.sync.standbys.contains(&m.name));
        let (Some(standby), Some(database)) = (standby, &self.estate.group(cluster.group).database) else {
            return Obligations::default();
        };
        let member = cluster.members[standby].name.to_string();
        let drained = database
            .draining()
            .map(|(_, b)| Drained { member: member.clone(), balancer: b.address.clone() })
            .collect();
        for (id, _) in database.draining() {
            self.balancers[c][id.at()][standby].maintenance = true;
        }
        Obligations { drained, ..Obligations::default() }
    }

    fn rival_claims(&mut self, c: usize, generation: Generation, obligations: Obligations) {
        let owner = Owner::from("rival");
        let claim = Claim {
            operation: "recovery-1".to_string(),
            generation,
            by: "rival".to_string(),
            since: Utc::default(),
            running: true,
            owner: Some(owner.clone()),
            phase: ClaimPhase::Acting,
            patience_ms: RIVAL_REACH.0,
            obligations,
            attempt: 0,
        };
        let ends = self.clock.plus(LEASE);
        let store = &mut self.clusters[c].store;
        let read =
            (store.operation.as_ref().map(|k| k.revision), store.owner.as_ref().map(|o| o.key.revision));
        let _ = store.claim(&claim.write(), read, ends);
        self.schedule(ends, Happening::OwnerEnds { cluster: c });
        self.news();
    }

    fn rival_holds(&mut self, c: usize, took: Mono, rival: Rival) {
        let now = self.clock;
        let (holds, dies) = match rival {
            Rival::TakesOver { holds } => (holds, false),
            Rival::Claims { holds, dies, .. } => (holds, dies),
        };
        let ours = self.rival_claimed(c);
        let owns = self.clusters[c].store.owner.is_some();
        if !ours {
            // The store was restored: it has lost what it claimed, and stops.
            return self.rival_gone(c, now);
        }
        if !owns {
            // Its key is gone, and it stops; an effect of it may be under way for as long as it said.
            return self.rival_gone(c, now.minus(Span::secs(1)).plus(RIVAL_REACH));
        }
        if now.since(took) < holds {
            if let Some(owner) = &mut self.clusters[c].store.owner {
                owner.ends = now.plus(LEASE);
                self.schedule(now.plus(LEASE), Happening::OwnerEnds { cluster: c });
            }
        } else if !dies {
            self.rival_releases(c);
        }
    }

    fn rival_claimed(&self, c: usize) -> bool {
        self.clusters[c].store.claimed().is_some_and(|c| c.running && c.owner == Some(Owner::from("rival")))
    }

    fn rival_gone(&mut self, c: usize, reaches: Mono) {
        if let Some(rival) = &mut self.rival {
            (rival.took[c], rival.reaches[c]) = (None, reaches);
        }
    }

    fn rival_releases(&mut self, c: usize) {
        let ours =
            self.clusters[c].store.claimed().filter(|c| c.owner == Some(Owner::from("rival")) && c.running);
        if let Some(claim) = ours {
            let over = Claim { running: false, phase: ClaimPhase::Over, ..claim.clone() };
            let _ = self.clusters[c].store.release(&claim.write(), &over.write());
            self.news();
        }
        self.rival_gone(c, Mono::default());
    }
}

//! A door that plays tricks on both who stand at it: reports are lost, come twice, late and in another order; drivers act
//! and fail; observers lie.

use super::act::{Trick, TrickKind};
use crate::engine::{Door, Sending, unspent};
use crate::model::*;
use crate::sim::{Chance, Translated};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The simulated world behind a door that cannot be trusted.
pub struct TrickDoor {
    /// The world, as the file of now calls its servers.
    pub behind: Translated,
    tricks: Vec<Trick>,
    chance: Chance,
    clock: Mono,
    /// What comes later than it should, by when.
    late: BTreeMap<(Mono, u64), Incoming>,
    order: u64,
    /// Every effect that was sent.
    pub sent: Vec<EffectId>,
    /// Who told us that they hear a group's primary, and when they last heard it.
    pub heard: BTreeMap<(GroupId, MemberId), Mono>,
    /// When a member was last asked and told of itself.
    pub told: BTreeMap<(GroupId, MemberId), Mono>,
    pub played: u64,
    /// Requests on their way for too long, by when they arrive.
    /// With the moment in which each was decided.
    requests: BTreeMap<(Mono, u64), (Issued, Mono)>,
    /// The process is frozen at the n-th effect from here.
    pub freezes_at: Option<u32>,
    /// What was about to leave when it was frozen, and when that was decided.
    frozen: Option<Vec<(Mono, Sending)>>,
}

impl TrickDoor {
    pub fn new(behind: Translated, tricks: Vec<Trick>, seed: u64) -> TrickDoor {
        TrickDoor {
            behind,
            tricks,
            chance: Chance::new(seed ^ 0x5bd1_e995),
            clock: Mono::default(),
            late: BTreeMap::new(),
            order: 0,
            sent: Vec::new(),
            heard: BTreeMap::new(),
            told: BTreeMap::new(),
            played: 0,
            requests: BTreeMap::new(),
            freezes_at: None,
            frozen: None,
        }
    }

    /// Whoever sent is gone: what was on its way to it reaches nobody.
    pub fn hang_up(&mut self) {
        self.late.clear();
        self.frozen = None;
        self.behind.world.hang_up();
    }

    /// Whoever stands at the door from now on has another file.
    pub fn read_as(&mut self, last: &Estate, estate: Arc<Estate>) {
        self.behind.read_as(estate);
        for known in [&mut self.heard, &mut self.told] {
            *known = std::mem::take(known)
                .into_iter()
                .filter_map(|(of, at)| Some((self.behind.renumbered(last, of)?, at)))
                .collect();
        }
    }

    /// The store is restored from a snapshot that is so old. It starts anew: requests that were on their way end with their connections.
    pub fn restore_store(&mut self, age: Span) {
        self.requests.clear();
        self.behind.world.restore_store(age);
    }

    /// No more tricks, and everything is mended.
    pub fn relent(&mut self) {
        self.tricks.clear();
        self.freezes_at = None;
        self.behind.world.rival_leaves();
        self.behind.world.mend();
    }

    pub const fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Time passes while our process is frozen: nothing is looked at, and what comes back waits until it thaws.
    pub fn pass(&mut self, now: Mono) {
        self.clock = now;
        self.deliver(now);
        for incoming in self.behind.poll(now) {
            if matches!(incoming, Incoming::Report(_)) {
                self.later(Span::ZERO, incoming);
            }
        }
    }

    /// It runs again, and sends what it was about to.
    pub fn thaw(&mut self, now: Now) {
        self.behind.world.process_runs(true);
        for (decided, sending) in self.frozen.take().unwrap_or_default() {
            match sending.spend(now.mono) {
                Ok(issued) => self.behind.send(now, issued, decided),
                Err((id, why)) => self.withheld(now, id, why),
            }
        }
    }

    /// A proof did not hold for what it was to prove.
    fn withheld(&mut self, now: Now, id: EffectId, why: Unproven) {
        self.later(Span::ZERO, Incoming::Report(unspent(id, now.mono, why)));
    }

    /// Requests that were on their way arrive.
    fn deliver(&mut self, now: Mono) {
        while let Some(((at, _), _)) = self.requests.first_key_value()
            && *at <= now
            && let Some((_, (issued, decided))) = self.requests.pop_first()
        {
            self.behind.arrive(now, issued, decided);
        }
    }

    /// What becomes of a request on its way; `None` if it has gone astray.
    fn request(&mut self, now: Now, issued: Issued) -> Option<Issued> {
        let to_store =
            matches!(issued.effect, Effect::Claim { .. } | Effect::Release { .. } | Effect::HandOver(_));
        if self.behind.withholds(now.mono, &issued).is_some() {
            return Some(issued);
        }
        let far = to_store
            || matches!(
                issued.effect,
                Effect::Drain { .. } | Effect::Restore { .. } | Effect::SwitchOver { .. }
            );
        for kind in self.now_playing().collect::<Vec<_>>() {
            let late = match kind {
                TrickKind::LosesRequests { percent } if far && self.hits(percent) => None,
                TrickKind::DelaysRequests { percent, by } if to_store && self.hits(percent) => Some(by),
                _ => continue,
            };
            let outcome = Outcome::Unknown { reason: "the answer was lost".to_string() };
            self.later(
                Span::ms(50),
                Incoming::Report(Report { id: issued.id, at: now.mono, took: Span::ZERO, outcome }),
            );
            if let Some(by) = late {
                self.order += 1;
                self.requests.insert((now.mono.plus(by), self.order), (issued, now.mono));
            }
            return None;
        }
        Some(issued)
    }

    fn now_playing(&self) -> impl Iterator<Item = TrickKind> + use<'_> {
        let now = Span(self.clock.0);
        self.tricks.iter().filter(move |t| t.at <= now && now < t.at.plus(t.lasts)).map(|t| t.kind)
    }

    fn hits(&mut self, percent: u8) -> bool {
        let hit = self.chance.below(100) < u64::from(percent);
        self.played += u64::from(hit);
        hit
    }

    fn later(&mut self, by: Span, incoming: Incoming) {
        self.order += 1;
        self.late.insert((self.clock.plus(by), self.order), incoming);
    }

    /// A report on its way in; `None` if it does not come now.
    fn report(&mut self, mut report: Report) -> Option<Report> {
        for kind in self.now_playing().collect::<Vec<_>>() {
            match kind {
                TrickKind::LosesReports { percent } if self.hits(percent) => return None,
                TrickKind::DoublesReports { percent } if self.hits(percent) => {
                    let by = Span(self.chance.below(20_000));
                    self.later(by, Incoming::Report(report.clone()));
                }
                TrickKind::DelaysReports { percent, by } if self.hits(percent) => {
                    self.later(by, Incoming::Report(report));
                    return None;
                }
                TrickKind::ActsAndFails { percent } if self.hits(percent) => {
                    report.outcome = Outcome::Unknown { reason: "its driver failed".to_string() };
                }
                _ => {}
            }
        }
        Some(report)
    }

    fn observation(&mut self, mut observation: Observation) -> Option<Observation> {
        for kind in self.now_playing().collect::<Vec<_>>() {
            match kind {
                TrickKind::LosesObservations { percent } if self.hits(percent) => return None,
                TrickKind::DelaysObservations { percent, by } if self.hits(percent) => {
                    self.later(by, Incoming::Observed(observation));
                    return None;
                }
                TrickKind::SlowAnswers { region, by } if matches!(observation.fact, Fact::Member { member: of, .. } if of.0 == region) =>
                {
                    self.played += 1;
                    self.later(by, Incoming::Observed(observation));
                    return None;
                }
                _ => self.lie(kind, &mut observation.fact),
            }
        }
        Some(observation)
    }

    fn lie(&mut self, kind: TrickKind, fact: &mut Fact) {
        let lied = match (kind, fact) {
            (TrickKind::ProbeLies { region }, Fact::Probe { member: of, result, .. }) if of.0 == region => {
                *result = ProbeResult::Refused;
                true
            }
            (TrickKind::ReceiverLies { region }, Fact::Receiver { member: of, stream, .. })
                if of.0 == region =>
            {
                stream.streaming = false;
                true
            }
            (TrickKind::BalancerLies { region }, Fact::Balancer { servers, .. }) => {
                let server = servers.iter_mut().find(|s| s.member == Some(MemberId(region)));
                server.is_some_and(|s| {
                    (s.up, s.unreachable) = (false, true);
                    true
                })
            }
            _ => false,
        };
        self.played += u64::from(lied);
    }

    fn note(&mut self, incoming: &Incoming) {
        let Incoming::Observed(Observation { at, fact }) = incoming else { return };
        match fact {
            Fact::Receiver { group, member, stream } if stream.streaming => {
                if let Some(silent) = stream.silent_for {
                    self.heard.insert((*group, *member), at.minus(silent));
                }
            }
            Fact::Member { group, member, .. } => {
                let last = self.told.entry((*group, *member)).or_default();
                *last = (*last).max(*at);
            }
            _ => {}
        }
    }
}

impl Door for TrickDoor {
    fn submit(&mut self, now: Now, sending: Sending) {
        self.sent.push(sending.id());
        self.clock = now.mono;
        match &mut self.freezes_at {
            Some(0) if self.frozen.is_none() => {
                self.played += 1;
                self.frozen = Some(Vec::new());
                self.freezes_at = None;
                self.behind.world.process_runs(false);
            }
            Some(left) => *left = left.saturating_sub(1),
            None => {}
        }
        if let Some(held) = &mut self.frozen {
            return held.push((now.mono, sending));
        }
        let issued = match sending.spend(now.mono) {
            Ok(issued) => issued,
            Err((id, why)) => return self.withheld(now, id, why),
        };
        let Some(issued) = self.request(now, issued) else { return };
        let gives_up = self
            .now_playing()
            .find_map(|k| if let TrickKind::GivesUpAndActs { percent } = k { Some(percent) } else { None });
        if gives_up.is_some_and(|percent| self.hits(percent)) {
            let outcome = Outcome::Unknown { reason: "its driver gave up waiting".to_string() };
            let report = Report { id: issued.id, at: now.mono, took: Span::ZERO, outcome };
            self.later(Span::ms(50), Incoming::Report(report));
        }
        self.behind.send(now, issued, now.mono);
    }

    fn look(&mut self, now: Now, look: Look) {
        self.behind.look(now, look);
    }

    fn poll(&mut self, now: Mono) -> Vec<Incoming> {
        self.clock = now;
        self.deliver(now);
        let mut list = Vec::new();
        while let Some(((at, _), _)) = self.late.first_key_value()
            && *at <= now
            && let Some((_, incoming)) = self.late.pop_first()
        {
            list.push(incoming);
        }
        for incoming in self.behind.poll(now) {
            list.extend(match incoming {
                Incoming::Report(report) => self.report(report).map(Incoming::Report),
                Incoming::Observed(observation) => self.observation(observation).map(Incoming::Observed),
            });
        }
        for incoming in &list {
            self.note(incoming);
        }
        list
    }

    fn next_deadline(&self) -> Option<Mono> {
        let late = self.late.first_key_value().map(|((at, _), _)| *at);
        let arrives = self.requests.first_key_value().map(|((at, _), _)| *at);
        [self.behind.next_deadline(), late, arrives].into_iter().flatten().min()
    }
}

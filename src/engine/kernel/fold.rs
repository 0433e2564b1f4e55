//! The fold of the journal: what each event changes. It cannot fail and decides nothing.

use super::limits;
use super::state::{BARE, CLOSED, OpenProposal, SILENCES, State};
use crate::model::*;
use std::collections::VecDeque;
use std::sync::Arc;

impl State {
    fn operation_mut(&mut self, id: OperationId) -> Option<&mut Operation> {
        self.operations.iter_mut().rev().find(|o| o.id == id).map(Arc::make_mut)
    }

    fn step_mut(&mut self, id: OperationId, step: u16) -> Option<&mut StepRecord> {
        self.operation_mut(id)?.steps.get_mut(usize::from(step))
    }

    fn effect_mut(&mut self, id: EffectId) -> Option<&mut EffectRecord> {
        self.step_mut(id.operation, id.step)?.effects.iter_mut().rev().find(|e| e.id == id)
    }

    pub fn apply(&mut self, record: &Record) {
        let at = record.at;
        self.records += 1;
        match &record.event {
            Event::Started { mode, armed, drilled, estate, owner, .. } => {
                self.begin(record.epoch, at, *mode, *armed, drilled, estate);
                self.owner = owner.clone();
            }
            Event::ClockJumped { by_ms } => self.clock_jumped = Some((at.utc, *by_ms)),
            Event::Refused { .. } => {}
            Event::Note { text, by, vouches: true, .. } => {
                for group in super::unproven::vouched(self, text) {
                    self.vouch(group, at.utc, by);
                }
            }
            Event::Note { .. } => {}
            Event::Vouched { group, by, .. } => self.vouch(*group, at.utc, by),
            Event::RegionChanged { region, status, reason } => {
                if let Some(slot) = self.regions.get_mut(region.at()) {
                    *slot = (*status, reason.clone());
                }
            }
            Event::MemberNamed { group, member, name } => {
                self.names.insert((*group, *member), name.clone());
            }
            Event::PrimaryChanged { group, member, timeline } => {
                let by_us = member.is_some_and(|to| self.gave_to(*group, to));
                if let Some(slot) = self.primaries.get_mut(group.at()) {
                    // The same one on a later timeline was elected anew.
                    let later = slot.1.is_some() && slot.1 < *timeline;
                    if let (Some(to), Some(from)) = (*member, slot.0)
                        && (from != to || later)
                    {
                        self.elected.insert(*group, Elected { at: at.utc, from, to, by_us, vouched: None });
                    }
                    *slot = (*member, *timeline);
                }
            }
            Event::Turned { group, turn } => {
                // What a turn ends, and whether it lasts itself.
                let (ended, lasts): (&[Turn], bool) = match turn {
                    Turn::StoreSilent | Turn::SteppedDown | Turn::TwoMayWrite => (&[], true),
                    Turn::StoreAnswers => (&[Turn::StoreSilent], false),
                    Turn::LeadsAgain => (&[Turn::SteppedDown], false),
                    Turn::OneWrites => (&[Turn::TwoMayWrite], false),
                    Turn::WritesAlone | Turn::WritesWait => (BARE, true),
                    Turn::Protected => (BARE, false),
                    Turn::PrimarySilent | Turn::AgentSilent | Turn::OnlyOursFail => (SILENCES, true),
                    Turn::PrimaryHeard => (SILENCES, false),
                };
                for turn in ended {
                    self.turned.remove(&(*group, *turn));
                }
                if lasts {
                    self.turned.insert((*group, *turn), record.at.utc);
                }
            }
            Event::DisasterDeclared(disaster) => {
                self.next.disaster = self.next.disaster.max(disaster.id.0 + 1);
                self.disasters.push_back(disaster.clone());
                bound(&mut self.disasters, |d| d.ended.is_some());
            }
            Event::DisasterEnded { disaster } => {
                self.pass_on(*disaster);
                self.dismissed.retain(|(d, _)| d != disaster);
                self.held.retain(|(d, _), _| d != disaster);
                if let Some(d) = self.disasters.iter_mut().find(|d| d.id == *disaster) {
                    d.ended = Some(at.utc);
                }
            }
            Event::Proposed(proposal) => {
                self.next.proposal = self.next.proposal.max(proposal.id.0 + 1);
                self.proposals.push(OpenProposal {
                    proposal: proposal.clone(),
                    since: at,
                    revision: 0,
                    foretold: None,
                });
            }
            Event::ProposalClosed { proposal, by, end, .. } => {
                self.close(*proposal, Declined { at: at.utc, by: by.clone() }, *end)
            }
            Event::AutomaticStopped { proposal, by, .. } => {
                if by.is_person() {
                    self.decline(*proposal, Declined { at: at.utc, by: by.clone() }, |_| true);
                }
                let stopped = self.proposals.iter_mut().find(|p| p.proposal.id == *proposal);
                // The countdown of the choice that it displaced is stopped with it.
                if let Some(behind) = stopped.as_ref().and_then(|p| self.displaced.get_mut(&p.proposal.group))
                {
                    behind.automatic_at = None;
                }
                // If it only counted behind this choice, this choice is what it was.
                if let Some(p) = stopped.filter(|p| p.proposal.automatic_at.is_some()) {
                    p.proposal.automatic_at = None;
                    p.revision += 1;
                }
            }
            Event::IdentitySeen { group, identity } => {
                self.changed.remove(group);
                self.identities.insert(*group, identity.clone());
            }
            Event::IdentityChanged { group, now, change } => {
                self.changed.insert(*group, (now.clone(), change.clone()));
            }
            Event::Adopted { group, identity, .. } => {
                self.changed.remove(group);
                self.identities.insert(*group, identity.clone());
                // The timelines of the other cluster say nothing of this one.
                if let Some(slot) = self.primaries.get_mut(group.at()) {
                    slot.1 = None;
                }
            }
            Event::AutomationHeld { group, disaster, veto } => {
                self.held.entry((*disaster, *group)).or_default().push(veto.clone())
            }
            Event::Armed { .. } => self.armed = true,
            Event::Disarmed { .. } => self.armed = false,
            Event::OperationStarted(start) => self.start(at, start),
            Event::StepStarted { operation, step } => {
                if let Some(s) = self.step_mut(*operation, *step) {
                    s.state = StepState::Running;
                    s.started.get_or_insert(at.utc);
                    s.started_mono = Some(at.mono);
                    s.finished = None;
                }
            }
            Event::Intended { id, effect } => {
                if let Some(s) = self.step_mut(id.operation, id.step) {
                    let effect = effect.clone();
                    s.effects.push(EffectRecord {
                        id: *id,
                        effect,
                        intended: at.mono,
                        outcome: None,
                        reported: None,
                        orphaned: false,
                    });
                }
            }
            Event::Reported { id, outcome } => {
                if let Some(e) = self.effect_mut(*id) {
                    e.outcome = Some(outcome.clone());
                    e.reported = Some(at.mono);
                    e.orphaned = matches!(outcome, Outcome::Unknown { .. });
                }
            }
            Event::OutcomeLost { id, .. } => {
                if let Some(e) = self.effect_mut(*id) {
                    e.orphaned = true;
                }
            }
            Event::StepDone { operation, step, evidence } => {
                self.finish_step(*operation, *step, at, StepState::Done { evidence: evidence.clone() })
            }
            Event::StepFailed { operation, step, reason } => {
                self.finish_step(*operation, *step, at, StepState::Failed { reason: reason.clone() })
            }
            Event::StepSkipped { operation, step, reason } => {
                self.finish_step(*operation, *step, at, StepState::Skipped { reason: reason.clone() })
            }
            Event::StepReset { operation, step, .. } => {
                if let Some(s) = self.step_mut(*operation, *step) {
                    s.state = StepState::Pending;
                    s.finished = None;
                    s.tried = s.effects.len();
                }
            }
            Event::Promoted { operation, timeline, loss } => {
                if let Some(o) = self.operation_mut(*operation) {
                    o.results.promoted.get_or_insert(at.utc);
                    o.results.timeline = Some(*timeline);
                    o.results.loss = Some(loss.clone());
                }
            }
            Event::StatusChanged { operation, status } => {
                if let Some(o) = self.operation_mut(*operation) {
                    o.status = status.clone();
                    o.finished = status.is_over().then_some(at.utc);
                    if *status == Status::RolledBack && o.obligations().is_empty() {
                        o.remains.clear();
                    }
                }
            }
            Event::Superseded { old, new, obligations } => {
                self.inherits.insert(*new, obligations.clone());
                if let Some(o) = self.operation_mut(*old) {
                    o.status = Status::Superseded { by: *new };
                    o.finished = Some(at.utc);
                    o.remains.clear();
                    o.inherited.clear();
                }
            }
            Event::TookOver { operation, obligations } => {
                if let Some(o) = self.operation_mut(*operation) {
                    o.inherited.extend(obligations);
                    still_to_do(&mut o.remains, obligations);
                }
            }
            Event::RemainderDone { operation, remainder, .. } => {
                if let Some(o) = self.operation_mut(*operation) {
                    o.remains.retain(|r| r != remainder);
                }
            }
            Event::Foretold { proposal, foretold } => {
                if let Some(open) = self.proposals.iter_mut().find(|p| p.proposal.id == *proposal) {
                    open.foretold = Some(foretold.clone());
                } else if let Some(o) = self.operations.iter_mut().rev().find(|o| o.proposal == *proposal) {
                    Arc::make_mut(o).foretold = Some(foretold.clone());
                }
            }
            Event::FenceProven { group, member, took_ms } => {
                self.fence_proofs.insert((*group, *member), (at.utc, Span(*took_ms)));
            }
        }
    }

    fn vouch(&mut self, group: GroupId, at: Utc, by: &Actor) {
        if let Some(elected) = self.elected.get_mut(&group) {
            elected.vouched = Some((at, by.clone()));
        }
    }

    /// Takes a choice off the table. Only a displaced choice of detection's is kept, to come back.
    fn close(&mut self, id: ProposalId, by: Declined, end: ProposalEnd) {
        if end == ProposalEnd::Dismissed {
            self.decline(id, by, |p| p.by.is(Part::Detection));
        }
        let Some(position) = self.proposals.iter().position(|p| p.proposal.id == id) else { return };
        let closed = self.proposals.remove(position).proposal;
        if self.closed.len() == CLOSED {
            self.closed.pop_front();
        }
        self.closed.push_back((id, end));
        let of_detection = closed.by.is(Part::Detection);
        match end {
            ProposalEnd::Displaced if of_detection => {
                self.displaced.insert(closed.group, closed);
            }
            ProposalEnd::Displaced => {}
            ProposalEnd::Dismissed | ProposalEnd::FactsChanged { .. } => {
                self.displaced.remove(&closed.group);
                if let Some(disaster) =
                    closed.disaster.filter(|_| of_detection && end == ProposalEnd::Dismissed)
                {
                    self.dismissed.insert((disaster, closed.group));
                }
            }
        }
    }

    /// A person has said that automation is not to act there.
    fn decline(&mut self, proposal: ProposalId, who: Declined, counts: impl Fn(&Proposal) -> bool) {
        let declined = self.proposals.iter().map(|p| &p.proposal).find(|p| p.id == proposal && counts(p));
        if let Some((disaster, group)) = declined.and_then(|p| Some((p.disaster?, p.group))) {
            self.declined.insert((disaster, group), who);
        }
    }

    /// What was declined of a disaster is declined of the wider one that takes its place.
    fn pass_on(&mut self, ended: DisasterId) {
        let groups: Vec<(GroupId, Declined)> = self
            .declined
            .iter()
            .filter(|((d, _), _)| *d == ended)
            .map(|((_, g), who)| (*g, who.clone()))
            .collect();
        self.declined.retain(|(d, _), _| *d != ended);
        let Some(regions) = self.disasters.iter().find(|d| d.id == ended).map(|d| d.regions.clone()) else {
            return;
        };
        let wider: Vec<DisasterId> = self
            .open_disasters()
            .filter(|d| d.id != ended && regions.iter().all(|r| d.regions.contains(r)))
            .map(|d| d.id)
            .collect();
        self.declined.extend(
            wider.into_iter().flat_map(|d| groups.iter().map(move |(g, who)| ((d, *g), who.clone()))),
        );
    }

    fn begin(
        &mut self,
        epoch: u32,
        at: Now,
        mode: Mode,
        armed: bool,
        drilled: &[Digest],
        estate: &Arc<Estate>,
    ) {
        (self.mode, self.armed, self.epoch, self.since, self.since_utc) =
            (mode, armed, epoch, at.mono, at.utc);
        self.drilled = drilled.to_vec();
        // Ids are positions in the estate's lists: whatever holds one is carried over by name.
        if *self.estate != **estate {
            *self = super::carry::state(self, estate);
            (self.mode, self.armed, self.epoch, self.since, self.since_utc) =
                (mode, armed, epoch, at.mono, at.utc);
            self.drilled = drilled.to_vec();
        }
        self.estate = Arc::clone(estate);
        self.regions = vec![(RegionStatus::Unknown, RegionReason::default()); estate.regions.len()];
        // A countdown belongs to the clock it was set on.
        self.proposals.clear();
        self.displaced.clear();
        for operation in &mut self.operations {
            if operation.is_over() && operation.remains.is_empty() {
                continue;
            }
            let over = operation.is_over();
            let operation = Arc::make_mut(operation);
            operation.started_mono = at.mono;
            for step in &mut operation.steps {
                step.started_mono = step.started_mono.map(|_| at.mono);
                for effect in &mut step.effects {
                    // How long it took is kept where nothing waits for it any more: forecasts draw from it.
                    let took = effect
                        .reported
                        .map(|t| t.since(effect.intended))
                        .filter(|_| over)
                        .unwrap_or_default();
                    effect.intended = at.mono;
                    effect.reported = effect.reported.map(|_| at.mono.plus(took));
                }
            }
        }
    }

    fn start(&mut self, at: Now, start: &OperationStart) {
        self.next.operation = self.next.operation.max(start.id.0 + 1);
        self.generation = start.generation;
        let foretold =
            self.proposals.iter().find(|p| p.proposal.id == start.proposal).and_then(|p| p.foretold.clone());
        self.proposals.retain(|p| p.proposal.id != start.proposal && p.proposal.group != start.group);
        self.displaced.remove(&start.group);
        if start.automatic {
            self.automation_at.insert(start.group, at.utc);
        }
        let inherited = self.inherits.remove(&start.id).unwrap_or_default();
        let rejoin = |member: &MemberId| Remainder::Rejoin { member: *member };
        let mut remains: Vec<Remainder> = match start.plan.intent {
            Intent::Failover => start
                .left
                .iter()
                .map(rejoin)
                .chain(start.left.iter().map(|m| Remainder::Restore { member: *m }))
                .collect(),
            Intent::Switchover => start.left.iter().take(1).map(rejoin).collect(),
            Intent::Guided => Vec::new(),
        };
        still_to_do(&mut remains, &inherited);
        let operation = Operation {
            id: start.id,
            proposal: start.proposal,
            foretold,
            plan: Arc::clone(&start.plan),
            plan_hash: start.plan_hash,
            group: start.group,
            from: start.from,
            left: start.left.clone(),
            to: start.to,
            mode: self.mode,
            generation: start.generation,
            by: start.by.clone(),
            automatic: start.automatic,
            reason: start.reason.clone(),
            disaster: start.disaster,
            accepted: start.accepted.clone(),
            before: start.before.clone(),
            started: at.utc,
            started_mono: at.mono,
            finished: None,
            steps: vec![StepRecord::default(); start.plan.steps.len()],
            status: Status::Running,
            results: Results::default(),
            remains,
            inherited,
        };
        self.operations.push_back(Arc::new(operation));
        // One that has left something to undo is not forgotten.
        bound(&mut self.operations, |o| o.is_over() && o.obligations().is_empty());
    }

    fn finish_step(&mut self, operation: OperationId, step: u16, at: Now, state: StepState) {
        let done = matches!(state, StepState::Done { .. });
        if let Some(s) = self.step_mut(operation, step) {
            s.state = state;
            s.finished = Some(at.utc);
        }
        let Some(o) = self.operation_mut(operation).filter(|_| done) else { return };
        match o.plan.steps.get(usize::from(step)).map(|s| &s.kind) {
            Some(StepKind::WatchProtection) => o.results.protected = Some(at.utc),
            Some(StepKind::ValidateWrite { .. }) => {
                // What was written through the entry was written; what was written past it says nothing of users.
                let through = |e: &EffectRecord| {
                    e.is_done() && matches!(e.effect, Effect::ValidateWrite { via: Via::Entry, .. })
                };
                let served = o.steps.get(usize::from(step)).is_some_and(|s| s.effects.iter().any(through));
                o.results.writable.get_or_insert(at.utc);
                if served {
                    o.results.served.get_or_insert(at.utc);
                }
                let group = o.group;
                self.elected.remove(&group);
            }
            _ => {}
        }
    }
}

/// Each member of an obligation streams again, and gets its traffic back.
fn still_to_do(remains: &mut Vec<Remainder>, obligations: &[Obligation]) {
    for member in obligations.iter().map(Obligation::member) {
        for remainder in [Remainder::Rejoin { member }, Remainder::Restore { member }] {
            if !remains.contains(&remainder) {
                remains.push(remainder);
            }
        }
    }
}

/// Lets go of the oldest entry that is over, once there are too many.
fn bound<T>(list: &mut VecDeque<T>, over: impl Fn(&T) -> bool) {
    if list.len() > limits::KEEP
        && let Some(oldest) = list.iter().position(over)
    {
        list.remove(oldest);
    }
}

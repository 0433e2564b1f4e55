//! One run of a plan.

use super::{
    Accepted, Actor, BalancerId, Bytes, Digest, DisasterId, Effect, EffectId, Evidence, Foretold, Generation,
    GroupId, Intent, Lsn, MemberId, Mode, Mono, OperationFailure, OperationId, Outcome, Plan, ProposalId,
    ProposalReason, Question, RegionId, SkipReason, Span, StepFailure, Timeline, Utc,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub id: OperationId,
    pub proposal: ProposalId,
    /// What was told of it before it began.
    pub foretold: Option<Foretold>,
    pub plan: Arc<Plan>,
    pub plan_hash: Digest,
    pub group: GroupId,
    pub from: RegionId,
    /// The members that are left: the old primary first, then the others that are lost with it. Each is fenced and drained.
    pub left: Vec<MemberId>,
    /// The candidate. In a guided plan nobody takes over: there it is the primary itself.
    pub to: MemberId,
    pub mode: Mode,
    pub generation: Generation,
    pub by: Actor,
    pub automatic: bool,
    pub reason: ProposalReason,
    pub disaster: Option<DisasterId>,
    pub accepted: Accepted,
    pub before: Before,
    pub started: Utc,
    pub started_mono: Mono,
    pub finished: Option<Utc>,
    pub steps: Vec<StepRecord>,
    pub status: Status,
    pub results: Results,
    pub remains: Vec<Remainder>,
    /// What it took over from the operation that it superseded. None of it proves anything to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherited: Vec<Obligation>,
}

/// The plans among these that recovered what they were run for, each once.
pub fn recovered_plans<'a>(operations: impl IntoIterator<Item = &'a Arc<Operation>>) -> Vec<Digest> {
    let well = operations.into_iter().filter(|o| o.status == Status::Recovered).map(|o| o.plan_hash);
    well.collect::<std::collections::BTreeSet<Digest>>().into_iter().collect()
}

/// What stood in the world when the operation began; the steps compare with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    pub leader: String,
    pub leader_create_revision: Option<u64>,
    pub candidate: String,
    pub timeline: Option<Timeline>,
    pub system_id: Option<String>,
    /// The furthest position the old primary is known to have reached.
    pub position: Option<Lsn>,
    /// How much of the target was in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_load: Option<super::Percent>,
    /// The first failed observation.
    pub impact: Option<Utc>,
    /// What this operation writes into the store's own key.
    pub claim: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Running,
    /// It cannot go on without a person.
    Waiting {
        question: Question,
    },
    /// Everything was observed: promoted, validated, redirected, protected.
    Recovered,
    /// A named person accepted that no synchronous standby streams.
    RecoveredUnprotected {
        by: Actor,
    },
    /// What can be undone is being undone.
    RollingBack {
        by: Actor,
    },
    RolledBack,
    Aborted {
        by: Actor,
    },
    Failed {
        reason: OperationFailure,
    },
    /// It was promoted and leads by its own answer. The write that should have proven that failed.
    NotValidated {
        reason: StepFailure,
    },
    /// The cluster elected this member by itself, and nothing of the plan was left to do.
    ElectedElsewhere {
        leader: MemberId,
    },
    /// The member that it was handed over to was lost before all was seen done.
    TargetLost,
    /// A person confirmed another operation in its place, which took over its obligations.
    Superseded {
        by: OperationId,
    },
}

impl Status {
    pub const fn is_over(&self) -> bool {
        !matches!(self, Status::Running | Status::Waiting { .. } | Status::RollingBack { .. })
    }

    /// Its name in documents; that of one that runs is reference 000's.
    pub const fn name(&self) -> &'static str {
        match self {
            Status::Running => "initiated",
            Status::Waiting { .. } => "waiting",
            Status::Recovered => "recovered",
            Status::RecoveredUnprotected { .. } => "recovered_unprotected",
            Status::RollingBack { .. } => "rolling_back",
            Status::RolledBack => "rolled_back",
            Status::Aborted { .. } => "aborted",
            Status::Failed { .. } => "failed",
            Status::NotValidated { .. } => "promoted_not_validated",
            Status::ElectedElsewhere { .. } => "elected_elsewhere",
            Status::TargetLost => "target_lost",
            Status::Superseded { .. } => "superseded",
        }
    }

    pub const fn word(&self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Waiting { .. } => "waits for a person",
            Status::Recovered => "recovered",
            Status::RecoveredUnprotected { .. } => "recovered, unprotected",
            Status::RollingBack { .. } => "rolling back",
            Status::RolledBack => "rolled back",
            Status::Aborted { .. } => "aborted",
            Status::Failed { .. } => "failed",
            Status::NotValidated { .. } => "promoted, not validated",
            Status::ElectedElsewhere { .. } => "closed: the cluster elected",
            Status::TargetLost => "closed: target lost",
            Status::Superseded { .. } => "superseded",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    pub state: StepState,
    pub started: Option<Utc>,
    pub started_mono: Option<Mono>,
    pub finished: Option<Utc>,
    pub effects: Vec<EffectRecord>,
    /// So many of them were sent before somebody had it tried anew.
    #[serde(default)]
    pub tried: usize,
}

impl StepRecord {
    /// What was sent, the newest first. What was not done before somebody had it tried anew is not told any more.
    pub fn sent(&self) -> impl DoubleEndedIterator<Item = &EffectRecord> {
        let before = self.effects.iter().take(self.tried).filter(|e| {
            !matches!(
                e.outcome,
                Some(Outcome::NotDone { .. } | Outcome::Assumed { .. } | Outcome::Ended { .. })
            )
        });
        before.chain(self.anew()).rev().filter(|e| !e.is_missed())
    }

    /// What was sent since somebody had it tried anew.
    pub fn anew(&self) -> impl DoubleEndedIterator<Item = &EffectRecord> {
        self.effects.iter().skip(self.tried)
    }

    pub fn took(&self) -> Option<Span> {
        Some(self.finished?.since(self.started?))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepState {
    #[default]
    Pending,
    Running,
    Done {
        evidence: Evidence,
    },
    Failed {
        reason: StepFailure,
    },
    Skipped {
        reason: SkipReason,
    },
}

impl StepState {
    /// True if the steps behind it may begin.
    pub const fn opens(&self) -> bool {
        matches!(self, StepState::Done { .. } | StepState::Skipped { .. })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectRecord {
    pub id: EffectId,
    pub effect: Effect,
    pub intended: Mono,
    /// `None` while it is under way.
    pub outcome: Option<Outcome>,
    /// When the outcome was reported.
    pub reported: Option<Mono>,
    /// The controller that intended it is gone: its outcome must be observed.
    pub orphaned: bool,
}

impl EffectRecord {
    pub const fn may_have_happened(&self) -> bool {
        match self.outcome {
            Some(Outcome::Missed { .. }) => false,
            // In older records: a fence that did not answer 0, or was ended when its time was up, may have struck.
            Some(Outcome::NotDone { .. }) => matches!(self.effect, Effect::Fence { .. }),
            _ => true,
        }
    }

    /// It never left its controller: for a step it is as if it were not there.
    pub const fn is_missed(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Missed { .. }))
    }

    pub const fn is_done(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Done { .. }))
    }

    /// Sent, and nobody knows yet what came of it.
    pub const fn is_open(&self) -> bool {
        matches!(self.outcome, None | Some(Outcome::Unknown { .. }))
    }
}

/// What was measured of the recovery itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Results {
    /// The candidate led on a new timeline.
    pub promoted: Option<Utc>,
    /// The first validated write on the new primary.
    pub writable: Option<Utc>,
    /// The first validated write through the traffic entry.
    pub served: Option<Utc>,
    pub protected: Option<Utc>,
    pub timeline: Option<Timeline>,
    pub loss: Option<Loss>,
}

/// What did not survive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loss {
    /// Nothing that was acknowledged: the store recorded the candidate as holding it.
    Nothing,
    /// At least this much of the log.
    AtLeast(Bytes),
    Unknown,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Loss::Nothing => f.pad("nothing acknowledged"),
            Loss::AtLeast(Bytes(0)) | Loss::Unknown => f.pad("an unknown amount"),
            Loss::AtLeast(bytes) => write!(f, "at least {bytes}"),
        }
    }
}

/// What is left to do when an operation is over, and is done when it can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remainder {
    /// The failed member is to stream again.
    Rejoin { member: MemberId },
    /// It is to be put back into the balancers once it streams.
    Restore { member: MemberId },
}

impl Remainder {
    /// The member that it is about.
    pub const fn member(&self) -> MemberId {
        match self {
            Remainder::Rejoin { member } | Remainder::Restore { member } => *member,
        }
    }
}

/// What an operation has changed in the world and nobody has been seen to undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Obligation {
    /// The fence of the member may have struck.
    Fenced { member: MemberId },
    /// The member may be in maintenance on this balancer.
    Drained { member: MemberId, balancer: BalancerId },
}

impl Obligation {
    /// The member that it is about.
    pub const fn member(&self) -> MemberId {
        match self {
            Obligation::Fenced { member } | Obligation::Drained { member, .. } => *member,
        }
    }
}

impl Operation {
    /// What is still to be undone of what it did or inherited, derived from its effects and from what remains.
    pub fn obligations(&self) -> Vec<Obligation> {
        if matches!(self.status, Status::Superseded { .. }) {
            return Vec::new();
        }
        let mut list = self.inherited.clone();
        for e in self.effects() {
            // What was sent to undo it counts only once it is done.
            match e.effect {
                Effect::Fence { member, .. } if e.may_have_happened() => {
                    list.push(Obligation::Fenced { member })
                }
                Effect::Drain { member, balancer, .. } if e.may_have_happened() => {
                    list.push(Obligation::Drained { member, balancer })
                }
                Effect::UndoFence { member, .. } if e.is_done() => {
                    list.retain(|o| *o != Obligation::Fenced { member })
                }
                Effect::Restore { member, balancer, .. } if e.is_done() => {
                    list.retain(|o| *o != Obligation::Drained { member, balancer })
                }
                _ => {}
            }
        }
        let back =
            |member| self.intent() != Intent::Guided && !self.remains.contains(&Remainder::Rejoin { member });
        list.retain(|o| !matches!(o, Obligation::Fenced { member } if back(*member)));
        let mut known: Vec<Obligation> = Vec::new();
        list.retain(|o| {
            !known.contains(o) && {
                known.push(*o);
                true
            }
        });
        list
    }

    /// The balancers that it took a member out of, or inherited as such, whether or not it was put back since.
    pub fn ever_drained(&self, member: MemberId) -> Vec<BalancerId> {
        let own = self.effects().filter(|e| e.may_have_happened()).filter_map(|e| match e.effect {
            Effect::Drain { member: r, balancer, .. } if r == member => Some(balancer),
            _ => None,
        });
        let inherited = self.inherited.iter().filter_map(|o| match o {
            Obligation::Drained { member: r, balancer } if *r == member => Some(*balancer),
            _ => None,
        });
        own.chain(inherited).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// A person may confirm another operation in its place: it waits, and nothing that it sent is open or unknown.
    pub fn may_be_superseded(&self) -> bool {
        matches!(self.status, Status::Waiting { .. }) && !self.effects().any(EffectRecord::is_open)
    }

    /// The step is a validating write that failed after the promotion: redirection and protection go on all the same.
    pub fn fails_validation(&self, index: usize) -> bool {
        let failed = self.steps.get(index).is_some_and(|s| matches!(s.state, StepState::Failed { .. }));
        let validates = self
            .plan
            .steps
            .get(index)
            .is_some_and(|s| matches!(s.kind, super::StepKind::ValidateWrite { .. }));
        // A step that sent nothing failed for another reason, such as a claim that is lost.
        let wrote = |e: &EffectRecord| matches!(e.effect, Effect::ValidateWrite { .. }) && !e.is_missed();
        let sent = self.steps.get(index).is_some_and(|s| s.effects.iter().any(wrote));
        self.results.promoted.is_some() && failed && validates && sent
    }

    /// Why a validating write failed after the promotion; the first of them.
    pub fn failed_validation(&self) -> Option<&StepFailure> {
        let failed = self.steps.iter().enumerate().find(|(index, _)| self.fails_validation(*index))?;
        if let StepState::Failed { reason } = &failed.1.state { Some(reason) } else { None }
    }

    pub fn is_over(&self) -> bool {
        self.status.is_over()
    }

    pub fn intent(&self) -> Intent {
        self.plan.intent
    }

    /// Recovery time actual: first failed observation to first validated write through the traffic entry.
    pub fn recovery_time(&self) -> Option<Span> {
        Some(self.results.served?.since(self.before.impact.unwrap_or(self.started)))
    }

    /// The first step that failed, and why.
    pub fn failed_step(&self) -> Option<(&super::Step, &StepFailure)> {
        self.plan.steps.iter().zip(&self.steps).find_map(|(s, r)| {
            if let StepState::Failed { reason } = &r.state { Some((s, reason)) } else { None }
        })
    }

    /// All that is missing is that a standby streams: a named person may accept that it does not.
    pub fn lacks_only_protection(&self) -> bool {
        let mut lacking =
            self.plan.steps.iter().zip(&self.steps).filter(|(_, r)| !r.state.opens()).peekable();
        lacking.peek().is_some() && lacking.all(|(s, _)| s.kind == super::StepKind::WatchProtection)
    }

    /// The position of a step of the plan that satisfies the test.
    pub fn position(&self, test: impl Fn(&super::StepKind) -> bool) -> Option<usize> {
        self.plan.steps.iter().position(|s| test(&s.kind))
    }

    pub fn done_count(&self) -> usize {
        self.steps.iter().filter(|s| s.state.opens()).count()
    }

    pub fn effects(&self) -> impl Iterator<Item = &EffectRecord> {
        self.steps.iter().flat_map(|s| &s.effects)
    }

    /// True once something was sent that changes the world for others.
    pub fn has_acted(&self) -> bool {
        self.effects().any(|e| {
            e.may_have_happened() && !matches!(e.effect, Effect::Claim { .. } | Effect::ValidateWrite { .. })
        })
    }

    /// True once the old primary's lock may have been given away: by us, or by the cluster before we came to it.
    pub fn handed_over(&self) -> bool {
        let given = |e: &EffectRecord| {
            e.may_have_happened() && matches!(e.effect, Effect::HandOver(_) | Effect::SwitchOver { .. })
        };
        let gives =
            |s: &super::Step| matches!(s.kind, super::StepKind::HandOver | super::StepKind::SwitchOver);
        let passed = || self.plan.steps.iter().zip(&self.steps).any(|(s, r)| gives(s) && r.state.opens());
        self.results.promoted.is_some() || passed() || self.effects().any(given)
    }

    /// It runs, or what came of it stands: one that ended before it handed over has left all to others.
    pub fn counts(&self) -> bool {
        !self.is_over() || self.handed_over()
    }

    /// The primary that was left.
    pub fn old(&self) -> MemberId {
        self.left.first().copied().unwrap_or(self.to)
    }

    /// The cluster is led by a member that was not left: what was done to the old primary stays done.
    pub fn moved_on(&self, leader: Option<MemberId>) -> bool {
        leader.is_some_and(|l| !self.left.contains(&l))
    }

    /// The command that undoes the fence, where what was fenced is to come back and one is configured.
    pub fn unfence(&self, estate: &super::Estate) -> Option<String> {
        let fence = estate.groups.get(self.group.at())?.database.as_ref()?.fence.as_ref()?;
        let waits = self.fenced() && self.remains.iter().any(|r| matches!(r, Remainder::Rejoin { .. }));
        Some(self.of_old(estate, fence.undo.as_ref().filter(|_| waits)?))
    }

    /// The command that fences the old primary, where one is configured.
    pub fn fence_command(&self, estate: &super::Estate) -> Option<String> {
        let fence = estate.groups.get(self.group.at())?.database.as_ref()?.fence.as_ref()?;
        Some(self.of_old(estate, &fence.exec))
    }

    /// A command about the old primary.
    fn of_old(&self, estate: &super::Estate, argv: &[String]) -> String {
        argv.join(" ")
            .replace("{region}", &estate.region(self.from).name)
            .replace("{member}", &self.before.leader)
    }

    pub fn fenced(&self) -> bool {
        self.effects().any(|e| e.may_have_happened() && matches!(e.effect, Effect::Fence { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(balancer: u16, outcome: Outcome) -> EffectRecord {
        let effect = Effect::Drain {
            group: GroupId(0),
            member: MemberId(0),
            balancer: super::super::BalancerId(balancer),
        };
        let id = super::super::EffectId {
            operation: OperationId(1),
            step: 0,
            part: balancer,
            attempt: 0,
            generation: Generation::default(),
        };
        EffectRecord {
            id,
            effect,
            intended: Mono(0),
            outcome: Some(outcome),
            reported: Some(Mono(1)),
            orphaned: false,
        }
    }

    /// What failed before somebody had it tried anew does not fail it again; what was done stays done.
    #[test]
    fn tried_anew_means_sent_anew() {
        let done = || drained(0, Outcome::Done { detail: String::new() });
        let refused = || drained(1, Outcome::NotDone { reason: String::new() });
        let mut record = StepRecord { effects: vec![done(), refused()], ..StepRecord::default() };
        assert_eq!(record.sent().count(), 2);
        record.tried = 2;
        assert_eq!(record.sent().map(|e| e.id.part).collect::<Vec<_>>(), [0]);
        record.effects.push(refused());
        assert_eq!(record.sent().map(|e| e.id.part).collect::<Vec<_>>(), [1, 0], "the newest first");
    }

    /// A fence that did not answer 0 may have struck all the same: its undoing is offered.
    #[test]
    fn a_fence_that_failed_may_have_struck() {
        let failed = |effect| EffectRecord {
            effect,
            ..drained(0, Outcome::NotDone { reason: "its time was up".to_string() })
        };
        assert!(failed(Effect::Fence { group: GroupId(0), member: MemberId(0) }).may_have_happened());
        assert!(!failed(drained(0, Outcome::Done { detail: String::new() }).effect).may_have_happened());
    }
}

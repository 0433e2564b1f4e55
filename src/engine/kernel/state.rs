//! What is so, as the events say.

use crate::model::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub estate: Arc<Estate>,
    pub mode: Mode,
    pub armed: bool,
    pub epoch: u32,
    /// The process of this epoch, as it signs its claims.
    pub owner: Owner,
    /// When this epoch began: what is asked to settle counts from here.
    pub since: Mono,
    pub since_utc: Utc,
    pub regions: Vec<(RegionStatus, RegionReason)>,
    pub primaries: Vec<(Option<MemberId>, Option<Timeline>)>,
    /// What the cluster calls each member, as it was last told.
    pub names: BTreeMap<(GroupId, MemberId), Name>,
    pub disasters: VecDeque<Disaster>,
    pub proposals: Vec<OpenProposal>,
    pub operations: VecDeque<Arc<Operation>>,
    /// What an operation that begins in this moment takes over from the one that it supersedes.
    pub inherits: BTreeMap<OperationId, Vec<Obligation>>,
    pub generation: Generation,
    /// The last proof that a member's fence works.
    pub fence_proofs: BTreeMap<(GroupId, MemberId), (Utc, Span)>,
    /// When automation last acted on a group.
    pub automation_at: BTreeMap<GroupId, Utc>,
    /// Of which disaster and group a person has said that automation is not to act: who, and when.
    pub declined: BTreeMap<(DisasterId, GroupId), Declined>,
    /// Which cluster each group's is, as it was seen.
    pub identities: BTreeMap<GroupId, Identity>,
    /// Groups whose cluster is another one now, as it was read then.
    pub changed: BTreeMap<GroupId, (Identity, IdentityChange)>,
    /// Why automation does not act on a group in a disaster: each reason that was told, the newest last.
    pub held: BTreeMap<(DisasterId, GroupId), Vec<Veto>>,
    /// Detection's choices that a person dismissed: the same disaster does not propose them again.
    pub dismissed: BTreeSet<(DisasterId, GroupId)>,
    /// Detection's choices whose place a person's choice has taken. Their countdown goes on.
    pub displaced: BTreeMap<GroupId, Proposal>,
    /// Databases that have moved, and that no write of ours has proven since.
    pub elected: BTreeMap<GroupId, Elected>,
    /// What has turned and not turned back, since when.
    pub turned: BTreeMap<(GroupId, Turn), Utc>,
    /// The last jump of the wall clock: when, and by how many milliseconds.
    pub clock_jumped: Option<(Utc, i64)>,
    /// The choices that left the table last, and why; the newest last.
    pub closed: VecDeque<(ProposalId, ProposalEnd)>,
    pub drilled: Vec<Digest>,
    pub next: Counters,
    pub records: u64,
}

/// The turns that tell of a primary that does not answer us.
pub(in crate::engine) const SILENCES: &[Turn] = &[Turn::PrimarySilent, Turn::AgentSilent, Turn::OnlyOursFail];

/// The turns that tell of a cluster without a synchronous standby.
pub(in crate::engine) const BARE: &[Turn] = &[Turn::WritesAlone, Turn::WritesWait];

/// Choices that are remembered after they left the table: a screen that still shows one says why it is gone.
pub(in crate::engine) const CLOSED: usize = 16;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub disaster: u32,
    pub proposal: u32,
    pub operation: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenProposal {
    pub proposal: Proposal,
    pub since: Now,
    /// Counts the changes of the proposal itself: part of a confirmation's nonce.
    pub revision: u32,
    /// What was told of it last.
    pub foretold: Option<Foretold>,
}

impl State {
    pub fn new(estate: Arc<Estate>) -> State {
        State {
            mode: Mode::Simulation,
            armed: false,
            epoch: 0,
            owner: Owner::default(),
            since: Mono::default(),
            since_utc: Utc::default(),
            regions: vec![(RegionStatus::Unknown, RegionReason::default()); estate.regions.len()],
            primaries: vec![(None, None); estate.groups.len()],
            names: BTreeMap::new(),
            disasters: VecDeque::new(),
            proposals: Vec::new(),
            operations: VecDeque::new(),
            inherits: BTreeMap::new(),
            generation: Generation::default(),
            fence_proofs: BTreeMap::new(),
            automation_at: BTreeMap::new(),
            declined: BTreeMap::new(),
            identities: BTreeMap::new(),
            changed: BTreeMap::new(),
            held: BTreeMap::new(),
            dismissed: BTreeSet::new(),
            displaced: BTreeMap::new(),
            elected: BTreeMap::new(),
            turned: BTreeMap::new(),
            clock_jumped: None,
            closed: VecDeque::new(),
            drilled: Vec::new(),
            next: Counters::default(),
            records: 0,
            estate,
        }
    }

    pub fn operation(&self, id: OperationId) -> Option<&Arc<Operation>> {
        self.operations.iter().rev().find(|o| o.id == id)
    }

    pub fn running(&self, group: GroupId) -> Option<&Arc<Operation>> {
        self.operations.iter().rev().find(|o| o.group == group && !o.is_over())
    }

    pub fn open_disasters(&self) -> impl Iterator<Item = &Disaster> {
        self.disasters.iter().filter(|d| d.ended.is_none())
    }

    /// The region that a database is led from.
    pub fn primary_region(&self, group: GroupId) -> Option<RegionId> {
        self.estate.groups.get(group.at())?.database.as_ref()?.region_of(self.primaries.get(group.at())?.0?)
    }

    /// What is still to be undone for a group, by whichever operation.
    pub fn obligations(&self, group: GroupId) -> impl Iterator<Item = (OperationId, Obligation)> {
        self.operations
            .iter()
            .filter(move |o| o.group == group)
            .flat_map(|o| o.obligations().into_iter().map(|one| (o.id, one)))
    }

    /// The last operation of a database handed its lock over to that member.
    pub fn gave_to(&self, group: GroupId, to: MemberId) -> bool {
        self.operations.iter().rev().find(|o| o.group == group).is_some_and(|o| o.handed_over() && o.to == to)
    }

    /// The disaster that a failover from there answers, whether or not its choice came from it.
    pub fn disaster_of(&self, intent: Intent, group: GroupId, from: RegionId) -> Option<DisasterId> {
        self.open_disasters()
            .find(|d| intent == Intent::Failover && self.is_reached(d, group, from))
            .map(|d| d.id)
    }

    pub(in crate::engine) fn is_reached(&self, disaster: &Disaster, group: GroupId, from: RegionId) -> bool {
        // Of a node it is the database itself that failed, not what needs another.
        let hit = |s: &ServiceId| disaster.services.contains(s);
        let group = self.estate.group(group);
        let reached = match disaster.kind {
            DisasterType::NodeFailure => group.database.as_ref().is_some_and(|d| hit(&d.service)),
            _ => group.services.iter().any(hit),
        };
        disaster.regions.contains(&from) && reached
    }
}

//! All that a screen may show, at one moment. Values carry the moment they were measured; the drawing derives ages.

use super::{
    AloneView, Assessment, Automation, Bytes, Condition, Declined, Disaster, Elected, Estate, Gap, GroupId,
    Lsn, Mono, Now, Operation, Percent, Proposal, RegionId, Silence, Source, Span, Subject, Timeline, Utc,
    Veto,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// What is real about what is on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    Live,
    Drill,
    Simulation,
    Replay,
    /// One database of one of the others as it stands, in a simulation.
    Fork,
}

impl Mode {
    pub const fn word(self) -> &'static str {
        match self {
            Mode::Live => "LIVE",
            Mode::Drill => "DRILL",
            Mode::Simulation => "SIMULATION",
            Mode::Replay => "REPLAY",
            Mode::Fork => "FORK",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RegionStatus {
    /// Nothing was measured yet, or nothing recent.
    #[default]
    Unknown,
    Ok,
    /// Part of what it runs is failing, or a standby lags beyond its objective.
    Degraded,
    Down,
}

impl RegionStatus {
    pub const fn word(self) -> &'static str {
        match self {
            RegionStatus::Unknown => "UNKNOWN",
            RegionStatus::Ok => "OK",
            RegionStatus::Degraded => "DEGRADED",
            RegionStatus::Down => "DOWN",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    pub mode: Mode,
    pub now: Now,
    pub estate: Arc<Estate>,
    pub armed: bool,
    pub regions: Vec<RegionView>,
    pub groups: Vec<GroupView>,
    /// In the estate's order.
    pub services: Vec<ServiceView>,
    /// Open disasters, the worst first.
    pub disasters: Vec<Disaster>,
    pub proposals: Vec<ProposalView>,
    /// The choices that left the table last, and why.
    #[serde(default)]
    pub closed: VecDeque<(super::ProposalId, super::ProposalEnd)>,
    /// What the futures of these say, as far as that is known by now.
    #[serde(default)]
    pub forecasts: Vec<super::ForecastView>,
    /// How ready the regions are, as far as that is known by now.
    #[serde(default)]
    pub readiness: Option<super::ReadinessView>,
    /// The newest last; bounded.
    pub operations: VecDeque<Arc<Operation>>,
    /// What running steps wait for.
    pub waits: Vec<WaitView>,
    /// The newest last; bounded.
    pub log: Arc<VecDeque<LogLine>>,
    /// How many lines there have been in all: who reads along knows which are new.
    pub log_total: u64,
    /// What could not be done now if it had to be, with the remedy.
    pub gaps: Vec<Gap>,
    /// What is wrong, or worth knowing, now: the worst first.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Sources that do not answer, with since when.
    pub stale: Vec<StaleSource>,
    pub records: u64,
    /// The live controller that published this; `None`: a simulation or a replay.
    #[serde(default)]
    pub controller: Option<super::ControllerId>,
    /// The newest record that is kept on disk, and its hash in the chain.
    #[serde(default)]
    pub head: Option<(u64, String)>,
    /// In a replay: records that there are in all; else 0.
    pub stored: u64,
    /// The journal cannot be written: nothing acts any more.
    pub failed: Option<String>,
    pub world: Option<WorldView>,
}

impl Snapshot {
    pub fn group(&self, id: GroupId) -> Option<&GroupView> {
        // They are in the estate's order.
        self.groups
            .get(id.at())
            .filter(|v| v.group == id)
            .or_else(|| self.groups.iter().find(|v| v.group == id))
    }

    /// What people call a member of a group's database.
    pub fn label(&self, group: GroupId, member: super::MemberId) -> std::borrow::Cow<'_, str> {
        let known = self.group(group).and_then(|v| v.members.iter().find(|m| m.member == member));
        known.map_or_else(|| self.estate.member_label(group, member, None), |m| m.label.as_str().into())
    }

    /// The member of a group in a region that may take over; else the first standby there, else its primary.
    pub fn member_in(&self, group: GroupId, region: RegionId) -> Option<super::MemberId> {
        let members = self.group(group)?.members.iter();
        members.filter(|m| m.region == region).min_by_key(|m| (m.leads, m.unfit.is_some())).map(|m| m.member)
    }

    /// How ready a region is, and when that was asked; nothing where another leads by now than was asked about.
    pub fn ready(&self, region: RegionId) -> Option<(&super::RegionReadiness, Utc)> {
        let view = self.readiness.as_ref()?;
        let stands = |(led, now): (&Option<RegionId>, &GroupView)| led.is_none() || *led == now.primary;
        view.led
            .iter()
            .zip(&self.groups)
            .all(stands)
            .then(|| Some((view.regions.get(region.at())?, view.at)))?
    }

    /// Operations that are not over, the newest first.
    pub fn open(&self) -> impl Iterator<Item = &Arc<Operation>> {
        self.operations.iter().rev().filter(|o| !o.is_over())
    }

    /// Something runs for this database.
    pub fn runs(&self, group: GroupId) -> bool {
        self.open().any(|o| o.group == group)
    }

    /// Something runs for this database that no other operation may supersede now.
    pub fn acts_on(&self, group: GroupId) -> bool {
        self.open().any(|o| o.group == group && !o.may_be_superseded())
    }

    /// A choice about this database is on the table.
    pub fn is_on_table(&self, group: GroupId) -> bool {
        self.proposals.iter().any(|p| p.proposal.group == group)
    }

    /// Databases whose every balancer is silent: their users may find no way in.
    pub fn entries_silent(&self) -> Vec<GroupId> {
        let silent = |address: &str| {
            self.stale.iter().any(|s| matches!(&s.source, Source::Balancer { address: a } if a == address))
        };
        let all = |g: &GroupId| {
            let database = self.estate.group(*g).database.as_ref();
            database
                .is_some_and(|d| !d.balancers.is_empty() && d.balancers.iter().all(|b| silent(&b.address)))
        };
        self.estate.group_ids().filter(all).collect()
    }

    /// Databases that a standby region leads while the region that is planned to, named beside it, is well.
    pub fn led_elsewhere(&self) -> Vec<(&GroupView, RegionId)> {
        let active = |r: RegionId| self.estate.region(r).role == super::Role::Active;
        let well = |r: RegionId| self.regions[r.at()].status == super::RegionStatus::Ok;
        let planned = |v: &GroupView| v.members.iter().map(|m| m.region).find(|r| active(*r) && well(*r));
        let away = |v: &&GroupView| v.primary.is_some_and(|p| !active(p));
        self.groups.iter().filter(away).filter_map(|v| Some((v, planned(v)?))).collect()
    }

    /// Databases whose primary does not answer, for which nothing runs, and about which no choice is on the table: somebody
    /// took it away, or it is not there yet. In a replay nobody is asked.
    pub fn undecided(&self) -> BTreeSet<GroupId> {
        if self.mode == Mode::Replay {
            return BTreeSet::new();
        }
        let mut cared_for = vec![false; self.estate.groups.len()];
        for group in self.open().map(|o| o.group).chain(self.proposals.iter().map(|p| p.proposal.group)) {
            if let Some(one) = cared_for.get_mut(group.at()) {
                *one = true;
            }
        }
        self.groups
            .iter()
            .filter(|v| cared_for.get(v.group.at()) == Some(&false) && v.is_silent())
            .map(|v| v.group)
            .collect()
    }

    /// A disaster of its data is open.
    pub fn is_corrupt(&self, group: GroupId) -> bool {
        self.disasters.iter().any(|d| d.corrupts(&self.estate, group))
    }

    /// Its etcd does not answer us.
    pub fn is_blind(&self, group: GroupId) -> bool {
        self.group(group).is_some_and(|v| v.blind)
    }

    /// We fenced it, and it has not come back.
    pub fn is_fenced(&self, group: GroupId, member: super::MemberId) -> bool {
        let last = self.operations.iter().rev().find(|o| o.group == group && o.counts());
        last.is_some_and(|o| o.fenced() && o.remains.contains(&super::Remainder::Rejoin { member }))
    }

    /// This one is among them.
    pub fn is_undecided(&self, group: GroupId) -> bool {
        self.mode != Mode::Replay
            && self.group(group).is_some_and(GroupView::is_silent)
            && !self.is_on_table(group)
            && !self.runs(group)
    }
}

impl GroupView {
    /// A synchronous standby that answers holds what is acknowledged; of an asynchronous cluster none does.
    pub fn is_protected(&self) -> bool {
        self.members.iter().any(|m| !m.leads && m.synchronous && m.answers != Some(false))
    }

    /// Its primary does not answer us, and somebody else says that it lives.
    pub fn is_doubted(&self) -> bool {
        matches!(self.silence, Some(Silence::Doubted { .. }))
    }

    /// Its primary does not answer us.
    pub fn is_silent(&self) -> bool {
        self.members.iter().any(|m| m.leads && m.answers == Some(false))
    }

    /// Its primary is silent, or not heard of lately, and nobody recorded that this member has every write: it is behind by
    /// what is known, or more.
    pub fn may_lack(&self, m: &MemberView, now: Mono) -> bool {
        // What was read of a standby after its leader was not read any more may hide what the leader wrote since.
        let late = |leader: &MemberView| {
            leader.measured.is_none_or(|at| {
                now.since(at) > Span::ms(1_500) || m.measured.is_some_and(|own| own.since(at) > Span::ms(900))
            })
        };
        m.unfit.is_some() && (self.is_silent() || self.members.iter().any(|m| m.leads && late(m)))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionView {
    pub status: RegionStatus,
    pub reason: super::RegionReason,
    pub load: Option<(Percent, Mono)>,
    /// Services that answer there, of those that were asked.
    pub services_up: u16,
    pub services: u16,
    /// The last check of anything in it that was answered.
    pub last_answer: Option<Mono>,
    pub last_check: Option<Mono>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupView {
    pub group: GroupId,
    /// The region that it is led from.
    pub primary: Option<RegionId>,
    /// The member that leads it.
    #[serde(default)]
    pub leader: Option<super::MemberId>,
    /// Somebody leads it whom the estate does not name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub led_by: Option<super::UnconfiguredLeader>,
    pub timeline: Option<Timeline>,
    /// The lease of the leader's lock.
    pub lease_left: Option<(Span, Mono)>,
    pub synchronous: Option<bool>,
    pub paused: bool,
    /// What the running systems would stop a failover with, or what of it is not known; without what is well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub survey: Vec<super::Surveyed>,
    pub members: Vec<MemberView>,
    pub observers_for: u16,
    pub observers_against: u16,
    pub observers: u16,
    /// Of those that say nothing, the ones that are silent themselves.
    #[serde(default)]
    pub observers_absent: u16,
    pub operation: Option<super::OperationId>,
    /// Its primary answers and leads no more, and nobody else is seen to: nobody takes writes. When it was last heard to lead.
    #[serde(default)]
    pub stepped_down: Option<Mono>,
    /// Its primary's agent does not answer us: what is known beside that.
    #[serde(default)]
    pub silence: Option<Silence>,
    /// A former primary that may take writes beside the present one: its agent does not answer us, its database does.
    #[serde(default)]
    pub beside: Option<super::MemberId>,
    /// It is a synchronous cluster without a synchronous standby, as the record has it.
    #[serde(default)]
    pub alone: Option<AloneView>,
    /// Its etcd does not answer us.
    #[serde(default)]
    pub blind: bool,
    /// The cluster moved it by itself, and nobody has proven since that it takes writes: neither a write of
    /// ours, nor a person who noted something of it.
    #[serde(default)]
    pub unproven: bool,
    /// What the cluster did by itself, until a write of ours proves the database.
    #[serde(default)]
    pub elected: Option<Elected>,
    /// A person has said of what is on that automation is not to act here.
    #[serde(default)]
    pub declined: Option<Declined>,
    /// The leader answers as one, and is in maintenance on each of these, which are all the balancers that answer: its users
    /// find no way to it, and nothing under way changes that.
    #[serde(default)]
    pub drained: Vec<super::BalancerId>,
    /// Automation is configured for what is on, and does not act: why, as it is now, else as it was told last.
    #[serde(default)]
    pub held: Option<super::Veto>,
    /// Automation stays away from it until then.
    pub blocked_until: Option<Utc>,
    pub automation: Automation,
    /// Why automation would not act now.
    pub veto: Option<Veto>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    pub member: super::MemberId,
    /// What people call it: its region's name where that is enough.
    pub label: String,
    pub region: RegionId,
    pub leads: bool,
    pub synchronous: bool,
    pub answers: Option<bool>,
    pub timeline: Option<Timeline>,
    pub position: Option<Lsn>,
    pub lag_bytes: Option<Bytes>,
    pub lag: Option<Span>,
    /// Of a primary that is silent: how far this standby was behind when it was last told.
    #[serde(default)]
    pub was_behind: Option<Bytes>,
    pub measured: Option<Mono>,
    /// Why it may not take over; empty if it may.
    pub unfit: Option<super::Finding>,
    /// It may all the same, where that is typed as a risk.
    #[serde(default)]
    pub at_a_risk: bool,
    /// How long our last answered probe of it took.
    pub round_trip: Option<Span>,
    /// Lag over time, oldest first, about a point a second.
    pub history: Arc<VecDeque<LagPoint>>,
}

/// How far a standby was behind at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LagPoint {
    pub at: Mono,
    pub bytes: Bytes,
    /// Behind in time; `None` where no position of the leader was known.
    pub time: Option<Span>,
}

/// How a service stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    pub health: ServiceHealth,
    /// Where it was ever asked, and what came of it; regions first, then its one address.
    pub places: Vec<PlaceView>,
    /// The disaster that reaches it, until its users are served again.
    pub hit_by: Option<super::DisasterId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceView {
    /// `None`: through its one address.
    pub region: Option<RegionId>,
    /// `None`: it was not asked, or not lately.
    pub well: Option<bool>,
    pub asked: Option<Mono>,
    /// What it answered lately, if that was no success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<super::ProbeResult>,
}

/// The worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ServiceHealth {
    /// Its users are not served.
    Down,
    /// Something it needs is failing, or one of its places is.
    Impaired,
    /// Nobody asked it lately.
    Unknown,
    Ok,
}

impl ServiceHealth {
    pub const fn word(self) -> &'static str {
        match self {
            ServiceHealth::Down => "DOWN",
            ServiceHealth::Impaired => "IMPAIRED",
            ServiceHealth::Unknown => "UNKNOWN",
            ServiceHealth::Ok => "OK",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProposalView {
    pub proposal: Proposal,
    pub assessment: Assessment,
    pub automatic_in: Option<Span>,
    /// Detection's choice, whose place it took, counts on when it is taken away.
    #[serde(default)]
    pub holds_automatic: bool,
}

impl ProposalView {
    /// A countdown of ours runs: to this choice, or behind it.
    pub fn counts(&self) -> bool {
        self.proposal.automatic_at.is_some() || self.holds_automatic
    }

    /// What confirms it as it was seen then, where nothing but the name of the region asks to be typed.
    pub fn confirmed(&self, seen: Utc, typed: &str) -> super::Confirmation {
        let a = &self.assessment;
        super::Confirmation {
            proposal: self.proposal.id,
            nonce: a.nonce,
            seen,
            plan: a.plan,
            evidence: a.evidence,
            typed: typed.to_string(),
            accepts: Vec::new(),
            accept_risk: None,
            manual_override: false,
            second_person: None,
            supersedes: a.supersedes,
        }
    }
}

/// What a running step waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitView {
    pub operation: super::OperationId,
    pub step: u16,
    pub wait: super::WaitReason,
}

/// One line of the incident's story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    pub at: Utc,
    pub weight: Weight,
    pub subject: Subject,
    pub text: String,
    /// The protection group that it is about; empty if it is about none, or about more than one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
}

impl LogLine {
    /// Whose it is, in a word: of an operation its database, for that is what one looks for.
    pub fn whose(&self) -> String {
        match self.subject {
            Subject::Operation(_) if !self.about.is_empty() => self.about.clone(),
            _ => self.subject.to_string(),
        }
    }

    /// The database, where the subject does not say it already.
    fn beside(&self) -> &str {
        if matches!(self.subject, Subject::Group(_)) { "" } else { &self.about }
    }

    /// All that a filter looks at.
    pub fn searchable(&self) -> String {
        format!("{} {} {} {}", self.at, self.subject, self.text, self.about)
    }
}

/// A line of a file.
impl std::fmt::Display for LogLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let subject = format!("{} {}", self.subject, self.beside());
        write!(f, "{} {:<26} {}", self.at, subject.trim_end(), self.text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Weight {
    Routine,
    Notice,
    Warning,
    Alarm,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleSource {
    pub source: Source,
    pub since: Mono,
    pub reason: String,
}

/// How the simulated world runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorldView {
    pub speed: u32,
    pub paused: bool,
    pub faults: Vec<String>,
    /// Acknowledged writes that did not survive, as bytes: what only a simulation can know.
    #[serde(default)]
    pub lost: Bytes,
    /// The scenario that is played, if one is.
    pub scenario: Option<ScenarioView>,
}

/// A scenario as it is played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioView {
    pub name: String,
    /// What the narration says now.
    pub told: Option<String>,
    /// Which of the narration's turns that is, and how many there are.
    pub turn: (u16, u16),
    /// Until the next of them, or the end, in the scenario's time.
    pub next: Span,
    /// It has been played to its end.
    pub over: bool,
    /// What was expected and did not come about, once it has been played to its end by itself.
    pub unmet: Option<Vec<String>>,
}

//! What is wrong, or worth knowing, now: one list, the worst first, which every surface shows.

use super::{
    Bytes, DisasterId, DisasterType, Finding, GroupId, MemberId, Mono, OperationId, Percent, Port, RegionId,
    ServiceId, Severity, SignOfLife, Span, UnconfiguredLeader, Utc, Veto, WaivedRule, WaiverFault,
};
use serde::{Deserialize, Serialize};

/// Something that is wrong or noteworthy now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    pub kind: ConditionKind,
    pub severity: Severity,
    pub about: About,
    /// Since when it stands, where that is known.
    pub since: Option<Utc>,
    /// When the evidence for it was measured; `None` where it rests on the journal or the configuration.
    pub at: Option<Mono>,
}

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum About {
    Estate,
    Region(RegionId),
    Group(GroupId),
    Service(ServiceId),
}

/// The kinds of conditions, the worst first among those of one severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConditionKind {
    /// The journal cannot be written: nothing acts any more.
    JournalFailed {
        reason: String,
    },
    /// The database of a former primary answers and its agent does not: it may take writes beside the present one.
    TwoMayWrite {
        old: MemberId,
        new: MemberId,
    },
    /// A disaster is open. Its severity is that of the condition.
    Disaster {
        id: DisasterId,
        kind: DisasterType,
        regions: Vec<RegionId>,
    },
    /// Nothing of the primary answers, nobody says that it lives, and nothing is declared for it.
    PrimarySilent,
    /// The primary answers and leads no more, and nobody else is seen to: nobody takes writes.
    NoPrimary,
    /// Somebody leads the database whom the estate does not name.
    LedByUnconfigured {
        leader: UnconfiguredLeader,
    },
    /// Nothing can be done for the database as its store describes it: it is not there, or is of a sort that is not supported, or
    /// cannot be read.
    NotUsable {
        finding: Finding,
    },
    /// The primary is in maintenance on every balancer that answers: nobody's writes reach it.
    Drained {
        leader: MemberId,
    },
    /// Every balancer of the database is silent: users may find no way in.
    NoEntryAnswers,
    /// The primary's agent is silent and its database answers: the lease runs out beside it.
    AgentSilent,
    /// No standby is synchronous, and nothing is acknowledged until one is.
    WritesWait,
    /// What an operation did stands, although it failed or was given up.
    NotUndone {
        operation: OperationId,
    },
    /// An operation cannot go on without a person.
    OperationWaits {
        operation: OperationId,
    },
    /// A disaster is open, and this controller gives no orders.
    ReadOnly,
    /// Automation is configured for what is going on and does not act.
    AutomationBlocked {
        veto: Veto,
    },
    /// The consensus store does not answer: nothing can be handed over.
    StoreSilent {
        reason: String,
    },
    /// Something in a region is gone that no disaster explains yet.
    RegionDown,
    ServiceDown,
    /// The primary does not answer us, and somebody else says that it lives.
    OnlyOurProbesFail {
        by: SignOfLife,
    },
    /// No standby is synchronous: what is acknowledged is on the primary alone.
    WritesAlone,
    /// A person accepted that no standby streams.
    Unprotected {
        operation: OperationId,
    },
    /// A balancer does not answer.
    BalancerSilent {
        address: String,
        reason: String,
    },
    /// Something answers at a member's address, and not as it should.
    MemberUnwell {
        member: MemberId,
        port: Port,
        reason: String,
    },
    /// A balancer cannot lead users to the database: its backend lacks the servers.
    NotRouted {
        finding: Finding,
    },
    RegionDegraded {
        reason: super::RegionReason,
    },
    /// Nothing in a region was measured lately.
    RegionUnknown,
    /// Something in a region does not answer, not yet for long enough to call it degraded.
    ChecksFail {
        up: u16,
        of: u16,
    },
    Overloaded {
        load: Percent,
    },
    LagOverRpo {
        member: MemberId,
        lag: Span,
        rpo: Span,
        bytes: Option<Bytes>,
    },
    /// A standby is behind by more than half of the RPO.
    FallsBehind {
        member: MemberId,
        lag: Span,
        rpo: Span,
    },
    ServiceImpaired,
    /// A service's health check cannot be made: nothing is known of the service.
    CheckImpossible {
        reason: String,
    },
    Paused,
    /// No standby may take over without a risk.
    NobodyCanTakeOver,
    /// The cluster elected the primary by itself, and no write of ours has proven it since.
    Unproven,
    /// The primary is in maintenance on one balancer.
    PrimaryInMaintenance {
        leader: MemberId,
        balancer: String,
    },
    FenceCheckFails {
        member: MemberId,
        reason: String,
    },
    /// The old primary is fenced, and is to come back.
    Fenced {
        member: MemberId,
        operation: OperationId,
    },
    /// A member was taken out of the balancers and is not back yet.
    NotRestored {
        member: MemberId,
        operation: OperationId,
    },
    /// Another region leads than the one that is planned to.
    LedElsewhere {
        at: RegionId,
        planned: RegionId,
    },
    /// A member's database refuses our login.
    LoginRefused {
        member: MemberId,
        reason: String,
    },
    /// What a standby receives cannot be read: our role lacks `pg_monitor`.
    ReceiverUnreadable {
        member: MemberId,
    },
    NoStore,
    NoFence,
    NoEntry,
    ClockJumped {
        by_ms: i64,
    },
    /// The running systems were asked for everything that a failover needs: so many things would stop it.
    NotReady {
        stops: u16,
        first: super::SurveyCheck,
    },
    /// Automation has acted, and begins nothing on the database until then.
    Cooldown {
        until: Utc,
    },
    /// The file has this database no more, or otherwise, and so many changes of ours to it are still to be undone.
    Departed {
        left: u16,
    },
    /// The cluster that answers is not the one that was seen before.
    IdentityChanged {
        change: super::IdentityChange,
    },
    /// Automation is configured and off: a rule of it is waived without a reason, or the waiver has expired.
    AutomationOff {
        rule: WaivedRule,
        fault: WaiverFault,
    },
    /// Nothing was measured yet.
    NothingMeasured,
}

impl ConditionKind {
    /// Its place among conditions of one severity, and its published name.
    const fn place(&self) -> (u8, &'static str) {
        match self {
            ConditionKind::JournalFailed { .. } => (0, "journal_failed"),
            ConditionKind::TwoMayWrite { .. } => (1, "two_may_write"),
            ConditionKind::Disaster { .. } => (2, "disaster"),
            ConditionKind::PrimarySilent => (3, "primary_silent"),
            ConditionKind::NoPrimary => (4, "no_primary"),
            ConditionKind::LedByUnconfigured { .. } => (4, "led_by_unconfigured"),
            ConditionKind::NotUsable { .. } => (4, "not_usable"),
            ConditionKind::Drained { .. } => (5, "drained"),
            ConditionKind::NoEntryAnswers => (6, "no_entry_answers"),
            ConditionKind::AgentSilent => (7, "agent_silent"),
            ConditionKind::WritesWait => (8, "writes_wait"),
            ConditionKind::IdentityChanged { .. } => (9, "identity_changed"),
            ConditionKind::NotUndone { .. } => (9, "not_undone"),
            ConditionKind::OperationWaits { .. } => (10, "operation_waits"),
            ConditionKind::ReadOnly => (11, "read_only"),
            ConditionKind::AutomationBlocked { .. } => (12, "automation_blocked"),
            ConditionKind::StoreSilent { .. } => (13, "store_silent"),
            ConditionKind::RegionDown => (14, "region_down"),
            ConditionKind::ServiceDown => (15, "service_down"),
            ConditionKind::OnlyOurProbesFail { .. } => (16, "only_our_probes_fail"),
            ConditionKind::WritesAlone => (17, "writes_alone"),
            ConditionKind::Unprotected { .. } => (18, "unprotected"),
            ConditionKind::BalancerSilent { .. } => (19, "balancer_silent"),
            ConditionKind::MemberUnwell { .. } => (20, "member_unwell"),
            ConditionKind::NotRouted { .. } => (20, "not_routed"),
            ConditionKind::RegionDegraded { .. } => (20, "region_degraded"),
            ConditionKind::RegionUnknown => (21, "region_unknown"),
            ConditionKind::ChecksFail { .. } => (22, "checks_fail"),
            ConditionKind::Overloaded { .. } => (23, "overloaded"),
            ConditionKind::LagOverRpo { .. } => (24, "lag_over_rpo"),
            ConditionKind::FallsBehind { .. } => (25, "falls_behind"),
            ConditionKind::ServiceImpaired => (26, "service_impaired"),
            ConditionKind::CheckImpossible { .. } => (26, "check_impossible"),
            ConditionKind::Paused => (27, "paused"),
            ConditionKind::NobodyCanTakeOver => (28, "nobody_can_take_over"),
            ConditionKind::Unproven => (29, "unproven"),
            ConditionKind::PrimaryInMaintenance { .. } => (30, "primary_in_maintenance"),
            ConditionKind::Departed { .. } => (31, "departed"),
            ConditionKind::FenceCheckFails { .. } => (31, "fence_check_fails"),
            ConditionKind::NotReady { .. } => (31, "not_ready"),
            ConditionKind::AutomationOff { .. } => (31, "automation_off"),
            ConditionKind::Fenced { .. } => (32, "fenced"),
            ConditionKind::NotRestored { .. } => (33, "not_restored"),
            ConditionKind::LedElsewhere { .. } => (34, "led_elsewhere"),
            ConditionKind::LoginRefused { .. } => (35, "login_refused"),
            ConditionKind::ReceiverUnreadable { .. } => (36, "receiver_unreadable"),
            ConditionKind::NoStore => (37, "no_store"),
            ConditionKind::NoFence => (38, "no_fence"),
            ConditionKind::NoEntry => (39, "no_entry"),
            ConditionKind::ClockJumped { .. } => (40, "clock_jumped"),
            ConditionKind::Cooldown { .. } => (41, "cooldown"),
            ConditionKind::NothingMeasured => (42, "nothing_measured"),
        }
    }

    /// Its name in JSON.
    pub const fn name(&self) -> &'static str {
        self.place().1
    }

    /// How bad it is. A disaster has a severity of its own, as the configuration says.
    pub const fn severity(&self) -> Severity {
        match self.place().0 {
            0..=1 => Severity::Critical,
            2..=15 => Severity::High,
            16..=31 => Severity::Medium,
            _ => Severity::Low,
        }
    }
}

impl Condition {
    /// A condition of the severity that its kind has.
    pub fn new(kind: ConditionKind, about: About) -> Condition {
        Condition { severity: kind.severity(), kind, about, since: None, at: None }
    }

    #[must_use]
    pub fn since(self, since: Option<Utc>) -> Condition {
        Condition { since, ..self }
    }

    #[must_use]
    pub fn measured(self, at: Option<Mono>) -> Condition {
        Condition { at, ..self }
    }

    /// Both are of one kind, whatever they are about.
    pub fn is_like(&self, other: &Condition) -> bool {
        match (&self.kind, &other.kind) {
            (ConditionKind::Disaster { kind: one, .. }, ConditionKind::Disaster { kind: other, .. }) => {
                one == other
            }
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }
}

/// The worst first: by severity, then by kind, by what they are about, and by how long they have stood.
pub fn rank(conditions: &mut [Condition]) {
    conditions.sort_by_key(|c| (std::cmp::Reverse(c.severity), c.kind.place().0, c.about, c.since));
}

//! What a choice would do and what stands in its way: what a person reads before they confirm.

use super::disaster::vocabulary;
use super::{Digest, Finding, Loss, MemberId, Mono, OperationId, Otherwise, RegionId, Risk};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The members that would be left, the primary first.
    #[serde(default)]
    pub left: Vec<MemberId>,
    pub to: Option<MemberId>,
    pub checks: Vec<Check>,
    pub loss: Loss,
    /// What a named person must accept, beside typing the region's name, before this can begin.
    #[serde(default)]
    pub risks: Vec<Risk>,
    /// The region whose name is in what must be typed to go on although the old primary answers, where that is all that stands in
    /// the way.
    #[serde(default)]
    pub overrule: Option<RegionId>,
    /// The plan asks for a second person's name.
    #[serde(default)]
    pub second_person: bool,
    /// The operation of the same group that is not over: a confirmation must name it, and it is superseded then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<OperationId>,
    /// What happens if nothing is done, and why the cluster has not acted by itself.
    pub otherwise: Otherwise,
    /// The primary leads on, as far as is known: what was foretold of leaving it while that was not known is no news.
    #[serde(default)]
    pub leads_on: bool,
    /// The first step that cannot be undone.
    pub no_return_after: Option<u16>,
    pub plan: Digest,
    pub evidence: Digest,
    pub nonce: u32,
}

impl Assessment {
    /// The first reason why it may not begin, in the order of the checks.
    pub fn blocked(&self) -> Option<&Check> {
        self.checks.iter().find(|c| matches!(c.verdict, Verdict::Block { .. }))
    }

    /// The first check of this kind.
    pub fn check(&self, id: CheckId) -> Option<&Check> {
        self.checks.iter().find(|c| c.id == id)
    }

    /// The target cannot carry what would come, as far as is known.
    pub fn is_short(&self) -> bool {
        self.checks.iter().any(Check::is_short)
    }

    /// Whether it may begin if all that it asks for is typed.
    pub fn can_be_confirmed(&self) -> bool {
        self.blocked().is_none() || self.overrule.is_some()
    }

    /// As it stands it would not get anywhere, and looking longer does not change that.
    pub fn is_refused(&self) -> bool {
        !self.can_be_confirmed() && !self.undecided()
    }

    /// Whether nothing but what a few seconds of looking may take away keeps it from beginning.
    pub fn undecided(&self) -> bool {
        let mut blocks = self.checks.iter().filter_map(|c| {
            if let Verdict::Block { decided, .. } = c.verdict { Some(decided) } else { None }
        });
        self.blocked().is_some() && blocks.all(|decided| !decided)
    }
}

vocabulary!(
    /// What a check looks at.
    CheckId, "check" {
        /// Whether the data itself is hurt, which no failover mends.
        Data = "data",
        /// Whether the old primary is gone.
        Observers = "observers",
        /// Whether the cluster that answers is the one that is meant.
        Identity = "identity",
        /// Whether the consensus store answers, and keeps its quorum.
        Store = "store",
        Paused = "paused",
        StandbyCluster = "standby cluster",
        /// Whether somebody has asked the cluster for a failover or switchover already.
        PendingRequest = "pending request",
        /// Whether another controller's operation runs on the cluster.
        OtherController = "other controller",
        Leader = "leader",
        Candidate = "candidate",
        Failsafe = "failsafe",
        Timeline = "timeline",
        /// Whether the candidate holds every acknowledged write.
        Writes = "writes",
        Fence = "fence",
        /// Whether a balancer answers that leads users to the candidate.
        Entry = "entry",
        /// Whether the candidate is in maintenance on a balancer.
        Route = "route",
        /// Whether the target can carry what moves there.
        Capacity = "room",
        /// Whether another operation of ours is not over on the same group.
        Operation = "operation",
        /// Whether the cluster that answers continues the one that was seen.
        SameCluster = "identity changed",
        SecondFactor = "second factor",
    }
);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub id: CheckId,
    pub verdict: Verdict,
    /// A record of before has words there.
    #[serde(alias = "text")]
    pub finding: Finding,
    /// The figure in it, where it has one that says more than that it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<Figure>,
    /// When the evidence was measured.
    pub at: Option<Mono>,
}

/// A measured value that a check rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Figure {
    /// How much of its own capacity a region uses, and would use, in percent.
    Load {
        before: u32,
        after: u32,
        /// If all that the other region carries came, and not one database's part.
        whole: bool,
    },
}

impl Check {
    /// The target cannot carry what would come, as far as is known.
    pub fn is_short(&self) -> bool {
        self.id == CheckId::Capacity && matches!(self.figure, Some(Figure::Load { after, .. }) if after > 100)
    }

    /// What it looked at, as a person reads it.
    pub fn name(&self) -> &'static str {
        if self.is_short() { "room is short" } else { self.id.name() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Pass,
    /// Worth knowing; stops nothing.
    Advice,
    /// It may begin if a named person accepts this.
    Risk(Risk),
    /// It may not begin.
    Block {
        law: u8,
        /// False if looking for a few seconds more may change it.
        decided: bool,
    },
}

impl Verdict {
    /// How much it speaks against beginning.
    pub const fn rank(self) -> u8 {
        match self {
            Verdict::Pass => 0,
            Verdict::Advice => 1,
            Verdict::Risk(_) => 2,
            Verdict::Block { .. } => 3,
        }
    }

    /// The same, whatever the figures of a risk.
    pub fn is_like(self, other: Verdict) -> bool {
        match (self, other) {
            (Verdict::Risk(one), Verdict::Risk(other)) => one.is_like(other),
            (one, other) => one == other,
        }
    }

    pub const fn is_risk(self) -> bool {
        matches!(self, Verdict::Risk(_))
    }

    pub const fn block(law: u8) -> Verdict {
        Verdict::Block { law, decided: true }
    }

    pub const fn not_yet(law: u8) -> Verdict {
        Verdict::Block { law, decided: false }
    }
}

//! What a choice would do and what stands in its way: what a person reads before they confirm.

use super::{Digest, Loss, MemberId, Mono};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// The members that would be left, the primary first.
    #[serde(default)]
    pub left: Vec<MemberId>,
    pub to: Option<MemberId>,
    pub checks: Vec<Check>,
    pub loss: Loss,
    /// What must be typed beside the region's name before this can begin.
    pub risk: Option<String>,
    /// What must be typed to go on although the old primary answers, where that is all that stands in the way.
    #[serde(default)]
    pub overrule: Option<String>,
    /// The plan asks for a second person's name.
    #[serde(default)]
    pub second_person: bool,
    /// What happens if nothing is done, and why the cluster has not acted by itself.
    pub otherwise: String,
    /// The primary leads on, as far as is known: what was foretold of leaving it while that was not known is no news.
    #[serde(default)]
    pub leads_on: bool,
    /// The first step that cannot be undone.
    pub no_return_after: Option<u16>,
    pub plan: Digest,
    pub evidence: Digest,
    pub nonce: u32,
}

/// The check of the target's room, where it is known to be too small.
pub const ROOM_SHORT: &str = "room is short";

impl Assessment {
    /// The first reason why it may not begin, in the order of the checks.
    pub fn blocked(&self) -> Option<&Check> {
        self.checks.iter().find(|c| matches!(c.verdict, Verdict::Block { .. }))
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
        let mut blocks = self.checks.iter().filter_map(|c| if let Verdict::Block { decided, .. } = c.verdict { Some(decided) } else { None });
        self.blocked().is_some() && blocks.all(|decided| !decided)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub verdict: Verdict,
    pub text: String,
    /// The figure in it, in a few words, where it has one that says more than that it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
    /// When the evidence was measured.
    pub at: Option<Mono>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Pass,
    /// Worth knowing; stops nothing.
    Advice,
    /// It may begin if the risk is typed.
    Risk,
    /// It may not begin.
    Block {
        law: u8,
        /// False if looking for a few seconds more may change it.
        decided: bool,
    },
}

impl Verdict {
    pub const fn block(law: u8) -> Verdict {
        Verdict::Block { law, decided: true }
    }

    pub const fn not_yet(law: u8) -> Verdict {
        Verdict::Block { law, decided: false }
    }
}

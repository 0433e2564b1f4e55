//! Safety rules of automation that the configuration waives, with a reason and for a time.

use super::disaster::vocabulary;
use super::{AutomationLimits, Estate, Mode, Utc};
use serde::{Deserialize, Serialize};

/// Why a rule of automation does not apply, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    pub reason: String,
    /// From this moment on the waiver has no effect.
    pub until: Utc,
}

vocabulary!(
    /// A rule of automation that can be waived.
    WaivedRule, "rule of automation" {
        /// The plan was drilled as it stands.
        Drilled = "drilled",
        /// The fence was proven lately.
        FenceProof = "fence_proof",
    }
);

/// Why a waiver has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaiverFault {
    /// The configuration gives no reason or no expiry date.
    Incomplete,
    Expired {
        at: Utc,
    },
}

impl AutomationLimits {
    /// The rules that are waived, each with its waiver if reason and expiry are given.
    pub fn waived(&self) -> impl Iterator<Item = (WaivedRule, Option<&Waiver>)> {
        let drilled = (!self.drilled).then_some((WaivedRule::Drilled, self.drilled_waiver.as_ref()));
        let proof =
            self.fence_proof.is_none().then_some((WaivedRule::FenceProof, self.fence_proof_waiver.as_ref()));
        drilled.into_iter().chain(proof)
    }

    /// The first waiver that has no effect at this moment.
    pub fn invalid_waiver(&self, now: Utc) -> Option<(WaivedRule, WaiverFault)> {
        self.waived().find_map(|(rule, waiver)| match waiver {
            None => Some((rule, WaiverFault::Incomplete)),
            Some(waiver) if now >= waiver.until => Some((rule, WaiverFault::Expired { at: waiver.until })),
            Some(_) => None,
        })
    }
}

impl Estate {
    /// The waiver that keeps automation off at this moment. What an older program recorded is judged as then. A simulation and a test estate need no reason and no expiry:
    /// they are there to be rehearsed on.
    pub fn automation_off(&self, mode: Mode, now: Utc) -> Option<(WaivedRule, WaiverFault)> {
        if mode != Mode::Live || self.test_estate || !self.policy.limits.waivers_expire {
            return None;
        }
        self.policy.limits.invalid_waiver(now)
    }
}

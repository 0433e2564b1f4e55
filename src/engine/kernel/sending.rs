//! What leaves the engine to be done in the world.

use super::proof::Promotion;
use crate::model::*;

/// Something to be carried out, once its intent is durable. What was read back from a journal is none: it is only found out about.
pub enum Sending {
    Act(Act),
    Promotion(Promotion),
}

/// What promotes nobody, and needs no proof.
pub struct Act(Issued);

impl Act {
    /// `None` for a hand-over.
    pub fn of(issued: Issued) -> Option<Act> {
        (!matches!(issued.effect, Effect::HandOver(_))).then_some(Act(issued))
    }

    pub fn issued(self) -> Issued {
        self.0
    }
}

impl Sending {
    pub fn id(&self) -> EffectId {
        match self {
            Sending::Act(act) => act.0.id,
            Sending::Promotion(promotion) => promotion.id(),
        }
    }

    /// What is to be done, right before it is done.
    ///
    /// # Errors
    /// It promotes, and its proof does not hold for it at this moment: nothing may be sent.
    pub fn spend(self, now: Mono) -> Result<Issued, (EffectId, Unproven)> {
        match self {
            Sending::Act(act) => Ok(act.issued()),
            Sending::Promotion(promotion) => {
                promotion.spend(now).map(|(id, act)| Issued { id, effect: Effect::HandOver(act) })
            }
        }
    }
}

/// What is reported of a promotion whose proof did not hold: it was not sent, and may be decided anew.
pub fn unspent(id: EffectId, at: Mono, why: Unproven) -> Report {
    Report { id, at, took: Span::ZERO, outcome: Outcome::Missed { reason: why.to_string() } }
}

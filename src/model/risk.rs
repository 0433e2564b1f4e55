//! What may go wrong although an operation does all that it should: a named person accepts it, or nothing begins.

use super::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A risk that a named person must accept, in writing, before an operation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Risk {
    /// Acknowledged writes do not survive.
    Loses(Amount),
    /// The old primary may take writes beside the new one.
    TwoMayWrite,
    /// The target is asked for more than it can carry.
    Overload {
        /// Of the target's own capacity.
        percent: u32,
    },
}

/// How much acknowledged data is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amount {
    Unknown,
    /// More may be missing than is known.
    AtLeast(Bytes),
}

impl Risk {
    /// Both are of the same kind, whatever their figures.
    pub fn is_like(self, other: Risk) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }

    /// What a confirmation is bound to: the figure of an overload moves with every poll of the load.
    pub(crate) const fn without_load(self) -> Risk {
        match self {
            Risk::Overload { .. } => Risk::Overload { percent: 0 },
            other => other,
        }
    }
}

/// How far an overload may grow between what was shown and what begins, in points of percent (a choice of ours).
const OVERLOAD_GROWS: u32 = 10;

/// True if a person who accepted these risks has accepted this one.
pub fn is_accepted(risk: Risk, accepted: &[Risk]) -> bool {
    accepted.iter().any(|a| match (*a, risk) {
        (Risk::Overload { percent: shown }, Risk::Overload { percent }) => {
            percent <= shown.saturating_add(OVERLOAD_GROWS)
        }
        (shown, now) => shown == now,
    })
}

/// The words that a person types to accept these risks; `None` if there are none.
pub fn risk_words(risks: &[Risk]) -> Option<String> {
    let words: Vec<String> = risks.iter().map(Risk::to_string).collect();
    (!words.is_empty()).then(|| words.join(" and "))
}

/// Reads what a person typed: all of these risks, or none of them. The one place where typed words become an acceptance.
pub fn read_risks(typed: &str, risks: &[Risk]) -> Vec<Risk> {
    if risk_words(risks).is_some_and(|words| words == typed.trim()) { risks.to_vec() } else { Vec::new() }
}

/// The words that accept it.
impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Risk::Loses(amount) => write!(f, "lose {amount}"),
            Risk::TwoMayWrite => f.write_str("two primaries may write"),
            Risk::Overload { .. } => f.write_str("overload the target"),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Unknown | Amount::AtLeast(Bytes(0)) => f.write_str("an unknown amount"),
            Amount::AtLeast(bytes) => write!(f, "at least {bytes}"),
        }
    }
}

/// What a named person accepted before an operation began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub risks: Vec<AcceptedRisk>,
    /// The old primary may still live.
    #[serde(default)]
    pub alive: bool,
    /// The second person that the plan asks for, as the first one names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_person: Option<String>,
}

/// One accepted risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptedRisk {
    /// With the figure that was shown to the person.
    pub risk: Risk,
    /// What the person typed; records of version 1 do not have it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    pub by: super::Actor,
}

impl Accepted {
    /// Acknowledged writes may be lost.
    pub fn accepts_loss(&self) -> bool {
        self.risks.iter().any(|a| matches!(a.risk, Risk::Loses(_)))
    }

    /// Two primaries may write.
    pub fn accepts_two_writers(&self) -> bool {
        self.risks.iter().any(|a| a.risk == Risk::TwoMayWrite)
    }

    /// A risk of this kind was accepted, whatever its figure was then.
    pub fn accepts(&self, risk: Risk) -> bool {
        self.risks.iter().any(|a| a.risk.is_like(risk))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_accepts_all_that_is_asked_for_or_nothing() {
        let risks =
            [Risk::Loses(Amount::AtLeast(Bytes(812))), Risk::TwoMayWrite, Risk::Overload { percent: 196 }];
        for (typed, accepted) in [
            ("lose at least 812 B and two primaries may write and overload the target", true),
            ("  lose at least 812 B and two primaries may write and overload the target ", true),
            ("lose at least 812 B", false),
            ("two primaries may write and lose at least 812 B and overload the target", false),
            ("", false),
        ] {
            assert_eq!(read_risks(typed, &risks).len(), if accepted { 3 } else { 0 }, "{typed}");
        }
        assert!(read_risks("", &[]).is_empty());
    }

    #[test]
    fn an_accepted_risk_is_of_its_kind_and_its_figure() {
        let at_least = |bytes| Risk::Loses(Amount::AtLeast(Bytes(bytes)));
        for (accepted, risk, holds) in [
            (at_least(1), at_least(1), true),
            (at_least(1), at_least(2), false),
            (Risk::Loses(Amount::Unknown), at_least(1), false),
            (Risk::TwoMayWrite, Risk::TwoMayWrite, true),
            (Risk::TwoMayWrite, Risk::Loses(Amount::Unknown), false),
            (Risk::Overload { percent: 120 }, Risk::Overload { percent: 130 }, true),
            (Risk::Overload { percent: 120 }, Risk::Overload { percent: 131 }, false),
            (Risk::Overload { percent: 120 }, Risk::TwoMayWrite, false),
        ] {
            assert_eq!(is_accepted(risk, &[accepted]), holds, "{accepted:?} {risk:?}");
        }
    }
}

//! A confirmation: what must be typed, and what was. It is bound to what was on the screen when it opened.

use crate::model::*;
use crate::wording::{check_words, overrule_words};

/// Something that must be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The name of the region that is left.
    Name,
    /// That it is done although the old primary answers.
    Overrule,
    /// The risk, word for word.
    Risk,
    /// Who else says yes.
    SecondPerson,
    /// The operation that waits, and that this one supersedes.
    Supersedes,
}

/// What came of a line that was entered.
pub enum Entered {
    Whole(Confirmation),
    /// It is not what was asked for: nothing begins by it.
    Mistyped(Confirmation),
}

pub struct Confirm {
    pub shown: ProposalView,
    pub seen: Utc,
    /// What must be typed, and what has been so far.
    pub fields: Vec<(Asked, String)>,
    /// The field that is typed into.
    pub at: usize,
    /// What was different when the facts changed under it, and whether something had been typed by then.
    pub changed: Vec<String>,
    pub void: bool,
    /// It was put on the table by this screen, to be looked at.
    pub ours: bool,
    /// What was typed and is not what was asked for.
    pub wrong: Option<String>,
}

/// What a confirmation of this asks for, one after the other.
fn asked(a: &Assessment) -> Vec<(Asked, String)> {
    let wanted = [
        (Asked::Name, a.can_be_confirmed()),
        (Asked::Overrule, a.overrule.is_some()),
        (Asked::Risk, a.can_be_confirmed() && !a.risks.is_empty()),
        (Asked::SecondPerson, a.can_be_confirmed() && a.second_person),
        (Asked::Supersedes, a.can_be_confirmed() && a.supersedes.is_some()),
    ];
    wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(asked, _)| (asked, String::new())).collect()
}

impl Confirm {
    pub fn new(shown: &ProposalView, seen: Utc) -> Confirm {
        let fields = asked(&shown.assessment);
        Confirm {
            shown: shown.clone(),
            seen,
            fields,
            at: 0,
            changed: Vec::new(),
            void: false,
            ours: false,
            wrong: None,
        }
    }

    /// Holds what is shown against the newest facts: a change voids what was typed, and is shown.
    pub fn refresh(&mut self, snapshot: &Snapshot) -> bool {
        let Some(now) = snapshot.proposals.iter().find(|v| v.proposal.id == self.shown.proposal.id) else {
            return false;
        };
        let same = now.assessment.evidence == self.shown.assessment.evidence
            && now.assessment.nonce == self.shown.assessment.nonce;
        if !same {
            let label = |member| snapshot.label(now.proposal.group, member).into_owned();
            for change in differences(&self.shown.assessment, &now.assessment, label) {
                if !self.changed.contains(&change) {
                    self.changed.push(change);
                }
            }
            self.void |= self.fields.iter().any(|(_, typed)| !typed.is_empty());
            (self.fields, self.at) = (asked(&now.assessment), 0);
        }
        self.shown = now.clone();
        // While nothing that decides has changed, what stands on the screen is what stands now.
        self.seen = snapshot.now.utc;
        true
    }

    /// Nothing is typed into the field that keys go to.
    pub fn is_empty(&self) -> bool {
        self.fields.get(self.at).is_none_or(|(_, typed)| typed.is_empty())
    }

    /// The field that keys go to.
    pub fn field(&mut self) -> Option<&mut String> {
        self.fields.get_mut(self.at).map(|(_, typed)| typed)
    }

    fn typed(&self, asked: Asked) -> Option<String> {
        self.fields.iter().find(|(a, _)| *a == asked).map(|(_, typed)| typed.trim().to_string())
    }

    /// What the engine's gate is told, once all is typed as it was asked for. Who mistyped is told here, and begins no
    /// other field; the gate hears of it all the same, and its refusal stands in the record.
    pub fn entered(&mut self, estate: &Estate) -> Option<Entered> {
        let (asked, typed) = self.fields.get(self.at)?.clone();
        let (typed, a) = (typed.trim(), &self.shown.assessment);
        let wanted = match asked {
            Asked::Name => Some(estate.region(self.shown.proposal.from).name.clone()),
            Asked::Overrule => a.overrule.map(|region| overrule_words(region, estate)),
            Asked::Risk => risk_words(&a.risks),
            Asked::SecondPerson => None,
            Asked::Supersedes => a.supersedes.map(|id| id.to_string()),
        };
        let wrong = match wanted {
            Some(_) if typed.is_empty() => Some("nothing is typed yet; nothing was done".to_string()),
            Some(wanted) => (typed != wanted).then(|| format!("«{typed}» is not {wanted}; nothing was done")),
            None => typed.is_empty().then(|| "nobody was named; nothing was done".to_string()),
        };
        self.wrong = wrong;
        if self.wrong.is_some() {
            // What must be overruled is a yes or a no to the gate: there is nothing of it to refuse.
            let told = !typed.is_empty() && matches!(asked, Asked::Name | Asked::Risk);
            let mistyped = told.then(|| Entered::Mistyped(self.confirmation()));
            self.fields[self.at].1.clear();
            return mistyped;
        }
        if self.at + 1 < self.fields.len() {
            self.at += 1;
            return None;
        }
        Some(Entered::Whole(self.confirmation()))
    }

    /// As much of it as is typed.
    fn confirmation(&self) -> Confirmation {
        let a = &self.shown.assessment;
        Confirmation {
            proposal: self.shown.proposal.id,
            nonce: a.nonce,
            seen: self.seen,
            plan: a.plan,
            evidence: a.evidence,
            typed: self.typed(Asked::Name).unwrap_or_default(),
            accepts: self.typed(Asked::Risk).map_or_else(Vec::new, |typed| read_risks(&typed, &a.risks)),
            accept_risk: self.typed(Asked::Risk),
            manual_override: self.typed(Asked::Overrule).is_some(),
            second_person: self.typed(Asked::SecondPerson),
            supersedes: self.typed(Asked::Supersedes).and_then(|typed| typed.parse().ok()),
        }
    }
}

fn differences(old: &Assessment, new: &Assessment, name: impl Fn(MemberId) -> String) -> Vec<String> {
    let mut list: Vec<String> = new
        .checks
        .iter()
        .filter(|n| {
            !old.checks
                .iter()
                .any(|o| (o.id, o.is_short()) == (n.id, n.is_short()) && o.verdict.is_like(n.verdict))
        })
        .map(|n| format!("{}: {}", n.name(), check_words(n)))
        .collect();
    if old.to != new.to {
        let named = |m: Option<MemberId>| m.map_or_else(|| "nobody".to_string(), &name);
        list.insert(0, format!("it goes to {} now, not to {}", named(new.to), named(old.to)));
    }
    let (before, risk) = (risk_words(&old.risks), risk_words(&new.risks));
    if before != risk {
        list.push(format!("risk: {}", risk.as_deref().unwrap_or("none any more")));
    }
    // Nothing else of a choice changes by itself.
    if old.nonce != new.nonce {
        list.push("its countdown was stopped: it begins by hand only".to_string());
    }
    if list.is_empty() {
        list.push("etcd's keys for it were written since: its lock, /sync or /failover".to_string());
    }
    list
}

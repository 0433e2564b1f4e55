//! The confirmation: what would be done, to what, on which evidence, and what must be typed. It is bound to what was on the
//! screen when it opened.

use super::field::field;
use super::keys::Command;
use super::panel::{self, Canvas};
use super::text::{Row, wrap};
use crate::model::*;
use crate::wording::{check_words, otherwise_words, overrule_words};
use ratatui::text::Line;

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

pub fn lines(confirm: &Confirm, c: &Canvas, hears: bool, height: usize) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let (p, a) = (&confirm.shown.proposal, &confirm.shown.assessment);
    let from = &s.estate.region(p.from).name;
    let to = &*a.to.map_or(std::borrow::Cow::Borrowed("?"), |m| s.label(p.group, m));
    let identity = a.checks.iter().find(|k| k.id == CheckId::Identity).map_or_else(String::new, check_words);
    // Where it goes is never cut.
    let group = &s.estate.group(p.group).name;
    let whole = format!(" CONFIRM  {} {group}  {from} {} {to}", p.plan, g.arrow);
    let whole =
        if p.intent == Intent::Guided { format!(" CONFIRM  {} {group} in {from}", p.plan) } else { whole };
    let title =
        if whole.chars().count() <= c.width { whole } else { format!(" CONFIRM {group} {} {to}", g.arrow) };
    let mut lines = vec![Row::new().rest(g, &title, c.width, t.title).line()];
    // What runs out stays in sight while it is read.
    if let Some(left) = panel::counts(c, &confirm.shown) {
        let stop = c
            .keys
            .held(Command::StopAutomatic)
            .map_or(String::new(), |key| format!(" {} {key} stops it", g.dot));
        lines.extend(panel::said(c, "automatic", &format!("in {left}{stop}"), t.warn));
    }
    // Who confirms one has not decided the others.
    for other in s.proposals.iter().filter(|v| v.proposal.id != p.id) {
        if let Some(left) = panel::counts(c, other) {
            let stop = c
                .keys
                .held(Command::StopAutomatic)
                .map_or(String::new(), |key| format!(" {} {key} stops all", g.dot));
            let name = &s.estate.group(other.proposal.group).name;
            lines.extend(panel::said(
                c,
                "besides",
                &format!("{name} counts on: automatic in {left}{stop}"),
                t.warn,
            ));
        }
    }
    if confirm.shown.holds_automatic {
        lines.extend(panel::said(
            c,
            "automatic",
            "held while this is on the table; it counts on once you leave",
            t.warn,
        ));
    }
    if !identity.is_empty() {
        lines.push(Row::new().left(g, "   of", 14, t.dim).rest(g, &identity, c.width, t.text).line());
    }
    if p.intent != Intent::Guided {
        lines.extend(panel::takes(c, &confirm.shown));
    }
    if p.intent == Intent::Guided {
        lines.extend(panel::said(c, "it loses", panel::RESTORED, t.bad));
    }
    let extras = lines.len();
    if let Some(step) = a.no_return_after {
        let name = s
            .estate
            .plan_named(&p.plan)
            .and_then(|p| p.steps.get(usize::from(step)))
            .map_or("?", |s| s.id.as_str());
        lines.push(
            Row::new()
                .left(g, "   no return", 14, t.dim)
                .rest(g, &format!("once «{name}» is done: the lock is given away then"), c.width, t.text)
                .line(),
        );
    }
    // What speaks most against it stands where it is typed.
    let overruled = a.overrule.is_some();
    let elsewhere = |k: &&Check| !(overruled && matches!(k.verdict, Verdict::Block { .. }));
    let checks: Vec<&Check> = a.checks.iter().filter(elsewhere).collect();
    lines.extend(panel::checks(c, &checks, 4));
    if p.intent != Intent::Guided {
        // Right above what is typed: where there is no room for all of it this is never scrolled away.
        lines.extend(panel::said(
            c,
            "leave it",
            &format!("{}{}", otherwise_words(&a.otherwise), panel::leave(c, &confirm.shown)),
            t.text,
        ));
        lines.extend(panel::loses(c, &confirm.shown));
    }
    for change in &confirm.changed {
        lines.push(Row::new().add("   changed: ", t.bad).rest(g, change, c.width, t.bad).line());
    }
    let typed_since = confirm.at > 0 || confirm.fields.first().is_some_and(|(_, typed)| !typed.is_empty());
    if !confirm.changed.is_empty() && !confirm.fields.is_empty() && !typed_since {
        let text = if confirm.void {
            " what was typed before is void: read it again, and type it again"
        } else {
            " it is not what it was: read it again"
        };
        lines.push(Row::new().rest(g, text, c.width, t.bad).line());
    }
    let mut blocks: Vec<&Check> =
        a.checks.iter().filter(|k| matches!(k.verdict, Verdict::Block { .. })).collect();
    blocks.dedup_by_key(|k| k.id);
    let blocks: Vec<&str> = blocks.into_iter().map(Check::name).collect();
    if !blocks.is_empty() && confirm.fields.is_empty() {
        lines.push(
            Row::new()
                .rest(g, &format!(" refused as it stands: {}", blocks.join(", ")), c.width, t.bad)
                .line(),
        );
    }
    if confirm.fields.is_empty() {
        lines.push(Row::new().rest(g, &format!(" {}", leaves(confirm)), c.width, t.dim).line());
    } else {
        for k in a.checks.iter().filter(|k| !elsewhere(k)) {
            for part in
                wrap(&g.plain(&format!("{} {}", g.bad, check_words(k))), c.width.saturating_sub(2).max(10))
            {
                lines.push(Row::new().rest(g, &format!(" {part}"), c.width, t.bad).line());
            }
        }
        lines.extend(again(c, p));
        if let Some(wrong) = &confirm.wrong {
            lines.push(Row::new().rest(g, &format!(" {} {wrong}", g.bad), c.width, t.bad).line());
        }
        lines.extend(fields(confirm, c, from, hears));
    }
    // What is good to know besides, as far as there is room for it whole.
    let mut at = extras;
    // Of one that lives nothing is told that speaks for it; and a line is kept for what is typed wrong.
    let more = if overruled { Vec::new() } else { panel::more(c, &confirm.shown) };
    let kept = usize::from(confirm.wrong.is_none() && !confirm.fields.is_empty());
    for extra in does(c, &confirm.shown).into_iter().chain(more) {
        if lines.len() + extra.len() + kept <= height {
            let room = extra.len();
            lines.splice(at..at, extra);
            at += room;
        }
    }
    lines
}

/// It was moved a while ago: who meant that first one is told that this would be a second.
fn again(c: &Canvas, p: &Proposal) -> Vec<Line<'static>> {
    let s = c.snapshot;
    let last = s.operations.iter().rev().find(|o| o.group == p.group && o.handed_over());
    let Some(o) = last.filter(|o| {
        p.intent == Intent::Failover && o.to == p.old && s.now.utc.since(o.started) < Span::mins(30)
    }) else {
        return Vec::new();
    };
    let (group, to) = (&s.estate.group(o.group).name, s.label(o.group, o.to));
    panel::said(
        c,
        "a second",
        &format!(
            "{group} went to {to} {} ago, by {}: this would move it on from there",
            s.now.utc.since(o.started),
            o.by
        ),
        c.theme.bad,
    )
}

/// What becomes of the choice when this is left.
const fn leaves(confirm: &Confirm) -> &'static str {
    if confirm.ours { "Esc: off the table" } else { "Esc: not now" }
}

/// The steps of the plan, in their order.
fn does(c: &Canvas, view: &ProposalView) -> Option<Vec<Line<'static>>> {
    let plan = c.snapshot.estate.plan_named(&view.proposal.plan)?;
    let steps: Vec<&str> = plan.steps.iter().map(|s| s.id.as_str()).collect();
    Some(panel::said(c, "does", &steps.join(", "), c.theme.text))
}

/// What is to be typed: what was, the field that is typed into, and what comes after it.
fn fields(confirm: &Confirm, c: &Canvas, from: &str, hears: bool) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let a = &confirm.shown.assessment;
    let wait = if hears { "" } else { "   (listens in a moment)" };
    let all = confirm.fields.len();
    // A region's name stands for no more than this database.
    let group = &c.snapshot.estate.group(confirm.shown.proposal.group).name;
    let (what, tab) = match confirm.shown.proposal.intent {
        Intent::Guided => (format!("where {group} is restored"), ""),
        _ => (format!("which {group} leaves"), "; Tab elsewhere"),
    };
    let esc = leaves(confirm);
    let mut lines = Vec::new();
    for (i, (asked, typed)) in confirm.fields.iter().enumerate() {
        let of = if all > 1 { format!(" {} of {all}:", i + 1) } else { String::new() };
        let (text, style) = match asked {
            Asked::Name if i == confirm.at => {
                (format!("type {from}, {what}, then Enter{tab}; {esc}{wait}"), t.strong)
            }
            Asked::Name => (format!("typed: {from}, {what}"), t.dim),
            Asked::Overrule => (
                format!(
                    "to overrule the observers, type: {}",
                    a.overrule.map_or_else(String::new, |region| overrule_words(region, &c.snapshot.estate))
                ),
                t.bad,
            ),
            Asked::Risk => {
                (format!("take the risk upon you, type: {}", risk_words(&a.risks).unwrap_or_default()), t.bad)
            }
            Asked::SecondPerson => ("type the name of the second person who says yes".to_string(), t.strong),
            Asked::Supersedes => {
                let old = a.supersedes.map_or_else(String::new, |id| id.to_string());
                (format!("to supersede the operation that waits, type: {old}"), t.bad)
            }
        };
        for part in wrap(&g.plain(&format!("{of} {text}")), c.width.saturating_sub(1).max(10)) {
            lines.push(Row::new().rest(g, &format!(" {part}"), c.width, style).line());
        }
        if i <= confirm.at {
            lines.push(field(c, typed, i == confirm.at));
        }
    }
    lines
}

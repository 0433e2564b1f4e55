//! The lines of a confirmation: what would be done, to what, on which evidence, and what must be typed.

use super::confirm::{Asked, Confirm};
use super::field::field;
use super::keys::Command;
use super::panel::{self, Canvas};
use super::text::{Row, wrap};
use crate::model::*;
use crate::wording::{check_words, otherwise_words, overrule_words};
use ratatui::text::Line;

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

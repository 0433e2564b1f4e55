//! The decision: what would be done, what it would lose, what happens otherwise, on which evidence.

use super::{Canvas, said};
use crate::model::*;
use crate::tui::keys::Command;
use crate::tui::text::{Row, wrap};
use crate::wording::{check_words, figure_words, otherwise_words, proposal_reason_words, veto_words};
use ratatui::text::Line;

/// Below this width what is to be decided and how long there is take a line each.
const NARROW: usize = 56;

/// What is to be decided, and how long there is: a line, or two where one has no room for both.
pub fn choice_head(c: &Canvas, view: &ProposalView) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let (p, a) = (&view.proposal, &view.assessment);
    let group = &s.estate.group(p.group).name;
    let what = match (p.intent, a.to) {
        _ if is_past(s, view) => format!("{group}: {} answers and leads again", s.estate.region(p.from).name),
        (Intent::Guided, _) => format!("{} {group} by hand?", p.plan),
        // Whoever is named then is no advice.
        (Intent::Failover, Some(_))
            if s.group(p.group).is_some_and(|v| {
                v.members
                    .iter()
                    .filter(|m| !view.assessment.left.contains(&m.member))
                    .all(|m| m.answers == Some(false))
            }) =>
        {
            format!("fail over {group}? no standby answers")
        }
        (Intent::Failover, Some(to)) => format!("fail over {group} to {}?", s.label(p.group, to)),
        (Intent::Switchover, Some(to)) => format!("{} {group} to {}?", p.plan, s.label(p.group, to)),
        (_, None) => format!("{} {group}: no candidate", p.plan),
    };
    let nth = s.proposals.iter().position(|v| v.proposal.id == p.id).unwrap_or_default() + 1;
    // Who has just decided one must not take the next for the same.
    let next = if s.open().any(|o| o.group != p.group) { "NEXT " } else { "" };
    let of = if s.proposals.len() > 1 { format!(" {nth}/{}", s.proposals.len()) } else { String::new() };
    let word = format!(" {next}DECISION{of}  ");
    let (end, style) = match (view.automatic_in, counts(c, view)) {
        _ if is_past(s, view) => ("nothing to decide while it does".to_string(), t.dim),
        (_, Some(left)) if super::acts_in(c, view).is_some_and(|cluster| cluster < left) => {
            let cluster = super::acts_in(c, view).unwrap_or_default();
            (
                format!(
                    "the cluster is first, in {cluster} {} {} stops ours",
                    g.dot,
                    c.key(Command::StopAutomatic)
                ),
                t.warn,
            )
        }
        (_, Some(left)) => {
            // One key for all that counts: it is told before it is pressed.
            let all = if s.proposals.iter().filter(|p| p.counts()).count() > 1 { " all" } else { "" };
            (format!("automatic in {left} {} {} stop{all}", g.dot, c.key(Command::StopAutomatic)), t.warn)
        }
        (Some(_), None) => {
            (format!("automation is held {} {} makes it yours", g.dot, c.key(Command::StopAutomatic)), t.warn)
        }
        (None, None) => match super::acts_in(c, view) {
            Some(left) => (format!("yours {} the cluster acts in {left}", g.dot), t.warn),
            None => ("yours to decide".to_string(), t.dim),
        },
    };
    let fits = word.chars().count() + what.chars().count() + end.chars().count() + 3 <= c.width;
    if c.width < NARROW || !fits {
        // Each on a line of its own: half of either says nothing.
        let title = Row::new().add(word, t.title).rest(g, &what, c.width, t.strong);
        vec![title.line(), Row::new().rest(g, &format!(" {end}"), c.width, style).line()]
    } else {
        let title = Row::new().add(word, t.title).add(g.plain(&what), t.strong).add(" ", t.text);
        vec![title.at_end(g, &end, c.width.saturating_sub(1), style).line()]
    }
}

/// What was declared has a primary that answers us and leads: nobody need make the choice about it, which is refused, or must
/// be overruled.
fn is_past(s: &Snapshot, view: &ProposalView) -> bool {
    let (p, a) = (&view.proposal, &view.assessment);
    // That nothing of it was measured is not that it answers.
    let answers = |v: &GroupView| {
        let leads = v.members.iter().any(|m| m.leads && m.member == p.old && m.answers == Some(true));
        leads && v.silence.is_none() && v.stepped_down.is_none() && v.primary == Some(p.from)
    };
    s.mode != Mode::Replay
        && p.disaster.is_some()
        && p.intent == Intent::Failover
        && a.blocked().is_some()
        && s.group(p.group).is_some_and(answers)
}

/// The choice that is told of where there is room for one: one that somebody must make goes first.
pub fn foremost(s: &Snapshot) -> Option<&ProposalView> {
    s.proposals.iter().find(|v| !is_past(s, v)).or(s.proposals.first())
}

/// A choice on the table.
pub fn choice(c: &Canvas, view: &ProposalView) -> Vec<Line<'static>> {
    choice_as(c, view, Form::WHOLE)
}

/// The same in so many lines, if it can be: what is merely good to know steps back before anything that decides is cut.
pub fn choice_within(c: &Canvas, view: &ProposalView, room: usize) -> Vec<Line<'static>> {
    let forms = [
        Form::WHOLE,
        Form { held: false, ..Form::WHOLE },
        Form { advice: 1, held: false, ..Form::WHOLE },
        Form { advice: 1, held: false, why: false },
    ];
    let mut all = forms.into_iter().map(|form| choice_as(c, view, form));
    let first = all.next().unwrap_or_default();
    if first.len() <= room {
        first
    } else {
        all.find(|lines| lines.len() <= room).unwrap_or_else(|| choice_as(c, view, forms[3]))
    }
}

/// What of a choice is told.
#[derive(Clone, Copy)]
struct Form {
    /// Lines for each thing that speaks against it and asks for nothing.
    advice: usize,
    /// The checks that hold.
    held: bool,
    why: bool,
}

impl Form {
    const WHOLE: Form = Form { advice: 2, held: true, why: true };
}

fn choice_as(c: &Canvas, view: &ProposalView, form: Form) -> Vec<Line<'static>> {
    let (s, t, g) = (c.snapshot, c.theme, c.glyphs);
    let (p, a) = (&view.proposal, &view.assessment);
    let from = &s.estate.region(p.from).name;
    let group_view = s.group(p.group).filter(|v| v.veto.is_some());
    let mut lines = choice_head(c, view);
    if is_past(s, view) {
        lines.extend(said(c, "leave it", &otherwise_words(&a.otherwise), t.text));
        let text = format!(" tells what speaks against a failover now{}", other_choice(c, view));
        lines.push(
            Row::new()
                .add(format!("   {}", c.key(Command::Failover)), t.key)
                .rest(g, &text, c.width, t.text)
                .line(),
        );
        return lines;
    }
    if form.why {
        lines.extend(said(c, "why", &proposal_reason_words(&p.reason), t.text));
    }
    if p.intent == Intent::Guided {
        lines.extend(said(c, "it loses", RESTORED, t.bad));
        lines.extend(said(
            c,
            "leave it",
            "its replicas carry what is corrupt as well: a failover mends nothing",
            t.text,
        ));
    }
    if p.intent != Intent::Guided {
        lines.extend(super::takes(c, view));
        lines.extend(super::loses(c, view));
        lines.extend(said(
            c,
            "leave it",
            &format!("{}{}", otherwise_words(&a.otherwise), super::leave(c, view)),
            t.text,
        ));
        // What passes by itself is no news while it counts.
        let told = view.automatic_in.is_some_and(|left| is_held(a) || left == Span::ZERO);
        if let Some(v) = group_view
            .filter(|v| told || v.veto.as_ref().is_some_and(Veto::stands) && v.automation == Automation::Full)
        {
            lines.extend(said(
                c,
                "automation",
                &format!(
                    "does not act: {}",
                    v.veto.as_ref().map_or_else(String::new, |veto| veto_words(veto, &s.estate))
                ),
                t.warn,
            ));
        }
    }
    let told = a.checks.iter().filter(|k| form.held || k.verdict != Verdict::Pass);
    lines.extend(checks(c, &told.collect::<Vec<_>>(), form.advice));
    let key = format!(
        "   {}",
        c.key(if p.intent == Intent::Switchover { Command::Switchover } else { Command::Failover })
    );
    let more = if !a.risks.is_empty() { ", and the risk" } else { "" };
    if !a.can_be_confirmed() {
        lines.push(
            Row::new()
                .add(key, t.key)
                .rest(
                    g,
                    " tells why it is refused as it stands; Tab there weighs another target",
                    c.width,
                    t.text,
                )
                .line(),
        );
        return lines;
    }
    let other = other_choice(c, view);
    let no = if s.mode == Mode::Replay {
        String::new()
    } else {
        format!("; {} is no{other}", c.key(Command::Withdraw))
    };
    let does = match p.intent {
        Intent::Failover => "fail over",
        Intent::Switchover => "switch over",
        Intent::Guided => "begin",
    };
    lines.push(
        Row::new()
            .add(key, t.key)
            .rest(g, &format!(" {does}: confirm by typing {from}{more}{no}"), c.width, t.text)
            .line(),
    );
    lines
}

/// The next choice, and the key that turns to it.
fn other_choice(c: &Canvas, view: &ProposalView) -> String {
    let s = c.snapshot;
    let other = s
        .proposals
        .iter()
        .find(|v| v.proposal.id != view.proposal.id)
        .map(|v| s.estate.group(v.proposal.group).name.as_str());
    other.map_or(String::new(), |name| format!("; {}: {name}", c.key(Command::NextGroup)))
}

/// What a restore loses.
pub const RESTORED: &str =
    "all that was written since the moment that is restored: more, as long as writers go on";

/// How long it is until automation acts on it, if it would as things stand.
pub fn counts(c: &Canvas, view: &ProposalView) -> Option<Span> {
    view.automatic_in.filter(|left| {
        !is_held(&view.assessment)
            && (*left > Span::ZERO || c.snapshot.group(view.proposal.group).is_none_or(|v| v.veto.is_none()))
    })
}

/// Automation would not act on it, however long it counts.
fn is_held(a: &Assessment) -> bool {
    !a.risks.is_empty() || a.blocked().is_some()
}

/// The checks: those that stop it first, each with its reason in so many lines; those that hold in a few words.
pub fn checks(c: &Canvas, checks: &[&Check], most: usize) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let mut lines = Vec::new();
    let rank = |v: Verdict| match v {
        Verdict::Block { .. } => 0,
        Verdict::Risk(_) => 1,
        Verdict::Advice => 2,
        Verdict::Pass => 3,
    };
    let mut sorted = checks.to_vec();
    sorted.sort_by_key(|k| rank(k.verdict));
    for check in sorted.iter().filter(|k| rank(k.verdict) < 3) {
        let (mark, style) = match check.verdict {
            Verdict::Block { .. } | Verdict::Risk(_) => (format!("{} ", g.bad), t.bad),
            _ => ("! ".to_string(), t.warn),
        };
        let by = match check.verdict {
            Verdict::Block { law, .. } => format!(" (law {law})"),
            Verdict::Risk(_) => " (a risk to be typed)".to_string(),
            _ => String::new(),
        };
        let parts = wrap(
            &g.plain(&format!("{mark}{}{by}: {}", check.name(), check_words(check))),
            c.width.saturating_sub(6).max(10),
        );
        // What is to be signed is not told by halves.
        let most = if rank(check.verdict) < 2 { parts.len() } else { most };
        for (i, part) in parts.iter().take(most).enumerate() {
            let last = i + 1 == most && parts.len() > most;
            let text = if last { parts[i..].join(" ") } else { part.clone() };
            let row = match i {
                // The mark has a colour of its own.
                0 => {
                    let rest: String = part.chars().skip(mark.chars().count()).collect();
                    Row::new().add("   ", t.text).add(g.plain(&mark), style).rest(g, &rest, c.width, t.text)
                }
                _ => Row::new().add("     ", t.text).rest(g, &text, c.width, t.text),
            };
            lines.push(row.line());
        }
    }
    let held: Vec<String> = sorted
        .iter()
        .filter(|k| rank(k.verdict) == 3)
        .map(|k| {
            let age =
                k.at.map(|at| c.age(at))
                    .filter(|age| *age > Span::secs(2))
                    .map_or(String::new(), |age| format!(" {age} ago"));
            let figure = k.figure.map_or(String::new(), |figure| format!(" {}", figure_words(figure)));
            g.plain(&format!("{} {}{figure}{age}", g.done, k.name()))
        })
        .collect();
    if !held.is_empty() {
        lines.push(Row::new().add("   ", t.text).rest(g, &held.join("  "), c.width, t.ok).line());
    }
    lines
}

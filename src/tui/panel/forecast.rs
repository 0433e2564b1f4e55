//! What the futures of a choice say, each figure with its sample.

use super::{Canvas, said};
use crate::forecast::HORIZON;
use crate::model::*;
use crate::wording::{no_figures_words, why_not_words};
use ratatui::text::Line;

fn of<'a>(c: &Canvas<'a>, view: &ProposalView) -> Option<&'a ForecastView> {
    // Figures of another target are no figures of this choice.
    c.snapshot
        .forecasts
        .iter()
        .find(|f| f.proposal == view.proposal.id && f.forecast.to == view.assessment.to)
}

/// What it would take: one line, or two.
pub fn takes(c: &Canvas, view: &ProposalView) -> Vec<Line<'static>> {
    let t = c.theme;
    match of(c, view).map(|f| &f.forecast.act) {
        None if c.snapshot.mode == Mode::Replay => Vec::new(),
        // Why, the checks say.
        Some(Outlook::Figures(f))
            if view.assessment.blocked().is_some() && f.not_served.met == f.not_served.of =>
        {
            said(c, "it takes", "nothing yet: as it stands it is refused, and does not get there", t.warn)
        }
        None => said(c, "it takes", "being simulated: a moment", t.dim),
        Some(Outlook::None(why)) => {
            said(c, "it takes", &format!("no forecast: {}", no_figures_words(why)), t.dim)
        }
        Some(Outlook::Figures(figures)) => {
            let style = if figures.not_served.met * 20 > figures.not_served.of { t.warn } else { t.text };
            let short = view.assessment.is_short();
            let slow = if short { " + overload" } else { "" };
            // The sample is told where there is room for it: a line of its own says little.
            let text = outlook(figures, slow);
            let sampled = format!("{text}{}", of_futures(figures));
            let fits = sampled.chars().count() + 15 <= c.width;
            said(c, "it takes", if fits { &sampled } else { &text }, style)
        }
    }
}

/// What would be lost: what is known of it, and where that is not nothing, what its futures lost.
pub fn loses(c: &Canvas, view: &ProposalView) -> Vec<Line<'static>> {
    let loss = &view.assessment.loss;
    if view.assessment.blocked().is_some()
        && !view.assessment.can_be_confirmed()
        && view.assessment.overrule.is_none()
    {
        return said(c, "it loses", "no figure: as it stands it is refused", c.theme.text);
    }
    if *loss == Loss::Nothing {
        return said(c, "it loses", &loss.to_string(), c.theme.ok);
    }
    let (_, rpo) = c.snapshot.estate.targets(view.proposal.group);
    let futures = match of(c, view).map(|f| &f.forecast.act) {
        // Where nobody knows what was written last, a model's figure bounds nothing.
        Some(Outlook::Figures(figures)) if *loss == Loss::Unknown => {
            let guess = figures.data_loss_bytes.p95.filter(|_| figures.data_loss_writes.is_none());
            guess.map_or(String::new(), |most| format!("; a model guesses p95 {}, no bound", Bytes(most)))
        }
        Some(Outlook::Figures(figures)) => {
            lost(figures, rpo).map_or(String::new(), |most| format!("; simulated: {most}"))
        }
        _ => String::new(),
    };
    // A figure that somebody signs has a source.
    let from = &c.snapshot.estate.region(view.proposal.from).name;
    let of = if matches!(loss, Loss::AtLeast(Bytes(1..))) {
        format!(" of what {from} was heard to write")
    } else {
        String::new()
    };
    said(c, "it loses", &format!("{loss}{of}{futures}"), c.theme.bad)
}

/// What leaving it would lead to, behind the words for it.
pub fn leave(c: &Canvas, view: &ProposalView) -> String {
    let Some(known) = of(c, view) else { return String::new() };
    let Outlook::Figures(figures) = &known.forecast.leave else { return String::new() };
    if figures.not_served.met == figures.not_served.of {
        // That it takes over is not that its users are served.
        return match figures.writable_ms.p50 {
            Some(_) => format!("; users are not served by that within {}", HORIZON.written()),
            None => format!("; nobody takes over within {}", HORIZON.written()),
        };
    }
    if view.assessment.leads_on {
        return String::new();
    }
    // It was played some seconds ago: what has passed since is nearer by that.
    let passed = c.snapshot.now.utc.since(known.at);
    let left = |ms: Option<u64>| ms.map(|ms| Span(ms.saturating_sub(passed.0)).to_string());
    let lost = match lost(figures, c.snapshot.estate.targets(view.proposal.group).1) {
        Some(most) => format!(", loses {most}"),
        None if figures.data_loss_writes.is_some() => ", loses nothing acknowledged".to_string(),
        None => String::new(),
    };
    match (left(figures.served_ms.p50), left(figures.served_ms.p95)) {
        (Some(half), Some(most)) => format!("; served p50 {half} p95 {most}{lost}"),
        (Some(half), None) => format!("; served p50 {half}{lost}"),
        _ => String::new(),
    }
}

/// When the cluster would act by itself, as its futures say: a clock that runs whatever is stopped here.
pub fn acts_in(c: &Canvas, view: &ProposalView) -> Option<Span> {
    let known = of(c, view)?;
    let Outlook::Figures(figures) = &known.forecast.leave else { return None };
    // It acts when the lease ends, and not sooner than its futures do: the same clock that the words tell.
    let lease = c
        .snapshot
        .group(view.proposal.group)
        .and_then(|v| v.lease_left)
        .map(|(left, read)| left.0.saturating_sub(c.age(read).0));
    let left = lease
        .filter(|_| figures.writable_ms.p50.is_some())
        .or(figures.writable_ms.p50.map(|ms| ms.saturating_sub(c.snapshot.now.utc.since(known.at).0)))?;
    // In whole seconds: it is no stopwatch.
    Some(Span::secs(left / 1000))
}

/// The rest, where somebody is about to confirm, each with the more needed first: chances, the next best, when it is
/// writable, what it is made of.
pub fn more(c: &Canvas, view: &ProposalView) -> Vec<Vec<Line<'static>>> {
    let (s, t) = (c.snapshot, c.theme);
    let Some(known) = of(c, view) else { return Vec::new() };
    let mut parts = Vec::new();
    // What does not get there has no chances: the checks say why.
    let act = if let Outlook::Figures(figures) = &known.forecast.act {
        Some(figures).filter(|f| f.not_served.met < f.not_served.of)
    } else {
        None
    };
    if let Some(figures) = act {
        let (rto, rpo) = s.estate.targets(view.proposal.group);
        let (rto, rpo) = (rto.written(), rpo.written());
        let mut text = match (figures.meets_rto, figures.meets_rpo) {
            (Some(a), Some(b)) if a == b => format!("RTO {rto} and RPO {rpo} kept in {}", share(a)),
            (Some(a), Some(b)) => format!("RTO {rto} kept in {}, RPO {rpo} in {}", share(a), share(b)),
            (Some(a), None) => format!("RTO {rto} kept in {}; what is lost is not known", share(a)),
            (None, Some(b)) => {
                format!(
                    "RPO {rpo} kept in {}; RTO not told: the {} was never timed",
                    share(b),
                    figures.without.join(", ")
                )
            }
            (None, None) => format!(
                "none is told: the {} was never timed, and what is lost is not known",
                figures.without.join(", ")
            ),
        };
        if figures.rolled_back.met > 0 {
            text.push_str(&format!(
                "; rolled back in {} of {}",
                figures.rolled_back.met, figures.rolled_back.of
            ));
        }
        parts.push(said(c, "chances", &text, t.text));
    }
    if let Some((next, Outlook::Figures(figures))) = &known.forecast.next_best {
        let lost = lost(figures, s.estate.targets(view.proposal.group).1)
            .map_or(String::new(), |most| format!("loses {most}; "));
        // What speaks against it is told where it is looked at.
        let members = s.group(view.proposal.group).map(|v| v.members.as_slice()).unwrap_or_default();
        let member = members.iter().find(|m| m.member == *next);
        let unfit = member.is_some_and(|m| m.unfit.is_some());
        let risk = match (unfit, figures.not_served.met == figures.not_served.of) {
            (_, true) => ", refused as it stands (Tab)",
            (true, false) => ", a risk to be typed (Tab)",
            (false, false) => " (Tab weighs it)",
        };
        let load = |r: RegionId| s.regions[r.at()].load.map(|(load, _)| (r, load));
        let filled = member
            .and_then(|m| load(m.region))
            .zip(load(view.proposal.from))
            .map(|(to, (from, load))| s.estate.filled(to, s.estate.carried(from, load)).1);
        // In a planned move only a part of it comes: how much is weighed where it is looked at.
        let short = filled
            .filter(|after| *after > 100 && view.proposal.intent == Intent::Failover)
            .map_or(String::new(), |after| format!(", room is short ({after}%)"));
        // What the model gives is no promise where the loss itself is not known.
        let modelled = if unfit { "simulated: " } else { "" };
        let text = format!(
            "{}{risk}{short}: {modelled}{lost}{}",
            s.label(view.proposal.group, *next),
            outlook(figures, "")
        );
        parts.push(said(c, "next best", &text, t.dim));
    }
    if let Some(figures) = act.filter(|f| !f.writable_ms.times(3).is_empty()) {
        let fence = if figures.without.is_empty() {
            String::new()
        } else {
            format!(" + {}", figures.without.join(", "))
        };
        let served = match figures.served_ms.times(3) {
            times if times.is_empty() => String::new(),
            times => format!("; served {times}{fence}"),
        };
        parts.push(said(c, "writable", &format!("{}{fence}{served}", figures.writable_ms.times(3)), t.dim));
    }
    if let Some(figures) = act.filter(|f| !f.drivers.is_empty()) {
        // What was never timed is in none of them.
        let without = |step: &str| figures.without.iter().any(|w| w == step);
        let rest = |step: &str| if without(step) { "'s proof" } else { "" };
        let steps: Vec<String> =
            figures.drivers.iter().map(|(step, ms)| format!("{step}{} {}", rest(step), Span(*ms))).collect();
        let usual: Vec<String> = known.forecast.sources.iter().filter(|s| s.defaults).map(source).collect();
        let usual = if usual.is_empty() { String::new() } else { format!(" ({})", usual.join("; ")) };
        parts.push(said(c, "most of it", &format!("{}{usual}", steps.join(", ")), t.dim));
    }
    parts
}

fn source(source: &DurationSource) -> String {
    match source.measured {
        0 => format!("{}: as on other clusters, never measured here", source.step),
        n => format!("{}: measured {n} times here", source.step),
    }
}

fn share(share: Share) -> String {
    // That it was kept in none proves nothing of how often it will be.
    let proves =
        if share.met > 0 { format!(" (proves {}%)", share.at_least_percent()) } else { String::new() };
    format!("{} of {}{proves}", share.met, share.of)
}

/// What was lost in the futures, where anything may be.
fn lost(f: &Figures, rpo: Span) -> Option<String> {
    if f.data_loss_writes.is_some() {
        return None;
    }
    let time = f
        .data_loss_ms
        .and_then(|s| s.p95)
        .map_or(String::new(), |ms| format!(", {} of RPO {}", Span(ms), rpo.written()));
    f.data_loss_bytes.p95.map(|most| format!("p95 {}{time}", Bytes(most)))
}

/// Figures in a sentence, with the sample that they are of behind them.
fn outlook(f: &Figures, sample: &str) -> String {
    if f.not_served.met == f.not_served.of {
        return format!(
            "it does not get there: {}",
            f.why_not.as_ref().map_or("users are not served in time".to_string(), why_not_words)
        );
    }
    // Where half of them do not get there, there is no median to tell.
    let mut text = match f.served_ms.times(2) {
        times if times.is_empty() => {
            let why = f.why_not.as_ref().map_or("not within what is looked ahead".to_string(), why_not_words);
            return format!(
                "users are served by it in {} of {} simulated runs; in the others: {why}",
                f.not_served.of - f.not_served.met,
                f.not_served.of
            );
        }
        times => format!("served {times}"),
    };
    if !f.without.is_empty() {
        text.push_str(&format!(" + {}, never fired", f.without.join(", ")));
    }
    if f.not_served.met > 0 {
        text.push_str(&format!("; not in {} of them", f.not_served.met));
    }
    text + sample
}

/// The sample.
fn of_futures(f: &Figures) -> String {
    format!("; {} simulations", f.futures)
}

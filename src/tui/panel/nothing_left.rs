//! An open disaster with nothing left to decide: what is alone, lost or unproven, and what its end waits for.

use super::Canvas;
use crate::model::*;
use crate::tui::keys::Command;
use crate::tui::text::{Row, wrap};
use crate::wording::{by_hand, elected_words, source_words};
use ratatui::text::Line;
use std::collections::BTreeSet;

/// An open disaster with nothing left to decide: what its end waits for.
pub fn nothing_left(c: &Canvas) -> Vec<Line<'static>> {
    let (t, g) = (c.theme, c.glyphs);
    let text = nothing_left_words(c).unwrap_or_default();
    let parts =
        wrap(&g.plain(&text), c.width.saturating_sub(2).max(10)).into_iter().filter(|p| !p.is_empty());
    parts.map(|part| Row::new().rest(g, &format!(" {part}"), c.width, t.strong).line()).collect()
}

/// The same in words; `None` while something is to be decided, or runs.
fn nothing_left_words(c: &Canvas) -> Option<String> {
    let s = c.snapshot;
    if s.disasters.is_empty() || !s.proposals.is_empty() || s.open().next().is_some() {
        return None;
    }
    // Of an intruder or corrupt data nobody can say that nothing is left to be done.
    if s.disasters.iter().any(|d| d.kind.is_of_data()) || !s.undecided().is_empty() {
        return None;
    }
    let mut words = Vec::new();
    let regions: BTreeSet<RegionId> = s.disasters.iter().flat_map(|d| d.regions.iter().copied()).collect();
    let names: Vec<&str> = regions.iter().map(|r| s.estate.region(*r).name.as_str()).collect();
    let down = names.join(", ");
    for view in s.groups.iter().filter(|v| v.alone.is_some()) {
        let leader = view.primary.map_or("its primary", |r| s.estate.region(r).name.as_str());
        words.push(format!(
            "{} is on {leader} alone: no standby is synchronous (5)",
            s.estate.group(view.group).name
        ));
    }
    // The only copy of what was lost is where it was written.
    let lost = |o: &&std::sync::Arc<Operation>| {
        super::is_of_now(s, o) && o.results.loss.as_ref().is_some_and(|loss| *loss != Loss::Nothing)
    };
    for o in s.operations.iter().filter(lost) {
        let (group, from) = (&s.estate.group(o.group).name, &s.estate.region(o.from).name);
        words.push(format!("What {group} lost stands on {from} alone: save its data before it comes back"));
    }
    let ours = |v: &GroupView| {
        s.operations.iter().any(|o| o.group == v.group && super::is_of_now(s, o) && o.counts())
    };
    let by_itself: Vec<&GroupView> = super::unproven(s).into_iter().filter(|v| !ours(v)).collect();
    if !by_itself.is_empty() {
        // One that leads where it led before was elected anew: it is what must stay on.
        let (same, moved): (Vec<&GroupView>, Vec<&GroupView>) =
            by_itself.iter().partition(|v| v.primary.is_some_and(|p| regions.contains(&p)));
        let names = |views: &[&GroupView]| {
            views.iter().map(|v| s.estate.group(v.group).name.as_str()).collect::<Vec<_>>().join(", ")
        };
        // One that follows the new primary is no danger any more.
        let follows =
            |v: &GroupView, m: &MemberView| !m.leads && m.answers == Some(true) && m.timeline == v.timeline;
        let back = moved
            .iter()
            .all(|v| v.members.iter().filter(|m| regions.contains(&m.region)).all(|m| follows(v, m)));
        let off = if back {
            String::new()
        } else {
            format!(": its old primary in {down} may come back as a standby only")
        };
        if !same.is_empty() {
            words.push(format!(
                "the cluster elected the primary of {} anew by itself, where it was",
                names(&same)
            ));
        }
        if !moved.is_empty() {
            words.push(format!("the cluster took over {} by itself, without a fence{off}", names(&moved)));
        }
        words.push(format!(
            "No write of ours has proven it, and nothing here does that afterwards: {}, then vouch for it ({})",
            match by_itself.as_slice() {
                [one] => by_hand(s.estate.group(one.group)),
                _ => "write a row of your own through the entry of each (psql), read it back".to_string(),
            },
            c.key(Command::Vouch)
        ));
    }
    for v in super::vouched(s) {
        let text = v.elected.as_ref().map_or(String::new(), |e| elected_words(e, &s.estate, v.group));
        words.push(format!("{}: {text}", s.estate.group(v.group).name));
    }
    let hit = s.services.iter().filter(|v| v.hit_by.is_some()).count();
    if hit > 0 {
        let entry = |s: &&StaleSource| matches!(s.source, Source::Balancer { .. });
        let entries: Vec<String> =
            s.stale.iter().filter(entry).map(|silent| source_words(&silent.source, &s.estate)).collect();
        words.push(match entries.as_slice() {
            [] => "Users are not seen served yet".to_string(),
            entries => format!(
                "Users are not served: no answer of {}; lead traffic to the new primary another way",
                entries.join(", ")
            ),
        });
    }
    let closed: Vec<&str> = s.entries_silent().into_iter().map(|g| s.estate.group(g).name.as_str()).collect();
    if hit == 0 && !closed.is_empty() {
        words.push(format!(
            "No entry of {} answers: users may find no way in; lead traffic to the primary another way",
            closed.join(", ")
        ));
    }
    let fenced: Vec<&str> = s
        .groups
        .iter()
        .filter(|v| v.members.iter().any(|m| regions.contains(&m.region) && s.is_fenced(v.group, m.member)))
        .map(|v| s.estate.group(v.group).name.as_str())
        .collect();
    let well = regions.iter().all(|r| s.regions[r.at()].status == RegionStatus::Ok);
    let quiet = words.is_empty();
    if !fenced.is_empty() {
        let when = if well { String::new() } else { format!("Once {down} is well again, ") };
        words.push(format!(
            "{when}undo the fence of {}{}: Patroni brings it back as a standby. Then it is over, and what is led elsewhere may stay so",
            fenced.join(", "),
            how(c)
        ));
        if quiet && !well {
            words.insert(0, "Nothing is to be decided".to_string());
        }
        return Some(words.join(". "));
    }
    words.push(match (quiet, well) {
        (_, true) => {
            format!("Everything in {down} answers again: it is over once that has lasted for a few seconds")
        }
        (true, false) => format!("Nothing is to be decided: it is over once {down} is well again"),
        (false, false) => format!("It is over once {down} is well again"),
    });
    Some(words.join(". "))
}

/// How a fence is undone: in a simulation that is a key.
fn how(c: &Canvas) -> String {
    let here = if c.snapshot.world.is_some() && c.snapshot.mode != Mode::Replay {
        format!("here {}; ", c.key(Command::Mend))
    } else {
        String::new()
    };
    format!(" ({here}the command: {}, Enter)", c.key(Command::Go(crate::tui::Screen::Recovery)))
}

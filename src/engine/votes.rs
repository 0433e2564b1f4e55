//! Who says that a member is gone. Our own probes are one observer; standbys, the leader and balancers are others; a
//! renewed lock is a sign of life that outweighs them all. Unknown is no vote.

use super::planted::{self, Break};
use super::{Facts, limits};
use crate::model::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    Gone,
    Alive,
    Unknown,
}

#[derive(Clone, Debug)]
pub struct Vote {
    pub observer: String,
    pub stance: Stance,
    pub text: String,
    pub at: Option<Mono>,
    /// The recorded synchronous standby's word is asked for before automation acts.
    pub synchronous: bool,
    /// It says nothing because it is not heard from.
    pub absent: bool,
}

#[derive(Clone, Debug)]
pub struct Votes {
    pub list: Vec<Vote>,
    /// A sign of life that outweighs every vote.
    pub veto: Option<String>,
    /// The first of our own failures in a row.
    pub since: Option<Mono>,
    /// When anybody else last heard it, as far as is known.
    pub heard: Option<Mono>,
    pub ours: Stance,
}

impl Votes {
    pub fn count(&self, stance: Stance) -> usize {
        self.list.iter().filter(|v| v.stance == stance).count()
    }

    /// More than half of the configured observers say it is gone, we among them, and nothing says it lives.
    pub fn gone(&self) -> bool {
        self.ours == Stance::Gone && self.alive().is_none() && self.count(Stance::Gone) * 2 > self.list.len()
    }

    /// Enough to declare it, though not for automation to act on: it is gone as the majority says; or as we and somebody else
    /// say, where each of the others is not heard from and can tell nothing (a database all of whose nodes are dead).
    pub fn declares(&self) -> bool {
        let others = || self.list.iter().skip(1);
        let as_far_as_is_known = self.ours == Stance::Gone
            && self.alive().is_none()
            && others().any(|v| v.stance == Stance::Gone)
            && others().all(|v| v.stance == Stance::Gone || v.absent);
        self.gone() || as_far_as_is_known
    }

    /// Who says that it lives, if anybody does.
    pub fn alive(&self) -> Option<String> {
        if planted::is(Break::AliveIsNoVeto) {
            return None;
        }
        self.veto.clone().or_else(|| self.list.iter().find(|v| v.stance == Stance::Alive).map(|v| format!("{}: {}", v.observer, v.text)))
    }

    pub fn summary(&self) -> String {
        let names: Vec<_> = self.list.iter().filter(|v| v.stance == Stance::Gone).map(|v| v.observer.as_str()).collect();
        let absent = self.absent();
        let silent = if absent > 0 { format!("; {absent} not heard from") } else { String::new() };
        format!("{} of {} observers: {}{silent}", names.len(), self.list.len(), names.join(", "))
    }

    /// How many can say nothing, being silent themselves.
    pub fn absent(&self) -> usize {
        self.list.iter().filter(|v| v.absent && v.stance == Stance::Unknown).count()
    }

    /// The oldest evidence that a vote for «gone» rests on.
    pub fn oldest(&self) -> Option<Mono> {
        self.list.iter().filter(|v| v.stance == Stance::Gone).filter_map(|v| v.at).min()
    }
}

/// What is known of a primary whose agent does not answer us; `None` where it does. The votes on it, where somebody has
/// asked for them already.
pub fn silence(cx: &Facts, group: GroupId, known: Option<&Votes>) -> Option<Silence> {
    let primary = cx.state.primaries.get(group.at())?.0?;
    let member = cx.member(group, primary)?;
    member.rest.last.as_ref().filter(|last| !last.is_life())?;
    if member.sql.last.as_ref().is_some_and(ProbeResult::is_life) {
        // An agent that we do not reach, and that renews its lock, lives.
        let renewed = lock_renewed(cx, group, member.rest.failing_since);
        return Some(renewed.map_or(Silence::Agent, |age| Silence::Doubted { by: lock_words(age) }));
    }
    let alive = known.map_or_else(|| votes(cx, group, primary).alive(), Votes::alive);
    Some(alive.map_or(Silence::All, |by| Silence::Doubted { by }))
}

fn lock_words(age: Span) -> String {
    format!("its lock was renewed {age} ago")
}

/// Asks every configured observer about a member.
pub fn votes(cx: &Facts, group: GroupId, suspect: MemberId) -> Votes {
    let estate = cx.estate();
    let mut votes = Votes { list: Vec::new(), veto: None, since: None, heard: None, ours: Stance::Unknown };
    let (Some(database), Some(member)) = (&estate.group(group).database, cx.member(group, suspect)) else { return votes };
    let telemetry = cx.telemetry.group(group);
    let since = member.failing_since();
    votes.since = since;
    votes.list.push(own(cx, member));
    votes.ours = votes.list[0].stance;

    let leads = cx.leader(group) == Some(suspect);
    let recorded = cx.synchronous_standbys(group);
    let region = database.region_of(suspect);
    for other in database.member_ids() {
        if other == suspect || (!leads && cx.leader(group) != Some(other)) {
            continue;
        }
        let Some(watcher) = cx.member(group, other) else { continue };
        if leads && !planted::is(Break::AliveIsNoVeto) {
            votes.heard = votes.heard.max(watcher.heard);
        }
        let (stance, text, at) = if leads { hears(cx, watcher, since) } else { serves(cx, group, suspect, watcher) };
        let name = cx.label(group, other).into_owned();
        let absent = own(cx, watcher).stance == Stance::Gone;
        votes.list.push(Vote { observer: name, stance, text, at, synchronous: recorded.contains(&other), absent });
    }
    for (i, balancer) in database.balancers.iter().enumerate() {
        if balancer.region.is_some() && balancer.region == region {
            continue;
        }
        let seen = telemetry.balancers.get(i).and_then(|b| b.server(suspect));
        let (stance, text) = match seen {
            Some((_, at)) if cx.now.mono.since(at) > cx.stale_after() => (Stance::Unknown, "nothing recent".to_string()),
            Some((s, at)) if s.unreachable && since.is_none_or(|t| at >= t) => (Stance::Gone, s.check.to_string()),
            // In maintenance it is not checked: nothing is known of it there.
            Some((s, _)) if s.maintenance || s.check.is_empty() => (Stance::Unknown, "not checked in maintenance".to_string()),
            // A balancer goes on saying «up» until its own next checks have failed.
            Some((s, at)) if !s.unreachable && since.is_some_and(|t| at.since(t) > Span::secs(2)) => (Stance::Alive, s.check.to_string()),
            Some(_) => (Stance::Unknown, "no new check yet".to_string()),
            None => (Stance::Unknown, "not asked or no answer".to_string()),
        };
        let at = seen.map(|(_, at)| at);
        let away = telemetry.balancers.get(i).and_then(|b| b.away.as_ref());
        let absent = away.is_some_and(|(_, since)| cx.now.mono.since(*since) >= limits::SILENCE);
        votes.list.push(Vote { observer: format!("haproxy {}", balancer.address), stance, text, at, synchronous: false, absent });
    }
    if leads && let Some(age) = lock_renewed(cx, group, since) {
        votes.veto = Some(lock_words(age));
    }
    votes
}

/// How long ago the leader was seen to renew its lock, if that says that it lives although our probes fail.
fn lock_renewed(cx: &Facts, group: GroupId, since: Option<Mono>) -> Option<Span> {
    let loop_wait = cx.record(group).and_then(|r| r.config.as_ref()).map(|c| c.loop_wait);
    cx.telemetry.group(group).store.leader_alive?.against(since?, loop_wait, cx.now.mono)
}

/// Our own probes of both ports, together one observer.
fn own(cx: &Facts, member: &super::telemetry::MemberTelemetry) -> Vote {
    let at = member.sql.speaks_until.min(member.rest.speaks_until);
    let recent = at.is_some_and(|t| cx.now.mono.since(t) <= cx.stale_after());
    let (stance, text) = match (&member.sql.last, &member.rest.last) {
        _ if !recent => (Stance::Unknown, "not probed lately".to_string()),
        _ if member.sql.believed_gone() && member.rest.believed_gone() => {
            let how = if member.sql.refusals >= limits::REFUSALS && member.rest.refusals >= limits::REFUSALS { "refused" } else { "silent" };
            (Stance::Gone, format!("both ports {how}"))
        }
        (Some(sql), Some(rest)) if sql.is_life() || rest.is_life() => (Stance::Alive, "it answers us".to_string()),
        _ => (Stance::Unknown, "failing, not yet for long enough".to_string()),
    };
    Vote { observer: "our probes".to_string(), stance, text, at, synchronous: false, absent: false }
}

/// What a standby's receiver hears of its leader.
fn hears(cx: &Facts, watcher: &super::telemetry::MemberTelemetry, since: Option<Mono>) -> (Stance, String, Option<Mono>) {
    let Some((stream, at)) = watcher.stream else { return (Stance::Unknown, "its receiver was not asked".to_string(), None) };
    let heard = stream.silent_for.map(|s| at.minus(s));
    let after = since.is_none_or(|t| at >= t);
    let (stance, text) = if cx.now.mono.since(at) > cx.stale_after() {
        (Stance::Unknown, "nothing recent of its receiver".to_string())
    } else if !stream.streaming && after {
        (Stance::Gone, "its receiver lost the stream".to_string())
    } else if stream.silent_for.is_some_and(|s| s >= limits::SILENCE) && after {
        (Stance::Gone, "its receiver hears nothing".to_string())
    } else if heard.zip(since).is_some_and(|(h, t)| h > t) {
        (Stance::Alive, "its receiver hears it".to_string())
    } else {
        (Stance::Unknown, "its receiver has not noticed yet".to_string())
    };
    (stance, text, Some(at))
}

/// Whether the leader still sends to a standby.
fn serves(cx: &Facts, group: GroupId, suspect: MemberId, leader: &super::telemetry::MemberTelemetry) -> (Stance, String, Option<Mono>) {
    let Some((report, at)) = &leader.report else { return (Stance::Unknown, "not asked".to_string(), None) };
    if cx.now.mono.since(*at) > cx.stale_after() || report.role != MemberRole::Leader {
        return (Stance::Unknown, "nothing recent".to_string(), Some(*at));
    }
    let name = cx.member_name(group, suspect);
    match report.streams.iter().any(|s| *s.name == *name) {
        // A sender takes up to its timeout to notice.
        true => (Stance::Unknown, "still lists its stream".to_string(), Some(*at)),
        false => (Stance::Gone, "has no stream to it".to_string(), Some(*at)),
    }
}

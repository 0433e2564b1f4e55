//! Who says that a member is gone. Our own probes are one observer; standbys, the leader and balancers are others; a
//! renewed lock is a sign of life that outweighs them all. Unknown is no vote.

use super::facts::Facts;
use super::limits;
use super::planted::{self, Break};
use crate::model::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    Gone,
    Alive,
    Unknown,
}

#[derive(Clone, Debug)]
pub struct Vote {
    pub observer: Observer,
    pub stance: Stance,
    pub says: Says,
    pub at: Option<Mono>,
    /// The recorded synchronous standby's word is asked for before automation acts.
    pub synchronous: bool,
    /// It says nothing because it is not heard from.
    pub absent: bool,
}

#[derive(Clone, Debug)]
pub struct Votes {
    pub list: Vec<Vote>,
    /// How long ago it renewed its lock, where that says that it lives: it outweighs every vote.
    pub renewed: Option<Span>,
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

    /// What says that it lives, if anything does.
    pub fn alive(&self) -> Option<SignOfLife> {
        if planted::is(Break::AliveIsNoVeto) {
            return None;
        }
        let told = |v: &Vote| SignOfLife::Told { observer: v.observer.clone(), says: v.says.clone() };
        let renewed = self.renewed.map(|ago| SignOfLife::LockRenewed { ago });
        renewed.or_else(|| self.list.iter().find(|v| v.stance == Stance::Alive).map(told))
    }

    /// Who says that it is gone, of how many.
    pub fn tally(&self) -> Tally {
        let gone =
            self.list.iter().filter(|v| v.stance == Stance::Gone).map(|v| v.observer.clone()).collect();
        Tally::Counted { gone, of: self.list.len() as u16, absent: self.absent() as u16 }
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
        return Some(
            renewed
                .map_or(Silence::Agent, |age| Silence::Doubted { by: SignOfLife::LockRenewed { ago: age } }),
        );
    }
    let alive = known.map_or_else(|| votes(cx, group, primary).alive(), Votes::alive);
    Some(alive.map_or(Silence::All, |by| Silence::Doubted { by }))
}

/// Asks every configured observer about a member.
pub fn votes(cx: &Facts, group: GroupId, suspect: MemberId) -> Votes {
    let estate = cx.estate();
    let mut votes =
        Votes { list: Vec::new(), renewed: None, since: None, heard: None, ours: Stance::Unknown };
    let (Some(database), Some(member)) = (&estate.group(group).database, cx.member(group, suspect)) else {
        return votes;
    };
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
        let (stance, says, at) =
            if leads { hears(cx, watcher, since) } else { serves(cx, group, suspect, watcher) };
        let observer = Observer::Member(cx.label(group, other).into());
        let absent = own(cx, watcher).stance == Stance::Gone;
        votes.list.push(Vote { observer, stance, says, at, synchronous: recorded.contains(&other), absent });
    }
    for (i, balancer) in database.balancers.iter().enumerate() {
        // One that checks nothing has nothing to say.
        if !balancer.drains() || (balancer.region.is_some() && balancer.region == region) {
            continue;
        }
        let at = telemetry.balancers.get(i).and_then(|b| b.read_of(suspect));
        let (stance, says) = match at {
            None => (Stance::Unknown, Says::NoAnswer),
            Some(at) if cx.now.mono.since(at) > cx.stale_after() => (Stance::Unknown, Says::NothingRecent),
            // A member may have several servers: one that lives says that it lives, and only all that are checked say that it is gone.
            Some(at) => {
                let servers = telemetry.balancers[i].servers_of(suspect).map(|s| checked(s, at, since));
                let rank = |(stance, says): &(Stance, Says)| match (stance, says) {
                    (Stance::Alive, _) => 0,
                    (Stance::Unknown, Says::NoNewCheck) => 1,
                    (Stance::Gone, _) => 2,
                    (Stance::Unknown, _) => 3,
                };
                servers.min_by_key(rank).unwrap_or((Stance::Unknown, Says::NoAnswer))
            }
        };
        let away = telemetry.balancers.get(i).and_then(|b| b.away.as_ref());
        let absent = away.is_some_and(|(_, since)| cx.now.mono.since(*since) >= limits::SILENCE);
        let observer = Observer::Balancer { address: balancer.address.clone() };
        votes.list.push(Vote { observer, stance, says, at, synchronous: false, absent });
    }
    if leads {
        votes.renewed = lock_renewed(cx, group, since);
    }
    votes
}

/// What a balancer's check of one server says, read at `at`, of a member that fails for us since `since`.
fn checked(s: &ServerView, at: Mono, since: Option<Mono>) -> (Stance, Says) {
    match () {
        () if s.unreachable && since.is_none_or(|t| at >= t) => {
            (Stance::Gone, Says::Check((&*s.check).into()))
        }
        // In maintenance, or without an address, it is not checked: nothing is known of it there.
        () if s.maintenance || s.unresolved || s.check.is_empty() => (Stance::Unknown, Says::InMaintenance),
        // A balancer goes on saying «up» until its own next checks have failed.
        () if !s.unreachable && since.is_some_and(|t| at.since(t) > Span::secs(2)) => {
            (Stance::Alive, Says::Check((&*s.check).into()))
        }
        () => (Stance::Unknown, Says::NoNewCheck),
    }
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
    let (stance, says) = match (&member.sql.last, &member.rest.last) {
        _ if !recent => (Stance::Unknown, Says::NotProbed),
        _ if member.sql.believed_gone() && member.rest.believed_gone() => {
            let refused = member.sql.refusals >= limits::REFUSALS && member.rest.refusals >= limits::REFUSALS;
            (Stance::Gone, if refused { Says::PortsRefused } else { Says::PortsSilent })
        }
        (Some(sql), Some(rest)) if sql.is_life() || rest.is_life() => (Stance::Alive, Says::Answers),
        _ => (Stance::Unknown, Says::FailsTooShortly),
    };
    Vote { observer: Observer::OurProbes, stance, says, at, synchronous: false, absent: false }
}

/// What a standby's receiver hears of its leader.
fn hears(
    cx: &Facts,
    watcher: &super::telemetry::MemberTelemetry,
    since: Option<Mono>,
) -> (Stance, Says, Option<Mono>) {
    let Some((stream, at)) = watcher.stream else { return (Stance::Unknown, Says::ReceiverNotAsked, None) };
    let heard = stream.silent_for.map(|s| at.minus(s));
    let after = since.is_none_or(|t| at >= t);
    let (stance, says) = if cx.now.mono.since(at) > cx.stale_after() {
        (Stance::Unknown, Says::ReceiverNotRecent)
    } else if !stream.streaming && after {
        (Stance::Gone, Says::ReceiverLostStream)
    } else if stream.silent_for.is_some_and(|s| s >= limits::SILENCE) && after {
        (Stance::Gone, Says::ReceiverHearsNothing)
    } else if heard.zip(since).is_some_and(|(h, t)| h > t) {
        (Stance::Alive, Says::ReceiverHears)
    } else {
        (Stance::Unknown, Says::ReceiverHasNotNoticed)
    };
    (stance, says, Some(at))
}

/// Whether the leader still sends to a standby.
fn serves(
    cx: &Facts,
    group: GroupId,
    suspect: MemberId,
    leader: &super::telemetry::MemberTelemetry,
) -> (Stance, Says, Option<Mono>) {
    let Some((report, at)) = &leader.report else { return (Stance::Unknown, Says::NotAsked, None) };
    if cx.now.mono.since(*at) > cx.stale_after() || report.role != MemberRole::Leader {
        return (Stance::Unknown, Says::NothingRecent, Some(*at));
    }
    let name = cx.member_name(group, suspect);
    match report.streams.iter().any(|s| *s.name == *name) {
        // A sender takes up to its timeout to notice.
        true => (Stance::Unknown, Says::ListsStream, Some(*at)),
        false => (Stance::Gone, Says::LostStream, Some(*at)),
    }
}

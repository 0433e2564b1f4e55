//! What is missing, and what does not answer.

use super::kinds::route_words;
use super::{by_hand, elected_words, finding_words};
use crate::model::*;
use std::borrow::Cow;

/// A gap, with what helps.
pub fn gap_words(gap: &Gap, estate: &Estate) -> String {
    let label = |g: &GroupId, m: &MemberId| estate.member_label(*g, *m, None);
    let leader =
        |g: &GroupId, m: &Option<MemberId>| m.as_ref().map_or(Cow::Borrowed("its primary"), |m| label(g, m));
    let group = |g: GroupId| estate.group(g).name.as_str();
    match gap {
        Gap::NotMeasured => {
            "only the record is here: what was measured (tape.jsonl beside it) is not, so no lag, load or answer is shown".to_string()
        }
        Gap::PartlyMeasured { unread } => {
            let lines = if *unread == 1 { "1 line" } else { &format!("{unread} lines") };
            format!("{lines} of what was measured (tape.jsonl beside the journal) cannot be read: what it told is not shown; see the values' ages")
        }
        Gap::Unproven { group: g } => {
            let (name, way) = (group(*g), by_hand(estate.group(*g)));
            format!(
                "{name}: the cluster elected its primary by itself, and no write of ours has proven it: {way}, then vouch for it (v, or `bpci bc vouch --service {name}`)"
            )
        }
        Gap::Vouched { group: g, elected } => format!("{}: {}", group(*g), elected_words(elected, estate, *g)),
        Gap::IdentityChanged { group: g, change } => {
            let name = group(*g);
            format!("{name}: IDENTITY CHANGED: {}; no new operation until somebody adopts it (`bpci estate adopt {name}`)", identity_words(change))
        }
        Gap::Departed { group: g, left } => {
            let name = group(*g);
            format!("{name}: not configured as it was any more, and {left} of its changes are still to be undone; no new operation until then")
        }
        Gap::Blocked { group: g, finding } => format!("{}: {}", group(*g), finding_words(finding)),
        Gap::NoFence { group: g } => {
            format!("{}: no fence is configured, so a failover needs a typed risk; add `fence: {{ exec: […] }}`", group(*g))
        }
        Gap::NoStore { group: g } => format!("{}: no etcd is named, so nothing can be handed over; add `etcd: [http://…]`", group(*g)),
        Gap::StoreSilent { group: g, leader: l, stepped_down: true, reason } => {
            let (name, leader) = (group(*g), leader(g, l));
            format!("{name}: {leader} leads no more, and nobody takes writes until etcd answers; nothing else helps: {reason}")
        }
        Gap::StoreSilent { group: g, leader: l, stepped_down: false, reason } => {
            let (name, leader) = (group(*g), leader(g, l));
            format!("{name}: nothing can be handed over, and {leader} steps down if it cannot reach etcd either: {reason}")
        }
        Gap::TwoMayWrite { group: g, old, new } => {
            let (name, old, new) = (group(*g), label(g, old), label(g, new));
            format!("{name}: PostgreSQL on {old} answers and its Patroni does not: it may take writes beside {new}; stop it")
        }
        Gap::NotSynchronous { group: g, leader: l, waits: true } => {
            format!("{}: no standby is synchronous, so {} acknowledges nothing until one is (strict mode)", group(*g), leader(g, l))
        }
        Gap::NotSynchronous { group: g, leader: l, waits: false } => {
            format!("{}: no standby is synchronous: what {} acknowledges is on it alone, and lost with it", group(*g), leader(g, l))
        }
        Gap::NoEntry { group: g } => format!("{}: no traffic entry, so «users are served» cannot be proven; add `traffic`", group(*g)),
        Gap::PrimaryInMaintenance { group: g, leader: l, balancer } => {
            format!("{}: {} leads and is in maintenance on {balancer}: writes find no way; set it ready there", group(*g), label(g, l))
        }
        Gap::FenceCheckFails { group: g, member: m, reason } => format!("{}: {} could not be fenced: {reason}", group(*g), label(g, m)),
        Gap::LoginRefused { group: g, member: m, reason } => format!("{}: {} does not let us in: {reason}", group(*g), label(g, m)),
        Gap::ReceiverUnreadable { group: g, member: m, user } => {
            format!("{}: the receiver of {} cannot be read; grant it: GRANT pg_monitor TO {user}", group(*g), label(g, m))
        }
    }
}

/// Why a cluster is not the one that was seen.
pub fn identity_words(change: &IdentityChange) -> String {
    match change {
        IdentityChange::OtherSystem { seen, now } => format!("its system identifier was {seen} and is {now}"),
        IdentityChange::OtherHistory { timeline } => {
            format!("its history does not continue what was seen of timeline {timeline}")
        }
    }
}

/// What a source is called.
pub fn source_words(source: &Source, estate: &Estate) -> String {
    match source {
        Source::Store { group } => format!("etcd of {}", estate.group(*group).name),
        Source::Balancer { address } => format!("{} {address}", route_words(estate, address).name),
    }
}

//! What observers say of a member.

use crate::model::*;
use std::borrow::Cow;

/// What an observer is called.
pub fn observer_words(observer: &Observer) -> Cow<'_, str> {
    match observer {
        Observer::OurProbes => "our probes".into(),
        Observer::Member(name) => (&**name).into(),
        Observer::Balancer { address } => format!("haproxy {address}").into(),
    }
}

/// What an observer says of a member.
pub fn says_words(says: &Says) -> &str {
    match says {
        Says::NotProbed => "not probed lately",
        Says::PortsRefused => "both ports refused",
        Says::PortsSilent => "both ports silent",
        Says::Answers => "it answers us",
        Says::FailsTooShortly => "failing, not yet for long enough",
        Says::ReceiverNotAsked => "its receiver was not asked",
        Says::ReceiverNotRecent => "nothing recent of its receiver",
        Says::ReceiverLostStream => "its receiver lost the stream",
        Says::ReceiverHearsNothing => "its receiver hears nothing",
        Says::ReceiverHears => "its receiver hears it",
        Says::ReceiverHasNotNoticed => "its receiver has not noticed yet",
        Says::NotAsked => "not asked",
        Says::ListsStream => "still lists its stream",
        Says::LostStream => "has no stream to it",
        Says::Check(check) => check,
        Says::InMaintenance => "not checked in maintenance",
        Says::NoNewCheck => "no new check yet",
        Says::NoAnswer => "not asked or no answer",
        Says::NothingRecent => "nothing recent",
    }
}

/// What says that a member lives.
pub fn sign_words(sign: &SignOfLife) -> String {
    match sign {
        SignOfLife::LockRenewed { ago } => format!("its lock was renewed {ago} ago"),
        SignOfLife::Told { observer, says } => format!("{}: {}", observer_words(observer), says_words(says)),
    }
}

/// Who says that a member is gone, of how many.
pub fn tally_words(tally: &Tally) -> String {
    let (gone, of, absent) = match tally {
        Tally::Counted { gone, of, absent } => (gone, of, absent),
        Tally::Words(words) => return words.clone(),
    };
    let names: Vec<_> = gone.iter().map(observer_words).collect();
    let silent = if *absent > 0 { format!("; {absent} not heard from") } else { String::new() };
    format!("{} of {of} observers: {}{silent}", names.len(), names.join(", "))
}

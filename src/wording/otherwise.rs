//! What happens if nothing is done, in words.

use super::sign_words;
use crate::model::*;

/// What happens if nothing is done; empty where there is no database.
pub fn otherwise_words(otherwise: &Otherwise) -> String {
    match otherwise {
        Otherwise::NoDatabase => String::new(),
        Otherwise::Unknown => "unknown: etcd does not answer us".to_string(),
        Otherwise::Leads { member, sign } => {
            let sign = sign.as_ref().map_or(String::new(), |sign| format!(" ({})", sign_words(sign)));
            format!("nothing: {member} leads and keeps its lock{sign}")
        }
        Otherwise::LeadsAlready { member } => format!("nothing: {member} leads already"),
        Otherwise::Paused => "it stays down: Patroni is paused and will not act by itself".to_string(),
        Otherwise::NoQuorum => "it stays down: etcd has no quorum, so nobody can take the lock".to_string(),
        Otherwise::NobodyMay { lock } => {
            let so = match lock {
                LockHolder::Old => "; waiting by itself loses nothing",
                LockHolder::Agentless => "",
                LockHolder::Nobody => ", which nobody holds; waiting by itself loses nothing",
            };
            format!("it stays down: no living standby in /sync may take the lock{so}")
        }
        Otherwise::Takeover { old, by, left, beside } => {
            let beside = if *beside {
                format!(", beside {old}, whose PostgreSQL answers and may take writes until it is stopped")
            } else {
                String::new()
            };
            let by = by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
            match left {
                Some(left) => format!("Patroni's own takeover{by} in about {left}, unfenced{beside}"),
                None => format!("Patroni's own takeover, unfenced, when the lease of {old} ends{beside}"),
            }
        }
        Otherwise::Elects => "the cluster is electing a leader by itself".to_string(),
    }
}

/// What a person types to leave a primary that lives.
pub fn overrule_words(region: RegionId, estate: &Estate) -> String {
    format!("fence {} although it may live", estate.region(region).name)
}

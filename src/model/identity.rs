//! Which cluster a group's is, as it was seen: compared where both sides are known. Unknown refuses nothing.

use super::{Lsn, Name, Timeline};
use serde::{Deserialize, Serialize};

/// What identifies a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// PostgreSQL's system identifier, as Patroni keeps it in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_id: Option<Name>,
    /// The cluster id of the store itself. Another one with the same data is the same cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<Name>,
    /// Each timeline that has ended, and where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<(Timeline, Lsn)>,
}

/// Why a cluster is not the one that was seen before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityChange {
    /// It has another system identifier: it was built anew, or it is another cluster.
    OtherSystem { seen: Name, now: Name },
    /// The same timeline ended elsewhere, or a later one was known: it was restored, or is a branch.
    OtherHistory { timeline: Timeline },
}

impl Identity {
    /// What is known of the cluster once this was read.
    ///
    /// # Errors
    /// What was read does not continue what was seen.
    pub fn continued(&self, now: &Identity) -> Result<Identity, IdentityChange> {
        if let (Some(seen), Some(now)) = (&self.system_id, &now.system_id)
            && seen != now
        {
            return Err(IdentityChange::OtherSystem { seen: seen.clone(), now: now.clone() });
        }
        for (timeline, end) in &self.history {
            if now.history.iter().any(|(other, elsewhere)| other == timeline && elsewhere != end) {
                return Err(IdentityChange::OtherHistory { timeline: *timeline });
            }
        }
        let newest = |history: &[(Timeline, Lsn)]| history.iter().map(|(t, _)| *t).max();
        if let (Some(seen), Some(read)) = (newest(&self.history), newest(&now.history))
            && read < seen
        {
            return Err(IdentityChange::OtherHistory { timeline: seen });
        }
        let mut history = self.history.clone();
        history.extend(now.history.iter().filter(|(t, _)| !self.history.iter().any(|(known, _)| known == t)));
        history.sort();
        Ok(Identity {
            system_id: now.system_id.clone().or_else(|| self.system_id.clone()),
            store_id: now.store_id.clone().or_else(|| self.store_id.clone()),
            history,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(system: Option<&str>, store: Option<&str>, history: &[(u32, u64)]) -> Identity {
        let history = history.iter().map(|(t, end)| (Timeline(*t), Lsn(*end))).collect();
        Identity { system_id: system.map(Name::from), store_id: store.map(Name::from), history }
    }

    #[test]
    fn only_what_both_sides_know_is_compared() {
        let seen = identity(Some("a"), Some("1"), &[(1, 10), (2, 20)]);
        for (now, continues) in [
            (identity(None, None, &[]), true),
            (identity(Some("a"), Some("1"), &[(1, 10), (2, 20), (3, 30)]), true),
            // A store that was built anew with the same data.
            (identity(Some("a"), Some("2"), &[(1, 10), (2, 20)]), true),
            // Patroni keeps the newest timelines only.
            (identity(Some("a"), None, &[(2, 20), (3, 30)]), true),
            (identity(Some("b"), Some("1"), &[]), false),
            (identity(Some("a"), Some("1"), &[(1, 11)]), false),
            (identity(Some("a"), Some("1"), &[(1, 10)]), false),
            (identity(Some("a"), Some("1"), &[(1, 10), (2, 21)]), false),
        ] {
            assert_eq!(seen.continued(&now).is_ok(), continues, "{now:?}");
        }
        let merged = seen.continued(&identity(None, Some("2"), &[(3, 30)]));
        assert_eq!(merged, Ok(identity(Some("a"), Some("2"), &[(1, 10), (2, 20), (3, 30)])));
    }
}

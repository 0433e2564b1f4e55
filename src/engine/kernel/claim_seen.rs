//! What has been seen of a claim's two keys in the store.

use crate::model::*;
use std::sync::Arc;

/// What has been seen of the operation key and the owner key. They are read only when they change: a step is looked at often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimSeen {
    pub key: Option<OperationKey>,
    pub claim: Option<Arc<Claim>>,
    pub owner: Option<(OperationKey, Option<Arc<Owner>>)>,
    /// The operation key has stood like this since then.
    pub since: Mono,
    /// Since when the owner key is gone.
    pub owner_gone: Option<Mono>,
    /// A running claim that a restored store does not know any more, and since when: who had it may not know that yet.
    pub forgotten: Option<(Arc<Claim>, Mono)>,
}

impl ClaimSeen {
    /// What is known after one more read of the store. `restored`: the store has gone back in time, and what was seen of its keys
    /// before counts no more.
    pub fn after(before: Option<ClaimSeen>, record: &StoreRecord, at: Mono, restored: bool) -> ClaimSeen {
        let key = standing_key(record);
        let runs = |c: &Arc<Claim>| c.running && c.owner.is_some();
        let forgotten = before.as_ref().and_then(|b| match &b.claim {
            Some(claim) if restored && runs(claim) => Some((Arc::clone(claim), at)),
            _ => b.forgotten.clone(),
        });
        let before = before.filter(|_| !restored);
        let (known, owner) = before.map_or((None, None), |b| {
            ((b.key.as_ref() == key).then_some((b.claim, b.since, b.owner_gone)), b.owner)
        });
        let (claim, since, gone) =
            known.unwrap_or_else(|| (key.and_then(|k| Claim::read(&k.value)).map(Arc::new), at, None));
        let owner = record.owner.as_ref().map(|key| match owner {
            Some((before, read)) if before == *key => (before, read),
            _ => (key.clone(), Owner::read(&key.value).map(Arc::new)),
        });
        let owner_gone = if owner.is_none() { gone.or(Some(at)) } else { None };
        ClaimSeen { key: key.cloned(), claim, owner, since, owner_gone, forgotten }
    }

    pub fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref().and_then(|(_, owner)| owner.as_deref())
    }
}

/// The operation key that counts: an older program's at its own path until a newer operation was claimed.
pub fn standing_key(record: &StoreRecord) -> Option<&OperationKey> {
    let generation = |key: &OperationKey| Claim::read(&key.value).map(|c| c.generation);
    let is_older = |k: &OperationKey| Claim::read(&k.value).is_some_and(|c| c.owner.is_none() && c.running);
    let legacy = record
        .legacy
        .as_ref()
        .filter(|k| is_older(k) && record.operation.as_ref().is_none_or(|o| generation(o) <= generation(k)));
    legacy.or(record.operation.as_ref())
}

/// The highest generation that the store knows.
pub fn stored_generation(record: &StoreRecord) -> Generation {
    let keys = [record.operation.as_ref(), record.legacy.as_ref()];
    keys.into_iter()
        .flatten()
        .filter_map(|k| Claim::read(&k.value))
        .map(|c| c.generation)
        .max()
        .unwrap_or_default()
}

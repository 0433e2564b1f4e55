//! The simulated consensus store: one cluster's keys, with revisions.

use crate::model::*;

#[derive(Clone, Debug)]
pub struct Store {
    pub revision: u64,
    pub leader: Option<Lock>,
    pub sync: SyncKey,
    pub failover: Option<FailoverKey>,
    pub paused: bool,
    pub config_revision: u64,
    pub status: Option<StatusKey>,
    pub operation: Option<OperationKey>,
    pub owner: Option<OwnerLease>,
    pub last_switch: Option<(Timeline, Lsn)>,
}

#[derive(Clone, Debug)]
pub struct Lock {
    /// Position of the member that holds it.
    pub holder: usize,
    pub create_revision: u64,
    pub ends: Mono,
}

/// The owner key, on its lease.
#[derive(Clone, Debug)]
pub struct OwnerLease {
    pub key: OperationKey,
    pub ends: Mono,
}

impl Store {
    pub fn next(&mut self) -> u64 {
        self.revision += 1;
        self.revision
    }

    pub fn take_lock(&mut self, holder: usize, ends: Mono) {
        let create_revision = self.next();
        self.leader = Some(Lock { holder, create_revision, ends });
    }

    pub fn set_sync(&mut self, leader: &str, standbys: Vec<Name>) {
        if self.sync.leader.as_deref() != Some(leader) || self.sync.standbys != standbys {
            let revision = self.next();
            self.sync = SyncKey { leader: Some(leader.into()), standbys, quorum: None, revision };
        }
    }

    /// The claim as it stands.
    pub fn claimed(&self) -> Option<Claim> {
        Claim::read(&self.operation.as_ref()?.value)
    }

    /// Writes both keys, if they are as they were read.
    pub fn claim(&mut self, value: &str, read: (Option<u64>, Option<u64>), ends: Mono) -> Result<(), String> {
        let (operation, owner) = read;
        if self.operation.as_ref().map(|k| k.revision) != operation {
            return Err("operation changed since it was read; nothing was done".to_string());
        }
        if self.owner.as_ref().map(|o| o.key.revision) != owner {
            return Err("owner changed since it was read; nothing was done".to_string());
        }
        let revision = self.next();
        self.operation = Some(OperationKey { value: value.into(), revision });
        let owner = Claim::read(value).and_then(|c| c.owner);
        self.owner =
            owner.map(|o| OwnerLease { key: OperationKey { value: o.write().into(), revision }, ends });
        Ok(())
    }

    pub fn release(&mut self, value: &str, over: &str) -> Result<(), String> {
        let ours = Claim::read(value);
        if !self.claimed().is_some_and(|c| ours.is_some_and(|o| o.is_same_run(&c))) {
            return Err("the claim is another's by now".to_string());
        }
        let revision = self.next();
        self.operation = Some(OperationKey { value: over.into(), revision });
        self.owner = None;
        Ok(())
    }

    /// Changes the operation key for no other reason than that a request which compares it must not succeed any more.
    pub fn exclude(&mut self) {
        let revision = self.next();
        let value = match (self.claimed(), &self.operation) {
            (Some(claim), _) => Claim { attempt: claim.attempt + 1, ..claim }.write().into(),
            (None, Some(key)) => Name::clone(&key.value),
            (None, None) => "{}".into(),
        };
        self.operation = Some(OperationKey { value, revision });
    }

    /// All of the transaction's comparisons hold, or nothing happens.
    pub fn hand_over(&mut self, h: &HandOver, old_holder: Option<usize>) -> Result<(), String> {
        let same = |name: &str, ours: Option<u64>, theirs: Option<u64>| {
            if ours == theirs { Ok(()) } else { Err(format!("`{name}` was changed since it was read")) }
        };
        let leader = self.leader.as_ref();
        if leader.is_some_and(|l| Some(l.holder) != old_holder) {
            return Err("`leader` is held by another".to_string());
        }
        same("leader", h.leader_create_revision, leader.map(|l| l.create_revision))?;
        same("sync", h.sync_revision, Some(self.sync.revision))?;
        same("failover", h.failover_revision, self.failover.as_ref().map(|f| f.revision))?;
        same("config", h.config_revision, Some(self.config_revision))?;
        same("operation", h.operation_revision, self.operation.as_ref().map(|k| k.revision))?;
        if !h.owner.is_empty() && self.owner.as_ref().is_none_or(|o| *o.key.value != *h.owner) {
            return Err("the owner key is not ours".to_string());
        }
        self.leader = None;
        let revision = self.next();
        let from = h.bind_to_old.then(|| h.old.clone());
        if !h.claim.is_empty() {
            self.operation = Some(OperationKey { value: h.claim.as_str().into(), revision });
        }
        self.failover = Some(FailoverKey {
            content: Some(FailoverRequest { from, to: Some(h.candidate.clone()), scheduled_at: None }),
            revision,
        });
        Ok(())
    }
}

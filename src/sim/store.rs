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
    pub last_switch: Option<(Timeline, Lsn)>,
}

#[derive(Clone, Debug)]
pub struct Lock {
    /// Position of the member that holds it.
    pub holder: usize,
    pub create_revision: u64,
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

    pub fn claim(&mut self, value: &str, revision: Option<u64>) -> Result<(), String> {
        if self.operation.as_ref().map(|k| k.revision) != revision {
            return Err("somebody else wrote the operation key meanwhile".to_string());
        }
        let revision = self.next();
        self.operation = Some(OperationKey { value: value.into(), revision });
        Ok(())
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
        self.leader = None;
        let revision = self.next();
        let from = h.bind_to_old.then(|| h.old.clone());
        self.failover = Some(FailoverKey { content: Some(FailoverRequest { from, to: Some(h.candidate.clone()), scheduled_at: None }), revision });
        Ok(())
    }
}

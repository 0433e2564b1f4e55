//! The door to real systems: tasks behind bounded queues.

use super::address::Addresses;
use super::boottime::BootTime;
use super::etcd::Etcd;
use super::eyes::{Eyes, Pace, Shared};
use super::http::Http;
use super::patience::Patience;
use super::postgres::Sql;
use super::quiet::Quiet;
use super::{effects, look, service};
use crate::engine::{Door, Sending};
use crate::model::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::{mpsc, watch};

pub struct LiveDoor {
    shared: Arc<Shared>,
    incoming: mpsc::Receiver<Incoming>,
    waiting: Vec<Incoming>,
}

/// Observations that wait to be decided on. More than this means that we are slower than the world; the looks wait.
const QUEUE: usize = 4_096;

impl LiveDoor {
    /// Starts looking at everything the estate names. `home` keeps receipts and addresses; `owner` signs the claims.
    ///
    /// # Errors
    /// A file of certificates, keys or passwords cannot be read.
    pub fn open(estate: &Arc<Estate>, home: &Path, began: Instant, owner: Owner) -> Result<LiveDoor, String> {
        let (sender, incoming) = mpsc::channel(QUEUE);
        let mut groups = BTreeMap::new();
        for group in estate.group_ids() {
            let Some(database) = estate.group(group).database.clone() else { continue };
            let http = Http::rest(&database)?;
            let sql = Sql::new(&database)?;
            let calm = estate.policy.detection.interval;
            let (pace, _) = watch::channel(Pace { calm, close: calm, close_until: Mono::default() });
            let addresses = Addresses::load(home.join(format!("members-{}.json", database.scope)), &database);
            let etcd = Etcd::new(&database)?;
            let (voters, tenure) = (Mutex::new((0, 0)), Mutex::new(None));
            let eyes = Eyes {
                http,
                etcd,
                sql,
                addresses,
                voters,
                patience: Patience::default(),
                pace,
                tenure,
                quiet: Quiet::default(),
                database,
            };
            groups.insert(group, eyes);
        }
        let shared = Arc::new(Shared {
            estate: Arc::clone(estate),
            groups,
            receipts: home.join("receipts"),
            owner,
            began,
            incoming: sender,
            over: AtomicBool::new(false),
        });
        for group in shared.groups.keys() {
            look::start(&shared, *group);
        }
        service::start(&shared);
        Ok(LiveDoor { shared, incoming, waiting: Vec::new() })
    }

    /// Resolves when something has come in.
    pub async fn ready(&mut self) {
        if !self.waiting.is_empty() {
            return;
        }
        match self.incoming.recv().await {
            Some(incoming) => self.waiting.push(incoming),
            None => std::future::pending().await,
        }
    }
}

impl Drop for LiveDoor {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
    }
}

impl Door for LiveDoor {
    fn submit(&mut self, now: Now, sending: Sending) {
        let (shared, decided) = (Arc::clone(&self.shared), BootTime::now());
        tokio::spawn(async move {
            match sending {
                Sending::Act(act) => effects::carry_out(&shared, act.issued(), decided).await,
                Sending::Promotion(promotion) => {
                    effects::promote(&shared, promotion, now.mono, decided).await
                }
            }
        });
    }

    fn look(&mut self, _now: Now, look: Look) {
        match look {
            Look::Closely { group, every, until } => {
                if let Some(eyes) = self.shared.groups.get(&group) {
                    eyes.pace.send_modify(|p| {
                        p.close = every;
                        p.close_until = p.close_until.max(until);
                    });
                }
            }
            Look::Outcome { issued } => {
                let shared = Arc::clone(&self.shared);
                tokio::spawn(async move { effects::find_out(&shared, *issued).await });
            }
        }
    }

    fn poll(&mut self, _now: Mono) -> Vec<Incoming> {
        let mut all = std::mem::take(&mut self.waiting);
        while all.len() < QUEUE
            && let Ok(incoming) = self.incoming.try_recv()
        {
            all.push(incoming);
        }
        all
    }

    fn next_deadline(&self) -> Option<Mono> {
        None
    }
}

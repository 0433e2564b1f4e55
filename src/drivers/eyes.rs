//! What the tasks that look and act share.

use super::address::Addresses;
use super::etcd::Etcd;
use super::http::Http;
use super::patience::Patience;
use super::postgres::Sql;
use super::quiet::Quiet;
use super::tenure::Tenure;
use crate::model::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// How often a group is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub calm: Span,
    pub close: Span,
    pub close_until: Mono,
}

impl Pace {
    pub fn interval(&self, now: Mono) -> Duration {
        if now < self.close_until { self.close.min(self.calm).as_std() } else { self.calm.as_std() }
    }
}

/// What the tasks of one database share.
pub(super) struct Eyes {
    pub database: Database,
    pub http: Http,
    pub etcd: Etcd,
    pub sql: Option<Sql>,
    pub addresses: Addresses,
    pub voters: Mutex<(u16, u16)>,
    pub patience: Patience,
    pub pace: watch::Sender<Pace>,
    /// What this process holds of the owner key.
    pub tenure: Mutex<Option<Tenure>>,
    pub quiet: Quiet,
}

impl Eyes {
    /// The member's name in the cluster, as the configuration or the cluster tells it.
    pub fn member_name(&self, member: MemberId) -> Option<String> {
        let configured = self.database.member(member).and_then(|m| m.name.clone());
        configured.or_else(|| {
            self.addresses.get().into_iter().find(|m| m.member == Some(member)).map(|m| m.name.to_string())
        })
    }

    /// The region of a member, by name.
    pub fn region_name<'a>(&self, estate: &'a Estate, member: MemberId) -> &'a str {
        self.database.region_of(member).map_or("?", |r| estate.region(r).name.as_str())
    }
}

pub(super) struct Shared {
    pub estate: Arc<Estate>,
    pub groups: BTreeMap<GroupId, Eyes>,
    pub receipts: PathBuf,
    /// This process, as it signs its claims.
    pub owner: Owner,
    pub began: Instant,
    pub incoming: mpsc::Sender<Incoming>,
    pub over: AtomicBool,
}

impl Shared {
    pub fn now(&self) -> Mono {
        Mono(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    pub fn gone(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub async fn tell(&self, at: Mono, fact: Fact) {
        // A full queue makes the looking wait, never the deciding.
        let _ = self.incoming.send(Incoming::Observed(Observation { at, fact })).await;
    }

    pub async fn report(&self, report: Report) {
        let _ = self.incoming.send(Incoming::Report(report)).await;
    }
}

/// The member that a balancer's server means by its name: the member's own, or its region's where it is alone there.
pub(super) fn member_named(shared: &Shared, eyes: &Eyes, name: &str) -> Option<MemberId> {
    let own = |m: &MemberId| eyes.member_name(*m).as_deref() == Some(name);
    let alone = |m: &MemberId| eyes.database.is_alone(*m) && eyes.region_name(&shared.estate, *m) == name;
    eyes.database.member_ids().find(own).or_else(|| eyes.database.member_ids().find(alone))
}

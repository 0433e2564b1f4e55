//! The claim in the consensus store: taking it, keeping it, asking for it right before something is sent, and giving it up.
//!
//! The hand-over compares the claim in its own transaction. A fence, a drain and a request to Patroni cannot: each reads the claim
//! at most a second before it is sent, and the lease of the owner key runs for at least five seconds more by then. What remains is
//! a race: a process that is frozen between that last look at the clock and the call that sends, and thaws after another
//! controller has taken over, sends one effect. A command asks the clock once more in its own process before it begins. A
//! takeover waits for the lease and for the longest patience of the operation, so the freeze has to be as long as both.

use super::boottime::BootTime;
use super::etcd::{self, Compare, Keys, Transacted, Unchanged};
use super::eyes::{Eyes, Shared};
use super::tenure::{LEASE, MARGIN, Tenure, lease_for};
use crate::model::*;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The claim is read at most this long before something is sent that cannot compare it.
const READ_BEFORE: Duration = Duration::from_secs(1);
/// A keep-alive that failed is tried again after this time.
const AGAIN: Duration = Duration::from_millis(500);

impl Eyes {
    /// This process holds the claim, and has renewed it in time.
    ///
    /// # Errors
    /// Why nothing may be sent.
    pub fn holds_claim(&self) -> Result<(), String> {
        let tenure = self.tenure.lock().ok().and_then(|t| *t);
        tenure.ok_or_else(|| "this process does not hold the claim".to_string())?.holds()
    }

    fn set_tenure(&self, new: Option<Tenure>) {
        if let Ok(mut tenure) = self.tenure.lock() {
            *tenure = new;
        }
    }
}

/// An effect, with the moment in which it was decided.
pub(super) struct Decided {
    pub issued: Issued,
    pub at: BootTime,
}

impl std::ops::Deref for Decided {
    type Target = Issued;

    fn deref(&self) -> &Issued {
        &self.issued
    }
}

/// That the claim is ours, as it was read a moment ago.
pub(super) struct Permit {
    /// `None`: there is no store to ask.
    read: Option<BootTime>,
    /// What was decided before this process was frozen is not sent after it.
    decided: BootTime,
    /// The lease must run on: everything but the traffic that is given back when an operation is over.
    leased: bool,
}

impl Permit {
    /// Asked right before something is sent.
    ///
    /// # Errors
    /// Why it may not be sent.
    pub fn stands(&self, eyes: &Eyes) -> Result<(), String> {
        let Some(read) = self.read else { return Ok(()) };
        if read.elapsed() > READ_BEFORE {
            return Err(format!("our claim was read {} ms ago", read.elapsed().as_millis()));
        }
        if self.decided.elapsed() > LEASE - MARGIN {
            return Err(format!("it was decided {} ms ago", self.decided.elapsed().as_millis()));
        }
        if self.leased { eyes.holds_claim() } else { Ok(()) }
    }

    /// The moment from which on a command may not begin any more.
    pub fn ends(&self) -> Option<BootTime> {
        self.read.map(|t| t.plus(READ_BEFORE))
    }
}

/// Reads the claim: an effect of this operation may be sent while it is ours.
///
/// # Errors
/// Why nothing may be sent.
pub(super) async fn permit(shared: &Shared, eyes: &Eyes, issued: &Decided) -> Result<Permit, String> {
    if eyes.database.store.is_empty() {
        return Ok(Permit { read: None, decided: issued.at, leased: false });
    }
    let read = Some(BootTime::now());
    let keys =
        eyes.etcd.read_own(&eyes.database).await.map_err(|e| format!("our claim could not be read: {e}"))?;
    let (stored, owner) = stored(&eyes.database, &keys);
    let ours = stored.as_ref().is_some_and(|c| {
        c.running
            && c.operation == issued.id.operation.to_string()
            && c.generation == issued.id.generation
            && c.owner.as_ref() == Some(&shared.owner)
    });
    if ours && owner.as_ref() == Some(&shared.owner) {
        return Ok(Permit { read, decided: issued.at, leased: true });
    }
    // Traffic is given back after the claim was released: nobody else may be at work then.
    let free = stored.as_ref().is_none_or(|c| !c.running) && owner.is_none();
    if free && matches!(issued.effect, Effect::Restore { .. }) {
        return Ok(Permit { read, decided: issued.at, leased: false });
    }
    Err(match stored.filter(|c| c.running) {
        Some(claim) if claim.owner.as_ref() == Some(&shared.owner) => "our owner key is gone".to_string(),
        Some(claim) => format!("{} holds the claim", holder(&claim)),
        None => "the claim is not ours".to_string(),
    })
}

/// The operation key and the owner key.
fn stored(database: &Database, keys: &Keys) -> (Option<Claim>, Option<Owner>) {
    let value = |key: &str| keys.get(key).map(|k| k.value.as_str());
    (
        value(&etcd::operation_key(database)).and_then(Claim::read),
        value(&etcd::owner_key(database)).and_then(Owner::read),
    )
}

/// The operation and who runs it, in words.
fn holder(claim: &Claim) -> String {
    let by = claim.owner.as_ref().map_or_else(|| claim.by.clone(), Owner::to_string);
    format!("{} of {by}", claim.operation)
}

/// What is to be written, and what it must find.
pub(super) struct Claiming<'a> {
    pub value: &'a str,
    pub revision: Option<u64>,
    pub owner_revision: Option<u64>,
    pub legacy_revision: Option<u64>,
}

/// Takes the claim, and keeps it from then on.
pub(super) async fn claim(
    shared: &Arc<Shared>,
    group: GroupId,
    eyes: &Eyes,
    wanted: &Claiming<'_>,
) -> Outcome {
    let database = &eyes.database;
    let Some(claim) = Claim::read(wanted.value) else { return not_done("the claim cannot be read") };
    let owner = claim.owner.clone().unwrap_or_default();
    let (sent, length) = (BootTime::now(), lease_for(eyes.etcd.round_trip()));
    let lease = match grant(eyes, length).await {
        Ok(lease) => lease,
        // Nothing was asked for yet but a lease that nobody uses.
        Err(reason) => return Outcome::Missed { reason: format!("etcd gave no lease: {reason}") },
    };
    let (key, owner_key, legacy_key) =
        (etcd::operation_key(database), etcd::owner_key(database), etcd::legacy_key(database));
    let mut compare = vec![
        Compare::At(key.clone(), wanted.revision),
        Compare::At(owner_key.clone(), wanted.owner_revision),
    ];
    let mut changes =
        vec![etcd::put(&key, wanted.value), etcd::put_leased(&owner_key, &owner.write(), lease)];
    if let Some(revision) = wanted.legacy_revision {
        // An older program compares its own key: it is changed, so that what it still wants to do does not happen.
        compare.push(Compare::At(legacy_key.clone(), Some(revision)));
        changes.push(etcd::put(
            &legacy_key,
            &Claim { running: false, phase: ClaimPhase::Over, ..claim.clone() }.write(),
        ));
    }
    let outcome = match eyes.etcd.transact(database, &compare, changes).await {
        Transacted::Happened(_) => {
            eyes.set_tenure(Some(Tenure { lease, length, renewed: sent }));
            tokio::spawn(keep(Arc::clone(shared), group, lease));
            return Outcome::Done { detail: "claimed".to_string() };
        }
        Transacted::Held(keys) => {
            let (stored, _) = stored(database, &keys);
            let other = stored.filter(|c| c.running && !c.is_same_run(&claim));
            not_done(other.map_or_else(
                || etcd::differs(&compare, &keys),
                |c| format!("{} holds the claim", holder(&c)),
            ))
        }
        // The lease ends by itself where nobody keeps it.
        other => return unsettled(other),
    };
    revoke(eyes, lease).await;
    outcome
}

/// Gives the claim up. Nothing happens if it is not ours any more.
pub(super) async fn release(eyes: &Eyes, value: &str, over: &str) -> Outcome {
    let database = &eyes.database;
    let key = etcd::operation_key(database);
    let Some(ours) = Claim::read(value) else { return not_done("the claim cannot be read") };
    let keys = match eyes.etcd.read_own(database).await {
        Ok(keys) => keys,
        Err(reason) => return Outcome::Missed { reason: format!("our claim could not be read: {reason}") },
    };
    let revision = match (stored(database, &keys).0, keys.get(&key)) {
        (Some(stored), Some(read)) if stored.is_same_run(&ours) && !stored.running && read.value == over => {
            return released(eyes).await;
        }
        (Some(stored), Some(read)) if stored.is_same_run(&ours) => read.modified,
        _ => return not_done("the claim is another's by now"),
    };
    let changes = vec![etcd::put(&key, over), etcd::delete(&etcd::owner_key(database))];
    match eyes.etcd.transact(database, &[Compare::At(key, Some(revision))], changes).await {
        Transacted::Happened(_) => released(eyes).await,
        // Our own key was changed by us in between, or by another: it is read anew.
        Transacted::Held(_) => {
            Outcome::Missed { reason: "the claim changed while it was released".to_string() }
        }
        other => unsettled(other),
    }
}

async fn released(eyes: &Eyes) -> Outcome {
    let tenure = eyes.tenure.lock().ok().and_then(|mut t| t.take());
    if let Some(tenure) = tenure {
        revoke(eyes, tenure.lease).await;
    }
    Outcome::Done { detail: "the claim is released".to_string() }
}

/// The one transaction: the lock of the old primary is released to the candidate.
pub(super) async fn hand_over(eyes: &Eyes, id: EffectId, h: &HandOver) -> Outcome {
    let database = &eyes.database;
    let key = |name: &str| format!("{}{name}", database.prefix());
    let leader = key("leader");
    let mut compare = vec![
        Compare::At(key("sync"), h.sync_revision),
        Compare::At(key("failover"), h.failover_revision),
        Compare::At(key("config"), h.config_revision),
        Compare::At(etcd::operation_key(database), h.operation_revision),
    ];
    if !h.owner.is_empty() {
        compare.push(Compare::Value(etcd::owner_key(database), h.owner.clone()));
    }
    match h.leader_create_revision {
        Some(revision) => compare.extend([
            Compare::Value(leader.clone(), h.old.clone()),
            Compare::Created(leader.clone(), revision),
        ]),
        None => compare.push(Compare::At(leader.clone(), None)),
    }
    let request = if h.bind_to_old {
        json!({"leader": h.old, "member": h.candidate})
    } else {
        json!({"member": h.candidate})
    };
    let mut changes = vec![
        etcd::delete(&leader),
        etcd::put(&key("failover"), &request.to_string()),
        // So that it can be asked afterwards whether it happened.
        etcd::put(&etcd::handed_over_key(database), &id.to_string()),
    ];
    if !h.claim.is_empty() {
        changes.push(etcd::put(&etcd::operation_key(database), &h.claim));
    }
    if let Err(reason) = eyes.holds_claim() {
        return Outcome::Missed { reason };
    }
    match eyes.etcd.transact(database, &compare, changes).await {
        Transacted::Happened(_) => {
            Outcome::Done { detail: format!("the lock of {} is released to {}", h.old, h.candidate) }
        }
        Transacted::Held(keys) => not_done(etcd::differs(&compare, &keys)),
        other => unsettled(other),
    }
}

fn not_done(reason: impl Into<String>) -> Outcome {
    Outcome::NotDone { reason: reason.into() }
}

/// Of a transaction that brought no answer of its own.
fn unsettled(transacted: Transacted) -> Outcome {
    match transacted {
        Transacted::NotSent(reason) => Outcome::Missed { reason },
        Transacted::Refused(reason) => not_done(format!("etcd refused it: {reason}")),
        Transacted::Unknown(reason) => Outcome::Unknown { reason: format!("the answer was lost: {reason}") },
        Transacted::Happened(_) | Transacted::Held(_) => {
            Outcome::Unknown { reason: "the answer was not understood".to_string() }
        }
    }
}

/// Why a lost request is not waited for any more.
const EXCLUDED: &str =
    "its answer was lost; it was seen that it did not happen, and it cannot happen any more";

/// The operation key as it stands once a lost request that compares this revision of it cannot succeed any more. First the key is
/// changed, where it still stands at that revision; then it is read.
///
/// # Errors
/// Nobody can tell yet.
async fn excluded(
    database: &Database,
    eyes: &Eyes,
    compared: Option<u64>,
    absent: &str,
) -> Result<Keys, String> {
    let key = etcd::operation_key(database);
    let keys = eyes.etcd.read_own(database).await?;
    let stands = keys.get(&key);
    if stands.map(|k| k.modified) != compared {
        return Ok(keys);
    }
    let value = match stands {
        Some(k) => Claim::read(&k.value)
            .map_or_else(|| k.value.clone(), |c| Claim { attempt: c.attempt + 1, ..c }.write()),
        None => absent.to_string(),
    };
    match eyes
        .etcd
        .transact(database, &[Compare::At(key.clone(), compared)], vec![etcd::put(&key, &value)])
        .await
    {
        Transacted::Happened(keys) | Transacted::Held(keys) if !keys.list.is_empty() => Ok(keys),
        Transacted::Happened(_) | Transacted::Held(_) => Err("etcd's answer was not understood".to_string()),
        Transacted::Unknown(reason) | Transacted::NotSent(reason) | Transacted::Refused(reason) => {
            Err(reason)
        }
    }
}

/// Finds out what became of a claim, and excludes that it happens later.
pub(super) async fn find_claim(
    shared: &Arc<Shared>,
    group: GroupId,
    eyes: &Eyes,
    wanted: &Claiming<'_>,
) -> Outcome {
    let database = &eyes.database;
    let Some(claim) = Claim::read(wanted.value) else { return not_done("the claim cannot be read") };
    // Where there was none before, one that is over takes its place.
    let absent =
        Claim { running: false, phase: ClaimPhase::Over, attempt: claim.attempt + 1, ..claim.clone() }
            .write();
    let keys = match excluded(database, eyes, wanted.revision, &absent).await {
        Ok(keys) => keys,
        Err(reason) => return Outcome::Unknown { reason },
    };
    let (stored, owner) = stored(database, &keys);
    // A key that was changed to exclude it carries another attempt.
    let ours =
        |c: Claim| c.running && c.is_same_run(&claim) && c.owner == claim.owner && c.attempt == claim.attempt;
    if !stored.is_some_and(ours) {
        return Outcome::Missed { reason: EXCLUDED.to_string() };
    }
    let lease = keys
        .get(&etcd::owner_key(database))
        .and_then(|k| k.lease)
        .filter(|_| owner.as_ref() == Some(&shared.owner));
    if let Some(lease) = lease
        && let Some((_, length)) = eyes.etcd.lease(lease).await
    {
        let sent = BootTime::now();
        if renew(eyes, lease).await == Ok(true) {
            eyes.set_tenure(Some(Tenure { lease, length: length.as_std(), renewed: sent }));
            tokio::spawn(keep(Arc::clone(shared), group, lease));
        }
    }
    Outcome::Done { detail: "claimed; its answer was lost, and it was seen to have happened".to_string() }
}

/// Finds out what became of a release.
pub(super) async fn find_release(eyes: &Eyes, value: &str) -> Outcome {
    let database = &eyes.database;
    let Some(ours) = Claim::read(value) else { return not_done("the claim cannot be read") };
    let keys = match eyes.etcd.read_own(database).await {
        Ok(keys) => keys,
        Err(reason) => return Outcome::Unknown { reason },
    };
    let compared = keys.get(&etcd::operation_key(database)).map(|k| k.modified);
    match stored(database, &keys).0 {
        Some(stored) if stored.is_same_run(&ours) && stored.running => {
            match excluded(database, eyes, compared, "").await {
                Err(reason) => Outcome::Unknown { reason },
                Ok(keys)
                    if self::stored(database, &keys).0.is_some_and(|c| c.is_same_run(&ours) && c.running) =>
                {
                    Outcome::Missed { reason: EXCLUDED.to_string() }
                }
                Ok(_) => released(eyes).await,
            }
        }
        Some(stored) if stored.is_same_run(&ours) => released(eyes).await,
        _ => not_done("the claim is another's by now"),
    }
}

/// Finds out what became of the one transaction, and excludes that it happens later.
pub(super) async fn find_hand_over(eyes: &Eyes, id: EffectId, h: &HandOver) -> Outcome {
    match excluded(&eyes.database, eyes, h.operation_revision, "").await {
        Err(reason) => Outcome::Unknown { reason },
        Ok(keys)
            if keys
                .get(&etcd::handed_over_key(&eyes.database))
                .is_some_and(|k| k.value == id.to_string()) =>
        {
            let (old, new) = (&h.old, &h.candidate);
            Outcome::Done {
                detail: format!(
                    "the lock of {old} is released to {new}; the answer was lost, and it was seen to have happened, by us"
                ),
            }
        }
        Ok(_) => Outcome::Missed { reason: EXCLUDED.to_string() },
    }
}

async fn grant(eyes: &Eyes, length: Duration) -> Result<i64, String> {
    let answer = eyes.etcd.change("/v3/lease/grant", &json!({"TTL": length.as_secs().to_string()})).await;
    let answer = answer.map_err(|e| match e {
        Unchanged::NotSent(reason) | Unchanged::Unknown(reason) | Unchanged::Refused(reason) => reason,
    })?;
    answer["ID"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| "its answer names no lease".to_string())
}

/// True if the lease lives. One that has ended is answered with status 200 and no time to live.
async fn renew(eyes: &Eyes, lease: i64) -> Result<bool, String> {
    let answer = eyes.etcd.look("/v3/lease/keepalive", &json!({"ID": lease.to_string()})).await?;
    Ok(answer["result"]["TTL"].as_str().and_then(|t| t.parse::<i64>().ok()).is_some_and(|ttl| ttl > 0))
}

/// Ends a lease that nobody needs any more. Without it the lease ends a little later by itself.
async fn revoke(eyes: &Eyes, lease: i64) {
    let _ = eyes.etcd.change("/v3/lease/revoke", &json!({"ID": lease.to_string()})).await;
}

/// Renews the lease as long as this process holds it.
async fn keep(shared: Arc<Shared>, group: GroupId, lease: i64) {
    let Some(eyes) = shared.groups.get(&group) else { return };
    let held = || eyes.tenure.lock().ok().and_then(|t| *t).filter(|t| t.lease == lease);
    let mut wait = LEASE / 5;
    loop {
        tokio::time::sleep(wait).await;
        if shared.gone() || held().is_none() {
            return;
        }
        let sent = BootTime::now();
        let answer = renew(eyes, lease).await;
        let Some(tenure) = held() else { return };
        match answer {
            Ok(true) => {
                wait = tenure.length / 5;
                eyes.set_tenure(Some(Tenure { renewed: sent, ..tenure }));
            }
            Ok(false) => return eyes.set_tenure(None),
            Err(_) => wait = AGAIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_fifteen_seconds_or_ten_round_trips() {
        for (trip_ms, seconds) in [(0, 15), (240, 15), (1_500, 15), (1_501, 16), (4_000, 40)] {
            assert_eq!(
                lease_for(Duration::from_millis(trip_ms)),
                Duration::from_secs(seconds),
                "{trip_ms} ms"
            );
        }
    }

    /// An owner stops five seconds before its lease can end, counted from when it asked, not from when it was answered.
    #[test]
    fn a_tenure_ends_before_its_lease() {
        let tenure =
            |length: u64| Tenure { lease: 1, length: Duration::from_secs(length), renewed: BootTime::now() };
        assert!(tenure(15).holds().is_ok());
        assert!(tenure(5).holds().is_ok());
        let old = Tenure { renewed: BootTime::default(), ..tenure(15) };
        assert!(old.holds().is_err(), "this machine runs for more than ten seconds");
    }
}

//! What this process holds of an owner key, and for how long.

use super::boottime::BootTime;
use std::time::Duration;

/// The shortest lease of an owner key.
pub(super) const LEASE: Duration = Duration::from_secs(15);

/// An owner that has heard of its lease no later than this before its end sends nothing.
pub(super) const MARGIN: Duration = Duration::from_secs(5);

/// The lease of an owner key: at least ten round trips, so that a slow link does not end it.
pub(super) fn lease_for(round_trip: Duration) -> Duration {
    let trips = Duration::from_secs((round_trip * 10).as_secs_f64().ceil() as u64);
    LEASE.max(trips)
}

/// What this process holds of a group's owner key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tenure {
    pub lease: i64,
    pub length: Duration,
    /// When the last request was sent that etcd answered with a living lease.
    pub renewed: BootTime,
}

impl Tenure {
    pub fn holds(&self) -> Result<(), String> {
        let ago = self.renewed.elapsed();
        match ago <= self.length.saturating_sub(MARGIN) {
            true => Ok(()),
            false => Err(format!("our claim was last renewed {} s ago", ago.as_secs())),
        }
    }
}

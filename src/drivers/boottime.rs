//! The clock that goes on while the machine sleeps: after a suspension, evidence from before it is as old as it is.

use std::time::Duration;

/// A moment since the machine was started, in milliseconds. It means nothing on another machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(u64);

impl BootTime {
    pub fn now() -> BootTime {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the pointer is to a timespec of our own, which the call fills.
        unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
        let part = |n: i64, unit: u64| u64::try_from(n).unwrap_or(0).saturating_mul(unit);
        BootTime(part(time.tv_sec, 1_000) + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000)
    }

    /// How long ago it was; zero if it is still to come.
    pub fn elapsed(self) -> Duration {
        Duration::from_millis(BootTime::now().0.saturating_sub(self.0))
    }

    pub fn plus(self, time: Duration) -> BootTime {
        BootTime(self.0.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }

    /// In hundredths of a second, as `/proc/uptime` counts.
    pub const fn hundredths(self) -> u64 {
        self.0 / 10
    }
}

/// What tells this start of the machine from the others.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| String::new(), |id| id.trim().to_string())
}

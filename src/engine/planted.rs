//! Deliberate breaks of the laws, so that the tests can prove that breaks are found. In a release there are none: the
//! feature `planted` is off and `broken` is always false.

#[cfg(feature = "planted")]
static LAW: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Breaks one law in this process from now on; 0 breaks none.
#[cfg(feature = "planted")]
pub fn plant(law: u8) {
    LAW.store(law, std::sync::atomic::Ordering::Relaxed);
}

#[cfg(feature = "planted")]
pub(crate) fn broken(law: u8) -> bool {
    LAW.load(std::sync::atomic::Ordering::Relaxed) == law
}

#[cfg(not(feature = "planted"))]
pub(crate) const fn broken(_law: u8) -> bool {
    false
}

/// Ends this process as hard as it gets, at the n-th point that `BPCI_DIE_AT` counts to: before an intent is durable,
/// after it is, and after it was sent.
#[cfg(feature = "planted")]
pub fn die_here() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Some(at) = std::env::var("BPCI_DIE_AT").ok().and_then(|n| n.parse::<u32>().ok()) else { return };
    if PASSED.fetch_add(1, Ordering::Relaxed) == at {
        // SAFETY: a signal to ourselves; nothing runs after it.
        unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    }
}

#[cfg(not(feature = "planted"))]
pub const fn die_here() {}

/// Panics in the task that asks, the n-th time it does, when `BPCI_PANIC` says so.
#[cfg(feature = "planted")]
pub fn panic_here() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Some(at) = std::env::var("BPCI_PANIC").ok().and_then(|n| n.parse::<u32>().ok()) else { return };
    assert!(PASSED.fetch_add(1, Ordering::Relaxed) != at, "planted");
}

#[cfg(not(feature = "planted"))]
pub const fn panic_here() {}

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

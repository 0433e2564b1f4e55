//! Deliberate mistakes, so that the tests can prove that mistakes are found. In a release there are none: the feature
//! `planted` is off and `is` is always false.

/// A mistake in a decision, one for each thing that must never go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Break {
    None,
    /// Law 1: the fence is left out, and taken for proven.
    FenceLeftOut,
    /// Law 1: the fence's exit status is believed unseen.
    FenceUnseen,
    /// Law 2: whether the candidate holds every write is not asked.
    LossUnasked,
    /// Law 2: any standby is taken for the synchronous one.
    AnyStandby,
    /// Law 2: nothing is said to be lost, whatever was.
    LossUntold,
    /// Law 3: an effect is sent again while the first is under way.
    SentTwice,
    /// Law 3: what became of an effect is unknown, and it is taken for not sent.
    UnknownIsMissed,
    /// Law 3: it is sent before it is in the record.
    SentBeforeRecorded,
    /// Law 4: a confirmation of what is no longer so.
    EvidenceUnbound,
    /// Law 4: a confirmation that is hours old.
    NeverExpires,
    /// Law 4: a confirmation with another region's name.
    AnyName,
    /// Law 4: a read-only controller acts.
    ActsUnarmed,
    /// Law 5: automation begins although the primary is alive.
    AliveIsNoVeto,
    /// Law 6: promoted is called recovered.
    RecoveredEarly,
    /// Law 7: two operations on one group.
    TwoAtOnce,
    /// Law 7: the generation stands still.
    GenerationStands,
    /// Law 9: something changes that no event tells.
    Untold,
    /// Law 10: a fence that needs a lost region is relied on.
    FenceNeedsTheLost,
    /// Law 11: the lock is released though nobody can take it.
    NobodyToTakeIt,
    /// Law 11: the lock is released to one that has not answered since the fence.
    CandidateUnasked,
    /// Law 11: it is given up while an effect is under way.
    AbortedUnheard,
    /// Law 11: the fence is undone after the hand-over.
    UndoneTooLate,
    /// Two disasters in one place take each other's, again and again.
    EachEndsTheOther,
    /// Automation acts again and again.
    NoCooldown,
    /// A report that does not come is waited for without end.
    WaitsForEver,
    /// Law 7: something is sent though the claim was not renewed in time.
    StaleLease,
    /// Law 7: another controller's operation is taken over while an effect of it may be under way.
    TakeoverAtOnce,
    /// Law 7: the generation grows from the journal alone, though the store knows a higher one.
    GenerationOfJournal,
    /// Law 3: a lost answer is taken for a no.
    LostIsNo,
}

impl Break {
    pub const ALL: [Break; 29] = [
        Break::FenceLeftOut,
        Break::FenceUnseen,
        Break::LossUnasked,
        Break::AnyStandby,
        Break::LossUntold,
        Break::SentTwice,
        Break::UnknownIsMissed,
        Break::SentBeforeRecorded,
        Break::EvidenceUnbound,
        Break::NeverExpires,
        Break::AnyName,
        Break::ActsUnarmed,
        Break::AliveIsNoVeto,
        Break::RecoveredEarly,
        Break::TwoAtOnce,
        Break::GenerationStands,
        Break::Untold,
        Break::FenceNeedsTheLost,
        Break::NobodyToTakeIt,
        Break::CandidateUnasked,
        Break::AbortedUnheard,
        Break::UndoneTooLate,
        Break::EachEndsTheOther,
        Break::NoCooldown,
        Break::WaitsForEver,
        Break::StaleLease,
        Break::TakeoverAtOnce,
        Break::GenerationOfJournal,
        Break::LostIsNo,
    ];
}

#[cfg(feature = "planted")]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

#[cfg(feature = "planted")]
static BLIND: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Makes this mistake in this process from now on. `blind`: the engine's own second look does not see it, so that
/// others must.
#[cfg(feature = "planted")]
pub fn plant(mistake: Break, blind: bool) {
    PLANTED.store(mistake as u8, std::sync::atomic::Ordering::Relaxed);
    BLIND.store(blind, std::sync::atomic::Ordering::Relaxed);
}

#[cfg(feature = "planted")]
pub(crate) fn is(mistake: Break) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::Relaxed) == mistake as u8
}

#[cfg(not(feature = "planted"))]
pub(crate) const fn is(_: Break) -> bool {
    false
}

#[cfg(feature = "planted")]
pub(crate) fn blind() -> bool {
    BLIND.load(std::sync::atomic::Ordering::Relaxed)
}

#[cfg(not(feature = "planted"))]
pub(crate) const fn blind() -> bool {
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

//! Time as the engine is given it: a wall clock for people, a monotonic one for deadlines.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

impl Span {
    pub const ZERO: Span = Span(0);

    // By reference, as serde asks for it.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    pub const fn ms(ms: u64) -> Span {
        Span(ms)
    }

    pub const fn secs(s: u64) -> Span {
        Span(s.saturating_mul(1000))
    }

    pub const fn mins(m: u64) -> Span {
        Span::secs(m.saturating_mul(60))
    }

    pub const fn days(d: u64) -> Span {
        Span::mins(d.saturating_mul(24 * 60))
    }

    pub const fn as_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }

    pub const fn times(self, n: u64) -> Span {
        Span(self.0.saturating_mul(n))
    }

    pub const fn plus(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }

    /// What was measured and is signed: to a tenth of a second below an hour, and never less than it was.
    pub fn exact(self) -> String {
        let tenths = self.0.div_ceil(100);
        match tenths {
            0..100 => self.to_string(),
            100..600 => format!("{}.{}s", tenths / 10, tenths % 10),
            600..36_000 => format!("{}m{:02}.{}s", tenths / 600, tenths / 10 % 60, tenths % 10),
            _ => self.to_string(),
        }
    }
}

impl Span {
    /// As the configuration writes it, in the largest unit that divides it: `200ms`, `30s`, `15min`, `4hours`.
    pub fn written(self) -> String {
        match self.0 {
            0 => "0s".to_string(),
            3_600_000 => "1hour".to_string(),
            ms if ms % 3_600_000 == 0 => format!("{}hours", ms / 3_600_000),
            ms if ms % 60_000 == 0 => format!("{}min", ms / 60_000),
            ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
            ms => format!("{ms}ms"),
        }
    }
}

/// For human eyes: `0.31s`, `4.1s`, `52s`, `14m52s`, `3h05m`, `9d`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0;
        let s = ms / 1000;
        let text = match ms {
            0 => "0s".to_string(),
            1..10 => format!("{ms}ms"),
            10..1_000 => format!("0.{:02}s", ms / 10),
            1_000..10_000 => format!("{}.{}s", s, ms % 1000 / 100),
            10_000..60_000 => format!("{s}s"),
            60_000..3_600_000 => format!("{}m{:02}s", s / 60, s % 60),
            3_600_000..172_800_000 => format!("{}h{:02}m", s / 3600, s / 60 % 60),
            _ => format!("{}d", s / 86_400),
        };
        f.pad(&text)
    }
}

/// A moment on the wall clock: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Utc(pub i64);

impl Utc {
    pub fn plus(self, span: Span) -> Utc {
        Utc(self.0.saturating_add_unsigned(span.0))
    }

    pub fn back(self, span: Span) -> Utc {
        Utc(self.0.saturating_sub_unsigned(span.0))
    }

    /// How long before `self` the other moment was; zero when it was later.
    pub fn since(self, earlier: Utc) -> Span {
        Span(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// How long until a clock that shows seconds shows the next one: 1 ms to 1 s.
    pub fn to_next_second(self) -> Span {
        Span(1_000 - self.0.rem_euclid(1_000).unsigned_abs())
    }

    fn chrono(self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// `14:32:07`
    pub fn clock(self) -> String {
        self.chrono().format("%H:%M:%S").to_string()
    }
}

/// RFC 3339 with milliseconds, always in UTC.
impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.chrono().to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    }
}

/// A moment on the monotonic clock: milliseconds since the controller's epoch began. Never compared across epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mono(pub u64);

impl Mono {
    pub const fn plus(self, span: Span) -> Mono {
        Mono(self.0.saturating_add(span.0))
    }

    pub const fn minus(self, span: Span) -> Mono {
        Mono(self.0.saturating_sub(span.0))
    }

    /// How long before `self` the other moment was; zero when it was later.
    pub const fn since(self, earlier: Mono) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

/// The time an input arrives with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    pub utc: Utc,
    pub mono: Mono,
}

impl Now {
    /// The wall-clock time of a monotonic moment near this one.
    pub fn utc_of(self, mono: Mono) -> Utc {
        Utc(self
            .utc
            .0
            .saturating_add(i64::try_from(mono.0).unwrap_or(i64::MAX))
            .saturating_sub(i64::try_from(self.mono.0).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_write_them() {
        for (ms, text) in [
            (0, "0s"),
            (310, "0.31s"),
            (4_120, "4.1s"),
            (52_000, "52s"),
            (892_000, "14m52s"),
            (11_100_000, "3h05m"),
            (800_000_000, "9d"),
        ] {
            assert_eq!(Span(ms).to_string(), text);
        }
    }

    #[test]
    fn durations_are_written_as_the_configuration_reads_them() {
        for (span, text) in [
            (0, "0s"),
            (200, "200ms"),
            (30_000, "30s"),
            (900_000, "15min"),
            (3_600_000, "1hour"),
            (14_400_000, "4hours"),
            (90_000, "90s"),
        ] {
            assert_eq!(Span(span).written(), text);
        }
    }

    #[test]
    fn extremes_neither_wrap_nor_panic() {
        assert_eq!(Mono(3).since(Mono(9)), Span::ZERO);
        assert_eq!(Mono(u64::MAX).plus(Span(9)), Mono(u64::MAX));
        let _ = (Utc(i64::MAX).to_string(), Utc(i64::MIN).clock(), Span(u64::MAX).to_string());
    }
}

//! Quantities with their unit in the type.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount of data in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// For human eyes, in powers of 1000: `0 B`, `812 B`, `13.9 MB`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut unit = 1u64;
        let mut name = "B";
        for (next, next_name) in
            [(1_000, "kB"), (1_000_000, "MB"), (1_000_000_000, "GB"), (1_000_000_000_000, "TB")]
        {
            if self.0 >= next {
                (unit, name) = (next, next_name);
            }
        }
        let text = if unit == 1 {
            format!("{} B", self.0)
        } else {
            format!("{}.{} {name}", self.0 / unit, self.0 % unit * 10 / unit)
        };
        f.pad(&text)
    }
}

/// A position in PostgreSQL's write-ahead log, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lsn(pub u64);

impl Lsn {
    /// The bytes between this position and one behind it; zero when it is ahead.
    pub fn ahead_of(self, behind: Lsn) -> Bytes {
        Bytes(self.0.saturating_sub(behind.0))
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

/// A PostgreSQL timeline: it grows by one with each promotion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timeline(pub u32);

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A whole percentage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(pub u16);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}%", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_as_people_write_them() {
        for (n, text) in [(0, "0 B"), (812, "812 B"), (13_940_000, "13.9 MB"), (u64::MAX, "18446744.0 TB")] {
            assert_eq!(Bytes(n).to_string(), text);
        }
    }
}

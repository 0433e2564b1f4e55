//! What a step waits for. It is put into words only when somebody is told: a step is looked at twenty times a second, in
//! each of ten thousand futures.

use crate::model::Timeline;
use std::borrow::Cow;
use std::fmt;

pub enum Awaited<'a> {
    Words(Cow<'a, str>),
    /// Words around a name.
    Of(&'static str, Cow<'a, str>, &'static str),
    /// That this standby leaves recovery, and the timeline it is on.
    Promotion(Cow<'a, str>, Option<Timeline>),
}

impl From<&'static str> for Awaited<'_> {
    fn from(words: &'static str) -> Self {
        Awaited::Words(Cow::Borrowed(words))
    }
}

impl From<String> for Awaited<'_> {
    fn from(words: String) -> Self {
        Awaited::Words(Cow::Owned(words))
    }
}

impl fmt::Display for Awaited<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Awaited::Words(words) => f.write_str(words),
            Awaited::Of(before, name, after) => write!(f, "{before}{name}{after}"),
            Awaited::Promotion(name, None) => write!(f, "{name} to leave recovery"),
            Awaited::Promotion(name, Some(t)) => write!(f, "{name} to leave recovery (timeline {t} → {})", t.0 + 1),
        }
    }
}

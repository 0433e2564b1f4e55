//! The terms of a kind of exercise.

use crate::config::Duration;
use crate::model::Span;
use serde::Deserialize;

/// How often a kind is exercised, and what success is.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    every: Duration,
    within: Option<Duration>,
    loses: Option<Duration>,
}

impl Terms {
    pub fn every(&self) -> Span {
        self.every.0
    }

    /// Users are served again within this time.
    pub fn within(&self) -> Option<Span> {
        self.within.map(|d| d.0)
    }

    /// No more than this is lost, as time.
    pub fn loses(&self) -> Option<Span> {
        self.loses.map(|d| d.0)
    }
}

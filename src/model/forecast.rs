//! What the futures of a choice say: figures, each with the sample it rests on.

use super::{MemberId, Otherwise, ProposalId, Span, Utc};
use serde::{Deserialize, Serialize};

/// Why there are no figures for a branch, or what there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outlook {
    Figures(Box<Figures>),
    None(NoFigures),
}

/// Why there are no figures for a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoFigures {
    NoCandidate,
    /// Nothing is to be simulated: this is known of it.
    Otherwise(Otherwise),
    /// As an earlier tape tells it.
    #[serde(untagged)]
    Words(String),
}

/// What the futures of a choice say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    pub to: Option<MemberId>,
    pub act: Outlook,
    pub leave: Outlook,
    pub next_best: Option<(MemberId, Outlook)>,
    /// Where each duration comes from.
    pub sources: Vec<DurationSource>,
}

/// A forecast of a choice that is on the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastView {
    pub proposal: ProposalId,
    /// How things stood when it was asked for.
    pub at: Utc,
    pub forecast: Forecast,
}

/// What of a forecast is kept in the record, to be compared with what came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foretold {
    /// How things stood when it was asked for.
    pub at: Utc,
    pub to: Option<MemberId>,
    pub act: Option<Told>,
    pub leave: Option<Told>,
}

/// The times of one branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub futures: u32,
    pub writable_ms: Spread,
    pub served_ms: Spread,
    /// What takes time and was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// What 95 of 100 lose at most; `None`: it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loses_p95: Option<super::Bytes>,
    /// What it loses was not known: what a model gives bounds nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unbounded: bool,
}

impl Foretold {
    /// `None` where there is no figure to compare with.
    pub fn of(view: &ForecastView) -> Option<Foretold> {
        let told = |outlook: &Outlook| match outlook {
            Outlook::Figures(f) => Some(Told {
                futures: f.futures,
                writable_ms: f.writable_ms,
                served_ms: f.served_ms,
                without: f.without.clone(),
                unbounded: false,
                loses_p95: if f.data_loss_writes.is_some() {
                    Some(super::Bytes(0))
                } else {
                    f.data_loss_bytes.p95.map(super::Bytes)
                },
            }),
            Outlook::None(_) => None,
        };
        let Forecast { to, act, leave, .. } = &view.forecast;
        let foretold = Foretold { at: view.at, to: *to, act: told(act), leave: told(leave) };
        (foretold.act.is_some() || foretold.leave.is_some()).then_some(foretold)
    }
}

/// What the futures of one branch say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub futures: u32,
    pub writable_ms: Spread,
    pub served_ms: Spread,
    pub data_loss_bytes: Spread,
    /// What was written in how long is lost; `None`: how fast is written is not known.
    pub data_loss_ms: Option<Spread>,
    /// Known only where nothing is lost: how many writes a byte of log holds was not measured.
    pub data_loss_writes: Option<Spread>,
    /// `None`: something that takes time is left out.
    pub meets_rto: Option<Share>,
    /// `None`: what is lost is not known.
    pub meets_rpo: Option<Share>,
    pub rolled_back: Share,
    /// Users were not served within the time that was looked at.
    pub not_served: Share,
    /// Why not, where most of those have a reason.
    pub why_not: Option<WhyNot>,
    /// Steps by what they take at the median, the longest first.
    pub drivers: Vec<(String, u64)>,
    /// What takes time and has no figure, because it was never measured.
    pub without: Vec<String>,
}

/// Why users are not served in a future.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhyNot {
    /// The choice could not be put on the table, or not be confirmed.
    Refused(Box<super::Refusal>),
    /// The operation waits for a person.
    Waits(super::Question),
    /// A step failed, and the operation waits for a person.
    StepFailed {
        step: String,
        failure: super::StepFailure,
    },
    Failed(super::OperationFailure),
    /// The operation ended otherwise, or still runs.
    Stands(Box<super::Status>),
    /// Nothing was done.
    Otherwise(Otherwise),
    /// As an earlier tape tells it.
    #[serde(untagged)]
    Words(String),
}

/// Quantiles by nearest rank. `None`: the sample is too small for it, or in that many futures it never came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    pub p50: Option<u64>,
    pub p95: Option<u64>,
    pub p99: Option<u64>,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub of: u32,
    pub met: u32,
}

/// Where the figures for one duration come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DurationSource {
    pub step: String,
    /// How often it was measured on this estate.
    pub measured: usize,
    /// It is drawn from measurements on other clusters as well, or only.
    pub defaults: bool,
}

impl Spread {
    /// So many of its quantiles, the likeliest first, in words: `p50 0.52s p95 0.57s`. Empty where none is known.
    pub fn times(self, most: usize) -> String {
        let parts = [("p50", self.p50), ("p95", self.p95), ("p99", self.p99)];
        parts
            .iter()
            .take(most)
            .filter_map(|(name, ms)| Some(format!("{name} {}", Span((*ms)?))))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl Share {
    pub fn of(values: impl Iterator<Item = bool>) -> Share {
        values.fold(Share { of: 0, met: 0 }, |s, met| Share { of: s.of + 1, met: s.met + u32::from(met) })
    }

    /// What the sample proves: with a confidence of 95 %, at least this share of a hundred, cut off.
    ///
    /// Clopper and Pearson's exact bound, one-sided: the share at which so many or more would be met in 5 % of samples.
    pub fn at_least_percent(self) -> u32 {
        (self.low(0.05) * 100.0) as u32
    }

    /// Where the true share lies with a confidence of 95 %, in percent, rounded outwards (Clopper and Pearson, two-sided).
    pub fn interval_percent(self) -> (u32, u32) {
        let missed = Share { met: self.of - self.met, ..self };
        ((self.low(0.025) * 100.0) as u32, 100 - (missed.low(0.025) * 100.0) as u32)
    }

    /// The share at which so many or more would be met with this probability.
    fn low(self, probability: f64) -> f64 {
        let (mut low, mut high) = (0.0f64, 1.0f64);
        if self.met == 0 {
            return 0.0;
        }
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.or_more(middle) < probability { low = middle } else { high = middle }
        }
        low
    }

    /// How likely so many or more are met, if each is with this probability.
    fn or_more(self, p: f64) -> f64 {
        let (n, k) = (f64::from(self.of), self.met);
        // The sum of the terms from `k` on, in logarithms so that large samples do not run out of range.
        let mut log_choose: f64 = (1..=k).map(|j| ((n - f64::from(k - j)) / f64::from(j)).ln()).sum();
        let mut sum = 0.0;
        for i in k..=self.of {
            sum +=
                (log_choose + f64::from(i) * p.ln() + (n - f64::from(i)) * (1.0 - p).max(1e-300).ln()).exp();
            log_choose += ((n - f64::from(i)) / f64::from(i + 1)).ln();
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FACTS part 3: 4 of 4 prove no more than 47 %, 48 of 48 prove 94 % (one-sided 95 %, rounded there).
    #[test]
    fn a_share_proves_no_more_than_its_sample() {
        let proves = |met, of| Share { of, met }.at_least_percent();
        assert_eq!(
            [proves(4, 4), proves(48, 48), proves(0, 10), proves(1000, 1000), proves(9, 10)],
            [47, 93, 0, 99, 60]
        );
    }

    /// The textbook's intervals for 5 of 10 (18.7 to 81.3 %), 10 of 10 (69.2 %) and none of 10 (30.8 %).
    #[test]
    fn the_interval_holds_the_share() {
        let interval = |met, of| Share { met, of }.interval_percent();
        assert_eq!(
            [interval(5, 10), interval(10, 10), interval(0, 10), interval(0, 0)],
            [(18, 82), (69, 100), (0, 31), (0, 100)]
        );
    }
}

//! The kinds of assets: what the replies of each mean. The rest of the engine knows assets only by their family.

use super::survey::{Findings, Subject};
use crate::model::{BalancerAnswers, RouteSpec};

/// What a kind of the family *Route* makes of the answers to a survey.
pub trait Judge {
    /// Adds what stops or endangers a failover through the route at this address.
    fn judge(&self, subject: &Subject, address: &str, answers: &BalancerAnswers, found: &mut Findings);
}

macro_rules! routes {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(mod $module;)*

        /// The same for a route of any kind.
        pub fn judge_route(
            spec: &RouteSpec,
            subject: &Subject,
            address: &str,
            answers: &BalancerAnswers,
            found: &mut Findings,
        ) {
            match spec {
                $(RouteSpec::$kind(kind) => kind.judge(subject, address, answers, found)),*
            }
        }
    };
}

routes! {
    Haproxy = haproxy,
}

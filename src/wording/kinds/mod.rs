//! What each kind is called, and what to do when it does not answer.

use crate::model::{Estate, RouteSpec};

/// The words of a kind of the family *Route*.
pub(super) struct RouteWords {
    /// In a sentence.
    pub title: &'static str,
    /// In a list of sources.
    pub name: &'static str,
    /// What to check when it does not answer.
    pub no_answer: &'static str,
}

macro_rules! routes {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(mod $module;)*

        fn words_of(spec: &RouteSpec) -> &'static RouteWords {
            match spec { $(RouteSpec::$kind(_) => &$module::WORDS),* }
        }
    };
}

routes! {
    Haproxy = haproxy,
}

/// The words for the route at this address.
pub(super) fn route_words(estate: &Estate, address: &str) -> &'static RouteWords {
    let databases = estate.groups.iter().filter_map(|g| g.database.as_ref());
    let route = databases.flat_map(|d| &d.balancers).find(|b| b.address == address);
    // One that has left the estate is as old as the records that name it.
    route.map_or_else(|| words_of(&RouteSpec::default()), |route| words_of(&route.spec))
}

//! The kinds of assets: what the settings of each are, and which family it belongs to. A kind is a file named after it here and in
//! the other layers (`config`, `engine`, `drivers`, `sim`, `wording`, `tui`), and one line in the list of each.

use serde::{Deserialize, Serialize};

/// How a route finds the primary that it leads clients to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steering {
    /// It checks every member and leads to the primary among those in rotation. A member can be drained.
    ByChecks,
    /// It leads to the one member that it was set to. It is set once the new primary leads; nobody is drained.
    AsSet,
}

/// What the engine must know of a kind of the family *Route*.
pub trait Route {
    /// As the configuration writes it.
    const NAME: &'static str;
    const STEERING: Steering;
}

macro_rules! routes {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(mod $module;
        pub use $module::$kind;)*

        /// The settings of a route, by its kind.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum RouteSpec {
            $($kind($kind)),*
        }

        impl RouteSpec {
            /// The kind, as the configuration writes it.
            pub const fn name(&self) -> &'static str {
                match self { $(RouteSpec::$kind(_) => <$kind as Route>::NAME),* }
            }

            pub const fn steering(&self) -> Steering {
                match self { $(RouteSpec::$kind(_) => <$kind as Route>::STEERING),* }
            }
        }
    };
}

routes! {
    Haproxy = haproxy,
}

impl Default for RouteSpec {
    /// Records from before there were kinds tell of this one only.
    fn default() -> RouteSpec {
        RouteSpec::Haproxy(Haproxy {})
    }
}

impl RouteSpec {
    pub(super) fn is_default(&self) -> bool {
        *self == RouteSpec::default()
    }
}

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

/// What the engine must know of a kind of the family *Replicated*: one member writes, others hold copies.
pub trait Replicated {
    /// As the configuration writes it.
    const NAME: &'static str;
}

/// What the engine must know of a kind of the family *Switch*: a member is seen on or off.
pub trait Switch {
    /// As people call it.
    const NAME: &'static str;
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

macro_rules! databases {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(mod $module;
        pub use $module::$kind;)*

        /// The kind of a database.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum DatabaseSpec {
            $($kind($kind)),*
        }

        impl DatabaseSpec {
            pub const fn name(&self) -> &'static str {
                match self { $(DatabaseSpec::$kind(_) => <$kind as Replicated>::NAME),* }
            }
        }
    };
}

databases! {
    Patroni = patroni,
}

macro_rules! switches {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(mod $module;
        pub use $module::$kind;)*

        /// The kind of a fence.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum SwitchSpec {
            $($kind($kind)),*
        }

        impl SwitchSpec {
            pub const fn name(&self) -> &'static str {
                match self { $(SwitchSpec::$kind(_) => <$kind as Switch>::NAME),* }
            }
        }
    };
}

switches! {
    Command = command,
}

// Records from before there were kinds tell of these only.

impl Default for DatabaseSpec {
    fn default() -> DatabaseSpec {
        DatabaseSpec::Patroni(Patroni {})
    }
}

impl Default for SwitchSpec {
    fn default() -> SwitchSpec {
        SwitchSpec::Command(Command {})
    }
}

impl Default for RouteSpec {
    fn default() -> RouteSpec {
        RouteSpec::Haproxy(Haproxy {})
    }
}

/// A record of the kind that was there first is written as it was written then.
pub(super) fn is_default<T: Default + PartialEq>(spec: &T) -> bool {
    *spec == T::default()
}

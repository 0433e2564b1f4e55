//! What the details of a region show of each kind.

use crate::model::{Database, RegionId, RouteSpec};

/// What is shown of a kind of the family *Route*.
trait RoutePanel {
    /// What a region holds of a database's routes of this kind.
    fn held(here: usize, of: usize) -> String;
}

macro_rules! routes {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(mod $module;)*

        /// What a region holds of the routes of a database, kind by kind.
        pub fn held_routes(database: &Database, region: RegionId) -> Vec<String> {
            let mut list = Vec::new();
            $({
                let mut of = 0;
                let mut here = 0;
                for route in database.balancers.iter().filter(|b| matches!(b.spec, RouteSpec::$kind(_))) {
                    of += 1;
                    here += usize::from(route.region == Some(region));
                }
                if here > 0 {
                    list.push(<crate::model::$kind as RoutePanel>::held(here, of));
                }
            })*
            list
        }
    };
}

routes! {
    Haproxy = haproxy,
}

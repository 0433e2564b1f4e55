//! The block of each kind in the configuration: what may be written there, and what is made of it.

use super::context::Context;
use crate::model::{Balancer, Estate};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where a block stands.
pub struct Place<'a> {
    pub cx: &'a Context<'a>,
    pub estate: &'a Estate,
    /// Everything in it was understood: what is missing is missing.
    pub is_whole: bool,
}

/// What a block of a route makes.
#[derive(Default)]
pub struct Routes {
    pub routes: Vec<Balancer>,
    /// The part of each route that leads to this database; HAProxy calls it a backend.
    pub backend: String,
    /// Where clients write, `host:port`.
    pub entry: Option<String>,
}

/// The block of a kind of the family *Route*.
pub trait RouteBlock {
    fn routes(&self, place: &Place) -> Routes;
}

macro_rules! routes {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        #[derive(Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct TrafficFile {
            $(pub $module: Option<$module::Block>),*
        }

        impl TrafficFile {
            /// What stands in the file of every kind.
            pub fn routes(&self, place: &Place) -> Routes {
                let mut all = Routes::default();
                $(if let Some(block) = &self.$module {
                    let one = block.routes(place);
                    all.routes.extend(one.routes);
                    if all.backend.is_empty() {
                        all.backend = one.backend;
                    }
                    all.entry = all.entry.or(one.entry);
                })*
                all
            }
        }
    };
}

routes! {
    haproxy,
}

//! `haproxy:`: the balancers of a database.

use super::super::address;
use super::{Place, RouteBlock, Routes};
use crate::model::{Balancer, Haproxy, RouteSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

pub type Block = HaproxyFile;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HaproxyFile {
    /// Each balancer's runtime API: `host:port`, or the absolute path of its Unix socket.
    #[schemars(with = "Vec<String>")]
    pub runtime_api: Vec<Spanned<String>>,
    /// Region of each balancer, in the same order, where that matters.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub regions: Vec<Spanned<String>>,
    /// The write backend.
    #[schemars(with = "String")]
    pub backend: Spanned<String>,
    /// Where clients write, `host:port`.
    #[schemars(with = "Option<String>")]
    pub write: Option<Spanned<String>>,
}

impl RouteBlock for HaproxyFile {
    fn routes(&self, place: &Place) -> Routes {
        let cx = place.cx;
        for api in &self.runtime_api {
            address::socket(cx, api.referenced, &api.value);
        }
        if let Some(write) = &self.write {
            address::host_port(cx, write.referenced, &write.value);
        }
        cx.name(self.backend.referenced, "a backend", &self.backend.value);
        let listed = if place.is_whole { &self.regions[..] } else { &[] };
        let regions = cx.paired(listed, self.runtime_api.len(), "balancers", place.estate);
        let route = |(api, region): (&Spanned<String>, _)| Balancer {
            address: api.value.clone(),
            region,
            spec: RouteSpec::Haproxy(Haproxy {}),
        };
        Routes {
            routes: self.runtime_api.iter().zip(regions).map(route).collect(),
            backend: self.backend.value.clone(),
            entry: self.write.as_ref().map(|w| w.value.clone()),
        }
    }
}

//! `active_file:`: the file that names the active region.

use super::super::address;
use super::{Place, RouteBlock, Routes};
use crate::model::{ActiveFile, Balancer, RouteSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Its absolute path.
    #[schemars(with = "String")]
    pub path: Spanned<String>,
    /// Where clients write, `host:port`.
    #[schemars(with = "Option<String>")]
    pub write: Option<Spanned<String>>,
}

impl RouteBlock for Block {
    fn routes(&self, place: &Place) -> Routes {
        if !self.path.value.starts_with('/') {
            let found = format!("`{}` is not an absolute path", self.path.value);
            place.cx.add(self.path.referenced, found, "write the path from the root, such as /run/active");
        }
        if let Some(write) = &self.write {
            address::host_port(place.cx, write.referenced, &write.value);
        }
        let spec = RouteSpec::ActiveFile(ActiveFile {});
        Routes {
            routes: vec![Balancer { address: self.path.value.clone(), region: None, spec }],
            backend: String::new(),
            entry: self.write.as_ref().map(|w| w.value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{EXAMPLE, parse};
    use crate::model::RouteSpec;

    fn with(traffic: &str) -> Result<Vec<RouteSpec>, String> {
        let end = EXAMPLE.find("    traffic:").unwrap_or_else(|| panic!("the example has no traffic"));
        let text = format!("{}    traffic: {traffic}\n", &EXAMPLE[..end]);
        let estate = parse("estate.yaml", &text).map_err(|e| e.to_string())?.estate;
        let databases = estate.groups.iter().filter_map(|g| g.database.as_ref());
        Ok(databases.flat_map(|d| &d.balancers).map(|b| b.spec.clone()).collect())
    }

    #[test]
    fn the_block_makes_a_route_of_this_kind() {
        let made = with("{ active_file: { path: /run/active, write: \"10.0.0.9:5000\" } }");
        assert_eq!(made.unwrap_or_else(|e| panic!("{e}")), [RouteSpec::ActiveFile(super::ActiveFile {})]);
        assert!(with("{ active_file: { path: active } }").is_err_and(|e| e.contains("absolute path")));
        assert!(with("{ active_flie: { path: /run/active } }").is_err());
    }
}

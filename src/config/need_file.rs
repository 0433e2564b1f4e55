//! What a recovery needs besides the estate: `needs: { sso: { region: ..., provider: ..., probe: ... } }`.

use super::date::Date;
use schemars::JsonSchema;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use std::fmt;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeedFile {
    /// Where it runs: a region, or a list of regions of which each can do it alone.
    #[serde(default)]
    #[schemars(with = "RegionsSchema")]
    pub region: RegionsFile,
    pub provider: Option<String>,
    /// How it is asked whether it answers: a URL, or `host:port`.
    #[schemars(with = "Option<String>")]
    pub probe: Option<Spanned<String>>,
    /// The way in that works without it.
    #[schemars(with = "Option<BreakGlassFile>")]
    pub break_glass: Option<Spanned<BreakGlassFile>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassFile {
    pub who: String,
    /// The day it was last exercised.
    pub exercised: Option<Date>,
}

/// One region, or several.
#[derive(Debug, Default)]
pub struct RegionsFile(pub Vec<Spanned<String>>);

/// For the schema alone.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code)]
pub enum RegionsSchema {
    One(String),
    Several(Vec<String>),
}

impl<'de> Deserialize<'de> for RegionsFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Regions;
        impl<'de> Visitor<'de> for Regions {
            type Value = RegionsFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a region, or a list of regions")
            }

            fn visit_str<E>(self, region: &str) -> Result<RegionsFile, E> {
                let unknown = serde_saphyr::Location::UNKNOWN;
                Ok(RegionsFile(vec![Spanned::new(region.to_string(), unknown, unknown)]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RegionsFile, A::Error> {
                let mut regions = Vec::new();
                while let Some(region) = list.next_element()? {
                    regions.push(region);
                }
                Ok(RegionsFile(regions))
            }
        }
        from.deserialize_any(Regions)
    }
}

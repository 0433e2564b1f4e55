//! The rules of automation that can be waived: a plain value, or `{ not_required: true, reason: ..., until: DATE }`.

use super::date::Date;
use super::duration::Duration;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use std::fmt;

/// A rule that is waived. Without a reason and an expiry date a live estate's automation is off.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverFile {
    /// `true`: the rule is waived.
    #[schemars(with = "bool")]
    pub not_required: Spanned<bool>,
    pub reason: Option<String>,
    /// The last day on which the waiver has an effect.
    #[schemars(with = "Option<Date>")]
    pub until: Option<Spanned<Date>>,
}

/// Only plans that were drilled since their last change.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum DrilledFile {
    Required(bool),
    Waived(WaiverFile),
}

/// Not with a fence whose last proof is older.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum FenceProofFile {
    Within(Duration),
    Waived(WaiverFile),
}

impl<'de> Deserialize<'de> for DrilledFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Drilled;
        impl<'de> Visitor<'de> for Drilled {
            type Value = DrilledFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, or { not_required: true, reason: ..., until: 2027-01-31 }")
            }

            fn visit_bool<E>(self, required: bool) -> Result<DrilledFile, E> {
                Ok(DrilledFile::Required(required))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DrilledFile, E> {
                match text.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" => Ok(DrilledFile::Required(true)),
                    "no" | "off" | "n" => Ok(DrilledFile::Required(false)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DrilledFile, A::Error> {
                WaiverFile::deserialize(MapAccessDeserializer::new(map)).map(DrilledFile::Waived)
            }
        }
        from.deserialize_any(Drilled)
    }
}

impl<'de> Deserialize<'de> for FenceProofFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Proof;
        impl<'de> Visitor<'de> for Proof {
            type Value = FenceProofFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a duration such as 30days, or { not_required: true, reason: ..., until: 2027-01-31 }",
                )
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<FenceProofFile, E> {
                text.parse().map(FenceProofFile::Within).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FenceProofFile, A::Error> {
                WaiverFile::deserialize(MapAccessDeserializer::new(map)).map(FenceProofFile::Waived)
            }
        }
        from.deserialize_any(Proof)
    }
}

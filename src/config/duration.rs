//! Durations as people write them: `30s`, `15min`, `4hours`, `200ms`. A bare number has no unit and is refused.

use crate::model::Span;
use serde::de::{self, Deserializer, Visitor};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub Span);

impl From<Duration> for Span {
    fn from(duration: Duration) -> Span {
        duration.0
    }
}

impl std::str::FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Duration, String> {
        let wrong = || {
            format!(
                "`{text}` is no duration; write a number with its unit, such as 200ms, 30s, 15min or 4hours"
            )
        };
        let parsed = humantime::parse_duration(text.trim()).map_err(|_| wrong())?;
        // A hundred years bounds every sum of durations far below the type's range.
        if parsed.as_secs() > 100 * 365 * 86_400 {
            return Err(format!("`{text}` is longer than a hundred years; write a shorter one"));
        }
        Ok(Duration(Span(u64::try_from(parsed.as_millis()).map_err(|_| wrong())?)))
    }
}

impl<'de> serde::Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a duration such as 200ms, 30s, 15min or 4hours")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
                text.parse().map_err(E::custom)
            }
        }
        d.deserialize_str(Text)
    }
}

impl schemars::JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "description": "a number with its unit: 200ms, 30s, 15min, 4hours", "examples": ["30s", "15min"]})
    }
}

//! A day as people write it: `2027-01-31`. It is a day of UTC.

use crate::model::{Span, Utc};
use serde::de::{self, Deserializer, Visitor};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(chrono::NaiveDate);

impl Date {
    /// The day's first moment.
    pub fn begins(self) -> Utc {
        Utc(self.0.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
    }

    /// The first moment after the day.
    pub fn ends(self) -> Utc {
        self.begins().plus(Span::days(1))
    }
}

impl std::str::FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Date, String> {
        let wrong = |_| format!("`{text}` is not a date; write year, month and day, such as 2027-01-31");
        chrono::NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").map(Date).map_err(wrong)
    }
}

impl<'de> de::Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Date;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a date such as 2027-01-31")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Date, E> {
                text.parse().map_err(E::custom)
            }
        }
        from.deserialize_str(Text)
    }
}

impl schemars::JsonSchema for Date {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date", "description": "year, month and day, in UTC", "examples": ["2027-01-31"]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_in_utc() {
        let day: Date = "2027-01-31".parse().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            (day.begins().to_string(), day.ends().to_string()),
            ("2027-01-31T00:00:00.000Z".into(), "2027-02-01T00:00:00.000Z".into())
        );
        assert!("2027-02-30".parse::<Date>().is_err() && "31.1.2027".parse::<Date>().is_err());
    }
}

//! Values in Patroni's documents, read as Patroni itself reads them. People write `"on"`, `yes`, `1` and `"30"`, and Patroni
//! takes each of these its own way.
//!
//! Each function names the one of Patroni's that it follows. What Patroni cannot read is `None`.

use serde_json::Value;

/// On, yes, true and 1, or their opposites, in any case: as a boolean, a number or a text (`utils.parse_bool`). Patroni reads
/// the text exactly: a blank beside the word makes it no boolean.
pub fn parse_bool(value: &Value) -> Option<bool> {
    let word = match value {
        Value::Bool(is) => return Some(*is),
        Value::String(text) => text.to_lowercase(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    match word.as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// A setting is on (`global_config.check_mode`): what Patroni cannot read is off.
pub fn is_on(value: &Value) -> bool {
    parse_bool(value) == Some(true)
}

/// What Python calls true. Patroni asks this of the older tags, so the text `"false"` counts as true there.
pub fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// A number, as a number or a text, rounded to a whole one (`utils.parse_int` without a base unit). A text may be hexadecimal
/// (`0x10`), octal (`010`) or a decimal with an exponent; one with a unit is none here. Beyond 64 bits it is the nearest bound.
pub fn parse_int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => whole(number),
        Value::String(text) => integer_in(text.trim()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn whole(number: &serde_json::Number) -> Option<i64> {
    let unsigned = || number.as_u64().map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    number.as_i64().or_else(unsigned).or_else(|| number.as_f64().and_then(rounded))
}

/// Python rounds halves to the even side; a cast keeps within the bounds.
fn rounded(number: f64) -> Option<i64> {
    number.is_finite().then_some(number.round_ties_even() as i64)
}

fn integer_in(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let signed = |n: i64| if negative { n.saturating_neg() } else { n };
    if let Some(rest) =
        digits.strip_prefix("0x").filter(|rest| rest.starts_with(|c: char| c.is_ascii_hexdigit()))
    {
        return all_digits(rest, 16).map(signed);
    }
    // As in C: a leading zero means octal.
    let base = if digits.starts_with('0') { 8 } else { 10 };
    all_digits(digits, base).map(signed).or_else(|| real_in(text).and_then(rounded))
}

fn all_digits(text: &str, base: u32) -> Option<i64> {
    let add = |sum: i64, c: char| {
        c.to_digit(base).map(|d| sum.saturating_mul(i64::from(base)).saturating_add(i64::from(d)))
    };
    if text.is_empty() { None } else { text.chars().try_fold(0, add) }
}

/// A decimal with a point or an exponent (`utils.DBL_RE`): neither `inf` nor `1.` nor a bare integer.
fn real_in(text: &str) -> Option<f64> {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let is_real = text.contains(['.', 'e', 'E']) && mantissa.ends_with(|c: char| c.is_ascii_digit());
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if is_real && plain { text.parse().ok() } else { None }
}

/// Python's own `int()`, by which Patroni reads its intervals: a fraction is cut off, and a text holds a plain decimal.
pub fn python_int(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(is) => Some(i64::from(*is)),
        Value::Number(number) => {
            number.as_i64().or_else(|| number.as_f64().filter(|n| n.is_finite()).map(|n| n.trunc() as i64))
        }
        Value::String(text) => {
            let text = text.trim();
            let (negative, digits) = (text.starts_with('-'), text.strip_prefix(['-', '+']).unwrap_or(text));
            let n = all_digits(digits, 10)?;
            Some(if negative { n.saturating_neg() } else { n })
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number that counts something and cannot be below zero, such as a position in the log or a timeline.
pub fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| parse_int(value).and_then(|n| u64::try_from(n).ok()))
}

/// A text, or a number as one: an identifier of 64 bits may come either way.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A tag that forbids something, with the priority that may stand for it (`tags._bool_tag`): the explicit tag wins, and a
/// priority of 0 or less forbids.
pub fn forbids(tags: &Value, tag: &str, priority: &str) -> bool {
    match &tags[tag] {
        Value::Null => parse_int(&tags[priority]).is_some_and(|p| p <= 0),
        explicit => is_truthy(explicit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn booleans_are_read_in_every_spelling() {
        for on in [
            json!(true),
            json!(1),
            json!("on"),
            json!("ON"),
            json!("true"),
            json!("True"),
            json!("yes"),
            json!("Yes"),
            json!("1"),
        ] {
            assert_eq!(parse_bool(&on), Some(true), "{on}");
        }
        for off in
            [json!(false), json!(0), json!("off"), json!("false"), json!("FALSE"), json!("no"), json!("0")]
        {
            assert_eq!(parse_bool(&off), Some(false), "{off}");
        }
        for neither in [
            json!(null),
            json!(2),
            json!(1.5),
            json!(" on"),
            json!("enabled"),
            json!(""),
            json!([]),
            json!({}),
        ] {
            assert_eq!(parse_bool(&neither), None, "{neither}");
        }
    }

    /// The expected figures are those of Patroni's own `parse_int`.
    #[test]
    fn numbers_are_read_as_patroni_reads_them() {
        let cases = [
            (json!(30), Some(30)),
            (json!("30"), Some(30)),
            (json!(" 30 "), Some(30)),
            (json!("+7"), Some(7)),
            (json!("-1"), Some(-1)),
            (json!(2.5), Some(2)),
            (json!("1.5"), Some(2)),
            (json!("0.5"), Some(0)),
            (json!("-1.5"), Some(-2)),
            (json!(".5e1"), Some(5)),
            (json!("1e3"), Some(1000)),
            (json!("0x10"), Some(16)),
            (json!("010"), Some(8)),
            (json!("08"), None),
            (json!("30s"), None),
            (json!("1MB"), None),
            (json!("nonsense"), None),
            (json!("inf"), None),
            (json!("1."), None),
            (json!(""), None),
            (json!(true), None),
            (json!(null), None),
            (json!(u64::MAX), Some(i64::MAX)),
            (json!("99999999999999999999"), Some(i64::MAX)),
            (json!("1e999"), None),
        ];
        for (value, expected) in cases {
            assert_eq!(parse_int(&value), expected, "{value}");
        }
        for (value, expected) in [
            (json!("30"), Some(30)),
            (json!(1.9), Some(1)),
            (json!("1.9"), None),
            (json!("30s"), None),
            (json!(true), Some(1)),
        ] {
            assert_eq!(python_int(&value), expected, "{value}");
        }
    }

    #[test]
    fn an_explicit_tag_wins_over_a_priority() {
        for (tags, expected) in [
            (json!({}), false),
            (json!({"nofailover": true}), true),
            (json!({"nofailover": "true"}), true),
            (json!({"nofailover": 1}), true),
            (json!({"nofailover": ""}), false),
            (json!({"nofailover": 0}), false),
            // Python calls every text true that is not empty.
            (json!({"nofailover": "false"}), true),
            (json!({"nofailover": null, "failover_priority": 0}), true),
            (json!({"failover_priority": 0}), true),
            (json!({"failover_priority": -1}), true),
            (json!({"failover_priority": "-1"}), true),
            (json!({"failover_priority": "0"}), true),
            (json!({"failover_priority": 2}), false),
            (json!({"failover_priority": "high"}), false),
            (json!({"nofailover": false, "failover_priority": 0}), false),
            (json!({"nofailover": true, "failover_priority": 5}), true),
            (json!("no tags at all"), false),
        ] {
            assert_eq!(forbids(&tags, "nofailover", "failover_priority"), expected, "{tags}");
        }
    }
}

//! Is what a probe found within what was expected?

use super::jsonpath::{JsonPath, equals};
use super::pattern::Pattern;
use super::substitute::{Values, plain};
use serde_json::Value;

#[derive(Clone, Debug)]
pub enum Tolerance {
    /// This value; of a process or a request its status.
    Is(Value),
    /// One of these; of two numbers the first to the second.
    In(Vec<Value>),
    Regex {
        pattern: Pattern,
        target: Option<String>,
    },
    Path {
        path: JsonPath,
        target: Option<String>,
        count: Option<u64>,
        expect: Option<Value>,
    },
    Range {
        from: f64,
        to: f64,
        target: Option<String>,
    },
}

impl Tolerance {
    /// Reads it with all that the configuration names put in: what cannot be understood is found before anything is run.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(value: &Value, values: &Values) -> Result<Tolerance, String> {
        let filled = if value.is_string() { values.fill(value) } else { value.clone() };
        let map = match &filled {
            Value::Bool(_) | Value::Number(_) | Value::String(_) => return Ok(Tolerance::Is(filled)),
            Value::Array(list) => return Ok(Tolerance::In(list.clone())),
            Value::Null => return Err("the tolerance is empty".to_string()),
            Value::Object(map) => map,
        };
        let text = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_string);
        let target = text("target");
        match text("type").as_deref() {
            Some("regex") => {
                let pattern = text("pattern").ok_or("a regex tolerance without a `pattern`")?;
                let pattern = Pattern::parse(&values.text(&pattern))
                    .map_err(|e| format!("the pattern is no regular expression: {e}"))?;
                Ok(Tolerance::Regex { pattern, target })
            }
            Some("jsonpath") => {
                let path = text("path")
                    .filter(|p| !p.trim().is_empty())
                    .ok_or("a jsonpath tolerance without a `path`")?;
                let path = values.text(&path);
                let path = JsonPath::parse(path.trim())
                    .map_err(|e| format!("`{path}` is no JSONPath of the Chaos Toolkit: {e}"))?;
                let expect = map.get("expect").map(|e| values.fill(e));
                Ok(Tolerance::Path { path, target, count: map.get("count").and_then(Value::as_u64), expect })
            }
            Some("range") => match map.get("range").and_then(Value::as_array).map(Vec::as_slice) {
                Some([from, to]) if from.is_number() && to.is_number() => Ok(Tolerance::Range {
                    from: from.as_f64().unwrap_or_default(),
                    to: to.as_f64().unwrap_or_default(),
                    target,
                }),
                _ => Err("a range tolerance needs `range`: two numbers".to_string()),
            },
            Some("probe") => Err("a tolerance that is a probe itself is not supported here".to_string()),
            Some(other) => Err(format!("`{other}` is no kind of tolerance")),
            None => Err("a tolerance without a `type`".to_string()),
        }
    }

    /// # Errors
    /// It cannot be told: that is neither within the tolerance nor outside it.
    pub fn holds(&self, output: &Value) -> Result<bool, String> {
        let status = output.get("status").unwrap_or(output);
        Ok(match self {
            Tolerance::Is(Value::Number(n)) => same_number(&Value::Number(n.clone()), status),
            Tolerance::Is(value) => value == output,
            Tolerance::In(list) if output.get("status").is_some() => {
                list.iter().any(|v| same_number(v, status))
            }
            Tolerance::In(list) => match (list.as_slice(), output.as_f64()) {
                ([from, to], Some(n)) => {
                    from.as_f64().is_some_and(|f| f <= n) && to.as_f64().is_some_and(|t| n <= t)
                }
                _ => list.contains(output),
            },
            Tolerance::Regex { pattern, target } => {
                pattern.is_found(&plain(targeted(output, target.as_deref())))?
            }
            Tolerance::Path { path, target, count, expect } => {
                let value = targeted(output, target.as_deref());
                // A process prints text: what is JSON in it is looked into.
                let parsed = value.as_str().and_then(|t| serde_json::from_str::<Value>(t).ok());
                let found = path.find(parsed.as_ref().unwrap_or(value))?;
                match expect {
                    None => count.map_or(!found.is_empty(), |n| found.len() as u64 == n),
                    Some(Value::Array(all)) => {
                        found.len() == all.len() && found.iter().zip(all).all(|(f, e)| equals(f, e))
                    }
                    Some(one) => found.len() == 1 && equals(found[0], one),
                }
            }
            Tolerance::Range { from, to, target } => {
                let value = targeted(output, target.as_deref());
                let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
                number.is_some_and(|n| *from <= n && n <= *to)
            }
        })
    }
}

fn targeted<'a>(output: &'a Value, target: Option<&str>) -> &'a Value {
    target.and_then(|t| output.get(t)).unwrap_or(output)
}

fn same_number(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() < f64::EPSILON,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_found_is_held_against_what_was_expected() {
        let process = json!({ "status": 0, "stdout": "{\"up\": [1, 2], \"primary\": \"us\"}", "stderr": "" });
        for (tolerance, output, holds) in [
            (json!(0), &process, true),
            (json!(1), &process, false),
            (json!([1, 0]), &process, true),
            (json!([1, 2]), &process, false),
            (json!([200, 300]), &json!(250), true),
            (json!(true), &json!(true), true),
            (json!({ "type": "regex", "pattern": "\"primary\": \"u", "target": "stdout" }), &process, true),
            (json!({ "type": "regex", "pattern": "^eu$", "target": "stdout" }), &process, false),
            (
                json!({ "type": "jsonpath", "path": "$.up[*]", "target": "stdout", "count": 2 }),
                &process,
                true,
            ),
            (
                json!({ "type": "jsonpath", "path": "$.primary", "target": "stdout", "expect": "us" }),
                &process,
                true,
            ),
            (
                json!({ "type": "jsonpath", "path": "$.primary", "target": "stdout", "expect": ["eu"] }),
                &process,
                false,
            ),
            (json!({ "type": "jsonpath", "path": "$.nothing", "target": "stdout" }), &process, false),
            (
                json!({ "type": "range", "range": [1, 2.5], "target": "body" }),
                &json!({ "status": 200, "body": "2.5" }),
                true,
            ),
            (json!({ "type": "range", "range": [1, 2] }), &json!("three"), false),
        ] {
            let read = Tolerance::read(&tolerance, &Values::default())
                .unwrap_or_else(|e| panic!("{tolerance}: {e}"));
            assert_eq!(read.holds(output), Ok(holds), "{tolerance} of {output}");
        }
        for wrong in [
            json!(null),
            json!({}),
            json!({ "type": "regex", "pattern": "(" }),
            json!({ "type": "jsonpath", "path": "$[" }),
            json!({ "type": "range" }),
        ] {
            assert!(Tolerance::read(&wrong, &Values::default()).is_err(), "{wrong}");
        }
    }
}

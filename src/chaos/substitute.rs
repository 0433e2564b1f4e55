//! What `${name}` stands for: the configuration of an experiment and its secrets, from the file or the environment.

use serde_json::{Map, Value};

#[derive(Clone, Debug, Default)]
pub struct Values {
    known: Map<String, Value>,
}

impl Values {
    /// # Errors
    /// Variables of the environment that are not set and have no default, and values that are not of their type: all of them.
    pub fn new(configuration: Option<&Value>, secrets: Option<&Value>) -> Result<Values, Vec<String>> {
        let (mut known, mut wrong) = (Map::new(), Vec::new());
        let groups = secrets.and_then(Value::as_object).into_iter().flat_map(|s| s.values());
        for group in groups.chain(configuration).filter_map(Value::as_object) {
            for (name, value) in group {
                match resolved(name, value) {
                    Ok(value) => {
                        known.insert(name.clone(), value);
                    }
                    Err(why) => wrong.push(why),
                }
            }
        }
        if wrong.is_empty() { Ok(Values { known }) } else { Err(wrong) }
    }

    /// The value with all that is known put in. What is nothing but one name takes the type of its value.
    pub fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.fill_text(text),
            Value::Array(list) => list.iter().map(|v| self.fill(v)).collect(),
            Value::Object(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), self.fill(v))).collect()),
            other => other.clone(),
        }
    }

    pub fn text(&self, text: &str) -> String {
        plain(&self.fill_text(text))
    }

    fn fill_text(&self, text: &str) -> Value {
        let only = text
            .strip_prefix("${")
            .and_then(|t| t.strip_suffix('}'))
            .filter(|name| !name.contains(['$', '{', '}']));
        if let Some(value) = only.and_then(|name| self.known.get(name)) {
            return value.clone();
        }
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            match after.split_once('}') {
                Some((name, tail)) if self.known.contains_key(name) => {
                    out.push_str(&plain(&self.known[name]));
                    rest = tail;
                }
                // What is not known stays as it is written.
                _ => {
                    out.push_str("${");
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        Value::String(out)
    }
}

/// A value as it stands in a text.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

fn resolved(name: &str, value: &Value) -> Result<Value, String> {
    let Some(key) = value.get("key").filter(|_| value["type"] == "env").and_then(Value::as_str) else {
        return match value.get("type").and_then(Value::as_str) {
            Some(kind @ ("vault" | "probe")) => {
                Err(format!("`{name}` is to come from a {kind}, which is not supported here"))
            }
            _ => Ok(value.clone()),
        };
    };
    let Ok(text) = std::env::var(key) else {
        return value
            .get("default")
            .cloned()
            .ok_or_else(|| format!("`{name}` is to come from the environment, where {key} is not set"));
    };
    let wrong = || format!("{key} is `{text}`, which is no {}", plain(&value["env_var_type"]));
    Ok(match value["env_var_type"].as_str() {
        Some("int") => text.parse::<i64>().map_err(|_| wrong())?.into(),
        Some("float") => text.parse::<f64>().map_err(|_| wrong())?.into(),
        Some("json") => serde_json::from_str(&text).map_err(|_| wrong())?,
        _ => Value::String(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_replaced_and_what_is_unknown_stays() {
        let configuration = json!({ "port": 5000, "host": "db", "path": { "type": "env", "key": "BPCI_NO_SUCH_VARIABLE", "default": "/" } });
        let values = Values::new(Some(&configuration), Some(&json!({ "store": { "token": "s3cret" } })))
            .unwrap_or_default();
        for (from, to) in [
            (json!("${port}"), json!(5000)),
            (json!("${host}:${port}${path}"), json!("db:5000/")),
            (json!(["a", { "b": "${token}" }]), json!(["a", { "b": "s3cret" }])),
            (json!("${nobody} ${"), json!("${nobody} ${")),
            (json!(7), json!(7)),
        ] {
            assert_eq!(values.fill(&from), to, "{from}");
        }
        let unset = |name: &str| json!({ "type": "env", "key": name });
        let both =
            json!({ "x": unset("BPCI_NO_SUCH_VARIABLE"), "y": "known", "z": unset("BPCI_NEITHER_THIS") });
        let wrong = Values::new(Some(&both), Some(&json!({ "store": { "token": unset("BPCI_NOR_THAT") } })))
            .err()
            .unwrap_or_default();
        assert_eq!(wrong.len(), 3, "each that is missing: {wrong:?}");
    }
}

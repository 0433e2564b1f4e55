//! One strict JSON document for each command, and the review of its fields: shared by the tests that run commands.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::process::Output;

/// A JSON value without a key that is there twice.
pub struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Strict, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, is: bool) -> Result<Value, E> {
                Ok(is.into())
            }

            fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
                Ok(n.into())
            }

            fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
                Ok(n.into())
            }

            fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
                Ok(n.into())
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(text.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(Strict(one)) = seq.next_element()? {
                    list.push(one);
                }
                Ok(list.into())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut read: A) -> Result<Value, A::Error> {
                let mut map = Map::new();
                while let Some((key, Strict(one))) = read.next_entry::<String, Strict>()? {
                    if map.insert(key.clone(), one).is_some() {
                        return Err(A::Error::custom(format!("`{key}` is there twice")));
                    }
                }
                Ok(map.into())
            }
        }
        deserializer.deserialize_any(Reads).map(Strict)
    }
}

/// The one document of an output: an object with its schema, and nothing before or behind it.
pub fn document(what: &str, output: &Output) -> Value {
    let text = std::str::from_utf8(&output.stdout).unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(
        text.starts_with('{') && text.ends_with("}\n"),
        "{what}: {text:?}; {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let Strict(value) = serde_json::from_str(text).unwrap_or_else(|e| panic!("{what}: {e}: {text}"));
    assert_eq!(value["schema"], 2, "{what}");
    let status = output.status.code();
    match &value["error"] {
        Value::Null => {}
        error => {
            let kind = match status {
                Some(1) => "failed",
                Some(2) => "usage",
                Some(3) => "refused",
                other => panic!("{what}: {other:?}"),
            };
            assert_eq!(
                (&error["kind"], error["exit_status"].as_i64().map(|s| s as i32)),
                (&Value::from(kind), status),
                "{what}"
            );
            assert!(error["message"].as_str().is_some_and(|m| !m.is_empty()), "{what}");
        }
    }
    assert!(status != Some(0) || value["error"].is_null(), "{what}");
    value
}

/// What is of another form than ours: the record's, the Chaos Toolkit's, JSON Schema's.
const FOREIGN: [&str; 3] = [".entries[].record.", ".journal.", ".json_schema."];

/// Objects whose keys are names.
const BY_NAME: [&str; 1] = [".regions"];

/// Every path of a document with the types that stand there.
fn paths(value: &Value, at: &str, found: &mut Fields) {
    if FOREIGN.iter().any(|foreign| format!("{at}.").starts_with(foreign) && format!("{at}.") != *foreign) {
        return;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    if !at.is_empty() {
        found.entry(at.to_string()).or_default().insert(kind.to_string());
    }
    match value {
        Value::Array(list) => list.iter().for_each(|one| paths(one, &format!("{at}[]"), found)),
        Value::Object(map) => {
            for (key, one) in map {
                let key = if BY_NAME.contains(&at) { "NAME" } else { key };
                paths(one, &format!("{at}.{key}"), found);
            }
        }
        _ => {}
    }
}

/// Names say what they hold: an integer of a quantity its unit, a moment that it is one.
fn names_are_consistent(what: &str, found: &Fields) {
    for path in found.keys() {
        let name = path.rsplit('.').next().unwrap_or_default().trim_end_matches("[]");
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        assert!(plain || name == "NAME", "{what}: {path}");
        assert!(
            !["at", "since", "time", "bytes", "ms"].contains(&name),
            "{what}: {path} does not say what it is"
        );
    }
}

type Fields = BTreeMap<String, BTreeSet<String>>;

/// The reviewed file: `== COMMAND`, then `PATH: KIND or KIND`; `PATH?` where not every object has the field.
fn read(text: &str) -> BTreeMap<String, Fields> {
    let mut all: BTreeMap<String, Fields> = BTreeMap::new();
    let mut command = String::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("== ") {
            command = name.to_string();
            all.entry(command.clone()).or_default();
        } else if let Some((path, kinds)) = line.split_once(": ") {
            let kinds = kinds.split(" or ").map(str::to_string).collect();
            all.entry(command.clone()).or_default().insert(path.to_string(), kinds);
        }
    }
    all
}

fn written(told: &BTreeMap<String, Fields>, known: &BTreeMap<String, Fields>) -> String {
    let mut all = known.clone();
    for (command, fields) in told {
        let into = all.entry(command.clone()).or_default();
        for (path, kinds) in fields {
            let optional = format!("{path}?");
            let path = if into.contains_key(&optional) { optional } else { path.clone() };
            into.entry(path).or_default().extend(kinds.iter().cloned());
        }
    }
    let mut text = "# The fields of every document, by command. `PATH?`: not every object has it. What is unknown is null anywhere.\n".to_string();
    for (command, fields) in &all {
        text.push_str(&format!("== {command}\n"));
        for (path, kinds) in fields {
            text.push_str(&format!("{path}: {}\n", kinds.iter().cloned().collect::<Vec<_>>().join(" or ")));
        }
    }
    text
}

/// A field that is new or of another kind, and one that is gone although the object that had it is there.
fn differences(told: &BTreeMap<String, Fields>, known: &BTreeMap<String, Fields>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (command, fields) in told {
        let reviewed = known.get(command).cloned().unwrap_or_default();
        for (path, kinds) in fields {
            let allowed = reviewed.get(path).or_else(|| reviewed.get(&format!("{path}?")));
            match allowed {
                None => wrong.push(format!("{command}: {path} is new ({kinds:?})")),
                Some(allowed) => {
                    let other: Vec<_> =
                        kinds.iter().filter(|kind| *kind != "null" && !allowed.contains(*kind)).collect();
                    if !other.is_empty() {
                        wrong.push(format!("{command}: {path} is {other:?}, not {allowed:?}"));
                    }
                }
            }
        }
        for path in reviewed.keys().filter(|path| !path.ends_with('?') && !path.ends_with("[]")) {
            let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
            let has_parent =
                parent.is_empty() || fields.get(parent).is_some_and(|kinds| kinds.contains("object"));
            if has_parent && !fields.contains_key(path) {
                wrong.push(format!("{command}: {path} is gone"));
            }
        }
    }
    wrong
}

/// The fields of these documents, by command, are those of the reviewed file.
pub fn are_as_reviewed(all: &[(&str, Vec<Value>)]) {
    let mut told: BTreeMap<String, Fields> = BTreeMap::new();
    for (what, documents) in all {
        let found = told.entry((*what).to_string()).or_default();
        documents.iter().for_each(|document| paths(document, "", found));
        names_are_consistent(what, found);
    }
    let reviewed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/documents.txt");
    let known = read(&std::fs::read_to_string(&reviewed).unwrap_or_default());
    let wrong = differences(&told, &known);
    if !wrong.is_empty() && std::env::var_os("BPCI_REVIEW").is_some() {
        std::fs::write(&reviewed, written(&told, &known)).unwrap_or_else(|e| panic!("{e}"));
    }
    assert!(
        wrong.is_empty(),
        "{}\n(BPCI_REVIEW=1 adds what is new to {}: review that)",
        wrong.join("\n"),
        reviewed.display()
    );
}

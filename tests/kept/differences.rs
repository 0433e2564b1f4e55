//! Two canonical values compared, and the differences that are meant.

use serde_json::Value;
use std::collections::BTreeSet;

/// Applies `expected.v2.json`: `[{ "at": JSON pointer, "was": value, "is": value, "why": heading in differences.md }, …]`. Without
/// `was` the place is new, without `is` it is gone.
///
/// # Errors
/// What stands at a place is not what the entry says, the entry changes nothing, or its reason is not listed.
pub fn apply(expected: &mut Value, overlay: &Value, listed: &str) -> Result<(), String> {
    for entry in overlay.as_array().ok_or("it is no list")? {
        let text = |key: &str| entry[key].as_str().ok_or_else(|| format!("an entry has no `{key}`: {entry}"));
        let (at, why) = (text("at")?, text("why")?);
        if !listed.lines().any(|line| line.strip_prefix("## ") == Some(why)) {
            return Err(format!("{at}: differences.md has no heading `## {why}`"));
        }
        if entry.get("was") == entry.get("is") {
            return Err(format!("{at}: it changes nothing"));
        }
        if expected.pointer(at) != entry.get("was") {
            return Err(format!("{at}: expected.json says something else than `was`"));
        }
        put(expected, at, entry.get("is")).ok_or_else(|| format!("{at}: there is no such place"))?;
    }
    Ok(())
}

fn put(value: &mut Value, at: &str, is: Option<&Value>) -> Option<()> {
    let (parent, last) = at.rsplit_once('/')?;
    let key = last.replace("~1", "/").replace("~0", "~");
    match (value.pointer_mut(parent)?, is) {
        (Value::Object(fields), Some(is)) => drop(fields.insert(key, is.clone())),
        (Value::Object(fields), None) => drop(fields.remove(&key)?),
        (Value::Array(items), Some(is)) => {
            let index: usize = key.parse().ok()?;
            (index <= items.len()).then_some(())?;
            match items.get_mut(index) {
                Some(item) => *item = is.clone(),
                None => items.push(is.clone()),
            }
        }
        (Value::Array(items), None) => {
            let index: usize = key.parse().ok()?;
            (index < items.len()).then(|| items.remove(index))?;
        }
        _ => return None,
    }
    Some(())
}

/// Where two values differ: a JSON pointer, what was expected, what is.
pub fn between(expected: &Value, is: &Value) -> Vec<String> {
    let mut all = Vec::new();
    walk("", Some(expected), Some(is), &mut all);
    all
}

fn walk(at: &str, expected: Option<&Value>, is: Option<&Value>, all: &mut Vec<String>) {
    match (expected, is) {
        (Some(Value::Object(e)), Some(Value::Object(i))) => {
            let keys: BTreeSet<&String> = e.keys().chain(i.keys()).collect();
            keys.into_iter().for_each(|key| {
                walk(
                    &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                    e.get(key),
                    i.get(key),
                    all,
                )
            });
        }
        (Some(Value::Array(e)), Some(Value::Array(i))) => {
            (0..e.len().max(i.len())).for_each(|n| walk(&format!("{at}/{n}"), e.get(n), i.get(n), all));
        }
        _ if expected == is => {}
        _ => {
            let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_string(), Value::to_string);
            all.push(format!("{at}: expected {}, is {}", text(expected), text(is)));
        }
    }
}

#[test]
fn only_listed_differences_are_let_pass() {
    let expected = serde_json::json!({ "a": { "b": [1, 2] }, "c": 3 });
    let listed = "# Differences\n\n## a reason\n";
    let one = |at: &str, was: Value, is: Value| {
        let mut changed = expected.clone();
        let overlay = serde_json::json!([{ "at": at, "was": was, "is": is, "why": "a reason" }]);
        apply(&mut changed, &overlay, listed).map(|()| changed)
    };
    let changed = one("/a/b/1", 2.into(), 7.into()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(between(&expected, &changed), ["/a/b/1: expected 2, is 7"]);
    assert!(one("/a/b/1", 9.into(), 7.into()).is_err(), "it is not what it was");
    assert!(one("/a/b/1", 2.into(), 2.into()).is_err(), "it changes nothing");
    assert!(one("/a/x/1", Value::Null, 2.into()).is_err(), "there is no such place");
    let mut same = expected.clone();
    assert!(
        apply(&mut same, &serde_json::json!([{ "at": "/c", "was": 3, "is": 4, "why": "another" }]), listed)
            .is_err(),
        "not listed"
    );
    let mut new = expected.clone();
    apply(&mut new, &serde_json::json!([{ "at": "/d", "is": 4, "why": "a reason" }, { "at": "/c", "was": 3, "why": "a reason" }]), listed)
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(new, serde_json::json!({ "a": { "b": [1, 2] }, "d": 4 }));
}

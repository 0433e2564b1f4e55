//! JSON documents with damage that a text editor, a proxy or another version of a program does: other types, huge figures, keys that
//! are there twice, deep nesting.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use serde_json::{Value, json};

pub fn pick(random: &mut ChaCha8Rng, n: usize) -> usize {
    (random.next_u64() % n.max(1) as u64) as usize
}

/// The document with one to four values of it replaced, and sometimes a key twice.
pub fn damaged(document: &Value, random: &mut ChaCha8Rng) -> String {
    let mut value = document.clone();
    for _ in 0..=pick(random, 3) {
        let count = nodes(&value);
        let at = pick(random, count);
        replace(&mut value, &mut { at }, random);
    }
    let text = value.to_string();
    if pick(random, 4) > 0 { text } else { twice(&text, random) }
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(nodes).sum(),
        Value::Object(map) => map.values().map(nodes).sum::<usize>(),
        _ => 0,
    }
}

/// Replaces the node that is so many nodes on.
fn replace(value: &mut Value, left: &mut usize, random: &mut ChaCha8Rng) -> bool {
    if *left == 0 {
        *value = another(value, random);
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(list) => list.iter_mut().any(|v| replace(v, left, random)),
        Value::Object(map) => map.values_mut().any(|v| replace(v, left, random)),
        _ => false,
    }
}

/// Another value in the place of this one: its text, what its text means, or something odd.
fn another(value: &Value, random: &mut ChaCha8Rng) -> Value {
    match pick(random, 16) {
        0 => Value::Null,
        1 => json!({}),
        2 => json!([]),
        3 => json!([value.clone(), value.clone()]),
        4 => json!({ "on": value.clone(), "": null }),
        5 => nested(value.clone(), 1 + pick(random, 120)),
        6 => json!(u64::MAX),
        7 => json!(i64::MIN),
        8 => json!(1e300),
        9 => json!(-0.5),
        10 => json!("\0\u{1b}[2J\u{202e}\r\n"),
        11 => json!("x".repeat(1 + pick(random, 5_000))),
        12 => json!(pick(random, 2) == 0),
        13 => json!(
            [
                "on",
                "OFF",
                "Yes",
                "quorum",
                "QUORUM",
                "1",
                "0",
                "-1",
                " 30 ",
                "30s",
                "1e999",
                "0x7fffffffffffffffffff"
            ][pick(random, 12)]
        ),
        14 => value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null),
        _ => Value::String(value.to_string()),
    }
}

fn nested(value: Value, levels: usize) -> Value {
    (0..levels)
        .fold(value, |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({ "in": inner }) })
}

/// A key that is there a second time, with another value.
fn twice(text: &str, random: &mut ChaCha8Rng) -> String {
    let keys: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
    let Some(key) = keys.get(pick(random, keys.len())) else { return text.to_string() };
    let odd = ["null", "true", "[]", "{}", "18446744073709551616", "\"x\""][pick(random, 6)];
    text.replacen('{', &format!("{{\"{key}\":{odd},"), 1 + pick(random, 3))
}

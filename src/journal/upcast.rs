//! Reads records of earlier versions as records of today. The bodies on disk are never rewritten: the hash chain covers them.

use crate::model::Record;
use serde_json::{Value, json};

/// Reads the body of a record of any version that this program knows.
///
/// # Errors
/// The body is not JSON, or holds an event that this program does not know.
pub fn record(body: &[u8]) -> Result<Record, String> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        v: u8,
    }
    let Versioned { v } = serde_json::from_slice(body).map_err(|e| e.to_string())?;
    match v {
        Record::VERSION => serde_json::from_slice(body).map_err(|e| e.to_string()),
        1 => {
            let mut value: Value = serde_json::from_slice(body).map_err(|e| e.to_string())?;
            one_to_two(&mut value);
            serde_json::from_value(value).map_err(|e| e.to_string())
        }
        newer => Err(format!("it has version {newer}; this program knows versions 1 to {}", Record::VERSION)),
    }
}

/// Turns a record of version 1 into one of version 2, in place.
fn one_to_two(record: &mut Value) {
    record["v"] = Record::VERSION.into();
    accepted_risks(record);
}

/// What a person accepted was one field for each kind of risk, without the words and the person; 0 bytes meant an unknown amount.
fn accepted_risks(record: &mut Value) {
    let Some(start) = record["event"].get_mut("OperationStarted") else { return };
    let by = start["by"].clone();
    let Some(accepted) = start.get_mut("accepted").and_then(Value::as_object_mut) else { return };
    let loses = accepted.remove("loss").and_then(|loss| loss.as_u64()).map(|bytes| match bytes {
        0 => json!({ "Loses": "Unknown" }),
        bytes => json!({ "Loses": { "AtLeast": bytes } }),
    });
    let unfenced = accepted.remove("unfenced").is_some_and(|unfenced| unfenced == true);
    let risks = loses.into_iter().chain(unfenced.then(|| json!("TwoMayWrite")));
    let risks: Vec<Value> = risks.map(|risk| json!({ "risk": risk, "by": by })).collect();
    accepted.insert("risks".to_string(), risks.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Accepted, AcceptedRisk, Amount, Bytes, Risk};

    #[test]
    fn what_was_accepted_in_version_1_is_a_list_of_risks() {
        let by = || "ada".to_string();
        let risk = |risk| AcceptedRisk { risk, words: String::new(), by: by() };
        for (old, risks) in [
            (json!({ "loss": null, "unfenced": false, "alive": false }), vec![]),
            (json!({ "loss": 0, "unfenced": false, "alive": true }), vec![risk(Risk::Loses(Amount::Unknown))]),
            (json!({ "loss": 812, "unfenced": true, "alive": false }), vec![risk(Risk::Loses(Amount::AtLeast(Bytes(812)))), risk(Risk::TwoMayWrite)]),
        ] {
            let mut record = json!({ "v": 1, "event": { "OperationStarted": { "by": "ada", "accepted": old } } });
            one_to_two(&mut record);
            let new: Accepted = serde_json::from_value(record["event"]["OperationStarted"]["accepted"].clone()).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(new.risks, risks, "{old}");
            assert_eq!(new.alive, old["alive"] == true);
        }
    }
}

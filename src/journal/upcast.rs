//! Reads records of earlier versions as records of today. The bodies on disk are never rewritten: the hash chain covers them.
//!
//! In version 1 a region named the member of a database: there was one member in a region. Which member that is depends on the
//! estate of the last `Started`, so records are read in their order.

use crate::model::{Actor, Estate, Record};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What earlier records say that is needed to read later ones.
#[derive(Clone, Debug, Default)]
pub struct Upcaster {
    /// By group, the region of each member.
    members: Vec<Vec<u64>>,
    /// The group of each choice and of each operation.
    proposals: BTreeMap<u64, u64>,
    operations: BTreeMap<u64, u64>,
}

impl Upcaster {
    /// For what was measured while this estate was watched and these choices were open (choice, group).
    pub fn of(estate: &Estate, proposals: impl Iterator<Item = (u64, u64)>) -> Upcaster {
        let members = estate
            .groups
            .iter()
            .map(|g| g.database.iter().flat_map(|d| &d.members).map(|m| u64::from(m.region.0)).collect());
        Upcaster { members: members.collect(), proposals: proposals.collect(), operations: BTreeMap::new() }
    }

    /// Reads the body of a record of any version that this program knows.
    ///
    /// # Errors
    /// The body is not JSON, or holds an event that this program does not know.
    pub fn record(&mut self, body: &[u8]) -> Result<Record, String> {
        #[derive(serde::Deserialize)]
        struct Versioned {
            v: u8,
        }
        let Versioned { v } = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        match v {
            Record::VERSION => serde_json::from_slice(body).map_err(|e| e.to_string()),
            1 => {
                let mut value: Value = serde_json::from_slice(body).map_err(|e| e.to_string())?;
                self.one_to_two(&mut value);
                let part = |name: &str| value[name].clone();
                let event = serde_json::from_value(part("event")).map_err(|e| e.to_string())?;
                let epoch = serde_json::from_value(part("epoch")).map_err(|e| e.to_string())?;
                let at = serde_json::from_value(part("at")).map_err(|e| e.to_string())?;
                Ok(Record { v: Record::VERSION, epoch, at, event })
            }
            newer => {
                Err(format!("it has version {newer}; this program knows versions 1 to {}", Record::VERSION))
            }
        }
    }

    /// Turns the event of a record of version 1, which is in no room, into one of version 2, in place.
    fn one_to_two(&mut self, record: &mut Value) {
        accepted_risks(record);
        let Some((name, event)) =
            record.get_mut("event").and_then(Value::as_object_mut).and_then(|event| event.iter_mut().next())
        else {
            return;
        };
        let name = name.clone();
        self.remember(&name, event);
        self.members_of_event(&name, event);
        let Some(event) = record.get_mut("event") else { return };
        closed_choice(event);
        vouching_note(event);
        reasons(event);
        actors(event);
    }

    fn remember(&mut self, name: &str, event: &Value) {
        match name {
            "Started" => {
                let groups = event["estate"]["groups"].as_array().into_iter().flatten();
                let regions = |g: &Value| {
                    g["database"]["members"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(|m| m["region"].as_u64())
                        .collect()
                };
                self.members = groups.map(regions).collect();
            }
            "Proposed" => {
                self.proposals.extend(event["id"].as_u64().zip(event["group"].as_u64()));
            }
            "OperationStarted" => {
                self.operations.extend(event["id"].as_u64().zip(event["group"].as_u64()));
            }
            _ => {}
        }
    }

    /// The member of a group in a region. A group without a database has none; there nothing looks at the number.
    fn member(&self, group: Option<u64>, region: u64) -> u64 {
        let members = group.and_then(|g| usize::try_from(g).ok()).and_then(|g| self.members.get(g));
        members.and_then(|list| list.iter().position(|r| *r == region)).map_or(0, |at| at as u64)
    }

    /// A region, or null, as the member there, or null.
    fn turned(&self, group: Option<u64>, region: &Value) -> Value {
        region.as_u64().map_or(Value::Null, |r| self.member(group, r).into())
    }

    /// The field `region` becomes `member`.
    fn rename(&self, group: Option<u64>, value: &mut Value) {
        let Some(fields) = value.as_object_mut() else { return };
        if let Some(region) = fields.remove("region") {
            fields.insert("member".to_string(), self.turned(group, &region));
        }
    }

    fn members_of_event(&self, name: &str, event: &mut Value) {
        let group = event["group"].as_u64();
        match name {
            "PrimaryChanged" | "FenceProven" => self.rename(group, event),
            "Proposed" => {
                put(event, "old", self.turned(group, &event["from"]));
                put(event, "leaves", "region".into());
                put(event, "to", self.turned(group, &event["to"]));
            }
            "OperationStarted" => {
                put(event, "left", json!([self.turned(group, &event["from"])]));
                put(event, "to", self.turned(group, &event["to"]));
            }
            "Intended" => {
                event.get_mut("id").into_iter().for_each(part);
                event.get_mut("effect").into_iter().for_each(|effect| self.effect(effect));
            }
            "Reported" | "OutcomeLost" => event.get_mut("id").into_iter().for_each(part),
            "RemainderDone" => {
                let group = event["operation"].as_u64().and_then(|o| self.operations.get(&o)).copied();
                for (_, remainder) in
                    event.get_mut("remainder").and_then(Value::as_object_mut).into_iter().flatten()
                {
                    self.rename(group, remainder);
                }
            }
            "Foretold" => {
                let group = event["proposal"].as_u64().and_then(|p| self.proposals.get(&p)).copied();
                let to = self.turned(group, &event["foretold"]["to"]);
                event.get_mut("foretold").into_iter().for_each(|foretold| put(foretold, "to", to.clone()));
            }
            "Refused" => {
                if let Some(propose) = event.pointer_mut("/order/action/Propose") {
                    put(propose, "to", self.turned(propose["group"].as_u64(), &propose["to"]));
                }
            }
            _ => {}
        }
    }

    fn effect(&self, effect: &mut Value) {
        let Some((name, fields)) = effect.as_object_mut().and_then(|e| e.iter_mut().next()) else { return };
        let group = fields["group"].as_u64();
        match name.as_str() {
            "Fence" | "UndoFence" | "Drain" | "Restore" => self.rename(group, fields),
            "ValidateWrite" => {
                put(fields, "primary", self.turned(group, &fields["primary"]));
                let not = self.turned(group, &fields["not"]);
                put(fields, "not", if not.is_null() { json!([]) } else { json!([not]) });
            }
            _ => {}
        }
    }

    /// Turns a measured fact of version 1 into one of version 2, in place.
    pub fn fact(&self, fact: &mut Value) {
        let Some((name, fields)) = fact.as_object_mut().and_then(|f| f.iter_mut().next()) else { return };
        let group = fields["group"].as_u64();
        match name.as_str() {
            "Probe" | "Member" | "Receiver" | "Login" | "FenceCheck" => self.rename(group, fields),
            "Store" => {
                let Some(record) = fields.get_mut("record") else { return };
                record.get_mut("leader").into_iter().for_each(|leader| self.rename(group, leader));
                for member in record.get_mut("members").and_then(Value::as_array_mut).into_iter().flatten() {
                    self.rename(group, member);
                }
            }
            "Balancer" => {
                for server in fields.get_mut("servers").and_then(Value::as_array_mut).into_iter().flatten() {
                    self.rename(group, server);
                }
            }
            _ => {}
        }
    }

    /// Turns a published forecast of version 1 into one of version 2, in place.
    pub fn forecast(&self, view: &mut Value) {
        let group = view["proposal"].as_u64().and_then(|p| self.proposals.get(&p)).copied();
        let Some(forecast) = view.get_mut("forecast") else { return };
        put(forecast, "to", self.turned(group, &forecast["to"]));
        if let Some(next) = forecast.get_mut("next_best").and_then(|list| list.get_mut(0)) {
            *next = self.turned(group, next);
        }
    }
}

/// Sets a field of an object. What is no object, in a body that is damaged, is left as it is: the reading of it says so.
fn put(object: &mut Value, field: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.to_string(), value);
    }
}

/// Rewrites a field of an object, also one that is not there.
fn rewrite(object: &mut Value, field: &str, with: impl FnOnce(Value) -> Value) {
    if let Some(fields) = object.as_object_mut() {
        let old = fields.remove(field).unwrap_or_default();
        fields.insert(field.to_string(), with(old));
    }
}

/// In version 1 what undoes a step counted from 100, and what remains from 200: several members need more numbers.
fn part(id: &mut Value) {
    let new = match id["part"].as_u64().unwrap_or_default() {
        part @ 0..100 => part,
        part @ 100..200 => part + 9_900,
        part => part.saturating_add(19_800),
    };
    put(id, "part", new.into());
}

/// What a person accepted was one field for each kind of risk, without the words and the person; 0 bytes meant an unknown amount.
fn accepted_risks(record: &mut Value) {
    let Some(start) = record.pointer_mut("/event/OperationStarted") else { return };
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

/// Version 1 named who did something in words. In its events every text under `by` is such a name.
fn actors(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str().filter(|_| name == "by").map(Actor::of_words) {
                    Some(actor) => *field = serde_json::to_value(actor).unwrap_or_default(),
                    None => actors(field),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(actors),
        _ => {}
    }
}

/// Version 1 told every reason in words alone. They are kept as they are; that a person stopped a countdown has meaning.
fn reasons(event: &mut Value) {
    let Some((name, event)) = event.as_object_mut().and_then(|event| event.iter_mut().next()) else { return };
    match name.as_str() {
        "Refused" => {
            let Some(refusal) = event.get_mut("refusal").and_then(Value::as_object_mut) else { return };
            let (reason, remedy) = (refusal.remove("reason"), refusal.remove("remedy"));
            refusal.insert("why".to_string(), json!({ "Written": { "reason": reason, "remedy": remedy } }));
        }
        "AutomaticStopped" if event["reason"] == "by hand" => put(event, "reason", "ByHand".into()),
        "AutomaticStopped" | "RegionChanged" | "OutcomeLost" | "StepFailed" | "StepSkipped" | "StepReset" => {
            rewrite(event, "reason", written)
        }
        "StepDone" | "RemainderDone" | "DisasterDeclared" => rewrite(event, "evidence", written),
        "Proposed" => rewrite(event, "reason", |reason| json!({ "Told": reason })),
        "OperationStarted" => {
            rewrite(event, "reason", |reason| json!({ "Told": reason }));
            for list in ["held", "warned"] {
                let told = event.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
                told.for_each(|words| *words = written(words.take()));
            }
        }
        "Reported" => event
            .pointer_mut("/outcome/Assumed")
            .into_iter()
            .for_each(|assumed| rewrite(assumed, "reason", written)),
        "StatusChanged" => {
            for (status, field) in [("Waiting", "question"), ("Failed", "reason"), ("NotValidated", "reason")]
            {
                let told = event.get_mut("status").and_then(|s| s.get_mut(status));
                told.into_iter().for_each(|told| rewrite(told, field, written));
            }
        }
        _ => {}
    }
}

/// Words of version 1 become the variant that holds them.
fn written(words: Value) -> Value {
    json!({ "Written": words })
}

/// A note of version 1 that a person wrote vouched for the databases that it names in certain words.
fn vouching_note(event: &mut Value) {
    let Some(note) = event.get_mut("Note").and_then(Value::as_object_mut) else { return };
    // A note that does not say whose it is is a person's.
    let by_hand = note.get("by_hand").and_then(Value::as_bool).unwrap_or(true);
    note.insert("vouches".to_string(), by_hand.into());
}

/// Version 1 told why a choice left the table in words alone. What follows the fixed words is kept for display.
fn closed_choice(event: &mut Value) {
    let Some(old) = event.get_mut("Withdrawn").map(Value::take) else { return };
    let reason = old.get("reason").and_then(Value::as_str).unwrap_or_default();
    let changed = |reason: &str| json!({ "FactsChanged": { "reason": reason } });
    let (end, words) = match reason {
        "the disaster is over" => (changed("DisasterOver"), ""),
        "the primary has moved" => (changed("PrimaryMoved"), ""),
        "nobody confirmed it" => (changed("NobodyConfirmed"), ""),
        other => match (other.strip_prefix("withdrawn"), other.strip_prefix("another choice took its place"))
        {
            (Some(rest), _) => ("Dismissed".into(), rest),
            (_, Some(rest)) => ("Displaced".into(), rest),
            _ => (changed("Unnamed"), other),
        },
    };
    let cost = (!words.is_empty()).then(|| json!({ "Written": words }));
    *event = json!({ "ProposalClosed": { "proposal": old["proposal"], "by": old["by"], "end": end, "cost": cost } });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Accepted, AcceptedRisk, Amount, Bytes, ChoiceCost, Event, Evidence, FactsChanged, OperationFailure,
        Outcome, Part, ProposalEnd, Question, RefusalReason, RegionReason, Risk, Status, StepFailure,
        StopReason,
    };

    #[test]
    fn what_was_accepted_in_version_1_is_a_list_of_risks() {
        let by = || Actor::Named("ada".to_string());
        let risk = |risk| AcceptedRisk { risk, words: String::new(), by: by() };
        for (old, risks) in [
            (json!({ "loss": null, "unfenced": false, "alive": false }), vec![]),
            (
                json!({ "loss": 0, "unfenced": false, "alive": true }),
                vec![risk(Risk::Loses(Amount::Unknown))],
            ),
            (
                json!({ "loss": 812, "unfenced": true, "alive": false }),
                vec![risk(Risk::Loses(Amount::AtLeast(Bytes(812)))), risk(Risk::TwoMayWrite)],
            ),
        ] {
            let mut record =
                json!({ "v": 1, "event": { "OperationStarted": { "by": "ada", "accepted": old } } });
            Upcaster::default().one_to_two(&mut record);
            let new: Accepted =
                serde_json::from_value(record["event"]["OperationStarted"]["accepted"].clone())
                    .unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(new.risks, risks, "{old}");
            assert_eq!(new.alive, old["alive"] == true);
        }
    }

    fn read(event: &str) -> Event {
        let body = format!(r#"{{"v":1,"epoch":1,"at":{{"utc":5,"mono":3}},"event":{event}}}"#);
        Upcaster::default().record(body.as_bytes()).unwrap_or_else(|e| panic!("{event}: {e}")).event
    }

    #[test]
    fn names_of_version_1_become_actors() {
        let ada = || Actor::Named("ada as root from 10.0.0.5".to_string());
        assert_eq!(read(r#"{"Armed":{"by":"ada as root from 10.0.0.5"}}"#), Event::Armed { by: ada() });
        let Event::Refused { order, .. } = read(
            r#"{"Refused":{"order":{"by":"ada as root from 10.0.0.5","action":"Disarm"},"refusal":{"law":4,"reason":"r","remedy":""}}}"#,
        ) else {
            panic!("it was refused")
        };
        assert_eq!(order.by, ada());
        let aborted = read(
            r#"{"StatusChanged":{"operation":3,"status":{"Aborted":{"by":"ada as root from 10.0.0.5"}}}}"#,
        );
        assert!(
            matches!(aborted, Event::StatusChanged { status: Status::Aborted { by }, .. } if by == ada())
        );
        let stopped = read(r#"{"AutomaticStopped":{"proposal":1,"by":"bpci","reason":"a rule"}}"#);
        assert!(matches!(stopped, Event::AutomaticStopped { by, .. } if by == Actor::Part(Part::Bpci)));
    }

    #[test]
    fn the_words_of_version_1_are_kept_as_they_were_written() {
        let words = || "as it was said".to_string();
        let status =
            |status: &str| match read(&format!(r#"{{"StatusChanged":{{"operation":3,"status":{status}}}}}"#))
            {
                Event::StatusChanged { status, .. } => status,
                other => panic!("{other:?}"),
            };
        let question = Question::Written(words());
        assert_eq!(status(r#"{"Waiting":{"question":"as it was said"}}"#), Status::Waiting { question });
        assert_eq!(
            status(r#"{"Failed":{"reason":"as it was said"}}"#),
            Status::Failed { reason: OperationFailure::Written(words()) }
        );
        assert_eq!(status(r#""Recovered""#), Status::Recovered);
        let step = |event: &str, field: &str| {
            read(&format!(r#"{{"{event}":{{"operation":3,"step":1,"{field}":"as it was said"}}}}"#))
        };
        assert!(
            matches!(step("StepDone", "evidence"), Event::StepDone { evidence: Evidence::Written(w), .. } if w == words())
        );
        assert!(
            matches!(step("StepFailed", "reason"), Event::StepFailed { reason: StepFailure::Written(w), .. } if w == words())
        );
        assert!(
            matches!(step("StepSkipped", "reason"), Event::StepSkipped { .. })
                && matches!(step("StepReset", "reason"), Event::StepReset { .. })
        );
        let region = read(r#"{"RegionChanged":{"region":0,"status":"Down","reason":"as it was said"}}"#);
        assert!(
            matches!(region, Event::RegionChanged { reason: RegionReason::Written(w), .. } if w == words())
        );
        let id = r#"{"operation":3,"step":1,"part":0,"attempt":0,"generation":1}"#;
        let lost = read(&format!(r#"{{"OutcomeLost":{{"id":{id},"reason":"as it was said"}}}}"#));
        assert!(matches!(lost, Event::OutcomeLost { .. }));
        let assumed = read(&format!(
            r#"{{"Reported":{{"id":{id},"outcome":{{"Assumed":{{"reason":"as it was said"}}}}}}}}"#
        ));
        assert!(matches!(assumed, Event::Reported { outcome: Outcome::Assumed { .. }, .. }));
        let refusal = r#"{"order":{"by":"ada","action":"Disarm"},"refusal":{"law":4,"reason":"as it was said","remedy":"do so"}}"#;
        let Event::Refused { refusal, .. } = read(&format!(r#"{{"Refused":{refusal}}}"#)) else {
            panic!("it was refused")
        };
        assert_eq!(
            (refusal.law, refusal.why),
            (Some(4), RefusalReason::Written { reason: words(), remedy: "do so".to_string() })
        );
        for (reason, typed) in
            [("by hand", StopReason::ByHand), ("as it was said", StopReason::Written(words()))]
        {
            let stopped =
                read(&format!(r#"{{"AutomaticStopped":{{"proposal":1,"by":"ada","reason":"{reason}"}}}}"#));
            assert!(matches!(stopped, Event::AutomaticStopped { reason, .. } if reason == typed), "{reason}");
        }
    }

    #[test]
    fn only_notes_of_version_1_vouch() {
        let body = |v: u8, by_hand: &str| {
            let by = if v == 1 { r#""ada""# } else { r#"{"Named":"ada"}"# };
            let note = format!(r#"{{"Note":{{"by":{by},"text":"db takes writes"{by_hand}}}}}"#);
            let event = if v == 1 { note } else { format!(r#"{{"kernel":{note}}}"#) };
            format!(r#"{{"v":{v},"epoch":1,"at":{{"utc":5,"mono":3}},"event":{event}}}"#)
        };
        for (v, by_hand, expected) in [
            (1, "", true),
            (1, r#","by_hand":true"#, true),
            (1, r#","by_hand":false"#, false),
            (2, "", false),
        ] {
            let read =
                Upcaster::default().record(body(v, by_hand).as_bytes()).unwrap_or_else(|e| panic!("{e}"));
            let Event::Note { vouches, .. } = read.event else { panic!("{:?}", read.event) };
            assert_eq!(vouches, expected, "version {v}{by_hand}");
        }
    }

    #[test]
    fn the_words_of_version_1_become_an_end() {
        let changed = |reason| ProposalEnd::FactsChanged { reason };
        for (reason, end, left) in [
            ("withdrawn", ProposalEnd::Dismissed, ""),
            (
                "withdrawn; to confirm it one would have typed «x»",
                ProposalEnd::Dismissed,
                "; to confirm it one would have typed «x»",
            ),
            (
                "another choice took its place; refused as it stood: y",
                ProposalEnd::Displaced,
                "; refused as it stood: y",
            ),
            ("the disaster is over", changed(FactsChanged::DisasterOver), ""),
            ("the primary has moved", changed(FactsChanged::PrimaryMoved), ""),
            ("nobody confirmed it", changed(FactsChanged::NobodyConfirmed), ""),
            ("of an older program", changed(FactsChanged::Unnamed), "of an older program"),
        ] {
            let body = json!({ "v": 1, "epoch": 1, "at": { "utc": 5, "mono": 3 }, "event": { "Withdrawn": { "proposal": 4, "by": "ada", "reason": reason } } });
            let read = Upcaster::default()
                .record(body.to_string().as_bytes())
                .unwrap_or_else(|e| panic!("{reason}: {e}"));
            let Event::ProposalClosed { end: found, cost, by, .. } = read.event else {
                panic!("{reason}: {:?}", read.event)
            };
            let left = (!left.is_empty()).then(|| ChoiceCost::Written(left.to_string()));
            assert_eq!((found, cost, by), (end, left, Actor::of_words("ada")), "{reason}");
        }
    }
}

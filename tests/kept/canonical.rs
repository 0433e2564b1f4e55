//! What a journal says, by name and without sentences: the state at the end of each epoch, and what became of each choice and
//! each refused order; and what the tape beside it showed last. The program of commit 0aa8c41 wrote `expected.json` with this same code over its own fold.
//!
//! This is the only file to change when a type of the state changes. The values that it writes must stay the same.

use bpci::controller::Replay;
use bpci::engine::{Engine, State};
use bpci::journal::{JournalError, Reader};
use bpci::model::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Folds a journal.
///
/// # Errors
/// The journal cannot be read, or holds a record that this program does not know.
pub fn of(journal: &Path) -> Result<Value, JournalError> {
    let reader = Reader::open(journal)?;
    let none = || JournalError {
        path: journal.to_path_buf(),
        reason: "it does not begin with `Started`".to_string(),
    };
    let Some(Event::Started { estate, .. }) =
        reader.after(0)?.into_iter().next().map(|entry| entry.record.event)
    else {
        return Err(none());
    };
    let mut engine = Engine::new(Arc::clone(&estate), "kept");
    let mut epochs = Vec::new();
    let mut choices = Choices::default();
    let mut refused = Vec::new();
    reader.each(|entry| {
        if matches!(entry.record.event, Event::Started { .. }) && engine.state().records > 0 {
            epochs.push(state(engine.state()));
        }
        engine.restore(&entry.record);
        choices.take(engine.state(), &entry.record.event);
        if let Event::Refused { order, refusal } = &entry.record.event {
            refused.push(
                json!({ "by": actor(&order.by), "action": variant(&order.action), "law": refusal.law }),
            );
        }
        Ok::<(), JournalError>(())
    })?;
    epochs.push(state(engine.state()));
    Ok(json!({ "epochs": epochs, "choices": choices.all, "refused": refused, "seen": seen(journal)? }))
}

/// What was seen last, by the tape: who answered, who led, what stood in the way.
///
/// # Errors
/// The journal cannot be read.
pub fn seen(journal: &Path) -> Result<Value, JournalError> {
    let (engine, now) = Replay::newest(journal)?;
    let s = engine.snapshot(now, None);
    let groups = s.groups.iter().filter(|v| !v.members.is_empty()).map(|v| {
        let members = v.members.iter().map(|m| {
            json!({
                "region": region(&s.estate, m.region),
                "leads": m.leads,
                "synchronous": m.synchronous,
                "answers": m.answers,
                "timeline": m.timeline.map(|t| t.0),
                "position": m.position.map(|p| p.0),
                "measured": m.measured.map(|t| t.0),
                "fit": m.unfit.is_none(),
            })
        });
        json!({
            "group": group(&s.estate, v.group),
            "members": members.collect::<Vec<_>>(),
            "timeline": v.timeline.map(|t| t.0),
            "paused": v.paused,
            "blind": v.blind,
            "unproven": v.unproven,
            "silence": v.silence.as_ref().map(variant),
            "alone": v.alone.map(|a| json!({ "since": a.since.0, "waits": a.waits })),
        })
    });
    Ok(json!({
        "at": now.utc.0,
        "groups": groups.collect::<Vec<_>>(),
        "regions": s.regions.iter().zip(&s.estate.regions).map(|(v, r)| (r.name.clone(), variant(&v.status).into())).collect::<Map<_, _>>(),
        "services": s.services.iter().zip(&s.estate.services).map(|(v, of)| (of.name.clone(), variant(&v.health).into())).collect::<Map<_, _>>(),
    }))
}

/// Who gave an order, as the record has it.
fn actor(by: &Actor) -> Value {
    by.to_string().into()
}

/// The name of a variant, without what it carries.
fn variant(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        Ok(Value::Object(fields)) => fields.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn region(estate: &Estate, id: RegionId) -> &str {
    &estate.region(id).name
}

/// A member, by its region: in the kept journals each region has one.
fn member(estate: &Estate, of: GroupId, id: MemberId) -> &str {
    estate.group(of).database.as_ref().and_then(|d| d.region_of(id)).map_or("?", |r| region(estate, r))
}

fn group(estate: &Estate, id: GroupId) -> &str {
    &estate.group(id).name
}

fn state(s: &State) -> Value {
    let e = &s.estate;
    let by_group = |pairs: &mut dyn Iterator<Item = (GroupId, Value)>| -> Map<String, Value> {
        pairs.map(|(id, value)| (group(e, id).to_string(), value)).collect()
    };
    json!({
        "estate": e.name,
        "mode": variant(&s.mode),
        "armed": s.armed,
        "epoch": s.epoch,
        "since": s.since_utc.0,
        "records": s.records,
        "generation": s.generation.0,
        "next": { "disaster": s.next.disaster, "proposal": s.next.proposal, "operation": s.next.operation },
        "drilled_plans": s.drilled.len(),
        "regions": e.regions.iter().zip(&s.regions).map(|(r, (status, _))| (r.name.clone(), variant(status).into())).collect::<Map<_, _>>(),
        "primaries": by_group(&mut e.group_ids().zip(&s.primaries).map(|(g, (led, timeline))| {
            (g, json!({ "region": led.map(|m| member(e, g, m)), "timeline": timeline.map(|t| t.0) }))
        })),
        "disasters": s.disasters.iter().map(|d| disaster(e, d)).collect::<Vec<_>>(),
        "open_choices": s.proposals.iter().map(|open| choice(e, &open.proposal)).collect::<Vec<_>>(),
        "declined": s.declined.iter().map(|((d, g), who)| {
            json!({ "disaster": d.0, "group": group(e, *g), "by": actor(&who.by), "at": who.at.0 })
        }).collect::<Vec<_>>(),
        "automation_at": by_group(&mut s.automation_at.iter().map(|(g, at)| (*g, at.0.into()))),
        "fence_proofs": s.fence_proofs.iter().map(|((g, m), (at, took))| {
            json!({ "group": group(e, *g), "region": member(e, *g, *m), "at": at.0, "took_ms": took.0 })
        }).collect::<Vec<_>>(),
        "elected": by_group(&mut s.elected.iter().map(|(g, elected)| {
            let vouched = elected.vouched.as_ref().map(|(at, by)| json!({ "at": at.0, "by": actor(by) }));
            let (from, to) = (member(e, *g, elected.from), member(e, *g, elected.to));
            (*g, json!({ "at": elected.at.0, "from": from, "to": to, "by_us": elected.by_us, "vouched": vouched }))
        })),
        "turned": s.turned.iter().map(|((g, turn), at)| json!({ "group": group(e, *g), "turn": turn.name(), "at": at.0 })).collect::<Vec<_>>(),
        "operations": s.operations.iter().map(|o| operation(e, o)).collect::<Vec<_>>(),
        "obligations": s.operations.iter().flat_map(|o| obligations(e, o)).collect::<Vec<_>>(),
    })
}

fn disaster(e: &Estate, d: &Disaster) -> Value {
    json!({
        "id": d.id.0,
        "kind": d.kind.name(),
        "severity": d.severity.name(),
        "regions": d.regions.iter().map(|r| region(e, *r)).collect::<Vec<_>>(),
        "services": d.services.iter().map(|s| &e.service(*s).name).collect::<Vec<_>>(),
        "since": d.since.0,
        "declared": d.declared.0,
        "ended": d.ended.map(|t| t.0),
    })
}

fn choice(e: &Estate, p: &Proposal) -> Value {
    json!({
        "id": p.id.0,
        "group": group(e, p.group),
        "plan": p.plan,
        "intent": p.intent.name(),
        "from": region(e, p.from),
        "to": p.to.map(|m| member(e, p.group, m)),
        "by": actor(&p.by),
        "disaster": p.disaster.map(|d| d.0),
        "counts_down": p.automatic_at.is_some(),
    })
}

/// What became of each choice that went off the table, and of each countdown that was stopped.
#[derive(Default)]
struct Choices {
    known: BTreeMap<u32, Value>,
    all: Vec<Value>,
}

impl Choices {
    fn take(&mut self, s: &State, event: &Event) {
        match event {
            Event::Proposed(p) => {
                self.known.insert(p.id.0, choice(&s.estate, p));
            }
            Event::ProposalClosed { proposal, by, end, .. } => self.end(*proposal, by, end_of(*end)),
            Event::AutomaticStopped { proposal, by, reason } => self.end(*proposal, by, stop_of(reason)),
            _ => {}
        }
    }

    fn end(&mut self, id: ProposalId, by: &Actor, end: &str) {
        self.all.push(json!({ "choice": self.known.get(&id.0), "end": end, "by": actor(by) }));
    }
}

/// Why a choice went off the table.
const fn end_of(end: ProposalEnd) -> &'static str {
    match end {
        ProposalEnd::Dismissed => "dismissed",
        ProposalEnd::Displaced => "displaced",
        ProposalEnd::FactsChanged { reason: FactsChanged::DisasterOver } => "disaster over",
        ProposalEnd::FactsChanged { reason: FactsChanged::PrimaryMoved } => "primary moved",
        ProposalEnd::FactsChanged { reason: FactsChanged::NobodyConfirmed } => "not confirmed",
        ProposalEnd::FactsChanged { reason: FactsChanged::Unnamed } => "other",
    }
}

/// Why a countdown was stopped: by a person, or because automation may not act.
fn stop_of(reason: &StopReason) -> &'static str {
    if *reason == StopReason::ByHand { "stopped by hand" } else { "automation may not act" }
}

fn operation(e: &Estate, o: &Operation) -> Value {
    let a = &o.accepted;
    let r = &o.results;
    json!({
        "id": o.id.0,
        "proposal": o.proposal.0,
        "group": group(e, o.group),
        "plan": o.plan.name,
        "intent": o.plan.intent.name(),
        "from": region(e, o.from),
        "to": member(e, o.group, o.to),
        "leader": o.before.leader,
        "candidate": o.before.candidate,
        "mode": variant(&o.mode),
        "generation": o.generation.0,
        "by": actor(&o.by),
        "automatic": o.automatic,
        "disaster": o.disaster.map(|d| d.0),
        "accepted": {
            "loss_bytes": loss_bytes(a), "unfenced": a.accepts_two_writers(), "alive": a.alive, "second_person": a.second_person,
        },
        "impact": o.before.impact.map(|t| t.0),
        "started": o.started.0,
        "finished": o.finished.map(|t| t.0),
        "status": status(&o.status),
        "promoted": r.promoted.map(|t| t.0),
        "writable": r.writable.map(|t| t.0),
        "served": r.served.map(|t| t.0),
        "protected": r.protected.map(|t| t.0),
        "timeline": r.timeline.map(|t| t.0),
        "loss": r.loss.as_ref().map(loss),
        "steps": o.plan.steps.iter().zip(&o.steps).map(|(step, record)| step_of(step, record)).collect::<Vec<_>>(),
    })
}

fn status(status: &Status) -> Value {
    let by = match status {
        Status::RecoveredUnprotected { by } | Status::RollingBack { by } | Status::Aborted { by } => {
            Some(actor(by))
        }
        _ => None,
    };
    json!({ "is": variant(status), "by": by })
}

fn loss(loss: &Loss) -> Value {
    match loss {
        Loss::Nothing => json!({ "is": "nothing" }),
        Loss::AtLeast(bytes) => json!({ "is": "at least", "bytes": bytes.0 }),
        Loss::Unknown => json!({ "is": "unknown" }),
    }
}

fn step_of(step: &Step, record: &StepRecord) -> Value {
    json!({
        "id": step.id,
        "kind": step.kind.name(),
        "state": variant(&record.state),
        "started": record.started.map(|t| t.0),
        "finished": record.finished.map(|t| t.0),
        "tried": record.tried,
        "effects": record.effects.iter().map(|effect| json!({
            "effect": effect.effect.name(),
            "part": part(effect.id.part),
            "attempt": effect.id.attempt,
            "generation": effect.id.generation.0,
            "outcome": effect.outcome.as_ref().map(variant),
            "orphaned": effect.orphaned,
        })).collect::<Vec<_>>(),
    })
}

/// What a part of a step is for: the step itself, its undoing, or what remains. Several members need more numbers than one did.
fn part(number: u16) -> Value {
    match number {
        100..200 | 10_000..20_000 => "undo".into(),
        200..300 | 20_000.. => "remain".into(),
        _ => number.into(),
    }
}

/// What an operation has not undone or restored yet.
fn obligations(e: &Estate, o: &Operation) -> Vec<Value> {
    let mut left = Vec::new();
    let mut owes = |what: &str, detail: Value| {
        left.push(json!({ "operation": o.id.0, "group": group(e, o.group), "owes": what, "of": detail }))
    };
    if !o.is_over() {
        owes("end", o.status.word().into());
    }
    let done =
        |test: &dyn Fn(&Effect) -> bool| o.effects().any(|effect| effect.is_done() && test(&effect.effect));
    let may_have = |test: &dyn Fn(&Effect) -> bool| {
        o.effects().any(|effect| effect.may_have_happened() && test(&effect.effect))
    };
    let rejoins = o.remains.iter().any(|r| matches!(r, Remainder::Rejoin { .. }));
    if may_have(&|effect| matches!(effect, Effect::Fence { .. }))
        && rejoins
        && !done(&|effect| matches!(effect, Effect::UndoFence { .. }))
    {
        owes("unfence", region(e, o.from).into());
    }
    let given_up = matches!(o.status, Status::Aborted { .. }) && o.has_acted();
    if (o.handed_over() || given_up) && rejoins {
        owes("rejoin", region(e, o.from).into());
    }
    let balancers = e.group(o.group).database.as_ref().map_or(&[][..], |d| &d.balancers);
    for (at, balancer) in balancers.iter().enumerate() {
        let this = BalancerId::of(at);
        let drained =
            may_have(&|effect| matches!(effect, Effect::Drain { balancer, .. } if *balancer == this));
        if drained && !done(&|effect| matches!(effect, Effect::Restore { balancer, .. } if *balancer == this))
        {
            owes("restore traffic", format!("{} at {}", region(e, o.from), balancer.address).into());
        }
    }
    if done(&|effect| matches!(effect, Effect::Claim { .. }))
        && !done(&|effect| matches!(effect, Effect::Release { .. }))
    {
        owes("release the claim", Value::Null);
    }
    left
}

/// The bytes whose loss was accepted, as version 1 wrote them: 0 for an unknown amount.
fn loss_bytes(accepted: &Accepted) -> Option<u64> {
    accepted.risks.iter().find_map(|a| match a.risk {
        Risk::Loses(Amount::AtLeast(bytes)) => Some(bytes.0),
        Risk::Loses(Amount::Unknown) => Some(0),
        _ => None,
    })
}

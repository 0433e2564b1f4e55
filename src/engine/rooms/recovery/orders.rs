//! What people and programs ask for: carried out, or refused with the reason. The one gate for everything that acts.

use super::begin::begin;
use super::successor;
use super::{assess, intervene, propose as table};
use crate::engine::kernel::engine::Engine;
use crate::engine::kernel::limits;
use crate::engine::kernel::planted::{self, Break};
use crate::model::*;

/// Hears one order.
///
/// # Errors
/// Why it was not carried out. The refusal is in the record.
pub fn hear(engine: &mut Engine, now: Now, order: &Order) -> Result<Receipt, Refusal> {
    let answer = match &order.action {
        Action::Propose { group, intent, from, to, reason } => propose(
            engine,
            now,
            &order.by,
            &Choice { group: *group, intent: *intent, from: *from, to: *to, reason },
        ),
        Action::Confirm(confirmation) => confirm(engine, now, &order.by, confirmation),
        Action::Withdraw { proposal } => withdraw(engine, now, &order.by, *proposal),
        Action::StopAutomatic { proposal } => stop_automatic(engine, now, &order.by, *proposal),
        Action::Abort { operation } => intervene::abort(engine, now, &order.by, *operation),
        Action::Rollback { operation } => intervene::rollback(engine, now, &order.by, *operation),
        Action::Answer { operation, step, done, note } => {
            intervene::answer_step(engine, now, &order.by, *operation, *step, *done, note)
        }
        Action::AcceptUnprotected { operation } => {
            intervene::accept_unprotected(engine, now, &order.by, *operation)
        }
        Action::Arm { typed } => arm(engine, now, &order.by, typed),
        Action::Disarm => {
            engine.emit(now, Event::Disarmed { by: order.by.clone() });
            Ok(Receipt::Done)
        }
        Action::Adopt { group, typed } => adopt(engine, now, &order.by, *group, typed),
        Action::Vouch { group, note } => vouch(engine, now, &order.by, *group, note),
        Action::Note { text, by_hand } => {
            engine.state.armed |= planted::is(Break::Untold);
            engine.emit(
                now,
                Event::Note {
                    by: order.by.clone(),
                    text: text.chars().take(2_000).collect(),
                    by_hand: *by_hand,
                    vouches: false,
                },
            );
            Ok(Receipt::Done)
        }
    };
    if let Err(refusal) = &answer {
        engine.emit(now, Event::Refused { order: Box::new(order.clone()), refusal: refusal.clone() });
    }
    answer
}

fn vouch(engine: &mut Engine, now: Now, by: &Actor, group: GroupId, note: &str) -> Result<Receipt, Refusal> {
    let Some(target) = engine.state.estate.groups.get(group.at()) else {
        return Err(Refusal::new(Listed::ProtectionGroup));
    };
    if !crate::engine::kernel::unproven::all(&engine.state).contains(&group) {
        return Err(Refusal::new(EstateRefused::NotUnproven { group: target.name.clone() }));
    }
    engine.emit(now, Event::Vouched { group, by: by.clone(), note: note.chars().take(2_000).collect() });
    Ok(Receipt::Done)
}

/// What somebody wants to put on the table.
struct Choice<'a> {
    group: GroupId,
    intent: Intent,
    from: Option<RegionId>,
    to: Option<MemberId>,
    reason: &'a str,
}

fn propose(engine: &mut Engine, now: Now, by: &Actor, choice: &Choice) -> Result<Receipt, Refusal> {
    let Choice { group, intent, from, to, reason } = *choice;
    let state = &engine.state;
    let Some(target) = state.estate.groups.get(group.at()) else {
        return Err(Refusal::new(Listed::ProtectionGroup));
    };
    if from.is_some_and(|r| r.at() >= state.estate.regions.len()) {
        return Err(Refusal::new(Listed::Region));
    }
    if to.is_some_and(|m| target.database.as_ref().is_none_or(|d| d.member(m).is_none())) {
        return Err(Refusal::new(Listed::Member));
    }
    if state.estate.departed.groups.contains(&group) {
        return Err(Refusal::by_law(11, ChoiceRefused::Departed { group: target.name.clone() }));
    }
    // A person may put a choice beside an operation that waits: its confirmation names that operation, and supersedes it.
    if let Some(running) = state.running(group).filter(|o| !o.may_be_superseded()) {
        return Err(Refusal::by_law(
            7,
            ChoiceRefused::AlreadyRuns { operation: running.id, group: Some(target.name.clone()) },
        ));
    }
    if intent != Intent::Guided && target.database.is_none() {
        return Err(Refusal::new(ChoiceRefused::NoDatabase { group: target.name.clone() }));
    }
    let (old, primary) = (state.primaries[group.at()].0, state.primary_region(group));
    let Some(from) = from.or(primary) else {
        return Err(Refusal::by_law(5, ChoiceRefused::PrimaryUnknown { group: target.name.clone() }));
    };
    if intent != Intent::Guided && primary.is_some_and(|p| p != from) {
        let name = |region: RegionId| state.estate.region(region).name.clone();
        let (region, primary) = (name(from), primary.map_or_else(|| "?".to_string(), name));
        return Err(Refusal::new(ChoiceRefused::NotThePrimary {
            region,
            group: target.name.clone(),
            primary,
        }));
    }
    if to.is_some() && to == old {
        let member = state.estate.member_label(group, to.unwrap_or(MemberId(0)), None).into_owned();
        return Err(Refusal::new(ChoiceRefused::LeadsAlready { member, group: target.name.clone() }));
    }
    // Whether it was named or chosen, the same way has the same plan.
    let disaster = state.open_disasters().find(|d| d.regions.contains(&from)).map(|d| (d.id, d.kind));
    // Of a group without a database nothing looks at it.
    let old = old.unwrap_or(MemberId(0));
    let leaves = leaves(engine, now, (group, old), intent, disaster.map(|(_, kind)| kind));
    let target = to.or_else(|| successor::choose(&engine.facts(now), group, old, leaves));
    let back = intent == Intent::Switchover && target.is_some_and(|to| goes_back(engine, group, to));
    let state = &engine.state;
    let plans = || state.estate.plans.iter().filter(|p| p.intent == intent);
    let plan = match intent {
        Intent::Switchover => plans().find(|p| p.restores_traffic() == back).or_else(|| plans().next()),
        _ => plans()
            .find(|p| disaster.is_some_and(|(_, k)| p.disasters.contains(&k)))
            .or_else(|| plans().next()),
    };
    let Some(plan) = plan.map(|p| p.name.clone()) else {
        return Err(Refusal::new(ChoiceRefused::NoPlan { intent }));
    };
    let id = ProposalId(state.next.proposal.max(1));
    let others: Vec<ProposalId> =
        state.proposals.iter().map(|p| &p.proposal).filter(|p| p.group == group).map(|p| p.id).collect();
    for id in others {
        let cost = cost(engine, now, id);
        engine.emit(
            now,
            Event::ProposalClosed { proposal: id, by: by.clone(), end: ProposalEnd::Displaced, cost },
        );
    }
    let proposal = Proposal {
        id,
        group,
        plan,
        intent,
        from,
        old,
        leaves,
        to,
        reason: ProposalReason::Told(reason.to_string()),
        by: by.clone(),
        disaster: disaster.map(|d| d.0),
        automatic_at: None,
    };
    engine.emit(now, Event::Proposed(proposal));
    engine.look_closely(now, group);
    Ok(Receipt::Proposed(id))
}

/// How much a choice of a person's leaves. A failover leaves the primary's region, unless the primary alone is known to have failed.
fn leaves(
    engine: &Engine,
    now: Now,
    (group, old): (GroupId, MemberId),
    intent: Intent,
    disaster: Option<DisasterType>,
) -> Leaves {
    let cx = engine.facts(now);
    let neighbour_answers =
        || cx.left(group, old, Leaves::Region).iter().skip(1).any(|m| cx.report(group, *m).is_some());
    match (intent, disaster) {
        (Intent::Failover, Some(kind)) if kind.is_of_region() => Leaves::Region,
        (Intent::Failover, None) if !neighbour_answers() => Leaves::Region,
        _ => Leaves::Member,
    }
}

/// True if the last failover of the group left this member's region.
fn goes_back(engine: &Engine, group: GroupId, to: MemberId) -> bool {
    let region = engine.state.estate.group(group).database.as_ref().and_then(|d| d.region_of(to));
    let last = engine.state.operations.iter().rev().find(|o| o.group == group && o.handed_over());
    last.is_some_and(|o| Some(o.from) == region && o.intent() == Intent::Failover)
}

fn confirm(engine: &mut Engine, now: Now, by: &Actor, c: &Confirmation) -> Result<Receipt, Refusal> {
    let Some(open) = engine.state.proposals.iter().find(|p| p.proposal.id == c.proposal).cloned() else {
        return Err(Refusal::by_law(4, ConfirmationRefused::ChoiceGone));
    };
    if !engine.state.armed && !planted::is(Break::ActsUnarmed) {
        return Err(Refusal::by_law(4, ConfirmationRefused::ReadOnly));
    }
    let assessment = assess::assess(&engine.facts(now), &open.proposal, open.revision);
    let name = &engine.state.estate.region(open.proposal.from).name;
    if c.typed != *name && !planted::is(Break::AnyName) {
        return Err(Refusal::by_law(
            4,
            ConfirmationRefused::OtherName { typed: c.typed.clone(), region: name.clone() },
        ));
    }
    if c.nonce != assessment.nonce {
        return Err(Refusal::by_law(4, ConfirmationRefused::Changed(Shown::Choice)));
    }
    if now.utc.since(c.seen) > limits::CONFIRMATION && !planted::is(Break::NeverExpires) {
        return Err(Refusal::by_law(4, ConfirmationRefused::ShownTooLongAgo { ago: now.utc.since(c.seen) }));
    }
    if c.plan != assessment.plan {
        return Err(Refusal::by_law(4, ConfirmationRefused::Changed(Shown::Plan)));
    }
    let overruled = c.manual_override && assessment.overrule.is_some();
    let mut blocks = assessment.checks.iter().filter(|k| matches!(k.verdict, Verdict::Block { .. }));
    // Who overrules the observers is told of what stands in the way beside them.
    if let Some(block) = blocks
        .clone()
        .find(|k| k.id != CheckId::Observers || !c.manual_override)
        .or(blocks.next())
        .filter(|_| !overruled)
    {
        let law = if let Verdict::Block { law, .. } = block.verdict { law } else { 0 };
        return Err(Refusal::by_law(law, ConfirmationRefused::Blocked { check: Box::new(block.clone()) }));
    }
    if assessment.risks.iter().any(|risk| !is_accepted(*risk, &c.accepts)) {
        let law = assessment
            .risks
            .iter()
            .map(|risk| law_of(*risk))
            .max_by_key(|law| [11, 1, 2].iter().position(|l| l == law));
        let checks = assessment.checks.iter().filter(|k| k.verdict.is_risk()).cloned().collect();
        let why = ConfirmationRefused::RisksNotAccepted { checks, risks: assessment.risks.clone() };
        return Err(Refusal::by_law(law.unwrap_or(11), why));
    }
    let second = c.second_person.as_deref().map(str::trim).filter(|name| !name.is_empty());
    if assessment.second_person && second.is_none_or(|name| by.is_called(name)) {
        return Err(Refusal::by_law(4, ConfirmationRefused::NoSecondPerson));
    }
    if c.evidence != assessment.evidence && !planted::is(Break::EvidenceUnbound) {
        return Err(Refusal::by_law(4, ConfirmationRefused::Changed(Shown::Facts)));
    }
    if let Some(old) = assessment.supersedes.filter(|old| c.supersedes != Some(*old)) {
        return Err(Refusal::by_law(7, ConfirmationRefused::Waits { operation: old }));
    }
    // The record keeps the figure that was shown.
    let shown = |risk: &Risk| c.accepts.iter().copied().find(|a| a.is_like(*risk)).unwrap_or(*risk);
    let words = c.accept_risk.as_deref().unwrap_or_default();
    let risks = assessment.risks.iter().map(|risk| AcceptedRisk {
        risk: shown(risk),
        words: words.to_string(),
        by: by.clone(),
    });
    let accepted = Accepted {
        risks: risks.collect(),
        alive: c.manual_override,
        second_person: second.map(str::to_string),
    };
    begin(engine, now, &open.proposal, &assessment, by.clone(), false, accepted).map(Receipt::Started)
}

/// The law that an operation would break if nobody had accepted this risk.
const fn law_of(risk: Risk) -> u8 {
    match risk {
        Risk::TwoMayWrite => 1,
        Risk::Loses(_) => 2,
        Risk::Overload { .. } => 11,
    }
}

/// What a choice would have cost, or why it was refused: part of why it was declined.
fn cost(engine: &Engine, now: Now, id: ProposalId) -> Option<ChoiceCost> {
    let assessment = engine.assess(now, id)?;
    if let Some(check) = assessment.blocked() {
        return Some(ChoiceCost::Refused { check: Box::new(check.clone()) });
    }
    let against = |c: &&Check| matches!(c.verdict, Verdict::Risk(_) | Verdict::Advice);
    let checks = assessment.checks.iter().filter(against).cloned().collect();
    (!assessment.risks.is_empty()).then_some(ChoiceCost::Risks { risks: assessment.risks, checks })
}

fn withdraw(engine: &mut Engine, now: Now, by: &Actor, id: ProposalId) -> Result<Receipt, Refusal> {
    let Some(open) = engine.state.proposals.iter().find(|p| p.proposal.id == id) else {
        return Err(Refusal::new(Listed::Choice));
    };
    let displaced = engine.state.displaced.get(&open.proposal.group).cloned();
    let cost = cost(engine, now, id);
    engine
        .emit(now, Event::ProposalClosed { proposal: id, by: by.clone(), end: ProposalEnd::Dismissed, cost });
    table::put_back(engine, now, displaced);
    Ok(Receipt::Done)
}

fn stop_automatic(engine: &mut Engine, now: Now, by: &Actor, id: ProposalId) -> Result<Receipt, Refusal> {
    let open = engine.state.proposals.iter().find(|p| p.proposal.id == id);
    // What counts on behind the choice that took its place is stopped with it.
    let behind =
        open.and_then(|p| engine.state.displaced.get(&p.proposal.group)).and_then(|p| p.automatic_at);
    if behind.is_none() && open.is_none_or(|p| p.proposal.automatic_at.is_none()) {
        return Err(Refusal::new(ChoiceRefused::NoCountdown));
    }
    engine.emit(now, Event::AutomaticStopped { proposal: id, by: by.clone(), reason: StopReason::ByHand });
    Ok(Receipt::Done)
}

fn arm(engine: &mut Engine, now: Now, by: &Actor, typed: &str) -> Result<Receipt, Refusal> {
    let name = &engine.state.estate.name;
    if typed != name {
        return Err(Refusal::by_law(
            4,
            EstateRefused::OtherEstate { typed: typed.to_string(), estate: name.clone() },
        ));
    }
    engine.emit(now, Event::Armed { by: by.clone() });
    Ok(Receipt::Done)
}

fn adopt(engine: &mut Engine, now: Now, by: &Actor, group: GroupId, typed: &str) -> Result<Receipt, Refusal> {
    let Some(target) = engine.state.estate.groups.get(group.at()) else {
        return Err(Refusal::new(Listed::ProtectionGroup));
    };
    let name = &target.name;
    if typed != name {
        return Err(Refusal::by_law(
            4,
            EstateRefused::OtherGroup { typed: typed.to_string(), group: name.clone() },
        ));
    }
    let Some((identity, _)) = engine.state.changed.get(&group).cloned() else {
        return Err(Refusal::new(EstateRefused::IdentityUnchanged { group: name.clone() }));
    };
    engine.emit(now, Event::Adopted { group, by: by.clone(), identity });
    Ok(Receipt::Done)
}

//! Records in words: one line each.

use super::{
    accepted_words, check_told_words, choice_cost_words, closed_words, evidence_words, failure_words,
    foretold_words, lost_words, operation_failure_words, outcome_words, proposal_reason_words,
    question_words, refusal_words, region_reason_words, reset_words, served_after, skip_words, veto_words,
};
use crate::engine::{SILENCE, State, is_own, vouched};
use crate::engine::{about, unproven};
use crate::model::*;

/// What a confirmation was typed as.
fn typed(action: &Action) -> String {
    let Action::Confirm(c) = action else { return String::new() };
    let risk = c.accept_risk.as_ref().map_or(String::new(), |risk| format!(" and «{risk}»"));
    format!(", having typed «{}»{risk}", c.typed)
}

/// The rule that automation acted by.
fn by_rule(state: &State, s: &OperationStart) -> String {
    let kind = state.disasters.iter().find(|d| Some(d.id) == s.disaster).map(|d| d.kind);
    let response = kind.and_then(|kind| Some((kind, state.estate.response(kind)?)));
    let delay = state.estate.policy.detection.response_delay;
    response.map_or(String::new(), |(kind, r)| {
        format!(", as configured for {}: {}, {delay} after it", kind.words(), r.strategy)
    })
}

/// Which fact took a choice off the table.
pub const fn changed_words(reason: FactsChanged) -> &'static str {
    match reason {
        FactsChanged::DisasterOver => "the disaster is over",
        FactsChanged::PrimaryMoved => "the primary has moved",
        FactsChanged::NobodyConfirmed => "nobody confirmed it",
        FactsChanged::Unnamed => "the facts have changed",
    }
}

/// What it would have cost to confirm a choice, where that is told.
fn cost_words(cost: &Option<ChoiceCost>) -> String {
    cost.as_ref().map_or(String::new(), choice_cost_words)
}

/// Why a countdown was stopped, or never began.
fn stop_words(reason: &StopReason, estate: &Estate) -> String {
    match reason {
        StopReason::ByHand => "by hand".to_string(),
        StopReason::Veto(veto) => veto_words(veto, estate),
        StopReason::Refused(refusal) => refusal_words(refusal),
        StopReason::Written(words) => words.clone(),
    }
}

/// Services that are named one by one.
const NAMED: usize = 12;

/// The line for a record, told against the state before it; `None` for what nobody would want to read.
pub fn line(state: &State, record: &Record) -> Option<LogLine> {
    let estate = match &record.event {
        Event::Started { estate, .. } => estate,
        _ => &state.estate,
    };
    let region = |id: RegionId| estate.regions.get(id.at()).map_or("?", |r| r.name.as_str()).to_string();
    let group = |id: GroupId| estate.groups.get(id.at()).map_or("?", |g| g.name.as_str()).to_string();
    let member = |g: GroupId, m: MemberId| {
        estate.member_label(g, m, state.names.get(&(g, m)).map(|name| &**name)).into_owned()
    };
    let of = |id: ProposalId| {
        let open = state.proposals.iter().find(|p| p.proposal.id == id);
        open.map_or(String::new(), |p| format!(" for {}", group(p.proposal.group)))
    };
    let step = |operation: OperationId, step: u16| {
        state
            .operation(operation)
            .and_then(|o| o.plan.steps.get(usize::from(step)))
            .map_or_else(|| "?".to_string(), |s| s.id.clone())
    };
    let (weight, subject, text) = match &record.event {
        Event::Started { mode, program, armed, estate, .. } => {
            let armed = if *armed { "armed" } else { "read-only" };
            (
                Weight::Routine,
                Subject::Controller(*mode),
                format!("{program} begins with {}, {armed}", estate.name),
            )
        }
        Event::ClockJumped { by_ms } => {
            (Weight::Warning, Subject::Clock, format!("the wall clock jumped by {by_ms} ms"))
        }
        Event::RegionChanged { region: r, status, reason } => {
            let weight = match status {
                RegionStatus::Down => Weight::Alarm,
                RegionStatus::Degraded | RegionStatus::Unknown => Weight::Warning,
                RegionStatus::Ok => Weight::Notice,
            };
            (
                weight,
                Subject::Region(region(*r)),
                format!("{}: {}", status.word(), region_reason_words(reason)),
            )
        }
        Event::MemberNamed { .. } => return None,
        Event::PrimaryChanged { group: g, member: r, timeline } => {
            let name = r.map_or_else(|| "nobody".to_string(), |m| member(*g, m));
            let on = timeline.map_or(String::new(), |t| format!(" on timeline {t}"));
            let before = state.primaries.get(g.at()).and_then(|(leader, _)| *leader);
            // What nobody here has begun was fenced by nobody here.
            let ours = r.is_some_and(|to| state.gave_to(*g, to));
            let by_itself =
                before.is_some() && r.is_some() && before != *r && state.running(*g).is_none() && !ours;
            let by = if by_itself { ", by no operation of ours: nothing was fenced from here" } else { "" };
            // Of a history that ends before it something was acknowledged, and is gone.
            let known = state.primaries.get(g.at()).and_then(|p| p.1);
            let back = known.zip(*timeline).filter(|(known, now)| now < known);
            let back = back
                .map(|(known, _)| format!("; timeline {known} is left: what was acknowledged on it is lost"));
            let weight = match (&back, by_itself) {
                (Some(_), _) => Weight::Alarm,
                (None, true) => Weight::Warning,
                (None, false) => Weight::Notice,
            };
            (weight, Subject::Group(group(*g)), format!("{name} leads{on}{by}{}", back.unwrap_or_default()))
        }
        Event::IdentitySeen { .. } => return None,
        Event::IdentityChanged { group: g, change, .. } => (
            Weight::Alarm,
            Subject::Group(group(*g)),
            format!(
                "IDENTITY CHANGED: {}; no new operation until it is adopted",
                super::identity_words(change)
            ),
        ),
        Event::Adopted { group: g, by, .. } => (
            Weight::Notice,
            Subject::Person(by.to_string()),
            format!("adopts the cluster of {} as it is now", group(*g)),
        ),
        Event::Turned { group: g, turn } => {
            let leader = || {
                state
                    .primaries
                    .get(g.at())
                    .and_then(|p| p.0)
                    .map_or_else(|| "nobody".to_string(), |m| member(*g, m))
            };
            let (weight, text) = match turn {
                Turn::StoreSilent => (Weight::Warning, format!("etcd has not answered for {}", SILENCE)),
                Turn::StoreAnswers => (Weight::Notice, "etcd answers again".to_string()),
                Turn::SteppedDown => {
                    (Weight::Alarm, format!("{} answers and leads no more: nobody takes writes", leader()))
                }
                Turn::PrimarySilent => (
                    Weight::Alarm,
                    format!(
                        "{} does not answer us, and nobody says that it lives; nothing is declared yet",
                        leader()
                    ),
                ),
                Turn::AgentSilent => {
                    let so = "its lease runs out, and who takes over then stands beside it";
                    (
                        Weight::Alarm,
                        format!("Patroni on {} does not answer, its PostgreSQL does: {so}", leader()),
                    )
                }
                Turn::OnlyOursFail => {
                    (Weight::Warning, format!("{} does not answer us; others say that it lives", leader()))
                }
                Turn::TwoMayWrite => {
                    let text = "the PostgreSQL of a former primary answers and its Patroni does not: it may take writes beside";
                    (Weight::Alarm, format!("{text} {}", leader()))
                }
                Turn::OneWrites => {
                    (Weight::Notice, format!("nobody may take writes beside {} any more", leader()))
                }
                Turn::PrimaryHeard => (Weight::Notice, format!("{} answers", leader())),
                Turn::WritesAlone => (
                    Weight::Warning,
                    format!(
                        "nobody is synchronous: what {} acknowledges is on it alone, and lost with it",
                        leader()
                    ),
                ),
                Turn::WritesWait => (
                    Weight::Alarm,
                    format!("nobody is synchronous: {} acknowledges nothing until somebody is", leader()),
                ),
                Turn::Protected => (
                    Weight::Notice,
                    "a standby is synchronous again: what is acknowledged is held twice".to_string(),
                ),
                Turn::LeadsAgain => (Weight::Notice, format!("{} leads: writes may go on", leader())),
            };
            (weight, Subject::Group(group(*g)), text)
        }
        Event::DisasterDeclared(d) => {
            let names: Vec<_> = d.regions.iter().map(|r| region(*r)).collect();
            let first = d
                .services
                .iter()
                .filter(|s| estate.services.get(s.at()).is_some_and(|s| s.tier == 1))
                .count();
            let hit: Vec<&str> = d
                .services
                .iter()
                .filter_map(|s| estate.services.get(s.at()))
                .map(|s| s.name.as_str())
                .take(NAMED)
                .collect();
            let more = if d.services.len() > NAMED {
                format!(" and {} more", d.services.len() - NAMED)
            } else {
                String::new()
            };
            let text = format!(
                "{} {}, {}; {} services, {first} of tier 1; found in {}; it reaches {}{more}",
                d.kind.words(),
                names.join(", "),
                d.severity,
                d.services.len(),
                d.detection,
                if hit.is_empty() { "no service".to_string() } else { hit.join(", ") }
            );
            (Weight::Alarm, Subject::Disaster, text)
        }
        Event::DisasterEnded { disaster } => {
            let known = state.disasters.iter().find(|d| d.id == *disaster);
            let text = known.map_or_else(
                || "it is over".to_string(),
                |d| {
                    let names: Vec<_> = d.regions.iter().map(|r| region(*r)).collect();
                    let databases = d.of_nodes(estate);
                    let databases = if databases.is_empty() {
                        String::new()
                    } else {
                        format!(" ({})", databases.join(", "))
                    };
                    let unproven = unproven(state, d).into_iter().map(group).collect::<Vec<_>>().join(", ");
                    let (what, names, took) = (
                        d.kind.words(),
                        format!("{}{databases}", names.join(", ")),
                        record.at.utc.since(d.since),
                    );
                    // A wider one takes its place: nothing is over by that.
                    let wider = |o: &&Disaster| {
                        o.id > d.id && d.regions.iter().all(|r| o.regions.contains(r)) && !o.kind.is_of_data()
                    };
                    let wider = state
                        .open_disasters()
                        .filter(wider)
                        .find(|o| o.kind != DisasterType::NodeFailure && !d.kind.is_of_data());
                    match (wider, unproven.is_empty()) {
                        (Some(o), _) => {
                            format!("{what} {names}, since {took}, is part of {} from now on", o.kind.words())
                        }
                        (None, true) => {
                            // That it is over is not that all is where it was.
                            let away = |g: &GroupId| {
                                state.primary_region(*g).is_some_and(|p| !d.regions.contains(&p))
                            };
                            let reached = |g: &GroupId| {
                                d.services
                                    .iter()
                                    .any(|s| estate.services.get(s.at()).is_some_and(|s| s.group == *g))
                            };
                            let stays: Vec<String> =
                                estate.group_ids().filter(|g| reached(g) && away(g)).map(group).collect();
                            let stays = if stays.is_empty() {
                                String::new()
                            } else {
                                format!("; {} stay led elsewhere", stays.join(", "))
                            };
                            format!("{what} {names} is over, after {took}, since {}{stays}", d.since.clock())
                        }
                        // What is left to do stands where nothing cuts it.
                        (None, false) => format!(
                            "over after {took}, {unproven} never proven by a write of ours: {what} {names}"
                        ),
                    }
                },
            );
            (Weight::Notice, Subject::Disaster, text)
        }
        Event::Proposed(p) => {
            let to = p.to.map_or(String::new(), |to| format!(" to {}", member(p.group, to)));
            let when = p
                .automatic_at
                .map_or(String::new(), |at| format!("; automatic in {}", at.since(record.at.mono)));
            // Of detection's the lines before it say why; who asks for one weighs it, and has decided nothing.
            let (what, by, why) = match &p.by {
                Actor::Part(Part::Detection) => ("to decide", String::new(), String::new()),
                by => {
                    ("to be weighed", format!(", by {by}"), format!("; {}", proposal_reason_words(&p.reason)))
                }
            };
            (
                Weight::Warning,
                Subject::Group(group(p.group)),
                format!("{what}: {} from {}{to}{by}{when}{why}", p.plan, region(p.from)),
            )
        }
        Event::ProposalClosed { proposal, by, end: ProposalEnd::Displaced, cost } => (
            Weight::Notice,
            Subject::Person(by.to_string()),
            format!("turns to another choice{}{}", of(*proposal), cost_words(cost)),
        ),
        Event::ProposalClosed { proposal, by, end: ProposalEnd::Dismissed, cost } => {
            // Who looked at a choice of one's own and left it has changed nothing.
            let own = state.proposals.iter().any(|p| p.proposal.id == *proposal && p.proposal.by == *by);
            let text = if own { "drops what was weighed" } else { "withdraws the choice" };
            let after = if own { "; nothing was done" } else { "" };
            (
                Weight::Notice,
                Subject::Person(by.to_string()),
                format!("{text}{}{after}{}", of(*proposal), cost_words(cost)),
            )
        }
        Event::ProposalClosed { proposal, by, end: ProposalEnd::FactsChanged { reason }, cost } => {
            let reason = if *reason == FactsChanged::Unnamed {
                cost_words(cost)
            } else {
                changed_words(*reason).to_string()
            };
            (
                Weight::Notice,
                Subject::Person(by.to_string()),
                format!("choice{} withdrawn: {reason}", of(*proposal)),
            )
        }
        Event::AutomaticStopped { proposal, by, reason } if !by.is_person() => (
            Weight::Warning,
            Subject::Person(by.to_string()),
            format!("no automatic response{}: {}", of(*proposal), stop_words(reason, estate)),
        ),
        Event::AutomaticStopped { proposal, by, reason } => (
            Weight::Warning,
            Subject::Person(by.to_string()),
            format!("automatic response{} stopped: {}", of(*proposal), stop_words(reason, estate)),
        ),
        Event::AutomationHeld { group: g, veto, .. } => (
            Weight::Warning,
            Subject::Person(Part::Bpci.to_string()),
            format!("automation does not act on {}: {}", group(*g), veto_words(veto, estate)),
        ),
        Event::Refused { order, refusal } => (
            Weight::Warning,
            Subject::Person(order.by.to_string()),
            format!("was refused{}: {}", typed(&order.action), refusal_words(refusal)),
        ),
        Event::Armed { by } => {
            (Weight::Notice, Subject::Person(by.to_string()), "armed: orders act from now on".to_string())
        }
        Event::Disarmed { by } => {
            (Weight::Notice, Subject::Person(by.to_string()), "read-only from now on".to_string())
        }
        Event::OperationStarted(s) => (Weight::Alarm, Subject::Operation(s.id), {
            let accepts = accepted_words(&s.accepted);
            let accepts = if accepts.is_empty() {
                String::new()
            } else {
                format!(", who accepts {}", accepts.join(" and "))
            };
            let list =
                |checks: &[CheckTold]| checks.iter().map(check_told_words).collect::<Vec<_>>().join("; ");
            let warned = if s.warned.is_empty() {
                String::new()
            } else {
                format!("; told against it: {}", list(&s.warned))
            };
            let typed =
                if s.automatic { by_rule(state, s) } else { format!(", who typed {}", region(s.from)) };
            let held =
                if s.held.is_empty() { String::new() } else { format!("; it rests on: {}", list(&s.held)) };
            let loses = s
                .loses
                .as_ref()
                .filter(|_| s.plan.intent != Intent::Guided)
                .map_or(String::new(), |loss| format!("; it was to lose: {loss}"));
            // It may have been asked for before that was declared.
            let kind = state.disasters.iter().find(|d| Some(d.id) == s.disaster).map(|d| d.kind);
            let of = kind
                .filter(|_| !s.automatic)
                .map_or(String::new(), |kind| format!(", in the {}", kind.words()));
            format!(
                "{} {} → {} on {} begins{of}, by {}{typed}{accepts}{loses}{warned}{held}",
                s.plan.name,
                region(s.from),
                if s.plan.intent == Intent::Guided { region(s.from) } else { member(s.group, s.to) },
                group(s.group),
                s.by
            )
        }),
        Event::StepStarted { .. } => return None,
        Event::Intended { id, effect } if is_own(*id) => {
            (Weight::Routine, Subject::Operation(id.operation), format!("will {}", effect.name()))
        }
        Event::Intended { id, effect } => {
            let with = match effect {
                Effect::Fence { .. } => state
                    .operation(id.operation)
                    .and_then(|o| o.fence_command(estate))
                    .map(|c| format!(" with `{c}`")),
                _ => None,
            };
            (
                Weight::Routine,
                Subject::Operation(id.operation),
                format!(
                    "{}: will {}{}",
                    step(id.operation, id.step),
                    effect.name(),
                    with.unwrap_or_default()
                ),
            )
        }
        Event::Reported { id, outcome } => {
            let (weight, text) = match outcome {
                Outcome::Done { .. } => (Weight::Routine, format!("done: {}", outcome_words(outcome))),
                Outcome::NotDone { .. } | Outcome::Missed { .. } => {
                    (Weight::Warning, format!("not done: {}", outcome_words(outcome)))
                }
                Outcome::Ended { .. } => (Weight::Warning, outcome_words(outcome)),
                Outcome::Assumed { .. } | Outcome::Unknown { .. } => {
                    (Weight::Warning, format!("unknown: {}", outcome_words(outcome)))
                }
            };
            let of_step =
                if is_own(*id) { String::new() } else { format!("{}: ", step(id.operation, id.step)) };
            // What was done has a name of its own: a step may do more than one thing.
            let effect = state
                .operation(id.operation)
                .and_then(|o| o.effects().find(|e| e.id == *id))
                .map_or("", |e| e.effect.name());
            let effect = if of_step.trim_end_matches(": ").replace('-', " ") == effect {
                String::new()
            } else {
                format!("{effect} ")
            };
            (weight, Subject::Operation(id.operation), format!("{of_step}{effect}{text}"))
        }
        Event::OutcomeLost { id, reason } => (
            Weight::Warning,
            Subject::Operation(id.operation),
            format!("{}: outcome unknown, {}; looking", step(id.operation, id.step), lost_words(reason)),
        ),
        Event::StepDone { operation, step: s, evidence } => (
            Weight::Notice,
            Subject::Operation(*operation),
            format!("✓ {}: {}", step(*operation, *s), evidence_words(evidence)),
        ),
        Event::StepFailed { operation, step: s, reason } => (
            Weight::Alarm,
            Subject::Operation(*operation),
            format!("✗ {}: {}", step(*operation, *s), failure_words(reason)),
        ),
        Event::StepSkipped { operation, step: s, reason } => (
            Weight::Notice,
            Subject::Operation(*operation),
            format!("– {}: {}", step(*operation, *s), skip_words(reason)),
        ),
        Event::StepReset { operation, step: s, reason } => (
            Weight::Notice,
            Subject::Operation(*operation),
            format!("{}: {}", step(*operation, *s), reset_words(reason)),
        ),
        Event::Promoted { operation, timeline, loss } => (
            Weight::Notice,
            Subject::Operation(*operation),
            format!("promoted on timeline {timeline}; lost: {loss}"),
        ),
        Event::StatusChanged { operation, status } => {
            let text = match status {
                Status::Waiting { question } => format!("waits for a person: {}", question_words(question)),
                Status::Failed { reason } if state.operation(*operation).is_some_and(|o| o.has_acted()) => {
                    format!("failed: {}", operation_failure_words(reason))
                }
                Status::Failed { reason } => {
                    format!("failed, nothing was changed: {}", operation_failure_words(reason))
                }
                Status::RecoveredUnprotected { by } => format!("recovered, unprotected, as {by} accepts"),
                Status::Aborted { by } => format!("aborted by {by}"),
                status @ (Status::NotValidated { .. }
                | Status::ElectedElsewhere { .. }
                | Status::TargetLost) => {
                    let why = state.operation(*operation).and_then(|o| closed_words(o, status, estate));
                    format!("closed: {}", why.unwrap_or_else(|| status.word().to_string()))
                }
                Status::Recovered => {
                    let served = state.operation(*operation).and_then(|o| served_after(o));
                    format!(
                        "{}{}",
                        status.word(),
                        served.map_or(String::new(), |took| format!(", users served after {took}"))
                    )
                }
                other => other.word().to_string(),
            };
            let weight = match status {
                Status::Waiting { .. }
                | Status::Failed { .. }
                | Status::NotValidated { .. }
                | Status::TargetLost => Weight::Alarm,
                _ => Weight::Notice,
            };
            (weight, Subject::Operation(*operation), text)
        }
        Event::Superseded { old, new, obligations } => {
            let passes = match obligations.len() {
                0 => "nothing of it is to be undone".to_string(),
                n => format!("{n} of its changes pass to {new}, to be undone"),
            };
            (Weight::Notice, Subject::Operation(*old), format!("superseded by {new}; {passes}"))
        }
        Event::TookOver { operation, obligations } => {
            let group = about(state, &record.event)?;
            let owes = |o: &Obligation| match o {
                Obligation::Fenced { member: of } => format!("{} may be fenced", member(group, *of)),
                Obligation::Drained { member: of, balancer } => {
                    let at = state
                        .estate
                        .group(group)
                        .database
                        .as_ref()
                        .and_then(|d| d.balancers.get(balancer.at()));
                    format!(
                        "{} may be taken out of {}",
                        member(group, *of),
                        at.map_or("a balancer", |b| b.address.as_str())
                    )
                }
            };
            let list = obligations.iter().map(owes).collect::<Vec<_>>().join(", ");
            (
                Weight::Notice,
                Subject::Operation(*operation),
                format!("takes over what the controller before left to be undone: {list}"),
            )
        }
        Event::RemainderDone { operation, evidence, .. } => {
            (Weight::Notice, Subject::Operation(*operation), format!("✓ {}", evidence_words(evidence)))
        }
        Event::FenceProven { .. } => return None,
        Event::Foretold { foretold, proposal } => {
            let open =
                state.proposals.iter().find(|p| p.proposal.id == *proposal).map(|p| p.proposal.plan.clone());
            let plan = open
                .or_else(|| {
                    state.operations.iter().find(|o| o.proposal == *proposal).map(|o| o.plan.name.clone())
                })
                .unwrap_or_default();
            let to = foretold
                .to
                .and_then(|to| Some(format!(" to {}", member(about(state, &record.event)?, to))))
                .unwrap_or_default();
            // On a screen its figures count down from when it was told.
            let passed = record.at.utc.since(foretold.at);
            let of = if passed > Span::secs(1) {
                format!(" as of {}, {passed} before this and counted from then", foretold.at.clock())
            } else {
                String::new()
            };
            (
                Weight::Routine,
                about(state, &record.event).map_or(Subject::Forecast, |g| Subject::Group(group(g))),
                format!("{plan}{to} foretold{of}: {}", foretold_words(foretold)),
            )
        }
        Event::Vouched { group: g, by, note } => {
            let how = if note.is_empty() { String::new() } else { format!(": {note}") };
            (
                Weight::Notice,
                Subject::Person(by.to_string()),
                format!("vouches for {}, which takes writes{how}", group(*g)),
            )
        }
        Event::Note { by, text, by_hand, vouches } => {
            // What it takes away is told with it.
            let vouched = if *vouches { vouched(state, text) } else { Vec::new() };
            let vouched: Vec<String> = vouched.into_iter().map(group).collect();
            let so = if vouched.is_empty() {
                String::new()
            } else {
                format!(", and vouches for {}", vouched.join(", "))
            };
            // What a program writes down for somebody is no note of theirs.
            (
                Weight::Notice,
                Subject::Person(by.to_string()),
                if *by_hand { format!("notes{so}: {text}") } else { text.clone() },
            )
        }
    };
    let about = about(state, &record.event).map_or(String::new(), group);
    Some(LogLine { at: record.at.utc, weight, subject, text, about })
}

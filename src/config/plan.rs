//! Plans as YAML: steps with a kind, what they come after, and a timeout.

use super::duration::Duration;
use super::mistake::{Mistake, Place};
use super::yaml::yaml;
use crate::model::{Approval, DisasterType, Intent, Phase, Plan, Span, Step, StepKind, Via};
use serde::Deserialize;
use serde_saphyr::Spanned;

/// The plans that ship with the program.
const SHIPPED: &[(&str, &str)] = &[
    ("failover.yaml", include_str!("../../fixtures/plans/failover.yaml")),
    ("switchover.yaml", include_str!("../../fixtures/plans/switchover.yaml")),
    ("failback.yaml", include_str!("../../fixtures/plans/failback.yaml")),
    ("restore.yaml", include_str!("../../fixtures/plans/restore.yaml")),
    ("isolate.yaml", include_str!("../../fixtures/plans/isolate.yaml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    plan: Spanned<String>,
    title: String,
    intent: Intent,
    #[serde(default)]
    disasters: Vec<DisasterType>,
    #[serde(default)]
    approval: Approval,
    steps: Vec<Spanned<StepFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFile {
    id: String,
    phase: Phase,
    #[serde(rename = "do")]
    kind: Spanned<String>,
    #[serde(default)]
    after: Vec<Spanned<String>>,
    timeout: Option<Duration>,
    via: Option<Via>,
    run: Option<Vec<String>>,
    ask: Option<String>,
}

/// Reads a plan from a text.
///
/// # Errors
/// The first mistake in it, with its place.
pub fn parse(file: &str, text: &str) -> Result<Plan, Mistake> {
    let raw: PlanFile = yaml(file, text)?;
    let mistake = |at: Place, found: String, remedy: &str| Mistake {
        file: file.to_string(),
        at,
        found,
        remedy: remedy.to_string(),
    };
    let place = Place::from(raw.plan.referenced);
    if raw.steps.is_empty() {
        return Err(mistake(place, format!("plan `{}` has no steps", raw.plan.value), "add at least one"));
    }
    if raw.steps.len() > 200 {
        return Err(mistake(
            place,
            format!("plan `{}` has {} steps", raw.plan.value, raw.steps.len()),
            "use at most 200",
        ));
    }
    let mut steps: Vec<Step> = Vec::with_capacity(raw.steps.len());
    for spanned in &raw.steps {
        let at = Place::from(spanned.referenced);
        let step = &spanned.value;
        if steps.iter().any(|s| s.id == step.id) {
            return Err(mistake(
                at,
                format!("step `{}` is there twice", step.id),
                "give each step an id of its own",
            ));
        }
        let kind = kind(step)
            .map_err(|(found, remedy)| mistake(Place::from(step.kind.referenced), found, &remedy))?;
        let mut after = Vec::new();
        for name in &step.after {
            // Only earlier steps can be named, so that the graph has no cycle.
            let position = steps.iter().position(|s| s.id == name.value).ok_or_else(|| {
                mistake(
                    Place::from(name.referenced),
                    format!("`{}` is no earlier step", name.value),
                    "name a step that stands above this one",
                )
            })?;
            after.push(position as u16);
        }
        let timeout = step.timeout.map_or(default_timeout(&kind), Span::from);
        steps.push(Step { id: step.id.clone(), phase: step.phase, kind, after, timeout });
    }
    let plan = Plan {
        name: raw.plan.value,
        title: raw.title,
        intent: raw.intent,
        disasters: raw.disasters,
        approval: raw.approval,
        steps,
    };
    sound(&plan).map_err(|(found, remedy)| mistake(place, found, remedy))?;
    Ok(plan)
}

fn kind(step: &StepFile) -> Result<StepKind, (String, String)> {
    let via = || {
        step.via.ok_or(("`via` is missing".to_string(), "write `via: primary` or `via: entry`".to_string()))
    };
    let only = |present: bool, field: &str| {
        if present {
            Err((format!("`{field}` has no meaning for `{}`", step.kind.value), "leave it out".to_string()))
        } else {
            Ok(())
        }
    };
    let name = step.kind.value.as_str();
    only(step.via.is_some() && name != "validate_write", "via")?;
    only(step.run.is_some() && name != "run_command", "run")?;
    only(step.ask.is_some() && name != "ask_person", "ask")?;
    Ok(match name {
        "check_identity" => StepKind::CheckIdentity,
        "check_votes" => StepKind::CheckVotes,
        "check_candidate" => StepKind::CheckCandidate,
        "fence" => StepKind::Fence,
        "hand_over" => StepKind::HandOver,
        "switch_over" => StepKind::SwitchOver,
        "watch_promotion" => StepKind::WatchPromotion,
        "drain_traffic" => StepKind::DrainTraffic,
        "restore_traffic" => StepKind::RestoreTraffic,
        "validate_write" => StepKind::ValidateWrite { via: via()? },
        "watch_protection" => StepKind::WatchProtection,
        "run_command" => match &step.run {
            Some(argv) if !argv.is_empty() => StepKind::RunCommand { argv: argv.clone() },
            _ => {
                return Err((
                    "`run` is missing".to_string(),
                    "write `run: [program, argument, …]`".to_string(),
                ));
            }
        },
        "ask_person" => StepKind::AskPerson {
            what: step.ask.clone().ok_or((
                "`ask` is missing".to_string(),
                "write what the person is to do or decide".to_string(),
            ))?,
        },
        other => {
            return Err((
                format!("`{other}` is no kind of step"),
                "known: check_identity, check_votes, check_candidate, fence, hand_over, switch_over, watch_promotion, drain_traffic, \
                 restore_traffic, validate_write, watch_protection, run_command, ask_person"
                    .to_string(),
            ));
        }
    })
}

/// A plan that could never end well is refused when it is read, not when it is needed.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn sound(plan: &Plan) -> Result<(), (String, &'static str)> {
    let find = |test: fn(&StepKind) -> bool| plan.steps.iter().position(|s| test(&s.kind));
    let hand_over = find(|k| matches!(k, StepKind::HandOver));
    let switch_over = find(|k| matches!(k, StepKind::SwitchOver));
    let promotion = find(|k| matches!(k, StepKind::WatchPromotion));
    match plan.intent {
        Intent::Failover => {
            let Some(hand_over) = hand_over else {
                return Err((
                    format!("plan `{}` is a failover without a hand_over", plan.name),
                    "add the step, or write `intent: guided`",
                ));
            };
            if switch_over.is_some() {
                return Err((
                    format!("plan `{}` is a failover with a switch_over", plan.name),
                    "a switchover needs a living primary; remove it",
                ));
            }
            if find(|k| matches!(k, StepKind::Fence)).is_none_or(|fence| fence > hand_over) {
                return Err((
                    format!("plan `{}` hands over before it fences", plan.name),
                    "put a fence step before hand_over (law 1)",
                ));
            }
        }
        Intent::Switchover if switch_over.is_none() => {
            return Err((
                format!("plan `{}` is a switchover without a switch_over", plan.name),
                "add the step, or write `intent: guided`",
            ));
        }
        Intent::Guided if hand_over.or(switch_over).is_some() => {
            return Err((
                format!("plan `{}` is guided and changes the primary", plan.name),
                "write `intent: failover` or `intent: switchover`",
            ));
        }
        _ => {}
    }
    if plan.intent != Intent::Guided {
        if promotion.is_none() {
            return Err((
                format!("plan `{}` never watches the promotion", plan.name),
                "add a watch_promotion step",
            ));
        }
        if find(|k| matches!(k, StepKind::ValidateWrite { .. })).is_none() {
            return Err((
                format!("plan `{}` never proves that it worked", plan.name),
                "add a validate_write step (law 6)",
            ));
        }
    }
    Ok(())
}

/// Generous against what was measured (FACTS part 1), small against a commander's patience.
fn default_timeout(kind: &StepKind) -> Span {
    match kind {
        StepKind::CheckIdentity | StepKind::CheckVotes | StepKind::CheckCandidate => Span::secs(5),
        StepKind::Fence | StepKind::DrainTraffic | StepKind::RestoreTraffic => Span::secs(10),
        StepKind::HandOver => Span::secs(5),
        StepKind::SwitchOver | StepKind::WatchPromotion => Span::secs(30),
        StepKind::ValidateWrite { .. } => Span::secs(20),
        StepKind::WatchProtection => Span::mins(5),
        StepKind::RunCommand { .. } => Span::mins(1),
        StepKind::AskPerson { .. } => Span::days(1),
    }
}

/// The plans that ship with the program.
///
/// # Panics
/// Never: `tests::shipped_plans_are_sound` reads each of them.
pub fn shipped() -> Vec<Plan> {
    SHIPPED.iter().map(|(file, text)| parse(file, text).unwrap_or_else(|e| panic!("{e}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_plans_are_sound() {
        assert_eq!(shipped().len(), SHIPPED.len());
    }
}

//! What the configuration asks for: detection, responses, targets, and the limits of automation.

use super::context::Context;
use super::duration::Duration;
use super::file::{AutomationFile, File};
use super::waiver_file::{DrilledFile, FenceProofFile, WaiverFile};
use crate::model::*;
use serde_saphyr::Spanned;

pub fn policy(cx: &Context, raw: &File) -> Policy {
    let continuity = raw.business_continuity.as_ref();
    let strategies =
        raw.disaster_recovery.iter().flat_map(|r| &r.recovery_strategies).map(|(strategy, s)| {
            let s = &s.value;
            let target = StrategyTarget {
                rto: s.target_rto.value.0,
                rpo: s.target_rpo.value.0,
                automation: s.automation_level,
                validation_required: s.validation_required,
            };
            (*strategy, target)
        });
    let sla = continuity.and_then(|c| c.sla_targets.as_ref());
    if let Some(uptime) =
        sla.and_then(|s| s.uptime_percentage.as_ref()).filter(|u| !(0.0..=100.0).contains(&u.value))
    {
        cx.add(uptime.referenced, format!("an uptime of {} %", uptime.value), "write 0 to 100");
    }
    Policy {
        detection: detection(cx, raw),
        responses: responses(cx, raw),
        strategies: strategies.collect(),
        limits: limits(raw.automation.as_ref()),
        rto: sla.and_then(|s| s.rto_minutes.as_ref()).map_or(Span::mins(15), |m| Span::mins(m.value.into())),
        rpo: sla.and_then(|s| s.rpo_minutes).map_or(Span::mins(5), |m| Span::mins(m.into())),
    }
}

fn detection(cx: &Context, raw: &File) -> Detection {
    let detection = raw.disaster_recovery.as_ref().and_then(|r| r.detection.as_ref());
    let span = |d: Option<&Spanned<Duration>>, default| d.map_or(default, |d| d.value.0);
    if let Some(threshold) =
        detection.and_then(|d| d.failure_threshold.as_ref()).filter(|t| t.value == 0 || t.value > 1000)
    {
        cx.add(
            threshold.referenced,
            format!("a failure threshold of {}", threshold.value),
            "write 1 to 1000",
        );
    }
    if let Some(interval) =
        detection.and_then(|d| d.health_check_interval.as_ref()).filter(|i| i.value.0 < Span::ms(20))
    {
        cx.add(
            interval.referenced,
            format!("checks every {}", interval.value.0),
            "write 20ms or more: a check takes some milliseconds",
        );
    }
    Detection {
        interval: span(detection.and_then(|d| d.health_check_interval.as_ref()), Span::secs(30)),
        threshold: detection.and_then(|d| d.failure_threshold.as_ref()).map_or(3, |t| t.value),
        classification_timeout: span(
            detection.and_then(|d| d.disaster_classification_timeout.as_ref()),
            Span::secs(60),
        ),
        response_delay: detection.and_then(|d| d.automated_response_delay).map_or(Span::secs(30), Span::from),
    }
}

fn responses(cx: &Context, raw: &File) -> Vec<Response> {
    let mut responses: Vec<Response> = Vec::new();
    for rule in raw.business_continuity.iter().flat_map(|c| &c.disaster_scenarios) {
        let kind = rule.value.kind.value;
        if responses.iter().any(|r| r.disaster == kind) {
            cx.add(
                rule.value.kind.referenced,
                format!("disaster `{kind}` is there twice"),
                "keep one response for each type",
            );
        }
        responses.push(Response {
            disaster: kind,
            severity: rule.value.severity,
            automated: rule.value.automated_response.as_ref().is_some_and(|a| a.value),
            strategy: rule.value.recovery_strategy.value,
        });
    }
    responses
}

/// The waiver, if reason and expiry are given with it.
fn waiver(file: &WaiverFile) -> Option<Waiver> {
    let reason = file.reason.as_deref().map(str::trim).filter(|r| !r.is_empty())?;
    Some(Waiver { reason: reason.to_string(), until: file.until.as_ref()?.value.ends() })
}

fn limits(file: Option<&AutomationFile>) -> AutomationLimits {
    let limit = |d: Option<Duration>, default| d.map_or(default, Span::from);
    let required = Some(Span::days(30));
    let (fence_proof, fence_proof_waiver) = match file.and_then(|a| a.fence_proof.as_ref()).map(|p| &p.value)
    {
        Some(FenceProofFile::Waived(w)) if w.not_required.value => (None, waiver(w)),
        _ if file.and_then(|a| a.fence_proof_not_required.as_ref()).is_some_and(|n| n.value) => (None, None),
        Some(FenceProofFile::Within(within)) => (Some(within.0), None),
        Some(FenceProofFile::Waived(_)) | None => (required, None),
    };
    let (drilled, drilled_waiver) = match file.and_then(|a| a.drilled.as_ref()).map(|d| &d.value) {
        Some(DrilledFile::Waived(w)) if w.not_required.value => (false, waiver(w)),
        Some(DrilledFile::Required(required)) => (*required, None),
        Some(DrilledFile::Waived(_)) | None => (true, None),
    };
    AutomationLimits {
        settle: limit(file.and_then(|a| a.settle), Span::secs(60)),
        cooldown: limit(file.and_then(|a| a.cooldown), Span::mins(60)),
        fence_proof,
        drilled,
        waivers_expire: true,
        fence_proof_waiver,
        drilled_waiver,
    }
}

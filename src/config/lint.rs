//! Contradictions in the figures: a file can be read and still promise what cannot be.

use super::file::File;
use super::mistake::{DatedWarning, Place, Warning};
use crate::model::*;
use serde_saphyr::Location;

/// A break-glass login that was exercised longer ago may not work any more (reference 003: a drill a quarter).
const EXERCISED: Span = Span::days(92);

/// Every contradiction found, in the order of the file, and those that there will be from a moment on.
pub fn lint(file: &str, raw: &File, estate: &Estate) -> (Vec<Warning>, Vec<DatedWarning>) {
    let mut found = Findings { file, warnings: Vec::new(), dated: Vec::new() };
    detection(&mut found, raw, estate);
    responses(&mut found, raw, estate);
    regions(&mut found, raw, estate);
    availability(&mut found, raw);
    services(&mut found, raw, estate);
    fences(&mut found, raw, estate);
    plans(&mut found, estate);
    waivers(&mut found, raw, estate);
    needs(&mut found, raw, estate);
    found.warnings.sort_by_key(|w| w.at);
    (found.warnings, found.dated)
}

struct Findings<'a> {
    file: &'a str,
    warnings: Vec<Warning>,
    dated: Vec<DatedWarning>,
}

impl Findings<'_> {
    fn warn(&mut self, at: Location, text: String) {
        self.warnings.push(Warning { file: self.file.to_string(), at: Place::from(at), text });
    }

    /// What is to be warned of from a moment on.
    fn warn_from(&mut self, from: Utc, at: Location, text: String) {
        self.dated.push(DatedWarning {
            from,
            warning: Warning { file: self.file.to_string(), at: Place::from(at), text },
        });
    }
}

/// From the last moment all was well to the decision that it is not: the shortest and the longest time.
fn detection_window(estate: &Estate) -> (Span, Span) {
    let detection = &estate.policy.detection;
    let n = u64::from(detection.threshold);
    (detection.interval.times(n.saturating_sub(1)), detection.interval.times(n))
}

fn detection(found: &mut Findings, raw: &File, estate: &Estate) {
    let Some(file) = raw.disaster_recovery.as_ref().and_then(|r| r.detection.as_ref()) else { return };
    let detection = &estate.policy.detection;
    let (shortest, longest) = detection_window(estate);
    let window = format!("{}–{} ({} x {})", shortest, longest, detection.interval, detection.threshold);
    if let Some(timeout) = &file.disaster_classification_timeout
        && longest > detection.classification_timeout
    {
        found.warn(
            timeout.referenced,
            format!(
                "detection takes {window}; classification is promised within {}",
                detection.classification_timeout
            ),
        );
    }
    let Some(recovery) = raw.disaster_recovery.as_ref() else { return };
    for (strategy, target) in &recovery.recovery_strategies {
        let rto = target.value.target_rto.value.0;
        if longest.plus(detection.response_delay) >= rto {
            let text = format!(
                "{strategy} promises recovery in {rto}; detection ({window}) and the response delay ({}) alone take it",
                detection.response_delay
            );
            found.warn(target.value.target_rto.referenced, text);
        }
    }
}

fn responses(found: &mut Findings, raw: &File, estate: &Estate) {
    for rule in raw.business_continuity.iter().flat_map(|b| &b.disaster_scenarios) {
        let strategy = rule.value.recovery_strategy.value;
        match estate.policy.strategies.get(&strategy) {
            None => found.warn(
                rule.value.recovery_strategy.referenced,
                format!("strategy {strategy} is named here and defined nowhere"),
            ),
            Some(target) => {
                if let Some(automated) = rule
                    .value
                    .automated_response
                    .as_ref()
                    .filter(|a| a.value && target.automation != Automation::Full)
                {
                    let text = format!(
                        "automated_response is on, but {strategy} has automation_level {}: a person will be asked",
                        target.automation
                    );
                    found.warn(automated.referenced, text);
                }
            }
        }
        let kind = rule.value.kind.value;
        let mends_by_failover =
            matches!(strategy, Strategy::ImmediateFailover | Strategy::WarmStandbyActivation);
        if mends_by_failover && matches!(kind, DisasterType::DataCorruption | DisasterType::CyberIncident) {
            found.warn(
                rule.value.recovery_strategy.referenced,
                format!("a failover does not mend {}: replicas carry it too", kind.words()),
            );
        }
    }
}

fn regions(found: &mut Findings, raw: &File, estate: &Estate) {
    let Some(block) = raw.business_continuity.as_ref() else { return };
    let standbys: u32 =
        estate.regions.iter().filter(|r| r.role != Role::Active).map(|r| u32::from(r.capacity.0)).sum();
    for file in block.regions.values() {
        let Some(id) = estate.region_named(&file.value.region_id.value) else { continue };
        let region = estate.region(id);
        if region.role != Role::Active && region.capacity < Percent(100) && standbys < 100 {
            let text = format!(
                "{} can carry {} of the normal load: if it takes over, the rest is shed or scaled up first",
                region.name, region.capacity
            );
            found.warn(file.value.capacity_percentage.referenced, text);
        }
        if let Some(lag) = &file.value.replication_lag {
            let tightest = estate
                .services
                .iter()
                .filter(|s| s.regions.contains(&id))
                .map(|s| s.rpo)
                .min()
                .unwrap_or(estate.policy.rpo);
            if lag.value.0 > tightest {
                found.warn(
                    lag.referenced,
                    format!("replication to {} lags {}; the RPO is {tightest}", region.name, lag.value.0),
                );
            }
        }
    }
}

fn availability(found: &mut Findings, raw: &File) {
    let Some(sla) = raw.business_continuity.as_ref().and_then(|b| b.sla_targets.as_ref()) else { return };
    if let (Some(mttr), Some(rto)) = (sla.mttr_minutes, &sla.rto_minutes)
        && mttr > rto.value
    {
        found.warn(
            rto.referenced,
            format!("a mean time to recovery of {mttr} min is longer than the RTO of {} min", rto.value),
        );
    }
    let (Some(uptime), Some(rto)) = (&sla.uptime_percentage, &sla.rto_minutes) else { return };
    let allowed_minutes = (100.0 - uptime.value) / 100.0 * 365.0 * 24.0 * 60.0;
    if f64::from(rto.value) > allowed_minutes {
        let text = format!(
            "an RTO of {} min is more than the {allowed_minutes:.0} min a year that {} % allow",
            rto.value, uptime.value
        );
        found.warn(rto.referenced, text);
    }
}

fn services(found: &mut Findings, raw: &File, estate: &Estate) {
    let (_, longest) = detection_window(estate);
    for id in estate.service_ids() {
        let service = estate.service(id);
        let Some(file) = raw.services.get(&service.name) else { continue };
        let at = file.value.rto.as_ref().map_or(file.referenced, |r| r.referenced);
        for other in &service.depends_on {
            let other = estate.service(*other);
            if service.rto < other.rto {
                let text = format!(
                    "{} is to recover in {}, before {} which it needs ({})",
                    service.name, service.rto, other.name, other.rto
                );
                found.warn(at, text);
            }
        }
        if file.value.rto.is_some() && longest.plus(estate.policy.detection.response_delay) >= service.rto {
            let text = format!(
                "{} is to recover in {}; detection and response delay alone take {}",
                service.name,
                service.rto,
                longest.plus(estate.policy.detection.response_delay)
            );
            found.warn(at, text);
        }
        if let (Some(rpo), Some(target)) =
            (&file.value.rpo, estate.policy.strategies.get(&Strategy::ImmediateFailover))
            && rpo.value.0 < target.rpo
            && !service_has_database(estate, id)
        {
            found.warn(
                rpo.referenced,
                format!(
                    "{} allows {} of loss; immediate_failover promises only {}",
                    service.name, rpo.value.0, target.rpo
                ),
            );
        }
    }
}

fn service_has_database(estate: &Estate, id: ServiceId) -> bool {
    estate.group(estate.service(id).group).database.is_some()
}

fn fences(found: &mut Findings, raw: &File, estate: &Estate) {
    let automatic = estate.policy.automates();
    for group in &estate.groups {
        let Some(database) = &group.database else { continue };
        let Some(file) = raw.services.get(&estate.service(database.service).name) else { continue };
        let at = file.value.patroni.as_ref().map_or(file.referenced, |p| p.referenced);
        match &database.fence {
            None if automatic => found.warn(
                at,
                format!("{} has no fence: an automated response will propose and not act", group.name),
            ),
            None => {}
            Some(fence) => {
                for region in &fence.depends_on {
                    if database.members.iter().any(|m| m.region == *region) {
                        let at = file.value.fence.as_ref().map_or(at, |f| f.referenced);
                        let name = &estate.region(*region).name;
                        found.warn(at, format!("the fence of {} needs {name}, which is one of the regions that it is to fence", group.name));
                    }
                }
            }
        }
        if database.store.is_empty() {
            found.warn(
                at,
                format!("{} names no etcd: a failover waits for the cluster's own lease to end", group.name),
            );
        }
    }
}

/// Rules of automation that are waived without a reason, or not for good.
fn waivers(found: &mut Findings, raw: &File, estate: &Estate) {
    let Some(automation) =
        raw.automation.as_ref().filter(|_| estate.policy.automates() && !estate.test_estate)
    else {
        return;
    };
    for (rule, waiver) in estate.policy.limits.waived() {
        let proof = || {
            automation
                .fence_proof
                .as_ref()
                .map(|p| p.referenced)
                .or(automation.fence_proof_not_required.as_ref().map(|n| n.referenced))
        };
        let (at, written) = match rule {
            WaivedRule::Drilled => {
                (automation.drilled.as_ref().map(|d| d.referenced), "the drill is waived (`drilled`)")
            }
            WaivedRule::FenceProof => (proof(), "the proof of the fence is waived (`fence_proof`)"),
        };
        let at = at.unwrap_or(Location::UNKNOWN);
        match waiver {
            None => {
                let form = format!("{rule}: {{ not_required: true, reason: \"...\", until: 2027-01-31 }}");
                found.warn(at, format!("{written} without a reason and an expiry date: automation of a live estate stays off; write {form}"));
            }
            Some(waiver) => found.warn_from(
                waiver.until,
                at,
                format!("{written}, and the waiver has expired: automation of a live estate is off"),
            ),
        }
    }
}

/// What a recovery needs besides the estate: where it is, and how people get in without it.
fn needs(found: &mut Findings, raw: &File, estate: &Estate) {
    for (name, spanned) in &raw.needs {
        let file = &spanned.value;
        if file.region.0.is_empty() {
            found.warn(
                spanned.referenced,
                format!("the need {name} has no `region`: whether it is lost with a region is unknown"),
            );
        }
        if file.provider.is_none() {
            found.warn(
                spanned.referenced,
                format!("the need {name} has no `provider`: whether it is lost with a provider is unknown"),
            );
        }
        for region in file.region.0.iter().filter(|r| estate.region_named(&r.value).is_none()) {
            let text = format!(
                "the need {name} runs in {}, which is not a region of this estate: no region's loss takes it",
                region.value
            );
            found.warn(spanned.referenced, text);
        }
        let Some(glass) = &file.break_glass else { continue };
        match glass.value.exercised {
            None => {
                found.warn(glass.referenced, format!("the break-glass login of {name} was never exercised; exercise it and write `exercised: DATE`"))
            }
            Some(day) => {
                let text = format!("the break-glass login of {name} was last exercised more than {EXERCISED} ago; exercise it again");
                found.warn_from(day.begins().plus(EXERCISED), glass.referenced, text);
            }
        }
    }
    if let Some((name, first)) =
        raw.needs.iter().next().filter(|_| raw.needs.values().all(|n| n.value.break_glass.is_none()))
    {
        found.warn(
            first.referenced,
            format!("no need has a `break_glass` login; if {name} is lost nobody may get in"),
        );
    }
}

/// Commands in plans that are known to fail when they are needed.
fn plans(found: &mut Findings, estate: &Estate) {
    for plan in &estate.plans {
        for step in &plan.steps {
            let StepKind::RunCommand { argv } = &step.kind else { continue };
            let line = argv.join(" ");
            let here = format!("plan {}, step {}", plan.name, step.id);
            if line.contains("patronictl") && line.contains("switchover") && plan.intent == Intent::Failover {
                found.warn(
                    Location::UNKNOWN,
                    format!(
                        "{here}: patronictl switchover needs a living primary; this plan is for a dead one"
                    ),
                );
            }
            if line.contains("patronictl") && line.contains("--master") {
                found.warn(
                    Location::UNKNOWN,
                    format!("{here}: --master is gone in Patroni 4; write --leader"),
                );
            }
            if line.contains("pg_restore") && line.contains(".sql") {
                found.warn(
                    Location::UNKNOWN,
                    format!("{here}: pg_restore does not read plain SQL; use psql --file"),
                );
            }
        }
    }
}

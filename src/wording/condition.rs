//! What is wrong now: a headline of the worst, and a sentence for each.

use super::{
    finding_words, region_reason_words, sign_words, source_words, unconfigured_words, veto_words,
    waiver_words,
};
use crate::model::*;

/// The worst of what is wrong now, with everything else of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    pub severity: Severity,
    /// In capitals, as screens and answers show it.
    pub title: String,
    /// How long the longest of them has stood, where that is known.
    pub lasts: Option<Span>,
    /// What they are about.
    pub about: String,
}

impl Headline {
    /// In one line: `NO PRIMARY for 12s  orders-db, payments-db`.
    pub fn line(&self) -> String {
        let lasts = self.lasts.map_or(String::new(), |lasts| format!(" for {lasts}"));
        let about = if self.about.is_empty() { String::new() } else { format!("  {}", self.about) };
        format!("{}{lasts}{about}", self.title)
    }
}

/// The headline of a moment; `None` if nothing is wrong.
pub fn headline(s: &Snapshot) -> Option<Headline> {
    let worst = s.conditions.first()?;
    let like: Vec<&Condition> =
        s.conditions.iter().filter(|c| c.is_like(worst) && c.severity == worst.severity).collect();
    let since = like.iter().filter_map(|c| c.since).min().filter(|_| counts(&worst.kind));
    let about: Vec<String> = like.iter().map(|c| about_words(c, &s.estate)).collect();
    Some(Headline {
        severity: worst.severity,
        title: title(worst).to_string(),
        lasts: since.map(|since| s.now.utc.since(since)).filter(|lasts| *lasts >= Span::secs(1)),
        about: about.join(", "),
    })
}

/// How long it stands is told in the headline.
const fn counts(kind: &ConditionKind) -> bool {
    matches!(
        kind,
        ConditionKind::Disaster { .. }
            | ConditionKind::PrimarySilent
            | ConditionKind::NoPrimary
            | ConditionKind::AgentSilent
            | ConditionKind::OnlyOurProbesFail { .. }
            | ConditionKind::WritesWait
            | ConditionKind::WritesAlone
            | ConditionKind::StoreSilent { .. }
            | ConditionKind::BalancerSilent { .. }
            | ConditionKind::ChecksFail { .. }
    )
}

/// What it is called.
pub fn title(condition: &Condition) -> String {
    let name = match &condition.kind {
        ConditionKind::Disaster { kind, .. } => {
            return format!("{} {}", condition.severity.name().to_uppercase(), kind.words());
        }
        ConditionKind::JournalFailed { .. } => "JOURNAL CANNOT BE WRITTEN",
        ConditionKind::TwoMayWrite { .. } => "TWO MAY WRITE",
        ConditionKind::PrimarySilent => "PRIMARY SILENT",
        ConditionKind::NoPrimary => "NO PRIMARY",
        ConditionKind::LedByUnconfigured { .. } => "LED BY AN UNCONFIGURED MEMBER",
        ConditionKind::NotUsable { .. } => "CLUSTER NOT USABLE",
        ConditionKind::MemberUnwell { .. } => "MEMBER UNWELL",
        ConditionKind::NotRouted { .. } => "NO WAY FOR USERS",
        ConditionKind::Drained { .. } => "DRAINED, NO WRITES",
        ConditionKind::NoEntryAnswers => "NO ENTRY ANSWERS",
        ConditionKind::AgentSilent => "PATRONI SILENT",
        ConditionKind::WritesWait | ConditionKind::WritesAlone => "NOBODY SYNCHRONOUS",
        ConditionKind::IdentityChanged { .. } => "IDENTITY CHANGED",
        ConditionKind::NotUndone { .. } => "NOT UNDONE",
        ConditionKind::Departed { .. } => "NOT CONFIGURED ANY MORE, NOT UNDONE",
        ConditionKind::OperationWaits { .. } => "OPERATION WAITS",
        ConditionKind::ReadOnly => "READ-ONLY",
        ConditionKind::AutomationBlocked { .. } => "AUTOMATION DOES NOT ACT",
        ConditionKind::StoreSilent { .. } => "ETCD SILENT",
        ConditionKind::RegionDown => "DOWN",
        ConditionKind::ServiceDown => "SERVICE DOWN",
        ConditionKind::OnlyOurProbesFail { .. } => "ONLY OUR PROBES FAIL",
        ConditionKind::Unprotected { .. } => "UNPROTECTED",
        ConditionKind::BalancerSilent { .. } => "PARTLY BLIND",
        ConditionKind::RegionDegraded { .. } => "DEGRADED",
        ConditionKind::RegionUnknown => "UNKNOWN",
        ConditionKind::ChecksFail { .. } => "CHECKS FAIL",
        ConditionKind::Overloaded { .. } => "OVERLOAD",
        ConditionKind::LagOverRpo { .. } => "LAG OVER RPO",
        ConditionKind::FallsBehind { .. } => "FALLS BEHIND",
        ConditionKind::ServiceImpaired => "SERVICE IMPAIRED",
        ConditionKind::CheckImpossible { .. } => "HEALTH CHECK IMPOSSIBLE",
        ConditionKind::Paused => "PATRONI PAUSED",
        ConditionKind::NobodyCanTakeOver => "NOBODY COULD TAKE OVER",
        ConditionKind::Unproven => "UNPROVEN",
        ConditionKind::PrimaryInMaintenance { .. } => "PRIMARY IN MAINTENANCE",
        ConditionKind::FenceCheckFails { .. } => "FENCE CHECK FAILS",
        ConditionKind::Fenced { .. } => "STILL FENCED",
        ConditionKind::NotRestored { .. } => "NOT YET BACK IN THE BALANCERS",
        ConditionKind::LedElsewhere { .. } => "LED ELSEWHERE than planned",
        ConditionKind::LoginRefused { .. } => "LOGIN REFUSED",
        ConditionKind::ReceiverUnreadable { .. } => "pg_monitor MISSING",
        ConditionKind::NoStore => "NO ETCD NAMED",
        ConditionKind::NoFence => "NO FENCE",
        ConditionKind::NoEntry => "NO TRAFFIC ENTRY",
        ConditionKind::ClockJumped { .. } => "CLOCK JUMPED",
        ConditionKind::Cooldown { .. } => "AUTOMATION IN COOLDOWN",
        ConditionKind::NotReady { .. } => "NOT READY",
        ConditionKind::AutomationOff { .. } => "AUTOMATION OFF",
        ConditionKind::NothingMeasured => "LOOKING",
    };
    name.to_string()
}

fn name(about: About, estate: &Estate) -> String {
    match about {
        About::Estate => String::new(),
        About::Region(region) => estate.region(region).name.clone(),
        About::Group(group) => estate.group(group).name.clone(),
        About::Service(service) => estate.service(service).name.clone(),
    }
}

/// What it is about, with the figures that a headline has room for.
fn about_words(condition: &Condition, estate: &Estate) -> String {
    let region = |r: RegionId| estate.region(r).name.as_str();
    let name = name(condition.about, estate);
    let label = |m: MemberId| match condition.about {
        About::Group(group) => estate.member_label(group, m, None),
        _ => std::borrow::Cow::Borrowed("?"),
    };
    match &condition.kind {
        ConditionKind::JournalFailed { reason } => reason.clone(),
        ConditionKind::Disaster { regions, .. } => {
            regions.iter().map(|r| region(*r)).collect::<Vec<_>>().join(", ")
        }
        ConditionKind::TwoMayWrite { old, new } => format!("{name}: {} beside {}", label(*old), label(*new)),
        ConditionKind::NotUndone { operation } | ConditionKind::OperationWaits { operation } => {
            format!("{name}: {operation}")
        }
        ConditionKind::BalancerSilent { address, .. } => {
            source_words(&Source::Balancer { address: address.clone() }, estate)
        }
        ConditionKind::PrimaryInMaintenance { balancer, .. } => format!("{name} on {balancer}"),
        ConditionKind::Overloaded { load } => format!("{name} {load}"),
        ConditionKind::LagOverRpo { member: m, lag, rpo, .. }
        | ConditionKind::FallsBehind { member: m, lag, rpo } => {
            format!("{name} in {}: {lag} of RPO {rpo}", label(*m))
        }
        ConditionKind::Fenced { member: m, .. }
        | ConditionKind::NotRestored { member: m, .. }
        | ConditionKind::FenceCheckFails { member: m, .. }
        | ConditionKind::LoginRefused { member: m, .. }
        | ConditionKind::MemberUnwell { member: m, .. }
        | ConditionKind::ReceiverUnreadable { member: m } => format!("{name} in {}", label(*m)),
        ConditionKind::ClockJumped { by_ms } => format!("by {by_ms} ms"),
        _ => name,
    }
}

/// What a condition is about, as answers name it: its sort, and its name.
pub fn about_named(about: About, estate: &Estate) -> (&'static str, String) {
    let sort = match about {
        About::Estate => return ("estate", estate.name.clone()),
        About::Region(_) => "region",
        About::Group(_) => "group",
        About::Service(_) => "service",
    };
    (sort, name(about, estate))
}

/// The condition in a sentence, with what it rests on.
pub fn condition_words(condition: &Condition, estate: &Estate) -> String {
    let detail = match &condition.kind {
        ConditionKind::StoreSilent { reason }
        | ConditionKind::BalancerSilent { reason, .. }
        | ConditionKind::FenceCheckFails { reason, .. }
        | ConditionKind::CheckImpossible { reason }
        | ConditionKind::LoginRefused { reason, .. } => reason.clone(),
        ConditionKind::RegionDegraded { reason } => region_reason_words(reason),
        ConditionKind::LedByUnconfigured { leader } => unconfigured_words(leader),
        ConditionKind::NotUsable { finding } | ConditionKind::NotRouted { finding } => finding_words(finding),
        ConditionKind::MemberUnwell { port: Port::Rest, reason, .. } => {
            format!("Patroni's REST API: {reason}")
        }
        ConditionKind::MemberUnwell { port: Port::Sql, reason, .. } => format!("PostgreSQL's port: {reason}"),
        ConditionKind::OnlyOurProbesFail { by } => sign_words(by),
        ConditionKind::AutomationBlocked { veto } => veto_words(veto, estate),
        ConditionKind::AutomationOff { rule, fault } => waiver_words(*rule, *fault),
        ConditionKind::Cooldown { until } => format!("until {}", until.clock()),
        ConditionKind::LedElsewhere { at, planned } => {
            format!("{}, planned {}", estate.region(*at).name, estate.region(*planned).name)
        }
        ConditionKind::WritesWait => "writes wait".to_string(),
        ConditionKind::WritesAlone => "what is acknowledged is on the primary alone".to_string(),
        ConditionKind::ChecksFail { up, of } => format!("{up} of {of} answer"),
        ConditionKind::IdentityChanged { change } => {
            format!("{}; adopt it if it is meant", super::identity_words(change))
        }
        ConditionKind::NotReady { stops: 1, first } => {
            format!("1 thing would stop a failover: {}", super::survey_check_words(*first))
        }
        ConditionKind::NotReady { stops, first } => {
            format!("{stops} things would stop a failover, first: {}", super::survey_check_words(*first))
        }
        ConditionKind::Departed { left: 1 } => "1 change to undo; no new operation until then".to_string(),
        ConditionKind::Departed { left } => format!("{left} changes to undo; no new operation until then"),
        _ => String::new(),
    };
    let about = about_words(condition, estate);
    let parts = [title(condition), about, detail];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

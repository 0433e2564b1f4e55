//! What a choice would do and what stands in its way, at this moment. The same checks decide whether it may begin.

use super::planted::{self, Break};
use super::votes::{self, Stance};
use super::{Facts, limits};
use super::{candidate, claim};
use crate::model::*;
use serde::Serialize;

/// How a choice stands now.
pub fn assess(cx: &Facts, proposal: &Proposal, revision: u32) -> Assessment {
    let to = proposal.to.or_else(|| match proposal.intent {
        Intent::Guided => Some(proposal.old),
        _ => candidate::choose(cx, proposal.group, proposal.old, proposal.leaves),
    });
    let age = cx.stale_after();
    let mut checks = checks(cx, proposal, to, age);
    let plan = cx.estate().plan_named(&proposal.plan);
    let approval = plan.map(|p| p.approval).unwrap_or_default();
    if approval.second_factor {
        let text = "the plan asks for a second factor, and nothing here can check one".to_string();
        checks.push(check(CheckId::SecondFactor, Verdict::block(4), text));
    }
    let loss = loss(proposal.intent, &checks);
    let risks: Vec<Risk> = checks.iter().filter_map(|c| if let Verdict::Risk(risk) = c.verdict { Some(risk) } else { None }).collect();
    let overrule = overrule(cx, proposal, &checks);
    let otherwise = otherwise(cx, proposal.group, proposal.old);
    let no_return_after = plan.and_then(|p| p.steps.iter().position(|s| matches!(s.kind, StepKind::HandOver | StepKind::SwitchOver)));
    let plan = plan.map(Digest::of_value).unwrap_or_default();
    let evidence = digest(cx, proposal, to, &checks);
    Assessment {
        left: cx.left(proposal.group, proposal.old, proposal.leaves),
        to,
        checks,
        loss,
        risks,
        overrule,
        second_person: approval.second_person,
        supersedes: cx.state.running(proposal.group).map(|o| o.id),
        otherwise,
        leads_on: leads_on(cx, proposal.group),
        no_return_after: no_return_after.map(|p| p as u16),
        plan,
        evidence,
        nonce: revision,
    }
}

fn checks(cx: &Facts, proposal: &Proposal, to: Option<MemberId>, age: Span) -> Vec<Check> {
    let mut list = Vec::new();
    let group = proposal.group;
    if proposal.intent == Intent::Guided {
        return list;
    }
    let Some(to) = to else {
        list.push(check(CheckId::Candidate, Verdict::block(11), "there is no other member".to_string()));
        return list;
    };
    if proposal.intent == Intent::Switchover {
        list.extend(candidate::switchover_checks(cx, group, proposal.old, to, age, opens_route(cx, proposal)));
    } else {
        let left = cx.left(group, proposal.old, proposal.leaves);
        list.push(observers(cx, group, &left));
        list.extend(candidate::failover_checks(cx, group, proposal.old, to, age));
        list.push(fence(cx, group, &left));
        list.extend(entry(cx, group, to));
    }
    if let Some(disaster) = cx.state.open_disasters().find(|d| d.corrupts(cx.estate(), group)) {
        let text =
            format!("{} in {}: replicas carry it too, a failover does not mend it", corrupt_word(disaster.kind), cx.region_name(disaster.regions[0]));
        list.insert(0, check(CheckId::Data, Verdict::block(11), text));
    }
    if let Some(region) = cx.region_of(group, to) {
        list.push(room(cx, group, proposal.from, region, proposal.intent == Intent::Switchover));
    }
    list.extend(cx.state.running(group).map(|open| supersedes(open)));
    if cx.state.changed.contains_key(&group) {
        let text = "the cluster that answers is not the one that was seen before; adopt it first, if it is meant".to_string();
        list.insert(0, check(CheckId::SameCluster, Verdict::block(11), text));
    }
    list
}

/// Another operation of the group is not over: this one may take its place only while that one waits.
fn supersedes(open: &Operation) -> Check {
    match open.may_be_superseded() {
        true => {
            check(CheckId::Operation, Verdict::Advice, format!("supersedes {}, which waits: its fence and drained servers pass to this one", open.id))
        }
        false => check(CheckId::Operation, Verdict::not_yet(7), format!("{} runs on this group: wait for it, or abort it", open.id)),
    }
}

fn corrupt_word(kind: DisasterType) -> &'static str {
    match kind {
        DisasterType::CyberIncident => "an intruder is",
        _ => "corrupt data",
    }
}

fn opens_route(cx: &Facts, proposal: &Proposal) -> bool {
    cx.estate().plan_named(&proposal.plan).is_some_and(Plan::restores_traffic)
}

fn check(id: CheckId, verdict: Verdict, text: String) -> Check {
    Check { id, verdict, text, figure: None, at: None }
}

/// Are the members that would be left gone, as the observers say? The old primary is the first of them.
pub fn observers(cx: &Facts, group: GroupId, left: &[MemberId]) -> Check {
    let Some((from, others)) = left.split_first().map(|(from, others)| (*from, others)) else {
        return check(CheckId::Observers, Verdict::not_yet(5), "there is no primary".to_string());
    };
    if let Some(check) = others.iter().find_map(|other| answers(cx, group, *other)) {
        return check;
    }
    let votes = votes::votes(cx, group, from);
    let name = cx.label(group, from);
    let (verdict, text) = if let Some(alive) = votes.alive() {
        // A lock that was renewed is decided when the next renewal is overdue.
        // Without the store nothing is handed over, in whatever way.
        let instead = match cx.record(group) {
            Some(_) if cx.report(group, from).is_none() => "leave it, and mend our way to it; or override",
            Some(_) => "switch over instead, or override",
            None => "and nothing can be handed over until etcd answers",
        };
        (Verdict::Block { law: 5, decided: votes.veto.is_none() }, format!("{name} is alive ({alive}): {instead}"))
    } else if votes.gone() {
        (Verdict::Pass, votes.summary())
    } else if votes.ours == Stance::Gone {
        (Verdict::Advice, format!("only {}; nothing says that it lives", votes.summary()))
    } else {
        (Verdict::not_yet(5), format!("it is not known whether {name} is gone: {}", votes.list.first().map_or("no observer", |v| v.text.as_str())))
    };
    Check { at: votes.oldest(), ..check(CheckId::Observers, verdict, text) }
}

/// Another member of the region that is to be left answers us: the region is not lost.
fn answers(cx: &Facts, group: GroupId, member: MemberId) -> Option<Check> {
    let votes = votes::votes(cx, group, member);
    (votes.ours == Stance::Alive).then(|| {
        let text = format!("{} answers us: its region is not lost; fail over from the primary alone, or override", cx.label(group, member));
        Check { at: votes.oldest(), ..check(CheckId::Observers, Verdict::block(5), text) }
    })
}

/// Can the members that would be left be proven off? The old primary is the first of them.
pub fn fence(cx: &Facts, group: GroupId, left: &[MemberId]) -> Check {
    let each = left.iter().map(|member| fence_one(cx, group, *member));
    let rank = |c: &Check| match c.verdict {
        Verdict::Block { .. } => 0,
        Verdict::Risk(_) => 1,
        Verdict::Advice => 2,
        Verdict::Pass => 3,
    };
    each.min_by_key(rank).unwrap_or_else(|| check(CheckId::Fence, Verdict::block(1), "there is no primary to fence".to_string()))
}

/// Can a member be proven off?
fn fence_one(cx: &Facts, group: GroupId, from: MemberId) -> Check {
    let name = cx.label(group, from);
    let Some(fence) = cx.database(group).and_then(|d| d.fence.as_ref()) else {
        let version = cx.member_ids(group).filter_map(|m| Some(cx.member(group, m)?.report.as_ref()?.0.version)).max();
        let text = match version {
            Some(v) if v <= Version(3, 0, 2) => {
                format!("no fence is configured; Patroni {v} lets a returning {name} overwrite the lock: acknowledged writes were lost that way")
            }
            _ => format!("no fence is configured: {name} may return and take writes beside the new primary"),
        };
        return check(CheckId::Fence, Verdict::Risk(Risk::TwoMayWrite), text);
    };
    if cx.known_name(group, from).is_none() {
        let text = format!("the name of {name} in the cluster is not known, so nobody knows what to fence; etcd tells it, or write {{ name, url }}");
        return check(CheckId::Fence, Verdict::not_yet(1), text);
    }
    let region = cx.region_of(group, from);
    let failing = |r: &&RegionId| Some(**r) == region || cx.state.regions[r.at()].0 == RegionStatus::Down;
    if let Some(needed) = fence.depends_on.iter().find(failing).filter(|_| !planted::is(Break::FenceNeedsTheLost)) {
        return check(CheckId::Fence, Verdict::block(10), format!("the fence needs {}, which is failing", cx.region_name(*needed)));
    }
    if let Some((Err(reason), at)) = cx.member(group, from).and_then(|m| m.fence_check.as_ref()) {
        return Check { at: Some(*at), ..check(CheckId::Fence, Verdict::Advice, format!("its check says: {reason}")) };
    }
    match cx.state.fence_proofs.get(&(group, from)) {
        Some((at, took)) => check(CheckId::Fence, Verdict::Pass, format!("proven {} ago, {took}", cx.now.utc.since(*at))),
        None => {
            check(CheckId::Fence, Verdict::Advice, format!("never fired for {} in {name}: if it fails, as if left", cx.estate().group(group).name))
        }
    }
}

/// Does any balancer answer that leads users to it? A failover without one keeps the data, and serves nobody yet.
fn entry(cx: &Facts, group: GroupId, to: MemberId) -> Option<Check> {
    let balancers = cx.database(group).map(|d| d.balancers.as_slice()).filter(|list| !list.is_empty())?;
    let within = |at: Mono, span: Span| cx.now.mono.since(at) <= span;
    let heard = |b: &&super::telemetry::BalancerTelemetry| {
        b.servers.as_ref().is_some_and(|(_, at)| within(*at, cx.stale_after()))
            && b.away.as_ref().is_none_or(|(_, since)| within(*since, limits::SILENCE))
    };
    let mut answer = cx.telemetry.group(group).balancers.iter().filter(heard).peekable();
    if answer.peek().is_some() {
        // One that was taken out and not put back leads nobody there, however well it answers.
        let name = cx.label(group, to);
        let out = format!("{name} is taken out of the balancers: it is set ready there once it leads");
        return Some(match answer.any(|b| b.server(to).is_none_or(|(s, _)| !s.maintenance)) {
            true => check(CheckId::Entry, Verdict::Pass, "a balancer answers".to_string()),
            false => check(CheckId::Entry, Verdict::Advice, out),
        });
    }
    let place = |b: &Balancer| b.region.map_or_else(|| b.address.clone(), |r| format!("{} in {}", b.address, cx.region_name(r)));
    let silent: Vec<String> = balancers.iter().map(place).collect();
    let text = format!("no entry answers ({}): it keeps the data, users are served once traffic is led anew", silent.join(", "));
    Some(check(CheckId::Entry, Verdict::Advice, text))
}

/// Whether the target can carry what moves there.
pub fn room(cx: &Facts, group: GroupId, from: RegionId, to: RegionId, planned: bool) -> Check {
    let name = cx.region_name(to);
    match (cx.load(from), cx.load(to)) {
        (Some(load), Some(there)) => {
            // Loads are shares of each region's own capacity; what moves is counted in the target's.
            let moving = cx.estate().carried(from, load);
            let filled = |coming: u32| cx.estate().filled((to, there), coming);
            let (before, after) = filled(moving);
            let with = cx.region_name(from);
            // In a planned move only this database's users come.
            if planned && let Some((part, of, known)) = moves(cx, group, from, moving) {
                let (part, all) = (filled(part).1, filled(part * of).1);
                let verdict = match (part > 100, all > 100) {
                    (true, _) => Verdict::Risk(Risk::Overload { percent: part }),
                    (_, true) => Verdict::Advice,
                    _ => Verdict::Pass,
                };
                let short = if verdict.is_risk() { ": shed load or scale up first" } else { "" };
                let guess = if known { "as they came" } else { "in equal parts" };
                let with = if of > 1 { format!(", {all}% with all {of} databases of {with}, {guess}") } else { String::new() };
                let text = format!("{name} {before}→{part}% with this database{with}{short}");
                let figure = Figure::Load { before, after: part, whole: false };
                return Check { figure: Some(figure), ..check(CheckId::Capacity, verdict, text) };
            }
            // Nothing forces a planned move into a region that is too small; a failover may have no better place to go.
            let verdict = match (after > 100, planned) {
                (false, _) => Verdict::Pass,
                (true, false) => Verdict::Advice,
                (true, true) => Verdict::Risk(Risk::Overload { percent: after }),
            };
            let short = match verdict {
                Verdict::Risk(_) => ": shed load or scale up first",
                Verdict::Advice => ": it would be slow; shed load first",
                _ => "",
            };
            let size = |r: RegionId| cx.estate().region(r).capacity;
            let text = match size(to) == size(from) || after <= 100 {
                true => format!("{name} {before}→{after}% if all that {with} carries comes{short}"),
                // A small region is filled by what a large one hardly feels.
                false => {
                    // Where its region lives only what is led there anew comes, as far as that is known.
                    let alone = moves(cx, group, from, moving).filter(|(_, of, _)| *of > 1 && cx.state.regions[from.at()].0 != RegionStatus::Down);
                    let alone = alone.map_or(String::new(), |(part, ..)| format!("{}% with this database, ", filled(part).1));
                    format!("{name} (size {}) {before}→{alone}{after}% with all of {with} (size {}){short}", size(to), size(from))
                }
            };
            // How full it would be is more than that it is not too full.
            let figure = Figure::Load { before, after, whole: true };
            Check { figure: Some(figure), ..check(CheckId::Capacity, verdict, text) }
        }
        _ => check(CheckId::Capacity, Verdict::Advice, format!("the live capacity of {name} is unknown")),
    }
}

/// What of a region's load comes with one of its databases, how many such there are, and whether that is known: from what
/// it carried before they were moved there; else each is taken to be an equal part of all that it carries.
fn moves(cx: &Facts, group: GroupId, from: RegionId, carried: u32) -> Option<(u32, u32, bool)> {
    let led: Vec<GroupId> = cx.estate().group_ids().filter(|g| cx.leading_region(*g) == Some(from)).collect();
    let came = |g: GroupId| {
        let last = cx.state.operations.iter().rev().find(|o| o.group == g && o.handed_over())?;
        last.before.target_load.filter(|_| cx.region_of(g, last.to) == Some(from))
    };
    let before: Vec<Percent> = led.iter().filter_map(|g| came(*g)).collect();
    if let (Some(_), Some(least)) = (came(group), before.iter().min()) {
        let own = cx.estate().carried(from, *least);
        return Some((carried.saturating_sub(own) / before.len() as u32, before.len() as u32, true));
    }
    (led.len() > 1).then(|| (carried / led.len() as u32, led.len() as u32, false))
}

/// What would be lost, as the check of the writes says.
fn loss(intent: Intent, checks: &[Check]) -> Loss {
    match intent {
        Intent::Switchover => Loss::Nothing,
        Intent::Guided => Loss::Unknown,
        Intent::Failover => match checks.iter().find(|c| c.id == CheckId::Writes).map(|c| c.verdict) {
            Some(Verdict::Pass) => Loss::Nothing,
            Some(Verdict::Risk(Risk::Loses(Amount::AtLeast(bytes)))) => Loss::AtLeast(bytes),
            _ => Loss::Unknown,
        },
    }
}

/// The words that overrule «it is alive», where there is a fence that makes it true.
fn overrule(cx: &Facts, proposal: &Proposal, checks: &[Check]) -> Option<String> {
    let mut blocks = checks.iter().filter(|c| matches!(c.verdict, Verdict::Block { .. }));
    let only = blocks.next().is_some_and(|c| c.id == CheckId::Observers) && blocks.next().is_none();
    let fenced = cx.database(proposal.group).is_some_and(|d| d.fence.is_some());
    (only && fenced).then(|| format!("fence {} although it may live", cx.region_name(proposal.from)))
}

/// Its primary answers and leads, or others say that it does.
fn leads_on(cx: &Facts, group: GroupId) -> bool {
    match votes::silence(cx, group, None) {
        None => cx.stepped_down(group).is_none(),
        Some(silence) => matches!(silence, Silence::Doubted { .. }),
    }
}

/// What happens if nothing is done, and why the cluster has not acted by itself: a commander's first question.
pub fn otherwise(cx: &Facts, group: GroupId, from: MemberId) -> String {
    let Some(record) = cx.record(group) else {
        return match cx.database(group) {
            Some(_) => "unknown: etcd does not answer us".to_string(),
            None => String::new(),
        };
    };
    let name = cx.label(group, from);
    // Its database answers; the agent that would renew the lock does not.
    let agentless = record.leading_member() == Some(from) && votes::silence(cx, group, None) == Some(Silence::Agent);
    if record.leading_member() == Some(from)
        && !agentless
        && let Some(alive) = votes::votes(cx, group, from).alive()
    {
        return format!("nothing: {name} leads and keeps its lock ({alive})");
    }
    if record.config.as_ref().is_some_and(|c| c.paused) {
        return "it stays down: Patroni is paused and will not act by itself".to_string();
    }
    if record.voters > 0 && record.voters_up * 2 <= record.voters {
        return "it stays down: etcd has no quorum, so nobody can take the lock".to_string();
    }
    let synchronous = record.config.as_ref().is_some_and(|c| c.synchronous);
    let old = cx.member_name(group, from);
    let electable = cx.synchronous_standbys(group).iter().any(|r| *r != from && cx.report(group, *r).is_some_and(|m| m.running));
    match &record.leader {
        Some(leader) if *leader.name == *old => {
            let lives = cx.member(group, from).is_some_and(|m| m.failing_since().is_none());
            if lives && !agentless {
                return format!("nothing: {name} leads and keeps its lock");
            }
            if synchronous && !electable {
                let so = if agentless { "" } else { "; waiting by itself loses nothing" };
                return format!("it stays down: no living standby in /sync may take the lock{so}");
            }
            let passed = cx.telemetry.group(group).store.record.as_ref().map_or(Span::ZERO, |(_, at)| cx.now.mono.since(*at));
            let beside =
                if agentless { format!(", beside {name}, whose PostgreSQL answers and may take writes until it is stopped") } else { String::new() };
            match leader.lease_left.map(|l| Span(l.0.saturating_sub(passed.0))) {
                Some(left) => format!("Patroni's own takeover{} in about {left}, unfenced{beside}", by(cx, group, from, synchronous)),
                None => format!("Patroni's own takeover, unfenced, when the lease of {name} ends{beside}"),
            }
        }
        Some(leader) => format!("nothing: {} leads already", leader.name),
        None if synchronous && !electable => {
            "it stays down: no living standby in /sync may take the lock, which nobody holds; waiting by itself loses nothing".to_string()
        }
        None => "the cluster is electing a leader by itself".to_string(),
    }
}

/// Who would take over, where only one may.
fn by(cx: &Facts, group: GroupId, from: MemberId, synchronous: bool) -> String {
    let may = |r: &MemberId| *r != from && cx.report(group, *r).is_some_and(|m| m.running);
    let list: Vec<MemberId> = cx.synchronous_standbys(group).into_iter().filter(may).collect();
    match list.as_slice() {
        [one] if synchronous => format!(" by {}", cx.label(group, *one)),
        _ => String::new(),
    }
}

#[derive(Serialize)]
struct Evidence<'a> {
    group: GroupId,
    left: Vec<MemberId>,
    to: Option<MemberId>,
    checks: Vec<(CheckId, Verdict)>,
    leader: Option<(&'a str, u64)>,
    sync: Option<u64>,
    failover: Option<u64>,
    config: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supersedes: Option<OperationId>,
}

/// What a confirmation is bound to: the verdicts and the facts that decide, not the figures that move with every poll.
fn digest(cx: &Facts, proposal: &Proposal, to: Option<MemberId>, checks: &[Check]) -> Digest {
    let bound = |c: &Check| match c.verdict {
        Verdict::Risk(risk) => (c.id, Verdict::Risk(risk.without_load())),
        verdict => (c.id, verdict),
    };
    let record = cx.telemetry.group(proposal.group).store.record.as_ref().map(|(r, _)| r);
    Digest::of_value(&Evidence {
        group: proposal.group,
        left: cx.left(proposal.group, proposal.old, proposal.leaves),
        to,
        checks: checks.iter().map(bound).collect(),
        leader: record.and_then(|r| r.leader.as_ref()).map(|l| (&*l.name, l.create_revision)),
        sync: record.and_then(|r| r.sync.as_ref()).map(|s| s.revision),
        failover: record.and_then(|r| r.failover.as_ref()).map(|f| f.revision),
        config: record.and_then(|r| r.config.as_ref()).map(|c| c.revision),
        supersedes: cx.state.running(proposal.group).map(|o| o.id),
    })
}

/// Why automation would not begin this by itself; `None` if it would.
pub fn automation_veto(cx: &Facts, proposal: &Proposal, assessment: &Assessment) -> Option<Veto> {
    if !cx.state.armed {
        return Some(Veto::ReadOnly);
    }
    let settle = cx.estate().policy.limits.settle;
    let up = cx.now.mono.since(cx.state.since);
    if claim::state(cx, proposal.group).is_some_and(|c| c.is_legacy()) {
        return Some(Veto::OlderClaim);
    }
    automation_rules(cx, proposal, assessment)
        .or_else(|| short(cx, proposal, assessment))
        .or_else(|| (up < settle).then_some(Veto::Settling { up, settle }))
        .or_else(|| automation_evidence(cx, proposal, assessment))
}

/// The target cannot carry what would come: whether that is better than nothing is for a person to say.
fn short(cx: &Facts, proposal: &Proposal, assessment: &Assessment) -> Option<Veto> {
    let check = assessment.checks.iter().find(|c| c.is_short())?;
    // What it would lose besides weighs more.
    Some(match assessment.risks.is_empty() {
        true => Veto::TargetShort { check: Box::new(check.clone()), to: assessment.to.and_then(|to| cx.region_of(proposal.group, to)) },
        false => Veto::Risky { risks: assessment.risks.clone(), short: true },
    })
}

/// The vetoes of what is configured, drilled and done before.
fn automation_rules(cx: &Facts, proposal: &Proposal, assessment: &Assessment) -> Option<Veto> {
    let policy = &cx.estate().policy;
    let disaster = cx.state.disasters.iter().find(|d| Some(d.id) == proposal.disaster)?.kind;
    let Some(response) = cx.estate().response(disaster) else { return Some(Veto::NoResponse { disaster }) };
    if !response.automated {
        return Some(Veto::ResponseOff { disaster });
    }
    let strategy = response.strategy;
    match policy.strategies.get(&strategy) {
        None => return Some(Veto::StrategyUndefined { strategy }),
        Some(s) if s.automation != Automation::Full => return Some(Veto::LeftToPeople { strategy, automation: s.automation }),
        Some(_) => {}
    }
    if assessment.second_person {
        return Some(Veto::SecondPerson);
    }
    if proposal.intent != Intent::Failover {
        return Some(Veto::NotAFailover);
    }
    if cx.database(proposal.group).and_then(|d| d.fence.as_ref()).is_none() {
        return Some(Veto::NoFence);
    }
    let cooldown = policy.limits.cooldown;
    if let Some(at) = cx.state.automation_at.get(&proposal.group)
        && cx.now.utc.since(*at) < cooldown
        && !planted::is(Break::NoCooldown)
    {
        return Some(Veto::Cooldown { acted: cx.now.utc.since(*at), cooldown, until: at.plus(cooldown) });
    }
    if let Some(within) = policy.limits.fence_proof {
        match cx.state.fence_proofs.get(&(proposal.group, proposal.old)) {
            Some((at, _)) if cx.now.utc.since(*at) <= within => {}
            _ => return Some(Veto::FenceNotProven { within }),
        }
    }
    (policy.limits.drilled && !cx.state.drilled.contains(&assessment.plan)).then_some(Veto::NotDrilled)
}

/// The vetoes that rest on what is measured.
fn automation_evidence(cx: &Facts, proposal: &Proposal, assessment: &Assessment) -> Option<Veto> {
    if let Some(check) = assessment.blocked() {
        return Some(Veto::Blocked { check: Box::new(check.clone()) });
    }
    if !assessment.risks.is_empty() {
        return Some(Veto::Risky { risks: assessment.risks.clone(), short: false });
    }
    let votes = votes::votes(cx, proposal.group, proposal.old);
    if !votes.gone() {
        return Some(Veto::ObserversDisagree { votes: votes.summary() });
    }
    // One that came back and failed anew is waited for as long as the first time, whatever countdown still runs; so is one
    // that only we had lost: a standby that lost its stream a moment ago may have it back in the next.
    let detection = &cx.estate().policy.detection;
    let patience = detection.interval.times(u64::from(detection.threshold.saturating_sub(1))).plus(detection.response_delay);
    let failing = votes.since.map_or(Span::ZERO, |t| cx.now.mono.since(votes.heard.map_or(t, |h| h.max(t))));
    if failing < patience {
        return Some(Veto::FailsTooShortly { failing, patience });
    }
    if votes.list.iter().any(|v| v.synchronous && v.stance != Stance::Gone) {
        return Some(Veto::SynchronousStreams);
    }
    // Silence is weaker than a refusal: it is believed only after many unanswered probes.
    let silent = cx.member(proposal.group, proposal.old).is_some_and(|m| m.sql.refusals < limits::REFUSALS && m.sql.silences < limits::SILENCES);
    if silent {
        return Some(Veto::SilenceTooShort);
    }
    let members = cx.database(proposal.group).map_or(0, |d| d.members.len());
    let reachable = cx.member_ids(proposal.group).filter(|m| cx.report(proposal.group, *m).is_some()).count();
    if reachable * 2 < members {
        return Some(Veto::FewMembersAnswer);
    }
    let limit = limits::FRESH_FOR_AUTOMATION;
    votes.oldest().is_none_or(|at| cx.now.mono.since(at) > limit).then_some(Veto::EvidenceTooOld { limit })
}

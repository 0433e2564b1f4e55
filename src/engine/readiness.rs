//! Whether the loss of a region could be answered now, as far as that can be told without firing anything.

use super::assess;
use super::candidate;
use super::{Engine, Facts, orders};
use crate::model::*;

/// A drill older than this is no proof any more (reference 003: a drill of each kind a quarter).
const DRILL: Span = Span::days(92);
/// A fence that was not proven for longer than this is unknown.
const PROOF: Span = Span::days(30);

impl Engine {
    /// Every region with every kind of disaster that the configuration answers. `drilled` tells when a plan, as it
    /// stands, was last rehearsed with success.
    pub fn readiness(&self, now: Now, drilled: &dyn Fn(Digest) -> Option<Utc>) -> Vec<Readiness> {
        let cx = self.facts(now);
        let mut kinds: Vec<DisasterType> = cx.estate().policy.responses.iter().map(|r| r.disaster).collect();
        kinds.dedup();
        let mut list = Vec::new();
        for region in cx.estate().region_ids() {
            let led: Vec<GroupId> = cx.estate().group_ids().filter(|g| cx.leading_region(*g) == Some(region)).collect();
            for kind in &kinds {
                if led.is_empty() {
                    list.push(Readiness { region, scenario: *kind, group: None, points: vec![elsewhere(&cx, region), entries(&cx, region)] });
                }
                for group in &led {
                    list.push(Readiness { region, scenario: *kind, group: Some(*group), points: points(self, &cx, *group, region, *kind, drilled) });
                }
            }
        }
        list
    }
}

fn point(name: PointName, state: PointState, text: impl Into<String>) -> Point {
    Point { name, state, text: text.into(), to: None }
}

fn holds(name: PointName, text: impl Into<String>) -> Point {
    point(name, PointState::Holds, text)
}

fn lacks(name: PointName, text: impl Into<String>) -> Point {
    point(name, PointState::Lacks, text)
}

/// No database is led from there: what runs nowhere else is lost with it.
fn elsewhere(cx: &Facts, region: RegionId) -> Point {
    let alone = cx.estate().service_ids().filter(|s| cx.estate().service(*s).regions == [region]).count();
    match alone {
        0 => holds(PointName::Services, "nothing is led from there, and everything in it runs elsewhere too"),
        n => lacks(PointName::Services, format!("{n} services run nowhere else")),
    }
}

/// Whether users still find a way in without it, wherever the databases are led.
fn entries(cx: &Facts, region: RegionId) -> Point {
    let all = |d: &Database| !d.balancers.is_empty() && d.balancers.iter().all(|b| b.region == Some(region));
    let lost: Vec<&str> = cx.estate().group_ids().filter(|g| cx.database(*g).is_some_and(all)).map(|g| cx.estate().group(g).name.as_str()).collect();
    let name = cx.region_name(region);
    match lost.is_empty() {
        true => holds(PointName::Independence, format!("no database has its only balancers in {name}")),
        false => lacks(PointName::Independence, format!("every balancer of {} stands in {name}: users find no way in without it", lost.join(", "))),
    }
}

fn points(engine: &Engine, cx: &Facts, group: GroupId, region: RegionId, kind: DisasterType, drilled: &dyn Fn(Digest) -> Option<Utc>) -> Vec<Point> {
    let Some(database) = cx.database(group) else { return Vec::new() };
    let response = cx.estate().response(kind);
    let guided = response.is_some_and(|r| matches!(r.strategy, Strategy::PointInTimeRestore | Strategy::ColdStandbyRestoration));
    let intent = if guided { Intent::Guided } else { Intent::Failover };
    let mut list = vec![match cx.estate().plans.iter().find(|p| p.intent == intent && p.disasters.contains(&kind)) {
        Some(plan) => holds(PointName::Plan, format!("{}, {} steps", plan.name, plan.steps.len())),
        None => lacks(PointName::Plan, format!("no {intent} plan names {kind}; add it to a plan's `disasters`")),
    }];
    if guided {
        // People do it: what is left to ask is whether they have practised.
        list.push(drill(cx, kind, drilled));
        return list;
    }
    list.push(needs(cx, database, region));
    let leaves = if kind.is_of_region() { Leaves::Region } else { Leaves::Member };
    let left = cx.leader(group).map(|leader| cx.left(group, leader, leaves)).unwrap_or_default();
    let fit = database.member_ids().find(|m| !left.contains(m) && orders::unfit(engine, cx.now, group, *m).is_none());
    let chosen = cx.leader(group).and_then(|leader| candidate::choose(cx, group, leader, leaves));
    list.push(match (fit, chosen) {
        (Some(to), _) => holds(PointName::Candidate, format!("{} may take over", cx.label(group, to))),
        (None, Some(to)) => lacks(PointName::Candidate, orders::unfit(engine, cx.now, group, to).map_or_else(|| "nobody".to_string(), |u| u.why)),
        (None, None) => lacks(PointName::Candidate, "there is no other member"),
    });
    if let Some(to) = chosen.and_then(|to| database.region_of(to)) {
        let room = assess::room(cx, group, region, to, false);
        let point = match room.verdict {
            Verdict::Pass => holds(PointName::Capacity, room.text),
            Verdict::Risk(_) | Verdict::Block { .. } => lacks(PointName::Capacity, room.text),
            Verdict::Advice if cx.telemetry.loads[to.at()].is_some() && cx.telemetry.loads[region.at()].is_some() => {
                lacks(PointName::Capacity, room.text)
            }
            // Nothing live is known: what is declared must do.
            Verdict::Advice => declared_room(cx, region, to),
        };
        list.push(Point { to: Some(to), ..point });
    }
    list.extend(left.iter().map(|member| fence(cx, database, group, *member)).max_by_key(|p| p.state));
    list.push(login(cx, database, group));
    list.push(if database.balancers.is_empty() {
        lacks(PointName::Traffic, "no traffic entry is named: «users are served» cannot be proven; add `traffic`")
    } else {
        holds(PointName::Traffic, format!("{} balancers", database.balancers.len()))
    });
    list.push(drill(cx, kind, drilled));
    list
}

/// By what the configuration says of both: a smaller region cannot carry what a larger one may carry.
fn declared_room(cx: &Facts, from: RegionId, to: RegionId) -> Point {
    let (theirs, ours) = (cx.estate().region(to).capacity, cx.estate().region(from).capacity);
    let (to, from) = (cx.region_name(to), cx.region_name(from));
    if theirs < ours {
        return lacks(PointName::Capacity, format!("{to} can carry {theirs} of the load, {from} up to {ours}, as declared"));
    }
    point(PointName::Capacity, PointState::Unknown, format!("{to} can carry {theirs} as declared; its live load is not known"))
}

/// Nothing that is needed may stand in the region that fails (law 10).
fn needs(cx: &Facts, database: &Database, region: RegionId) -> Point {
    let name = cx.region_name(region);
    if database.fence.as_ref().is_some_and(|f| f.depends_on.contains(&region)) {
        return lacks(PointName::Independence, format!("the step «fence» needs {name} itself"));
    }
    let there = database.store.iter().filter(|e| e.region == Some(region)).count();
    if database.store.is_empty() {
        return lacks(PointName::Independence, "no etcd is named, so nothing can be handed over; add `etcd: [http://…]`");
    }
    if there > 0 && (database.store.len() - there) * 2 <= database.store.len() {
        return lacks(PointName::Independence, format!("{there} of {} of etcd stand in {name}: no quorum without it", database.store.len()));
    }
    if !database.balancers.is_empty() && database.balancers.iter().all(|b| b.region == Some(region)) {
        return lacks(PointName::Independence, format!("every balancer stands in {name}"));
    }
    holds(PointName::Independence, format!("nothing that is needed is declared to stand in {name}"))
}

fn fence(cx: &Facts, database: &Database, group: GroupId, member: MemberId) -> Point {
    let Some(fence) = &database.fence else {
        return lacks(PointName::Fence, "no fence is configured: a failover must be accepted as a risk; add `fence: { exec: […] }`");
    };
    let asked = cx.member(group, member).and_then(|m| m.fence_check.as_ref());
    let proof = cx.state.fence_proofs.get(&(group, member)).map(|(at, took)| (cx.now.utc.since(*at), *took)).filter(|(age, _)| *age <= PROOF);
    match (asked, proof) {
        (Some((Err(reason), _)), _) => lacks(PointName::Fence, format!("its check says: {reason}")),
        (_, Some((age, took))) => holds(PointName::Fence, format!("proven {age} ago, in {took}")),
        (Some((Ok(()), _)), None) => holds(PointName::Fence, "its check says that it could; never fired here"),
        (None, None) if fence.check.is_none() => {
            point(PointName::Fence, PointState::Unknown, "it cannot be asked without firing it; add `fence: { check: […] }`")
        }
        (None, None) => point(PointName::Fence, PointState::Unknown, "its check has not answered yet"),
    }
}

fn login(cx: &Facts, database: &Database, group: GroupId) -> Point {
    let Some(sql) = &database.sql else {
        return lacks(PointName::Credentials, "no login is named: a write cannot be validated; add `postgres: { user, … }`");
    };
    let refused = database.member_ids().find_map(|m| match cx.member(group, m)?.login.as_ref()? {
        (Err(reason), _) => Some(format!("{} does not let {} in: {reason}", cx.label(group, m), sql.user)),
        (Ok(()), _) => None,
    });
    let let_in = database.member_ids().filter(|m| cx.member(group, *m).is_some_and(|t| matches!(t.login, Some((Ok(()), _))))).count();
    match (refused, let_in) {
        (Some(reason), _) => lacks(PointName::Credentials, reason),
        (None, 0) => point(PointName::Credentials, PointState::Unknown, "nobody has answered a login yet"),
        (None, n) => holds(PointName::Credentials, format!("{} is let in on {n} of {}", sql.user, database.members.len())),
    }
}

fn drill(cx: &Facts, kind: DisasterType, drilled: &dyn Fn(Digest) -> Option<Utc>) -> Point {
    let Some(plan) = cx.estate().plans.iter().find(|p| p.disasters.contains(&kind)) else {
        return lacks(PointName::Drill, format!("no plan answers {}: nothing can be rehearsed", kind.words()));
    };
    let remedy = "`bpci bc drill execute --scenario`, or 7 in the dashboard, with a scenario that runs it";
    match drilled(Digest::of_value(plan)).map(|at| cx.now.utc.since(at)) {
        Some(age) if age <= DRILL => holds(PointName::Drill, format!("plan {} was rehearsed with success {age} ago", plan.name)),
        Some(age) => lacks(PointName::Drill, format!("overdue: plan {} was last rehearsed with success {age} ago; {remedy}", plan.name)),
        None => {
            // Where automation does not ask for it, that is all the more to be said.
            let so = if cx.estate().policy.limits.drilled { "" } else { " (automation acts all the same here: `drilled: false`)" };
            lacks(PointName::Drill, format!("plan {} was never rehearsed with success here as it stands{so}; {remedy}", plan.name))
        }
    }
}

//! Whether the loss of a region could be answered now, as far as that can be told without firing anything.

use crate::engine::kernel::entry;
use crate::engine::rooms::recovery::assess;
use crate::engine::rooms::recovery::successor;
use crate::engine::{Engine, Facts, survey};
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
            let concerns = |g: &GroupId| match cx.leading_region(*g) {
                Some(leading) => leading == region,
                // Which region it is led from is not known: it may be any that has a member.
                None => cx.database(*g).is_some_and(|d| d.members_in(region).next().is_some()),
            };
            let led: Vec<GroupId> = cx.estate().group_ids().filter(concerns).collect();
            for kind in &kinds {
                if led.is_empty() {
                    let points = vec![elsewhere(&cx, region), entries(&cx, region)];
                    list.push(Readiness { region, scenario: *kind, group: None, measured: true, points });
                }
                for group in &led {
                    let measured = is_measured(&cx, *group);
                    let points = points(&cx, *group, region, *kind, drilled);
                    list.push(Readiness { region, scenario: *kind, group: Some(*group), measured, points });
                }
            }
        }
        list
    }
}

/// Something of the database has answered.
fn is_measured(cx: &Facts, group: GroupId) -> bool {
    cx.record(group).is_some() || cx.member_ids(group).any(|m| cx.report(group, m).is_some())
}

fn point(name: PointName, state: PointState, finding: impl Into<PointFinding>) -> Point {
    Point { name, state, finding: finding.into(), to: None }
}

fn holds(name: PointName, finding: impl Into<PointFinding>) -> Point {
    point(name, PointState::Holds, finding)
}

fn lacks(name: PointName, finding: impl Into<PointFinding>) -> Point {
    point(name, PointState::Lacks, finding)
}

/// No database is led from there: what runs nowhere else is lost with it.
fn elsewhere(cx: &Facts, region: RegionId) -> Point {
    let alone = cx.estate().service_ids().filter(|s| cx.estate().service(*s).regions == [region]).count();
    match alone {
        0 => holds(PointName::Services, PointFinding::RunsElsewhere),
        services => lacks(PointName::Services, PointFinding::RunsNowhereElse { services }),
    }
}

/// Whether users still find a way in without it, wherever the databases are led.
fn entries(cx: &Facts, region: RegionId) -> Point {
    let all = |d: &Database| !d.balancers.is_empty() && d.balancers.iter().all(|b| b.region == Some(region));
    let lost = cx.estate().group_ids().filter(|g| cx.database(*g).is_some_and(all));
    let groups: Vec<String> = lost.map(|g| cx.estate().group(g).name.clone()).collect();
    let region = cx.region_name(region).into();
    match groups.is_empty() {
        true => holds(PointName::Independence, PointFinding::EntriesElsewhere { region }),
        false => lacks(PointName::Independence, PointFinding::OnlyEntries { groups, region }),
    }
}

fn points(
    cx: &Facts,
    group: GroupId,
    region: RegionId,
    kind: DisasterType,
    drilled: &dyn Fn(Digest) -> Option<Utc>,
) -> Vec<Point> {
    let Some(database) = cx.database(group) else { return Vec::new() };
    let response = cx.estate().response(kind);
    let guided = response.is_some_and(|r| {
        matches!(r.strategy, Strategy::PointInTimeRestore | Strategy::ColdStandbyRestoration)
    });
    let intent = if guided { Intent::Guided } else { Intent::Failover };
    let mut list =
        vec![match cx.estate().plans.iter().find(|p| p.intent == intent && p.disasters.contains(&kind)) {
            Some(plan) => holds(
                PointName::Plan,
                PointFinding::Plan { name: plan.name.clone(), steps: plan.steps.len() },
            ),
            None => lacks(PointName::Plan, PointFinding::NoPlan { intent, kind }),
        }];
    if guided {
        // People do it: what is left to ask is whether they have practised.
        list.push(drill(cx, kind, drilled));
        return list;
    }
    if cx.leader(group).is_none() {
        list.push(point(PointName::Leader, PointState::Unknown, PointFinding::LeaderUnknown));
    }
    list.push(needs(cx, database, region));
    list.extend(surveyed(cx, group, region));
    let leaves = if kind.is_of_region() { Leaves::Region } else { Leaves::Member };
    let left = cx.leader(group).map(|leader| cx.left(group, leader, leaves)).unwrap_or_default();
    let fit = database.member_ids().find(|m| !left.contains(m) && successor::unfit(cx, group, *m).is_none());
    let chosen = cx.leader(group).and_then(|leader| successor::choose(cx, group, leader, leaves));
    list.push(match (fit, chosen) {
        (Some(to), _) => {
            holds(PointName::Candidate, CandidateFinding::MayTakeOver { member: cx.called(group, to) })
        }
        (None, Some(to)) => {
            let unfit = successor::unfit(cx, group, to);
            lacks(PointName::Candidate, unfit.map_or(PointFinding::Nobody, |unfit| unfit.why.into()))
        }
        (None, None) => lacks(PointName::Candidate, CandidateFinding::None),
    });
    if let Some(to) = chosen.and_then(|to| database.region_of(to)) {
        let room = assess::room(cx, group, region, to, false);
        let point = match room.verdict {
            // What has to be created first is there when it is there.
            _ if cx.estate().region(to).role == Role::Cold => point(
                PointName::Capacity,
                PointState::Unknown,
                PointFinding::ToBeCreated { to: cx.region_name(to).into() },
            ),
            Verdict::Pass => holds(PointName::Capacity, room.finding),
            Verdict::Risk(_) | Verdict::Block { .. } => lacks(PointName::Capacity, room.finding),
            Verdict::Advice
                if cx.telemetry.loads[to.at()].is_some() && cx.telemetry.loads[region.at()].is_some() =>
            {
                lacks(PointName::Capacity, room.finding)
            }
            // Nothing live is known: what is declared must do.
            Verdict::Advice => declared_room(cx, region, to),
        };
        list.push(Point { to: Some(to), ..point });
    }
    list.extend(left.iter().map(|member| fence(cx, database, group, *member)).max_by_key(|p| p.state));
    list.push(login(cx, database, group));
    list.push(if database.balancers.is_empty() {
        lacks(PointName::Traffic, PointFinding::NoTraffic)
    } else if let Some(finding) = entry::unrouted(cx, group, &left) {
        lacks(PointName::Traffic, finding)
    } else {
        holds(PointName::Traffic, PointFinding::Balancers { count: database.balancers.len() })
    });
    list.push(drill(cx, kind, drilled));
    list
}

/// What the survey of the running systems comes to, for the loss of this region. A simulation has none.
fn surveyed(cx: &Facts, group: GroupId, region: RegionId) -> Option<Point> {
    if cx.state.mode != Mode::Live {
        return None;
    }
    if cx.telemetry.group(group).survey.is_none() {
        return Some(point(PointName::Survey, PointState::Unknown, PointFinding::NotSurveyed));
    }
    let list = survey::survey(cx, group);
    let concerns = |s: &&Surveyed| !matches!(s.about, SurveyAbout::Region(other) if other != region);
    let stops: Vec<SurveyCheck> =
        list.iter().filter(concerns).filter(|s| s.state.stops()).map(|s| s.check).collect();
    let unknown = list.iter().filter(concerns).filter(|s| s.state == SurveyState::Unknown).count();
    let state = match (stops.is_empty(), unknown) {
        (false, _) => PointState::Lacks,
        (true, 0) => PointState::Holds,
        (true, _) => PointState::Unknown,
    };
    let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    Some(point(
        PointName::Survey,
        state,
        PointFinding::Survey {
            stops: count(stops.len()),
            unknown: count(unknown),
            first: stops.first().copied(),
        },
    ))
}

/// By what the configuration says of both: a smaller region cannot carry what a larger one may carry.
fn declared_room(cx: &Facts, from: RegionId, to: RegionId) -> Point {
    let (carries, up_to) = (cx.estate().region(to).capacity, cx.estate().region(from).capacity);
    let (to, from) = (cx.region_name(to).into(), cx.region_name(from).into());
    if carries < up_to {
        return lacks(PointName::Capacity, PointFinding::DeclaredLess { to, carries, from, up_to });
    }
    point(PointName::Capacity, PointState::Unknown, PointFinding::DeclaredOnly { to, carries })
}

/// Nothing that is needed may stand in the region that fails (law 10).
fn needs(cx: &Facts, database: &Database, region: RegionId) -> Point {
    let name = || Name::from(cx.region_name(region));
    if database.fence.as_ref().is_some_and(|f| f.depends_on.contains(&region)) {
        return lacks(PointName::Independence, PointFinding::FenceNeeds { region: name() });
    }
    let there = database.store.iter().filter(|e| e.region == Some(region)).count();
    if database.store.is_empty() {
        return lacks(PointName::Independence, PointFinding::NoStore);
    }
    if there > 0 && (database.store.len() - there) * 2 <= database.store.len() {
        return lacks(
            PointName::Independence,
            PointFinding::StoreStands { there, of: database.store.len(), region: name() },
        );
    }
    if !database.balancers.is_empty() && database.balancers.iter().all(|b| b.region == Some(region)) {
        return lacks(PointName::Independence, PointFinding::EveryBalancerStands { region: name() });
    }
    holds(PointName::Independence, PointFinding::NothingNeeded { region: name() })
}

fn fence(cx: &Facts, database: &Database, group: GroupId, member: MemberId) -> Point {
    let Some(fence) = &database.fence else {
        return lacks(PointName::Fence, PointFinding::NoFence);
    };
    let asked = cx.member(group, member).and_then(|m| m.fence_check.as_ref());
    let proof = cx
        .state
        .fence_proofs
        .get(&(group, member))
        .map(|(at, took)| (cx.now.utc.since(*at), *took))
        .filter(|(age, _)| *age <= PROOF);
    match (asked, proof) {
        (Some((Err(reason), _)), _) => {
            lacks(PointName::Fence, FenceFinding::CheckFails { reason: reason.clone() })
        }
        (_, Some((ago, took))) => holds(PointName::Fence, PointFinding::FenceProven { ago, took }),
        (Some((Ok(()), _)), None) => holds(PointName::Fence, PointFinding::FenceNeverFired),
        (None, None) if fence.check.is_none() => {
            point(PointName::Fence, PointState::Unknown, PointFinding::FenceHasNoCheck)
        }
        (None, None) => point(PointName::Fence, PointState::Unknown, PointFinding::FenceCheckOpen),
    }
}

fn login(cx: &Facts, database: &Database, group: GroupId) -> Point {
    let Some(sql) = &database.sql else {
        return lacks(PointName::Credentials, PointFinding::NoLogin);
    };
    let refused = database.member_ids().find_map(|m| match cx.member(group, m)?.login.as_ref()? {
        (Err(reason), _) => Some(PointFinding::LoginRefused {
            member: cx.called(group, m),
            user: sql.user.clone(),
            reason: reason.clone(),
        }),
        (Ok(()), _) => None,
    });
    let let_in = database
        .member_ids()
        .filter(|m| cx.member(group, *m).is_some_and(|t| matches!(t.login, Some((Ok(()), _)))))
        .count();
    match (refused, let_in) {
        (Some(refused), _) => lacks(PointName::Credentials, refused),
        (None, 0) => point(PointName::Credentials, PointState::Unknown, PointFinding::LoginUntried),
        (None, on) => {
            let works = PointFinding::LoginWorks { user: sql.user.clone(), on, of: database.members.len() };
            holds(PointName::Credentials, works)
        }
    }
}

fn drill(cx: &Facts, kind: DisasterType, drilled: &dyn Fn(Digest) -> Option<Utc>) -> Point {
    let Some(plan) = cx.estate().plans.iter().find(|p| p.disasters.contains(&kind)) else {
        return lacks(PointName::Drill, PointFinding::NoPlanAnswers { kind });
    };
    let name = plan.name.clone();
    match drilled(Digest::of_value(plan)).map(|at| cx.now.utc.since(at)) {
        Some(ago) if ago <= DRILL => holds(PointName::Drill, PointFinding::Drilled { plan: name, ago }),
        Some(ago) => lacks(PointName::Drill, PointFinding::DrillOverdue { plan: name, ago }),
        None => lacks(PointName::Drill, PointFinding::NeverDrilled { plan: name, acts: acts_undrilled(cx) }),
    }
}

/// Automation acts although the plan was not drilled.
fn acts_undrilled(cx: &Facts) -> bool {
    !cx.estate().policy.limits.drilled && cx.estate().automation_off(cx.state.mode, cx.now.utc).is_none()
}

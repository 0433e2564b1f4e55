//! A plan as a network of steps: its critical path, the slack beside it, which step is worth shortening, what needs the
//! region that fails, and what its times say of the targets.

use super::Question;
use super::figures::spread;
use super::future::{Branch, Future};
use crate::model::*;
use std::sync::atomic::AtomicBool;

/// One step in the network. Times count from the confirmation, at the median.
#[derive(Clone, Debug)]
pub struct StepTimes {
    pub id: String,
    pub phase: Phase,
    pub after: Vec<String>,
    pub takes: Spread,
    pub begins_ms: Option<u64>,
    /// How much longer it could take before users are served later. `None`: they are not served by way of it.
    pub slack_ms: Option<u64>,
    /// By how much earlier users would be served if it took no time.
    pub saves_ms: u64,
    /// Why it cannot be done when the region fails.
    pub needs_the_region: Option<String>,
}

impl StepTimes {
    /// Users are served later if it takes longer.
    pub fn is_critical(&self) -> bool {
        self.slack_ms == Some(0)
    }
}

#[derive(Clone, Debug)]
pub struct Analysis {
    pub plan: String,
    pub futures: u32,
    pub steps: Vec<StepTimes>,
    /// Until users are served: the median way through the network.
    pub served_ms: Option<u64>,
    /// Steps that run at the same time, in groups of two and more.
    pub parallel: Vec<Vec<String>>,
    /// What takes time and was left out, because it was never measured.
    pub without: Vec<String>,
    /// What the figures say against the targets.
    pub against: Vec<String>,
}

/// Analyses a plan by the durations of its futures. `None`: nothing of it can be simulated.
pub fn analyse(question: &Question, plan: &Plan, futures: u32, threads: usize) -> Option<Analysis> {
    let to = question.to?;
    let durations = super::Durations::of(&question.fork.past);
    let fences = plan.steps.iter().any(|s| s.kind == StepKind::Fence);
    let known = question.knows_the_fence(&durations);
    let future = Future { question, pace: &durations.pace, branch: Branch::Act(to), counts_fence: known };
    let ended = future.all(futures, threads, &AtomicBool::new(false))?;
    let takes: Vec<Spread> = (0..plan.steps.len())
        .map(|i| {
            let took = ended.iter().filter_map(|e| e.steps.iter().find(|(s, _)| usize::from(*s) == i));
            spread(took.map(|(_, t)| Some(t.0)))
        })
        .collect();
    let estate = &question.fork.engine.state().estate;
    let network = Network::of(plan, &takes.iter().map(|s| s.p50.unwrap_or_default()).collect::<Vec<_>>());
    let served = spread(ended.iter().map(|e| e.served.map(|t| t.0)));
    let name = |i: &u16| plan.steps[usize::from(*i)].id.clone();
    let steps: Vec<StepTimes> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(i, step)| StepTimes {
            id: step.id.clone(),
            phase: step.phase,
            after: step.after.iter().map(name).collect(),
            takes: takes[i],
            begins_ms: takes[i].p50.map(|_| network.begins[i]),
            slack_ms: network.slack[i],
            saves_ms: network.end.saturating_sub(network.without(plan, i)),
            needs_the_region: needs(estate, question.from, &step.kind),
        })
        .collect();
    Some(Analysis {
        plan: plan.name.clone(),
        futures,
        parallel: network.parallel(plan),
        without: if fences && !known {
            vec!["the fence's own time: it was never fired here".to_string()]
        } else {
            Vec::new()
        },
        served_ms: Some(network.end).filter(|_| served.p50.is_some()),
        against: against(estate, plan, question, served, &steps),
        steps,
    })
}

/// The plan's graph with a duration on each step.
struct Network {
    takes: Vec<u64>,
    begins: Vec<u64>,
    slack: Vec<Option<u64>>,
    /// When users are served.
    end: u64,
}

impl Network {
    fn of(plan: &Plan, takes: &[u64]) -> Network {
        let n = plan.steps.len();
        let mut begins = vec![0u64; n];
        // Steps come after those before them in the list.
        for i in 0..n {
            begins[i] = plan.steps[i]
                .after
                .iter()
                .map(|a| begins[usize::from(*a)] + takes[usize::from(*a)])
                .max()
                .unwrap_or(0);
        }
        let goal = goal(plan);
        let end = goal.map_or(0, |g| begins[g] + takes[g]);
        let mut latest: Vec<Option<u64>> = vec![None; n];
        if let Some(goal) = goal {
            latest[goal] = Some(end);
        }
        for i in (0..n).rev() {
            let Some(by) = latest[i] else { continue };
            for before in plan.steps[i].after.iter().map(|a| usize::from(*a)) {
                let must = by.saturating_sub(takes[i]);
                latest[before] = Some(latest[before].map_or(must, |l| l.min(must)));
            }
        }
        let slack = (0..n).map(|i| latest[i].map(|l| l.saturating_sub(begins[i] + takes[i]))).collect();
        Network { takes: takes.to_vec(), begins, slack, end }
    }

    /// When users would be served if a step took no time.
    fn without(&self, plan: &Plan, step: usize) -> u64 {
        let mut takes = self.takes.clone();
        takes[step] = 0;
        Network::of(plan, &takes).end
    }

    fn parallel(&self, plan: &Plan) -> Vec<Vec<String>> {
        let span = |i: usize| (self.begins[i], self.begins[i] + self.takes[i]);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for i in (0..plan.steps.len()).filter(|i| self.takes[*i] > 0) {
            let together = |o: &usize| span(*o).0 < span(i).1 && span(i).0 < span(*o).1;
            match groups.iter_mut().find(|g| g.iter().all(together)) {
                Some(group) => group.push(i),
                None => groups.push(vec![i]),
            }
        }
        groups
            .into_iter()
            .filter(|g| g.len() > 1)
            .map(|g| g.into_iter().map(|i| plan.steps[i].id.clone()).collect())
            .collect()
    }
}

/// The step after which users are served; where there is no traffic entry, the write.
fn goal(plan: &Plan) -> Option<usize> {
    let last = |via: Via| plan.steps.iter().rposition(|s| s.kind == StepKind::ValidateWrite { via });
    last(Via::Entry).or_else(|| last(Via::Primary))
}

/// Why a step cannot be done when this region fails.
fn needs(estate: &Estate, region: RegionId, kind: &StepKind) -> Option<String> {
    let database = estate.groups.first()?.database.as_ref()?;
    let name = &estate.region(region).name;
    match kind {
        StepKind::Fence => {
            let fence = database.fence.as_ref()?;
            fence.depends_on.contains(&region).then(|| format!("the fence itself needs {name}"))
        }
        StepKind::SwitchOver => Some(format!("{name} must live: use a failover when it does not")),
        StepKind::CheckIdentity | StepKind::CheckCandidate | StepKind::HandOver => {
            let all = database.store.len();
            let left = database.store.iter().filter(|e| e.region != Some(region)).count();
            (all > 0 && left * 2 <= all)
                .then(|| format!("etcd keeps {left} of {all} without {name}: nobody can take the lock"))
        }
        StepKind::ValidateWrite { via: Via::Entry } => {
            let all =
                !database.balancers.is_empty() && database.balancers.iter().all(|b| b.region == Some(region));
            all.then(|| format!("every traffic entry is in {name}"))
        }
        StepKind::RunCommand { .. } => {
            Some("what a command of your own needs cannot be told from here".to_string())
        }
        _ => None,
    }
}

fn against(
    estate: &Estate,
    plan: &Plan,
    question: &Question,
    served: Spread,
    steps: &[StepTimes],
) -> Vec<String> {
    let mut found = Vec::new();
    let detection = &estate.policy.detection;
    let (rto, name) = (question.rto, &plan.name);
    let found_out = if plan.intent == Intent::Failover {
        detection.interval.times(u64::from(detection.threshold)).plus(detection.response_delay)
    } else {
        Span::ZERO
    };
    match served.p95 {
        Some(p95) if Span(p95).plus(found_out) > rto => {
            found.push(format!(
                "{name}: found out within {found_out} and served at p95 after {}: more than the RTO of {}",
                Span(p95),
                rto.written()
            ));
        }
        None => found
            .push(format!("{name}: when users are served cannot be told: in too many futures they were not")),
        Some(_) => {}
    }
    let timeouts: u64 =
        plan.steps.iter().zip(steps).filter(|(_, t)| t.is_critical()).map(|(s, _)| s.timeout.0).sum();
    if Span(timeouts).plus(found_out) > rto {
        found.push(format!(
            "{name}: the timeouts on its critical path add up to {}: more than the RTO of {} before anybody is asked",
            Span(timeouts),
            rto.written()
        ));
    }
    found.extend(
        steps
            .iter()
            .filter(|_| plan.intent != Intent::Switchover)
            .filter_map(|s| Some(format!("{}: {}", s.id, s.needs_the_region.as_ref()?))),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(steps: &[(&str, &[u16], StepKind)]) -> Plan {
        let step = |(id, after, kind): &(&str, &[u16], StepKind)| Step {
            id: (*id).to_string(),
            phase: Phase::Execution,
            kind: kind.clone(),
            after: after.to_vec(),
            timeout: Span::secs(30),
        };
        Plan {
            name: "test".to_string(),
            title: String::new(),
            intent: Intent::Failover,
            disasters: Vec::new(),
            approval: Approval::default(),
            steps: steps.iter().map(step).collect(),
        }
    }

    /// Two ways to the entry, 3 + 10 + 1 and 3 + 4 + 1; what comes after it has no slack that users would feel.
    #[test]
    fn the_longest_way_is_critical_and_the_other_has_slack() {
        let entry = StepKind::ValidateWrite { via: Via::Entry };
        let plan = plan(&[
            ("check", &[], StepKind::CheckIdentity),
            ("fence", &[0], StepKind::Fence),
            ("drain", &[0], StepKind::DrainTraffic),
            ("entry", &[1, 2], entry),
            ("protection", &[1], StepKind::WatchProtection),
        ]);
        let network = Network::of(&plan, &[3, 10, 4, 1, 100]);
        assert_eq!(
            (network.end, &network.begins, &network.slack),
            (14, &vec![0, 3, 3, 13, 13], &vec![Some(0), Some(0), Some(6), Some(0), None])
        );
        let saves: Vec<u64> = (0..5).map(|i| network.end - network.without(&plan, i)).collect();
        // Without the fence the drain is the longest way.
        assert_eq!(saves, [3, 6, 0, 1, 0]);
        assert_eq!(network.parallel(&plan), [["fence", "drain"], ["entry", "protection"]]);
    }
}

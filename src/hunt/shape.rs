//! A random estate, by the few things about it that decisions depend on.

use super::act::Edit;
use super::course::Course;
use super::dice::Dice;
use crate::config;
use crate::model::*;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::sync::{Arc, OnceLock};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// At least two.
    pub regions: u8,
    pub databases: u8,
    /// Where each balancer runs.
    pub balancers: Vec<Option<u16>>,
    /// Where each member of the store runs.
    pub store: Vec<Option<u16>>,
    pub fence: Option<FenceShape>,
    pub automatic: bool,
    pub second_person: bool,
    /// The first two regions are one provider's.
    pub shared_provider: bool,
    pub interval: Span,
    pub response_delay: Span,
    pub settle: Span,
    pub cooldown: Span,
    #[serde(default, skip_serializing_if = "Course::is_shipped")]
    pub course: Course,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceShape {
    pub undo: bool,
    pub depends_on: Vec<u16>,
}

const MOST_REGIONS: usize = 4;
const MOST_DATABASES: usize = 3;

impl Shape {
    pub fn random(dice: &mut Dice) -> Shape {
        let regions = 2 + dice.below(MOST_REGIONS - 1);
        let place = |dice: &mut Dice| dice.odds(70).then(|| dice.below(regions) as u16);
        Shape {
            regions: regions as u8,
            databases: if dice.odds(75) { 1 } else { 2 + dice.below(MOST_DATABASES - 1) as u8 },
            balancers: (0..dice.below(3)).map(|_| place(dice)).collect(),
            store: if dice.odds(60) { vec![None] } else { (0..3).map(|_| place(dice)).collect() },
            fence: dice.odds(88).then(|| FenceShape {
                undo: dice.odds(80),
                depends_on: if dice.odds(25) { vec![dice.below(regions) as u16] } else { Vec::new() },
            }),
            automatic: dice.odds(60),
            second_person: dice.odds(8),
            shared_provider: dice.odds(25),
            interval: dice.pick(&[Span::ms(500), Span::secs(1), Span::secs(2)]),
            response_delay: dice.pick(&[Span::ZERO, Span::secs(2), Span::secs(5)]),
            settle: dice.pick(&[Span::ZERO, Span::secs(10)]),
            cooldown: dice.pick(&[Span::secs(30), Span::mins(60)]),
            course: Course::random(dice),
        }
    }

    /// How many regions there are, whatever a case in a file says.
    pub fn regions(&self) -> u16 {
        u16::from(self.regions).clamp(2, MOST_REGIONS as u16)
    }

    pub fn estate(&self) -> Estate {
        self.edited(Edit::Nothing)
    }

    /// The same after somebody changed the file.
    pub fn edited(&self, edit: Edit) -> Estate {
        let mut estate = (*base(usize::from(self.regions()), usize::from(self.databases), edit)).clone();
        let shift = u16::from(edit == Edit::RegionAdded);
        let region = |n: u16| RegionId(n % self.regions() + shift);
        for database in estate.groups.iter_mut().filter_map(|g| g.database.as_mut()) {
            let addresses = |i: usize| format!("balancer-{i}.sim:9999");
            database.balancers = self
                .balancers
                .iter()
                .enumerate()
                .map(|(i, at)| Balancer {
                    address: addresses(i),
                    region: at.map(region),
                    spec: RouteSpec::default(),
                })
                .collect();
            if database.balancers.is_empty() {
                database.entry = None;
            }
            database.store = self
                .store
                .iter()
                .enumerate()
                .map(|(i, at)| StoreEndpoint {
                    url: format!("http://etcd-{i}.sim"),
                    region: at.map(region),
                    outside: false,
                })
                .collect();
            match &self.fence {
                None => database.fence = None,
                Some(shape) => {
                    if let Some(fence) = &mut database.fence {
                        fence.depends_on = shape.depends_on.iter().map(|r| region(*r)).collect();
                        fence.undo = shape.undo.then(|| vec!["unfence".to_string()]);
                    }
                }
            }
        }
        if self.shared_provider {
            for r in estate.regions.iter_mut().skip(usize::from(shift)).take(2) {
                r.provider = Some("one".to_string());
            }
        }
        for response in &mut estate.policy.responses {
            response.automated = self.automatic;
        }
        for plan in &mut estate.plans {
            if plan.intent == Intent::Failover {
                *plan = self.course.of(plan);
            }
            plan.approval.second_person = self.second_person && plan.intent == Intent::Failover;
        }
        let policy = &mut estate.policy;
        (policy.detection.interval, policy.detection.response_delay) = (self.interval, self.response_delay);
        (policy.limits.settle, policy.limits.cooldown) = (self.settle, self.cooldown);
        estate
    }
}

/// The estate with so many regions and databases, and with this change; each is read once.
fn base(regions: usize, databases: usize, edit: Edit) -> Arc<Estate> {
    static BASES: [OnceLock<Arc<Estate>>; (MOST_REGIONS + 1) * (MOST_DATABASES + 1) * EDITS] =
        [const { OnceLock::new() }; (MOST_REGIONS + 1) * (MOST_DATABASES + 1) * EDITS];
    let databases = databases.clamp(1, MOST_DATABASES);
    let known = &BASES[(regions * (MOST_DATABASES + 1) + databases) * EDITS + edit as usize];
    Arc::clone(known.get_or_init(|| {
        let read = config::parse("hunt.yaml", &text(regions, databases, edit));
        // The text is made right below and is in order for every number of each: tests/hunt.rs makes them all.
        Arc::new(read.unwrap_or_else(|e| unreachable!("{e}")).estate)
    }))
}

const EDITS: usize = Edit::RegionAdded as usize + 1;

fn text(regions: usize, databases: usize, edit: Edit) -> String {
    let mut text = String::from("name: hunt\nbusiness_continuity:\n  regions:\n");
    if edit == Edit::RegionAdded {
        text.push_str("    a: { region_id: another, capacity_percentage: 100, failover_priority: 9 }\n");
    }
    for r in 0..regions {
        let _ = writeln!(
            text,
            "    r{r}: {{ region_id: region-{r}, capacity_percentage: 100, failover_priority: {} }}",
            r + 1
        );
    }
    text.push_str("  disaster_scenarios:\n");
    for kind in ["node_failure", "region_outage", "data_center_outage", "provider_outage"] {
        let _ = writeln!(
            text,
            "    - {{ type: {kind}, severity: high, automated_response: true, recovery_strategy: immediate_failover }}"
        );
    }
    text.push_str(
        "disaster_recovery:
  detection: { health_check_interval: 1s, failure_threshold: 3, disaster_classification_timeout: 30s, automated_response_delay: 2s }
  recovery_strategies: { immediate_failover: { target_rto: 15min, target_rpo: 30s, automation_level: full } }
automation: { settle: 10s, cooldown: 1hour, fence_proof_not_required: true, drilled: false }
services:
",
    );
    if edit == Edit::ServiceAdded {
        service(&mut text, "another", None, "another", regions);
    }
    for d in 0..databases {
        let scope = format!("db{d}");
        match edit {
            Edit::ServiceRemoved if d == 0 && databases > 1 => {}
            Edit::ServiceRenamed if d == 0 => service(&mut text, "zz", Some(&scope), &scope, regions),
            // It may have been renamed before.
            Edit::ServiceAdded | Edit::RegionAdded | Edit::ServiceRemoved if d == 0 => {
                service(&mut text, &scope, Some("zz"), &scope, regions)
            }
            _ => service(&mut text, &scope, None, &scope, regions),
        }
    }
    text
}

fn service(text: &mut String, name: &str, was: Option<&str>, scope: &str, regions: usize) {
    let was = was.map_or_else(String::new, |was| format!("    was: {was}\n"));
    let _ = write!(
        text,
        "  {name}:\n{was}    tier: 1\n    patroni:\n      scope: {scope}\n      etcd: [\"http://etcd.sim:2379\"]\n      members:\n"
    );
    for r in 0..regions {
        let _ = writeln!(text, "        region-{r}: http://{scope}.region-{r}.sim:8008");
    }
    let _ = writeln!(
        text,
        "    fence: {{ exec: [fence, \"{{region}}\"], check: [fence, --check], undo: [unfence, \"{{region}}\"] }}"
    );
    let api = format!("balancer-{scope}.sim:9999");
    let _ = writeln!(
        text,
        "    traffic: {{ haproxy: {{ runtime_api: [\"{api}\"], backend: primary, write: \"{scope}.sim:5000\" }} }}"
    );
}

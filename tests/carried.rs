//! A restart with another configuration: whatever is to be undone is known afterwards as before, by name, and is undone.

use bpci::config;
use bpci::controller::Core;
use bpci::engine::{Engine, Input, State};
use bpci::journal::Journal;
use bpci::model::*;
use bpci::sim::{Translated, World};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

/// What the file says, as far as it changes here.
#[derive(Clone)]
struct Written {
    /// Each region: its name, and the one it had.
    regions: Vec<(String, Option<String>)>,
    /// Each database: its name, the one it had, and its scope.
    databases: Vec<(String, Option<String>, String)>,
    balancers: usize,
}

impl Written {
    fn base() -> Written {
        let name = |n: &str| (n.to_string(), None);
        let database = |n: &str| (n.to_string(), None, n.to_string());
        Written {
            regions: vec![name("east"), name("west"), name("south")],
            databases: vec![database("db-a"), database("db-b")],
            balancers: 2,
        }
    }

    /// The name that a region was given first: addresses do not change with it.
    fn first(region: &(String, Option<String>)) -> &str {
        region.1.as_deref().unwrap_or(&region.0)
    }

    fn estate(&self) -> Estate {
        let mut text = String::from("name: carried\nbusiness_continuity:\n  regions:\n");
        for (i, region) in self.regions.iter().enumerate() {
            let was = region.1.as_ref().map_or(String::new(), |was| format!(", was: {was}"));
            let _ = writeln!(
                text,
                "    r{i}: {{ region_id: {}, capacity_percentage: 300, failover_priority: {}{was} }}",
                region.0,
                i + 1
            );
        }
        text.push_str("  disaster_scenarios:\n");
        for kind in ["node_failure", "region_outage"] {
            let _ = writeln!(
                text,
                "    - {{ type: {kind}, severity: high, automated_response: true, recovery_strategy: immediate_failover }}"
            );
        }
        text.push_str(
            "disaster_recovery:
  detection: { health_check_interval: 1s, failure_threshold: 3, disaster_classification_timeout: 30s, automated_response_delay: 2s }
  recovery_strategies: { immediate_failover: { target_rto: 15min, target_rpo: 30s, automation_level: full } }
automation: { settle: 5s, cooldown: 1hour, fence_proof_not_required: true, drilled: false }
services:
",
        );
        for (name, was, scope) in &self.databases {
            let was = was.as_ref().map_or(String::new(), |was| format!("    was: {was}\n"));
            let _ = write!(
                text,
                "  {name}:\n{was}    tier: 1\n    patroni:\n      scope: {scope}\n      etcd: [\"http://etcd.sim:2379\"]\n      members:\n"
            );
            for region in self.regions.iter().filter(|r| Written::first(r) != "north") {
                let _ = writeln!(
                    text,
                    "        {}: http://{scope}.{}.sim:8008",
                    region.0,
                    Written::first(region)
                );
            }
            let apis: Vec<String> =
                (0..self.balancers).map(|i| format!("\"balancer-{i}.{scope}.sim:9999\"")).collect();
            let _ = writeln!(
                text,
                "    fence: {{ exec: [fence, \"{{region}}\"], undo: [unfence, \"{{region}}\"] }}"
            );
            let api = apis.join(", ");
            let _ = writeln!(
                text,
                "    traffic: {{ haproxy: {{ runtime_api: [{api}], backend: primary, write: \"{scope}.sim:5000\" }} }}"
            );
        }
        config::parse("carried.yaml", &text).unwrap_or_else(|e| panic!("{e}\n{text}")).estate
    }
}

/// Each change of the file, by its name.
fn changes() -> Vec<(&'static str, Written)> {
    let base = Written::base;
    let add = |list: &mut Vec<(String, Option<String>)>| list.insert(0, ("north".to_string(), None));
    let mut all = vec![("nothing changes", base())];
    let mut one = |name, change: &dyn Fn(&mut Written)| {
        let mut written = base();
        change(&mut written);
        all.push((name, written));
    };
    one("a service is added", &|w| w.databases.push(("aaa".to_string(), None, "aaa".to_string())));
    one("the service is renamed", &|w| {
        w.databases[0] = ("zzz".to_string(), Some("db-a".to_string()), "db-a".to_string())
    });
    one("the service is removed", &|w| {
        w.databases.remove(0);
    });
    one("a region is added", &|w| add(&mut w.regions));
    one("a region is renamed", &|w| w.regions[0] = ("atlantic".to_string(), Some("east".to_string())));
    one("a balancer is removed", &|w| w.balancers = 1);
    all
}

/// What is to be undone, by names that no configuration changes.
fn obligations(state: &State) -> BTreeSet<(String, OperationId, String, Option<String>)> {
    let mut all = BTreeSet::new();
    for id in state.estate.group_ids() {
        let Some(database) = &state.estate.group(id).database else { continue };
        for (operation, one) in state.obligations(id) {
            let rest = database.member(one.member()).map_or_else(|| "?".to_string(), |m| m.rest.clone());
            let at = match one {
                Obligation::Fenced { .. } => None,
                Obligation::Drained { balancer, .. } => {
                    Some(database.balancers[balancer.at()].address.clone())
                }
            };
            all.insert((database.scope.clone(), operation, rest, at));
        }
    }
    all
}

fn statuses(state: &State) -> BTreeMap<OperationId, Status> {
    let unsettled = |o: &&Arc<Operation>| !o.is_over() || !o.obligations().is_empty();
    state.operations.iter().filter(unsettled).map(|o| (o.id, o.status.clone())).collect()
}

struct Run {
    core: Core<Translated>,
    clock: Mono,
}

impl Run {
    fn new(seed: u64) -> Run {
        let estate = Arc::new(Written::base().estate());
        let scenario = Scenario {
            name: "carried".to_string(),
            title: String::new(),
            estate: Estate::clone(&estate),
            world: WorldSetup { load: vec![5], ..WorldSetup::default() },
            armed: true,
            seed,
            faults: Vec::new(),
            orders: Vec::new(),
            until: Span::mins(10),
            expect: Expectation::default(),
            narration: Vec::new(),
        };
        let door = Translated::new(World::new(&scenario, seed), Arc::clone(&estate));
        let mut core = Core::new(Engine::new(Arc::clone(&estate), "before"), Journal::in_memory(), door);
        core.keep = Some(Vec::new());
        let mut run = Run { core, clock: Mono::default() };
        run.start(estate);
        run
    }

    fn now(&self) -> Now {
        Now { utc: Utc(1_767_225_600_000).plus(Span(self.clock.0)), mono: self.clock }
    }

    fn start(&mut self, estate: Arc<Estate>) {
        let input = Input::Start {
            mode: Mode::Drill,
            program: "bpci".to_string(),
            armed: true,
            drilled: Vec::new(),
            estate,
        };
        self.core.input(self.now(), input).unwrap_or_else(|e| panic!("{e}"));
    }

    fn wait(&mut self, span: Span) {
        let end = self.clock.plus(span);
        while self.clock < end {
            let next = self.core.next_wake(self.now()).unwrap_or(end);
            self.clock = next.max(self.clock.plus(Span::ms(1))).min(end);
            self.core.turn(self.now()).unwrap_or_else(|e| panic!("{e}"));
            assert!(self.core.broken.is_empty(), "{:?}", self.core.broken);
            assert!(self.core.door.astray.is_empty(), "sent to nobody: {:?}", self.core.door.astray);
        }
    }

    /// The controller ends, and another one begins with this file.
    fn restart(&mut self, written: &Written) -> Result<(), CarryRefused> {
        let mut engine = Engine::new(
            Arc::clone(self.core.door.there()),
            Owner { nonce: format!("{}", self.clock.0), ..Owner::from("before") },
        );
        for record in self.core.keep.iter().flatten() {
            engine.restore(record);
        }
        assert!(engine.state() == self.core.engine.state(), "the records give another state");
        let estate = Arc::new(engine.carried(&written.estate())?);
        self.core.engine = engine;
        self.core.door.world.hang_up();
        self.core.door.read_as(Arc::clone(&estate));
        self.start(estate);
        Ok(())
    }

    /// The primary of the first database is struck, up to the first change that is to be undone.
    fn obliged(&mut self) {
        self.wait(Span::secs(8));
        self.core.door.world.inject(Fault {
            kind: FaultKind::NodeFailure,
            region: RegionId(0),
            group: Some(GroupId(0)),
        });
        for _ in 0..400 {
            self.wait(Span::ms(20));
            if !obligations(self.state()).is_empty() {
                return;
            }
        }
        panic!("nothing was done");
    }

    fn state(&self) -> &State {
        self.core.engine.state()
    }
}

/// So many seeds, each with one of the changes, at a moment during the operation or after it.
#[test]
fn no_obligation_is_lost_by_a_restart_with_another_file() {
    let seeds = std::env::var("BPCI_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(1_000);
    let changes = changes();
    let (mut obliged, mut during, mut departed) = (0, 0, 0);
    for seed in 0..seeds {
        let (name, written) = &changes[seed as usize % changes.len()];
        let told = || format!("seed {seed}, {name}");
        let mut run = Run::new(seed);
        run.wait(Span::secs(8));
        let fault = Fault { kind: FaultKind::NodeFailure, region: RegionId(0), group: Some(GroupId(0)) };
        run.core.door.world.inject(fault);
        // From before the operation begins until after it has recovered, densely around its beginning.
        let at = if seed % 2 == 0 { 2_000 + (seed * 37) % 6_000 } else { (seed * 131) % 25_000 };
        run.wait(Span(at));
        let (before, open) = (obligations(run.state()), statuses(run.state()));
        obliged += usize::from(!before.is_empty());
        during += usize::from(run.state().operations.iter().any(|o| !o.is_over()));
        run.restart(written).unwrap_or_else(|e| panic!("{}: {e:?}", told()));
        assert_eq!(obligations(run.state()), before, "{}", told());
        assert_eq!(
            statuses(run.state()).keys().collect::<Vec<_>>(),
            open.keys().collect::<Vec<_>>(),
            "{}",
            told()
        );
        departed += usize::from(!run.state().estate.departed.is_empty());
        // And all of it is undone in the end, whatever the ids are by now.
        run.wait(Span::secs(40));
        run.core.door.world.mend();
        run.wait(Span::secs(60));
        let waits = run.state().operations.iter().any(|o| matches!(o.status, Status::Waiting { .. }));
        let left = obligations(run.state());
        assert!(left.is_empty() || waits, "{}: {left:?}; {:?}", told(), statuses(run.state()));
        // What had departed goes with the next start, once nothing of it is left.
        run.restart(written).unwrap_or_else(|e| panic!("{}: {e:?}", told()));
        let gone = run.state().estate.departed.is_empty();
        assert!(gone || waits, "{}: {:?}", told(), run.state().estate.departed);
    }
    assert!(
        obliged * 4 > seeds as usize && during * 10 > seeds as usize && departed * 20 > seeds as usize,
        "{obliged} {during} {departed}"
    );
}

/// A new operation does not begin on what has departed, and its operation can still be rolled back or aborted.
#[test]
fn nothing_new_begins_on_what_departed() {
    let mut run = Run::new(4);
    run.obliged();
    let (_, removed) = &changes()[3];
    run.restart(removed).unwrap_or_else(|e| panic!("{e:?}"));
    let id = run
        .state()
        .estate
        .departed
        .groups
        .iter()
        .next()
        .copied()
        .unwrap_or_else(|| panic!("nothing departed"));
    let propose = Action::Propose {
        group: id,
        intent: Intent::Failover,
        from: None,
        to: None,
        reason: "again".to_string(),
    };
    let answer = run
        .core
        .input(run.now(), Input::Order(Order { by: Actor::scripted("ada"), action: propose }))
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(answer.as_ref().is_some_and(|a| a.as_ref().is_err_and(|e| e.law == Some(11))), "{answer:?}");
    let gaps = run.core.engine.snapshot(run.now(), None).gaps;
    assert!(gaps.iter().any(|gap| matches!(gap, Gap::Departed { left: 1.., .. })), "{gaps:?}");
}

/// What nobody may guess at is refused at the start.
#[test]
fn a_contradiction_is_refused_at_the_start() {
    let mut run = Run::new(5);
    run.obliged();
    assert!(run.state().operations.iter().any(|o| !o.is_over()));
    // Its members are in other regions now, and nobody says that the regions were renamed.
    let mut moved = Written::base();
    moved.regions.swap(0, 1);
    let mut estate = moved.estate();
    for database in estate.groups.iter_mut().filter_map(|g| g.database.as_mut()) {
        let rests: Vec<String> = database.members.iter().map(|m| m.rest.clone()).collect();
        (database.members[0].rest, database.members[1].rest) = (rests[1].clone(), rests[0].clone());
    }
    assert!(matches!(run.core.engine.carried(&estate), Err(CarryRefused::RegionChanged { .. })));
    let mut kind = Written::base().estate();
    kind.groups[0].database = None;
    assert!(matches!(run.core.engine.carried(&kind), Err(CarryRefused::KindChanged { .. })));
    let mut others = Written::base();
    for (name, _, scope) in &mut others.databases {
        (*name, *scope) = (format!("other-{name}"), format!("other-{scope}"));
    }
    assert!(matches!(run.core.engine.carried(&others.estate()), Err(CarryRefused::NothingInCommon { .. })));
}

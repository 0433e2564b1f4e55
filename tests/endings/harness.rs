//! A controller on a simulated world whose fence and validating write can be made to fail.

use bpci::config;
use bpci::controller::Core;
use bpci::engine::{Door, Engine, Input, Sending};
use bpci::journal::Journal;
use bpci::model::*;
use bpci::sim::World;
use bpci::wording::Story;
use std::sync::Arc;

/// How the fence command behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fencing {
    Works,
    /// It ends with another status than 0, and does nothing.
    Fails,
    /// It never ends.
    Hangs,
    /// It ends with 0, and does nothing.
    Lies,
}

/// The world, behind a door that spoils some effects.
pub struct Spoiled {
    pub world: World,
    pub fencing: Fencing,
    pub validation_fails: bool,
    /// Effects that are answered «not done».
    pub refuses: fn(&Effect) -> bool,
    /// Each member has a second server on every balancer, as this makes it of the first.
    pub second_server: Option<fn(&ServerView) -> ServerView>,
    reports: Vec<Report>,
}

impl Door for Spoiled {
    fn submit(&mut self, now: Now, sending: Sending) {
        let issued = sending.spend(now.mono).unwrap_or_else(|(id, why)| panic!("{id}: {why}"));
        let reason = match issued.effect {
            Effect::Fence { .. } if self.fencing == Fencing::Hangs => return,
            Effect::Fence { .. } if self.fencing == Fencing::Fails => "exit status 1",
            Effect::Fence { .. } if self.fencing == Fencing::Lies => {
                let outcome = Outcome::Done { detail: "exit status 0".to_string() };
                self.reports.push(Report { id: issued.id, at: now.mono, took: Span::ms(40), outcome });
                return;
            }
            Effect::ValidateWrite { .. } if self.validation_fails => "permission denied for schema bpci",
            ref effect if (self.refuses)(effect) => "refused by the test",
            _ => return self.world.send(now, issued, now.mono),
        };
        let outcome = Outcome::NotDone { reason: reason.to_string() };
        self.reports.push(Report { id: issued.id, at: now.mono, took: Span::ms(40), outcome });
    }

    fn look(&mut self, now: Now, look: Look) {
        match &look {
            Look::Outcome { issued }
                if matches!(issued.effect, Effect::Fence { .. }) && self.fencing == Fencing::Hangs => {}
            _ => self.world.look(now, look),
        }
    }

    fn poll(&mut self, now: Mono) -> Vec<Incoming> {
        let (due, later): (Vec<Report>, Vec<Report>) =
            std::mem::take(&mut self.reports).into_iter().partition(|r| r.at.plus(r.took) <= now);
        self.reports = later;
        let mut polled = self.world.poll(now);
        for incoming in &mut polled {
            if let (
                Incoming::Observed(Observation { fact: Fact::Balancer { servers, .. }, .. }),
                Some(second),
            ) = (incoming, self.second_server)
            {
                servers.extend(servers.iter().map(second).collect::<Vec<_>>());
            }
        }
        polled.into_iter().chain(due.into_iter().map(Incoming::Report)).collect()
    }

    fn next_deadline(&self) -> Option<Mono> {
        self.reports.iter().map(|r| r.at.plus(r.took)).chain(self.world.next_deadline()).min()
    }
}

pub struct Run {
    pub core: Core<Spoiled>,
    pub estate: Arc<Estate>,
    clock: Mono,
}

/// The one database of the estate.
pub const DB: GroupId = GroupId(1);

impl Run {
    /// The estate of reference 003 in calm, armed.
    pub fn new(seed: u64, change: impl FnOnce(&mut Estate)) -> Run {
        let text = "title: calm\nestate: four-regions\narmed: true\nworld: { load_percent: [10, 10, 10, 10] }\nuntil: 1hour\n";
        let mut scenario = config::parse_scenario("endings.yaml", text).unwrap_or_else(|e| panic!("{e}"));
        // Each region could carry what moves there: automation has no other reason to rest.
        for region in &mut scenario.estate.regions {
            region.capacity = Percent(200);
        }
        change(&mut scenario.estate);
        let estate = Arc::new(scenario.estate.clone());
        assert!(estate.group(DB).database.is_some(), "core-db");
        let door = Spoiled {
            world: World::new(&scenario, seed),
            fencing: Fencing::Works,
            validation_fails: false,
            refuses: |_| false,
            second_server: None,
            reports: Vec::new(),
        };
        let mut core = Core::new(Engine::new(Arc::clone(&estate), "test"), Journal::in_memory(), door);
        core.keep = Some(Vec::new());
        let mut run = Run { core, estate, clock: Mono::default() };
        run.start(true);
        run.wait(Span::secs(15));
        run
    }

    pub fn now(&self) -> Now {
        Now { utc: Utc(1_767_225_600_000).plus(Span(self.clock.0)), mono: self.clock }
    }

    fn start(&mut self, armed: bool) {
        let estate = Arc::clone(&self.estate);
        let input = Input::Start {
            mode: Mode::Drill,
            program: "bpci".to_string(),
            armed,
            drilled: Vec::new(),
            estate,
        };
        self.core.input(self.now(), input).unwrap_or_else(|e| panic!("{e}"));
    }

    /// The servers are there again, with another cluster on them.
    pub fn rebuild(&mut self, seed: u64) {
        let text = "title: calm\nestate: four-regions\narmed: true\nworld: { load_percent: [10, 10, 10, 10] }\nuntil: 1hour\n";
        let mut scenario = config::parse_scenario("endings.yaml", text).unwrap_or_else(|e| panic!("{e}"));
        scenario.estate = Estate::clone(&self.estate);
        self.core.door.world = World::new(&scenario, seed);
    }

    /// The controller's process is gone for a while; another one knows what is in the journal.
    pub fn restart(&mut self, gone: Span, armed: bool) {
        let until = self.clock.plus(gone);
        while self.clock < until {
            self.clock = self.clock.plus(Span::ms(500));
            self.core.door.poll(self.clock);
        }
        let mut engine = Engine::new(
            Arc::clone(&self.estate),
            Owner { nonce: format!("{}", self.clock.0), ..Owner::from("test") },
        );
        for record in self.core.keep.iter().flatten() {
            engine.restore(record);
        }
        self.core.engine = engine;
        self.core.door.world.hang_up();
        self.start(armed);
    }

    pub fn wait(&mut self, span: Span) {
        let end = self.clock.plus(span);
        while self.clock < end {
            let next = self.core.next_wake(self.now()).unwrap_or(end);
            self.clock = next.max(self.clock.plus(Span::ms(1))).min(end);
            self.core.turn(self.now()).unwrap_or_else(|e| panic!("{e}"));
            assert!(self.core.broken.is_empty(), "{:?}", self.core.broken);
        }
    }

    /// Waits until something holds, for so long at most.
    pub fn until(&mut self, most: Span, what: &str, holds: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let end = self.clock.plus(most);
        while self.clock < end {
            self.wait(Span::ms(100));
            let snapshot = self.snapshot();
            if holds(&snapshot) {
                return snapshot;
            }
        }
        let mut story = Story::new(Arc::clone(&self.estate));
        let told: Vec<String> =
            self.core.keep.iter().flatten().filter_map(|r| story.tell(r).map(ToString::to_string)).collect();
        panic!("not within {most}: {what}\n{}", told.join("\n"))
    }

    pub fn snapshot(&self) -> Snapshot {
        self.core.engine.snapshot(self.now(), None)
    }

    pub fn strike(&mut self, kind: FaultKind, region: &str) {
        let region = self.estate.region_named(region).unwrap_or_else(|| panic!("no region {region}"));
        self.core.door.world.inject(Fault { kind, region, group: Some(DB) });
    }

    pub fn order(&mut self, action: Action) -> Result<Receipt, Refusal> {
        let order = Order { by: Actor::scripted("ada"), action };
        let answer = self.core.input(self.now(), Input::Order(order)).unwrap_or_else(|e| panic!("{e}"));
        answer.unwrap_or_else(|| panic!("no answer"))
    }

    /// Puts a failover on the table and confirms what is shown then, with every risk accepted that is asked for.
    pub fn fail_over(&mut self) -> OperationId {
        let propose = Action::Propose {
            group: DB,
            intent: Intent::Failover,
            from: None,
            to: None,
            reason: "ordered".to_string(),
        };
        self.order(propose).unwrap_or_else(|e| panic!("{e:?}"));
        let ready = |s: &Snapshot| s.proposals.first().is_some_and(|v| v.assessment.can_be_confirmed());
        let snapshot = self.until(Span::secs(30), "a choice that can be confirmed", ready);
        let view = &snapshot.proposals[0];
        let typed = self.estate.region(view.proposal.from).name.clone();
        let confirmation = Confirmation {
            accepts: view.assessment.risks.clone(),
            ..view.confirmed(snapshot.now.utc, &typed)
        };
        match self.order(Action::Confirm(confirmation)) {
            Ok(Receipt::Started(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    /// The newest operation.
    pub fn last(&self) -> Arc<Operation> {
        self.core.engine.state().operations.back().cloned().unwrap_or_else(|| panic!("nothing ran"))
    }

    pub fn first(&self) -> Arc<Operation> {
        self.core.engine.state().operations.front().cloned().unwrap_or_else(|| panic!("nothing ran"))
    }

    /// Everything is mended, and the cluster is whole again.
    pub fn mend(&mut self) {
        self.core.door.world.mend();
        (self.core.door.fencing, self.core.door.validation_fails) = (Fencing::Works, false);
        let whole = |s: &Snapshot| {
            let members = &s.groups[DB.at()].members;
            s.disasters.is_empty()
                && members.iter().all(|m| m.answers == Some(true))
                && members.iter().any(|m| m.synchronous && !m.leads)
        };
        self.until(Span::mins(5), "a whole cluster", whole);
        self.wait(Span::secs(15));
    }

    pub fn primary(&self) -> String {
        let region = self.snapshot().groups[DB.at()].primary.unwrap_or_else(|| panic!("nobody leads"));
        self.estate.region(region).name.clone()
    }

    /// The records that are kept give the same state again.
    pub fn replays(&self) {
        let mut again = Engine::new(Arc::clone(&self.estate), "replay");
        for record in self.core.keep.iter().flatten() {
            let text = serde_json::to_vec(record).unwrap_or_else(|e| panic!("{e}"));
            again.restore(&serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{e}")));
        }
        assert!(again.state() == self.core.engine.state(), "the records give another state");
    }
}

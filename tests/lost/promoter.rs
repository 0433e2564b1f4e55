//! An engine in the middle of an operation that has only its hand-over left: nothing else makes a promotion.

use crate::{GROUP, claim_of};
use bpci::engine::{Engine, Input, Promotion, Sending};
use bpci::model::*;
use std::sync::Arc;

/// The members stand in the order of their regions' names: eu-west-1, us-east-1.
const NEW: MemberId = MemberId(0);
const OLD: MemberId = MemberId(1);

pub struct Promoter(Engine);

impl Promoter {
    /// A person has accepted whatever would hold it up.
    pub fn new(estate: &Arc<Estate>, owner: &Owner) -> Promoter {
        let mut engine = Engine::new(Arc::clone(estate), owner.clone());
        let start = Input::Start {
            mode: Mode::Live,
            program: "test".to_string(),
            armed: true,
            drilled: Vec::new(),
            estate: Arc::clone(estate),
        };
        engine.step(Now::default(), start);
        let ada = Actor::scripted("ada");
        let accept = |risk| AcceptedRisk { risk, words: String::new(), by: ada.clone() };
        let hand_over = Step {
            id: "hand-over".to_string(),
            phase: Phase::Execution,
            kind: StepKind::HandOver,
            after: Vec::new(),
            timeout: Span::mins(5),
        };
        let plan = Plan {
            name: "test".to_string(),
            title: "test".to_string(),
            intent: Intent::Failover,
            disasters: Vec::new(),
            approval: Approval::default(),
            steps: vec![hand_over],
        };
        let started = OperationStart {
            id: OperationId(1),
            proposal: ProposalId(1),
            plan_hash: Digest::of_value(&plan),
            plan: Arc::new(plan),
            evidence: Digest::default(),
            group: GROUP,
            from: RegionId(1),
            left: vec![OLD],
            to: NEW,
            generation: Generation(7),
            by: ada.clone(),
            automatic: false,
            reason: ProposalReason::Told(String::new()),
            disaster: None,
            accepted: Accepted {
                risks: vec![accept(Risk::TwoMayWrite), accept(Risk::Loses(Amount::Unknown))],
                alive: true,
                second_person: None,
            },
            loses: None,
            held: Vec::new(),
            warned: Vec::new(),
            before: Before {
                leader: "us-east-1".to_string(),
                claim: claim_of(owner).write(),
                ..Before::default()
            },
        };
        let event = Event::OperationStarted(Box::new(started));
        engine.restore(&Record { v: Record::VERSION, epoch: 1, at: Now::default(), event });
        Promoter(engine)
    }

    /// What it decides on what the store says, beside a standby that can take over.
    pub fn sees(&mut self, now: Now, store: Observation) -> Option<Promotion> {
        let report = MemberReport {
            running: true,
            state: "streaming".into(),
            received: Some(Lsn(1)),
            system_id: Some("7".into()),
            ..MemberReport::default()
        };
        let standby = Fact::Member { group: GROUP, member: NEW, report };
        self.0.observe(now, store);
        self.0.observe(now, Observation { at: now.mono, fact: standby });
        let output = self.0.step(now, Input::Tick);
        let mut sent = output.effects.into_iter();
        sent.find_map(|sending| if let Sending::Promotion(it) = sending { Some(it) } else { None })
    }

    pub fn hears(&mut self, now: Now, report: Report) {
        self.0.step(now, Input::Report(report));
    }

    pub fn stands(&self) -> String {
        format!("{:#?}", self.0.state().operations)
    }
}

//! One run as data: the same case gives the same run on any machine.

use super::act::{Act, Edit, TimedAct, Trick, TrickKind, Word};
use super::dice::Dice;
use super::shape::Shape;
use crate::model::*;
use crate::sim::Rival;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Of the world's own chances, and of the door's.
    pub seed: u64,
    pub shape: Shape,
    pub world: WorldSetup,
    pub armed: bool,
    pub faults: Vec<TimedFault>,
    pub tricks: Vec<Trick>,
    pub acts: Vec<TimedAct>,
    /// Another controller, on another machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rival: Option<Rival>,
    /// From then on nothing new befalls it: everything is mended, and what is under way must come to an end.
    pub calm_at: Span,
}

/// Faults and people's acts fall into this time.
const BUSY: Span = Span::secs(90);

impl Case {
    pub fn random(seed: u64) -> Case {
        let dice = &mut Dice::new(seed);
        let shape = Shape::random(dice);
        let world = world(dice);
        let mut faults: Vec<TimedFault> = Vec::new();
        for _ in 0..1 + dice.below(4) {
            faults.extend(fault(dice, &shape));
        }
        let tricks = (0..dice.below(4)).map(|_| trick(dice, &shape)).collect();
        let mut acts = Vec::new();
        for _ in 0..dice.below(6) {
            somebody(dice, &shape, &mut acts);
        }
        if dice.odds(30) {
            something(dice, &mut acts);
        }
        if world.fence.lies && dice.odds(30) {
            // A fence that lies about a database that lives on without its agent.
            let at = moment(dice);
            let fault = Fault { kind: FaultKind::AgentFailure, region: RegionId(0), group: None };
            faults.push(TimedFault { at, lasts: None, fault });
            acts.push(TimedAct {
                at: at.plus(Span::secs(6)),
                act: Act::Propose { group: 0, intent: Intent::Failover, from: None, to: None },
            });
            acts.push(TimedAct {
                at: at.plus(Span::secs(8)),
                act: Act::Confirm(Word { overrides: true, rightly: true, ..word(dice, false) }),
            });
        }
        let armed = dice.odds(90);
        let mut tricks: Vec<Trick> = tricks;
        let rival = claims(dice, &mut tricks, &mut acts);
        acts.sort_by_key(|a| a.at);
        let last =
            acts.iter().map(|a| a.at).chain(faults.iter().map(|f| f.at)).max().unwrap_or_default().max(BUSY);
        Case { seed, shape, world, armed, faults, tricks, acts, rival, calm_at: last.plus(Span::secs(5)) }
    }

    pub fn scenario(&self) -> Scenario {
        Scenario {
            name: "hunt".to_string(),
            title: String::new(),
            estate: self.shape.estate(),
            world: self.world.clone(),
            armed: self.armed,
            seed: self.seed,
            faults: self.faults.iter().filter(|f| f.fault.region.0 < self.shape.regions()).cloned().collect(),
            orders: Vec::new(),
            until: self.calm_at,
            expect: Expectation::default(),
            narration: Vec::new(),
        }
    }
}

fn world(dice: &mut Dice) -> WorldSetup {
    let default = WorldSetup::default();
    WorldSetup {
        wal_rate: dice.pick(&[0, 50_000, 400_000, 5_000_000]),
        latency: dice.pick(&[Span::ms(1), Span::ms(20), Span::ms(150)]),
        load: vec![dice.pick(&[10, 35, 80])],
        agent: AgentSetup {
            ttl: dice.pick(&[Span::secs(20), Span::secs(30)]),
            synchronous: dice.odds(85),
            steals_lock: dice.odds(50),
            ..default.agent.clone()
        },
        fence: FenceSetup {
            takes: dice.pick(&[Span::ms(100), Span::secs(2), Span::secs(4)]),
            lies: dice.odds(14),
        },
        ..default
    }
}

fn moment(dice: &mut Dice) -> Span {
    dice.between(Span::secs(2), BUSY)
}

fn fault(dice: &mut Dice, shape: &Shape) -> Vec<TimedFault> {
    use FaultKind as K;
    let kinds = [
        K::NodeFailure,
        K::NodeFailure,
        K::NodeFailure,
        K::AgentFailure,
        K::AgentFailure,
        K::RegionOutage,
        K::RegionOutage,
        K::Partition,
        K::FrozenPrimary,
        K::FalseAlarm,
        K::StandbyLost,
        K::ReplicationStall,
        K::StoreAway,
        K::SlowLink,
        K::ProviderOutage,
        K::DataCenterOutage,
        K::DataCorruption,
        K::CapacityExhaustion,
        K::Paused,
        K::TwoSynchronous,
    ];
    let lasts = |dice: &mut Dice| dice.odds(60).then(|| dice.between(Span::ms(200), Span::secs(60)));
    // The first region leads at first: that is where most of it hurts.
    let region = if dice.odds(60) { 0 } else { dice.below(usize::from(shape.regions)) };
    let group =
        (shape.databases > 1 && dice.odds(50)).then(|| GroupId::of(dice.below(usize::from(shape.databases))));
    let fault = Fault { kind: dice.pick(&kinds), region: RegionId::of(region), group };
    let at = moment(dice);
    let mut list = vec![TimedFault { at, lasts: lasts(dice), fault }];
    if dice.odds(20) {
        // The next one follows closely: it falls into the recovery of the first.
        let after = dice.between(Span::ms(100), Span::secs(15));
        let second = Fault {
            kind: dice.pick(&kinds),
            region: RegionId::of(dice.below(usize::from(shape.regions))),
            group,
        };
        list.push(TimedFault { at: at.plus(after), lasts: lasts(dice), fault: second });
    }
    list
}

fn trick(dice: &mut Dice, shape: &Shape) -> Trick {
    let region = dice.below(usize::from(shape.regions)) as u16;
    let percent = dice.pick(&[5, 30, 100]);
    let by = dice.pick(&[Span::ms(80), Span::ms(700), Span::secs(3), Span::secs(20)]);
    let kind = match dice.below(11) {
        0 => TrickKind::LosesReports { percent },
        1 => TrickKind::DoublesReports { percent },
        2 => TrickKind::DelaysReports { percent, by },
        3 => TrickKind::LosesObservations { percent },
        4 => TrickKind::DelaysObservations { percent, by },
        5 => TrickKind::ActsAndFails { percent },
        6 => TrickKind::GivesUpAndActs { percent },
        7 => TrickKind::ProbeLies { region },
        8 => TrickKind::ReceiverLies { region },
        9 => TrickKind::SlowAnswers { region, by },
        _ => TrickKind::BalancerLies { region },
    };
    Trick { at: dice.between(Span::ZERO, BUSY), lasts: dice.between(Span::secs(1), Span::secs(60)), kind }
}

/// What befalls the claim: another controller, a process that is frozen, a store that is restored, requests that are lost.
fn claims(dice: &mut Dice, tricks: &mut Vec<Trick>, acts: &mut Vec<TimedAct>) -> Option<Rival> {
    if dice.odds(45) {
        return None;
    }
    // Early: what follows meets it.
    let early = |dice: &mut Dice| dice.between(Span::secs(1), Span::secs(30));
    let holds = dice.pick(&[Span::secs(2), Span::secs(12), Span::secs(40)]);
    if dice.odds(50) {
        let lasts = dice.pick(&[Span::secs(2), Span::secs(14), Span::secs(70), Span::secs(120)]);
        acts.push(TimedAct { at: early(dice), act: Act::FreezeAt { point: dice.below(5) as u32, lasts } });
    }
    if dice.odds(25) {
        let age = dice.pick(&[Span::secs(3), Span::secs(15), Span::secs(60)]);
        acts.push(TimedAct { at: moment(dice), act: Act::RestoreStore { age } });
    }
    if dice.odds(40) {
        let percent = dice.pick(&[30, 100]);
        let by = dice.pick(&[Span::ms(700), Span::secs(3), Span::secs(20)]);
        let kind = if dice.odds(50) {
            TrickKind::LosesRequests { percent }
        } else {
            TrickKind::DelaysRequests { percent, by }
        };
        tricks.push(Trick {
            at: dice.between(Span::ZERO, BUSY),
            lasts: dice.between(Span::secs(1), Span::secs(60)),
            kind,
        });
    }
    match dice.below(4) {
        0 => None,
        1 => Some(Rival::TakesOver { holds }),
        _ => Some(Rival::Claims { at: early(dice), holds, dies: dice.odds(50) }),
    }
}

/// What one person does, from one to five orders.
fn somebody(dice: &mut Dice, shape: &Shape, acts: &mut Vec<TimedAct>) {
    let at = moment(dice);
    let mut then = |at: Span, act: Act| acts.push(TimedAct { at, act });
    match dice.below(10) {
        0..=4 => {
            let intent = dice.pick(&[Intent::Failover, Intent::Failover, Intent::Switchover]);
            let some = |dice: &mut Dice, percent| {
                dice.odds(percent).then(|| dice.below(usize::from(shape.regions)) as u16)
            };
            let group = dice.below(usize::from(shape.databases)) as u16;
            then(at, Act::Propose { group, intent, from: some(dice, 15), to: some(dice, 40) });
            let looks = at.plus(dice.between(Span::ms(200), Span::secs(5)));
            let from_memory = dice.odds(40);
            let mut confirms = looks.plus(dice.between(Span::ms(50), Span::secs(8)));
            if from_memory {
                then(looks, Act::Remember);
                confirms =
                    looks.plus(dice.pick(&[Span::ms(300), Span::secs(4), Span::secs(15), Span::secs(130)]));
            }
            then(confirms, Act::Confirm(word(dice, from_memory)));
            if dice.odds(40) {
                // And changes their mind.
                let again = Act::Answer { step: dice.below(4) as u16, done: dice.odds(20) };
                let act = dice.pick_act(&[Act::Abort, Act::Abort, Act::Rollback, again, Act::Disarm]);
                then(confirms.plus(dice.between(Span::ms(20), Span::secs(40))), act);
            }
        }
        5 => then(at, Act::Confirm(word(dice, false))),
        6 => then(at, dice.pick_act(&[Act::Withdraw, Act::Stop, Act::Note, Act::Vouch { group: 0 }])),
        7 => then(at, dice.pick_act(&[Act::Abort, Act::Rollback, Act::Rollback, Act::AcceptUnprotected])),
        8 => then(at, Act::Answer { step: dice.below(4) as u16, done: dice.odds(30) }),
        _ => {
            then(at, Act::Disarm);
            let rightly = dice.odds(80);
            then(at.plus(dice.between(Span::ms(100), Span::secs(20))), Act::Arm { rightly });
        }
    }
}

/// What befalls the controller itself.
fn something(dice: &mut Dice, acts: &mut Vec<TimedAct>) {
    for _ in 0..1 + dice.below(3) {
        let at = moment(dice);
        let gone = dice.pick(&[Span::ms(100), Span::secs(1), Span::secs(12), Span::secs(40)]);
        let act = match dice.below(6) {
            0 => Act::Die { gone },
            1 | 2 => Act::DieAt { point: dice.below(30) as u32, gone },
            3 => Act::Jump { by_ms: dice.pick(&[-3_600_000, -5_000, 5_000, 3_600_000, 86_400_000]) },
            4 => Act::DiskFull { lasts: gone },
            _ => Act::SwitchOn,
        };
        if matches!(act, Act::Die { .. } | Act::DieAt { .. }) && dice.odds(40) {
            let edits = [Edit::ServiceAdded, Edit::ServiceRenamed, Edit::ServiceRemoved, Edit::RegionAdded];
            acts.push(TimedAct { at, act: Act::Edit(dice.pick(&edits)) });
        }
        acts.push(TimedAct { at, act });
    }
}

fn word(dice: &mut Dice, from_memory: bool) -> Word {
    Word {
        from_memory,
        rightly: dice.odds(92),
        accepts_risk: dice.odds(60),
        overrides: dice.odds(40),
        second_person: dice.odds(60),
        twice: dice.odds(20),
    }
}

impl Dice {
    fn pick_act(&mut self, of: &[Act]) -> Act {
        of[self.below(of.len())].clone()
    }
}

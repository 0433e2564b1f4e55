//! A random plan for a failover: the shipped one with steps left out, people and commands in between, and another order.

use super::dice::Dice;
use crate::config;
use crate::model::*;
use serde::{Deserialize, Serialize};

/// How a plan differs from the shipped one. Places are those of the shipped plan's steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<u16>,
    /// After this place a person is asked, or a command is run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub between: Vec<(u16, Extra)>,
    /// By place: the earlier places that are waited for instead, as bits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Extra {
    Person,
    Command,
}

impl Course {
    pub fn random(dice: &mut Dice) -> Course {
        if dice.odds(70) {
            return Course::default();
        }
        let place = |dice: &mut Dice| dice.below(PLACES) as u16;
        let without = (0..dice.below(4)).map(|_| place(dice)).collect();
        let extra =
            |dice: &mut Dice| (place(dice), if dice.odds(50) { Extra::Person } else { Extra::Command });
        let between = (0..dice.below(3)).map(|_| extra(dice)).collect();
        let after = if dice.odds(40) {
            (0..PLACES).map(|_| dice.below(1 << PLACES) as u32).collect()
        } else {
            Vec::new()
        };
        Course { without, between, after }
    }

    pub fn is_shipped(&self) -> bool {
        *self == Course::default()
    }

    /// The plan, changed so far as one that a file could hold.
    pub fn of(&self, plan: &Plan) -> Plan {
        let mut course = Plan { steps: Vec::new(), ..plan.clone() };
        // By place of the shipped plan: where its step came to stand; of one that is left out, what it waited for.
        let mut stands: Vec<Vec<u16>> = Vec::new();
        for (place, step) in plan.steps.iter().enumerate() {
            let shipped = || step.after.iter().map(|a| usize::from(*a)).collect::<Vec<_>>();
            let waits = self
                .after
                .get(place)
                .map_or_else(shipped, |bits| (0..place).filter(|j| bits >> j & 1 == 1).collect());
            let mut after: Vec<u16> =
                waits.iter().filter_map(|j| stands.get(*j)).flatten().copied().collect();
            after.sort_unstable();
            after.dedup();
            if self.without.contains(&(place as u16)) && !is_needed(&step.kind) {
                stands.push(after);
                continue;
            }
            course.steps.push(Step { after, ..step.clone() });
            let mut last = course.steps.len() as u16 - 1;
            for (n, (_, extra)) in
                self.between.iter().enumerate().filter(|(_, (at, _))| usize::from(*at) == place)
            {
                let kind = match extra {
                    Extra::Person => StepKind::AskPerson { what: "is it so?".to_string() },
                    Extra::Command => StepKind::RunCommand { argv: vec!["tell".to_string()] },
                };
                course.steps.push(Step {
                    id: format!("extra {n}"),
                    phase: step.phase,
                    kind,
                    after: vec![last],
                    timeout: Span::mins(1),
                });
                last += 1;
            }
            stands.push(vec![last]);
        }
        if config::sound(&course).is_ok() { course } else { plan.clone() }
    }
}

/// Places of the shipped plan that are drawn from.
const PLACES: usize = 10;

/// What no plan for a failover can be without, or it is refused when it is read.
const fn is_needed(kind: &StepKind) -> bool {
    matches!(kind, StepKind::Fence | StepKind::HandOver | StepKind::WatchPromotion)
}

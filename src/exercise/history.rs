//! How each kind stands: when it was exercised last, how often it came out as it must, when it is due again.

use super::calendar::Calendar;
use crate::model::*;

/// Of each kind of the calendar, in its order; `played` the oldest first.
pub fn due(calendar: &Calendar, played: &[PlayedOnce], now: Utc) -> Vec<Due> {
    // A scenario that was played by itself is the exercise that plays it.
    let plays = |kind: ExerciseKind, name: &str| {
        calendar
            .exercises
            .iter()
            .any(|e| e.kind == kind && matches!(&e.means, super::Means::Scenario(s) if s.name == name))
    };
    let of = |kind: ExerciseKind| {
        move |p: &&PlayedOnce| match &p.exercise {
            Some(exercise) => exercise.kind == kind,
            None => plays(kind, &p.scenario),
        }
    };
    let one = |(kind, terms): (&ExerciseKind, &super::Terms)| {
        let all: Vec<&PlayedOnce> = played.iter().filter(of(*kind)).collect();
        let last = all.last().map(|p| (p.at, p.passed));
        let next = last.filter(|(_, passed)| *passed).map_or(now, |(at, _)| at.plus(terms.every()));
        Due {
            kind: *kind,
            every: terms.every(),
            within: terms.within(),
            loses: terms.loses(),
            last,
            next,
            overdue: next <= now,
            passed: Share::of(all.iter().map(|p| p.passed)),
            automated: Share::of(all.iter().map(|p| p.exercise.as_ref().is_none_or(|e| e.automated))),
            times: all.iter().filter_map(|p| p.recovery_time_ms).collect(),
        }
    };
    calendar.kinds.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(days_ago: u64, passed: bool, took: u64, now: Utc) -> PlayedOnce {
        PlayedOnce {
            at: Utc(now.0 - (days_ago * 86_400_000) as i64),
            scenario: "region_outage".to_string(),
            passed,
            recovery_time_ms: Some(took),
            plans: Vec::new(),
            exercise: Some(Exercised {
                id: "region_lost".to_string(),
                kind: ExerciseKind::RegionalFailover,
                automated: true,
                lost_ms: Some(0),
            }),
        }
    }

    fn regional(list: &[PlayedOnce], now: Utc) -> Due {
        let calendar = Calendar::load(None).unwrap_or_else(|e| panic!("{e}"));
        due(&calendar, list, now)
            .into_iter()
            .find(|d| d.kind == ExerciseKind::RegionalFailover)
            .unwrap_or_else(|| panic!("it is not there"))
    }

    #[test]
    fn what_never_was_or_failed_is_due_now() {
        let now = Utc(1_767_225_600_000);
        assert!(regional(&[], now).overdue);
        assert!(regional(&[played(3, true, 10, now), played(2, false, 10, now)], now).overdue);
        assert!(regional(&[played(92, true, 10, now)], now).overdue);
        let well = regional(&[played(30, false, 10, now), played(1, true, 10, now)], now);
        assert_eq!((well.overdue, well.next), (false, now.plus(Span::days(90))));
        assert_eq!((well.passed.met, well.passed.of), (1, 2));
    }

    #[test]
    fn a_trend_needs_a_sample() {
        let now = Utc(1_767_225_600_000);
        let list: Vec<PlayedOnce> =
            [60, 50, 55, 20, 25, 30].iter().map(|t| played(1, true, *t, now)).collect();
        assert_eq!(regional(&list[1..], now).trend(), None);
        assert_eq!(regional(&list, now).trend(), Some((Span(55), Span(25))));
    }
}

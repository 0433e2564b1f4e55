//! The calendar: kinds of exercise with their terms, and the exercises themselves, as YAML.

use super::live::LiveDrill;
use super::table_top::TableTop;
use super::terms::Terms;
use crate::chaos::Experiment;
use crate::config::{Mistake, Place, embedded, parse_yaml, read_text};
use crate::model::*;
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const BUILT_IN: &str = include_str!("../../fixtures/exercises/calendar.yaml");

/// What is played.
#[derive(Clone, Debug)]
pub enum Means {
    Scenario(Box<Scenario>),
    /// So many random cases of the hunt.
    Hunt(u64),
    /// A command; empty: there is none yet.
    Hook(Vec<String>),
    /// For real, on a test estate.
    Live(LiveDrill),
    TableTop(TableTop),
}

#[derive(Clone, Debug)]
pub struct Exercise {
    pub id: String,
    pub kind: ExerciseKind,
    pub title: String,
    pub means: Means,
}

pub struct Calendar {
    pub kinds: BTreeMap<ExerciseKind, Terms>,
    pub exercises: Vec<Exercise>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarFile {
    kinds: BTreeMap<ExerciseKind, Terms>,
    tests: Vec<Spanned<ExerciseFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExerciseFile {
    id: String,
    kind: ExerciseKind,
    title: String,
    scenario: Option<String>,
    hunt: Option<u64>,
    hook: Option<Vec<String>>,
    /// A file, relative to this one.
    experiment: Option<String>,
    /// With an experiment: the test estate it is for, by name.
    estate: Option<String>,
    table_top: Option<TableTop>,
}

impl Calendar {
    /// The one in this file, else ours.
    ///
    /// # Errors
    /// The first mistake in it, with its place.
    pub fn load(file: Option<&Path>) -> Result<Calendar, Mistake> {
        match file {
            Some(path) => Calendar::parse(&path.display().to_string(), &read_text(path)?),
            None => Calendar::parse("calendar.yaml", BUILT_IN),
        }
    }

    /// From a text; `file` is for the messages.
    ///
    /// # Errors
    /// The first mistake in it, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Calendar, Mistake> {
        let raw: CalendarFile = parse_yaml(file, text)?;
        let mut exercises: Vec<Exercise> = Vec::new();
        for spanned in &raw.tests {
            let known = |e: &ExerciseFile| exercises.iter().any(|other| other.id == e.id);
            let exercise = exercise(file, spanned, &raw.kinds, known(&spanned.value))?;
            exercises.push(exercise);
        }
        Ok(Calendar { kinds: raw.kinds, exercises })
    }
}

fn exercise(
    file: &str,
    spanned: &Spanned<ExerciseFile>,
    kinds: &BTreeMap<ExerciseKind, Terms>,
    twice: bool,
) -> Result<Exercise, Mistake> {
    let e = &spanned.value;
    let wrong = |found: String, remedy: &str| Mistake {
        file: file.to_string(),
        at: Place::from(spanned.referenced),
        found,
        remedy: remedy.to_string(),
    };
    if twice {
        return Err(wrong(format!("test `{}` is there twice", e.id), "give each an id of its own"));
    }
    if !kinds.contains_key(&e.kind) {
        return Err(wrong(format!("`{}` has no terms", e.kind), "add it to `kinds` with `every`"));
    }
    let means = match (&e.scenario, e.hunt, &e.hook, &e.experiment, &e.table_top) {
        (Some(name), None, None, None, None) => {
            let unknown = |_| {
                wrong(
                    format!("`{name}` is no scenario of ours"),
                    "`bpci` lists them on its drills screen (7)",
                )
            };
            Means::Scenario(Box::new(embedded(name).map_err(unknown)?))
        }
        (None, Some(runs), None, None, None) => Means::Hunt(runs),
        (None, None, Some(argv), None, None) => Means::Hook(argv.clone()),
        (None, None, None, Some(name), None) => {
            let estate = e.estate.clone().ok_or_else(|| {
                wrong(format!("`{}` is for no estate", e.id), "name its test estate: `estate: lab-27400`")
            })?;
            let path = Path::new(file).parent().unwrap_or(Path::new("")).join(name);
            Means::Live(LiveDrill { experiment: Arc::new(Experiment::load(&path)?), estate })
        }
        (None, None, None, None, Some(table)) => Means::TableTop(table.clone()),
        _ => {
            let remedy = "give it one of `scenario`, `hunt`, `hook`, `experiment` and `table_top`";
            return Err(wrong(format!("what `{}` plays is not one thing", e.id), remedy));
        }
    };
    if e.estate.is_some() && e.experiment.is_none() {
        return Err(wrong(
            format!("`{}` names an estate and no experiment", e.id),
            "only an experiment is played on an estate",
        ));
    }
    Ok(Exercise { id: e.id.clone(), kind: e.kind, title: e.title.clone(), means })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_whole() {
        let calendar = Calendar::load(None).unwrap_or_else(|e| panic!("{e}"));
        for kind in ExerciseKind::ALL {
            assert!(calendar.kinds.contains_key(kind), "{kind} has no terms");
            assert!(calendar.exercises.iter().any(|e| e.kind == *kind), "{kind} is exercised by nothing");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let head = "kinds:\n  chaos: { every: 30days }\ntests:\n";
        for (test, expected) in [
            ("  - { id: a, kind: chaos, title: t }\n", "cal.yaml:4:5: what `a` plays is not one thing"),
            (
                "  - { id: a, kind: chaos, title: t, hunt: 3, hook: [] }\n",
                "cal.yaml:4:5: what `a` plays is not one thing",
            ),
            ("  - { id: a, kind: crisis, title: t, hunt: 3 }\n", "cal.yaml:4:5: `crisis` has no terms"),
            (
                "  - { id: a, kind: chaos, title: t, hunt: 3, estate: lab }\n",
                "cal.yaml:4:5: `a` names an estate and no experiment",
            ),
            (
                "  - { id: a, kind: chaos, title: t, experiment: x.yaml }\n",
                "cal.yaml:4:5: `a` is for no estate",
            ),
            (
                "  - { id: a, kind: chaos, title: t, scenario: nowhere }\n",
                "cal.yaml:4:5: `nowhere` is no scenario",
            ),
            (
                "  - { id: a, kind: chaos, title: t, hunt: 3 }\n  - { id: a, kind: chaos, title: t, hunt: 3 }\n",
                "cal.yaml:5:5: test `a` is there twice",
            ),
        ] {
            let text = Calendar::parse("cal.yaml", &format!("{head}{test}"))
                .err()
                .map(|e| e.to_string())
                .unwrap_or_default();
            assert!(text.starts_with(expected), "{text}");
        }
    }
}

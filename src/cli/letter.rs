//! `config check --live`: everything that would stop a failover, with place and remedy.

use super::fail::Fail;
use super::open::{Opened, reach};
use super::output::{Lines, Output};
use crate::controller::Tenure;
use crate::engine::Engine;
use crate::model::*;
use crate::wording::{survey_check_words, survey_place, survey_words};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The first answers of all systems are waited for this long.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks the running systems, changes nothing, and prints what stands in the way. `write` adds one committed row.
pub async fn check_live(estate: Estate, output: &Output, write: bool) -> Result<(), Fail> {
    let opened = reach(estate.clone(), false, Tenure::Brief).await?;
    let written = if write { Some(crate::drivers::write_row(&estate).await) } else { None };
    let surveyed = surveyed(&opened).await;
    opened.close().await;
    let (engine, now) = surveyed?;
    let letter = Letter::of(&engine, now, written);
    output.print(&letter.json(), || letter.text())?;
    match letter.stops() {
        0 => Ok(()),
        _ => Err(Fail::silent(1)),
    }
}

/// The engine, once every database has been surveyed and every member, balancer and fence was asked.
async fn surveyed(opened: &Opened) -> Result<(Engine, Now), Fail> {
    let began = Instant::now();
    loop {
        let (engine, now) = opened.engine().await?;
        let groups = engine.state().estate.group_ids();
        let open = groups
            .flat_map(|g| engine.survey(now, g))
            .any(|s| s.state == SurveyState::Unknown && s.finding == SurveyFinding::NotAskedYet);
        if !open || began.elapsed() > PATIENCE {
            return Ok((engine, now));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

struct Letter {
    estate: std::sync::Arc<Estate>,
    at: Utc,
    found: Vec<(GroupId, Surveyed)>,
    /// By database: what came of the committed row, where one was asked for.
    written: Option<Vec<(String, Result<String, String>)>>,
}

impl Letter {
    fn of(engine: &Engine, now: Now, written: Option<Vec<(String, Result<String, String>)>>) -> Letter {
        let estate = std::sync::Arc::clone(&engine.state().estate);
        let found =
            estate.group_ids().flat_map(|g| engine.survey(now, g).into_iter().map(move |s| (g, s))).collect();
        Letter { estate, at: now.utc, found, written }
    }

    fn count(&self, state: SurveyState) -> usize {
        self.found.iter().filter(|(_, s)| s.state == state).count()
    }

    fn stops(&self) -> usize {
        let failed = self.written.iter().flatten().filter(|(_, result)| result.is_err()).count();
        self.found.iter().filter(|(_, s)| s.state.stops()).count() + failed
    }

    fn json(&self) -> Value {
        let finding = |(group, s): &(GroupId, Surveyed)| {
            let (text, remedy) = survey_words(s, &self.estate, *group);
            json!({
                "protection_group": self.estate.group(*group).name,
                "check": s.check,
                "state": s.state,
                "about": survey_place(s, &self.estate, *group),
                "text": text,
                "remedy": if remedy.is_empty() { None } else { Some(remedy) },
            })
        };
        let row = |(group, result): &(String, Result<String, String>)| match result {
            Ok(text) => json!({"protection_group": group, "written": true, "text": text}),
            Err(reason) => json!({"protection_group": group, "written": false, "text": reason}),
        };
        json!({
            "estate": self.estate.name,
            "checked_at": self.at.to_string(),
            "ready": self.stops() == 0 && self.count(SurveyState::Unknown) == 0,
            "stop_count": self.stops(),
            "warning_count": self.count(SurveyState::Warning),
            "unknown_count": self.count(SurveyState::Unknown),
            "holds_count": self.count(SurveyState::Holds),
            "findings": self.found.iter().map(finding).collect::<Vec<_>>(),
            "rows": self.written.as_ref().map(|list| list.iter().map(row).collect::<Vec<_>>()),
        })
    }

    fn text(&self) -> Lines {
        let mut lines = Vec::new();
        let stops = self.stops();
        lines.push(match stops {
            0 => format!("{}: nothing found that would stop a failover", self.estate.name),
            1 => format!("{}: 1 thing would stop a failover", self.estate.name),
            n => format!("{}: {n} things would stop a failover", self.estate.name),
        });
        let mut number = 0;
        for (title, states) in [
            ("", &[SurveyState::Missing, SurveyState::Wrong][..]),
            ("not known", &[SurveyState::Unknown]),
            ("warnings", &[SurveyState::Warning]),
        ] {
            let list: Vec<_> = self.found.iter().filter(|(_, s)| states.contains(&s.state)).collect();
            if list.is_empty() {
                continue;
            }
            if !title.is_empty() {
                lines.extend([String::new(), title.to_string()]);
            }
            let mut last = None;
            for (group, s) in list {
                if last.replace(*group) != Some(*group) {
                    lines.extend([String::new(), self.estate.group(*group).name.clone()]);
                }
                let (text, remedy) = survey_words(s, &self.estate, *group);
                number += 1;
                lines.push(format!(
                    "{number:>3}. {}, {}: {text}",
                    survey_check_words(s.check),
                    survey_place(s, &self.estate, *group)
                ));
                if !remedy.is_empty() {
                    lines.push(format!("       {remedy}"));
                }
            }
        }
        for (group, result) in self.written.iter().flatten() {
            let told = match result {
                Ok(text) => format!("{group}: {text}"),
                Err(reason) => format!("{group}: the row could not be written: {reason}"),
            };
            lines.extend([String::new(), told]);
        }
        let counts = [
            (self.count(SurveyState::Warning), "warning"),
            (self.count(SurveyState::Unknown), "not known"),
            (self.count(SurveyState::Holds), "as it should be"),
        ];
        let counts = counts.map(|(n, word)| {
            if word == "warning" && n != 1 { format!("{n} warnings") } else { format!("{n} {word}") }
        });
        lines.extend([String::new(), format!("{stops} would stop a failover, {}", counts.join(", "))]);
        lines
    }
}

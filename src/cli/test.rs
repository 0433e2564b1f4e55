//! `bpci test suite|test|report`: the exercises of the calendar, in the words of reference 001.

use super::fail::Fail;
use super::output::{Lines, Output, Printing, for_people, not_written};
use crate::controller::{keep_rehearsal, rehearsals};
use crate::exercise::{Calendar, Exercise, Means, Outcome, due, hold, play, pull_lever};
use crate::model::*;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::watch;

#[derive(Debug, Subcommand)]
pub enum TestCommand {
    /// Every exercise that needs nobody, or those of some kinds
    Suite(SuiteAsk),
    /// One exercise
    Test(TestAsk),
    /// The calendar: last, next, how often it came out as it must, and what that proves
    Report(ReportAsk),
    /// The lever: ends the live drill on a test estate; its rollbacks follow
    Stop {
        /// The estate's name
        #[arg(long, value_name = "NAME")]
        estate: String,
        #[command(flatten)]
        printing: Printing,
    },
}

#[derive(Debug, Args)]
pub struct SuiteAsk {
    /// Only these kinds
    #[arg(long, value_name = "KIND,…", value_delimiter = ',')]
    pub scope: Vec<ExerciseKind>,
    /// So many at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub parallel: u16,
    /// Only those that are due
    #[arg(long)]
    pub due: bool,
    /// Say what would be played, and play nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct TestAsk {
    /// Which one: `bpci test suite --dry-run` lists them
    #[arg(long, value_name = "ID")]
    pub test_id: String,
    /// The seed of its chances [default: the scenario's]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// At a table: so many times as fast
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub speed: u32,
    /// Say what would be played, and play nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct ReportAsk {
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct Common {
    /// A calendar of yours [default: ours, after references 001 and 003]
    #[arg(long, value_name = "FILE")]
    pub calendar: Option<PathBuf>,
    #[arg(long, value_name = "text|json|FILE", default_value = "text")]
    pub output: Output,
}

impl Common {
    fn calendar(&self) -> Result<Calendar, Fail> {
        Calendar::load(self.calendar.as_deref()).map_err(Fail::usage)
    }
}

pub fn run(command: TestCommand) -> Result<(), Fail> {
    match command {
        TestCommand::Suite(ask) => suite(&ask),
        TestCommand::Test(ask) => test(&ask),
        TestCommand::Stop { estate, printing } => {
            pull_lever(&estate).map_err(Fail::failed)?;
            printing.output.done("the lever is pulled: the method ends, its rollbacks follow")
        }
        TestCommand::Report(ask) => report(&ask),
    }
}

fn now() -> Utc {
    Utc(chrono::Utc::now().timestamp_millis())
}

/// Says when this program is told to end. Only a live drill hears it, for it must not leave before its rollbacks; the others
/// are ended as any program.
fn told_to_stop(list: &[&Exercise]) -> watch::Receiver<bool> {
    let (tells, stop) = watch::channel(false);
    if list.iter().any(|e| matches!(e.means, Means::Live(_))) {
        tokio::spawn(async move {
            crate::controller::told_to_end().await;
            let _ = tells.send(true);
            std::future::pending::<()>().await;
        });
    }
    stop
}

fn suite(ask: &SuiteAsk) -> Result<(), Fail> {
    let calendar = ask.common.calendar()?;
    let standing = due(&calendar, &rehearsals(), now());
    let is_due = |kind| standing.iter().any(|d| d.kind == kind && d.overdue);
    let wanted =
        |e: &&Exercise| (ask.scope.is_empty() || ask.scope.contains(&e.kind)) && (!ask.due || is_due(e.kind));
    let list: Vec<&Exercise> = calendar.exercises.iter().filter(wanted).collect();
    if ask.dry_run {
        return plan(&list, &ask.common.output);
    }
    let stop = told_to_stop(&list);
    let next = AtomicUsize::new(0);
    let mut done: Vec<(usize, Outcome)> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            while let Some((at, exercise)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, list.get(at)?)))
            {
                if *stop.borrow() {
                    break;
                }
                done.push((at, play(exercise, &calendar.kinds[&exercise.kind], None, &stop)));
            }
            done
        };
        let workers: Vec<_> = (0..ask.parallel).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|w| w.join().unwrap_or_default()).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    let results: Vec<(&Exercise, Outcome)> =
        done.into_iter().map(|(at, outcome)| (list[at], outcome)).collect();
    for (exercise, outcome) in &results {
        keep(exercise, outcome);
    }
    tell(&results, &ask.common.output)
}

fn test(ask: &TestAsk) -> Result<(), Fail> {
    let calendar = ask.common.calendar()?;
    let exercise = calendar.exercises.iter().find(|e| e.id == ask.test_id).ok_or_else(|| {
        let known: Vec<&str> = calendar.exercises.iter().map(|e| e.id.as_str()).collect();
        Fail::usage(format!("`{}` is no exercise; known: {}", ask.test_id, known.join(", ")))
    })?;
    if ask.dry_run {
        return plan(&[exercise], &ask.common.output);
    }
    let outcome = match &exercise.means {
        Means::TableTop(table) => hold(table, ask.speed, &mut std::io::stdin().lock(), &mut *for_people())
            .map_err(|e| not_written(&e))?,
        _ => play(exercise, &calendar.kinds[&exercise.kind], ask.seed, &told_to_stop(&[exercise])),
    };
    keep(exercise, &outcome);
    let results = [(exercise, outcome)];
    tell(&results, &ask.common.output)?;
    match &results[0].1 {
        Outcome::NotPlayed(why) => Err(Fail::failed(format!("it was not played: {why}"))),
        Outcome::Played { .. } => Ok(()),
    }
}

/// What an exercise plays, in a few words.
fn means(exercise: &Exercise) -> String {
    match &exercise.means {
        Means::Scenario(s) => format!("the scenario {}, on the simulation", s.name),
        Means::Hunt(runs) => format!("{runs} random cases"),
        Means::Hook(argv) if argv.is_empty() => {
            "nothing yet: name a command as its `hook` in a calendar of yours, and give that to --calendar"
                .to_string()
        }
        Means::Hook(argv) => argv.join(" "),
        Means::Live(drill) => {
            format!("«{}», for real on the test estate {}", drill.experiment.title, drill.estate)
        }
        Means::TableTop(table) => {
            format!("{} injects for {} roles, with people", table.injects.len(), table.roles.len())
        }
    }
}

fn plan(list: &[&Exercise], output: &Output) -> Result<(), Fail> {
    let one = |e: &&Exercise| json!({ "test_id": e.id, "kind": e.kind, "title": e.title, "plays": means(e) });
    let value = json!({ "dry_run": true, "tests": list.iter().map(one).collect::<Vec<_>>() });
    output.print(&value, || {
        let line = |e: &&Exercise| format!("{:<18} {:<19} {}", e.id, e.kind.name(), means(e));
        list.iter().map(line).collect()
    })
}

/// Keeps what was played; what was not leaves nothing behind.
fn keep(exercise: &Exercise, outcome: &Outcome) {
    let Outcome::Played { passed, recovery, lost, plans, .. } = outcome else { return };
    let scenario = match &exercise.means {
        Means::Scenario(s) => s.name.clone(),
        _ => exercise.id.clone(),
    };
    keep_rehearsal(&PlayedOnce {
        at: now(),
        scenario,
        passed: *passed,
        recovery_time_ms: recovery.map(|t| t.0),
        plans: plans.clone(),
        exercise: Some(Exercised {
            id: exercise.id.clone(),
            kind: exercise.kind,
            automated: !matches!(exercise.means, Means::TableTop(_)),
            lost_ms: lost.map(|t| t.0),
        }),
    });
}

fn tell(results: &[(&Exercise, Outcome)], output: &Output) -> Result<(), Fail> {
    let one = |(e, outcome): &(&Exercise, Outcome)| match outcome {
        Outcome::Played { passed, told, recovery, lost, .. } => json!({
            "test_id": e.id, "kind": e.kind, "result": if *passed { "passed" } else { "failed" }, "told": told,
            "recovery_time_ms": recovery.map(|t| t.0), "data_loss_ms": lost.map(|t| t.0),
        }),
        Outcome::NotPlayed(why) => {
            json!({ "test_id": e.id, "kind": e.kind, "result": "not_played", "told": why })
        }
    };
    let count = |passed: bool| {
        results.iter().filter(|(_, o)| matches!(o, Outcome::Played { passed: p, .. } if *p == passed)).count()
    };
    let (passed, failed) = (count(true), count(false));
    let not_played = results.len() - passed - failed;
    let value = json!({ "passed": passed, "failed": failed, "not_played": not_played, "tests": results.iter().map(one).collect::<Vec<Value>>() });
    output.print(&value, || {
        let line = |(e, outcome): &(&Exercise, Outcome)| match outcome {
            Outcome::Played { passed, told, .. } => {
                format!("{} {:<18} {:<19} {told}", if *passed { "✓" } else { "✗" }, e.id, e.kind.name())
            }
            Outcome::NotPlayed(why) => format!("– {:<18} {:<19} not played: {why}", e.id, e.kind.name()),
        };
        let mut lines: Vec<String> = results.iter().map(line).collect();
        lines.push(format!("{passed} passed, {failed} failed, {not_played} not played"));
        lines
    })?;
    if failed > 0 { Err(Fail::failed(format!("{failed} did not come out as they must"))) } else { Ok(()) }
}

fn report(ask: &ReportAsk) -> Result<(), Fail> {
    let calendar = ask.common.calendar()?;
    let list = due(&calendar, &rehearsals(), now());
    let ids = |kind| {
        calendar.exercises.iter().filter(|e| e.kind == kind).map(|e| e.id.as_str()).collect::<Vec<_>>()
    };
    let one = |d: &Due| {
        json!({
            "kind": d.kind, "test_ids": ids(d.kind), "every_ms": d.every.0, "within_ms": d.within.map(|t| t.0), "loses_at_most_ms": d.loses.map(|t| t.0),
            "last_at": d.last.map(|(at, _)| at.to_string()), "last_passed": d.last.map(|(_, passed)| passed),
            "next_at": d.next.to_string(), "overdue": d.overdue, "conducted": d.passed.of, "passed": d.passed.met,
            "proves_at_least_percent": (d.passed.of > 0).then(|| d.passed.at_least_percent()),
            "automated": d.automated.met, "recovery_times_ms": d.times,
            "trend": d.trend().map(|(older, newer)| json!({ "older_median_ms": older.0, "newer_median_ms": newer.0 })),
        })
    };
    let value =
        json!({ "reported_at": now().to_string(), "calendar": list.iter().map(one).collect::<Vec<_>>() });
    ask.common.output.print(&value, || {
        let mut lines: Lines = list.iter().flat_map(|d| words(d, &ids(d.kind), now())).collect();
        match list.iter().filter(|d| d.overdue).count() {
            0 => {}
            n => lines.push(format!("{n} kinds are due: bpci test suite --due")),
        }
        lines
    })
}

fn words(d: &Due, ids: &[&str], now: Utc) -> Lines {
    let last = d.last.map_or("never".to_string(), |(at, passed)| {
        format!("{} ago{}", now.since(at), if passed { "" } else { ", failed" })
    });
    let next = if d.overdue { "due now".to_string() } else { format!("due in {}", d.next.since(now)) };
    let mut lines = vec![format!(
        "{:<19} every {:<8} last {last}; {next} ({})",
        d.kind.name(),
        d.every.to_string(),
        ids.join(", ")
    )];
    if d.passed.of > 0 {
        let (met, of) = (d.passed.met, d.passed.of);
        let mut text = format!(
            "  {met} of {of} as they must (proves {} %), {} of {of} by themselves",
            d.passed.at_least_percent(),
            d.automated.met
        );
        let mut times = d.times.clone();
        times.sort_unstable();
        if let (Some(median), Some(most)) = (times.get(times.len() / 2), times.last()) {
            text += &format!("; served after {} in the median, {} at most", Span(*median), Span(*most));
        }
        if let Some((older, newer)) = d.trend() {
            text += &format!("; {older} before, {newer} lately");
        }
        lines.push(text);
    }
    lines
}

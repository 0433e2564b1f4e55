//! `--plain`: the same without a screen. Lines as they happen; orders are read from standard input, whose end ends
//! nothing.

use super::fail::Fail;
use super::order::{Printed, help, speak};
use super::output::{say, say_all};
use super::story::new_lines;
use crate::controller::{Played, play};
use crate::journal::Journal;
use crate::model::*;
use std::sync::Arc;
use tokio::io::AsyncBufReadExt;

/// A scenario to its end: ends well if what it expects held.
pub fn scenario(scenario: Scenario, seed: u64, speed: u32) -> Result<(), Fail> {
    say(&format!("DRILL · {} · {}", scenario.estate.name, scenario.title))?;
    say("it plays by itself to its end, and reads no orders; without --fixture, --plain takes them")?;
    let mut told = 0;
    let mut clock = Mono::default();
    let mut outcome = Ok(());
    let played = play(scenario, seed, Journal::in_memory(), &mut |simulation| {
        let now = simulation.now().mono;
        // At full speed there is nothing to wait for.
        if speed < 1000 {
            std::thread::sleep(std::time::Duration::from_millis(now.since(clock).0 / u64::from(speed)));
        }
        clock = now;
        if let Some(story) = simulation.core.story.as_ref().filter(|_| outcome.is_ok()) {
            let (log, total) = story.lines();
            outcome = new_lines(log, total, &mut told);
        }
    })
    .map_err(Fail::failed)?;
    outcome?;
    verdict(&played)
}

fn verdict(played: &Played) -> Result<(), Fail> {
    for what in &played.unmet {
        say(&format!("NOT AS EXPECTED  {what}"))?;
    }
    for what in &played.laws_broken {
        say(&format!("LAW BROKEN  {what}"))?;
    }
    let truth = &played.simulation.core.door.truth;
    say(&format!("{} writes were acknowledged, {} lost", truth.acknowledged, truth.lost))?;
    if played.unmet.is_empty() && played.laws_broken.is_empty() {
        say("as expected")
    } else {
        Err(Fail::failed("the scenario did not end as it says it must"))
    }
}

/// Lines of a controller, and orders from standard input.
pub async fn follow(handle: Arc<dyn Handle>) -> Result<(), Fail> {
    let first = handle.snapshot();
    say(&format!(
        "{} · {} · {}",
        first.mode.word(),
        first.estate.name,
        if first.armed { "armed" } else { "read-only" }
    ))?;
    say_all(&help())?;
    let mut told = 0;
    let mut lines = Some(tokio::io::BufReader::new(tokio::io::stdin()).lines());
    let mut printed = Printed::default();
    let mut end = std::pin::pin!(crate::controller::told_to_end());
    loop {
        let snapshot = handle.snapshot();
        new_lines(&snapshot.log, snapshot.log_total, &mut told)?;
        for lines in printed.news(&snapshot) {
            say_all(&lines)?;
        }
        let next = async {
            match &mut lines {
                Some(lines) => lines.next_line().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            alive = handle.changed() => if !alive {
                return Err(Fail::failed("the controller has ended"));
            },
            line = next => match line {
                Ok(Some(line)) => {
                    if matches!(line.trim(), "quit" | "q") {
                        return Ok(());
                    }
                    match speak(&handle, &printed, line.trim()).await {
                        Ok(lines) => say_all(&lines)?,
                        Err(text) => say(&format!("? {text}"))?,
                    }
                }
                Ok(None) | Err(_) => lines = None,
            },
            () = &mut end => return Ok(()),
        }
    }
}

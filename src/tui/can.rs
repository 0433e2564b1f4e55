//! What can be done now, and why not: the one place that footer, help, palette and keys ask.

use super::answers::answered;
use super::app::{App, Instead};
use super::keys::Command;
use super::places::Screen;
use super::rows;
use super::subject::{decided_on, turns, unproven};
use crate::model::*;
use std::collections::BTreeSet;

/// Whether a command means something here and now, with this database selected.
///
/// # Errors
/// Why it does not, in words for a person.
pub fn can(command: Command, app: &App, s: &Snapshot, selected: GroupId) -> Result<(), &'static str> {
    let when = |yes: bool, why| if yes { Ok(()) } else { Err(why) };
    let simulated = s.world.is_some() && s.mode != Mode::Replay;
    match command {
        Command::Failover | Command::Switchover => match s.mode {
            Mode::Replay => Err("a replay: nothing can be ordered"),
            _ => when(s.groups.iter().any(|g| !g.members.is_empty()), "no database is configured"),
        },
        // Leaving the record, looking and the screen itself go on; what is an order cannot be given.
        Command::StopAutomatic | Command::Withdraw | Command::Answer if s.mode == Mode::Replay => {
            Err("a replay: nothing can be ordered")
        }
        Command::StopAutomatic => when(
            app.beside.as_deref().unwrap_or(s).proposals.iter().any(ProposalView::counts),
            "none of ours counts; the cluster's own cannot be stopped here",
        ),
        Command::Withdraw => when(decided_on(s, selected).is_some(), "no choice is on the table"),
        Command::Fork => {
            let databases = || s.groups.iter().filter(|g| !g.members.is_empty());
            let runs =
                s.open().filter(|o| o.results.served.is_none()).map(|o| o.group).collect::<BTreeSet<_>>();
            when(app.instead == Instead::Nothing, "this is a fork or a drill already")
                .and(when(databases().next().is_some(), "no database is configured"))
                .and(when(
                    !databases().all(|g| runs.contains(&g.group)),
                    "an operation runs on every database: what is half done cannot be branched",
                ))
        }
        Command::TakeOver => match (app.instead, &app.beside) {
            (Instead::Fork(..), Some(beside)) if beside.mode == Mode::Replay => {
                Err("a replay: nothing can be ordered")
            }
            _ => app.tried(s).map(|_| ()),
        },
        Command::Answer if s.open().next().is_none() => Err("no operation runs"),
        Command::Answer => {
            let why = if s.runs(selected) {
                "too late for it; Tab turns to another"
            } else {
                "nothing is asked, or can be taken back"
            };
            when(answered(s, selected).is_some(), why)
        }
        Command::Arm => match (s.mode, s.armed) {
            (Mode::Live, _) => Ok(()),
            _ => Err("only a live estate is armed"),
        },
        Command::Inject | Command::Mend => when(simulated, "only a simulation can be struck"),
        Command::Pause | Command::StepOnce | Command::Faster | Command::Slower => {
            when(s.world.is_some(), "only a simulation or a replay has a clock of its own")
        }
        Command::Later | Command::Earlier => when(s.mode == Mode::Replay, "only a replay can be wound"),
        Command::Sort => when(!rows::orders(app.screen).is_empty(), "this screen has one order"),
        Command::Filter => {
            when(!matches!(app.screen, Screen::Command | Screen::Log), "this screen has no list")
        }
        Command::Enter => when(
            !matches!(app.screen, Screen::Command | Screen::Log),
            "nothing opens here, and Enter alone never confirms anything",
        ),
        Command::Walk => match app.screen {
            Screen::Drills => {
                when(app.card(s).is_some_and(|card| card.narrated), "this scenario has no narration")
            }
            _ => Err("on the drills screen (7)"),
        },
        Command::Note => when(s.mode != Mode::Replay, "a replay: the record is closed"),
        Command::Vouch => when(s.mode != Mode::Replay, "a replay: the record is closed")
            .and(when(unproven(s, selected).is_some(), "no database is unproven")),
        Command::Export => when(app.screen == Screen::Timeline, "on the timeline screen (6)"),
        Command::NextGroup => {
            when(s.groups.iter().filter(|g| !g.members.is_empty()).count() > 1, "there is one database").and(
                when(turns(s).len() > 1, "the selected one is all that is to be decided (4, 5 show all)"),
            )
        }
        _ => Ok(()),
    }
}

//! `bpci estate`: what a person says of the estate itself.

use super::fail::Fail;
use super::named::group_named;
use super::open::{self, Target};
use super::output::say;
use super::wait::settled;
use crate::model::*;
use clap::Subcommand;
use std::io::{BufRead, IsTerminal};

#[derive(Debug, Subcommand)]
pub enum EstateCommand {
    /// Take the changed cluster of a protection group for the one that is meant. Until then no operation begins on it
    Adopt {
        /// The protection group, or a service of it
        group: String,
        /// Confirm by naming the protection group
        #[arg(long, value_name = "GROUP")]
        confirm: Option<String>,
        #[command(flatten)]
        target: Target,
    },
}

pub async fn run(command: EstateCommand) -> Result<(), Fail> {
    let EstateCommand::Adopt { group, confirm, target } = command;
    if target.config.is_none() {
        return Err(Fail::usage("name the estate with --config FILE"));
    }
    let opened = open::controller(&target).await?;
    settled(&opened).await;
    let estate = opened.handle.snapshot().estate.clone();
    let result = async {
        let id = group_named(&estate, &group).map_err(Fail::usage)?;
        let name = &estate.group(id).name;
        let typed = confirm
            .or_else(|| ask(name))
            .ok_or_else(|| Fail::denied(format!("nothing was done: confirm with --confirm {name}")))?;
        opened.handle.order(Action::Adopt { group: id, typed }).await.map_err(|r| Fail::refused(&r))?;
        target.output.done(&format!("the cluster of {name} is adopted: operations may begin on it"))
    }
    .await;
    opened.close().await;
    result
}

/// Asks for the name where somebody can answer.
fn ask(name: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    say(&format!("Type {name} to take the cluster that answers now for the one that is meant:")).ok()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    Some(line.trim().to_string()).filter(|l| !l.is_empty())
}

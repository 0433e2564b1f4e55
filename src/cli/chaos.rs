//! `bpci chaos`: experiments, and what they can do to the practice range.

use super::fail::Fail;
use super::lab::Strike;
use super::output::{Lines, Output, Printing, say};
use crate::chaos::{self, Activity, Ended, Experiment, Rollbacks, Rules, Strategy};
use crate::lab::{self, Damage, How};
use crate::model::vocabulary;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Debug, Subcommand)]
pub enum ChaosCommand {
    /// Run an experiment: steady state, method, steady state, rollbacks; it is over when the steady state was seen again
    Run(ChaosRun),
    /// Is it understood? Nothing is run
    Check {
        file: PathBuf,
        #[command(flatten)]
        printing: Printing,
    },
    /// One action on the practice range, for experiments to call
    Act(ChaosAct),
    /// Undo every action on the practice range
    Undo {
        /// The lab's directory
        #[arg(long, value_name = "DIR", default_value = "/tmp/bpci-lab")]
        lab: PathBuf,
        #[command(flatten)]
        printing: Printing,
    },
}

#[derive(Debug, Args)]
pub struct ChaosRun {
    /// The experiment: JSON or YAML of the Chaos Toolkit
    #[arg(long, value_name = "FILE")]
    experiment: PathBuf,
    /// Where the journal is written
    #[arg(long, value_name = "FILE", default_value = "journal.json")]
    journal_path: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// default, before-method-only, after-method-only, during-method-only, continuously, skip [default: the file's, else default]
    #[arg(long, value_name = "WHEN")]
    hypothesis_strategy: Option<Strategy>,
    /// always, never, default (unless it failed or was interrupted), deviated [default: the file's, else always]
    #[arg(long, value_name = "WHEN")]
    rollback_strategy: Option<Rollbacks>,
    /// How often the steady state is looked at during the method
    #[arg(long, value_name = "1s", default_value = "1s")]
    hypothesis_frequency: crate::config::Duration,
    /// End the method as soon as the steady state is lost during it
    #[arg(long)]
    fail_fast: bool,
    /// After the rollbacks the steady state must be seen again within this time
    #[arg(long, value_name = "60s", default_value = "60s")]
    settles: crate::config::Duration,
    /// text, json (the journal), or a file to write the journal to as well
    #[arg(long, value_name = "text|json|FILE", default_value = "text")]
    output: Output,
}

vocabulary!(
    /// What an experiment can do to the practice range.
    Act, "action" {
        NetworkLatency = "network_latency",
        NetworkPartition = "network_partition",
        ProcessKill = "process_kill",
        ProcessFreeze = "process_freeze",
        ContainerRestart = "container_restart",
        DiskFull = "disk_full",
        CpuBurn = "cpu_burn",
        ReplicaLag = "replica_lag",
    }
);

#[derive(Debug, Args)]
pub struct ChaosAct {
    /// network_latency, network_partition, process_kill, process_freeze, container_restart, disk_full, cpu_burn, replica_lag
    what: Act,
    /// The lab's directory
    #[arg(long, value_name = "DIR", default_value = "/tmp/bpci-lab")]
    lab: PathBuf,
    #[command(flatten)]
    strike: Strike,
    /// container_restart: which one, by name or id
    #[arg(long, value_name = "CONTAINER")]
    container: Option<String>,
    #[command(flatten)]
    printing: Printing,
}

pub async fn run(command: ChaosCommand) -> Result<(), Fail> {
    match command {
        ChaosCommand::Run(ask) => experiment(ask).await,
        ChaosCommand::Check { file, printing } => {
            let read = Experiment::load(&file).map_err(Fail::usage)?;
            printing.output.print(&plan_json(&read), || plan(&read))
        }
        ChaosCommand::Act(ask) => {
            let output = ask.printing.output.clone();
            output.told(&act(ask)?)
        }
        ChaosCommand::Undo { lab, printing } => printing.output.told(&lab::mend(&lab).map_err(Fail::failed)?),
    }
}

/// What it would do, in lines.
fn plan(read: &Experiment) -> Lines {
    let mut lines = vec![format!("EXPERIMENT  {}", read.title)];
    for (part, list) in
        [("steady", &read.hypothesis), ("method", &read.method), ("rollback", &read.rollbacks)]
    {
        lines.extend(
            list.iter()
                .map(|a| format!("  {part:<9} {} {}", if a.probe { "probe " } else { "action" }, a.name)),
        );
    }
    lines
}

/// What it would do, as a document.
fn plan_json(read: &Experiment) -> Value {
    let list = |list: &[Activity]| {
        list.iter()
            .map(|a| json!({ "name": a.name, "type": if a.probe { "probe" } else { "action" } }))
            .collect::<Vec<_>>()
    };
    json!({ "title": read.title, "steady_state": list(&read.hypothesis), "method": list(&read.method), "rollbacks": list(&read.rollbacks) })
}

async fn experiment(ask: ChaosRun) -> Result<(), Fail> {
    let read = Experiment::load(&ask.experiment).map_err(Fail::usage)?;
    if ask.dry_run {
        return ask.output.print(&plan_json(&read), || plan(&read));
    }
    // A journal that cannot be written is found out before anything is done.
    let journal_path = ask.journal_path;
    std::fs::write(&journal_path, "").map_err(|e| {
        Fail::usage(format!("{}: {e}; name a file that can be written", journal_path.display()))
    })?;
    let rules = Rules {
        strategy: ask.hypothesis_strategy.or(read.runtime.strategy).unwrap_or(Strategy::Default),
        rollbacks: ask.rollback_strategy.or(read.runtime.rollbacks).unwrap_or(Rollbacks::Always),
        frequency: ask.hypothesis_frequency.0.as_std(),
        fail_fast: ask.fail_fast,
        settles: ask.settles.0.as_std(),
    };
    let quiet = !matches!(ask.output, Output::Text);
    let tell = |text: &str| {
        if !quiet {
            let _ = say(text);
        }
    };
    tell(&format!("EXPERIMENT  {}", read.title));
    let (tells, stop) = watch::channel(false);
    tokio::spawn(async move {
        crate::controller::told_to_end().await;
        let _ = tells.send(true);
        // Rollbacks go on: a second word is not heard.
        std::future::pending::<()>().await;
    });
    let ended = chaos::run(Arc::new(read), rules, stop, &tell).await;
    let text = serde_json::to_string_pretty(&ended.journal).map_err(Fail::failed)?;
    std::fs::write(&journal_path, text + "\n")
        .map_err(|e| Fail::failed(format!("{}: {e}", journal_path.display())))?;
    let summary = summary(&ended);
    ask.output.print(&json!({ "journal": ended.journal, "summary": summary }), || {
        vec![summary.clone(), format!("journal     {}", journal_path.display())]
    })?;
    if ended.completed && !ended.deviated && ended.undone != Some(false) {
        Ok(())
    } else {
        Err(Fail::failed(summary))
    }
}

fn summary(ended: &Ended) -> String {
    let status = ended.journal["status"].as_str().unwrap_or("?");
    match (ended.completed, ended.deviated, ended.undone) {
        (_, _, Some(false)) => format!("{status}, and the steady state did not come back: look after it now"),
        (true, false, _) => "completed: the steady state held".to_string(),
        (true, true, _) => "completed: the steady state was lost; a weakness was found".to_string(),
        (false, _, None) => {
            format!("{status}: the steady state did not hold to begin with; nothing was done")
        }
        (false, _, _) => format!("{status}: see the journal"),
    }
}

fn act(ask: ChaosAct) -> Result<String, Fail> {
    let mut how = How::from(ask.strike);
    if how.links.is_empty() {
        how.links.push("*:*".to_string());
    }
    let damage = match ask.what {
        Act::NetworkLatency => Damage::LinkLatency,
        Act::NetworkPartition => Damage::RegionPartition,
        Act::ProcessKill => Damage::LeaderKill,
        Act::ProcessFreeze => Damage::LeaderFreeze,
        Act::DiskFull => Damage::DiskFull,
        Act::CpuBurn => Damage::CpuBurn,
        Act::ReplicaLag => Damage::ReplicaLag,
        Act::ContainerRestart => return restart(ask.container.as_deref()),
    };
    lab::damage(&ask.lab, damage, &how).map_err(Fail::failed)
}

/// Through whichever engine is here.
fn restart(container: Option<&str>) -> Result<String, Fail> {
    let name = container.ok_or_else(|| Fail::usage("name the container: --container NAME"))?;
    for engine in ["docker", "podman", "nerdctl"] {
        let Ok(out) = std::process::Command::new(engine).args(["restart", "--", name]).output() else {
            continue;
        };
        return match out.status.success() {
            true => Ok(format!("{name}: restarted by {engine}")),
            false => Err(Fail::failed(format!("{engine}: {}", String::from_utf8_lossy(&out.stderr).trim()))),
        };
    }
    Err(Fail::failed("no container engine is here: docker, podman and nerdctl were looked for"))
}

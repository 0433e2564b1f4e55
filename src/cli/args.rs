//! The words of the command line.

use super::analyse::AnalyseCommand;
use super::chaos::ChaosCommand;
use super::estate::EstateCommand;
use super::forecast::ForecastWords;
use super::hunt::HuntAsk;
use super::lab::LabCommand;
use super::output::{Output, Printing};
use super::test::TestCommand;
use super::validate::ValidateAsk;
use crate::model::{ControllerId, DisasterType, OperationId, Severity, Strategy};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Incident command for the day a region fails.
///
/// Without a command: the dashboard, on the built-in simulated estate (press ? there for help).
#[derive(Debug, Parser)]
// An option of the dashboard before a command is refused: unheeded, `--config FILE` would leave the command with the simulation.
#[command(name = "bpci", version, disable_help_subcommand = true, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(flatten)]
    pub open: Open,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the dashboard, or the plain lines, show.
#[derive(Clone, Debug, Args)]
pub struct Open {
    /// A live estate, read-only until armed
    #[arg(long, value_name = "FILE", conflicts_with = "fixture")]
    pub config: Option<PathBuf>,
    /// Allow orders to act
    #[arg(long, requires = "config")]
    pub arm: bool,
    /// A scenario of ours by name, or one in a file
    #[arg(long, value_name = "NAME|FILE")]
    pub fixture: Option<String>,
    /// An incident again, from its journal: a file, or the directory it is in
    #[arg(long, value_name = "JOURNAL", conflicts_with_all = ["config", "fixture"])]
    pub replay: Option<PathBuf>,
    /// How many times real time a simulation or a replay runs (1 to 1000)
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub speed: u32,
    /// The seed of a simulation's chances [default: the scenario's]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Lines instead of a screen
    #[arg(long)]
    pub plain: bool,
    /// terminal, dark, light, deuteranopia, tritanopia, contrast, mono, a file, or a base16 scheme
    #[arg(long, value_name = "NAME|FILE")]
    pub theme: Option<String>,
    /// The screen to begin with: command, regions, services, recovery, replication, timeline, drills, log
    #[arg(long, value_name = "NAME")]
    pub screen: Option<crate::tui::Screen>,
    /// Print one screen and leave: text, ansi or svg
    #[arg(long, value_name = "FORM", num_args = 0..=1, default_missing_value = "text", require_equals = true)]
    pub once: Option<Form>,
    /// With --once: how long to look before; on a simulation its own time [default: 3s]
    #[arg(long, value_name = "30s", requires = "once")]
    pub after: Option<crate::config::Duration>,
    /// With --once: columns x rows [default: the terminal's, else 80x24]
    #[arg(long, value_name = "80x24", requires = "once")]
    pub size: Option<Size>,
    /// Take the wheel of the mouse (the terminal's own selection then needs shift)
    #[arg(long)]
    pub mouse: bool,
    /// Tell a new disaster: bell, osc9, both or none
    #[arg(long, value_name = "HOW")]
    pub notify: Option<crate::tui::Notify>,
    /// Record what is shown, as an asciicast (version 3)
    #[arg(long, value_name = "FILE.cast")]
    pub record: Option<PathBuf>,
    /// Walk through the scenario: it stops and tells at each turn
    #[arg(long, requires = "fixture")]
    pub walk: bool,
    /// Only ASCII marks
    #[arg(long)]
    pub ascii: bool,
}

impl Open {
    pub fn looks(&self) -> crate::tui::Looks {
        crate::tui::Looks {
            theme: self.theme.clone(),
            ascii: self.ascii,
            screen: self.screen,
            mouse: self.mouse,
            afresh: self.fixture.is_some() || self.replay.is_some(),
            notify: self.notify,
            record: self.record.clone(),
            data: crate::controller::data_directory(),
            keyboard: None,
        }
    }
}

/// How a single screen is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    Text,
    Ansi,
    Svg,
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u16, pub u16);

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let parts = text.split_once('x').and_then(|(c, r)| Some((c.parse().ok()?, r.parse().ok()?)));
        let known = parts.filter(|(c, r)| (1..=1000).contains(c) && (1..=1000).contains(r));
        known
            .map(|(c, r)| Size(c, r))
            .ok_or_else(|| format!("`{text}` is no size; write columns x rows, such as 120x40"))
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Status, disaster recovery, drills, operations
    #[command(name = "business-continuity", alias = "bc", subcommand)]
    BusinessContinuity(Continuity),
    /// What a choice would do, and what leaving it would: from thousands of futures
    Forecast(ForecastWords),
    /// Hunt our own faults: random estates, faults and people, every law after every step
    Hunt(HuntAsk),
    /// What a plan's network of steps says
    #[command(subcommand)]
    Analyse(AnalyseCommand),
    /// Exercises: the calendar's, one of them, and how they stand
    #[command(subcommand)]
    Test(TestCommand),
    /// Experiments in the words of the Chaos Toolkit, on the practice range or wherever they say
    #[command(subcommand)]
    Chaos(ChaosCommand),
    /// The record: show, verify, export
    #[command(subcommand)]
    Journal(JournalCommand),
    /// A controller without a screen
    Serve {
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Allow orders, and automation, to act
        #[arg(long)]
        arm: bool,
    },
    /// A real three-region estate on this machine: the practice range
    #[command(subcommand)]
    Lab(LabCommand),
    /// The estate itself: adopt a changed cluster
    #[command(subcommand)]
    Estate(EstateCommand),
    /// The configuration: write one, check it, its schema
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Which controller is asked.
#[derive(Clone, Debug, Args)]
pub struct Target {
    /// A live estate [default: the embedded simulation]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Allow this command to act
    #[arg(long, requires = "config")]
    pub arm: bool,
    /// text, json, or a file to write the report to
    #[arg(long, value_name = "text|json|FILE", default_value = "text")]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
pub enum Continuity {
    /// How things stand
    Status {
        #[command(flatten)]
        target: Target,
        /// Members, checks and what could not be done
        #[arg(long)]
        detailed: bool,
        /// Lag, load, lease and observers
        #[arg(long)]
        include_metrics: bool,
        /// Exit with 1 if the worst condition is of severity high or critical
        #[arg(long)]
        check: bool,
    },
    #[command(name = "disaster-recovery", subcommand)]
    DisasterRecovery(Recovery),
    /// Rehearse
    #[command(subcommand)]
    Drill(Drill),
    /// Operations: watch, list, abort, roll back
    #[command(subcommand)]
    Recovery(Operations),
    /// Could each region's loss be answered now? Asks, and fires nothing
    Validate(ValidateAsk),
    /// Vouch for a database that the cluster moved by itself, once a write by hand has proven it
    Vouch {
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        service: String,
        /// How you have seen it
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Hand the primary over while it lives
    Switchover(Move),
    /// Hand the primary back to the region that was lost
    Failback(Move),
    /// Make the running controller read-only: no order acts any more
    Disarm(Emergency),
    /// Stop every countdown to an automatic response
    Stop(Emergency),
}

#[derive(Debug, Subcommand)]
pub enum Recovery {
    /// Recover from a disaster: shows what it would do, and does it when confirmed
    Trigger(Trigger),
}

#[derive(Debug, Args)]
pub struct Trigger {
    #[command(flatten)]
    pub target: Target,
    #[arg(long)]
    pub disaster_type: DisasterType,
    /// The regions that failed, separated by commas
    #[arg(long, value_delimiter = ',', required = true)]
    pub affected_regions: Vec<String>,
    #[arg(long)]
    pub severity: Severity,
    #[arg(long)]
    pub strategy: Strategy,
    /// The region to recover in [default: the best candidate]
    #[arg(long = "target", value_name = "REGION")]
    pub to: Option<String>,
    /// Only this service's protection group
    #[arg(long)]
    pub service: Option<String>,
    /// Go on although the old primary still answers; it is fenced first
    #[arg(long)]
    pub manual_override: bool,
    /// Show what it would do, and end with 0
    #[arg(long)]
    pub dry_run: bool,
    /// Confirm by naming the failed region
    #[arg(long, value_name = "REGION")]
    pub confirm: Option<String>,
    /// Who else says yes, where the plan asks for a second person
    #[arg(long, value_name = "NAME")]
    pub second_person: Option<String>,
    /// Accept a risk in the words that the refusal asks for
    #[arg(long, value_name = "TEXT")]
    pub accept_risk: Option<String>,
    /// The operation that waits and that this one supersedes, such as recovery-12
    #[arg(long, value_name = "ID")]
    pub supersede: Option<crate::model::OperationId>,
    /// Void the confirmation unless the evidence is still that of a dry run
    #[arg(long, value_name = "DIGEST")]
    pub evidence: Option<crate::model::Digest>,
    /// Wait until it is over
    #[arg(long)]
    pub wait: bool,
}

#[derive(Debug, Args)]
pub struct Move {
    #[command(flatten)]
    pub target: Target,
    #[arg(long)]
    pub service: Option<String>,
    /// The region that takes over [default: the best candidate]
    #[arg(long = "target", value_name = "REGION")]
    pub to: Option<String>,
    /// Confirm by naming the region that is left
    #[arg(long, value_name = "REGION")]
    pub confirm: Option<String>,
    /// Who else says yes, where the plan asks for a second person
    #[arg(long, value_name = "NAME")]
    pub second_person: Option<String>,
    /// Accept a risk in the words that the refusal asks for
    #[arg(long, value_name = "TEXT")]
    pub accept_risk: Option<String>,
    /// The operation that waits and that this one supersedes, such as recovery-12
    #[arg(long, value_name = "ID")]
    pub supersede: Option<crate::model::OperationId>,
    #[arg(long)]
    pub dry_run: bool,
    #[arg(long)]
    pub wait: bool,
}

/// An order that ends something, to the controller that runs.
#[derive(Debug, Args)]
pub struct Emergency {
    #[command(flatten)]
    pub target: Target,
    /// The running controller, where its target is not this file's: a refusal prints its id
    #[arg(long, value_name = "ID", requires = "config")]
    pub controller: Option<ControllerId>,
}

#[derive(Debug, Subcommand)]
pub enum Drill {
    /// Play a scenario on the simulation and report
    Execute {
        /// A scenario of ours by name, one in a file, or `all`
        #[arg(long)]
        scenario: String,
        #[arg(long)]
        seed: Option<u64>,
        /// Play it with so many seeds, counted from --seed, and report what broke
        #[arg(long, value_name = "N")]
        seeds: Option<u64>,
        /// How long it lasts on the virtual clock
        #[arg(long, value_name = "30min")]
        duration: Option<String>,
        /// Fail unless recovery was validated
        #[arg(long)]
        validate_recovery: bool,
        /// Print the report
        #[arg(long)]
        generate_report: bool,
        #[arg(long, value_name = "text|json|FILE", default_value = "text")]
        output: Output,
    },
}

#[derive(Debug, Subcommand)]
pub enum Operations {
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Follow an operation to its end
    Monitor {
        #[command(flatten)]
        target: Target,
        /// [default: the newest]
        #[arg(long)]
        operation_id: Option<OperationId>,
        /// Print each step as it happens
        #[arg(long)]
        real_time: bool,
        /// End with 1 as soon as it waits for a person
        #[arg(long)]
        alert_on_issues: bool,
    },
    Abort {
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        operation_id: OperationId,
        /// The running controller, where its target is not this file's: a refusal prints its id
        #[arg(long, value_name = "ID", requires = "config")]
        controller: Option<ControllerId>,
    },
    /// Undo the fence and the drain of an operation that has not handed over
    Rollback {
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        operation_id: OperationId,
    },
    /// Answer what an operation asks: try again, go on without a step, or a step is done
    Answer {
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        operation_id: OperationId,
        #[arg(long)]
        step: String,
        /// `done` (or go on without it) or `again`
        #[arg(long)]
        answer: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Accept that no synchronous standby protects the new primary yet
    AcceptUnprotected {
        #[command(flatten)]
        target: Target,
        #[arg(long)]
        operation_id: OperationId,
    },
}

#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// The story in lines
    Show(JournalPath),
    /// Is every record as it was written? Names the first that is not
    Verify(JournalPath),
    /// Every record as a line of JSON
    Export(JournalPath),
    /// The estate's public key, which signs the heads
    Key(JournalPath),
}

#[derive(Debug, Args)]
pub struct JournalPath {
    /// The journal, or its directory [default: the estate's]
    pub path: Option<PathBuf>,
    /// The estate whose journal it is
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub printing: Printing,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Write a configuration to begin with
    Init {
        /// From a running cluster: the REST address of any member; nothing is changed there
        #[arg(long, value_name = "URL")]
        patroni: Option<String>,
        /// The login of Patroni's REST interface, for the file as well
        #[arg(long, value_name = "USER", requires = "patroni", requires = "password_file")]
        user: Option<String>,
        #[arg(long, value_name = "FILE", requires = "user")]
        password_file: Option<PathBuf>,
        /// The CA of the REST interface's certificates, for the file as well [default: the public ones]
        #[arg(long, value_name = "FILE", requires = "patroni")]
        ca: Option<PathBuf>,
        /// [default: standard output]
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        printing: Printing,
    },
    /// Is it understood, and do its figures agree?
    Check {
        file: PathBuf,
        /// Ask the running systems for everything that a failover needs; exit status 1 if anything is missing or wrong
        #[arg(long)]
        live: bool,
        /// Commit one row through each entry point as well
        #[arg(long, requires = "live")]
        write: bool,
        #[command(flatten)]
        printing: Printing,
    },
    /// The JSON Schema, for editors
    Schema(Printing),
}

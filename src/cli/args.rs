//! The words of the command line: every command, with the words that its own file has for it.

use super::analyse::AnalyseCommand;
use super::bc::Continuity;
use super::chaos::ChaosCommand;
use super::config::ConfigCommand;
use super::dashboard::Open;
use super::estate::EstateCommand;
use super::forecast::ForecastWords;
use super::hunt::HuntAsk;
use super::journal::JournalCommand;
use super::lab::LabCommand;
use super::test::TestCommand;
use clap::{Parser, Subcommand};
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

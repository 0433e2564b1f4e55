//! `bpci business-continuity …`, in the words of reference 000.

use super::drill::{self, Drill};
use super::fail::Fail;
use super::open::Target;
use super::operations::{self, Emergency, Operations};
use super::status;
use super::trigger::{self, Move, Trigger};
use super::validate::{self, ValidateAsk};
use clap::Subcommand;

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

pub async fn run(command: Continuity) -> Result<(), Fail> {
    match command {
        Continuity::Status { target, detailed, include_metrics, check } => {
            status::print(&target, detailed, include_metrics, check).await
        }
        Continuity::DisasterRecovery(Recovery::Trigger(ask)) => trigger::recover(ask).await,
        Continuity::Drill(Drill::Execute {
            scenario,
            seed,
            seeds,
            duration,
            validate_recovery,
            generate_report,
            output,
        }) => drill::execute(drill::Ask {
            scenario,
            seed,
            seeds,
            duration,
            validate_recovery,
            generate_report,
            output,
        }),
        Continuity::Recovery(command) => operations::run(command).await,
        Continuity::Validate(ask) => validate::run(ask).await,
        Continuity::Vouch { target, service, note } => operations::vouch(&target, &service, note).await,
        Continuity::Switchover(ask) => trigger::hand_over(ask).await,
        Continuity::Failback(ask) => trigger::hand_over(ask).await,
        Continuity::Disarm(ask) => operations::disarm(&ask).await,
        Continuity::Stop(ask) => operations::stop_countdowns(&ask).await,
    }
}

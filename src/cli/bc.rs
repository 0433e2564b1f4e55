//! `bpci business-continuity …`, in the words of reference 000.

use super::args::{Continuity, Drill, Recovery};
use super::fail::Fail;
use super::{drill, operations, status, trigger, validate};

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

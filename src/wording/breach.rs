//! What a decision would have done against a law.

use crate::model::Breach;

/// How a law would have been broken.
pub fn breach_words(breach: &Breach) -> String {
    match breach {
        Breach::TwoRun { begins, runs } => format!("{begins} begins while {runs} runs on the same group"),
        Breach::GenerationStands { generation } => format!("generation {} does not grow", generation.0),
        Breach::SupersededTooEarly { operation } => {
            format!("{operation} is superseded while it acts, or while an effect of it is open or unknown")
        }
        Breach::ResetUnknown => "a step is tried again while its effect is unknown".to_string(),
        Breach::RecoveredUnseen { operation } => {
            format!("{operation} is called recovered before it was seen")
        }
        Breach::OtherGeneration => "an effect carries another generation than its operation".to_string(),
        Breach::IntendedTwice { effect } => format!("effect {effect} is intended twice"),
        Breach::SentAgain { effect } => {
            format!("«{effect}» is sent again while the last one's outcome is unknown")
        }
        Breach::ReplayActs => "a replay acts".to_string(),
        Breach::NoFencingProof => "a hand-over without fencing proof".to_string(),
        Breach::LossNotAccepted => "a hand-over that may lose writes nobody accepted".to_string(),
    }
}

//! Records, checks and conditions as text: the only home of sentences. It reads what the engine and the model say in types and
//! turns it into words for screens, files and answers.
//!
//! It promises: nothing is decided here, and the same values give the same words. The engine, the hunts and the forecasts do
//! not import it.

mod breach;
mod check;
mod choice;
mod claim;
mod condition;
mod course;
mod database;
mod detection;
mod disaster;
mod forecast;
mod foreign;
mod gap;
mod kinds;
mod names;
mod operation;
mod otherwise;
mod probe;
mod question;
mod readiness;
mod record;
mod refusal;
mod step;
mod story;
mod survey;
mod target;
mod turn;
mod veto;
mod vote;

pub use breach::breach_words;
pub use check::{check_words, figure_words, finding_words, no_proof_words, unconfigured_words};
pub use choice::changed_words;
pub use claim::{claim_lost_words, claim_wait_words, claim_words};
pub use condition::{Headline, about_named, condition_words, headline};
pub use database::{alone_words, by_hand, elected_words, takes_over};
pub use detection::{
    check_told_words, choice_cost_words, disaster_evidence_words, proposal_reason_words, region_reason_words,
};
pub use forecast::{foretold_words, no_figures_words, why_not_words};
pub use foreign::{acts_on_a_line, one_line, quiet_json};
pub use gap::{gap_words, identity_words, source_words};
pub use operation::{accepted_words, closed_words, remains_words, served_after};
pub use otherwise::{otherwise_words, overrule_words};
pub use probe::probe_words;
pub use question::{operation_failure_words, question_words};
pub use readiness::point_words;
pub use refusal::{reason_and_remedy, refusal_words};
pub use step::{
    evidence_words, failure_words, lost_words, outcome_words, reset_words, skip_words, wait_words,
};
pub use story::Story;
pub use survey::{survey_check_words, survey_place, survey_words};
pub use target::{carry_refused_words, difference_words};
pub use veto::{veto_word, veto_words, waiver_words};
pub use vote::{observer_words, says_words, sign_words, tally_words};

//! What the file's content means for a failover.

use super::Judge;
use crate::engine::survey::{Findings, Subject};
use crate::model::*;

impl Judge for ActiveFile {
    fn judge(&self, subject: &Subject, address: &str, answers: &BalancerAnswers, found: &mut Findings) {
        let about = || SurveyAbout::Balancer(address.to_string());
        match answers.admin {
            Some(false) => found.wrong(SurveyCheck::BalancerRights, about(), SurveyFinding::NoAdminRights),
            _ => found.holds(SurveyCheck::BalancerRights, about()),
        }
        let leader = subject.leader();
        let named = answers.servers.iter().find(|s| s.member.is_some() && s.member == leader);
        match named.filter(|s| !s.up) {
            Some(s) => {
                let finding = SurveyFinding::PrimaryNotUp { status: s.status.as_str().into() };
                found.wrong(SurveyCheck::ServerState, about(), finding);
            }
            None => found.holds(SurveyCheck::ServerState, about()),
        }
    }
}

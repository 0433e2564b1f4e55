//! The way to the primary: the entry point, and each route that leads to it.

use crate::engine::kernel::findings::{Findings, Subject};
use crate::engine::kinds;
use crate::model::*;

pub(super) fn judge(subject: &Subject, found: &mut Findings) {
    entry(subject, found);
    let database = subject.database;
    if database.balancers.is_empty() {
        return found.missing(
            SurveyCheck::BalancerAnswers,
            SurveyAbout::Cluster,
            SurveyFinding::NotConfigured,
        );
    }
    for (i, balancer) in database.balancers.iter().enumerate() {
        let address = balancer.address.as_str();
        let about = || SurveyAbout::Balancer(address.to_string());
        match subject.answers.and_then(|a| a.balancers.get(i)) {
            None => found.unknown(SurveyCheck::BalancerAnswers, about()),
            Some(Err(reason)) => found.missing(
                SurveyCheck::BalancerAnswers,
                about(),
                SurveyFinding::NoAnswer { reason: reason.clone() },
            ),
            Some(Ok(answers)) => {
                found.holds(SurveyCheck::BalancerAnswers, about());
                kinds::route(balancer).judge(subject, address, answers, found);
            }
        }
    }
}

fn entry(subject: &Subject, found: &mut Findings) {
    let check = SurveyCheck::Entry;
    let Some(entry) = subject.database.entry.as_ref() else {
        return found.missing(check, SurveyAbout::Cluster, SurveyFinding::NotConfigured);
    };
    let about = || SurveyAbout::Entry(entry.clone());
    let sql = match subject.answers.and_then(|a| a.entry.as_ref()) {
        None if subject.database.sql.is_none() => return,
        None => return found.unknown(check, about()),
        Some(Err(reason)) => {
            return found.missing(check, about(), SurveyFinding::NoAnswer { reason: reason.clone() });
        }
        Some(Ok(sql)) => sql,
    };
    if sql.in_recovery {
        let server = sql.server.as_deref().map(Name::from);
        found.wrong(check, about(), SurveyFinding::LeadsToReplica { server });
    }
    let expected = subject.cx.record(subject.group).and_then(|r| r.initialize.clone());
    if let (Some(found_id), Some(expected)) = (sql.system_id.clone(), expected)
        && found_id != expected
    {
        found.wrong(check, about(), SurveyFinding::OtherSystem { found: found_id, expected });
    }
    if let Some(Err(reason)) = sql.insert.as_ref().filter(|_| sql.table.is_some()) {
        found.wrong(check, about(), SurveyFinding::InsertFailed { reason: reason.clone() });
    }
    found.otherwise_holds(check, about());
}

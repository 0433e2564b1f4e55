//! What HAProxy's own view of its servers means for a failover. Measured on HAProxy 2.6.

use super::Route;
use crate::engine::kernel::findings::{Findings, Subject};
use crate::model::{BalancerAnswers, CheckLayer, Haproxy, MemberId, ServerAnswers, ServerState, Span};
use crate::model::{SurveyAbout, SurveyCheck, SurveyFinding};

/// A check that takes longer than this is told: HAProxy's `timeout check` and `fall` must leave room for it (a choice of ours).
const SLOW: Span = Span::ms(500);

impl Route for Haproxy {
    fn judge(&self, subject: &Subject, address: &str, answers: &BalancerAnswers, found: &mut Findings) {
        rights(answers, &SurveyAbout::Balancer(address.to_string()), found);
        servers(subject, address, &answers.servers, found);
    }
}

/// We may change servers there, and clients still get in.
fn rights(answers: &BalancerAnswers, about: &SurveyAbout, found: &mut Findings) {
    match answers.admin {
        Some(true) => found.holds(SurveyCheck::BalancerRights, about.clone()),
        Some(false) => found.wrong(SurveyCheck::BalancerRights, about.clone(), SurveyFinding::NoAdminRights),
        None => {}
    }
    match answers.sessions {
        Some((used, of)) if u64::from(used) * 100 >= u64::from(of) * 80 => {
            let finding = SurveyFinding::Full { used: used as i32, of: of as i32 };
            found.wrong(SurveyCheck::BalancerLimit, about.clone(), finding);
        }
        Some(_) => found.holds(SurveyCheck::BalancerLimit, about.clone()),
        None => {}
    }
}

fn servers(subject: &Subject, address: &str, list: &[ServerAnswers], found: &mut Findings) {
    let balancer = || SurveyAbout::Balancer(address.to_string());
    let line =
        |s: &ServerAnswers| SurveyAbout::Server { balancer: address.to_string(), server: s.name.clone() };
    if list.is_empty() {
        let finding = SurveyFinding::NoServers { backend: subject.database.backend.as_str().into() };
        return found.wrong(SurveyCheck::BalancerServers, balancer(), finding);
    }
    for server in list.iter().filter(|s| s.member.is_none()) {
        found.wrong(
            SurveyCheck::BalancerServers,
            line(server),
            SurveyFinding::NoMember { address: server.address.clone() },
        );
    }
    for member in subject.database.member_ids().filter(|m| !list.iter().any(|s| s.member == Some(*m))) {
        let finding = SurveyFinding::MemberNotListed { member };
        found.wrong(SurveyCheck::BalancerServers, balancer(), finding);
    }
    if !found.list.iter().any(|s| s.check == SurveyCheck::BalancerServers) {
        found.holds(SurveyCheck::BalancerServers, balancer());
    }
    let leader = subject.leader();
    for server in list {
        state(server, leader, &line(server), found);
        checks(subject, server, &line(server), found);
        limit(server, list, &line(server), found);
    }
    if !found.list.iter().any(|s| s.check == SurveyCheck::BalancerChecks) {
        found.holds(SurveyCheck::BalancerChecks, balancer());
    }
}

/// Traffic would be let through to it when it leads.
fn state(server: &ServerAnswers, leader: Option<MemberId>, about: &SurveyAbout, found: &mut Findings) {
    let check = SurveyCheck::ServerState;
    if server.member.is_none() {
        return;
    }
    if server.state != ServerState::Ready {
        found.wrong(check, about.clone(), SurveyFinding::OutOfService { state: server.state });
    }
    if server.weight == 0 {
        found.wrong(check, about.clone(), SurveyFinding::NoWeight);
    }
    let ready = server.state == ServerState::Ready;
    if leader.is_some() && server.member == leader && ready && !server.up {
        found.wrong(
            check,
            about.clone(),
            SurveyFinding::PrimaryNotUp { status: server.status.as_str().into() },
        );
    }
    if server.backup {
        found.warn(check, about.clone(), SurveyFinding::Backup);
    }
}

/// It may have about as many sessions as the others.
fn limit(server: &ServerAnswers, list: &[ServerAnswers], about: &SurveyAbout, found: &mut Findings) {
    let Some(limit) = server.limit else { return };
    let most = list.iter().map(|s| s.limit.unwrap_or(u32::MAX)).max().unwrap_or(u32::MAX);
    if limit < most / 10 {
        found.wrong(SurveyCheck::BalancerLimit, about.clone(), SurveyFinding::LimitTiny { limit });
    }
}

/// Its check tells a primary from a replica.
fn checks(subject: &Subject, server: &ServerAnswers, about: &SurveyAbout, found: &mut Findings) {
    let (check, leader) = (SurveyCheck::BalancerChecks, subject.leader());
    if server.unchecked {
        return found.wrong(check, about.clone(), SurveyFinding::Unchecked);
    }
    let answers_us = server.member.is_some_and(|m| subject.cx.report(subject.group, m).is_some());
    if server.unreachable && answers_us {
        found.wrong(check, about.clone(), SurveyFinding::CheckUnreachable);
    }
    if server.state != ServerState::Ready {
        return;
    }
    if server.check != CheckLayer::Application {
        return found.wrong(check, about.clone(), SurveyFinding::ChecksTellNothing { layer: server.check });
    }
    if leader.is_some() && server.member.is_some() && server.member != leader && server.up {
        found.wrong(check, about.clone(), SurveyFinding::ReplicaIsUp);
    }
    if let Some(took) = server.check_took.filter(|t| *t > SLOW) {
        found.warn(SurveyCheck::BalancerTiming, about.clone(), SurveyFinding::ChecksSlow { took });
    }
}

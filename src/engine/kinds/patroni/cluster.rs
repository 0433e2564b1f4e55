//! The cluster as the store and its members tell it: is it the configured one, and could somebody take over?

use super::{Unfit, unfit};
use crate::engine::kernel::findings::{Findings, Subject};
use crate::model::*;

pub(in crate::engine) fn judge(subject: &Subject, found: &mut Findings) {
    use SurveyAbout::Cluster;
    scope(subject, found);
    let Some(record) = subject.cx.record(subject.group) else { return };
    if record.config.is_none() && record.members.is_empty() && record.initialize.is_none() {
        let finding = match record.citus {
            true => SurveyFinding::Citus,
            false => SurveyFinding::NotInStore { prefix: subject.database.prefix() },
        };
        return found.wrong(SurveyCheck::Cluster, Cluster, finding);
    }
    found.holds(SurveyCheck::Cluster, Cluster);
    match &record.leader {
        None => found.missing(SurveyCheck::LeaderKey, Cluster, SurveyFinding::NoLeader),
        Some(_) => found.holds(SurveyCheck::LeaderKey, Cluster),
    }
    if let Some(config) = &record.config {
        settings(config, record.sync.as_ref(), found);
    }
    if let Some(request) = record.failover.as_ref().and_then(|f| f.content.as_ref()) {
        let finding =
            StoreFinding::RequestPending { to: request.to.clone(), scheduled: request.scheduled_at.clone() };
        found.wrong(
            SurveyCheck::PendingRequest,
            Cluster,
            SurveyFinding::Check { id: CheckId::PendingRequest, finding: finding.into() },
        );
    }
    system(subject, record, found);
    unlisted(record, found);
    candidate(subject, found);
}

/// No other database of the estate is the same cluster.
fn scope(subject: &Subject, found: &mut Findings) {
    let store = |d: &Database| d.store.iter().map(|e| e.url.clone()).collect::<Vec<_>>();
    let same = |d: &Database| {
        d.prefix() == subject.database.prefix()
            && store(d).iter().any(|url| store(subject.database).contains(url))
    };
    let estate = subject.cx.estate();
    let other = estate
        .group_ids()
        .filter(|g| *g != subject.group)
        .find(|g| subject.cx.database(*g).is_some_and(same));
    if let Some(other) = other {
        let finding = SurveyFinding::SameScope { group: estate.group(other).name.as_str().into() };
        found.wrong(SurveyCheck::ScopeUnique, SurveyAbout::Cluster, finding);
    }
}

fn settings(config: &ConfigKey, sync: Option<&SyncKey>, found: &mut Findings) {
    use SurveyAbout::Cluster;
    if config.paused {
        let finding = SurveyFinding::Check { id: CheckId::Paused, finding: StoreFinding::Paused.into() };
        found.wrong(SurveyCheck::Paused, Cluster, finding);
    } else {
        found.holds(SurveyCheck::Paused, Cluster);
    }
    if config.standby_cluster {
        found.wrong(SurveyCheck::Supported, Cluster, SurveyFinding::StandbyCluster);
    }
    if config.failsafe {
        found.warn(SurveyCheck::Failsafe, Cluster, SurveyFinding::FailsafeOn);
    }
    if !config.synchronous {
        found.wrong(SurveyCheck::SynchronousMode, Cluster, SurveyFinding::Asynchronous);
    } else if sync.is_none_or(|s| s.standbys.is_empty()) {
        // Patroni elects nobody then, and nobody is known to have every acknowledged write.
        found.wrong(SurveyCheck::SynchronousMode, Cluster, SurveyFinding::NoSynchronousStandby);
    } else {
        found.holds(SurveyCheck::SynchronousMode, Cluster);
    }
}

/// All members and the store tell one system identifier.
fn system(subject: &Subject, record: &StoreRecord, found: &mut Findings) {
    let told = |m: MemberId| subject.cx.report(subject.group, m).and_then(|r| r.system_id.clone());
    let expected = record.initialize.clone().or_else(|| subject.database.member_ids().find_map(told));
    let Some(expected) = expected else {
        return found.unknown(SurveyCheck::SystemIdentifier, SurveyAbout::Cluster);
    };
    for member in subject.database.member_ids() {
        if let Some(other) = told(member).filter(|other| *other != expected) {
            let finding = SurveyFinding::OtherSystem { found: other, expected: expected.clone() };
            found.wrong(SurveyCheck::SystemIdentifier, SurveyAbout::Member(member), finding);
        }
    }
    if !found.list.iter().any(|s| s.check == SurveyCheck::SystemIdentifier) {
        found.holds(SurveyCheck::SystemIdentifier, SurveyAbout::Cluster);
    }
}

/// Members of the cluster that the file does not have: neither fence nor drain would reach them.
fn unlisted(record: &StoreRecord, found: &mut Findings) {
    for key in record.members.iter().filter(|k| k.member.is_none()) {
        let leads = record.leader.as_ref().is_some_and(|l| l.name == key.name);
        let finding = SurveyFinding::Unlisted { address: key.address.clone(), leads };
        found.wrong(SurveyCheck::UnlistedMember, SurveyAbout::Stranger(key.name.clone()), finding);
    }
}

/// For each region that leads or could: somebody outside it may take over.
fn candidate(subject: &Subject, found: &mut Findings) {
    let Some(leader) = subject.leader() else { return };
    let (cx, group) = (subject.cx, subject.group);
    let left = cx.left(group, leader, Leaves::Region);
    let others: Vec<MemberId> = subject.database.member_ids().filter(|m| !left.contains(m)).collect();
    let unfit = |m: &MemberId| unfit::of(cx, group, *m);
    if others.iter().any(|m| unfit(m).is_none()) {
        return found.holds(SurveyCheck::Candidate, SurveyAbout::Cluster);
    }
    match others.iter().find_map(|m| Some((*m, unfit(m)?))) {
        // What is wrong with the store or with the whole cluster has a finding of its own.
        Some((_, Unfit { why: Finding::Store(_) | Finding::Cluster(_), .. })) => {}
        Some((member, why)) => {
            let finding = SurveyFinding::Check { id: CheckId::Candidate, finding: why.why };
            // One that may take over at a risk is a choice that a person has.
            let state = if why.at_a_risk { SurveyState::Warning } else { SurveyState::Missing };
            found.add(state, SurveyCheck::Candidate, SurveyAbout::Member(member), finding);
        }
        None => {
            let finding =
                SurveyFinding::Check { id: CheckId::Candidate, finding: CandidateFinding::None.into() };
            found.missing(SurveyCheck::Candidate, SurveyAbout::Cluster, finding);
        }
    }
}

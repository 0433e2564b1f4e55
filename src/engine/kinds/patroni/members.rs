//! Each member: does it answer, is it the configured one, would it let us in, and could it take over?

use crate::engine::kernel::findings::{Findings, Subject};
use crate::model::*;

/// A clock that is off by more than this stops an operation; by more than the second, it is a warning (choices of ours: Patroni's
/// leases are compared within seconds).
const CLOCK_STOPS: i64 = 5_000;
const CLOCK_WARNS: i64 = 1_000;
/// One page of PostgreSQL: a standby that is one record behind is further behind than any less.
const LAG_LIMIT: Bytes = Bytes(8_192);
/// The last version of Patroni in which a thawed leader takes the lock back without asking (measured).
const LOCK_THEFT: Version = Version(3, 0, 2);

pub(in crate::engine) fn judge(subject: &Subject, found: &mut Findings) {
    for member in subject.database.member_ids() {
        let Some(report) = answers(subject, member, found) else { continue };
        identity(subject, member, report, found);
        if subject.leader() != Some(member) {
            standby(subject, member, report, found);
        }
        notes(subject, member, found);
        rest(subject, member, found);
        postgres(subject, member, found);
        clock(subject, member, found);
    }
    leader(subject, found);
    versions(subject, found);
    settings(subject, found);
}

fn answers<'a>(subject: &Subject<'a>, member: MemberId, found: &mut Findings) -> Option<&'a MemberReport> {
    let (check, about) = (SurveyCheck::MemberAnswers, SurveyAbout::Member(member));
    let telemetry = subject.cx.member(subject.group, member)?;
    match (subject.cx.report(subject.group, member), &telemetry.rest.last) {
        (Some(report), _) => {
            found.holds(check, about);
            return Some(report);
        }
        (None, None) => found.unknown(check, about),
        (None, Some(last)) => {
            let finding = match last {
                ProbeResult::Refused => SurveyFinding::Refused,
                ProbeResult::Silent => SurveyFinding::Silent,
                ProbeResult::Unwell(reason) | ProbeResult::NotAsked(reason) => {
                    SurveyFinding::NoAnswer { reason: reason.clone() }
                }
                ProbeResult::Answered { .. } => SurveyFinding::NotAskedYet,
            };
            found.missing(check, about, finding);
        }
    }
    None
}

/// It is the member of the cluster that the file means.
fn identity(subject: &Subject, member: MemberId, report: &MemberReport, found: &mut Findings) {
    let (check, about) = (SurveyCheck::MemberIdentity, || SurveyAbout::Member(member));
    if let Some(scope) = report.scope.as_ref().filter(|scope| ***scope != *subject.database.scope) {
        let finding = SurveyFinding::OtherScope {
            configured: subject.database.scope.as_str().into(),
            found: scope.clone(),
        };
        found.wrong(check, about(), finding);
    }
    let Some(record) = subject.cx.record(subject.group) else { return };
    let listed = record.members.iter().find(|k| k.member == Some(member));
    let configured = subject.database.member(member).and_then(|m| m.name.as_deref());
    match (listed, configured) {
        (None, _) if !record.members.is_empty() => {
            let listed = record.members.iter().map(|k| k.address.as_str().into()).collect();
            found.wrong(check, about(), SurveyFinding::AddressNotListed { listed });
        }
        (Some(key), Some(name)) if *key.name != *name => {
            found.wrong(
                check,
                about(),
                SurveyFinding::OtherName { configured: name.into(), found: key.name.clone() },
            );
        }
        _ => {}
    }
    found.otherwise_holds(check, about());
}

/// A standby runs, streams from the leader, and applies what it receives.
fn standby(subject: &Subject, member: MemberId, report: &MemberReport, found: &mut Findings) {
    let (check, about) = (SurveyCheck::Standby, || SurveyAbout::Member(member));
    if !report.running {
        found.wrong(check, about(), SurveyFinding::NotRunning { state: (&*report.state).into() });
    }
    if report.nofailover {
        found.warn(check, about(), SurveyFinding::Tagged);
    }
    if report.nosync {
        found.warn(check, about(), SurveyFinding::TaggedNosync);
    }
    if let Some(member) =
        subject.member_answers(member).and_then(|a| a.notes.as_ref()?.replicates_from.clone())
    {
        found.wrong(check, about(), SurveyFinding::ReplicatesFrom { member });
    }
    let leads = subject.leader().and_then(|l| subject.cx.report(subject.group, l));
    if let Some(leads) = leads.filter(|_| report.running) {
        let name = subject.name(member);
        if !leads.streams.iter().any(|s| s.name == name && s.streaming) {
            found.wrong(check, about(), SurveyFinding::NotStreaming);
        }
        if let (Some(Timeline(timeline)), Some(Timeline(cluster))) = (report.timeline, leads.timeline)
            && timeline < cluster
        {
            found.wrong(check, about(), SurveyFinding::BehindTimeline { timeline, cluster });
        }
    }
    if let Some(sql) = subject.sql(member).filter(|s| s.in_recovery) {
        if sql.replay_paused {
            found.wrong(check, about(), SurveyFinding::ReplayPaused);
        }
        if sql.apply_delay > Span::ZERO {
            found.wrong(check, about(), SurveyFinding::ApplyDelay { delay: sql.apply_delay });
        }
    }
    found.otherwise_holds(check, about());
}

/// What a member says of itself: could it take the leader key?
fn notes(subject: &Subject, member: MemberId, found: &mut Findings) {
    let about = || SurveyAbout::Member(member);
    let Some(answers) = subject.member_answers(member) else { return };
    let Some(notes) = &answers.notes else { return };
    match notes.watchdog_failed {
        true => found.wrong(SurveyCheck::Watchdog, about(), SurveyFinding::WatchdogFailed),
        false => found.holds(SurveyCheck::Watchdog, about()),
    }
    // Its clock against ours: what may be off by as much is not counted.
    let skew = Span(answers.clock_ahead_ms.unwrap_or(0).unsigned_abs());
    let ttl = answers.settings.map_or(Span::secs(30), |s| s.ttl);
    match notes.store_seen_ago {
        Some(ago) if ago > ttl.plus(skew).plus(Span::secs(2)) => {
            found.wrong(SurveyCheck::StoreSeen, about(), SurveyFinding::StoreNotSeen { ago });
        }
        Some(_) => found.holds(SurveyCheck::StoreSeen, about()),
        None => {}
    }
    if notes.pending_restart {
        found.warn(SurveyCheck::Standby, about(), SurveyFinding::PendingRestart);
    }
}

/// Patroni would take our requests.
fn rest(subject: &Subject, member: MemberId, found: &mut Findings) {
    let (check, about) = (SurveyCheck::RestLogin, SurveyAbout::Member(member));
    match subject.member_answers(member).and_then(|a| a.rest) {
        None => found.unknown(check, about),
        Some(RestTry::Accepted) => found.holds(check, about),
        Some(RestTry::Refused(status)) => found.wrong(check, about, SurveyFinding::RestRefused { status }),
        Some(RestTry::Other(status)) => found.warn(check, about, SurveyFinding::RestUnexpected { status }),
    }
}

/// PostgreSQL lets us in, and shows us what a failover rests on.
fn postgres(subject: &Subject, member: MemberId, found: &mut Findings) {
    let about = || SurveyAbout::Member(member);
    if subject.database.sql.is_none() {
        return;
    }
    let sql = match subject.member_answers(member).and_then(|a| a.sql.as_ref()) {
        None => return found.unknown(SurveyCheck::SqlLogin, about()),
        Some(Err(reason)) => {
            return found.wrong(
                SurveyCheck::SqlLogin,
                about(),
                SurveyFinding::NoAnswer { reason: reason.clone() },
            );
        }
        Some(Ok(sql)) => sql,
    };
    found.holds(SurveyCheck::SqlLogin, about());
    match sql.monitor {
        true => found.holds(SurveyCheck::MonitorRole, about()),
        false => found.wrong(SurveyCheck::MonitorRole, about(), SurveyFinding::NoMonitor),
    }
    if sql.read_only {
        found.wrong(SurveyCheck::Writable, about(), SurveyFinding::ReadOnly);
    }
    let nearly = |(used, of): (i32, i32)| of > 0 && i64::from(used) * 100 >= i64::from(of) * 95;
    if nearly(sql.connections) {
        let (used, of) = sql.connections;
        found.wrong(SurveyCheck::Connections, about(), SurveyFinding::Full { used, of });
    }
    // By what it said of itself then: since, another may have come to lead.
    if subject.member_answers(member).and_then(|a| a.led) == Some(sql.in_recovery) {
        found.wrong(
            SurveyCheck::MemberIdentity,
            about(),
            SurveyFinding::OtherServer { leads: !sql.in_recovery },
        );
    }
    let others = subject.database.member_ids().filter(|m| *m != member);
    let same = |m: MemberId| {
        subject.sql(m).is_some_and(|other| other.server.is_some() && other.server == sql.server)
    };
    if let Some(server) = sql.server.as_deref().filter(|_| others.into_iter().any(same)) {
        found.wrong(
            SurveyCheck::MemberIdentity,
            about(),
            SurveyFinding::SameServer { server: server.into() },
        );
    }
    if !sql.overrides.is_empty() {
        found.wrong(
            SurveyCheck::SettingOverrides,
            about(),
            SurveyFinding::Overrides { settings: sql.overrides.clone() },
        );
    }
    if sql.commits_alone {
        found.wrong(SurveyCheck::SynchronousCommit, about(), SurveyFinding::CommitsAlone);
    }
    if sql.senders.1 <= sql.senders.0 {
        let (used, of) = sql.senders;
        found.wrong(SurveyCheck::WalSenders, about(), SurveyFinding::Full { used, of });
    }
    if sql.archive_fails {
        found.wrong(SurveyCheck::Archive, about(), SurveyFinding::ArchiveFails);
    }
}

fn clock(subject: &Subject, member: MemberId, found: &mut Findings) {
    let Some(answers) = subject.member_answers(member) else { return };
    // The date of an HTTP reply has whole seconds.
    let told = |a: &MemberAnswers| a.clock_ahead_ms.map(|ms| if ms.abs() <= 1_500 { 0 } else { ms });
    let sql = answers.sql.as_ref().and_then(|s| s.as_ref().ok()).map(|s| s.clock_ahead_ms);
    let Some(ahead_ms) = sql.or_else(|| told(answers)) else { return };
    let (check, about, finding) =
        (SurveyCheck::Clock, SurveyAbout::Member(member), SurveyFinding::ClockOff { ahead_ms });
    match ahead_ms.abs() {
        CLOCK_STOPS.. => found.wrong(check, about, finding),
        CLOCK_WARNS.. => found.warn(check, about, finding),
        _ => found.holds(check, about),
    }
}

/// What only the primary can tell: the validating write.
fn leader(subject: &Subject, found: &mut Findings) {
    let Some(leader) = subject.leader() else { return };
    let about = || SurveyAbout::Member(leader);
    if subject.database.sql.is_none() {
        return found.missing(SurveyCheck::SqlLogin, SurveyAbout::Cluster, SurveyFinding::NotConfigured);
    }
    let Some(sql) = subject.sql(leader) else { return found.unknown(SurveyCheck::ValidationTable, about()) };
    let Some(table) = sql.table else {
        return found.missing(SurveyCheck::ValidationTable, about(), SurveyFinding::TableMissing);
    };
    let check = SurveyCheck::ValidationTable;
    if !(table.may_select && table.may_insert && table.may_update) {
        let TableAnswers { may_select: select, may_insert: insert, may_update: update, .. } = table;
        found.wrong(check, about(), SurveyFinding::TablePrivileges { select, insert, update });
    }
    if table.unlogged {
        found.wrong(check, about(), SurveyFinding::TableUnlogged);
    }
    if !table.fits {
        found.wrong(check, about(), SurveyFinding::TableShape);
    }
    found.otherwise_holds(check, about());
    match &sql.insert {
        None => found.unknown(SurveyCheck::ValidationInsert, about()),
        Some(Ok(())) => found.holds(SurveyCheck::ValidationInsert, about()),
        Some(Err(reason)) => found.wrong(
            SurveyCheck::ValidationInsert,
            about(),
            SurveyFinding::InsertFailed { reason: reason.clone() },
        ),
    }
}

fn versions(subject: &Subject, found: &mut Findings) {
    use SurveyAbout::Cluster;
    let sql = || subject.database.member_ids().filter_map(|m| subject.sql(m)).map(|s| s.version);
    let major = |version: i32| version / 10_000;
    let majors: std::collections::BTreeSet<i32> = sql().map(major).collect();
    let all: std::collections::BTreeSet<i32> = sql().collect();
    let words = || all.iter().map(|v| Name::from(PostgresVersion(*v).to_string())).collect();
    match (majors.len(), all.len()) {
        (0, _) => {}
        (1, 1) => found.holds(SurveyCheck::Versions, Cluster),
        (1, _) => {
            found.warn(SurveyCheck::Versions, Cluster, SurveyFinding::VersionsDiffer { versions: words() })
        }
        _ => found.wrong(SurveyCheck::Versions, Cluster, SurveyFinding::VersionsDiffer { versions: words() }),
    }
    let old =
        subject.database.member_ids().filter_map(|m| subject.cx.report(subject.group, m)).map(|r| r.version);
    if let Some(version) = old.filter(|v| *v > Version::default() && *v <= LOCK_THEFT).min() {
        found.warn(SurveyCheck::Versions, Cluster, SurveyFinding::OldPatroni { version });
    }
}

fn settings(subject: &Subject, found: &mut Findings) {
    use SurveyAbout::Cluster;
    let Some(settings) = subject.database.member_ids().find_map(|m| subject.member_answers(m)?.settings)
    else {
        return;
    };
    let SettingAnswers { ttl, loop_wait, retry_timeout, .. } = settings;
    // Patroni's documentation: loop_wait + 2 * retry_timeout <= ttl.
    match loop_wait.plus(retry_timeout.times(2)) > ttl {
        true => found.wrong(
            SurveyCheck::LeaseTiming,
            Cluster,
            SurveyFinding::LeaseTooShort { ttl, loop_wait, retry_timeout },
        ),
        false => found.holds(SurveyCheck::LeaseTiming, Cluster),
    }
    let rto = subject.cx.estate().targets(subject.group).0;
    match ttl > rto {
        true => found.wrong(SurveyCheck::LeaseWithinRto, Cluster, SurveyFinding::LeaseOverRto { ttl, rto }),
        false => found.holds(SurveyCheck::LeaseWithinRto, Cluster),
    }
    let timeout = settings.primary_start_timeout;
    match timeout > rto {
        true => found.wrong(
            SurveyCheck::PrimaryStartTimeout,
            Cluster,
            SurveyFinding::StartsForLong { timeout, rto },
        ),
        false => found.holds(SurveyCheck::PrimaryStartTimeout, Cluster),
    }
    match settings.maximum_lag < LAG_LIMIT {
        true => found.wrong(
            SurveyCheck::MaximumLag,
            Cluster,
            SurveyFinding::LagLimitTiny { limit: settings.maximum_lag },
        ),
        false => found.holds(SurveyCheck::MaximumLag, Cluster),
    }
    if settings.pre_promote {
        found.wrong(SurveyCheck::PrePromote, Cluster, SurveyFinding::PromotionScript);
    }
    match settings.use_slots {
        true => found.holds(SurveyCheck::ReplicationSlots, Cluster),
        false => found.wrong(SurveyCheck::ReplicationSlots, Cluster, SurveyFinding::NoSlots),
    }
    if settings.use_pg_rewind && settings.removes_data {
        found.warn(SurveyCheck::Rewind, Cluster, SurveyFinding::RemovesData);
    }
    let leader = subject.leader().and_then(|l| subject.sql(l));
    if settings.use_pg_rewind && leader.is_some_and(|s| !s.can_rewind) {
        found.warn(SurveyCheck::Rewind, Cluster, SurveyFinding::CannotRewind);
    }
    found.otherwise_holds(SurveyCheck::Rewind, Cluster);
}

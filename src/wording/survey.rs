//! Findings of the survey as text: what was found, and what to do about it.

use super::finding_words;
use super::kinds::route_words;
use crate::model::*;

/// What a finding is about, in the words of the estate.
pub fn survey_place(s: &Surveyed, estate: &Estate, group: GroupId) -> String {
    let member = |m: MemberId| {
        let url =
            estate.group(group).database.as_ref().and_then(|d| d.member(m)).map_or("", |m| m.rest.as_str());
        format!("{} ({url})", estate.member_label(group, m, None))
    };
    match &s.about {
        SurveyAbout::Cluster => "the cluster".to_string(),
        SurveyAbout::Member(m) => member(*m),
        SurveyAbout::Stranger(name) => name.to_string(),
        SurveyAbout::Endpoint(url) => format!("etcd {url}"),
        SurveyAbout::Balancer(address) => format!("{} {address}", route_words(estate, address).title),
        SurveyAbout::Server { balancer, server } => {
            format!("server {server} of {} {balancer}", route_words(estate, balancer).title)
        }
        SurveyAbout::Entry(address) => format!("entry point {address}"),
        SurveyAbout::Fence => "the fence".to_string(),
        SurveyAbout::Region(r) => format!("without {}", estate.region(*r).name),
    }
}

/// The name of a check, as people read it.
pub fn survey_check_words(check: SurveyCheck) -> String {
    check.name().replace('_', " ")
}

/// What was found, and what to do; where all is well, no remedy.
pub fn survey_words(s: &Surveyed, estate: &Estate, group: GroupId) -> (String, String) {
    let (found, remedy) = match &s.finding {
        SurveyFinding::Good => ("as it should be".to_string(), String::new()),
        SurveyFinding::Check { finding, .. } => (finding_words(finding), check_remedy(s.check).to_string()),
        SurveyFinding::NotAskedYet => ("not measured yet".to_string(), String::new()),
        SurveyFinding::NotConfigured => not_configured(s.check),
        SurveyFinding::NoAnswer { reason } => {
            let remedy = match &s.about {
                SurveyAbout::Balancer(address) => route_words(estate, address).no_answer,
                _ => no_answer(s.check),
            };
            (reason.clone(), remedy.to_string())
        }
        SurveyFinding::Refused => (
            "connection refused".to_string(),
            "check that Patroni runs there and that the address is right".to_string(),
        ),
        SurveyFinding::Silent => {
            ("no answer in time".to_string(), "check the address, the firewall and the route".to_string())
        }
        other => store(other, estate)
            .or_else(|| cluster(other, estate))
            .or_else(|| server(other, estate, group))
            .or_else(|| route(other, estate, group))
            .or_else(|| fence(other, estate))
            .unwrap_or_default(),
    };
    (found, remedy)
}

fn check_remedy(check: SurveyCheck) -> &'static str {
    match check {
        SurveyCheck::Paused => "run `patronictl resume`",
        SurveyCheck::PendingRequest => "wait for it, or cancel it with `patronictl flush CLUSTER switchover`",
        SurveyCheck::Candidate => {
            "bring a standby outside the primary's region into a state in which it can take over"
        }
        _ => "",
    }
}

fn not_configured(check: SurveyCheck) -> (String, String) {
    let (found, remedy) = match check {
        SurveyCheck::StoreAnswers => (
            "no etcd endpoint is configured: a failover has to wait for the lease",
            "write them under `patroni.etcd`",
        ),
        SurveyCheck::SqlLogin => (
            "no PostgreSQL login is configured: nothing can prove that writes work",
            "write `patroni.postgres`",
        ),
        SurveyCheck::BalancerAnswers => {
            ("no HAProxy is configured: traffic is not led to the new primary", "write `traffic.haproxy`")
        }
        SurveyCheck::Entry => (
            "no entry point is configured: nothing can prove that users are served",
            "write `traffic.haproxy.write`",
        ),
        SurveyCheck::Fence => {
            ("no fence is configured: the old primary cannot be proven off", "write `fence`")
        }
        _ => ("not configured", ""),
    };
    (found.to_string(), remedy.to_string())
}

const fn no_answer(check: SurveyCheck) -> &'static str {
    match check {
        SurveyCheck::StoreAnswers => {
            "check the address under `patroni.etcd`, TLS and the login, or remove the endpoint"
        }
        SurveyCheck::StoreWritable => "check etcd's log: an operation could not record its claim",
        SurveyCheck::SqlLogin => "check `patroni.postgres`, the password file, pg_hba.conf and the role",
        SurveyCheck::Entry => {
            "check `traffic.haproxy.write`, pg_hba.conf for the balancer's address, and the login"
        }
        _ => "check the address and what answers there",
    }
}

fn store(finding: &SurveyFinding, estate: &Estate) -> Option<(String, String)> {
    let region = |r: &RegionId| estate.region(*r).name.clone();
    let (found, remedy): (String, &str) = match finding {
        SurveyFinding::NoLeader => {
            ("there is no leader key: the cluster has no primary".into(), "check Patroni on every member")
        }
        SurveyFinding::NotInStore { prefix } => (
            format!("etcd has no cluster under {prefix}"),
            "check `scope`, `namespace` and the etcd endpoints against patroni.yml",
        ),
        SurveyFinding::Unhealthy { reason } => (format!("etcd reports: {reason}"), "repair this etcd member"),
        SurveyFinding::Alarm(StoreAlarm::NoSpace) => (
            "alarm NOSPACE: etcd takes no writes".into(),
            "compact, defragment and `etcdctl alarm disarm`; raise --quota-backend-bytes",
        ),
        SurveyFinding::Alarm(StoreAlarm::Corrupt) => {
            ("alarm CORRUPT: a member's data differs".into(), "replace the corrupt etcd member")
        }
        SurveyFinding::Alarm(StoreAlarm::Other(name)) => {
            (format!("alarm {name}"), "look up the alarm with `etcdctl alarm list`")
        }
        SurveyFinding::NoStoreLeader => (
            "this etcd member knows no leader".into(),
            "check the quorum of etcd and the network between its members",
        ),
        SurveyFinding::EndpointIsLearner => {
            ("a learner: it has no vote".into(), "promote it, or name a voter instead")
        }
        SurveyFinding::WriteDenied { prefix } => (
            format!("permission denied for writes under {prefix}"),
            "grant the role readwrite with prefix on it (`etcdctl role grant-permission`)",
        ),
        SurveyFinding::LoginNeeded { reason } => (
            format!("etcd refuses the login: {reason}"),
            "write `user` and `password_file` under `patroni.etcd`",
        ),
        SurveyFinding::NoSpace => {
            ("etcd has no space left for writes".into(), "compact, defragment and `etcdctl alarm disarm`")
        }
        SurveyFinding::OneVoter => (
            "etcd has 1 voter: if it fails, no failover is possible".into(),
            "run 3 or 5 voters in at least 3 places",
        ),
        SurveyFinding::EvenVoters { count } => (
            format!("etcd has {count} voters: an even number tolerates no more failures than one fewer"),
            "use an odd number of voters",
        ),
        SurveyFinding::QuorumLost { without, left, of } => (
            format!(
                "without {}, {left} of {of} etcd voters are left: no quorum, no failover",
                region(without)
            ),
            "move voters to other regions",
        ),
        SurveyFinding::PlacesUnknown { without, unplaced, of } => (
            format!(
                "the region of {unplaced} of {of} etcd voters is not declared; they may stand in {}",
                region(without)
            ),
            "write `etcd: [{ url: ..., region: ... }]` for each voter",
        ),
        SurveyFinding::VoterNeverStarted => (
            "a voter that was added and never started: it counts for the quorum".into(),
            "start it, or `etcdctl member remove`",
        ),
        SurveyFinding::VoterUnreachable { name } => (
            format!("the client address that etcd member {name} advertises does not answer"),
            "correct --advertise-client-urls: Patroni uses those addresses",
        ),
        SurveyFinding::NearQuota { used, of } => (
            format!("etcd uses {used} of its quota of {of}; when it is full, it takes no writes"),
            "compact and defragment, or raise --quota-backend-bytes",
        ),
        SurveyFinding::PeersFarApart { round_trip } => (
            format!("etcd members are {round_trip} apart; the default heartbeat interval is 100 ms"),
            "set --heartbeat-interval to the round trip and --election-timeout to 10 times that",
        ),
        _ => return None,
    };
    Some((found, remedy.to_string()))
}

fn cluster(finding: &SurveyFinding, estate: &Estate) -> Option<(String, String)> {
    let _ = estate;
    let (found, remedy): (String, &str) = match finding {
        SurveyFinding::Citus => ("Citus groups are not supported".into(), "use bpci for clusters without Citus"),
        SurveyFinding::StandbyCluster => {
            ("a standby cluster: its leader follows another cluster".into(), "promote the cluster instead; bpci does not fail over standby clusters")
        }
        SurveyFinding::OtherName { configured, found } => {
            (format!("Patroni calls this member {found}, the file says {configured}"), "correct `name` or `url` in `patroni.members`")
        }
        SurveyFinding::OtherScope { configured, found } => {
            (format!("it belongs to scope {found}, not {configured}"), "correct `scope` or the member's address")
        }
        SurveyFinding::AddressNotListed { listed } => (
            format!("no member in etcd has this REST address; etcd lists {}", listed.join_names()),
            "write the address of `restapi.connect_address`, or `{ name: ..., url: ... }`",
        ),
        SurveyFinding::Unlisted { address, leads: true } => {
            (format!("it leads the cluster and is not in the file ({address})"), "add it to `patroni.members` under its region")
        }
        SurveyFinding::Unlisted { address, leads: false } => (
            format!("a member of the cluster that is not in the file ({address}): it would be neither fenced nor drained"),
            "add it to `patroni.members` under its region",
        ),
        SurveyFinding::OtherSystem { found, expected } => {
            (format!("system identifier {found}, not {expected}: another database cluster"), "correct the address")
        }
        SurveyFinding::SameScope { group } => (format!("{group} is the same cluster"), "name each cluster once"),
        SurveyFinding::Asynchronous => (
            "replication is asynchronous: every failover may lose acknowledged writes".into(),
            "set `synchronous_mode: true` (`patronictl edit-config`)",
        ),
        SurveyFinding::NoSynchronousStandby => (
            "synchronous mode is on, and no standby is synchronous: Patroni elects nobody, and no failover is without loss".into(),
            "let a standby stream from the primary, without the tag `nosync`; /sync names it within seconds",
        ),
        SurveyFinding::FailsafeOn => (
            "failsafe_mode is on: while the old primary reaches its standbys they honour it".into(),
            "know that a failover can take up to ttl longer",
        ),
        SurveyFinding::LeaseTooShort { ttl, loop_wait, retry_timeout } => (
            format!("ttl {ttl} is less than loop_wait {loop_wait} + 2 x retry_timeout {retry_timeout}"),
            "raise ttl, or lower retry_timeout (`patronictl edit-config`)",
        ),
        SurveyFinding::LeaseOverRto { ttl, rto } => {
            (format!("the lease (ttl {ttl}) lasts longer than the RTO of {rto}: Patroni alone acts too late"), "lower ttl (`patronictl edit-config`)")
        }
        SurveyFinding::StartsForLong { timeout, rto } => (
            format!("primary_start_timeout is {timeout}, the RTO {rto}: Patroni restarts a broken primary for too long"),
            "lower primary_start_timeout (`patronictl edit-config`)",
        ),
        SurveyFinding::LagLimitTiny { limit } => (
            format!("maximum_lag_on_failover is {limit}: one record of lag bars every standby"),
            "raise it to at least 1 MB (`patronictl edit-config`)",
        ),
        SurveyFinding::PromotionScript => (
            "a pre_promote script decides whether anybody is promoted; what it will say cannot be known".into(),
            "make sure that it succeeds without the lost region, or remove it",
        ),
        SurveyFinding::NoSlots => {
            ("use_slots is off: WAL that a standby still needs is removed".into(), "set use_slots: true (`patronictl edit-config`)")
        }
        _ => return None,
    };
    Some((found, remedy.to_string()))
}

/// Names with commas between them.
trait JoinNames {
    fn join_names(&self) -> String;
}

impl JoinNames for Vec<Name> {
    fn join_names(&self) -> String {
        self.iter().map(|n| &**n).collect::<Vec<_>>().join(", ")
    }
}

fn server(finding: &SurveyFinding, _: &Estate, _: GroupId) -> Option<(String, String)> {
    let (found, remedy): (String, &str) = match finding {
        SurveyFinding::TaggedNosync => (
            "tagged nosync: it is never the synchronous standby".into(),
            "remove the tag if it is meant to take over",
        ),
        SurveyFinding::ReplicatesFrom { member } => (
            format!("it replicates from {member}, not from the primary"),
            "remove the tag replicatefrom if it is meant to take over",
        ),
        SurveyFinding::WatchdogFailed => (
            "its watchdog is required and cannot be used: it is never promoted".into(),
            "load the watchdog module, and give Patroni the device",
        ),
        SurveyFinding::StoreNotSeen { ago } => (
            format!("it last reached etcd {ago} ago: it cannot take the leader key"),
            "check its way to etcd",
        ),
        SurveyFinding::PendingRestart => {
            ("settings wait for a restart".into(), "`patronictl restart` the member")
        }
        SurveyFinding::Overrides { settings } => (
            format!("postgresql.auto.conf overrides Patroni: {}", settings.join_names()),
            "ALTER SYSTEM RESET there, and set it with `patronictl edit-config`",
        ),
        SurveyFinding::CommitsAlone => {
            ("synchronous_commit is local or off: commits do not wait for a standby".into(), "set it to on")
        }
        SurveyFinding::OtherServer { leads: true } => (
            "the server at its SQL address is a primary, and the member is not".into(),
            "correct postgresql.connect_address in patroni.yml",
        ),
        SurveyFinding::OtherServer { leads: false } => (
            "the server at its SQL address is a standby, and the member leads".into(),
            "correct postgresql.connect_address in patroni.yml",
        ),
        SurveyFinding::SameServer { server } => (
            format!("another member has the same SQL address, {server}"),
            "correct postgresql.connect_address in patroni.yml",
        ),
        SurveyFinding::Tagged => ("tagged nofailover".into(), "remove the tag if it is meant to take over"),
        SurveyFinding::NotRunning { state } => {
            (format!("PostgreSQL is not running: {state}"), "start or reinitialise the member")
        }
        SurveyFinding::NotStreaming => (
            "it does not stream from the primary".into(),
            "check primary_conninfo, pg_hba.conf, the slot and the network",
        ),
        SurveyFinding::BehindTimeline { timeline, cluster } => (
            format!("it is on timeline {timeline}, the primary on {cluster}"),
            "`patronictl reinit` the member",
        ),
        SurveyFinding::ReplayPaused => {
            ("replay is paused".into(), "run `SELECT pg_wal_replay_resume()` there")
        }
        SurveyFinding::ApplyDelay { delay } => (
            format!("recovery_min_apply_delay is {delay}: a promotion waits until it has caught up"),
            "set it to 0, or tag the member nofailover",
        ),
        SurveyFinding::RestRefused { status } => (
            format!("HTTP {status} for a change request"),
            "write the REST login under `patroni.rest` (`restapi.authentication` in patroni.yml)",
        ),
        SurveyFinding::RestUnexpected { status } => (
            format!("HTTP {status} for an empty change request"),
            "check what stands before Patroni's REST API",
        ),
        SurveyFinding::NoMonitor => {
            ("the role lacks pg_monitor: replication cannot be seen".into(), "GRANT pg_monitor TO the role")
        }
        SurveyFinding::TableMissing => (
            "table bpci_validation is missing: no write can be validated".into(),
            "CREATE TABLE bpci_validation (id int PRIMARY KEY, effect text, at timestamptz)",
        ),
        SurveyFinding::TablePrivileges { select, insert, update } => {
            let lacks = [(*select, "SELECT"), (*insert, "INSERT"), (*update, "UPDATE")];
            let lacks: Vec<_> = lacks.iter().filter(|(has, _)| !has).map(|(_, name)| *name).collect();
            (
                format!("no {} on bpci_validation", lacks.join(", ")),
                "GRANT SELECT, INSERT, UPDATE ON bpci_validation TO the role",
            )
        }
        SurveyFinding::TableUnlogged => {
            ("bpci_validation is not replicated".into(), "ALTER TABLE bpci_validation SET LOGGED")
        }
        SurveyFinding::TableShape => (
            "bpci_validation lacks a column or its unique id".into(),
            "recreate it: (id int PRIMARY KEY, effect text, at timestamptz)",
        ),
        SurveyFinding::InsertFailed { reason } => {
            (format!("a write fails: {reason}"), "repair what it names; a failover could not be validated")
        }
        SurveyFinding::ReadOnly => {
            ("default_transaction_read_only is on: writes fail after a promotion".into(), "reset it")
        }
        SurveyFinding::Full { used, of } => {
            (format!("{used} of {of} are used"), "raise the limit, or close what is idle")
        }
        SurveyFinding::ArchiveFails => {
            ("WAL archiving fails: pg_wal grows until the disk is full".into(), "repair archive_command")
        }
        SurveyFinding::VersionsDiffer { versions } => (
            format!("PostgreSQL versions differ: {}", versions.join_names()),
            "bring all members to one version",
        ),
        SurveyFinding::OldPatroni { version } => (
            format!("Patroni {version}: a thawed primary can take the leader key back"),
            "upgrade Patroni to 3.0.3 or later",
        ),
        SurveyFinding::RemovesData => (
            "a failed pg_rewind removes the old primary's data, with writes that were never replicated"
                .into(),
            "unset remove_data_directory_on_rewind_failure and ..._on_diverged_timelines",
        ),
        SurveyFinding::CannotRewind => (
            "use_pg_rewind is on, and neither data checksums nor wal_log_hints are".into(),
            "turn wal_log_hints on, or enable checksums",
        ),
        SurveyFinding::ClockOff { ahead_ms } => {
            let (by, word) =
                (Span(ahead_ms.unsigned_abs()), if *ahead_ms > 0 { "ahead of" } else { "behind" });
            (
                format!("its clock is {by} {word} this machine's"),
                "check time synchronisation (chrony, ntpd) on both",
            )
        }
        _ => return None,
    };
    Some((found, remedy.to_string()))
}

fn route(finding: &SurveyFinding, estate: &Estate, group: GroupId) -> Option<(String, String)> {
    let (found, remedy): (String, &str) = match finding {
        SurveyFinding::LeadsToReplica { server } => {
            let server = server.as_deref().map_or(String::new(), |s| format!(" ({s})"));
            (
                format!("it leads to a replica{server}"),
                "check `traffic.haproxy.write` and the health check of the backend",
            )
        }
        SurveyFinding::NoServers { backend } => {
            (format!("backend {backend} has no servers"), "check `traffic.haproxy.backend`")
        }
        SurveyFinding::NoMember { address } => (
            format!("{address} is no member of the cluster"),
            "correct the server line: the address must be the member's connect_address",
        ),
        SurveyFinding::MemberNotListed { member } => {
            let name = estate.member_label(group, *member, None);
            (
                format!("it has no server for {name}: after a failover to it, nobody is served"),
                "add a server line for it",
            )
        }
        SurveyFinding::ChecksTellNothing { layer: CheckLayer::None } => (
            "it has no health check: it counts as up for ever".into(),
            "add `check port 8008` with `option httpchk OPTIONS /primary`",
        ),
        SurveyFinding::ChecksTellNothing { .. } => (
            "its check only opens a connection: a replica looks like a primary".into(),
            "use `option httpchk OPTIONS /primary` on Patroni's REST port",
        ),
        SurveyFinding::ReplicaIsUp => (
            "a replica counts as up in the write backend".into(),
            "check for /primary, not for /health or /replica",
        ),
        SurveyFinding::PrimaryNotUp { status } => {
            (format!("the primary's server is {status}"), "check the health check's port and path")
        }
        SurveyFinding::OutOfService { state } => match state {
            ServerState::Drain => ("it is draining".into(), "`set server BACKEND/SERVER state ready`"),
            ServerState::Unresolved => {
                ("its name cannot be resolved".into(), "check the `resolvers` section, or write an address")
            }
            _ => (
                "it is in maintenance: after a failover to it, nobody is served".into(),
                "`set server BACKEND/SERVER state ready`",
            ),
        },
        SurveyFinding::NoWeight => ("its weight is 0: it gets no connections".into(), "set a weight"),
        SurveyFinding::Backup => (
            "a backup server: it serves only when no other is up".into(),
            "remove `backup`: the check already decides",
        ),
        SurveyFinding::CheckUnreachable => (
            "its health check cannot reach the member, which answers us".into(),
            "correct `check port` and the address, or the firewall between HAProxy and the member",
        ),
        SurveyFinding::Unchecked => {
            ("its health checks are switched off".into(), "`enable health BACKEND/SERVER`")
        }
        SurveyFinding::LimitTiny { limit } => (
            format!("its maxconn is {limit}, far below the others'"),
            "`set maxconn server BACKEND/SERVER N`",
        ),
        SurveyFinding::NoAdminRights => (
            "the runtime API may not change servers: nothing can be drained".into(),
            "set `level admin` on the stats socket",
        ),
        SurveyFinding::ChecksSlow { took } => {
            (format!("its last check took {took}"), "leave room for it in `timeout check` and `inter`")
        }
        _ => return None,
    };
    Some((found, remedy.to_string()))
}

fn fence(finding: &SurveyFinding, estate: &Estate) -> Option<(String, String)> {
    let role = |r: &CommandRole| match r {
        CommandRole::Exec => "exec",
        CommandRole::Check => "check",
        CommandRole::Undo => "undo",
    };
    let (found, remedy): (String, &str) = match finding {
        SurveyFinding::FileUnusable { role: r, program, reason } => {
            (format!("{} `{program}`: {reason}", role(r)), "install it on this machine, or correct `fence`")
        }
        SurveyFinding::NotExecutable { role: r, program } => {
            (format!("{} `{program}` is not executable", role(r)), "chmod 755 it")
        }
        SurveyFinding::NotOwned { role: r, program } => {
            (format!("{} `{program}` is not owned by root", role(r)), "chown root it")
        }
        SurveyFinding::WritableByOthers { role: r, program } => (
            format!("{} `{program}` can be changed by others", role(r)),
            "remove write access for group and others from it and its directory",
        ),
        SurveyFinding::NamesInShell { role: r } => (
            format!("{} gives names to a shell as part of its text", role(r)),
            "call a program with fixed words: [fence-node, \"{region}\", \"{member}\"]",
        ),
        SurveyFinding::NoCheckCommand => {
            ("the fence has no check: whether it works is not known".into(), "write `fence.check`")
        }
        SurveyFinding::FenceCheckFailed { reason } => {
            (format!("the fence's check fails: {reason}"), "run the check by hand on this machine")
        }
        SurveyFinding::NeedsItsRegion { region } => (
            format!(
                "the fence needs {}, one of the regions that it is to fence",
                estate.region(*region).name
            ),
            "use a fence that works from elsewhere",
        ),
        _ => return None,
    };
    Some((found, remedy.to_string()))
}

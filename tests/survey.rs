//! What the survey finds: an estate in which all is well, and one thing changed at a time.

use bpci::config;
use bpci::controller::Simulation;
use bpci::engine::Engine;
use bpci::journal::Journal;
use bpci::model::*;

const NOW: Utc = Utc(1_767_225_600_000);

struct World {
    engine: Engine,
    now: Now,
    group: GroupId,
    database: Database,
}

/// The built-in estate at rest, with its first database that has everything.
fn world() -> World {
    let mut scenario = config::embedded("calm").unwrap_or_else(|e| panic!("{e}"));
    let estate = &mut scenario.estate;
    let group = estate.group_ids().find(|g| {
        estate.group(*g).database.as_ref().is_some_and(|d| d.fence.is_some() && !d.balancers.is_empty())
    });
    let group = group.unwrap_or_else(|| panic!("no database with a fence and a balancer"));
    let database = estate.groups[group.at()].database.as_mut().unwrap_or_else(|| panic!("no database"));
    database.entry.get_or_insert("10.0.0.9:5000".to_string());
    database.sql.get_or_insert(Sql {
        user: "bpci".to_string(),
        password_file: None,
        credential: None,
        dbname: "postgres".to_string(),
    });
    if let Some(fence) = &mut database.fence {
        fence.depends_on.clear();
        fence.check.get_or_insert(vec!["true".to_string()]);
    }
    let database = database.clone();
    let mut simulation = Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, NOW)
        .unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(Mono(5_000)).unwrap_or_else(|e| panic!("{e}"));
    World { engine: simulation.core.engine.clone(), now: simulation.now(), group, database }
}

impl World {
    fn leader(&self) -> MemberId {
        self.engine
            .snapshot(self.now, None)
            .group(self.group)
            .and_then(|v| v.leader)
            .unwrap_or_else(|| panic!("nobody leads"))
    }

    fn found(&self, answers: SurveyAnswers) -> Vec<Surveyed> {
        let mut engine = self.engine.clone();
        let fact = Fact::Survey { group: self.group, answers: Box::new(answers) };
        engine.observe(self.now, Observation { at: self.now.mono, fact });
        engine.survey(self.now, self.group)
    }

    /// What the systems answer where all is well.
    fn good(&self) -> SurveyAnswers {
        let leader = self.leader();
        let voter = |i: usize| VoterAnswers {
            name: format!("etcd-{i}"),
            endpoint: Some(i),
            learner: false,
            started: true,
            answers: true,
        };
        let count = self.database.store.len();
        SurveyAnswers {
            store: StoreAnswers {
                endpoints: vec![Ok(EndpointAnswers { led: true, ..EndpointAnswers::default() }); count],
                voters: (0..count).map(voter).collect(),
                writes: vec![
                    (self.database.prefix(), WriteTry::Allowed),
                    (self.database.own_prefix(), WriteTry::Allowed),
                ],
                peer_round_trip: Some(Span::ms(3)),
                quota: Some((Bytes(100), Bytes(1_000))),
                alarms: Vec::new(),
            },
            members: self.database.member_ids().map(|m| good_member(m == leader, m)).collect(),
            entry: Some(Ok(good_sql(true, leader))),
            balancers: self
                .database
                .balancers
                .iter()
                .map(|_| Ok(good_balancer(&self.database, leader)))
                .collect(),
            fence: vec![CommandAnswers {
                role: CommandRole::Exec,
                program: "fence".to_string(),
                file: Ok(good_file()),
                names_in_shell: false,
            }],
        }
    }
}

fn good_file() -> FileAnswers {
    FileAnswers { executable: true, owned: true, writable: false }
}

fn good_member(leads: bool, id: MemberId) -> MemberAnswers {
    MemberAnswers {
        led: Some(leads),
        rest: Some(RestTry::Accepted),
        settings: Some(SettingAnswers {
            ttl: Span::secs(30),
            loop_wait: Span::secs(10),
            retry_timeout: Span::secs(10),
            primary_start_timeout: Span::secs(60),
            maximum_lag: Bytes(1_048_576),
            pre_promote: false,
            use_slots: true,
            use_pg_rewind: true,
            removes_data: false,
        }),
        notes: Some(MemberNotes { store_seen_ago: Some(Span::secs(1)), ..MemberNotes::default() }),
        clock_ahead_ms: Some(0),
        sql: Some(Ok(good_sql(leads, id))),
    }
}

fn good_sql(leads: bool, id: MemberId) -> SqlAnswers {
    SqlAnswers {
        server: Some(format!("10.0.0.{}:5432", id.0)),
        in_recovery: !leads,
        version: 150_018,
        monitor: true,
        table: Some(TableAnswers {
            may_select: true,
            may_insert: true,
            may_update: true,
            unlogged: false,
            fits: true,
        }),
        insert: leads.then_some(Ok(())),
        senders: (2, 10),
        connections: (5, 97),
        can_rewind: true,
        ..SqlAnswers::default()
    }
}

fn good_balancer(database: &Database, leader: MemberId) -> BalancerAnswers {
    let server = |m: MemberId| ServerAnswers {
        name: format!("server-{}", m.0),
        member: Some(m),
        up: m == leader,
        status: if m == leader { "UP".to_string() } else { "DOWN".to_string() },
        weight: 1,
        ..ServerAnswers::default()
    };
    BalancerAnswers {
        servers: database.member_ids().map(server).collect(),
        admin: Some(true),
        sessions: Some((3, 2_000)),
    }
}

#[test]
fn nothing_is_found_where_all_is_well() {
    let world = world();
    let open: Vec<_> =
        world.found(world.good()).into_iter().filter(|s| s.state != SurveyState::Holds).collect();
    // Three things the built-in estate does without, and says so.
    let told: Vec<_> = open.iter().map(|s| (s.check, s.state)).collect();
    assert!(told.iter().all(|(_, state)| !state.stops()), "{open:#?}");
}

#[test]
fn before_the_first_answers_nothing_is_called_good() {
    let world = world();
    let found = world.engine.survey(world.now, world.group);
    let of = |check| found.iter().filter(move |s| s.check == check).map(|s| s.state).collect::<Vec<_>>();
    for check in [
        SurveyCheck::StoreAnswers,
        SurveyCheck::Entry,
        SurveyCheck::RestLogin,
        SurveyCheck::SqlLogin,
        SurveyCheck::FenceCommand,
    ] {
        let states = of(check);
        assert!(
            !states.is_empty() && states.iter().all(|s| *s == SurveyState::Unknown),
            "{check}: {states:?}"
        );
    }
}

type Change = fn(&mut SurveyAnswers, usize);

fn sql(answers: &mut SurveyAnswers, member: usize) -> &mut SqlAnswers {
    match answers.members[member].sql.as_mut() {
        Some(Ok(sql)) => sql,
        other => panic!("{other:?}"),
    }
}

fn servers(answers: &mut SurveyAnswers) -> &mut Vec<ServerAnswers> {
    match answers.balancers.first_mut() {
        Some(Ok(balancer)) => &mut balancer.servers,
        other => panic!("{other:?}"),
    }
}

fn settings(answers: &mut SurveyAnswers, change: fn(&mut SettingAnswers)) {
    answers.members.iter_mut().filter_map(|m| m.settings.as_mut()).for_each(change);
}

fn notes(answers: &mut SurveyAnswers, member: usize) -> &mut MemberNotes {
    answers.members[member].notes.get_or_insert_default()
}

/// The second argument is the position of the leader. A standby is another.
fn other(leader: usize) -> usize {
    usize::from(leader == 0)
}

/// One thing changed, and what must be named. Where the state stops an operation, the letter's exit status is 1.
const CHANGES: &[(&str, SurveyCheck, SurveyState, Change)] = &[
    ("an endpoint is away", SurveyCheck::StoreAnswers, SurveyState::Missing, |a, _| {
        a.store.endpoints[0] = Err("refused".to_string())
    }),
    ("no etcd leader", SurveyCheck::StoreHealth, SurveyState::Wrong, |a, _| {
        a.store.endpoints[0] = Ok(EndpointAnswers::default())
    }),
    ("NOSPACE", SurveyCheck::StoreHealth, SurveyState::Wrong, |a, _| {
        a.store.alarms.push(StoreAlarm::NoSpace)
    }),
    ("no permission for our keys", SurveyCheck::StoreLogin, SurveyState::Wrong, |a, _| {
        a.store.writes[1].1 = WriteTry::Denied
    }),
    ("etcd wants a login", SurveyCheck::StoreLogin, SurveyState::Wrong, |a, _| {
        a.store.writes[0].1 = WriteTry::LoginNeeded("x".to_string())
    }),
    ("etcd takes no writes", SurveyCheck::StoreWritable, SurveyState::Wrong, |a, _| {
        a.store.writes[0].1 = WriteTry::NoSpace
    }),
    ("nearly full", SurveyCheck::StoreSpace, SurveyState::Wrong, |a, _| {
        a.store.quota = Some((Bytes(81), Bytes(100)))
    }),
    ("a voter that never started", SurveyCheck::StoreQuorum, SurveyState::Wrong, |a, _| {
        a.store.voters.push(VoterAnswers::default());
    }),
    ("an address that answers nobody", SurveyCheck::StoreAnswers, SurveyState::Wrong, |a, _| {
        a.store.voters[0].answers = false
    }),
    ("etcd members far apart", SurveyCheck::StoreTiming, SurveyState::Warning, |a, _| {
        a.store.peer_round_trip = Some(Span::ms(240))
    }),
    ("REST login refused", SurveyCheck::RestLogin, SurveyState::Wrong, |a, l| {
        a.members[l].rest = Some(RestTry::Refused(401))
    }),
    ("SQL login refused", SurveyCheck::SqlLogin, SurveyState::Wrong, |a, l| {
        a.members[l].sql = Some(Err("no entry in pg_hba.conf".to_string()))
    }),
    ("no pg_monitor", SurveyCheck::MonitorRole, SurveyState::Wrong, |a, l| sql(a, l).monitor = false),
    ("no table", SurveyCheck::ValidationTable, SurveyState::Missing, |a, l| sql(a, l).table = None),
    ("no INSERT", SurveyCheck::ValidationTable, SurveyState::Wrong, |a, l| {
        sql(a, l).table =
            Some(TableAnswers { may_select: true, may_update: true, fits: true, ..TableAnswers::default() });
    }),
    ("an unlogged table", SurveyCheck::ValidationTable, SurveyState::Wrong, |a, l| {
        sql(a, l).table = Some(TableAnswers {
            may_select: true,
            may_insert: true,
            may_update: true,
            fits: true,
            unlogged: true,
        });
    }),
    ("the insert fails", SurveyCheck::ValidationInsert, SurveyState::Wrong, |a, l| {
        sql(a, l).insert = Some(Err("disk full".to_string()))
    }),
    ("read-only by default", SurveyCheck::Writable, SurveyState::Wrong, |a, l| {
        sql(a, other(l)).read_only = true
    }),
    ("overridden settings", SurveyCheck::SettingOverrides, SurveyState::Wrong, |a, l| {
        sql(a, other(l)).overrides = vec!["work_mem".into()]
    }),
    ("commits alone", SurveyCheck::SynchronousCommit, SurveyState::Wrong, |a, l| {
        sql(a, l).commits_alone = true
    }),
    ("no walsender left", SurveyCheck::WalSenders, SurveyState::Wrong, |a, l| sql(a, l).senders = (10, 10)),
    ("no connection left", SurveyCheck::Connections, SurveyState::Wrong, |a, l| {
        sql(a, l).connections = (97, 97)
    }),
    ("replay paused", SurveyCheck::Standby, SurveyState::Wrong, |a, l| sql(a, other(l)).replay_paused = true),
    ("applied late", SurveyCheck::Standby, SurveyState::Wrong, |a, l| {
        sql(a, other(l)).apply_delay = Span::mins(60)
    }),
    ("archiving fails", SurveyCheck::Archive, SurveyState::Wrong, |a, l| sql(a, l).archive_fails = true),
    ("another server at its address", SurveyCheck::MemberIdentity, SurveyState::Wrong, |a, l| {
        sql(a, l).in_recovery = true
    }),
    ("two members at one address", SurveyCheck::MemberIdentity, SurveyState::Wrong, |a, l| {
        sql(a, other(l)).server = sql(a, l).server.clone();
    }),
    ("clock off by 1.5 s", SurveyCheck::Clock, SurveyState::Warning, |a, l| {
        sql(a, l).clock_ahead_ms = -1_500
    }),
    ("clock off by a minute", SurveyCheck::Clock, SurveyState::Wrong, |a, l| {
        sql(a, l).clock_ahead_ms = 60_000
    }),
    ("another minor version", SurveyCheck::Versions, SurveyState::Warning, |a, l| {
        sql(a, other(l)).version = 150_017
    }),
    ("another major version", SurveyCheck::Versions, SurveyState::Wrong, |a, l| {
        sql(a, other(l)).version = 140_001
    }),
    ("lease too short", SurveyCheck::LeaseTiming, SurveyState::Wrong, |a, _| {
        settings(a, |s| s.ttl = Span::secs(29))
    }),
    ("lease over the RTO", SurveyCheck::LeaseWithinRto, SurveyState::Wrong, |a, _| {
        settings(a, |s| s.ttl = Span::mins(600))
    }),
    ("starts for hours", SurveyCheck::PrimaryStartTimeout, SurveyState::Wrong, |a, _| {
        settings(a, |s| s.primary_start_timeout = Span::mins(600))
    }),
    ("no lag is allowed", SurveyCheck::MaximumLag, SurveyState::Wrong, |a, _| {
        settings(a, |s| s.maximum_lag = Bytes(0))
    }),
    ("a script decides", SurveyCheck::PrePromote, SurveyState::Wrong, |a, _| {
        settings(a, |s| s.pre_promote = true)
    }),
    ("no slots", SurveyCheck::ReplicationSlots, SurveyState::Wrong, |a, _| {
        settings(a, |s| s.use_slots = false)
    }),
    ("removes data", SurveyCheck::Rewind, SurveyState::Warning, |a, _| {
        settings(a, |s| s.removes_data = true)
    }),
    ("cannot rewind", SurveyCheck::Rewind, SurveyState::Warning, |a, l| sql(a, l).can_rewind = false),
    ("watchdog", SurveyCheck::Watchdog, SurveyState::Wrong, |a, l| notes(a, other(l)).watchdog_failed = true),
    ("cannot reach etcd", SurveyCheck::StoreSeen, SurveyState::Wrong, |a, l| {
        notes(a, other(l)).store_seen_ago = Some(Span::mins(5))
    }),
    ("cascades", SurveyCheck::Standby, SurveyState::Wrong, |a, l| {
        notes(a, other(l)).replicates_from = Some("pg-3".into())
    }),
    ("the entry is away", SurveyCheck::Entry, SurveyState::Missing, |a, _| {
        a.entry = Some(Err("no answer".to_string()))
    }),
    ("the entry leads to a replica", SurveyCheck::Entry, SurveyState::Wrong, |a, l| {
        a.entry = Some(Ok(good_sql(false, MemberId::of(other(l)))))
    }),
    ("a balancer is away", SurveyCheck::BalancerAnswers, SurveyState::Missing, |a, _| {
        a.balancers[0] = Err("no answer".to_string())
    }),
    ("no admin rights", SurveyCheck::BalancerRights, SurveyState::Wrong, |a, _| {
        if let Ok(balancer) = &mut a.balancers[0] {
            balancer.admin = Some(false);
        }
    }),
    ("the frontend is full", SurveyCheck::BalancerLimit, SurveyState::Wrong, |a, _| {
        if let Ok(balancer) = &mut a.balancers[0] {
            balancer.sessions = Some((80, 100));
        }
    }),
    ("no servers", SurveyCheck::BalancerServers, SurveyState::Wrong, |a, _| servers(a).clear()),
    ("a server that is nobody", SurveyCheck::BalancerServers, SurveyState::Wrong, |a, _| {
        servers(a)[0].member = None
    }),
    ("a member without a server", SurveyCheck::BalancerServers, SurveyState::Wrong, |a, l| {
        servers(a).remove(other(l));
    }),
    ("maintenance", SurveyCheck::ServerState, SurveyState::Wrong, |a, l| {
        servers(a)[other(l)].state = ServerState::Maintenance
    }),
    ("drained", SurveyCheck::ServerState, SurveyState::Wrong, |a, l| {
        servers(a)[other(l)].state = ServerState::Drain
    }),
    ("no weight", SurveyCheck::ServerState, SurveyState::Wrong, |a, l| servers(a)[other(l)].weight = 0),
    ("the primary is not up", SurveyCheck::ServerState, SurveyState::Wrong, |a, l| servers(a)[l].up = false),
    ("a backup", SurveyCheck::ServerState, SurveyState::Warning, |a, l| servers(a)[other(l)].backup = true),
    ("a replica is up", SurveyCheck::BalancerChecks, SurveyState::Wrong, |a, l| {
        servers(a)[other(l)].up = true
    }),
    ("only a connection is checked", SurveyCheck::BalancerChecks, SurveyState::Wrong, |a, l| {
        servers(a)[l].check = CheckLayer::Connection
    }),
    ("nothing is checked", SurveyCheck::BalancerChecks, SurveyState::Wrong, |a, l| {
        servers(a)[l].check = CheckLayer::None
    }),
    ("checks are off", SurveyCheck::BalancerChecks, SurveyState::Wrong, |a, l| {
        servers(a)[other(l)].unchecked = true
    }),
    ("a wrong check port", SurveyCheck::BalancerChecks, SurveyState::Wrong, |a, l| {
        servers(a)[other(l)].unreachable = true
    }),
    ("slow checks", SurveyCheck::BalancerTiming, SurveyState::Warning, |a, l| {
        servers(a)[l].check_took = Some(Span::ms(900))
    }),
    ("a tiny limit", SurveyCheck::BalancerLimit, SurveyState::Wrong, |a, l| {
        servers(a)[other(l)].limit = Some(1)
    }),
    ("the fence is missing", SurveyCheck::FenceCommand, SurveyState::Wrong, |a, _| {
        a.fence[0].file = Err("no such file".to_string())
    }),
    ("not executable", SurveyCheck::FenceCommand, SurveyState::Wrong, |a, _| {
        a.fence[0].file = Ok(FileAnswers { executable: false, ..good_file() })
    }),
    ("somebody else's", SurveyCheck::FenceCommand, SurveyState::Wrong, |a, _| {
        a.fence[0].file = Ok(FileAnswers { owned: false, ..good_file() })
    }),
    ("writable by others", SurveyCheck::FenceCommand, SurveyState::Wrong, |a, _| {
        a.fence[0].file = Ok(FileAnswers { writable: true, ..good_file() })
    }),
    ("names in a shell", SurveyCheck::FenceCommand, SurveyState::Wrong, |a, _| {
        a.fence[0].names_in_shell = true
    }),
];

#[test]
fn each_change_is_named() {
    let world = world();
    let leader = world.leader().at();
    let before: Vec<Surveyed> = world.found(world.good());
    for (name, check, state, change) in CHANGES {
        let mut answers = world.good();
        change(&mut answers, leader);
        let found = world.found(answers);
        let new: Vec<&Surveyed> = found.iter().filter(|s| !before.contains(s)).collect();
        assert!(new.iter().any(|s| s.check == *check && s.state == *state), "{name}: {new:#?}");
        // Nothing else is called wrong for it than what it is.
        let elsewhere: Vec<_> = new.iter().filter(|s| s.state.stops() && s.check != *check).collect();
        assert!(elsewhere.is_empty(), "{name}: {elsewhere:#?}");
    }
}

/// Every finding has words of its own, and what stops an operation has a remedy.
#[test]
fn each_finding_has_words_and_a_remedy() {
    let world = world();
    let leader = world.leader().at();
    let estate = &world.engine.state().estate;
    for (name, check, state, change) in CHANGES {
        let mut answers = world.good();
        change(&mut answers, leader);
        for s in world.found(answers).iter().filter(|s| s.check == *check && s.state == *state) {
            let (text, remedy) = bpci::wording::survey_words(s, estate, world.group);
            assert!(!text.is_empty() && !remedy.is_empty(), "{name}: {text:?}, {remedy:?}");
            assert!(!bpci::wording::survey_place(s, estate, world.group).is_empty());
        }
    }
}

/// A quorum is judged without each region: by where its voters are declared to stand.
#[test]
fn a_quorum_is_judged_without_each_region() {
    let world = world();
    let regions: Vec<RegionId> = world.database.members.iter().map(|m| m.region).collect();
    let states = |places: &[Option<RegionId>], outside: bool| {
        let mut world = World {
            engine: world.engine.clone(),
            now: world.now,
            group: world.group,
            database: world.database.clone(),
        };
        world.database.store = places
            .iter()
            .enumerate()
            .map(|(i, region)| StoreEndpoint { url: format!("http://e{i}"), region: *region, outside })
            .collect();
        let mut scenario = config::embedded("calm").unwrap_or_else(|e| panic!("{e}"));
        scenario.estate.groups[world.group.at()].database = Some(world.database.clone());
        let mut simulation = Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, NOW)
            .unwrap_or_else(|e| panic!("{e}"));
        simulation.run_to(Mono(5_000)).unwrap_or_else(|e| panic!("{e}"));
        (world.engine, world.now) = (simulation.core.engine.clone(), simulation.now());
        let found = world.found(world.good());
        let of = |region: RegionId| {
            found
                .iter()
                .find(|s| s.check == SurveyCheck::StoreQuorum && s.about == SurveyAbout::Region(region))
                .map(|s| s.state)
        };
        regions.iter().map(|r| of(*r)).collect::<Vec<_>>()
    };
    let (a, b, c) = (Some(regions[0]), Some(regions[1]), Some(regions[2]));
    use SurveyState::{Holds, Unknown, Wrong};
    assert_eq!(states(&[a, b, c], false), [Some(Holds); 3]);
    assert_eq!(states(&[a, a, b], false), [Some(Wrong), Some(Holds), Some(Holds)]);
    assert_eq!(states(&[None, None, None], false), [Some(Unknown); 3]);
    assert_eq!(states(&[None], true), [Some(Holds); 3]);
    assert_eq!(states(&[a, b, None], false), [Some(Unknown), Some(Unknown), Some(Holds)]);
}

/// In synchronous mode without a synchronous standby Patroni elects nobody: that stops a failover, whatever the standbys look like.
#[test]
fn synchronous_mode_without_a_synchronous_standby_is_wrong() {
    let world = world();
    let states = |standbys: Option<&[&str]>, synchronous: bool| {
        let sync = standbys.map(|names| SyncKey {
            leader: Some("a".into()),
            standbys: names.iter().map(|n| (*n).into()).collect(),
            quorum: None,
            revision: 2,
        });
        let config =
            ConfigKey { synchronous, ttl: Span::secs(30), loop_wait: Span::secs(10), ..ConfigKey::default() };
        let record = StoreRecord {
            revision: u64::MAX,
            initialize: Some("7".into()),
            sync,
            config: Some(config),
            ..StoreRecord::default()
        };
        let mut engine = world.engine.clone();
        let fact = Fact::Store { group: world.group, record: Box::new(record) };
        engine.observe(world.now, Observation { at: world.now.mono, fact });
        let found = engine.survey(world.now, world.group);
        found.iter().find(|s| s.check == SurveyCheck::SynchronousMode).map(|s| (s.state, s.finding.clone()))
    };
    let without = Some((SurveyState::Wrong, SurveyFinding::NoSynchronousStandby));
    assert_eq!(states(Some(&[]), true), without);
    assert_eq!(states(None, true), without);
    assert_eq!(states(Some(&["b"]), true).map(|s| s.0), Some(SurveyState::Holds));
    assert_eq!(states(Some(&["b"]), false), Some((SurveyState::Wrong, SurveyFinding::Asynchronous)));
}

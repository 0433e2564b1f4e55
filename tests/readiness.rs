//! What readiness names: each lack made true by itself, and nothing else.

use bpci::config;
use bpci::controller::Simulation;
use bpci::journal::Journal;
use bpci::model::*;
use bpci::wording::point_words;

const NOW: Utc = Utc(1_767_225_600_000);

/// The points of orders-db for a region outage that do not hold, with their words.
fn lacking(
    change: impl FnOnce(&mut Scenario),
    then: impl FnOnce(&mut Simulation),
    drilled: Option<Utc>,
) -> Vec<(String, String)> {
    let mut scenario = config::embedded("calm").unwrap_or_else(|e| panic!("{e}"));
    for group in &mut scenario.estate.groups {
        if let Some(database) = &mut group.database {
            database.sql = Some(Sql {
                user: "bpci".to_string(),
                password_file: None,
                credential: None,
                dbname: "postgres".to_string(),
            });
            if let Some(fence) = &mut database.fence {
                fence.check.get_or_insert_with(|| vec!["true".to_string()]);
            }
        }
    }
    change(&mut scenario);
    let mut simulation = Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, NOW)
        .unwrap_or_else(|e| panic!("{e}"));
    simulation.run_to(Mono(5_000)).unwrap_or_else(|e| panic!("{e}"));
    then(&mut simulation);
    let estate = &simulation.scenario.estate;
    let list = simulation.core.engine.readiness(simulation.now(), &|_| drilled);
    let wanted = |r: &&Readiness| {
        estate.region(r.region).name == "us-east-1"
            && r.scenario == DisasterType::RegionOutage
            && r.group.is_some_and(|g| estate.group(g).name == "orders-db")
    };
    let entry = list.iter().find(wanted).unwrap_or_else(|| panic!("{list:?}"));
    assert_eq!(entry.is_ready(), entry.score() == Some(100));
    entry
        .points
        .iter()
        .filter(|p| p.state != PointState::Holds)
        .map(|p| (p.name.to_string(), point_words(p)))
        .collect()
}

fn database<'a>(scenario: &'a mut Scenario, name: &str) -> &'a mut Database {
    let group = scenario.estate.groups.iter_mut().find(|g| g.name == name);
    group.and_then(|g| g.database.as_mut()).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn each_lack_is_named_and_nothing_else() {
    let lately = Some(NOW);
    let none = |_: &mut Simulation| {};
    assert_eq!(lacking(|_| {}, none, lately), []);
    let only = |found: Vec<(String, String)>, name: &str, part: &str| {
        assert!(
            matches!(found.as_slice(), [(n, text)] if n == name && text.contains(part)),
            "{name}: {found:?}"
        );
    };
    only(lacking(|s| database(s, "orders-db").fence = None, none, lately), "fence", "no fence is configured");
    only(lacking(|s| s.estate.regions[1].capacity = Percent(10), none, lately), "capacity", "eu-west-1");
    let lost = |s: &mut Simulation| {
        for region in ["eu-west-1", "ap-southeast-1"] {
            s.inject(&format!("standby_lost {region}")).unwrap_or_else(|e| panic!("{e:?}"));
        }
        s.run_to(Mono(15_000)).unwrap_or_else(|e| panic!("{e}"));
    };
    let found = lacking(|s| s.estate.regions[2].capacity = Percent(100), lost, lately);
    only(found, "candidate", "did not answer");
    let refused = |s: &mut Simulation| {
        let (group, result) = (
            GroupId::of(s.scenario.estate.groups.iter().position(|g| g.name == "orders-db").unwrap_or(0)),
            Err("password authentication failed".to_string()),
        );
        let fact = Fact::Login { group, member: MemberId(1), result };
        s.core.engine.measured(&Observation { at: s.now().mono, fact });
    };
    only(lacking(|_| {}, refused, lately), "credentials", "password authentication failed");
    only(lacking(|_| {}, none, Some(Utc(NOW.0 - 100 * 86_400_000))), "drill", "overdue");
    only(lacking(|_| {}, none, None), "drill", "never rehearsed");
    let needs = |s: &mut Scenario| {
        if let Some(fence) = &mut database(s, "orders-db").fence {
            fence.depends_on = vec![RegionId(0)];
        }
    };
    only(lacking(needs, none, lately), "independence", "the step «fence» needs us-east-1");
    let away = |s: &mut Simulation| {
        let group =
            GroupId::of(s.scenario.estate.groups.iter().position(|g| g.name == "orders-db").unwrap_or(0));
        let fact = Fact::FenceCheck { group, member: MemberId(0), result: Err("no such file".to_string()) };
        s.core.engine.measured(&Observation { at: s.now().mono, fact });
    };
    only(lacking(|_| {}, away, lately), "fence", "no such file");
}

//! Inputs that showed a fault once, each with what is expected of it now.

mod asked;
mod experiments;
mod foreign;
mod foreign_text;
mod looks;
mod made_up;
mod needed;
mod stub;
mod waived;
mod written;

use bpci::config;
use bpci::controller::{Played, play};
use bpci::journal::{Journal, JournalError, Reader};
use bpci::model::*;
use std::path::Path;

fn played(name: &str, journal: Journal) -> Played {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases").join(name);
    let scenario = config::load_scenario(&path.display().to_string()).unwrap_or_else(|e| panic!("{e}"));
    let seed = scenario.seed;
    let played = play(scenario, seed, journal, &mut |_| {}).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((&played.unmet, &played.laws_broken), (&Vec::new(), &Vec::new()), "{name}");
    played
}

/// A database whose name begins another one's name is not hurt by what hurts that one.
#[test]
fn corrupt_data_of_one_database_condemns_no_other() {
    let simulation = played("corrupt.yaml", Journal::in_memory()).simulation;
    let snapshot = simulation.core.engine.snapshot(simulation.now(), None);
    let group = |name: &str| {
        let id = snapshot.estate.group_ids().find(|g| snapshot.estate.group(*g).name == name);
        id.and_then(|id| snapshot.group(id)).unwrap_or_else(|| panic!("no group {name}"))
    };
    let services: Vec<&str> = snapshot
        .disasters
        .iter()
        .flat_map(|d| &d.services)
        .map(|s| snapshot.estate.service(*s).name.as_str())
        .collect();
    assert_eq!(services, ["orders-db"]);
    let (hurt, well) = (group("orders-db"), group("orders"));
    assert!(snapshot.is_corrupt(hurt.group) && !snapshot.is_corrupt(well.group));
    assert!(hurt.members.iter().filter(|m| !m.leads).all(|m| m.unfit.is_some()));
    assert!(well.members.iter().any(|m| !m.leads && m.unfit.is_none()), "a standby of orders can take over");
    let offered: Vec<GroupId> = snapshot.proposals.iter().map(|p| p.proposal.group).collect();
    assert_eq!(offered, [hurt.group]);
}

/// Who accepted an overload of the target stands in the journal: the risk, its figure, the words, the person.
#[test]
fn an_accepted_overload_is_in_the_journal() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let journal = Journal::open(directory.path()).unwrap_or_else(|e| panic!("{e}"));
    played("small.yaml", journal);
    let mut accepted = Vec::new();
    let reader = Reader::open(&directory.path().join("journal.db")).unwrap_or_else(|e| panic!("{e}"));
    let read = reader.each(|entry| {
        if let Event::OperationStarted(start) = entry.record.event {
            accepted.extend(start.accepted.risks);
        }
        Ok::<(), JournalError>(())
    });
    read.unwrap_or_else(|e| panic!("{e}"));
    let risk = AcceptedRisk {
        risk: Risk::Overload { percent: 196 },
        words: "overload the target".to_string(),
        by: Actor::scripted("probe"),
    };
    assert_eq!(accepted, [risk]);
}

//! The program against real servers. The cases of one test share a cluster, for it takes a while to start. Two clusters at a time
//! (`--test-threads 2`) wait more than they reckon.

// With the deliberate deaths only the walk runs, which needs less of what is here.
#![cfg_attr(feature = "planted", allow(dead_code))]

mod automatic;
mod beyond;
mod crowd;
mod deaths;
mod fences;
#[path = "../documents/fields.rs"]
mod fields;
mod lab;
mod link;
mod owners;
mod quiet;
mod ready;
mod refused;
mod rehearsed;
mod restart;
mod survey;
mod two;
mod wire;

use lab::Lab;

#[test]
#[cfg(not(feature = "planted"))]
fn a_real_cluster() {
    let lab = Lab::up(28600);
    let (leader, _) = lab.settled();
    assert_eq!(leader, "us-east-1");
    survey::changes_nothing(&lab);
    survey::names_what_is_wrong(&lab);
    ready::each_lack(&lab);
    refused::while_it_lives(&lab);
    automatic::leader_killed(&lab);
    rehearsed::live_drill(&lab);
    quiet::no_action(&lab);
}

#[test]
#[cfg(not(feature = "planted"))]
fn more_than_one_controller() {
    let lab = Lab::up(28700);
    crowd::two_controllers(&lab);
    owners::each_fate(&lab);
}

#[test]
#[cfg(not(feature = "planted"))]
fn a_dead_leader() {
    let lab = Lab::up(28900);
    refused::when_it_is_dead(&lab);
    beyond::leader_and_standby_dead(&lab);
}

/// The record outlives the file, the store and the cluster.
#[test]
#[cfg(not(feature = "planted"))]
fn a_record_that_goes_on() {
    let lab = Lab::up(29200);
    lab.settled();
    fences::that_do_not_work(&lab);
    restart::with_changed_files(&lab);
    restart::restored_store(&lab);
    restart::rebuilt(&lab);
}

/// The program that is shipped dies at the worst moments.
#[test]
#[cfg(not(feature = "planted"))]
fn deaths_in_the_middle() {
    deaths::three_requests(&Lab::up(28800));
}

/// Two clusters on one machine.
#[test]
#[cfg(not(feature = "planted"))]
fn two_clusters() {
    let (one, other) = (Lab::up(29000), Lab::up(29100));
    two::both_in_one_estate(&one, &other);
    two::two_labs(&one, &other);
}

/// The same where links can be cut. Where this machine allows no namespaces, that is what the lab must say.
#[test]
#[cfg(not(feature = "planted"))]
fn a_cluster_on_a_wire() {
    if !wire::possible() {
        println!("no network namespaces can be made here: only the refusal is tested");
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let path = dir.path().join("lab").display().to_string();
        let program = std::process::Command::new(lab::program());
        let output = { program }
            .args(["lab", "up", "--netns", "--base-port", "28500", "--dir", &path])
            .output()
            .unwrap_or_else(|e| panic!("{e}"));
        assert!(String::from_utf8_lossy(&output.stderr).contains("need"), "{output:?}");
        return;
    }
    let times = std::env::var("BPCI_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    {
        let lab = Lab::up_with(28500, &["--netns"]);
        wire::each_cut_alone(&lab);
        wire::cut_off(&lab, times);
        wire::experiment(&lab);
        wire::candidate_dies(&lab);
    }
    wire::quorum_lost(28500);
}

#[test]
#[cfg(feature = "planted")]
fn a_death_at_every_intent() {
    deaths::every_intent(&Lab::up(28800));
}

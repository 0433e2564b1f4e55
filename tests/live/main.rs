//! The program against real servers. The cases of one test share a cluster, for it takes a while to start.

// With the deliberate deaths only the walk runs, which needs less of what is here.
#![cfg_attr(feature = "planted", allow(dead_code))]

mod automatic;
mod beyond;
mod crowd;
mod lab;
mod quiet;
mod refused;
#[cfg(feature = "planted")]
mod walk;

use lab::Lab;

#[test]
#[cfg(not(feature = "planted"))]
fn a_real_cluster() {
    let lab = Lab::up(28600);
    let (leader, _) = lab.settled();
    assert_eq!(leader, "us-east-1");
    refused::while_it_lives(&lab);
    automatic::leader_killed(&lab);
    quiet::no_action(&lab);
    crowd::two_controllers(&lab);
    refused::when_it_is_dead(&lab);
    beyond::leader_and_standby_dead(&lab);
}

#[test]
#[cfg(feature = "planted")]
fn a_death_at_every_intent() {
    walk::every_intent(&Lab::up(28800));
}

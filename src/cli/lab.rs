//! `bpci lab`: the practice range.

use super::args::LabCommand;
use super::fail::Fail;
use super::output::say;
use crate::lab;

pub fn run(command: LabCommand) -> Result<(), Fail> {
    let answer = match command {
        LabCommand::Wire { ports, rules } => lab::wire::carry(&ports, &rules, || drop(say("it carries"))).map(|()| String::new()),
        LabCommand::Up { place, base_port, patroni, netns, etcd } => {
            lab::up(&place.dir, &lab::Ask { base_port, patroni, wired: netns, etcd_in: etcd })
        }
        LabCommand::Down { place } => lab::down(&place.dir),
        LabCommand::Status { place } => lab::status(&place.dir),
        LabCommand::Break { place, what, region, links, delay, jitter, loss } => {
            lab::damage(&place.dir, what, &lab::How { region, links, delay, jitter, loss })
        }
        LabCommand::Mend { place } => lab::mend(&place.dir),
        LabCommand::Fence { place, member, check: true, .. } => lab::fence_check(&place.dir, &member),
        LabCommand::Fence { place, member, undo: true, .. } => lab::undo_fence(&place.dir, &member),
        LabCommand::Fence { place, member, .. } => lab::fence(&place.dir, &member),
    };
    say(&answer.map_err(Fail::failed)?)
}

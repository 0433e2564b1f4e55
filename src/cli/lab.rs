//! `bpci lab`: the practice range.

use super::fail::Fail;
use super::output::{Output, Printing, own_lines, say};
use crate::lab;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct LabPlace {
    /// Where everything of the lab is kept
    #[arg(long, value_name = "DIR", default_value = "/tmp/bpci-lab")]
    pub dir: PathBuf,
    #[command(flatten)]
    pub printing: Printing,
}

/// What a damage strikes, and how.
#[derive(Debug, Args)]
pub struct Strike {
    /// Which region, for what strikes one [default: the leader's]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// For links: between whom; us, leader, *, store, entry, or a region
    #[arg(long = "link", value_name = "FROM:TO")]
    links: Vec<String>,
    /// For links: how late, one way
    #[arg(long, value_name = "150ms")]
    delay: Option<String>,
    #[arg(long, value_name = "50ms")]
    jitter: Option<String>,
    #[arg(long, value_name = "1%")]
    loss: Option<String>,
}

impl From<Strike> for lab::How {
    fn from(strike: Strike) -> lab::How {
        let Strike { region, links, delay, jitter, loss } = strike;
        lab::How { region, links, delay, jitter, loss }
    }
}

#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// Start etcd, three Patroni nodes and HAProxy, and write their estate.yaml
    Up {
        #[command(flatten)]
        place: LabPlace,
        /// The lab takes the forty ports from here
        #[arg(long, value_name = "PORT", default_value_t = 27400, value_parser = clap::value_parser!(u16).range(1024..=65000))]
        base_port: u16,
        /// Another Patroni than the installed one
        #[arg(long, value_name = "PATH")]
        patroni: Option<PathBuf>,
        /// Each region, etcd and the entry in a network namespace of its own, so that links can be cut and slowed (root)
        #[arg(long)]
        netns: bool,
        /// How long the range's fence takes, as a power switch would
        #[arg(long, value_name = "2s")]
        fence_takes: Option<crate::config::Duration>,
        /// A disk of so many megabytes for each node, so that it can be filled (root)
        #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(200..=100_000))]
        disk: Option<u32>,
        /// Where the members of etcd run: store (apart from the regions), or regions [default: one, in store]
        #[arg(long, value_name = "HOST,…", value_delimiter = ',')]
        etcd: Vec<String>,
    },
    Down {
        #[command(flatten)]
        place: LabPlace,
    },
    Status {
        #[command(flatten)]
        place: LabPlace,
    },
    /// A switch between network namespaces, with delay, loss and cuts: `a b delay 40ms jitter 10ms loss 1%`, `a * cut`
    Wire {
        /// A namespace and its address there; several times
        #[arg(long = "port", value_name = "NAMESPACE=ADDRESS", required = true)]
        ports: Vec<crate::lab::wire::Port>,
        /// A file with a line a link; it is read again when it changes
        #[arg(long, value_name = "FILE")]
        rules: PathBuf,
    },
    /// Break it: leader-kill, leader-freeze, postgres-kill, patroni-kill, sync-kill, replica-lag, etcd-stop, cpu-burn; with
    /// --netns also region-partition, link-cut, link-latency; with --disk also disk-full
    Break {
        #[command(flatten)]
        place: LabPlace,
        what: crate::lab::Damage,
        #[command(flatten)]
        strike: Strike,
    },
    /// Thaw, restart and resume whatever was broken
    Mend {
        #[command(flatten)]
        place: LabPlace,
    },
    /// Is a node's fence usable, or proven; used by the estate's own fence command
    #[command(hide = true)]
    Fence {
        #[command(flatten)]
        place: LabPlace,
        member: String,
        #[arg(long)]
        check: bool,
        #[arg(long)]
        undo: bool,
        /// It answers after this time
        #[arg(long, value_name = "2s")]
        takes: Option<crate::config::Duration>,
    },
}

impl LabCommand {
    /// How it prints; a switch carries until it is ended, and prints nothing but that.
    fn output(&self) -> Output {
        match self {
            LabCommand::Wire { .. } => Output::Text,
            LabCommand::Up { place, .. }
            | LabCommand::Down { place }
            | LabCommand::Status { place }
            | LabCommand::Break { place, .. }
            | LabCommand::Mend { place }
            | LabCommand::Fence { place, .. } => place.printing.output.clone(),
        }
    }
}

pub fn run(command: LabCommand) -> Result<(), Fail> {
    let output = command.output();
    let answer = match command {
        LabCommand::Wire { ports, rules } => {
            lab::wire::carry(&ports, &rules, || drop(say("it carries"))).map(|()| String::new())
        }
        LabCommand::Up { place, base_port, patroni, netns, fence_takes, disk, etcd } => lab::up(
            &place.dir,
            &lab::Ask {
                base_port,
                patroni,
                wired: netns,
                fence_takes: fence_takes.map(|d| d.0),
                disk_mb: disk,
                etcd_in: etcd,
            },
        ),
        LabCommand::Down { place } => lab::down(&place.dir),
        LabCommand::Status { place } => lab::status(&place.dir),
        LabCommand::Break { place, what, strike } => lab::damage(&place.dir, what, &strike.into()),
        LabCommand::Mend { place } => lab::mend(&place.dir),
        LabCommand::Fence { place, member, check: true, .. } => lab::fence_check(&place.dir, &member),
        LabCommand::Fence { place, member, undo: true, .. } => lab::undo_fence(&place.dir, &member),
        LabCommand::Fence { place, member, takes, .. } => {
            std::thread::sleep(takes.map_or(std::time::Duration::ZERO, |d| d.0.as_std()));
            lab::fence(&place.dir, &member)
        }
    };
    // The lab's texts are all of our own making, those of several lines as well.
    output.told(&answer.map_err(|text| Fail::of(1, own_lines(&text)))?)
}

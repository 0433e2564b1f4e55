//! A switch between network namespaces, in this process: every packet between two of them passes here, and may be late,
//! lost or cut off. It needs no module of the kernel but `tun`.
//!
//! It promises: packets between the same two namespaces keep their order; what it holds back is bounded; it touches no
//! network but those of the namespaces it is given. It needs the right to make network devices.

mod rules;
mod tun;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rules::Rules;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tun::Tun;

/// A namespace and the address it has on this wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub namespace: String,
    pub address: Ipv4Addr,
}

/// `NAMESPACE=ADDRESS`
impl std::str::FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Port, String> {
        let (namespace, address) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` names no address; write NAMESPACE=10.0.0.1"))?;
        let address = address
            .parse()
            .map_err(|_| format!("`{address}` is no IPv4 address; write NAMESPACE=10.0.0.1"))?;
        Ok(Port { namespace: namespace.to_string(), address })
    }
}

/// Packets that are held back at most; more are lost, as on a real line.
const HELD: usize = 20_000;
/// How often the rules are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A packet on its way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    due: Instant,
    order: u64,
    to: usize,
    packet: Vec<u8>,
}

/// Carries packets until the program ends. `rules` is read again whenever it changes; `ready` is told once it carries.
///
/// # Errors
/// A namespace does not exist, a device cannot be made, or the rules have a mistake when it begins.
pub fn carry(ports: &[Port], rules: &Path, ready: impl FnOnce()) -> Result<(), String> {
    let mut tuns = Vec::new();
    for port in ports {
        tuns.push(Tun::make(&port.namespace, port.address)?);
    }
    let mut wire = Wire {
        ports,
        tuns,
        rules: Rules::load(rules)?,
        path: rules.to_path_buf(),
        looked: Instant::now(),
        held: BinaryHeap::new(),
        last: BTreeMap::new(),
        order: 0,
        chance: ChaCha8Rng::seed_from_u64(1),
    };
    ready();
    while wire.turn() {}
    Err("a namespace is gone".to_string())
}

struct Wire<'a> {
    ports: &'a [Port],
    tuns: Vec<Tun>,
    rules: Rules,
    path: PathBuf,
    looked: Instant,
    held: BinaryHeap<Reverse<Held>>,
    /// When the last packet between two ports is due: the next one comes after it.
    last: BTreeMap<(usize, usize), Instant>,
    order: u64,
    chance: ChaCha8Rng,
}

impl Wire<'_> {
    /// True while every device is there.
    fn turn(&mut self) -> bool {
        let due = self.held.peek().map(|Reverse(h)| h.due.saturating_duration_since(Instant::now()));
        let Some(ready) = tun::wait(&self.tuns, due.unwrap_or(LOOK).min(LOOK)) else { return false };
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            // What cannot be read now will be read in a moment; until then the old rules hold.
            if let Ok(rules) = Rules::load(&self.path) {
                self.rules = rules;
            }
        }
        for from in ready {
            while let Some(packet) = self.tuns[from].read() {
                self.take(from, packet);
            }
        }
        let now = Instant::now();
        while self.held.peek().is_some_and(|Reverse(h)| h.due <= now)
            && let Some(Reverse(held)) = self.held.pop()
        {
            self.tuns[held.to].write(&held.packet);
        }
        true
    }

    fn take(&mut self, from: usize, packet: Vec<u8>) {
        // IPv4 only; the destination stands at a fixed place.
        let Some(to) =
            packet.get(16..20).map(|a| Ipv4Addr::new(a[0], a[1], a[2], a[3])).filter(|_| packet[0] >> 4 == 4)
        else {
            return;
        };
        let Some(to) = self.ports.iter().position(|p| p.address == to) else { return };
        let link = self.rules.between(&self.ports[from].namespace, &self.ports[to].namespace);
        if link.cut || self.below(1_000_000) < u64::from(link.loss_ppm) || self.held.len() >= HELD {
            return;
        }
        let jitter = self.below(2 * link.jitter_us + 1);
        let late = (link.delay_us + jitter).saturating_sub(link.jitter_us);
        let before = self.last.get(&(from, to)).copied();
        let due = (Instant::now() + Duration::from_micros(late)).max(before.unwrap_or_else(Instant::now));
        self.last.insert((from, to), due);
        self.order += 1;
        self.held.push(Reverse(Held { due, order: self.order, to, packet }));
    }

    fn below(&mut self, below: u64) -> u64 {
        self.chance.next_u64() % below.max(1)
    }
}

//! Before anything starts: the addresses that a lab takes are free, or it says what has them.

use super::place::{HOSTS, Place, REGIONS};
use std::net::{IpAddr, SocketAddr, TcpListener};

/// An address that a server of the lab listens on, and which one.
struct Needed {
    address: String,
    what: String,
}

fn needed(place: &Place) -> Vec<Needed> {
    let new = |address: String, what: String| Needed { address, what };
    let etcd = place.etcd().into_iter().flat_map(|m| {
        [new(m.client, format!("{}, clients", m.name)), new(m.peer, format!("{}, members", m.name))]
    });
    let nodes = REGIONS.into_iter().filter_map(|region| place.node(region).map(|node| (region, node)));
    let nodes = nodes.flat_map(|(region, (address, rest, sql))| {
        [
            new(format!("{address}:{rest}"), format!("{region}, REST")),
            new(format!("{address}:{sql}"), format!("{region}, PostgreSQL")),
        ]
    });
    let entry = [
        new(place.write_entry(), "HAProxy, writes".to_string()),
        new(place.runtime_api(), "HAProxy, runtime API".to_string()),
    ];
    etcd.chain(nodes).chain(entry).collect()
}

/// Every address that the lab takes is free.
///
/// # Errors
/// Some are in use: each is named with what it is for and, where that can be read, what holds it; and ports that are free.
pub fn check(place: &Place) -> Result<(), String> {
    if place.wired {
        return check_network(place);
    }
    let taken: Vec<String> = needed(place).iter().filter_map(taken).collect();
    if taken.is_empty() {
        return Ok(());
    }
    let count = if taken.len() == 1 {
        "a port that the lab takes is".to_string()
    } else {
        format!("{} ports that the lab takes are", taken.len())
    };
    let other = (1..=40u16).map(|n| place.base_port.saturating_add(100 * n)).find(|port| {
        let other = Place { base_port: *port, ..place.clone() };
        *port <= 65_000 && needed(&other).iter().all(|n| taken_by(n).is_none())
    });
    let remedy = other.map_or_else(
        || "other ports: bpci lab up --base-port PORT".to_string(),
        |port| format!("free ports: bpci lab up --base-port {port}"),
    );
    Err(format!("{count} in use: {}; end what holds it, or use {remedy}", taken.join("; ")))
}

fn taken(needed: &Needed) -> Option<String> {
    taken_by(needed).map(|who| format!("{} ({}) {who}", needed.address, needed.what))
}

/// What keeps an address from being listened on.
fn taken_by(needed: &Needed) -> Option<String> {
    let address: SocketAddr = needed.address.parse().ok()?;
    let error = TcpListener::bind(address).err()?;
    if error.kind() != std::io::ErrorKind::AddrInUse {
        return Some(format!("cannot be used: {error}"));
    }
    Some(holder(address).map_or_else(
        || "by a process of another user".to_string(),
        |(pid, name)| format!("by {name}, pid {pid}"),
    ))
}

/// Network namespaces have ports of their own; their names and their network are what two labs would share.
fn check_network(place: &Place) -> Result<(), String> {
    let other = |what: String| {
        Err(format!(
            "{what}: another lab with --netns has it; end that lab, or choose a --base-port in another hundred"
        ))
    };
    let mut namespaces = HOSTS.iter().filter_map(|(host, _)| place.namespace(host));
    if let Some(name) = namespaces.find(|name| std::path::Path::new("/run/netns").join(name).exists()) {
        return other(format!("the network namespace {name} exists"));
    }
    let us = place.address("us");
    let here = us.parse::<IpAddr>().is_ok_and(|ip| TcpListener::bind((ip, 0)).is_ok());
    if here { other(format!("the address {us} is in use")) } else { Ok(()) }
}

/// The process that listens on an address: its pid and its name. `None`: it cannot be read.
fn holder(address: SocketAddr) -> Option<(i32, String)> {
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let sockets: Vec<String> = tables
        .iter()
        .flat_map(|t| t.lines())
        .filter_map(|l| listener(l, address))
        .map(|n| format!("socket:[{n}]"))
        .collect();
    let processes = std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    let pid = { processes }.find(|pid| {
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files
            .filter_map(|f| std::fs::read_link(f.path()).ok())
            .any(|to| to.to_str().is_some_and(|to| sockets.iter().any(|s| s == to)))
    })?;
    Some((pid, std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_string()))
}

/// The inode of a line of /proc/net/tcp, if that socket listens on the address or on every address.
fn listener(line: &str, address: SocketAddr) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (local, state, inode) = (words.get(1)?, words.get(3)?, words.get(9)?);
    let (ip, port) = local.split_once(':')?;
    let IpAddr::V4(wanted) = address.ip() else { return None };
    // The kernel writes the bytes of an address in the order of this machine; one for every address is all zeros, and an IPv6
    // socket may hold an IPv4 address in its last four bytes.
    let ours = format!("{:08X}", u32::from_ne_bytes(wanted.octets()));
    let fits = ip.ends_with(&ours) || ip.bytes().all(|b| b == b'0');
    (*state == "0A" && fits && u16::from_str_radix(port, 16) == Ok(address.port())).then_some(inode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(base_port: u16) -> Place {
        let etcd_in = vec!["store".to_string()];
        Place {
            dir: "/nowhere".into(),
            base_port,
            patroni: "patroni".into(),
            wired: false,
            fence_takes: None,
            disk_mb: None,
            etcd_in,
        }
    }

    /// A port of the lab that somebody holds is named with what it is for and with who holds it.
    #[test]
    fn a_port_in_use_is_named_with_its_holder() {
        let free = (10_000..20_000u16)
            .step_by(100)
            .find(|base| needed(&place(*base)).iter().all(|n| taken_by(n).is_none()));
        let place = place(free.unwrap_or_else(|| panic!("no hundred ports are free")));
        assert_eq!(check(&place), Ok(()));
        let (address, _, sql) = place.node("eu-west-1").unwrap_or_default();
        for listens_on in [address.as_str(), "0.0.0.0"] {
            let held = TcpListener::bind(format!("{listens_on}:{sql}")).unwrap_or_else(|e| panic!("{e}"));
            let told = check(&place).err().unwrap_or_default();
            assert!(told.contains(&format!("{address}:{sql} (eu-west-1, PostgreSQL) by ")), "{told}");
            assert!(
                told.contains(&format!("pid {}", std::process::id())) && told.contains("--base-port"),
                "{told}"
            );
            drop(held);
        }
        assert_eq!(check(&place), Ok(()));
    }
}

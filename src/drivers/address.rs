//! Which configured member a name and an address in the store mean, and the members as they were last known: a dead member's key
//! vanishes from the store, and it must still be probed.

use crate::model::{Database, MemberId, MemberKey, Name};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The names that members have told of themselves at their configured addresses.
pub type ToldNames = BTreeMap<MemberId, Name>;

pub struct Addresses {
    file: PathBuf,
    known: Mutex<Vec<MemberKey>>,
    told: Mutex<ToldNames>,
    loaded: Instant,
    has_store: bool,
}

/// The first look at what is found by its address waits so long for the store to tell the addresses.
const FIRST: Duration = Duration::from_secs(2);

impl Addresses {
    /// What was known when the program last ran. Which configured member each is, is found anew: the file may be older than the
    /// configuration.
    pub fn load(file: PathBuf, database: &Database) -> Addresses {
        let read = std::fs::read(&file).ok().and_then(|b| serde_json::from_slice(&b).ok());
        let mut known: Vec<MemberKey> = read.unwrap_or_default();
        for key in &mut known {
            key.member = member_of(database, &ToldNames::new(), &key.name, &key.address);
        }
        Addresses {
            file,
            known: Mutex::new(known),
            told: Mutex::default(),
            loaded: Instant::now(),
            has_store: !database.store.is_empty(),
        }
    }

    /// Waits until an address is known, right after the program began and no longer: what is looked at without one is taken for
    /// something else until the next look, which may be half a minute away.
    pub async fn first(&self) {
        while self.has_store && self.loaded.elapsed() < FIRST && self.known.lock().is_ok_and(|k| k.is_empty())
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn get(&self) -> Vec<MemberKey> {
        self.known.lock().map(|k| k.clone()).unwrap_or_default()
    }

    pub fn set(&self, new: Vec<MemberKey>) {
        let Ok(mut known) = self.known.lock() else { return };
        if *known != new {
            if let Ok(bytes) = serde_json::to_vec(&new) {
                // Lost, it is learned again from the store; only a dead member's address would be missed.
                let _ = std::fs::write(&self.file, bytes);
            }
            *known = new;
        }
    }

    /// Where a member's database listens.
    pub fn sql(&self, member: MemberId) -> Option<String> {
        self.known.lock().ok()?.iter().find(|m| m.member == Some(member))?.sql.clone()
    }

    /// The member called itself so.
    pub fn learn(&self, member: MemberId, name: Name) {
        if let Ok(mut told) = self.told.lock() {
            told.insert(member, name);
        }
    }

    pub fn told(&self) -> ToldNames {
        self.told.lock().map(|t| t.clone()).unwrap_or_default()
    }
}

/// The configured member that has this name and this REST address in the store: by the name that it told itself, by its name in
/// the configuration, or by the address. Where these contradict each other it is nobody: a wrong member must not be fenced.
pub fn member_of(database: &Database, told: &ToldNames, name: &str, address: &str) -> Option<MemberId> {
    let members = || database.member_ids().zip(&database.members);
    let by_told = told.iter().find(|(_, n)| ***n == *name).map(|(m, _)| *m);
    let by_name = members().find(|(_, m)| m.name.as_deref() == Some(name)).map(|(id, _)| id);
    let by_address = by_address(database, address);
    let found = by_told.or(by_name).or(by_address)?;
    let agrees = |other: Option<MemberId>| other.is_none_or(|m| m == found);
    // What a member told itself, at its configured address, is better evidence than the address that it announces.
    let address_agrees = by_told.is_some() || agrees(by_address);
    let is_called = |own: Option<&str>| own.is_none_or(|own| own == name);
    let names_agree =
        is_called(database.member(found)?.name.as_deref()) && is_called(told.get(&found).map(|n| &**n));
    (agrees(by_name) && address_agrees && names_agree).then_some(found)
}

/// The member whose REST address has this host and port. Several behind one host and port are told apart by their paths.
fn by_address(database: &Database, address: &str) -> Option<MemberId> {
    let wanted = Place::of(address)?;
    let places =
        || database.member_ids().zip(&database.members).filter_map(|(id, m)| Some((id, Place::of(&m.rest)?)));
    let mut same = places().filter(|(_, place)| (&place.host, place.port) == (&wanted.host, wanted.port));
    match (same.next(), same.next()) {
        (Some((one, _)), None) => Some(one),
        (Some(_), Some(_)) => places().find(|(_, place)| *place == wanted).map(|(id, _)| id),
        (None, _) => None,
    }
}

/// A REST address in the form in which two of them are compared.
#[derive(PartialEq, Eq)]
struct Place {
    /// In small letters; an IPv6 address in its shortest form, without brackets.
    host: String,
    port: u16,
    /// Without Patroni's own `/patroni`.
    path: String,
}

impl Place {
    fn of(url: &str) -> Option<Place> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let default = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
        let (host, port) = split_port(authority, default)?;
        let path = path.trim_end_matches('/');
        Some(Place {
            host: canonical_host(host)?,
            port,
            path: path.strip_suffix("/patroni").unwrap_or(path).to_string(),
        })
    }
}

/// Host and port of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_port(authority: &str, default: u16) -> Option<(&str, u16)> {
    let after_bracket = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_bracket..].find(':') {
        Some(colon) => {
            let (host, port) = authority.split_at(after_bracket + colon);
            Some((host, port[1..].parse().ok()?))
        }
        None => Some((authority, default)),
    }
}

fn canonical_host(host: &str) -> Option<String> {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_lowercase();
    let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical().to_string());
    (!host.is_empty()).then(|| ip.unwrap_or(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(members: &str) -> Database {
        let text = format!(
            "services:\n  db:\n    patroni:\n      scope: s\n      members: {{ {members} }}\n      etcd: [\"http://127.0.0.1:3\"]\n"
        );
        let estate = crate::config::parse("members.yaml", &text).unwrap_or_else(|e| panic!("{e}")).estate;
        estate.groups[0].database.clone().unwrap_or_else(|| panic!("no database"))
    }

    #[test]
    fn a_member_is_found_by_its_address_however_that_is_written() {
        let database = database(
            "a: \"http://Node-A.example:8008\", b: \"https://10.0.0.2\", c: \"http://[2001:db8::1]:8008\"",
        );
        let found = |address: &str| member_of(&database, &ToldNames::new(), "pg", address).map(|m| m.0);
        for (address, expected) in [
            ("http://node-a.example:8008/patroni", Some(0)),
            ("http://NODE-A.EXAMPLE.:8008/", Some(0)),
            ("https://node-a.example:8008/some/path/patroni", Some(0)),
            ("http://user@node-a.example:8008", Some(0)),
            ("https://10.0.0.2:443/patroni", Some(1)),
            ("http://10.0.0.2:80/patroni", None),
            ("http://[2001:DB8:0::1]:8008/patroni", Some(2)),
            ("http://node-a.example:8009/patroni", None),
            ("http://:8008/patroni", None),
            ("node-a.example:8008", None),
            ("", None),
        ] {
            assert_eq!(found(address), expected, "{address}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_nobody() {
        let database =
            database("a: [{ name: pg-a, url: \"http://10.0.0.1:8008\" }], b: \"http://10.0.0.2:8008\"");
        let told = |list: &[(usize, &str)]| {
            list.iter().map(|(m, n)| (MemberId::of(*m), Name::from(*n))).collect::<ToldNames>()
        };
        for (names, name, address, expected) in [
            (told(&[]), "pg-a", "http://nat.example:8008/patroni", Some(0)),
            (told(&[]), "pg-a", "http://10.0.0.1:8008/patroni", Some(0)),
            // The configuration calls the member at this address otherwise.
            (told(&[]), "pg-z", "http://10.0.0.1:8008/patroni", None),
            (told(&[]), "pg-a", "http://10.0.0.2:8008/patroni", None),
            // What a member told at its configured address counts before what it announces.
            (told(&[(1, "pg-b")]), "pg-b", "http://localhost:8008/patroni", Some(1)),
            (told(&[(1, "pg-b")]), "pg-c", "http://10.0.0.2:8008/patroni", None),
            (told(&[(1, "pg-a")]), "pg-a", "http://10.0.0.2:8008/patroni", None),
        ] {
            assert_eq!(
                member_of(&database, &names, name, address).map(|m| m.0),
                expected,
                "{name} at {address}, {names:?}"
            );
        }
    }
}

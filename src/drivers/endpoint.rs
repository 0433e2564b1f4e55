//! Addresses as systems tell them: `host:port`, with an IPv6 address in brackets.

use std::net::IpAddr;

/// PostgreSQL's own port, where an address gives none.
const POSTGRESQL: u16 = 5432;

/// Host and port of an address; the host without brackets.
pub fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => rest.split_once(']').and_then(|(host, port)| Some((host, port.strip_prefix(':')?)))?,
        None => address.rsplit_once(':')?,
    };
    (!host.is_empty()).then_some((host, port.parse().ok()?))
}

/// Both name one server: an IP address is compared as such, however it is written.
pub fn same(one: &str, other: &str) -> bool {
    let parts = |address| {
        split(address).map(|(host, port)| (host.parse::<IpAddr>().map(|ip| ip.to_canonical()), host, port))
    };
    match (parts(one), parts(other)) {
        (Some((Ok(a), _, p)), Some((Ok(b), _, q))) => a == b && p == q,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// Where the database of a `conn_url` of Patroni's listens: its first host, which may be one of several.
/// `postgres://user@10.0.0.1,10.0.0.2:5432/postgres` is 10.0.0.1:5432.
pub fn of_conn_url(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?']).next()?;
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let port_of = |host: &str| split(host).map(|(_, port)| port);
    let first = hosts.split(',').next().filter(|h| !h.is_empty())?;
    if port_of(first).is_some() {
        return Some(first.to_string());
    }
    // Patroni writes one port behind a list of hosts; without any it is PostgreSQL's own.
    let port = hosts.rsplit(',').find_map(port_of).unwrap_or(POSTGRESQL);
    Some(format!("{}:{port}", first.trim_end_matches(':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for (address, expected) in [
            ("10.0.0.1:5432", Some(("10.0.0.1", 5432))),
            ("[::1]:5432", Some(("::1", 5432))),
            ("[fe80::1%eth0]:5432", Some(("fe80::1%eth0", 5432))),
            ("pg-1:5432", Some(("pg-1", 5432))),
            ("[::1]", None),
            ("pg-1", None),
            (":5432", None),
            ("pg-1:x", None),
        ] {
            assert_eq!(split(address), expected, "{address}");
        }
    }

    #[test]
    fn one_server_in_two_ways() {
        assert!(same("[::1]:5432", "[0:0:0:0:0:0:0:1]:5432"));
        assert!(same("[::ffff:10.0.0.1]:5432", "10.0.0.1:5432"));
        assert!(same("PG-1:5432", "pg-1:5432"));
        assert!(
            !same("[::1]:5432", "[::1]:5433")
                && !same("10.0.0.1:5432", "10.0.0.2:5432")
                && !same("pg-1:5432", "pg-2:5432")
        );
    }

    #[test]
    fn what_patroni_tells() {
        for (url, expected) in [
            ("postgres://10.0.0.1:5432/postgres", Some("10.0.0.1:5432")),
            ("postgres://[::1]:5432/postgres", Some("[::1]:5432")),
            ("postgres://user@[fd00::1]:6432/postgres?x=1", Some("[fd00::1]:6432")),
            ("postgres://10.0.0.1,10.0.0.2:6432/postgres", Some("10.0.0.1:6432")),
            ("postgres://[::1],127.0.0.1:6432/postgres", Some("[::1]:6432")),
            ("postgres://10.0.0.1:6432,10.0.0.2:6433/postgres", Some("10.0.0.1:6432")),
            ("postgres://pg-1/postgres", Some("pg-1:5432")),
            ("postgres://[::1]/postgres", Some("[::1]:5432")),
            ("postgres:///postgres", None),
            ("pg-1:5432", None),
        ] {
            assert_eq!(of_conn_url(url).as_deref(), expected, "{url}");
        }
    }
}

//! Addresses as people write them: URLs, and hosts with ports. An IPv6 address stands in brackets.

use super::context::Context;
use super::mistake::Place;

/// A URL with one of these schemes.
pub fn url(cx: &Context, at: impl Into<Place>, text: &str) {
    let rest = ["http://", "https://"].iter().find_map(|s| text.strip_prefix(s));
    let authority = rest.map(|r| r.split(['/', '?', '#']).next().unwrap_or(r));
    if !authority.is_some_and(|a| authority_is_right(a, false)) {
        cx.add(at, format!("`{text}` is no address"), "write http://host:port");
    }
}

/// A host and a port.
pub fn host_port(cx: &Context, at: impl Into<Place>, text: &str) {
    if !authority_is_right(text, true) {
        cx.add(
            at,
            format!("`{text}` is no host and port"),
            "write host:port, such as 127.0.0.1:9999 or [::1]:9999",
        );
    }
}

/// A host and a port, or a Unix socket.
pub fn socket(cx: &Context, at: impl Into<Place>, text: &str) {
    if !text.starts_with('/') && !authority_is_right(text, true) {
        let remedy =
            "write host:port, such as 127.0.0.1:9999 or [::1]:9999, or the absolute path of a Unix socket";
        cx.add(at, format!("`{text}` is neither host:port nor the path of a socket"), remedy);
    }
}

/// `host`, `host:port`, `[::1]` or `[::1]:port`; a port is a number from 1 to 65535.
fn authority_is_right(text: &str, needs_port: bool) -> bool {
    let (host_is_right, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) => (is_ipv6(host), None),
            Some((host, port)) => {
                (is_ipv6(host) && port.starts_with(':'), Some(port.trim_start_matches(':')))
            }
            None => (false, None),
        },
        None => match text.split_once(':') {
            Some((host, port)) => (is_host(host), Some(port)),
            None => (is_host(text), None),
        },
    };
    host_is_right && port.map_or(!needs_port, |port| port.parse::<u16>().is_ok_and(|p| p > 0))
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && !text.contains(|c: char| {
            c.is_whitespace() || c.is_control() || matches!(c, '/' | '[' | ']' | '@' | '?' | '#')
        })
}

/// An IPv6 address, also one with a zone such as `fe80::1%eth0`.
fn is_ipv6(text: &str) -> bool {
    text.split('%').next().is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities() {
        for text in ["10.0.0.1:8008", "[::1]:8008", "[fe80::1%eth0]:8008", "pg-1.example:5432"] {
            assert!(authority_is_right(text, true), "{text}");
        }
        for text in ["10.0.0.1", "[::1]"] {
            assert!(authority_is_right(text, false) && !authority_is_right(text, true), "{text}");
        }
        for text in [
            "",
            ":80",
            "::1:8008",
            "[::1",
            "[::1]8008",
            "[10.0.0.1]:80",
            "a:0",
            "a:99999",
            "a b:80",
            "a/b:80",
            "a:",
            "user@a:80",
        ] {
            assert!(!authority_is_right(text, true) && !authority_is_right(text, false), "{text}");
        }
    }
}

//! Asking what runs in a lab, and waiting until it answers.

use super::place::{Place, REGIONS};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// One request, HTTP/1.0, with a short patience: status and body.
pub fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let address: SocketAddr = address.parse().ok()?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(500)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
    let mut text = String::new();
    stream.take(1 << 20).read_to_string(&mut text).ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    let body = text.split_once("\r\n\r\n").map(|(_, b)| b.to_string()).unwrap_or_default();
    Some((status, body))
}

/// The first node that answers that path of its REST interface with yes.
pub fn find(place: &Place, path: &str) -> Option<&'static str> {
    REGIONS.into_iter().find(|region| {
        let Some((address, rest, _)) = place.node(region) else { return false };
        get(&format!("{address}:{rest}"), path).is_some_and(|(status, _)| status == 200)
    })
}

pub fn wait(what: &str, at_most: Duration, mut test: impl FnMut() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + at_most;
    while !test() {
        if Instant::now() > deadline {
            return Err(format!("waited {} s in vain for {what}", at_most.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

//! A network device of a namespace whose packets come to this process.

use std::fs::File;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::Duration;

pub struct Tun(File);

/// The device's name in its namespace; on this machine itself, where others may be, with the network's number.
fn name_of(namespace: &str, address: Ipv4Addr) -> String {
    if namespace == HERE { format!("wire{}", address.octets()[2]) } else { "wire".to_string() }
}

/// This machine's own namespace.
const HERE: &str = ".";
/// The longest packet: what an ordinary line carries.
const LONGEST: usize = 1500;

impl Tun {
    /// Makes the device in a namespace that `ip netns add` has made (`.` is this machine's own), with this address and the network of 256 around it.
    ///
    /// # Errors
    /// There is no such namespace, or not the right to make a device.
    pub fn make(namespace: &str, address: Ipv4Addr) -> Result<Tun, String> {
        let (place, device) = (namespace.to_string(), name_of(namespace, address));
        let name = device.clone();
        // A thread changes over to the namespace; the device stays there, the thread ends.
        let made = std::thread::spawn(move || open_in(&place, &device))
            .join()
            .map_err(|_| "the thread that makes it ended".to_string())?;
        let tun = made.map_err(|e| {
            format!("namespace {namespace}: {e}; it needs root, /dev/net/tun, and: ip netns add {namespace}")
        })?;
        let at = if namespace == HERE { String::new() } else { format!("-n {namespace} ") };
        for words in [
            format!("{at}link set lo up"),
            format!("{at}addr add {address}/24 dev {name}"),
            format!("{at}link set {name} up"),
        ] {
            let out = Command::new("ip")
                .args(words.split(' '))
                .output()
                .map_err(|e| format!("ip: {e}; install iproute2"))?;
            if !out.status.success() {
                return Err(format!("ip {words}: {}", String::from_utf8_lossy(&out.stderr).trim()));
            }
        }
        Ok(tun)
    }

    /// A packet that has come, if one has.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        let mut bytes = [0; LONGEST + 4];
        match self.0.read(&mut bytes) {
            Ok(n) if n > 0 => Some(bytes[..n].to_vec()),
            _ => None,
        }
    }

    /// A line that is full loses packets; so does this one.
    pub fn write(&mut self, packet: &[u8]) {
        let _ = self.0.write(packet);
    }
}

#[repr(C)]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    flags: i16,
    rest: [u8; 22],
}

fn open_in(namespace: &str, name: &str) -> std::io::Result<Tun> {
    if namespace != HERE {
        let place = File::open(format!("/var/run/netns/{namespace}"))?;
        // SAFETY: an open descriptor of a namespace; only this thread changes over, and it ends soon.
        if unsafe { libc::setns(place.as_raw_fd(), libc::CLONE_NEWNET) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    let device = File::options().read(true).write(true).open("/dev/net/tun")?;
    let mut request =
        Request { name: [0; libc::IFNAMSIZ], flags: (libc::IFF_TUN | libc::IFF_NO_PI) as i16, rest: [0; 22] };
    let name = &name.as_bytes()[..name.len().min(libc::IFNAMSIZ - 1)];
    request.name[..name.len()].copy_from_slice(name);
    // SAFETY: an open descriptor, and a request of the layout and length that TUNSETIFF reads and writes.
    if unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF, &mut request) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: an open descriptor of ours.
    if unsafe { libc::fcntl(device.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(Tun(device))
}

/// Waits for packets, not longer than this; which devices have some. `None`: one of them is gone.
pub fn wait(tuns: &[Tun], at_most: Duration) -> Option<Vec<usize>> {
    let mut wanted: Vec<libc::pollfd> =
        tuns.iter().map(|t| libc::pollfd { fd: t.0.as_raw_fd(), events: libc::POLLIN, revents: 0 }).collect();
    let at_most = libc::timespec {
        tv_sec: 0,
        tv_nsec: libc::c_long::try_from(at_most.min(Duration::from_millis(999)).as_nanos()).unwrap_or(0),
    };
    // SAFETY: valid descriptors and their count, a valid time, and no mask of signals.
    let count =
        unsafe { libc::ppoll(wanted.as_mut_ptr(), wanted.len() as libc::nfds_t, &at_most, std::ptr::null()) };
    if count <= 0 {
        return Some(Vec::new());
    }
    if wanted.iter().any(|w| w.revents & (libc::POLLERR | libc::POLLNVAL | libc::POLLHUP) != 0) {
        return None;
    }
    let ready =
        wanted.iter().enumerate().filter(|(_, w)| w.revents & libc::POLLIN != 0).map(|(i, _)| i).collect();
    Some(ready)
}

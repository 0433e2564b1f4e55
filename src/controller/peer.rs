//! Who is at the other end of a socket, or in this process: what the kernel says of it. Nothing here is taken from what a
//! client sends.

use crate::model::{Account, Claims, LoginAccount};
use std::ffi::CStr;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

/// The process that opened a connection, as the kernel knew it then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub uid: u32,
    /// Its groups: the primary one, and the others.
    pub groups: Vec<u32>,
    pid: Option<i32>,
}

impl Peer {
    /// The process at the other end of a local socket.
    ///
    /// # Errors
    /// The kernel does not say.
    pub fn of(stream: &tokio::net::UnixStream) -> io::Result<Peer> {
        let told = stream.peer_cred()?;
        let mut groups = vec![told.gid()];
        groups.extend(groups_of(stream.as_raw_fd())?.into_iter().filter(|gid| *gid != told.gid()));
        Ok(Peer { uid: told.uid(), groups, pid: told.pid() })
    }

    /// This process.
    pub fn own() -> Peer {
        // SAFETY: both only ask.
        let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
        let mut groups = vec![gid];
        // SAFETY: with no room it answers how many there are.
        let many = unsafe { libc::getgroups(0, std::ptr::null_mut()) };
        let mut more = vec![0; usize::try_from(many).unwrap_or(0)];
        // SAFETY: there is room for as many as it is told.
        let got = unsafe { libc::getgroups(many.max(0), more.as_mut_ptr()) };
        more.truncate(usize::try_from(got).unwrap_or(0));
        groups.extend(more.into_iter().filter(|g| *g != gid));
        Peer { uid, groups, pid: i32::try_from(std::process::id()).ok() }
    }

    /// Looks up the names. It may ask a directory service, and blocks meanwhile.
    pub fn look_up(&self) -> Names {
        Names {
            user: user_name(self.uid),
            groups: self.groups.iter().filter_map(|gid| group_name(*gid)).collect(),
            login: self.login(),
        }
    }

    /// Looks up the names, within a time: a directory service that fails must not hold back an order.
    pub async fn names(&self) -> Names {
        let peer = self.clone();
        let found = tokio::time::timeout(LOOK_UP, tokio::task::spawn_blocking(move || peer.look_up())).await;
        match found {
            Ok(Ok(names)) => names,
            _ => Names { user: self.uid.to_string(), groups: Vec::new(), login: None },
        }
    }

    /// The account, with what it claims beside.
    pub fn account(&self, names: &Names, claimed: Claims) -> Account {
        Account {
            uid: self.uid,
            name: names.user.clone(),
            login: names.login.clone(),
            claimed: claimed.cleaned(),
        }
    }

    /// The account that logged in, as the kernel was told. A process that is gone, or whose number another account's process
    /// has by now, has none.
    fn login(&self) -> Option<LoginAccount> {
        let process = format!("/proc/{}", self.pid?);
        let uid: u32 = std::fs::read_to_string(format!("{process}/loginuid")).ok()?.trim().parse().ok()?;
        let same = std::fs::metadata(&process).is_ok_and(|m| m.uid() == self.uid);
        (same && uid != u32::MAX).then(|| LoginAccount { uid, name: user_name(uid) })
    }
}

/// The names of a process's account and groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    pub user: String,
    pub groups: Vec<String>,
    login: Option<LoginAccount>,
}

impl Names {
    /// The account's name, then those of its groups.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.user).chain(&self.groups).map(String::as_str)
    }
}

/// Names that are not found within this time are numbers.
const LOOK_UP: std::time::Duration = std::time::Duration::from_secs(2);

/// The supplementary groups of the process at the other end.
fn groups_of(socket: i32) -> io::Result<Vec<u32>> {
    let mut list: Vec<u32> = vec![0; 64];
    loop {
        let mut bytes = libc::socklen_t::try_from(std::mem::size_of_val(list.as_slice())).unwrap_or(0);
        // SAFETY: the buffer is as long as it is told.
        let result = unsafe {
            libc::getsockopt(
                socket,
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                list.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        let told = bytes as usize / size_of::<u32>();
        match (result, io::Error::last_os_error().raw_os_error()) {
            (0, _) => {
                list.truncate(told);
                return Ok(list);
            }
            (_, Some(libc::ERANGE)) if told > list.len() => list.resize(told, 0),
            _ => return Err(io::Error::last_os_error()),
        }
    }
}

/// The name of an account, or its number.
pub fn user_name(uid: u32) -> String {
    let mut entry = std::mem::MaybeUninit::<libc::passwd>::uninit();
    let found = named(|buffer, length| {
        let mut result = std::ptr::null_mut();
        // SAFETY: entry, buffer and result outlive the call, and the buffer is as long as it is told.
        let status = unsafe { libc::getpwuid_r(uid, entry.as_mut_ptr(), buffer, length, &raw mut result) };
        // SAFETY: a result that is not null points to the entry, which was filled in.
        (status, (!result.is_null()).then(|| unsafe { (*result).pw_name }))
    });
    found.unwrap_or_else(|| uid.to_string())
}

/// The name of a group.
pub fn group_name(gid: u32) -> Option<String> {
    let mut entry = std::mem::MaybeUninit::<libc::group>::uninit();
    named(|buffer, length| {
        let mut result = std::ptr::null_mut();
        // SAFETY: entry, buffer and result outlive the call, and the buffer is as long as it is told.
        let status = unsafe { libc::getgrgid_r(gid, entry.as_mut_ptr(), buffer, length, &raw mut result) };
        // SAFETY: a result that is not null points to the entry, which was filled in.
        (status, (!result.is_null()).then(|| unsafe { (*result).gr_name }))
    })
}

/// A name from the system's own lists, which is written into a buffer of ours.
fn named(
    mut ask: impl FnMut(*mut libc::c_char, usize) -> (i32, Option<*mut libc::c_char>),
) -> Option<String> {
    let mut buffer: Vec<libc::c_char> = vec![0; 1024];
    loop {
        match ask(buffer.as_mut_ptr(), buffer.len()) {
            (libc::ERANGE, _) if buffer.len() < 1 << 20 => buffer.resize(buffer.len() * 4, 0),
            // SAFETY: the name is a string that ends in a zero, inside the buffer, which is still there.
            (0, Some(name)) => return Some(unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        assert_eq!(user_name(0), "root");
        assert_eq!(group_name(0).as_deref(), Some("root"));
        assert_eq!(user_name(3_999_999_999), "3999999999");
        assert_eq!(group_name(3_999_999_999), None);
    }

    /// What the kernel says of a peer is what this process is.
    #[tokio::test]
    async fn the_peer_of_a_socket() {
        let (one, _other) = tokio::net::UnixStream::pair().unwrap_or_else(|e| panic!("{e}"));
        let (peer, own) = (Peer::of(&one).unwrap_or_else(|e| panic!("{e}")), Peer::own());
        let sorted = |p: &Peer| {
            let mut groups = p.groups.clone();
            groups.sort_unstable();
            (p.uid, groups, p.pid)
        };
        assert_eq!(sorted(&peer), sorted(&own));
        assert_eq!(peer.names().await, own.look_up());
        assert_eq!(peer.names().await.user, user_name(own.uid));
    }
}

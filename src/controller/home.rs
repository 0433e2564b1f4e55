//! Where a controller keeps what must outlive it, and the lock that makes it the only one of its estate on this machine.
//!
//! One directory per estate and machine: that of the service where there is one, for everybody; else the user's own.

use super::peer::user_name;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What a command's lock says, so that who means to stay waits for its end.
const BRIEF: &str = "brief";

/// The modes of the directory and of the files that its group may read.
const DIRECTORY: u32 = 0o750;
const FILE: u32 = 0o640;

/// A socket's path is this long at most; the kernel takes 107 bytes.
const SOCKET_PATH: usize = 100;

/// Files that the group of the directory may read, where they are there.
const READ_BY_GROUP: [&str; 8] = [
    "journal.db",
    "journal.db-wal",
    "journal.db-shm",
    "journal.heads",
    "key.pub",
    "tape.jsonl",
    "tape.old.jsonl",
    "socket.path",
];
/// Files for the controller alone.
const PRIVATE: [&str; 4] = ["key", "lock", "live-drill.lock", "receipts"];

/// An estate's directory.
#[derive(Clone, Debug)]
pub struct Home {
    path: PathBuf,
    /// It is the service's, for every account.
    shared: bool,
}

/// What this process may do in an estate's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seat {
    /// It may run the controller.
    Keeper,
    /// It may only ask the controller; the account that may run it, if that is known.
    Client { owner: Option<String> },
}

/// How long a controller means to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenure {
    /// Until it is told to end: `serve`, a dashboard.
    Stays,
    /// For one command.
    Brief,
}

/// Why the lock was not to be had.
#[derive(Debug)]
pub enum LockError {
    /// Another controller of this estate runs here.
    Taken(Tenure),
    Io(std::io::Error),
}

impl Home {
    /// The service's directory, if it has one for this estate, or if this account may make one there; else `NAME` in the
    /// user's data directory. Where `$BPCI_DATA` is set, always there.
    pub fn of(estate: &str) -> Home {
        if own_data().is_none() {
            let root = service_root();
            let path = root.join(estate);
            // If it cannot be looked at, it is there, and not for this account.
            let absent = std::fs::metadata(&path).is_err_and(|e| e.kind() == io::ErrorKind::NotFound);
            let ours = || std::fs::metadata(&root).is_ok_and(|m| m.is_dir() && m.uid() == own_uid());
            if !absent || ours() {
                return Home { path, shared: true };
            }
        }
        Home { path: data_directory().join(estate), shared: false }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn journal(&self) -> PathBuf {
        self.path.join("journal.db")
    }

    /// Where the controller listens. If the path in the directory is too long for a socket, the directory names another.
    pub fn socket(&self) -> PathBuf {
        let direct = self.path.join("socket");
        if direct.as_os_str().len() <= SOCKET_PATH {
            return direct;
        }
        std::fs::read_to_string(self.path.join("socket.path"))
            .map_or(direct, |text| PathBuf::from(text.trim_end_matches('\n')))
    }

    /// The socket's path, if it is not in the directory.
    pub fn socket_elsewhere(&self) -> Option<PathBuf> {
        Some(self.socket()).filter(|path| path.parent() != Some(&self.path))
    }

    /// Where receipts of commands are kept, so that their outcome can be observed after a crash.
    pub fn receipts(&self) -> PathBuf {
        self.path.join("receipts")
    }

    /// The group of the directory.
    pub fn group(&self) -> Option<u32> {
        std::fs::metadata(&self.path).ok().map(|m| m.gid())
    }

    /// What this process may do here.
    pub fn seat(&self) -> Seat {
        let exists = std::fs::metadata(&self.path);
        let writes = std::ffi::CString::new(self.path.as_os_str().as_bytes()).is_ok_and(|path| {
            // SAFETY: it only asks; the string ends in a zero and outlives the call.
            unsafe {
                libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::W_OK | libc::X_OK, libc::AT_EACCESS) == 0
            }
        });
        match exists {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Seat::Keeper,
            Ok(_) if writes => Seat::Keeper,
            Ok(m) => Seat::Client { owner: Some(user_name(m.uid())) },
            Err(_) => Seat::Client { owner: None },
        }
    }

    /// Makes the directory, and closes what others than its group could read. Answers with what it changed.
    ///
    /// # Errors
    /// It cannot be made, others may write in it or in a file of it, or its modes are not this account's to change.
    pub fn prepare(&self) -> Result<Vec<String>, String> {
        let fail = |e: io::Error| format!("{}: {e}", self.path.display());
        if !self.path.is_dir() {
            if let Some(parent) = self.path.parent() {
                std::fs::create_dir_all(parent).map_err(fail)?;
            }
            DirBuilder::new().mode(DIRECTORY).create(&self.path).map_err(fail)?;
            std::fs::set_permissions(&self.path, Permissions::from_mode(DIRECTORY)).map_err(fail)?;
        }
        let mut told = Vec::new();
        told.extend(close(&self.path, DIRECTORY)?);
        for name in READ_BY_GROUP {
            told.extend(close(&self.path.join(name), FILE)?);
        }
        Ok(told)
    }

    /// Gives what was made here to the directory's owner and group, and lets the group read it.
    pub fn settle(&self) {
        for name in READ_BY_GROUP {
            let path = self.path.join(name);
            // The user's own may be closed to the group as well.
            let mode = std::fs::metadata(&path)
                .map_or(FILE, |m| if self.shared { FILE } else { m.permissions().mode() & FILE });
            hand_over(&self.path, &path, Some(mode));
        }
        for name in PRIVATE {
            hand_over(&self.path, &self.path.join(name), None);
        }
    }

    /// Makes a place for the socket: in the directory, or under the runtime directory if that path is too long.
    ///
    /// # Errors
    /// No place can be made whose path is short enough.
    pub fn make_socket(&self) -> io::Result<PathBuf> {
        let (direct, note) = (self.path.join("socket"), self.path.join("socket.path"));
        if direct.as_os_str().len() <= SOCKET_PATH {
            return Ok(direct);
        }
        let name = format!("bpci-{}", &blake3::hash(self.path.as_os_str().as_bytes()).to_hex()[..12]);
        let runtime =
            std::env::var_os("XDG_RUNTIME_DIR").filter(|d| !self.shared && !d.is_empty()).map(PathBuf::from);
        let mut refused =
            io::Error::other("no runtime directory has a path that is short enough for a socket");
        for root in
            runtime.into_iter().chain([PathBuf::from("/run"), std::env::temp_dir(), PathBuf::from("/tmp")])
        {
            let directory = root.join(&name);
            let socket = directory.join("socket");
            if socket.as_os_str().len() > SOCKET_PATH {
                continue;
            }
            match own_directory(&directory) {
                Ok(()) => {
                    hand_over(&self.path, &directory, Some(DIRECTORY));
                    std::fs::write(&note, format!("{}\n", socket.display()))?;
                    return Ok(socket);
                }
                Err(e) => refused = io::Error::new(e.kind(), format!("{}: {e}", directory.display())),
            }
        }
        Err(refused)
    }

    /// Lets the group of the directory reach the socket.
    pub fn open_socket(&self, socket: &Path) {
        hand_over(&self.path, socket, Some(0o660));
    }

    /// Takes the lock. It is held as long as the file that is returned.
    ///
    /// # Errors
    /// Another controller has it, or the directory is not there.
    pub fn lock(&self, tenure: Tenure) -> Result<File, LockError> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(self.path.join("lock"))
            .map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {
                let _ = file.set_len(0);
                let _ = writeln!(
                    file,
                    "{} {}",
                    std::process::id(),
                    if tenure == Tenure::Brief { BRIEF } else { "stays" }
                );
                Ok(file)
            }
            Err(TryLockError::WouldBlock) => {
                let mut says = String::new();
                let _ = file.read_to_string(&mut says);
                Err(LockError::Taken(tenure_of(&says)))
            }
            Err(TryLockError::Error(e)) => Err(LockError::Io(e)),
        }
    }
}

/// What a lock's file says of its holder. Nothing yet, or the words of one who is dead: it was taken this very moment,
/// and will say more in the next.
fn tenure_of(says: &str) -> Tenure {
    let holder = says.split_whitespace().next().and_then(|pid| pid.parse::<i32>().ok());
    // SAFETY: signal 0 sends nothing; it asks whether there is such a process.
    let lives = holder.is_some_and(|pid| unsafe { libc::kill(pid, 0) } == 0);
    if lives && !says.contains(BRIEF) { Tenure::Stays } else { Tenure::Brief }
}

/// Closes what others could read. If others may write, somebody may have changed it: that is a person's to look at.
fn close(path: &Path, most: u32) -> Result<Option<String>, String> {
    let Ok(found) = std::fs::metadata(path) else { return Ok(None) };
    let mode = found.permissions().mode();
    let name = path.display();
    if mode & 0o002 != 0 {
        return Err(format!(
            "{name}: every account may write here (mode {:o}); see what changed (bpci journal verify), then chmod {most:o} it",
            mode & 0o777
        ));
    }
    if mode & 0o777 & !most == 0 {
        return Ok(None);
    }
    let closed = mode & (0o7000 | most);
    std::fs::set_permissions(path, Permissions::from_mode(closed)).map_err(|e| {
        format!(
            "{name}: accounts beside its group may read it (mode {:o}): {e}; chmod {most:o} it",
            mode & 0o777
        )
    })?;
    Ok(Some(format!(
        "{name}: its mode was {:o}; it is {:o} now, so that only its owner and its group may read it",
        mode & 0o777,
        closed & 0o777
    )))
}

/// Gives a file the owner (root alone can) and the group of the directory, and a mode. What cannot be given stays as it is:
/// then fewer accounts may read it.
fn hand_over(directory: &Path, path: &Path, mode: Option<u32>) {
    let (Ok(to), Ok(now)) = (std::fs::metadata(directory), std::fs::symlink_metadata(path)) else { return };
    let owner = (own_uid() == 0 && now.uid() != to.uid()).then_some(to.uid());
    let group = (now.gid() != to.gid()).then_some(to.gid());
    if owner.is_some() || group.is_some() {
        let _ = std::os::unix::fs::lchown(path, owner, group);
    }
    if let Some(mode) = mode {
        let _ = std::fs::set_permissions(path, Permissions::from_mode(mode));
    }
}

/// A file that was made in an estate's directory while its controller runs.
pub(super) fn share(path: &Path) {
    if let Some(directory) = path.parent() {
        hand_over(directory, path, Some(FILE));
    }
}

/// A directory of our own, where others may make one of the same name before us.
fn own_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let found = std::fs::symlink_metadata(path)?;
            let ours = found.is_dir() && found.uid() == own_uid();
            if ours { Ok(()) } else { Err(io::Error::other("it is another account's")) }
        }
        made => made,
    }
}

fn own_uid() -> u32 {
    // SAFETY: it only asks.
    unsafe { libc::geteuid() }
}

/// `$BPCI_DATA`: all estates of one account are there, whatever the service has.
fn own_data() -> Option<PathBuf> {
    std::env::var_os("BPCI_DATA").filter(|p| !p.is_empty()).map(PathBuf::from)
}

/// Where the directories of estates may be.
pub fn estate_roots() -> Vec<PathBuf> {
    let service = own_data().is_none().then(service_root);
    service.into_iter().chain([data_directory()]).collect()
}

/// Where the service keeps its estates (`$BPCI_STATE_ROOT`, for tests).
fn service_root() -> PathBuf {
    std::env::var_os("BPCI_STATE_ROOT")
        .filter(|p| !p.is_empty())
        .map_or_else(|| PathBuf::from("/var/lib/bpci"), PathBuf::from)
}

/// Where everything of this user's that must outlive a run is kept.
pub fn data_directory() -> PathBuf {
    own_data().unwrap_or_else(|| {
        directories::ProjectDirs::from("", "", "bpci")
            .map_or_else(|| PathBuf::from(".bpci"), |d| d.data_dir().to_path_buf())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap_or_else(|e| panic!("{e}")).permissions().mode() & 0o7777
    }

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let home = Home { path: dir.path().join("shop"), shared: true };
        home.prepare().unwrap_or_else(|e| panic!("{e}"));
        (dir, home)
    }

    /// What is too open is closed and told; what others may write is refused, since they may have changed it.
    #[test]
    fn modes_are_checked_at_start() {
        let (_dir, home) = home();
        assert_eq!(mode(home.path()), 0o750);
        let journal = home.journal();
        std::fs::write(&journal, "").unwrap_or_else(|e| panic!("{e}"));
        let set = |path: &Path, mode: u32| {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap_or_else(|e| panic!("{e}"))
        };
        // (directory, journal) before; after and the number of changes, or refused.
        type Row = ((u32, u32), Option<(u32, u32, usize)>);
        let table: [Row; 6] = [
            ((0o750, 0o640), Some((0o750, 0o640, 0))),
            ((0o700, 0o600), Some((0o700, 0o600, 0))),
            ((0o2755, 0o644), Some((0o2750, 0o640, 2))),
            ((0o775, 0o664), Some((0o750, 0o640, 2))),
            ((0o777, 0o640), None),
            ((0o750, 0o666), None),
        ];
        for (before, after) in table {
            set(home.path(), before.0);
            set(&journal, before.1);
            let told = home.prepare();
            match after {
                Some((directory, file, changes)) => {
                    assert_eq!((mode(home.path()), mode(&journal)), (directory, file), "{before:?}");
                    assert_eq!(told.map(|t| t.len()), Ok(changes), "{before:?}");
                }
                None => assert!(told.is_err_and(|e| e.contains("every account may write")), "{before:?}"),
            }
        }
    }

    /// A directory with a long name has its socket elsewhere, and says where.
    #[test]
    fn a_socket_of_a_long_path() {
        let (dir, short) = home();
        assert_eq!(short.make_socket().ok(), Some(short.path().join("socket")));
        assert_eq!(short.socket_elsewhere(), None);
        let long = Home { path: dir.path().join("x".repeat(120)), shared: false };
        long.prepare().unwrap_or_else(|e| panic!("{e}"));
        let socket = long.make_socket().unwrap_or_else(|e| panic!("{e}"));
        assert!(
            socket.as_os_str().len() <= SOCKET_PATH && !socket.starts_with(dir.path()),
            "{}",
            socket.display()
        );
        assert_eq!((long.socket(), long.socket_elsewhere()), (socket.clone(), Some(socket.clone())));
        std::os::unix::net::UnixListener::bind(&socket).unwrap_or_else(|e| panic!("{e}"));
        let _ = std::fs::remove_dir_all(socket.parent().unwrap_or_else(|| panic!("it has a directory")));
    }
}

//! Where a controller keeps what must outlive it, and the lock that makes it the only one of its estate on this machine.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// What a command's lock says, so that who means to stay waits for its end.
const BRIEF: &str = "brief";

/// An estate's directory: `<data>/<name>`.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

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
    /// `$BPCI_DATA`, else the user's data directory.
    pub fn of(estate: &str) -> Home {
        Home(data_directory().join(estate))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.db")
    }

    pub fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }

    /// Where receipts of commands are kept, so that their outcome can be observed after a crash.
    pub fn receipts(&self) -> PathBuf {
        self.0.join("receipts")
    }

    /// Takes the lock. It is held as long as the file that is returned.
    ///
    /// # Errors
    /// Another controller has it, or the directory cannot be made.
    pub fn lock(&self, tenure: Tenure) -> Result<File, LockError> {
        std::fs::create_dir_all(&self.0).map_err(LockError::Io)?;
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(self.0.join("lock")).map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {
                let _ = file.set_len(0);
                let _ = writeln!(file, "{} {}", std::process::id(), if tenure == Tenure::Brief { BRIEF } else { "stays" });
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

/// Where everything that must outlive a run is kept.
pub fn data_directory() -> PathBuf {
    if let Some(path) = std::env::var_os("BPCI_DATA").filter(|p| !p.is_empty()) {
        return PathBuf::from(path);
    }
    directories::ProjectDirs::from("", "", "bpci").map_or_else(|| PathBuf::from(".bpci"), |d| d.data_dir().to_path_buf())
}

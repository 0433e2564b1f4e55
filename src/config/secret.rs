//! Passwords and private keys in files that nobody else may read.
//!
//! The rule is that of libpq for its keys, and of ssh for the files of one's own: a secret is readable by its owner alone
//! (`chmod 600`). A file of root's may also be readable by one group that is not root's own (`0640`, `0440`): that is how a secret
//! is given to a service account, and nobody but root can change who is in a group. What lies in `$CREDENTIALS_DIRECTORY` was put
//! there by the service manager for this process alone, whatever its mode says.

use super::context::FileUse;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// No password is longer, in bytes.
const LONGEST: u64 = 4096;

/// Reads a password. A `credential` is looked for in `$CREDENTIALS_DIRECTORY` first.
///
/// # Errors
/// It cannot be read, is empty, or others can read it; with the remedy.
pub fn password(path: &str, credential: Option<&str>) -> Result<String, String> {
    let path = place(path, credential);
    let file = open(&path, true).map_err(|f| f.to_string())?;
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|e| format!("{}: {e}", path.display()))?;
    if text.len() as u64 > LONGEST {
        return Err(format!(
            "{}: longer than {LONGEST} bytes; name the file that holds the password alone",
            path.display()
        ));
    }
    match text.trim_end() {
        "" => Err(format!("{}: it is empty; write the password into it", path.display())),
        password => Ok(password.to_string()),
    }
}

/// Whether a file that the configuration names can be used: what is wrong with it, and what to do.
///
/// # Errors
/// It cannot be read, or is a secret that others can read.
pub fn check(file: &FileUse) -> Result<(), FileFault> {
    open(&place(&file.path, file.credential.as_deref()), file.secret).map(drop)
}

/// Whether a private key can be read, and by nobody else.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn check_key(path: &str) -> Result<(), String> {
    open(Path::new(path), true).map(drop).map_err(|f| f.to_string())
}

/// Where a secret stands: among the service manager's credentials, else at its path.
fn place(path: &str, credential: Option<&str>) -> PathBuf {
    let given = credentials().zip(credential).map(|(directory, name)| directory.join(name));
    given.filter(|p| p.exists()).unwrap_or_else(|| PathBuf::from(path))
}

fn credentials() -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").filter(|d| !d.is_empty()).map(PathBuf::from)
}

/// Why a file cannot be used, and what to do.
#[derive(Debug)]
pub struct FileFault {
    pub found: String,
    pub remedy: String,
    /// It is not there: on this machine, at this moment.
    pub is_absent: bool,
}

impl std::fmt::Display for FileFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.found, self.remedy)
    }
}

fn open(path: &Path, secret: bool) -> Result<std::fs::File, FileFault> {
    let fault = |found: String, remedy: String| FileFault {
        found: format!("{}: {found}", path.display()),
        remedy,
        is_absent: false,
    };
    let told = |e: std::io::Error| FileFault {
        is_absent: e.kind() == std::io::ErrorKind::NotFound,
        ..fault(e.to_string(), "name a file that this account can read".to_string())
    };
    let file = std::fs::File::open(path).map_err(told)?;
    let metadata = file.metadata().map_err(told)?;
    if !metadata.is_file() {
        return Err(fault("not a file".to_string(), "name the file itself".to_string()));
    }
    let is_credential = credentials().is_some_and(|directory| path.parent() == Some(&directory));
    if secret && !is_credential && !is_private(metadata.mode(), metadata.uid(), metadata.gid()) {
        let mode = metadata.mode() & 0o777;
        return Err(fault(
            format!("mode {mode:04o} lets others read it"),
            format!("run chmod 600 {}", path.display()),
        ));
    }
    Ok(file)
}

/// Nobody but its owner can read it; root's may be readable by one group.
const fn is_private(mode: u32, owner: u32, group: u32) -> bool {
    let others = mode & 0o077;
    others == 0 || (others == 0o040 && owner == 0 && group != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_its_owners_alone() {
        for (mode, owner, group, expected) in [
            (0o100_600, 1000, 1000, true),
            (0o100_400, 0, 0, true),
            (0o100_640, 1000, 1000, false),
            (0o100_604, 1000, 1000, false),
            (0o100_620, 0, 999, false),
            (0o100_644, 0, 999, false),
            (0o100_640, 0, 999, true),
            (0o100_440, 0, 999, true),
            (0o100_640, 0, 0, false),
        ] {
            assert_eq!(is_private(mode, owner, group), expected, "{mode:o} of {owner}:{group}");
        }
    }

    #[test]
    fn the_remedy_is_told() {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let path = directory.path().join("pw");
        let text = path.display().to_string();
        std::fs::write(&path, "secret\n").unwrap_or_else(|e| panic!("{e}"));
        let mode = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
                .unwrap_or_else(|e| panic!("{e}"))
        };
        mode(0o644);
        assert_eq!(
            password(&text, None),
            Err(format!("{text}: mode 0644 lets others read it; run chmod 600 {text}"))
        );
        mode(0o600);
        assert_eq!(password(&text, None), Ok("secret".to_string()));
        std::fs::write(&path, "\n").unwrap_or_else(|e| panic!("{e}"));
        assert!(password(&text, None).is_err_and(|e| e.contains("empty")));
        assert!(password(&format!("{text}.gone"), None).is_err());
        assert!(password(&directory.path().display().to_string(), None).is_err());
    }
}

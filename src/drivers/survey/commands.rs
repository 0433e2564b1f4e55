//! The files of the fence's commands, as they stand on this machine. None is started.

use crate::model::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Every command that the fence of a database has.
pub fn look(database: &Database) -> Vec<CommandAnswers> {
    let Some(fence) = &database.fence else { return Vec::new() };
    let commands = [
        (CommandRole::Exec, Some(&fence.exec)),
        (CommandRole::Check, fence.check.as_ref()),
        (CommandRole::Undo, fence.undo.as_ref()),
    ];
    commands.into_iter().filter_map(|(role, argv)| Some(command(role, argv?))).collect()
}

fn command(role: CommandRole, argv: &[String]) -> CommandAnswers {
    let program = argv.first().cloned().unwrap_or_default();
    CommandAnswers { role, file: file(&program), names_in_shell: names_in_shell(argv), program }
}

/// `sh -c "... {member} ..."`: a name becomes part of the shell's text.
fn names_in_shell(argv: &[String]) -> bool {
    const SHELLS: [&str; 5] = ["sh", "bash", "dash", "zsh", "ksh"];
    let shell = argv
        .first()
        .and_then(|p| Path::new(p).file_name())
        .is_some_and(|name| SHELLS.iter().any(|s| name == *s));
    let text = argv.iter().skip_while(|word| !word.starts_with('-') || !word.ends_with('c')).nth(1);
    shell && text.is_some_and(|t| t.contains("{region}") || t.contains("{member}"))
}

fn file(program: &str) -> Result<FileAnswers, String> {
    let path = found(program).ok_or("no such file, and no directory of PATH has it")?;
    let meta = std::fs::metadata(&path).map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("it is not a file".to_string());
    }
    let mode = meta.permissions().mode();
    // SAFETY: it reads a number of this process.
    let own = unsafe { libc::geteuid() };
    let trusted = |uid: u32| uid == 0 || uid == own;
    let directory = path.parent().and_then(|p| std::fs::metadata(p).ok());
    // In a directory with the sticky bit only the owner of a file replaces it.
    let replaceable =
        directory.is_some_and(|d| (d.mode() & 0o022 != 0 && d.mode() & 0o1000 == 0) || !trusted(d.uid()));
    Ok(FileAnswers {
        executable: mode & 0o111 != 0,
        owned: trusted(meta.uid()),
        writable: mode & 0o022 != 0 || replaceable,
    })
}

/// Where the program is: as it is written, or in the first directory of PATH that has it.
fn found(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|p| p.exists());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|d| d.join(program)).find(|p| p.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split('|').map(str::to_string).collect()
    }

    #[test]
    fn a_shell_must_not_read_names() {
        for (text, expected) in [
            ("sh|-c|fence {member}", true),
            ("/bin/bash|-lc|fence {region}", true),
            ("sh|-c|fence \"$1\"|fence|{member}", false),
            ("fence-node|{region}|{member}", false),
            ("sh|/opt/fence.sh|{member}", false),
        ] {
            assert_eq!(names_in_shell(&words(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_program_is_looked_at_where_it_would_be_started() {
        assert!(file("sh").is_ok_and(|f| f.executable && f.owned && !f.writable));
        assert!(file("no-such-program-of-ours").is_err());
        assert!(file("/etc").is_err());
        assert!(file("/etc/passwd").is_ok_and(|f| !f.executable));
    }
}

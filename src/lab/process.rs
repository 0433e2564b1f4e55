//! Processes of the lab: started apart from us, known by pid and start time, so that a pid that was given to somebody
//! else meanwhile is never touched.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// A process with the moment it began, in the kernel's ticks since boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    began: u64,
}

struct Stat {
    parent: i32,
    began: u64,
    state: char,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    Some(Stat {
        state: words.first()?.chars().next()?,
        parent: words.get(1)?.parse().ok()?,
        began: words.get(19)?.parse().ok()?,
    })
}

impl Process {
    pub fn of(pid: i32) -> Option<Process> {
        stat(pid).filter(|s| s.state != 'Z').map(|s| Process { pid, began: s.began })
    }

    pub fn lives(self) -> bool {
        Process::of(self.pid) == Some(self)
    }

    pub fn signal(self, signal: i32) {
        if self.lives() {
            // SAFETY: kill has no memory effects; the pid is positive and was just seen to be the process meant.
            unsafe { libc::kill(self.pid, signal) };
        }
    }

    /// It and everything it started, parents first.
    pub fn tree(self) -> Vec<Process> {
        let mut all = vec![self];
        let every = every();
        let mut next = 0;
        while next < all.len() {
            let parent = all[next].pid;
            all.extend(every.iter().filter(|(_, p)| *p == parent).map(|(process, _)| *process));
            next += 1;
        }
        all
    }
}

/// Every process there is, with its parent.
pub fn every() -> Vec<(Process, i32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| stat(pid).map(|s| (Process { pid, began: s.began }, s.parent)))
        .collect()
}

/// The first line of a process's command, for telling the workers of a database apart.
pub fn command_line(process: Process) -> String {
    fs::read(format!("/proc/{}/cmdline", process.pid))
        .map(|b| String::from_utf8_lossy(&b).replace('\0', " "))
        .unwrap_or_default()
}

/// Who the servers run as: PostgreSQL refuses root.
pub fn as_user() -> Option<&'static str> {
    // SAFETY: geteuid cannot fail and touches no memory.
    (unsafe { libc::geteuid() } == 0).then_some("postgres")
}

/// A command as the user that the servers run as, in a network namespace if one is named.
pub fn command(program: &Path, namespace: Option<&str>) -> Command {
    let mut words: Vec<&OsStr> = Vec::new();
    if let Some(namespace) = namespace {
        words.extend(["ip", "netns", "exec", namespace].map(OsStr::new));
    }
    if let Some(user) = as_user() {
        words.extend(
            ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--inh-caps=-all"].map(OsStr::new),
        );
    }
    words.push(program.as_os_str());
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// Starts a server apart from us and remembers it under its name.
pub fn start(dir: &Path, name: &str, mut command: Command) -> Result<Process, String> {
    let log_path = dir.join(format!("{name}.log"));
    let log = File::options()
        .create(true)
        .append(true)
        .open(&log_path)
        .map_err(|e| format!("{}: {e}", log_path.display()))?;
    let errors = log.try_clone().map_err(|e| e.to_string())?;
    command.stdin(Stdio::null()).stdout(log).stderr(errors).current_dir(dir).env("LC_ALL", "C.UTF-8");
    // SAFETY: setsid is async-signal-safe and is all that runs between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            Ok(())
        });
    }
    let child = command.spawn().map_err(|e| format!("{name}: {e}"))?;
    let pid = i32::try_from(child.id()).map_err(|e| e.to_string())?;
    let process =
        Process::of(pid).ok_or_else(|| format!("{name} ended at once; see {}", log_path.display()))?;
    fs::write(dir.join(format!("{name}.pid")), format!("{} {}\n", process.pid, process.began))
        .map_err(|e| e.to_string())?;
    // It is waited for so that, while we live, its end leaves no zombie behind.
    std::thread::spawn(move || {
        let mut child = child;
        let _ = child.wait();
    });
    Ok(process)
}

/// The server that was started under this name, if it lives.
pub fn running(dir: &Path, name: &str) -> Option<Process> {
    let text = fs::read_to_string(dir.join(format!("{name}.pid"))).ok()?;
    let mut words = text.split_whitespace();
    let process = Process { pid: words.next()?.parse().ok()?, began: words.next()?.parse().ok()? };
    process.lives().then_some(process)
}

/// The database server of a node: it is not a child of its agent for long, so its own pid file names it.
pub fn postmaster(data: &Path) -> Option<Process> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    let process = Process::of(pid)?;
    // The file outlives a killed server; only a process that works in this directory is meant.
    let works_in = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    (works_in == data).then_some(process)
}

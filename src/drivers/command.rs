//! Commands of the user's, with a receipt each: what was started, and how it ended, stays known when we die meanwhile.
//! The receipt also makes sure that one id runs once.

use super::boottime::{BootTime, boot_id};
use super::brief;
use crate::model::{EffectId, Outcome};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// Leaves if it is too late to begin; marks the start, or leaves if it is marked; runs; leaves output and exit status behind. It
/// ends its own process group when the time is up, so that a command ends in time also where we are frozen or dead.
const WRAPPER: &str = r#"r=$1 limit=$2 by=$3; shift 3
if [ "$by" != 0 ] && read -r up _ < /proc/uptime && [ "${up%.*}${up#*.}" -gt "$by" ]; then exit 125; fi
(set -C; echo "$$ $(cat /proc/sys/kernel/random/boot_id)" > "$r.started") 2>/dev/null || exit 125
( trap 'kill $s 2>/dev/null; exit' TERM; sleep "$limit" & s=$!; wait $s; echo "its time was up" > "$r.killed"; kill -9 0 ) & w=$!
"$@" > "$r.out" 2>&1; e=$?
kill $w 2>/dev/null
echo $e > "$r.tmp" && mv "$r.tmp" "$r.exit""#;

/// The wrapper's own limit is so much longer: as long as we live, we end it.
const LATER: Duration = Duration::from_secs(2);
/// How often the claim is looked at while a command runs.
const LOOKS: Duration = Duration::from_millis(200);
/// How long a process group that was killed is waited for.
const DIES: Duration = Duration::from_secs(1);

struct Receipt(PathBuf);

impl Receipt {
    fn of(directory: &Path, id: EffectId, began: &str) -> Receipt {
        Receipt(directory.join(format!("{began}-{id}")))
    }

    fn file(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}.{suffix}", self.0.display()))
    }

    fn read(&self, suffix: &str) -> Option<String> {
        std::fs::read_to_string(self.file(suffix)).ok()
    }

    /// Something of it may still run. `None`: a receipt of an older program, which does not say.
    fn runs(&self) -> Option<bool> {
        let started = self.read("started")?;
        let (pid, boot) = started.trim().split_once(' ')?;
        let group: i32 = pid.parse().ok()?;
        if boot != boot_id() {
            return Some(false);
        }
        // SAFETY: signal 0 sends nothing; it asks whether there is such a process group.
        let exists = unsafe { libc::kill(-group, 0) } == 0;
        Some(exists && lives(group))
    }
}

/// A process of the group lives. One that has ended and was not waited for by its parent does nothing any more.
fn lives(group: i32) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return true };
    let lives = |stat: &str| {
        let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let (state, of) = (fields.next(), fields.nth(1).and_then(|g| g.parse::<i32>().ok()));
        of == Some(group) && !matches!(state, Some("Z" | "X"))
    };
    processes
        .flatten()
        .filter_map(|p| std::fs::read_to_string(p.path().join("stat")).ok())
        .any(|stat| lives(&stat))
}

/// One run of a command.
pub struct Run<'a> {
    pub directory: &'a Path,
    pub id: EffectId,
    /// Tells operations of the same number apart.
    pub began: &'a str,
    pub timeout: Duration,
    /// From then on it may not begin any more.
    pub starts_by: Option<BootTime>,
}

impl Run<'_> {
    /// Runs a command to its end, or ends it when its time is up, or when `may_run` says why it may not go on.
    pub async fn run(&self, argv: &[String], may_run: impl Fn() -> Result<(), String>) -> Outcome {
        let missed = |reason: String| Outcome::Missed { reason };
        if let Err(e) = tokio::fs::create_dir_all(self.directory).await {
            return missed(format!("{}: {e}", self.directory.display()));
        }
        let receipt = Receipt::of(self.directory, self.id, self.began);
        let limit = (self.timeout + LATER).as_secs_f64().ceil().to_string();
        let by = self.starts_by.map_or(0, BootTime::hundredths).to_string();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WRAPPER, "bpci"]).arg(&receipt.0).args([&limit, &by]).args(argv);
        // A group of its own: what ends us must not end a fence in the middle.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(e) => return missed(format!("/bin/sh: {e}")),
        };
        let ends = tokio::time::Instant::now() + self.timeout;
        let reason = loop {
            tokio::select! {
                _ = child.wait() => return outcome(self.directory, self.id, self.began),
                () = tokio::time::sleep_until(ends) => break format!("no answer within {} s", self.timeout.as_secs()),
                () = tokio::time::sleep(LOOKS) => if let Err(reason) = may_run() { break reason },
            }
        };
        end(&mut child, &receipt, &reason).await;
        outcome(self.directory, self.id, self.began)
    }
}

/// Ends the command's process group, and waits until nothing of it runs.
async fn end(child: &mut Child, receipt: &Receipt, reason: &str) {
    // Without it the outcome is only less well told.
    let _ = std::fs::write(receipt.file("killed"), reason);
    if let Some(group) = child.id().and_then(|p| i32::try_from(p).ok()) {
        // SAFETY: kill has no memory effects; the group is our own child's, which has not been waited for.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    let _ = child.wait().await;
    let deadline = tokio::time::Instant::now() + DIES;
    while receipt.runs() == Some(true) && tokio::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What the receipt says.
pub fn outcome(directory: &Path, id: EffectId, began: &str) -> Outcome {
    let receipt = Receipt::of(directory, id, began);
    if !receipt.file("started").exists() {
        return Outcome::Missed { reason: "it was never started".to_string() };
    }
    let status = receipt.read("exit");
    let ended =
        |why: String| Outcome::Ended { reason: format!("{why}; it may have done its work, or a part of it") };
    let Some(status) = status else {
        return match (receipt.runs(), receipt.read("killed")) {
            (Some(false), Some(why)) => ended(format!("{}; it was ended", why.trim())),
            (Some(false), None) => ended("it ended without an exit status".to_string()),
            _ => Outcome::Unknown { reason: "it was started and has not ended yet".to_string() },
        };
    };
    let said = receipt.read("out").unwrap_or_default();
    let last: String = brief(said.lines().last().unwrap_or_default()).into_owned();
    match status.trim() {
        "0" => Outcome::Done { detail: if last.is_empty() { "exit status 0".to_string() } else { last } },
        other if last.is_empty() => ended(format!("exit status {other}")),
        other => ended(format!("exit status {other}: {last}")),
    }
}

/// Runs a command that only asks.
///
/// # Errors
/// What it said when it did not end with 0.
pub async fn check(argv: &[String], timeout: Duration) -> Result<(), String> {
    let Some((program, rest)) = argv.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(rest).stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(timeout, command.output()).await {
        Err(_) => return Err(format!("no answer within {} s", timeout.as_secs())),
        Ok(Err(e)) => return Err(format!("{program}: {e}")),
        Ok(Ok(output)) => output,
    };
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}", output.status, said.lines().last().unwrap_or_default()))
}

/// `{region}` and `{member}` filled in.
pub fn filled(argv: &[String], region: &str, member: &str) -> Vec<String> {
    argv.iter().map(|word| word.replace("{region}", region).replace("{member}", member)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Generation, OperationId};

    fn id(part: u16) -> EffectId {
        EffectId { operation: OperationId(1), step: 0, part, attempt: 0, generation: Generation(1) }
    }

    fn ran(
        directory: &Path,
        part: u16,
        script: &str,
        timeout_ms: u64,
        starts_by: Option<BootTime>,
        may_run: impl Fn() -> Result<(), String>,
    ) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap_or_else(|e| panic!("{e}"));
        let argv = ["sh", "-c", script].map(str::to_string);
        let run = Run {
            directory,
            id: id(part),
            began: "e",
            timeout: Duration::from_millis(timeout_ms),
            starts_by,
        };
        runtime.block_on(run.run(&argv, may_run))
    }

    /// Only exit status 0 is «done», and only what never began is «missed»: all else may have struck.
    #[test]
    fn a_command_is_told_by_its_receipt() {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let struck = directory.path().join("struck");
        let strike = format!("touch {}; sleep 30", struck.display());
        let run = |part, script: &str, timeout| ran(directory.path(), part, script, timeout, None, || Ok(()));
        assert_eq!(run(1, "echo off", 9_000), Outcome::Done { detail: "off".to_string() });
        assert_eq!(
            run(1, "echo off", 9_000),
            Outcome::Done { detail: "off".to_string() },
            "one id runs once"
        );
        assert!(
            matches!(run(2, "echo no; exit 3", 9_000), Outcome::Ended { reason } if reason.starts_with("exit status 3: no;"))
        );
        assert!(
            matches!(run(3, &strike, 300), Outcome::Ended { reason } if reason.contains("was ended; it may have"))
        );
        assert!(struck.exists());
        assert_eq!(
            outcome(directory.path(), id(9), "e"),
            Outcome::Missed { reason: "it was never started".to_string() }
        );
        // What was started by another process and still runs is neither.
        // SAFETY: it only asks for our own process group.
        let group = unsafe { libc::getpgid(0) };
        for (part, boot, ended) in [(5, boot_id(), false), (6, "an earlier one".to_string(), true)] {
            let file = Receipt::of(directory.path(), id(part), "e").file("started");
            std::fs::write(file, format!("{group} {boot}")).unwrap_or_else(|e| panic!("{e}"));
            let told = outcome(directory.path(), id(part), "e");
            assert_eq!(matches!(told, Outcome::Ended { .. }), ended, "{told:?}");
            assert_eq!(matches!(told, Outcome::Unknown { .. }), !ended, "{told:?}");
        }
    }

    /// It does not begin when its permit is old, and it does not go on without the claim.
    #[test]
    fn a_command_needs_the_claim() {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let late = ran(
            directory.path(),
            1,
            "true",
            9_000,
            Some(BootTime::default().plus(Duration::from_secs(1))),
            || Ok(()),
        );
        assert!(matches!(late, Outcome::Missed { .. }), "{late:?}");
        let began = std::time::Instant::now();
        let ended =
            ran(directory.path(), 2, "sleep 30", 9_000, None, || Err("our claim is gone".to_string()));
        assert!(
            matches!(&ended, Outcome::Ended { reason } if reason.starts_with("our claim is gone; it was ended")),
            "{ended:?}"
        );
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    /// A command ends in time also where nobody is left to end it.
    #[test]
    fn the_wrapper_ends_what_we_do_not() {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let receipt = Receipt::of(directory.path(), id(1), "e");
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", WRAPPER, "bpci"]).arg(&receipt.0).args(["1", "0", "sleep", "30"]);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let began = std::time::Instant::now();
        let status = command.status().unwrap_or_else(|e| panic!("{e}"));
        assert!(
            !status.success() && began.elapsed() < Duration::from_secs(10),
            "{status} after {:?}",
            began.elapsed()
        );
        // What was killed with it may take a moment to be gone.
        while matches!(outcome(directory.path(), id(1), "e"), Outcome::Unknown { .. }) {
            assert!(began.elapsed() < Duration::from_secs(10), "something of it still runs");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(matches!(outcome(directory.path(), id(1), "e"), Outcome::Ended { .. }));
    }
}

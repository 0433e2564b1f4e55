//! Commands of the user's, with a receipt each: what was started, and how it ended, stays known when we die meanwhile.
//! The receipt also makes sure that one id runs once.

use crate::model::{EffectId, Outcome};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Marks the start, or refuses if it is marked; runs; leaves output and exit status behind.
const WRAPPER: &str =
    r#"r=$1; shift; (set -C; : > "$r.started") 2>/dev/null || exit 125; "$@" > "$r.out" 2>&1; echo $? > "$r.tmp" && mv "$r.tmp" "$r.exit""#;

fn receipt(directory: &Path, id: EffectId, began: &str) -> PathBuf {
    directory.join(format!("{began}-{id}"))
}

/// Runs a command to its end, or ends it when its time is up. `began` tells operations of the same number apart.
pub async fn run(directory: &Path, id: EffectId, began: &str, argv: &[String], timeout: Duration) -> Outcome {
    if let Err(e) = tokio::fs::create_dir_all(directory).await {
        return Outcome::NotDone { reason: format!("{}: {e}", directory.display()) };
    }
    let path = receipt(directory, id, began);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WRAPPER, "bpci"]).arg(&path).args(argv);
    // A group of its own: what ends us must not end a fence in the middle.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return Outcome::NotDone { reason: format!("/bin/sh: {e}") },
    };
    match tokio::time::timeout(timeout, child.wait()).await {
        Ok(_) => outcome(directory, id, began),
        Err(_) => {
            if let Some(group) = child.id().and_then(|p| i32::try_from(p).ok()) {
                // SAFETY: kill has no memory effects; the group is our own child's, which has not been waited for.
                unsafe { libc::kill(-group, libc::SIGKILL) };
            }
            let _ = child.wait().await;
            Outcome::NotDone { reason: format!("no answer within {} s; it was ended", timeout.as_secs()) }
        }
    }
}

/// What the receipt says.
pub fn outcome(directory: &Path, id: EffectId, began: &str) -> Outcome {
    let path = receipt(directory, id, began);
    let beside = |suffix: &str| PathBuf::from(format!("{}.{suffix}", path.display()));
    if !beside("started").exists() {
        return Outcome::Missed { reason: "it was never started".to_string() };
    }
    let Ok(status) = std::fs::read_to_string(beside("exit")) else {
        return Outcome::Unknown { reason: "it was started and has not ended yet".to_string() };
    };
    let said = std::fs::read_to_string(beside("out")).unwrap_or_default();
    let last: String = said.lines().last().unwrap_or_default().chars().take(200).collect();
    match status.trim() {
        "0" => Outcome::Done { detail: if last.is_empty() { "exit status 0".to_string() } else { last } },
        other => Outcome::NotDone { reason: format!("exit status {other}: {last}") },
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

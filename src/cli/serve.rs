//! `bpci serve`: a controller without a screen.

use super::fail::Fail;
use super::open::live;
use super::output::say;
use super::story::new_lines;
use crate::controller::Tenure;
use std::path::Path;

/// A controller without a screen, until it is told to end.
pub async fn run(file: &Path, arm: bool) -> Result<(), Fail> {
    let opened = live(file, arm, Tenure::Stays).await?;
    if !opened.own {
        return Err(Fail::failed("a controller of this estate runs on this machine already"));
    }
    let mut told = 0;
    let first = opened.handle.snapshot();
    say(&format!(
        "{} · {} · {}",
        first.mode.word(),
        first.estate.name,
        if first.armed { "armed" } else { "read-only" }
    ))?;
    // One listener for the whole time: a signal between two would be lost.
    let mut end = std::pin::pin!(crate::controller::told_to_end());
    loop {
        let snapshot = opened.handle.snapshot();
        // Nobody may read along; that ends nothing.
        let _ = new_lines(&snapshot.log, snapshot.log_total, &mut told);
        tokio::select! {
            alive = opened.handle.changed() => if !alive { break },
            () = &mut end => break,
        }
    }
    opened.close().await;
    Ok(())
}

//! `bpci forecast calibration`: how often what was foretold came true.

use super::fail::Fail;
use super::journal::{JournalPath, journal_of};
use super::output::{Lines, Output, Printing};
use crate::engine::Engine;
use crate::forecast::{Calibration, Comparison, Held, held};
use crate::journal::{JournalError, Reader};
use crate::model::*;
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Args)]
pub struct CalibrationAsk {
    /// Journals, or their directories [default: the estate's]
    journals: Vec<PathBuf>,
    /// The estate whose journal it is
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_name = "text|json|FILE", default_value = "text")]
    output: Output,
}

/// What the records say together.
#[derive(Default)]
struct Found {
    comparisons: Vec<(String, Comparison)>,
    left_out: BTreeMap<&'static str, u32>,
}

pub fn run(ask: &CalibrationAsk) -> Result<(), Fail> {
    let mut found = Found::default();
    let printing = Printing { output: ask.output.clone() };
    if ask.journals.is_empty() {
        read(
            &journal_of(&JournalPath { path: None, config: ask.config.clone(), printing: printing.clone() })?,
            &mut found,
        )?;
    }
    for path in &ask.journals {
        read(
            &journal_of(&JournalPath { path: Some(path.clone()), config: None, printing: printing.clone() })?,
            &mut found,
        )?;
    }
    let plans = held(found.comparisons.iter().map(|(_, c)| c));
    ask.output.print(&value(&found, &plans), || words(&found, &plans))
}

fn read(path: &Path, found: &mut Found) -> Result<(), Fail> {
    let mut known: Option<Calibration> = None;
    let mut estate = String::new();
    Reader::open(path)?.each(|entry| {
        if let Event::Started { estate: e, .. } = &entry.record.event {
            estate.clone_from(&e.name);
            known.get_or_insert_with(|| {
                Calibration::new(Engine::new(std::sync::Arc::clone(e), "calibration"))
            });
        }
        if let Some(known) = &mut known {
            known.take(&entry.record);
        }
        Ok::<(), JournalError>(())
    })?;
    let Some(known) = known else {
        return Err(Fail::failed(format!("{}: it holds no record", path.display())));
    };
    found.comparisons.extend(known.comparisons().iter().map(|c| (estate.clone(), c.clone())));
    for (reason, n) in known.left_out() {
        *found.left_out.entry(reason).or_default() += n;
    }
    Ok(())
}

fn value(found: &Found, plans: &[Held]) -> Value {
    let share = |share: Share| {
        let (low, high) = share.interval_percent();
        json!({ "met": share.met, "of": share.of, "low_percent": low, "high_percent": high })
    };
    let one = |(estate, c): &(String, Comparison)| {
        json!({
            "estate": estate, "subject": c.subject.word(), "plan": c.plan, "name": c.name, "begun_at": c.at.to_string(), "futures": c.futures,
            "foretold_ms": c.told, "took_ms": c.took, "took_of_median_percent": c.percent_of_median(),
        })
    };
    json!({
        "plans": plans
            .iter()
            .map(|h| json!({ "subject": h.subject.word(), "plan": h.plan, "p50_held": share(h.p50), "p95_held": share(h.p95) }))
            .collect::<Vec<_>>(),
        "comparisons": found.comparisons.iter().map(one).collect::<Vec<_>>(),
        "left_out": found.left_out.iter().map(|(reason, n)| json!({ "reason": reason, "operations": n })).collect::<Vec<_>>(),
    })
}

fn words(found: &Found, plans: &[Held]) -> Lines {
    let mut lines = vec!["CALIBRATION  what was foretold, and what came".to_string()];
    for (_, c) in &found.comparisons {
        let took = c.took.map_or("never came".to_string(), |t| t.to_string());
        let share = c.percent_of_median().map_or(String::new(), |p| format!("  {p} % of p50"));
        let at = c.at.clock();
        lines.push(format!(
            "  {at} {:<5} {:<12} {:<14} foretold {:<22} came {took:<7}{share}",
            c.subject.word(),
            c.plan,
            c.name,
            c.told.times(2)
        ));
    }
    if found.comparisons.is_empty() {
        lines.push("  nothing can be compared yet".to_string());
    }
    for h in plans {
        lines.push(format!(
            "  {:<5} {:<12} under p50 {}; under p95 {}",
            h.subject.word(),
            h.plan,
            within(h.p50),
            within(h.p95)
        ));
    }
    for (reason, n) in &found.left_out {
        lines.push(format!("  left out: {n}: {reason}"));
    }
    lines
}

/// `7 of 12 (58 %; 28 to 85 % with 95 % confidence)`
fn within(share: Share) -> String {
    if share.of == 0 {
        return "not told".to_string();
    }
    let (low, high) = share.interval_percent();
    format!("{} of {} ({low} to {high} % with 95 % confidence)", share.met, share.of)
}

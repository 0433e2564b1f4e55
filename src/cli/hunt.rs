//! `bpci hunt`: our own faults, hunted.

use super::fail::Fail;
use super::output::{Lines, Output, own_lines};
use crate::hunt::{self, Case, Finding, Quarry, Tally};
use crate::model::LogLine;
use crate::wording::Story;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Clone, Debug, Args)]
pub struct HuntAsk {
    /// How many cases
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub runs: u64,
    /// The seed of the first; each next one has the next
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// No case is begun after this time
    #[arg(long, value_name = "30s")]
    pub budget: Option<crate::config::Duration>,
    /// Only this case: the file that a finding was kept in
    #[arg(long, value_name = "FILE", conflicts_with_all = ["runs", "seed", "budget"])]
    pub case: Option<PathBuf>,
    /// Where a finding is kept, made small
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub keep: PathBuf,
    #[arg(long, value_name = "text|json|FILE", default_value = "text")]
    pub output: Output,
}

pub fn run(ask: HuntAsk) -> Result<(), Fail> {
    if let Some(path) = &ask.case {
        let text =
            std::fs::read_to_string(path).map_err(|e| Fail::usage(format!("{}: {e}", path.display())))?;
        let case: Case = serde_json::from_str(&text)
            .map_err(|e| Fail::usage(format!("{}:{}:{}: {e}", path.display(), e.line(), e.column())))?;
        let (found, records) = hunt::retell(&case, &mut Tally::default());
        let mut story = Story::new(Arc::new(case.scenario().estate));
        let told: Vec<_> = records.iter().filter_map(|record| story.tell(record).cloned()).collect();
        let one = |line: &LogLine| json!({ "recorded_at": line.at.to_string(), "subject": line.subject.to_string(), "text": line.text });
        let value = json!({
            "case": path.display().to_string(), "entries": told.iter().map(one).collect::<Vec<_>>(),
            "found": found.as_ref().map(|f| json!({ "seed": case.seed, "what": f.what, "at_ms": f.at.0 })),
        });
        ask.output.print(&value, || {
            let line = |l: &LogLine| {
                format!("{:>8}  {}: {}", hunt::since_the_beginning(l.at).to_string(), l.subject, l.text)
            };
            told.iter().map(line).chain(found.is_none().then(|| "nothing was found".to_string())).collect()
        })?;
        return match found {
            Some(finding) => Err(Fail::denied(format!("{} (at {})", finding.what, finding.at))),
            None => Ok(()),
        };
    }
    // A panic in a run is a finding; its own words are told with it.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let bag = hunt::hunt(Quarry { runs: ask.runs, seed: ask.seed, budget: ask.budget.map(|d| d.0.as_std()) });
    let found = bag.found.map(|(case, finding)| (case.seed, hunt::shrink(&case, &finding)));
    std::panic::set_hook(told);
    let t = &bag.tally;
    let seconds = t.took.as_secs_f64().max(0.001);
    let report = json!({
        "runs": t.runs, "seed": ask.seed, "runs_per_second": (t.runs as f64 / seconds).round(), "took_ms": t.took.as_millis() as u64,
        "steps": t.steps, "records": t.records, "checks": t.checks, "states": t.states.len(), "faults": t.faults,
        "orders": t.orders, "orders_refused": t.refused,
        "operations": t.operations.iter().map(|(status, n)| json!({ "status": status, "count": n })).collect::<Vec<_>>(), "automatic": t.automatic,
        "found": found.as_ref().map(|(seed, (_, f))| json!({ "seed": seed, "what": f.what, "at_ms": f.at.0 })),
    });
    ask.output.print(&report, || words(t, seconds))?;
    let Some((seed, (case, finding))) = found else { return Ok(()) };
    Err(Fail::of(3, kept(&ask, seed, &case, &finding)))
}

fn words(t: &Tally, seconds: f64) -> Lines {
    let ended: Vec<String> = t.operations.iter().map(|(status, n)| format!("{n} {status}")).collect();
    own_lines(&format!(
        "{} runs in {:.1} s, {:.0} a second\n{} steps, {} records; {} checks of the laws\n{} states seen; {} faults and tricks, {} orders ({} refused)\n\
         operations: {}; {} begun by automation",
        t.runs,
        seconds,
        t.runs as f64 / seconds,
        t.steps,
        t.records,
        t.checks,
        t.states.len(),
        t.faults,
        t.orders,
        t.refused,
        ended.join(", "),
        t.automatic
    ))
}

/// Where it is kept, and how it is found again.
fn kept(ask: &HuntAsk, seed: u64, case: &Case, finding: &Finding) -> Lines {
    let path = ask.keep.join(format!("hunt-{seed}.json"));
    let text = serde_json::to_string_pretty(case).unwrap_or_default();
    let written = std::fs::create_dir_all(&ask.keep).and_then(|()| std::fs::write(&path, text + "\n"));
    let where_to = match written {
        Ok(()) => format!("made small and kept: bpci hunt --case {}", path.display()),
        Err(e) => format!("could not be kept: {}: {e}", path.display()),
    };
    let commit = commit().map_or(String::new(), |c| format!(", commit {c} of this working directory"));
    vec![
        finding.what.clone(),
        format!("at {} of seed {seed}, bpci {}{commit}", finding.at, env!("CARGO_PKG_VERSION")),
        where_to,
    ]
}

/// The commit that is checked out here, if this is a working copy.
fn commit() -> Option<String> {
    let here = std::env::current_dir().ok()?;
    let git = here.ancestors().map(|d| d.join(".git")).find(|g| g.is_dir())?;
    let head = std::fs::read_to_string(git.join("HEAD")).ok()?;
    let id = match head.trim().strip_prefix("ref: ") {
        None => head.trim().to_string(),
        Some(name) => std::fs::read_to_string(git.join(name)).ok()?.trim().to_string(),
    };
    id.get(..12).map(str::to_string)
}

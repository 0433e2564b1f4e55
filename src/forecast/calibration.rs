//! How often what was told came true: each finished operation, and each takeover by the cluster itself, beside its
//! forecast. It reads the record; nothing is told again with hindsight.

use crate::engine::Engine;
use crate::model::*;
use std::collections::BTreeMap;

/// What was foretold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The choice was confirmed: until users are served.
    Act,
    /// Nobody confirmed it and the cluster took over by itself: until it is writable elsewhere.
    Leave,
}

impl Subject {
    pub const fn word(self) -> &'static str {
        match self {
            Subject::Act => "act",
            Subject::Leave => "leave",
        }
    }
}

/// One forecast and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub subject: Subject,
    pub plan: String,
    /// What it was: an operation, or the group that was left.
    pub name: String,
    pub at: Utc,
    pub futures: u32,
    pub told: Spread,
    /// From when it was decided (what is left: told) on. `None`: it never came.
    pub took: Option<Span>,
}

impl Comparison {
    /// Was it over by the time that was told? `None`: no such time was told.
    fn held(&self, told: Option<u64>) -> Option<bool> {
        told.map(|ms| self.took.is_some_and(|t| t.0 <= ms))
    }

    /// What came, in hundredths of the median that was told.
    pub fn percent_of_median(&self) -> Option<u64> {
        let (took, told) = (self.took?, self.told.p50.filter(|ms| *ms > 0)?);
        Some((took.0 * 100 + told / 2) / told)
    }
}

/// The comparisons of one plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub subject: Subject,
    pub plan: String,
    pub p50: Share,
    pub p95: Share,
}

/// A record, read from its beginning.
pub struct Calibration {
    engine: Engine,
    comparisons: Vec<Comparison>,
    /// What was told first of the choices on the table.
    told: BTreeMap<ProposalId, Foretold>,
    /// Finished operations of which nothing can be compared, with the reason.
    left_out: BTreeMap<&'static str, u32>,
}

impl Calibration {
    pub fn new(engine: Engine) -> Calibration {
        Calibration { engine, comparisons: Vec::new(), told: BTreeMap::new(), left_out: BTreeMap::new() }
    }

    pub fn take(&mut self, record: &Record) {
        match &record.event {
            Event::Started { .. } => self.told.clear(),
            Event::Foretold { proposal, foretold } => {
                self.told.entry(*proposal).or_insert_with(|| foretold.clone());
            }
            Event::OperationStarted(start) => {
                self.told.remove(&start.proposal);
            }
            Event::PrimaryChanged { group, member: Some(member), .. } => {
                self.moved(record.at, *group, *member)
            }
            _ => {}
        }
        self.engine.restore(record);
        if let Event::StatusChanged { operation, status } = &record.event
            && status.is_over()
            && let Some(operation) = self.engine.state().operation(*operation).cloned()
        {
            match of(&operation) {
                Ok(comparison) => self.comparisons.push(comparison),
                Err(reason) => *self.left_out.entry(reason).or_default() += 1,
            }
        }
    }

    /// Somebody leads: who was left to the cluster is recovered.
    fn moved(&mut self, at: Now, group: GroupId, member: MemberId) {
        let state = self.engine.state();
        for open in state.proposals.iter().filter(|p| {
            p.proposal.group == group && p.proposal.old != member && p.proposal.disaster.is_some()
        }) {
            let Some(first) = self.told.remove(&open.proposal.id) else { continue };
            let Some(leave) = first.leave else { continue };
            self.comparisons.push(Comparison {
                subject: Subject::Leave,
                plan: open.proposal.plan.clone(),
                name: state.estate.group(group).name.clone(),
                at: first.at,
                futures: leave.futures,
                told: leave.writable_ms,
                took: Some(at.utc.since(first.at)),
            });
        }
    }

    pub fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }

    pub fn left_out(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.left_out.iter().map(|(reason, n)| (*reason, *n))
    }
}

/// A finished operation beside its forecast.
///
/// # Errors
/// Why nothing can be compared.
pub fn of(operation: &Operation) -> Result<Comparison, &'static str> {
    let foretold = operation.foretold.as_ref().ok_or("it began before its first forecast was there")?;
    let act = foretold
        .act
        .as_ref()
        .filter(|_| foretold.to == Some(operation.to))
        .ok_or("the forecast was of another target")?;
    if !act.without.is_empty() {
        return Err("the forecast left out a fence that was never fired");
    }
    if matches!(operation.status, Status::Aborted { .. } | Status::RolledBack) {
        return Err("a person ended it");
    }
    if act.served_ms.p50.is_none() {
        return Err("no time was foretold: in most futures it did not get there");
    }
    Ok(Comparison {
        subject: Subject::Act,
        plan: operation.plan.name.clone(),
        name: operation.id.to_string(),
        at: foretold.at,
        futures: act.futures,
        told: act.served_ms,
        took: operation.results.served.map(|t| t.since(operation.started)),
    })
}

/// How often it held, for each plan.
pub fn held<'a>(comparisons: impl IntoIterator<Item = &'a Comparison>) -> Vec<Held> {
    let mut lists: BTreeMap<(Subject, &str), Vec<&Comparison>> = BTreeMap::new();
    for comparison in comparisons {
        lists.entry((comparison.subject, &comparison.plan)).or_default().push(comparison);
    }
    let share = |list: &[&Comparison], told: fn(Spread) -> Option<u64>| {
        Share::of(list.iter().filter_map(|c| c.held(told(c.told))))
    };
    lists
        .into_iter()
        .map(|((subject, plan), list)| Held {
            subject,
            plan: plan.to_string(),
            p50: share(&list, |s| s.p50),
            p95: share(&list, |s| s.p95),
        })
        .collect()
}

//! Scenarios as YAML: an estate, timed faults, timed orders, `until`, and what is expected.

use super::duration::Duration;
use super::mistake::{Mistake, Mistakes, Place};
use super::yaml::{read_text, yaml};
use crate::model::*;
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::path::Path;

/// Ours: embedded in the binary, so that no file is needed.
const SCENARIOS: &[(&str, &str)] = &[
    ("calm", include_str!("../../fixtures/scenarios/calm.yaml")),
    ("region_outage", include_str!("../../fixtures/scenarios/region_outage.yaml")),
    ("data_corruption", include_str!("../../fixtures/scenarios/data_corruption.yaml")),
    ("node_failure", include_str!("../../fixtures/scenarios/node_failure.yaml")),
    ("data_center_outage", include_str!("../../fixtures/scenarios/data_center_outage.yaml")),
    ("provider_outage", include_str!("../../fixtures/scenarios/provider_outage.yaml")),
    ("cyber_incident", include_str!("../../fixtures/scenarios/cyber_incident.yaml")),
    ("false_alarm", include_str!("../../fixtures/scenarios/false_alarm.yaml")),
    ("refused_failover", include_str!("../../fixtures/scenarios/refused_failover.yaml")),
    ("second_fault", include_str!("../../fixtures/scenarios/second_fault.yaml")),
    ("failback", include_str!("../../fixtures/scenarios/failback.yaml")),
];

const ESTATES: &[(&str, &str)] = &[
    ("three-regions", include_str!("../../fixtures/estates/three-regions.yaml")),
    ("four-regions", include_str!("../../fixtures/estates/four-regions.yaml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    title: String,
    estate: Spanned<String>,
    #[serde(default)]
    armed: bool,
    #[serde(default = "one")]
    seed: u64,
    world: Option<WorldFile>,
    #[serde(default)]
    faults: Vec<Spanned<FaultFile>>,
    #[serde(default)]
    orders: Vec<Spanned<OrderFile>>,
    until: Duration,
    #[serde(default)]
    expect: ExpectFile,
    #[serde(default)]
    narration: Vec<NarrationFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NarrationFile {
    at: Duration,
    text: String,
}

fn one() -> u64 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WorldFile {
    wal_rate_bytes: Option<u64>,
    writes_per_second: Option<u32>,
    latency: Option<Duration>,
    load_percent: Option<Vec<u16>>,
    ttl: Option<Duration>,
    loop_wait: Option<Duration>,
    maximum_lag_bytes: Option<u64>,
    synchronous: Option<bool>,
    steals_lock: Option<bool>,
    fence_takes: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    at: Duration,
    fault: FaultKind,
    region: Spanned<String>,
    group: Option<Spanned<String>>,
    lasts: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderFile {
    at: Duration,
    by: String,
    order: Spanned<String>,
    group: Option<Spanned<String>>,
    from: Option<Spanned<String>>,
    to: Option<Spanned<String>>,
    #[serde(default)]
    accept_risk: bool,
    #[serde(default)]
    manual_override: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectFile {
    disaster: Option<DisasterType>,
    severity: Option<Severity>,
    strategy: Option<Strategy>,
    #[serde(default)]
    no_operation: bool,
    recovered: Option<u16>,
    waiting: Option<u16>,
    primary: Option<Spanned<String>>,
    refused: Option<String>,
    lost_at_most: Option<u64>,
    served_within: Option<Duration>,
}

/// The names of the scenarios that ship with the program.
pub fn embedded_names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|(name, _)| *name)
}

/// A scenario that ships with the program.
///
/// # Errors
/// There is none of that name.
pub fn embedded(name: &str) -> Result<Scenario, Mistakes> {
    match SCENARIOS.iter().find(|(n, _)| *n == name) {
        Some((_, text)) => parse_scenario(&format!("{name}.yaml"), text),
        None => Err(Mistakes::from(Mistake {
            file: name.to_string(),
            at: Place { line: 1, column: 1 },
            found: format!("`{name}` is no scenario and no file"),
            remedy: format!("ours are: {}", embedded_names().collect::<Vec<_>>().join(", ")),
        })),
    }
}

/// A scenario of ours by name, or one in a file.
///
/// # Errors
/// The first mistake in it, with its place.
pub fn load_scenario(name_or_file: &str) -> Result<Scenario, Mistakes> {
    let path = Path::new(name_or_file);
    if path.extension().is_none() && !path.exists() {
        return embedded(name_or_file);
    }
    parse_scenario(name_or_file, &read_text(path)?)
}

/// Reads a scenario from a text; `file` is for messages and for the path of its estate.
///
/// # Errors
/// The first mistake in it, with its place.
pub fn parse_scenario(file: &str, text: &str) -> Result<Scenario, Mistakes> {
    let raw: ScenarioFile = yaml(file, text)?;
    let estate = estate(file, &raw.estate)?;
    let cx = Names { file, estate: &estate };
    let faults = raw.faults.iter().map(|f| fault(&cx, &f.value)).collect::<Result<Vec<_>, _>>()?;
    let orders = raw.orders.iter().map(|o| order(&cx, o)).collect::<Result<Vec<_>, _>>()?;
    let expect = Expectation {
        disaster: raw.expect.disaster,
        severity: raw.expect.severity,
        strategy: raw.expect.strategy,
        no_operation: raw.expect.no_operation,
        recovered: raw.expect.recovered,
        waiting: raw.expect.waiting,
        primary: raw.expect.primary.as_ref().map(|p| cx.region(p)).transpose()?,
        refused: raw.expect.refused,
        lost_at_most: raw.expect.lost_at_most,
        served_within: raw.expect.served_within.map(Span::from),
    };
    let world = world(raw.world);
    let name =
        Path::new(file).file_stem().map_or_else(|| file.to_string(), |s| s.to_string_lossy().into_owned());
    let mut narration: Vec<Narration> =
        raw.narration.into_iter().map(|n| Narration { at: n.at.into(), text: n.text }).collect();
    narration.sort_by_key(|n| n.at);
    Ok(Scenario {
        name,
        title: raw.title,
        world,
        armed: raw.armed,
        seed: raw.seed,
        faults,
        orders,
        until: raw.until.into(),
        expect,
        estate,
        narration,
    })
}

fn estate(file: &str, name: &Spanned<String>) -> Result<Estate, Mistakes> {
    if let Some((_, text)) = ESTATES.iter().find(|(n, _)| *n == name.value) {
        return super::parse(&format!("{}.yaml", name.value), text).map(|l| l.estate);
    }
    let path = Path::new(file).parent().unwrap_or(Path::new("")).join(&name.value);
    if !path.exists() {
        let known: Vec<_> = ESTATES.iter().map(|(n, _)| *n).collect();
        return Err(Mistakes::from(Mistake {
            file: file.to_string(),
            at: name.referenced.into(),
            found: format!("`{}` is no estate and no file", name.value),
            remedy: format!("ours are: {}; a file is named relative to the scenario", known.join(", ")),
        }));
    }
    super::load(&path).map(|l| l.estate)
}

struct Names<'a> {
    file: &'a str,
    estate: &'a Estate,
}

impl Names<'_> {
    fn mistake(&self, at: serde_saphyr::Location, found: String, remedy: String) -> Mistake {
        Mistake { file: self.file.to_string(), at: at.into(), found, remedy }
    }

    fn region(&self, name: &Spanned<String>) -> Result<RegionId, Mistake> {
        self.estate.region_named(&name.value).ok_or_else(|| {
            let known: Vec<_> = self.estate.regions.iter().map(|r| r.name.as_str()).collect();
            self.mistake(
                name.referenced,
                format!("`{}` is not a region of this estate", name.value),
                format!("known: {}", known.join(", ")),
            )
        })
    }

    fn group(&self, name: &Spanned<String>) -> Result<GroupId, Mistake> {
        self.estate.groups.iter().position(|g| g.name == name.value).map(GroupId::of).ok_or_else(|| {
            let known: Vec<_> = self.estate.groups.iter().map(|g| g.name.as_str()).collect();
            self.mistake(
                name.referenced,
                format!("`{}` is no protection group of this estate", name.value),
                format!("known: {}", known.join(", ")),
            )
        })
    }
}

fn world(raw: Option<WorldFile>) -> WorldSetup {
    let mut setup = WorldSetup::default();
    if let Some(w) = raw {
        setup.wal_rate = w.wal_rate_bytes.unwrap_or(setup.wal_rate);
        setup.write_rate = w.writes_per_second.unwrap_or(setup.write_rate).min(10_000);
        setup.latency = w.latency.map_or(setup.latency, Span::from);
        setup.load = w.load_percent.unwrap_or_default();
        setup.agent.ttl = w.ttl.map_or(setup.agent.ttl, Span::from);
        setup.agent.loop_wait = w.loop_wait.map_or(setup.agent.loop_wait, Span::from).max(Span::ms(100));
        setup.agent.maximum_lag = w.maximum_lag_bytes.unwrap_or(setup.agent.maximum_lag);
        setup.agent.synchronous = w.synchronous.unwrap_or(setup.agent.synchronous);
        setup.agent.steals_lock = w.steals_lock.unwrap_or(setup.agent.steals_lock);
        setup.fence.takes = w.fence_takes.map_or(setup.fence.takes, Span::from);
    }
    setup
}

fn fault(cx: &Names, raw: &FaultFile) -> Result<TimedFault, Mistake> {
    let group = raw.group.as_ref().map(|g| cx.group(g)).transpose()?;
    let fault = Fault { kind: raw.fault, region: cx.region(&raw.region)?, group };
    Ok(TimedFault { at: raw.at.into(), lasts: raw.lasts.map(Span::from), fault })
}

fn order(cx: &Names, spanned: &Spanned<OrderFile>) -> Result<TimedOrder, Mistake> {
    let raw = &spanned.value;
    let need = |field: &str| {
        cx.mistake(
            raw.order.referenced,
            format!("`{}` without `{field}`", raw.order.value),
            format!("add `{field}:` to the order"),
        )
    };
    let group = || raw.group.as_ref().ok_or_else(|| need("group")).and_then(|g| cx.group(g));
    let to = raw.to.as_ref().map(|t| cx.region(t)).transpose()?;
    let order = match raw.order.value.as_str() {
        "failover" => ScriptedOrder::Failover {
            group: group()?,
            from: raw.from.as_ref().ok_or_else(|| need("from")).and_then(|f| cx.region(f))?,
            to,
            accept_risk: raw.accept_risk,
            manual_override: raw.manual_override,
        },
        "switchover" => ScriptedOrder::Switchover {
            group: group()?,
            to: to.ok_or_else(|| need("to"))?,
            accept_risk: raw.accept_risk,
        },
        "stop_automatic" => ScriptedOrder::StopAutomatic,
        "abort" => ScriptedOrder::Abort,
        "answer" => ScriptedOrder::Answer,
        "accept_unprotected" => ScriptedOrder::AcceptUnprotected,
        other => {
            let known = "known: failover, switchover, stop_automatic, abort, answer, accept_unprotected";
            return Err(cx.mistake(
                raw.order.referenced,
                format!("`{other}` is not an order"),
                known.to_string(),
            ));
        }
    };
    Ok(TimedOrder { at: raw.at.into(), by: raw.by.clone(), order })
}

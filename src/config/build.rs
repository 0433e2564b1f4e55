//! From what was written to the estate it describes: names become ids, defaults are filled in, references checked.

use super::duration::Duration;
use super::file::{File, HealthFile, MembersFile, PatroniFile, RegionFile, ServiceFile};
use super::mistake::{Mistake, Place};
use super::read::MAX_ITEMS;
use crate::model::*;
use serde_saphyr::{Location, Spanned};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

struct Context<'a> {
    file: &'a str,
}

impl Context<'_> {
    fn mistake(&self, at: Location, found: impl Into<String>, remedy: impl Into<String>) -> Mistake {
        Mistake { file: self.file.to_string(), at: Place::from(at), found: found.into(), remedy: remedy.into() }
    }
}

/// Builds the estate that a file describes.
///
/// # Errors
/// The first reference, figure or address in it that cannot be right.
pub fn estate(file: &str, raw: &File) -> Result<Estate, Mistake> {
    let cx = Context { file };
    let regions = regions(&cx, raw)?;
    let policy = policy(&cx, raw)?;
    let mut estate = Estate {
        name: name(raw, file),
        test_estate: raw.test_estate,
        regions,
        services: Vec::new(),
        groups: Vec::new(),
        policy,
        plans: super::plan::shipped(),
        may: may(&cx, raw)?,
        renamed: renamed(&cx, raw)?,
        departed: Departed::default(),
    };
    if !estate.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) || estate.name.starts_with('.') {
        let found = format!("the estate's name `{}` cannot name a directory", estate.name);
        return Err(cx.mistake(Location::UNKNOWN, found, "use letters, digits, `-`, `_` and `.`"));
    }
    services(&cx, raw, &mut estate)?;
    for plan in &raw.plans {
        let path = Path::new(file).parent().unwrap_or(Path::new("")).join(&plan.value);
        let text = super::read::read_text(&path)
            .map_err(|e| cx.mistake(plan.referenced, format!("plan `{}` {}", plan.value, e.found), "name a readable plan file"))?;
        let plan = super::plan::parse(&path.display().to_string(), &text)?;
        estate.plans.retain(|p| p.name != plan.name);
        estate.plans.push(plan);
    }
    Ok(estate)
}

/// Who may order what. Names are looked up when somebody comes: an account may be made later.
fn may(cx: &Context, raw: &File) -> Result<Option<May>, Mistake> {
    let Some(listed) = &raw.may else { return Ok(None) };
    let mut rights = BTreeMap::new();
    for (name, list) in &listed.value {
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control() || ":/".contains(c)) {
            let found = format!("`{name}` is not the name of a group or an account");
            return Err(cx.mistake(list.referenced, found, "write a name as /etc/group or /etc/passwd has it"));
        }
        rights.insert(name.clone(), list.value.iter().copied().collect());
    }
    Ok(Some(May(rights)))
}

/// The names that were others. What is still there was not renamed, and a name is given up once.
fn renamed(cx: &Context, raw: &File) -> Result<Renamed, Mistake> {
    let regions = raw.business_continuity.iter().flat_map(|b| b.regions.values()).map(|r| (r.value.region_id.value.as_str(), r.value.was.as_ref()));
    let services = raw.services.iter().map(|(name, s)| (name.as_str(), s.value.was.as_ref()));
    Ok(Renamed { regions: others(cx, regions.collect(), "region")?, services: others(cx, services.collect(), "service")? })
}

fn others(cx: &Context, all: Vec<(&str, Option<&Spanned<String>>)>, what: &str) -> Result<BTreeMap<String, String>, Mistake> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for (name, was) in all.iter().filter_map(|(name, was)| Some((*name, (*was)?))) {
        let old = &was.value;
        if all.iter().any(|(other, _)| other == old) {
            let text = format!("`was: {old}`, and {what} `{old}` is in this file");
            return Err(cx.mistake(was.referenced, text, "name the former name of this one, or remove `was`"));
        }
        if let Some(other) = found.iter().find(|(_, known)| *known == old).map(|(other, _)| other) {
            let text = format!("`{other}` and `{name}` both say that they were `{old}`");
            return Err(cx.mistake(was.referenced, text, "keep `was` at the one that was renamed"));
        }
        found.insert(name.to_string(), old.clone());
    }
    Ok(found)
}

fn name(raw: &File, file: &str) -> String {
    let mut scopes = raw.services.values().filter_map(|s| s.value.patroni.as_ref());
    match (&raw.name, scopes.next(), scopes.next()) {
        (Some(name), _, _) => name.clone(),
        (None, Some(only), None) => only.value.scope.value.clone(),
        _ => Path::new(file).file_stem().map_or_else(|| "estate".to_string(), |s| s.to_string_lossy().into_owned()),
    }
}

fn regions(cx: &Context, raw: &File) -> Result<Vec<Region>, Mistake> {
    let Some(blocks) = raw.business_continuity.as_ref().map(|b| &b.regions).filter(|r| !r.is_empty()) else {
        return Ok(regions_of_members(raw));
    };
    let mut listed: Vec<&Spanned<RegionFile>> = blocks.values().collect();
    listed.sort_by_key(|r| r.value.failover_priority.value);
    let mut regions: Vec<Region> = Vec::new();
    for spanned in listed {
        let region = &spanned.value;
        let id = &region.region_id;
        if id.value.is_empty() || id.value.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(cx.mistake(id.referenced, format!("`{}` is no region id", id.value), "use letters, digits and dashes, such as us-east-1"));
        }
        if regions.iter().any(|r| r.name == id.value) {
            return Err(cx.mistake(id.referenced, format!("region `{}` is there twice", id.value), "give each region an id of its own"));
        }
        if region.capacity_percentage.value == 0 || region.capacity_percentage.value > 1000 {
            let found = format!("a capacity of {} % of the normal load", region.capacity_percentage.value);
            return Err(cx.mistake(region.capacity_percentage.referenced, found, "write 1 to 1000"));
        }
        let priority = region.failover_priority.value;
        if regions.iter().any(|r| r.priority == priority) {
            let found = format!("failover priority {priority} is there twice");
            return Err(cx.mistake(region.failover_priority.referenced, found, "give each region a priority of its own; 1 is chosen first"));
        }
        let role = region.role.unwrap_or_else(|| default_role(regions.len()));
        regions.push(Region {
            name: id.value.clone(),
            role,
            capacity: Percent(region.capacity_percentage.value),
            priority,
            provider: region.provider.clone(),
            data_center: region.data_center.clone(),
        });
    }
    if regions.len() > MAX_ITEMS {
        return Err(cx.mistake(Location::UNKNOWN, format!("{} regions", regions.len()), format!("use at most {MAX_ITEMS}")));
    }
    Ok(regions)
}

const fn default_role(position: usize) -> Role {
    match position {
        0 => Role::Active,
        1 => Role::Hot,
        2 => Role::Warm,
        _ => Role::Cold,
    }
}

/// Without a block of regions, the databases' members tell which there are.
fn regions_of_members(raw: &File) -> Vec<Region> {
    let names: BTreeSet<&String> = raw.services.values().filter_map(|s| s.value.patroni.as_ref()).flat_map(|p| p.value.members.keys()).collect();
    let region = |(i, name): (usize, &&String)| Region {
        name: name.to_string(),
        role: if i == 0 { Role::Active } else { Role::Hot },
        capacity: Percent(100),
        priority: i as u16 + 1,
        provider: None,
        data_center: None,
    };
    names.iter().enumerate().map(region).collect()
}

fn policy(cx: &Context, raw: &File) -> Result<Policy, Mistake> {
    let recovery = raw.disaster_recovery.as_ref();
    let detection = recovery.and_then(|r| r.detection.as_ref());
    let span = |d: Option<&Spanned<Duration>>, default| d.map_or(default, |d| d.value.0);
    if let Some(threshold) = detection.and_then(|d| d.failure_threshold.as_ref()).filter(|t| t.value == 0 || t.value > 1000) {
        return Err(cx.mistake(threshold.referenced, format!("a failure threshold of {}", threshold.value), "write 1 to 1000"));
    }
    if let Some(interval) = detection.and_then(|d| d.health_check_interval.as_ref()).filter(|i| i.value.0 < Span::ms(20)) {
        return Err(cx.mistake(
            interval.referenced,
            format!("checks every {}", interval.value.0),
            "write 20ms or more: a check takes some milliseconds",
        ));
    }
    let continuity = raw.business_continuity.as_ref();
    let mut responses: Vec<Response> = Vec::new();
    for rule in continuity.iter().flat_map(|c| &c.disaster_scenarios) {
        let kind = rule.value.kind.value;
        if responses.iter().any(|r| r.disaster == kind) {
            return Err(cx.mistake(rule.value.kind.referenced, format!("disaster `{kind}` is there twice"), "keep one response for each type"));
        }
        responses.push(Response {
            disaster: kind,
            severity: rule.value.severity,
            automated: rule.value.automated_response.as_ref().is_some_and(|a| a.value),
            strategy: rule.value.recovery_strategy.value,
        });
    }
    let strategies = recovery
        .iter()
        .flat_map(|r| &r.recovery_strategies)
        .map(|(strategy, s)| {
            let s = &s.value;
            let target = StrategyTarget {
                rto: s.target_rto.value.0,
                rpo: s.target_rpo.value.0,
                automation: s.automation_level,
                validation_required: s.validation_required,
            };
            (*strategy, target)
        })
        .collect::<BTreeMap<_, _>>();
    let sla = continuity.and_then(|c| c.sla_targets.as_ref());
    if let Some(uptime) = sla.and_then(|s| s.uptime_percentage.as_ref()).filter(|u| !(0.0..=100.0).contains(&u.value)) {
        return Err(cx.mistake(uptime.referenced, format!("an uptime of {} %", uptime.value), "write 0 to 100"));
    }
    let automation = raw.automation.as_ref();
    let limit = |d: Option<Duration>, default| d.map_or(default, Span::from);
    Ok(Policy {
        detection: Detection {
            interval: span(detection.and_then(|d| d.health_check_interval.as_ref()), Span::secs(30)),
            threshold: detection.and_then(|d| d.failure_threshold.as_ref()).map_or(3, |t| t.value),
            classification_timeout: span(detection.and_then(|d| d.disaster_classification_timeout.as_ref()), Span::secs(60)),
            response_delay: detection.and_then(|d| d.automated_response_delay).map_or(Span::secs(30), Span::from),
        },
        responses,
        strategies,
        limits: AutomationLimits {
            settle: limit(automation.and_then(|a| a.settle), Span::secs(60)),
            cooldown: limit(automation.and_then(|a| a.cooldown), Span::mins(60)),
            fence_proof: match automation {
                Some(a) if a.fence_proof_not_required => None,
                other => Some(limit(other.and_then(|a| a.fence_proof), Span::days(30))),
            },
            drilled: automation.and_then(|a| a.drilled).unwrap_or(true),
        },
        rto: sla.and_then(|s| s.rto_minutes.as_ref()).map_or(Span::mins(15), |m| Span::mins(m.value.into())),
        rpo: sla.and_then(|s| s.rpo_minutes).map_or(Span::mins(5), |m| Span::mins(m.into())),
    })
}

fn services(cx: &Context, raw: &File, estate: &mut Estate) -> Result<(), Mistake> {
    if raw.services.len() > MAX_ITEMS {
        return Err(cx.mistake(Location::UNKNOWN, format!("{} services", raw.services.len()), format!("use at most {MAX_ITEMS}")));
    }
    let ids: BTreeMap<&str, ServiceId> = raw.services.keys().enumerate().map(|(i, n)| (n.as_str(), ServiceId::of(i))).collect();
    let mut groups: Vec<Group> = Vec::new();
    for (position, (name, spanned)) in raw.services.iter().enumerate() {
        let id = ServiceId::of(position);
        let file = &spanned.value;
        let group_name = file.protection_group.clone().unwrap_or_else(|| name.clone());
        let group = groups.iter().position(|g| g.name == group_name).unwrap_or_else(|| {
            groups.push(Group { name: group_name, services: Vec::new(), database: None });
            groups.len() - 1
        });
        groups[group].services.push(id);
        let service = service(cx, file, &ids, GroupId::of(group), name, estate)?;
        if let Some(patroni) = &file.patroni {
            if groups[group].database.is_some() {
                let found = format!("protection group `{}` has two databases", groups[group].name);
                return Err(cx.mistake(patroni.referenced, found, "give each database a group of its own"));
            }
            groups[group].database = Some(database(cx, id, file, patroni, estate)?);
        } else if let Some(stray) = file.fence.as_ref().map(|f| f.referenced).or(file.traffic.as_ref().map(|t| t.referenced)) {
            return Err(cx.mistake(stray, format!("`{name}` has no database to fence or to lead traffic to"), "put it beside `patroni`"));
        }
        estate.services.push(service);
    }
    estate.groups = groups;
    cycle(cx, raw, estate)
}

fn service(
    cx: &Context,
    file: &ServiceFile,
    ids: &BTreeMap<&str, ServiceId>,
    group: GroupId,
    name: &str,
    estate: &Estate,
) -> Result<Service, Mistake> {
    if let Some(tier) = file.tier.as_ref().filter(|t| t.value == 0 || t.value > 9) {
        return Err(cx.mistake(tier.referenced, format!("tier {}", tier.value), "write 1 (matters most) to 9"));
    }
    let mut depends_on = Vec::new();
    for other in &file.depends_on {
        let id = ids.get(other.value.as_str()).ok_or_else(|| {
            let known: Vec<_> = ids.keys().copied().collect();
            cx.mistake(
                other.referenced,
                format!("`{name}` depends on `{}`, which is no service", other.value),
                format!("known: {}", known.join(", ")),
            )
        })?;
        depends_on.push(*id);
    }
    let regions = match (&file.regions, &file.patroni) {
        (Some(names), _) => names.iter().map(|n| region(cx, n, estate)).collect::<Result<Vec<_>, _>>()?,
        (None, Some(patroni)) => estate.region_ids().filter(|r| patroni.value.members.contains_key(&estate.region(*r).name)).collect(),
        (None, None) => estate.region_ids().collect(),
    };
    Ok(Service {
        name: name.to_string(),
        tier: file.tier.as_ref().map_or(1, |t| t.value),
        rto: file.rto.as_ref().map_or(estate.policy.rto, |d| d.value.0),
        rpo: file.rpo.as_ref().map_or(estate.policy.rpo, |d| d.value.0),
        regions,
        depends_on,
        group,
        health: file.health.as_ref().map(|h| health(cx, h)).transpose()?,
    })
}

fn health(cx: &Context, spanned: &Spanned<HealthFile>) -> Result<Health, Mistake> {
    match (&spanned.value.http, &spanned.value.tcp) {
        (Some(url), None) => {
            address(cx, spanned.referenced, url, &["http://", "https://"])?;
            Ok(Health::Http { url: url.clone(), expect: spanned.value.expect.unwrap_or(200) })
        }
        (None, Some(tcp)) => {
            host_port(cx, spanned.referenced, tcp)?;
            Ok(Health::Tcp { address: tcp.clone() })
        }
        _ => Err(cx.mistake(spanned.referenced, "a health check is one of `http` and `tcp`", "write exactly one of the two")),
    }
}

fn database(cx: &Context, service: ServiceId, file: &ServiceFile, spanned: &Spanned<PatroniFile>, estate: &Estate) -> Result<Database, Mistake> {
    let patroni = &spanned.value;
    let members = members(cx, patroni, estate)?;
    if members.is_empty() {
        return Err(cx.mistake(spanned.referenced, "a cluster without members", "list them as `region_id: http://host:8008`"));
    }
    if patroni.scope.value.is_empty() || patroni.scope.value.contains('/') {
        return Err(cx.mistake(
            patroni.scope.referenced,
            format!("`{}` is no scope", patroni.scope.value),
            "write the cluster's name as Patroni has it",
        ));
    }
    let paired = |list: &[Spanned<String>], of: usize, what: &str| -> Result<Vec<Option<RegionId>>, Mistake> {
        match list {
            [] => Ok(vec![None; of]),
            [first, ..] if list.len() != of => {
                Err(cx.mistake(first.referenced, format!("{} regions for {of} {what}", list.len()), "write one for each, in the same order"))
            }
            _ => list.iter().map(|n| region(cx, n, estate).map(Some)).collect(),
        }
    };
    for url in &patroni.etcd {
        address(cx, url.referenced, &url.value, &["http://", "https://"])?;
    }
    let store_regions = paired(&patroni.etcd_regions, patroni.etcd.len(), "endpoints of etcd")?;
    let store = patroni
        .etcd
        .iter()
        .zip(store_regions)
        .map(|(u, region)| StoreEndpoint { url: u.value.trim_end_matches('/').to_string(), region, outside: false })
        .collect();
    let haproxy = file.traffic.as_ref().and_then(|t| t.value.haproxy.as_ref());
    let balancers = match haproxy {
        None => Vec::new(),
        Some(h) => {
            for api in &h.runtime_api {
                host_port(cx, api.referenced, &api.value)?;
            }
            if let Some(write) = &h.write {
                host_port(cx, write.referenced, &write.value)?;
            }
            let regions = paired(&h.regions, h.runtime_api.len(), "balancers")?;
            h.runtime_api.iter().zip(regions).map(|(a, region)| Balancer { address: a.value.clone(), region }).collect()
        }
    };
    let fence = match &file.fence {
        None => None,
        Some(spanned) => {
            let f = &spanned.value;
            if f.exec.value.first().is_none_or(String::is_empty) {
                return Err(cx.mistake(f.exec.referenced, "a fence without a command", "write `exec: [program, argument, …]`"));
            }
            Some(Fence {
                exec: f.exec.value.clone(),
                check: f.check.clone(),
                undo: f.undo.clone(),
                timeout: f.timeout.map_or(Span::secs(5), Span::from),
                depends_on: f.depends_on.iter().map(|n| region(cx, n, estate)).collect::<Result<_, _>>()?,
            })
        }
    };
    Ok(Database {
        service,
        scope: patroni.scope.value.clone(),
        namespace: patroni.namespace.clone().unwrap_or_else(|| "/service/".to_string()),
        members,
        store,
        login: patroni.auth.as_ref().map(|l| Login { user: l.user.clone(), password_file: l.password_file.clone() }),
        tls: patroni.tls.as_ref().map(|t| Tls { ca: t.ca.clone(), cert: t.cert.clone(), key: t.key.clone() }),
        sql: patroni.postgres.as_ref().map(|s| Sql {
            user: s.user.clone(),
            password_file: s.password_file.clone(),
            dbname: s.dbname.clone().unwrap_or_else(|| "postgres".to_string()),
        }),
        fence,
        balancers,
        backend: haproxy.map(|h| h.backend.clone()).unwrap_or_default(),
        entry: haproxy.and_then(|h| h.write.as_ref()).map(|w| w.value.clone()),
    })
}

/// The members of a cluster, by region; within a region in the order of the file.
fn members(cx: &Context, patroni: &PatroniFile, estate: &Estate) -> Result<Vec<Member>, Mistake> {
    let mut members: Vec<Member> = Vec::new();
    for (region, listed) in &patroni.members {
        let Some(region) = estate.region_named(region) else {
            return Err(unknown_region(cx, listed.referenced, region, estate));
        };
        let in_region: Vec<(&str, Option<&str>, Location)> = match &listed.value {
            MembersFile::One(url) => vec![(url, None, listed.referenced)],
            MembersFile::Several(list) => list.iter().map(|m| (m.value.url(), m.value.name(), m.referenced)).collect(),
        };
        for (url, name, at) in in_region {
            address(cx, at, url, &["http://", "https://"])?;
            let rest = url.trim_end_matches('/').trim_end_matches("/patroni").to_string();
            if members.iter().any(|m| m.rest == rest) {
                return Err(cx.mistake(at, format!("`{rest}` is the address of two members"), "give each member its own REST address"));
            }
            if let Some(name) = name {
                if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
                    return Err(cx.mistake(at, format!("`{name}` cannot be a member's name"), "write the name that Patroni has for it"));
                }
                if members.iter().any(|m| m.name.as_deref() == Some(name)) {
                    return Err(cx.mistake(at, format!("two members have the name `{name}`"), "write the name that Patroni has for each"));
                }
            }
            members.push(Member { region, name: name.map(str::to_string), rest });
        }
    }
    members.sort_by_key(|m| m.region);
    if members.len() > MAX_MEMBERS {
        let at = patroni.scope.referenced;
        return Err(cx.mistake(at, format!("a cluster of {} members", members.len()), format!("use at most {MAX_MEMBERS}")));
    }
    Ok(members)
}

/// The members of one cluster that this program can watch.
const MAX_MEMBERS: usize = 64;

fn region(cx: &Context, name: &Spanned<String>, estate: &Estate) -> Result<RegionId, Mistake> {
    estate.region_named(&name.value).ok_or_else(|| unknown_region(cx, name.referenced, &name.value, estate))
}

fn unknown_region(cx: &Context, at: Location, name: &str, estate: &Estate) -> Mistake {
    let known: Vec<_> = estate.regions.iter().map(|r| r.name.as_str()).collect();
    cx.mistake(at, format!("`{name}` is no region"), format!("known: {}", known.join(", ")))
}

fn address(cx: &Context, at: Location, text: &str, schemes: &[&str]) -> Result<(), Mistake> {
    let rest = schemes.iter().find_map(|s| text.strip_prefix(s));
    let authority = rest.map(|r| r.split('/').next().unwrap_or(r));
    match authority {
        Some(a) if !a.is_empty() && !a.contains(char::is_whitespace) && port_is_right(a) => Ok(()),
        _ => Err(cx.mistake(at, format!("`{text}` is no address"), format!("write {}host:port", schemes[0]))),
    }
}

/// A port, where there is one, is a number from 1 to 65535.
fn port_is_right(authority: &str) -> bool {
    match authority.rsplit_once(':') {
        Some((_, port)) if !authority.ends_with(']') => port.parse::<u16>().is_ok_and(|p| p > 0),
        _ => true,
    }
}

fn host_port(cx: &Context, at: Location, text: &str) -> Result<(), Mistake> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|p| p > 0) => Ok(()),
        _ => Err(cx.mistake(at, format!("`{text}` is no host and port"), "write host:port, such as 127.0.0.1:9999")),
    }
}

/// A service that waits for itself can never be recovered.
fn cycle(cx: &Context, raw: &File, estate: &Estate) -> Result<(), Mistake> {
    for id in estate.service_ids() {
        let starts_at = &estate.service(id).depends_on;
        let mut reached: Vec<ServiceId> = starts_at.clone();
        let mut next = 0;
        while next < reached.len() {
            if reached[next] == id {
                let name = &estate.service(id).name;
                let at = raw.services.get(name).and_then(|s| s.value.depends_on.first()).map_or(Location::UNKNOWN, |d| d.referenced);
                return Err(cx.mistake(at, format!("`{name}` depends on itself, in a circle"), "break the circle of depends_on"));
            }
            let more: Vec<_> = estate.service(reached[next]).depends_on.iter().copied().filter(|s| !reached.contains(s)).collect();
            reached.extend(more);
            next += 1;
        }
    }
    Ok(())
}

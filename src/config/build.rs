//! From what was written to the estate it describes: names become ids, defaults are filled in, references checked. A mistake
//! does not end the building: all that are in the file are found in one run.

use super::address;
use super::context::Context;
use super::file::{File, HealthFile, RegionFile, ServiceFile};
use super::need_file::NeedFile;
use super::yaml::{MAX_ITEMS, read_text};
use crate::model::*;
use serde_saphyr::{Location, Spanned};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Builds the estate that a file describes. It is of use only if no mistake was noted.
pub fn estate(cx: &Context, raw: &File) -> Estate {
    let (name, named_at) = name(raw, cx.file);
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) || name.starts_with('.') {
        cx.add(
            named_at,
            format!("the estate's name `{name}` cannot name a directory"),
            "use letters, digits, `-`, `_` and `.`",
        );
    } else {
        cx.name(named_at, "an estate", &name);
    }
    let mut estate = Estate {
        name,
        test_estate: raw.test_estate,
        regions: regions(cx, raw),
        services: Vec::new(),
        groups: Vec::new(),
        policy: super::policy::policy(cx, raw),
        plans: super::plan::shipped(),
        needs: needs(cx, raw),
        may: may(cx, raw),
        renamed: renamed(cx, raw),
        departed: Departed::default(),
    };
    services(cx, raw, &mut estate);
    for plan in &raw.plans {
        let path = cx.beside(&plan.value);
        let read = read_text(Path::new(&path));
        match read.map(|text| super::plan::parse(&path, &text)) {
            Err(e) => cx.add(
                plan.referenced,
                format!("plan `{}` {}", plan.value, e.found),
                "name a readable plan file",
            ),
            Ok(Err(mistake)) => cx.note(mistake),
            Ok(Ok(plan)) => {
                estate.plans.retain(|p| p.name != plan.name);
                estate.plans.push(plan);
            }
        }
    }
    estate
}

/// Who may order what. Names are looked up when somebody comes: an account may be made later.
fn may(cx: &Context, raw: &File) -> Option<May> {
    let listed = raw.may.as_ref()?;
    let mut rights = BTreeMap::new();
    for (name, list) in &listed.value {
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control() || ":/".contains(c)) {
            let found = format!("`{name}` is not the name of a group or an account");
            cx.add(list.referenced, found, "write a name as /etc/group or /etc/passwd has it");
        }
        rights.insert(name.clone(), list.value.iter().copied().collect());
    }
    Some(May(rights))
}

/// The names that were others. What is still there was not renamed, and a name is given up once.
fn renamed(cx: &Context, raw: &File) -> Renamed {
    let regions = raw
        .business_continuity
        .iter()
        .flat_map(|b| b.regions.values())
        .map(|r| (r.value.region_id.value.as_str(), r.value.was.as_ref()));
    let services = raw.services.iter().map(|(name, s)| (name.as_str(), s.value.was.as_ref()));
    Renamed {
        regions: others(cx, regions.collect(), "region"),
        services: others(cx, services.collect(), "service"),
    }
}

fn others(cx: &Context, all: Vec<(&str, Option<&Spanned<String>>)>, what: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for (name, was) in all.iter().filter_map(|(name, was)| Some((*name, (*was)?))) {
        let old = &was.value;
        if all.iter().any(|(other, _)| other == old) {
            let text = format!("`was: {old}`, and {what} `{old}` is in this file");
            cx.add(was.referenced, text, "name the former name of this one, or remove `was`");
        } else if let Some(other) = found.iter().find(|(_, known)| *known == old).map(|(other, _)| other) {
            let text = format!("`{other}` and `{name}` both say that they were `{old}`");
            cx.add(was.referenced, text, "keep `was` at the one that was renamed");
        }
        found.insert(name.to_string(), old.clone());
    }
    found
}

/// The estate's name, and where it stands.
fn name(raw: &File, file: &str) -> (String, Location) {
    let mut scopes = raw.services.values().filter_map(|s| s.value.patroni.as_ref());
    match (&raw.name, scopes.next(), scopes.next()) {
        (Some(name), _, _) => (name.value.clone(), name.referenced),
        (None, Some(only), None) => (only.value.scope.value.clone(), only.value.scope.referenced),
        _ => {
            let stem = Path::new(file).file_stem();
            (
                stem.map_or_else(|| "estate".to_string(), |s| s.to_string_lossy().into_owned()),
                Location::UNKNOWN,
            )
        }
    }
}

fn regions(cx: &Context, raw: &File) -> Vec<Region> {
    let Some(blocks) = raw.business_continuity.as_ref().map(|b| &b.regions).filter(|r| !r.is_empty()) else {
        return regions_of_members(cx, raw);
    };
    let mut listed: Vec<&Spanned<RegionFile>> = blocks.values().collect();
    listed.sort_by_key(|r| r.value.failover_priority.value);
    let mut regions: Vec<Region> = Vec::new();
    for spanned in listed {
        let region = &spanned.value;
        let id = &region.region_id;
        if id.value.is_empty() || id.value.chars().any(|c| c.is_whitespace() || c.is_control()) {
            cx.add(
                id.referenced,
                format!("`{}` is not a valid region id", id.value),
                "use letters, digits and dashes, such as us-east-1",
            );
        } else {
            cx.name(id.referenced, "a region", &id.value);
        }
        if regions.iter().any(|r| r.name == id.value) {
            cx.add(
                id.referenced,
                format!("region `{}` is there twice", id.value),
                "give each region an id of its own",
            );
        }
        let capacity = &region.capacity_percentage;
        if capacity.value == 0 || capacity.value > 1000 {
            cx.add(
                capacity.referenced,
                format!("a capacity of {} % of the normal load", capacity.value),
                "write 1 to 1000",
            );
        }
        let priority = region.failover_priority.value;
        if regions.iter().any(|r| r.priority == priority) {
            let found = format!("failover priority {priority} is there twice");
            cx.add(
                region.failover_priority.referenced,
                found,
                "give each region a priority of its own; 1 is chosen first",
            );
        }
        let role = region.role.unwrap_or_else(|| default_role(regions.len()));
        regions.push(Region {
            name: id.value.clone(),
            role,
            capacity: Percent(capacity.value),
            priority,
            provider: region.provider.clone(),
            data_center: region.data_center.clone(),
        });
    }
    if regions.len() > MAX_ITEMS {
        cx.add(Location::UNKNOWN, format!("{} regions", regions.len()), format!("use at most {MAX_ITEMS}"));
    }
    regions
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
fn regions_of_members(cx: &Context, raw: &File) -> Vec<Region> {
    let mut names: BTreeSet<&String> = BTreeSet::new();
    for (service, patroni) in
        raw.services.iter().filter_map(|(name, s)| Some((name, s.value.patroni.as_ref()?)))
    {
        for region in patroni.value.members.keys() {
            let at = cx.read.key(&["services", service, "patroni", "members", region]);
            if let Some(at) = at.filter(|_| names.insert(region)) {
                cx.name(at, "a region", region);
            }
        }
    }
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

fn needs(cx: &Context, raw: &File) -> Vec<Need> {
    let need = |(name, spanned): (&String, &Spanned<NeedFile>)| {
        let file = &spanned.value;
        cx.name(cx.read.key(&["needs", name]).unwrap_or_default(), "a need", name);
        let probe = file.probe.as_ref().map(|probe| {
            if probe.value.contains("://") {
                address::url(cx, probe.referenced, &probe.value);
                return Health::Http { url: probe.value.clone(), expect: None, within: None };
            }
            address::host_port(cx, probe.referenced, &probe.value);
            Health::Tcp { address: probe.value.clone(), within: None }
        });
        let break_glass = file.break_glass.as_ref().map(|b| BreakGlass {
            who: b.value.who.clone(),
            exercised: b.value.exercised.map(|d| d.begins()),
        });
        let regions = file.region.0.iter().map(|r| r.value.clone()).collect();
        Need { name: name.clone(), regions, provider: file.provider.clone(), probe, break_glass }
    };
    raw.needs.iter().map(need).collect()
}

fn services(cx: &Context, raw: &File, estate: &mut Estate) {
    if raw.services.len() > MAX_ITEMS {
        cx.add(
            Location::UNKNOWN,
            format!("{} services", raw.services.len()),
            format!("use at most {MAX_ITEMS}"),
        );
    }
    let ids: BTreeMap<&str, ServiceId> =
        raw.services.keys().enumerate().map(|(i, n)| (n.as_str(), ServiceId::of(i))).collect();
    let mut groups: Vec<Group> = Vec::new();
    for (position, (name, spanned)) in raw.services.iter().enumerate() {
        let id = ServiceId::of(position);
        let file = &spanned.value;
        cx.name(cx.read.key(&["services", name]).unwrap_or_default(), "a service", name);
        if let Some(group) = &file.protection_group {
            cx.name(group.referenced, "a protection group", &group.value);
        }
        let group_name = file.protection_group.as_ref().map_or_else(|| name.clone(), |g| g.value.clone());
        let group = groups.iter().position(|g| g.name == group_name).unwrap_or_else(|| {
            groups.push(Group { name: group_name, services: Vec::new(), database: None });
            groups.len() - 1
        });
        groups[group].services.push(id);
        let service = service(cx, file, &ids, GroupId::of(group), name, estate);
        if let Some(patroni) = &file.patroni {
            if groups[group].database.is_some() {
                let found = format!("protection group `{}` has two databases", groups[group].name);
                cx.add(patroni.referenced, found, "give each database a group of its own");
            }
            groups[group].database = Some(super::database::database(cx, id, name, file, patroni, estate));
        } else if let Some(stray) =
            file.fence.as_ref().map(|f| f.referenced).or(file.traffic.as_ref().map(|t| t.referenced))
            && cx.read.is_whole(&["services", name])
        {
            cx.add(
                stray,
                format!("`{name}` has no database to fence or to lead traffic to"),
                "put it beside `patroni`",
            );
        }
        estate.services.push(service);
    }
    estate.groups = groups;
    cycle(cx, raw, estate);
}

fn service(
    cx: &Context,
    file: &ServiceFile,
    ids: &BTreeMap<&str, ServiceId>,
    group: GroupId,
    name: &str,
    estate: &Estate,
) -> Service {
    if let Some(tier) = file.tier.as_ref().filter(|t| t.value == 0 || t.value > 9) {
        cx.add(tier.referenced, format!("tier {}", tier.value), "write 1 (matters most) to 9");
    }
    let mut depends_on = Vec::new();
    for other in &file.depends_on {
        match ids.get(other.value.as_str()) {
            Some(id) => depends_on.push(*id),
            // One that stands in the file and was not understood is no second mistake.
            None if cx.read.keys_below(&["services"]).any(|s| s == other.value) => {}
            None => {
                let known: Vec<_> = ids.keys().copied().collect();
                let found = format!("`{name}` depends on `{}`, which is not a service here", other.value);
                cx.add(other.referenced, found, format!("known: {}", known.join(", ")));
            }
        }
    }
    let regions = match (&file.regions, &file.patroni) {
        (Some(names), _) => cx.regions(names, estate),
        (None, Some(patroni)) => estate
            .region_ids()
            .filter(|r| patroni.value.members.contains_key(&estate.region(*r).name))
            .collect(),
        (None, None) => estate.region_ids().collect(),
    };
    Service {
        name: name.to_string(),
        tier: file.tier.as_ref().map_or(1, |t| t.value),
        rto: file.rto.as_ref().map_or(estate.policy.rto, |d| d.value.0),
        rpo: file.rpo.as_ref().map_or(estate.policy.rpo, |d| d.value.0),
        regions,
        depends_on,
        group,
        health: file.health.as_ref().and_then(|h| health(cx, h)),
    }
}

/// No check waits longer: the next one is due, and whoever reads the screen waits too.
const LONGEST_CHECK: Span = Span::mins(1);

fn health(cx: &Context, spanned: &Spanned<HealthFile>) -> Option<Health> {
    let file = &spanned.value;
    if let Some(within) =
        file.within.as_ref().filter(|w| w.value.0 < Span::ms(10) || w.value.0 > LONGEST_CHECK)
    {
        cx.add(within.referenced, format!("an answer within {}", within.value.0), "write 10ms to 1min");
    }
    let within = file.within.as_ref().map(|w| w.value.0);
    match (&file.http, &file.tcp) {
        (Some(url), None) => {
            address::url(cx, spanned.referenced, url);
            Some(Health::Http { url: url.clone(), expect: Some(file.expect.unwrap_or(200)), within })
        }
        (None, Some(tcp)) => {
            address::host_port(cx, spanned.referenced, tcp);
            Some(Health::Tcp { address: tcp.clone(), within })
        }
        _ => {
            cx.add(
                spanned.referenced,
                "a health check is one of `http` and `tcp`",
                "write exactly one of the two",
            );
            None
        }
    }
}

/// A service that waits for itself can never be recovered. One circle is told: the others may be the same.
fn cycle(cx: &Context, raw: &File, estate: &Estate) {
    for id in estate.service_ids() {
        let starts_at = &estate.service(id).depends_on;
        let mut reached: Vec<ServiceId> = starts_at.clone();
        let mut next = 0;
        while next < reached.len() {
            if reached[next] == id {
                let name = &estate.service(id).name;
                let at = raw
                    .services
                    .get(name)
                    .and_then(|s| s.value.depends_on.first())
                    .map_or(Location::UNKNOWN, |d| d.referenced);
                cx.add(
                    at,
                    format!("`{name}` depends on itself, in a circle"),
                    "break the circle of depends_on",
                );
                return;
            }
            let more: Vec<_> = estate
                .service(reached[next])
                .depends_on
                .iter()
                .copied()
                .filter(|s| !reached.contains(s))
                .collect();
            reached.extend(more);
            next += 1;
        }
    }
}

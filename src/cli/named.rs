//! What a person names: a step, a database, a member, a region. Whoever names none is told which there are.

use crate::model::*;

/// A step of an operation, by its id in the plan or by its number from 1.
pub fn step_named(snapshot: &Snapshot, operation: OperationId, step: &str) -> Result<u16, String> {
    let operation = snapshot
        .operations
        .iter()
        .find(|o| o.id == operation)
        .ok_or_else(|| format!("there is no {operation}"))?;
    let by_number =
        step.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < operation.plan.steps.len());
    let found = operation.plan.steps.iter().position(|s| s.id == step).or(by_number);
    found.map(|n| n as u16).ok_or_else(|| {
        let known: Vec<_> = operation.plan.steps.iter().map(|s| s.id.as_str()).collect();
        format!("`{step}` is no step; known: {}", known.join(", "))
    })
}

/// The group with this name, or of the service with this name.
pub fn group_named(estate: &Estate, name: &str) -> Result<GroupId, String> {
    let group = estate.groups.iter().position(|g| g.name == name).map(GroupId::of);
    group.or_else(|| estate.service_named(name).map(|s| estate.service(s).group)).ok_or_else(|| {
        let known: Vec<_> =
            estate.groups.iter().filter(|g| g.database.is_some()).map(|g| g.name.as_str()).collect();
        format!("`{name}` is no service; those with a database: {}", known.join(", "))
    })
}

/// The member of a group with this label; or, of a region, the one that may take over, else the first there.
///
/// # Errors
/// The group has no such member.
pub fn member_named(snapshot: &Snapshot, group: GroupId, name: &str) -> Result<MemberId, String> {
    let members = || snapshot.group(group).into_iter().flat_map(|v| &v.members);
    let labelled = members().find(|m| m.label == name);
    let in_region = || snapshot.member_in(group, snapshot.estate.region_named(name)?);
    labelled.map(|m| m.member).or_else(in_region).ok_or_else(|| {
        let known: Vec<_> = members().map(|m| m.label.as_str()).collect();
        format!(
            "{} has no member in `{name}`; its members: {}",
            snapshot.estate.group(group).name,
            known.join(", ")
        )
    })
}

pub fn region_named(estate: &Estate, name: &str) -> Result<RegionId, String> {
    estate.region_named(name).ok_or_else(|| {
        let known: Vec<_> = estate.regions.iter().map(|r| r.name.as_str()).collect();
        format!("`{name}` is no region; known: {}", known.join(", "))
    })
}

//! What must hold before an operation begins, and again before it acts: composed of what the database's kind asks for and of what
//! the routes show.

use crate::engine::kernel::entry::unrouted;
use crate::engine::kernel::facts::Facts;
use crate::engine::kinds;
use crate::model::*;

/// The checks of a failover from one member to another, the decisive ones first. `age` is how old evidence may be.
pub fn failover(cx: &Facts, group: GroupId, from: MemberId, to: MemberId, age: Span) -> Vec<Check> {
    cx.database(group)
        .map_or_else(Vec::new, |d| kinds::replicated(d).failover_checks(cx, group, from, to, age))
}

/// The checks of a planned switchover. `opens_route`: the plan puts the target back into the routes first.
pub fn switchover(
    cx: &Facts,
    group: GroupId,
    from: MemberId,
    to: MemberId,
    age: Span,
    opens_route: bool,
) -> Vec<Check> {
    let Some(database) = cx.database(group) else { return Vec::new() };
    let mut list = kinds::replicated(database).switchover_checks(cx, group, from, to, age);
    // Where the record was not read there is nothing to judge by.
    if cx.record_within(group, age).is_some() {
        let at = None;
        let mut add = |verdict, finding: EntryFinding| {
            list.push(Check { id: CheckId::Route, verdict, finding: finding.into(), figure: None, at });
        };
        let seen = database.balancers.iter().zip(&cx.telemetry.group(group).balancers);
        for (_, balancer) in seen.filter(|(route, _)| route.drains()) {
            let out = balancer.all_in_maintenance(to, true);
            if let Some(server) = balancer.servers_of(to).next().filter(|_| out.is_some()) {
                let finding = EntryFinding::InMaintenance { server: server.name.clone(), opens: opens_route };
                add(if opens_route { Verdict::Advice } else { Verdict::block(11) }, finding);
            }
        }
        // Users find no way to the new primary where no server is of this cluster; a plan that opens the way would stop there.
        let route = if opens_route { std::slice::from_ref(&to) } else { &[] };
        if let Some(finding) = unrouted(cx, group, route) {
            add(if opens_route { Verdict::block(11) } else { Verdict::Advice }, finding);
        }
    }
    list
}

//! Why a member may not take over, for screens and readiness.

use super::candidate;
use crate::engine::kernel::facts::Facts;
use crate::engine::kinds::Unfit;
use crate::model::*;

/// Why a member may not take over, or not without a risk that is typed.
pub fn of(cx: &Facts, group: GroupId, member: MemberId) -> Option<Unfit> {
    cx.database(group)?;
    let Some(leader) = cx.leader(group) else {
        return Some(Unfit { why: candidate::without_leader(cx, group, member), at_a_risk: false });
    };
    if leader == member {
        return None;
    }
    if cx.state.open_disasters().any(|d| d.corrupts(cx.estate(), group)) {
        return Some(Unfit { why: ClusterFinding::MayBeCorrupt.into(), at_a_risk: false });
    }
    let checks = candidate::failover_checks(cx, group, leader, member, cx.stale_after());
    let reason = checks
        .iter()
        .find(|c| matches!(c.verdict, Verdict::Block { .. }))
        .or_else(|| checks.iter().find(|c| c.verdict.is_risk()));
    reason.map(|c| Unfit { why: c.finding.clone(), at_a_risk: c.verdict.is_risk() })
}

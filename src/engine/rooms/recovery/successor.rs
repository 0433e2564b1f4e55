//! Who would take over.

use crate::engine::kernel::facts::Facts;
use crate::engine::kinds;
use crate::model::*;

/// The best member to take over from one that is left.
pub fn choose(cx: &Facts, group: GroupId, from: MemberId, leaves: Leaves) -> Option<MemberId> {
    let database = cx.database(group)?;
    let left = cx.left(group, from, leaves);
    let rank = |member: &MemberId| kinds::replicated(database).rank(cx, group, *member);
    database.member_ids().filter(|m| !left.contains(m)).min_by_key(rank)
}

/// The best member in a region.
pub fn choose_in(cx: &Facts, group: GroupId, region: RegionId) -> Option<MemberId> {
    let database = cx.database(group)?;
    let rank = |member: &MemberId| kinds::replicated(database).rank(cx, group, *member);
    database.members_in(region).min_by_key(rank)
}

/// Why a member may not take over, or not without a risk that is typed.
pub fn unfit(cx: &Facts, group: GroupId, member: MemberId) -> Option<kinds::Unfit> {
    kinds::replicated(cx.database(group)?).unfit(cx, group, member)
}

//! Patroni: PostgreSQL whose members elect their leader through etcd. What its replies mean for a failover.

mod candidate;
mod cluster;
mod members;
mod promote;
mod store;
mod unfit;

use super::{Replicated, Unfit};
use crate::engine::kernel::facts::Facts;
use crate::engine::kernel::findings::{Findings, Subject};
use crate::engine::kernel::proof::Wish;
use crate::model::{
    Check, Database, Evidence, Finding, GroupId, MemberId, NoProof, Operation, Patroni, Span,
};
use crate::model::{StoreRecord, WaitReason};

impl Replicated for Patroni {
    fn failover_checks(
        &self,
        cx: &Facts,
        group: GroupId,
        from: MemberId,
        to: MemberId,
        age: Span,
    ) -> Vec<Check> {
        candidate::failover_checks(cx, group, from, to, age)
    }

    fn switchover_checks(
        &self,
        cx: &Facts,
        group: GroupId,
        from: MemberId,
        to: MemberId,
        age: Span,
    ) -> Vec<Check> {
        candidate::switchover_checks(cx, group, from, to, age)
    }

    fn rank(&self, cx: &Facts, group: GroupId, member: MemberId) -> (bool, bool, u16) {
        candidate::rank(cx, group, member)
    }

    fn unfit(&self, cx: &Facts, group: GroupId, member: MemberId) -> Option<Unfit> {
        unfit::of(cx, group, member)
    }

    fn unusable(&self, database: &Database, record: &StoreRecord) -> Option<Finding> {
        candidate::unusable(database, record)
    }

    fn wish(&self, cx: &Facts, operation: &Operation) -> Result<Wish, NoProof> {
        promote::wish(cx, operation)
    }

    fn protection(&self, cx: &Facts, operation: &Operation) -> Result<Evidence, WaitReason> {
        promote::protection(cx, operation)
    }

    fn judge(&self, subject: &Subject, found: &mut Findings) {
        cluster::judge(subject, found);
        store::judge(subject, found);
        members::judge(subject, found);
    }
}

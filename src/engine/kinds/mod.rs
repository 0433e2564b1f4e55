//! The kinds of assets: what the replies of each mean. The rest of the engine knows assets only by their family.

use super::kernel::facts::Facts;
use super::kernel::findings::{Findings, Subject};
use super::kernel::proof::Wish;
use crate::model::*;

/// What a kind of the family *Route* knows of its assets.
pub trait Route {
    /// Adds what stops or endangers a failover through the route at this address.
    fn judge(&self, subject: &Subject, address: &str, answers: &BalancerAnswers, found: &mut Findings);
}

/// Why a member may not take over, or not without a risk that is typed.
pub struct Unfit {
    pub why: Finding,
    /// It may, where that is typed as a risk.
    pub at_a_risk: bool,
}

/// What a kind of the family *Replicated* knows of its clusters: one member writes, others hold copies.
pub trait Replicated {
    /// The checks of a failover from one member to another, the decisive ones first. `age` is how old evidence may be.
    fn failover_checks(
        &self,
        cx: &Facts,
        group: GroupId,
        from: MemberId,
        to: MemberId,
        age: Span,
    ) -> Vec<Check>;

    /// The checks of a planned switchover: the leader lives and is asked to step down.
    fn switchover_checks(
        &self,
        cx: &Facts,
        group: GroupId,
        from: MemberId,
        to: MemberId,
        age: Span,
    ) -> Vec<Check>;

    /// Members are chosen by this, the smallest first.
    fn rank(&self, cx: &Facts, group: GroupId, member: MemberId) -> (bool, bool, u16);

    fn unfit(&self, cx: &Facts, group: GroupId, member: MemberId) -> Option<Unfit>;

    /// Why nothing can be done for a cluster, as its record stands.
    fn unusable(&self, database: &Database, record: &StoreRecord) -> Option<Finding>;

    /// What promotes, as far as it needs no proof.
    ///
    /// # Errors
    /// The cluster does not stand as it should.
    fn wish(&self, cx: &Facts, operation: &Operation) -> Result<Wish, NoProof>;

    /// What shows that every acknowledged write of the new primary is held twice.
    ///
    /// # Errors
    /// What is waited for.
    fn protection(&self, cx: &Facts, operation: &Operation) -> Result<Evidence, WaitReason>;

    /// Adds what stops or endangers a failover of the cluster.
    fn judge(&self, subject: &Subject, found: &mut Findings);
}

/// What a kind of the family *Switch* knows of its assets.
pub trait Switch {
    /// Adds what stops or endangers the fencing.
    fn judge(&self, subject: &Subject, fence: &Fence, found: &mut Findings);
}

macro_rules! databases {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(mod $module;)*

        pub fn replicated(database: &Database) -> &dyn Replicated {
            match &database.spec { $(DatabaseSpec::$kind(kind) => kind),* }
        }
    };
}

databases! {
    Patroni = patroni,
}

macro_rules! switches {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(mod $module;)*

        pub fn switch(fence: &Fence) -> &dyn Switch {
            match &fence.spec { $(SwitchSpec::$kind(kind) => kind),* }
        }
    };
}

switches! {
    Command = command,
}

macro_rules! routes {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(mod $module;)*

        pub fn route(route: &Balancer) -> &dyn Route {
            match &route.spec { $(RouteSpec::$kind(kind) => kind),* }
        }
    };
}

routes! {
    Haproxy = haproxy,
}

//! The IO of each kind: how it is looked at, changed and asked, by its family.

use super::claim::{self, Decided};
use super::eyes::{Eyes, Shared, member_named};
use crate::model::*;

/// A route, and what a driver needs to reach it.
pub(super) struct RouteAt<'a> {
    pub shared: &'a Shared,
    pub eyes: &'a Eyes,
    pub route: &'a Balancer,
}

impl<'a> RouteAt<'a> {
    pub fn new(shared: &'a Shared, eyes: &'a Eyes, id: BalancerId) -> Option<RouteAt<'a>> {
        Some(RouteAt { shared, eyes, route: eyes.database.balancers.get(id.at())? })
    }

    /// The member that a route means by a name.
    fn member_named(&self, name: &str) -> Option<MemberId> {
        member_named(self.shared, self.eyes, name)
    }

    /// What people call a member.
    fn called(&self, member: MemberId) -> String {
        let region = || self.eyes.region_name(&self.shared.estate, member).to_string();
        self.eyes.member_name(member).unwrap_or_else(region)
    }

    /// The servers of a member: one member may have several.
    ///
    /// # Errors
    /// The route does not answer, or has no server of the member.
    pub async fn lines_of(&self, member: MemberId) -> Result<Vec<ServerView>, String> {
        let own: Vec<ServerView> =
            self.look().await?.into_iter().filter(|v| v.member == Some(member)).collect();
        match own.is_empty() {
            true => Err(format!("no server of {} is {}", self.eyes.database.backend, self.called(member))),
            false => Ok(own),
        }
    }
}

/// A change of a route that was decided, and is not sent yet.
pub(super) struct RouteChange<'a> {
    pub issued: &'a Decided,
    pub member: MemberId,
    /// The member's servers, as they were read just now.
    pub lines: Vec<ServerView>,
    /// Out of rotation; else into it.
    pub out: bool,
}

impl RouteChange<'_> {
    /// Asked right before something is sent: whether the claim stands.
    ///
    /// # Errors
    /// Nothing may be sent; the outcome says why.
    async fn permit(&self, at: &RouteAt<'_>) -> Result<(), Outcome> {
        claim::permit(at.shared, at.eyes, self.issued)
            .await
            .and_then(|p| p.stands(at.eyes))
            .map_err(|reason| Outcome::Missed { reason })
    }
}

/// The IO of a kind of the family *Route*. Whether a change happened whose report was lost is found out by a look.
trait RouteDriver {
    /// Each server of the database, as the route has it.
    ///
    /// # Errors
    /// It does not answer, or not as this kind does.
    async fn look(&self, at: &RouteAt<'_>) -> Result<Vec<ServerView>, String>;

    /// Takes a member out of rotation, or leads to it.
    async fn set(&self, at: &RouteAt<'_>, change: &RouteChange<'_>) -> Outcome;

    /// What a survey asks of it. Changes nothing.
    ///
    /// # Errors
    /// It does not answer, or not as this kind does.
    async fn survey(&self, at: &RouteAt<'_>) -> Result<BalancerAnswers, String>;
}

macro_rules! routes {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(pub(super) mod $module;)*

        impl RouteAt<'_> {
            pub async fn look(&self) -> Result<Vec<ServerView>, String> {
                match &self.route.spec { $(RouteSpec::$kind(kind) => kind.look(self).await),* }
            }

            pub async fn set(&self, change: &RouteChange<'_>) -> Outcome {
                match &self.route.spec { $(RouteSpec::$kind(kind) => kind.set(self, change).await),* }
            }

            pub async fn survey(&self) -> Result<BalancerAnswers, String> {
                match &self.route.spec { $(RouteSpec::$kind(kind) => kind.survey(self).await),* }
            }
        }
    };
}

routes! {
    Haproxy = haproxy,
}

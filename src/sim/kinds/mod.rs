//! The twin of each kind: how it behaves in the simulated world, by its family.

use crate::model::*;

/// A route's own view of one server.
#[derive(Clone, Debug, Default)]
pub(super) struct SimServer {
    pub up: bool,
    pub unreachable: bool,
    pub maintenance: bool,
    /// What it will believe, and since when it has seen it.
    pub pending: Option<(bool, bool, Mono)>,
}

/// What a route finds where it looks at a member.
#[derive(Clone, Copy)]
pub(super) struct Found {
    /// Its health check is answered.
    pub answers: bool,
    /// It takes writes.
    pub takes_writes: bool,
}

/// What a route believes of a member, once it has found the same for long enough.
pub(super) struct Belief {
    pub up: bool,
    pub unreachable: bool,
    pub after: Span,
}

/// The twin of a kind of the family *Route*.
pub(super) trait RouteTwin {
    /// How a member stands in calm.
    fn calm(&self, leads: bool) -> SimServer;

    /// `rise` is how long this world's routes take to believe that a server is up.
    fn belief(&self, server: &SimServer, found: Found, rise: Span) -> Belief;

    /// A member is taken out of rotation, or led to.
    fn set(&self, servers: &mut [SimServer], member: usize, out: bool);

    /// The result of its check, in its own words.
    fn check(&self, server: &SimServer) -> &'static str;
}

macro_rules! routes {
    ($($kind:ident = $module:ident),* $(,)?) => {
        $(mod $module;)*

        pub(super) fn twin(spec: &RouteSpec) -> &dyn RouteTwin {
            match spec { $(RouteSpec::$kind(kind) => kind),* }
        }
    };
}

routes! {
    Haproxy = haproxy,
}

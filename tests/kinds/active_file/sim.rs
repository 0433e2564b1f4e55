//! The file leads to the region that it names, whatever runs there.

use super::{Belief, Found, RouteTwin, SimServer};
use crate::model::{ActiveFile, Span};

impl RouteTwin for ActiveFile {
    fn calm(&self, leads: bool) -> SimServer {
        SimServer { up: leads, maintenance: !leads, ..SimServer::default() }
    }

    fn belief(&self, server: &SimServer, _: Found, _: Span) -> Belief {
        Belief { up: !server.maintenance, unreachable: false, after: Span::ZERO }
    }

    fn set(&self, servers: &mut [SimServer], member: usize, out: bool) {
        for (i, server) in servers.iter_mut().enumerate() {
            server.maintenance = out || i != member;
            server.up = !server.maintenance;
        }
    }

    fn check(&self, _: &SimServer) -> &'static str {
        ""
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{embedded, embedded_names};
    use crate::controller::play;
    use crate::journal::Journal;
    use crate::model::*;

    /// The scenario, with every balancer replaced by a file.
    fn scenario(name: &str) -> Scenario {
        let mut scenario = embedded(name).unwrap_or_else(|e| panic!("{e}"));
        for database in scenario.estate.groups.iter_mut().filter_map(|g| g.database.as_mut()) {
            for (i, route) in database.balancers.iter_mut().enumerate() {
                let address = format!("/run/active-{i}");
                *route = Balancer { address, region: None, spec: RouteSpec::ActiveFile(ActiveFile {}) };
            }
        }
        scenario
    }

    /// Every scenario is played: no law is broken, and a recovery ends with users led to the new primary.
    #[test]
    fn a_recovery_leads_users_by_the_file() {
        let mut led = 0;
        for name in embedded_names() {
            for seed in 1..6 {
                let played = play(scenario(name), seed, Journal::in_memory(), &mut |_| {})
                    .unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(played.laws_broken, Vec::<String>::new(), "{name}, seed {seed}");
                for o in &played.simulation.core.engine.state().operations {
                    let set = |e: &&EffectRecord| matches!(e.effect, Effect::Restore { .. }) && e.is_done();
                    assert!(
                        !o.effects().any(|e| matches!(e.effect, Effect::Drain { .. })),
                        "{name}: drained"
                    );
                    if o.status == Status::Recovered && o.results.served.is_some() {
                        assert!(o.effects().any(|e| set(&e)), "{name}, seed {seed}: nobody set the file");
                        led += 1;
                    }
                }
            }
        }
        assert!(led > 10, "{led} recoveries");
    }
}

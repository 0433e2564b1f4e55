//! HAProxy checks its servers by their role, and believes what it has seen for long enough.

use super::{Belief, Found, RouteTwin, SimServer};
use crate::model::{Haproxy, Span};

/// How long it takes to believe that a server is down.
const FALL: Span = Span::ms(350);

impl RouteTwin for Haproxy {
    fn calm(&self, leads: bool) -> SimServer {
        SimServer { up: leads, ..SimServer::default() }
    }

    fn belief(&self, _: &SimServer, found: Found, rise: Span) -> Belief {
        let up = found.answers && found.takes_writes;
        Belief { up, unreachable: !found.answers, after: if up { rise } else { FALL } }
    }

    fn set(&self, servers: &mut [SimServer], member: usize, out: bool) {
        servers[member].maintenance = out;
    }

    fn check(&self, server: &SimServer) -> &'static str {
        match (server.maintenance, server.unreachable, server.up) {
            (true, _, _) => "MAINT",
            (_, true, _) => "L4TOUT",
            (_, _, true) => "L7OK",
            _ => "L7STS",
        }
    }
}

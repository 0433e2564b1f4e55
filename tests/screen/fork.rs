//! A fork on the screen, beside what is real.

use super::*;

/// The incident, in a fork where another choice than the real one is on the table.
fn forked() -> (App, Snapshot) {
    let real = at("region_outage", 30);
    let group = real.core.engine.state().proposals[0].proposal.group;
    let mut simulation = Simulation::standing(real.core.engine.fork(real.now()));
    let propose = Action::Propose {
        group,
        intent: Intent::Failover,
        from: None,
        to: None,
        reason: "what if".to_string(),
    };
    let now = simulation.now();
    let answer = simulation
        .core
        .input(now, bpci::engine::Input::Order(Order { by: Actor::scripted("ada"), action: propose }));
    assert!(matches!(answer, Ok(Some(Ok(Receipt::Proposed(_))))), "{answer:?}");
    let mut app = app_on(Screen::Command);
    app.instead = Instead::Fork(real.now().utc);
    app.beside = Some(std::sync::Arc::new(foreseen(&real)));
    let mut snapshot = simulation.snapshot(100, true);
    snapshot.forecasts =
        bpci::controller::forecasts(&simulation.core.engine, simulation.now(), &snapshot, 100);
    (app, snapshot)
}

/// What is real stands beside it or below it, at every size that has room for two lines.
#[test]
fn a_fork_is_taken_for_nothing_else() {
    let (app, snapshot) = forked();
    for (width, height) in [(80, 24), (120, 40), (200, 60), (40, 10)] {
        looks(&format!("fork_{width}x{height}"), &picture(&app, &snapshot, width, height));
    }
    for (width, height) in [(60, 16), (80, 24), (100, 30), (117, 40), (118, 40), (160, 50), (250, 70)] {
        for screen in Screen::ALL {
            let mut here = app_on(screen);
            (here.instead, here.beside) = (app.instead, app.beside.clone());
            let drawn = picture(&here, &snapshot, width, height);
            let text: String = (0..height)
                .map(|y| (0..width).map(|x| drawn[(x, y)].symbol()).collect::<String>() + "\n")
                .collect();
            for word in [" FORK", "nothing here is real", "DECISION 1/2"] {
                assert!(text.contains(word), "no {word} on {} {width}x{height}:\n{text}", screen.name());
            }
        }
    }
}

//! Confirmations: how they look, what they ask for, and what no key may do.

use super::*;

#[test]
fn a_confirmation_takes_typing_and_neither_paste_nor_haste() {
    let snapshot = at("region_outage", 30).snapshot(1, false);
    let mut app = App::new();
    assert!(type_keys(&mut app, &snapshot, "f").is_empty());
    assert!(app.event(&Input::Paste("us-east-1\n".to_string()), &snapshot).is_none());
    assert!(
        type_keys(&mut app, &snapshot, "us-east-1\n").is_empty(),
        "keys within half a second confirm nothing"
    );
    std::thread::sleep(Duration::from_millis(550));
    assert!(app.event(&Input::Paste("us-east-1\n".to_string()), &snapshot).is_none());
    let asks = type_keys(&mut app, &snapshot, "us-east-1\n");
    assert!(
        matches!(asks.as_slice(), [Ask::Order(Action::Confirm(c))] if c.typed == "us-east-1"),
        "{asks:?}"
    );
}

#[test]
fn focus_that_comes_back_makes_it_deaf_for_a_moment() {
    let snapshot = at("region_outage", 30).snapshot(1, false);
    let mut app = App::new();
    type_keys(&mut app, &snapshot, "f");
    std::thread::sleep(Duration::from_millis(550));
    app.event(&Input::FocusGained, &snapshot);
    assert!(type_keys(&mut app, &snapshot, "us-east-1\n").is_empty());
}

#[test]
fn facts_that_change_void_what_was_typed() {
    let before = at("region_outage", 30).snapshot(1, false);
    let mut app = App::new();
    type_keys(&mut app, &before, "f");
    std::thread::sleep(Duration::from_millis(550));
    type_keys(&mut app, &before, "us-east-1");
    let mut after = before.clone();
    after.proposals[0].assessment.evidence = Digest::of(b"something else");
    app.refresh(&after);
    std::thread::sleep(Duration::from_millis(550));
    let asks = type_keys(&mut app, &after, "\n");
    assert!(asks.is_empty(), "{asks:?}");
    assert!(styled(&picture(&app, &after, 80, 24)).contains("what was typed before is void"));
}

#[test]
fn a_blocked_choice_cannot_be_confirmed() {
    let mut snapshot = at("region_outage", 30).snapshot(1, false);
    snapshot.proposals[0].assessment.checks[0].verdict = Verdict::block(5);
    let mut app = App::new();
    type_keys(&mut app, &snapshot, "f");
    std::thread::sleep(Duration::from_millis(550));
    assert!(type_keys(&mut app, &snapshot, "us-east-1\n").is_empty());
}

/// Each kind of confirmation, as it looks.
#[test]
fn every_confirmation_looks_as_it_should() {
    let incident = foreseen(&at("region_outage", 30));
    let lossy = foreseen(&at("refused_failover", 45));
    let alive = {
        let mut simulation = at("calm", 5);
        let propose = Action::Propose {
            group: orders_db(),
            intent: Intent::Failover,
            from: None,
            to: None,
            reason: "a test".to_string(),
        };
        order(&mut simulation, "Kim", propose).unwrap_or_else(|e| panic!("{e:?}"));
        foreseen(&simulation)
    };
    for (name, snapshot, typed) in [
        ("sure", &incident, ""),
        ("mistyped", &incident, "us-east-2\n"),
        ("lossy", &lossy, "us-east-1\n"),
        ("overruled", &alive, "us-east-1\n"),
    ] {
        let mut app = App::new();
        type_keys(&mut app, snapshot, "f");
        std::thread::sleep(Duration::from_millis(550));
        type_keys(&mut app, snapshot, typed);
        looks(&format!("confirm_{name}_80x24"), &picture(&app, snapshot, 80, 24));
    }
    let mut app = App::new();
    type_keys(&mut app, &incident, "f");
    std::thread::sleep(Duration::from_millis(550));
    looks("confirm_sure_120x40", &picture(&app, &incident, 120, 40));
}

fn orders_db() -> GroupId {
    let estate = config::embedded("calm").unwrap_or_else(|e| panic!("{e}")).estate;
    GroupId::of(
        estate.groups.iter().position(|g| g.name == "orders-db").unwrap_or_else(|| panic!("no such group")),
    )
}

fn order(simulation: &mut Simulation, by: &str, action: Action) -> Result<Receipt, Refusal> {
    let order = Order { by: Actor::scripted(by), action };
    let answer = simulation
        .core
        .input(simulation.now(), bpci::engine::Input::Order(order))
        .unwrap_or_else(|e| panic!("{e}"));
    answer.unwrap_or_else(|| panic!("no answer"))
}

/// A living primary can be overruled, in words, and only then; what is sent says so.
#[test]
fn the_observers_are_overruled_in_words() {
    let mut simulation = at("calm", 5);
    let propose = Action::Propose {
        group: orders_db(),
        intent: Intent::Failover,
        from: None,
        to: None,
        reason: "a test".to_string(),
    };
    order(&mut simulation, "Kim", propose).unwrap_or_else(|e| panic!("{e:?}"));
    let snapshot = simulation.snapshot(1, false);
    let mut app = App::new();
    type_keys(&mut app, &snapshot, "f");
    std::thread::sleep(Duration::from_millis(550));
    assert!(type_keys(&mut app, &snapshot, "us-east-1\nyes\n").is_empty());
    let asks = type_keys(&mut app, &snapshot, "fence us-east-1 although it may live\n");
    let [Ask::Order(Action::Confirm(confirmation))] = asks.as_slice() else { panic!("{asks:?}") };
    assert!(confirmation.manual_override);
    let without = Confirmation { manual_override: false, ..confirmation.clone() };
    assert!(order(&mut simulation, "Kim", Action::Confirm(without)).is_err_and(|r| r.law == Some(5)));
    assert!(matches!(
        order(&mut simulation, "Kim", Action::Confirm(confirmation.clone())),
        Ok(Receipt::Started(_))
    ));
}

/// A plan can ask for a second person, who is not the first; and for a second factor, which nothing here can check.
#[test]
fn a_plan_asks_for_more_than_the_name() {
    let with = |approval| {
        let mut scenario = config::embedded("region_outage").unwrap_or_else(|e| panic!("{e}"));
        for plan in &mut scenario.estate.plans {
            plan.approval = approval;
        }
        let mut simulation = Simulation::new(scenario, 1, Journal::in_memory(), Mode::Simulation, BEGAN)
            .unwrap_or_else(|e| panic!("{e}"));
        simulation.run_to(Mono(30_000)).unwrap_or_else(|e| panic!("{e}"));
        simulation
    };
    let mut simulation = with(Approval { second_person: true, second_factor: false });
    simulation.run_to(Mono(90_000)).unwrap_or_else(|e| panic!("{e}"));
    assert!(simulation.core.engine.state().operations.is_empty(), "automation has no second person");
    let mut simulation = with(Approval { second_person: true, second_factor: false });
    let snapshot = simulation.snapshot(1, false);
    let mut app = App::new();
    let asks = type_keys(&mut app, &snapshot, "f");
    assert!(asks.is_empty(), "{asks:?}");
    std::thread::sleep(Duration::from_millis(550));
    assert!(type_keys(&mut app, &snapshot, "us-east-1\n\n").is_empty());
    let asks = type_keys(&mut app, &snapshot, "Ana\n");
    let [Ask::Order(Action::Confirm(confirmation))] = asks.as_slice() else { panic!("{asks:?}") };
    assert_eq!(confirmation.second_person.as_deref(), Some("Ana"));
    assert!(
        order(&mut simulation, "ana", Action::Confirm(confirmation.clone()))
            .is_err_and(|r| r.why == ConfirmationRefused::NoSecondPerson.into())
    );
    assert!(matches!(
        order(&mut simulation, "Kim", Action::Confirm(confirmation.clone())),
        Ok(Receipt::Started(_))
    ));
    assert_eq!(simulation.core.engine.state().operations[0].accepted.second_person.as_deref(), Some("Ana"));

    let snapshot = with(Approval { second_person: false, second_factor: true }).snapshot(1, false);
    let mut app = App::new();
    type_keys(&mut app, &snapshot, "f");
    std::thread::sleep(Duration::from_millis(550));
    assert!(type_keys(&mut app, &snapshot, "us-east-1\n").is_empty());
    assert!(styled(&picture(&app, &snapshot, 80, 24)).contains("refused as it stands: second factor"));
}

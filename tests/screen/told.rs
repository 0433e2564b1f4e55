//! What is told is so: keys as they are bound, what was proven and what was not, what a step back leads out of.

use super::*;
use bpci::engine::Input as Told;

fn text(app: &App, snapshot: &Snapshot) -> String {
    let drawn = picture(app, snapshot, 80, 24);
    (0..24).map(|y| (0..80).map(|x| drawn[(x, y)].symbol()).collect::<String>() + "\n").collect()
}

fn ordered(simulation: &mut Simulation, action: Action) {
    let now = simulation.now();
    let answer = simulation.core.input(now, Told::Order(Order { by: Actor::scripted("ada"), action }));
    assert!(matches!(answer, Ok(Some(Ok(_)))), "{answer:?}");
}

/// Where a key was changed, the new one is shown wherever the old one stood.
#[test]
fn a_changed_key_is_shown() {
    let snapshot = at("region_outage", 30).snapshot(1, false);
    let mut app = App::new();
    app.keys
        .change("failover", "F")
        .and_then(|()| app.keys.change("stop", "S"))
        .unwrap_or_else(|e| panic!("{e}"));
    let shown = text(&app, &snapshot);
    for words in ["F fail over: confirm by typing us-east-1", "S stop", "F fail over  S stop"] {
        assert!(shown.contains(words), "no «{words}»:\n{shown}");
    }
}

/// One database was failed over, the cluster took over the other: users are not called served before both are proven.
#[test]
fn a_takeover_by_the_cluster_is_no_proof() {
    let mut simulation = at("region_outage", 30);
    let open: Vec<ProposalView> = simulation.snapshot(1, false).proposals;
    for view in &open {
        ordered(&mut simulation, Action::StopAutomatic { proposal: view.proposal.id });
    }
    let first = simulation.scenario.estate.group(open[0].proposal.group).name.clone();
    let confirmed = confirmation(&simulation, &first);
    ordered(&mut simulation, confirmed);
    simulation.run_to(Mono(120_000)).unwrap_or_else(|e| panic!("{e}"));
    let other = &open[1].proposal;
    let name = simulation.scenario.estate.group(other.group).name.clone();
    let shown = text(&App::new(), &simulation.snapshot(1, false));
    let second = shown.lines().nth(1).unwrap_or_default();
    assert!(
        second.contains(&format!("cluster took {name}, unproven")) && !second.contains("users served"),
        "{shown}"
    );
    // It is told whatever is selected, and what to do about it.
    let flowing = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flowing.contains("without a fence")
            && flowing.contains("write a row of your own through payments.sim:5000"),
        "{shown}"
    );
    // Who vouches for it has not told when its users were served, nor what was lost: the other's figures are not taken for it.
    ordered(&mut simulation, Action::Vouch { group: other.group, note: "psql".to_string() });
    let snapshot = simulation.snapshot(1, false);
    let shown = text(&App::new(), &snapshot);
    let second = shown.lines().nth(1).unwrap_or_default();
    assert!(
        second.contains(&format!("{first} served "))
            && second.contains(&format!("{name} elected: lost what?")),
        "{shown}"
    );
    let flowing = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flowing.contains("ada vouches for it") && flowing.contains(&format!("undo the fence of {first}")),
        "{shown}"
    );
    let file = bpci::tui::export(&snapshot, &[], "");
    assert!(
        file.contains(&format!("# {name}: the cluster elected"))
            && file.contains("what was lost is not known; no write of ours"),
        "{file}"
    );
    assert!(file.contains("# proof: none: a simulation"), "{file}");
    // Once all is well again that is not forgotten.
    simulation.core.door.mend();
    simulation.run_to(Mono(300_000)).unwrap_or_else(|e| panic!("{e}"));
    let snapshot = simulation.snapshot(1, false);
    let over = snapshot.disasters.is_empty()
        && snapshot
            .log
            .iter()
            .any(|l| l.text.contains(" is over, after ") && l.text.contains("stay led elsewhere"));
    assert!(
        over && text(&App::new(), &snapshot)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains("ada vouches for it"),
        "{:#?}",
        snapshot.log
    );
}

/// Space holds the simulation while a confirmation is read, and is typed like any other letter once something is.
#[test]
fn a_confirmation_is_read_while_the_simulation_stands() {
    let snapshot = at("region_outage", 30).snapshot(1, false);
    let mut app = App::new();
    type_keys(&mut app, &snapshot, "f");
    assert_eq!(type_keys(&mut app, &snapshot, " "), [Ask::Control(Control::Pause(true))]);
    std::thread::sleep(Duration::from_millis(550));
    assert!(type_keys(&mut app, &snapshot, "us ").is_empty());
    assert!(text(&app, &snapshot).contains(" > us _"), "{}", text(&app, &snapshot));
}

/// Who means to leave a region that was left a moment ago is told so, before a name is typed.
#[test]
fn a_second_failover_is_told_as_one() {
    let mut simulation = at("region_outage", 90);
    let moved = |s: &Snapshot| {
        s.operations
            .iter()
            .find(|o| o.results.served.is_some())
            .map(|o| (o.group, s.label(o.group, o.to).into_owned()))
    };
    let (group, to) = moved(&simulation.snapshot(1, false)).unwrap_or_else(|| panic!("nothing was moved"));
    let reason = "once more".to_string();
    ordered(
        &mut simulation,
        Action::Propose { group, intent: Intent::Failover, from: None, to: None, reason },
    );
    let snapshot = simulation.snapshot(1, false);
    let mut app = App::new();
    type_keys(&mut app, &snapshot, "f");
    let shown = text(&app, &snapshot);
    assert!(
        shown.contains(&format!("a second   {} went to {to}", snapshot.estate.group(group).name)),
        "{shown}"
    );
}

/// What runs out is seen while a confirmation is read, and stopped without leaving it.
#[test]
fn a_countdown_is_stopped_while_it_is_read() {
    let mut simulation = at("region_outage", 30);
    let snapshot = simulation.snapshot(1, false);
    let mut app = App::new();
    type_keys(&mut app, &snapshot, "f");
    let shown = text(&app, &snapshot);
    assert!(shown.contains("CONFIRM") && shown.contains("ctrl-s stops it"), "{shown}");
    // Who confirms one has not decided the other.
    assert!(shown.contains("besides    payments-db counts on: automatic in"), "{shown}");
    let asked = app.event(&Input::Key(KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL)), &snapshot);
    assert!(matches!(&asked, Some(Ask::Orders(stops)) if stops.len() == 2), "{asked:?}");
    assert!(text(&app, &snapshot).contains("CONFIRM"), "it is still read");
    let Some(Ask::Orders(stops)) = asked else { panic!("nothing was asked") };
    stops.into_iter().for_each(|stop| ordered(&mut simulation, stop));
    let snapshot = simulation.snapshot(1, false);
    app.refresh(&snapshot);
    let shown = text(&app, &snapshot);
    assert!(
        shown.contains("changed: its countdown was stopped") && !shown.contains("etcd's keys"),
        "{shown}"
    );
}

/// Out of a drill that is not over nobody gets by a key too many: the next one would be about something else.
#[test]
fn a_drill_that_is_not_over_is_left_by_a_word() {
    let mut snapshot = at("region_outage", 30).snapshot(1, false);
    let scenario = |over| ScenarioView {
        name: "one".to_string(),
        told: None,
        turn: (0, 0),
        next: Span::secs(1),
        over,
        unmet: None,
    };
    let esc = key(KeyCode::Esc);
    let mut app = App::new();
    app.instead = Instead::Drill;
    snapshot.world.as_mut().unwrap_or_else(|| panic!("no world")).scenario = Some(scenario(false));
    assert_eq!(app.event(&esc, &snapshot), None);
    assert!(text(&app, &snapshot).contains("LEAVE the drill?"));
    std::thread::sleep(Duration::from_millis(550));
    assert!(type_keys(&mut app, &snapshot, "n").is_empty(), "any other key stays");
    assert_eq!(app.event(&esc, &snapshot), None);
    std::thread::sleep(Duration::from_millis(550));
    assert_eq!(type_keys(&mut app, &snapshot, "y"), [Ask::Leave]);
    snapshot.world.as_mut().unwrap_or_else(|| panic!("no world")).scenario = Some(scenario(true));
    assert_eq!(app.event(&esc, &snapshot), Some(Ask::Leave), "one that is over is left at once");
}

fn confirmation(simulation: &Simulation, group: &str) -> Action {
    let snapshot = simulation.snapshot(1, false);
    let of = |v: &&ProposalView| snapshot.estate.group(v.proposal.group).name == group;
    let view = snapshot.proposals.iter().find(of).unwrap_or_else(|| panic!("no choice"));
    Action::Confirm(view.confirmed(snapshot.now.utc, "us-east-1"))
}

fn in_steps(simulation: &mut Simulation, until: impl Fn(&Simulation) -> bool) {
    let mut at = simulation.now().mono;
    for _ in 0..2_000 {
        if until(simulation) {
            return;
        }
        at = at.plus(Span::ms(10));
        simulation.run_to(at).unwrap_or_else(|e| panic!("{e}"));
    }
    panic!("it does not come to that");
}

/// Of two operations the one is taken back that can be; and where it is too late for that, it is said.
#[test]
fn what_is_taken_back_is_what_can_be() {
    let handed_over =
        |s: &Simulation, n: usize| s.core.engine.state().operations.get(n).is_some_and(|o| o.handed_over());
    let mut simulation = at("region_outage", 30);
    for view in simulation.snapshot(1, false).proposals {
        ordered(&mut simulation, Action::StopAutomatic { proposal: view.proposal.id });
    }
    let first = confirmation(&simulation, "orders-db");
    ordered(&mut simulation, first);
    in_steps(&mut simulation, |s| handed_over(s, 0));
    let second = confirmation(&simulation, "payments-db");
    ordered(&mut simulation, second);
    // It is about the selected database; for that one it is too late, and the other's is not offered in its place.
    let mut app = App::new();
    let snapshot = simulation.snapshot(1, false);
    type_keys(&mut app, &snapshot, "a");
    let shown = text(&app, &snapshot);
    assert!(
        shown.contains("▶orders-db") && shown.contains("too late for it") && !shown.contains("TAKE BACK"),
        "{shown}"
    );
    app.event(&key(KeyCode::Tab), &snapshot);
    type_keys(&mut app, &snapshot, "a");
    let shown = text(&app, &snapshot);
    assert!(shown.contains("TAKE BACK  recovery-2 of payments-db") && shown.contains("abort"), "{shown}");
    in_steps(&mut simulation, |s| handed_over(s, 1));
    let shown = text(&app, &simulation.snapshot(1, false));
    assert!(shown.contains("too late: the lock is handed over") && !shown.contains("rollback"), "{shown}");
}

/// A choice that was taken off the table decides nothing: that stands there, and the keys are about it still.
#[test]
fn what_is_withdrawn_is_undecided() {
    let mut simulation = at("region_outage", 30);
    let mut app = App::new();
    let asked = type_keys(&mut app, &simulation.snapshot(1, false), "w").pop();
    let Some(Ask::Order(withdraw)) = asked else { panic!("nothing was withdrawn: {asked:?}") };
    ordered(&mut simulation, withdraw);
    let snapshot = simulation.snapshot(1, false);
    assert_eq!(snapshot.proposals.len(), 1);
    let shown = text(&app, &snapshot);
    for words in [
        "orders-db: us-east-1 leads and does not answer us",
        "its lease ends in",
        "f puts one on the table; none comes by itself: ada said no at 00:00:30",
        "turns to what is on the table: payments-db, automatic in",
    ] {
        assert!(shown.contains(words), "no «{words}»:\n{shown}");
    }
    let asked = type_keys(&mut app, &snapshot, "f").pop();
    assert!(
        matches!(&asked, Some(Ask::Order(Action::Propose { group, .. })) if *group == GroupId::of(1)),
        "{asked:?}"
    );
}

/// A primary that is back while its disaster is not over: what was to be decided is told as past, and not as refused.
#[test]
fn a_choice_about_a_primary_that_is_back_is_past() {
    let mut simulation = at("region_outage", 30);
    simulation.core.door.mend();
    for _ in 0..40 {
        let until = simulation.now().mono.plus(Span::ms(500));
        simulation.run_to(until).unwrap_or_else(|e| panic!("{e}"));
        let snapshot = simulation.snapshot(1, false);
        let shown = text(&App::new(), &snapshot);
        if shown.contains("DECISION 1/2  orders-db: us-east-1 answers and leads again") {
            assert!(
                shown.contains("nothing to decide while it does")
                    && shown.contains("what speaks against a failover now"),
                "{shown}"
            );
            assert!(!shown.contains("automation is held") && !shown.contains("no answer: 4 of 4"), "{shown}");
            return;
        }
        assert!(!snapshot.proposals.is_empty(), "it was never told:\n{shown}");
    }
    panic!("it was never told");
}

/// Keys that are typed ahead for a fork never reach what is real.
#[test]
fn what_is_meant_for_a_fork_waits_for_it() {
    let snapshot = at("region_outage", 30).snapshot(1, false);
    let mut app = App::new();
    let asked = type_keys(&mut app, &snapshot, "bow");
    assert!(matches!(asked.as_slice(), [Ask::Fork]), "{asked:?}");
    let stops = app.event(&Input::Key(KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL)), &snapshot);
    assert!(matches!(stops, Some(Ask::Orders(_))), "a countdown does not wait for it: {stops:?}");
    app.turn_to(Instead::Fork(snapshot.now.utc));
    assert_eq!(type_keys(&mut app, &snapshot, "w").len(), 1, "it is there: keys mean it");
}

/// A choice is on its way, or was refused: the name that is typed after it orders nothing else.
#[test]
fn what_is_typed_after_an_order_reaches_nothing_else() {
    let mut simulation = at("region_outage", 35);
    in_steps(&mut simulation, |s| s.core.engine.state().operations.iter().any(|o| !o.is_over()));
    let s = simulation.snapshot(1, false);
    let mut app = App::new();
    app.screen = Screen::Recovery;
    let asked = type_keys(&mut app, &s, "f");
    let [Ask::Order(Action::Propose { .. })] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(type_keys(&mut app, &s, "us-east-1a"), [], "it is not there yet");
    assert!(app.dialog.is_none() && app.screen == Screen::Recovery);
    app.answered(
        Err(Refusal::by_law(7, ChoiceRefused::AlreadyRuns { operation: OperationId(1), group: None })),
        "",
    );
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert_eq!(type_keys(&mut app, &s, "us-east-1a"), [], "it was refused");
    assert!(text(&app, &s).contains("Refused: recovery-"), "{}", text(&app, &s));
    assert_eq!(type_keys(&mut app, &s, "\n"), []);
    assert!(app.dialog.is_none() && app.screen == Screen::Recovery);
}

/// A fault of standbys is offered where there is one.
#[test]
fn no_standby_is_struck_where_there_is_none() {
    let simulation = at("calm", 5);
    let s = simulation.snapshot(1, false);
    let mut app = App::new();
    type_keys(&mut app, &s, "istall");
    let text = text(&app, &s);
    assert!(
        text.contains("replication_stall eu-west-1") && !text.contains("replication_stall us-east-1"),
        "{text}"
    );
}

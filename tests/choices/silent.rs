//! What is told of a primary that is silent, alone, stepped down, or beside another: on the screen and in the record.

use super::*;

/// A database whose standbys die is told to be without protection, since when and what that means; with its primary gone as
/// well it is a disaster, though most of those who might say so are dead themselves. Automation begins nothing on that.
#[test]
fn a_database_that_dies_node_by_node() {
    let mut simulation = played("calm", Span::secs(5));
    let orders = |s: &Snapshot| s.group(ORDERS).cloned().unwrap_or_else(|| panic!("no view"));
    let name = simulation.snapshot(1, false).estate.group(ORDERS).name.clone();
    for region in ["eu-west-1", "ap-southeast-1"] {
        simulation.inject(&format!("node_failure {region} {name}")).unwrap_or_else(|e| panic!("{e:?}"));
    }
    wait(&mut simulation, Span::secs(30));
    let snapshot = simulation.snapshot(1, false);
    let alone = orders(&snapshot).alone.unwrap_or_else(|| panic!("{:#?}", snapshot.log));
    let for_long = snapshot.now.utc.since(alone.since);
    assert!(!alone.waits && for_long > Span::secs(5) && for_long < Span::secs(30), "{for_long}");
    assert!(
        snapshot.log.iter().any(|l| l.text.contains("acknowledges is on it alone"))
            && snapshot.gaps.iter().any(|g| matches!(g, Gap::NotSynchronous { waits: false, .. }))
    );
    assert!(snapshot.disasters.is_empty());
    simulation.inject(&format!("node_failure us-east-1 {name}")).unwrap_or_else(|e| panic!("{e:?}"));
    wait(&mut simulation, Span::secs(60));
    let snapshot = simulation.snapshot(1, false);
    let kinds: Vec<_> = snapshot.disasters.iter().map(|d| d.kind).collect();
    assert_eq!(kinds, [DisasterType::NodeFailure], "{:#?}", snapshot.log);
    let evidence = bpci::wording::disaster_evidence_words(&snapshot.disasters[0].evidence);
    assert!(evidence.contains("not heard from"), "{evidence}");
    assert!(snapshot.services.iter().any(|v| v.hit_by.is_some()));
    assert!(snapshot.operations.is_empty(), "automation has acted");
    simulation.core.door.mend();
    wait(&mut simulation, Span::secs(60));
    let snapshot = simulation.snapshot(1, false);
    assert!(orders(&snapshot).alone.is_none() && snapshot.disasters.is_empty(), "{:#?}", snapshot.log);
    assert!(snapshot.log.iter().any(|l| l.text.contains("a standby is synchronous again")));
    let over = |l: &&LogLine| l.subject == Subject::Disaster && l.text.contains("over");
    assert!(
        snapshot
            .log
            .iter()
            .filter(over)
            .all(|l| l.text.contains(&format!("node failure us-east-1 ({name})"))),
        "{:#?}",
        snapshot.log
    );
}

/// Agents die and the databases go on: the cluster elects another beside a primary that may take writes. That is told before
/// it happens, while it stands, and in the record.
#[test]
fn who_may_write_beside_the_primary_is_told() {
    let mut simulation = played("calm", Span::secs(5));
    simulation.inject("agent_failure us-east-1").unwrap_or_else(|e| panic!("{e:?}"));
    wait(&mut simulation, Span::secs(14));
    let of = |s: &Snapshot| s.group(ORDERS).cloned().unwrap_or_else(|| panic!("no view"));
    let before = simulation.snapshot(1, false);
    assert_eq!((of(&before).silence, of(&before).beside), (Some(Silence::Agent), None));
    wait(&mut simulation, Span::secs(40));
    let snapshot = simulation.snapshot(1, false);
    assert_eq!(
        (of(&snapshot).beside, of(&snapshot).unproven),
        (Some(MemberId(0)), true),
        "{:#?}",
        snapshot.log
    );
    assert!(snapshot.gaps.iter().any(|g| matches!(g, Gap::TwoMayWrite { .. })), "{:?}", snapshot.gaps);
    simulation.core.door.mend();
    wait(&mut simulation, Span::secs(30));
    let snapshot = simulation.snapshot(1, false);
    assert_eq!(of(&snapshot).beside, None);
    for words in ["its PostgreSQL does", "it may take writes beside", "nobody may take writes beside"] {
        assert!(
            snapshot.log.iter().any(|l| l.about == "orders-db" && l.text.contains(words)),
            "{words}: {:#?}",
            snapshot.log
        );
    }
}

/// Our own probes fail, and others hear the primary: nobody says that it takes no writes, and the record has who was right.
#[test]
fn a_false_alarm_is_told_as_one() {
    let mut simulation = played("false_alarm", Span::secs(45));
    let snapshot = simulation.snapshot(1, false);
    let views: Vec<_> = snapshot.groups.iter().filter(|v| !v.members.is_empty()).collect();
    assert!(
        views.iter().all(|v| v.is_doubted()),
        "{:?}",
        views.iter().map(|v| &v.silence).collect::<Vec<_>>()
    );
    assert!(
        snapshot.disasters.is_empty()
            && snapshot.log.iter().any(|l| l.text.contains("others say that it lives"))
    );
    simulation.core.door.mend();
    wait(&mut simulation, Span::secs(10));
    assert!(simulation.snapshot(1, false).groups.iter().all(|v| v.silence.is_none()));
}

/// Users have waited since the primary stepped down: that its nodes die as well begins no new count.
#[test]
fn an_outage_begins_when_nobody_took_writes() {
    let mut simulation = played("calm", Span::secs(5));
    simulation.inject("store_away us-east-1").unwrap_or_else(|e| panic!("{e:?}"));
    wait(&mut simulation, Span::secs(25));
    let idle = simulation.snapshot(1, false).now.utc;
    simulation.inject("node_failure us-east-1").unwrap_or_else(|e| panic!("{e:?}"));
    wait(&mut simulation, Span::secs(12));
    let snapshot = simulation.snapshot(1, false);
    assert!(!snapshot.disasters.is_empty());
    for d in &snapshot.disasters {
        assert!(idle.since(d.since) > Span::secs(10) && d.detection < Span::secs(12), "{d:?}");
    }
}

/// However long the primary has been silent: what a standby lacked when it was last told is not forgotten, and never looks
/// like nothing.
#[test]
fn what_was_missing_stays_missing() {
    let mut simulation = played("refused_failover", Span::secs(60));
    let behind = |s: &Simulation| {
        let view = s.snapshot(1, false).group(ORDERS).cloned().unwrap_or_else(|| panic!("no view"));
        view.members.iter().filter(|m| !m.leads).map(|m| m.was_behind).max().flatten()
    };
    let before = behind(&simulation);
    assert!(before > Some(Bytes(0)), "{before:?}");
    wait(&mut simulation, Span::mins(20));
    assert_eq!(behind(&simulation), before);
}

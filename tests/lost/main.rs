//! Answers that are lost, before the change and after it, for every effect, on real servers: nothing is done twice, and nothing is
//! said that was not seen.

mod place;
mod promoter;

use bpci::model::*;
use place::{Lose, Place, When};
use std::time::{Duration, Instant};

const GROUP: GroupId = GroupId(0);
const OLD: MemberId = MemberId(0);

fn id(part: u16) -> EffectId {
    EffectId { operation: OperationId(1), step: 3, part, attempt: 0, generation: Generation(7) }
}

fn claim_of(owner: &Owner) -> Claim {
    Claim {
        operation: "recovery-1".to_string(),
        generation: Generation(7),
        by: owner.to_string(),
        since: Utc(0),
        running: true,
        owner: Some(owner.clone()),
        phase: ClaimPhase::Acting,
        patience_ms: 10_000,
        obligations: Obligations::default(),
        attempt: 0,
    }
}

fn claim(owner: &Owner, revision: Option<u64>) -> Effect {
    let value = claim_of(owner).write();
    Effect::Claim {
        group: GROUP,
        value,
        revision,
        owner_revision: None,
        legacy_revision: None,
        inherited: Obligations::default(),
    }
}

/// The ways to lose an answer. Each is «unknown»; each was once taken for a «no», or may be by somebody.
const WAYS: [Lose; 5] = [Lose::Cut, Lose::Status(504), Lose::Status(429), Lose::Page, Lose::Status(307)];

fn is_unknown(outcome: &Outcome, what: &str) {
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{what}: {outcome:?}");
}

fn is_missed(outcome: &Outcome, what: &str) {
    assert!(
        matches!(outcome, Outcome::Missed { reason } if reason.contains("cannot happen any more")),
        "{what}: {outcome:?}"
    );
}

#[test]
fn a_claim_whose_answer_is_lost() {
    for way in WAYS {
        for when in [When::Before, When::After] {
            let what = format!("claim, {way:?}, {when:?}");
            let mut place = Place::new();
            let wanted = claim(&place.owner, None);
            place.store.lose("owner", way, when);
            is_unknown(&place.submit(id(0), wanted.clone()), &what);
            let found = place.find_out(id(0), wanted.clone());
            let stands = |place: &Place| {
                Claim::read(&place.value("/bpci/orders/operation")).is_some_and(|c| c.running)
            };
            match when {
                When::After => {
                    assert!(
                        matches!(&found, Outcome::Done { detail } if detail.contains("answer was lost")),
                        "{what}: {found:?}"
                    );
                    assert!(stands(&place), "{what}");
                }
                When::Before => {
                    is_missed(&found, &what);
                    // It arrives all the same, long after: nothing comes of it.
                    assert!(place.store.deliver().contains("header"), "{what}");
                    assert!(
                        !stands(&place) && place.value("/bpci/orders/owner").is_empty(),
                        "{what}: it was done after all"
                    );
                }
            }
        }
    }
}

#[test]
fn a_release_whose_answer_is_lost() {
    for when in [When::Before, When::After] {
        let what = format!("release, {when:?}");
        let mut place = Place::claimed();
        let value = claim_of(&place.owner).write();
        let over = Claim { running: false, phase: ClaimPhase::Over, ..claim_of(&place.owner) }.write();
        let release = Effect::Release { group: GROUP, value, over };
        place.store.lose("\"request_delete_range\"", Lose::Cut, when);
        is_unknown(&place.submit(id(200), release.clone()), &what);
        let found = place.find_out(id(200), release.clone());
        let running = |place: &Place| Claim::read(&place.value("/bpci/orders/operation")).map(|c| c.running);
        if when == When::Before {
            is_missed(&found, &what);
            place.store.deliver();
            assert_eq!(running(&place), Some(true), "{what}: it was done after all");
            let again = place.submit(EffectId { attempt: 1, ..id(200) }, release);
            assert!(matches!(again, Outcome::Done { .. }), "{again:?}");
        } else {
            assert!(matches!(found, Outcome::Done { .. }), "{what}: {found:?}");
        }
        assert_eq!(
            (running(&place), place.value("/bpci/orders/owner")),
            (Some(false), String::new()),
            "{what}"
        );
    }
}

#[test]
fn a_hand_over_whose_answer_is_lost() {
    for way in WAYS {
        for when in [When::Before, When::After] {
            let what = format!("hand-over, {way:?}, {when:?}");
            let mut place = Place::claimed();
            let wanted = place.promotion();
            let record = wanted.record();
            place.store.lose("\"request_delete_range\"", way, when);
            is_unknown(&place.promote(wanted), &what);
            let found = place.find_out_of(record);
            if when == When::Before {
                is_missed(&found, &what);
                place.store.deliver();
                assert_eq!(
                    place.value("/service/orders/leader"),
                    "us-east-1",
                    "{what}: it was done after all"
                );
                // With what stands there now it is made anew, once.
                let again = place.promotion();
                let done = place.promote(again);
                assert!(matches!(done, Outcome::Done { .. }), "{what}: {done:?}");
            } else {
                assert!(
                    matches!(&found, Outcome::Done { detail } if detail.contains("by us")),
                    "{what}: {found:?}"
                );
            }
            assert_eq!(place.value("/service/orders/leader"), "", "{what}");
            assert_eq!(place.version("/bpci/orders/handed_over"), 1, "{what}: done twice");
            let stored = Claim::read(&place.value("/bpci/orders/operation"));
            assert_eq!(stored.map(|c| c.phase), Some(ClaimPhase::HandedOver), "{what}");
        }
    }
}

/// «Changed since it was read» is said only with what was read.
#[test]
fn a_hand_over_that_finds_another_store_says_what_changed() {
    let mut place = Place::claimed();
    let wanted = place.promotion();
    place.put("/service/orders/sync", r#"{"leader":"us-east-1","sync_standby":"ap-southeast-1"}"#);
    let outcome = place.promote(wanted);
    assert!(
        matches!(&outcome, Outcome::NotDone { reason } if reason == "sync changed since it was read; nothing was done"),
        "{outcome:?}"
    );
    assert_eq!(place.value("/service/orders/leader"), "us-east-1");
}

#[test]
fn a_switchover_whose_answer_is_lost() {
    for (way, when) in [(Lose::Cut, When::After), (Lose::Status(503), When::Before)] {
        let what = format!("switchover, {way:?}, {when:?}");
        let mut place = Place::claimed();
        let wanted =
            Effect::SwitchOver { group: GROUP, from: "us-east-1".to_string(), to: "eu-west-1".to_string() };
        place.patroni.lose("/switchover", way, when);
        is_unknown(&place.submit(id(1), wanted.clone()), &what);
        if when == When::After {
            place.put("/service/orders/leader", "eu-west-1");
            let found = place.find_out(id(1), wanted);
            assert!(
                matches!(&found, Outcome::Done { detail } if detail.contains("answer was lost")),
                "{what}: {found:?}"
            );
            continue;
        }
        // Patroni may still write it for its retry_timeout, and its agents need two turns: 3 s and twice 1 s here.
        let began = Instant::now();
        let settled = loop {
            match place.find_out(id(1), wanted.clone()) {
                Outcome::Unknown { .. } => std::thread::sleep(Duration::from_millis(400)),
                settled => break settled,
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        };
        assert!(
            matches!(settled, Outcome::Missed { .. }) && began.elapsed() >= Duration::from_secs(5),
            "{settled:?} after {:?}",
            began.elapsed()
        );
        assert_eq!(place.patroni.passed("/switchover"), 0);
    }
}

#[test]
fn a_drain_whose_answer_is_lost() {
    for out in [true, false] {
        for when in [When::Before, When::After] {
            let what = format!("drain {out}, {when:?}");
            let mut place = Place::claimed();
            let balancer = place.balancer();
            balancer.set(if out { "ready" } else { "maint" });
            let effect = match out {
                true => Effect::Drain { group: GROUP, member: OLD, balancer: BalancerId(0) },
                false => Effect::Restore { group: GROUP, member: OLD, balancer: BalancerId(0) },
            };
            balancer.proxy.lose("set server", Lose::Cut, when);
            is_unknown(&place.submit(id(1), effect.clone()), &what);
            let found = place.find_out(id(1), effect.clone());
            match when {
                When::Before => assert!(matches!(found, Outcome::Missed { .. }), "{what}: {found:?}"),
                When::After => assert!(matches!(found, Outcome::Done { .. }), "{what}: {found:?}"),
            }
            assert_eq!(balancer.is_out(), (when == When::After) == out, "{what}");
            let again = place.submit(EffectId { attempt: 1, ..id(1) }, effect);
            assert!(matches!(again, Outcome::Done { .. }), "{what}: {again:?}");
            assert_eq!(balancer.is_out(), out, "{what}");
        }
    }
}

/// The process that started a fence is gone before it ended: the next one reads what came of it, and nothing runs twice.
#[test]
fn a_fence_whose_end_nobody_heard() {
    let mut place = Place::claimed();
    let fence = Effect::Fence { group: GROUP, member: OLD };
    place.send(id(1), fence.clone());
    place.wait_for_fence();
    place.reopen();
    is_unknown(&place.find_out(id(1), fence.clone()), "it still runs");
    std::thread::sleep(Duration::from_millis(2_500));
    let found = place.find_out(id(1), fence.clone());
    assert!(matches!(found, Outcome::Done { .. }), "{found:?}");
    assert_eq!(place.fenced(), 1);
    let missed = place.find_out(id(9), fence);
    assert!(matches!(missed, Outcome::Missed { .. }), "{missed:?}");
}

/// Nothing is sent when the claim is another's, when it cannot be read, or when it could not be renewed in time.
#[test]
fn without_the_claim_nothing_is_sent() {
    let mut place = Place::claimed();
    let fence = Effect::Fence { group: GROUP, member: OLD };
    let withheld = |place: &mut Place, part: u16, effect: Effect, words: &str| {
        let outcome = place.submit(id(part), effect);
        assert!(
            matches!(&outcome, Outcome::Missed { reason } if reason.contains(words)),
            "{words}: {outcome:?}"
        );
        assert_eq!(place.fenced(), 0, "{words}");
    };
    // The store answers reads, and no keep-alive for eleven seconds.
    let promotion = place.promotion();
    place.store.lose("keepalive", Lose::Always, When::Before);
    std::thread::sleep(Duration::from_millis(13_500));
    withheld(&mut place, 1, fence.clone(), "last renewed");
    // Nor is a promotion whose proof is of then.
    let late = place.promote(promotion);
    assert!(matches!(&late, Outcome::Missed { reason } if reason == Unproven::TooOld.name()), "{late:?}");
    assert_eq!(place.value("/service/orders/leader"), "us-east-1");
    place.store.lose("keepalive", Lose::Nothing, When::Before);
    // The lease ends, and the owner key with it.
    place.store.lose("keepalive", Lose::Always, When::Before);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(place.value("/bpci/orders/owner"), "");
    withheld(&mut place, 3, fence.clone(), "owner key is gone");
    let other = Claim {
        generation: Generation(8),
        owner: Some(Owner::from("another controller")),
        ..claim_of(&place.owner)
    };
    place.put("/bpci/orders/operation", &other.write());
    withheld(&mut place, 4, fence.clone(), "holds the claim");
    place.store.lose("/v3/", Lose::Always, When::Before);
    withheld(&mut place, 5, fence, "could not be read");
}

/// An endpoint that is no etcd is passed over by reads, and makes a change unknown.
#[test]
fn an_endpoint_that_is_no_etcd() {
    let mut place = Place::with_stranger();
    let stands = place.until_store(Duration::from_secs(5));
    assert!(stands.is_some_and(|r| r.leader.is_some()), "the first endpoint was not passed over");
    let done = place.submit(id(0), claim(&place.owner.clone(), None));
    assert!(matches!(done, Outcome::Done { .. }), "{done:?}");
}

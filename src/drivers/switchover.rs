//! A request to Patroni that the leader steps down. Patroni writes it into the store and waits; its answer may be lost, or be an
//! error although the request stands.

use super::brief;
use super::claim::{self, Decided};
use super::eyes::{Eyes, Shared};
use super::http::PostError;
use super::record::{record_with, retry_timeout};
use crate::model::*;
use serde_json::json;
use std::time::{Duration, Instant};

/// How long Patroni's answer is waited for.
const ANSWER: Duration = Duration::from_secs(45);
/// Patroni's own, where its configuration does not say.
const RETRY_TIMEOUT: Span = Span::secs(10);

pub(super) async fn send(shared: &Shared, eyes: &Eyes, issued: &Decided, from: &str, to: &str) -> Outcome {
    let member = eyes.addresses.get().into_iter().find(|m| *m.name == *from);
    let Some(rest) =
        member.and_then(|m| m.member).and_then(|m| eyes.database.member(m)).map(|m| m.rest.clone())
    else {
        return Outcome::NotDone { reason: format!("the address of {from} is not known") };
    };
    let body = json!({"leader": from, "candidate": to});
    let permit = claim::permit(shared, eyes, issued).await;
    if let Err(reason) = permit.and_then(|p| p.stands(eyes)) {
        return Outcome::Missed { reason };
    }
    outcome_of(eyes.http.post(&format!("{rest}/switchover"), &body, ANSWER).await)
}

/// What an answer to a switchover says of it.
fn outcome_of(answer: Result<String, PostError>) -> Outcome {
    let unknown = |reason: String| Outcome::Unknown { reason: format!("the answer was lost: {reason}") };
    match answer {
        Ok(text) if text.starts_with("Successfully") => {
            Outcome::Done { detail: brief(text.lines().next().unwrap_or_default()).into_owned() }
        }
        Ok(_) => unknown("it is not Patroni's".to_string()),
        Err(PostError::Lost(reason)) => unknown(reason),
        Err(PostError::NotSent(reason)) => Outcome::NotDone { reason },
        // Said before anything was written: no such request, login, member or leader.
        Err(e @ PostError::Answered(400 | 401 | 403 | 404 | 405 | 412, _)) => {
            Outcome::NotDone { reason: e.to_string() }
        }
        // 503 «status unknown» and its like: the request may stand in the store all the same.
        Err(e) => unknown(e.to_string()),
    }
}

/// How long the store must have been quiet before a request whose answer was lost cannot come true any more: Patroni tries to
/// write it for its `retry_timeout`, each agent sees it within a `loop_wait`, and the one that steps down needs another.
fn settles_after(loop_wait: Span, retry_timeout: Span) -> Span {
    loop_wait.times(2).plus(retry_timeout)
}

/// Finds out what became of a request whose answer was lost.
pub(super) async fn find_out(eyes: &Eyes, id: EffectId, to: &str) -> Outcome {
    let asked = Instant::now();
    let keys = match eyes.etcd.read(&eyes.database).await {
        Ok(keys) => keys,
        Err(reason) => return Outcome::Unknown { reason },
    };
    let record = record_with(&eyes.database, &eyes.addresses.told(), &keys, &mut eyes.addresses.get());
    if record.leader.as_ref().is_some_and(|l| *l.name == *to) {
        eyes.quiet.forget(id);
        return Outcome::Done {
            detail: format!("{to} leads; the answer was lost, and it was seen to have happened"),
        };
    }
    let needed = settles_after(
        record.config.as_ref().map_or(Span::secs(10), |c| c.loop_wait),
        retry_timeout(&eyes.database, &keys).unwrap_or(RETRY_TIMEOUT),
    );
    let empty = record.failover.as_ref().is_none_or(|f| f.content.is_none());
    let lasts = eyes.quiet.lasts(id, empty, record.leader.as_ref().map(|l| l.create_revision), asked);
    if !empty {
        return Outcome::Unknown { reason: "the request stands in the store".to_string() };
    }
    if lasts < needed {
        return Outcome::Unknown {
            reason: format!("no request stands in the store; it may still come within {needed}"),
        };
    }
    eyes.quiet.forget(id);
    Outcome::Missed {
        reason: format!(
            "its answer was lost; for {lasts} no request stood in the store, and the leader stayed"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::quiet::Quiet;
    use super::*;

    fn word(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Done { .. } => "done",
            Outcome::NotDone { .. } => "not done",
            Outcome::Unknown { .. } => "unknown",
            Outcome::Missed { .. } => "missed",
            Outcome::Assumed { .. } => "assumed",
            Outcome::Ended { .. } => "ended",
        }
    }

    /// What may have been heard is not «not done»: it is looked for.
    #[test]
    fn a_switchover_whose_answer_is_no_answer_is_unknown() {
        let answered = |status: u16, text: &str| Err(PostError::Answered(status, text.to_string()));
        let cases = [
            (Ok("Successfully switched over to \"eu\"".to_string()), "done"),
            (Ok("<html>sign in</html>".to_string()), "unknown"),
            (answered(412, "leader name does not match"), "not done"),
            (answered(400, "no such candidate"), "not done"),
            (answered(307, ""), "unknown"),
            (answered(429, "later"), "unknown"),
            (Err(PostError::NotSent("connection refused".to_string())), "not done"),
            (answered(503, "Switchover status unknown"), "unknown"),
            (answered(500, ""), "unknown"),
            (Err(PostError::Lost("no answer in time".to_string())), "unknown"),
        ];
        for (answer, expected) in cases {
            let outcome = outcome_of(answer);
            assert_eq!(word(&outcome), expected, "{outcome:?}");
        }
    }

    #[test]
    fn a_request_is_waited_for_as_long_as_patroni_may_take() {
        for (loop_wait, retry_timeout, expected) in [(10, 10, 30), (1, 3, 5), (10, 3, 23), (1, 30, 32)] {
            assert_eq!(settles_after(Span::secs(loop_wait), Span::secs(retry_timeout)), Span::secs(expected));
        }
    }

    /// A request that stands, or another holder of the lock, begins the wait anew.
    #[test]
    fn only_a_quiet_store_counts() {
        let (quiet, began) = (Quiet::default(), Instant::now());
        let id =
            EffectId { operation: OperationId(1), step: 0, part: 1, attempt: 0, generation: Generation(1) };
        let at = |s: u64| began + Duration::from_secs(s);
        for (second, empty, lock, expected) in [
            (0, true, 7, 0),
            (3, true, 7, 3),
            (4, false, 7, 0),
            (5, true, 7, 0),
            (9, true, 8, 0),
            (20, true, 8, 11),
        ] {
            assert_eq!(
                quiet.lasts(id, empty, Some(lock), at(second)),
                Span::secs(expected),
                "after {second} s"
            );
        }
    }
}

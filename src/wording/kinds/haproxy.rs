//! The words of HAProxy.

use super::RouteWords;

pub(super) const WORDS: RouteWords = RouteWords {
    title: "HAProxy",
    name: "haproxy",
    no_answer: "check `traffic.haproxy.runtime_api`, `backend`, and `stats socket` in haproxy.cfg",
};

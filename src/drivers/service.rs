//! Health checks of services, and of what a recovery needs besides: HTTP or a connection.

use super::brief;
use super::endpoint;
use super::eyes::Shared;
use super::http::behind;
use crate::model::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an answer is waited for, where the configuration does not say.
const WITHIN: Span = ANSWER;
/// So much of a body is read, so that the connection can be used again; nothing is decided by it.
const BODY: usize = 64 << 10;
/// A need is asked so often: nobody acts on it within seconds.
const NEEDS: Duration = Duration::from_secs(30);

/// Starts the checks of every service and every need that has one.
pub fn start(shared: &Arc<Shared>) {
    let calm = shared.estate.policy.detection.interval.as_std().max(Duration::from_millis(100));
    for id in shared.estate.service_ids() {
        if let Some(health) = shared.estate.service(id).health.clone() {
            let fact = move |result| Fact::Service { service: id, region: None, result };
            tokio::spawn(watch(Arc::clone(shared), health, calm, fact));
        }
    }
    for (need, probe) in
        shared.estate.needs.iter().enumerate().filter_map(|(i, n)| Some((i as u16, n.probe.clone()?)))
    {
        tokio::spawn(watch(Arc::clone(shared), probe, NEEDS.max(calm), move |result| Fact::Need {
            need,
            result,
        }));
    }
}

async fn watch(
    shared: Arc<Shared>,
    health: Health,
    interval: Duration,
    fact: impl Fn(ProbeResult) -> Fact + Send,
) {
    let client = client();
    while !shared.gone() {
        let at = shared.now();
        let result = match &client {
            Ok(client) => ask(client, &health).await,
            Err(e) => ProbeResult::NotAsked(e.clone()),
        };
        shared.tell(at, fact(result)).await;
        tokio::time::sleep(interval).await;
    }
}

/// A client that follows no redirect: it is an answer like others. No login of anybody's goes with it.
fn client() -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|e| e.to_string())
}

/// Asks once.
async fn ask(client: &reqwest::Client, health: &Health) -> ProbeResult {
    let began = Instant::now();
    let (Health::Http { within, .. } | Health::Tcp { within, .. }) = health;
    let within = within.unwrap_or(WITHIN).as_std();
    match health {
        Health::Http { url, expect, .. } => match client.get(url).timeout(within).send().await {
            Ok(response) => {
                let result = judged(&response, *expect, began);
                let _ = tokio::time::timeout(within.saturating_sub(began.elapsed()), drain(response)).await;
                result
            }
            Err(e) => failed(&e, url).await,
        },
        Health::Tcp { address, .. } => {
            match tokio::time::timeout(within, tokio::net::TcpStream::connect(address)).await {
                Err(_) => ProbeResult::Silent,
                Ok(Ok(_)) => answered(began),
                Ok(Err(e)) if e.kind() == std::io::ErrorKind::ConnectionRefused => ProbeResult::Refused,
                Ok(Err(_)) => match endpoint::split(address) {
                    Some((host, port)) if !is_known(host, port).await => unknown_name(host),
                    _ => ProbeResult::Silent,
                },
            }
        }
    }
}

/// What a status says. A redirect is told with where it leads.
fn judged(response: &reqwest::Response, expect: Option<u16>, began: Instant) -> ProbeResult {
    let status = response.status().as_u16();
    let right = expect.map_or(status < 500, |expect| status == expect);
    if right {
        return answered(began);
    }
    let to = response
        .headers()
        .get(reqwest::header::LOCATION)
        .and_then(|l| l.to_str().ok())
        .filter(|_| response.status().is_redirection());
    let to = to.map_or(String::new(), |to| format!(" to {}", brief(to)));
    let wanted = expect.map_or(String::new(), |expect| format!(", not {expect}"));
    ProbeResult::Unwell(format!("HTTP {status}{to}{wanted}"))
}

async fn drain(mut response: reqwest::Response) {
    let mut read = 0;
    while let Ok(Some(piece)) = response.chunk().await {
        read += piece.len();
        if read > BODY {
            return;
        }
    }
}

/// Why there was no answer: the reason that tells most.
async fn failed(error: &reqwest::Error, url: &str) -> ProbeResult {
    use std::io::ErrorKind;
    for cause in std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |e| behind(*e)) {
        match cause.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(why)) => {
                return ProbeResult::NotAsked(format!("certificate not trusted: {}", certificate_words(why)));
            }
            Some(other) => return ProbeResult::Unwell(format!("no TLS connection: {other}")),
            None => {}
        }
        match cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(ErrorKind::ConnectionRefused) => return ProbeResult::Refused,
            Some(ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof) => {
                return ProbeResult::Unwell("it closed the connection without an answer".to_string());
            }
            _ => {}
        }
    }
    if error.is_timeout() {
        return ProbeResult::Silent;
    }
    let Ok(url) = reqwest::Url::parse(url) else {
        return ProbeResult::NotAsked(format!("`{url}` is no URL"));
    };
    match (error.is_connect(), url.host_str(), url.port_or_known_default()) {
        (true, Some(host), Some(port)) if !is_known(host.trim_matches(['[', ']']), port).await => {
            unknown_name(host)
        }
        (true, ..) => ProbeResult::Silent,
        _ => ProbeResult::Unwell("its answer is not HTTP".to_string()),
    }
}

fn certificate_words(why: &rustls::CertificateError) -> String {
    use rustls::CertificateError as E;
    match why {
        E::UnknownIssuer => "issued by an authority that this machine does not trust".to_string(),
        E::Expired | E::ExpiredContext { .. } => "it has expired".to_string(),
        E::NotValidYet | E::NotValidYetContext { .. } => "it is not valid yet".to_string(),
        E::NotValidForName | E::NotValidForNameContext { .. } => "it is for another name".to_string(),
        E::Revoked => "it was revoked".to_string(),
        // What rustls says more of is of use to programmers alone.
        _ => "it cannot be verified".to_string(),
    }
}

/// The name can be looked up.
async fn is_known(host: &str, port: u16) -> bool {
    let found = tokio::time::timeout(Duration::from_secs(1), tokio::net::lookup_host((host, port))).await;
    // A resolver that does not answer does not say that there is no such name.
    found.map_or(true, |found| found.is_ok_and(|mut list| list.next().is_some()))
}

fn unknown_name(host: &str) -> ProbeResult {
    ProbeResult::NotAsked(format!("name not known: {host}"))
}

fn answered(began: Instant) -> ProbeResult {
    ProbeResult::Answered { round_trip: Span(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    /// An address at which each caller gets this answer.
    fn answers(text: &'static str) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("{e}"));
        let address = listener.local_addr().unwrap_or_else(|e| panic!("{e}"));
        std::thread::spawn(move || {
            for stream in listener.incoming().take(1) {
                let mut stream = stream.unwrap_or_else(|e| panic!("{e}"));
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(text.as_bytes());
                std::thread::sleep(Duration::from_millis(if text.is_empty() { 800 } else { 0 }));
            }
        });
        address.to_string()
    }

    fn asked(health: &Health) -> ProbeResult {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = client().unwrap_or_else(|e| panic!("{e}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap_or_else(|e| panic!("{e}"));
        runtime.block_on(ask(&client, health))
    }

    fn http(url: String, expect: u16) -> ProbeResult {
        asked(&Health::Http { url, expect: Some(expect), within: Some(Span::ms(400)) })
    }

    /// A redirect is an answer like others, and is not followed.
    #[test]
    fn a_redirect_counts_as_the_answer_that_it_is() {
        const REDIRECT: &str = "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n";
        let url = || format!("http://{}/", answers(REDIRECT));
        assert!(matches!(http(url(), 302), ProbeResult::Answered { .. }));
        assert_eq!(http(url(), 200), ProbeResult::Unwell("HTTP 302 to /login, not 200".to_string()));
        let any = asked(&Health::Http { url: url(), expect: None, within: None });
        assert!(matches!(any, ProbeResult::Answered { .. }), "{any:?}");
    }

    /// Each sort of failure has a reason of its own.
    #[test]
    fn why_there_was_no_answer() {
        assert_eq!(http("http://127.0.0.1:1/".to_string(), 200), ProbeResult::Refused);
        assert_eq!(http(format!("http://{}/", answers("")), 200), ProbeResult::Silent);
        let unknown = |result: ProbeResult| {
            assert!(
                matches!(&result, ProbeResult::NotAsked(why) if why.starts_with("name not known")),
                "{result:?}"
            )
        };
        unknown(http("http://no-such-name.invalid/".to_string(), 200));
        unknown(asked(&Health::Tcp { address: "no-such-name.invalid:80".to_string(), within: None }));
        assert_eq!(
            asked(&Health::Tcp { address: "127.0.0.1:1".to_string(), within: None }),
            ProbeResult::Refused
        );
        let plain = http(format!("https://{}/", answers("HTTP/1.1 400 no TLS here\r\n\r\n")), 200);
        assert!(matches!(plain, ProbeResult::Unwell(_)), "{plain:?}");
    }
}

//! One HTTP client for each database's REST and store endpoints, with its certificates and its login.

use crate::model::{Database, ProbeResult, Span};
use std::time::{Duration, Instant};

#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    login: Option<(String, String)>,
}

/// Longer than this nobody waits for a control plane that answers in milliseconds.
pub const TIMEOUT: Duration = Duration::from_millis(1000);

impl Http {
    /// # Errors
    /// A file of certificates, keys or passwords cannot be read or is none.
    pub fn new(database: &Database) -> Result<Http, String> {
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_millis(1500))
            .pool_idle_timeout(Duration::from_secs(20));
        if let Some(tls) = &database.tls {
            let read = |path: &String| std::fs::read(path).map_err(|e| format!("{path}: {e}"));
            if let Some(ca) = &tls.ca {
                let roots = reqwest::Certificate::from_pem_bundle(&read(ca)?).map_err(|e| format!("{ca}: {e}"))?;
                builder = builder.tls_certs_only(roots);
            }
            if let (Some(cert), Some(key)) = (&tls.cert, &tls.key) {
                let mut pem = read(key)?;
                pem.extend(read(cert)?);
                builder = builder.identity(reqwest::Identity::from_pem(&pem).map_err(|e| format!("{cert}: {e}"))?);
            }
        }
        let login = match &database.login {
            None => None,
            Some(login) => {
                let password = std::fs::read_to_string(&login.password_file).map_err(|e| format!("{}: {e}", login.password_file))?;
                Some((login.user.clone(), password.trim_end().to_string()))
            }
        };
        Ok(Http { client: builder.build().map_err(|e| e.to_string())?, login })
    }

    fn with_login(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        }
    }

    /// Asks, and says what came of it as a probe as well.
    pub async fn get(&self, url: &str, timeout: Duration) -> (ProbeResult, Option<String>) {
        let began = Instant::now();
        let answer = async {
            let response = self.with_login(self.client.get(url)).timeout(timeout).send().await?;
            let status = response.status();
            response.text().await.map(|text| (status, text))
        };
        match answer.await {
            // Patroni answers 503 on /patroni while it is not running its database: alive, and its words count.
            Ok((status, text)) if status.is_success() || status.as_u16() == 503 => {
                (ProbeResult::Answered { round_trip: Span(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)) }, Some(text))
            }
            Ok((status, _)) => (ProbeResult::Unwell(format!("HTTP {status}")), None),
            Err(e) => (result_of(&e), None),
        }
    }

    /// # Errors
    /// No answer, or one that is no success; the text says which.
    pub async fn post(&self, url: &str, body: &serde_json::Value, timeout: Duration) -> Result<String, PostError> {
        let request = self.with_login(self.client.post(url)).timeout(timeout).json(body);
        let response = request.send().await.map_err(|e| if e.is_connect() { PostError::NotSent(words(&e)) } else { PostError::Lost(words(&e)) })?;
        let status = response.status();
        let text = response.text().await.map_err(|e| PostError::Lost(words(&e)))?;
        if status.is_success() { Ok(text) } else { Err(PostError::Answered(status.as_u16(), text)) }
    }
}

/// Why a request brought no success.
pub enum PostError {
    /// It never reached anybody.
    NotSent(String),
    /// It may have been heard; the answer is lost.
    Lost(String),
    Answered(u16, String),
}

impl std::fmt::Display for PostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PostError::NotSent(text) | PostError::Lost(text) => f.write_str(text),
            PostError::Answered(status, text) => write!(f, "{status}: {}", text.lines().next().unwrap_or_default()),
        }
    }
}

/// The innermost cause is the one that tells something.
fn words(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    if error.is_timeout() { "no answer in time".to_string() } else { cause.to_string() }
}

fn result_of(error: &reqwest::Error) -> ProbeResult {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(e) = cause {
        // Whoever shows a certificate lives, whatever is wrong with it.
        if e.is::<rustls::Error>() {
            return ProbeResult::Unwell(words(error));
        }
        if let Some(io) = e.downcast_ref::<std::io::Error>() {
            if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                return ProbeResult::Unwell(words(error));
            }
            match io.kind() {
                std::io::ErrorKind::ConnectionRefused => return ProbeResult::Refused,
                // The peer died between accepting and answering.
                std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::UnexpectedEof => return ProbeResult::Refused,
                _ => {}
            }
        }
        cause = e.source();
    }
    if error.is_timeout() || error.is_connect() { ProbeResult::Silent } else { ProbeResult::Unwell(words(error)) }
}

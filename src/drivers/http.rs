//! One HTTP client for each protocol of a database, with its own certificates and its own login. It follows no redirect: what is
//! sent once must not be sent on, and a login must not go where the configuration did not send it.

use super::brief;
use crate::config;
use crate::model::{Database, ProbeResult, Span, Tls};
use std::time::{Duration, Instant};

#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    login: Option<(String, String)>,
}

/// Longer than this nobody waits for a control plane that answers in milliseconds.
pub const TIMEOUT: Duration = Duration::from_millis(1000);

/// The longest answer that is read, in bytes.
pub const LONGEST: usize = 4 << 20;

impl Http {
    /// For the members' REST API, with its login.
    ///
    /// # Errors
    /// A file of certificates, keys or passwords cannot be read or is none.
    pub fn rest(database: &Database) -> Result<Http, String> {
        let login = match &database.login {
            None => None,
            Some(l) => Some((l.user.clone(), config::password(&l.password_file, l.credential.as_deref())?)),
        };
        Ok(Http { client: client(database.tls.rest.as_ref())?, login })
    }

    /// For the consensus store, which has a login of another sort.
    ///
    /// # Errors
    /// A file of certificates or keys cannot be read or is none.
    pub fn store(database: &Database) -> Result<Http, String> {
        Ok(Http { client: client(database.tls.store.as_ref())?, login: None })
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
        let response = match self.with_login(self.client.get(url)).timeout(timeout).send().await {
            Ok(response) => response,
            Err(e) => return (result_of(&e), None),
        };
        // Patroni answers 503 on /patroni while it is not running its database: alive, and its words count.
        let status = response.status();
        if !status.is_success() && status.as_u16() != 503 {
            return (ProbeResult::Unwell(format!("HTTP {status}")), None);
        }
        match read_body(response).await {
            Ok(text) => (
                ProbeResult::Answered {
                    round_trip: Span(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)),
                },
                Some(text),
            ),
            Err(BodyError::TooLong) => (ProbeResult::Unwell(BodyError::TooLong.to_string()), None),
            Err(BodyError::Broken(e)) => (result_of(&e), None),
        }
    }

    /// Sends a change request that says nothing: whoever reads it checks the login first, and then has nothing to do.
    ///
    /// # Errors
    /// No answer in time.
    pub async fn patch_nothing(&self, url: &str) -> Result<EmptyReply, PostError> {
        let request = self.with_login(self.client.patch(url)).timeout(TIMEOUT).json(&serde_json::json!({}));
        let response = request.send().await.map_err(|e| PostError::Lost(words(&e)))?;
        let date = response.headers().get(reqwest::header::DATE).and_then(|d| d.to_str().ok());
        let date_ms =
            date.and_then(|d| chrono::DateTime::parse_from_rfc2822(d).ok()).map(|d| d.timestamp_millis());
        Ok(EmptyReply { status: response.status().as_u16(), date_ms })
    }

    /// # Errors
    /// No answer, or one that is no success; the text says which.
    pub async fn post(
        &self,
        url: &str,
        body: &serde_json::Value,
        timeout: Duration,
    ) -> Result<String, PostError> {
        Self::send(self.with_login(self.client.post(url)).timeout(timeout).json(body)).await
    }

    /// The same with a token instead of a login, as etcd wants it: without `Bearer`.
    ///
    /// # Errors
    /// As [`Http::post`].
    pub async fn post_with_token(
        &self,
        url: &str,
        body: &serde_json::Value,
        timeout: Duration,
        token: Option<&str>,
    ) -> Result<String, PostError> {
        let request = self.client.post(url).timeout(timeout).json(body);
        let request =
            token.into_iter().fold(request, |r, token| r.header(reqwest::header::AUTHORIZATION, token));
        Self::send(request).await
    }

    async fn send(request: reqwest::RequestBuilder) -> Result<String, PostError> {
        let response = request.send().await.map_err(|e| {
            if e.is_connect() { PostError::NotSent(words(&e)) } else { PostError::Lost(words(&e)) }
        })?;
        let status = response.status();
        let text = read_body(response).await.map_err(|e| PostError::Lost(e.to_string()))?;
        if status.is_success() { Ok(text) } else { Err(PostError::Answered(status.as_u16(), text)) }
    }
}

/// What came back for a change request that said nothing.
pub struct EmptyReply {
    pub status: u16,
    /// The server's clock, in milliseconds since 1970; it tells whole seconds.
    pub date_ms: Option<i64>,
}

/// Why the body of an answer was not read to its end.
#[derive(Debug)]
pub enum BodyError {
    /// It is longer than 4 MiB.
    TooLong,
    Broken(reqwest::Error),
}

impl std::fmt::Display for BodyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BodyError::TooLong => write!(f, "its answer is longer than {} MB", LONGEST >> 20),
            BodyError::Broken(e) => f.write_str(&words(e)),
        }
    }
}

/// The body of an answer, piece by piece, and never more than 4 MiB. The time limit of the request covers it too.
///
/// # Errors
/// It is too long, or the connection broke.
pub async fn read_body(mut response: reqwest::Response) -> Result<String, BodyError> {
    let told = response.content_length().unwrap_or(0);
    if told > LONGEST as u64 {
        return Err(BodyError::TooLong);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(told).unwrap_or(0));
    while let Some(piece) = response.chunk().await.map_err(BodyError::Broken)? {
        if bytes.len() + piece.len() > LONGEST {
            return Err(BodyError::TooLong);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A client with these certificates.
fn client(tls: Option<&Tls>) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .connect_timeout(Duration::from_millis(1500))
        .pool_idle_timeout(Duration::from_secs(20));
    if let Some(tls) = tls {
        let read = |path: &String| std::fs::read(path).map_err(|e| format!("{path}: {e}"));
        if let Some(ca) = &tls.ca {
            let roots =
                reqwest::Certificate::from_pem_bundle(&read(ca)?).map_err(|e| format!("{ca}: {e}"))?;
            builder = builder.tls_certs_only(roots);
        }
        if let (Some(cert), Some(key)) = (&tls.cert, &tls.key) {
            config::check_key(key)?;
            let mut pem = read(key)?;
            pem.extend(read(cert)?);
            builder =
                builder.identity(reqwest::Identity::from_pem(&pem).map_err(|e| format!("{cert}: {e}"))?);
        }
    }
    builder.build().map_err(|e| e.to_string())
}

/// Why a request brought no success.
#[derive(Debug)]
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
            PostError::Answered(status, text) => {
                write!(f, "{status}: {}", brief(text.lines().next().unwrap_or_default()))
            }
        }
    }
}

pub(super) type Cause<'a> = &'a (dyn std::error::Error + 'static);

/// What is behind an error. One of input and output may hold another in itself, which its `source` passes over.
pub(super) fn behind(error: Cause<'_>) -> Option<Cause<'_>> {
    let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    held.map(|inner| inner as Cause).or_else(|| error.source())
}

/// The innermost cause is the one that tells something.
pub(super) fn words(error: &reqwest::Error) -> String {
    let innermost = std::iter::successors(Some(error as Cause), |e| behind(*e)).last();
    let text = innermost.map_or_else(String::new, ToString::to_string);
    if error.is_timeout() { "no answer in time".to_string() } else { text }
}

fn result_of(error: &reqwest::Error) -> ProbeResult {
    use std::io::ErrorKind;
    for cause in std::iter::successors(Some(error as Cause), |e| behind(*e)) {
        // Whoever shows a certificate, or answers what is no TLS, lives, whatever is wrong with it.
        if cause.is::<rustls::Error>() {
            return ProbeResult::Unwell(words(error));
        }
        // Reset, or at an end: the peer died between accepting and answering.
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(
            kind,
            Some(ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof)
        ) {
            return ProbeResult::Refused;
        }
    }
    if error.is_timeout() || error.is_connect() {
        ProbeResult::Silent
    } else {
        ProbeResult::Unwell(words(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    /// An address at which each caller gets this answer to whatever it says.
    fn answers(text: &'static [u8]) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("{e}"));
        let address = listener.local_addr().unwrap_or_else(|e| panic!("{e}"));
        std::thread::spawn(move || {
            for stream in listener.incoming().take(1) {
                let mut stream = stream.unwrap_or_else(|e| panic!("{e}"));
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(text);
            }
        });
        address.to_string()
    }

    fn probed(url: &str) -> ProbeResult {
        probed_within(url, Duration::from_secs(5))
    }

    fn probed_within(url: &str, timeout: Duration) -> ProbeResult {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap_or_else(|e| panic!("{e}"));
        let http = Http { client, login: None };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap_or_else(|e| panic!("{e}"));
        runtime.block_on(http.get(url, timeout)).0
    }

    /// A body that never ends, or drips, is given up; what was sent before that is no answer.
    #[test]
    fn an_answer_is_read_to_a_limit_of_size_and_time() {
        let served = |head: &'static str, piece: usize, pause: Duration| {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("{e}"));
            let address = listener.local_addr().unwrap_or_else(|e| panic!("{e}"));
            std::thread::spawn(move || {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(head.as_bytes());
                while stream.write_all(&vec![b' '; piece]).is_ok() {
                    std::thread::sleep(pause);
                }
            });
            format!("http://{address}/patroni")
        };
        let endless = probed(&served("HTTP/1.0 200 OK\r\n\r\n", 1 << 20, Duration::ZERO));
        assert_eq!(endless, ProbeResult::Unwell("its answer is longer than 4 MB".to_string()));
        let told = probed(&served(
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            1,
            Duration::from_millis(50),
        ));
        assert_eq!(told, ProbeResult::Unwell("its answer is longer than 4 MB".to_string()));
        let began = Instant::now();
        let dripping = probed_within(
            &served("HTTP/1.0 200 OK\r\n\r\n", 1, Duration::from_millis(50)),
            Duration::from_millis(400),
        );
        assert_eq!(dripping, ProbeResult::Silent);
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }

    /// What lives must not look dead, and what is dead must not look alive.
    #[test]
    fn signs_of_life_are_told_from_silence() {
        let http = |text| format!("http://{}/patroni", answers(text));
        assert!(matches!(
            probed(&http(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")),
            ProbeResult::Answered { .. }
        ));
        assert!(matches!(
            probed(&http(b"HTTP/1.1 503 no\r\nContent-Length: 2\r\n\r\n{}")),
            ProbeResult::Answered { .. }
        ));
        assert!(matches!(
            probed(&http(b"HTTP/1.1 401 no\r\nContent-Length: 0\r\n\r\n")),
            ProbeResult::Unwell(_)
        ));
        // It speaks, though not as it should: a wrong certificate, or no TLS at all, is life.
        let tls = format!("https://{}/patroni", answers(b"HTTP/1.1 400 this is no TLS\r\n\r\n"));
        let told = probed(&tls);
        assert!(matches!(told, ProbeResult::Unwell(_)), "{told:?}");
        assert_eq!(probed("http://127.0.0.1:1/patroni"), ProbeResult::Refused);
        // A name that nobody knows says nothing of what is behind it.
        assert_eq!(probed("http://no-such-host.invalid:8008/patroni"), ProbeResult::Silent);
    }
}

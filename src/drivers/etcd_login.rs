//! etcd's own login: a token for a name and a password, renewed when etcd knows it no more.
//!
//! etcd keeps tokens in memory: they end with a restart, and after some minutes without use. Patroni's password never comes here.

use super::http::{Http, PostError};
use crate::config;
use crate::model::Login;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// etcd reckons for a while on each password, on purpose.
const TIMEOUT: Duration = Duration::from_secs(2);
/// A login that was refused is not tried again at once: each try costs etcd as much as a right one.
const REST: Duration = Duration::from_secs(2);

/// What an answer of etcd's says of the token that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// etcd does not know it. It looked at nothing else of the request.
    Unknown,
    /// None was sent, or the users and roles have changed since it was given. Nothing was done either, but only the first
    /// is certain for every kind of request.
    Stale,
}

/// Why the request was refused, if that was for its token.
pub(super) fn token_fault(error: &PostError) -> Option<TokenFault> {
    let PostError::Answered(status, text) = error else { return None };
    let value: Value = serde_json::from_str(text).ok()?;
    let code = value["code"].as_u64();
    let said = value["error"].as_str().or_else(|| value["message"].as_str()).unwrap_or_default();
    if code == Some(16) && *status == 401 && said.contains("invalid auth token") {
        return Some(TokenFault::Unknown);
    }
    let stale = code == Some(16)
        || said.contains("user name is empty")
        || said.contains("revision of auth store is old");
    stale.then_some(TokenFault::Stale)
}

/// What to do about a refusal of etcd's that is about who asks.
pub(super) fn advice(error: &PostError) -> Option<&'static str> {
    let PostError::Answered(_, text) = error else { return None };
    let known = [
        (
            "CommonName",
            "etcd's gateway refuses a client certificate with a CommonName while authentication is on; use a certificate without one, with `user` and `password_file` of `etcd`",
        ),
        (
            "user name is empty",
            "etcd has authentication on; write `etcd: { endpoints: [...], user: ..., password_file: ... }`",
        ),
        ("authentication failed", "check `user` and `password_file` of `etcd`"),
        ("permission denied", "grant the user of `etcd` readwrite on the cluster's prefix and on /bpci/"),
    ];
    known.iter().find(|(said, _)| text.contains(said)).map(|(_, advice)| *advice)
}

/// The login, and the token that it got.
pub(super) struct Session {
    login: Login,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<String>,
    /// etcd says that its authentication is off.
    is_off: bool,
    /// When the login was refused last, and in which words.
    refused: Option<(Instant, u16, String)>,
}

impl Session {
    /// # Errors
    /// The password cannot be read.
    pub fn new(login: Login) -> Result<Session, String> {
        config::password(&login.password_file, login.credential.as_deref())?;
        Ok(Session { login, state: Mutex::default() })
    }

    /// The token to send; `None` where etcd's authentication is off.
    pub async fn token(&self, http: &Http, endpoint: &str) -> Result<Option<String>, PostError> {
        let mut state = self.state.lock().await;
        if state.token.is_none() && !state.is_off {
            self.authenticate(&mut state, http, endpoint).await?;
        }
        Ok(state.token.clone())
    }

    /// The token to send after this one was refused. Who comes while another renews it gets that one's.
    pub async fn renewed(
        &self,
        http: &Http,
        endpoint: &str,
        refused: Option<&str>,
    ) -> Result<Option<String>, PostError> {
        let mut state = self.state.lock().await;
        if state.token.as_deref() == refused {
            (state.token, state.is_off) = (None, false);
            self.authenticate(&mut state, http, endpoint).await?;
        }
        Ok(state.token.clone())
    }

    /// Asks for a token. Whatever goes wrong on the way, the request that needs it was not sent.
    async fn authenticate(&self, state: &mut State, http: &Http, endpoint: &str) -> Result<(), PostError> {
        if let Some((at, status, text)) = &state.refused
            && at.elapsed() < REST
        {
            return Err(PostError::Answered(*status, text.clone()));
        }
        let password = config::password(&self.login.password_file, self.login.credential.as_deref())
            .map_err(PostError::NotSent)?;
        let body = json!({"name": self.login.user, "password": password});
        match http.post(&format!("{endpoint}/v3/auth/authenticate"), &body, TIMEOUT).await {
            Ok(text) => {
                let token = serde_json::from_str::<Value>(&text)
                    .ok()
                    .and_then(|v| v["token"].as_str().map(str::to_string));
                let token = token
                    .ok_or_else(|| PostError::NotSent("its answer to the login is not etcd's".to_string()))?;
                (state.token, state.refused) = (Some(token), None);
                Ok(())
            }
            Err(PostError::Answered(_, text)) if text.contains("authentication is not enabled") => {
                (state.is_off, state.refused) = (true, None);
                Ok(())
            }
            Err(PostError::Answered(status, text)) => {
                state.refused = Some((Instant::now(), status, text.clone()));
                Err(PostError::Answered(status, text))
            }
            Err(PostError::NotSent(reason) | PostError::Lost(reason)) => {
                Err(PostError::NotSent(format!("login: {reason}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As etcd 3.4 and 3.5 answer. Only a token that etcd does not know is certain to have stopped the request.
    #[test]
    fn what_is_said_of_a_token() {
        let answered = |status, text: &str| PostError::Answered(status, text.to_string());
        let cases = [
            (
                answered(
                    401,
                    r#"{"error":"etcdserver: invalid auth token","message":"etcdserver: invalid auth token","code":16}"#,
                ),
                Some(TokenFault::Unknown),
            ),
            (
                answered(400, r#"{"error":"etcdserver: user name is empty","code":3}"#),
                Some(TokenFault::Stale),
            ),
            (
                answered(400, r#"{"error":"etcdserver: revision of auth store is old","code":3}"#),
                Some(TokenFault::Stale),
            ),
            (answered(403, r#"{"error":"etcdserver: permission denied","code":7}"#), None),
            (answered(401, "<html>invalid auth token</html>"), None),
            (answered(500, r#"{"error":"etcdserver: invalid auth token","code":2}"#), None),
            (PostError::Lost("no answer in time".to_string()), None),
        ];
        for (error, expected) in cases {
            assert_eq!(token_fault(&error), expected, "{error:?}");
        }
    }
}

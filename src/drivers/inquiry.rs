//! A few requests to an address of which nothing is known yet: whatever goes wrong comes back with a reason and a remedy.

use super::http::{Cause, behind, words};
use std::path::Path;
use std::time::Duration;

/// A person waits for the answers, and the cluster may be on another continent.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Larger than any reply of a control plane.
const MOST_BYTES: usize = 4 << 20;

pub struct Inquiry {
    client: reqwest::Client,
    login: Option<(String, String)>,
    has_ca: bool,
}

impl Inquiry {
    /// `login`: user and password. `ca`: the only CA that is trusted; without it the public ones are.
    ///
    /// # Errors
    /// The CA file cannot be read, or holds no certificate.
    pub fn new(login: Option<(String, String)>, ca: Option<&Path>) -> Result<Inquiry, String> {
        let builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // A few requests, each on a connection of its own: a server may close a used one while the next request is on its way.
            .pool_max_idle_per_host(0)
            .timeout(TIMEOUT);
        let builder = match ca {
            None => builder,
            Some(path) => {
                let pem = std::fs::read(path).map_err(|e| {
                    format!("{}: {e}; name the CA's certificate in PEM with --ca", path.display())
                })?;
                let roots =
                    reqwest::Certificate::from_pem_bundle(&pem).ok().filter(|roots| !roots.is_empty());
                let roots = roots.ok_or_else(|| {
                    format!(
                        "{} holds no certificate; name the CA's certificate in PEM with --ca",
                        path.display()
                    )
                })?;
                builder.tls_certs_only(roots)
            }
        };
        Ok(Inquiry { client: builder.build().map_err(|e| e.to_string())?, login, has_ca: ca.is_some() })
    }

    /// The body of a reply with status 200 or 503: Patroni answers 503 on `/patroni` while its database does not run.
    ///
    /// # Errors
    /// Anything else.
    pub async fn get(&self, url: &str) -> Result<String, String> {
        let mut reply = self.send(self.client.get(url), url).await?;
        let status = reply.status();
        match status.as_u16() {
            200 | 503 => {}
            401 | 403 if self.login.is_some() => {
                return Err(format!(
                    "{url} answered {status} to this login; check --user and the password in --password-file"
                ));
            }
            401 | 403 => {
                return Err(format!(
                    "{url} answered {status}; give its login with --user USER --password-file FILE"
                ));
            }
            300..=399 => {
                let to = reply
                    .headers()
                    .get("location")
                    .and_then(|v| v.to_str().ok())
                    .unwrap_or("an address that it does not name");
                return Err(format!(
                    "{url} redirects to {to}, and redirects are not followed; name the member itself"
                ));
            }
            404 => {
                return Err(format!(
                    "{url} answered {status}: this is not Patroni; name the REST address of a member"
                ));
            }
            _ => {
                return Err(format!(
                    "{url} answered {status}; name the REST address of a Patroni member, and see the log of that member"
                ));
            }
        }
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(|e| self.reason(url, &e))? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(format!(
                    "{url} answered more than {} MB: this is not Patroni; name the REST address of a member",
                    MOST_BYTES >> 20
                ));
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body).map_err(|_| {
            format!("{url} answered no text: this is not Patroni; name the REST address of a member")
        })
    }

    /// True if an unsafe request without its login is refused: a change of nothing is asked for, which Patroni answers with 400 after
    /// the login.
    ///
    /// # Errors
    /// No answer.
    pub async fn needs_login(&self, url: &str) -> Result<bool, String> {
        let request = self.client.patch(url).header("content-type", "application/json").body("{}");
        Ok(matches!(self.send(request, url).await?.status().as_u16(), 401 | 403))
    }

    async fn send(&self, request: reqwest::RequestBuilder, url: &str) -> Result<reqwest::Response, String> {
        let request = match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        };
        request.send().await.map_err(|e| self.reason(url, &e))
    }

    /// Why there was no reply, and what to do.
    fn reason(&self, url: &str, error: &reqwest::Error) -> String {
        let causes = || std::iter::successors(Some(error as Cause), |e| behind(*e));
        let tls = causes().find_map(|cause| cause.downcast_ref::<rustls::Error>());
        let refused = causes()
            .filter_map(|c| c.downcast_ref::<std::io::Error>())
            .any(|e| e.kind() == std::io::ErrorKind::ConnectionRefused);
        let what = words(error);
        match tls {
            Some(rustls::Error::InvalidCertificate(problem)) => self.distrust(url, problem),
            Some(rustls::Error::InvalidMessage(_)) => {
                format!("{url} does not speak TLS; try it with http://")
            }
            Some(e) => format!(
                "{url}: TLS failed: {e}; if it asks for a client certificate, write the file by hand: bpci config init --file FILE"
            ),
            None if error.is_timeout() => {
                format!(
                    "{url} did not answer within {} s; check the address, and that no firewall is between",
                    TIMEOUT.as_secs()
                )
            }
            None if refused => {
                format!("{url}: connection refused; check the port, and that Patroni runs there")
            }
            None if error.is_connect() => format!("{url}: {what}; check the host name, and the route to it"),
            None if url.starts_with("http://") => {
                format!("{url} did not answer as HTTP ({what}); try it with https://")
            }
            None => {
                format!("{url} did not answer as HTTP ({what}); name the REST address of a Patroni member")
            }
        }
    }

    fn distrust(&self, url: &str, problem: &rustls::CertificateError) -> String {
        use rustls::CertificateError as E;
        match problem {
            E::Expired | E::ExpiredContext { .. } => {
                format!("the certificate of {url} has expired; renew it on that member")
            }
            E::NotValidForName | E::NotValidForNameContext { .. } => {
                format!(
                    "the certificate of {url} is for other names ({problem}); use the name or address that it is for"
                )
            }
            _ if self.has_ca => format!(
                "the certificate of {url} does not come from the CA in --ca ({problem}); name the CA that signed it"
            ),
            _ => format!(
                "the certificate of {url} is not trusted ({problem}); name the CA that signed it with --ca FILE"
            ),
        }
    }
}

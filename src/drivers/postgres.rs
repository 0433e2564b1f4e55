//! PostgreSQL itself: does it answer, what does a receiver hear, does a write survive being read back.

use super::brief;
use crate::model::*;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::{Client, Config, NoTls};

/// Asks the port whether it speaks TLS: eight bytes there, one back. A frozen server accepts and never answers.
pub async fn probe(address: &str, timeout: Duration) -> ProbeResult {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
    let began = Instant::now();
    let talk = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        stream.write_all(&SSL_REQUEST).await?;
        let mut answer = [0u8; 1];
        stream.read_exact(&mut answer).await?;
        Ok::<u8, std::io::Error>(answer[0])
    };
    match tokio::time::timeout(timeout, talk).await {
        Err(_) => ProbeResult::Silent,
        Ok(Ok(byte)) => answered(byte, Span(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX))),
        Ok(Err(e)) => match e.kind() {
            std::io::ErrorKind::ConnectionRefused
            | std::io::ErrorKind::ConnectionReset
            | std::io::ErrorKind::UnexpectedEof => ProbeResult::Refused,
            std::io::ErrorKind::HostUnreachable
            | std::io::ErrorKind::NetworkUnreachable
            | std::io::ErrorKind::TimedOut => ProbeResult::Silent,
            // The name could not be looked up, or we have nothing left to ask with: nothing was heard of it.
            _ => ProbeResult::Silent,
        },
    }
}

/// The one row that a validating write leaves.
pub(super) const INSERT: &str = "INSERT INTO bpci_validation (id, effect, at) VALUES (1, $1, now()) ON CONFLICT (id) DO UPDATE SET effect = excluded.effect, at = excluded.at";

/// What the one byte means that a server answers: yes or no to TLS, or that it is another sort of server.
pub fn answered(byte: u8, round_trip: Span) -> ProbeResult {
    match byte {
        b'S' | b'N' => ProbeResult::Answered { round_trip },
        // A PostgreSQL that cannot start a session says so at once.
        b'E' => ProbeResult::Unwell("PostgreSQL answered with an error".to_string()),
        other => ProbeResult::Unwell(format!("answered {other:#x}: no PostgreSQL")),
    }
}

/// How to log in.
pub struct Sql {
    config: Config,
    tls: Option<tokio_postgres_rustls::MakeRustlsConnect>,
}

impl Sql {
    /// # Errors
    /// A file cannot be read.
    pub fn new(database: &Database) -> Result<Option<Sql>, String> {
        let Some(sql) = &database.sql else { return Ok(None) };
        let mut config = Config::new();
        config
            .user(&sql.user)
            .dbname(&sql.dbname)
            .application_name("bpci")
            .connect_timeout(Duration::from_millis(1_500));
        if let Some(path) = &sql.password_file {
            config.password(crate::config::password(path, sql.credential.as_deref())?);
        }
        let tls = database.tls.sql.as_ref().map(tls_of).transpose()?.flatten();
        Ok(Some(Sql { config, tls }))
    }

    /// # Errors
    /// It does not answer in time, or refuses.
    pub async fn connect(&self, address: &str) -> Result<Client, String> {
        let (host, port) =
            super::endpoint::split(address).ok_or_else(|| format!("`{address}` is no address"))?;
        let mut config = self.config.clone();
        config.host(host).port(port);
        let connect = async {
            match &self.tls {
                None => {
                    let (client, connection) = config.connect(NoTls).await.map_err(|e| words(&e))?;
                    tokio::spawn(connection);
                    Ok(client)
                }
                Some(tls) => {
                    config.ssl_mode(tokio_postgres::config::SslMode::Require);
                    let (client, connection) = config.connect(tls.clone()).await.map_err(|e| words(&e))?;
                    tokio::spawn(connection);
                    Ok(client)
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(2), connect)
            .await
            .map_err(|_| "no answer in time".to_string())?
    }
}

/// TLS with this CA, and the client certificate if there is one; `None` without a CA.
fn tls_of(tls: &Tls) -> Result<Option<tokio_postgres_rustls::MakeRustlsConnect>, String> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let Some(ca) = &tls.ca else { return Ok(None) };
    let certificates = |path: &str| -> Result<Vec<CertificateDer<'static>>, String> {
        let told = |e: rustls::pki_types::pem::Error| format!("{path}: {e}");
        CertificateDer::pem_file_iter(path).map_err(told)?.collect::<Result<_, _>>().map_err(told)
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|e| format!("{ca}: {e}"))?;
    }
    let client = rustls::ClientConfig::builder().with_root_certificates(Arc::new(roots));
    let client = match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => {
            crate::config::check_key(key)?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|e| format!("{key}: {e}"))?;
            client.with_client_auth_cert(certificates(cert)?, private).map_err(|e| format!("{cert}: {e}"))?
        }
        _ => client.with_no_client_auth(),
    };
    Ok(Some(tokio_postgres_rustls::MakeRustlsConnect::new(client)))
}

pub fn words(e: &tokio_postgres::Error) -> String {
    match e.as_db_error() {
        Some(db) => brief(db.message()).into_owned(),
        None => std::error::Error::source(e).map_or_else(|| e.to_string(), ToString::to_string),
    }
}

/// What a standby's receiver says.
///
/// # Errors
/// The connection is of no more use.
pub async fn receiver(client: &Client) -> Result<Receiver, String> {
    const QUERY: &str = "SELECT status, (extract(epoch FROM clock_timestamp() - last_msg_receipt_time) * 1000)::float8 FROM pg_stat_wal_receiver";
    let rows = tokio::time::timeout(Duration::from_secs(1), client.query(QUERY, &[]))
        .await
        .map_err(|_| "no answer in time".to_string())?;
    let rows = rows.map_err(|e| words(&e))?;
    let Some(row) = rows.first() else { return Ok(Receiver { streaming: false, silent_for: None }) };
    let status: Option<String> = row.try_get(0).map_err(|e| words(&e))?;
    let silent: Option<f64> = row.try_get(1).map_err(|e| words(&e))?;
    // Without pg_monitor the columns are null: not known is not «not streaming».
    let status = status.ok_or("its columns are hidden: GRANT pg_monitor")?;
    Ok(Receiver { streaming: status == "streaming", silent_for: silent.map(|ms| Span(ms.max(0.0) as u64)) })
}

/// The server's own address, an IPv6 address in brackets.
const SERVER: &str = "SELECT CASE family(inet_server_addr()) WHEN 6 THEN '[' || host(inet_server_addr()) || ']' ELSE host(inet_server_addr()) END \
    || ':' || inet_server_port(), pg_is_in_recovery()";

/// A validating write: one row, read back, on a server that is not the old primary.
pub struct Write<'a> {
    pub address: &'a str,
    /// Addresses of the members that were left.
    pub not: &'a [String],
    pub system_id: Option<&'a str>,
    pub id: EffectId,
}

impl Write<'_> {
    /// Tries once. Six answers are waited for; a commit that hangs is not.
    ///
    /// # Errors
    /// Why it did not succeed.
    pub async fn once(&self, sql: &Sql, patience: Duration) -> Result<String, String> {
        let client = sql.connect(self.address).await?;
        let all = async {
            let row = client.query_one(SERVER, &[]).await.map_err(|e| words(&e))?;
            let (server, standby): (Option<String>, bool) = (row.get(0), row.get(1));
            let server = server.unwrap_or_default();
            if standby {
                return Err(format!("{server} is in recovery"));
            }
            if self.not.iter().any(|left| super::endpoint::same(left, &server)) {
                return Err(format!("this still leads to the old primary, {server}"));
            }
            self.same_system(&client).await?;
            let effect = self.id.to_string();
            client.execute(INSERT, &[&effect]).await.map_err(|e| words(&e))?;
            let back: Option<String> = client
                .query_one("SELECT effect FROM bpci_validation WHERE id = 1", &[])
                .await
                .map_err(|e| words(&e))?
                .get(0);
            match back {
                Some(back) if back == effect => Ok(format!("row written and read back on {server}")),
                _ => Err("the row that was read back is another one".to_string()),
            }
        };
        tokio::time::timeout(patience * 6, all)
            .await
            .map_err(|_| "a commit that waits: no synchronous standby?".to_string())?
    }

    async fn same_system(&self, client: &Client) -> Result<(), String> {
        let Some(expected) = self.system_id else { return Ok(()) };
        let row = client
            .query_one("SELECT system_identifier::text FROM pg_control_system()", &[])
            .await
            .map_err(|e| words(&e))?;
        let told: String = row.get(0);
        if told == expected { Ok(()) } else { Err(format!("this is system {told}, not {expected}")) }
    }

    /// Whether the write of this id arrived.
    pub async fn arrived(&self, sql: &Sql) -> Result<bool, String> {
        let client = sql.connect(self.address).await?;
        let query = client.query_opt("SELECT effect FROM bpci_validation WHERE id = 1", &[]);
        let row = tokio::time::timeout(Duration::from_secs(1), query)
            .await
            .map_err(|_| "no answer in time".to_string())?
            .map_err(|e| words(&e))?;
        Ok(row.and_then(|r| r.get::<_, Option<String>>(0)).is_some_and(|e| e == self.id.to_string()))
    }
}

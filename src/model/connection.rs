//! How this program connects to a database's systems: one TLS setup for each protocol, and what is declared of the agent.

use super::Tls;
use super::disaster::vocabulary;
use serde::{Deserialize, Serialize};

/// The TLS files of each protocol; `None`: plain text, or the certificates of the machine for an `https` address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<TlsRecord>")]
pub struct DatabaseTls {
    /// The consensus store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<Tls>,
    /// The members' REST API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<Tls>,
    /// PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<Tls>,
}

impl DatabaseTls {
    pub fn is_empty(&self) -> bool {
        *self == DatabaseTls::default()
    }

    /// One setup for every protocol, as older configurations and records have it. PostgreSQL gets the CA alone: a server
    /// that does not know the client certificate would refuse it.
    pub fn shared(tls: Tls) -> DatabaseTls {
        let sql = tls.ca.clone().map(|ca| Tls { ca: Some(ca), cert: None, key: None });
        DatabaseTls { store: Some(tls.clone()), rest: Some(tls), sql }
    }
}

/// As records hold it: by protocol, or one for all as older programs wrote it.
#[derive(Deserialize)]
struct TlsRecord {
    store: Option<Tls>,
    rest: Option<Tls>,
    sql: Option<Tls>,
    ca: Option<String>,
    cert: Option<String>,
    key: Option<String>,
}

impl From<Option<TlsRecord>> for DatabaseTls {
    fn from(record: Option<TlsRecord>) -> DatabaseTls {
        match record {
            None => DatabaseTls::default(),
            Some(TlsRecord { ca: None, cert: None, key: None, store, rest, sql }) => {
                DatabaseTls { store, rest, sql }
            }
            Some(TlsRecord { ca, cert, key, .. }) => DatabaseTls::shared(Tls { ca, cert, key }),
        }
    }
}

vocabulary!(
    /// Patroni's own setting `watchdog.mode` on every member, as the configuration declares it.
    Watchdog, "watchdog mode" {
        Required = "required",
        Automatic = "automatic",
        Off = "off",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of an older program has one setup for all, or none.
    #[test]
    fn older_records_are_read() {
        let read =
            |text: &str| serde_json::from_str::<DatabaseTls>(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(read("null"), DatabaseTls::default());
        let old = read(r#"{"ca":"ca.pem","cert":"c.pem","key":"k.pem"}"#);
        let all = Tls {
            ca: Some("ca.pem".to_string()),
            cert: Some("c.pem".to_string()),
            key: Some("k.pem".to_string()),
        };
        assert_eq!((old.store.as_ref(), old.rest.as_ref()), (Some(&all), Some(&all)));
        assert_eq!(old.sql, Some(Tls { ca: Some("ca.pem".to_string()), cert: None, key: None }));
        let text = serde_json::to_string(&old).unwrap_or_default();
        assert_eq!(read(&text), old);
        assert_eq!(read("{}"), DatabaseTls::default());
    }
}

//! The parts of the configuration that say how to connect: etcd, REST, PostgreSQL, each with its own login and TLS.

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use std::fmt;

/// The consensus store: endpoints with a login and TLS of their own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EtcdBlock {
    #[schemars(with = "Vec<EndpointFile>")]
    pub endpoints: Vec<Spanned<EndpointFile>>,
    /// The user of etcd itself, where etcd has authentication enabled.
    #[schemars(with = "Option<String>")]
    pub user: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub password_file: Option<Spanned<String>>,
    #[schemars(with = "Option<TlsFile>")]
    pub tls: Option<Spanned<TlsFile>>,
}

/// The same, or a plain list of endpoints.
#[derive(Debug, Default)]
pub struct EtcdFile(pub EtcdBlock);

/// For the schema alone.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code)]
pub enum EtcdSchema {
    Endpoints(Vec<EndpointFile>),
    Block(Box<EtcdBlock>),
}

/// One endpoint: its URL, or its URL with the region it runs in.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum EndpointFile {
    Url(String),
    Placed(PlacedEndpoint),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacedEndpoint {
    pub url: String,
    #[schemars(with = "Option<String>")]
    pub region: Option<Spanned<String>>,
    /// It runs in none of the regions: no region's loss takes it.
    #[serde(default)]
    pub outside: bool,
}

impl EndpointFile {
    pub fn url(&self) -> &str {
        match self {
            EndpointFile::Url(url) => url,
            EndpointFile::Placed(endpoint) => &endpoint.url,
        }
    }

    pub fn is_outside(&self) -> bool {
        matches!(self, EndpointFile::Placed(PlacedEndpoint { outside: true, .. }))
    }

    pub fn region(&self) -> Option<&Spanned<String>> {
        match self {
            EndpointFile::Url(_) => None,
            EndpointFile::Placed(endpoint) => endpoint.region.as_ref(),
        }
    }
}

impl<'de> Deserialize<'de> for EtcdFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Etcd;
        impl<'de> Visitor<'de> for Etcd {
            type Value = EtcdFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a list of endpoints, or { endpoints: [...], user: ..., password_file: ..., tls: {...} }",
                )
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<EtcdFile, A::Error> {
                let mut endpoints = Vec::new();
                while let Some(endpoint) = list.next_element()? {
                    endpoints.push(endpoint);
                }
                Ok(EtcdFile(EtcdBlock { endpoints, ..EtcdBlock::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EtcdFile, A::Error> {
                EtcdBlock::deserialize(MapAccessDeserializer::new(map)).map(EtcdFile)
            }
        }
        from.deserialize_any(Etcd)
    }
}

impl<'de> Deserialize<'de> for EndpointFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Endpoint;
        impl<'de> Visitor<'de> for Endpoint {
            type Value = EndpointFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL such as http://10.0.0.1:2379, or { url: ..., region: ... }")
            }

            fn visit_str<E>(self, url: &str) -> Result<EndpointFile, E> {
                Ok(EndpointFile::Url(url.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EndpointFile, A::Error> {
                PlacedEndpoint::deserialize(MapAccessDeserializer::new(map)).map(EndpointFile::Placed)
            }
        }
        from.deserialize_any(Endpoint)
    }
}

/// The members' REST API.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestFile {
    /// `restapi.authentication.username` of patroni.yml.
    #[schemars(with = "Option<String>")]
    pub user: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub password_file: Option<Spanned<String>>,
    #[schemars(with = "Option<TlsFile>")]
    pub tls: Option<Spanned<TlsFile>>,
}

/// Older form of the REST login.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginFile {
    pub user: String,
    #[schemars(with = "String")]
    pub password_file: Spanned<String>,
}

/// Certificates and keys in PEM files. Relative paths are relative to this file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsFile {
    #[schemars(with = "Option<String>")]
    pub ca: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub cert: Option<Spanned<String>>,
    #[schemars(with = "Option<String>")]
    pub key: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlFile {
    pub user: String,
    #[schemars(with = "Option<String>")]
    pub password_file: Option<Spanned<String>>,
    /// Default: postgres
    pub dbname: Option<String>,
    #[schemars(with = "Option<TlsFile>")]
    pub tls: Option<Spanned<TlsFile>>,
}

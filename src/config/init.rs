//! What a member of a running cluster tells about it, for a configuration to begin with. Pure: replies in, findings out.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The bodies of three replies of one member.
pub struct Replies<'a> {
    /// `GET /patroni`
    pub status: &'a str,
    /// `GET /cluster`
    pub cluster: &'a str,
    /// `GET /config`
    pub settings: &'a str,
}

/// A cluster as one of its members tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub scope: String,
    /// Patroni's version.
    pub agent: Option<String>,
    /// PostgreSQL's version as it counts: 150018 is 15.18.
    pub postgres: Option<u32>,
    pub system_id: Option<String>,
    pub synchronous: bool,
    /// The settings of the cluster say that PostgreSQL has TLS.
    pub sql_tls: bool,
    /// The leader first, then the synchronous standby, then by name.
    pub members: Vec<FoundMember>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundMember {
    pub name: String,
    /// The REST address, without `/patroni` at its end.
    pub rest: String,
    /// PostgreSQL, `host:port`.
    pub sql: Option<String>,
    pub leads: bool,
    pub synchronous: bool,
    /// Its region and what told it; `None`: nothing did.
    pub region: Option<(String, String)>,
}

#[derive(Deserialize)]
struct Status {
    state: Option<String>,
    server_version: Option<u32>,
    database_system_identifier: Option<String>,
    patroni: Option<Agent>,
}

#[derive(Deserialize)]
struct Agent {
    version: Option<String>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Cluster {
    members: Vec<Member>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Member {
    name: String,
    role: Option<String>,
    api_url: Option<String>,
    host: Option<String>,
    port: Option<Value>,
    #[serde(default)]
    tags: Map<String, Value>,
}

const REMEDY: &str = "name the REST address of a Patroni member, such as https://10.0.0.1:8008";

/// Reads the three replies.
///
/// # Errors
/// They are not Patroni's, or describe a cluster that is not supported; with what to do.
pub fn read(replies: &Replies) -> Result<Found, String> {
    let status: Status = parsed("/patroni", replies.status)?;
    if status.state.is_none() {
        return Err(format!("/patroni answered without a `state`: this is not Patroni; {REMEDY}"));
    }
    let cluster: Cluster = parsed("/cluster", replies.cluster)?;
    let settings: Map<String, Value> = parsed("/config", replies.settings)?;
    let scope = status.patroni.as_ref().and_then(|p| p.scope.clone()).or(cluster.scope);
    let scope = scope.ok_or_else(|| format!("neither /patroni nor /cluster names a scope; {REMEDY}"))?;
    let standby_cluster = settings.get("standby_cluster").is_some_and(|v| !v.is_null());
    if standby_cluster || cluster.members.iter().any(|m| m.role.as_deref() == Some("standby_leader")) {
        return Err(format!(
            "`{scope}` is a standby cluster, which bpci does not support; name a member of the cluster that it follows"
        ));
    }
    let mut members: Vec<FoundMember> = cluster.members.iter().filter_map(found).collect();
    if members.is_empty() {
        return Err(format!(
            "/cluster lists no member with an `api_url`; start Patroni on the members of `{scope}`, or {REMEDY}"
        ));
    }
    members.sort_by(|a, b| (!a.leads, !a.synchronous, &a.name).cmp(&(!b.leads, !b.synchronous, &b.name)));
    let parameter =
        |name: &str| settings.get("postgresql").and_then(|p| p.get("parameters")).and_then(|p| p.get(name));
    Ok(Found {
        scope,
        agent: status.patroni.and_then(|p| p.version),
        postgres: status.server_version,
        system_id: status.database_system_identifier,
        synchronous: settings.get("synchronous_mode").is_some_and(is_on),
        sql_tls: parameter("ssl").is_some_and(is_on),
        members,
    })
}

fn parsed<'a, T: Deserialize<'a>>(path: &str, text: &'a str) -> Result<T, String> {
    serde_json::from_str(text)
        .map_err(|e| format!("{path} answered what Patroni does not answer ({e}); {REMEDY}"))
}

/// Patroni's own reading of a switch: booleans, numbers and words in any case. `synchronous_mode: quorum` is on, too.
fn is_on(value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::Number(n) => n.as_i64() != Some(0),
        Value::String(text) => {
            !matches!(text.to_ascii_lowercase().as_str(), "off" | "no" | "false" | "0" | "")
        }
        _ => false,
    }
}

fn found(member: &Member) -> Option<FoundMember> {
    let rest = member.api_url.as_deref()?.trim_end_matches('/');
    let rest = rest.strip_suffix("/patroni").unwrap_or(rest);
    let port = member
        .port
        .as_ref()
        .and_then(|p| p.as_u64().map(|n| n.to_string()).or_else(|| p.as_str().map(str::to_string)));
    let sql = member.host.as_deref().zip(port).map(|(host, port)| {
        match host.contains(':') && !host.starts_with('[') {
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        }
    });
    Some(FoundMember {
        name: member.name.clone(),
        rest: rest.to_string(),
        sql,
        leads: matches!(member.role.as_deref(), Some("leader" | "master" | "primary")),
        synchronous: matches!(member.role.as_deref(), Some("sync_standby" | "quorum_standby")),
        region: region(member),
    })
}

/// Tags in which people keep the place of a member.
const PLACE_TAGS: [&str; 10] = [
    "region",
    "datacenter",
    "data_center",
    "dc",
    "site",
    "location",
    "zone",
    "availability_zone",
    "az",
    "failure_domain",
];

/// The region that a tag, the host or the name tells, and which of them did.
fn region(member: &Member) -> Option<(String, String)> {
    let tag = |name: &&str| {
        let text = match member.tags.get(*name)? {
            Value::String(text) => text.clone(),
            Value::Number(n) => n.to_string(),
            _ => return None,
        };
        let text = cloud_region(&text).unwrap_or(text);
        let usable = !text.is_empty()
            && text.len() <= 64
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        usable.then(|| (text, format!("tag `{name}`")))
    };
    let of =
        |text: Option<&str>, what: &str| text.and_then(cloud_region).map(|region| (region, what.to_string()));
    PLACE_TAGS
        .iter()
        .find_map(tag)
        .or_else(|| of(member.host.as_deref(), "its host name"))
        .or_else(|| of(Some(&member.name), "its name"))
}

const CONTINENTS: [&str; 11] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx", "cn", "asia"];
const DIRECTIONS: [&str; 9] =
    ["northeast", "northwest", "southeast", "southwest", "north", "south", "east", "west", "central"];

/// The region of a cloud that stands in a name, such as us-east-1 in `db1.us-east-1.example.com` or in the zone us-east-1a.
fn cloud_region(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let digits = |word: &str| word.chars().take_while(char::is_ascii_digit).collect::<String>();
    words.iter().enumerate().filter(|(_, word)| CONTINENTS.contains(word)).find_map(|(i, continent)| {
        let second = words.get(i + 1)?;
        let direction = DIRECTIONS.iter().find(|d| second.starts_with(*d))?;
        let number = digits(&second[direction.len()..]);
        match (second.len() == direction.len(), number.is_empty()) {
            // us-east1
            (false, false) => Some(format!("{continent}-{direction}{number}")),
            (true, _) => {
                let number = digits(words.get(i + 2)?);
                (!number.is_empty()).then(|| format!("{continent}-{direction}-{number}"))
            }
            (false, true) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_of_a_cloud_is_found_in_names() {
        for (text, expected) in [
            ("db1.us-east-1.example.com", Some("us-east-1")),
            ("eu-west-1b", Some("eu-west-1")),
            ("pg_ap_southeast_2", Some("ap-southeast-2")),
            ("node.europe.us-central1-a", Some("us-central1")),
            ("asia-northeast1", Some("asia-northeast1")),
            ("pg-a1", None),
            ("us-easter-1", None),
            ("10.0.0.1", None),
            ("", None),
            ("us", None),
            ("us-east", None),
        ] {
            assert_eq!(cloud_region(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn switches_are_read_as_patroni_reads_them() {
        for on in ["true", "\"on\"", "\"True\"", "1", "\"1\"", "\"quorum\"", "\"YES\""] {
            assert!(serde_json::from_str(on).is_ok_and(|v| is_on(&v)), "{on}");
        }
        for off in ["false", "\"off\"", "0", "\"0\"", "null", "\"No\"", "\"\"", "{}"] {
            assert!(serde_json::from_str(off).is_ok_and(|v| !is_on(&v)), "{off}");
        }
    }
}

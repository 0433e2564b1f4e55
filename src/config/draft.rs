//! A configuration to begin with, written from what was found; what was not found is marked.

use super::init::{Found, FoundMember};
use super::mistake::{Mistake, Place};

/// What each line begins its comment with that a person must fill in.
pub const MARK: &str = "# FILL IN:";

/// What the caller knows besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The REST address that was asked.
    pub url: String,
    /// User and password file of the REST interface.
    pub login: Option<(String, String)>,
    /// An unsafe request without a login was refused.
    pub login_needed: bool,
    /// The file of the CA that the REST interface's certificates come from.
    pub ca: Option<String>,
}

/// The marks that are left in a file, each with its place.
pub fn unfilled(file: &str, text: &str) -> Vec<Mistake> {
    let mark = |(i, line): (usize, &str)| {
        let (before, what) = line.split_once(MARK)?;
        Some(Mistake {
            file: file.to_string(),
            at: Place { line: i as u64 + 1, column: before.chars().count() as u64 + 1 },
            found: format!("not filled in: {}", what.trim()),
            remedy: format!("write it and remove `{MARK}`"),
        })
    };
    text.lines().enumerate().filter_map(mark).collect()
}

/// The members of one region, in the order of the cluster.
struct Site<'a> {
    region: String,
    /// `None`: it was not found.
    told_by: Option<&'a str>,
    members: Vec<&'a FoundMember>,
}

fn sites(found: &Found) -> Vec<Site<'_>> {
    let mut sites: Vec<Site> = Vec::new();
    for member in &found.members {
        match &member.region {
            Some((region, told_by)) => match sites
                .iter_mut()
                .find(|s| s.told_by.is_some() && s.region == *region)
            {
                Some(site) => site.members.push(member),
                None => {
                    sites.push(Site { region: region.clone(), told_by: Some(told_by), members: vec![member] })
                }
            },
            None => {
                let n = sites.iter().filter(|s| s.told_by.is_none()).count() + 1;
                sites.push(Site { region: format!("unknown-{n}"), told_by: None, members: vec![member] });
            }
        }
    }
    sites
}

/// Writes the configuration.
pub fn draft(found: &Found, given: &Given) -> String {
    let sites = sites(found);
    let mut lines = head(found, given);
    lines.extend(regions(&sites));
    lines.extend(database(found, given, &sites));
    lines.extend(SURROUNDINGS.lines().map(str::to_string));
    lines.join("\n") + "\n"
}

fn head(found: &Found, given: &Given) -> Vec<String> {
    let about = [
        found.agent.as_ref().map(|v| format!("Patroni {v}")),
        found.postgres.map(|v| format!("PostgreSQL {}.{}", v / 10_000, v % 10_000)),
        found.system_id.as_ref().map(|id| format!("system identifier {id}")),
    ];
    let about: Vec<String> = about.into_iter().flatten().collect();
    vec![
        format!("# Written by `bpci config init --patroni {}` from the cluster `{}`.", comment(&given.url), comment(&found.scope)),
        format!("# {}", comment(&about.join(", "))),
        "# Each line with a mark needs you: write what it asks for and remove the mark. `bpci config check FILE` lists the marks that are left."
            .to_string(),
        format!("name: {}", scalar(&estate_name(&found.scope))),
        String::new(),
    ]
}

/// The name of an estate names a directory.
fn estate_name(scope: &str) -> String {
    let name: String =
        scope.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    name.trim_start_matches('.').to_string()
}

fn regions(sites: &[Site]) -> Vec<String> {
    let mut lines = vec![
        "business_continuity:".to_string(),
        "  regions:".to_string(),
        format!(
            "    {MARK} capacity_percentage: the share of the normal load that each region can carry; and the order (failover_priority 1 comes first)"
        ),
    ];
    for (i, site) in sites.iter().enumerate() {
        let n = i + 1;
        let names: Vec<&str> = site.members.iter().map(|m| m.name.as_str()).collect();
        let names = comment(&names.join(", "));
        let told = match site.told_by {
            Some(told_by) => format!("# {names}; from {}", comment(told_by)),
            None => {
                let at = site.members.first().and_then(|m| m.sql.as_deref()).unwrap_or_default();
                format!(
                    "{MARK} the region of {names} ({}), here and under `members`; members of one region go into one list",
                    comment(at)
                )
            }
        };
        let region = scalar(&site.region);
        lines.push(format!("    region-{n}: {{ region_id: {region}, capacity_percentage: 100, failover_priority: {n} }}   {told}"));
    }
    lines.push(String::new());
    lines
}

fn database(found: &Found, given: &Given, sites: &[Site]) -> Vec<String> {
    let mut lines = vec![
        "services:".to_string(),
        format!("  {}:", scalar(&format!("{}-db", found.scope))),
        "    tier: 1".to_string(),
        format!("    rto: 15min   {MARK} the time within which writes must work again"),
        format!("    rpo: 30s     {MARK} the data that may be lost, as time"),
        "    patroni:".to_string(),
        format!("      scope: {}", scalar(&found.scope)),
        format!(
            "      namespace: /service/   {MARK} `namespace` of patroni.yml; /service/ is right if it names none"
        ),
        "      members:".to_string(),
    ];
    for site in sites {
        lines.push(format!("        {}:", scalar(&site.region)));
        for member in &site.members {
            let sql = member
                .sql
                .as_deref()
                .map_or_else(|| "its PostgreSQL is unknown".to_string(), |at| format!("PostgreSQL {at}"));
            let role = if member.leads { "; leads now" } else { "" };
            lines.push(format!(
                "          - {{ name: {}, url: {} }}   # {}{role}",
                scalar(&member.name),
                quoted(&member.rest),
                comment(&sql)
            ));
        }
    }
    let standbys: Vec<&str> =
        found.members.iter().filter(|m| m.synchronous).map(|m| m.name.as_str()).collect();
    lines.push(match (found.synchronous, standbys.is_empty()) {
        (true, false) => {
            format!("      # synchronous_mode is on; synchronous now: {}", comment(&standbys.join(", ")))
        }
        (true, true) => "      # synchronous_mode is on, and no standby is synchronous now".to_string(),
        (false, _) => "      # synchronous_mode is off: a failover can lose acknowledged writes".to_string(),
    });
    lines.push(
        "      # watchdog: required   # if `watchdog.mode` of patroni.yml says so on every member"
            .to_string(),
    );
    lines.extend(rest(given));
    lines.push("      etcd:".to_string());
    lines.push(format!(
        "        endpoints:   {MARK} `etcd3.hosts` of patroni.yml, which no member tells; each with its region, or with `outside: true` if in none"
    ));
    lines.push(format!(
        "          - {{ url: \"http://127.0.0.1:2379\", region: {} }}",
        scalar(sites.first().map_or("", |s| &s.region))
    ));
    lines.extend(ETCD.lines().map(str::to_string));
    lines.push(format!(
        "      postgres: {{ user: bpci, password_file: /etc/bpci/postgres.password, dbname: postgres }}   {MARK} the login and the file of its password{}",
        if found.sql_tls { "; and `tls: { ca: FILE }`: its TLS is on" } else { "; and `tls: { ca: FILE }` if it asks for TLS" }
    ));
    lines.extend(POSTGRES.lines().map(str::to_string));
    lines
}

/// How the REST interface is reached.
fn rest(given: &Given) -> Vec<String> {
    let tls = given.ca.as_ref().map(|ca| format!("tls: {{ ca: {} }}", quoted(ca)));
    let (login, mark) = match &given.login {
        Some((user, file)) => {
            (Some(format!("user: {}, password_file: {}", scalar(user), quoted(file))), String::new())
        }
        None if given.login_needed => (
            Some("user: patroni, password_file: /etc/bpci/patroni.password".to_string()),
            format!("   {MARK} `restapi.authentication` of patroni.yml: Patroni asks for a login"),
        ),
        None => (None, String::new()),
    };
    let parts: Vec<String> = login.into_iter().chain(tls).collect();
    let none = (given.login.is_none() && !given.login_needed)
        .then(|| "      # Patroni's REST interface asks for no login".to_string());
    let block = (!parts.is_empty()).then(|| format!("      rest: {{ {} }}{mark}", parts.join(", ")));
    none.into_iter().chain(block).collect()
}

const ETCD: &str = "        # If etcd has a login of its own, or TLS:
        # user: bpci
        # password_file: /etc/bpci/etcd.password
        # tls: { ca: /etc/bpci/etcd-ca.crt }";

const POSTGRES: &str = "      # On the primary, once:
      #   CREATE ROLE bpci LOGIN PASSWORD '...'; GRANT pg_monitor TO bpci;
      #   CREATE TABLE bpci_validation (id integer PRIMARY KEY, effect text, at timestamptz NOT NULL DEFAULT now());
      #   GRANT SELECT, INSERT, UPDATE ON bpci_validation TO bpci;";

/// What no member of a cluster knows.
const SURROUNDINGS: &str = r#"    # FILL IN: the fence, a command that turns a member off and proves it; remove the `#` of the lines below
    # fence:
    #   exec: [/usr/local/sbin/fence-node, "{region}", "{member}"]   # exit status 0: it is proven off, also if it already was
    #   check: [/usr/local/sbin/fence-node, --check, "{member}"]     # could it be fenced? Changes nothing
    #   undo: [/usr/local/sbin/fence-node, --undo, "{member}"]
    #   timeout: 5s
    # FILL IN: HAProxy; remove the `#` of the lines below, or the lines if clients reach the database in another way
    # traffic:
    #   haproxy:
    #     runtime_api: ["127.0.0.1:9999"]   # `stats socket ... level admin` of each balancer
    #     backend: primary                  # the backend or `listen` section whose servers get the writes
    #     write: "127.0.0.1:5000"           # where clients write"#;

/// Text as a scalar of YAML: plain where that is the same text, else quoted.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let word = text.to_ascii_lowercase();
    if plain && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&word.as_str()) {
        text.to_string()
    } else {
        quoted(text)
    }
}

/// Text in double quotes; what does not appear is escaped.
fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text, |c| c == '"' || c == '\\'))
}

/// Text in a comment: it neither ends the line nor acts on a terminal, and is no mark.
fn comment(text: &str) -> String {
    escaped(text, |_| false).replace("FILL IN", "FILL_IN")
}

fn escaped(text: &str, also: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if also(c) => out.extend(['\\', c]),
            _ if is_hidden(c) && u32::from(c) <= 0xffff => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ if is_hidden(c) => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

/// True for what acts on a terminal or does not appear: control characters, line breaks, directions of text, without room.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

//! A database: its members, its consensus store, its logins, its fence, its balancers.

use super::address;
use super::connect_file::TlsFile;
use super::context::Context;
use super::file::{MembersFile, PatroniFile, ServiceFile};
use super::kinds::{Place, Routes};
use crate::model::*;
use serde_saphyr::{Location, Spanned};

/// The members of one cluster that this program can watch.
const MAX_MEMBERS: usize = 64;

/// Builds the database of a service. `name` is the service's.
pub fn database(
    cx: &Context,
    service: ServiceId,
    name: &str,
    file: &ServiceFile,
    spanned: &Spanned<PatroniFile>,
    estate: &Estate,
) -> Database {
    let patroni = &spanned.value;
    let is_whole = |part: &str| cx.read.is_whole(&["services", name, "patroni", part]);
    let members = members(cx, patroni, estate);
    if patroni.members.is_empty() && is_whole("members") {
        cx.add(spanned.referenced, "a cluster without members", "list them as `region_id: http://host:8008`");
    }
    let scope = &patroni.scope;
    if scope.value.is_empty() || scope.value.contains('/') {
        cx.add(
            scope.referenced,
            format!("`{}` is no scope", scope.value),
            "write the cluster's name as Patroni has it",
        );
    } else {
        cx.name(scope.referenced, "a cluster", &scope.value);
    }
    let store = store(cx, patroni, estate, is_whole("etcd") && is_whole("etcd_regions"));
    let traffic = traffic(cx, name, file, estate);
    let (login, store_login, sql) = logins(cx, patroni);
    Database {
        spec: DatabaseSpec::Patroni(Patroni {}),
        service,
        scope: scope.value.clone(),
        namespace: patroni.namespace.clone().unwrap_or_else(|| "/service/".to_string()),
        members,
        store,
        login,
        store_login,
        tls: tls(cx, patroni),
        watchdog: patroni.watchdog,
        sql,
        fence: fence(cx, file, estate),
        balancers: traffic.routes,
        backend: traffic.backend,
        entry: traffic.entry,
    }
}

/// The endpoints of the store, each with its region: its own, or that of the older list beside it.
fn store(cx: &Context, patroni: &PatroniFile, estate: &Estate, is_whole: bool) -> Vec<StoreEndpoint> {
    let endpoints = &patroni.etcd.0.endpoints;
    let listed = if is_whole { patroni.etcd_regions.as_slice() } else { &[] };
    if let (Some(first), true) = (listed.first(), endpoints.iter().any(|e| e.value.region().is_some())) {
        cx.add(
            first.referenced,
            "`etcd_regions` and endpoints with a `region` of their own",
            "keep the `region` of each endpoint",
        );
        return Vec::new();
    }
    let beside = cx.paired(listed, endpoints.len(), "endpoints of etcd", estate);
    let mut store: Vec<StoreEndpoint> = Vec::new();
    for (endpoint, beside) in endpoints.iter().zip(beside) {
        let url = endpoint.value.url().trim_end_matches('/').to_string();
        address::url(cx, endpoint.referenced, endpoint.value.url());
        if store.iter().any(|e| e.url == url) {
            cx.add(endpoint.referenced, format!("endpoint `{url}` is there twice"), "keep one of the two");
        }
        let region = endpoint.value.region().map_or(beside, |name| cx.region(name, estate));
        let outside = endpoint.value.is_outside();
        if let (Some(region), true) = (endpoint.value.region(), outside) {
            cx.add(
                region.referenced,
                "an endpoint with a `region` that is `outside` of them all",
                "keep one of the two",
            );
        }
        store.push(StoreEndpoint { url, region, outside });
    }
    store
}

/// Patroni's REST login, etcd's own, and PostgreSQL's.
fn logins(cx: &Context, patroni: &PatroniFile) -> (Option<Login>, Option<Login>, Option<Sql>) {
    let login = |user: &str, file: &Spanned<String>| {
        let (password_file, credential) = cx.password_file(file);
        Login { user: user.to_string(), password_file, credential }
    };
    let both = |what: &str, user: Option<&Spanned<String>>, file: Option<&Spanned<String>>| match (user, file)
    {
        (Some(user), Some(file)) => Some(login(&user.value, file)),
        (Some(one), None) => {
            cx.add(
                one.referenced,
                format!("`user` of {what} without `password_file`"),
                "add the file that holds the password",
            );
            None
        }
        (None, Some(one)) => {
            cx.add(one.referenced, format!("`password_file` of {what} without `user`"), "add the user");
            None
        }
        (None, None) => None,
    };
    let rest = patroni
        .rest
        .as_ref()
        .and_then(|r| both("rest", r.value.user.as_ref(), r.value.password_file.as_ref()));
    let old = patroni.auth.as_ref().map(|a| login(&a.value.user, &a.value.password_file));
    if let (Some(auth), true) = (&patroni.auth, rest.is_some()) {
        cx.add(
            auth.referenced,
            "`auth` beside the login in `rest`: both are the login of the REST API",
            "keep the one in `rest`",
        );
    }
    let etcd = &patroni.etcd.0;
    let store = both("etcd", etcd.user.as_ref(), etcd.password_file.as_ref());
    let sql = patroni.postgres.as_ref().map(|s| {
        let (password_file, credential) = s.value.password_file.as_ref().map(|f| cx.password_file(f)).unzip();
        let dbname = s.value.dbname.clone().unwrap_or_else(|| "postgres".to_string());
        Sql { user: s.value.user.clone(), password_file, credential: credential.flatten(), dbname }
    });
    (rest.or(old), store, sql)
}

/// TLS of each protocol: its own, else the one beside them all.
fn tls(cx: &Context, patroni: &PatroniFile) -> DatabaseTls {
    let one = |file: &Spanned<TlsFile>| {
        let t = &file.value;
        if t.cert.is_some() != t.key.is_some() {
            cx.add(file.referenced, "`cert` and `key` belong together", "write both, or neither");
        }
        Tls {
            ca: t.ca.as_ref().map(|f| cx.plain_file(f)),
            cert: t.cert.as_ref().map(|f| cx.plain_file(f)),
            key: t.key.as_ref().map(|f| cx.key_file(f)),
        }
    };
    let shared = patroni.tls.as_ref().map(one).map(DatabaseTls::shared).unwrap_or_default();
    let sql = patroni.postgres.as_ref().and_then(|p| p.value.tls.as_ref());
    if let Some(sql) = sql.filter(|t| t.value.ca.is_none()) {
        cx.add(
            sql.referenced,
            "`tls` of postgres without `ca`",
            "write the CA that signed the servers' certificates",
        );
    }
    DatabaseTls {
        store: patroni.etcd.0.tls.as_ref().map(one).or(shared.store),
        rest: patroni.rest.as_ref().and_then(|r| r.value.tls.as_ref()).map(one).or(shared.rest),
        sql: sql.map(one).or(shared.sql),
    }
}

fn fence(cx: &Context, file: &ServiceFile, estate: &Estate) -> Option<Fence> {
    let f = &file.fence.as_ref()?.value;
    if f.exec.value.first().is_none_or(String::is_empty) {
        cx.add(f.exec.referenced, "a fence without a command", "write `exec: [program, argument, …]`");
    }
    Some(Fence {
        spec: SwitchSpec::Command(Command {}),
        exec: cx.command(&f.exec.value),
        check: f.check.as_deref().map(|c| cx.command(c)),
        undo: f.undo.as_deref().map(|c| cx.command(c)),
        timeout: f.timeout.map_or(Span::secs(5), Span::from),
        depends_on: cx.regions(&f.depends_on, estate),
    })
}

/// What leads clients to the database.
fn traffic(cx: &Context, name: &str, file: &ServiceFile, estate: &Estate) -> Routes {
    let place = Place { cx, estate, is_whole: cx.read.is_whole(&["services", name, "traffic"]) };
    file.traffic.as_ref().map(|t| t.value.routes(&place)).unwrap_or_default()
}

/// The members of a cluster, by region; within a region in the order of the file.
fn members(cx: &Context, patroni: &PatroniFile, estate: &Estate) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for (region, listed) in &patroni.members {
        let Some(region) = estate.region_named(region) else {
            cx.unknown_region(listed.referenced, region, estate);
            continue;
        };
        let in_region: Vec<(&str, Option<&str>, Location)> = match &listed.value {
            MembersFile::One(url) => vec![(url, None, listed.referenced)],
            MembersFile::Several(list) => {
                list.iter().map(|m| (m.value.url(), m.value.name(), m.referenced)).collect()
            }
        };
        for (url, name, at) in in_region {
            address::url(cx, at, url);
            let rest = url.trim_end_matches('/').trim_end_matches("/patroni").to_string();
            if members.iter().any(|m| m.rest == rest) {
                cx.add(
                    at,
                    format!("`{rest}` is the address of two members"),
                    "give each member its own REST address",
                );
            }
            if let Some(name) = name {
                if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
                    cx.add(
                        at,
                        format!("`{name}` cannot be a member's name"),
                        "write the name that Patroni has for it",
                    );
                } else {
                    cx.name(at, "a member", name);
                }
                if members.iter().any(|m| m.name.as_deref() == Some(name)) {
                    cx.add(
                        at,
                        format!("two members have the name `{name}`"),
                        "write the name that Patroni has for each",
                    );
                }
            }
            members.push(Member { region, name: name.map(str::to_string), rest });
        }
    }
    members.sort_by_key(|m| m.region);
    if members.len() > MAX_MEMBERS {
        cx.add(
            patroni.scope.referenced,
            format!("a cluster of {} members", members.len()),
            format!("use at most {MAX_MEMBERS}"),
        );
    }
    members
}

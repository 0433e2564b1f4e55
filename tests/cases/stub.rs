//! A made-up estate on loopback: three REST ports of Patroni, etcd's JSON gateway, HAProxy's runtime API, ports of PostgreSQL. A patch
//! is laid over what a healthy estate says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// The ports that the patches are written with: REST, REST of a node that the estate does not name, PostgreSQL, etcd, HAProxy.
const PORTS: [&str; 9] = ["32200", "32201", "32210", "32211", "32212", "32220", "32221", "32222", "32231"];
const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-1"];
const SYSTEM: &str = "7710528591359139988";

/// Text with the ports of the patches, and what stands for them in this run.
pub struct Stub {
    ports: Vec<(String, String)>,
}

impl Stub {
    /// Serves until the process ends.
    pub fn start(patch: &str) -> Stub {
        let listeners: Vec<TcpListener> = PORTS
            .iter()
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("{e}")))
            .collect();
        let port =
            |l: &TcpListener| l.local_addr().map(|a| a.port()).unwrap_or_else(|e| panic!("{e}")).to_string();
        let stub =
            Stub { ports: PORTS.iter().map(|p| (*p).to_string()).zip(listeners.iter().map(port)).collect() };
        let mut world = world();
        merge(&mut world, &serde_json::from_str(patch).unwrap_or_else(|e| panic!("{e}")));
        let world: Arc<Value> = Arc::new(
            serde_json::from_str(&stub.translated(&world.to_string())).unwrap_or_else(|e| panic!("{e}")),
        );
        for (listener, (_, port)) in listeners.into_iter().zip(&stub.ports) {
            serve(listener, port.clone(), Arc::clone(&world));
        }
        stub
    }

    /// The same text with the ports of this run.
    pub fn translated(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_string(), |text, (from, to)| text.replace(from, to))
    }
}

fn world() -> Value {
    let member = |i: usize| {
        let xlog = if i == 0 {
            json!({"location": 67_109_000})
        } else {
            json!({"received_location": 67_109_000, "replayed_location": 67_109_000})
        };
        let mut report = json!({"state": "running", "role": if i == 0 { "master" } else { "replica" }, "server_version": 150_018, "timeline": 1, "xlog": xlog,
            "database_system_identifier": SYSTEM, "patroni": {"version": "3.0.2", "scope": "orders"}});
        if i == 0 {
            let stream = |name: &str, sync: &str| json!({"application_name": name, "state": "streaming", "sync_state": sync});
            report["replication"] = json!([stream(REGIONS[1], "sync"), stream(REGIONS[2], "async")]);
        }
        json!({"/patroni": {"json": report}})
    };
    let key = |i: usize| {
        json!({"conn_url": format!("postgres://127.0.0.1:3222{i}/postgres"), "api_url": format!("http://127.0.0.1:3221{i}/patroni"), "state": "running",
            "role": if i == 0 { "master" } else { "replica" }, "version": "3.0.2", "xlog_location": 67_109_000, "timeline": 1})
        .to_string()
    };
    let server = |i: usize, status: &str| format!("primary,{},0,{status},127.0.0.1:3222{i},\n", REGIONS[i]);
    let table = "# pxname,svname,scur,status,check_status,check_code,addr,\nprimary,FRONTEND,0,OPEN,,,,\n"
        .to_string()
        + &server(0, "UP,L7OK,200")
        + &server(1, "DOWN,L7STS,503")
        + &server(2, "DOWN,L7STS,503")
        + "primary,BACKEND,0,UP,,,,\n";
    let mut kv = json!({
        "/service/orders/config": json!({"ttl": 20, "loop_wait": 1, "retry_timeout": 3, "maximum_lag_on_failover": 1_048_576, "synchronous_mode": true}).to_string(),
        "/service/orders/initialize": SYSTEM,
        "/service/orders/leader": REGIONS[0],
        "/service/orders/status": "{\"optime\":67109000}",
        "/service/orders/sync": json!({"leader": REGIONS[0], "sync_standby": REGIONS[1]}).to_string(),
    });
    for (i, name) in REGIONS.iter().enumerate() {
        kv[format!("/service/orders/members/{name}")] = key(i).into();
    }
    json!({
        "rest": {"32210": member(0), "32211": member(1), "32212": member(2)},
        "etcd": {"32200": {"health": [200, "{\"health\":\"true\"}"], "members": [{"ID": "1", "clientURLs": ["http://127.0.0.1:32200"]}]}},
        "kv": kv,
        "haproxy": {"32231": table},
    })
}

/// What is null in the patch is taken away.
fn merge(into: &mut Value, patch: &Value) {
    let (Some(map), Some(patch)) = (into.as_object_mut(), patch.as_object()) else { return };
    for (name, value) in patch {
        match map.get_mut(name) {
            _ if value.is_null() => drop(map.remove(name)),
            Some(old) if old.is_object() && value.is_object() => merge(old, value),
            _ => drop(map.insert(name.clone(), value.clone())),
        }
    }
}

fn serve(listener: TcpListener, port: String, world: Arc<Value>) {
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (port, world) = (port.clone(), Arc::clone(&world));
            std::thread::spawn(move || talk(stream, &port, &world));
        }
    });
}

fn talk(mut stream: TcpStream, port: &str, world: &Value) -> Option<()> {
    if let Some(table) = world["haproxy"][port].as_str() {
        let mut line = [0; 4096];
        let read = stream.read(&mut line).ok()?;
        let is_stat = line[..read].starts_with(b"show stat");
        return stream.write_all(if is_stat { table.as_bytes() } else { b"\n" }).ok();
    }
    let (rest, etcd) = (&world["rest"][port], &world["etcd"][port]);
    if rest.is_null() && etcd.is_null() {
        // PostgreSQL: it lives, and lets nobody in.
        stream.read_exact(&mut [0; 8]).ok()?;
        stream.write_all(b"N").ok()?;
        let _ended = stream.read(&mut [0; 4096]);
        return Some(());
    }
    let (path, body) = request(&mut stream)?;
    if rest.is_object() {
        let answer = if rest[&path].is_null() { &rest["*"] } else { &rest[&path] };
        return say(&mut stream, answer);
    }
    let reply = match path.as_str() {
        "/health" => json!({"status": etcd["health"][0], "body": etcd["health"][1]}),
        _ if etcd["reply"].is_object() => etcd["reply"].clone(),
        "/v3/kv/txn" => {
            json!({"json": {"header": {"cluster_id": "1", "revision": "100"}, "succeeded": true, "responses": ranges(&world["kv"], &body)}})
        }
        "/v3/lease/timetolive" => {
            json!({"json": {"header": {"revision": "1"}, "ID": "777", "TTL": "18", "grantedTTL": "20"}})
        }
        "/v3/cluster/member/list" => json!({"json": {"header": {}, "members": etcd["members"]}}),
        _ => json!({"status": 404, "body": "404 page not found"}),
    };
    say(&mut stream, &reply)
}

/// The path and the body of a request.
fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    loop {
        let read = stream.read(&mut piece).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .filter_map(|l| l.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length: usize = length.and_then(|(_, n)| n.trim().parse().ok()).unwrap_or(0);
        if body.len() >= length {
            return Some((
                head.split(' ').nth(1)?.to_string(),
                serde_json::from_str(body).unwrap_or_default(),
            ));
        }
    }
}

fn say(stream: &mut TcpStream, answer: &Value) -> Option<()> {
    let status = answer["status"].as_u64().unwrap_or(200);
    let body = if answer["json"].is_null() {
        answer["body"].as_str().unwrap_or_default().to_string()
    } else {
        answer["json"].to_string()
    };
    let kind = answer["type"].as_str().unwrap_or("application/json");
    stream
        .write_all(format!("HTTP/1.0 {status} it\r\nContent-Type: {kind}\r\n\r\n{body}").as_bytes())
        .ok()?;
    while !answer["endless"].is_null() {
        stream.write_all(&[b' '; 1 << 16]).ok()?;
    }
    Some(())
}

/// The answers to the reads of a transaction.
fn ranges(kv: &Value, body: &Value) -> Vec<Value> {
    let bytes = |v: &Value| v.as_str().and_then(|t| STANDARD.decode(t).ok()).unwrap_or_default();
    let found = |range: &Value| {
        let (from, to) = (bytes(&range["key"]), bytes(&range["range_end"]));
        let is = |name: &str| {
            if to.is_empty() {
                name.as_bytes() == from
            } else {
                name.as_bytes() >= &*from && name.as_bytes() < &*to
            }
        };
        let pair = |(name, value): (&String, &Value)| {
            let mut key = json!({"key": STANDARD.encode(name), "value": STANDARD.encode(value.as_str().unwrap_or_default()), "create_revision": "10", "mod_revision": "20"});
            if name.ends_with("/leader") {
                key["lease"] = "777".into();
            }
            key
        };
        let list: Vec<Value> =
            kv.as_object().into_iter().flatten().filter(|(name, _)| is(name)).map(pair).collect();
        json!({"response_range": {"kvs": list}})
    };
    body["success"].as_array().into_iter().flatten().map(|part| found(&part["request_range"])).collect()
}

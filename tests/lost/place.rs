//! One etcd, a HAProxy and a stand-in for Patroni on loopback, each behind a proxy that can lose an answer.

use crate::promoter::Promoter;
use bpci::config;
use bpci::drivers::LiveDoor;
use bpci::engine::{Act, Door, Promotion, Sending};
use bpci::model::*;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How an answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lose {
    Nothing,
    Cut,
    Status(u16),
    /// A page with status 200.
    Page,
    /// Cut, and not only once.
    Always,
}

/// Before the change: the server never hears of it. After it: it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Before,
    After,
}

#[derive(Default)]
struct Orders {
    /// Words in the request, how it is lost, and when.
    lose: Option<(String, Lose, When)>,
    /// The request that did not arrive.
    kept: Vec<u8>,
    /// Requests that were passed on.
    passed: Vec<String>,
}

/// Passes each connection's one request on, unless it is told to lose it.
#[derive(Clone)]
pub struct Proxy {
    pub port: u16,
    to: u16,
    orders: Arc<Mutex<Orders>>,
}

impl Proxy {
    pub fn before(to: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("{e}"));
        let port = listener.local_addr().unwrap_or_else(|e| panic!("{e}")).port();
        let proxy = Proxy { port, to, orders: Arc::default() };
        let own = proxy.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let proxy = own.clone();
                std::thread::spawn(move || proxy.serve(stream));
            }
        });
        proxy
    }

    /// Loses the next request with these words in it; base64 is looked into.
    pub fn lose(&self, words: &str, how: Lose, when: When) {
        self.orders().lose = Some((words.to_string(), how, when)).filter(|(_, how, _)| *how != Lose::Nothing);
    }

    /// How many requests with these words were passed on.
    pub fn passed(&self, words: &str) -> usize {
        self.orders().passed.iter().filter(|r| r.contains(words)).count()
    }

    /// The request that was lost before it arrived, arrives.
    pub fn deliver(&self) -> String {
        let request = std::mem::take(&mut self.orders().kept);
        assert!(!request.is_empty(), "nothing was lost");
        String::from_utf8_lossy(&self.ask(&request)).into_owned()
    }

    fn orders(&self) -> std::sync::MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, request: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        if let Ok(mut server) = TcpStream::connect(("127.0.0.1", self.to)) {
            let _ = server.write_all(request);
            let _ = server.read_to_end(&mut answer);
        }
        answer
    }

    fn serve(&self, mut client: TcpStream) {
        let Some(request) = request(&mut client) else { return };
        let text = readable(&request);
        let lost = {
            let mut orders = self.orders();
            let hit = orders.lose.clone().filter(|(words, ..)| text.contains(words.as_str()));
            if hit.as_ref().is_some_and(|(_, how, _)| *how != Lose::Always) {
                orders.lose = None;
            }
            match &hit {
                Some((_, _, When::Before)) => orders.kept = request.clone(),
                _ => orders.passed.push(text),
            }
            hit
        };
        let answer = if matches!(lost, Some((_, _, When::Before))) { Vec::new() } else { self.ask(&request) };
        let page = |status: u16, body: &str| {
            format!(
                "HTTP/1.1 {status} x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )
        };
        let _ = match lost.map(|(_, how, _)| how) {
            None | Some(Lose::Nothing) => client.write_all(&answer),
            Some(Lose::Cut | Lose::Always) => Ok(()),
            Some(Lose::Status(status)) => client
                .write_all(page(status, r#"{"error":"etcdserver: request timed out","code":14}"#).as_bytes()),
            Some(Lose::Page) => client.write_all(page(200, "<html>sign in</html>").as_bytes()),
        };
        let _ = client.shutdown(Shutdown::Both);
    }
}

/// One request: HTTP with its body and no other after it, or a line.
fn request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut bytes, mut part) = (Vec::new(), [0u8; 4096]);
    loop {
        let n = client.read(&mut part).ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&part[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if !text.starts_with("POST") && !text.starts_with("GET") {
            if text.ends_with('\n') {
                return Some(bytes);
            }
            continue;
        }
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|l| {
            l.to_lowercase().strip_prefix("content-length:").and_then(|l| l.trim().parse::<usize>().ok())
        });
        if body.len() >= length.unwrap_or(0) {
            return Some(text.replacen("\r\n", "\r\nconnection: close\r\n", 1).into_bytes());
        }
    }
}

/// The request with the last part of each key that is changed spelled out.
fn readable(request: &[u8]) -> String {
    use base64::Engine as _;
    let text = String::from_utf8_lossy(request).into_owned();
    let puts = text.split("\"request_put\":{\"key\":\"").skip(1).filter_map(|t| t.split('"').next());
    let keys: Vec<String> = puts
        .filter_map(|k| base64::engine::general_purpose::STANDARD.decode(k).ok())
        .map(|k| String::from_utf8_lossy(&k).rsplit('/').next().unwrap_or_default().to_string())
        .collect();
    format!("{text} {}", keys.join(" "))
}

/// A port for a server that is about to start, given to nobody else meanwhile: below those that the system gives out by itself.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(24_000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn wait(what: &str, test: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !test() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// A HAProxy with one server for each region.
#[derive(Clone)]
pub struct Balancer {
    port: u16,
    pub proxy: Proxy,
}

impl Balancer {
    fn ask(&self, line: &str) -> String {
        let mut text = String::new();
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = stream.write_all(format!("{line}\n").as_bytes());
            let _ = stream.read_to_string(&mut text);
        }
        text
    }

    pub fn set(&self, state: &str) {
        self.ask(&format!("set server primary/us-east-1 state {state}"));
    }

    pub fn is_out(&self) -> bool {
        self.ask("show stat").lines().any(|l| l.starts_with("primary,us-east-1,") && l.contains(",MAINT,"))
    }
}

/// Everything that effects are sent to.
pub struct Place {
    pub owner: Owner,
    pub store: Proxy,
    pub patroni: Proxy,
    balancer: Balancer,
    etcd_port: u16,
    children: Vec<Child>,
    directory: tempfile::TempDir,
    estate: Arc<Estate>,
    runtime: Option<tokio::runtime::Runtime>,
    door: Option<LiveDoor>,
    promoter: Option<Promoter>,
    began: Instant,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Place {
    pub fn new() -> Place {
        Place::with(false)
    }

    /// With a first endpoint that is no etcd.
    pub fn with_stranger() -> Place {
        Place::with(true)
    }

    /// With the claim taken.
    pub fn claimed() -> Place {
        let mut place = Place::new();
        let owner = place.owner.clone();
        let outcome = place.submit(crate::id(0), crate::claim(&owner, None));
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
        place
    }

    fn with(stranger: bool) -> Place {
        let _ = rustls_provider();
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let (etcd_port, peer, runtime_api) = (free_port(), free_port(), free_port());
        let mut children = vec![etcd(directory.path(), etcd_port, peer)];
        children.push(haproxy(directory.path(), runtime_api));
        let (store, patroni) = (Proxy::before(etcd_port), Proxy::before(patroni_stands_in()));
        let balancer = Balancer { port: runtime_api, proxy: Proxy::before(runtime_api) };
        let first =
            if stranger { format!("\"http://127.0.0.1:{}\", ", page_server()) } else { String::new() };
        let text = format!(
            "name: lost\nservices:\n  orders-db:\n    tier: 1\n    patroni:\n      scope: orders\n      members: {{ us-east-1: \"http://127.0.0.1:{patroni}\", eu-west-1: \"http://127.0.0.1:1\" }}\n      etcd: [{first}\"http://127.0.0.1:{store}\"]\n    fence: {{ exec: [sh, -c, \"echo x >> {dir}/fenced; sleep 2\"], check: [\"true\"], undo: [\"true\"], timeout: 20s }}\n    traffic: {{ haproxy: {{ runtime_api: [\"127.0.0.1:{balancer}\"], backend: primary }} }}\n",
            patroni = patroni.port,
            store = store.port,
            balancer = balancer.proxy.port,
            dir = directory.path().display(),
        );
        let estate = Arc::new(config::parse("lost.yaml", &text).unwrap_or_else(|e| panic!("{e}")).estate);
        let owner =
            Owner { journal: "ours".to_string(), boot: "this".to_string(), nonce: "first".to_string() };
        let mut place = Place {
            owner,
            store,
            patroni,
            balancer,
            etcd_port,
            children,
            directory,
            estate,
            runtime: None,
            door: None,
            promoter: None,
            began: Instant::now(),
        };
        wait("etcd", || place.etcdctl(&["endpoint", "health"]).is_some());
        wait("HAProxy", || place.balancer.ask("show info").contains("Version"));
        place.put("/service/orders/initialize", "7");
        place.put("/service/orders/leader", "us-east-1");
        place.put("/service/orders/sync", r#"{"leader":"us-east-1","sync_standby":"eu-west-1"}"#);
        place.put(
            "/service/orders/config",
            r#"{"ttl":20,"loop_wait":1,"retry_timeout":3,"synchronous_mode":true}"#,
        );
        for (name, port) in [("us-east-1", place.patroni.port), ("eu-west-1", 1)] {
            let member = format!(
                r#"{{"api_url":"http://127.0.0.1:{port}/patroni","conn_url":"postgres://127.0.0.1:1/postgres"}}"#
            );
            place.put(&format!("/service/orders/members/{name}"), &member);
        }
        place.reopen();
        assert!(stranger || place.until_store(Duration::from_secs(5)).is_some());
        place
    }

    /// The door of another process on the same directory.
    pub fn reopen(&mut self) {
        self.door = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap_or_else(|e| panic!("{e}"));
        let entered = runtime.enter();
        let door = LiveDoor::open(&self.estate, self.directory.path(), self.began, self.owner.clone());
        drop(entered);
        self.door = Some(door.unwrap_or_else(|e| panic!("{e}")));
        self.runtime = Some(runtime);
    }

    pub fn send(&mut self, id: EffectId, effect: Effect) {
        let (Some(runtime), Some(door)) = (&self.runtime, &mut self.door) else { panic!("closed") };
        let _entered = runtime.enter();
        let act = Act::of(Issued { id, effect }).unwrap_or_else(|| panic!("it promotes"));
        door.submit(Now::default(), Sending::Act(act));
    }

    pub fn submit(&mut self, id: EffectId, effect: Effect) -> Outcome {
        self.send(id, effect);
        self.report(id)
    }

    pub fn find_out(&mut self, id: EffectId, effect: Effect) -> Outcome {
        self.look_for(Issued { id, effect });
        self.report(id)
    }

    fn look_for(&mut self, issued: Issued) {
        self.look(Look::Outcome { issued: Box::new(issued) });
    }

    fn look(&mut self, look: Look) {
        let (Some(runtime), Some(door)) = (&self.runtime, &mut self.door) else { panic!("closed") };
        let _entered = runtime.enter();
        door.look(Now::default(), look);
    }

    fn report(&mut self, id: EffectId) -> Outcome {
        let found = self.until(Duration::from_secs(60), |incoming| match incoming {
            Incoming::Report(report) if report.id == id => Some(report.outcome),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("no report of {id}"))
    }

    /// What the store says next.
    pub fn until_store(&mut self, within: Duration) -> Option<StoreRecord> {
        self.until(within, |incoming| match incoming {
            Incoming::Observed(Observation { fact: Fact::Store { record, .. }, .. }) => Some(*record),
            _ => None,
        })
    }

    fn until<T>(&mut self, within: Duration, pick: impl Fn(Incoming) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            let incoming = self.door.as_mut().map(|d| d.poll(Mono::default())).unwrap_or_default();
            if let Some(found) = incoming.into_iter().find_map(&pick) {
                return Some(found);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    pub fn balancer(&self) -> Balancer {
        self.balancer.clone()
    }

    /// How often the fence has struck.
    pub fn fenced(&self) -> usize {
        std::fs::read_to_string(self.directory.path().join("fenced")).unwrap_or_default().lines().count()
    }

    pub fn wait_for_fence(&self) {
        wait("the fence to begin", || self.fenced() > 0);
    }

    /// The promotion that an engine decides on with what stands in the store now.
    pub fn promotion(&mut self) -> Promotion {
        let deadline = Instant::now() + Duration::from_secs(10);
        let until = self.now().mono.plus(Span::secs(10));
        self.look(Look::Closely { group: crate::GROUP, every: Span::ms(100), until });
        while Instant::now() < deadline {
            let store = self.until(Duration::from_secs(5), |incoming| match incoming {
                Incoming::Observed(o) if matches!(o.fact, Fact::Store { .. }) => Some(o),
                _ => None,
            });
            let now = self.now();
            let promoter = self.promoter.get_or_insert_with(|| Promoter::new(&self.estate, &self.owner));
            if let Some(promotion) = store.and_then(|store| promoter.sees(now, store)) {
                return promotion;
            }
        }
        panic!("no promotion: {}", self.promoter.as_ref().map(Promoter::stands).unwrap_or_default());
    }

    /// Carries it out.
    pub fn promote(&mut self, promotion: Promotion) -> Outcome {
        let (id, now) = (promotion.id(), self.now());
        {
            let (Some(runtime), Some(door)) = (&self.runtime, &mut self.door) else { panic!("closed") };
            let _entered = runtime.enter();
            door.submit(now, Sending::Promotion(promotion));
        }
        self.heard(id)
    }

    /// The report, of which the engine hears.
    fn heard(&mut self, id: EffectId) -> Outcome {
        let outcome = self.report(id);
        let report = Report { id, at: self.now().mono, took: Span::ZERO, outcome: outcome.clone() };
        let now = self.now();
        if let Some(promoter) = &mut self.promoter {
            promoter.hears(now, report);
        }
        outcome
    }

    /// Finds out what became of a promotion, of which the engine hears.
    pub fn find_out_of(&mut self, record: Issued) -> Outcome {
        let id = record.id;
        self.look_for(record);
        self.heard(id)
    }

    fn now(&self) -> Now {
        let mono = Mono(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX));
        Now { utc: Utc(i64::try_from(mono.0).unwrap_or_default()), mono }
    }

    fn etcdctl(&self, arguments: &[&str]) -> Option<String> {
        let endpoint = format!("--endpoints=127.0.0.1:{}", self.etcd_port);
        let output =
            Command::new("etcdctl").arg(endpoint).args(arguments).env("ETCDCTL_API", "3").output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    pub fn put(&self, key: &str, value: &str) {
        assert!(self.etcdctl(&["put", key, value]).is_some(), "{key}");
    }

    fn key(&self, key: &str) -> Option<serde_json::Value> {
        let text = self.etcdctl(&["get", key, "-w", "json"])?;
        let value: serde_json::Value = serde_json::from_str(&text).ok()?;
        value["kvs"].as_array()?.first().cloned()
    }

    pub fn value(&self, key: &str) -> String {
        self.etcdctl(&["get", key, "--print-value-only"]).unwrap_or_default().trim().to_string()
    }

    /// How often the key was written since it was made.
    pub fn version(&self, key: &str) -> u64 {
        self.key(key).map_or(0, |k| number(&k["version"]))
    }
}

fn number(value: &serde_json::Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn rustls_provider() -> Result<(), Arc<rustls::crypto::CryptoProvider>> {
    rustls::crypto::aws_lc_rs::default_provider().install_default()
}

fn etcd(directory: &std::path::Path, port: u16, peer: u16) -> Child {
    let (client, peer) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peer}"));
    Command::new("etcd")
        .args([
            "--data-dir",
            &directory.join("etcd").display().to_string(),
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
        ])
        .args([
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
            "--initial-cluster",
            &format!("default={peer}"),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("etcd: {e}"))
}

fn haproxy(directory: &std::path::Path, port: u16) -> Child {
    let file = directory.join("haproxy.cfg");
    let text = format!(
        "global\n  stats socket ipv4@127.0.0.1:{port} level admin\ndefaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\nbackend primary\n  server us-east-1 127.0.0.1:1\n  server eu-west-1 127.0.0.1:2\nlisten unused\n  bind 127.0.0.1:{}\n  server nobody 127.0.0.1:3\n",
        free_port()
    );
    std::fs::write(&file, text).unwrap_or_else(|e| panic!("{e}"));
    let mut command = Command::new("haproxy");
    command.args(["-db", "-f"]).arg(file).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|e| panic!("haproxy: {e}"))
}

/// Answers every request like a Patroni that has switched over.
fn patroni_stands_in() -> u16 {
    answers("Successfully switched over to \"eu-west-1\"")
}

/// A web server that is no etcd.
fn page_server() -> u16 {
    answers("<html>sign in</html>")
}

fn answers(body: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("{e}"));
    let port = listener.local_addr().unwrap_or_else(|e| panic!("{e}")).port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                if request(&mut stream).is_some() {
                    let _ = write!(
                        stream,
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                }
            });
        }
    });
    port
}

//! etcd's own login, on a real etcd that this test starts.

use super::etcd::{Compare, Etcd, Transacted, operation_key, put};
use crate::model::Database;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

struct Server {
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_url() -> String {
    let address =
        TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).unwrap_or_else(|e| panic!("{e}"));
    format!("http://{address}")
}

fn start(directory: &Path, client: &str, peer: &str) -> Server {
    let mut command = Command::new("etcd");
    command.args([
        "--name",
        "t",
        "--log-level",
        "error",
        "--listen-client-urls",
        client,
        "--advertise-client-urls",
        client,
    ]);
    command.args([
        "--listen-peer-urls",
        peer,
        "--initial-advertise-peer-urls",
        peer,
        "--initial-cluster",
        &format!("t={peer}"),
        "--data-dir",
    ]);
    command.arg(directory.join("data")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap_or_else(|e| panic!("etcd: {e}; tests/run installs it"));
    let server = Server { child };
    let began = Instant::now();
    while !is_healthy(client) {
        assert!(began.elapsed() < Duration::from_secs(60), "etcd does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}

/// `/health` needs no login.
fn is_healthy(client: &str) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::net::TcpStream::connect(client.trim_start_matches("http://")) else {
        return false;
    };
    let mut text = String::new();
    let asked =
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").and_then(|()| stream.read_to_string(&mut text));
    asked.is_ok() && text.contains("\"health\":\"true\"")
}

fn ctl(endpoint: &str, arguments: &[&str], user: Option<&str>) -> bool {
    let mut command = Command::new("etcdctl");
    command.env("ETCDCTL_API", "3").args(["--endpoints", endpoint]).args(user.map(|u| format!("--user={u}")));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|s| s.success())
}

fn enable_login(endpoint: &str) {
    let all: &[&[&str]] = &[
        &["user", "add", "root:rootpw"],
        &["user", "grant-role", "root", "root"],
        &["role", "add", "bpci"],
        &["role", "grant-permission", "bpci", "--prefix=true", "readwrite", "/service/"],
        &["role", "grant-permission", "bpci", "--prefix=true", "readwrite", "/bpci/"],
        &["user", "add", "bpci:secret"],
        &["user", "grant-role", "bpci", "bpci"],
        &["auth", "enable"],
    ];
    for arguments in all {
        assert!(ctl(endpoint, arguments, None), "etcdctl {arguments:?}");
    }
}

/// The database of a configuration with this block of etcd.
fn database(etcd: &str) -> Database {
    let text = format!(
        "services:\n  db:\n    patroni:\n      scope: orders\n      members: {{ a: \"http://127.0.0.1:1\" }}\n      etcd: {etcd}\n      auth: {{ user: adm, password_file: /nowhere }}\n"
    );
    let estate = crate::config::parse("login.yaml", &text).unwrap_or_else(|e| panic!("{e}")).estate;
    estate.groups[0].database.clone().unwrap_or_else(|| panic!("no database"))
}

fn secret(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
    file.and_then(|mut f| std::io::Write::write_all(&mut f, text.as_bytes()))
        .unwrap_or_else(|e| panic!("{e}"));
    path.display().to_string()
}

/// A change that happens only if nothing stands there yet, so that one that is sent twice is seen to be.
async fn claim(etcd: &Etcd, database: &Database, value: &str) -> Transacted {
    let key = operation_key(database);
    etcd.transact(database, &[Compare::At(key.clone(), None)], vec![put(&key, value)]).await
}

#[test]
fn etcd_with_a_login_of_its_own() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let (client, peer) = (free_url(), free_url());
    let server = start(directory.path(), &client, &peer);
    let right = secret(directory.path(), "pw", "secret\n");
    let block =
        |password: &str| format!("{{ endpoints: [\"{client}\"], user: bpci, password_file: {password} }}");
    let (with_login, without) = (database(&block(&right)), database(&format!("[\"{client}\"]")));
    let open = |d: &Database| Etcd::new(d).unwrap_or_else(|e| panic!("{e}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap_or_else(|e| panic!("{e}"));
    let etcd = Arc::new(open(&with_login));

    // Authentication is off: the login is not needed, and does no harm.
    runtime.block_on(async { etcd.read(&with_login).await }).unwrap_or_else(|e| panic!("{e}"));
    enable_login(&client);
    // It was turned on meanwhile: the login is made.
    runtime.block_on(async { etcd.read(&with_login).await }).unwrap_or_else(|e| panic!("{e}"));

    let told = runtime.block_on(async { open(&without).read(&without).await.err() }).unwrap_or_default();
    assert!(told.contains("user name is empty") && told.contains("etcd: { endpoints"), "{told}");
    let wrong = database(&block(&secret(directory.path(), "wrong", "no\n")));
    let told = runtime.block_on(async { open(&wrong).read(&wrong).await.err() }).unwrap_or_default();
    assert!(told.contains("authentication failed") && told.contains("password_file"), "{told}");

    // A restart forgets every token: looks at once get new ones, and a change that was refused for its token is sent once more.
    drop(server);
    let server = start(directory.path(), &client, &peer);
    let happened = runtime.block_on(claim(&etcd, &with_login, "one"));
    assert!(matches!(happened, Transacted::Happened(_)), "the first change after a restart");
    let again = runtime.block_on(claim(&etcd, &with_login, "two"));
    assert!(matches!(again, Transacted::Held(_)), "it stands already");
    drop(server);
    let _server = start(directory.path(), &client, &peer);
    runtime.block_on(async {
        let look = || {
            let (etcd, database) = (Arc::clone(&etcd), with_login.clone());
            // On a busy machine it may take a while to answer in time.
            tokio::spawn(async move {
                let mut read = etcd.read(&database).await;
                for _ in 0..50 {
                    if read.is_ok() {
                        break;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    read = etcd.read(&database).await;
                }
                read
            })
        };
        for look in (0..20).map(|_| look()).collect::<Vec<_>>() {
            look.await.unwrap_or_else(|e| panic!("{e}")).unwrap_or_else(|e| panic!("{e}"));
        }
    });
    // A user without the permission is refused, and told so.
    assert!(ctl(
        &client,
        &["role", "revoke-permission", "bpci", "--prefix=true", "/bpci/"],
        Some("root:rootpw")
    ));
    let refused = runtime.block_on(claim(&etcd, &with_login, "three"));
    let reason = if let Transacted::Refused(reason) = &refused { reason.as_str() } else { "" };
    // The users have changed since the token was given: the change is not sent twice for that.
    assert!(reason.contains("auth store is old") || reason.contains("permission denied"), "{reason}");
    let told = runtime.block_on(async { etcd.read(&with_login).await.err() }).unwrap_or_default();
    assert!(told.contains("grant the user"), "{told}");
}

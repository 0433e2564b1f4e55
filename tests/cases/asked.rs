//! What is asked of systems, and which login goes to whom.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What each caller sent.
type Heard = Arc<Mutex<Vec<String>>>;

/// A server that gives every caller this answer, and keeps what each sent.
fn server(answer: &'static str) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("{e}"));
    let port = listener.local_addr().unwrap_or_else(|e| panic!("{e}")).port();
    let heard = Heard::default();
    let kept = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), kept) = (stream, Arc::clone(&kept)) else { return };
            std::thread::spawn(move || talk(stream, answer, &kept));
        }
    });
    (port, heard)
}

fn talk(mut stream: TcpStream, answer: &str, kept: &Heard) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let mut piece = [0; 8192];
    let read = stream.read(&mut piece).unwrap_or(0);
    if let Ok(mut kept) = kept.lock() {
        kept.push(String::from_utf8_lossy(&piece[..read]).into_owned());
    }
    let _ = stream.write_all(answer.as_bytes());
}

fn text_of(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cases").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn bpci(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bpci"));
    command
        .args(arguments)
        .env("BPCI_DATA", directory)
        .env("BPCI_CONFIG", directory)
        .current_dir("/")
        .stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|e| panic!("{e}"));
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap_or_else(|e| panic!("{e}"));
    path.display().to_string()
}

/// Ends a process with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server whose certificate nobody trusts.
fn untrusted(directory: &Path) -> (u16, Ended) {
    let (key, cert) = (directory.join("k.pem"), directory.join("c.pem"));
    let mut make = Command::new("openssl");
    make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=x", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert);
    let made = make.stderr(Stdio::null()).status().unwrap_or_else(|e| panic!("openssl: {e}"));
    assert!(made.success());
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .unwrap_or_else(|e| panic!("{e}"))
        .port();
    let mut serve = Command::new("openssl");
    serve
        .args(["s_server", "-quiet", "-www", "-accept", &format!("127.0.0.1:{port}"), "-key"])
        .arg(&key)
        .arg("-cert")
        .arg(&cert);
    let server = Ended(
        serve
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{e}")),
    );
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "openssl s_server does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    (port, server)
}

/// A redirect is the answer that it is; what could not be asked has its reason, and does not look dead.
#[test]
fn health_checks_tell_their_reasons() {
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let (redirects, heard) =
        server("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let (tls, _server) = untrusted(directory.path());
    let text = text_of("health/redirects.yaml")
        .replace("32290", &redirects.to_string())
        .replace("32291", &tls.to_string());
    let refused = "  gone: { health: { tcp: \"127.0.0.1:1\" } }\n";
    let detection = "disaster_recovery:\n  detection: { health_check_interval: 500ms }\n";
    let config = write(directory.path(), "estate.yaml", &(text + refused + detection));
    let screen = bpci(
        directory.path(),
        &["--config", &config, "--once", "--screen", "services", "--after", "4s", "--size", "118x30"],
    );
    let row = |name: &str| {
        screen.lines().find(|l| l.split_whitespace().nth(1) == Some(name)).unwrap_or_default().to_string()
    };
    assert!(row("sso").contains("OK"), "{screen}");
    assert!(
        row("portal").contains("DOWN") && row("portal").contains("HTTP 302 to /login, not 200"),
        "{screen}"
    );
    assert!(row("tls").contains("UNKNOWN") && row("tls").contains("certificate not trusted"), "{screen}");
    assert!(
        row("nowhere").contains("UNKNOWN") && row("nowhere").contains("name not known: no-such-name.invalid"),
        "{screen}"
    );
    assert!(row("gone").contains("DOWN") && row("gone").contains("connection refused"), "{screen}");
    let heard = heard.lock().map(|h| h.clone()).unwrap_or_default();
    assert!(
        !heard.is_empty() && heard.iter().all(|request| request.starts_with("GET / ")),
        "a redirect was followed: {heard:?}"
    );
}

/// Patroni's password goes to Patroni alone: neither etcd nor a health check gets it, nor whoever Patroni's port sends us to.
#[test]
fn the_rest_password_goes_to_patroni_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
    let (etcd, to_etcd) = server("HTTP/1.1 400 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let (elsewhere, to_elsewhere) =
        server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    let away: &'static str = Box::leak(
        format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_boxed_str(),
    );
    let (patroni, to_patroni) = server(away);
    let text = text_of("login-of-the-store.yaml")
        .replace("32250", &etcd.to_string())
        .replace("32210", &patroni.to_string());
    let config = write(directory.path(), "estate.yaml", &text);
    let password = write(directory.path(), "pw", "secret\n");
    let mode = |mode| {
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(mode))
            .unwrap_or_else(|e| panic!("{e}"))
    };
    // The relative path is relative to the file; a password that others can read is refused, with the remedy.
    mode(0o644);
    let refused = bpci(directory.path(), &["bc", "status", "--config", &config]);
    assert!(refused.contains(&format!("chmod 600 {password}")), "{refused}");
    let checked = bpci(directory.path(), &["config", "check", &config]);
    assert!(checked.contains(&format!("{config}:17:")) && checked.contains("chmod 600"), "{checked}");
    mode(0o600);
    bpci(directory.path(), &["bc", "status", "--config", &config]);
    let with_login = |heard: &Heard| {
        let heard = heard.lock().map(|h| h.clone()).unwrap_or_default();
        let logins = heard.iter().filter(|request| request.to_lowercase().contains("authorization")).count();
        (heard.len(), logins)
    };
    let (asked, logins) = with_login(&to_patroni);
    assert!(asked > 0 && logins == asked, "Patroni got {logins} logins in {asked} requests");
    let (asked, logins) = with_login(&to_etcd);
    assert!(asked > 0 && logins == 0, "etcd got {logins} logins in {asked} requests");
    assert_eq!(with_login(&to_elsewhere), (0, 0), "a redirect was followed");
}

//! `config init --patroni`: a configuration from what a running cluster tells.

use bpci::config::{self, Given, Replies};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::Duration;

const STATUS: &str = include_str!("data/init/patroni.json");
const CLUSTER: &str = include_str!("data/init/cluster.json");
const SETTINGS: &str = include_str!("data/init/config.json");

fn given() -> Given {
    Given {
        url: "https://127.0.1.11:28008".to_string(),
        login: None,
        login_needed: true,
        ca: Some("/etc/bpci/ca.crt".to_string()),
    }
}

fn written(status: &str, cluster: &str, settings: &str, given: &Given) -> String {
    let found =
        config::read_replies(&Replies { status, cluster, settings }).unwrap_or_else(|e| panic!("{e}"));
    config::draft(&found, given)
}

/// As a person does who takes every proposal.
fn filled_in(text: &str) -> String {
    let line = |line: &str| {
        line.split_once(config::MARK)
            .map_or_else(|| line.to_string(), |(before, _)| before.trim_end().to_string())
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_cluster_with_two_members_in_one_region_is_written_whole() {
    let text = written(STATUS, CLUSTER, SETTINGS, &given());
    let marks = config::unfilled("e.yaml", &text);
    assert!(marks.len() >= 6, "{marks:#?}");
    // Comments stand under what they are about.
    assert!(text.lines().skip(4).all(|line| !line.starts_with('#')), "{text}");
    // While a mark is left, the file means nothing.
    let refused = config::parse("e.yaml", &text).err().unwrap_or_else(|| panic!("accepted with marks"));
    assert!(marks.iter().all(|mark| refused.list().contains(mark)), "{refused}");

    let loaded = config::parse("e.yaml", &filled_in(&text)).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let estate = loaded.estate;
    let regions: Vec<&str> = estate.regions.iter().map(|r| r.name.as_str()).collect();
    assert_eq!((estate.name.as_str(), regions), ("shop", vec!["frankfurt", "dublin"]));
    let database =
        estate.groups.iter().find_map(|g| g.database.as_ref()).unwrap_or_else(|| panic!("no database"));
    assert_eq!(database.scope, "shop");
    let members: Vec<(&str, &str, &str)> = database
        .members
        .iter()
        .map(|m| {
            (m.name.as_deref().unwrap_or_default(), m.rest.as_str(), estate.region(m.region).name.as_str())
        })
        .collect();
    let expected = [
        ("pg-a1", "https://127.0.1.11:28008", "frankfurt"),
        ("pg-a2", "https://127.0.1.12:28008", "frankfurt"),
        ("pg-b1", "https://127.0.1.13:28008", "dublin"),
    ];
    assert_eq!(members, expected);
    assert!(database.sql.is_some() && database.login.is_some());
}

#[test]
fn what_was_found_is_read_in_the_words_of_two_patronis() {
    let found = config::read_replies(&Replies { status: STATUS, cluster: CLUSTER, settings: SETTINGS })
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(found.synchronous && found.members.first().is_some_and(|m| m.leads));
    assert_eq!(found.members.iter().filter(|m| m.synchronous).count(), 1);
    assert_eq!(found.members.first().and_then(|m| m.sql.as_deref()), Some("127.0.1.11:25432"));
    // 4.x: other words, and a region that the name tells.
    let status = r#"{"state":"streaming","role":"replica","server_version":170002,"patroni":{"version":"4.1.5","scope":"dr","name":"b"}}"#;
    let cluster = r#"{"scope":"dr","members":[
        {"name":"b","role":"quorum_standby","state":"streaming","api_url":"http://db.eu-west-1.example.com:8008/patroni","host":"db.eu-west-1.example.com","port":"5432","tags":{}},
        {"name":"a","role":"leader","state":"running","api_url":"http://[fd00::1]:8008/patroni","host":"fd00::1","port":5432}]}"#;
    let found =
        config::read_replies(&Replies { status, cluster, settings: r#"{"synchronous_mode":"quorum"}"# })
            .unwrap_or_else(|e| panic!("{e}"));
    let members: Vec<_> = found
        .members
        .iter()
        .map(|m| {
            (m.name.as_str(), m.rest.as_str(), m.sql.as_deref(), m.region.as_ref().map(|r| r.0.as_str()))
        })
        .collect();
    let a = ("a", "http://[fd00::1]:8008", Some("[fd00::1]:5432"), None);
    let b = (
        "b",
        "http://db.eu-west-1.example.com:8008",
        Some("db.eu-west-1.example.com:5432"),
        Some("eu-west-1"),
    );
    assert_eq!((members, found.synchronous), (vec![a, b], true));
    let text = written(status, cluster, "{}", &Given::default());
    let marked = text.lines().filter(|l| l.contains("unknown-1") && l.contains(config::MARK)).count();
    assert_eq!(marked, 1, "{text}");
}

/// Names come from outside: none makes a line of its own, a mark, or a character that acts on a terminal.
#[test]
fn names_from_outside_stay_names() {
    let names = [
        "a\nservices: {}",
        "\"quoted\\\"",
        "# FILL IN: nothing",
        "x: y",
        "\u{202e}evil",
        "\u{7}bell",
        "yes",
        "0x10",
        "名前",
        "- a",
        "'",
    ];
    for name in names {
        let member = serde_json::json!({"name": name, "role": "leader", "api_url": "http://h:8008/patroni", "host": "h", "port": 5432, "tags": {"region": name}});
        let cluster = serde_json::json!({"members": [member]}).to_string();
        let status =
            serde_json::json!({"state": "running", "patroni": {"scope": name, "version": name}}).to_string();
        let calm = written(
            STATUS,
            &cluster.replace(&serde_json::json!(name).to_string(), "\"plain\""),
            "{}",
            &given(),
        );
        let text = written(&status, &cluster, "{}", &Given { url: name.to_string(), ..given() });
        assert_eq!(text.lines().count(), calm.lines().count(), "{name:?}\n{text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n' || c == '\u{202e}'), "{name:?}");
        match config::parse("e.yaml", &filled_in(&text)) {
            Ok(loaded) => {
                let database = loaded.estate.groups.iter().find_map(|g| g.database.as_ref());
                let member =
                    database.and_then(|d| d.members.first()).unwrap_or_else(|| panic!("{name:?}\n{text}"));
                assert_eq!(member.name.as_deref(), Some(name));
            }
            // A name that the file may not hold is refused where it stands.
            Err(mistakes) => {
                assert!(mistakes.list().iter().all(|m| m.at.line > 1), "{name:?}: {mistakes}\n{text}")
            }
        }
    }
}

#[test]
fn a_standby_cluster_and_what_is_no_patroni_are_refused() {
    let refused = |status, cluster, settings| {
        config::read_replies(&Replies { status, cluster, settings }).err().unwrap_or_default()
    };
    assert!(refused(STATUS, CLUSTER, r#"{"standby_cluster":{"host":"h"}}"#).contains("standby cluster"));
    let standby = CLUSTER.replace("\"leader\"", "\"standby_leader\"");
    assert!(refused(STATUS, &standby, SETTINGS).contains("standby cluster"));
    for other in ["", "<html>", "{}", "[]", "{\"state\":1}", "null", "\"\""] {
        assert!(!refused(other, CLUSTER, SETTINGS).is_empty(), "{other}");
        assert!(!refused(STATUS, other, SETTINGS).is_empty(), "{other}");
    }
    assert!(refused(STATUS, "{\"members\":[]}", SETTINGS).contains("no member"));
}

/// An address at which each caller gets this answer to whatever it says.
fn answers(text: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("{e}"));
    let address = listener.local_addr().unwrap_or_else(|e| panic!("{e}"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(text);
            if text.is_empty() {
                std::thread::sleep(Duration::from_secs(10));
            }
        }
    });
    address.to_string()
}

fn init(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bpci"))
        .args(["config", "init"])
        .args(arguments)
        .output()
        .unwrap_or_else(|e| panic!("{e}"))
}

/// Each with its reason and a remedy, exit status 1, and nothing on standard output.
#[test]
fn an_address_that_is_no_member_is_told_with_a_remedy() {
    let http = |text| format!("http://{}", answers(text));
    let tls = |text| format!("https://{}", answers(text));
    for (url, reason, remedy) in [
        (http(b"HTTP/1.1 401 no\r\nContent-Length: 0\r\n\r\n"), "401", "--user"),
        (http(b"HTTP/1.1 404 no\r\nContent-Length: 0\r\n\r\n"), "not Patroni", "REST address"),
        (
            http(b"HTTP/1.1 302 go\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"),
            "redirects to http://elsewhere/",
            "name the member",
        ),
        (
            http(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"),
            "what Patroni does not answer",
            "REST address",
        ),
        (http(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), "not Patroni", "REST address"),
        (http(b"SSH-2.0-OpenSSH_9.2\r\n"), "did not answer as HTTP", "https://"),
        (tls(b"HTTP/1.1 400 this is no TLS\r\n\r\n"), "does not speak TLS", "http://"),
        (http(b""), "did not answer within", "firewall"),
        ("http://127.0.0.1:1".to_string(), "refused", "port"),
        ("http://no-such-host.invalid:8008".to_string(), "no-such-host.invalid", "host name"),
    ] {
        let output = init(&["--patroni", &url]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{url}: {told}");
        assert!(told.contains(reason) && told.contains(remedy), "{url}: {told}");
    }
    assert_eq!(init(&["--patroni", "10.0.0.1:8008"]).status.code(), Some(2));
    assert_eq!(init(&["--patroni", "http://127.0.0.1:1", "--user", "u"]).status.code(), Some(2));
    let output = init(&["--patroni", "https://127.0.0.1:1", "--ca", "/nowhere/ca.crt"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere/ca.crt"));
}

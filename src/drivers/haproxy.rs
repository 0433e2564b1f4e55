//! HAProxy's runtime API: one line a connection; an answer of empty lines means done.

use crate::model::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TIMEOUT: Duration = Duration::from_millis(500);
const MAX_ANSWER: u64 = 4 << 20;

/// Sends one line of commands.
///
/// # Errors
/// No answer in time; `true` beside the text if the command may have been heard.
pub async fn ask(address: &str, command: &str) -> Result<String, (String, bool)> {
    let connect = tokio::time::timeout(TIMEOUT, TcpStream::connect(address));
    let mut stream = match connect.await {
        Err(_) => return Err(("no answer in time".to_string(), false)),
        Ok(Err(e)) => return Err((e.to_string(), false)),
        Ok(Ok(stream)) => stream,
    };
    let talk = async {
        stream.write_all(format!("{command}\n").as_bytes()).await?;
        let mut text = String::new();
        stream.take(MAX_ANSWER).read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(text)
    };
    match tokio::time::timeout(TIMEOUT, talk).await {
        Err(_) => Err(("no answer in time".to_string(), true)),
        Ok(Err(e)) => Err((e.to_string(), true)),
        // HAProxy ends the answer to each command with an empty line: without it the connection was cut.
        Ok(Ok(text)) if text.matches('\n').count() < command.split(';').count() => Err(("the connection was cut".to_string(), true)),
        Ok(Ok(text)) => Ok(text),
    }
}

/// One server line of `show stat`.
#[derive(Debug, PartialEq, Eq)]
pub struct Server {
    pub name: String,
    pub status: String,
    pub check: String,
    pub address: String,
}

/// Reads `show stat` by the names of its columns.
///
/// # Errors
/// It is no such table, or has no such backend.
pub fn parse_servers(text: &str, backend: &str) -> Result<Vec<Server>, String> {
    let text = text.strip_prefix("# ").ok_or("not an answer of HAProxy's")?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|e| e.to_string())?.clone();
    let column = |name: &str| headers.iter().position(|h| h == name).ok_or_else(|| format!("no column {name}"));
    let (proxy, server, status, check) = (column("pxname")?, column("svname")?, column("status")?, column("check_status")?);
    let address = column("addr").ok();
    let mut servers = Vec::new();
    let mut found = false;
    for row in reader.records() {
        let row = row.map_err(|e| e.to_string())?;
        if row.get(proxy) != Some(backend) {
            continue;
        }
        found = true;
        let name = row.get(server).unwrap_or_default();
        if matches!(name, "FRONTEND" | "BACKEND") {
            continue;
        }
        let of = |i: usize| row.get(i).unwrap_or_default().to_string();
        servers.push(Server { name: name.to_string(), status: of(status), check: of(check), address: address.map(of).unwrap_or_default() });
    }
    if found { Ok(servers) } else { Err(format!("it has no backend `{backend}`")) }
}

/// The servers as the engine knows them: matched by address, else by name.
pub fn server_views(servers: Vec<Server>, members: &[MemberKey], name_of: impl Fn(&str) -> Option<MemberId>) -> Vec<ServerView> {
    let member =
        |s: &Server| members.iter().find(|m| m.sql.as_deref() == Some(s.address.as_str())).and_then(|m| m.member).or_else(|| name_of(&s.name));
    let view = |s: Server| ServerView {
        member: member(&s),
        up: s.status.starts_with("UP") || s.status == "no check",
        maintenance: s.status.starts_with("MAINT"),
        // `* L4CON` is a check under way with the last result behind the star.
        unreachable: matches!(s.check.trim_start_matches("* "), "L4CON" | "L4TOUT" | "L6TOUT" | "L7TOUT" | "L6RSP") && s.status.starts_with("DOWN"),
        name: s.name.into(),
        check: s.check.into(),
    };
    servers.into_iter().map(view).collect()
}

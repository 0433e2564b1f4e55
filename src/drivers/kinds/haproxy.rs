//! HAProxy's runtime API by TCP or by its Unix socket: one line a connection; an answer of empty lines means done.

use super::super::endpoint;
use super::{RouteAt, RouteChange, RouteDriver};
use crate::model::*;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

const TIMEOUT: Duration = Duration::from_millis(500);
const MAX_ANSWER: u64 = 4 << 20;

impl RouteDriver for Haproxy {
    async fn look(&self, at: &RouteAt<'_>) -> Result<Vec<ServerView>, String> {
        let text = ask(&at.route.address, "show stat").await.map_err(|(reason, _)| reason)?;
        let servers = parse_servers(&text, &at.eyes.database.backend)?;
        Ok(server_views(servers, &at.eyes.addresses.get(), |name| at.member_named(name)))
    }

    async fn set(&self, at: &RouteAt<'_>, change: &RouteChange<'_>) -> Outcome {
        let name = |view: &ServerView| format!("{}/{}", at.eyes.database.backend, view.name);
        let servers: Vec<String> = change.lines.iter().map(name).collect();
        let state = if change.out { "maint" } else { "ready" };
        // In one line: it arrives whole, or not at all.
        let set = servers.iter().map(|server| format!("set server {server} state {state}"));
        let end =
            servers.iter().filter(|_| change.out).map(|server| format!("shutdown sessions server {server}"));
        let line = set.chain(end).collect::<Vec<_>>().join("; ");
        if let Err(missed) = change.permit(at).await {
            return missed;
        }
        let said = match ask(&at.route.address, &line).await {
            Ok(answer) => answer.trim().to_string(),
            Err((reason, true)) => {
                return Outcome::Unknown { reason: format!("the answer was lost: {reason}") };
            }
            Err((reason, false)) => return Outcome::NotDone { reason },
        };
        // As HAProxy names it, and what that means.
        let means = if change.out { "its sessions ended" } else { "in rotation" };
        if said.is_empty() {
            return Outcome::Done { detail: format!("{} {state}: {means}", servers.join(", ")) };
        }
        // It said something: whether anything was changed is read.
        match at.lines_of(change.member).await {
            Ok(views) if views.iter().all(|v| v.maintenance == change.out) => {
                Outcome::Done { detail: format!("{} {state}; HAProxy said: {said}", servers.join(", ")) }
            }
            Ok(views) if views.iter().all(|v| v.maintenance != change.out) => {
                Outcome::NotDone { reason: format!("{said}; nothing was changed") }
            }
            Ok(_) => Outcome::Unknown { reason: format!("{said}; only a part was changed") },
            Err(reason) => Outcome::Unknown { reason: format!("{said}; {reason}") },
        }
    }

    async fn survey(&self, at: &RouteAt<'_>) -> Result<BalancerAnswers, String> {
        let (backend, address) = (&at.eyes.database.backend, &at.route.address);
        let ask = |command: String| async move { ask(address, &command).await.map_err(|(reason, _)| reason) };
        let stat = ask("show stat".to_string()).await?;
        let mut servers = server_answers(&stat, backend)?;
        // A balancer of an older version, or with fewer rights, may not tell these.
        let states = ask(format!("show servers state {backend}")).await.unwrap_or_default();
        let level = ask("show cli level".to_string()).await.unwrap_or_default();
        let known = at.eyes.addresses.get();
        for server in &mut servers {
            server.member = member_of(&server.name, &server.address, &known, |name| at.member_named(name));
            server.unchecked = is_unchecked(&states, &server.name);
            if server.state == ServerState::Ready && is_drained(&states, &server.name) {
                server.state = ServerState::Drain;
            }
        }
        Ok(BalancerAnswers { servers, admin: is_admin(&level), sessions: sessions(&stat) })
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to `host:port`, or to the socket at an absolute path.
async fn connect(address: &str) -> std::io::Result<Box<dyn Stream>> {
    Ok(if address.starts_with('/') {
        Box::new(UnixStream::connect(address).await?)
    } else {
        Box::new(TcpStream::connect(address).await?)
    })
}

/// Sends one line of commands.
///
/// # Errors
/// No answer in time, or one longer than 4 MB; `true` beside the text if the command may have been heard.
pub async fn ask(address: &str, command: &str) -> Result<String, (String, bool)> {
    let mut stream = match tokio::time::timeout(TIMEOUT, connect(address)).await {
        Err(_) => return Err(("no answer in time".to_string(), false)),
        Ok(Err(e)) => return Err((e.to_string(), false)),
        Ok(Ok(stream)) => stream,
    };
    let talk = async {
        stream.write_all(format!("{command}\n").as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.take(MAX_ANSWER + 1).read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>(bytes)
    };
    match tokio::time::timeout(TIMEOUT, talk).await {
        Err(_) => Err(("no answer in time".to_string(), true)),
        Ok(Err(e)) => Err((e.to_string(), true)),
        Ok(Ok(bytes)) => whole(&bytes, command).map_err(|reason| (reason, true)),
    }
}

/// The answer, if it is one and arrived to its end.
fn whole(bytes: &[u8], command: &str) -> Result<String, String> {
    if bytes.len() as u64 > MAX_ANSWER {
        return Err(format!("its answer is longer than {} MB", MAX_ANSWER >> 20));
    }
    // A description in another encoding must not hide the servers.
    let text = String::from_utf8_lossy(bytes);
    // HAProxy ends the answer to each command with an empty line: without it the connection was cut.
    match text.matches('\n').count() < command.split(';').count() {
        true => Err("the connection was cut".to_string()),
        false => Ok(text.into_owned()),
    }
}

/// One server line of `show stat`.
#[derive(Debug, PartialEq, Eq)]
pub struct Server {
    pub name: String,
    pub status: String,
    pub check: String,
    pub address: String,
    /// It gets no new connections at 0. Where it is not told, 1.
    pub weight: u32,
    /// It is used only when no other server is up.
    pub backup: bool,
    pub check_took: Option<Span>,
    /// The sessions that it may have; `None`: as many as come.
    pub limit: Option<u32>,
}

/// Reads `show stat` by the names of its columns.
///
/// # Errors
/// It is no such table, or has no such backend.
pub fn parse_servers(text: &str, backend: &str) -> Result<Vec<Server>, String> {
    let text =
        text.trim_start_matches(['\r', '\n']).strip_prefix("# ").ok_or("not an answer of HAProxy's")?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|e| e.to_string())?.clone();
    let column =
        |name: &str| headers.iter().position(|h| h == name).ok_or_else(|| format!("no column {name}"));
    let (proxy, server, status, check) =
        (column("pxname")?, column("svname")?, column("status")?, column("check_status")?);
    let (address, weight, backup, took) =
        (column("addr").ok(), column("weight").ok(), column("bck").ok(), column("check_duration").ok());
    let (limit, kind) = (column("slim").ok(), column("type").ok());
    let mut servers = Vec::new();
    let mut found = false;
    for row in reader.records() {
        let row = row.map_err(|e| e.to_string())?;
        if row.get(proxy) != Some(backend) {
            continue;
        }
        found = true;
        let name = row.get(server).unwrap_or_default();
        // Type 2 is a server. Without that column the name tells it.
        let is_server = match kind.and_then(|i| row.get(i)).filter(|k| !k.is_empty()) {
            Some(kind) => kind == "2",
            None => !matches!(name, "FRONTEND" | "BACKEND"),
        };
        if !is_server {
            continue;
        }
        let of = |i: usize| row.get(i).unwrap_or_default().to_string();
        let number = |i: Option<usize>| row.get(i?)?.parse::<u64>().ok();
        servers.push(Server {
            name: name.to_string(),
            status: of(status),
            check: of(check),
            address: address.map(of).unwrap_or_default(),
            weight: number(weight).and_then(|w| u32::try_from(w).ok()).unwrap_or(1),
            backup: number(backup).is_some_and(|n| n > 0),
            check_took: number(took).map(Span),
            limit: number(limit).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
        });
    }
    if found { Ok(servers) } else { Err(format!("it has no backend `{backend}`")) }
}

/// The member behind a server line: by its address, else by its name. One at the address of a member that is not configured is nobody.
pub fn member_of(
    name: &str,
    address: &str,
    members: &[MemberKey],
    name_of: impl Fn(&str) -> Option<MemberId>,
) -> Option<MemberId> {
    let is_at = |m: &&MemberKey| {
        !address.is_empty() && m.sql.as_deref().is_some_and(|sql| endpoint::same(sql, address))
    };
    members.iter().find(is_at).map_or_else(|| name_of(name), |m| m.member)
}

/// Each server line of a backend, for the survey; the members behind them are left open.
///
/// # Errors
/// It is no such table, or has no such backend.
pub fn server_answers(text: &str, backend: &str) -> Result<Vec<ServerAnswers>, String> {
    let answers = |s: Server| ServerAnswers {
        member: None,
        up: Status::of(&s.status).up,
        state: Status::of(&s.status).state,
        check: match s.check.trim_start_matches("* ") {
            "" => CheckLayer::None,
            "L4OK" => CheckLayer::Connection,
            _ => CheckLayer::Application,
        },
        unreachable: is_unreachable(&s.check),
        unchecked: false,
        limit: s.limit,
        weight: s.weight,
        backup: s.backup,
        check_took: s.check_took,
        name: s.name,
        address: s.address,
        status: s.status,
    };
    Ok(parse_servers(text, backend)?.into_iter().map(answers).collect())
}

/// `* L4CON` is a check under way with the last result behind the star.
fn is_unreachable(check: &str) -> bool {
    matches!(check.trim_start_matches("* "), "L4CON" | "L4TOUT" | "L6TOUT" | "L7TOUT" | "L6RSP")
}

/// `show servers state`: the checks of a server were switched off by a person (`disable health`).
pub fn is_unchecked(states: &str, server: &str) -> bool {
    // The bits of HAProxy's `srv_check_state`: configured, enabled, paused.
    const CONFIGURED: u32 = 2;
    const ENABLED: u32 = 4;
    const PAUSED: u32 = 8;
    state_bits(states, server, "srv_check_state")
        .is_some_and(|bits| bits & CONFIGURED != 0 && (bits & ENABLED == 0 || bits & PAUSED != 0))
}

/// `show servers state`: the server takes no new clients, by hand or by the state of another. `show stat` does not say so of one that is
/// down, as a standby in the write backend is.
pub fn is_drained(states: &str, server: &str) -> bool {
    // The bits of HAProxy's `srv_admin_state`: drained by hand, drained with the server that it tracks.
    const DRAINED: u32 = 0x08 | 0x10;
    state_bits(states, server, "srv_admin_state").is_some_and(|bits| bits & DRAINED != 0)
}

/// The bits in a column of `show servers state`.
fn state_bits(states: &str, server: &str, column: &str) -> Option<u32> {
    let mut lines = states.lines().filter(|l| !l.trim().is_empty());
    let header: Vec<&str> =
        lines.find(|l| l.starts_with("# "))?.trim_start_matches("# ").split_whitespace().collect();
    let place = |name: &str| header.iter().position(|h| *h == name);
    let (name, bits) = (place("srv_name")?, place(column)?);
    let row =
        lines.map(|l| l.split_whitespace().collect::<Vec<_>>()).find(|row| row.get(name) == Some(&server))?;
    row.get(bits)?.parse().ok()
}

/// `show cli level`: whether the runtime API lets us change anything. `None`: it does not say.
pub fn is_admin(level: &str) -> Option<bool> {
    let level = level.trim();
    matches!(level, "admin" | "operator" | "user").then_some(level == "admin")
}

/// The sessions of the frontends and their limit, the fullest first.
pub fn sessions(stat: &str) -> Option<(u32, u32)> {
    let text = stat.strip_prefix("# ")?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().ok()?.clone();
    let column = |name: &str| headers.iter().position(|h| h == name);
    let (server, current, limit) = (column("svname")?, column("scur")?, column("slim")?);
    let number = |row: &csv::StringRecord, i: usize| row.get(i).and_then(|n| n.parse::<u32>().ok());
    let frontends = reader.records().flatten().filter(|row| row.get(server) == Some("FRONTEND"));
    let used =
        frontends.filter_map(|row| Some((number(&row, current)?, number(&row, limit).filter(|l| *l > 0)?)));
    used.max_by_key(|(used, of)| u64::from(*used) * 1_000 / u64::from(*of))
}

/// What HAProxy's word for a server means.
struct Status {
    up: bool,
    state: ServerState,
}

impl Status {
    /// The words of `show stat`: `UP`, `UP 1/2` (about to go down), `DOWN`, `DOWN 1/2` (about to come up), `DOWN (agent)`, `NOLB`,
    /// `DRAIN`, `DRAIN (agent)`, `MAINT`, `MAINT (via x/y)`, `MAINT (resolution)`, `no check`. NOLB and DRAIN take no new users.
    fn of(word: &str) -> Status {
        let is = |state: &str| {
            word == state || word.starts_with(&format!("{state} ")) || word.starts_with(&format!("{state}("))
        };
        let state = match () {
            // DNS did this, not a person: the server comes back by itself once its name can be resolved.
            () if is("MAINT") && word.contains("resolution") => ServerState::Unresolved,
            () if is("MAINT") => ServerState::Maintenance,
            () if is("DRAIN") => ServerState::Drain,
            () => ServerState::Ready,
        };
        Status { up: is("UP") || word == "no check", state }
    }
}

/// The servers as the engine knows them: matched by address, else by name.
pub fn server_views(
    servers: Vec<Server>,
    members: &[MemberKey],
    name_of: impl Fn(&str) -> Option<MemberId>,
) -> Vec<ServerView> {
    let member = |s: &Server| member_of(&s.name, &s.address, members, &name_of);
    let view = |s: Server| {
        let status = Status::of(&s.status);
        ServerView {
            member: member(&s),
            up: status.up,
            maintenance: status.state == ServerState::Maintenance,
            unresolved: status.state == ServerState::Unresolved,
            unreachable: is_unreachable(&s.check) && s.status.starts_with("DOWN"),
            name: s.name.into(),
            check: s.check.into(),
        }
    };
    servers.into_iter().map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};

    /// The runtime API answers in the same way by its Unix socket.
    #[test]
    fn the_runtime_api_by_a_unix_socket() {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let path = directory.path().join("admin.sock");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap_or_else(|e| panic!("{e}"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap_or_else(|e| panic!("{e}"));
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            let _ = stream.write_all(b"# pxname,svname\nprimary,eu\n\n");
            line
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap_or_else(|e| panic!("{e}"));
        let answer = runtime.block_on(ask(&path.display().to_string(), "show stat"));
        assert_eq!(answer, Ok("# pxname,svname\nprimary,eu\n\n".to_string()));
        assert_eq!(server.join().unwrap_or_default(), "show stat\n");
        let gone =
            runtime.block_on(ask(&directory.path().join("gone.sock").display().to_string(), "show stat"));
        assert!(gone.is_err_and(|(_, heard)| !heard));
    }

    #[test]
    fn each_word_of_haproxy_is_understood() {
        use ServerState::{Drain, Maintenance, Ready, Unresolved};
        for (word, up, state) in [
            ("UP", true, Ready),
            ("UP 1/2", true, Ready),
            ("no check", true, Ready),
            ("DOWN", false, Ready),
            ("DOWN 1/2", false, Ready),
            ("DOWN (agent)", false, Ready),
            ("NOLB", false, Ready),
            ("NOLB 1/2", false, Ready),
            ("DRAIN", false, Drain),
            ("DRAIN 1/2", false, Drain),
            ("DRAIN (agent)", false, Drain),
            ("MAINT", false, Maintenance),
            ("MAINT (via primary/us-a)", false, Maintenance),
            ("MAINT(via)", false, Maintenance),
            ("MAINT (resolution)", false, Unresolved),
            ("UPDATING", false, Ready),
            ("", false, Ready),
        ] {
            let status = Status::of(word);
            assert_eq!((status.up, status.state), (up, state), "{word}");
        }
    }

    #[test]
    fn an_answer_that_did_not_arrive_whole_is_refused() {
        let long = vec![b' '; MAX_ANSWER as usize + 1];
        for (bytes, is_whole) in [(&b"\n"[..], true), (b"", false), (b"\xff\n", true), (&long, false)] {
            assert_eq!(whole(bytes, "show stat").is_ok(), is_whole, "{} bytes", bytes.len());
        }
        assert!(whole(b"\n", "set server a/b state maint; shutdown sessions server a/b").is_err());
    }
}

//! Who carries an activity out, and how: a process of its own, or a request.

use super::substitute::{Values, plain};
use crate::drivers::{BodyError, read_body};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// Who carries an activity out. Values that the configuration names are put in when it is run.
#[derive(Clone, Debug)]
pub enum Provider {
    Process { path: String, arguments: Value, timeout: Value },
    Http { url: String, method: String, headers: Value, arguments: Value, timeout: Value, verify_tls: bool },
}

/// Where a program is; our own name is ourselves, wherever we lie.
pub fn program(name: &str) -> Option<PathBuf> {
    if name == "bpci" {
        return std::env::current_exe().ok();
    }
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let expanded = match (name.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(name),
    };
    if expanded.components().count() > 1 {
        return expanded.is_file().then_some(expanded);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|d| d.join(&expanded)).find(|p| is_program(p))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// Runs it. What it found: a process's status and words, or a response.
///
/// # Errors
/// It could not be run, or took too long.
pub async fn run(provider: &Provider, values: &Values) -> Result<Value, String> {
    match provider {
        Provider::Process { path, arguments, timeout } => {
            process(path, &values.fill(arguments), limit(&values.fill(timeout))?).await
        }
        Provider::Http { url, method, headers, arguments, timeout, verify_tls } => {
            let request = Request {
                url: values.text(url),
                method,
                headers: values.fill(headers),
                arguments: values.fill(arguments),
                timeout: limit(&values.fill(timeout))?,
                verify_tls: *verify_tls,
            };
            http(request).await
        }
    }
}

/// A time in seconds: a number, or one that is written as text, as a variable of the environment gives it. `None`: none is
/// given.
///
/// # Errors
/// It is neither.
pub fn seconds(value: &Value) -> Result<Option<Duration>, String> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let time = number.and_then(|n: f64| Duration::try_from_secs_f64(n).ok());
    time.map(Some).ok_or_else(|| format!("{value} is not a number of seconds"))
}

/// How long an activity may take. Of a pair (to connect, to read) the longer time; none: as long as it takes.
///
/// # Errors
/// A time in it is no number of seconds.
pub fn limit(value: &Value) -> Result<Option<Duration>, String> {
    let list = value.as_array().map_or_else(|| vec![value], |l| l.iter().collect());
    let times = list.into_iter().map(seconds).collect::<Result<Vec<_>, _>>()?;
    Ok(times.into_iter().flatten().max().filter(|most| !most.is_zero()))
}

async fn process(path: &str, arguments: &Value, timeout: Option<Duration>) -> Result<Value, String> {
    let program = program(path).ok_or_else(|| format!("`{path}` is no program here"))?;
    let mut command = match arguments {
        // Arguments in one text are a shell's to take apart, as the Chaos Toolkit has it.
        Value::String(text) if !text.is_empty() => {
            let mut command = tokio::process::Command::new("sh");
            command.arg("-c").arg(format!("exec \"$0\" {text}")).arg(&program);
            command
        }
        list => {
            let mut command = tokio::process::Command::new(&program);
            command.args(words(list));
            command
        }
    };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().map_err(|e| format!("{}: {e}", program.display()))?;
    let output = match timeout {
        Some(limit) => tokio::time::timeout(limit, child.wait_with_output())
            .await
            .map_err(|_| format!("`{path}` took longer than {limit:?}"))?,
        None => child.wait_with_output().await,
    };
    let output = output.map_err(|e| format!("{}: {e}", program.display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // A process that was killed has a signal instead of a status: Python's way to write it.
    let status = output
        .status
        .code()
        .or_else(|| std::os::unix::process::ExitStatusExt::signal(&output.status).map(|s| -s));
    Ok(json!({ "status": status, "stdout": text(&output.stdout), "stderr": text(&output.stderr) }))
}

fn words(arguments: &Value) -> Vec<String> {
    match arguments {
        Value::Array(list) => {
            list.iter().filter(|v| !v.is_null()).map(plain).filter(|t| !t.is_empty()).collect()
        }
        Value::Object(map) => {
            map.iter().flat_map(|(k, v)| [k.clone(), plain(v)]).filter(|t| !t.is_empty()).collect()
        }
        _ => Vec::new(),
    }
}

struct Request<'a> {
    url: String,
    method: &'a str,
    headers: Value,
    arguments: Value,
    timeout: Option<Duration>,
    verify_tls: bool,
}

async fn http(request: Request<'_>) -> Result<Value, String> {
    let Request { url, method, headers, arguments, timeout, verify_tls } = request;
    let limit = timeout.unwrap_or(Duration::from_secs(60));
    let client = reqwest::Client::builder()
        .timeout(limit)
        .tls_danger_accept_invalid_certs(!verify_tls)
        .build()
        .map_err(|e| e.to_string())?;
    let verb = reqwest::Method::from_bytes(method.as_bytes())
        .map_err(|_| format!("`{method}` is no method of HTTP"))?;
    let mut asked = client.request(verb, &url);
    for (name, value) in headers.as_object().into_iter().flatten() {
        asked = asked.header(name, plain(value));
    }
    let is_json = headers["Content-Type"] == "application/json";
    asked = match arguments {
        Value::Null => asked,
        arguments if is_json && method != "GET" => asked.json(&arguments),
        arguments => {
            let pairs: Vec<(String, String)> =
                arguments.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), plain(v))).collect();
            if method == "GET" { asked.query(&pairs) } else { asked.form(&pairs) }
        }
    };
    let response = asked.send().await.map_err(|e| format!("{url}: {}", cause(&e)))?;
    let status = response.status().as_u16();
    let headers: serde_json::Map<String, Value> = response
        .headers()
        .iter()
        .map(|(k, v)| (k.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned().into()))
        .collect();
    let text = read_body(response).await.map_err(|e| match e {
        BodyError::TooLong => format!("{url}: the reply is longer than 4 MB"),
        BodyError::Broken(e) => format!("{url}: {}", cause(&e)),
    })?;
    let parsed = headers
        .get("content-type")
        .and_then(Value::as_str)
        .is_some_and(|t| t.starts_with("application/json"));
    let body = parsed.then(|| serde_json::from_str(&text).ok()).flatten().unwrap_or(Value::String(text));
    Ok(json!({ "status": status, "headers": headers, "body": body }))
}

fn cause(error: &reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(inner) = source.source() {
        source = inner;
    }
    if error.is_timeout() { "no answer in time".to_string() } else { source.to_string() }
}

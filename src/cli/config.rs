//! `bpci config`: write, check, schema.

use super::fail::Fail;
use super::output::{Lines, Output, Printing, own_lines, say_all};
use crate::config;
use crate::drivers::Inquiry;
use crate::model::Utc;
use crate::wording::one_line;
use clap::Subcommand;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Write a configuration to begin with
    Init {
        /// From a running cluster: the REST address of any member; nothing is changed there
        #[arg(long, value_name = "URL")]
        patroni: Option<String>,
        /// The login of Patroni's REST interface, for the file as well
        #[arg(long, value_name = "USER", requires = "patroni", requires = "password_file")]
        user: Option<String>,
        #[arg(long, value_name = "FILE", requires = "user")]
        password_file: Option<PathBuf>,
        /// The CA of the REST interface's certificates, for the file as well [default: the public ones]
        #[arg(long, value_name = "FILE", requires = "patroni")]
        ca: Option<PathBuf>,
        /// [default: standard output]
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        printing: Printing,
    },
    /// Is it understood, and do its figures agree?
    Check {
        file: PathBuf,
        /// Ask the running systems for everything that a failover needs; exit status 1 if anything is missing or wrong
        #[arg(long)]
        live: bool,
        /// Commit one row through each entry point as well
        #[arg(long, requires = "live")]
        write: bool,
        #[command(flatten)]
        printing: Printing,
    },
    /// The JSON Schema, for editors
    Schema(Printing),
}

pub async fn run(command: ConfigCommand) -> Result<(), Fail> {
    match command {
        ConfigCommand::Schema(printing) => {
            let schema = config::schema();
            let value: serde_json::Value = serde_json::from_str(&schema).map_err(Fail::failed)?;
            printing.output.print(&json!({ "json_schema": value }), || own_lines(&schema))
        }
        ConfigCommand::Init { patroni: None, file, printing, .. } => {
            let next = |name: &str| vec![format!("next: bpci config check {name}")];
            written(file.as_deref(), config::EXAMPLE, &[], next, &printing.output)
        }
        ConfigCommand::Init { patroni: Some(url), user, password_file, ca, file, printing } => {
            let text = from_cluster(&url, user.zip(password_file), ca).await?;
            let name = file.as_ref().map_or_else(|| "FILE".to_string(), |path| path.display().to_string());
            let left: Lines = config::unfilled(&name, &text)
                .iter()
                .map(|m| format!("{}:{}: {}", m.file, m.at.line, blank(m)))
                .collect();
            let next = |name: &str| {
                let mut lines = vec![format!("{} things to fill in:", left.len())];
                lines.extend(left.iter().map(|line| format!("  {line}")));
                lines.push(format!("next: bpci config check {name}; then with --live"));
                lines
            };
            written(file.as_deref(), &text, &left, next, &printing.output)
        }
        ConfigCommand::Check { file, live, write, printing } => {
            check(&file, live, write, &printing.output).await
        }
    }
}

/// Writes a configuration to its file, or prints it; then what is to be done next.
fn written(
    file: Option<&Path>,
    text: &str,
    left: &[String],
    next: impl Fn(&str) -> Lines,
    output: &Output,
) -> Result<(), Fail> {
    let value = json!({ "file": file.map(|path| path.display().to_string()), "configuration": text, "to_fill_in": left });
    let Some(path) = file else {
        output.print(&value, || own_lines(text.trim_end()))?;
        if output.is_text() && !left.is_empty() {
            // The file itself is on standard output.
            next("FILE").iter().for_each(|line| drop(writeln!(std::io::stderr(), "{}", one_line(line))));
        }
        return Ok(());
    };
    write_new(path, text)?;
    let name = path.display().to_string();
    output.print(&value, || std::iter::once(format!("{name} written")).chain(next(&name)).collect())
}

/// What a mark asks for.
fn blank(mark: &config::Mistake) -> &str {
    mark.found.strip_prefix("not filled in: ").unwrap_or(&mark.found)
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), Fail> {
    let mut options = std::fs::OpenOptions::new();
    let out = options.write(true).create_new(true).open(path);
    let mut out =
        out.map_err(|e| Fail::failed(format!("{}: {e}; name a file that is not there yet", path.display())))?;
    out.write_all(text.as_bytes()).map_err(|e| Fail::failed(format!("{}: {e}", path.display())))
}

/// Asks a member of a running cluster and writes a configuration from what it tells. Nothing is changed there.
async fn from_cluster(
    url: &str,
    login: Option<(String, PathBuf)>,
    ca: Option<PathBuf>,
) -> Result<String, Fail> {
    let base = url.trim_end_matches('/');
    let base =
        ["/patroni", "/cluster", "/config"].iter().find_map(|path| base.strip_suffix(path)).unwrap_or(base);
    if !["http://", "https://"]
        .iter()
        .any(|scheme| base.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
    {
        return Err(Fail::usage(format!(
            "`{url}` is no REST address; write http://HOST:8008 or https://HOST:8008"
        )));
    }
    // Chosen once for the whole program: two in one would panic at the first connection.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let password = |path: &PathBuf| config::password(&path.display().to_string(), None).map_err(Fail::failed);
    let secret = login.as_ref().map(|(user, path)| password(path).map(|p| (user.clone(), p))).transpose()?;
    let inquiry = Inquiry::new(secret, ca.as_deref()).map_err(Fail::failed)?;
    let ask = async |path: &str| inquiry.get(&format!("{base}{path}")).await.map_err(Fail::failed);
    let (status, cluster, settings) = (ask("/patroni").await?, ask("/cluster").await?, ask("/config").await?);
    let login_needed = inquiry.needs_login(&format!("{base}/config")).await.map_err(Fail::failed)?;
    if let (true, Some((user, path))) = (login_needed, &login) {
        let text = format!(
            "{base} refused the login of `{user}`; check the user, and the password in {}",
            path.display()
        );
        return Err(Fail::failed(text));
    }
    let replies = config::Replies { status: &status, cluster: &cluster, settings: &settings };
    let found = config::read_replies(&replies).map_err(|e| Fail::failed(format!("{base}: {e}")))?;
    let given = config::Given {
        url: base.to_string(),
        login: login.map(|(user, path)| (user, absolute(&path))),
        login_needed,
        ca: ca.as_deref().map(absolute),
    };
    Ok(config::draft(&found, &given))
}

/// A path that means the same in whatever directory the file is.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}

/// What is odd about the files that the configuration names: a secret must be its owner's alone. One that is not on this machine is
/// told, and no mistake of the configuration's.
fn files(file: &Path, loaded: &config::Loaded) -> Result<Vec<config::Warning>, Fail> {
    let (mut absent, mut wrong) = (Vec::new(), Vec::new());
    for used in &loaded.files {
        let Err(fault) = config::check_file(used) else { continue };
        let file = file.display().to_string();
        match fault.is_absent {
            true => absent.push(config::Warning { file, at: used.at, text: fault.to_string() }),
            false => {
                wrong.push(config::Mistake { file, at: used.at, found: fault.found, remedy: fault.remedy })
            }
        }
    }
    config::Mistakes::of(wrong).map_or(Ok(absent), |mistakes| Err(Fail::mistakes(1, &mistakes)))
}

async fn check(file: &Path, live: bool, write: bool, output: &Output) -> Result<(), Fail> {
    let loaded = config::load(file).map_err(|m| Fail::mistakes(1, &m))?;
    let absent = files(file, &loaded)?;
    let warnings: Vec<String> = loaded
        .warnings_at(Utc(chrono::Utc::now().timestamp_millis()))
        .into_iter()
        .chain(&absent)
        .map(ToString::to_string)
        .collect();
    let estate = &loaded.estate;
    let databases = estate.groups.iter().filter(|g| g.database.is_some()).count();
    let (regions, services, count) = (estate.regions.len(), estate.services.len(), warnings.len());
    let summary = || {
        let line = format!(
            "{}: {regions} regions, {services} services, {databases} databases; {count} warnings",
            estate.name
        );
        warnings.iter().cloned().chain([line]).collect::<Lines>()
    };
    if !live {
        let value = json!({
            "estate": estate.name,
            "region_count": regions,
            "service_count": services,
            "database_count": databases,
            "warnings": warnings,
        });
        return output.print(&value, summary);
    }
    if output.is_text() {
        say_all(&summary())?;
    }
    super::letter::check_live(loaded.estate, output, write).await
}

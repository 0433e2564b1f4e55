//! `bpci config`: write, check, schema.

use super::args::ConfigCommand;
use super::fail::Fail;
use super::output::{Output, say};
use crate::config;
use serde_json::json;

pub async fn run(command: ConfigCommand) -> Result<(), Fail> {
    match command {
        ConfigCommand::Schema => say(&config::schema()),
        ConfigCommand::Init { patroni, file } => {
            let text = match patroni {
                None => config::EXAMPLE.to_string(),
                Some(_) => return Err(Fail::usage("`--patroni` is not built yet; write the members into the example by hand")),
            };
            match file {
                None => say(text.trim_end()),
                Some(path) => {
                    let mut options = std::fs::OpenOptions::new();
                    let mut out = options
                        .write(true)
                        .create_new(true)
                        .open(&path)
                        .map_err(|e| Fail::failed(format!("{}: {e}; name a file that is not there yet", path.display())))?;
                    std::io::Write::write_all(&mut out, text.as_bytes()).map_err(Fail::failed)?;
                    say(&format!("{} written; next: bpci config check {}", path.display(), path.display()))
                }
            }
        }
        ConfigCommand::Check { file, live, write, output } => check(&file, live, write, &output).await,
    }
}

async fn check(file: &std::path::Path, live: bool, write: bool, output: &Output) -> Result<(), Fail> {
    let loaded = config::load(file).map_err(Fail::failed)?;
    let estate = &loaded.estate;
    let databases = estate.groups.iter().filter(|g| g.database.is_some()).count();
    let (regions, services, warnings) = (estate.regions.len(), estate.services.len(), loaded.warnings.len());
    let summary = || {
        let mut lines: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        lines.push(format!("{}: {regions} regions, {services} services, {databases} databases; {warnings} warnings", estate.name));
        lines.join("\n")
    };
    if !live {
        let value = json!({
            "schema": 2,
            "estate": estate.name,
            "region_count": regions,
            "service_count": services,
            "database_count": databases,
            "warnings": loaded.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        return output.print(&value, summary);
    }
    if matches!(output, Output::Text) {
        say(&summary())?;
    }
    super::letter::check_live(loaded.estate, output, write).await
}

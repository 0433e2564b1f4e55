//! `bpci config`: write, check, schema.

use super::args::ConfigCommand;
use super::fail::Fail;
use super::output::say;
use crate::config;

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
        ConfigCommand::Check { file, live } => check(&file, live).await,
    }
}

async fn check(file: &std::path::Path, live: bool) -> Result<(), Fail> {
    let loaded = config::load(file).map_err(Fail::failed)?;
    for warning in &loaded.warnings {
        say(&warning.to_string())?;
    }
    let estate = &loaded.estate;
    let databases = estate.groups.iter().filter(|g| g.database.is_some()).count();
    let (regions, services, warnings) = (estate.regions.len(), estate.services.len(), loaded.warnings.len());
    say(&format!("{}: {regions} regions, {services} services, {databases} databases; {warnings} warnings", estate.name))?;
    if live { super::open::check_live(loaded.estate).await } else { Ok(()) }
}

//! Reads and writes the file.

use super::{RouteAt, RouteChange, RouteDriver};
use crate::model::*;
use std::io::Write;
use std::path::Path;

/// Longer than any name of a region.
const LONGEST: u64 = 4096;

impl RouteDriver for ActiveFile {
    async fn look(&self, at: &RouteAt<'_>) -> Result<Vec<ServerView>, String> {
        let active = read(Path::new(&at.route.address))?;
        let view = |member: MemberId| {
            let is_active = at.eyes.region_name(&at.shared.estate, member) == active;
            ServerView {
                name: at.called(member).into(),
                member: Some(member),
                up: is_active,
                maintenance: !is_active,
                unresolved: false,
                unreachable: false,
                check: "".into(),
            }
        };
        Ok(at.eyes.database.member_ids().map(view).collect())
    }

    async fn set(&self, at: &RouteAt<'_>, change: &RouteChange<'_>) -> Outcome {
        let region = at.eyes.region_name(&at.shared.estate, change.member);
        if let Err(missed) = change.permit(at).await {
            return missed;
        }
        match write(Path::new(&at.route.address), if change.out { "" } else { region }) {
            Ok(()) => Outcome::Done { detail: format!("it names {region}") },
            Err(e) => Outcome::NotDone { reason: format!("{}: {e}", at.route.address) },
        }
    }

    async fn survey(&self, at: &RouteAt<'_>) -> Result<BalancerAnswers, String> {
        let server = |s: ServerView| ServerAnswers {
            member: s.member,
            up: s.up,
            state: if s.maintenance { ServerState::Maintenance } else { ServerState::Ready },
            check: CheckLayer::None,
            unreachable: false,
            unchecked: false,
            limit: None,
            weight: 1,
            backup: false,
            check_took: None,
            name: s.name.to_string(),
            address: String::new(),
            status: if s.up { "named" } else { "not named" }.to_string(),
        };
        let servers = self.look(at).await?.into_iter().map(server).collect();
        let directory = Path::new(&at.route.address).parent().unwrap_or(Path::new("/"));
        let is_writable = std::fs::metadata(directory).is_ok_and(|m| !m.permissions().readonly());
        Ok(BalancerAnswers { servers, admin: Some(is_writable), sessions: None })
    }
}

/// The region that the file names.
fn read(path: &Path) -> Result<String, String> {
    use std::io::Read;
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    file.take(LONGEST).read_to_string(&mut text).map_err(|e| e.to_string())?;
    Ok(text.trim().to_string())
}

/// Whoever reads it sees the old name or the new one, never a part.
fn write(path: &Path, region: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = std::fs::File::create(&new)?;
    writeln!(file, "{region}")?;
    file.sync_all()?;
    std::fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn what_is_written_is_read_back() {
        let directory = tempfile::tempdir().unwrap_or_else(|e| panic!("{e}"));
        let path = directory.path().join("active");
        assert!(read(&path).is_err());
        for region in ["us-east-1", "eu-west-1", ""] {
            write(&path, region).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(read(&path).as_deref(), Ok(region));
        }
    }
}

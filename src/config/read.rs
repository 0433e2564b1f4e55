//! Reading a configuration file: text to estate, with whatever is odd about it.

use super::collect::{self, Reading};
use super::context::{Context, FileUse};
use super::file::File;
use super::mistake::{DatedWarning, Mistake, Mistakes, Place, Warning};
use super::yaml::read_text;
use crate::model::{Estate, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// An accepted configuration.
#[derive(Debug)]
pub struct Loaded {
    pub estate: Estate,
    pub warnings: Vec<Warning>,
    /// Warnings that hold from a moment on.
    pub dated: Vec<DatedWarning>,
    /// The files that it names: passwords, keys, certificates.
    pub files: Vec<FileUse>,
}

impl Loaded {
    /// The warnings that hold at a moment, in the order of the file.
    pub fn warnings_at(&self, now: Utc) -> Vec<&Warning> {
        let dated = self.dated.iter().filter(|d| now >= d.from).map(|d| &d.warning);
        let mut all: Vec<&Warning> = self.warnings.iter().chain(dated).collect();
        all.sort_by_key(|w| w.at);
        all
    }
}

/// Reads a configuration from disk.
///
/// # Errors
/// Every mistake in it, each with its place.
pub fn load(path: &Path) -> Result<Loaded, Mistakes> {
    let name = path.display().to_string();
    parse(&name, &read_text(path)?)
}

/// Reads a configuration from a text; `file` is for the messages, for the estate's name, and for relative paths.
///
/// # Errors
/// Every mistake in it, each with its place.
pub fn parse(file: &str, text: &str) -> Result<Loaded, Mistakes> {
    let reading: Reading<File> = collect::read(file, text);
    let mut mistakes = reading.mistakes.clone();
    mistakes.extend(super::draft::unfilled(file, text));
    mistakes.extend(super::draft::unfilled(file, text));
    let Some(raw) = &reading.value else {
        return Err(Mistakes::of(mistakes).unwrap_or_else(|| Mistakes::from(nothing_read(file))));
    };
    let written = if reading.keys.is_whole(&[]) { Vec::new() } else { written_regions(file, text) };
    let cx = Context::new(file, &reading.keys, written);
    let estate = super::build::estate(&cx, raw);
    let (found, files) = cx.into_found();
    mistakes.extend(found);
    match Mistakes::of(mistakes) {
        Some(mistakes) => Err(mistakes),
        None => {
            let (warnings, dated) = super::lint::lint(file, raw, &estate);
            Ok(Loaded { estate, warnings, dated, files })
        }
    }
}

fn nothing_read(file: &str) -> Mistake {
    let remedy = "see `bpci config schema` for what is expected".to_string();
    Mistake {
        file: file.to_string(),
        at: Place { line: 1, column: 1 },
        found: "this is no configuration".to_string(),
        remedy,
    }
}

/// The ids of regions as they stand in a file of which not everything was understood.
fn written_regions(file: &str, text: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Outline {
        business_continuity: Option<Continuity>,
    }
    #[derive(Deserialize)]
    struct Continuity {
        #[serde(default)]
        regions: BTreeMap<String, Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        region_id: Option<String>,
    }
    let outline: Reading<Outline> = collect::read(file, text);
    let regions =
        outline.value.and_then(|o| o.business_continuity).into_iter().flat_map(|c| c.regions.into_values());
    regions.filter_map(|r| r.region_id).collect()
}

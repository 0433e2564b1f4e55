//! What the parts of the builder share: the file, what was read of it, and the mistakes that are found.

use super::collect::Keys;
use super::mistake::{Mistake, Place};
use super::names::{name_fault, text_fault};
use crate::model::{Estate, RegionId};
use serde_saphyr::{Location, Spanned};
use std::cell::RefCell;
use std::path::Path;

/// A file that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileUse {
    pub at: Place,
    pub path: String,
    /// It holds a password or a private key: nobody else may read it.
    pub secret: bool,
    /// The name to look for in `$CREDENTIALS_DIRECTORY` first.
    pub credential: Option<String>,
}

pub struct Context<'a> {
    pub file: &'a str,
    pub read: &'a Keys,
    /// Ids of regions that stand in the file, also where the rest of the region was not understood.
    pub written_regions: Vec<String>,
    found: RefCell<Vec<Mistake>>,
    files: RefCell<Vec<FileUse>>,
}

impl<'a> Context<'a> {
    pub fn new(file: &'a str, read: &'a Keys, written_regions: Vec<String>) -> Context<'a> {
        Context { file, read, written_regions, found: RefCell::default(), files: RefCell::default() }
    }

    /// Notes a mistake; the building goes on, so that the others are found too.
    pub fn add(&self, at: impl Into<Place>, found: impl Into<String>, remedy: impl Into<String>) {
        self.note(Mistake {
            file: self.file.to_string(),
            at: at.into(),
            found: found.into(),
            remedy: remedy.into(),
        });
    }

    /// Notes a mistake that may be in another file.
    pub fn note(&self, mistake: Mistake) {
        self.found.borrow_mut().push(mistake);
    }

    /// Everything that was found.
    pub fn into_found(self) -> (Vec<Mistake>, Vec<FileUse>) {
        (self.found.into_inner(), self.files.into_inner())
    }

    /// Notes what makes a text no name; `what` is what it names, such as `a service`.
    pub fn name(&self, at: impl Into<Place>, what: &str, text: &str) {
        // What a text of any sort may not contain was told where it was read.
        if text_fault(text).is_some() {
            return;
        }
        if let Some((found, remedy)) = name_fault(what, text) {
            self.add(at, found, remedy);
        }
    }

    /// The region of this name. One that stands in the file and was not understood is no second mistake.
    pub fn region(&self, name: &Spanned<String>, estate: &Estate) -> Option<RegionId> {
        let known = estate.region_named(&name.value);
        if known.is_none() {
            self.unknown_region(name.referenced, &name.value, estate);
        }
        known
    }

    pub fn regions(&self, names: &[Spanned<String>], estate: &Estate) -> Vec<RegionId> {
        names.iter().filter_map(|name| self.region(name, estate)).collect()
    }

    /// A region for each of a list; `None` where none is given.
    pub fn paired(
        &self,
        list: &[Spanned<String>],
        of: usize,
        what: &str,
        estate: &Estate,
    ) -> Vec<Option<RegionId>> {
        match list {
            [] => vec![None; of],
            [first, ..] if list.len() != of => {
                self.add(
                    first.referenced,
                    format!("{} regions for {of} {what}", list.len()),
                    "write one for each, in the same order",
                );
                vec![None; of]
            }
            _ => list.iter().map(|n| self.region(n, estate)).collect(),
        }
    }

    pub fn unknown_region(&self, at: Location, name: &str, estate: &Estate) {
        if !self.written_regions.iter().any(|r| r == name) {
            let known: Vec<_> = estate.regions.iter().map(|r| r.name.as_str()).collect();
            self.add(at, format!("`{name}` is no region"), format!("known: {}", known.join(", ")));
        }
    }

    /// A path that is relative is relative to the file that names it.
    pub fn beside(&self, path: &str) -> String {
        let written = Path::new(path);
        if written.is_absolute() || path.is_empty() {
            return path.to_string();
        }
        let joined = Path::new(self.file).parent().unwrap_or(Path::new("")).join(written);
        // Without a working directory the path stays relative.
        std::path::absolute(&joined).unwrap_or(joined).display().to_string()
    }

    /// A file of certificates.
    pub fn plain_file(&self, path: &Spanned<String>) -> String {
        self.use_file(path, false, None)
    }

    /// A private key.
    pub fn key_file(&self, path: &Spanned<String>) -> String {
        self.use_file(path, true, None)
    }

    /// A password: its path, and its name among the credentials of the service manager if it was given by a bare name.
    pub fn password_file(&self, path: &Spanned<String>) -> (String, Option<String>) {
        let credential = (!path.value.contains('/')).then(|| path.value.clone());
        (self.use_file(path, true, credential.clone()), credential)
    }

    fn use_file(&self, path: &Spanned<String>, secret: bool, credential: Option<String>) -> String {
        if path.value.trim().is_empty() {
            self.add(path.referenced, "an empty name of a file", "write the path of the file");
        }
        let full = self.beside(&path.value);
        self.files.borrow_mut().push(FileUse {
            at: path.referenced.into(),
            path: full.clone(),
            secret,
            credential,
        });
        full
    }

    /// A command: its program with a slash in its name, and words that begin with `./` or `../`, are relative to the file.
    pub fn command(&self, words: &[String]) -> Vec<String> {
        let relative = |(i, word): (usize, &String)| {
            let is_path = word.starts_with("./")
                || word.starts_with("../")
                || (i == 0 && word.contains('/') && !word.contains('{'));
            if is_path { self.beside(word) } else { word.clone() }
        };
        words.iter().enumerate().map(relative).collect()
    }
}
